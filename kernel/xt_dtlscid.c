// SPDX-License-Identifier: GPL-2.0-only
/* -m dtlscid: match the DTLS records and the Connection ID of a datagram. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_dtlscid.h>
#include "nf_dtlscid.h"

/*
 * What a rule that asks for a node id of one byte, and nothing else, comes down
 * to; in the rule's own memory.
 */
struct quick {
	struct dtls_shortcut shortcut;
	bool usable;
	DECLARE_BITMAP(ids, 256);
};

static bool id_in_ranges(const struct xt_dtlscid_mtinfo_v0 *info, u32 id)
{
	unsigned int i;

	for (i = 0; i < info->nranges; i++)
		if (id >= info->range[i].min && id <= info->range[i].max)
			return true;
	return false;
}

/* As in the engine: a large buffer is cleared only where it is needed. */
static noinline bool cid_begins_with(const struct xt_dtlscid_mtinfo_v0 *info,
				     const struct sk_buff *skb, unsigned int payload,
				     const struct dtls_datagram *d)
{
	unsigned int whole = info->cid_bits / 8, rest = info->cid_bits % 8;
	unsigned int len = whole + !!rest;
	u8 buf[NF_DTLSCID_CID_LENGTH_MAX];
	const u8 *cid;

	if (len > d->cid_length)
		return false;
	cid = skb_header_pointer(skb, payload + d->cid_offset, len, buf);
	if (!cid || memcmp(cid, info->cid, whole))
		return false;
	return !rest || (cid[whole] ^ info->cid[whole]) >> (8 - rest) == 0;
}

static noinline bool match_all(const struct sk_buff *skb, unsigned int thoff,
			       const struct xt_dtlscid_mtinfo_v0 *info)
{
	struct dtls_datagram d;
	u8 passed = 0;

	if (!nf_dtlscid_read(skb, thoff, &info->format, &d))
		return false;
	if (info->tests & XT_DTLSCID_RECORD && d.records & info->records)
		passed |= XT_DTLSCID_RECORD;
	if (info->tests != XT_DTLSCID_RECORD) {
		if (!dtls_has_cid(&d))
			return false;
		if (info->tests & XT_DTLSCID_NODE_ID && id_in_ranges(info, d.id))
			passed |= XT_DTLSCID_NODE_ID;
		if (info->tests & XT_DTLSCID_CID &&
		    cid_begins_with(info, skb, thoff + sizeof(struct udphdr), &d))
			passed |= XT_DTLSCID_CID;
		if (info->tests & XT_DTLSCID_VERSION && d.version == info->version)
			passed |= XT_DTLSCID_VERSION;
	}
	return (passed ^ info->invert) == info->tests;
}

static bool dtlscid_mt(const struct sk_buff *skb, struct xt_action_param *par)
{
	const struct xt_dtlscid_mtinfo_v0 *info = par->matchinfo;
	const struct quick *quick = (const void *)info->kernel;
	const u8 *p;
	int len;

	if (nf_dtlscid_is_fragment(skb, xt_family(par)))
		return false;
	if (quick->usable) {
		len = nf_dtlscid_payload(skb, par->thoff, &p);
		if (len >= 0 && dtls_lone_cid(&quick->shortcut, p, len))
			return test_bit(p[quick->shortcut.id], quick->ids);
	}
	return match_all(skb, par->thoff, info);
}

static void set_quick(struct xt_dtlscid_mtinfo_v0 *info)
{
	struct quick *quick = (void *)info->kernel;
	unsigned int id;

	memset(info->kernel, 0, sizeof(info->kernel));
	if (info->tests != XT_DTLSCID_NODE_ID || info->format.id_length != 1)
		return;
	quick->shortcut = dtls_shortcut(&info->format);
	quick->usable = true;
	for (id = 0; id < 256; id++)
		if (id_in_ranges(info, id) != !!info->invert)
			__set_bit(id, quick->ids);
}

static bool ranges_valid(const struct xt_dtlscid_mtinfo_v0 *info)
{
	u32 max = U32_MAX >> (32 - 8 * info->format.id_length);
	unsigned int i, used = info->nranges;

	if (!!used != !!(info->tests & XT_DTLSCID_NODE_ID) ||
	    used > XT_DTLSCID_RANGES_MAX)
		return false;
	for (i = 0; i < used; i++)
		if (info->range[i].min > info->range[i].max ||
		    info->range[i].max > max)
			return false;
	return !memchr_inv(&info->range[used], 0,
			   (XT_DTLSCID_RANGES_MAX - used) * sizeof(info->range[0]));
}

static bool cid_valid(const struct xt_dtlscid_mtinfo_v0 *info)
{
	unsigned int longest = info->format.cid_length ?: NF_DTLSCID_CID_LENGTH_MAX;
	unsigned int whole = info->cid_bits / 8, rest = info->cid_bits % 8;

	if (!!info->cid_bits != !!(info->tests & XT_DTLSCID_CID) ||
	    info->cid_bits > 8 * longest)
		return false;
	if (rest && (u8)(info->cid[whole] << rest))
		return false;
	whole += !!rest;
	return !memchr_inv(info->cid + whole, 0, sizeof(info->cid) - whole);
}

static bool version_valid(const struct xt_dtlscid_mtinfo_v0 *info)
{
	if (info->tests & XT_DTLSCID_VERSION)
		return info->version == 2 || info->version == 3;
	return !info->version;
}

static bool records_valid(const struct xt_dtlscid_mtinfo_v0 *info)
{
	return !!info->records == !!(info->tests & XT_DTLSCID_RECORD) &&
	       !(info->records & ~NF_DTLSCID_RECORD_ALL);
}

static int dtlscid_mt_check(const struct xt_mtchk_param *par)
{
	struct xt_dtlscid_mtinfo_v0 *info = par->matchinfo;
	const char *bad = NULL;

	if (info->tests & ~XT_DTLSCID_ALL_TESTS || info->invert & ~info->tests ||
	    memchr_inv(info->pad, 0, sizeof(info->pad)))
		bad = "flags";
	else if (!nf_dtlscid_format_valid(&info->format))
		bad = "--id-offset, --id-length or --cid-length";
	else if (!ranges_valid(info))
		bad = "--node-id";
	else if (!cid_valid(info))
		bad = "--cid";
	else if (!version_valid(info))
		bad = "--dtls-version";
	else if (!records_valid(info))
		bad = "--record";
	if (bad) {
		pr_info_ratelimited("match: invalid %s\n", bad);
		return -EINVAL;
	}
	set_quick(info);
	return 0;
}

static struct xt_match dtlscid_mt_reg[] __read_mostly = {
	{
		.name		= "dtlscid",
		.family		= NFPROTO_IPV4,
		.proto		= IPPROTO_UDP,
		.match		= dtlscid_mt,
		.checkentry	= dtlscid_mt_check,
		.matchsize	= sizeof(struct xt_dtlscid_mtinfo_v0),
		.usersize	= offsetof(struct xt_dtlscid_mtinfo_v0, kernel),
		.me		= THIS_MODULE,
	},
	{
		.name		= "dtlscid",
		.family		= NFPROTO_IPV6,
		.proto		= IPPROTO_UDP,
		.match		= dtlscid_mt,
		.checkentry	= dtlscid_mt_check,
		.matchsize	= sizeof(struct xt_dtlscid_mtinfo_v0),
		.usersize	= offsetof(struct xt_dtlscid_mtinfo_v0, kernel),
		.me		= THIS_MODULE,
	},
};

static int __init xt_dtlscid_init(void)
{
	/* Layout equal for 32 and 64 bit user space: a multiple of 8, no holes. */
	BUILD_BUG_ON(offsetof(struct xt_dtlscid_mtinfo_v0, kernel) != 1296);
	BUILD_BUG_ON(sizeof(struct xt_dtlscid_mtinfo_v0) != 1344);
	BUILD_BUG_ON(sizeof(struct quick) > sizeof_field(struct xt_dtlscid_mtinfo_v0, kernel));
	BUILD_BUG_ON(offsetof(struct xt_dtlscid_mtinfo_v0, range) != 12);
	return xt_register_matches(dtlscid_mt_reg, ARRAY_SIZE(dtlscid_mt_reg));
}

static void __exit xt_dtlscid_exit(void)
{
	xt_unregister_matches(dtlscid_mt_reg, ARRAY_SIZE(dtlscid_mt_reg));
}

module_init(xt_dtlscid_init);
module_exit(xt_dtlscid_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Xtables: DTLS Connection ID match");
MODULE_ALIAS("ipt_dtlscid");
MODULE_ALIAS("ip6t_dtlscid");
