// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule data that user space hands to the kernel: its layout can never change,
 * and a 32 bit iptables must speak to a 64 bit kernel without translation.
 * To be compiled, not run.
 */
#include <stddef.h>

#include <linux/netfilter/nf_lbsp.h>
#include <linux/netfilter/xt_DTLSCID.h>
#include <linux/netfilter/xt_LBSP.h>
#include <linux/netfilter/xt_dtlscid.h>
#include <linux/netfilter/xt_lbsp.h>

#define AT(type, field, offset) \
	_Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), #type)
#define VALUE(name, value) \
	_Static_assert((name) == (value), #name)

SIZE(nf_dtlscid_format, 4);
AT(nf_dtlscid_format, id_offset, 0);
AT(nf_dtlscid_format, id_length, 1);
AT(nf_dtlscid_format, cid_length, 2);
AT(nf_dtlscid_format, pad, 3);

SIZE(xt_dtlscid_range, 8);
AT(xt_dtlscid_range, min, 0);
AT(xt_dtlscid_range, max, 4);

/* A multiple of 8, the strictest alignment: XT_ALIGN() adds nothing to it. */
SIZE(xt_dtlscid_mtinfo_v0, 1344);
AT(xt_dtlscid_mtinfo_v0, format, 0);
AT(xt_dtlscid_mtinfo_v0, tests, 4);
AT(xt_dtlscid_mtinfo_v0, invert, 5);
AT(xt_dtlscid_mtinfo_v0, records, 6);
AT(xt_dtlscid_mtinfo_v0, version, 8);
AT(xt_dtlscid_mtinfo_v0, nranges, 9);
AT(xt_dtlscid_mtinfo_v0, cid_bits, 10);
AT(xt_dtlscid_mtinfo_v0, range, 12);
AT(xt_dtlscid_mtinfo_v0, cid, 1036);
AT(xt_dtlscid_mtinfo_v0, pad, 1291);
AT(xt_dtlscid_mtinfo_v0, kernel, 1296);

/* The bits of .tests and .invert. */
VALUE(XT_DTLSCID_NODE_ID, 1);
VALUE(XT_DTLSCID_CID, 2);
VALUE(XT_DTLSCID_VERSION, 4);
VALUE(XT_DTLSCID_RECORD, 8);

/* The bits of .records. */
VALUE(NF_DTLSCID_RECORD_CID, 0);
VALUE(NF_DTLSCID_RECORD_CLIENT_HELLO, 1);
VALUE(NF_DTLSCID_RECORD_HANDSHAKE, 2);
VALUE(NF_DTLSCID_RECORD_ENCRYPTED, 3);
VALUE(NF_DTLSCID_RECORD_ALERT, 4);
VALUE(NF_DTLSCID_RECORD_ACK, 5);
VALUE(NF_DTLSCID_RECORD_OTHER, 6);
VALUE(NF_DTLSCID_RECORD_MALFORMED, 7);
VALUE(NF_DTLSCID_RECORD_MIXED, 8);
VALUE(NF_DTLSCID_RECORD_NOT_DTLS, 9);

SIZE(xt_dtlscid_node, 24);
AT(xt_dtlscid_node, addr, 0);
AT(xt_dtlscid_node, id, 16);
AT(xt_dtlscid_node, port, 20);
AT(xt_dtlscid_node, weight, 22);
AT(xt_dtlscid_node, cid_length, 23);

/* A multiple of 8 too; and iptables-nft has room for it in a rule. */
SIZE(xt_dtlscid_tginfo_v0, 3216);
AT(xt_dtlscid_tginfo_v0, format, 0);
AT(xt_dtlscid_tginfo_v0, flags, 4);
AT(xt_dtlscid_tginfo_v0, nnodes, 5);
AT(xt_dtlscid_tginfo_v0, fresh, 6);
AT(xt_dtlscid_tginfo_v0, unknown, 7);
AT(xt_dtlscid_tginfo_v0, malformed, 8);
AT(xt_dtlscid_tginfo_v0, mixed, 9);
AT(xt_dtlscid_tginfo_v0, not_dtls, 10);
AT(xt_dtlscid_tginfo_v0, pad, 11);
AT(xt_dtlscid_tginfo_v0, zone_base, 12);
AT(xt_dtlscid_tginfo_v0, vip_port, 14);
AT(xt_dtlscid_tginfo_v0, timeout, 16);
AT(xt_dtlscid_tginfo_v0, max_flows, 24);
AT(xt_dtlscid_tginfo_v0, id_mark, 28);
AT(xt_dtlscid_tginfo_v0, id_connmark, 32);
AT(xt_dtlscid_tginfo_v0, hash_key, 36);
AT(xt_dtlscid_tginfo_v0, name, 52);
AT(xt_dtlscid_tginfo_v0, vip, 84);
AT(xt_dtlscid_tginfo_v0, state, 100);
AT(xt_dtlscid_tginfo_v0, node, 132);
AT(xt_dtlscid_tginfo_v0, pad2, 3204);
AT(xt_dtlscid_tginfo_v0, kernel, 3208);

/* The bits of .flags. */
VALUE(XT_DTLSCID_HASH_KEY, 1);
VALUE(XT_DTLSCID_NO_DNAT, 2);
VALUE(XT_DTLSCID_ZONE0_CHECK, 4);

/* .fresh, .unknown, .malformed, .mixed, .not_dtls */
VALUE(XT_DTLSCID_DROP, 0);
VALUE(XT_DTLSCID_CONTINUE, 1);
VALUE(XT_DTLSCID_HASH, 2);
VALUE(XT_DTLSCID_FIRST, 3);

/* The pairs of bits of .state. */
VALUE(XT_DTLSCID_AS_IS, 0);
VALUE(XT_DTLSCID_UP, 1);
VALUE(XT_DTLSCID_DRAIN, 2);
VALUE(XT_DTLSCID_DOWN, 3);

SIZE(nf_lbsp_format, 2);
AT(nf_lbsp_format, encodings, 0);
AT(nf_lbsp_format, type, 1);

/* A multiple of 8. */
SIZE(xt_lbsp_mtinfo_v0, 40);
AT(xt_lbsp_mtinfo_v0, format, 0);
AT(xt_lbsp_mtinfo_v0, tests, 2);
AT(xt_lbsp_mtinfo_v0, invert, 3);
AT(xt_lbsp_mtinfo_v0, encoding, 4);
AT(xt_lbsp_mtinfo_v0, client_bits, 5);
AT(xt_lbsp_mtinfo_v0, server_bits, 6);
AT(xt_lbsp_mtinfo_v0, pad, 7);
AT(xt_lbsp_mtinfo_v0, client, 8);
AT(xt_lbsp_mtinfo_v0, server, 24);

/* The bits of .tests and .invert, of .encodings, and .encoding */
VALUE(XT_LBSP_CLIENT, 1);
VALUE(XT_LBSP_SERVER, 2);
VALUE(XT_LBSP_SERVER_SET, 4);
VALUE(XT_LBSP_ENCODING, 8);
VALUE(XT_LBSP_MALFORMED, 16);
VALUE(NF_LBSP_RFC, 1);
VALUE(NF_LBSP_DRAFT, 2);

SIZE(xt_lbsp_server, 20);
AT(xt_lbsp_server, addr, 0);
AT(xt_lbsp_server, weight, 16);
AT(xt_lbsp_server, state, 17);
AT(xt_lbsp_server, pad, 18);

/* A multiple of 8 too; and iptables-nft has room for it in a rule. */
SIZE(xt_lbsp_tginfo_v0, 2632);
AT(xt_lbsp_tginfo_v0, format, 0);
AT(xt_lbsp_tginfo_v0, flags, 2);
AT(xt_lbsp_tginfo_v0, nservers, 3);
AT(xt_lbsp_tginfo_v0, pad, 4);
AT(xt_lbsp_tginfo_v0, timeout, 8);
AT(xt_lbsp_tginfo_v0, hash_key, 16);
AT(xt_lbsp_tginfo_v0, name, 32);
AT(xt_lbsp_tginfo_v0, server, 64);
AT(xt_lbsp_tginfo_v0, kernel, 2624);

/* The bits of .flags. */
VALUE(XT_LBSP_HASH_KEY, 1);
VALUE(XT_LBSP_DROP_FOREIGN, 2);
