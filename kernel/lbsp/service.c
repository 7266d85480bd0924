// SPDX-License-Identifier: GPL-2.0-only
/* Services: names of -j LBSP, and the rules that they have. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "lbsp.h"

static unsigned int lbsp_net_id __read_mostly;

static const u8 *key_of(const struct xt_lbsp_tginfo_v0 *info)
{
	return info->flags & XT_LBSP_HASH_KEY ? info->hash_key : NULL;
}

/* struct nf_name_ops */

static void service_free(struct nf_name *n)
{
	struct lbsp_service *s = lbsp_service(n);

	lbsp_servers_free(s);
	lbsp_flows_free(s);
	free_percpu(s->total);
	kfree(s);
}

static struct nf_name *service_new(struct net *net, const void *data)
{
	struct lbsp_service *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	const struct xt_lbsp_tginfo_v0 *info = data;

	if (!s)
		return NULL;
	nf_name_init(&s->base, net, info->name, key_of(info));
	INIT_LIST_HEAD(&s->rules);
	INIT_LIST_HEAD(&s->servers);
	hash_init(s->by_addr);
	s->total = alloc_percpu_gfp(struct lbsp_totals, GFP_KERNEL_ACCOUNT);
	if (!s->total || lbsp_flows_init(s))
		goto free;
	if (!nf_ct_netns_get(net, NFPROTO_IPV6))
		return &s->base;
free:
	service_free(&s->base);
	return NULL;
}

static unsigned long service_keep(struct nf_name *n)
{
	struct lbsp_service *s = lbsp_service(n);
	unsigned long again;

	if (n->rules)
		return 0;
	again = lbsp_walk(s);
	return s->flows ? again : 0;
}

/*
 * The name, not its rules, keeps conntrack in the namespace: else sessions would break between
 * a script's -D and -A, if nobody else has a use for it.
 */
static void service_withdraw(struct nf_name *n)
{
	nf_ct_netns_put(n->net, NFPROTO_IPV6);
}

static void service_end(struct nf_name *n)
{
	lbsp_flows_detach(lbsp_service(n));
}

static const struct nf_name_ops service_ops = {
	.target		= "LBSP",
	.dir		= "xt_lbsp",
	.new		= service_new,
	.keep		= service_keep,
	.withdraw	= service_withdraw,
	.end		= service_end,
	.free		= service_free,
	.size		= lbsp_proc_size,
	.show		= lbsp_proc_show,
	.find		= lbsp_command_find,
	.set_state	= lbsp_command_state,
	.flush		= lbsp_command_flush,
	.zero		= lbsp_command_zero,
};

/* What only one of several rules can decide, the newest does. */
static void newest_decides(struct lbsp_service *s)
{
	const struct lbsp_rule *newest;

	newest = list_first_entry_or_null(&s->rules, struct lbsp_rule, list);
	if (!newest)
		return;
	WRITE_ONCE(s->seconds[0], newest->seconds[0]);
	WRITE_ONCE(s->seconds[1], newest->seconds[1]);
}

static int join(struct lbsp_rule *r, const struct xt_lbsp_tginfo_v0 *info)
{
	struct lbsp_service *s = r->service;
	int err;

	if (s->base.rules == LBSP_RULES_MAX) {
		pr_info_ratelimited("target: --name %s would have more than %u rules, those to be replaced included\n",
				    s->base.name, LBSP_RULES_MAX);
		return -ENOSPC;
	}
	err = lbsp_pool_fill(r, info);
	if (err)
		goto sweep;
	lbsp_pool_type(r, info);
	list_add(&r->list, &s->rules);
	s->base.rules++;
	newest_decides(s);
sweep:
	lbsp_servers_sweep(s, s->base.rules);
	return err;
}

/**
 * lbsp_rule_add() - make a rule known to the service it names
 * @r:		what concerns only the rule is filled in
 * @net:	namespace
 * @info:	valid rule data
 *
 * Return: 0; or less, and then the rule is not known.
 */
int lbsp_rule_add(struct lbsp_rule *r, struct net *net, const struct xt_lbsp_tginfo_v0 *info)
{
	struct nf_names *names = net_generic(net, lbsp_net_id);
	struct nf_name *n;
	int err;

	mutex_lock(&names->lock);
	n = nf_name_get(names, info->name, key_of(info), info);
	if (IS_ERR(n)) {
		err = PTR_ERR(n);
		goto out;
	}
	r->service = lbsp_service(n);
	mutex_lock(&n->lock);
	err = join(r, info);
	mutex_unlock(&n->lock);
	if (err)
		nf_name_look(n, 0);
out:
	mutex_unlock(&names->lock);
	return err;
}

/**
 * lbsp_rule_del() - take a rule from its service
 * @r: a rule that no packet meets any more
 *
 * A name without rules keeps all as it is, for a rule that may come back.
 */
void lbsp_rule_del(struct lbsp_rule *r)
{
	struct lbsp_service *s = r->service;
	struct nf_names *names = s->base.names;

	mutex_lock(&names->lock);
	mutex_lock(&s->base.lock);
	list_del(&r->list);
	s->base.rules--;
	lbsp_pool_empty(r);
	newest_decides(s);
	lbsp_servers_sweep(s, s->base.rules);
	mutex_unlock(&s->base.lock);
	nf_name_left(&s->base);
	mutex_unlock(&names->lock);
}

static int __net_init lbsp_net_init(struct net *net)
{
	return nf_names_init(net_generic(net, lbsp_net_id), net, &service_ops);
}

static void __net_exit lbsp_net_pre_exit(struct net *net)
{
	nf_names_pre_exit(net_generic(net, lbsp_net_id));
}

static void __net_exit lbsp_net_exit(struct net *net)
{
	nf_names_exit(net_generic(net, lbsp_net_id));
}

static struct pernet_operations lbsp_net_ops = {
	.init		= lbsp_net_init,
	.pre_exit	= lbsp_net_pre_exit,
	.exit		= lbsp_net_exit,
	.id		= &lbsp_net_id,
	.size		= sizeof(struct nf_names),
};

int __init lbsp_service_init(void)
{
	return register_pernet_subsys(&lbsp_net_ops);
}

void lbsp_service_exit(void)
{
	unregister_pernet_subsys(&lbsp_net_ops);
}
