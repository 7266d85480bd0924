// SPDX-License-Identifier: GPL-2.0-only
/* -m lbsp: match the LBSP option of an IPv6 packet. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/skbuff.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_lbsp.h>
#include <net/ipv6.h>
#include "nf_lbsp.h"

/* The tests of the option that it passes. */
static u8 option_passes(const struct xt_lbsp_mtinfo_v0 *info, const struct lbsp_packet *d)
{
	u8 passed = 0;

	if (ipv6_prefix_equal(nf_lbsp_segment(d, LBSP_CLIENT), &info->client, info->client_bits))
		passed |= XT_LBSP_CLIENT;
	if (ipv6_prefix_equal(nf_lbsp_segment(d, LBSP_SERVER), &info->server, info->server_bits))
		passed |= XT_LBSP_SERVER;
	if (lbsp_is_set(d, LBSP_SERVER))
		passed |= XT_LBSP_SERVER_SET;
	if (d->encoding == info->encoding)
		passed |= XT_LBSP_ENCODING;
	return passed;
}

static bool lbsp_mt(const struct sk_buff *skb, struct xt_action_param *par)
{
	const struct xt_lbsp_mtinfo_v0 *info = par->matchinfo;
	struct lbsp_packet d;
	u8 passed = 0;

	nf_lbsp_read(skb, &info->format, &d);
	if (d.error)
		passed |= XT_LBSP_MALFORMED;
	if (info->tests != XT_LBSP_MALFORMED) {
		if (!lbsp_has_option(&d))
			return false;
		passed |= option_passes(info, &d);
	}
	return ((passed ^ info->invert) & info->tests) == info->tests;
}

/* A prefix that no test asks for is 0, and bits past a prefix are. */
static bool prefix_valid(const struct in6_addr *addr, u8 bits, bool asked)
{
	struct in6_addr prefix;

	if (bits > 128 || (!asked && bits))
		return false;
	ipv6_addr_prefix(&prefix, addr, bits);
	return ipv6_addr_equal(&prefix, addr);
}

static const char *invalid(const struct xt_lbsp_mtinfo_v0 *info)
{
	if (info->tests & ~XT_LBSP_ALL_TESTS || info->invert & ~info->tests || info->pad)
		return "flags";
	if (!nf_lbsp_format_valid(&info->format))
		return "--option-type";
	if (info->tests & XT_LBSP_ENCODING ?
	    info->encoding != NF_LBSP_RFC && info->encoding != NF_LBSP_DRAFT : info->encoding)
		return "--encoding";
	if (!prefix_valid(&info->client, info->client_bits, info->tests & XT_LBSP_CLIENT))
		return "--client";
	if (!prefix_valid(&info->server, info->server_bits, info->tests & XT_LBSP_SERVER))
		return "--server";
	return NULL;
}

static int lbsp_mt_check(const struct xt_mtchk_param *par)
{
	const char *bad = invalid(par->matchinfo);

	if (!bad)
		return 0;
	pr_info_ratelimited("match: invalid %s\n", bad);
	return -EINVAL;
}

static struct xt_match lbsp_mt_reg __read_mostly = {
	.name		= "lbsp",
	.family		= NFPROTO_IPV6,
	.match		= lbsp_mt,
	.checkentry	= lbsp_mt_check,
	.matchsize	= sizeof(struct xt_lbsp_mtinfo_v0),
	.me		= THIS_MODULE,
};

static int __init xt_lbsp_init(void)
{
	/* Equal for 32 and 64 bit user space. */
	BUILD_BUG_ON(offsetof(struct xt_lbsp_mtinfo_v0, client) != 8);
	BUILD_BUG_ON(sizeof(struct xt_lbsp_mtinfo_v0) != 40);
	return xt_register_match(&lbsp_mt_reg);
}

static void __exit xt_lbsp_exit(void)
{
	xt_unregister_match(&lbsp_mt_reg);
}

module_init(xt_lbsp_init);
module_exit(xt_lbsp_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Xtables: LBSP option match");
MODULE_ALIAS("ip6t_lbsp");
