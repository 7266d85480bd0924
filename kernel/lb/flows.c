// SPDX-License-Identifier: GPL-2.0-only
/* Our conntrack entries: their timeouts, the templates they are made by, their number. */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include "../compat/conntrack.h"
#include "lb.h"

static struct nf_ct_timeout *timeout_new(void)
{
	struct nf_ct_timeout *t = kzalloc(sizeof(*t) + 2 * sizeof(unsigned int),
					  GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;
	compat_timeout_init(t);
	t->l3num = NFPROTO_IPV4;	/* only cttimeout's own objects are asked for it */
	t->l4proto = nf_ct_l4proto_find(IPPROTO_UDP);
	return t;
}

/**
 * lb_timeouts() - how long flows live on, those that are there included
 * @s:		service
 * @seconds:	answered flows from 2 s after the first packet on, then all others
 */
void lb_timeouts(struct lb_service *s, const u32 seconds[2])
{
	unsigned int *data, k;

	s->seconds[0] = seconds[0];
	s->seconds[1] = seconds[1];
	for (k = 0; k < LB_KINDS; k++) {
		data = (unsigned int *)s->timeout[k]->data;
		WRITE_ONCE(data[UDP_CT_REPLIED], seconds[0] * HZ);
		WRITE_ONCE(data[UDP_CT_UNREPLIED], seconds[1] * HZ);
	}
}

/* The service outlives its templates, so these hold no reference to the timeout object. */
static struct nf_conn *template_new(struct lb_service *s, enum lb_reason kind, gfp_t gfp)
{
	struct nf_conntrack_zone zone = lb_zone(s, 0);
	struct nf_conn *t = nf_ct_tmpl_alloc(s->net, &zone, gfp);

	if (!t)
		return NULL;
	refcount_set(&t->ct_general.use, 1);
	if (!nf_ct_timeout_ext_add(t, s->timeout[kind], gfp)) {
		nf_ct_tmpl_free(t);
		return NULL;
	}
	compat_timeout_unref(s->timeout[kind]);
	__set_bit(IPS_CONFIRMED_BIT, &t->status);
	return t;
}

/**
 * lb_template_once() - a template for one packet, when this CPU's is in use
 * @s:		service
 * @kind:	of the datagram
 */
struct nf_conn *lb_template_once(struct lb_service *s, enum lb_reason kind)
{
	struct nf_conn *t = template_new(s, kind, GFP_ATOMIC | __GFP_NOWARN);

	if (t)
		this_cpu_inc(s->cpu->once);
	return t;
}

int lb_flows_init(struct lb_service *s)
{
	unsigned int k;
	int cpu;

	for (k = 0; k < LB_KINDS; k++) {
		s->timeout[k] = timeout_new();
		if (!s->timeout[k])
			return -ENOMEM;
	}
	s->cpu = alloc_percpu_gfp(struct lb_cpu, GFP_KERNEL_ACCOUNT);
	if (!s->cpu)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		for (k = 0; k < LB_KINDS; k++) {
			struct nf_conn **t = &per_cpu_ptr(s->cpu, cpu)->template[k];

			*t = template_new(s, k, GFP_KERNEL_ACCOUNT);
			if (!*t)
				return -ENOMEM;
		}
	}
	return 0;
}

static void templates_free(struct lb_cpu *c)
{
	unsigned int k;

	for (k = 0; k < LB_KINDS; k++)
		if (c->template[k])
			nf_ct_put(c->template[k]);
}

/* After lb_flows_detach(), or when there never was a flow. */
void lb_flows_free(struct lb_service *s)
{
	unsigned int k;
	int cpu;

	if (s->cpu)
		for_each_possible_cpu(cpu)
			templates_free(per_cpu_ptr(s->cpu, cpu));
	free_percpu(s->cpu);
	for (k = 0; k < LB_KINDS; k++)
		if (s->timeout[k])
			compat_timeout_free(s->timeout[k]);
}

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
	struct nf_conntrack_tuple_hash *h = nf_conntrack_find_get(s->net, &zone, tuple);
	struct nf_conn *ct;

	if (!h)
		return NULL;
	ct = nf_ct_tuplehash_to_ctrack(h);
	if (NF_CT_DIRECTION(h) == IP_CT_DIR_ORIGINAL && lb_kind(s, ct) >= 0)
		return ct;
	nf_ct_put(ct);
	return NULL;
}

/**
 * lb_flow_add() - count a new flow, if there may be one
 * @s: service
 *
 * Nobody tells us of a flow's end: s->flows is what the last walk counted and all
 * that were added since, so never less than there are.  When that reaches the limit
 * a walk is due, but not more than one a second.
 */
bool lb_flow_add(struct lb_service *s)
{
	if (atomic_inc_return(&s->flows) <= READ_ONCE(s->max_flows))
		return true;
	atomic_dec(&s->flows);
	if (time_after(jiffies, READ_ONCE(s->next_walk))) {
		WRITE_ONCE(s->next_walk, jiffies + HZ);
		lb_housekeeping(s, 0);
	}
	return false;
}

struct walk {
	struct lb_service *s;
	unsigned int flows;
	u8 *seen[2];
	const struct lb_buckets *buckets[2];
};

/* An expired entry is no flow; deleted here, it takes up no memory either. */
static int count_flow(struct nf_conn *ct, void *data)
{
	struct walk *w = data;
	int v6 = nf_ct_l3num(ct) == NFPROTO_IPV6, kind = lb_kind(w->s, ct);

	if (kind < 0)
		return 0;
	if (nf_ct_is_expired(ct))
		return 1;
	w->flows++;
	if (w->seen[v6] && lb_is_fresh(kind))
		lb_buckets_note(w->s, w->buckets[v6], ct, w->seen[v6]);
	return 0;
}

/**
 * lb_walk() - count the flows, and see which old slots still have some
 * @s: service, locked
 *
 * Return: whether clients are still with an old slot of their bucket.
 */
bool lb_walk(struct lb_service *s)
{
	struct walk w = { .s = s };
	int i, before = atomic_read(&s->flows);
	bool moving = false;

	for (i = 0; i < 2; i++) {
		w.buckets[i] = rcu_dereference_protected(s->family[i].buckets,
							 lockdep_is_held(&s->lock));
		w.seen[i] = w.buckets[i] ? lb_buckets_seen(w.buckets[i]) : NULL;
	}
	synchronize_rcu();	/* what was added before is in the table now, or dropped */
	compat_ct_iterate(s->net, count_flow, &w);
	atomic_sub(before - (int)w.flows, &s->flows);
	for (i = 0; i < 2; i++) {
		if (w.seen[i])
			moving |= lb_buckets_settle((struct lb_buckets *)w.buckets[i], w.seen[i]);
		kvfree(w.seen[i]);
	}
	return moving;
}

struct live {
	struct lb_service *s;
	u8 pf;
	u32 *live;
	unsigned int slots;
};

static int count_live(struct nf_conn *ct, void *data)
{
	struct live *l = data;
	unsigned int slot;

	if (nf_ct_l3num(ct) != l->pf || lb_kind(l->s, ct) < 0 || nf_ct_is_expired(ct))
		return 0;
	slot = nf_ct_zone(ct)->id - l->s->zone_base;
	if (slot < l->slots)
		l->live[slot]++;
	return 0;
}

/**
 * lb_live() - count the flows of each slot
 * @s:		service
 * @f:		family
 * @live:	counts by slot number, to be added to
 * @slots:	how many there is room for
 */
void lb_live(struct lb_service *s, const struct lb_family *f, u32 *live, unsigned int slots)
{
	struct live l = { .s = s, .pf = lb_pf(s, f), .live = live, .slots = slots };

	compat_ct_iterate(s->net, count_live, &l);
}

struct flush {
	const struct lb_service *s;
	int slot;
	u8 pf;
};

static int is_flushed(struct nf_conn *ct, void *data)
{
	const struct flush *f = data;

	if (f->pf && nf_ct_l3num(ct) != f->pf)
		return 0;
	if (f->slot >= 0 && nf_ct_zone(ct)->id != f->s->zone_base + f->slot)
		return 0;
	return lb_kind(f->s, ct) >= 0;
}

/**
 * lb_flush() - delete the flows of a slot
 * @s:		service
 * @f:		family
 * @slot:	slot; other users of its zone keep their entries
 */
void lb_flush(struct lb_service *s, const struct lb_family *f, u16 slot)
{
	struct flush flush = { .s = s, .slot = slot, .pf = lb_pf(s, f) };

	compat_ct_iterate(s->net, is_flushed, &flush);
}

/**
 * lb_flows_detach() - delete all flows; no entry refers to the service then
 * @s: service without hooks, an RCU grace period later
 */
void lb_flows_detach(struct lb_service *s)
{
	struct flush flush = { .s = s, .slot = -1 };
	unsigned int k;

	compat_ct_iterate(s->net, is_flushed, &flush);
	for (k = 0; k < LB_KINDS; k++)
		nf_ct_untimeout(s->net, s->timeout[k]);
}
