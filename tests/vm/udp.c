// SPDX-License-Identifier: GPL-2.0-only
/*
 * udp: send, receive and answer datagrams of given bytes, for tests.
 *
 * Linked statically on the host, it runs in every guest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAM_MAX 65535
#define PAUSE 50	/* ms between an answer and the next datagram */

struct endpoint {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

static uint8_t buffer[DATAGRAM_MAX + sizeof(struct udphdr)];

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "udp: %s: %s\n", what, why);
	exit(2);
}

static _Noreturn void usage(void)
{
	fputs("usage: udp send [-r] [-s ADDR] [-p PORT] [-n COUNT] [-g SEGMENT] [-l LENGTH] DST PORT HEX...\n"
	      "       udp raw PROTOCOL DST HEX\n"
	      "       udp sink [-c COUNT] [-t SECONDS] ADDR PORT\n"
	      "       udp tally OFFSET ADDR PORT\n"
	      "       udp echo NAME ADDR PORT\n"
	      "       udp talk [-s ADDR] [-p PORT] [-t MILLISECONDS] DST PORT HEX NAME\n"
	      "       udp ask [-s ADDR] [-p PORT] [-t MILLISECONDS] DST PORT HEX\n"
	      "-r: others may send from the same address and port\n"
	      "talk: one datagram after the other, when NAME has answered; when told to end, how many,\n"
	      "and how many of them had no answer in time, or one of NAME from elsewhere\n"
	      "tally: when told to end, a line for each address, port and byte at OFFSET: how many\n",
	      stderr);
	exit(2);
}

static unsigned long number(const char *text, unsigned long max)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (end == text || *end || errno || *text == '-' || value > max)
		die(text, "not a number in range");
	return value;
}

static struct endpoint endpoint(const char *address, const char *port)
{
	in_port_t p = htons((uint16_t)number(port, 65535));
	struct endpoint e = { .len = 0 };

	if (inet_pton(AF_INET, address, &e.in.sin_addr) == 1) {
		e.in.sin_family = AF_INET;
		e.in.sin_port = p;
		e.len = sizeof(e.in);
	} else if (inet_pton(AF_INET6, address, &e.in6.sin6_addr) == 1) {
		e.in6.sin6_family = AF_INET6;
		e.in6.sin6_port = p;
		e.len = sizeof(e.in6);
	} else {
		die(address, "not an address");
	}
	return e;
}

/* Prints address and port, and no newline. */
static void print_endpoint(const struct endpoint *e)
{
	bool v4 = e->sa.sa_family == AF_INET;
	char text[INET6_ADDRSTRLEN];
	const void *address = v4 ? (const void *)&e->in.sin_addr : &e->in6.sin6_addr;

	if (!inet_ntop(e->sa.sa_family, address, text, sizeof(text)))
		die("inet_ntop", strerror(errno));
	printf("%s %u", text, ntohs(v4 ? e->in.sin_port : e->in6.sin6_port));
}

static int nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Fills the buffer from hexadecimal text and returns the number of bytes. */
static size_t parse_hex(const char *hex)
{
	size_t i, len = strlen(hex) / 2;

	if (strlen(hex) % 2 || len > DATAGRAM_MAX)
		die(hex, "odd or too long");
	for (i = 0; i < len; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			die(hex, "not hexadecimal");
		buffer[i] = (uint8_t)(high << 4 | low);
	}
	return len;
}

static bool share_port;

static int udp_socket(const struct endpoint *local)
{
	int fd = socket(local->sa.sa_family, SOCK_DGRAM, 0), yes = 1;

	if (fd < 0)
		die("socket", strerror(errno));
	if (share_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)))
		die("SO_REUSEPORT", strerror(errno));
	if (bind(fd, &local->sa, local->len))
		die("bind", strerror(errno));
	return fd;
}

/* A socket to send to that peer from; a null address or port is the kernel's choice. */
static int client_socket(const struct endpoint *peer, const char *address, const char *port)
{
	struct endpoint local;

	if (!address)
		address = peer->sa.sa_family == AF_INET ? "0.0.0.0" : "::";
	local = endpoint(address, port ? port : "0");
	if (local.sa.sa_family != peer->sa.sa_family)
		die(address, "not of the destination's family");
	return udp_socket(&local);
}

static void send_to(int fd, const struct endpoint *peer, const void *data, size_t len)
{
	ssize_t sent = sendto(fd, data, len, 0, &peer->sa, peer->len);

	if (sent < 0)
		die("sendto", strerror(errno));
	if ((size_t)sent != len)
		die("sendto", "short");
}

static ssize_t receive(int fd, struct endpoint *peer)
{
	ssize_t len;

	peer->len = sizeof(peer->in6);
	len = recvfrom(fd, buffer, sizeof(buffer), 0, &peer->sa, &peer->len);
	if (len < 0)
		die("recvfrom", strerror(errno));
	return len;
}

static long milliseconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now))
		die("clock_gettime", strerror(errno));
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for a datagram until that time, or for ever if it is negative. */
static bool readable(int fd, long deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int ready;

	do {
		long left = deadline < 0 ? -1 : deadline - milliseconds();

		if (deadline >= 0 && left < 0)
			left = 0;
		ready = poll(&p, 1, (int)left);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		die("poll", strerror(errno));
	return ready > 0;
}

/* A test reads the output while the program runs. */
static void end_line(void)
{
	if (putchar('\n') == EOF || fflush(stdout))
		die("standard output", strerror(errno));
}

/*
 * Sends the buffer's bytes behind a UDP header of our own, whose length field
 * says something else.  The kernel fills in an IPv6 checksum; for IPv4 there
 * need not be one.
 */
static void send_lying(const struct endpoint *peer, size_t len, const char *length)
{
	struct udphdr *uh = (void *)buffer;
	struct endpoint to = *peer;
	int offset = offsetof(struct udphdr, check);
	int fd = socket(peer->sa.sa_family, SOCK_RAW, IPPROTO_UDP);

	if (fd < 0)
		die("raw socket", strerror(errno));
	if (peer->sa.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM, &offset, sizeof(offset)))
		die("IPV6_CHECKSUM", strerror(errno));
	memmove(buffer + sizeof(*uh), buffer, len);
	*uh = (struct udphdr){
		.uh_sport = htons(40000),
		.uh_dport = peer->in.sin_port,
		.uh_ulen = htons((uint16_t)number(length, 65535)),
	};
	if (to.sa.sa_family == AF_INET6)
		to.in6.sin6_port = 0;
	send_to(fd, &to, buffer, sizeof(*uh) + len);
	if (close(fd))
		die("close", strerror(errno));
}

static int command_send(int argc, char **argv)
{
	const char *address = NULL, *port = NULL, *length = NULL;
	unsigned long count = 1;
	struct endpoint peer;
	int opt, i, fd, segment = 0;

	while ((opt = getopt(argc, argv, "rs:p:n:g:l:")) != -1) {
		switch (opt) {
		case 'r': share_port = true; break;
		case 's': address = optarg; break;
		case 'p': port = optarg; break;
		case 'n': count = number(optarg, UINT32_MAX); break;
		case 'g': segment = (int)number(optarg, DATAGRAM_MAX); break;
		case 'l': length = optarg; break;
		default: usage();
		}
	}
	if (argc - optind < 3)
		usage();
	peer = endpoint(argv[optind], argv[optind + 1]);
	fd = client_socket(&peer, address, port);
	if (segment && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		die("UDP_SEGMENT", strerror(errno));
	while (count--) {
		for (i = optind + 2; i < argc; i++) {
			if (length)
				send_lying(&peer, parse_hex(argv[i]), length);
			else
				send_to(fd, &peer, buffer, parse_hex(argv[i]));
		}
	}
	return 0;
}

/* A packet whose bytes behind the IP header are all given. */
static int command_raw(int argc, char **argv)
{
	struct endpoint peer;
	int fd;

	if (argc != 4)
		usage();
	peer = endpoint(argv[2], "0");
	fd = socket(peer.sa.sa_family, SOCK_RAW, (int)number(argv[1], 255));
	if (fd < 0)
		die("raw socket", strerror(errno));
	send_to(fd, &peer, buffer, parse_hex(argv[3]));
	return 0;
}

static int command_sink(int argc, char **argv)
{
	unsigned long wanted = 0, seen = 0;
	struct endpoint local, peer;
	long deadline = -1;
	ssize_t i, len;
	int opt, fd;

	while ((opt = getopt(argc, argv, "c:t:")) != -1) {
		switch (opt) {
		case 'c': wanted = number(optarg, UINT32_MAX); break;
		case 't': deadline = milliseconds() + (long)number(optarg, 86400) * 1000; break;
		default: usage();
		}
	}
	if (argc - optind != 2)
		usage();
	local = endpoint(argv[optind], argv[optind + 1]);
	fd = udp_socket(&local);
	while ((!wanted || seen < wanted) && readable(fd, deadline)) {
		len = receive(fd, &peer);
		print_endpoint(&peer);
		putchar(' ');
		for (i = 0; i < len; i++)
			printf("%02x", buffer[i]);
		end_line();
		seen++;
	}
	return seen < wanted;
}

/* From one endpoint, with one value of the byte, or -1 where there is none. */
struct count {
	struct endpoint peer;
	int byte;
	unsigned long n;
};

static struct count counts[4096];

static void add(const struct endpoint *peer, int byte)
{
	const struct count *last = counts + sizeof(counts) / sizeof(counts[0]) - 1;
	struct count *c;

	for (c = counts; c < last && c->n; c++)
		if (c->byte == byte && c->peer.len == peer->len &&
		    !memcmp(&c->peer.sa, &peer->sa, peer->len))
			break;
	if (c == last)
		die("tally", "too many");
	if (!c->n++)
		*c = (struct count){ .peer = *peer, .byte = byte, .n = 1 };
}

/*
 * What comes for an address is counted before the kernel looks for its socket: of some
 * millions of datagrams an emulated machine finds none for one, though it is there.
 */
static int raw_socket(const struct endpoint *local)
{
	int fd = socket(local->sa.sa_family, SOCK_RAW, IPPROTO_UDP), room = 64 << 20;
	struct endpoint address = *local;

	if (fd < 0)
		die("raw socket", strerror(errno));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		die("SO_RCVBUFFORCE", strerror(errno));
	if (address.sa.sa_family == AF_INET6)
		address.in6.sin6_port = 0;
	if (bind(fd, &address.sa, address.len))
		die("bind", strerror(errno));
	return fd;
}

/* So that the port is in use: a socket that takes nothing in. */
static void occupy(const struct endpoint *local)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = { .len = 1, .filter = &nothing };
	int fd = udp_socket(local);

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)))
		die("SO_ATTACH_FILTER", strerror(errno));
}

/*
 * The next datagram for that port, its peer's port filled in; NULL when it is for another.
 * With IPv4 its IP header comes along.
 */
static const uint8_t *receive_raw(int fd, in_port_t port, struct endpoint *peer, ssize_t *len)
{
	ssize_t all = receive(fd, peer);
	size_t header = peer->sa.sa_family == AF_INET ? 4 * (buffer[0] & 15U) : 0;
	const struct udphdr *uh = (const void *)(buffer + header);

	*len = all - (ssize_t)(header + sizeof(*uh));
	if (*len < 0 || uh->uh_dport != port)
		return NULL;
	peer->in.sin_port = uh->uh_sport;	/* at the same place in an IPv6 address */
	return buffer + header + sizeof(*uh);
}

/* A descriptor that is readable once SIGTERM has come. */
static int told_to_end(void)
{
	sigset_t term;
	int fd;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &term, NULL))
		die("sigprocmask", strerror(errno));
	fd = signalfd(-1, &term, 0);
	if (fd < 0)
		die("signalfd", strerror(errno));
	return fd;
}

/* Waits for a datagram, or the end when none is left. */
static bool another(int fd, int end)
{
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = end, .events = POLLIN } };

	if (poll(p, 2, -1) < 0)
		die("poll", strerror(errno));
	return p[0].revents;
}

static int command_tally(int argc, char **argv)
{
	struct endpoint local, peer;
	const struct count *c;
	const uint8_t *datagram;
	ssize_t offset, len;
	int fd, end;

	if (argc != 4)
		usage();
	offset = (ssize_t)number(argv[1], DATAGRAM_MAX);
	local = endpoint(argv[2], argv[3]);
	end = told_to_end();
	fd = raw_socket(&local);
	occupy(&local);
	while (another(fd, end)) {
		datagram = receive_raw(fd, local.in.sin_port, &peer, &len);
		if (datagram)
			add(&peer, offset < len ? datagram[offset] : -1);
	}
	for (c = counts; c->n; c++) {
		print_endpoint(&c->peer);
		printf(" %d %lu", c->byte, c->n);
		end_line();
	}
	return 0;
}

static int command_echo(int argc, char **argv)
{
	struct endpoint local, peer;
	int fd;

	if (argc != 4)
		usage();
	local = endpoint(argv[2], argv[3]);
	fd = udp_socket(&local);
	while (receive(fd, &peer) >= 0)
		send_to(fd, &peer, argv[1], strlen(argv[1]));
	return 0;
}

/* Whether NAME answers in time; what comes from others is none of an answer. */
static bool has_answer(int fd, const struct endpoint *peer, const char *name, long deadline)
{
	struct endpoint from;

	while (readable(fd, deadline)) {
		ssize_t len = receive(fd, &from);

		if ((size_t)len == strlen(name) && !memcmp(buffer, name, (size_t)len))
			return from.len == peer->len && !memcmp(&from, peer, from.len);
	}
	return false;
}

/*
 * The options of who wants answers, and DST PORT, of @n arguments.  The socket is not
 * connected: an answer from a wrong address is to be seen.
 */
static int asking_socket(int argc, char **argv, int n, struct endpoint *peer, long *timeout)
{
	const char *address = NULL, *port = NULL;
	int opt;

	*timeout = 1000;
	while ((opt = getopt(argc, argv, "s:p:t:")) != -1) {
		switch (opt) {
		case 's': address = optarg; break;
		case 'p': port = optarg; break;
		case 't': *timeout = (long)number(optarg, 86400000); break;
		default: usage();
		}
	}
	if (argc - optind != n)
		usage();
	*peer = endpoint(argv[optind], argv[optind + 1]);
	return client_socket(peer, address, port);
}

static int command_talk(int argc, char **argv)
{
	unsigned long asked = 0, lost = 0;
	struct endpoint peer;
	long timeout;
	int fd = asking_socket(argc, argv, 4, &peer, &timeout), end = told_to_end();

	while (!readable(end, milliseconds() + PAUSE)) {
		send_to(fd, &peer, buffer, parse_hex(argv[optind + 2]));
		asked++;
		lost += !has_answer(fd, &peer, argv[optind + 3], milliseconds() + timeout);
	}
	printf("%lu %lu\n", asked, lost);
	return 0;
}

static int command_ask(int argc, char **argv)
{
	struct endpoint peer;
	long timeout;
	int fd = asking_socket(argc, argv, 3, &peer, &timeout);
	ssize_t len;

	send_to(fd, &peer, buffer, parse_hex(argv[optind + 2]));
	if (!readable(fd, milliseconds() + timeout))
		return 1;
	len = receive(fd, &peer);
	if (fwrite(buffer, 1, (size_t)len, stdout) != (size_t)len)
		die("standard output", strerror(errno));
	putchar(' ');
	print_endpoint(&peer);
	end_line();
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		{ "send", command_send },
		{ "raw", command_raw },
		{ "sink", command_sink },
		{ "tally", command_tally },
		{ "echo", command_echo },
		{ "ask", command_ask },
		{ "talk", command_talk },
	};
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	usage();
}
