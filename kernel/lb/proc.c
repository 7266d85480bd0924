// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/xt_dtlscid/NAME: a line for each node and family, then one each of what
 * the datagrams, the ICMP errors and the nodes' first packets came to, then one of the
 * name.  What may be written to it says command.c.
 */
#include <linux/seq_file.h>
#include "lb.h"

#define NODE_LINE	256	/* bytes, at most: a text that does not fit is made anew */

/* By enum lb_reason. */
static const char *const reasons[LB_REASONS] = {
	[LB_CID12]		= "cid12",
	[LB_CID13]		= "cid13",
	[LB_MIXED]		= "mixed",
	[LB_CLIENT_HELLO]	= "client-hello",
	[LB_NO_CID]		= "no-cid",
	[LB_NOT_DTLS]		= "not-dtls",
	[LB_MALFORMED]		= "malformed",
	[LB_FRAGMENT]		= "fragment",
	[LB_UNKNOWN_NODE]	= "unknown-node",
	[LB_NODE_DOWN]		= "node-down",
	[LB_ALREADY_TRACKED]	= "already-tracked",
	[LB_MAX_FLOWS]		= "max-flows",
	[LB_NO_TEMPLATE]	= "no-template",
};

/* By enum lb_icmp. */
static const char *const icmps[LB_ICMPS] = {
	[LB_ICMP_FOUND]		= "found",
	[LB_ICMP_UNKNOWN]	= "unknown",
	[LB_ICMP_LIMITED]	= "limited",
};

/* By enum lb_first. */
static const char *const firsts[LB_FIRSTS] = {
	[LB_FIRST_FLOWS]	= "flows",
	[LB_FIRST_REFUSED]	= "refused",
};

static void show_address(struct seq_file *m, u8 pf, const union nf_inet_addr *addr, __be16 port)
{
	if (pf == NFPROTO_IPV4)
		seq_printf(m, "%pI4", &addr->ip);
	else
		seq_printf(m, port ? "[%pI6c]" : "%pI6c", &addr->in6);
	if (port)
		seq_printf(m, ":%u", ntohs(port));
}

static void show_age(struct seq_file *m, const char *what, unsigned long last)
{
	if (last)
		seq_printf(m, " %s-age=%lu", what, (jiffies - last) / HZ);
	else
		seq_printf(m, " %s-age=-", what);
}

static unsigned long later(unsigned long a, unsigned long b)
{
	return a && (!b || time_after(a, b)) ? a : b;
}

static void show_ages(struct seq_file *m, const unsigned long *last)
{
	show_age(m, "cid", later(later(last[LB_CID12], last[LB_CID13]), last[LB_MIXED]));
	show_age(m, "handshake", last[LB_CLIENT_HELLO]);
}

static void show_vip(struct seq_file *m, u8 pf, struct lb_family *f, struct lb_slot *slot)
{
	union nf_inet_addr addr;
	__be16 port;

	seq_puts(m, " vip=");
	if (lb_speaks_from(f, slot, &addr, &port))
		show_address(m, pf, &addr, port);
	else
		seq_putc(m, '-');
	seq_putc(m, '\n');
}

static void show_node(struct seq_file *m, struct lb_service *s, struct lb_family *f,
		      const struct lb_entry *e)
{
	struct lb_slot *slot = xa_load(&f->slots, e->slot);
	u8 pf = lb_pf(s, f);
	struct lb_count sum;

	lb_node_since(e->node, lb_v6(pf), &sum);
	seq_printf(m, "node=%u addr=", e->id);
	show_address(m, pf, &slot->addr, slot->port);
	seq_printf(m, " weight=%u state=%s zone=%u datagrams=%llu new-flows=%llu live-flows=%u",
		   e->weight, nf_state_name(e->node->state), s->zone_base + e->slot,
		   sum.datagrams, sum.flows, slot->live);
	show_ages(m, sum.last);
	show_vip(m, pf, f, slot);
}

static void show_nodes(struct seq_file *m, struct lb_service *s, struct lb_family *f)
{
	const struct lb_table *t = rcu_dereference_protected(f->table, lb_held(s));
	const struct lb_entry *e;
	struct lb_node *n;
	unsigned long id;

	if (!t)
		return;
	xa_for_each(&s->nodes, id, n) {		/* in the order of ids */
		e = lb_find(t, id);
		if (e)
			show_node(m, s, f, e);
	}
}

static void show_counts(struct seq_file *m, const char *const names[], const u64 *counts,
			unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		seq_printf(m, " %s=%llu", names[i], counts[i]);
	seq_putc(m, '\n');
}

static void show_totals(struct seq_file *m, const struct lb_totals *t)
{
	u64 datagrams = 0;
	unsigned int i;

	for (i = 0; i < LB_REASONS; i++)
		datagrams += t->reason[i];
	seq_printf(m, "datagrams=%llu", datagrams);
	show_counts(m, reasons, t->reason, LB_REASONS);
	seq_puts(m, "icmp-errors");
	show_counts(m, icmps, t->icmp, LB_ICMPS);
	seq_puts(m, "node-first");
	show_counts(m, firsts, t->first, LB_FIRSTS);
}

static unsigned int count_moving(const struct lb_service *s)
{
	unsigned int moving = 0, i, k;

	for (i = 0; i < ARRAY_SIZE(s->family); i++) {
		const struct lb_buckets *t = rcu_dereference_protected(s->family[i].buckets,
								       lb_held(s));

		for (k = 0; t && k < LB_BUCKETS; k++)
			moving += lb_displaced(READ_ONCE(t->bucket[k].slots));
	}
	return moving;
}

static void show_service(struct seq_file *m, const struct lb_service *s, u64 once)
{
	seq_printf(m, "name=%s zone-base=%u hash-key=%s timeout=%u,%u max-flows=%u flows=%d moving-buckets=%u extra-templates=%llu\n",
		   s->base.name, s->zone_base, s->base.key_typed ? "set" : "random", s->seconds[0],
		   s->seconds[1], s->max_flows, atomic_read(&s->flows), count_moving(s), once);
}

/* struct nf_name_ops */
size_t lb_proc_size(const struct nf_name *n)
{
	const struct lb_service *s = lb_service(n);

	return 1024 + NODE_LINE * (s->family[0].nslots + s->family[1].nslots);
}

void lb_proc_show(struct seq_file *m, struct nf_name *n)
{
	struct lb_service *s = lb_service(n);
	struct lb_totals totals;

	lb_walk(s, NULL);
	show_nodes(m, s, &s->family[0]);
	show_nodes(m, s, &s->family[1]);
	lb_totals_since(s, &totals);
	show_totals(m, &totals);
	show_service(m, s, totals.once);
}
