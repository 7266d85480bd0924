// SPDX-License-Identifier: GPL-2.0-only
/* DTLS datagrams: the records they hold and the Connection ID they carry. */
#include "dtls.h"

#define RECORD(kind)	NF_DTLSCID_RECORD_BIT(kind)

/* Content types of plaintext and 1.2 records (RFC 9147 section 4.1, RFC 9853) */
enum {
	TYPE_FIRST	= 20,	/* change_cipher_spec */
	TYPE_CID	= 25,	/* tls12_cid */
	TYPE_LAST	= 27,	/* return_routability_check */
};

/* type 1, version 2, epoch 2, sequence 6, [CID], length 2 (RFC 9146 section 4) */
enum {
	V12_VERSION	= 1,
	V12_EPOCH	= 3,
	V12_CID		= 11,
	V12_HEADER	= 13,
};

/* First byte 001CSLEE, [CID], sequence 1 or 2, [length 2] (RFC 9147 section 4) */
enum {
	V13_MASK	= 0xe0,
	V13_FIXED	= 0x20,
	V13_C		= 0x10,
	V13_S		= 0x08,
	V13_L		= 0x04,
	V13_CID		= 1,
	V13_BODY_MIN	= 16,
};

/*
 * One record: its kind, its size on the wire, and where its CID is (0: none).
 * A record whose CID has no known length takes the rest of the datagram.
 */
struct record {
	u32	kind;
	u32	size;
	u8	cid;
	u8	version;
};

/* tls12_cid (RFC 9146 section 4) */
static __always_inline enum dtls_error read_v12_cid(const struct nf_dtlscid_format *f,
						    const u8 *p, size_t len, struct record *r)
{
	u32 header = V12_CID + dtls_cid_bytes(f), body;

	if (f->cid_length)
		header += 2;
	if (len < header)
		return DTLS_TRUNCATED;
	if (dtls_get16(p + V12_VERSION) != 0xfefd)
		return DTLS_BAD_VERSION;
	if (!dtls_get16(p + V12_EPOCH))
		return DTLS_EPOCH0_CID;
	r->kind = RECORD(CID);
	r->version = 2;
	r->cid = V12_CID;
	r->size = len;
	if (!f->cid_length)
		return DTLS_OK;
	body = dtls_get16(p + header - 2);
	if (body > len - header)
		return DTLS_OVERRUN;
	r->size = header + body;
	return DTLS_OK;
}

/* Any other record with the long header (RFC 6347 section 4.1) */
static __always_inline enum dtls_error read_v12(const u8 *p, size_t len, struct record *r)
{
	u32 version, body;

	if (len < V12_HEADER)
		return DTLS_TRUNCATED;
	version = dtls_get16(p + V12_VERSION);
	if (version < 0xfefd || version > 0xfeff)
		return DTLS_BAD_VERSION;
	body = dtls_get16(p + V12_HEADER - 2);
	if (body > len - V12_HEADER)
		return DTLS_OVERRUN;
	r->kind = dtls_kind(p, body);
	r->size = V12_HEADER + body;
	return DTLS_OK;
}

/* DTLS 1.3 ciphertext, unified header (RFC 9147 section 4) */
static __always_inline enum dtls_error read_v13(const struct nf_dtlscid_format *f,
						const u8 *p, size_t len, struct record *r)
{
	u32 header = 1, body;

	r->kind = RECORD(ENCRYPTED);
	r->version = 3;
	r->size = len;
	if (p[0] & V13_C) {
		r->kind = RECORD(CID);
		r->cid = V13_CID;
		header += dtls_cid_bytes(f);
		if (!f->cid_length)
			return len < header ? DTLS_TRUNCATED : DTLS_OK;
	}
	header += p[0] & V13_S ? 2 : 1;
	header += p[0] & V13_L ? 2 : 0;
	if (len < header)
		return DTLS_TRUNCATED;
	body = p[0] & V13_L ? dtls_get16(p + header - 2) : len - header;
	if (body > len - header)
		return DTLS_OVERRUN;
	if (body < V13_BODY_MIN)
		return DTLS_SHORT;
	r->size = header + body;
	return DTLS_OK;
}

static __always_inline enum dtls_error read_record(const struct nf_dtlscid_format *f,
						   const u8 *p, size_t len, struct record *r)
{
	if (p[0] == TYPE_CID)
		return read_v12_cid(f, p, len, r);
	if (p[0] >= TYPE_FIRST && p[0] <= TYPE_LAST)
		return read_v12(p, len, r);
	if ((p[0] & V13_MASK) == V13_FIXED)
		return read_v13(f, p, len, r);
	return DTLS_JUNK;
}

static __always_inline void note_cid(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
				     const struct record *r, struct dtls_datagram *d)
{
	u32 id = dtls_node_id(f, p + r->cid);

	if (!d->version) {
		d->id = id;
		d->version = r->version;
		d->cid_offset = d->offset + r->cid;
		len -= r->cid;
		d->cid_length = f->cid_length ? f->cid_length :
				len < 255 ? len : 255;
	} else if (id != d->id) {
		d->records |= RECORD(MIXED);
	}
}

/* The last three kinds exclude all others, and malformed comes first. */
static bool end(struct dtls_datagram *d, enum dtls_error error)
{
	if (error == DTLS_JUNK && !d->offset) {
		d->records = RECORD(NOT_DTLS);
	} else if (error) {
		d->records = RECORD(MALFORMED);
		d->error = error;
	} else if (d->records & RECORD(MIXED)) {
		d->records = RECORD(MIXED);
	}
	return false;
}

static __always_inline bool step(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
				 struct dtls_datagram *d)
{
	struct record r = {};
	enum dtls_error error = len ? read_record(f, p, len, &r) : DTLS_JUNK;

	if (error)
		return end(d, error);
	d->records |= r.kind;
	if (r.cid)
		note_cid(f, p, len, &r, d);
	d->offset += r.size;
	d->count++;
	if (r.size == len)
		return end(d, DTLS_OK);
	return d->count < DTLS_RECORDS_MAX || end(d, DTLS_CROWDED);
}

bool dtls_step(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
	       struct dtls_datagram *d)
{
	return step(f, p, len, d);
}

void dtls_parse(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
		struct dtls_datagram *d)
{
	*d = (struct dtls_datagram){};
	while (step(f, p + d->offset, len - d->offset, d))
		;
}
