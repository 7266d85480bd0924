// SPDX-License-Identifier: GPL-2.0-only
/*
 * ICMP errors about packets that went to a client.
 *
 * Such an error quotes a packet from the service to the client and is addressed to
 * the service.  Conntrack looks for the flow in the default zone and finds none: ours
 * began in the zone of their slot, which the quote does not name.  So an error that
 * nobody has claimed is looked for, by what it quotes, in a few of the zones; for each
 * where there is one it is received again, and NAT takes it to the node.
 *
 * This happens at LOCAL_IN, where forwarded packets do not come by: the service's
 * address must be one of the balancer's own.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_core.h>
#include "lb.h"

#define TRIES	16	/* zones looked into for one error */

static unsigned int note(const struct lb_service *s, enum lb_icmp what)
{
	this_cpu_inc(s->cpu->total.icmp[what]);
	return NF_ACCEPT;
}

/* Where the quoted packet of an ICMP error begins; 0 if this is none. */
static unsigned int quoted_v4(const struct sk_buff *skb)
{
	const struct iphdr *ih = ip_hdr(skb);
	unsigned int at = skb_network_offset(skb) + ih->ihl * 4;
	struct icmphdr buf;
	const struct icmphdr *icmp;

	if (ih->protocol != IPPROTO_ICMP || ip_is_fragment(ih))
		return 0;
	icmp = skb_header_pointer(skb, at, sizeof(buf), &buf);
	if (!icmp || (icmp->type != ICMP_DEST_UNREACH && icmp->type != ICMP_TIME_EXCEEDED &&
		      icmp->type != ICMP_PARAMETERPROB))
		return 0;
	return at + sizeof(*icmp);
}

static unsigned int quoted_v6(const struct sk_buff *skb)
{
	u8 next = ipv6_hdr(skb)->nexthdr;
	struct icmp6hdr buf;
	const struct icmp6hdr *icmp;
	__be16 frag;
	int at;

	at = ipv6_skip_exthdr(skb, skb_network_offset(skb) + sizeof(struct ipv6hdr), &next, &frag);
	if (at < 0 || next != IPPROTO_ICMPV6 || frag & htons(~0x7))
		return 0;
	icmp = skb_header_pointer(skb, at, sizeof(buf), &buf);
	if (!icmp || icmp->icmp6_type & ICMPV6_INFOMSG_MASK)
		return 0;
	return at + sizeof(*icmp);
}

/* Whether the packet went to where its error says it came from. */
static bool is_ours(const struct sk_buff *skb, u8 pf, const struct nf_conntrack_tuple *quoted)
{
	if (quoted->dst.protonum != IPPROTO_UDP)
		return false;
	if (pf == NFPROTO_IPV4)
		return quoted->src.u3.ip == ip_hdr(skb)->daddr;
	return ipv6_addr_equal(&quoted->src.u3.in6, &ipv6_hdr(skb)->daddr);
}

static bool is_there(const struct lb_service *s, u16 slot, const struct nf_conntrack_tuple *tuple)
{
	struct nf_conn *ct = lb_find_flow(s, slot, tuple);

	if (!ct)
		return false;
	nf_ct_put(ct);
	return true;
}

/* The slots that the client's bucket has: a flow born without a CID is in one of them. */
static u64 bucket_slots(const struct lb_service *s, const struct lb_family *f, u8 pf,
			const struct nf_conntrack_tuple *tuple)
{
	const struct lb_buckets *t = rcu_dereference(f->buckets);

	return t ? READ_ONCE(t->bucket[lb_hash(s, pf, tuple) % LB_BUCKETS].slots) : U64_MAX;
}

static bool is_among(u64 slots, u16 slot)
{
	unsigned int i;

	for (i = 0; i < LB_OLD + 1; i++)
		if (lb_bucket_slot(slots, i) == slot)
			return true;
	return false;
}

/* Where there are flows that an error may be about. */
struct search {
	struct lb_family *f;
	const struct nf_conntrack_tuple *tuple;
	unsigned int tries;
	unsigned int found;
	u16 slot[TRIES];
};

static void look(const struct lb_service *s, struct search *x, u16 slot)
{
	x->tries++;
	if (is_there(s, slot, x->tuple))
		x->slot[x->found++] = slot;
}

static void look_in_bucket(const struct lb_service *s, u64 slots, struct search *x)
{
	unsigned int i;

	for (i = 0; i < LB_OLD + 1; i++)
		if (lb_bucket_slot(slots, i) != LB_NO_SLOT)
			look(s, x, lb_bucket_slot(slots, i));
}

/*
 * Each search goes on where the last one ended, so that of errors that come again, as
 * for each packet that is too big, one finds the flow in the end.
 */
static void look_in_turn(const struct lb_service *s, u64 tried, struct search *x)
{
	unsigned long at = READ_ONCE(x->f->next), first = at;
	bool wrapped = false;

	while (x->tries < TRIES) {
		if (!xa_find(&x->f->slots, &at, wrapped ? first - 1 : ULONG_MAX, XA_PRESENT)) {
			if (wrapped || !first)
				break;
			wrapped = true;
			at = 0;
			continue;
		}
		if (!is_among(tried, at))
			look(s, x, at);
		WRITE_ONCE(x->f->next, ++at);
		if (wrapped && at >= first)
			break;
	}
}

/* Give it to the flow that conntrack, told the zone, finds; if it does. */
static unsigned int deliver(struct lb_service *s, struct sk_buff *skb,
			    const struct nf_hook_state *state, u16 slot)
{
	struct nf_hook_state pre_routing = *state;
	enum ip_conntrack_info ctinfo;

	pre_routing.hook = NF_INET_PRE_ROUTING;
	if (!lb_attach_own(s->cpu, skb, LB_CID12, s->zone_base + slot) &&
	    !lb_attach_once(s, skb, LB_CID12, s->zone_base + slot))
		return NF_ACCEPT;
	if (nf_conntrack_in(skb, &pre_routing) != NF_ACCEPT)
		return NF_DROP;
	/* Anything else would come by here again, for ever. */
	if (!nf_ct_get(skb, &ctinfo) ||
	    (ctinfo != IP_CT_RELATED && ctinfo != IP_CT_RELATED_REPLY))
		return NF_ACCEPT;
	skb_dst_drop(skb);
	skb_reset_mac_header(skb);
	netif_rx(skb);
	return NF_STOLEN;
}

/*
 * One client port may have flows to several nodes, and the quote does not say whose
 * packet it was; what is wrong with the way to the client concerns all of them.
 */
static unsigned int deliver_all(struct lb_service *s, struct sk_buff *skb,
				const struct nf_hook_state *state, const struct search *x)
{
	struct sk_buff *copy;
	unsigned int i;

	if (!x->found)
		return note(s, LB_ICMP_UNKNOWN);
	note(s, LB_ICMP_FOUND);
	for (i = 1; i < x->found; i++) {
		copy = skb_copy(skb, GFP_ATOMIC);
		if (copy && deliver(s, copy, state, x->slot[i]) != NF_STOLEN)
			kfree_skb(copy);
	}
	return deliver(s, skb, state, x->slot[0]);
}

/**
 * lb_icmp() - claim an ICMP error about one of our flows
 * @priv:	service
 * @skb:	packet to the balancer itself
 * @state:	hook
 */
unsigned int lb_icmp(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct lb_service *s = priv;
	struct lb_family *f = lb_family(s, state->pf);
	struct nf_conntrack_tuple quoted, tuple;
	struct search x = { .f = f, .tuple = &tuple };
	unsigned int at;
	u64 slots;

	if (skb->_nfct)
		return NF_ACCEPT;
	at = state->pf == NFPROTO_IPV4 ? quoted_v4(skb) : quoted_v6(skb);
	if (!at || !nf_ct_get_tuplepr(skb, at, state->pf, s->base.net, &quoted) ||
	    !is_ours(skb, state->pf, &quoted) || !nf_ct_invert_tuple(&tuple, &quoted))
		return NF_ACCEPT;
	if (!__ratelimit(&s->icmp_rate))
		return note(s, LB_ICMP_LIMITED);
	slots = bucket_slots(s, f, state->pf, &tuple);
	look_in_bucket(s, slots, &x);
	look_in_turn(s, slots, &x);
	return deliver_all(s, skb, state, &x);
}
