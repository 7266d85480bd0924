// SPDX-License-Identifier: GPL-2.0-only
/* IP, UDP and TCP headers that are right; who wants them wrong changes them afterwards. */
#include <netinet/in.h>
#include <string.h>
#include "fuzz.h"

/* RFC 1071 */
uint32_t add_up(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len > 1; p += 2, len -= 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	return len ? sum + (uint32_t)(p[0] << 8) : sum;
}

uint32_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* What UDP, and ICMP in IPv6, sum up besides themselves. */
uint32_t pseudo_header(const struct path *p, uint8_t protocol, size_t len)
{
	size_t address = p->v6 ? 16 : 4;

	return add_up(p->dst, address, add_up(p->src, address, protocol + (uint32_t)len));
}

/* For @len bytes behind it; returns its length. */
size_t put_header(uint8_t *to, const struct path *p, uint8_t protocol, size_t len)
{
	if (p->v6) {
		put32(to, 0x60000000);
		put16(to + 4, (uint32_t)len);
		to[6] = protocol;
		to[7] = (uint8_t)(chance(98) ? 64 : draw(3));
		memcpy(to + 8, p->src, 16);
		memcpy(to + 24, p->dst, 16);
		return 40;
	}
	memset(to, 0, 20);
	to[0] = 0x45;
	put16(to + 2, (uint32_t)(20 + len));
	put16(to + 4, draw(65536));
	put16(to + 6, chance(70) ? 0x4000 : 0);	/* do not fragment */
	to[8] = (uint8_t)(chance(98) ? 64 : draw(3));
	to[9] = protocol;
	memcpy(to + 12, p->src, 4);
	memcpy(to + 16, p->dst, 4);
	finish_header(to, p);
	return 20;
}

/* The checksum of a header that has been changed. */
void finish_header(uint8_t *packet, const struct path *p)
{
	if (p->v6)
		return;
	put16(packet + 10, 0);
	put16(packet + 10, checksum(add_up(packet, 4 * (packet[0] & 15U), 0)));
}

/* Ahead of a payload that is there already; returns the length of both. */
size_t put_udp(uint8_t *to, const struct path *p, size_t payload)
{
	size_t len = 8 + payload;
	uint32_t sum;

	put16(to, p->sport);
	put16(to + 2, p->dport);
	put32(to + 4, (uint32_t)(len << 16));
	sum = checksum(add_up(to, len, pseudo_header(p, IPPROTO_UDP, len)));
	put16(to + 6, sum ? sum : 0xffff);
	return len;
}

/* A TCP segment that begins a connection; returns its length. */
size_t put_syn(uint8_t *to, const struct path *p)
{
	const size_t len = 20;

	memset(to, 0, len);
	put16(to, p->sport);
	put16(to + 2, p->dport);
	put32(to + 4, draw(1000));
	to[12] = (uint8_t)(len / 4 << 4);
	to[13] = 2;	/* SYN */
	put16(to + 14, 65535);
	put16(to + 16, checksum(add_up(to, len, pseudo_header(p, IPPROTO_TCP, len))));
	return len;
}
