// SPDX-License-Identifier: GPL-2.0-only
/* Nodes and their slots: an ADDR:PORT each, with a zone. */
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
	struct lb_node *n;

	if (s->nnodes == LB_NODES_MAX) {
		pr_info_ratelimited("target: --node %u is past %u ids of --name %s\n",
				    id, LB_NODES_MAX, s->base.name);
		return ERR_PTR(-ENOSPC);
	}
	n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	if (!n)
		return ERR_PTR(-ENOMEM);
	n->id = id;
	n->state = XT_DTLSCID_UP;
	n->tried = true;
	n->count[0] = alloc_percpu_gfp(struct lb_count, GFP_KERNEL_ACCOUNT);
	n->count[1] = alloc_percpu_gfp(struct lb_count, GFP_KERNEL_ACCOUNT);
	if (n->count[0] && n->count[1] &&
	    !xa_err(xa_store(&s->nodes, id, n, GFP_KERNEL_ACCOUNT))) {
		s->nnodes++;
		return n;
	}
	node_free(&n->rcu);
	return ERR_PTR(-ENOMEM);
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
	u32 number = 0;
	int err = -EBUSY;

	if (f->nslots == LB_SLOTS_MAX)
		return -EBUSY;
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
	int err;

	if (!slot)
		return ERR_PTR(-ENOMEM);
	slot->addr = n->addr;
	slot->port = n->port;
	slot->node = node;
	slot->tried = true;
	seqlock_init(&slot->vip.lock);
	err = slot_number(f, slot, n->id, U16_MAX - s->zone_base);
	if (!err) {
		f->nslots++;
		hash_add_rcu(f->by_addr, &slot->by_addr, lb_addr_hash(&slot->addr, slot->port));
		return slot;
	}
	if (err == -EBUSY)
		pr_info_ratelimited("target: --zone-base %u leaves no zone for --node %u (%u at most)\n",
				    s->zone_base, n->id, LB_SLOTS_MAX);
	kfree(slot);
	return ERR_PTR(err);
}

static int rule_node(struct lb_rule *r, const struct xt_dtlscid_node *n)
{
	struct lb_service *s = r->service;
	struct lb_node *node = xa_load(&s->nodes, n->id) ?: node_new(s, n->id);
	struct lb_slot *slot;

	if (IS_ERR(node))
		return PTR_ERR(node);
	slot = slot_find(r->family, n) ?: slot_new(s, r->family, n, node);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	node->users++;
	slot->users++;
	lb_table_put(r->own, &(struct lb_entry){
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

	r->own = lb_table_new(info->nnodes, false);
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
	const struct lb_entry *e;

	for (e = lb_next(r->own, NULL); e; e = lb_next(r->own, e)) {
		struct lb_slot *slot = xa_load(&r->family->slots, e->slot);

		e->node->users--;
		slot->users--;
	}
	lb_view_set(r, NULL);
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

		n->before.state = n->state;
		n->before.typed = n->typed;
		if (state == XT_DTLSCID_AS_IS || state == n->typed)
			continue;
		n->typed = state;
		WRITE_ONCE(n->state, state);
		down |= state == XT_DTLSCID_DOWN;
	}
	return down;
}

/* The rule could not be added after all. */
void lb_untype_states(struct lb_rule *r)
{
	const struct lb_entry *e;

	for (e = lb_next(r->own, NULL); e; e = lb_next(r->own, e)) {
		e->node->typed = e->node->before.typed;
		WRITE_ONCE(e->node->state, e->node->before.state);
	}
}

/* Whether some slot has no flows to lose any more, and is marked for lb_flush(). */
static bool mark_down(struct lb_family *f)
{
	struct lb_slot *slot;
	unsigned long i;
	bool any = false;

	xa_for_each(&f->slots, i, slot)
		if (slot->users && !slot->serves) {
			slot->flush = true;
			any = true;
		}
	return any;
}

/**
 * lb_flush_down() - delete the flows of slots all of whose nodes are down
 * @s: service, locked, with tables that fit the states
 */
void lb_flush_down(struct lb_service *s)
{
	bool any = mark_down(&s->family[0]) | mark_down(&s->family[1]);

	if (!any)
		return;
	synchronize_rcu();	/* no packet is on its way there any more */
	lb_flush(s);
}

static void mark_of(struct lb_family *f, const struct lb_table *t, u32 id)
{
	const struct lb_entry *e = t ? lb_find(t, id) : NULL;
	struct lb_slot *slot = e ? xa_load(&f->slots, e->slot) : NULL;

	if (slot)
		slot->flush = true;
}

/**
 * lb_flush_node() - delete the flows of a node, in all slots that a rule gives it
 * @s: service, locked
 * @n: node
 */
void lb_flush_node(struct lb_service *s, const struct lb_node *n)
{
	const struct lb_rule *r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s->family); i++) {
		struct lb_family *f = &s->family[i];

		mark_of(f, rcu_dereference_protected(f->table, lb_held(s)), n->id);
		list_for_each_entry(r, &s->rules, list)
			if (r->family == f)
				mark_of(f, r->own, n->id);
	}
	lb_flush(s);
}

static bool mark_unused(struct lb_family *f, bool all)
{
	struct lb_slot *slot;
	unsigned long i;
	bool any = false;

	xa_for_each(&f->slots, i, slot)
		if (!slot->users && (all || slot->tried)) {
			hash_del_rcu(&slot->by_addr);	/* it begins no flow any more */
			slot->flush = true;
			any = true;
		}
	return any;
}

static void sweep_slots(struct lb_family *f, bool all)
{
	struct lb_slot *slot;
	unsigned long i;

	xa_for_each(&f->slots, i, slot) {
		if (slot->users || !(all || slot->tried))
			continue;
		xa_erase(&f->slots, i);
		f->nslots--;
		kfree_rcu(slot, rcu);
	}
}

static void sweep_nodes(struct lb_service *s, bool all)
{
	struct lb_node *n;
	unsigned long i;

	xa_for_each(&s->nodes, i, n) {
		if (n->users || !(all || n->tried))
			continue;
		xa_erase(&s->nodes, i);
		s->nnodes--;
		call_rcu(&n->rcu, node_free);
	}
}

/**
 * lb_sweep() - forget nodes and slots that no rule names any more, flows included
 * @s:		service, locked, with tables that do not name them either
 * @all:	or else only those of a rule that was not added after all: a name without
 *		rules keeps the others
 *
 * A slot's number may then be given to another address.
 */
void lb_sweep(struct lb_service *s, bool all)
{
	if (mark_unused(&s->family[0], all) | mark_unused(&s->family[1], all)) {
		synchronize_rcu();	/* no packet is on its way there any more */
		lb_flush(s);
		sweep_slots(&s->family[0], all);
		sweep_slots(&s->family[1], all);
	}
	sweep_nodes(s, all);
}

/* The rule was added: its nodes are no longer tried only. */
void lb_rule_keep(struct lb_rule *r)
{
	const struct lb_entry *e;

	for (e = lb_next(r->own, NULL); e; e = lb_next(r->own, e)) {
		struct lb_slot *slot = xa_load(&r->family->slots, e->slot);

		e->node->tried = false;
		slot->tried = false;
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
