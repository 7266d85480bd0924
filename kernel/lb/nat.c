// SPDX-License-Identifier: GPL-2.0-only
/* Where the first datagram of a flow goes. */
#include <net/ipv6.h>
#include <net/netfilter/nf_nat.h>
#include "lb.h"

static unsigned int udp_offset(const struct sk_buff *skb, u8 pf)
{
	u8 next;
	__be16 frag;
	int at;

	if (pf == NFPROTO_IPV4)
		return skb_network_offset(skb) + ip_hdrlen(skb);
	next = ipv6_hdr(skb)->nexthdr;
	at = ipv6_skip_exthdr(skb, skb_network_offset(skb) + sizeof(struct ipv6hdr), &next, &frag);
	return at < 0 ? 0 : at;
}

/*
 * The target counted it as served; what becomes of it shows only here.  For which of
 * several ids at one address it was counted, if it has a CID, does not.
 */
static unsigned int drop(const struct lb_service *s, const struct sk_buff *skb, u8 pf,
			 enum lb_reason kind, enum lb_reason reason, const struct lb_slot *slot)
{
	long n = lb_datagrams(skb, udp_offset(skb, pf));

	lb_count(s, kind, -n);
	lb_count(s, reason, n);
	if (slot && (lb_is_fresh(kind) || !READ_ONCE(slot->shared)))
		this_cpu_add(READ_ONCE(slot->node)->count[lb_v6(pf)]->datagrams, -n);
	return NF_DROP;
}

static unsigned int dnat(struct nf_conn *ct, const struct lb_slot *slot)
{
	struct nf_nat_range2 range = {
		.flags		= NF_NAT_RANGE_MAP_IPS,
		.min_addr	= slot->addr,
		.max_addr	= slot->addr,
	};

	if (slot->port) {
		range.flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
		range.min_proto.udp.port = slot->port;
		range.max_proto.udp.port = slot->port;
	}
	return nf_nat_setup_info(ct, &range, NF_NAT_MANIP_DST);
}

static void set_connmark(struct nf_conn *ct, u32 mask, u32 id)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK_MARK)
	if (mask)
		WRITE_ONCE(ct->mark, lb_mark(ct->mark, mask, id));
#endif
}

/**
 * lb_bind() - a new flow's node
 * @f:		family
 * @ct:		entry, not confirmed
 * @slot:	where it goes
 */
unsigned int lb_bind(const struct lb_family *f, struct nf_conn *ct, const struct lb_slot *slot)
{
	set_connmark(ct, READ_ONCE(f->id_connmark), READ_ONCE(slot->node)->id);
	return READ_ONCE(f->no_dnat) ? NF_ACCEPT : dnat(ct, slot);
}

/* Where the client found the service, the node will speak from. */
static void learn_vip(struct lb_family *f, struct lb_slot *slot, const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *from = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;

	lb_vip_set(&slot->vip, &from->dst.u3, from->dst.u.udp.port);
	lb_vip_set(&f->last, &from->dst.u3, from->dst.u.udp.port);
}

/*
 * Some name's, but conntrack had no memory for the timeout object, by which all others know
 * it.  Whose it is, and so whose counter is to be put right, nobody knows.
 */
static bool is_maimed(const struct nf_conn *ct)
{
	const struct nf_conn_timeout *ext = nf_ct_timeout_find(ct);

	return nf_ct_zone(ct)->flags & LB_ZONE_OURS && !(ext && rcu_access_pointer(ext->timeout));
}

/**
 * lb_nat() - NAT's question about the first packet of a flow
 * @priv:	service
 * @skb:	packet
 * @state:	hook
 *
 * A flow of ours whose slot is no more, or that conntrack has maimed, is dropped here:
 * accepted, it would be the balancer's own for as long as it lives.
 */
unsigned int lb_nat(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct lb_service *s = priv;
	struct lb_family *f = lb_family(s, state->pf);
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);
	struct lb_slot *slot;
	int kind;

	if (!ct || ctinfo != IP_CT_NEW || nf_ct_is_template(ct))
		return NF_ACCEPT;
	kind = lb_kind(s, ct);
	if (kind < 0)
		return is_maimed(ct) ? NF_DROP : lb_first(s, skb, ct, state);
	slot = xa_load(&f->slots, nf_ct_zone(ct)->id - s->zone_base);
	if (!slot)
		return drop(s, skb, state->pf, kind, LB_UNKNOWN_NODE, NULL);
	if (!lb_flow_add(s, READ_ONCE(s->max_flows)))
		return drop(s, skb, state->pf, kind, LB_MAX_FLOWS, slot);
	lb_count_flow(slot, state->pf);
	learn_vip(f, slot, ct);
	return lb_bind(f, ct, slot);
}
