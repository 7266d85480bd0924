// SPDX-License-Identifier: GPL-2.0-only
/* Services: names of -j DTLSCID, and the rules that they have. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "lb.h"

#define ICMP_RATE	1000		/* errors looked at in a second */
#define WALK_RARELY	(60 * HZ)	/* at most between two of these walks */

static unsigned int lb_net_id __read_mostly;

static const u8 *key_of(const struct xt_dtlscid_tginfo_v0 *info)
{
	return info->flags & XT_DTLSCID_HASH_KEY ? info->hash_key : NULL;
}

static void family_init(struct lb_family *f)
{
	xa_init_flags(&f->slots, XA_FLAGS_ALLOC);
	hash_init(f->by_addr);
	seqlock_init(&f->vip.lock);
	seqlock_init(&f->last.lock);
}

static void service_init(struct lb_service *s, struct net *net,
			 const struct xt_dtlscid_tginfo_v0 *info)
{
	nf_name_init(&s->base, net, info->name, key_of(info));
	s->client_key.key[0] = s->base.key.key[0];
	s->client_key.key[1] = s->base.key.key[1];
	s->zone_base = info->zone_base;
	s->max_flows = info->max_flows;
	s->next_walk = get_jiffies_64();
	INIT_LIST_HEAD(&s->rules);
	xa_init(&s->nodes);
	family_init(&s->family[0]);
	family_init(&s->family[1]);
	ratelimit_state_init(&s->icmp_rate, HZ, ICMP_RATE);
	ratelimit_set_flags(&s->icmp_rate, RATELIMIT_MSG_ON_RELEASE);
}

/* struct nf_name_ops */

static void service_free(struct nf_name *n)
{
	struct lb_service *s = lb_service(n);

	lb_nodes_free(s);
	lb_templates_free(s);
	kfree(s);
}

static struct nf_name *service_new(struct net *net, const void *info)
{
	struct lb_service *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return NULL;
	service_init(s, net, info);
	if (lb_templates_init(s)) {
		service_free(&s->base);
		return NULL;
	}
	return &s->base;
}

static const char *disagreement(const struct nf_name *n, const void *info)
{
	const struct xt_dtlscid_tginfo_v0 *rule = info;

	return rule->zone_base != lb_service(n)->zone_base ? "--zone-base" : NULL;
}

/* No packet has a template of ours any more, and there are no new flows. */
static void service_withdraw(struct nf_name *n)
{
	lb_hooks_down(lb_service(n));
}

static void service_end(struct nf_name *n)
{
	lb_flows_detach(lb_service(n));
}

static unsigned long service_keep(struct nf_name *n)
{
	struct lb_service *s = lb_service(n);
	unsigned long took;
	bool again;

	again = lb_tables_again(s);
	again |= lb_walk(s, &took);
	again |= !n->rules && atomic_read(&s->flows);
	return again ? clamp_t(unsigned long, LB_WALK_SHARE * took, LB_WALK_AGAIN, WALK_RARELY) : 0;
}

static const struct nf_name_ops service_ops = {
	.target		= "DTLSCID",
	.dir		= "xt_dtlscid",
	.new		= service_new,
	.disagreement	= disagreement,
	.keep		= service_keep,
	.withdraw	= service_withdraw,
	.end		= service_end,
	.free		= service_free,
	.size		= lb_proc_size,
	.show		= lb_proc_show,
	.find		= lb_command_find,
	.set_state	= lb_command_state,
	.flush		= lb_command_flush,
	.zero		= lb_command_zero,
};

/* For its family. */
static void family_decides(const struct lb_rule *r)
{
	struct lb_family *f = r->family;

	WRITE_ONCE(f->id_connmark, r->info.id_connmark);
	WRITE_ONCE(f->no_dnat, r->info.no_dnat);
	WRITE_ONCE(f->elsewhere, r->info.elsewhere);
	lb_vip_set(&f->vip, &r->info.vip, r->info.vip_port);
}

/* What only one of several rules can decide, the newest does. */
static void newest_decides(struct lb_service *s)
{
	struct lb_rule *newest = list_first_entry_or_null(&s->rules, struct lb_rule, list);
	struct lb_rule *r;

	if (!newest)
		return;
	WRITE_ONCE(s->max_flows, newest->info.max_flows);
	lb_timeouts(s, newest->info.timeout);
	family_decides(newest);
	list_for_each_entry(r, &s->rules, list)
		if (r->pf != newest->pf) {
			family_decides(r);
			break;
		}
}

static int join(struct lb_rule *r, const struct xt_dtlscid_tginfo_v0 *info)
{
	struct lb_service *s = r->service;
	bool down;
	int err;

	if (s->base.rules == LB_RULES_MAX) {
		pr_info_ratelimited("target: --name %s would have more than %u rules, those to be replaced included\n",
				    s->base.name, LB_RULES_MAX);
		return -ENOSPC;
	}
	err = lb_rule_nodes(r, info);
	if (err)
		goto sweep;
	down = lb_type_states(r, info);
	list_add(&r->list, &s->rules);
	err = lb_tables(s);
	if (err) {
		list_del(&r->list);
		lb_untype_states(r);
		lb_rule_forget(r);
		goto sweep;
	}
	lb_rule_keep(r);
	s->base.rules++;
	newest_decides(s);
	if (down)
		lb_flush_down(s);
sweep:
	lb_sweep(s, !list_empty(&s->rules));
	return err;
}

/**
 * lb_rule_add() - make a rule known to the service it names
 * @r:		what concerns only the rule is filled in
 * @net:	namespace
 * @info:	valid rule data
 *
 * Return: 0; or less, and then the rule is not known.
 */
int lb_rule_add(struct lb_rule *r, struct net *net, const struct xt_dtlscid_tginfo_v0 *info)
{
	struct nf_names *names = net_generic(net, lb_net_id);
	struct lb_service *s;
	struct nf_name *n;
	int err;

	mutex_lock(&names->lock);
	n = nf_name_get(names, info->name, key_of(info), info);
	if (IS_ERR(n)) {
		err = PTR_ERR(n);
		goto out;
	}
	s = lb_service(n);
	r->service = s;
	r->family = lb_family(s, r->pf);
	r->zone_base = s->zone_base;
	r->cpu = s->cpu;
	err = lb_hooks_up(s, r->pf);
	if (!err) {
		mutex_lock(&n->lock);
		err = join(r, info);
		mutex_unlock(&n->lock);
	}
	nf_name_look(n, err ? 0 : LB_WALK_AGAIN);
out:
	mutex_unlock(&names->lock);
	return err;
}

/* A name without rules keeps all as it is, for a rule that may come back. */
static void leave(struct lb_service *s)
{
	if (lb_tables(s))
		lb_tables_drop(s);
	newest_decides(s);
	lb_sweep(s, true);
}

/**
 * lb_rule_del() - take a rule from its service
 * @r: a rule that no packet meets any more
 */
void lb_rule_del(struct lb_rule *r)
{
	struct lb_service *s = r->service;
	struct nf_names *names = s->base.names;

	mutex_lock(&names->lock);
	mutex_lock(&s->base.lock);
	list_del(&r->list);
	s->base.rules--;
	WRITE_ONCE(s->base.left, jiffies);
	lb_rule_forget(r);
	if (!s->base.dead && s->base.rules)
		leave(s);
	mutex_unlock(&s->base.lock);
	nf_name_left(&s->base);
	mutex_unlock(&names->lock);
}

static int __net_init lb_net_init(struct net *net)
{
	return nf_names_init(net_generic(net, lb_net_id), net, &service_ops);
}

static void __net_exit lb_net_pre_exit(struct net *net)
{
	nf_names_pre_exit(net_generic(net, lb_net_id));
}

static void __net_exit lb_net_exit(struct net *net)
{
	nf_names_exit(net_generic(net, lb_net_id));
}

static struct pernet_operations lb_net_ops = {
	.init		= lb_net_init,
	.pre_exit	= lb_net_pre_exit,
	.exit		= lb_net_exit,
	.id		= &lb_net_id,
	.size		= sizeof(struct nf_names),
};

int __init lb_service_init(void)
{
	return register_pernet_subsys(&lb_net_ops);
}

void lb_service_exit(void)
{
	unregister_pernet_subsys(&lb_net_ops);
}
