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

	return siphash(&name, sizeof(name), &s->base.key);
}

static unsigned int candidates(const struct lb_service *s, struct lb_family *f,
			       struct rendezvous_candidate *c)
{
	struct lb_slot *slot;
	unsigned int n = 0;
	unsigned long i;

	xa_for_each(&f->slots, i, slot) {
		if (!slot->weight)
			continue;
		c[n].seed = seed(s, slot);
		c[n].owner = slot->heir;
		c[n].number = slot->number;
		c[n++].weight = slot->weight;
	}
	return n;
}

/* Some rule has it, and not all of its nodes are down. */
static bool serves(struct lb_family *f, u16 number)
{
	const struct lb_slot *slot = xa_load(&f->slots, number);

	return slot && slot->serves;
}

/* The slot for new clients; then what the bucket had before, as far as it serves. */
static u64 slots_after(struct lb_family *f, u16 slot, u64 former)
{
	u64 slots = U64_MAX << 16 | slot;
	unsigned int i, n = 1;
	u16 old;

	for (i = 0; i < LB_OLD + 1 && n < LB_OLD + 1; i++) {
		old = lb_bucket_slot(former, i);
		if (old == LB_NO_SLOT || old == slot || !serves(f, old))
			continue;
		slots ^= (u64)(old ^ LB_NO_SLOT) << 16 * n++;
	}
	return slots;
}

static void fill(struct lb_family *f, struct lb_buckets *new, const struct lb_buckets *old)
{
	unsigned int i;

	for (i = 0; i < LB_BUCKETS; i++) {
		const struct rendezvous_candidate *c =
			rendezvous_winner(new->candidate, new->candidates, i);

		new->bucket[i].node = c ? c->owner : NULL;
		new->bucket[i].slots = slots_after(f, c ? c->number : LB_NO_SLOT,
						   old ? old->bucket[i].slots : U64_MAX);
		cond_resched();
	}
}

static bool same_candidate(const struct rendezvous_candidate *a,
			   const struct rendezvous_candidate *b)
{
	return a->seed == b->seed && a->owner == b->owner && a->number == b->number &&
	       a->weight == b->weight;
}

/* Nothing to do: the same nodes, and no former slots, of which one may be gone. */
static bool same(const struct lb_buckets *new, const struct lb_buckets *old)
{
	unsigned int i;

	if (!old || new->candidates != old->candidates || lb_buckets_displaced(old))
		return false;
	for (i = 0; i < new->candidates; i++)
		if (!same_candidate(&new->candidate[i], &old->candidate[i]))
			return false;
	return true;
}

/* Whether some bucket has former slots. */
bool lb_buckets_displaced(const struct lb_buckets *t)
{
	unsigned int i;

	for (i = 0; t && i < LB_BUCKETS; i++)
		if (lb_displaced(t->bucket[i].slots))
			return true;
	return false;
}

static struct lb_buckets *current_buckets(const struct lb_service *s, const struct lb_family *f)
{
	return rcu_dereference_protected(f->buckets, lb_held(s));
}

/**
 * lb_buckets_build() - buckets for the slots as last surveyed
 * @s:	service, locked
 * @f:	family
 *
 * Return: buckets to be published or discarded, NULL when out of memory.
 */
struct lb_buckets *lb_buckets_build(const struct lb_service *s, struct lb_family *f)
{
	struct lb_buckets *old = current_buckets(s, f), *new;

	new = kvzalloc(struct_size(new, candidate, f->nslots), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->candidates = candidates(s, f, new->candidate);
	if (same(new, old)) {
		kvfree(new);
		return old;
	}
	fill(f, new, old);
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

	if (!nf_ct_get_tuplepr(skb, skb_network_offset(skb), pf, s->base.net, &tuple))
		return LB_NO_SLOT;
	for (i = current_too ? 0 : 1; i < LB_OLD + 1; i++) {
		slot = lb_bucket_slot(slots, i);
		if (has_flow(s, slot, &tuple))
			return slot;
	}
	return LB_NO_SLOT;
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

/*
 * Forget the old slots in which no flow was seen; nothing, if nobody looked.
 * Return: whether some are left.
 */
bool lb_buckets_settle(struct lb_buckets *t, const u8 *seen)
{
	bool left = false;
	unsigned int i, k;

	if (!seen)
		return lb_buckets_displaced(t);
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
