/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * -j LBSP: the target's rule data, as ip6tables passes it to the kernel.
 *
 * Numbers are in host byte order.  The layout is the same for 32 and 64 bit user space.  A
 * released revision never changes: a new field makes a new revision.  Lengths of names and
 * keys, and a server's states, are those of -j DTLSCID.
 */
#ifndef _UAPI_XT_LBSP_TARGET_H
#define _UAPI_XT_LBSP_TARGET_H

#include <linux/in6.h>
#include <linux/types.h>
#include <linux/netfilter/nf_lbsp.h>
#include <linux/netfilter/xt_DTLSCID.h>

#define XT_LBSP_SERVERS_MAX	128

/* Bits of @flags. */
enum xt_lbsp_flag {
	XT_LBSP_HASH_KEY	= 1 << 0,	/* @hash_key is given */
	XT_LBSP_DROP_FOREIGN	= 1 << 1,	/* drop a new flow whose server is none of these */
};

/**
 * struct xt_lbsp_server - a server
 * @addr:	address, unicast; no two servers have the same
 * @weight:	share of new clients, 0..255; 0 as if drained
 * @state:	enum xt_dtlscid_state
 * @pad:	0
 */
struct xt_lbsp_server {
	struct in6_addr addr;
	__u8	weight;
	__u8	state;
	__u8	pad[2];
};

/**
 * struct xt_lbsp_tginfo_v0 - a rule's -j LBSP
 * @format:	which options are LBSP; one encoding
 * @flags:	enum xt_lbsp_flag bits
 * @nservers:	servers in use, 1..128
 * @pad:	0
 * @timeout:	seconds that a UDP flow lives on, 1..86400: [0] answered ones, for packets
 *		later than 2 s after the first; [1] all others.  Both 0: as the kernel's sysctls
 *		say, which for TCP decide always
 * @hash_key:	128 bits in the order they are written, with XT_LBSP_HASH_KEY, else 0
 * @name:	of the state that rules share, 1..31 bytes, the rest 0
 * @server:	the servers
 * @kernel:	the kernel's own; user space passes 0 and gets 0
 *
 * Unused servers and pads are 0; anything else is refused with -EINVAL.
 */
struct xt_lbsp_tginfo_v0 {
	struct nf_lbsp_format format;
	__u8	flags;
	__u8	nservers;
	__u32	pad;
	__u32	timeout[2];
	__u8	hash_key[XT_DTLSCID_KEY_LEN];
	char	name[XT_DTLSCID_NAME_LEN];
	struct xt_lbsp_server server[XT_LBSP_SERVERS_MAX];

	/* Used internally by the kernel */
	__aligned_u64 kernel;
};

#endif /* _UAPI_XT_LBSP_TARGET_H */
