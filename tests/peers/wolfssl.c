// SPDX-License-Identifier: GPL-2.0-or-later
/* dtls13-peer's library: wolfSSL, DTLS 1.3 with Connection IDs (RFC 9147). */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>

#include "tls.h"

#define SUITE		"TLS13-AES128-GCM-SHA256"
#define TIMEOUT_MAX_S	2	/* wait 1 and 2 s, then give up */

/* RFC 9147 section 4: the first byte of a protected record is 001CSLEE. */
#define UNIFIED_MASK	0xe0
#define UNIFIED		0x20
#define UNIFIED_CID	0x10

struct tls {
	WOLFSSL *ssl;
	struct endpoint peer;
	tls_send_fn *send;
	void *ctx;
	long long timer;	/* when to retransmit, in ms; 0: not set */
	size_t in_len;		/* queue of one datagram */
	uint8_t in[DATAGRAM_MAX];
};

static WOLFSSL_CTX *wolf;
static size_t own_cid_len;

static unsigned int give_psk(unsigned char *key, unsigned int max, const char **suite)
{
	if (max < strlen(TLS_PSK))
		return 0;
	memcpy(key, TLS_PSK, strlen(TLS_PSK));
	*suite = SUITE;
	return strlen(TLS_PSK);
}

static unsigned int client_psk(WOLFSSL *ssl, const char *hint, char *id, unsigned int id_max,
			       unsigned char *key, unsigned int key_max, const char **suite)
{
	(void)ssl;
	(void)hint;
	if (id_max < sizeof(TLS_PSK_ID))
		return 0;
	strcpy(id, TLS_PSK_ID);
	return give_psk(key, key_max, suite);
}

static unsigned int server_psk(WOLFSSL *ssl, const char *id, unsigned char *key,
			       unsigned int key_max, const char **suite)
{
	(void)ssl;
	return strcmp(id, TLS_PSK_ID) ? 0 : give_psk(key, key_max, suite);
}

static int bio_send(WOLFSSL *ssl, char *buf, int len, void *ctx)
{
	struct tls *t = ctx;

	(void)ssl;
	t->send(t->ctx, (const uint8_t *)buf, len);
	return len;
}

static int bio_recv(WOLFSSL *ssl, char *buf, int len, void *ctx)
{
	struct tls *t = ctx;
	size_t n = t->in_len;

	(void)ssl;
	t->in_len = 0;
	if (!n || n > (size_t)len)
		return WOLFSSL_CBIO_ERR_WANT_READ;
	memcpy(buf, t->in, n);
	return n;
}

bool tls_init(bool server, size_t cid_len)
{
	/* One whose share is small: a ClientHello of one datagram. */
	int groups[] = { WOLFSSL_ECC_X25519 };

	own_cid_len = cid_len;
	if (wolfSSL_Init() != WOLFSSL_SUCCESS || wolfSSL_dtls_cid_max_size() < (int)cid_len)
		return false;
	wolf = wolfSSL_CTX_new(server ? wolfDTLSv1_3_server_method() :
			       wolfDTLSv1_3_client_method());
	if (!wolf || wolfSSL_CTX_set_cipher_list(wolf, SUITE) != WOLFSSL_SUCCESS ||
	    wolfSSL_CTX_set_groups(wolf, groups, 1) != WOLFSSL_SUCCESS ||
	    (server && wolfSSL_CTX_no_ticket_TLSv13(wolf))) {
		warnx("wolfSSL cannot be set up");
		return false;
	}
	if (server)
		wolfSSL_CTX_set_psk_server_tls13_callback(wolf, server_psk);
	else
		wolfSSL_CTX_set_psk_client_tls13_callback(wolf, client_psk);
	wolfSSL_CTX_SetIORecv(wolf, bio_recv);
	wolfSSL_CTX_SetIOSend(wolf, bio_send);
	return true;
}

bool tls_random(uint8_t *buf, size_t len)
{
	return wolfSSL_RAND_bytes(buf, len) == WOLFSSL_SUCCESS;
}

static bool set_up(struct tls *t, const uint8_t *cid)
{
	uint8_t own[CID_MAX] = { 0 };

	t->ssl = wolfSSL_new(wolf);
	if (!t->ssl)
		return false;
	if (cid)
		memcpy(own, cid, own_cid_len);
	wolfSSL_SetIOReadCtx(t->ssl, t);
	wolfSSL_SetIOWriteCtx(t->ssl, t);
	wolfSSL_dtls_set_using_nonblock(t->ssl, 1);
	return wolfSSL_dtls_set_timeout_max(t->ssl, TIMEOUT_MAX_S) == WOLFSSL_SUCCESS &&
	       wolfSSL_dtls_cid_use(t->ssl) == WOLFSSL_SUCCESS &&
	       wolfSSL_dtls_cid_set(t->ssl, own, own_cid_len) == WOLFSSL_SUCCESS &&
	       wolfSSL_dtls_set_peer(t->ssl, &t->peer.sa, t->peer.len) == WOLFSSL_SUCCESS;
}

struct tls *tls_new(const struct endpoint *peer, const uint8_t *cid, tls_send_fn *send, void *ctx)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t) {
		warn("session");
		return NULL;
	}
	t->peer = *peer;
	t->send = send;
	t->ctx = ctx;
	if (set_up(t, cid))
		return t;
	warnx("wolfSSL gives no session");
	tls_free(t);
	return NULL;
}

void tls_free(struct tls *t)
{
	if (t)
		wolfSSL_free(t->ssl);
	free(t);
}

/*
 * wolfSSL makes the pending address the peer's when the next record is authentic
 * and no replay.  That it is the newest one, as RFC 9147 section 9 wants too,
 * cannot be seen from here: the number is encrypted.
 */
void tls_feed(struct tls *t, const struct endpoint *from, const uint8_t *buf, size_t len)
{
	struct endpoint ep = *from;

	if (len > sizeof(t->in))
		return;
	memcpy(t->in, buf, len);
	t->in_len = len;
	if (own_cid_len)
		wolfSSL_dtls_set_pending_peer(t->ssl, &ep.sa, ep.len);
}

const struct endpoint *tls_peer(struct tls *t)
{
	unsigned int len = sizeof(t->peer.sa);

	if (wolfSSL_dtls_get_peer(t->ssl, &t->peer.sa, &len) == WOLFSSL_SUCCESS)
		t->peer.len = len;
	return &t->peer;
}

static long long now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts))
		err(EXIT_FAILURE, "clock");
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int result(struct tls *t, int ret)
{
	int error = wolfSSL_get_error(t->ssl, ret);

	switch (error) {
	case WOLFSSL_ERROR_WANT_READ:
	case WOLFSSL_ERROR_WANT_WRITE:
		return TLS_WAIT;
	case WOLFSSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	}
	return error < 0 ? error : -1;
}

int tls_handshake(struct tls *t)
{
	int ret = wolfSSL_negotiate(t->ssl);

	if (ret == WOLFSSL_SUCCESS)
		return 0;
	ret = result(t, ret);
	if (ret != TLS_WAIT)
		return ret;
	if (t->timer && now_ms() >= t->timer) {
		t->timer = 0;
		if (wolfSSL_dtls_got_timeout(t->ssl) != WOLFSSL_SUCCESS)
			return result(t, WOLFSSL_FATAL_ERROR);
	}
	if (!t->timer)
		t->timer = now_ms() + 1000LL * wolfSSL_dtls_get_current_timeout(t->ssl);
	return TLS_WAIT;
}

int tls_read(struct tls *t, void *buf, size_t len)
{
	int ret = wolfSSL_read(t->ssl, buf, len);

	return ret > 0 ? ret : result(t, ret);
}

int tls_write(struct tls *t, const void *buf, size_t len)
{
	int ret = wolfSSL_write(t->ssl, buf, len);

	return ret > 0 ? ret : result(t, ret);
}

bool tls_peer_cid(struct tls *t, uint8_t cid[CID_MAX], size_t *len)
{
	unsigned int n = 0;

	if (!wolfSSL_dtls_cid_is_enabled(t->ssl) ||
	    wolfSSL_dtls_cid_get_tx_size(t->ssl, &n) != WOLFSSL_SUCCESS || n > CID_MAX ||
	    (n && wolfSSL_dtls_cid_get_tx(t->ssl, cid, n) != WOLFSSL_SUCCESS))
		return false;
	*len = n;
	return true;
}

/* Before a protected record there may be unprotected ones, say an ACK. */
const uint8_t *tls_find_cid(const uint8_t *buf, size_t len, size_t cid_len)
{
	size_t body;

	while (len >= RECORD_HEADER && buf[1] == RECORD_MAJOR &&
	       (buf[0] & UNIFIED_MASK) != UNIFIED) {
		body = buf[RECORD_HEADER - 2] << 8 | buf[RECORD_HEADER - 1];
		if (body > len - RECORD_HEADER)
			return NULL;
		buf += RECORD_HEADER + body;
		len -= RECORD_HEADER + body;
	}
	if (len > cid_len && (buf[0] & (UNIFIED_MASK | UNIFIED_CID)) == (UNIFIED | UNIFIED_CID))
		return buf + 1;
	return NULL;
}
