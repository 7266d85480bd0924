// SPDX-License-Identifier: GPL-2.0-or-later
/* dtls-peer's library: mbedTLS, DTLS 1.2 with Connection IDs (RFC 9146). */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>
#include <mbedtls/timing.h>
#include <psa/crypto.h>

#include "tls.h"

/*
 * RFC 6347 section 4.2.4.1 starts at 1 s.  A lost flight is part of the tests
 * here and paths are short: wait 0.5, 1 and 2 s, then give up.
 */
#define RETRANSMIT_MIN_MS	500
#define RETRANSMIT_MAX_MS	2000

/* A record with a CID: RFC 9146 section 4. */
#define RECORD_CID	25
#define CID_AT		11

struct tls {
	mbedtls_ssl_context ssl;
	mbedtls_timing_delay_context timer;
	struct endpoint peer;
	tls_send_fn *send;
	void *ctx;
	uint64_t newest;	/* epoch and sequence number */
	bool established;
	size_t in_len;		/* queue of one datagram */
	uint8_t in[DATAGRAM_MAX];
};

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context rng;
static mbedtls_ssl_config conf;
static mbedtls_ssl_cookie_ctx cookie;
static size_t own_cid_len;

/* RFC 7925 section 4.2: the suite a constrained device with a PSK speaks. */
static const int suites[] = { MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8, 0 };

/* Tell of an mbedTLS error.  True if ret is one. */
static bool fails(const char *what, int ret)
{
	char text[128];

	if (ret >= 0)
		return false;
	mbedtls_strerror(ret, text, sizeof(text));
	warnx("%s: -0x%04x %s", what, -ret, text);
	return true;
}

static int result(int ret)
{
	switch (ret) {
	case MBEDTLS_ERR_SSL_WANT_READ:
	case MBEDTLS_ERR_SSL_WANT_WRITE:
		return TLS_WAIT;
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		return TLS_CLOSED;
	case MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED:
		return TLS_FORGET;
	}
	return ret;
}

static bool random_init(void)
{
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&rng);
	return psa_crypto_init() == PSA_SUCCESS &&
	       !fails("random seed", mbedtls_ctr_drbg_seed(&rng, mbedtls_entropy_func, &entropy,
							   NULL, 0));
}

bool tls_random(uint8_t *buf, size_t len)
{
	return !fails("random", mbedtls_ctr_drbg_random(&rng, buf, len));
}

bool tls_init(bool server, size_t cid_len)
{
	int side = server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;

	mbedtls_ssl_config_init(&conf);
	mbedtls_ssl_cookie_init(&cookie);
	if (!random_init() ||
	    fails("defaults", mbedtls_ssl_config_defaults(&conf, side,
							  MBEDTLS_SSL_TRANSPORT_DATAGRAM,
							  MBEDTLS_SSL_PRESET_DEFAULT)) ||
	    fails("psk", mbedtls_ssl_conf_psk(&conf, (const uint8_t *)TLS_PSK, strlen(TLS_PSK),
					      (const uint8_t *)TLS_PSK_ID, strlen(TLS_PSK_ID))) ||
	    fails("cookie", mbedtls_ssl_cookie_setup(&cookie, mbedtls_ctr_drbg_random, &rng)) ||
	    fails("cid length", mbedtls_ssl_conf_cid(&conf, cid_len,
						     MBEDTLS_SSL_UNEXPECTED_CID_IGNORE)))
		return false;
	own_cid_len = cid_len;
	mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &rng);
	mbedtls_ssl_conf_max_tls_version(&conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_ciphersuites(&conf, suites);
	mbedtls_ssl_conf_handshake_timeout(&conf, RETRANSMIT_MIN_MS, RETRANSMIT_MAX_MS);
	if (server)
		mbedtls_ssl_conf_dtls_cookies(&conf, mbedtls_ssl_cookie_write,
					      mbedtls_ssl_cookie_check, &cookie);
	return true;
}

static int bio_send(void *ctx, const unsigned char *buf, size_t len)
{
	struct tls *t = ctx;

	t->send(t->ctx, buf, len);
	return len;
}

static int bio_recv(void *ctx, unsigned char *buf, size_t len)
{
	struct tls *t = ctx;
	size_t n = t->in_len;

	t->in_len = 0;
	if (!n || n > len)
		return MBEDTLS_ERR_SSL_WANT_READ;
	memcpy(buf, t->in, n);
	return n;
}

/* Only a server's sessions are bound to where the ClientHello came from. */
static bool set_up(struct tls *t, const uint8_t *cid)
{
	uint8_t key[KEY_LEN];

	endpoint_key(&t->peer, key);
	if (fails("session", mbedtls_ssl_setup(&t->ssl, &conf)) ||
	    fails("cid", mbedtls_ssl_set_cid(&t->ssl, MBEDTLS_SSL_CID_ENABLED, cid,
					     own_cid_len)) ||
	    (cid && fails("peer", mbedtls_ssl_set_client_transport_id(&t->ssl, key,
								      sizeof(key)))))
		return false;
	mbedtls_ssl_set_bio(&t->ssl, t, bio_send, bio_recv, NULL);
	mbedtls_ssl_set_timer_cb(&t->ssl, &t->timer, mbedtls_timing_set_delay,
				 mbedtls_timing_get_delay);
	return true;
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
	mbedtls_ssl_init(&t->ssl);
	if (set_up(t, cid))
		return t;
	tls_free(t);
	return NULL;
}

void tls_free(struct tls *t)
{
	if (t)
		mbedtls_ssl_free(&t->ssl);
	free(t);
}

/*
 * The first record with a CID need not be the first of the datagram: a client's
 * last flight is ClientKeyExchange, ChangeCipherSpec, Finished with CID (RFC 6347
 * section 4.1.1 allows several records in a datagram).
 */
static const uint8_t *find_cid_record(const uint8_t *p, size_t len, size_t cid_len)
{
	size_t header, body;

	while (len >= RECORD_HEADER && p[1] == RECORD_MAJOR) {
		header = RECORD_HEADER + (p[0] == RECORD_CID ? cid_len : 0);
		if (len < header)
			return NULL;
		if (p[0] == RECORD_CID)
			return p;
		body = p[header - 2] << 8 | p[header - 1];
		if (body > len - header)
			return NULL;
		p += header + body;
		len -= header + body;
	}
	return NULL;
}

const uint8_t *tls_find_cid(const uint8_t *buf, size_t len, size_t cid_len)
{
	const uint8_t *record = find_cid_record(buf, len, cid_len);

	return record ? record + CID_AT : NULL;
}

static uint64_t record_number(const uint8_t *record)
{
	uint64_t n = 0;
	size_t i;

	for (i = RECORD_EPOCH; i < CID_AT; i++)
		n = n << 8 | record[i];
	return n;
}

/*
 * RFC 9146 section 6: the peer's address changes only with a record that is
 * authentic and newer than any before.
 */
static void track(struct tls *t, const struct endpoint *from, const uint8_t *buf, size_t len)
{
	const uint8_t *record = find_cid_record(buf, len, own_cid_len);
	uint8_t copy[DATAGRAM_MAX];
	uint64_t n;

	if (!t->established || !record)
		return;
	n = record_number(record);
	len -= record - buf;
	if (n <= t->newest)
		return;
	memcpy(copy, record, len);	/* the check decrypts in place */
	if (mbedtls_ssl_check_record(&t->ssl, copy, len))
		return;
	t->newest = n;
	t->peer = *from;
}

void tls_feed(struct tls *t, const struct endpoint *from, const uint8_t *buf, size_t len)
{
	if (len > sizeof(t->in))
		return;
	if (own_cid_len)
		track(t, from, buf, len);
	memcpy(t->in, buf, len);
	t->in_len = len;
}

const struct endpoint *tls_peer(struct tls *t)
{
	return &t->peer;
}

int tls_handshake(struct tls *t)
{
	int ret = mbedtls_ssl_handshake(&t->ssl);

	t->established = !ret;
	return result(ret);
}

int tls_read(struct tls *t, void *buf, size_t len)
{
	int ret = mbedtls_ssl_read(&t->ssl, buf, len);

	return ret ? result(ret) : TLS_CLOSED;
}

int tls_write(struct tls *t, const void *buf, size_t len)
{
	return result(mbedtls_ssl_write(&t->ssl, buf, len));
}

bool tls_peer_cid(struct tls *t, uint8_t cid[CID_MAX], size_t *len)
{
	int enabled;

	_Static_assert(CID_MAX >= MBEDTLS_SSL_CID_OUT_LEN_MAX, "a CID is larger than its place");
	return !mbedtls_ssl_get_peer_cid(&t->ssl, &enabled, cid, len) &&
	       enabled == MBEDTLS_SSL_CID_ENABLED;
}
