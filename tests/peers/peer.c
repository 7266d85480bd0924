// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A real DTLS server or client with Connection IDs (RFC 9146, RFC 9147), to stand
 * on either side of a balancer under test: dtls-peer with DTLS 1.2, dtls13-peer
 * with DTLS 1.3.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

bool number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoul(text, &end, 0);
	return !errno && !*end && *value <= max;
}

const char *hex(const uint8_t *bytes, size_t len, char text[HEX_MAX])
{
	static const char digit[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len && i < CID_MAX; i++) {
		text[2 * i] = digit[bytes[i] >> 4];
		text[2 * i + 1] = digit[bytes[i] & 15];
	}
	text[2 * i] = '\0';
	return text;
}

/* What a peer sent must not break the one-line-an-event log. */
void printable(char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!isprint((unsigned char)text[i]))
			text[i] = '?';
	text[len] = '\0';
}

bool endpoint_parse(struct endpoint *ep, const char *addr, const char *port)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ep->sa;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ep->sa;
	unsigned long n;

	memset(ep, 0, sizeof(*ep));
	if (!number(port, UINT16_MAX, &n))
		return false;
	if (inet_pton(AF_INET, addr, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(n);
		ep->len = sizeof(*v4);
		return true;
	}
	if (inet_pton(AF_INET6, addr, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(n);
	ep->len = sizeof(*v6);
	return true;
}

/* Address and port as bytes; IPv4 as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2). */
void endpoint_key(const struct endpoint *ep, uint8_t key[KEY_LEN])
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&ep->sa;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&ep->sa;

	memset(key, 0, KEY_LEN);
	if (ep->sa.ss_family == AF_INET) {
		key[10] = key[11] = 0xff;
		memcpy(key + 12, &v4->sin_addr, 4);
		memcpy(key + 16, &v4->sin_port, 2);
	} else if (ep->sa.ss_family == AF_INET6) {
		memcpy(key, &v6->sin6_addr, 16);
		memcpy(key + 16, &v6->sin6_port, 2);
	}
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	uint8_t ka[KEY_LEN], kb[KEY_LEN];

	endpoint_key(a, ka);
	endpoint_key(b, kb);
	return !memcmp(ka, kb, KEY_LEN);
}

/* "ADDR PORT"; a client of a dual-stack socket shows as plain IPv4. */
const char *endpoint_text(const struct endpoint *ep, char text[ENDPOINT_TEXT])
{
	char addr[INET6_ADDRSTRLEN];
	uint8_t key[KEY_LEN];
	const char *ok;

	endpoint_key(ep, key);
	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)key))
		ok = inet_ntop(AF_INET, key + 12, addr, sizeof(addr));
	else
		ok = inet_ntop(AF_INET6, key, addr, sizeof(addr));
	snprintf(text, ENDPOINT_TEXT, "%s %u", ok ? addr : "?", key[16] << 8 | key[17]);
	return text;
}

bool endpoint_local(int fd, struct endpoint *ep)
{
	memset(ep, 0, sizeof(*ep));
	ep->len = sizeof(ep->sa);
	if (!getsockname(fd, (struct sockaddr *)&ep->sa, &ep->len))
		return true;
	warn("getsockname");
	return false;
}

int main(int argc, char **argv)
{
	if (setvbuf(stdout, NULL, _IOLBF, 0))
		return EXIT_FAILURE;
	if (argc > 1 && !strcmp(argv[1], "server"))
		return server_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "client"))
		return client_main(argc - 1, argv + 1);
	fprintf(stderr, "usage: %s server|client ...\n", program_invocation_short_name);
	return 2;
}
