// SPDX-License-Identifier: GPL-2.0-only
/* The servers of a service, and what somebody writes about one of them to /proc. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/inet.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include "lbsp.h"

static u32 addr_hash(const struct lbsp_service *s, const struct in6_addr *addr)
{
	return siphash(addr, sizeof(*addr), &s->base.key);
}

/* Under the service's lock. */
struct lbsp_server *lbsp_server_find(const struct lbsp_service *s, const struct in6_addr *addr)
{
	struct lbsp_server *server;

	hash_for_each_possible(s->by_addr, server, by_addr, addr_hash(s, addr))
		if (ipv6_addr_equal(&server->addr, addr))
			return server;
	return NULL;
}

static void server_free(struct rcu_head *head)
{
	struct lbsp_server *server = container_of(head, struct lbsp_server, rcu);

	free_percpu(server->flows);
	kfree(server);
}

static struct lbsp_server *server_new(struct lbsp_service *s, const struct in6_addr *addr)
{
	struct lbsp_server *server;

	if (s->nservers == LBSP_SERVERS_MAX) {
		pr_info_ratelimited("target: --server %pI6c is past %u servers of --name %s\n",
				    addr, LBSP_SERVERS_MAX, s->base.name);
		return ERR_PTR(-ENOSPC);
	}
	server = kzalloc(sizeof(*server), GFP_KERNEL_ACCOUNT);
	if (!server)
		return ERR_PTR(-ENOMEM);
	server->flows = alloc_percpu_gfp(u64, GFP_KERNEL_ACCOUNT);
	if (!server->flows) {
		kfree(server);
		return ERR_PTR(-ENOMEM);
	}
	server->addr = *addr;
	server->state = XT_DTLSCID_UP;
	server->tried = true;
	list_add_tail(&server->list, &s->servers);
	hash_add(s->by_addr, &server->by_addr, addr_hash(s, addr));
	s->nservers++;
	return server;
}

/* For a pool; made if there is none, or an error. */
struct lbsp_server *lbsp_server_get(struct lbsp_service *s, const struct in6_addr *addr)
{
	struct lbsp_server *server = lbsp_server_find(s, addr) ?: server_new(s, addr);

	if (!IS_ERR(server))
		server->users++;
	return server;
}

/* One that goes down is to lose its flows: their clients are to find another. */
void lbsp_server_set_state(struct lbsp_server *server, u8 state)
{
	server->flush = state == XT_DTLSCID_DOWN && server->state != state;
	WRITE_ONCE(server->state, state);
}

/**
 * lbsp_servers_sweep() - forget servers that no pool has any more
 * @s:		service, locked
 * @all:	or else only those of a rule that was not added after all: a name without
 *		rules keeps the others
 *
 * Their flows go on.
 */
void lbsp_servers_sweep(struct lbsp_service *s, bool all)
{
	struct lbsp_server *server, *next;

	list_for_each_entry_safe(server, next, &s->servers, list) {
		if (server->users || !(all || server->tried))
			continue;
		list_del(&server->list);
		hash_del(&server->by_addr);
		s->nservers--;
		call_rcu(&server->rcu, server_free);
	}
}

/* With the service itself: nobody looks. */
void lbsp_servers_free(struct lbsp_service *s)
{
	struct lbsp_server *server, *next;

	list_for_each_entry_safe(server, next, &s->servers, list)
		server_free(&server->rcu);
}

void *lbsp_command_find(struct nf_name *n, const char *text)
{
	struct in6_addr addr;
	const char *end;

	if (!in6_pton(text, -1, addr.s6_addr, -1, &end) || *end)
		return ERR_PTR(-EINVAL);
	return lbsp_server_find(lbsp_service(n), &addr) ?: ERR_PTR(-ENOENT);
}

int lbsp_command_state(struct nf_name *n, void *who, u8 state)
{
	struct lbsp_server *server = who;

	lbsp_server_set_state(server, state);
	if (server->flush)
		lbsp_flush(lbsp_service(n));
	return 0;
}

void lbsp_command_flush(struct nf_name *n, void *who)
{
	struct lbsp_server *server = who;

	server->flush = true;
	lbsp_flush(lbsp_service(n));
}
