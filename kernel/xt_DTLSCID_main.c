// SPDX-License-Identifier: GPL-2.0-only
/* -j DTLSCID: send a datagram to the node that its Connection ID names. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/inet.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_DTLSCID.h>
#include <net/ipv6.h>
#include "lb/lb.h"

static unsigned int dtlscid_tg(struct sk_buff *skb, const struct xt_action_param *par)
{
	const struct xt_dtlscid_tginfo_v0 *info = par->targinfo;

	return lb_balance((struct lb_rule *)(unsigned long)info->kernel, skb, par->thoff,
			  par->state);
}

static bool flags_valid(const struct xt_dtlscid_tginfo_v0 *info)
{
	return !(info->flags & ~(XT_DTLSCID_HASH_KEY | XT_DTLSCID_NO_DNAT |
				 XT_DTLSCID_ZONE0_CHECK)) &&
	       !info->pad && !info->pad2;
}

static bool is_unicast(const union nf_inet_addr *a, u8 pf)
{
	if (pf == NFPROTO_IPV6)
		return !ipv6_addr_any(&a->in6) && !ipv6_addr_is_multicast(&a->in6);
	return a->ip && !ipv4_is_multicast(a->ip) && !ipv4_is_lbcast(a->ip) &&
	       !a->all[1] && !a->all[2] && !a->all[3];
}

static bool node_valid(const struct xt_dtlscid_tginfo_v0 *info, const struct xt_dtlscid_node *n,
		       u8 pf)
{
	const struct nf_dtlscid_format *f = &info->format;
	const struct xt_dtlscid_node *other;

	for (other = info->node; other < n; other++)
		if (other->id == n->id)
			return false;
	return is_unicast(&n->addr, pf) && n->id <= U32_MAX >> (32 - 8 * f->id_length) &&
	       (!n->cid_length || n->cid_length >= f->id_offset + f->id_length);
}

static bool nodes_valid(const struct xt_dtlscid_tginfo_v0 *info, u8 pf)
{
	const unsigned int max = XT_DTLSCID_NODES_MAX, used = info->nnodes;
	unsigned int i;

	if (!used || used > max)
		return false;
	for (i = 0; i < used; i++)
		if (!node_valid(info, &info->node[i], pf))
			return false;
	for (; i < max; i++)
		if (info->state[i / 4] >> 2 * (i % 4) & 3)
			return false;
	return !memchr_inv(&info->node[used], 0, (max - used) * sizeof(info->node[0]));
}

static bool vip_valid(const struct xt_dtlscid_tginfo_v0 *info, u8 pf)
{
	return info->vip_port ? is_unicast(&info->vip, pf) :
				!memchr_inv(&info->vip, 0, sizeof(info->vip));
}

static bool is_one_of(u8 action, u8 a, u8 b, u8 c)
{
	return action == a || action == b || action == c;
}

static bool timeouts_valid(const struct xt_dtlscid_tginfo_v0 *info)
{
	return info->timeout[0] && info->timeout[0] <= XT_DTLSCID_TIMEOUT_MAX &&
	       info->timeout[1] && info->timeout[1] <= XT_DTLSCID_TIMEOUT_MAX;
}

/* No bits, or adjacent ones that have room for all ids. */
static bool mask_valid(const struct xt_dtlscid_tginfo_v0 *info, u32 mask)
{
	unsigned int i;
	u32 most;

	if (!mask)
		return true;
	most = mask >> __ffs(mask);
	if (most & (most + 1))
		return false;
	for (i = 0; i < info->nnodes; i++)
		if (info->node[i].id > most)
			return false;
	return true;
}

static bool key_valid(const struct xt_dtlscid_tginfo_v0 *info)
{
	return info->flags & XT_DTLSCID_HASH_KEY ||
	       !memchr_inv(info->hash_key, 0, sizeof(info->hash_key));
}

/* The option whose data no honest plugin sends, if there is one. */
static const char *invalid(const struct xt_dtlscid_tginfo_v0 *info, u8 pf)
{
	const u8 drop = XT_DTLSCID_DROP, pass = XT_DTLSCID_CONTINUE, hash = XT_DTLSCID_HASH;

	if (!flags_valid(info))
		return "flags";
	if (!nf_dtlscid_format_valid(&info->format))
		return "--id-offset, --id-length or --cid-length";
	if (!nodes_valid(info, pf))
		return "--node";
	if (!is_one_of(info->fresh, drop, pass, hash))
		return "--new";
	if (!is_one_of(info->unknown, drop, pass, pass))
		return "--unknown";
	if (!is_one_of(info->malformed, drop, pass, pass))
		return "--malformed";
	if (!is_one_of(info->mixed, drop, XT_DTLSCID_FIRST, drop))
		return "--mixed";
	if (!is_one_of(info->not_dtls, drop, pass, hash))
		return "--not-dtls";
	if (!info->zone_base || info->zone_base + info->nnodes - 1 > U16_MAX)
		return "--zone-base";
	if (!timeouts_valid(info))
		return "--timeout";
	if (!info->max_flows || info->max_flows > XT_DTLSCID_FLOWS_MAX)
		return "--max-flows";
	if (!mask_valid(info, info->id_mark))
		return "--id-mark";
	if (!mask_valid(info, info->id_connmark))
		return "--id-connmark";
	if (!key_valid(info))
		return "--hash-key";
	if (!nf_name_valid(info->name))
		return "--name";
	if (!vip_valid(info, pf))
		return "--vip";
	return NULL;
}

/* By enum xt_dtlscid_action. */
static const u8 actions[] = {
	[XT_DTLSCID_DROP]	= LB_DROP,
	[XT_DTLSCID_CONTINUE]	= LB_PASS,
	[XT_DTLSCID_HASH]	= LB_HASH,
	[XT_DTLSCID_FIRST]	= LB_SERVE,
};

static void set_actions(struct lb_rule *r, const struct xt_dtlscid_tginfo_v0 *info)
{
	u8 fresh = info->fresh == XT_DTLSCID_DROP ? LB_LIVE : actions[info->fresh];

	r->action[LB_CID12] = LB_SERVE;
	r->action[LB_CID13] = LB_SERVE;
	r->action[LB_MIXED] = actions[info->mixed];
	r->action[LB_CLIENT_HELLO] = fresh;
	r->action[LB_NO_CID] = fresh;
	r->action[LB_NOT_DTLS] = actions[info->not_dtls];
	r->action[LB_MALFORMED] = actions[info->malformed];
	r->action[LB_UNKNOWN_NODE] = actions[info->unknown];
	r->action[LB_NODE_DOWN] = actions[info->unknown];
	r->action[LB_NO_TEMPLATE] = LB_DROP;
}

static void set_format(struct lb_rule *r, const struct xt_dtlscid_tginfo_v0 *info)
{
	r->cid_length = info->format.cid_length;
	r->format = info->format;
	r->format.cid_length = 0;
	r->zone0_check = info->flags & XT_DTLSCID_ZONE0_CHECK;
	r->shortcut = dtls_shortcut(&r->format);
	if (r->zone0_check)	/* which is not what the shortcut is for */
		r->shortcut.header = U16_MAX;
}

static struct lb_rule *rule_new(const struct xt_dtlscid_tginfo_v0 *info, u8 pf)
{
	struct lb_rule *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	r->pf = pf;
	r->v6 = pf == NFPROTO_IPV6;
	r->id_mark = info->id_mark;
	r->info.timeout[0] = info->timeout[0];
	r->info.timeout[1] = info->timeout[1];
	r->info.max_flows = info->max_flows;
	r->info.id_connmark = info->id_connmark;
	r->info.no_dnat = info->flags & XT_DTLSCID_NO_DNAT;
	r->info.elsewhere = info->fresh == XT_DTLSCID_CONTINUE;
	r->info.vip = info->vip;
	r->info.vip_port = info->vip_port;
	set_actions(r, info);
	set_format(r, info);
	return r;
}

static int dtlscid_tg_check(const struct xt_tgchk_param *par)
{
	struct xt_dtlscid_tginfo_v0 *info = par->targinfo;
	const char *bad = invalid(info, par->family);
	struct lb_rule *r;
	int err;

	if (bad) {
		pr_info_ratelimited("target: invalid %s\n", bad);
		return -EINVAL;
	}
	r = rule_new(info, par->family);
	if (!r)
		return -ENOMEM;
	err = lb_rule_add(r, par->net, info);
	if (err) {
		kfree(r);
		return err;
	}
	info->kernel = (unsigned long)r;
	return 0;
}

static void dtlscid_tg_destroy(const struct xt_tgdtor_param *par)
{
	const struct xt_dtlscid_tginfo_v0 *info = par->targinfo;
	struct lb_rule *r = (struct lb_rule *)(unsigned long)info->kernel;

	lb_rule_del(r);
	kfree(r);
}

static struct xt_target dtlscid_tg_reg[] __read_mostly = {
	{
		.name		= "DTLSCID",
		.family		= NFPROTO_IPV4,
		.table		= "raw",
		.hooks		= 1 << NF_INET_PRE_ROUTING | 1 << NF_INET_LOCAL_OUT,
		.proto		= IPPROTO_UDP,
		.target		= dtlscid_tg,
		.checkentry	= dtlscid_tg_check,
		.destroy	= dtlscid_tg_destroy,
		.targetsize	= sizeof(struct xt_dtlscid_tginfo_v0),
		.usersize	= offsetof(struct xt_dtlscid_tginfo_v0, kernel),
		.me		= THIS_MODULE,
	},
	{
		.name		= "DTLSCID",
		.family		= NFPROTO_IPV6,
		.table		= "raw",
		.hooks		= 1 << NF_INET_PRE_ROUTING | 1 << NF_INET_LOCAL_OUT,
		.proto		= IPPROTO_UDP,
		.target		= dtlscid_tg,
		.checkentry	= dtlscid_tg_check,
		.destroy	= dtlscid_tg_destroy,
		.targetsize	= sizeof(struct xt_dtlscid_tginfo_v0),
		.usersize	= offsetof(struct xt_dtlscid_tginfo_v0, kernel),
		.me		= THIS_MODULE,
	},
};

static int __init xt_dtlscid_target_init(void)
{
	int err;

	/* Equal for 32 and 64 bit user space, and small enough for nft. */
	BUILD_BUG_ON(offsetof(struct xt_dtlscid_tginfo_v0, node) != 132);
	BUILD_BUG_ON(offsetof(struct xt_dtlscid_tginfo_v0, kernel) != 3208);
	BUILD_BUG_ON(sizeof(struct xt_dtlscid_tginfo_v0) != 3216);
	err = lb_service_init();
	if (err)
		return err;
	err = xt_register_targets(dtlscid_tg_reg, ARRAY_SIZE(dtlscid_tg_reg));
	if (err)
		lb_service_exit();
	return err;
}

static void __exit xt_dtlscid_target_exit(void)
{
	xt_unregister_targets(dtlscid_tg_reg, ARRAY_SIZE(dtlscid_tg_reg));
	lb_service_exit();
	rcu_barrier();	/* node_free() is code of ours */
}

module_init(xt_dtlscid_target_init);
module_exit(xt_dtlscid_target_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Xtables: load balancing by DTLS Connection ID");
MODULE_ALIAS("ipt_DTLSCID");
MODULE_ALIAS("ip6t_DTLSCID");
