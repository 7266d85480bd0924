// SPDX-License-Identifier: GPL-2.0-only
/* Tables in which nodes are found by id, and what follows from them for the slots. */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "lb.h"

/**
 * lb_table_new() - an empty table
 * @entries:	that there will be at most
 * @direct:	with the id as the place; all are less than 256
 */
struct lb_table *lb_table_new(unsigned int entries, bool direct)
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

/* Put an entry into the table, which has none of its id. */
void lb_table_put(struct lb_table *t, const struct lb_entry *e)
{
	unsigned int i = lb_place(t, e->id);

	while (t->entry[i].node)
		i = (i + 1) & ((1U << t->bits) - 1);
	t->entry[i] = *e;
	t->count++;
}

static void put_missing(struct lb_table *t, const struct lb_table *from)
{
	const struct lb_entry *e;

	for (e = lb_next(from, NULL); e; e = lb_next(from, e))
		if (!(t->direct && e->id > U8_MAX) && !lb_find(t, e->id))
			lb_table_put(t, e);
	cond_resched();
}

/* All rules' nodes of a family; of several with an id, the newest rule's. */
static struct lb_table *merge(const struct lb_service *s, const struct lb_family *f)
{
	const struct lb_rule *r;
	unsigned int entries = 0;
	struct lb_table *t;

	list_for_each_entry(r, &s->rules, list)
		if (r->family == f)
			entries += r->own->count;
	t = lb_table_new(min(entries, s->nnodes), false);
	if (!t)
		return NULL;
	list_for_each_entry(r, &s->rules, list)
		if (r->family == f)
			put_missing(t, r->own);
	return t;
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

/* Without memory for more a rule sees its own nodes, and none that may be gone. */
static struct lb_table *view_new(const struct lb_rule *r, const struct lb_table *all)
{
	struct lb_table *view = NULL;

	if (all)
		view = lb_table_new(r->own->count + all->count, r->format.id_length == 1);
	if (!view) {
		r->service->lacking = true;
		return r->own;
	}
	put_missing(view, r->own);
	put_missing(view, all);
	return view;
}

/* What a rule looks at; NULL at its end. */
void lb_view_set(struct lb_rule *r, struct lb_table *view)
{
	struct lb_table *old;

	if (view)
		view->cid_length = common_cid_length(r, view);
	old = rcu_replace_pointer(r->view, view, lb_held(r->service));
	if (old && old != r->own)
		kvfree_rcu(old, rcu);
}

/* An entry's part in what its slot is: see struct lb_slot. */
static void survey_entry(struct lb_slot *slot, struct lb_node *n)
{
	bool up = n->state == XT_DTLSCID_UP, heir_up;

	slot->serves |= n->state != XT_DTLSCID_DOWN;
	if (!slot->heir) {
		slot->heir = n;
		return;
	}
	heir_up = slot->heir->state == XT_DTLSCID_UP;
	slot->shared |= slot->heir != n;
	if (up != heir_up ? up : n->id < slot->heir->id)
		slot->heir = n;
}

/*
 * What the slots are, by all entries of all rules: an entry hidden by a newer rule's
 * is served to datagrams that its own rule meets.  New clients go by the table @t.
 */
static void survey(struct lb_service *s, struct lb_family *f, const struct lb_table *t)
{
	const struct lb_entry *e;
	const struct lb_rule *r;
	struct lb_slot *slot;
	unsigned long i;

	xa_for_each(&f->slots, i, slot) {
		slot->heir = NULL;
		slot->shared = false;
		slot->serves = false;
		slot->weight = 0;
	}
	list_for_each_entry(r, &s->rules, list) {
		if (r->family != f)
			continue;
		for (e = lb_next(r->own, NULL); e; e = lb_next(r->own, e))
			survey_entry(xa_load(&f->slots, e->slot), e->node);
		cond_resched();
	}
	for (e = t ? lb_next(t, NULL) : NULL; e; e = lb_next(t, e)) {
		slot = xa_load(&f->slots, e->slot);
		if (e->node->state == XT_DTLSCID_UP && e->weight > slot->weight)
			slot->weight = e->weight;
	}
}

static void publish(struct lb_service *s, struct lb_family *f, struct lb_table *t,
		    struct lb_buckets *b)
{
	struct lb_table *old = rcu_replace_pointer(f->table, t, lb_held(s));
	struct lb_slot *slot;
	struct lb_rule *r;
	unsigned long i;

	list_for_each_entry(r, &s->rules, list)
		if (r->family == f)
			lb_view_set(r, view_new(r, t));
	xa_for_each(&f->slots, i, slot)
		if (slot->heir) {
			WRITE_ONCE(slot->node, slot->heir);
			WRITE_ONCE(slot->silent, !slot->serves);
		}
	lb_buckets_publish(s, f, b);
	if (old)
		kvfree_rcu(old, rcu);
}

/**
 * lb_tables() - make what is looked up fit the rules and the states
 * @s: service, locked
 *
 * Return: 0; or less, and then all is as it was.
 */
int lb_tables(struct lb_service *s)
{
	struct lb_family *f4 = &s->family[0], *f6 = &s->family[1];
	struct lb_table *t4 = merge(s, f4), *t6 = merge(s, f6);
	struct lb_buckets *b4 = NULL, *b6 = NULL;

	if (t4 && t6) {
		survey(s, f4, t4);
		survey(s, f6, t6);
		b4 = lb_buckets_build(s, f4);
		b6 = lb_buckets_build(s, f6);
	}
	if (!b4 || !b6) {
		lb_buckets_discard(s, f4, b4);
		lb_buckets_discard(s, f6, b6);
		kvfree(t4);
		kvfree(t6);
		return -ENOMEM;
	}
	s->lacking = false;
	publish(s, f4, t4, b4);
	publish(s, f6, t6, b6);
	return 0;
}

/* Out of memory, and what there is names nodes that go: better no choice than those. */
void lb_tables_drop(struct lb_service *s)
{
	int i;

	for (i = 0; i < 2; i++) {
		survey(s, &s->family[i], NULL);
		publish(s, &s->family[i], NULL, NULL);
	}
}

/**
 * lb_tables_again() - make what there was no memory for, when a rule came or went
 * @s: service, locked
 *
 * Return: whether there is none still.
 */
bool lb_tables_again(struct lb_service *s)
{
	if (!s->lacking || list_empty(&s->rules))
		return false;
	lb_tables(s);
	return s->lacking;
}
