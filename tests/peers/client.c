// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A DTLS client: a device behind a NAT, driven by commands on stdin.  It asks
 * to be sent no CID (RFC 9146 section 3: one of length zero) but sends the
 * server's, and keeps its session when its address changes.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tls.h"

struct client {
	struct tls *tls;
	struct endpoint server;
	char addr[INET6_ADDRSTRLEN];	/* own address, as last asked for */
	int fd;
	bool connected;
	unsigned int handshakes;
	unsigned long wait_ms;
};

static long now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts))
		err(EXIT_FAILURE, "clock");
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void client_send(void *ctx, const uint8_t *buf, size_t len)
{
	struct client *c = ctx;

	/*
	 * The first attempt may report an ICMP error that an earlier datagram met.
	 * To the library a datagram that cannot be sent is one that was lost.
	 */
	if (send(c->fd, buf, len, 0) < 0 && send(c->fd, buf, len, 0) < 0)
		warn("send");
}

/* Until a datagram is there for the library, or its timer must be looked at. */
static void client_wait(struct client *c, long ms)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	uint8_t buf[DATAGRAM_MAX];
	ssize_t n;

	if (poll(&pfd, 1, ms < TICK_MS ? ms : TICK_MS) < 0 && errno != EINTR)
		err(EXIT_FAILURE, "poll");
	n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n > 0)
		tls_feed(c->tls, &c->server, buf, n);
	/* Else nothing, an empty datagram, or an ICMP error: a node may be down. */
}

/*
 * Take a new socket, as a NAT that rebinds does for the device.  The old one is
 * closed later, so that the kernel cannot give out the same port again.
 */
static bool rebind(struct client *c, const char *port)
{
	struct endpoint ep;
	int fd;

	if (!endpoint_parse(&ep, c->addr, port)) {
		warnx("bad address %s %s", c->addr, port);
		return false;
	}
	fd = socket(ep.sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		warn("socket");
		return false;
	}
	if (bind(fd, (struct sockaddr *)&ep.sa, ep.len) ||
	    connect(fd, (struct sockaddr *)&c->server.sa, c->server.len)) {
		warn("bind or connect");
		close(fd);
		return false;
	}
	if (c->fd >= 0)
		close(c->fd);
	c->fd = fd;
	return true;
}

/* A session that is still there is forgotten: the device restarted. */
static bool do_connect(struct client *c)
{
	char text[HEX_MAX] = "none";
	uint8_t cid[CID_MAX];
	size_t len;
	int ret;

	c->connected = false;
	tls_free(c->tls);
	c->tls = tls_new(&c->server, NULL, client_send, c);
	if (!c->tls)
		return false;
	while ((ret = tls_handshake(c->tls)) == TLS_WAIT)
		client_wait(c, TICK_MS);
	if (ret) {
		printf("handshake-failed -0x%04x\n", -ret);
		return false;
	}
	c->connected = true;
	if (tls_peer_cid(c->tls, cid, &len))
		hex(cid, len, text);
	printf("handshake %u cid %s\n", ++c->handshakes, text);
	return true;
}

/* The server's answer ends with our text; another is a late one to an earlier "say". */
static bool is_answer(const char *answer, const char *text)
{
	size_t have = strlen(answer), want = strlen(text);

	return have >= want && !strcmp(answer + have - want, text);
}

static bool read_answer(struct client *c, const char *text)
{
	char buf[MESSAGE_MAX + 64];
	long left, end = now_ms() + c->wait_ms;
	int ret;

	while ((left = end - now_ms()) > 0) {
		ret = tls_read(c->tls, buf, sizeof(buf) - 1);
		if (ret > 0) {
			printable(buf, ret);
			if (is_answer(buf, text)) {
				printf("answer %s\n", buf);
				return true;
			}
		} else if (ret == TLS_WAIT) {
			client_wait(c, left);
		} else {
			printf("session-lost -0x%04x\n", -ret);
			c->connected = false;
			return false;
		}
	}
	puts("timeout");
	return false;
}

static bool do_say(struct client *c, const char *text)
{
	size_t len = strlen(text);
	int ret;

	if (!c->connected) {
		puts("not-connected");
		return false;
	}
	if (!len || len > MESSAGE_MAX) {
		warnx("say 1 to %d bytes", MESSAGE_MAX);
		return false;
	}
	ret = tls_write(c->tls, text, len);
	if (ret < 0) {
		warnx("write: -0x%04x", -ret);
		c->connected = false;
		return false;
	}
	return read_answer(c, text);
}

static bool do_local(struct client *c)
{
	char text[ENDPOINT_TEXT];
	struct endpoint ep;

	if (!endpoint_local(c->fd, &ep))
		return false;
	printf("local %s\n", endpoint_text(&ep, text));
	return true;
}

static void set_addr(struct client *c, const char *addr)
{
	snprintf(c->addr, sizeof(c->addr), "%s", addr);
}

/* "[SRCADDR] [SRCPORT]": by default the same address and any new port. */
static bool do_move(struct client *c, char *args)
{
	const char *addr = strtok(args, " ");
	const char *port = strtok(NULL, " ");

	if (addr)
		set_addr(c, addr);
	if (rebind(c, port ? port : "0"))
		return true;
	puts("move-failed");
	return false;
}

/* Returns whether the command got its answer. */
static bool command(struct client *c, char *line)
{
	char *args;

	line[strcspn(line, "\r\n")] = '\0';
	args = line + strcspn(line, " ");
	if (*args)
		*args++ = '\0';
	if (!*line || *line == '#')
		return true;
	if (!strcmp(line, "connect"))
		return do_connect(c);
	if (!strcmp(line, "say"))
		return do_say(c, args);
	if (!strcmp(line, "move"))
		return do_move(c, args);
	if (!strcmp(line, "local"))
		return do_local(c);
	if (!strcmp(line, "close-quietly")) {
		c->connected = false;
		return true;
	}
	warnx("unknown command %s", line);
	return false;
}

static bool run_script(struct client *c)
{
	char *line = NULL;
	size_t size = 0;
	bool ok = true;

	while (getline(&line, &size, stdin) >= 0)
		ok &= command(c, line);
	if (ferror(stdin)) {
		warn("stdin");
		ok = false;
	}
	free(line);
	return ok;
}

/* --moves N: the script most wanted, without writing it down. */
static bool run_moves(struct client *c, unsigned long moves)
{
	bool ok = do_connect(c) && do_say(c, "message 0");
	char text[32], none[] = "";
	unsigned long i;

	for (i = 1; i <= moves; i++) {
		snprintf(text, sizeof(text), "message %lu", i);
		ok &= do_move(c, none);
		ok &= do_say(c, text);
	}
	return ok;
}

static int usage(void)
{
	fprintf(stderr, "usage: %s client [--bind ADDR PORT] [--wait MS] [--moves N] ADDR PORT\n"
	      "commands on stdin, one a line:\n"
	      "  connect                    handshake\n"
	      "  say TEXT                   send, wait for the answer\n"
	      "  move [SRCADDR] [SRCPORT]   new socket, same session\n"
	      "  close-quietly              forget the session, send nothing\n"
	      "  local                      print the own address and port\n",
	      program_invocation_short_name);
	return 2;
}

/* getopt gives an option one argument; the second of --bind is taken here. */
static bool parse(struct client *c, int argc, char **argv, const char **port, long *moves)
{
	static const struct option options[] = {
		{ "bind", required_argument, NULL, 'b' },
		{ "wait", required_argument, NULL, 'w' },
		{ "moves", required_argument, NULL, 'm' },
		{ 0 },
	};
	unsigned long n;
	int opt;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == 'b' && optind < argc) {
			set_addr(c, optarg);
			*port = argv[optind++];
		} else if (opt == 'w' && number(optarg, 3600000, &n)) {
			c->wait_ms = n;
		} else if (opt == 'm' && number(optarg, 1000000, &n)) {
			*moves = n;
		} else {
			return false;
		}
	}
	return argc == optind + 2 && endpoint_parse(&c->server, argv[optind], argv[optind + 1]);
}

int client_main(int argc, char **argv)
{
	static struct client c = { .fd = -1, .wait_ms = 1000 };
	const char *port = "0";
	long moves = -1;
	bool ok;

	if (!parse(&c, argc, argv, &port, &moves))
		return usage();
	if (!*c.addr)
		set_addr(&c, c.server.sa.ss_family == AF_INET ? "0.0.0.0" : "::");
	if (!tls_init(false, 0) || !rebind(&c, port))
		return EXIT_FAILURE;
	ok = moves < 0 ? run_script(&c) : run_moves(&c, moves);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
