// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/xt_dtlscid/NAME: a line for each node and family, then one each of what
 * the datagrams and the ICMP errors came to, then one of the flows.
 */
#include <linux/seq_file.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include "../compat/proc.h"
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

/* By enum xt_dtlscid_state. */
static const char *const states[] = {
	[XT_DTLSCID_UP]		= "up",
	[XT_DTLSCID_DRAIN]	= "drain",
	[XT_DTLSCID_DOWN]	= "down",
};

static void show_address(struct seq_file *m, u8 pf, const struct lb_slot *slot)
{
	if (pf == NFPROTO_IPV4)
		seq_printf(m, "%pI4", &slot->addr.ip);
	else if (slot->port)
		seq_printf(m, "[%pI6c]", &slot->addr.in6);
	else
		seq_printf(m, "%pI6c", &slot->addr.in6);
	if (slot->port)
		seq_printf(m, ":%u", ntohs(slot->port));
}

static void sum_counts(const struct lb_count __percpu *count, struct lb_count *sum)
{
	int cpu;

	*sum = (struct lb_count){};
	for_each_possible_cpu(cpu) {
		sum->datagrams += per_cpu_ptr(count, cpu)->datagrams;
		sum->flows += per_cpu_ptr(count, cpu)->flows;
	}
}

static void show_node(struct seq_file *m, struct lb_service *s, struct lb_family *f,
		      const struct lb_entry *e)
{
	const struct lb_slot *slot = xa_load(&f->slots, e->slot);
	struct lb_count sum;

	sum_counts(e->node->count[lb_v6(lb_pf(s, f))], &sum);
	seq_printf(m, "node=%u addr=", e->id);
	show_address(m, lb_pf(s, f), slot);
	seq_printf(m, " weight=%u state=%s zone=%u datagrams=%llu new-flows=%llu live-flows=%u\n",
		   e->weight, states[e->node->state], s->zone_base + e->slot,
		   sum.datagrams, sum.flows, slot->live);
}

static void show_nodes(struct seq_file *m, struct lb_service *s, struct lb_family *f)
{
	const struct lb_table *t = rcu_dereference_protected(f->table, lockdep_is_held(&s->lock));
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

static void show_reasons(struct seq_file *m, const struct lb_service *s)
{
	u64 sum[LB_REASONS] = {}, total = 0;
	unsigned int i;
	int cpu;

	for (i = 0; i < LB_REASONS; i++) {
		for_each_possible_cpu(cpu)
			sum[i] += per_cpu_ptr(s->cpu, cpu)->reason[i];
		total += sum[i];
	}
	seq_printf(m, "datagrams=%llu", total);
	for (i = 0; i < LB_REASONS; i++)
		seq_printf(m, " %s=%llu", reasons[i], sum[i]);
	seq_putc(m, '\n');
}

static void show_icmp(struct seq_file *m, const struct lb_service *s)
{
	unsigned int i;
	u64 sum;
	int cpu;

	seq_puts(m, "icmp-errors");
	for (i = 0; i < LB_ICMPS; i++) {
		sum = 0;
		for_each_possible_cpu(cpu)
			sum += per_cpu_ptr(s->cpu, cpu)->icmp[i];
		seq_printf(m, " %s=%llu", icmps[i], sum);
	}
	seq_putc(m, '\n');
}

static unsigned int count_moving(const struct lb_service *s)
{
	unsigned int moving = 0, i, k;

	for (i = 0; i < ARRAY_SIZE(s->family); i++) {
		const struct lb_buckets *t = rcu_dereference_protected(s->family[i].buckets,
								       lockdep_is_held(&s->lock));

		for (k = 0; t && k < LB_BUCKETS; k++)
			moving += lb_displaced(READ_ONCE(t->bucket[k].slots));
	}
	return moving;
}

static void show_service(struct seq_file *m, const struct lb_service *s)
{
	u64 once = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		once += per_cpu_ptr(s->cpu, cpu)->once;
	seq_printf(m, "name=%s zone-base=%u hash-key=%s timeout=%u,%u max-flows=%u flows=%d moving-buckets=%u extra-templates=%llu\n",
		   s->name, s->zone_base, s->key_typed ? "set" : "random", s->seconds[0],
		   s->seconds[1], s->max_flows, atomic_read(&s->flows), count_moving(s), once);
}

static int lb_proc_show(struct seq_file *m, void *unused)
{
	struct lb_service *s = m->private;

	mutex_lock(&s->lock);
	lb_walk(s, NULL);
	show_nodes(m, s, &s->family[0]);
	show_nodes(m, s, &s->family[1]);
	show_reasons(m, s);
	show_icmp(m, s);
	show_service(m, s);
	mutex_unlock(&s->lock);
	return 0;
}

/* The file's mode keeps others out; this, root of a namespace that does not own it. */
static int lb_proc_open(struct inode *inode, struct file *file)
{
	struct lb_service *s = pde_data(inode);

	if (!file_ns_capable(file, s->net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	return single_open_size(file, lb_proc_show, s,
				1024 + NODE_LINE * (s->family[0].nslots + s->family[1].nslots));
}

static const struct proc_ops lb_proc_ops = {
	.proc_open	= lb_proc_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= single_release,
};

int lb_proc_add(struct lb_service *s, struct proc_dir_entry *dir)
{
	kuid_t uid = make_kuid(s->net->user_ns, 0);
	kgid_t gid = make_kgid(s->net->user_ns, 0);

	s->proc = proc_create_data(s->name, 0600, dir, &lb_proc_ops, s);
	if (!s->proc)
		return -ENOMEM;
	proc_set_user(s->proc, uid_valid(uid) ? uid : GLOBAL_ROOT_UID,
		      gid_valid(gid) ? gid : GLOBAL_ROOT_GID);
	return 0;
}
