// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of one call of a match, in instructions: 100,000 calls on a prepared
 * packet, with interrupts off, less the loop's own.
 */
#include <linux/module.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_dtlscid.h>
#include <linux/netfilter/xt_lbsp.h>
#include <asm/msr.h>
#include "packet.h"

#define NODE_1		.tests = XT_DTLSCID_NODE_ID, .nranges = 1, .range = { { 1, 1 } }
#define RECORD(kind)	.tests = XT_DTLSCID_RECORD, .records = NF_DTLSCID_RECORD_BIT(kind)

/* --client 2001:db8::/32 ! --server-set */
#define NO_SERVER	{ \
	.format = { .encodings = NF_LBSP_RFC | NF_LBSP_DRAFT, .type = NF_LBSP_TYPE_DEFAULT }, \
	.tests = XT_LBSP_CLIENT | XT_LBSP_SERVER_SET, .invert = XT_LBSP_SERVER_SET, \
	.client.s6_addr = { 0x20, 0x01, 0x0d, 0xb8 }, .client_bits = 32 }

struct bench {
	const char *name;
	struct bench_packet packet;
	union bench_info {
		struct xt_dtlscid_mtinfo_v0 cid;
		struct xt_lbsp_mtinfo_v0 lbsp;
	} info;
	bool fails;	/* to match */
};

static const struct bench dtlscid[] = {
	{ "match-cid12", { DATAGRAM(CID12) }, .info.cid = { .format.id_length = 1, NODE_1 } },
	{ "match-cid12-checked", { DATAGRAM(CID12) },
	  .info.cid = { .format = { .id_length = 1, .cid_length = 6 }, NODE_1 } },
	{ "match-cid12-id2", { DATAGRAM(CID12) },
	  .info.cid = { .format.id_length = 2, .tests = XT_DTLSCID_NODE_ID, .nranges = 1,
	    .range = { { 0x01ab, 0x01ab } } } },
	{ "match-cid12-paged", { DATAGRAM(CID12), .paged = true },
	  .info.cid = { .format.id_length = 1, NODE_1 } },
	{ "match-cid13", { DATAGRAM(CID13) }, .info.cid = { .format.id_length = 1, NODE_1 } },
	{ "match-third-record", { DATAGRAM(CKE CCS CID12) },
	  .info.cid = { .format.id_length = 1, NODE_1 } },
	{ "match-client-hello", { DATAGRAM(HELLO) },
	  .info.cid = { .format.id_length = 1, RECORD(CLIENT_HELLO) } },
	{ "match-malformed", { DATAGRAM(OVERRUN) },
	  .info.cid = { .format = { .id_length = 1, .cid_length = 6 }, RECORD(MALFORMED) } },
};

static const struct bench lbsp[] = {
	{ "lbsp-match", { DATAGRAM(APP), .ipv6 = true, OPTIONS(LBSP) }, .info.lbsp = NO_SERVER },
	{ "lbsp-match-paged", { DATAGRAM(APP), .ipv6 = true, OPTIONS(LBSP), .paged = true },
	  .info.lbsp = NO_SERVER },
	{ "lbsp-match-none", { DATAGRAM(APP), .ipv6 = true }, .info.lbsp = NO_SERVER,
	  .fails = true },
};

/* Instructions of the loop, with or without a call in it. */
static u64 loop(const struct sk_buff *skb, struct xt_action_param *par, bool call,
		unsigned int *matched)
{
	bool (*match)(const struct sk_buff *skb, struct xt_action_param *par) = par->match->match;
	unsigned long flags;
	unsigned int i;
	u64 start;

	local_irq_save(flags);
	start = rdtsc_ordered();
	if (call)
		for (i = 0; i < CALLS; i++)
			*matched += match(skb, par);
	else
		for (i = 0; i < CALLS; i++) {
			barrier();
			*matched += 0;
			barrier();
		}
	start = rdtsc_ordered() - start;
	local_irq_restore(flags);
	return start;
}

static int measure(const struct xt_match *match, const struct bench *b)
{
	const struct nf_hook_state state = { .pf = match->family };
	static union bench_info info;
	struct xt_mtchk_param check = { .match = match, .matchinfo = &info };
	struct xt_action_param par = { .match = match, .matchinfo = &info, .state = &state };
	unsigned int matched = 0;
	struct sk_buff *skb;
	u64 with, without;
	int err;

	info = b->info;
	err = match->checkentry(&check);
	if (err)
		return err;
	skb = bench_packet(&b->packet);
	if (!skb)
		return -ENOMEM;
	par.thoff = skb_transport_offset(skb);
	with = loop(skb, &par, true, &matched);
	without = loop(skb, &par, false, &matched);
	kfree_skb(skb);
	return bench_report(b->name, with, without, b->fails ? CALLS - matched : matched);
}

static int measure_all(u8 family, const char *name, const struct bench *b, unsigned int n)
{
	struct xt_match *match = xt_request_find_match(family, name, 0);
	int err = 0;

	if (IS_ERR(match))
		return PTR_ERR(match);
	while (n-- && !err)
		err = measure(match, b++);
	module_put(match->me);
	return err;
}

int bench_matches(void)
{
	return measure_all(NFPROTO_IPV4, "dtlscid", dtlscid, ARRAY_SIZE(dtlscid)) ?:
	       measure_all(NFPROTO_IPV6, "lbsp", lbsp, ARRAY_SIZE(lbsp));
}
