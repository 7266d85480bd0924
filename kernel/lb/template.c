// SPDX-License-Identifier: GPL-2.0-only
/* What makes an entry ours: timeout objects, and the templates that pass them on. */
#include <linux/slab.h>
#include "../compat/conntrack.h"
#include "lb.h"

/**
 * lb_timeouts() - how long flows live on, those that are there included
 * @s:		service
 * @seconds:	answered flows from 2 s after the first packet on, then all others
 */
void lb_timeouts(struct lb_service *s, const u32 seconds[2])
{
	unsigned int *data, k;

	s->seconds[0] = seconds[0];
	s->seconds[1] = seconds[1];
	for (k = 0; k < LB_KINDS; k++) {
		data = (unsigned int *)s->timeout[k]->data;
		WRITE_ONCE(data[UDP_CT_REPLIED], seconds[0] * HZ);
		WRITE_ONCE(data[UDP_CT_UNREPLIED], seconds[1] * HZ);
	}
}

/*
 * Templates hold no reference to the timeout object: their end would not return it.
 * The service outlives its own, and those made once, as lb_hooks_down() says.
 */
static struct nf_conn *template_new(struct lb_service *s, enum lb_reason kind, gfp_t gfp)
{
	struct nf_conntrack_zone zone = lb_zone(s, 0);
	struct nf_conn *t = nf_ct_tmpl_alloc(s->base.net, &zone, gfp);

	if (!t)
		return NULL;
	refcount_set(&t->ct_general.use, 1);
	if (!nf_ct_timeout_ext_add(t, s->timeout[kind], gfp)) {
		nf_ct_tmpl_free(t);
		return NULL;
	}
	compat_timeout_unref(s->timeout[kind]);
	compat_ct_ext_keep(t);
	__set_bit(IPS_CONFIRMED_BIT, &t->status);
	return t;
}

/**
 * lb_attach_once() - give the packet a template of its own, when this CPU's is in use
 * @s:		service
 * @skb:	packet
 * @kind:	what it is
 * @id:		zone
 */
bool lb_attach_once(struct lb_service *s, struct sk_buff *skb, enum lb_reason kind, u16 id)
{
	struct nf_conn *t = template_new(s, kind, GFP_ATOMIC | __GFP_NOWARN);

	if (!t)
		return false;
	this_cpu_inc(s->cpu->total.once);
	t->zone.id = id;
	nf_ct_set(skb, t, IP_CT_NEW);
	return true;
}

int lb_templates_init(struct lb_service *s)
{
	unsigned int k;
	int cpu;

	for (k = 0; k < LB_KINDS; k++) {
		s->timeout[k] = compat_timeout_new(IPPROTO_UDP, 2);
		if (!s->timeout[k])
			return -ENOMEM;
	}
	s->cpu = alloc_percpu_gfp(struct lb_cpu, GFP_KERNEL_ACCOUNT);
	if (!s->cpu)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		for (k = 0; k < LB_KINDS; k++) {
			struct nf_conn **t = &per_cpu_ptr(s->cpu, cpu)->template[k];

			*t = template_new(s, k, GFP_KERNEL_ACCOUNT);
			if (!*t)
				return -ENOMEM;
		}
	}
	return 0;
}

static void templates_free(struct lb_cpu *c)
{
	unsigned int k;

	for (k = 0; k < LB_KINDS; k++)
		if (c->template[k])
			nf_ct_put(c->template[k]);
}

/* After lb_flows_detach(), or when there never was a flow. */
void lb_templates_free(struct lb_service *s)
{
	unsigned int k;
	int cpu;

	if (s->cpu)
		for_each_possible_cpu(cpu)
			templates_free(per_cpu_ptr(s->cpu, cpu));
	free_percpu(s->cpu);
	for (k = 0; k < LB_KINDS; k++)
		if (s->timeout[k])
			compat_timeout_free(s->timeout[k]);
}
