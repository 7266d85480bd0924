// SPDX-License-Identifier: GPL-2.0-only
/* The servers of a rule: which of them a client gets. */
#include <linux/bsearch.h>
#include <linux/sort.h>
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
			.draw = {
				.seed = siphash(&x->addr, sizeof(x->addr), &r->service->base.key),
				.weight = x->weight,
			},
		};
	}
	sort(r->member, r->members, sizeof(r->member[0]), compare, NULL);
	return 0;
}

void lbsp_pool_empty(struct lbsp_rule *r)
{
	while (r->members)
		r->member[--r->members].server->users--;
}

/**
 * lbsp_pool_type() - apply the states that a rule says, where they are news
 * @r:		rule
 * @info:	its data
 *
 * A rule that is checked again because of its neighbours undoes nothing.
 */
void lbsp_pool_type(struct lbsp_rule *r, const struct xt_lbsp_tginfo_v0 *info)
{
	const struct xt_lbsp_server *x;
	bool down = false;

	for (x = info->server; x < info->server + info->nservers; x++) {
		struct lbsp_server *server = lbsp_server_find(r->service, &x->addr);

		server->tried = false;
		if (x->state == XT_DTLSCID_AS_IS || x->state == server->typed)
			continue;
		server->typed = x->state;
		lbsp_server_set_state(server, x->state);
		down |= server->flush;
	}
	if (down)
		lbsp_flush(r->service);
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
	u64 hash = siphash(&name, sizeof(name), &r->service->base.key);
	struct rendezvous_best best = { 0 };
	const struct lbsp_member *m;

	for (m = r->member; m < r->member + r->members; m++)
		if (m->draw.weight && READ_ONCE(m->server->state) == XT_DTLSCID_UP)
			rendezvous_offer(&best, &m->draw, hash);
	return best.candidate ? container_of(best.candidate, struct lbsp_member, draw) : NULL;
}
