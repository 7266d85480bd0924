// SPDX-License-Identifier: GPL-2.0-only
/* -j LBSP: send a flow to the server that its LBSP option names, or that its client hashes to. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_LBSP.h>
#include <net/ipv6.h>
#include "lbsp/lbsp.h"

static unsigned int lbsp_tg(struct sk_buff *skb, const struct xt_action_param *par)
{
	const struct xt_lbsp_tginfo_v0 *info = par->targinfo;
	unsigned int verdict;

	verdict = lbsp_balance((const struct lbsp_rule *)(unsigned long)info->kernel, skb);
	/*
	 * A packet that nft drops, 6.1 stable frees and says so with an error number, of which
	 * nf_nat_ipv6_in() knows nothing: it looks at it once more.
	 */
	if (verdict == NF_DROP && xt_hooknum(par) == NF_INET_PRE_ROUTING) {
		kfree_skb(skb);
		return NF_STOLEN;
	}
	return verdict;
}

static bool format_valid(const struct nf_lbsp_format *f)
{
	return nf_lbsp_format_valid(f) && f->encodings != (NF_LBSP_RFC | NF_LBSP_DRAFT);
}

static bool server_valid(const struct xt_lbsp_tginfo_v0 *info, const struct xt_lbsp_server *x)
{
	const struct xt_lbsp_server *other;

	for (other = info->server; other < x; other++)
		if (ipv6_addr_equal(&other->addr, &x->addr))
			return false;
	return !ipv6_addr_any(&x->addr) && !ipv6_addr_is_multicast(&x->addr) &&
	       x->state <= XT_DTLSCID_DOWN && !memchr_inv(x->pad, 0, sizeof(x->pad));
}

static bool servers_valid(const struct xt_lbsp_tginfo_v0 *info)
{
	const unsigned int max = XT_LBSP_SERVERS_MAX, used = info->nservers;
	unsigned int i;

	if (!used || used > max)
		return false;
	for (i = 0; i < used; i++)
		if (!server_valid(info, &info->server[i]))
			return false;
	return !memchr_inv(&info->server[used], 0, (max - used) * sizeof(info->server[0]));
}

/* Both or none. */
static bool timeouts_valid(const u32 *t)
{
	return !t[0] == !t[1] && t[0] <= XT_DTLSCID_TIMEOUT_MAX && t[1] <= XT_DTLSCID_TIMEOUT_MAX;
}

static bool key_valid(const struct xt_lbsp_tginfo_v0 *info)
{
	return info->flags & XT_LBSP_HASH_KEY ||
	       !memchr_inv(info->hash_key, 0, sizeof(info->hash_key));
}

/* The option whose data no honest plugin sends, if there is one. */
static const char *invalid(const struct xt_lbsp_tginfo_v0 *info)
{
	if (info->flags & ~(XT_LBSP_HASH_KEY | XT_LBSP_DROP_FOREIGN) || info->pad)
		return "flags";
	if (!format_valid(&info->format))
		return "--encoding or --option-type";
	if (!servers_valid(info))
		return "--server";
	if (!timeouts_valid(info->timeout))
		return "--timeout";
	if (!key_valid(info))
		return "--hash-key";
	if (!nf_name_valid(info->name))
		return "--name";
	return NULL;
}

static struct lbsp_rule *rule_new(const struct xt_lbsp_tginfo_v0 *info)
{
	struct lbsp_rule *r = kvzalloc(struct_size(r, member, info->nservers), GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	r->format = info->format;
	r->drop_foreign = info->flags & XT_LBSP_DROP_FOREIGN;
	r->seconds[0] = info->timeout[0];
	r->seconds[1] = info->timeout[1];
	return r;
}

static int lbsp_tg_check(const struct xt_tgchk_param *par)
{
	struct xt_lbsp_tginfo_v0 *info = par->targinfo;
	const char *bad = invalid(info);
	struct lbsp_rule *r;
	int err;

	if (bad) {
		pr_info_ratelimited("target: invalid %s\n", bad);
		return -EINVAL;
	}
	r = rule_new(info);
	if (!r)
		return -ENOMEM;
	err = lbsp_rule_add(r, par->net, info);
	if (err) {
		kvfree(r);
		return err;
	}
	info->kernel = (unsigned long)r;
	return 0;
}

static void lbsp_tg_destroy(const struct xt_tgdtor_param *par)
{
	const struct xt_lbsp_tginfo_v0 *info = par->targinfo;
	struct lbsp_rule *r = (struct lbsp_rule *)(unsigned long)info->kernel;

	lbsp_rule_del(r);
	kvfree(r);
}

static struct xt_target lbsp_tg_reg __read_mostly = {
	.name		= "LBSP",
	.family		= NFPROTO_IPV6,
	.table		= "nat",
	.hooks		= 1 << NF_INET_PRE_ROUTING | 1 << NF_INET_LOCAL_OUT,
	.target		= lbsp_tg,
	.checkentry	= lbsp_tg_check,
	.destroy	= lbsp_tg_destroy,
	.targetsize	= sizeof(struct xt_lbsp_tginfo_v0),
	.usersize	= offsetof(struct xt_lbsp_tginfo_v0, kernel),
	.me		= THIS_MODULE,
};

static int __init xt_lbsp_target_init(void)
{
	int err;

	/* Equal for 32 and 64 bit user space, and small enough for nft. */
	BUILD_BUG_ON(offsetof(struct xt_lbsp_tginfo_v0, server) != 64);
	BUILD_BUG_ON(offsetof(struct xt_lbsp_tginfo_v0, kernel) != 2624);
	BUILD_BUG_ON(sizeof(struct xt_lbsp_tginfo_v0) != 2632);
	err = lbsp_service_init();
	if (err)
		return err;
	err = xt_register_target(&lbsp_tg_reg);
	if (err)
		lbsp_service_exit();
	return err;
}

static void __exit xt_lbsp_target_exit(void)
{
	xt_unregister_target(&lbsp_tg_reg);
	lbsp_service_exit();
	rcu_barrier();	/* server_free() is code of ours */
}

module_init(xt_lbsp_target_init);
module_exit(xt_lbsp_target_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Xtables: load balancing by LBSP option");
MODULE_ALIAS("ip6t_LBSP");
