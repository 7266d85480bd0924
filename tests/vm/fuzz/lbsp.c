// SPDX-License-Identifier: GPL-2.0-only
/* LBSP options in Destination Options headers, in both encodings, sound ones and others. */
#include <netinet/in.h>
#include <string.h>
#include "fuzz.h"

enum {
	SEGMENT	= 16,
	HEADER	= 40,	/* one with the option */
};

/* 2001:db8:LINK::LAST, or nothing, or anything. */
static void put_segment_of(uint8_t *to, uint8_t link, uint32_t last, uint32_t none)
{
	memset(to, 0, SEGMENT);
	if (chance(none))
		return;
	if (chance(10)) {
		fill(to, SEGMENT);
		return;
	}
	put32(to, 0x20010db8);
	to[5] = link;
	to[15] = (uint8_t)last;
}

/* @to: HEADER bytes.  The rest of it is padding */
static size_t put_option(uint8_t *to, uint8_t next)
{
	static const uint8_t begins[][8] = { { 0, 4, 1, 2, 0, 0, 0x1e, 32 }, { 0, 4, 1, 4 } };
	bool draft = chance(40);
	uint8_t *segment = to + (draft ? 4 : 8);

	memset(to, 0, HEADER);
	memcpy(to, begins[draft], draft ? 4 : 8);
	to[0] = next;
	put_segment_of(segment, 1, draw(64), 5);
	put_segment_of(segment + SEGMENT, 2, 0x11 + draw(NODES), 40);
	return HEADER;
}

/* Headers of @size bytes that are all padding, then one with the option. */
static size_t put_crowd(uint8_t *to, uint32_t headers, size_t size, uint8_t next)
{
	size_t at = 0;

	for (; headers; headers--, at += size) {
		memset(to + at, 0, size);
		to[at] = IPPROTO_DSTOPTS;
		to[at + 1] = (uint8_t)(size / 8 - 1);
	}
	return at + put_option(to + at, next);
}

/*
 * The option, and maybe other headers; more headers and options than are read, or about as
 * many.  Returns their length, as of put_options() but HEADER more.  @protocol: as of put_options()
 */
size_t put_lbsp(uint8_t *to, const struct path *p, uint8_t *protocol)
{
	uint32_t what = draw(100);
	uint8_t next = *protocol;
	size_t len;

	*protocol = IPPROTO_DSTOPTS;
	if (what < 10) {
		len = put_options(to, p, protocol);
		return len + put_option(to + len, next);
	}
	if (what < 20) {
		len = put_options(to + HEADER, p, &next);
		return put_option(to, next) + len;
	}
	if (what < 25)
		return put_crowd(to, 5 + draw(5), 8, next);
	if (what < 30)
		return put_crowd(to, 1, 56 + 8 * draw(3), next);
	len = put_option(to, next);
	if (what < 40)
		mutate(to, len, 4);
	return len;
}
