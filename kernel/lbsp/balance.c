// SPDX-License-Identifier: GPL-2.0-only
/* What happens to the first packet of a flow. */
#include <linux/netfilter/x_tables.h>
#include <net/netfilter/nf_nat.h>
#include "lbsp.h"

static unsigned int count(const struct lbsp_rule *r, enum lbsp_decision what, unsigned int verdict)
{
	this_cpu_inc(r->service->total->decision[what]);
	return verdict;
}

/* Translation would break what IPsec covers, and a checksum over another address. */
static bool is_supported(const struct lbsp_packet *d)
{
	return !d->sealed && !d->routed && !d->fragment &&
	       (d->next == IPPROTO_TCP || d->next == IPPROTO_UDP);
}

/* What its option says: a decision, and the server that it has, if there is one. */
static enum lbsp_decision judge(const struct lbsp_rule *r, const struct lbsp_packet *d,
				const struct lbsp_member **to)
{
	*to = NULL;
	if (!lbsp_has_option(d) || !lbsp_is_set(d, LBSP_CLIENT))
		return LBSP_FALLBACK;
	if (!lbsp_is_set(d, LBSP_SERVER))
		return LBSP_NEW;
	*to = lbsp_pool_find(r, nf_lbsp_segment(d, LBSP_SERVER));
	if (!*to)
		return LBSP_FOREIGN;
	switch (READ_ONCE((*to)->server->state)) {
	case XT_DTLSCID_DOWN:
		*to = NULL;
		return LBSP_STALE;
	case XT_DTLSCID_DRAIN:
		return LBSP_DRAINED;
	default:
		return (*to)->draw.weight ? LBSP_PERSISTENT : LBSP_DRAINED;
	}
}

static unsigned int dnat(struct nf_conn *ct, const struct in6_addr *addr)
{
	struct nf_nat_range2 range = {
		.flags		= NF_NAT_RANGE_MAP_IPS,
		.min_addr.in6	= *addr,
		.max_addr.in6	= *addr,
	};

	return nf_nat_setup_info(ct, &range, NF_NAT_MANIP_DST);
}

/**
 * lbsp_balance() - what the target does with a packet
 * @r:		rule
 * @skb:	packet of which NAT asks
 *
 * Return: an xtables verdict.
 */
unsigned int lbsp_balance(const struct lbsp_rule *r, struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);
	const struct nf_conntrack_tuple *sent;
	const struct lbsp_member *to;
	enum lbsp_decision decision;
	struct lbsp_packet d;

	if (!ct || nf_ct_is_confirmed(ct) || (ctinfo != IP_CT_NEW && ctinfo != IP_CT_RELATED))
		return XT_CONTINUE;	/* confirmed: it began before there was a nat table */
	nf_lbsp_read(skb, &r->format, &d);
	if (d.error)
		return count(r, LBSP_MALFORMED, NF_DROP);
	if (!is_supported(&d))
		return count(r, LBSP_UNSUPPORTED, XT_CONTINUE);
	decision = judge(r, &d, &to);
	if (decision == LBSP_FOREIGN && r->drop_foreign)
		return count(r, decision, NF_DROP);
	sent = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	if (!to)
		to = lbsp_pool_select(r, decision == LBSP_FALLBACK ? &sent->src.u3.in6 :
				      nf_lbsp_segment(&d, LBSP_CLIENT), sent);
	if (!to)
		return count(r, LBSP_NO_SERVER, NF_DROP);
	this_cpu_inc(*to->server->flows);
	lbsp_flow_add(r->service, ct);
	return count(r, decision, dnat(ct, &to->server->addr));
}
