// SPDX-License-Identifier: GPL-2.0-only
/*
 * A node speaks first: it sends from its service's address and port to a client that
 * has no flow, or none any more (CoAP observe, LwM2M push, a probe as of RFC 9853).
 *
 * The flow is made as if the client had sent a datagram to the service before: in the
 * node's zone, from client to service.  So the node's packet is a reply and leaves as
 * such, and what the client sends next finds its own node, whichever spoke first.  (A
 * flow from node to client would take all that the client sends: its reply tuple, in
 * the default zone, is what conntrack finds for want of one in a node's.)
 *
 * Only the first packet of a connection comes by here, so others pay nothing.
 */
#include <linux/inetdevice.h>
#include <linux/netfilter_ipv6.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_ecache.h>
#include <net/netfilter/nf_conntrack_labels.h>
#include <net/netfilter/nf_conntrack_timestamp.h>
#include <net/netfilter/nf_nat.h>
#include <net/route.h>
#include "lb.h"

/* A slot of that key, and in @from the service that it speaks from. */
static struct lb_slot *find(struct lb_family *f, const struct nf_conntrack_tuple *sent,
			    __be16 port, struct nf_conntrack_tuple *from)
{
	struct lb_slot *slot;

	hash_for_each_possible_rcu(f->by_addr, slot, by_addr, lb_addr_hash(&sent->src.u3, port))
		if (slot->port == port && nf_inet_addr_cmp(&slot->addr, &sent->src.u3) &&
		    lb_speaks_from(f, slot, &from->dst.u3, &from->dst.u.udp.port) &&
		    sent->src.u.udp.port == (port ?: from->dst.u.udp.port))
			return slot;
	return NULL;
}

/* The way back to where the packet says it comes from is the one it came. */
static bool way_back(const struct nf_conntrack_tuple *sent, const struct nf_hook_state *state)
{
	struct flowi fl = {};
	struct dst_entry *dst;
	bool same;

	if (state->pf == NFPROTO_IPV4)
		fl.u.ip4.daddr = sent->src.u3.ip;
	else
		fl.u.ip6.daddr = sent->src.u3.in6;
	if (nf_route(state->net, &dst, &fl, false, state->pf))
		return false;
	same = dst->dev == state->in;
	dst_release(dst);
	return same;
}

/* To somebody else, and one: what is for the balancer itself is left alone. */
static bool goes_out(struct net *net, const struct sk_buff *skb, u8 pf)
{
	const struct in6_addr *to;

	if (pf == NFPROTO_IPV4)
		return inet_addr_type_dev_table(net, skb->dev, ip_hdr(skb)->daddr) == RTN_UNICAST;
	to = &ipv6_hdr(skb)->daddr;
	return !ipv6_addr_is_multicast(to) && !(ipv6_addr_type(to) & IPV6_ADDR_LINKLOCAL) &&
	       !nf_ipv6_chk_addr(net, to, NULL, 0);
}

static void note(const struct lb_service *s, enum lb_first what)
{
	this_cpu_inc(s->cpu->total.first[what]);
}

/* As conntrack does for a first packet; a reply is not seen yet. */
static bool equip(struct lb_service *s, struct nf_conn *ct)
{
	struct nf_conn_tstamp *began = nf_ct_tstamp_ext_add(ct, GFP_ATOMIC);

	if (began)
		began->start = ktime_get_real_ns();
	nf_ct_acct_ext_add(ct, GFP_ATOMIC);
	nf_ct_ecache_ext_add(ct, 0, 0, GFP_ATOMIC);
	nf_ct_labels_ext_add(ct);
	if (!nf_ct_timeout_ext_add(ct, s->timeout[LB_CID12], GFP_ATOMIC))
		return false;
	ct->timeout = nfct_time_stamp + READ_ONCE(s->seconds[1]) * HZ;
	ct->proto.udp.stream_ts = jiffies + 2 * HZ;
	return true;
}

/*
 * To the node, and from the client as it is: conntrack would give it another port if
 * somebody else had a flow with this reply.
 */
static bool translate(const struct lb_family *f, struct nf_conn *ct, const struct lb_slot *slot,
		      const struct nf_conntrack_tuple *reply)
{
	const struct nf_conntrack_tuple *is = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;

	return lb_bind(f, ct, slot) == NF_ACCEPT &&
	       nf_nat_alloc_null_binding(ct, NF_INET_POST_ROUTING) == NF_ACCEPT &&
	       nf_ct_tuple_equal(is, reply);
}

/*
 * Make the flow of which there was no first packet: to the slot, @from client to service,
 * @reply being what the node sends.  As one that a CID began, it binds no client.
 * Such flows leave half of --max-flows to clients: who speaks as a node needs no client
 * for them.
 */
static bool insert(struct lb_service *s, const struct lb_family *f, const struct lb_slot *slot,
		   const struct nf_conntrack_tuple *from, const struct nf_conntrack_tuple *reply)
{
	struct nf_conntrack_zone zone = lb_zone(s, slot->number);
	struct nf_conntrack_tuple back;
	struct nf_conn *ct;

	if (!nf_ct_invert_tuple(&back, from) || !lb_flow_add(s, (READ_ONCE(s->max_flows) + 1) / 2))
		return false;
	ct = nf_conntrack_alloc(s->base.net, &zone, from, &back, GFP_ATOMIC);
	if (IS_ERR(ct))
		goto none;
	if (!equip(s, ct) || !translate(f, ct, slot, reply))
		goto free;
	ct->status |= IPS_CONFIRMED;
	if (nf_conntrack_hash_check_insert(ct))
		goto free;
	lb_count_flow(slot, nf_ct_l3num(ct));
	nf_conntrack_event_report(IPCT_NEW, ct, 0, 0);
	nf_ct_put(ct);
	return true;
free:
	nf_conntrack_free(ct);
none:
	atomic_dec(&s->flows);
	return false;
}

/* The packet once more, from the hook's beginning: now it is a reply. */
static unsigned int again(struct sk_buff *skb, const struct nf_hook_state *state)
{
	nf_reset_ct(skb);
	NF_HOOK(state->pf, state->hook, state->net, state->sk, skb, state->in, state->out,
		state->okfn);
	return NF_STOLEN;
}

/* A name keeps its nodes' addresses to itself for a while after its last rule. */
static bool is_over(const struct lb_service *s)
{
	return !READ_ONCE(s->base.rules) &&
	       time_after(jiffies, READ_ONCE(s->base.left) + s->seconds[0] * HZ);
}

/*
 * Whether such a packet can be one: tracked where nobody asked for a zone, as the reply
 * would be looked for in that zone.
 */
static bool concerns(const struct lb_service *s, const struct lb_family *f,
		     const struct nf_conn *ct, const struct nf_hook_state *state)
{
	return nf_ct_protonum(ct) == IPPROTO_UDP && state->hook == NF_INET_PRE_ROUTING &&
	       nf_ct_zone_id(nf_ct_zone(ct), IP_CT_DIR_ORIGINAL) == NF_CT_DEFAULT_ZONE_ID &&
	       !READ_ONCE(f->no_dnat) && !is_over(s);
}

/**
 * lb_first() - a node's packet that conntrack knows no flow for
 * @s:		service
 * @skb:	first packet of a connection that is none of ours
 * @ct:		that connection, not confirmed
 * @state:	hook
 *
 * Where new clients are somebody else's business, so are the answers to them, of which
 * conntrack need not know: then a rule must say --vip, and nothing is dropped.
 *
 * Return: NF_ACCEPT if it comes from no node of ours.
 */
unsigned int lb_first(struct lb_service *s, struct sk_buff *skb, const struct nf_conn *ct,
		      const struct nf_hook_state *state)
{
	const struct nf_conntrack_tuple *sent = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	struct lb_family *f = lb_family(s, state->pf);
	const bool elsewhere = READ_ONCE(f->elsewhere);
	struct nf_conntrack_tuple from = {
		.src.u3 = sent->dst.u3,
		.src.u.udp.port = sent->dst.u.udp.port,
		.src.l3num = state->pf,
		.dst.protonum = IPPROTO_UDP,
		.dst.dir = IP_CT_DIR_ORIGINAL,
	};
	struct lb_slot *slot;

	if (!concerns(s, f, ct, state) || (elsewhere && !READ_ONCE(f->vip.port)))
		return NF_ACCEPT;
	slot = find(f, sent, sent->src.u.udp.port, &from) ?: find(f, sent, 0, &from);
	if (!slot || !goes_out(s->base.net, skb, state->pf) || !way_back(sent, state))
		return NF_ACCEPT;
	if (READ_ONCE(slot->silent) || !insert(s, f, slot, &from, sent)) {
		note(s, LB_FIRST_REFUSED);
		return elsewhere ? NF_ACCEPT : NF_DROP;
	}
	note(s, LB_FIRST_FLOWS);
	return again(skb, state);
}
