// SPDX-License-Identifier: GPL-2.0-only
/* What the DTLS parser finds in a datagram, as one line. */
#include <dtls.h>

#include "check.h"
#include "walk.h"

static const char * const kinds[__NF_DTLSCID_RECORD_MAX] = {
	[NF_DTLSCID_RECORD_CID]			= "cid",
	[NF_DTLSCID_RECORD_CLIENT_HELLO]	= "client-hello",
	[NF_DTLSCID_RECORD_HANDSHAKE]		= "handshake",
	[NF_DTLSCID_RECORD_ENCRYPTED]		= "encrypted",
	[NF_DTLSCID_RECORD_ALERT]		= "alert",
	[NF_DTLSCID_RECORD_ACK]			= "ack",
	[NF_DTLSCID_RECORD_OTHER]		= "other",
	[NF_DTLSCID_RECORD_MALFORMED]		= "malformed",
	[NF_DTLSCID_RECORD_MIXED]		= "mixed",
	[NF_DTLSCID_RECORD_NOT_DTLS]		= "not-dtls",
};

static const char * const errors[] = {
	[DTLS_OK]		= "ok",
	[DTLS_TRUNCATED]	= "truncated",
	[DTLS_OVERRUN]		= "overrun",
	[DTLS_BAD_VERSION]	= "version",
	[DTLS_EPOCH0_CID]	= "epoch0-cid",
	[DTLS_SHORT]		= "short",
	[DTLS_JUNK]		= "junk",
	[DTLS_CROWDED]		= "crowded",
};

/* One record: its bytes, those to the datagram's end, and what was found. */
struct view {
	const struct nf_dtlscid_format *f;
	const u8 *p;
	size_t rest;
	size_t at;
	struct dtls_datagram d;
};

static void put_hex(const u8 *p, size_t len, FILE *out)
{
	static const char digit[] = "0123456789abcdef";

	for (; len--; p++) {
		putc_unlocked(digit[*p >> 4], out);
		putc_unlocked(digit[*p & 15], out);
	}
}

static bool is_13(const struct view *v)
{
	return v->p[0] >= 32;
}

/* Where the CID is: what was found, else (in a faulty record) where it would be. */
static size_t cid_at(const struct view *v)
{
	if (v->d.version)
		return v->d.cid_offset - v->at;
	if (!v->d.error)
		return 0;
	if (is_13(v))
		return v->p[0] & 0x10 ? 1 : 0;
	return v->p[0] == 25 ? 11 : 0;
}

static size_t header(const struct view *v)
{
	size_t cid = cid_at(v) ? v->f->cid_length : 0;

	if (!is_13(v))
		return 13 + cid;
	return 2 + cid + !!(v->p[0] & 8) + (v->p[0] & 4 ? 2 : 0);
}

/* The body as walked; of a record that was not, what its length field says. */
static size_t body(const struct view *v)
{
	const u8 *length = v->p + header(v) - 2;

	if (!v->d.error)
		return v->d.offset - v->at - header(v);
	if (is_13(v) && !(v->p[0] & 4))
		return v->rest - header(v);
	return length[0] << 8 | length[1];
}

/* Of a CID without a known length, the bytes to the end of the node id. */
static void put_open(const struct view *v, FILE *out)
{
	size_t len = v->f->id_offset + v->f->id_length;

	if (len > v->rest - cid_at(v))
		len = v->rest - cid_at(v);
	put_hex(v->p + cid_at(v), len, out);
	fputs_unlocked(".. len=?", out);
}

static void put_header(const struct view *v, FILE *out)
{
	if (is_13(v))
		fprintf(out, "1.3 E%u cid=", v->p[0] & 3);
	else
		fprintf(out, "t%u ep%u cid=", v->p[0], v->p[3] << 8 | v->p[4]);
	if (cid_at(v) && !v->f->cid_length) {
		put_open(v, out);
		return;
	}
	if (cid_at(v))
		put_hex(v->p + cid_at(v), v->f->cid_length, out);
	else
		putc_unlocked('-', out);
	fprintf(out, " len=%zu", body(v));
}

/* A record that broke off before its fields could be read. */
static void put_stub(const struct view *v, const char *why, FILE *out)
{
	if (is_13(v))
		fprintf(out, "1.3:%s", why);
	else
		fprintf(out, "t%u:%s", v->p[0], why);
}

static void put_record(const struct view *v, FILE *out)
{
	if (v->d.records & NF_DTLSCID_RECORD_BIT(NOT_DTLS)) {
		fputs_unlocked("not-dtls", out);
		return;
	}
	switch (v->d.error) {
	case DTLS_TRUNCATED:
		put_stub(v, "trunc", out);
		break;
	case DTLS_BAD_VERSION:
		put_stub(v, "version", out);
		break;
	case DTLS_JUNK:
		fputs_unlocked("JUNK", out);
		break;
	default:
		put_header(v, out);
		if (v->d.error == DTLS_OVERRUN)
			fputs_unlocked("; OVERRUN", out);
		if (v->d.error == DTLS_SHORT)
			fputs_unlocked("; SHORT", out);
		if (v->d.error == DTLS_CROWDED)
			fputs_unlocked("; CROWDED", out);
	}
}

static void put_records(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
			FILE *out)
{
	size_t at = 0;
	u8 count = 0;
	bool more;

	do {
		struct view v = { f, p + at, len - at, at, { .offset = at, .count = count++ } };

		more = dtls_step(f, v.p, v.rest, &v.d);
		put_record(&v, out);
		if (more)
			fputs_unlocked("; ", out);
		at = v.d.offset;
	} while (more);
}

static void put_answer(const struct dtls_datagram *d, FILE *out)
{
	const char *comma = "";
	u32 i;

	fputs_unlocked(" | ", out);
	for (i = 0; i < __NF_DTLSCID_RECORD_MAX; i++) {
		if (!(d->records & 1 << i))
			continue;
		fputs_unlocked(comma, out);
		fputs_unlocked(kinds[i], out);
		comma = ",";
	}
	fprintf(out, " | %s | ", errors[d->error]);
	if (dtls_has_cid(d))
		fprintf(out, "%u %u %u %u", d->version, d->id, d->cid_offset,
			d->cid_length);
	else
		putc_unlocked('-', out);
}

const size_t walk_format = sizeof(struct nf_dtlscid_format);

void walk(const void *format, const u8 *p, size_t len, FILE *out)
{
	const struct nf_dtlscid_format *f = format;
	const char *broken = check(f, p, len);
	struct dtls_datagram d;

	/* A walk that breaks the rules need not end: show only why. */
	if (broken) {
		fprintf(out, "| BROKEN: %s", broken);
		return;
	}
	dtls_parse(f, p, len, &d);
	put_records(f, p, len, out);
	put_answer(&d, out);
}
