// SPDX-License-Identifier: GPL-2.0-only
/* LBSP options in IPv6 extension headers: RFC 8200 sections 4.2 to 4.6. */
#include "lbsp.h"

#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

enum {
	IPV6_HEADER		= 40,
	IPV6_NEXT		= 6,	/* where it says what follows */

	HEADER_HOP_BY_HOP	= 0,
	HEADER_ROUTING		= 43,
	HEADER_FRAGMENT		= 44,
	HEADER_ESP		= 50,
	HEADER_AH		= 51,
	HEADER_OPTIONS		= 60,

	OPTION_PAD1		= 0,
	OPTION_PADN		= 1,

	DRAFT_LENGTH		= 4,
};

static bool fail(struct lbsp_packet *d, enum lbsp_error error)
{
	d->error = error;
	return false;
}

static bool is_zero(const u8 *p, size_t len)
{
	while (len--)
		if (*p++)
			return false;
	return true;
}

static bool is_extension(u8 next)
{
	return next == HEADER_HOP_BY_HOP || next == HEADER_ROUTING || next == HEADER_FRAGMENT ||
	       next == HEADER_AH || next == HEADER_OPTIONS;
}

static size_t header_size(u8 header, const u8 *p)
{
	switch (header) {
	case HEADER_FRAGMENT:
		return 8;
	case HEADER_AH:		/* RFC 4302 section 2.2 */
		return (p[1] + 2) * 4;
	default:
		return (p[1] + 1) * 8;
	}
}

/* Of a fragment but the first, what follows is not the header that it names. */
static bool read_fragment(const u8 *p, struct lbsp_packet *d)
{
	u32 offset = p[2] << 8 | (p[3] & 0xf8);

	d->fragment |= offset || p[3] & 1;
	return !offset;
}

/* The protocol above; ESP hides its own. */
static bool finish(struct lbsp_packet *d)
{
	d->sealed |= d->next == HEADER_ESP;
	return false;
}

static bool header_step(const u8 *p, size_t len, struct lbsp_packet *d)
{
	u8 header = d->next;
	size_t size;

	if (!is_extension(header))
		return finish(d);
	if (d->headers++ == LBSP_HEADERS_MAX)
		return fail(d, LBSP_CROWDED);
	if (len < 8)
		return fail(d, LBSP_TRUNCATED);
	size = header_size(header, p);
	if (len < size)
		return fail(d, LBSP_TRUNCATED);
	if (header == HEADER_FRAGMENT && !read_fragment(p, d))
		return false;
	d->sealed |= header == HEADER_AH;
	d->routed |= header == HEADER_ROUTING && p[3];
	d->next = p[0];
	if (header == HEADER_OPTIONS) {
		d->end = d->offset + size;
		size = 2;
	}
	d->offset += size;
	return true;
}

/* Which encoding of LBSP the option at @p is, @left bytes before its header's end, if any. */
static u8 encoding(const struct nf_lbsp_format *f, const u8 *p, size_t left)
{
	if (f->encodings & NF_LBSP_RFC && p[0] == f->type)
		return NF_LBSP_RFC;
	if (f->encodings & NF_LBSP_DRAFT && p[0] == OPTION_PADN && p[1] == DRAFT_LENGTH &&
	    left >= LBSP_OPTION && !is_zero(p + 2, 4))
		return NF_LBSP_DRAFT;
	return 0;
}

static void keep_option(const u8 *p, u8 is, struct lbsp_packet *d)
{
	if (d->option)
		return;
	d->option = d->offset;
	d->encoding = is;
	memcpy(d->segment, p + 2, sizeof(d->segment));
}

/* Past so many bytes of a header's options. */
static bool pass(struct lbsp_packet *d, size_t size)
{
	d->offset += size;
	if (d->offset == d->end)
		d->end = 0;
	return true;
}

static bool option_step(const struct nf_lbsp_format *f, const u8 *p, struct lbsp_packet *d)
{
	size_t left = d->end - d->offset, size;
	u8 is;

	if (d->options++ == LBSP_OPTIONS_MAX)
		return fail(d, LBSP_CROWDED);
	if (p[0] == OPTION_PAD1)
		return pass(d, 1);
	if (left < 2)
		return fail(d, LBSP_OVERRUN);
	is = encoding(f, p, left);
	size = is == NF_LBSP_DRAFT ? LBSP_OPTION : 2 + p[1];
	if (size > left)
		return fail(d, LBSP_OVERRUN);
	if (is && size != LBSP_OPTION)
		return fail(d, LBSP_BAD_LENGTH);
	if (is)
		keep_option(p, is, d);
	else if (p[0] == OPTION_PADN && !is_zero(p + 2, p[1]))
		return fail(d, LBSP_BAD_PADDING);
	return pass(d, size);
}

bool lbsp_step(const struct nf_lbsp_format *f, const u8 *p, size_t len, struct lbsp_packet *d)
{
	if (d->end)
		return option_step(f, p, d);
	if (d->offset)
		return header_step(p, len, d);
	if (len < IPV6_HEADER)
		return fail(d, LBSP_TRUNCATED);
	d->next = p[IPV6_NEXT];
	d->offset = IPV6_HEADER;
	return true;
}

void lbsp_read(const struct nf_lbsp_format *f, const u8 *p, size_t len, struct lbsp_packet *d)
{
	memset(d, 0, sizeof(*d));
	while (lbsp_step(f, p + d->offset, len - d->offset, d))
		;
}

void lbsp_write(const struct nf_lbsp_format *f, u8 next,
		const u8 segment[LBSP_SEGMENTS][LBSP_SEGMENT], u8 *to)
{
	u8 *option = to + (f->encodings == NF_LBSP_RFC ? 6 : 2);

	memset(to, 0, LBSP_HEADER);
	to[0] = next;
	to[1] = LBSP_HEADER / 8 - 1;
	if (f->encodings == NF_LBSP_RFC) {	/* 4 bytes of padding first, to align it */
		to[2] = OPTION_PADN;
		to[3] = 2;
	}
	lbsp_convert(f, option);
	memcpy(option + 2, segment, LBSP_SEGMENTS * LBSP_SEGMENT);
}

void lbsp_convert(const struct nf_lbsp_format *f, u8 *option)
{
	bool rfc = f->encodings == NF_LBSP_RFC;

	option[0] = rfc ? f->type : OPTION_PADN;
	option[1] = rfc ? LBSP_SEGMENTS * LBSP_SEGMENT : DRAFT_LENGTH;
}
