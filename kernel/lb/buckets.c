// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buckets: which node a client without a CID goes to.
 *
 * Clients fall into buckets by a keyed hash of address and port.  When the nodes
 * change, some buckets go to another slot; until the flows that they have in the
 * former one are gone, a client of such a bucket is looked for there first.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_core.h>
#include "../core/rendezvous.h"
#include "lb.h"

/* Not inline: for its array the compiler would guard the stack of the IPv4 path too. */
u32 lb_hash_v6(const struct lb_service *s, const __be32 *addr, __be16 port)
{
	const __be32 client[] = { addr[0], addr[1], addr[2], addr[3], htonl(ntohs(port)) };

	return hsiphash(client, sizeof(client), &s->client_key);
}

static u64 seed(const struct lb_service *s, const struct lb_slot *slot)
{
	struct {
		union nf_inet_addr addr;
		__be16 port;
	} __packed name = { slot->addr, slot->port };

	return siphash(&name, sizeof(name), &s->key);
}

/* The greatest weight of the slot's nodes that are up. */
static u16 slot_weight(const struct lb_table *t, u16 slot)
{
	const struct lb_entry *e;
	u16 weight = 0;

	for (e = lb_next(t, NULL); e; e = lb_next(t, e))
		if (e->slot == slot && e->node->state == XT_DTLSCID_UP && e->weight > weight)
			weight = e->weight;
	return weight;
}

static unsigned int candidates(const struct lb_service *s, const struct lb_family *f,
			       const struct lb_table *t, struct lb_candidate *c)
{
	struct lb_slot *slot;
	unsigned int n = 0;
	unsigned long i;

	xa_for_each((struct xarray *)&f->slots, i, slot) {
		u16 weight = slot_weight(t, slot->number);

		if (weight)
			c[n++] = (struct lb_candidate){
				.seed = seed(s, slot), .node = slot->node,
				.slot = slot->number, .weight = weight,
			};
	}
	return n;
}

static const struct lb_candidate *winner(const struct lb_buckets *t, u32 bucket)
{
	const struct lb_candidate *c, *best = NULL;
	u32 cost, least = 0;

	for (c = t->candidate; c < t->candidate + t->candidates; c++) {
		cost = rendezvous_cost(c->seed, bucket);
		if (!best || rendezvous_better(cost, c->weight, least, best->weight)) {
			best = c;
			least = cost;
		}
	}
	return best;
}

/* A slot that still serves: some rule names it, and not all its nodes are down. */
static bool serves(const struct lb_table *t, u16 slot)
{
	const struct lb_entry *e;

	for (e = lb_next(t, NULL); e; e = lb_next(t, e))
		if (e->slot == slot && e->node->state != XT_DTLSCID_DOWN)
			return true;
	return false;
}

/* The slot for new clients; then what the bucket had before, as far as it serves. */
static u64 slots_after(u16 slot, u64 former, const struct lb_table *t)
{
	u64 slots = U64_MAX << 16 | slot;
	unsigned int i, n = 1;
	u16 old;

	for (i = 0; i < LB_OLD + 1 && n < LB_OLD + 1; i++) {
		old = lb_bucket_slot(former, i);
		if (old == LB_NO_SLOT || old == slot || !serves(t, old))
			continue;
		slots ^= (u64)(old ^ LB_NO_SLOT) << 16 * n++;
	}
	return slots;
}

static void fill(struct lb_buckets *new, const struct lb_buckets *old, const struct lb_table *t)
{
	unsigned int i;

	for (i = 0; i < LB_BUCKETS; i++) {
		const struct lb_candidate *c = winner(new, i);

		new->bucket[i].node = c ? c->node : NULL;
		new->bucket[i].slots = slots_after(c ? c->slot : LB_NO_SLOT,
						   old ? old->bucket[i].slots : U64_MAX, t);
		cond_resched();
	}
}

/* Nothing to do: the same nodes, and none of the old ones has gone. */
static bool same(const struct lb_buckets *a, const struct lb_buckets *b)
{
	return a->candidates == b->candidates &&
	       !memcmp(a->candidate, b->candidate, a->candidates * sizeof(a->candidate[0]));
}

static struct lb_buckets *current_buckets(const struct lb_service *s, const struct lb_family *f)
{
	return rcu_dereference_protected(f->buckets, lockdep_is_held(&s->lock));
}

/**
 * lb_buckets_build() - buckets for the nodes of a table
 * @s:	service, locked
 * @f:	family
 * @t:	its nodes
 *
 * Return: buckets to be published or discarded, NULL when out of memory.
 */
struct lb_buckets *lb_buckets_build(const struct lb_service *s, const struct lb_family *f,
				    const struct lb_table *t)
{
	struct lb_buckets *old = current_buckets(s, f), *new;

	new = kvzalloc(struct_size(new, candidate, t->count), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->candidates = candidates(s, f, t, new->candidate);
	if (old && same(old, new)) {
		kvfree(new);
		return old;
	}
	fill(new, old, t);
	return new;
}

void lb_buckets_publish(struct lb_service *s, struct lb_family *f, struct lb_buckets *b)
{
	struct lb_buckets *old = current_buckets(s, f);

	if (b == old)
		return;
	rcu_assign_pointer(f->buckets, b);
	if (old)
		kvfree_rcu(old, rcu);
}

void lb_buckets_discard(const struct lb_service *s, const struct lb_family *f,
			struct lb_buckets *b)
{
	if (b != current_buckets(s, f))
		kvfree(b);
}

/* Only a flow born without a CID binds a client that sends none. */
static bool has_flow(const struct lb_service *s, u16 slot, const struct nf_conntrack_tuple *tuple)
{
	struct nf_conn *ct = slot == LB_NO_SLOT ? NULL : lb_find_flow(s, slot, tuple);
	bool fresh;

	if (!ct)
		return false;
	fresh = lb_is_fresh(lb_kind(s, ct));
	nf_ct_put(ct);
	return fresh;
}

/**
 * lb_live_slot() - where a client's flow without a CID lives
 * @s:		service
 * @slots:	the client's bucket's
 * @skb:	a datagram of the client
 * @pf:		NFPROTO_IPV4 or IPV6
 * @current_too: look in the bucket's present slot, not only in the old ones
 *
 * Return: a slot, LB_NO_SLOT if there is no such flow.
 */
u16 lb_live_slot(const struct lb_service *s, u64 slots, const struct sk_buff *skb, u8 pf,
		 bool current_too)
{
	struct nf_conntrack_tuple tuple;
	unsigned int i;
	u16 slot;

	if (!nf_ct_get_tuplepr(skb, skb_network_offset(skb), pf, s->net, &tuple))
		return LB_NO_SLOT;
	for (i = current_too ? 0 : 1; i < LB_OLD + 1; i++) {
		slot = lb_bucket_slot(slots, i);
		if (has_flow(s, slot, &tuple))
			return slot;
	}
	return LB_NO_SLOT;
}

/**
 * lb_buckets_seen() - what lb_buckets_note() writes to
 * @t: buckets
 *
 * Return: memory to be freed, NULL when no bucket is displaced or memory is short:
 * then nothing can be said.
 */
u8 *lb_buckets_seen(const struct lb_buckets *t)
{
	unsigned int i;

	for (i = 0; i < LB_BUCKETS; i++)
		if (lb_displaced(t->bucket[i].slots))
			return kvzalloc(LB_BUCKETS, GFP_KERNEL);
	return NULL;
}

/* Note that a flow is in one of its bucket's old slots, if it is. */
void lb_buckets_note(const struct lb_service *s, const struct lb_buckets *t,
		     const struct nf_conn *ct, u8 *seen)
{
	const struct nf_conntrack_tuple *from = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	u32 i = lb_hash(s, nf_ct_l3num(ct), from) % LB_BUCKETS;
	u16 slot = nf_ct_zone(ct)->id - s->zone_base;
	unsigned int k;

	for (k = 1; k < LB_OLD + 1; k++)
		if (lb_bucket_slot(t->bucket[i].slots, k) == slot)
			seen[i] |= 1 << k;
}

/* Forget the old slots in which no flow was seen.  Return: whether some are left. */
bool lb_buckets_settle(struct lb_buckets *t, const u8 *seen)
{
	bool left = false;
	unsigned int i, k;

	for (i = 0; i < LB_BUCKETS; i++) {
		u64 slots = t->bucket[i].slots;

		for (k = 1; k < LB_OLD + 1; k++)
			if (!(seen[i] & 1 << k))
				slots |= (u64)LB_NO_SLOT << 16 * k;
		WRITE_ONCE(t->bucket[i].slots, slots);
		left |= lb_displaced(slots);
	}
	return left;
}
