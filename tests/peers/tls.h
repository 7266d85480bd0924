/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a DTLS library does for the peers: mbedtls.c with DTLS 1.2 and wolfssl.c
 * with DTLS 1.3.  Nothing here waits; it works on the datagram it was fed last
 * and on its timer.
 */
#ifndef DTLS_PEER_TLS_H
#define DTLS_PEER_TLS_H

#include <limits.h>

#include "peer.h"

#define TLS_PSK		"not secret, test"
#define TLS_PSK_ID	"device"

/* What is returned instead of the library's own errors, which are < 0 too. */
#define TLS_WAIT	INT_MIN		/* for a datagram, or for the timer */
#define TLS_CLOSED	(INT_MIN + 1)	/* by the peer */
#define TLS_FORGET	(INT_MIN + 2)	/* a cookie was asked for, and no state is needed */

/* DTLS 1.2 record header, and that of unprotected 1.3 records: RFC 6347 section 4.1. */
#define RECORD_HANDSHAKE	22
#define RECORD_MAJOR		0xfe
#define RECORD_EPOCH		3
#define RECORD_HEADER		13	/* without CID; the length is the last field */

struct tls;

typedef void tls_send_fn(void *ctx, const uint8_t *buf, size_t len);

/* Once per process; cid_len: of the CIDs this side receives. */
bool tls_init(bool server, size_t cid_len);
bool tls_random(uint8_t *buf, size_t len);

/* A session; cid: what the peer shall send, NULL for the one of length zero. */
struct tls *tls_new(const struct endpoint *peer, const uint8_t *cid, tls_send_fn *send, void *ctx);
void tls_free(struct tls *t);

void tls_feed(struct tls *t, const struct endpoint *from, const uint8_t *buf, size_t len);

/* Where the peer is: it has moved only if what came from there was authentic. */
const struct endpoint *tls_peer(struct tls *t);

int tls_handshake(struct tls *t);	/* 0: done */
int tls_read(struct tls *t, void *buf, size_t len);
int tls_write(struct tls *t, const void *buf, size_t len);

/* Whether CIDs were agreed on; if so, the one that the peer is sent. */
bool tls_peer_cid(struct tls *t, uint8_t cid[CID_MAX], size_t *len);

/* The first CID in a datagram, which need not be in its first record; or NULL. */
const uint8_t *tls_find_cid(const uint8_t *buf, size_t len, size_t cid_len);

#endif
