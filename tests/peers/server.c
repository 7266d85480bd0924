// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A DTLS server: a node behind a balancer.  One UDP socket, many sessions,
 * each found by the CID this node issued to it, never by a guess.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls.h"

#define SESSIONS	64
#define CLIENT_HELLO	1

struct server;

struct session {
	struct server *server;
	struct tls *tls;
	struct endpoint peer;		/* where it was last seen */
	unsigned int serial;
	bool established;
	bool has_cid;			/* the client sends our CID */
	bool sent;			/* the library had something to answer */
	uint8_t cid[CID_MAX];
	uint64_t used;			/* when, in datagrams */
};

struct server {
	int fd;
	unsigned long node, id_len, cid_len;
	unsigned int serial;
	uint64_t datagrams;
	struct session *table[SESSIONS];
};

static void session_send(void *ctx, const uint8_t *buf, size_t len)
{
	struct session *s = ctx;
	const struct endpoint *to = tls_peer(s->tls);

	/* To the library a datagram that cannot be sent is one that was lost. */
	if (sendto(s->server->fd, buf, len, 0, (const struct sockaddr *)&to->sa, to->len) < 0)
		warn("sendto");
	s->sent = true;
}

static void session_free(struct session *s)
{
	tls_free(s->tls);
	free(s);
}

static struct session *find_by_cid(const struct server *srv, const uint8_t *cid)
{
	size_t i;

	for (i = 0; i < SESSIONS; i++)
		if (srv->table[i] && !memcmp(srv->table[i]->cid, cid, srv->cid_len))
			return srv->table[i];
	return NULL;
}

/*
 * Once CIDs are in use a datagram without one is not that session's: it is a
 * restarted client's ClientHello, or another client's behind the same NAT port.
 */
static struct session *find_by_peer(const struct server *srv, const struct endpoint *from)
{
	struct session *s;
	size_t i;

	for (i = 0; i < SESSIONS; i++) {
		s = srv->table[i];
		if (s && !(s->established && s->has_cid) && endpoint_equal(&s->peer, from))
			return s;
	}
	return NULL;
}

static void session_close(struct session *s)
{
	size_t i;

	for (i = 0; i < SESSIONS; i++)
		if (s->server->table[i] == s)
			s->server->table[i] = NULL;
	session_free(s);
}

/* What the library answered, and did not ask to forget, takes a place. */
static void session_insert(struct server *srv, struct session *s)
{
	size_t i, at = 0;

	for (i = 0; i < SESSIONS; i++) {
		if (!srv->table[i]) {
			at = i;
			break;
		}
		if (srv->table[i]->used < srv->table[at]->used)
			at = i;
	}
	if (srv->table[at]) {
		printf("evicted %u\n", srv->table[at]->serial);
		session_free(srv->table[at]);
	}
	s->serial = ++srv->serial;
	srv->table[at] = s;
}

/* The node id, most significant byte first, then random bytes. */
static bool issue_cid(struct server *srv, uint8_t *cid)
{
	unsigned long i, node = srv->node;
	unsigned int tries;

	for (i = srv->id_len; i > 0; i--, node >>= 8)
		cid[i - 1] = node;
	for (tries = 0; tries < 1000; tries++) {
		if (!tls_random(cid + srv->id_len, srv->cid_len - srv->id_len))
			return false;
		if (!find_by_cid(srv, cid))
			return true;
	}
	warnx("out of CIDs");
	return false;
}

static struct session *session_new(struct server *srv, const struct endpoint *from)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s) {
		warn("session");
		return NULL;
	}
	s->server = srv;
	s->peer = *from;
	if (issue_cid(srv, s->cid))
		s->tls = tls_new(from, s->cid, session_send, s);
	if (!s->tls) {
		free(s);
		return NULL;
	}
	return s;
}

static void log_end(const struct session *s, int ret)
{
	char from[ENDPOINT_TEXT];

	endpoint_text(&s->peer, from);
	if (ret == TLS_CLOSED)
		printf("closed %u from %s\n", s->serial, from);
	else
		printf("failed %u from %s error -0x%04x\n", s->serial, from, -ret);
}

static void handshake_done(struct session *s)
{
	char from[ENDPOINT_TEXT], text[HEX_MAX];
	uint8_t theirs[CID_MAX];
	size_t len;

	s->established = true;
	s->has_cid = tls_peer_cid(s->tls, theirs, &len);
	printf("handshake %u from %s cid %s\n", s->serial, endpoint_text(&s->peer, from),
	       s->has_cid ? hex(s->cid, s->server->cid_len, text) : "none");
}

/*
 * RFC 9146 section 6, and RFC 9147 section 9 after it: before much is sent to a
 * new address, the peer should be seen to be there.  This server answers one
 * datagram with one that is a few bytes longer.
 */
static void session_track(struct session *s)
{
	const struct endpoint *now = tls_peer(s->tls);
	char old[ENDPOINT_TEXT], new[ENDPOINT_TEXT];

	if (endpoint_equal(&s->peer, now))
		return;
	printf("moved %u from %s to %s\n", s->serial, endpoint_text(&s->peer, old),
	       endpoint_text(now, new));
	s->peer = *now;
}

static int answer(struct session *s, char *text, size_t len)
{
	char reply[MESSAGE_MAX + 32], from[ENDPOINT_TEXT];
	int n;

	printable(text, len);
	printf("message %u from %s %s\n", s->serial, endpoint_text(&s->peer, from), text);
	n = snprintf(reply, sizeof(reply), "node%lu: %s", s->server->node, text);
	return tls_write(s->tls, reply, n);
}

/* Let the library work on the datagram fed, or on its timer.  < 0: the session is over. */
static int session_step(struct session *s)
{
	char text[MESSAGE_MAX + 1];
	int ret = 0;

	if (!s->established) {
		ret = tls_handshake(s->tls);
		if (!ret)
			handshake_done(s);
	}
	while (ret >= 0) {
		ret = tls_read(s->tls, text, MESSAGE_MAX);
		session_track(s);
		if (ret > 0)
			ret = answer(s, text, ret);
	}
	return ret == TLS_WAIT ? 0 : ret;
}

static void session_run(struct session *s)
{
	int ret = session_step(s);

	if (ret < 0) {
		log_end(s, ret);
		session_close(s);
	}
}

static bool is_client_hello(const uint8_t *p, size_t len)
{
	return len > RECORD_HEADER && p[0] == RECORD_HANDSHAKE && p[1] == RECORD_MAJOR &&
	       !p[RECORD_EPOCH] && !p[RECORD_EPOCH + 1] && p[RECORD_HEADER] == CLIENT_HELLO;
}

/*
 * A first ClientHello may be answered by the library and forgotten; then only one
 * with the right cookie (RFC 6347 section 4.2.1) stays.
 */
static void first_contact(struct server *srv, const struct endpoint *from,
			  const uint8_t *buf, size_t len)
{
	char text[ENDPOINT_TEXT];
	struct session *s;
	int ret;

	s = session_new(srv, from);
	if (!s)
		return;
	tls_feed(s->tls, from, buf, len);
	s->used = srv->datagrams;
	ret = session_step(s);
	if (!ret && s->sent) {
		session_insert(srv, s);
		return;
	}
	if (ret != TLS_FORGET)
		printf("refused from %s error -0x%04x\n", endpoint_text(from, text), -ret);
	session_free(s);
}

static void dispatch(struct server *srv, const struct endpoint *from,
		     const uint8_t *buf, size_t len)
{
	const uint8_t *cid = tls_find_cid(buf, len, srv->cid_len);
	char addr[ENDPOINT_TEXT], text[HEX_MAX];
	struct session *s;

	srv->datagrams++;
	endpoint_text(from, addr);
	s = cid ? find_by_cid(srv, cid) : find_by_peer(srv, from);
	if (s) {
		s->used = srv->datagrams;
		tls_feed(s->tls, from, buf, len);
		session_run(s);
	} else if (cid) {
		printf("unknown-cid %s from %s\n", hex(cid, srv->cid_len, text), addr);
	} else if (is_client_hello(buf, len)) {
		first_contact(srv, from, buf, len);
	} else {
		printf("ignored %zu bytes from %s\n", len, addr);
	}
}

static void receive(struct server *srv)
{
	uint8_t buf[DATAGRAM_MAX];
	struct endpoint from;
	ssize_t n;

	memset(&from, 0, sizeof(from));
	from.len = sizeof(from.sa);
	n = recvfrom(srv->fd, buf, sizeof(buf), MSG_TRUNC | MSG_DONTWAIT,
		     (struct sockaddr *)&from.sa, &from.len);
	if (n < 0) {
		/* EAGAIN: a datagram whose checksum was wrong; others: ICMP errors */
		if (errno != EAGAIN && errno != EINTR)
			warn("recvfrom");
		return;
	}
	if ((size_t)n <= sizeof(buf))
		dispatch(srv, &from, buf, n);
}

/* Returns whether a handshake still runs, so that its timer must be looked at. */
static bool run_timers(struct server *srv)
{
	bool running = false;
	size_t i;

	for (i = 0; i < SESSIONS; i++) {
		if (!srv->table[i] || srv->table[i]->established)
			continue;
		session_run(srv->table[i]);
		running |= !!srv->table[i];
	}
	return running;
}

static int serve(struct server *srv)
{
	struct pollfd pfd = { .fd = srv->fd, .events = POLLIN };
	int n;

	for (;;) {
		n = poll(&pfd, 1, run_timers(srv) ? TICK_MS : -1);
		if (n < 0 && errno != EINTR) {
			warn("poll");
			return EXIT_FAILURE;
		}
		if (n > 0)
			receive(srv);
	}
}

static bool listen_on(struct server *srv, const struct endpoint *ep)
{
	struct endpoint local;
	char text[ENDPOINT_TEXT];
	int off = 0;

	srv->fd = socket(ep->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (srv->fd < 0) {
		warn("socket");
		return false;
	}
	/* Bound to ::, serve IPv4 as well: a client may move between the two. */
	if ((ep->sa.ss_family == AF_INET6 &&
	     setsockopt(srv->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off))) ||
	    bind(srv->fd, (const struct sockaddr *)&ep->sa, ep->len)) {
		warn("bind");
		return false;
	}
	if (!endpoint_local(srv->fd, &local))
		return false;
	printf("listening %s node %lu\n", endpoint_text(&local, text), srv->node);
	return true;
}

static int usage(void)
{
	fprintf(stderr, "usage: %s server --node ID [--id-length N] --cid-length N "
		"ADDR PORT\n"
		"ID must fit into N bytes; the CID must be longer, at most %d.  "
		"PORT 0: any free one.\n", program_invocation_short_name, CID_MAX);
	return 2;
}

static bool parse(struct server *srv, int argc, char **argv, struct endpoint *ep)
{
	static const struct option options[] = {
		{ "node", required_argument, NULL, 'n' },
		{ "id-length", required_argument, NULL, 'i' },
		{ "cid-length", required_argument, NULL, 'c' },
		{ 0 },
	};
	bool node = false, ok = true;
	int opt;

	srv->id_len = 1;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'n')
			ok &= node = number(optarg, UINT32_MAX, &srv->node);
		else if (opt == 'i')
			ok &= number(optarg, 4, &srv->id_len);
		else if (opt == 'c')
			ok &= number(optarg, CID_MAX, &srv->cid_len);
		else
			return false;
	}
	return ok && node && srv->id_len && srv->cid_len > srv->id_len &&
	       (uint64_t)srv->node >> 8 * srv->id_len == 0 &&
	       argc == optind + 2 && endpoint_parse(ep, argv[optind], argv[optind + 1]);
}

int server_main(int argc, char **argv)
{
	static struct server srv;
	struct endpoint ep;

	if (!parse(&srv, argc, argv, &ep))
		return usage();
	if (!tls_init(true, srv.cid_len) ||
	    !listen_on(&srv, &ep))
		return EXIT_FAILURE;
	return serve(&srv);
}
