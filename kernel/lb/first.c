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
#include <net/route.h>
#include "lb.h"

static bool is_vip(struct lb_vip *v, const union nf_inet_addr *addr, __be16 port)
{
	union nf_inet_addr a;
	__be16 p;

	return lb_vip_get(v, &a, &p) && p == port && !memcmp(&a, addr, sizeof(a));
}

/* Written for new flows only, and seldom then: most services have one address. */
void lb_vip_set(struct lb_vip *v, const union nf_inet_addr *addr, __be16 port)
{
	if (is_vip(v, addr, port))
		return;
	write_seqlock_bh(&v->lock);
	v->addr = *addr;
	v->port = port;
	write_sequnlock_bh(&v->lock);
}

/* Return: whether it is known. */
bool lb_vip_get(struct lb_vip *v, union nf_inet_addr *addr, __be16 *port)
{
	unsigned int seq;

	do {
		seq = read_seqbegin(&v->lock);
		*addr = v->addr;
		*port = v->port;
	} while (read_seqretry(&v->lock, seq));
	return *port;
}

/**
 * lb_speaks_from() - what the packets of a node are to come from
 * @f:		family
 * @slot:	the node's
 * @addr:	filled in: the service's address
 * @port:	filled in: its port
 *
 * Return: false when no rule says it and no client has come yet.
 */
bool lb_speaks_from(struct lb_family *f, struct lb_slot *slot, union nf_inet_addr *addr,
		    __be16 *port)
{
	return lb_vip_get(&f->vip, addr, port) || lb_vip_get(&slot->vip, addr, port) ||
	       lb_vip_get(&f->last, addr, port);
}

/* The slot that the packet comes from, and in @from the tuple of its flow's client. */
static struct lb_slot *find_slot(struct lb_family *f, const struct nf_conntrack_tuple *sent,
				 struct nf_conntrack_tuple *from)
{
	__be16 port = sent->src.u.udp.port;
	struct lb_slot *slot;

	hash_for_each_possible_rcu(f->by_addr, slot, by_addr, lb_addr_hash(&sent->src.u3)) {
		if (!nf_inet_addr_cmp(&slot->addr, &sent->src.u3) ||
		    !lb_speaks_from(f, slot, &from->dst.u3, &from->dst.u.udp.port) ||
		    port != (slot->port ?: from->dst.u.udp.port))
			continue;
		from->src.u3 = sent->dst.u3;
		from->src.u.udp.port = sent->dst.u.udp.port;
		return slot;
	}
	return NULL;
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

/* The packet once more, from the hook's beginning: now it is a reply. */
static unsigned int again(struct sk_buff *skb, const struct nf_hook_state *state)
{
	nf_reset_ct(skb);
	NF_HOOK(state->pf, state->hook, state->net, state->sk, skb, state->in, state->out,
		state->okfn);
	return NF_STOLEN;
}

/**
 * lb_first() - a node's packet that conntrack knows no flow for
 * @s:		service
 * @skb:	first packet of a connection that is none of ours
 * @ct:		that connection, not confirmed
 * @state:	hook
 *
 * Return: NF_ACCEPT if it comes from no node of ours.
 */
unsigned int lb_first(struct lb_service *s, struct sk_buff *skb, const struct nf_conn *ct,
		      const struct nf_hook_state *state)
{
	const struct nf_conntrack_tuple *sent = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	struct lb_family *f = lb_family(s, state->pf);
	struct nf_conntrack_tuple from = {
		.src.l3num = state->pf,
		.dst.protonum = IPPROTO_UDP,
		.dst.dir = IP_CT_DIR_ORIGINAL,
	};
	struct lb_slot *slot;

	if (sent->dst.protonum != IPPROTO_UDP || state->hook != NF_INET_PRE_ROUTING ||
	    READ_ONCE(f->no_dnat))
		return NF_ACCEPT;
	slot = find_slot(f, sent, &from);
	if (!slot || !goes_out(s->net, skb, state->pf))
		return NF_ACCEPT;
	if (!lb_flow_insert(s, f, slot, &from, sent)) {
		note(s, LB_FIRST_REFUSED);
		return NF_DROP;
	}
	note(s, LB_FIRST_FLOWS);
	return again(skb, state);
}
