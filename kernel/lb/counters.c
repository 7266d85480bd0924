// SPDX-License-Identifier: GPL-2.0-only
/* What has been counted, since the beginning or since "zero" was written. */
#include "lb.h"

/* What a node has been sent in a family, all in all, and when last. */
static void node_count(const struct lb_node *n, bool v6, struct lb_count *sum)
{
	int cpu, k;

	*sum = (struct lb_count){};
	for_each_possible_cpu(cpu) {
		const struct lb_count *c = per_cpu_ptr(n->count[v6], cpu);

		sum->datagrams += c->datagrams;
		sum->flows += c->flows;
		for (k = 0; k < LB_KINDS; k++)
			if (c->last[k] && (!sum->last[k] || time_after(c->last[k], sum->last[k])))
				sum->last[k] = c->last[k];
	}
}

/* What a service has counted, all in all. */
static void totals(const struct lb_service *s, struct lb_totals *sum)
{
	u64 *to = (u64 *)sum;
	unsigned int i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const u64 *from = (const u64 *)&per_cpu_ptr(s->cpu, cpu)->total;

		for (i = 0; i < sizeof(*sum) / sizeof(u64); i++)
			to[i] += from[i];
	}
}

/* NAT takes back what the target has counted too much; "zero" may come in between. */
static u64 since(u64 now, u64 zero)
{
	return now > zero ? now - zero : 0;
}

/* The same since "zero" was written. */
void lb_totals_since(const struct lb_service *s, struct lb_totals *sum)
{
	const u64 *zero = (const u64 *)&s->zero;
	u64 *to = (u64 *)sum;
	unsigned int i;

	totals(s, sum);
	for (i = 0; i < sizeof(*sum) / sizeof(u64); i++)
		to[i] = since(to[i], zero[i]);
}

/* What a node has been sent in a family since then, and when last. */
void lb_node_since(const struct lb_node *n, bool v6, struct lb_count *sum)
{
	node_count(n, v6, sum);
	sum->datagrams = since(sum->datagrams, n->zero[v6].datagrams);
	sum->flows = since(sum->flows, n->zero[v6].flows);
}

/* Packets go on counting meanwhile: no counter is written, its value now is noted. */
void lb_zero(struct lb_service *s)
{
	struct lb_node *n;
	unsigned long id;

	totals(s, &s->zero);
	xa_for_each(&s->nodes, id, n) {
		node_count(n, false, &n->zero[0]);
		node_count(n, true, &n->zero[1]);
	}
}
