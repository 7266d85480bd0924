// SPDX-License-Identifier: GPL-2.0-only
/*
 * forge: UDP datagrams and ICMP errors whose sender is not who they say, for tests;
 * and datagrams whose sender is told of the errors about them.
 *
 * Linked statically on the host, it runs in every guest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PAYLOAD_MAX	= 1400,
	PACKET_MAX	= 1500,
	UDP_HEADER	= 8,
	ICMP_HEADER	= 8,
	QUOTED_PAYLOAD	= 20,	/* what an error quotes of it; RFC 792 asks for none */
};

/* From where to where; the addresses of IPv4 are the first four bytes. */
struct path {
	int family;
	uint8_t src[16];
	uint8_t dst[16];
	uint16_t sport;
	uint16_t dport;
};

struct payload {
	size_t len;
	uint8_t byte[PAYLOAD_MAX];
};

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "forge: %s: %s\n", what, why);
	exit(2);
}

static _Noreturn void usage(void)
{
	fputs("usage: forge udp [-d] [-n COUNT] [-p PORTS] SRC PORT DST PORT HEX...\n"
	      "       forge icmp [-n COUNT] [-p PORTS] FROM TO TYPE CODE REST SRC PORT DST PORT\n"
	      "       forge probe [-n COUNT] [-l LENGTH] [-t MILLISECONDS] SRC PORT DST PORT HEX\n"
	      "udp: COUNT datagrams with the HEXes in turn, from PORTS ports of SRC, from PORT on,\n"
	      "then from as many of the next address, and so on; -d: to PORTS ports of DST, from one.\n"
	      "icmp: COUNT errors that quote a datagram to PORTS ports of DST, and so on; REST is\n"
	      "the header's last 32 bits, as the MTU.\n"
	      "probe: up to COUNT datagrams, of HEX and zeros; says which came to an error, its\n"
	      "type, code and REST, and who sent it.  Status 1 if there was none in so long.\n",
	      stderr);
	exit(2);
}

static uint32_t number(const char *text, uint32_t max)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (end == text || *end || errno || *text == '-' || value > max)
		die(text, "not a number in range");
	return (uint32_t)value;
}

static int address(const char *text, uint8_t *to)
{
	if (inet_pton(AF_INET, text, to) == 1)
		return AF_INET;
	if (inet_pton(AF_INET6, text, to) == 1)
		return AF_INET6;
	die(text, "not an address");
}

/* SRC PORT DST PORT; a port may be left out with NULL. */
static struct path path(const char *src, const char *sport, const char *dst, const char *dport)
{
	struct path p = { .family = AF_UNSPEC };

	p.family = address(src, p.src);
	if (address(dst, p.dst) != p.family)
		die(dst, "not of the source's family");
	p.sport = sport ? (uint16_t)number(sport, 65535) : 0;
	p.dport = dport ? (uint16_t)number(dport, 65535) : 0;
	return p;
}

static size_t address_length(const struct path *p)
{
	return p->family == AF_INET ? 4 : 16;
}

/* The Nth client from an address and port on. */
static void go_on(uint8_t *addr, size_t len, uint16_t *port, uint32_t n, uint32_t ports)
{
	uint32_t low;

	memcpy(&low, addr + len - 4, 4);
	low = htonl(ntohl(low) + n / ports);
	memcpy(addr + len - 4, &low, 4);
	*port = (uint16_t)(*port + n % ports);
}

static int nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

static void parse_hex(const char *hex, struct payload *p)
{
	size_t i;

	p->len = strlen(hex) / 2;
	if (strlen(hex) % 2 || p->len > PAYLOAD_MAX)
		die(hex, "odd or too long");
	for (i = 0; i < p->len; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			die(hex, "not hexadecimal");
		p->byte[i] = (uint8_t)(high << 4 | low);
	}
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* RFC 1071 */
static uint32_t add_up(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len > 1; p += 2, len -= 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	return len ? sum + (uint32_t)(p[0] << 8) : sum;
}

static uint32_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* What UDP, and ICMP in IPv6, sum up besides themselves. */
static uint32_t pseudo_header(const struct path *p, int protocol, size_t len)
{
	uint32_t sum = add_up(p->src, address_length(p), (uint32_t)(protocol + (int)len));

	return add_up(p->dst, address_length(p), sum);
}

/* An IP header for @len bytes; returns its length. */
static size_t put_ip(uint8_t *to, const struct path *p, int protocol, size_t len)
{
	if (p->family == AF_INET) {
		memset(to, 0, 20);
		to[0] = 0x45;
		put16(to + 2, (uint32_t)(20 + len));
		put16(to + 6, 0x4000);	/* do not fragment */
		to[8] = 64;
		to[9] = (uint8_t)protocol;
		memcpy(to + 12, p->src, 4);
		memcpy(to + 16, p->dst, 4);
		put16(to + 10, checksum(add_up(to, 20, 0)));
		return 20;
	}
	put32(to, 0x60000000);
	put16(to + 4, (uint32_t)len);
	to[6] = (uint8_t)protocol;
	to[7] = 64;
	memcpy(to + 8, p->src, 16);
	memcpy(to + 24, p->dst, 16);
	return 40;
}

/* A UDP packet; returns its length. */
static size_t put_udp(uint8_t *to, const struct path *p, const struct payload *data)
{
	size_t len = UDP_HEADER + data->len;
	uint8_t *udp = to + put_ip(to, p, IPPROTO_UDP, len);
	uint32_t sum;

	put16(udp, p->sport);
	put16(udp + 2, p->dport);
	put32(udp + 4, (uint32_t)(len << 16));
	memcpy(udp + UDP_HEADER, data->byte, data->len);
	sum = checksum(add_up(udp, len, pseudo_header(p, IPPROTO_UDP, len)));
	put16(udp + 6, sum ? sum : 0xffff);
	return (size_t)(udp - to) + len;
}

struct error {
	struct path path;
	uint8_t type;
	uint8_t code;
	uint32_t rest;
};

/* An ICMP error about the quoted packet; returns its length. */
static size_t put_icmp(uint8_t *to, const struct error *e, const struct path *quoted)
{
	static const struct payload data = { .len = QUOTED_PAYLOAD };
	bool v4 = e->path.family == AF_INET;
	int protocol = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	size_t header = v4 ? 20 : 40, len;
	uint8_t *icmp = to + header;

	icmp[0] = e->type;
	icmp[1] = e->code;
	put16(icmp + 2, 0);
	put32(icmp + 4, e->rest);
	len = ICMP_HEADER + put_udp(icmp + ICMP_HEADER, quoted, &data);
	put16(icmp + 2, checksum(add_up(icmp, len, v4 ? 0 :
					pseudo_header(&e->path, protocol, len))));
	return put_ip(to, &e->path, protocol, len) + len;
}

/* A socket for packets with their own IP header. */
static int raw_socket(int family)
{
	int fd = socket(family, SOCK_RAW, IPPROTO_RAW);

	if (fd < 0)
		die("socket", strerror(errno));
	return fd;
}

static void send_packet(int fd, const struct path *p, const uint8_t *packet, size_t len)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	bool v4 = p->family == AF_INET;
	const struct sockaddr *to = v4 ? (const struct sockaddr *)&to4 :
					 (const struct sockaddr *)&to6;

	memcpy(&to4.sin_addr, p->dst, 4);
	memcpy(&to6.sin6_addr, p->dst, 16);
	if (sendto(fd, packet, len, 0, to, v4 ? sizeof(to4) : sizeof(to6)) != (ssize_t)len)
		die("sendto", strerror(errno));
}

struct options {
	uint32_t count;
	uint32_t ports;
	uint32_t length;
	int timeout;
	bool to;	/* others than DST, not than SRC */
};

static struct options options(int argc, char **argv)
{
	struct options o = { .count = 1, .ports = 1, .timeout = 1000 };
	int opt;

	while ((opt = getopt(argc, argv, "dn:p:l:t:")) != -1) {
		switch (opt) {
		case 'd': o.to = true; break;
		case 'n': o.count = number(optarg, UINT32_MAX); break;
		case 'p': o.ports = number(optarg, 65536); break;
		case 'l': o.length = number(optarg, PAYLOAD_MAX); break;
		case 't': o.timeout = (int)number(optarg, 86400000); break;
		default: usage();
		}
	}
	if (!o.ports)
		usage();
	return o;
}

static int command_udp(int argc, char **argv)
{
	struct options o = options(argc, argv);
	char **arg = argv + optind;
	int left = argc - optind, fd, i;
	uint8_t packet[PACKET_MAX];
	struct payload *data;
	struct path first;
	uint32_t n;

	if (left < 5)
		usage();
	first = path(arg[0], arg[1], arg[2], arg[3]);
	data = calloc((size_t)left - 4, sizeof(*data));
	if (!data)
		die("calloc", strerror(errno));
	for (i = 4; i < left; i++)
		parse_hex(arg[i], &data[i - 4]);
	fd = raw_socket(first.family);
	for (n = 0; n < o.count; n++) {
		struct path p = first;

		if (o.to)
			go_on(p.dst, address_length(&p), &p.dport, n, o.ports);
		else
			go_on(p.src, address_length(&p), &p.sport, n, o.ports);
		send_packet(fd, &p, packet, put_udp(packet, &p, &data[n % (uint32_t)(left - 4)]));
	}
	free(data);
	return 0;
}

static int command_icmp(int argc, char **argv)
{
	struct options o = options(argc, argv);
	char **arg = argv + optind;
	uint8_t packet[PACKET_MAX];
	struct path first;
	struct error e;
	uint32_t n;
	int fd;

	if (argc - optind != 9)
		usage();
	e.path = path(arg[0], NULL, arg[1], NULL);
	e.type = (uint8_t)number(arg[2], 255);
	e.code = (uint8_t)number(arg[3], 255);
	e.rest = number(arg[4], UINT32_MAX);
	first = path(arg[5], arg[6], arg[7], arg[8]);
	if (first.family != e.path.family)
		die(arg[5], "not of the error's family");
	fd = raw_socket(e.path.family);
	for (n = 0; n < o.count; n++) {
		struct path quoted = first;

		go_on(quoted.dst, address_length(&quoted), &quoted.dport, n, o.ports);
		send_packet(fd, &e.path, packet, put_icmp(packet, &e, &quoted));
	}
	return 0;
}

union endpoint {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static union endpoint endpoint(const struct path *p, const uint8_t *addr, uint16_t port)
{
	union endpoint e = { .sa.sa_family = (sa_family_t)p->family };

	if (p->family == AF_INET) {
		memcpy(&e.in.sin_addr, addr, 4);
		e.in.sin_port = htons(port);
	} else {
		memcpy(&e.in6.sin6_addr, addr, 16);
		e.in6.sin6_port = htons(port);
	}
	return e;
}

static void set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		die("setsockopt", strerror(errno));
}

/* A bound socket that hears of errors, and fragments nothing. */
static int honest_socket(const struct path *p)
{
	union endpoint from = endpoint(p, p->src, p->sport);
	int fd = socket(p->family, SOCK_DGRAM, 0);

	if (fd < 0)
		die("socket", strerror(errno));
	if (p->family == AF_INET) {
		set(fd, IPPROTO_IP, IP_RECVERR, 1);
		set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	} else {
		set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
		set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
	}
	if (bind(fd, &from.sa, sizeof(from)))
		die("bind", strerror(errno));
	return fd;
}

static void print_error(const struct sock_extended_err *e, uint32_t n)
{
	const union endpoint *by = (const void *)SO_EE_OFFENDER(e);
	char text[INET6_ADDRSTRLEN];

	if (e->ee_origin == SO_EE_ORIGIN_LOCAL)
		die("sendto", strerror((int)e->ee_errno));
	inet_ntop(by->sa.sa_family, by->sa.sa_family == AF_INET ?
		  (const void *)&by->in.sin_addr : &by->in6.sin6_addr, text, sizeof(text));
	printf("%u %u %u %u %s\n", n, e->ee_type, e->ee_code, e->ee_info, text);
}

/* Prints the error that the socket has, if one comes in time. */
static bool hear(int fd, int timeout, uint32_t n)
{
	struct pollfd wait = { .fd = fd };
	char control[512];
	struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	if (poll(&wait, 1, timeout) < 1)
		return false;
	if (recvmsg(fd, &m, MSG_ERRQUEUE) < 0)
		die("recvmsg", strerror(errno));
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			print_error((const void *)CMSG_DATA(c), n);
	return true;
}

static int command_probe(int argc, char **argv)
{
	struct options o = options(argc, argv);
	struct payload data = { .len = 0 };
	char **arg = argv + optind;
	union endpoint to;
	struct path p;
	uint32_t n;
	int fd;

	if (argc - optind != 5)
		usage();
	p = path(arg[0], arg[1], arg[2], arg[3]);
	parse_hex(arg[4], &data);
	if (o.length > data.len)
		data.len = o.length;
	to = endpoint(&p, p.dst, p.dport);
	fd = honest_socket(&p);
	for (n = 1; n <= o.count; n++) {
		bool sent = sendto(fd, data.byte, data.len, 0, &to.sa, sizeof(to)) >= 0;
		int why = errno;

		/* If not, that may be for an error that came late. */
		if (hear(fd, sent ? o.timeout : 0, n))
			return 0;
		if (!sent)
			die("sendto", strerror(why));
	}
	return 1;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "udp"))
		return command_udp(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "icmp"))
		return command_icmp(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "probe"))
		return command_probe(argc - 1, argv + 1);
	usage();
}
