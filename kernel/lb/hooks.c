// SPDX-License-Identifier: GPL-2.0-only
/* The hooks that a service has in a namespace. */
#include <linux/netfilter_ipv4.h>
#include <net/netfilter/nf_nat.h>
#include "lb.h"

static int nat_register(struct net *net, u8 pf, const struct nf_hook_ops *ops)
{
	return pf == NFPROTO_IPV4 ? nf_nat_ipv4_register_fn(net, ops) :
				    nf_nat_ipv6_register_fn(net, ops);
}

static void nat_unregister(struct net *net, u8 pf, const struct nf_hook_ops *ops)
{
	if (pf == NFPROTO_IPV4)
		nf_nat_ipv4_unregister_fn(net, ops);
	else
		nf_nat_ipv6_unregister_fn(net, ops);
}

/*
 * Our look-up is asked before any rule: nft refuses nat chains at this priority, and
 * iptables' nat table comes later still.
 */
static void fill_ops(struct lb_service *s, struct lb_family *f, u8 pf)
{
	f->nat[0] = (struct nf_hook_ops){
		.hook = lb_nat, .priv = s, .pf = pf,
		.hooknum = NF_INET_PRE_ROUTING, .priority = NF_IP_PRI_CONNTRACK,
	};
	f->nat[1] = f->nat[0];
	f->nat[1].hooknum = NF_INET_LOCAL_OUT;
	f->icmp = (struct nf_hook_ops){
		.hook = lb_icmp, .priv = s, .pf = pf,
		.hooknum = NF_INET_LOCAL_IN, .priority = NF_IP_PRI_FIRST,
	};
}

/**
 * lb_hooks_up() - register a service's hooks, if they are not
 * @s:	service
 * @pf:	NFPROTO_IPV4 or IPV6
 *
 * A packet goes by the hooks that there were when it came to the first of them: all that
 * are on their way have to be gone before there is a rule.  Else one would have a
 * template, and no NAT; and its flow, the balancer's own, would be found by all later ones.
 */
int lb_hooks_up(struct lb_service *s, u8 pf)
{
	struct lb_family *f = lb_family(s, pf);
	int err;

	if (f->hooked)
		return 0;
	fill_ops(s, f, pf);
	err = nf_ct_netns_get(s->base.net, pf);
	if (err)
		return err;
	err = nat_register(s->base.net, pf, &f->nat[0]);
	if (err)
		goto put;
	err = nat_register(s->base.net, pf, &f->nat[1]);
	if (err)
		goto first;
	err = nf_register_net_hook(s->base.net, &f->icmp);
	if (err)
		goto second;
	f->hooked = true;
	synchronize_rcu_expedited();	/* of many names, it is once for each */
	return 0;
second:
	nat_unregister(s->base.net, pf, &f->nat[1]);
first:
	nat_unregister(s->base.net, pf, &f->nat[0]);
put:
	nf_ct_netns_put(s->base.net, pf);
	return err;
}

static void nat_down(struct lb_service *s, struct lb_family *f, u8 pf)
{
	if (!f->hooked)
		return;
	nat_unregister(s->base.net, pf, &f->nat[1]);
	nat_unregister(s->base.net, pf, &f->nat[0]);
}

static void icmp_down(struct lb_service *s, struct lb_family *f, u8 pf)
{
	if (!f->hooked)
		return;
	f->hooked = false;
	nf_unregister_net_hook(s->base.net, &f->icmp);
	nf_ct_netns_put(s->base.net, pf);
}

/**
 * lb_hooks_down() - unregister a service's hooks
 * @s: service
 *
 * To unregister the last one drops what user space has queued in this namespace, and
 * with it the templates that such packets hold.
 */
void lb_hooks_down(struct lb_service *s)
{
	nat_down(s, &s->family[0], NFPROTO_IPV4);
	nat_down(s, &s->family[1], NFPROTO_IPV6);
	synchronize_rcu();	/* no packet is between two queues */
	icmp_down(s, &s->family[0], NFPROTO_IPV4);
	icmp_down(s, &s->family[1], NFPROTO_IPV6);
}
