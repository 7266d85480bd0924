/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two sides of a DTLS peer share: addresses and texts. */
#ifndef DTLS_PEER_H
#define DTLS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define CID_MAX		32
#define HEX_MAX		(2 * CID_MAX + 1)
#define KEY_LEN		18	/* IPv6 address and port */
#define ENDPOINT_TEXT	64
#define DATAGRAM_MAX	4096
#define MESSAGE_MAX	1024
#define TICK_MS		50	/* how often retransmission timers are looked at */

struct endpoint {
	struct sockaddr_storage sa;
	socklen_t len;
};

bool endpoint_parse(struct endpoint *ep, const char *addr, const char *port);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
void endpoint_key(const struct endpoint *ep, uint8_t key[KEY_LEN]);
const char *endpoint_text(const struct endpoint *ep, char text[ENDPOINT_TEXT]);
bool endpoint_local(int fd, struct endpoint *ep);

const char *hex(const uint8_t *bytes, size_t len, char text[HEX_MAX]);
void printable(char *text, size_t len);
bool number(const char *text, unsigned long max, unsigned long *value);

int server_main(int argc, char **argv);
int client_main(int argc, char **argv);

#endif
