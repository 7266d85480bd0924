// SPDX-License-Identifier: GPL-2.0-only
/* IPv4 options and IPv6 extension headers, sound ones and others. */
#include <netinet/in.h>
#include <string.h>
#include "fuzz.h"

/* Up to 40 bytes; returns how many. */
static size_t put_v4(uint8_t *to)
{
	static const uint8_t types[] = { 0, 1, 7, 68, 131, 137, 136, 148, 134 };
	size_t len = 4 + 4 * draw(10);

	memset(to, 1, len);	/* no-operation */
	if (chance(60)) {
		to[0] = types[draw(sizeof(types))];
		to[1] = (uint8_t)(chance(70) ? len : draw(256));
		to[2] = (uint8_t)(chance(70) ? 4 : draw(256));
	}
	if (chance(20))
		fill(to, len);
	return len;
}

/* An option that fills the header: PadN, or one that may be skipped, or none such. */
static void put_tlv(uint8_t *to, size_t len)
{
	static const uint8_t types[] = { 1, 1, 1, 5, 0x1e, 0xc2, 0xc9, 0x80 };

	to[0] = types[draw(sizeof(types))];
	to[1] = (uint8_t)(chance(80) ? len - 2 : draw(256));
	memset(to + 2, 0, len - 2);
	if (to[0] == 0xc2)	/* a jumbogram (RFC 2675) */
		put32(to + 2, draw(70000));
}

/* Returns its length. */
static size_t put_v6_one(uint8_t *to, uint8_t type, uint8_t next)
{
	size_t len = type == IPPROTO_FRAGMENT ? 8 : 8 + 8 * draw(chance(90) ? 3 : 20);

	fill(to, len);
	to[0] = next;
	to[1] = (uint8_t)(len / 8 - 1);
	switch (type) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
		put_tlv(to + 2, len - 2);
		break;
	case IPPROTO_ROUTING:
		to[2] = (uint8_t)draw(5);
		to[3] = (uint8_t)(chance(60) ? 0 : draw(4));
		break;
	case IPPROTO_FRAGMENT:	/* most are atomic (RFC 6946) */
		to[1] = 0;
		put16(to + 2, chance(80) ? 0 : draw(65536));
		break;
	case IPPROTO_AH:
		to[1] = (uint8_t)(len / 4 - 2);
		break;
	}
	if (chance(4))
		to[1] = (uint8_t)draw(256);
	return len;
}

/* Up to five of them, hop-by-hop options first, mostly. */
static size_t put_v6(uint8_t *to, uint8_t *protocol)
{
	static const uint8_t types[] = { IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_DSTOPTS,
		IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT, IPPROTO_FRAGMENT, IPPROTO_AH,
		IPPROTO_ESP, IPPROTO_NONE, IPPROTO_MH, 140, 253 };
	uint32_t n = 1 + draw(chance(80) ? 2 : 5), i;
	uint8_t type[6];
	size_t at = 0;

	for (i = 0; i < n; i++)
		type[i] = types[draw(chance(85) ? 7 : sizeof(types))];
	if (chance(25))
		type[0] = IPPROTO_HOPOPTS;
	type[n] = *protocol;
	for (i = 0; i < n; i++)
		at += put_v6_one(to + at, type[i], type[i + 1]);
	*protocol = type[0];
	return at;
}

/* Returns their length; at most 1,000. @protocol: what follows, then what comes first */
size_t put_options(uint8_t *to, const struct path *p, uint8_t *protocol)
{
	return p->v6 ? put_v6(to, protocol) : put_v4(to);
}
