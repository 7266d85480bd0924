// SPDX-License-Identifier: GPL-2.0-only
/* What must hold for the DTLS parser's answer to any datagram whatsoever. */
#include <dtls.h>

#include "check.h"

#define BIT(kind)	NF_DTLSCID_RECORD_BIT(kind)
#define EXCLUSIVE	(BIT(MALFORMED) | BIT(MIXED) | BIT(NOT_DTLS))

/* dtls_step() on just the bytes that it may read, fenced. */
static bool strict_step(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
			struct dtls_datagram *d)
{
	const u8 *bytes = fence(p, len < dtls_peek(f) ? len : dtls_peek(f));
	bool more = dtls_step(f, bytes, len, d);

	unfence(bytes);
	return more;
}

/* The whole datagram in a block of just its size. */
static void parse(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
		  struct dtls_datagram *d)
{
	const u8 *bytes = fence(p, len);

	dtls_parse(f, bytes, len, d);
	unfence(bytes);
}

/* Field by field: padding has no value. */
static bool same(const struct dtls_datagram *a, const struct dtls_datagram *b)
{
	return a->offset == b->offset && a->count == b->count && a->records == b->records &&
	       a->error == b->error && a->version == b->version &&
	       a->id == b->id && a->cid_offset == b->cid_offset &&
	       a->cid_length == b->cid_length;
}

/* As the kernel steps: one answer, filled record by record. */
static const char *step_on(const struct nf_dtlscid_format *f, const u8 *p,
			   size_t len, struct dtls_datagram *d)
{
	u32 before;
	bool more;

	*d = (struct dtls_datagram){};
	do {
		before = d->offset;
		more = strict_step(f, p + before, len - before, d);
		if (d->offset > len)
			return "walked past the end";
		if (more && d->offset <= before)
			return "no progress";
		if (more && d->offset == len)
			return "a record announced after the last byte";
		if (more && (d->error || d->records & (BIT(MALFORMED) | BIT(NOT_DTLS))))
			return "went on after an error";
	} while (more);
	return NULL;
}

/* Add what one record said by itself to what the ones before it said. */
static void add(struct dtls_datagram *all, const struct dtls_datagram *one)
{
	bool foreign = all->version && one->version && one->id != all->id;

	if (one->version && !all->version) {
		all->version = one->version;
		all->id = one->id;
		all->cid_offset = one->cid_offset;
		all->cid_length = one->cid_length;
	}
	all->offset = one->offset;
	all->count = one->count;
	all->error = one->error;
	all->records |= one->records | (foreign ? BIT(MIXED) : 0);
}

/* Each record as if it were alone. */
static void step_each(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
		      struct dtls_datagram *all)
{
	struct dtls_datagram one;
	bool more;

	*all = (struct dtls_datagram){};
	do {
		one = (struct dtls_datagram){ .offset = all->offset, .count = all->count };
		more = strict_step(f, p + one.offset, len - one.offset, &one);
		add(all, &one);
	} while (more);
	if (all->records & BIT(MALFORMED))
		all->records = BIT(MALFORMED);
	else if (all->records & BIT(MIXED))
		all->records = BIT(MIXED);
}

/* The shortcut says yes to a datagram of one tls12_cid record, and to no other. */
static const char *check_shortcut(const struct nf_dtlscid_format *f, const u8 *p, size_t len)
{
	struct dtls_shortcut s = dtls_shortcut(f);
	struct dtls_datagram one = {};
	bool more = strict_step(f, p, len, &one), taken;
	const u8 *bytes = fence(p, len);

	taken = dtls_lone_cid(&s, bytes, len);
	unfence(bytes);
	if (taken != (!more && one.records == BIT(CID) && one.version == 2))
		return "the shortcut and the parser differ";
	if (taken && s.id != one.cid_offset + f->id_offset)
		return "the shortcut's node id is elsewhere";
	return NULL;
}

/* Of a CID of known length: first without it, then whether it fits, is the same. */
static const char *check_fit(const struct nf_dtlscid_format *f, const u8 *p, size_t len)
{
	struct nf_dtlscid_format unknown = *f;
	struct dtls_shortcut s = dtls_shortcut(f), open;
	const u8 *bytes = fence(p, len);
	bool taken = dtls_lone_cid(&s, bytes, len), fits;

	unknown.cid_length = 0;
	open = dtls_shortcut(&unknown);
	fits = dtls_is_cid12(&open, bytes, len) && dtls_cid12_fits(bytes, len, f->cid_length);
	unfence(bytes);
	return f->cid_length && taken != fits ? "a CID fits and does not" : NULL;
}

/* The shortcut for DTLS 1.3 says yes to one record with a CID, and to no other. */
static const char *check_shortcut13(const struct nf_dtlscid_format *f, const u8 *p, size_t len)
{
	struct dtls_datagram one = {};
	bool more = strict_step(f, p, len, &one), taken;
	const u8 *bytes = fence(p, len);

	taken = dtls_is_cid13(bytes, len) && dtls_lone_cid13(f, bytes, len);
	unfence(bytes);
	if (taken != (!more && one.records == BIT(CID) && one.version == 3))
		return "the shortcut for 1.3 and the parser differ";
	return taken && one.cid_offset != 1 ? "a CID in 1.3 is elsewhere" : NULL;
}

/* The other shortcut gives the kind of a lone record with long header and no CID, only. */
static const char *check_plain(const u8 *p, size_t len, const struct dtls_datagram *d)
{
	const u8 *bytes = fence(p, len);
	u32 kind = dtls_lone_plain(bytes, len), want = 0;

	if (d->count == 1 && p[0] < 32 && !(d->records & (EXCLUSIVE | BIT(CID))))
		want = d->records;
	unfence(bytes);
	return kind != want ? "the shortcut without a CID and the parser differ" : NULL;
}

static const char *check_kinds(const struct dtls_datagram *d)
{
	u32 only = d->records & EXCLUSIVE;

	if (!d->records)
		return "no kind";
	if (d->records & ~NF_DTLSCID_RECORD_ALL)
		return "an unknown kind";
	if (only && (d->records != only || only & (only - 1)))
		return "an exclusive kind has company";
	if (!d->error != !(d->records & BIT(MALFORMED)))
		return "error and malformed disagree";
	if (d->error > DTLS_CROWDED)
		return "an unknown error";
	return NULL;
}

static const char *check_extent(const struct dtls_datagram *d, size_t len)
{
	if (d->records & BIT(NOT_DTLS))
		return d->offset ? "not DTLS, but walked" : NULL;
	if (d->records & BIT(MALFORMED))
		return d->offset < len ? NULL : "malformed after the last byte";
	return d->offset == len ? NULL : "not walked to the end";
}

static const char *check_cid(const struct nf_dtlscid_format *f, const u8 *p,
			     size_t len, const struct dtls_datagram *d)
{
	u32 id = 0, i;

	if (d->version != 2 && d->version != 3)
		return "no such version";
	if (d->cid_offset < (d->version == 2 ? 11 : 1) ||
	    d->cid_offset + d->cid_length > len)
		return "CID outside the datagram";
	if (d->cid_length < f->id_offset + f->id_length)
		return "CID ends before the node id";
	if (f->cid_length && d->cid_length != f->cid_length)
		return "not the CID's length";
	if (!f->cid_length && d->cid_length != 255 &&
	    d->cid_offset + d->cid_length != len)
		return "CID neither 255 bytes nor the rest";
	if (!f->cid_length && d->records & BIT(MIXED))
		return "mixed without a length";
	for (i = 0; i < f->id_length; i++)
		id = id * 256 + p[d->cid_offset + f->id_offset + i];
	return id == d->id ? NULL : "not the id in the CID";
}

const char *check(const void *format, const u8 *p, size_t len)
{
	const struct nf_dtlscid_format *f = format;
	struct dtls_datagram whole, on, each;
	const char *broken;

	broken = step_on(f, p, len, &on);
	if (broken)
		return broken;
	parse(f, p, len, &whole);
	if (!same(&whole, &on))
		return "stepping and parsing differ";
	step_each(f, p, len, &each);
	if (!same(&whole, &each))
		return "a record depends on the ones before it";
	broken = check_shortcut(f, p, len);
	if (!broken)
		broken = check_shortcut13(f, p, len);
	if (!broken)
		broken = check_fit(f, p, len);
	if (!broken)
		broken = check_plain(p, len, &whole);
	if (!broken)
		broken = check_kinds(&whole);
	if (!broken)
		broken = check_extent(&whole, len);
	if (!broken && dtls_has_cid(&whole))
		broken = check_cid(f, p, len, &whole);
	if (!broken && whole.records & ~EXCLUSIVE && !dtls_has_cid(&whole) &&
	    (whole.version || whole.id || whole.cid_offset || whole.cid_length))
		broken = "CID data without a CID";
	return broken;
}
