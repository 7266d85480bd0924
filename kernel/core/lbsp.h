/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LBSP options: read from a packet's IPv6 extension headers, and written.
 *
 * Pure, as the DTLS parser is.
 *
 *	struct lbsp_packet d;
 *
 *	lbsp_read(&format, packet, length, &d);
 *	if (lbsp_has_option(&d))
 *		client = d.segment[LBSP_CLIENT];
 *
 * The whole chain of headers is walked, whether or not an option has been found, as what
 * follows it may be malformed, or sealed by IPsec.  The first option counts.
 */
#ifndef _DTLSCID_CORE_LBSP_H
#define _DTLSCID_CORE_LBSP_H

#include <linux/netfilter/nf_lbsp.h>
#include "types.h"

#define LBSP_HEADERS_MAX	8	/* extension headers in a packet */
#define LBSP_OPTIONS_MAX	64	/* options in all its Destination Options, padding too */

#define LBSP_SEGMENT		16	/* bytes */
#define LBSP_OPTION		(2 + 2 * LBSP_SEGMENT)
#define LBSP_HEADER		40	/* a Destination Options header with the option */

/* Which segment is whose. */
enum lbsp_segment {
	LBSP_CLIENT,
	LBSP_SERVER,
	LBSP_SEGMENTS
};

/* Why a packet is malformed. */
enum lbsp_error {
	LBSP_OK,
	LBSP_TRUNCATED,		/* ends within a header */
	LBSP_OVERRUN,		/* an option runs past its header */
	LBSP_BAD_LENGTH,	/* an LBSP option not of 32 bytes */
	LBSP_BAD_PADDING,	/* PadN that is not all zero, RFC 8200 section 4.2 */
	LBSP_CROWDED,		/* more headers or options than are read */
};

/**
 * struct lbsp_packet - what lbsp_read() found
 * @offset:	bytes walked, from the IPv6 header
 * @option:	where the first LBSP option begins; 0: there is none
 * @end:	where the Destination Options header at hand ends; 0: none is
 * @next:	what begins at @offset, or follows the header at hand: a next header value
 * @headers:	extension headers begun
 * @options:	options begun
 * @error:	enum lbsp_error
 * @encoding:	enum nf_lbsp_encoding of the option
 * @sealed:	there is AH or ESP: addresses cannot be changed (RFC 4302 section 2, RFC 4303)
 * @routed:	the destination is not the last one (RFC 8200 section 4.4), by whose address
 *		the checksum is made
 * @fragment:	it is one, of several
 * @segment:	of the option
 *
 * @next is the protocol above when all is read, and a fragment header's when it is a
 * fragment but the first.  The option is valid when lbsp_has_option() says so.
 */
struct lbsp_packet {
	u32	offset;
	u32	option;
	u32	end;
	u8	next;
	u8	headers;
	u8	options;
	u8	error;
	u8	encoding;
	bool	sealed;
	bool	routed;
	bool	fragment;
	u8	segment[LBSP_SEGMENTS][LBSP_SEGMENT];
};

static inline bool lbsp_has_option(const struct lbsp_packet *d)
{
	return d->option && !d->error;
}

/* Whether a segment says something. */
static inline bool lbsp_is_set(const struct lbsp_packet *d, enum lbsp_segment which)
{
	u8 any = 0, i;

	for (i = 0; i < LBSP_SEGMENT; i++)
		any |= d->segment[which][i];
	return any;
}

/* Bytes from d->offset on that lbsp_step() may read: the longest option. */
#define LBSP_PEEK	(2 + 255)

/**
 * lbsp_step() - read the next header or option into @d
 * @f:		valid format
 * @p:		what begins at d->offset; only LBSP_PEEK bytes need be there
 * @len:	bytes from @p to the end of the packet
 * @d:		zeroed before the first step; @p is the IPv6 header then
 *
 * Return: true when another step follows.
 */
bool lbsp_step(const struct nf_lbsp_format *f, const u8 *p, size_t len, struct lbsp_packet *d);

/* Read a packet that lies in one piece, from its IPv6 header on. */
void lbsp_read(const struct nf_lbsp_format *f, const u8 *p, size_t len, struct lbsp_packet *d);

/**
 * lbsp_write() - a Destination Options header that holds the option and nothing else
 * @f:		format, of one encoding
 * @next:	what follows, a next header value
 * @segment:	of the option; encoded as a draft, with a client whose first 4 bytes are not all
 *		zero, or it is read as padding
 * @to:		LBSP_HEADER bytes
 */
void lbsp_write(const struct nf_lbsp_format *f, u8 next,
		const u8 segment[LBSP_SEGMENTS][LBSP_SEGMENT], u8 *to);

/* Give the option that begins at @option the encoding of @f; its segments stay where they are. */
void lbsp_convert(const struct nf_lbsp_format *f, u8 *option);

#endif /* _DTLSCID_CORE_LBSP_H */
