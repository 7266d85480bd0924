/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * -m lbsp: the match's rule data, as ip6tables passes it to the kernel.
 *
 * The layout is the same for 32 and 64 bit user space.  A released revision never
 * changes: a new field makes a new revision.
 */
#ifndef _UAPI_XT_LBSP_MATCH_H
#define _UAPI_XT_LBSP_MATCH_H

#include <linux/in6.h>
#include <linux/types.h>
#include <linux/netfilter/nf_lbsp.h>

/*
 * Bits of @tests, of which a packet must pass all, and of @invert.  Without any, a packet
 * must have the option.  All but MALFORMED, inverted or not, hold only for a packet that has
 * the option and is not malformed.
 */
enum xt_lbsp_test {
	XT_LBSP_CLIENT		= 1 << 0,	/* segment 1 is in @client/@client_bits */
	XT_LBSP_SERVER		= 1 << 1,	/* segment 2 is in @server/@server_bits */
	XT_LBSP_SERVER_SET	= 1 << 2,	/* segment 2 is not zero */
	XT_LBSP_ENCODING	= 1 << 3,	/* the option has encoding @encoding */
	XT_LBSP_MALFORMED	= 1 << 4,	/* the extension headers are malformed */
};

#define XT_LBSP_ALL_TESTS	((1U << 5) - 1)

/**
 * struct xt_lbsp_mtinfo_v0 - a rule's -m lbsp
 * @format:	which options are LBSP
 * @tests:	enum xt_lbsp_test bits
 * @invert:	enum xt_lbsp_test bits, among @tests
 * @encoding:	enum nf_lbsp_encoding, with XT_LBSP_ENCODING, else 0
 * @client_bits: leading bits of @client that count, 0..128; the others are 0
 * @server_bits: the same of @server
 * @pad:	0
 * @client:	with XT_LBSP_CLIENT, else 0
 * @server:	with XT_LBSP_SERVER, else 0
 *
 * Anything else is refused with -EINVAL.
 */
struct xt_lbsp_mtinfo_v0 {
	struct nf_lbsp_format format;
	__u8	tests;
	__u8	invert;
	__u8	encoding;
	__u8	client_bits;
	__u8	server_bits;
	__u8	pad;
	struct in6_addr client;
	struct in6_addr server;
};

#endif /* _UAPI_XT_LBSP_MATCH_H */
