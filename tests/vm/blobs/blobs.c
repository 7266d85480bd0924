// SPDX-License-Identifier: GPL-2.0-only
/*
 * blobs: rules with data of the project's match and target that is damaged, as a seed
 * decides, for the kernel to refuse or to take; through each that it takes some datagrams
 * go, of this machine to itself.
 *
 * Linked statically on the host, it runs in every guest.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "blobs.h"

_Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "blobs: %s: %s\n", what, why);
	exit(2);
}

/* DTLS 1.2 and 1.3 with a CID that is like 1 at many places, a ClientHello, two of them. */
static size_t datagram(uint8_t *to)
{
	static const uint8_t begins[][14] = {
		{ 25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0 },
		{ 0x3f, 1, 0, 1 },
		{ 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 30, 1 },
		{ 23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 30, 1 },
	};
	uint32_t k = draw(4);
	size_t len = 43 + (chance(50) ? 0 : draw(300));

	memset(to, chance(50), len);
	memcpy(to, begins[k], chance(80) ? sizeof(begins[k]) : 3);
	if (chance(20))
		mutate(to, len, 6);
	return len;
}

/*
 * An LBSP option in a header of its own, rfc or draft, for what this socket sends; the first
 * byte is the kernel's, which checks the length only.
 */
static void set_option(int fd)
{
	static const uint8_t begins[][8] = { { 0, 4, 1, 2, 0, 0, 0x1e, 32 }, { 0, 4, 1, 4 } };
	bool draft = chance(50);
	uint8_t header[40] = "", *segment = header + (draft ? 4 : 8);

	memcpy(header, begins[draft], sizeof(begins[draft]));
	if (chance(90))
		fill(segment, 15);
	segment[31] = (uint8_t)draw(4);	/* the server, as of put_servers() */
	if (chance(20))
		mutate(header + 2, sizeof(header) - 2, 3);
	setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, header, sizeof(header));
}

/* The socket is closed, and so is the port: errors come back, too. */
static void send_few(bool v6)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(5684) };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(5684) };
	const struct sockaddr *to = v6 ? (const void *)&to6 : (const void *)&to4;
	int fd = socket(to->sa_family, SOCK_DGRAM, 0), i;
	uint8_t bytes[512];

	if (fd < 0)
		die("socket", strerror(errno));
	to6.sin6_addr = in6addr_loopback;
	to4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (v6 && chance(80))
		set_option(fd);
	for (i = 0; i < 2; i++)
		sendto(fd, bytes, datagram(bytes), MSG_DONTWAIT, to, v6 ? sizeof(to6) : sizeof(to4));
	close(fd);
}

/* A few flows, as table nat sees no more than the first packet of each. */
void traffic(bool v6)
{
	int i;

	for (i = 0; i < 4; i++)
		send_few(v6);
}

int main(int argc, char **argv)
{
	bool legacy = argc == 4 && !strcmp(argv[1], "legacy");
	unsigned long tried, taken = 0, count;

	if (argc != 4 || (!legacy && strcmp(argv[1], "nft"))) {
		fputs("usage: blobs legacy|nft SEED COUNT\n", stderr);
		return 2;
	}
	seed(strtoull(argv[2], NULL, 0));
	count = strtoul(argv[3], NULL, 0);
	for (tried = 0; tried < count; tried++) {
		bool v6 = chance(50);

		taken += legacy ? try_legacy(v6) : try_netlink(v6);
	}
	printf("tried=%lu taken=%lu refused=%lu\n", tried, taken, tried - taken);
	return 0;
}
