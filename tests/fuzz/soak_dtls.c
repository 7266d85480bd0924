// SPDX-License-Identifier: GPL-2.0-only
/* The soak test of the DTLS parser: datagrams of whole records, and what can be said of them. */
#include <string.h>

#include "fuzz.h"
#include "fuzz_dtls.h"

const char *const soak_parser = "dtls";
const size_t soak_prefix = FUZZ_FORMAT;

/* In the order of enum nf_dtlscid_record, then enum dtls_error, then enum outcome. */
const char *const soak_outcomes[] = {
	"cid", "client-hello", "handshake", "encrypted", "alert", "ack", "other", "malformed",
	"mixed", "not-dtls",
	"truncated", "overrun", "bad version", "CID in epoch 0", "short ciphertext", "junk",
	"crowded",
	"CID of DTLS 1.2", "CID of DTLS 1.3", "CID of unknown length", "CID in a later record",
	"shortcut for 1.2", "shortcut for 1.3", "shortcut without a CID", "128 records",
	NULL
};

enum outcome {
	ERRORS	= __NF_DTLSCID_RECORD_MAX - 1,	/* DTLS_OK is none */
	CID12	= ERRORS + DTLS_CROWDED + 1,
	CID13,
	CID_OPEN,
	CID_LATER,
	SHORTCUT12,
	SHORTCUT13,
	SHORTCUT_PLAIN,
	FULL,
};

static u32 outcome_cid(const struct nf_dtlscid_format *f, const struct dtls_datagram *d)
{
	return 1U << (d->version == 2 ? CID12 : CID13) | !f->cid_length << CID_OPEN |
	       (d->cid_offset > (d->version == 2 ? 11 : 1)) << CID_LATER;
}

static u32 outcome_shortcuts(const struct nf_dtlscid_format *f, const u8 *p, size_t len)
{
	struct dtls_shortcut s = dtls_shortcut(f);

	return dtls_lone_cid(&s, p, len) << SHORTCUT12 |
	       (dtls_is_cid13(p, len) && dtls_lone_cid13(f, p, len)) << SHORTCUT13 |
	       !!dtls_lone_plain(p, len) << SHORTCUT_PLAIN;
}

u32 soak_outcome(const u8 *data, size_t size)
{
	struct nf_dtlscid_format f;
	struct dtls_datagram d;
	u32 all;

	if (size < FUZZ_FORMAT)
		return 0;
	f = fuzz_format(data);
	dtls_parse(&f, data + FUZZ_FORMAT, size - FUZZ_FORMAT, &d);
	all = d.records | outcome_shortcuts(&f, data + FUZZ_FORMAT, size - FUZZ_FORMAT);
	if (d.error)
		all |= 1U << (ERRORS + d.error);
	else if (d.count == DTLS_RECORDS_MAX)
		all |= 1U << FULL;
	if (dtls_has_cid(&d))
		all |= outcome_cid(&f, &d);
	return all;
}

/* All bytes of a CID are one node's. */
static u8 *put_cid(u8 *to, const struct nf_dtlscid_format *f)
{
	u32 n = dtls_cid_bytes(f);

	memset(to, 1 + !soak_below(8), n);
	return to + n;
}

static u8 *put_body(u8 *to, u32 n)
{
	memset(to, (int)soak_below(4), n);
	return to + n;
}

/* RFC 6347 section 4.1, RFC 9146 section 4 */
static u8 *put_record12(u8 *to, const struct nf_dtlscid_format *f, u32 body)
{
	u8 type = (u8)(20 + soak_below(8));

	memcpy(to, "\0\xfe\xfd\0\0\0\0\0\0\0\1", 11);
	to[0] = type;
	to[4] = type == 25 || !soak_below(4);
	to += 11;
	if (type == 25)
		to = put_cid(to, f);
	*to++ = 0;
	*to++ = (u8)body;
	return put_body(to, body);
}

/* RFC 9147 section 4: 001CSLEE */
static u8 *put_record13(u8 *to, const struct nf_dtlscid_format *f, u32 body)
{
	u8 first = (u8)(0x20 + soak_below(32));

	*to++ = first;
	if (first & 0x10)
		to = put_cid(to, f);
	*to++ = 0;
	if (first & 8)
		*to++ = 1;
	if (first & 4) {
		*to++ = 0;
		*to++ = (u8)(16 + body);
	}
	return put_body(to, 16 + body);
}

/* About as many as may be: each of 13 bytes. */
static u8 *put_crowd(u8 *to)
{
	u32 n = DTLS_RECORDS_MAX - 1 + soak_below(3);

	for (; n; n--, to += 13)
		memcpy(to, "\x14\xfe\xfd\0\0\0\0\0\0\0\1\0\0", 13);
	return to;
}

/* Short CIDs for the most part, one in four of unknown length. */
static void forge_format(u8 *to)
{
	to[0] = (u8)soak_below(4);
	to[1] = (u8)(soak_below(16) ? soak_below(3) : soak_below(256));
	to[2] = (u8)(soak_below(4) ? 1 + soak_below(soak_below(16) ? 8 : 255) : 0);
}

size_t soak_forge(u8 *to)
{
	u32 records = 1 + (soak_below(2) ? soak_below(4) : 0);
	struct nf_dtlscid_format f;
	u8 *p = to + FUZZ_FORMAT;

	forge_format(to);
	f = fuzz_format(to);
	if (!soak_below(4096))
		return (size_t)(put_crowd(p) - to);
	for (; records; records--) {
		if (soak_below(2))
			p = put_record12(p, &f, soak_below(16));
		else
			p = put_record13(p, &f, soak_below(8));
	}
	return (size_t)(p - to);
}
