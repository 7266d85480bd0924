// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of one call of the match, in instructions: 100,000 calls on a prepared
 * packet, with interrupts off, less the loop's own.
 */
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_dtlscid.h>
#include <asm/msr.h>
#include "packet.h"

#define NODE_1		.tests = XT_DTLSCID_NODE_ID, .nranges = 1, .range = { { 1, 1 } }
#define RECORD(kind)	.tests = XT_DTLSCID_RECORD, .records = NF_DTLSCID_RECORD_BIT(kind)

static const struct bench {
	const char *name;
	struct bench_packet packet;
	struct xt_dtlscid_mtinfo_v0 info;
} benches[] = {
	{ "match-cid12", { DATAGRAM(CID12) }, .info = { .format.id_length = 1, NODE_1 } },
	{ "match-cid12-checked", { DATAGRAM(CID12) },
	  .info = { .format = { .id_length = 1, .cid_length = 6 }, NODE_1 } },
	{ "match-cid12-id2", { DATAGRAM(CID12) },
	  .info = { .format.id_length = 2, .tests = XT_DTLSCID_NODE_ID, .nranges = 1,
	    .range = { { 0x01ab, 0x01ab } } } },
	{ "match-cid12-paged", { DATAGRAM(CID12), .paged = true },
	  .info = { .format.id_length = 1, NODE_1 } },
	{ "match-cid13", { DATAGRAM(CID13) }, .info = { .format.id_length = 1, NODE_1 } },
	{ "match-third-record", { DATAGRAM(CKE CCS CID12) },
	  .info = { .format.id_length = 1, NODE_1 } },
	{ "match-client-hello", { DATAGRAM(HELLO) },
	  .info = { .format.id_length = 1, RECORD(CLIENT_HELLO) } },
	{ "match-malformed", { DATAGRAM(OVERRUN) },
	  .info = { .format = { .id_length = 1, .cid_length = 6 }, RECORD(MALFORMED) } },
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
	static const struct nf_hook_state state = { .pf = NFPROTO_IPV4 };
	static struct xt_dtlscid_mtinfo_v0 info;
	struct xt_mtchk_param check = { .match = match, .matchinfo = &info };
	struct xt_action_param par = {
		.match		= match,
		.matchinfo	= &info,
		.thoff		= sizeof(struct iphdr),
		.state		= &state,
	};
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
	with = loop(skb, &par, true, &matched);
	without = loop(skb, &par, false, &matched);
	kfree_skb(skb);
	return bench_report(b->name, with, without, matched);
}

int bench_matches(void)
{
	struct xt_match *match = xt_request_find_match(NFPROTO_IPV4, "dtlscid", 0);
	unsigned int i;
	int err = 0;

	if (IS_ERR(match))
		return PTR_ERR(match);
	for (i = 0; i < ARRAY_SIZE(benches) && !err; i++)
		err = measure(match, &benches[i]);
	module_put(match->me);
	return err;
}
