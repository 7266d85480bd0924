// SPDX-License-Identifier: GPL-2.0-only
/* Nodes, their slots, and the tables in which they are found by id. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/mm.h>
#include <linux/slab.h>
#include "lb.h"

/* Numbers for ids that do not fit, or whose slot another has: above the small ids. */
#define SLOT_SPARE	256

static void node_free(struct rcu_head *head)
{
	struct lb_node *n = container_of(head, struct lb_node, rcu);

	free_percpu(n->count[0]);
	free_percpu(n->count[1]);
	kfree(n);
}

static struct lb_node *node_new(struct lb_service *s, u32 id)
{
	struct lb_node *n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);

	if (!n)
		return NULL;
	n->id = id;
	n->state = XT_DTLSCID_UP;
	n->count[0] = alloc_percpu_gfp(struct lb_count, GFP_KERNEL_ACCOUNT);
	n->count[1] = alloc_percpu_gfp(struct lb_count, GFP_KERNEL_ACCOUNT);
	if (n->count[0] && n->count[1] &&
	    !xa_err(xa_store(&s->nodes, id, n, GFP_KERNEL_ACCOUNT)))
		return n;
	node_free(&n->rcu);
	return NULL;
}

static struct lb_slot *slot_find(struct lb_family *f, const struct xt_dtlscid_node *n)
{
	struct lb_slot *slot;
	unsigned long i;

	xa_for_each(&f->slots, i, slot)
		if (slot->port == n->port &&
		    !memcmp(&slot->addr, &n->addr, sizeof(slot->addr)))
			return slot;
	return NULL;
}

/* The node's id, so that conntrack -L shows it; else any number that gives a zone. */
static int slot_number(struct lb_family *f, struct lb_slot *slot, u32 id, u32 max)
{
	u32 number;
	int err = -EBUSY;

	if (id <= max)
		err = xa_alloc(&f->slots, &number, slot, XA_LIMIT(id, id), GFP_KERNEL_ACCOUNT);
	if (err == -EBUSY && max >= SLOT_SPARE)
		err = xa_alloc(&f->slots, &number, slot, XA_LIMIT(SLOT_SPARE, max),
			       GFP_KERNEL_ACCOUNT);
	if (err == -EBUSY)
		err = xa_alloc(&f->slots, &number, slot, XA_LIMIT(0, max), GFP_KERNEL_ACCOUNT);
	slot->number = number;
	return err;
}

/* Filled in before it can be found. */
static struct lb_slot *slot_new(struct lb_service *s, struct lb_family *f,
				const struct xt_dtlscid_node *n, struct lb_node *node)
{
	struct lb_slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);

	if (!slot)
		return NULL;
	slot->addr = n->addr;
	slot->port = n->port;
	slot->node = node;
	if (!slot_number(f, slot, n->id, U16_MAX - s->zone_base))
		return slot;
	pr_info_ratelimited("target: --zone-base %u leaves no zone for --node %u\n",
			    s->zone_base, n->id);
	kfree(slot);
	return NULL;
}

static void table_put(struct lb_table *t, const struct lb_entry *e)
{
	unsigned int i = lb_place(t, e->id);

	while (t->entry[i].node)
		i = (i + 1) & ((1U << t->bits) - 1);
	t->entry[i] = *e;
	t->count++;
}

static struct lb_table *table_new(unsigned int entries, bool direct)
{
	unsigned int bits = direct ? 8 : order_base_2(2 * entries + 2);
	struct lb_table *t;

	t = kvzalloc(struct_size(t, entry, 1U << bits), GFP_KERNEL_ACCOUNT);
	if (!t)
		return NULL;
	t->bits = bits;
	t->direct = direct;
	return t;
}

static void put_missing(struct lb_table *t, const struct lb_table *from)
{
	const struct lb_entry *e;

	for (e = lb_next(from, NULL); e; e = lb_next(from, e))
		if (!(t->direct && e->id > U8_MAX) && !lb_find(t, e->id))
			table_put(t, e);
}

/* Without a length the first CID can be read; with the wrong one, not even that. */
static u8 common_cid_length(const struct lb_rule *r, const struct lb_table *view)
{
	const struct lb_entry *e;

	for (e = lb_next(view, NULL); e; e = lb_next(view, e))
		if (e->cid_length != r->cid_length)
			return 0;
	return r->cid_length;
}

static void set_view(struct lb_rule *r, struct lb_table *view)
{
	struct lb_table *old;

	if (view)
		view->cid_length = common_cid_length(r, view);
	old = rcu_replace_pointer(r->view, view, lockdep_is_held(&r->service->lock));
	if (old && old != r->own)
		kvfree_rcu(old, rcu);
}

static int rule_node(struct lb_rule *r, const struct xt_dtlscid_node *n)
{
	struct lb_service *s = r->service;
	struct lb_family *f = lb_family(s, r->pf);
	struct lb_node *node = xa_load(&s->nodes, n->id) ?: node_new(s, n->id);
	struct lb_slot *slot;

	if (!node)
		return -ENOMEM;
	slot = slot_find(f, n) ?: slot_new(s, f, n, node);
	if (!slot)
		return -ENOSPC;
	node->users++;
	slot->users++;
	table_put(r->own, &(struct lb_entry){
		.id = n->id, .slot = slot->number, .node = node, .weight = n->weight,
		.cid_length = n->cid_length ?: r->cid_length,
	});
	return 0;
}

/**
 * lb_rule_nodes() - the rule's own nodes
 * @r:		rule whose service is known
 * @info:	valid rule data
 *
 * Return: 0; or less, and then no node is used.
 */
int lb_rule_nodes(struct lb_rule *r, const struct xt_dtlscid_tginfo_v0 *info)
{
	unsigned int i;
	int err = 0;

	r->own = table_new(info->nnodes, false);
	if (!r->own)
		return -ENOMEM;
	for (i = 0; i < info->nnodes && !err; i++)
		err = rule_node(r, &info->node[i]);
	if (err)
		lb_rule_forget(r);
	return err;
}

/* Its nodes are no longer the rule's; they go with the next lb_sweep(). */
void lb_rule_forget(struct lb_rule *r)
{
	struct lb_family *f = lb_family(r->service, r->pf);
	const struct lb_entry *e;

	for (e = lb_next(r->own, NULL); e; e = lb_next(r->own, e)) {
		struct lb_slot *slot = xa_load(&f->slots, e->slot);

		e->node->users--;
		slot->users--;
	}
	set_view(r, NULL);
	kvfree(r->own);
	r->own = NULL;
}

/**
 * lb_type_states() - apply the states that a rule says, where they are news
 * @r:		rule
 * @info:	its data
 *
 * A rule that is checked again because of its neighbours undoes nothing.
 *
 * Return: whether a node went down.
 */
bool lb_type_states(struct lb_rule *r, const struct xt_dtlscid_tginfo_v0 *info)
{
	bool down = false;
	unsigned int i;

	for (i = 0; i < info->nnodes; i++) {
		struct lb_node *n = xa_load(&r->service->nodes, info->node[i].id);
		u8 state = info->state[i / 4] >> 2 * (i % 4) & 3;

		if (state == XT_DTLSCID_AS_IS || state == n->typed)
			continue;
		n->typed = state;
		WRITE_ONCE(n->state, state);
		down |= state == XT_DTLSCID_DOWN;
	}
	return down;
}

/* All rules' nodes of a family; of several with an id, the newest rule's. */
static struct lb_table *merge(const struct lb_service *s, u8 pf)
{
	const struct lb_rule *r;
	unsigned int entries = 0;
	struct lb_table *t;

	list_for_each_entry(r, &s->rules, list)
		if (r->pf == pf)
			entries += r->own->count;
	t = table_new(entries, false);
	if (!t)
		return NULL;
	list_for_each_entry(r, &s->rules, list)
		if (r->pf == pf)
			put_missing(t, r->own);
	return t;
}

/* Without memory for more a rule sees its own nodes, and none that may be gone. */
static struct lb_table *view_new(const struct lb_rule *r, const struct lb_table *all)
{
	struct lb_table *view = NULL;

	if (all)
		view = table_new(r->own->count + all->count, r->format.id_length == 1);
	if (!view)
		return r->own;
	put_missing(view, r->own);
	put_missing(view, all);
	return view;
}

/* What each rule of a family looks at. */
static void set_views(struct lb_service *s, u8 pf, const struct lb_table *all)
{
	struct lb_rule *r;

	list_for_each_entry(r, &s->rules, list)
		if (r->pf == pf)
			set_view(r, view_new(r, all));
}

/* A slot of several ids counts for the lowest. */
static void name_slots(struct lb_family *f, const struct lb_table *t)
{
	const struct lb_entry *e;
	struct lb_slot *slot;
	unsigned long i;

	xa_for_each(&f->slots, i, slot) {
		const struct lb_entry *lowest = NULL;
		unsigned int ids = 0;

		for (e = lb_next(t, NULL); e; e = lb_next(t, e)) {
			if (e->slot != slot->number)
				continue;
			ids++;
			if (!lowest || e->id < lowest->id)
				lowest = e;
		}
		if (lowest)
			WRITE_ONCE(slot->node, lowest->node);
		WRITE_ONCE(slot->shared, ids > 1);
	}
}

static void publish(struct lb_service *s, struct lb_family *f, struct lb_table *t)
{
	struct lb_table *old = rcu_replace_pointer(f->table, t, lockdep_is_held(&s->lock));

	set_views(s, lb_pf(s, f), t);
	if (old)
		kvfree_rcu(old, rcu);
}

static bool all_down(const struct lb_table *t, u16 slot)
{
	const struct lb_entry *e;
	bool down = false;

	for (e = lb_next(t, NULL); e; e = lb_next(t, e)) {
		if (e->slot != slot)
			continue;
		if (e->node->state != XT_DTLSCID_DOWN)
			return false;
		down = true;
	}
	return down;
}

/* The flows of slots of which no id is served any more. */
static void flush_down(struct lb_service *s, struct lb_family *f, const struct lb_table *t)
{
	struct lb_slot *slot;
	unsigned long i;

	synchronize_rcu();
	xa_for_each(&f->slots, i, slot)
		if (all_down(t, slot->number))
			lb_flush(s, f, slot->number);
}

static void publish_family(struct lb_service *s, struct lb_family *f, struct lb_table *t,
			   struct lb_buckets *b, bool down)
{
	publish(s, f, t);
	lb_buckets_publish(s, f, b);
	if (down)
		flush_down(s, f, t);
}

/**
 * lb_tables() - make what is looked up fit the rules and the states
 * @s:		service, locked
 * @down:	a node went down: flush its flows
 *
 * Return: 0; or less, and then all is as it was.
 */
int lb_tables(struct lb_service *s, bool down)
{
	struct lb_family *f4 = &s->family[0], *f6 = &s->family[1];
	struct lb_table *t4 = merge(s, NFPROTO_IPV4), *t6 = merge(s, NFPROTO_IPV6);
	struct lb_buckets *b4 = NULL, *b6 = NULL;

	if (t4 && t6) {
		name_slots(f4, t4);
		name_slots(f6, t6);
		b4 = lb_buckets_build(s, f4, t4);
		b6 = lb_buckets_build(s, f6, t6);
	}
	if (!b4 || !b6) {
		lb_buckets_discard(s, f4, b4);
		lb_buckets_discard(s, f6, b6);
		kvfree(t4);
		kvfree(t6);
		return -ENOMEM;
	}
	publish_family(s, f4, t4, b4, down);
	publish_family(s, f6, t6, b6, down);
	return 0;
}

/* Out of memory, and what there is names nodes that go: better no choice than those. */
void lb_tables_drop(struct lb_service *s)
{
	int i;

	for (i = 0; i < 2; i++) {
		publish(s, &s->family[i], NULL);
		lb_buckets_publish(s, &s->family[i], NULL);
	}
}

static bool sweepable(struct lb_service *s)
{
	struct lb_node *n;
	struct lb_slot *slot;
	unsigned long i;
	int f;

	xa_for_each(&s->nodes, i, n)
		if (!n->users)
			return true;
	for (f = 0; f < 2; f++)
		xa_for_each(&s->family[f].slots, i, slot)
			if (!slot->users)
				return true;
	return false;
}

static void sweep_slots(struct lb_service *s, struct lb_family *f)
{
	struct lb_slot *slot;
	unsigned long i;

	xa_for_each(&f->slots, i, slot) {
		if (slot->users)
			continue;
		lb_flush(s, f, slot->number);
		xa_erase(&f->slots, i);
		kfree_rcu(slot, rcu);
	}
}

/**
 * lb_sweep() - forget nodes and slots that no rule names any more, flows included
 * @s: service, locked, with tables that do not name them either
 *
 * A slot's number may then be given to another address.
 */
void lb_sweep(struct lb_service *s)
{
	struct lb_node *n;
	unsigned long i;

	if (!sweepable(s))
		return;
	synchronize_rcu();	/* no packet is on its way there any more */
	sweep_slots(s, &s->family[0]);
	sweep_slots(s, &s->family[1]);
	xa_for_each(&s->nodes, i, n) {
		if (n->users)
			continue;
		xa_erase(&s->nodes, i);
		call_rcu(&n->rcu, node_free);
	}
}

/* With the service itself: nobody looks. */
void lb_nodes_free(struct lb_service *s)
{
	struct lb_slot *slot;
	struct lb_node *n;
	unsigned long i;
	int f;

	for (f = 0; f < 2; f++) {
		xa_for_each(&s->family[f].slots, i, slot)
			kfree(slot);
		xa_destroy(&s->family[f].slots);
		kvfree(rcu_dereference_protected(s->family[f].table, 1));
		kvfree(rcu_dereference_protected(s->family[f].buckets, 1));
	}
	xa_for_each(&s->nodes, i, n)
		node_free(&n->rcu);
	xa_destroy(&s->nodes);
}
