// SPDX-License-Identifier: GPL-2.0-only
/*
 * lbsp: peers that send, and see, the LBSP option, for tests.
 *
 * They use the sockets' API for it (RFC 3542) and nothing of the project: inet6_opt_append()
 * makes the option.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef IPV6_2292PKTOPTIONS
#define IPV6_2292PKTOPTIONS	6	/* what a TCP socket's last packet had */
#endif

#define SEGMENTS	32	/* bytes */
#define CONTROL		1024
#define PATIENCE	2	/* seconds */

/* What a client sends. */
static struct {
	bool tcp;
	const char *encoding;	/* rfc, draft, none */
	uint8_t type;
	struct in6_addr segment[2];
	struct sockaddr_in6 from;
	const char *header;	/* hex of a Destination Options header, in place of all that */
	bool wait;		/* for the end of standard input, once it is connected */
} client = { .encoding = "rfc", .type = 0x1e, .from.sin6_family = AF_INET6 };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "lbsp: %s: %s\n", what, strerror(errno));
	exit(2);
}

static _Noreturn void usage(void)
{
	fputs("usage: lbsp serve NAME PORT\n"
	      "       lbsp ask [-t] [-e rfc|draft|none] [-T TYPE] [-1 SEGMENT] [-2 SEGMENT]\n"
	      "                [-s ADDR] [-p PORT] [-x HEADER] [-w] ADDR PORT\n"
	      "       lbsp flood [the same] COUNT ADDR PORT\n"
	      "-t: TCP; -w: speak when standard input has ended; flood: that many clients of UDP,\n"
	      "each with a segment 1 and a port of its own, from -1 and -p on\n", stderr);
	exit(2);
}

static void parse_address(const char *text, struct in6_addr *to)
{
	if (inet_pton(AF_INET6, text, to) != 1)
		usage();
}

static const char *text_of(const struct in6_addr *a)
{
	static char text[2][INET6_ADDRSTRLEN];
	static int i;

	i = !i;
	return inet_ntop(AF_INET6, a, text[i], sizeof(text[i]));
}

/* Encoding rfc: inet6_opt_init() must be told the size that inet6_opt_finish() gives. */
static int append(uint8_t *to, int size)
{
	int at = inet6_opt_init(to, size);
	void *data = NULL;

	at = inet6_opt_append(to, size, at, client.type, SEGMENTS, 8, &data);
	if (to) {
		inet6_opt_set_val(data, 0, &client.segment[0], sizeof(client.segment[0]));
		inet6_opt_set_val(data, 16, &client.segment[1], sizeof(client.segment[1]));
	}
	return inet6_opt_finish(to, size, at);
}

static int parse_hex(const char *hex, uint8_t *to, int max)
{
	unsigned int byte;
	int n = 0;

	for (; n < max && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		to[n++] = byte;
	return n;
}

/* A header with the client's option; its first byte is the kernel's. */
static int header(uint8_t *to, int max)
{
	if (client.header)
		return parse_hex(client.header, to, max);
	if (strcmp(client.encoding, "rfc") == 0)
		return append(to, append(NULL, 0));
	memset(to, 0, 40);
	to[1] = 4;
	to[2] = 1;
	to[3] = 4;
	memcpy(to + 4, client.segment, SEGMENTS);
	return 40;
}

static void set_option(int fd)
{
	uint8_t bytes[2048];
	int size;

	if (!client.header && strcmp(client.encoding, "none") == 0)
		return;
	size = header(bytes, sizeof(bytes));
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, bytes, size))
		die("IPV6_DSTOPTS");
}

static int make_socket(bool tcp, const struct sockaddr_in6 *at)
{
	int fd = socket(AF_INET6, tcp ? SOCK_STREAM : SOCK_DGRAM, 0), yes = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVDSTOPTS, &yes, sizeof(yes)) ||
	    bind(fd, (const void *)at, sizeof(*at)))
		die("socket");
	return fd;
}

/* What options a packet had, as "CLIENT SERVER" of the first that is LBSP. */
static void describe(struct msghdr *m, const char *name, char *line, size_t size)
{
	struct in6_addr segment[2];
	struct cmsghdr *c;
	socklen_t len;
	uint8_t type;
	void *data;
	int at;

	snprintf(line, size, "%s none\n", name);
	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_DSTOPTS)
			continue;
		at = 0;
		while ((at = inet6_opt_next(CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0), at, &type, &len,
					    &data)) > 0) {
			if (type != client.type || len != SEGMENTS)
				continue;
			memcpy(segment, data, sizeof(segment));
			snprintf(line, size, "%s %s %s\n", name, text_of(&segment[0]),
				 text_of(&segment[1]));
			return;
		}
	}
}

static void answer_udp(int fd, const char *name)
{
	char in[2048], control[CONTROL], line[256];
	struct sockaddr_in6 from;
	struct iovec v = { in, sizeof(in) };
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	if (recvmsg(fd, &m, 0) < 0)
		return;
	describe(&m, name, line, sizeof(line));
	sendto(fd, line, strlen(line), 0, m.msg_name, m.msg_namelen);
}

/* A process for each: a client may take its time. */
static void answer_tcp(int listener, const char *name)
{
	char in[2048], control[CONTROL], line[256];
	struct msghdr m = { .msg_control = control };
	socklen_t size = sizeof(control);
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	if (fork()) {
		close(fd);
		return;
	}
	if (read(fd, in, sizeof(in)) > 0 &&
	    !getsockopt(fd, IPPROTO_IPV6, IPV6_2292PKTOPTIONS, control, &size)) {
		m.msg_controllen = size;
		describe(&m, name, line, sizeof(line));
		if (write(fd, line, strlen(line)) < 0)
			perror("lbsp: write");
	}
	exit(0);
}

static int serve(const char *name, const char *port)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };
	struct pollfd p[] = {
		{ .fd = make_socket(true, &at), .events = POLLIN },
		{ .fd = make_socket(false, &at), .events = POLLIN },
	};

	if (listen(p[0].fd, 64))
		die("listen");
	signal(SIGCHLD, SIG_IGN);
	while (poll(p, 2, -1) > 0) {
		if (p[0].revents)
			answer_tcp(p[0].fd, name);
		if (p[1].revents)
			answer_udp(p[1].fd, name);
	}
	die("poll");
}

/* Says what the server did, or why there is no answer; 1 then. */
static int ask(const struct sockaddr_in6 *to)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd = make_socket(client.tcp, &client.from);
	char line[256];
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	set_option(fd);
	if (connect(fd, (const void *)to, sizeof(*to)))
		goto silence;
	while (client.wait && getchar() != EOF)
		;
	if (write(fd, "?", 1) != 1)
		goto silence;
	n = read(fd, line, sizeof(line));
	if (n <= 0)
		goto silence;
	fwrite(line, 1, n, stdout);
	return 0;
silence:
	puts("silence");
	return 1;
}

/* The next client: a segment that differs in its last bytes, and another port. */
static void next_client(void)
{
	int i = sizeof(client.segment[0].s6_addr);

	while (i-- && !++client.segment[0].s6_addr[i])
		;
	client.from.sin6_port = htons(ntohs(client.from.sin6_port) + 1);
}

static int flood(long count, const struct sockaddr_in6 *to)
{
	int fd;

	for (; count > 0; count--) {
		fd = make_socket(false, &client.from);
		set_option(fd);
		if (sendto(fd, "?", 1, 0, (const void *)to, sizeof(*to)) != 1)
			die("sendto");
		close(fd);
		next_client();
	}
	return 0;
}

static void parse_options(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "te:T:1:2:s:p:x:w")) > 0)
		switch (o) {
		case 't':
			client.tcp = true;
			break;
		case 'e':
			client.encoding = optarg;
			break;
		case 'T':
			client.type = strtoul(optarg, NULL, 0);
			break;
		case '1':
		case '2':
			parse_address(optarg, &client.segment[o - '1']);
			break;
		case 's':
			parse_address(optarg, &client.from.sin6_addr);
			break;
		case 'p':
			client.from.sin6_port = htons(atoi(optarg));
			break;
		case 'w':
			client.wait = true;
			break;
		case 'x':
			client.header = optarg;
			break;
		default:
			usage();
		}
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	long count = 0;

	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2], argv[3]);
	if (argc < 4)
		usage();
	argc--;
	argv++;
	parse_options(argc, argv);
	if (strcmp(argv[0], "flood") == 0 && optind < argc)
		count = atol(argv[optind++]);
	if (argc - optind != 2)
		usage();
	parse_address(argv[optind], &to.sin6_addr);
	to.sin6_port = htons(atoi(argv[optind + 1]));
	return count ? flood(count, &to) : ask(&to);
}
