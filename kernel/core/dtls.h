/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DTLS datagrams: the records they hold and the Connection ID they carry.
 *
 * Pure: no allocation, no output, no kernel.  The same object is linked by the
 * modules, the unit tests and the fuzzers.
 *
 *	struct dtls_datagram d;
 *
 *	dtls_parse(&format, payload, length, &d);
 *	if (dtls_has_cid(&d))
 *		node = d.id;
 *
 * The CID's length is not on the wire.  With format.cid_length every record is
 * walked and every length checked.  Without it the walk ends at the first
 * record with a CID, of which no more than the node id is read.
 *
 * At most DTLS_RECORDS_MAX records are read: more than fit into 1,500 bytes, and
 * a bound on what a hostile datagram of 65,507 bytes can cost.
 */
#ifndef _DTLSCID_CORE_DTLS_H
#define _DTLSCID_CORE_DTLS_H

#include <linux/netfilter/nf_dtlscid.h>
#include "types.h"

/* Why a datagram is malformed. */
enum dtls_error {
	DTLS_OK,
	DTLS_TRUNCATED,		/* ends within a record's header or CID */
	DTLS_OVERRUN,		/* a record's length runs past the datagram */
	DTLS_BAD_VERSION,	/* neither fefd, fefe nor feff; tls12_cid: not fefd */
	DTLS_EPOCH0_CID,	/* tls12_cid before encryption, RFC 9146 section 4 */
	DTLS_SHORT,		/* 1.3 ciphertext under 16 bytes, RFC 9147 section 4.2.3 */
	DTLS_JUNK,		/* a record is followed by what starts no record */
	DTLS_CROWDED,		/* more than DTLS_RECORDS_MAX records */
};

#define DTLS_RECORDS_MAX	128

/**
 * struct dtls_datagram - what dtls_parse() found
 * @offset:	bytes walked
 * @count:	records walked
 * @records:	1 << enum nf_dtlscid_record bits
 * @error:	why, when @records is MALFORMED
 * @version:	2 or 3: DTLS version of the first record with a CID, else 0
 * @id:		node id of the first CID
 * @cid_offset:	where the first CID begins, in bytes from the start of the
 *		payload: an offset, because a packet's bytes need not be
 *		contiguous; 0 when there is none
 * @cid_length:	the CID's length when the format tells it; else the bytes from
 *		@cid_offset to the end of the datagram, at most 255, of which
 *		the CID is the beginning
 *
 * @version, @id and the CID are valid when dtls_has_cid() says so.
 */
struct dtls_datagram {
	u32	offset;
	u16	records;
	u8	error;
	u8	version;
	u32	id;
	u32	cid_offset;
	u8	cid_length;
	u8	count;
};

/* A CID to go by: the only one, or the first of those of different nodes. */
static inline bool dtls_has_cid(const struct dtls_datagram *d)
{
	return d->records & (NF_DTLSCID_RECORD_BIT(CID) |
			     NF_DTLSCID_RECORD_BIT(MIXED));
}

/* Bytes of a CID that a record must have room for. */
static inline u32 dtls_cid_bytes(const struct nf_dtlscid_format *f)
{
	return f->cid_length ? f->cid_length : f->id_offset + f->id_length;
}

/*
 * Bytes of a record, from its first, that dtls_step() may read: a 1.2 header
 * with CID; without one, as a CID has at least a byte, the first of the body.
 */
static inline u32 dtls_peek(const struct nf_dtlscid_format *f)
{
	return 13 + dtls_cid_bytes(f);
}

#define DTLS_PEEK_MAX	(13 + NF_DTLSCID_CID_LENGTH_MAX)

/**
 * dtls_step() - read the next record into @d
 * @f:		valid format
 * @p:		the record; only its first dtls_peek() bytes need be there
 * @len:	bytes from @p to the end of the datagram
 * @d:		zeroed before the first step; @p is d->offset bytes into the payload
 *
 * Return: true when another record follows.
 */
bool dtls_step(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
	       struct dtls_datagram *d);

/* Read a whole datagram that lies in one piece. */
void dtls_parse(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
		struct dtls_datagram *d);

static inline u32 dtls_get16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

/* The node id in a CID, all bytes of which are there. */
static inline u32 dtls_node_id(const struct nf_dtlscid_format *f, const u8 *cid)
{
	u32 id = 0, i;

	for (i = 0; i < f->id_length; i++)
		id = id << 8 | cid[f->id_offset + i];
	return id;
}

/**
 * struct dtls_shortcut - where a datagram of one tls12_cid record has what decides
 * @header:	bytes of the record that must be there
 * @id:		where the node id begins, in bytes from the start of the payload
 * @checked:	the CID's length is known, so the record's must end the datagram
 */
struct dtls_shortcut {
	u16	header;
	u16	id;
	bool	checked;
};

static inline struct dtls_shortcut dtls_shortcut(const struct nf_dtlscid_format *f)
{
	return (struct dtls_shortcut){
		.header	 = 11 + dtls_cid_bytes(f) + (f->cid_length ? 2 : 0),
		.id	 = 11 + f->id_offset,
		.checked = f->cid_length,
	};
}

/* Whether the datagram begins with a tls12_cid record, whose node id is at @p + s->id. */
static inline bool dtls_is_cid12(const struct dtls_shortcut *s, const u8 *p, size_t len)
{
	/* type 25 and version fefd, then epoch: RFC 9146 section 4 */
	return len >= s->header && dtls_get16(p) == 0x19fe && p[2] == 0xfd &&
	       dtls_get16(p + 3) != 0;
}

/**
 * dtls_lone_cid() - the commonest datagram, at the least cost
 * @s:		dtls_shortcut() of the format
 * @p:		payload
 * @len:	its length
 *
 * Return: true when the datagram is one tls12_cid record.  False when only dtls_parse()
 * can tell.
 */
static inline bool dtls_lone_cid(const struct dtls_shortcut *s, const u8 *p, size_t len)
{
	return dtls_is_cid12(s, p, len) &&
	       (!s->checked || dtls_get16(p + s->header - 2) == len - s->header);
}

/* Whether the lone record at @p ends with the datagram, its CID being of @cid_length bytes. */
static inline bool dtls_cid12_fits(const u8 *p, size_t len, u8 cid_length)
{
	size_t header = 13 + cid_length;

	return len >= header && dtls_get16(p + header - 2) == len - header;
}

/* Whether the datagram begins with a DTLS 1.3 ciphertext that has a CID: 0011SLEE. */
static inline bool dtls_is_cid13(const u8 *p, size_t len)
{
	return len && (p[0] & 0xf0) == 0x30;
}

/**
 * dtls_lone_cid13() - as dtls_lone_cid(), for DTLS 1.3
 * @f:		format, whose cid_length is the right one for this datagram, or 0
 * @p:		payload for which dtls_is_cid13() holds
 * @len:	its length
 *
 * Return: true when the datagram is one record; its CID begins at @p + 1.
 */
static inline bool dtls_lone_cid13(const struct nf_dtlscid_format *f, const u8 *p, size_t len)
{
	bool has_length = p[0] & 0x04;
	size_t header = 1 + dtls_cid_bytes(f);

	if (!f->cid_length)
		return len >= header;
	header += (p[0] & 0x08 ? 2 : 1) + (has_length ? 2 : 0);
	return len >= header + 16 &&
	       (!has_length || dtls_get16(p + header - 2) == len - header);
}

/* What a record with the long header and no CID is, by type, epoch and first body byte. */
static inline u32 dtls_kind(const u8 *p, u32 body)
{
	if (dtls_get16(p + 3))
		return NF_DTLSCID_RECORD_BIT(ENCRYPTED);
	switch (p[0]) {
	case 21:
		return NF_DTLSCID_RECORD_BIT(ALERT);
	case 22:		/* a handshake message of type 1 is a ClientHello */
		return body && p[13] == 1 ? NF_DTLSCID_RECORD_BIT(CLIENT_HELLO) :
					    NF_DTLSCID_RECORD_BIT(HANDSHAKE);
	case 26:
		return NF_DTLSCID_RECORD_BIT(ACK);
	default:
		return NF_DTLSCID_RECORD_BIT(OTHER);
	}
}

/**
 * dtls_lone_plain() - the commonest datagram without a CID
 * @p:		payload
 * @len:	its length
 *
 * Return: the kind of record, 1 << enum nf_dtlscid_record, when the datagram is one
 * record with the long header and no CID; 0 when only dtls_parse() can tell.
 */
static inline u32 dtls_lone_plain(const u8 *p, size_t len)
{
	/* Types 20 to 27 without 25, versions fefd to feff: RFC 6347 section 4.1 */
	if (len < 13 || (u8)(p[0] - 20) > 7 || p[0] == 25 ||
	    (u32)(dtls_get16(p + 1) - 0xfefd) > 2 || dtls_get16(p + 11) != len - 13)
		return 0;
	return dtls_kind(p, len - 13);
}

#endif /* _DTLSCID_CORE_DTLS_H */
