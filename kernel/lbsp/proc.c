// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/xt_lbsp/NAME: a line for each server, one of what was decided about first packets
 * of flows, and one of the name; and the counters in it.
 */
#include <linux/seq_file.h>
#include "lbsp.h"

#define SERVER_LINE	128	/* bytes, at most: a text that does not fit is made anew */

/* By enum lbsp_decision. */
static const char *const decisions[LBSP_DECISIONS] = {
	[LBSP_NEW]		= "new",
	[LBSP_PERSISTENT]	= "persistent",
	[LBSP_DRAINED]		= "drained",
	[LBSP_STALE]		= "stale",
	[LBSP_FOREIGN]		= "foreign",
	[LBSP_FALLBACK]		= "fallback",
	[LBSP_MALFORMED]	= "malformed",
	[LBSP_UNSUPPORTED]	= "unsupported",
	[LBSP_NO_SERVER]	= "no-server",
};

static u64 flows(const struct lbsp_server *server)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *per_cpu_ptr(server->flows, cpu);
	return sum;
}

static void totals(const struct lbsp_service *s, struct lbsp_totals *sum)
{
	int cpu, i;

	*sum = (struct lbsp_totals){};
	for_each_possible_cpu(cpu)
		for (i = 0; i < LBSP_DECISIONS; i++)
			sum->decision[i] += per_cpu_ptr(s->total, cpu)->decision[i];
}

/* Packets go on counting meanwhile: no counter is written, its value now is noted. */
void lbsp_command_zero(struct nf_name *n)
{
	struct lbsp_service *s = lbsp_service(n);
	struct lbsp_server *server;

	totals(s, &s->zero);
	list_for_each_entry(server, &s->servers, list)
		server->zero = flows(server);
}

/* In the newest rule that has it; a name without rules knows none. */
static int weight(const struct lbsp_service *s, const struct lbsp_server *server)
{
	const struct lbsp_member *m;
	const struct lbsp_rule *r;

	list_for_each_entry(r, &s->rules, list) {
		m = lbsp_pool_find(r, &server->addr);
		if (m)
			return m->draw.weight;
	}
	return -1;
}

static void show_server(struct seq_file *m, const struct lbsp_service *s,
			const struct lbsp_server *server)
{
	int w = weight(s, server);

	seq_printf(m, "server=%pI6c", &server->addr);
	if (w < 0)
		seq_puts(m, " weight=-");
	else
		seq_printf(m, " weight=%d", w);
	seq_printf(m, " state=%s new-flows=%llu live-flows=%u\n", nf_state_name(server->state),
		   flows(server) - server->zero, server->live);
}

static void show_totals(struct seq_file *m, const struct lbsp_service *s)
{
	struct lbsp_totals now;
	u64 sum = 0;
	int i;

	totals(s, &now);
	for (i = 0; i < LBSP_DECISIONS; i++) {
		now.decision[i] -= s->zero.decision[i];
		sum += now.decision[i];
	}
	seq_printf(m, "packets=%llu", sum);
	for (i = 0; i < LBSP_DECISIONS; i++)
		seq_printf(m, " %s=%llu", decisions[i], now.decision[i]);
	seq_putc(m, '\n');
}

static void show_service(struct seq_file *m, const struct lbsp_service *s)
{
	seq_printf(m, "name=%s hash-key=%s", s->base.name, s->base.key_typed ? "set" : "random");
	if (s->seconds[0])
		seq_printf(m, " timeout=%u,%u", s->seconds[0], s->seconds[1]);
	else
		seq_puts(m, " timeout=-");
	seq_printf(m, " rules=%u flows=%u\n", s->base.rules, s->flows);
}

size_t lbsp_proc_size(const struct nf_name *n)
{
	return 512 + SERVER_LINE * lbsp_service(n)->nservers;
}

void lbsp_proc_show(struct seq_file *m, struct nf_name *n)
{
	struct lbsp_service *s = lbsp_service(n);
	const struct lbsp_server *server;

	lbsp_walk(s);
	list_for_each_entry(server, &s->servers, list)
		show_server(m, s, server);
	show_totals(m, s);
	show_service(m, s);
}
