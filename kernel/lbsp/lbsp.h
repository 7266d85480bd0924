/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The balancer below -j LBSP.
 *
 * It is asked for the first packet of a flow only, by the nat table; conntrack keeps the
 * flow with the server that it is given.  A pool is the servers of a rule, and no client
 * gets any other.  A service is what the rules of one --name share: its servers' states, the
 * key, counters; a server is known there by its address.  A flow is known as a service's by
 * its timeout object.
 */
#ifndef _LBSP_LBSP_H
#define _LBSP_LBSP_H

#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/netfilter/xt_LBSP.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_timeout.h>
#include "../core/rendezvous.h"
#include "../names.h"
#include "../nf_lbsp.h"

/* What was decided about the first packet of a flow: one of these. */
enum lbsp_decision {
	LBSP_NEW,		/* no server yet: by the client */
	LBSP_PERSISTENT,	/* to its server */
	LBSP_DRAINED,		/* to its server, which gets no new clients */
	LBSP_STALE,		/* its server is down: by the client */
	LBSP_FOREIGN,		/* its server is not in the pool: by the client, or dropped */
	LBSP_FALLBACK,		/* no option, or no client in it: by the source address */
	LBSP_MALFORMED,		/* dropped */
	LBSP_UNSUPPORTED,	/* left alone */
	LBSP_NO_SERVER,		/* dropped: none takes new clients */
	LBSP_DECISIONS
};

/* Protocols that are balanced, each with a timeout object. */
enum lbsp_protocol {
	LBSP_TCP,
	LBSP_UDP,
	LBSP_PROTOCOLS
};

struct lbsp_totals {
	u64 decision[LBSP_DECISIONS];
};

/**
 * struct lbsp_server - an address under a name
 * @list:	in the service's, as they came
 * @by_addr:	in its table
 * @addr:	address
 * @users:	pools that it is in
 * @state:	enum xt_dtlscid_state, as it is: never AS_IS
 * @typed:	the state that a rule said last
 * @tried:	no rule has it yet that was added
 * @flush:	its flows are to be deleted
 * @live:	flows, by the walk under way
 * @flows:	new ones
 * @zero:	the same, when somebody wrote "zero"
 * @rcu:	for its end
 */
struct lbsp_server {
	struct list_head list;
	struct hlist_node by_addr;
	struct in6_addr addr;
	unsigned int users;
	u8 state;
	u8 typed;
	bool tried;
	bool flush;
	unsigned int live;
	u64 __percpu *flows;
	u64 zero;
	struct rcu_head rcu;
};

/* Of a name. */
#define LBSP_RULES_MAX		256
#define LBSP_SERVERS_MAX	4096

/**
 * struct lbsp_service - what the rules of a name share; see names.h
 * @base:	name
 * @rules:	newest first
 * @servers:	struct lbsp_server
 * @by_addr:	the same
 * @nservers:	how many there are
 * @total:	counters
 * @zero:	what had been counted when somebody wrote "zero"
 * @timeout:	makes a flow ours
 * @seconds:	of UDP flows, as the newest rule says
 * @flows:	by the last walk
 */
struct lbsp_service {
	struct nf_name base;
	struct list_head rules;
	struct list_head servers;
	DECLARE_HASHTABLE(by_addr, 8);
	unsigned int nservers;
	struct lbsp_totals __percpu *total;
	struct lbsp_totals zero;
	struct nf_ct_timeout *timeout[LBSP_PROTOCOLS];
	u32 seconds[2];
	unsigned int flows;
};

static inline struct lbsp_service *lbsp_service(const struct nf_name *n)
{
	return container_of(n, struct lbsp_service, base);
}

/* @draw: what it has in the choice for a client */
struct lbsp_member {
	struct lbsp_server *server;
	struct rendezvous_candidate draw;
};

/**
 * struct lbsp_rule - a rule, and its pool
 * @format:	which options are LBSP
 * @drop_foreign: flows with a server that is not in the pool
 * @service:	what it belongs to
 * @list:	in the service's
 * @seconds:	that it says; see struct lbsp_service
 * @members:	in use
 * @member:	the pool, by address
 */
struct lbsp_rule {
	struct nf_lbsp_format format;
	bool drop_foreign;
	struct lbsp_service *service;
	struct list_head list;
	u32 seconds[2];
	unsigned int members;
	struct lbsp_member member[];
};

/* service.c */
int lbsp_rule_add(struct lbsp_rule *r, struct net *net, const struct xt_lbsp_tginfo_v0 *info);
void lbsp_rule_del(struct lbsp_rule *r);
int lbsp_service_init(void);
void lbsp_service_exit(void);

/* servers.c */
struct lbsp_server *lbsp_server_find(const struct lbsp_service *s, const struct in6_addr *addr);
struct lbsp_server *lbsp_server_get(struct lbsp_service *s, const struct in6_addr *addr);
void lbsp_server_set_state(struct lbsp_server *server, u8 state);
void lbsp_servers_sweep(struct lbsp_service *s, bool all);
void lbsp_servers_free(struct lbsp_service *s);
void *lbsp_command_find(struct nf_name *n, const char *text);
int lbsp_command_state(struct nf_name *n, void *who, u8 state);
void lbsp_command_flush(struct nf_name *n, void *who);

/* pool.c */
int lbsp_pool_fill(struct lbsp_rule *r, const struct xt_lbsp_tginfo_v0 *info);
void lbsp_pool_empty(struct lbsp_rule *r);
void lbsp_pool_type(struct lbsp_rule *r, const struct xt_lbsp_tginfo_v0 *info);
const struct lbsp_member *lbsp_pool_find(const struct lbsp_rule *r, const struct in6_addr *addr);
const struct lbsp_member *lbsp_pool_select(const struct lbsp_rule *r, const struct in6_addr *client,
					   const struct nf_conntrack_tuple *to);

/* balance.c */
unsigned int lbsp_balance(const struct lbsp_rule *r, struct sk_buff *skb);

/* flows.c */
int lbsp_flows_init(struct lbsp_service *s);
void lbsp_flows_free(struct lbsp_service *s);
void lbsp_flow_add(struct lbsp_service *s, struct nf_conn *ct);
unsigned long lbsp_walk(struct lbsp_service *s);
void lbsp_flush(struct lbsp_service *s);
void lbsp_flows_detach(struct lbsp_service *s);

/* proc.c: struct nf_name_ops */
size_t lbsp_proc_size(const struct nf_name *n);
void lbsp_proc_show(struct seq_file *m, struct nf_name *n);
void lbsp_command_zero(struct nf_name *n);

#endif /* _LBSP_LBSP_H */
