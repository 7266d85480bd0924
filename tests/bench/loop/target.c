// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of one call of the target, in instructions, as in match.c; to let go of
 * the template that the packet was given is part of it.
 */
#include <linux/delay.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_DTLSCID.h>
#include <asm/msr.h>
#include "packet.h"

/* Nodes have the ids 1 and up; of more than 128, the first rule has the first. */
static const struct bench {
	const char *name;
	struct bench_packet packet;
	unsigned int nodes;
	u8 cid_length;
} benches[] = {
	{ "target-cid12", { DATAGRAM(CID12) }, 1, 0 },
	{ "target-cid12-checked", { DATAGRAM(CID12) }, 1, 6 },
	{ "target-cid12-256", { DATAGRAM(CID12) }, 256, 0 },
	{ "target-cid13", { DATAGRAM(CID13) }, 1, 0 },
	{ "target-third-record", { DATAGRAM(CKE CCS CID12) }, 1, 6 },
	{ "target-no-cid", { DATAGRAM(APP) }, 1, 0 },
	{ "target-no-cid-256", { DATAGRAM(APP) }, 256, 0 },
	{ "target-client-hello", { DATAGRAM(HELLO) }, 1, 0 },
};

static struct xt_dtlscid_tginfo_v0 infos[2];

static u64 loop(struct sk_buff *skb, const struct xt_action_param *par, bool call,
		unsigned int *served)
{
	unsigned int (*target)(struct sk_buff *skb, const struct xt_action_param *par) =
		par->target->target;
	unsigned long flags;
	unsigned int i;
	u64 start;

	local_irq_save(flags);
	start = rdtsc_ordered();
	if (call)
		for (i = 0; i < CALLS; i++) {
			*served += target(skb, par) == XT_CONTINUE && skb->_nfct;
			nf_reset_ct(skb);
		}
	else
		for (i = 0; i < CALLS; i++) {
			barrier();
			*served += 0;
			barrier();
		}
	start = rdtsc_ordered() - start;
	local_irq_restore(flags);
	return start;
}

static int rule_add(const struct xt_target *target, struct xt_dtlscid_tginfo_v0 *info,
		    const struct bench *b, unsigned int first)
{
	struct xt_tgchk_param check = {
		.net = &init_net, .target = target, .targinfo = info, .family = NFPROTO_IPV4,
	};
	unsigned int i;

	*info = (struct xt_dtlscid_tginfo_v0){
		.format = { .id_length = 1, .cid_length = b->cid_length },
		.fresh = XT_DTLSCID_HASH, .zone_base = 1000, .timeout = { 100, 15 },
		.max_flows = 65536, .name = "bench",
	};
	for (i = 0; i < XT_DTLSCID_NODES_MAX && first + i < b->nodes; i++)
		info->node[info->nnodes++] = (struct xt_dtlscid_node){
			.addr.ip = htonl(0x0a000001 + first + i), .id = (first + i + 1) & 255,
			.weight = 1,
		};
	return target->checkentry(&check);
}

static void rule_del(const struct xt_target *target, struct xt_dtlscid_tginfo_v0 *info)
{
	struct xt_tgdtor_param destroy = {
		.net = &init_net, .target = target, .targinfo = info, .family = NFPROTO_IPV4,
	};

	target->destroy(&destroy);
}

static int call(const struct xt_target *target, const struct bench *b)
{
	static const struct nf_hook_state state = { .pf = NFPROTO_IPV4 };
	const struct xt_action_param par = {
		.target		= target,
		.targinfo	= &infos[0],
		.thoff		= sizeof(struct iphdr),
		.state		= &state,
	};
	struct sk_buff *skb = bench_packet(&b->packet);
	unsigned int served = 0;
	u64 with, without;

	if (!skb)
		return -ENOMEM;
	with = loop(skb, &par, true, &served);
	without = loop(skb, &par, false, &served);
	kfree_skb(skb);
	return bench_report(b->name, with, without, served);
}

static int measure(const struct xt_target *target, const struct bench *b)
{
	unsigned int rules = DIV_ROUND_UP(b->nodes, XT_DTLSCID_NODES_MAX), i;
	int err = 0;

	for (i = 0; i < rules && !err; i++)
		err = rule_add(target, &infos[i], b, i * XT_DTLSCID_NODES_MAX);
	if (rules > 1)
		msleep(5000);	/* buckets are displaced until it is seen that nobody is there */
	if (!err)
		err = call(target, b);
	else
		i--;	/* that one was not added */
	while (i--)
		rule_del(target, &infos[i]);
	return err;
}

int bench_targets(void)
{
	struct xt_target *target = xt_request_find_target(NFPROTO_IPV4, "DTLSCID", 0);
	unsigned int i;
	int err = 0;

	if (IS_ERR(target))
		return PTR_ERR(target);
	for (i = 0; i < ARRAY_SIZE(benches) && !err; i++)
		err = measure(target, &benches[i]);
	module_put(target->me);
	return err;
}
