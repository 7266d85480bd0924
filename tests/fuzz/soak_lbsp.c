// SPDX-License-Identifier: GPL-2.0-only
/* The soak test of the LBSP parser: packets of whole headers, and what can be said of them. */
#include <string.h>

#include "fuzz.h"
#include "fuzz_lbsp.h"

const char *const soak_parser = "lbsp";
const size_t soak_prefix = FUZZ_FORMAT;

/* In the order of enum lbsp_error, without LBSP_OK, then of enum outcome. */
const char *const soak_outcomes[] = {
	"truncated", "overrun", "bad length", "bad padding", "crowded",
	"no option", "rfc", "draft", "option of rfc not aligned", "option in a later header",
	"option after the first", "client not set", "server not set",
	"AH", "ESP", "segments left", "first fragment", "later fragment",
	"8 headers", "64 options",
	NULL
};

enum outcome {
	NO_OPTION = LBSP_CROWDED,
	IN_RFC,
	IN_DRAFT,
	UNALIGNED,
	LATER_HEADER,
	ANOTHER,
	NO_CLIENT,
	NO_SERVER,
	WITH_AH,
	WITH_ESP,
	ROUTED,
	FIRST_FRAGMENT,
	LATER_FRAGMENT,
	HEADERS_FULL,
	OPTIONS_FULL,
};

static u32 outcome_option(const struct lbsp_packet *d)
{
	bool rfc = d->encoding == NF_LBSP_RFC;

	return 1U << (rfc ? IN_RFC : IN_DRAFT) |
	       (rfc && d->option % 8 != 6) << UNALIGNED |
	       !lbsp_is_set(d, LBSP_CLIENT) << NO_CLIENT |
	       !lbsp_is_set(d, LBSP_SERVER) << NO_SERVER;
}

static u32 outcome_headers(const struct lbsp_packet *d)
{
	bool esp = d->next == 50, later = d->next == 44;

	return (d->sealed && !esp) << WITH_AH | esp << WITH_ESP | d->routed << ROUTED |
	       (d->fragment && !later) << FIRST_FRAGMENT | later << LATER_FRAGMENT |
	       (d->headers == LBSP_HEADERS_MAX) << HEADERS_FULL |
	       (d->options == LBSP_OPTIONS_MAX) << OPTIONS_FULL;
}

/* What only the steps show: where options are. */
static u32 outcome_steps(const struct nf_lbsp_format *f, const u8 *p, size_t len)
{
	struct lbsp_packet d = {};
	u32 options = 0, all = 0;

	while (lbsp_step(f, p + d.offset, len - d.offset, &d)) {
		if (!d.option)
			continue;
		all |= options++ ? 1U << ANOTHER : (d.headers > 1) << LATER_HEADER;
		d.option = 0;
	}
	return all;
}

u32 soak_outcome(const u8 *data, size_t size)
{
	struct nf_lbsp_format f;
	struct lbsp_packet d;

	if (size < FUZZ_FORMAT)
		return 0;
	f = fuzz_format(data);
	lbsp_read(&f, data + FUZZ_FORMAT, size - FUZZ_FORMAT, &d);
	if (d.error)
		return 1U << (d.error - 1);
	return (d.option ? outcome_option(&d) : 1U << NO_OPTION) | outcome_headers(&d) |
	       outcome_steps(&f, data + FUZZ_FORMAT, size - FUZZ_FORMAT);
}

/* 0 one time in four. */
static u8 some_byte(void)
{
	return (u8)(soak_below(4) ? soak_below(256) : 0);
}

static u8 *put_filled(u8 *to, u32 n, u8 byte)
{
	memset(to, byte, n);
	return to + n;
}

static u8 *put_lbsp(u8 *to, u8 type, u8 length)
{
	*to++ = type;
	*to++ = length;
	to = put_filled(to, LBSP_SEGMENT, some_byte());
	return put_filled(to, LBSP_SEGMENT, some_byte());
}

static u8 *put_other(u8 *to, u8 type, u32 length, u8 byte)
{
	*to++ = type;
	*to++ = (u8)length;
	return put_filled(to, length, byte);
}

static u8 *put_option(u8 *to, const struct nf_lbsp_format *f)
{
	switch (soak_below(8)) {
	case 0:
	case 1:
		return put_lbsp(to, f->type, 32);
	case 2:
		return put_lbsp(to, 1, 4);
	case 3:
		return put_other(to, (u8)(2 + soak_below(254)), soak_below(8), some_byte());
	case 4:
		return put_other(to, f->type, 31 + soak_below(3), some_byte());
	case 5:
		return put_other(to, 1, soak_below(8), 0);
	default:
		return put_filled(to, 1 + soak_below(4), 0);
	}
}

/* Up to a multiple of 8 bytes from @from. */
static u8 *put_fill(u8 *from, u8 *to)
{
	u32 n = (u32)(from - to) & 7;

	return n > 1 && soak_below(2) ? put_other(to, 1, n - 2, 0) : put_filled(to, n, 0);
}

/* About as many as may be: Pad1, and a PadN at the end. */
static u8 *put_crowd(u8 *to)
{
	u32 n = LBSP_OPTIONS_MAX - 1 + soak_below(3), size = (n + 3 + 7) / 8 * 8;

	put_filled(to, size, 0);
	to[1] = (u8)(size / 8 - 1);
	to[n + 1] = 1;
	to[n + 2] = (u8)(size - n - 3);
	return to + size;
}

static u8 *put_options(u8 *to, const struct nf_lbsp_format *f)
{
	u32 n = 1 + soak_below(3);
	u8 *p = to + 2;

	if (!soak_below(256))
		return put_crowd(to);
	for (; n; n--)
		p = put_option(p, f);
	p = put_fill(to, p);
	to[1] = (u8)((p - to) / 8 - 1);
	return p;
}

/* Atomic ones, first ones, and others. */
static u8 *put_fragment(u8 *to)
{
	put_filled(to, 8, 0);
	to[2] = (u8)(soak_below(4) ? 0 : soak_below(256));
	to[3] = (u8)(soak_below(4) ? soak_below(2) : soak_below(256));
	return to + 8;
}

/* All but its first byte, which says what follows. */
static u8 *put_header(u8 *to, u8 header, const struct nf_lbsp_format *f)
{
	u32 units = soak_below(4);

	switch (header) {
	case 44:
		return put_fragment(to);
	case 60:
		return put_options(to, f);
	case 51:
		put_filled(to, 8 + 4 * units, some_byte());
		to[1] = (u8)units;
		return to + 8 + 4 * units;
	default:
		put_filled(to, 8 + 8 * units, some_byte());
		to[1] = (u8)units;
		return to + 8 + 8 * units;
	}
}

/* Destination Options for the most part. */
static u8 some_header(void)
{
	static const u8 header[] = { 60, 60, 60, 60, 60, 0, 43, 43, 44, 51 };

	return header[soak_below(sizeof(header))];
}

static u8 some_protocol(void)
{
	static const u8 protocol[] = { 6, 17, 50, 58, 59 };

	return protocol[soak_below(sizeof(protocol))];
}

static u32 some_headers(void)
{
	return soak_below(256) ? soak_below(4) : LBSP_HEADERS_MAX - 1 + soak_below(3);
}

size_t soak_forge(u8 *to)
{
	u32 headers = some_headers();
	struct nf_lbsp_format f;
	u8 *p = to + FUZZ_FORMAT, *next = p + 6, header;

	to[0] = (u8)soak_below(3);
	to[1] = (u8)(soak_below(4) ? NF_LBSP_TYPE_DEFAULT - NF_LBSP_TYPE_MIN : soak_below(256));
	f = fuzz_format(to);
	p = put_filled(p, 40, some_byte());
	for (; headers; headers--) {
		header = some_header();
		*next = header;
		next = p;
		p = put_header(p, header, &f);
	}
	*next = some_protocol();
	return (size_t)(put_filled(p, soak_below(9), some_byte()) - to);
}
