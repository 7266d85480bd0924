// SPDX-License-Identifier: GPL-2.0-only
/*
 * dtls-peer client: a device behind a NAT, driven by commands on stdin.  It asks
 * to be sent no CID (RFC 9146 section 3: one of length zero) but sends the
 * server's, and keeps its session when its address changes.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mbedtls/timing.h>

#include "peer.h"

struct client {
	struct dtls dtls;
	mbedtls_ssl_context ssl;
	mbedtls_timing_delay_context timer;
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

	if (clock_gettime(CLOCK_MONOTONIC, &ts)) {
		perror("dtls-peer: clock");
		exit(EXIT_FAILURE);
	}
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int client_send(void *ctx, const unsigned char *buf, size_t len)
{
	struct client *c = ctx;

	/*
	 * The first attempt may report an ICMP error that an earlier datagram
	 * met.  To the stack a datagram that cannot be sent is one that was lost.
	 */
	if (send(c->fd, buf, len, 0) < 0 && send(c->fd, buf, len, 0) < 0)
		perror("dtls-peer: send");
	return len;
}

/* timeout_ms 0 is mbedTLS's "none". */
static int client_recv(void *ctx, unsigned char *buf, size_t len, uint32_t timeout_ms)
{
	long end = now_ms() + timeout_ms, left = timeout_ms;
	struct client *c = ctx;
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	ssize_t n;

	for (; left > 0 || !timeout_ms; left = end - now_ms()) {
		if (poll(&pfd, 1, timeout_ms ? left : -1) < 0 && errno != EINTR)
			return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
		n = recv(c->fd, buf, len, MSG_DONTWAIT);
		if (n > 0)
			return n;
		/* Nothing, an empty datagram, or an ICMP error: a node may be down. */
	}
	return MBEDTLS_ERR_SSL_TIMEOUT;
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
		fprintf(stderr, "dtls-peer: bad address %s %s\n", c->addr, port);
		return false;
	}
	fd = socket(ep.sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		perror("dtls-peer: socket");
		return false;
	}
	if (bind(fd, (struct sockaddr *)&ep.sa, ep.len) ||
	    connect(fd, (struct sockaddr *)&c->server.sa, c->server.len)) {
		perror("dtls-peer: bind or connect");
		close(fd);
		return false;
	}
	if (c->fd >= 0)
		close(c->fd);
	c->fd = fd;
	return true;
}

static bool session_start(struct client *c)
{
	mbedtls_ssl_free(&c->ssl);
	mbedtls_ssl_init(&c->ssl);
	if (fails("session", mbedtls_ssl_setup(&c->ssl, &c->dtls.conf)) ||
	    fails("cid", mbedtls_ssl_set_cid(&c->ssl, MBEDTLS_SSL_CID_ENABLED, NULL, 0)))
		return false;
	mbedtls_ssl_set_bio(&c->ssl, c, client_send, NULL, client_recv);
	mbedtls_ssl_set_timer_cb(&c->ssl, &c->timer, mbedtls_timing_set_delay,
				 mbedtls_timing_get_delay);
	return true;
}

/* A session that is still there is forgotten: the device restarted. */
static bool do_connect(struct client *c)
{
	uint8_t cid[MBEDTLS_SSL_CID_OUT_LEN_MAX];
	char text[HEX_MAX];
	size_t len = 0;
	int ret, enabled;

	c->connected = false;
	if (!session_start(c))
		return false;
	do {
		ret = mbedtls_ssl_handshake(&c->ssl);
	} while (ret == MBEDTLS_ERR_SSL_WANT_READ || ret == MBEDTLS_ERR_SSL_WANT_WRITE);
	if (!ret)
		ret = mbedtls_ssl_get_peer_cid(&c->ssl, &enabled, cid, &len);
	if (ret) {
		printf("handshake-failed -0x%04x\n", -ret);
		return false;
	}
	c->connected = true;
	printf("handshake %u cid %s\n", ++c->handshakes,
	       enabled == MBEDTLS_SSL_CID_ENABLED ? hex(cid, len, text) : "none");
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
		mbedtls_ssl_conf_read_timeout(&c->dtls.conf, left);
		ret = mbedtls_ssl_read(&c->ssl, (unsigned char *)buf, sizeof(buf) - 1);
		if (ret > 0) {
			printable(buf, ret);
			if (is_answer(buf, text)) {
				printf("answer %s\n", buf);
				return true;
			}
		} else if (ret != MBEDTLS_ERR_SSL_WANT_READ && ret != MBEDTLS_ERR_SSL_TIMEOUT) {
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
		fprintf(stderr, "dtls-peer: say 1 to %d bytes\n", MESSAGE_MAX);
		return false;
	}
	do {
		ret = mbedtls_ssl_write(&c->ssl, (const unsigned char *)text, len);
	} while (ret == MBEDTLS_ERR_SSL_WANT_WRITE || ret == MBEDTLS_ERR_SSL_WANT_READ);
	if (fails("write", ret)) {
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
	fprintf(stderr, "dtls-peer: unknown command %s\n", line);
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
		perror("dtls-peer: stdin");
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
	fputs("usage: dtls-peer client [--bind ADDR PORT] [--wait MS] [--moves N] ADDR PORT\n"
	      "commands on stdin, one a line:\n"
	      "  connect                    handshake\n"
	      "  say TEXT                   send, wait for the answer\n"
	      "  move [SRCADDR] [SRCPORT]   new socket, same session\n"
	      "  close-quietly              forget the session, send nothing\n"
	      "  local                      print the own address and port\n", stderr);
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
	mbedtls_ssl_init(&c.ssl);
	if (!dtls_init(&c.dtls, MBEDTLS_SSL_IS_CLIENT, 0) || !rebind(&c, port))
		return EXIT_FAILURE;
	ok = moves < 0 ? run_script(&c) : run_moves(&c, moves);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
