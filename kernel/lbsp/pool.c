// SPDX-License-Identifier: GPL-2.0-only
/* The servers of a rule: which of them a client gets. */
#include <linux/bsearch.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "../core/rendezvous.h"
#include "lbsp.h"

static int compare_addr(const void *addr, const void *member)
{
	const struct lbsp_member *m = member;

	return memcmp(addr, &m->server->addr, sizeof(m->server->addr));
}

static int compare(const void *a, const void *b)
{
	const struct lbsp_member *m = a;

	return compare_addr(&m->server->addr, b);
}

/**
 * lbsp_pool_fill() - the servers of a rule
 * @r:		rule whose service is known
 * @info:	valid rule data
 *
 * Return: 0; or less, and then the pool is empty.
 */
int lbsp_pool_fill(struct lbsp_rule *r, const struct xt_lbsp_tginfo_v0 *info)
{
	const struct xt_lbsp_server *x;
	struct lbsp_server *server;

	for (x = info->server; x < info->server + info->nservers; x++) {
		server = lbsp_server_get(r->service, &x->addr);
		if (IS_ERR(server)) {
			lbsp_pool_empty(r);
			return PTR_ERR(server);
		}
		r->member[r->members++] = (struct lbsp_member){
			.server = server,
			.seed = siphash(&x->addr, sizeof(x->addr), &r->service->base.key),
			.weight = x->weight,
		};
	}
	sort(r->member, r->members, sizeof(r->member[0]), compare, NULL);
	return 0;
}

void lbsp_pool_empty(struct lbsp_rule *r)
{
	while (r->members)
		r->member[--r->members].server->users--;
	kfree(rcu_dereference_protected(r->buckets, 1));
	RCU_INIT_POINTER(r->buckets, NULL);
}

/**
 * lbsp_pool_type() - apply the states that a rule says, where they are news
 * @r:		rule
 * @info:	its data
 *
 * A rule that is checked again because of its neighbours undoes nothing.
 *
 * Return: whether a server went down.
 */
bool lbsp_pool_type(struct lbsp_rule *r, const struct xt_lbsp_tginfo_v0 *info)
{
	const struct xt_lbsp_server *x;
	bool down = false;

	for (x = info->server; x < info->server + info->nservers; x++) {
		struct lbsp_server *server = lbsp_server_find(r->service, &x->addr);

		server->before.state = server->state;
		server->before.typed = server->typed;
		if (x->state == XT_DTLSCID_AS_IS || x->state == server->typed)
			continue;
		server->typed = x->state;
		WRITE_ONCE(server->state, x->state);
		down |= x->state == XT_DTLSCID_DOWN;
	}
	return down;
}

/* The rule could not be added after all. */
void lbsp_pool_untype(struct lbsp_rule *r)
{
	unsigned int i;

	for (i = 0; i < r->members; i++) {
		struct lbsp_server *server = r->member[i].server;

		server->typed = server->before.typed;
		WRITE_ONCE(server->state, server->before.state);
	}
}

static unsigned int candidates(const struct lbsp_rule *r, struct rendezvous_candidate *c)
{
	unsigned int n = 0, i;

	for (i = 0; i < r->members; i++) {
		const struct lbsp_member *m = &r->member[i];

		if (m->weight && m->server->state == XT_DTLSCID_UP)
			c[n++] = (struct rendezvous_candidate){
				.seed = m->seed, .number = i, .weight = m->weight,
			};
	}
	return n;
}

/* Buckets for the servers that are up. */
static struct lbsp_buckets *buckets_new(const struct lbsp_rule *r)
{
	struct rendezvous_candidate *c = kmalloc_array(r->members, sizeof(*c), GFP_KERNEL);
	struct lbsp_buckets *b = kmalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	const struct rendezvous_candidate *winner;
	unsigned int n, i;

	if (!c || !b) {
		kfree(c);
		kfree(b);
		return NULL;
	}
	n = candidates(r, c);
	for (i = 0; i < LBSP_BUCKETS; i++) {
		winner = rendezvous_winner(c, n, i);
		b->member[i] = winner ? winner->number : LBSP_NOBODY;
		cond_resched();
	}
	kfree(c);
	return b;
}

/* A rule has no buckets yet, or some for other states. */
static bool is_due(const struct lbsp_rule *r)
{
	unsigned int i;

	for (i = 0; i < r->members; i++)
		if (r->member[i].state != r->member[i].server->state)
			return true;
	return false;
}

static void publish(struct lbsp_rule *r)
{
	struct lbsp_buckets *old;
	unsigned int i;

	for (i = 0; i < r->members; i++)
		r->member[i].state = r->member[i].server->state;
	old = rcu_replace_pointer(r->buckets, r->next, lockdep_is_held(&r->service->base.lock));
	r->next = NULL;
	if (old)
		kfree_rcu(old, rcu);
}

/**
 * lbsp_pools() - make all pools fit the states
 * @s: service, locked
 *
 * Return: 0; or less, and then all is as it was.
 */
int lbsp_pools(struct lbsp_service *s)
{
	struct lbsp_rule *r;
	int err = 0;

	list_for_each_entry(r, &s->rules, list) {
		if (!is_due(r))
			continue;
		r->next = buckets_new(r);
		if (!r->next)
			err = -ENOMEM;
	}
	list_for_each_entry(r, &s->rules, list) {
		if (!err && r->next)
			publish(r);
		kfree(r->next);
		r->next = NULL;
	}
	return err;
}

/* A server by its address; NULL if it is not in the pool. */
const struct lbsp_member *lbsp_pool_find(const struct lbsp_rule *r, const struct in6_addr *addr)
{
	return bsearch(addr, r->member, r->members, sizeof(r->member[0]), compare_addr);
}

/**
 * lbsp_pool_select() - the server of a client that has none
 * @r:		rule
 * @client:	its identity
 * @to:		what it sends to: a client's servers of different services differ
 *
 * The protocol does not matter: TCP and UDP of one port are one service.
 *
 * Return: a member; NULL if none takes new clients.
 */
const struct lbsp_member *lbsp_pool_select(const struct lbsp_rule *r, const struct in6_addr *client,
					   const struct nf_conntrack_tuple *to)
{
	struct {
		struct in6_addr client;
		struct in6_addr vip;
		__be16 port;
	} __packed name = { *client, to->dst.u3.in6, to->dst.u.all };
	const struct lbsp_buckets *b = rcu_dereference(r->buckets);
	u8 i;

	if (!b)
		return NULL;
	i = b->member[siphash(&name, sizeof(name), &r->service->base.key) % LBSP_BUCKETS];
	return i == LBSP_NOBODY ? NULL : &r->member[i];
}
