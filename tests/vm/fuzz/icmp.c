// SPDX-License-Identifier: GPL-2.0-only
/* ICMP errors: about flows that may be there, and of all that a quote can be. */
#include <netinet/in.h>
#include <string.h>
#include "fuzz.h"

static void put_type(uint8_t *to, bool v6)
{
	static const uint8_t types4[] = { 3, 3, 3, 4, 5, 11, 12 }, types6[] = { 1, 1, 2, 2, 3, 4 };

	to[0] = v6 ? types6[draw(sizeof(types6))] : types4[draw(sizeof(types4))];
	to[1] = (uint8_t)draw(chance(90) ? 6 : 256);
	if (chance(3))
		to[0] = (uint8_t)draw(256);
	put32(to + 4, chance(50) ? 0 : draw(2000));
}

/* A packet to be quoted, of a given size at most; returns its length. */
static size_t put_quote(uint8_t *to, const struct path *p, uint32_t depth, size_t room)
{
	uint8_t protocol = chance(95) ? IPPROTO_UDP : (uint8_t)draw(256);
	size_t payload = draw(40), header = 0, len;
	uint8_t inner[256];

	fill(inner + 8, payload);
	len = put_udp(inner, p, payload);
	if (depth && chance(10)) {	/* an error about an error */
		protocol = p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		put_type(inner, p->v6);
		put16(inner + 2, 0);
		len = 8 + put_quote(inner + 8, p, depth - 1, sizeof(inner) - 8);
	}
	if (p->v6 && chance(15)) {
		uint8_t options[1024];

		header = put_options(options, p, &protocol);
		if (header > 60)
			header = 60;
		memcpy(to + 40, options, header);
	}
	header += put_header(to, p, protocol, header + len);
	if (header + len > room)
		len = room - header;
	memcpy(to + header, inner, len);
	if (!p->v6 && chance(15)) {	/* it is a fragment, or its header is wrong */
		put16(to + 6, draw(65536));
		if (chance(50))
			to[0] = (uint8_t)(0x40 | draw(16));
		finish_header(to, p);
	}
	return chance(85) ? header + len : draw((uint32_t)(header + len) + 1);
}

/*
 * @p: of a datagram.  The error is about an answer to it, and comes from where that was
 * going, or from somewhere on the way; or about the datagram itself.
 */
void make_icmp(struct path *p, struct content *c)
{
	struct path quoted = *p;
	uint32_t sum;

	c->protocol = p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	if (chance(85)) {
		memcpy(quoted.src, p->dst, 16);
		memcpy(quoted.dst, p->src, 16);
		quoted.sport = p->dport;
		quoted.dport = p->sport;
	}
	if (chance(20))
		p->src[p->v6 ? 15 : 3] = (uint8_t)draw(256);
	put_type(c->byte, p->v6);
	put16(c->byte + 2, 0);
	c->len = 8 + put_quote(c->byte + 8, &quoted, 2, 400);
	sum = checksum(add_up(c->byte, c->len,
			      p->v6 ? pseudo_header(p, c->protocol, c->len) : 0));
	put16(c->byte + 2, chance(95) ? sum : draw(65536));
}
