// SPDX-License-Identifier: GPL-2.0-only
/* Our conntrack entries: which are, how many, and their end. */
#include <linux/mm.h>
#include <net/netfilter/nf_conntrack_core.h>
#include "../compat/conntrack.h"
#include "lb.h"

/**
 * lb_kind() - what an entry was born of
 * @s:	service
 * @ct:	entry or template
 *
 * Return: less than 0 when it is none of this service's.
 */
int lb_kind(const struct lb_service *s, const struct nf_conn *ct)
{
	const struct nf_conn_timeout *ext = nf_ct_timeout_find(ct);
	const struct nf_ct_timeout *t = ext ? rcu_access_pointer(ext->timeout) : NULL;
	int k;

	for (k = 0; t && k < LB_KINDS; k++)
		if (t == s->timeout[k])
			return k;
	return -1;
}

/**
 * lb_find_flow() - a flow that began with this tuple in a slot's zone
 * @s:		service
 * @slot:	slot
 * @tuple:	from client to service
 *
 * Return: the entry, to be put; or NULL.
 */
struct nf_conn *lb_find_flow(const struct lb_service *s, u16 slot,
			     const struct nf_conntrack_tuple *tuple)
{
	struct nf_conntrack_zone zone = lb_zone(s, slot);
	struct nf_conntrack_tuple_hash *h = nf_conntrack_find_get(s->base.net, &zone, tuple);
	struct nf_conn *ct;

	if (!h)
		return NULL;
	ct = nf_ct_tuplehash_to_ctrack(h);
	if (NF_CT_DIRECTION(h) == IP_CT_DIR_ORIGINAL && lb_kind(s, ct) >= 0)
		return ct;
	nf_ct_put(ct);
	return NULL;
}

/* Not more often than once a second, and than makes up its share of the time. */
static void walk_if_due(struct lb_service *s)
{
	if (!time_after64(get_jiffies_64(), READ_ONCE(s->next_walk)))
		return;
	WRITE_ONCE(s->next_walk, get_jiffies_64() + HZ);
	nf_name_look(&s->base, 0);
}

/**
 * lb_flow_add() - count a new flow, if there may be one
 * @s:		service
 * @max:	flows that there may be
 *
 * Nobody tells us of a flow's end: s->flows is what the last walk counted and all
 * that were added since, so not less than there are (but for first packets that user
 * space holds in a queue during a walk).  Past three quarters of the limit walks are
 * due, so that no flow is refused for the sake of dead ones.
 */
bool lb_flow_add(struct lb_service *s, int max)
{
	int n;

	if (atomic_read(&s->flows) >= max) {	/* a flood need not write to it */
		walk_if_due(s);
		return false;
	}
	n = atomic_inc_return(&s->flows);
	if (n > max - max / 4)
		walk_if_due(s);
	if (n <= max)
		return true;
	atomic_dec(&s->flows);
	return false;
}

struct walk {
	struct lb_service *s;
	unsigned int flows;
	bool expired;
	unsigned long took;
	u8 *seen[2];
	struct lb_buckets *buckets[2];
};

/* Nothing is deleted here: the table's walker would begin a chain anew after that. */
static int count_flow(struct nf_conn *ct, void *data)
{
	struct walk *w = data;
	int v6 = nf_ct_l3num(ct) == NFPROTO_IPV6, kind = lb_kind(w->s, ct);
	struct lb_slot *slot;

	if (kind < 0)
		return 0;
	if (nf_ct_is_expired(ct)) {
		w->expired = true;
		return 0;
	}
	w->flows++;
	slot = xa_load(&w->s->family[v6].slots, nf_ct_zone(ct)->id - w->s->zone_base);
	if (slot)
		slot->live++;
	if (w->seen[v6] && lb_is_fresh(kind))
		lb_buckets_note(w->s, w->buckets[v6], ct, w->seen[v6]);
	return 0;
}

/* An expired entry is no flow; conntrack would keep it, and its memory, for a while. */
static int is_expired(struct nf_conn *ct, void *data)
{
	return lb_kind(data, ct) >= 0 && nf_ct_is_expired(ct);
}

static void count_flows(struct walk *w)
{
	int before = atomic_read(&w->s->flows);
	unsigned long start;

	synchronize_rcu();	/* what was added before is in the table now, or dropped */
	start = jiffies;	/* to wait for that costs nobody anything */
	compat_ct_iterate(w->s->base.net, count_flow, w);
	atomic_sub(before - (int)w->flows, &w->s->flows);
	if (w->expired)
		compat_ct_iterate(w->s->base.net, is_expired, w->s);
	w->took = jiffies - start;
}

static void forget_live(struct lb_family *f)
{
	struct lb_slot *slot;
	unsigned long i;

	xa_for_each(&f->slots, i, slot)
		slot->live = 0;
}

/**
 * lb_walk() - count the flows, and see which old slots still have some
 * @s:		service, locked
 * @took:	jiffies that the table took; may be NULL
 *
 * Return: whether clients may still be with an old slot of their bucket.
 */
bool lb_walk(struct lb_service *s, unsigned long *took)
{
	struct walk w = { .s = s };
	bool moving = false;
	int i;

	for (i = 0; i < 2; i++) {
		forget_live(&s->family[i]);
		w.buckets[i] = rcu_dereference_protected(s->family[i].buckets,
							 lb_held(s));
		if (lb_buckets_displaced(w.buckets[i])) {
			moving = true;
			w.seen[i] = kvzalloc(LB_BUCKETS, GFP_KERNEL);
		}
	}
	count_flows(&w);
	if (w.seen[0] || w.seen[1])
		moving = lb_buckets_settle(w.buckets[0], w.seen[0]) |
			 lb_buckets_settle(w.buckets[1], w.seen[1]);
	kvfree(w.seen[0]);
	kvfree(w.seen[1]);
	WRITE_ONCE(s->next_walk,
		   get_jiffies_64() + max_t(unsigned long, HZ, LB_WALK_SHARE * w.took));
	if (took)
		*took = w.took;
	return moving;
}

static int is_flushed(struct nf_conn *ct, void *data)
{
	struct lb_service *s = data;
	const struct lb_slot *slot;

	if (lb_kind(s, ct) < 0)
		return 0;
	slot = xa_load(&lb_family(s, nf_ct_l3num(ct))->slots, nf_ct_zone(ct)->id - s->zone_base);
	return slot && slot->flush;
}

/**
 * lb_flush() - delete the flows of the slots that are marked, and take off the marks
 * @s: service, locked
 *
 * Other users of their zones keep their entries.
 */
void lb_flush(struct lb_service *s)
{
	struct lb_slot *slot;
	unsigned long i;
	int f;

	compat_ct_iterate(s->base.net, is_flushed, s);
	for (f = 0; f < 2; f++)
		xa_for_each(&s->family[f].slots, i, slot)
			slot->flush = false;
}

static int is_ours(struct nf_conn *ct, void *data)
{
	return lb_kind(data, ct) >= 0;
}

/**
 * lb_flows_detach() - delete all flows; no entry refers to the service then
 * @s: service without hooks, an RCU grace period later
 */
void lb_flows_detach(struct lb_service *s)
{
	unsigned int k;

	compat_ct_drop_unconfirmed(s->base.net);
	compat_ct_iterate(s->base.net, is_ours, s);
	for (k = 0; k < LB_KINDS; k++)
		compat_timeout_detach(s->base.net, s->timeout[k]);
}
