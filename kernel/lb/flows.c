// SPDX-License-Identifier: GPL-2.0-only
/* Our conntrack entries: their timeouts, the templates they are made by, their number. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_ecache.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include <net/netfilter/nf_conntrack_labels.h>
#include <net/netfilter/nf_conntrack_timestamp.h>
#include <net/netfilter/nf_nat.h>
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

/*
 * Templates hold no reference to the timeout object: their end would not return it.
 * The service outlives its own, and those made once, as lb_hooks_down() says.
 */
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
	compat_ct_ext_keep(t);
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
		this_cpu_inc(s->cpu->total.once);
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
 * lb_zone0_reply() - what answers a client by its flow in the default zone
 * @s:		service
 * @from:	from client to service
 * @reply:	filled in
 *
 * Return: whether it has one that it began.
 */
bool lb_zone0_reply(const struct lb_service *s, const struct nf_conntrack_tuple *from,
		    struct nf_conntrack_tuple *reply)
{
	struct nf_conntrack_tuple_hash *h = nf_conntrack_find_get(s->net, &nf_ct_zone_dflt, from);
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

/* Not more often than once a second, and than makes up its share of the time. */
static void walk_if_due(struct lb_service *s)
{
	if (!time_after64(get_jiffies_64(), READ_ONCE(s->next_walk)))
		return;
	WRITE_ONCE(s->next_walk, get_jiffies_64() + HZ);
	lb_housekeeping(s, 0);
}

/**
 * lb_flow_add() - count a new flow, if there may be one
 * @s: service
 *
 * Nobody tells us of a flow's end: s->flows is what the last walk counted and all
 * that were added since, so not less than there are (but for first packets that user
 * space holds in a queue during a walk).  Past three quarters of the limit walks are
 * due, so that no flow is refused for the sake of dead ones.
 */
bool lb_flow_add(struct lb_service *s)
{
	const int max = READ_ONCE(s->max_flows);
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

/* As conntrack does for a first packet; a reply is not seen yet. */
static bool equip(struct lb_service *s, struct nf_conn *ct)
{
	struct nf_conn_tstamp *began = nf_ct_tstamp_ext_add(ct, GFP_ATOMIC);

	if (began)
		began->start = ktime_get_real_ns();
	nf_ct_acct_ext_add(ct, GFP_ATOMIC);
	nf_ct_ecache_ext_add(ct, 0, 0, GFP_ATOMIC);
	nf_ct_labels_ext_add(ct);
	if (!nf_ct_timeout_ext_add(ct, s->timeout[LB_NO_CID], GFP_ATOMIC))
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

static bool may_insert(struct lb_service *s)
{
	if (atomic_read(&s->flows) < (READ_ONCE(s->max_flows) + 1) / 2)
		return true;
	walk_if_due(s);
	return false;
}

/**
 * lb_flow_insert() - make a flow of which there was no first packet
 * @s:		service
 * @f:		family
 * @slot:	where it goes
 * @from:	tuple from client to service
 * @reply:	what the node sends
 *
 * It counts as born without a CID, as nobody knows.  Such flows leave half of
 * --max-flows to clients: who speaks as a node needs no client for them.
 *
 * Return: whether it is there now.
 */
bool lb_flow_insert(struct lb_service *s, const struct lb_family *f, const struct lb_slot *slot,
		    const struct nf_conntrack_tuple *from, const struct nf_conntrack_tuple *reply)
{
	struct nf_conntrack_zone zone = lb_zone(s, slot->number);
	struct nf_conntrack_tuple back;
	struct nf_conn *ct;

	if (!nf_ct_invert_tuple(&back, from) || !may_insert(s) || !lb_flow_add(s))
		return false;
	ct = nf_conntrack_alloc(s->net, &zone, from, &back, GFP_ATOMIC);
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
	compat_ct_iterate(w->s->net, count_flow, w);
	atomic_sub(before - (int)w->flows, &w->s->flows);
	if (w->expired)
		compat_ct_iterate(w->s->net, is_expired, w->s);
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
							 lockdep_is_held(&s->lock));
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

	compat_ct_iterate(s->net, is_flushed, s);
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

	compat_ct_iterate(s->net, is_ours, s);
	for (k = 0; k < LB_KINDS; k++)
		compat_timeout_detach(s->net, s->timeout[k]);
}
