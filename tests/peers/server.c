// SPDX-License-Identifier: GPL-2.0-only
/*
 * dtls-peer server: a node behind a balancer.  One UDP socket, many sessions,
 * each found by the CID this node issued to it, never by a guess.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mbedtls/timing.h>

#include "peer.h"

#define SESSIONS	64
#define TICK_MS		50	/* how often retransmission timers are looked at */

/* DTLS 1.2 record header: RFC 6347 section 4.1, with a CID RFC 9146 section 4. */
#define TYPE_HANDSHAKE	22
#define TYPE_CID	25
#define VERSION_MAJOR	0xfe
#define EPOCH_AT	3
#define CID_AT		11
#define HEADER_LEN	13	/* without CID; the length is the last field */
#define CLIENT_HELLO	1

struct server;

struct session {
	struct server *server;
	mbedtls_ssl_context ssl;
	mbedtls_timing_delay_context timer;
	struct endpoint peer;		/* where answers go */
	unsigned int serial;
	bool established;
	bool has_cid;			/* the client sends our CID */
	bool sent;			/* mbedTLS had something to answer */
	uint8_t cid[CID_MAX];
	uint64_t newest;		/* epoch and sequence number */
	uint64_t used;			/* when, in datagrams */
	const uint8_t *in;		/* queue of one datagram */
	size_t in_len;
};

struct server {
	struct dtls dtls;
	int fd;
	unsigned long node, id_len, cid_len;
	unsigned int serial;
	uint64_t datagrams;
	struct session *table[SESSIONS];
};

static int session_send(void *ctx, const unsigned char *buf, size_t len)
{
	struct session *s = ctx;

	/* To the stack a datagram that cannot be sent is one that was lost. */
	if (sendto(s->server->fd, buf, len, 0, (struct sockaddr *)&s->peer.sa, s->peer.len) < 0)
		perror("dtls-peer: sendto");
	s->sent = true;
	return len;
}

static int session_recv(void *ctx, unsigned char *buf, size_t len)
{
	struct session *s = ctx;
	size_t n = s->in_len;

	s->in_len = 0;
	if (!n || n > len)
		return MBEDTLS_ERR_SSL_WANT_READ;
	memcpy(buf, s->in, n);
	return n;
}

static void session_free(struct session *s)
{
	mbedtls_ssl_free(&s->ssl);
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

/* Only a client that proved its address with a cookie gets here and takes a place. */
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
		if (fails("random", mbedtls_ctr_drbg_random(&srv->dtls.rng, cid + srv->id_len,
							    srv->cid_len - srv->id_len)))
			return false;
		if (!find_by_cid(srv, cid))
			return true;
	}
	fputs("dtls-peer: out of CIDs\n", stderr);
	return false;
}

static struct session *session_new(struct server *srv, const struct endpoint *from)
{
	struct session *s = calloc(1, sizeof(*s));
	uint8_t key[KEY_LEN];

	if (!s) {
		perror("dtls-peer: session");
		return NULL;
	}
	s->server = srv;
	s->peer = *from;
	endpoint_key(from, key);
	mbedtls_ssl_init(&s->ssl);
	if (!issue_cid(srv, s->cid) ||
	    fails("session", mbedtls_ssl_setup(&s->ssl, &srv->dtls.conf)) ||
	    fails("cid", mbedtls_ssl_set_cid(&s->ssl, MBEDTLS_SSL_CID_ENABLED, s->cid,
					     srv->cid_len)) ||
	    fails("peer", mbedtls_ssl_set_client_transport_id(&s->ssl, key, sizeof(key)))) {
		session_free(s);
		return NULL;
	}
	mbedtls_ssl_set_bio(&s->ssl, s, session_send, session_recv, NULL);
	mbedtls_ssl_set_timer_cb(&s->ssl, &s->timer, mbedtls_timing_set_delay,
				 mbedtls_timing_get_delay);
	return s;
}

static void log_end(const struct session *s, int ret)
{
	char from[ENDPOINT_TEXT];

	endpoint_text(&s->peer, from);
	if (ret == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		printf("closed %u from %s\n", s->serial, from);
	else
		printf("failed %u from %s error -0x%04x\n", s->serial, from, -ret);
}

static bool is_waiting(int ret)
{
	return ret == MBEDTLS_ERR_SSL_WANT_READ || ret == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int handshake_done(struct session *s)
{
	char from[ENDPOINT_TEXT], text[HEX_MAX];
	int ret, enabled;

	/* Says whether CIDs were agreed on; the client's own is usually empty. */
	ret = mbedtls_ssl_get_peer_cid(&s->ssl, &enabled, NULL, NULL);
	if (ret)
		return ret;
	s->established = true;
	s->has_cid = enabled == MBEDTLS_SSL_CID_ENABLED;
	printf("handshake %u from %s cid %s\n", s->serial, endpoint_text(&s->peer, from),
	       s->has_cid ? hex(s->cid, s->server->cid_len, text) : "none");
	return 0;
}

static int answer(struct session *s, char *text, size_t len)
{
	char reply[MESSAGE_MAX + 32], from[ENDPOINT_TEXT];
	int n, ret;

	printable(text, len);
	printf("message %u from %s %s\n", s->serial, endpoint_text(&s->peer, from), text);
	n = snprintf(reply, sizeof(reply), "node%lu: %s", s->server->node, text);
	do {
		ret = mbedtls_ssl_write(&s->ssl, (const unsigned char *)reply, n);
	} while (is_waiting(ret));
	return ret;
}

/* Let mbedTLS work on the datagram queued, or on its timers.  < 0: the session is over. */
static int session_step(struct session *s)
{
	char text[MESSAGE_MAX + 1];
	int ret = 0;

	if (!s->established) {
		ret = mbedtls_ssl_handshake(&s->ssl);
		if (!ret)
			ret = handshake_done(s);
	}
	while (ret >= 0) {
		ret = mbedtls_ssl_read(&s->ssl, (unsigned char *)text, MESSAGE_MAX);
		if (ret > 0)
			ret = answer(s, text, ret);
		else if (!ret)
			ret = MBEDTLS_ERR_SSL_CONN_EOF;
	}
	s->in_len = 0;
	return is_waiting(ret) ? 0 : ret;
}

static void session_run(struct session *s)
{
	int ret = session_step(s);

	if (ret < 0) {
		log_end(s, ret);
		session_close(s);
	}
}

static uint64_t record_number(const uint8_t *record)
{
	uint64_t n = 0;
	size_t i;

	for (i = EPOCH_AT; i < CID_AT; i++)
		n = n << 8 | record[i];
	return n;
}

/*
 * RFC 9146 section 6: the peer's address changes only with a record that is
 * authentic and newer than any before.  Its third condition, that the peer can
 * be reached there, is the application's; this one answers one datagram with
 * one that is a few bytes longer.
 */
static void session_track(struct session *s, const struct endpoint *from,
			  const uint8_t *record, size_t len)
{
	char old[ENDPOINT_TEXT], new[ENDPOINT_TEXT];
	uint64_t n = record_number(record);
	uint8_t copy[DATAGRAM_MAX];

	if (!s->established || n <= s->newest)
		return;
	memcpy(copy, record, len);	/* the check decrypts in place */
	if (mbedtls_ssl_check_record(&s->ssl, copy, len))
		return;
	s->newest = n;
	if (endpoint_equal(&s->peer, from))
		return;
	printf("moved %u from %s to %s\n", s->serial, endpoint_text(&s->peer, old),
	       endpoint_text(from, new));
	s->peer = *from;
}

/*
 * The first record with a CID.  It need not be the first of the datagram: a
 * client's last flight is ClientKeyExchange, ChangeCipherSpec, Finished with CID
 * (RFC 6347 section 4.1.1 allows several records in a datagram).
 */
static const uint8_t *find_cid_record(const struct server *srv, const uint8_t *p, size_t len)
{
	size_t header, body;

	while (len >= HEADER_LEN && p[1] == VERSION_MAJOR) {
		header = HEADER_LEN + (p[0] == TYPE_CID ? srv->cid_len : 0);
		if (len < header)
			return NULL;
		if (p[0] == TYPE_CID)
			return p;
		body = p[header - 2] << 8 | p[header - 1];
		if (body > len - header)
			return NULL;
		p += header + body;
		len -= header + body;
	}
	return NULL;
}

static bool is_client_hello(const uint8_t *p, size_t len)
{
	return len > HEADER_LEN && p[0] == TYPE_HANDSHAKE && p[1] == VERSION_MAJOR &&
	       !p[EPOCH_AT] && !p[EPOCH_AT + 1] && p[HEADER_LEN] == CLIENT_HELLO;
}

/*
 * A first ClientHello is answered with a HelloVerifyRequest and forgotten; only
 * with the right cookie (RFC 6347 section 4.2.1) a session stays.
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
	s->in = buf;
	s->in_len = len;
	s->used = srv->datagrams;
	ret = session_step(s);
	if (!ret && s->sent) {
		session_insert(srv, s);
		return;
	}
	if (ret != MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED)
		printf("refused from %s error -0x%04x\n", endpoint_text(from, text), -ret);
	session_free(s);
}

static void dispatch(struct server *srv, const struct endpoint *from,
		     const uint8_t *buf, size_t len)
{
	const uint8_t *record = find_cid_record(srv, buf, len);
	char addr[ENDPOINT_TEXT], text[HEX_MAX];
	struct session *s;

	srv->datagrams++;
	endpoint_text(from, addr);
	s = record ? find_by_cid(srv, record + CID_AT) : find_by_peer(srv, from);
	if (s) {
		if (record)
			session_track(s, from, record, len - (record - buf));
		s->used = srv->datagrams;
		s->in = buf;
		s->in_len = len;
		session_run(s);
	} else if (record) {
		printf("unknown-cid %s from %s\n", hex(record + CID_AT, srv->cid_len, text), addr);
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
			perror("dtls-peer: recvfrom");
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
			perror("dtls-peer: poll");
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
		perror("dtls-peer: socket");
		return false;
	}
	/* Bound to ::, serve IPv4 as well: a client may move between the two. */
	if ((ep->sa.ss_family == AF_INET6 &&
	     setsockopt(srv->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off))) ||
	    bind(srv->fd, (const struct sockaddr *)&ep->sa, ep->len)) {
		perror("dtls-peer: bind");
		return false;
	}
	if (!endpoint_local(srv->fd, &local))
		return false;
	printf("listening %s node %lu\n", endpoint_text(&local, text), srv->node);
	return true;
}

static int usage(void)
{
	fprintf(stderr, "usage: dtls-peer server --node ID [--id-length N] --cid-length N "
		"ADDR PORT\n"
		"ID must fit into N bytes; the CID must be longer, at most %d.  "
		"PORT 0: any free one.\n", CID_MAX);
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
	if (!dtls_init(&srv.dtls, MBEDTLS_SSL_IS_SERVER, srv.cid_len) ||
	    !listen_on(&srv, &ep))
		return EXIT_FAILURE;
	return serve(&srv);
}
