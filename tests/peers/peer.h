/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two sides of dtls-peer share: addresses and the set-up of mbedTLS. */
#ifndef DTLS_PEER_H
#define DTLS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>

#define CID_MAX		MBEDTLS_SSL_CID_IN_LEN_MAX
#define HEX_MAX		(2 * CID_MAX + 1)
#define KEY_LEN		18	/* IPv6 address and port */
#define ENDPOINT_TEXT	64
#define DATAGRAM_MAX	4096
#define MESSAGE_MAX	1024

struct endpoint {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* One per process: what every session's mbedtls_ssl_context refers to. */
struct dtls {
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context rng;
	mbedtls_ssl_config conf;
	mbedtls_ssl_cookie_ctx cookie;
};

bool endpoint_parse(struct endpoint *ep, const char *addr, const char *port);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
void endpoint_key(const struct endpoint *ep, uint8_t key[KEY_LEN]);
const char *endpoint_text(const struct endpoint *ep, char text[ENDPOINT_TEXT]);
bool endpoint_local(int fd, struct endpoint *ep);

bool dtls_init(struct dtls *dtls, int side, size_t cid_len);
const char *hex(const uint8_t *bytes, size_t len, char text[HEX_MAX]);
void printable(char *text, size_t len);
bool number(const char *text, unsigned long max, unsigned long *value);
bool fails(const char *what, int ret);

int server_main(int argc, char **argv);
int client_main(int argc, char **argv);

#endif
