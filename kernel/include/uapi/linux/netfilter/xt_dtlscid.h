/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * -m dtlscid: the match's rule data, as iptables passes it to the kernel.
 *
 * All numbers are in host byte order.  The layout is the same for 32 and 64
 * bit user space, so no compat translation exists.  A released revision never
 * changes: a new field makes a new revision.
 */
#ifndef _UAPI_XT_DTLSCID_H
#define _UAPI_XT_DTLSCID_H

#include <linux/netfilter/nf_dtlscid.h>

/*
 * The tests that a rule can make; bits of @tests and @invert below.
 * The first three are tests of the CID: a datagram without a CID, or one that
 * is malformed, passes none of them, inverted or not.  A rule without any test
 * asks for a CID.
 */
enum xt_dtlscid_test {
	XT_DTLSCID_NODE_ID	= 1 << 0,	/* id is in one of range[] */
	XT_DTLSCID_CID		= 1 << 1,	/* CID begins with cid[] */
	XT_DTLSCID_VERSION	= 1 << 2,	/* version of the CID's record */
	XT_DTLSCID_RECORD	= 1 << 3,	/* holds one of records */
};

#define XT_DTLSCID_CID_TESTS \
	(XT_DTLSCID_NODE_ID | XT_DTLSCID_CID | XT_DTLSCID_VERSION)
#define XT_DTLSCID_ALL_TESTS	(XT_DTLSCID_CID_TESTS | XT_DTLSCID_RECORD)

#define XT_DTLSCID_RANGES_MAX	128

/* Node ids @min to @max, both included, @min <= @max. */
struct xt_dtlscid_range {
	__u32	min;
	__u32	max;
};

/**
 * struct xt_dtlscid_mtinfo_v0 - a rule's -m dtlscid
 * @format:	where the node id sits in the CID
 * @tests:	enum xt_dtlscid_test bits: all of them must hold
 * @invert:	the tests of @tests whose answer is inverted
 * @records:	1 << enum nf_dtlscid_record bits, with XT_DTLSCID_RECORD
 * @version:	2 for DTLS 1.2, 3 for DTLS 1.3, with XT_DTLSCID_VERSION
 * @nranges:	ranges in use, 1..128, with XT_DTLSCID_NODE_ID
 * @cid_bits:	leading bits of @cid to compare, 1..2040 and not more than the
 *		CID's length, with XT_DTLSCID_CID
 * @range:	node ids; each fits format.id_length bytes
 * @cid:	CID bytes in wire order; bits past @cid_bits are 0
 * @pad:	0
 * @kernel:	the kernel's own; user space passes 0 and gets 0
 *
 * Whatever belongs to a test that is not in @tests is 0, and so is the unused
 * rest of the arrays; anything else is refused with -EINVAL.
 */
struct xt_dtlscid_mtinfo_v0 {
	struct nf_dtlscid_format format;
	__u8	tests;
	__u8	invert;
	__u16	records;
	__u8	version;
	__u8	nranges;
	__u16	cid_bits;
	struct xt_dtlscid_range range[XT_DTLSCID_RANGES_MAX];
	__u8	cid[NF_DTLSCID_CID_LENGTH_MAX];
	__u8	pad[5];

	/* Used internally by the kernel */
	__aligned_u64 kernel[6];
};

#endif /* _UAPI_XT_DTLSCID_H */
