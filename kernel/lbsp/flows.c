// SPDX-License-Identifier: GPL-2.0-only
/* The flows of a service: what makes them its, how many there are, and their end. */
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include "../compat/conntrack.h"
#include "lbsp.h"

#define WALK_SHARE	50		/* one part of the time for walks */
#define WALK_OFTEN	(10 * HZ)	/* while a name has only flows */
#define WALK_RARELY	(60 * HZ)

int lbsp_flows_init(struct lbsp_service *s)
{
	s->timeout[LBSP_TCP] = compat_timeout_new(IPPROTO_TCP, TCP_CONNTRACK_TIMEOUT_MAX);
	s->timeout[LBSP_UDP] = compat_timeout_new(IPPROTO_UDP, UDP_CT_MAX);
	return s->timeout[LBSP_TCP] && s->timeout[LBSP_UDP] ? 0 : -ENOMEM;
}

void lbsp_flows_free(struct lbsp_service *s)
{
	int i;

	for (i = 0; i < LBSP_PROTOCOLS; i++)
		if (s->timeout[i])
			compat_timeout_free(s->timeout[i]);
}

static void set(unsigned int *data, const unsigned int *to, unsigned int n)
{
	while (n--)
		if (READ_ONCE(data[n]) != READ_ONCE(to[n]))
			WRITE_ONCE(data[n], to[n]);
}

/* A timeout object's values are its own, so the sysctls' are copied. */
static void set_timeouts(struct lbsp_service *s, enum lbsp_protocol p)
{
	unsigned int *data = (unsigned int *)s->timeout[p]->data;
	const unsigned int said[UDP_CT_MAX] = {
		[UDP_CT_UNREPLIED] = READ_ONCE(s->seconds[1]) * HZ,
		[UDP_CT_REPLIED] = READ_ONCE(s->seconds[0]) * HZ,
	};

	if (p == LBSP_TCP)
		set(data, nf_tcp_pernet(s->base.net)->timeouts, TCP_CONNTRACK_TIMEOUT_MAX);
	else
		set(data, said[UDP_CT_REPLIED] ? said : nf_udp_pernet(s->base.net)->timeouts,
		    UDP_CT_MAX);
}

/**
 * lbsp_flow_add() - make a new flow the service's
 * @s:	service
 * @ct:	not confirmed, of TCP or UDP
 *
 * One that has a timeout object, by a rule of the user's, keeps it; one for which there is no
 * memory has none.  Both are served as all others, but are not in the counts of live flows,
 * and not deleted with their server.
 */
void lbsp_flow_add(struct lbsp_service *s, struct nf_conn *ct)
{
	enum lbsp_protocol p = nf_ct_protonum(ct) == IPPROTO_TCP ? LBSP_TCP : LBSP_UDP;
	const unsigned int *data = (const unsigned int *)s->timeout[p]->data;

	if (READ_ONCE(s->base.dead) || nf_ct_timeout_find(ct))
		return;
	set_timeouts(s, p);
	if (nf_ct_timeout_ext_add(ct, s->timeout[p], GFP_ATOMIC) && p == LBSP_UDP)
		ct->timeout = READ_ONCE(data[UDP_CT_UNREPLIED]);
}

static bool is_ours(const struct lbsp_service *s, const struct nf_conn *ct)
{
	const struct nf_conn_timeout *ext = nf_ct_timeout_find(ct);
	const struct nf_ct_timeout *t = ext ? rcu_access_pointer(ext->timeout) : NULL;

	return t && (t == s->timeout[LBSP_TCP] || t == s->timeout[LBSP_UDP]);
}

/* What serves a flow. */
static const struct in6_addr *server_of(const struct nf_conn *ct)
{
	return &ct->tuplehash[IP_CT_DIR_REPLY].tuple.src.u3.in6;
}

static int count_flow(struct nf_conn *ct, void *data)
{
	struct lbsp_service *s = data;
	struct lbsp_server *server;

	if (!is_ours(s, ct) || nf_ct_is_expired(ct))
		return 0;
	s->flows++;
	server = lbsp_server_find(s, server_of(ct));
	if (server)
		server->live++;
	return 0;
}

/**
 * lbsp_walk() - count the flows
 * @s: service, locked
 *
 * Return: when to walk once more for a name that has only flows, in jiffies.
 */
unsigned long lbsp_walk(struct lbsp_service *s)
{
	struct lbsp_server *server;
	unsigned long start = jiffies;

	s->flows = 0;
	list_for_each_entry(server, &s->servers, list)
		server->live = 0;
	compat_ct_iterate(s->base.net, count_flow, s);
	return clamp_t(unsigned long, WALK_SHARE * (jiffies - start), WALK_OFTEN, WALK_RARELY);
}

static int is_flushed(struct nf_conn *ct, void *data)
{
	const struct lbsp_service *s = data;
	const struct lbsp_server *server;

	if (!is_ours(s, ct))
		return 0;
	server = lbsp_server_find(s, server_of(ct));
	return server && server->flush;
}

/**
 * lbsp_flush() - delete the flows of the servers that are marked, and take off the marks
 * @s: service, locked
 *
 * What a client sends then is the first packet of a flow.
 */
void lbsp_flush(struct lbsp_service *s)
{
	struct lbsp_server *server;

	synchronize_rcu();	/* no packet is on its way there any more, but for queued ones */
	compat_ct_iterate(s->base.net, is_flushed, s);
	list_for_each_entry(server, &s->servers, list)
		server->flush = false;
}

/* No entry refers to the service then; all live on, as the sysctls say. */
void lbsp_flows_detach(struct lbsp_service *s)
{
	int i;

	compat_ct_drop_unconfirmed(s->base.net);
	for (i = 0; i < LBSP_PROTOCOLS; i++)
		compat_timeout_detach(s->base.net, s->timeout[i]);
}
