/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * LBSP, load balancing with single pass: an option of an IPv6 Destination Options header
 * (RFC 8200 section 4.6), of two segments of 16 bytes.  Segment 1 names the client: its
 * address, or a random number; segment 2 is the address of the server that serves it, all
 * zero as long as there is none.
 *
 * Encoding rfc, the option at a multiple of 8 plus 6 bytes from the header:
 *
 *	byte	0	option type, NF_LBSP_TYPE_DEFAULT unless configured
 *		1	32
 *		2	segment 1, in network byte order
 *		18	segment 2
 *
 * Encoding draft, as its inventors' slides have it: type 1, and a length of 4, in units of 8
 * bytes; else the same.  Type 1 is PadN, whose length is in bytes and whose data is all zero
 * (RFC 8200 section 4.2), so it is told from one by the first 32 bits of segment 1, which are
 * not zero.  Hosts that do not know it drop it.
 */
#ifndef _UAPI_NF_LBSP_H
#define _UAPI_NF_LBSP_H

#include <linux/types.h>

/* Encodings of the option, a bit each. */
enum nf_lbsp_encoding {
	NF_LBSP_RFC	= 1 << 0,
	NF_LBSP_DRAFT	= 1 << 1,
};

/*
 * Of the encoding rfc.  The upper two bits of a type tell a host what to do that does not
 * know it: 00, skip it (RFC 8200 section 4.2).  0 and 1 are Pad1 and PadN.  The default is
 * for experiments (RFC 4727 section 3.2).
 */
#define NF_LBSP_TYPE_MIN	2
#define NF_LBSP_TYPE_MAX	0x3f
#define NF_LBSP_TYPE_DEFAULT	0x1e

/**
 * struct nf_lbsp_format - which options are LBSP
 * @encodings:	enum nf_lbsp_encoding bits, at least one
 * @type:	option type of the encoding rfc, NF_LBSP_TYPE_MIN..NF_LBSP_TYPE_MAX
 */
struct nf_lbsp_format {
	__u8	encodings;
	__u8	type;
};

#endif /* _UAPI_NF_LBSP_H */
