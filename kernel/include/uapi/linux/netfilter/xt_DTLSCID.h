/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * -j DTLSCID: the target's rule data, as iptables passes it to the kernel.
 *
 * Numbers are in host byte order unless their type says otherwise.  The layout is
 * the same for 32 and 64 bit user space.  A released revision never changes: a
 * new field makes a new revision.
 *
 * Under iptables-nft a target's data lies within its rule, and a rule of 4,096
 * bytes is refused; of more than about 3,700 no monitor hears.  Hence 128 nodes,
 * of 24 bytes each.
 */
#ifndef _UAPI_XT_DTLSCID_TARGET_H
#define _UAPI_XT_DTLSCID_TARGET_H

#include <linux/netfilter.h>
#include <linux/netfilter/nf_dtlscid.h>

#define XT_DTLSCID_NODES_MAX		128
#define XT_DTLSCID_NAME_LEN		32	/* the final 0 included */
#define XT_DTLSCID_KEY_LEN		16
#define XT_DTLSCID_TIMEOUT_MAX		86400
#define XT_DTLSCID_FLOWS_MAX		0x7fffffff

/* Bits of @flags. */
enum xt_dtlscid_flag {
	XT_DTLSCID_HASH_KEY	= 1 << 0,	/* @hash_key is given */
	XT_DTLSCID_NO_DNAT	= 1 << 1,	/* zone, timeout and marks only */
	XT_DTLSCID_ZONE0_CHECK	= 1 << 2,	/* no zone where the client's flow in zone 0 does */
};

/*
 * What becomes of a datagram; which of them an option takes, the rule data's
 * comment says.
 */
enum xt_dtlscid_action {
	XT_DTLSCID_DROP,	/* drop it; of @fresh: unless its flow lives */
	XT_DTLSCID_CONTINUE,	/* leave it to the rules that follow */
	XT_DTLSCID_HASH,	/* to the node that the client's address and port hash to */
	XT_DTLSCID_FIRST,	/* to the node of the first CID */
};

/* A node's state in @state: of the rule's node N the bits 2 * (N % 4) of byte N / 4. */
enum xt_dtlscid_state {
	XT_DTLSCID_AS_IS,	/* not said: the state it has, at first up */
	XT_DTLSCID_UP,
	XT_DTLSCID_DRAIN,	/* CIDs are served, handshakes go elsewhere */
	XT_DTLSCID_DOWN,	/* @unknown decides */
};

/**
 * struct xt_dtlscid_node - where the datagrams of a node id go
 * @addr:	address, of the rule's family; not all zero; unused rest 0
 * @id:		node id, fits format.id_length bytes; no two nodes have the same
 * @port:	UDP port in network byte order; 0: the one the client sent to
 * @weight:	share of the handshakes, 0..255; 0 as if drained
 * @cid_length:	bytes of this node's CIDs, not less than the format's id_offset +
 *		id_length; 0: as the format says
 */
struct xt_dtlscid_node {
	union nf_inet_addr addr;
	__u32	id;
	__be16	port;
	__u8	weight;
	__u8	cid_length;
};

/**
 * struct xt_dtlscid_tginfo_v0 - a rule's -j DTLSCID
 * @format:	where the node id sits in the CID
 * @flags:	enum xt_dtlscid_flag bits
 * @nnodes:	nodes in use, 1..128
 * @fresh:	datagrams without a CID: HASH, CONTINUE or DROP
 * @unknown:	CIDs of unknown nodes, or of nodes that are down: DROP or CONTINUE
 * @malformed:	DROP or CONTINUE
 * @mixed:	CIDs of different nodes in one datagram: DROP or FIRST
 * @not_dtls:	CONTINUE, HASH or DROP
 * @zone_base:	conntrack zone of slot 0, 1..65535; @zone_base + @nnodes - 1 is at
 *		most 65535
 * @vip_port:	UDP port of @vip, in network byte order; 0: none is given
 * @timeout:	seconds that a flow lives on, 1..86400: [0] answered ones, for packets
 *		later than 2 s after the first; [1] all others
 * @max_flows:	entries under this name, 1..2147483647
 * @id_mark:	adjacent bits of the packet mark for the node id; 0: none
 * @id_connmark: the same of the connection mark
 * @hash_key:	128 bits in the order they are written, with XT_DTLSCID_HASH_KEY, else 0
 * @name:	of the state that rules share, 1..31 bytes, the rest 0
 * @vip:	from where a packet leaves that a node sends to a client without a flow,
 *		of the rule's family, unicast; without @vip_port all 0, and the packet
 *		leaves from where the client of the node's last new flow sent to
 * @state:	enum xt_dtlscid_state of each node, see there
 * @node:	the nodes
 * @kernel:	the kernel's own; user space passes 0 and gets 0
 *
 * Unused nodes, states and pads are 0; anything else is refused with -EINVAL.
 */
struct xt_dtlscid_tginfo_v0 {
	struct nf_dtlscid_format format;
	__u8	flags;
	__u8	nnodes;
	__u8	fresh;
	__u8	unknown;
	__u8	malformed;
	__u8	mixed;
	__u8	not_dtls;
	__u8	pad;
	__u16	zone_base;
	__be16	vip_port;
	__u32	timeout[2];
	__u32	max_flows;
	__u32	id_mark;
	__u32	id_connmark;
	__u8	hash_key[XT_DTLSCID_KEY_LEN];
	char	name[XT_DTLSCID_NAME_LEN];
	union nf_inet_addr vip;
	__u8	state[XT_DTLSCID_NODES_MAX / 4];
	struct xt_dtlscid_node node[XT_DTLSCID_NODES_MAX];
	__u32	pad2;

	/* Used internally by the kernel */
	__aligned_u64 kernel;
};

#endif /* _UAPI_XT_DTLSCID_TARGET_H */
