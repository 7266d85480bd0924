// SPDX-License-Identifier: GPL-2.0-only
/* What happens to a datagram. */
#include <linux/netfilter/x_tables.h>
#include <linux/udp.h>
#include <net/ipv6.h>
#include "lb.h"

/* A packet under way through the target. */
struct packet {
	struct lb_rule *rule;
	struct sk_buff *skb;
	unsigned int thoff;
	const struct nf_hook_state *state;
};

static noinline unsigned int refuse(const struct lb_rule *r, enum lb_reason reason, unsigned int n)
{
	lb_count(r->service, reason, n);
	return r->action[reason] == LB_PASS ? XT_CONTINUE : NF_DROP;
}

static __always_inline unsigned int served(struct lb_rule *r, struct sk_buff *skb,
					   struct lb_verdict v, unsigned int n)
{
	struct lb_count __percpu *count = v.node->count[r->v6];

	this_cpu_add(r->cpu->total.reason[v.reason], n);
	this_cpu_add(count->datagrams, n);
	this_cpu_write(count->last[v.reason], jiffies);
	if (unlikely(r->id_mark))
		skb->mark = lb_mark(skb->mark, r->id_mark, v.node->id);
	return XT_CONTINUE;
}

/* As serve(), when this CPU's template is in use. */
static noinline unsigned int serve_once(struct lb_rule *r, struct sk_buff *skb,
					struct lb_verdict v, unsigned int n)
{
	if (!lb_attach_once(r->service, skb, v.reason, r->zone_base + v.slot))
		return refuse(r, LB_NO_TEMPLATE, n);
	return served(r, skb, v, n);
}

/* To the slot, as @n datagrams. */
static __always_inline unsigned int serve(struct lb_rule *r, struct sk_buff *skb,
					  struct lb_verdict v, unsigned int n)
{
	if (unlikely(!lb_attach_own(r->cpu, skb, v.reason, r->zone_base + v.slot)))
		return serve_once(r, skb, v, n);
	return served(r, skb, v, n);
}

/* Where the client's flow lives, if it does; else, when it may be a new one, its bucket. */
static noinline struct lb_verdict look_around(const struct lb_rule *r, const struct sk_buff *skb,
					      u64 slots, struct lb_verdict v, bool live)
{
	struct lb_service *s = r->service;
	u16 number = lb_live_slot(s, slots, skb, r->pf, live);
	const struct lb_slot *slot;

	if (number == LB_NO_SLOT) {
		if (live)
			v.node = NULL;
		return v;
	}
	slot = xa_load(&r->family->slots, number);
	v.slot = number;
	v.node = slot ? READ_ONCE(slot->node) : NULL;
	return v;
}

/* The node of the client's bucket. */
static __always_inline struct lb_verdict choose(const struct lb_rule *r,
						const struct sk_buff *skb, __be16 port,
						enum lb_reason reason, bool live)
{
	struct lb_service *s = r->service;
	const struct lb_buckets *t = rcu_dereference(r->family->buckets);
	struct lb_verdict v = { .reason = reason };
	const struct lb_bucket *b;
	u64 slots;

	if (unlikely(!t))
		return v;
	b = &t->bucket[lb_hash_skb(s, r->pf, skb, port) % LB_BUCKETS];
	slots = READ_ONCE(b->slots);
	v.slot = lb_bucket_slot(slots, 0);
	v.node = b->node;
	if (unlikely(lb_displaced(slots) || live))
		return look_around(r, skb, slots, v, live);
	return v;
}

/* @live: only if its flow lives. */
static __always_inline unsigned int serve_client(struct lb_rule *r, struct sk_buff *skb,
						 __be16 port, enum lb_reason reason,
						 unsigned int n, bool live)
{
	struct lb_verdict v = choose(r, skb, port, reason, live);

	if (likely(v.node))
		return serve(r, skb, v, n);
	return refuse(r, live ? reason : LB_NODE_DOWN, n);
}

/* By its CID. */
static unsigned int serve_node(const struct packet *p, struct lb_verdict v, unsigned int n)
{
	struct lb_rule *r = p->rule;

	if (r->zone0_check && lb_zone0_serves(r, p->skb, v.slot))
		return served(r, p->skb, v, n);
	return serve(r, p->skb, v, n);
}

static noinline unsigned int act(const struct packet *p, struct lb_verdict v, unsigned int n)
{
	struct lb_rule *r = p->rule;
	const __be16 *port;
	__be16 buf;

	switch (r->action[v.reason]) {
	case LB_SERVE:
		return serve_node(p, v, n);
	case LB_HASH:
	case LB_LIVE:
		port = skb_header_pointer(p->skb, p->thoff, sizeof(buf), &buf);
		if (!port)
			return NF_DROP;
		return serve_client(r, p->skb, *port, v.reason, n,
				    r->action[v.reason] == LB_LIVE);
	default:
		return refuse(r, v.reason, n);
	}
}

/**
 * lb_datagrams() - how many datagrams a packet is
 * @skb:	UDP packet
 * @thoff:	UDP header, in bytes from skb->data
 */
unsigned int lb_datagrams(const struct sk_buff *skb, unsigned int thoff)
{
	if (!nf_dtlscid_is_aggregate(skb) || !skb_shinfo(skb)->gso_size)
		return 1;
	return DIV_ROUND_UP(skb->len - thoff - sizeof(struct udphdr), skb_shinfo(skb)->gso_size);
}

/* The kernel makes none of more datagrams (UDP_MAX_SEGMENTS, UDP_GRO_CNT_MAX). */
#define AGGREGATE_MAX	128

/* Datagrams of one fate go on together; others are received one by one. */
static unsigned int aggregate(struct packet *p)
{
	unsigned int n = lb_datagrams(p->skb, p->thoff), at = p->thoff + sizeof(struct udphdr), i;
	unsigned int size = skb_shinfo(p->skb)->gso_size;
	struct lb_verdict first, v;

	if (n > AGGREGATE_MAX)
		return refuse(p->rule, LB_MALFORMED, n);
	first = lb_judge(p->rule, p->skb, at, min(size, p->skb->len - at));
	for (i = 1; i < n; i++) {
		at += size;
		v = lb_judge(p->rule, p->skb, at, min(size, p->skb->len - at));
		if (v.reason == first.reason && v.slot == first.slot)
			continue;
		if (lb_can_split(p->skb, p->state) && lb_split(p->skb))
			return NF_STOLEN;
		if (p->rule->action[LB_MIXED] != LB_SERVE)
			return refuse(p->rule, LB_MIXED, n);
		if (first.node)
			first.reason = LB_MIXED;
		break;
	}
	return act(p, first, n);
}

static noinline unsigned int slow(struct lb_rule *r, struct sk_buff *skb, unsigned int thoff,
				  const struct nf_hook_state *state)
{
	struct packet p = { .rule = r, .skb = skb, .thoff = thoff, .state = state };

	if (nf_dtlscid_is_aggregate(skb) && skb->len - thoff > sizeof(struct udphdr))
		return aggregate(&p);
	return act(&p, lb_judge(r, skb, thoff, -1), 1);
}

/* Somebody has decided about its tracking; if that was a rule of this name, silently. */
static noinline unsigned int already_tracked(const struct lb_rule *r, const struct sk_buff *skb,
					     unsigned int thoff)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (!ct || !nf_ct_is_template(ct) || lb_kind(r->service, ct) < 0)
		lb_count(r->service, LB_ALREADY_TRACKED, lb_datagrams(skb, thoff));
	return XT_CONTINUE;
}

/*
 * What is UDP at first sight, and no fragment.  A rule that nft_compat takes need not have
 * asked for UDP, and our timeout objects would be too short for other protocols.
 */
static __always_inline bool is_plain_udp(const struct sk_buff *skb, u8 pf)
{
	if (likely(pf == NFPROTO_IPV4))
		return ip_hdr(skb)->protocol == IPPROTO_UDP && !ip_is_fragment(ip_hdr(skb));
	return ipv6_hdr(skb)->nexthdr == IPPROTO_UDP;
}

/* UDP behind extension headers, a fragment, or something else. */
static noinline unsigned int no_plain_udp(struct lb_rule *r, struct sk_buff *skb,
					  unsigned int thoff, const struct nf_hook_state *state)
{
	unsigned int at = 0;
	bool is_udp = r->v6 ? ipv6_find_hdr(skb, &at, -1, NULL, NULL) == IPPROTO_UDP :
			      ip_hdr(skb)->protocol == IPPROTO_UDP;

	if (is_udp && r->v6 && !nf_dtlscid_is_ipv6_fragment(skb))
		return slow(r, skb, thoff, state);
	if (is_udp)
		lb_count(r->service, LB_FRAGMENT, 1);
	return XT_CONTINUE;
}

/* @e: a place of a table, used or not */
static __always_inline bool is_served(const struct lb_entry *e)
{
	return e->node && READ_ONCE(e->node->state) != XT_DTLSCID_DOWN;
}

/* Whether a lone CID of DTLS 1.2, which names @e, is served without another look. */
static __always_inline bool is_right12(const struct lb_entry *e, const u8 *payload,
				       unsigned int len)
{
	return likely(is_served(e)) &&
	       (!e->cid_length || dtls_cid12_fits(payload, len, e->cid_length));
}

/* What a lone CID of DTLS 1.3 names, if it is served without another look. */
static const struct lb_entry *lone_cid13(const struct lb_rule *r, const u8 *payload,
					 unsigned int len)
{
	struct nf_dtlscid_format f = r->format;
	const struct lb_entry *e;

	if (r->zone0_check || !dtls_lone_cid13(&f, payload, len))
		return NULL;
	e = lb_find(rcu_dereference(r->view), dtls_node_id(&f, payload + 1));
	if (!e || !is_served(e))
		return NULL;
	f.cid_length = e->cid_length;
	return !f.cid_length || dtls_lone_cid13(&f, payload, len) ? e : NULL;
}

/* A lone record of DTLS 1.3 with a CID, or what takes a full parse. */
static noinline unsigned int no_lone_v12(struct lb_rule *r, struct sk_buff *skb,
					 unsigned int thoff, const struct nf_hook_state *state,
					 const u8 *payload, unsigned int len)
{
	const struct lb_entry *e = NULL;

	if (dtls_is_cid13(payload, len))
		e = lone_cid13(r, payload, len);
	return e ? serve(r, skb, lb_to_entry(LB_CID13, e), 1) : slow(r, skb, thoff, state);
}

/* A lone record without a CID, or something else. */
static noinline unsigned int no_lone_cid(struct lb_rule *r, struct sk_buff *skb,
					 unsigned int thoff, const struct nf_hook_state *state,
					 const u8 *payload, unsigned int len)
{
	u32 kind = dtls_lone_plain(payload, len);
	enum lb_reason reason = kind & NF_DTLSCID_RECORD_BIT(CLIENT_HELLO) ? LB_CLIENT_HELLO :
									     LB_NO_CID;

	if (!kind || r->action[reason] != LB_HASH)
		return no_lone_v12(r, skb, thoff, state, payload, len);
	return serve_client(r, skb, ((const struct udphdr *)payload)[-1].source, reason, 1, false);
}

/* A lone CID, where an id's place in the table must be searched for. */
static noinline unsigned int lone_long_id(struct lb_rule *r, struct sk_buff *skb,
					  unsigned int thoff, const struct nf_hook_state *state,
					  const u8 *payload, unsigned int len)
{
	const struct lb_entry *e = lb_find(rcu_dereference(r->view),
					   dtls_node_id(&r->format, payload + 11));

	if (!e || !is_right12(e, payload, len))
		return slow(r, skb, thoff, state);
	return serve(r, skb, lb_to_entry(LB_CID12, e), 1);
}

/**
 * lb_balance() - what the target does with a packet
 * @r:		rule
 * @skb:	UDP packet
 * @thoff:	UDP header, in bytes from skb->data
 * @state:	hook
 *
 * Return: an xtables verdict.
 */
unsigned int lb_balance(struct lb_rule *r, struct sk_buff *skb, unsigned int thoff,
			const struct nf_hook_state *state)
{
	const struct lb_entry *e;
	const struct lb_table *t;
	const u8 *payload;
	unsigned int len;
	int there;

	if (unlikely(skb->_nfct))
		return already_tracked(r, skb, thoff);
	if (unlikely(!is_plain_udp(skb, r->pf)))
		return no_plain_udp(r, skb, thoff, state);
	there = nf_dtlscid_payload(skb, thoff, &payload);
	if (unlikely(there < 0))
		return slow(r, skb, thoff, state);
	len = there;
	if (!dtls_is_cid12(&r->shortcut, payload, len))
		return no_lone_cid(r, skb, thoff, state, payload, len);
	t = rcu_dereference(r->view);
	if (unlikely(!t->direct))
		return lone_long_id(r, skb, thoff, state, payload, len);
	e = &t->entry[payload[r->shortcut.id]];
	if (!is_right12(e, payload, len))
		return slow(r, skb, thoff, state);
	return serve(r, skb, lb_to_entry(LB_CID12, e), 1);
}
