// SPDX-License-Identifier: GPL-2.0-only
/* What must hold for the LBSP parser's answer to any packet whatsoever. */
#include <string.h>

#include <lbsp.h>

#include "check.h"

#define IPV6		40
#define SEGMENTS	(LBSP_SEGMENTS * LBSP_SEGMENT)
#define BOTH		(NF_LBSP_RFC | NF_LBSP_DRAFT)

/* lbsp_step() on just the bytes that it may read, fenced. */
static bool strict_step(const struct nf_lbsp_format *f, const u8 *p, size_t len,
			struct lbsp_packet *d)
{
	const u8 *bytes = fence(p, len < LBSP_PEEK ? len : LBSP_PEEK);
	bool more = lbsp_step(f, bytes, len, d);

	unfence(bytes);
	return more;
}

/* The whole packet in a block of just its size; what was in @d before is no matter. */
static void read(const struct nf_lbsp_format *f, const u8 *p, size_t len,
		 struct lbsp_packet *d)
{
	const u8 *bytes = fence(p, len);

	memset(d, 0xa5, sizeof(*d));
	lbsp_read(f, bytes, len, d);
	unfence(bytes);
}

static bool same_option(const struct lbsp_packet *a, const struct lbsp_packet *b)
{
	return a->option == b->option && a->encoding == b->encoding &&
	       !memcmp(a->segment, b->segment, SEGMENTS);
}

/* Field by field: padding has no value. */
static bool same(const struct lbsp_packet *a, const struct lbsp_packet *b)
{
	return a->offset == b->offset && a->end == b->end && a->next == b->next &&
	       a->headers == b->headers && a->options == b->options &&
	       a->error == b->error && a->sealed == b->sealed && a->routed == b->routed &&
	       a->fragment == b->fragment && same_option(a, b);
}

static const char *check_step(const struct lbsp_packet *was, const struct lbsp_packet *d,
			      bool more, size_t len)
{
	if (d->offset > len)
		return "walked past the end";
	if (d->end && (d->end <= d->offset || d->end > len))
		return "options are not within the packet";
	if (was->end && d->end && d->end != was->end)
		return "a header's end moves";
	if (more && d->offset <= was->offset)
		return "no progress";
	if (more && d->error)
		return "went on after an error";
	if (!more && !d->error && d->end)
		return "options left";
	if (d->headers + d->options > was->headers + was->options + 1)
		return "counted twice";
	if (was->option && !same_option(was, d))
		return "the first option does not count";
	if (was->sealed > d->sealed || was->routed > d->routed || was->fragment > d->fragment)
		return "forgets what it has seen";
	return NULL;
}

/* As the kernel steps: one answer, filled step by step. */
static const char *step_on(const struct nf_lbsp_format *f, const u8 *p, size_t len,
			   struct lbsp_packet *d)
{
	struct lbsp_packet was;
	const char *broken;
	bool more;

	*d = (struct lbsp_packet){};
	do {
		was = *d;
		more = strict_step(f, p + was.offset, len - was.offset, d);
		broken = check_step(&was, d, more, len);
	} while (more && !broken);
	return broken;
}

/* Each option as if it were the first: the first is the same. */
static void step_each(const struct nf_lbsp_format *f, const u8 *p, size_t len,
		      struct lbsp_packet *d)
{
	struct lbsp_packet first = {};
	bool more;

	*d = (struct lbsp_packet){};
	do {
		more = strict_step(f, p + d->offset, len - d->offset, d);
		if (!first.option)
			first = *d;
		d->option = 0;
	} while (more);
	d->option = first.option;
	d->encoding = first.encoding;
	memcpy(d->segment, first.segment, SEGMENTS);
}

static const char *check_extent(const struct lbsp_packet *d, size_t len)
{
	bool crowded = d->headers > LBSP_HEADERS_MAX || d->options > LBSP_OPTIONS_MAX;

	if (d->error > LBSP_CROWDED)
		return "an unknown error";
	if (crowded != (d->error == LBSP_CROWDED))
		return "crowded or not";
	if (!d->error && d->offset < IPV6)
		return "not even an IPv6 header";
	if (d->error == LBSP_TRUNCATED && d->end)
		return "truncated among options, all of which are there";
	if (d->error && d->error != LBSP_TRUNCATED && d->error != LBSP_CROWDED && !d->end)
		return "an option's error without options";
	return d->offset == len && d->error == LBSP_OVERRUN ? "overrun of nothing" : NULL;
}

static bool is_zero(const u8 *p, size_t len)
{
	while (len)
		if (p[--len])
			return false;
	return true;
}

static const char *check_option(const struct nf_lbsp_format *f, const u8 *p, size_t len,
				const struct lbsp_packet *d)
{
	const u8 *option = p + d->option;

	if (!d->option)
		return d->encoding || !is_zero(d->segment[0], SEGMENTS) ?
		       "an option's data without one" : NULL;
	if (d->option < IPV6 + 2 || d->option + LBSP_OPTION > len)
		return "option outside the packet";
	if (d->encoding != NF_LBSP_RFC && d->encoding != NF_LBSP_DRAFT)
		return "no such encoding";
	if (!(d->encoding & f->encodings))
		return "an encoding that is not looked for";
	if (d->encoding == NF_LBSP_RFC && (option[0] != f->type || option[1] != 32))
		return "not the encoding rfc";
	if (d->encoding == NF_LBSP_DRAFT &&
	    (option[0] != 1 || option[1] != 4 || is_zero(option + 2, 4)))
		return "not the encoding draft";
	return memcmp(option + 2, d->segment, SEGMENTS) ? "not the option's segments" : NULL;
}

/*
 * The bytes that were walked make the answer alone; one less, and they are too few.  Of a
 * later fragment, its header, where the walk ends, is one of them.
 */
static const char *check_prefix(const struct nf_lbsp_format *f, const u8 *p,
				const struct lbsp_packet *d)
{
	u32 len = d->offset + (d->next == 44 ? 8 : 0);
	struct lbsp_packet prefix;

	if (d->error)
		return NULL;
	read(f, p, len, &prefix);
	if (!same(&prefix, d))
		return "what follows the headers matters";
	read(f, p, len - 1, &prefix);
	return prefix.error != LBSP_TRUNCATED ? "a byte less is not missed" : NULL;
}

/* lbsp_write() and lbsp_convert() into a block of just the size. */

static void write_header(const struct nf_lbsp_format *f, u8 next, const u8 *segments, u8 *to)
{
	u8 segment[LBSP_SEGMENTS][LBSP_SEGMENT];
	const u8 *bytes;

	memset(to, 0xa5, LBSP_HEADER);
	memcpy(segment, segments, SEGMENTS);
	bytes = fence(to, LBSP_HEADER);
	lbsp_write(f, next, segment, (u8 *)bytes);
	memcpy(to, bytes, LBSP_HEADER);
	unfence(bytes);
}

static void convert(const struct nf_lbsp_format *f, u8 *option)
{
	const u8 *bytes = fence(option, LBSP_OPTION);

	lbsp_convert(f, (u8 *)bytes);
	memcpy(option, bytes, LBSP_OPTION);
	unfence(bytes);
}

/* What is written is read, unless it is a draft's that looks like PadN. */
static const char *check_write(const struct nf_lbsp_format *f, u8 encoding, const u8 *p)
{
	struct nf_lbsp_format one = { .encodings = encoding, .type = f->type };
	const u8 *segments = p + 8;		/* the addresses will do */
	u8 packet[IPV6 + LBSP_HEADER];
	struct lbsp_packet d;

	if (encoding == NF_LBSP_DRAFT && is_zero(segments, 4))
		return NULL;
	memcpy(packet, p, IPV6);
	packet[6] = 60;
	write_header(&one, 59, segments, packet + IPV6);
	read(&one, packet, sizeof(packet), &d);
	if (d.error || d.offset != sizeof(packet) || d.next != 59 || d.headers != 1)
		return "what is written is no header";
	if (d.encoding != encoding || d.option != IPV6 + (encoding == NF_LBSP_RFC ? 6 : 2))
		return "what is written is no option";
	return memcmp(d.segment, segments, SEGMENTS) ? "other segments are written" : NULL;
}

/* In a packet read with both encodings, nothing but the option's changes. */
static const char *check_convert(const struct nf_lbsp_format *f, const u8 *p, size_t len,
				 const struct lbsp_packet *d)
{
	struct nf_lbsp_format one = { .encodings = BOTH - d->encoding, .type = f->type };
	struct lbsp_packet now, want = *d;
	static u8 packet[65536];

	if (f->encodings != BOTH || len > sizeof(packet))
		return NULL;
	if (one.encodings == NF_LBSP_DRAFT && is_zero(d->segment[LBSP_CLIENT], 4))
		return NULL;
	memcpy(packet, p, len);
	convert(&one, packet + d->option);
	want.encoding = one.encodings;
	read(f, packet, len, &now);
	if (!same(&now, &want))
		return "a converted option is another";
	one.encodings = d->encoding;
	convert(&one, packet + d->option);
	return memcmp(packet, p, len) ? "converted twice is not the same" : NULL;
}

/* The same whether read, read again, or stepped through; @d is the answer. */
static const char *check_ways(const struct nf_lbsp_format *f, const u8 *p, size_t len,
			      struct lbsp_packet *d)
{
	struct lbsp_packet other;
	const char *broken = step_on(f, p, len, &other);

	if (broken)
		return broken;
	read(f, p, len, d);
	if (!same(d, &other))
		return "stepping and reading differ";
	step_each(f, p, len, &other);
	if (!same(d, &other))
		return "an option depends on the ones before it";
	read(f, p, len, &other);
	return same(d, &other) ? NULL : "reading again differs";
}

const char *check(const void *format, const u8 *p, size_t len)
{
	const struct nf_lbsp_format *f = format;
	struct lbsp_packet d;
	const char *broken = check_ways(f, p, len, &d);

	if (!broken)
		broken = check_extent(&d, len);
	if (!broken)
		broken = check_option(f, p, len, &d);
	if (!broken)
		broken = check_prefix(f, p, &d);
	if (!broken && len >= IPV6)
		broken = check_write(f, NF_LBSP_RFC, p);
	if (!broken && len >= IPV6)
		broken = check_write(f, NF_LBSP_DRAFT, p);
	if (!broken && lbsp_has_option(&d))
		broken = check_convert(f, p, len, &d);
	return broken;
}
