// SPDX-License-Identifier: GPL-2.0-only
/*
 * --zone0-check: a client's flow in the default zone, where somebody else does the
 * handshakes and tracks them.
 */
#include <net/netfilter/nf_conntrack_core.h>
#include "lb.h"

/* What answers a client by its flow in the default zone, if it has begun one. */
static bool find_reply(struct net *net, const struct nf_conntrack_tuple *from,
		       struct nf_conntrack_tuple *reply)
{
	struct nf_conntrack_tuple_hash *h = nf_conntrack_find_get(net, &nf_ct_zone_dflt, from);
	struct nf_conn *ct;
	bool began;

	if (!h)
		return false;
	ct = nf_ct_tuplehash_to_ctrack(h);
	began = NF_CT_DIRECTION(h) == IP_CT_DIR_ORIGINAL;
	*reply = ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	nf_ct_put(ct);
	return began;
}

/**
 * lb_zone0_serves() - whether the client's flow in the default zone goes to a slot
 * @r:		rule
 * @skb:	datagram
 * @number:	slot
 */
bool lb_zone0_serves(const struct lb_rule *r, const struct sk_buff *skb, u16 number)
{
	const struct lb_slot *slot = xa_load(&r->family->slots, number);
	struct nf_conntrack_tuple from, reply;

	return slot && nf_ct_get_tuplepr(skb, skb_network_offset(skb), r->pf,
					 r->service->base.net, &from) &&
	       find_reply(r->service->base.net, &from, &reply) &&
	       nf_inet_addr_cmp(&reply.src.u3, &slot->addr) &&
	       reply.src.u.udp.port == (slot->port ?: from.dst.u.udp.port);
}
