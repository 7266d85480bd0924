// SPDX-License-Identifier: GPL-2.0-only
/* Services: what the rules of one name share, and how long it lives. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "lb.h"

#define SERVICES_MAX	64		/* in a namespace */
#define ICMP_RATE	1000		/* errors looked at in a second */
#define WALK_RARELY	(60 * HZ)	/* at most between two of these walks */

/* What a namespace has: its services, and who looks after them. */
struct lb_net {
	struct mutex lock;	/* see struct lb_service */
	struct list_head services;
	struct delayed_work work;
	struct proc_dir_entry *proc;
};

static unsigned int lb_net_id __read_mostly;

static struct lb_net *lb_net(const struct net *net)
{
	return net_generic(net, lb_net_id);
}

/**
 * lb_housekeeping() - have a service looked at: its flows, its moving clients, its end
 * @s:		service
 * @delay:	in jiffies; 0: at once, whatever was planned
 *
 * From any context.
 */
void lb_housekeeping(struct lb_service *s, unsigned long delay)
{
	struct delayed_work *work = &lb_net(s->net)->work;

	set_bit(0, &s->due);
	if (delay)
		queue_delayed_work(system_power_efficient_wq, work, delay);
	else
		mod_delayed_work(system_power_efficient_wq, work, 0);
}

static struct lb_service *service_find(const struct lb_net *ln, const char *name,
				       unsigned int *count)
{
	struct lb_service *s;

	*count = 0;
	list_for_each_entry(s, &ln->services, list) {
		if (!strcmp(s->name, name))
			return s;
		++*count;
	}
	return NULL;
}

static void service_free(struct lb_service *s)
{
	lb_nodes_free(s);
	lb_templates_free(s);
	kfree(s);
}

/* Nothing of it is seen any more, whoever looks; its memory may be needed yet. */
static void service_withdraw(struct lb_service *s)
{
	s->dead = true;
	if (s->proc)
		proc_remove(s->proc);
	s->proc = NULL;
	lb_hooks_down(s);
}

/* Without hooks there are no new flows, and no packet has a template of ours any more. */
static void service_end(struct lb_service *s)
{
	lb_flows_detach(s);
	list_del_init(&s->list);
	if (list_empty(&s->rules))
		service_free(s);
}

/* The same on every machine. */
static siphash_key_t typed_key(const struct xt_dtlscid_tginfo_v0 *info)
{
	__le64 key[2];

	memcpy(key, info->hash_key, sizeof(key));
	return (siphash_key_t){ { le64_to_cpu(key[0]), le64_to_cpu(key[1]) } };
}

static void set_key(struct lb_service *s, const struct xt_dtlscid_tginfo_v0 *info)
{
	s->key_typed = info->flags & XT_DTLSCID_HASH_KEY;
	if (s->key_typed)
		s->key = typed_key(info);
	else
		get_random_bytes(&s->key, sizeof(s->key));
	s->client_key.key[0] = s->key.key[0];
	s->client_key.key[1] = s->key.key[1];
}

static void family_init(struct lb_family *f)
{
	xa_init_flags(&f->slots, XA_FLAGS_ALLOC);
	hash_init(f->by_addr);
	seqlock_init(&f->vip.lock);
	seqlock_init(&f->last.lock);
}

static struct lb_service *service_new(struct net *net, const struct xt_dtlscid_tginfo_v0 *info)
{
	struct lb_service *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return NULL;
	s->net = net;
	strscpy(s->name, info->name, sizeof(s->name));
	set_key(s, info);
	s->zone_base = info->zone_base;
	s->max_flows = info->max_flows;
	s->next_walk = get_jiffies_64();
	mutex_init(&s->lock);
	INIT_LIST_HEAD(&s->rules);
	xa_init(&s->nodes);
	family_init(&s->family[0]);
	family_init(&s->family[1]);
	ratelimit_state_init(&s->icmp_rate, HZ, ICMP_RATE);
	ratelimit_set_flags(&s->icmp_rate, RATELIMIT_MSG_ON_RELEASE);
	if (lb_templates_init(s) || lb_proc_add(s, lb_net(net)->proc)) {
		service_free(s);
		return NULL;
	}
	list_add_tail(&s->list, &lb_net(net)->services);
	return s;
}

/* Which option of the rule contradicts the name's other rules, if any. */
static const char *disagreement(const struct lb_service *s,
				const struct xt_dtlscid_tginfo_v0 *info)
{
	siphash_key_t key = typed_key(info);

	if (info->zone_base != s->zone_base)
		return "--zone-base";
	if (info->flags & XT_DTLSCID_HASH_KEY &&
	    (!s->key_typed || memcmp(&key, &s->key, sizeof(key))))
		return "--hash-key";
	return NULL;
}

/* The service of the rule's name, made if there is none; or an error. */
static struct lb_service *service_get(struct net *net, const struct xt_dtlscid_tginfo_v0 *info)
{
	unsigned int count;
	struct lb_service *s = service_find(lb_net(net), info->name, &count);
	const char *option = s ? disagreement(s, info) : NULL;

	if (option && !list_empty(&s->rules)) {
		pr_info_ratelimited("target: %s differs from that of the other rules of --name %s\n",
				    option, s->name);
		return ERR_PTR(-EINVAL);
	}
	if (option) {		/* only flows are left of it */
		service_withdraw(s);
		synchronize_rcu();
		service_end(s);
		s = NULL;
	}
	if (!s && count >= SERVICES_MAX) {
		pr_info_ratelimited("target: --name %s would be more than %u names\n",
				    info->name, SERVICES_MAX);
		return ERR_PTR(-ENOSPC);
	}
	return s ?: service_new(net, info) ?: ERR_PTR(-ENOMEM);
}

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

	if (s->nrules == LB_RULES_MAX) {
		pr_info_ratelimited("target: --name %s would have more than %u rules, those to be replaced included\n",
				    s->name, LB_RULES_MAX);
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
	s->nrules++;
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
	struct lb_net *ln = lb_net(net);
	struct lb_service *s;
	int err;

	mutex_lock(&ln->lock);
	s = service_get(net, info);
	if (IS_ERR(s)) {
		err = PTR_ERR(s);
		goto out;
	}
	r->service = s;
	r->family = lb_family(s, r->pf);
	r->zone_base = s->zone_base;
	r->cpu = s->cpu;
	err = lb_hooks_up(s, r->pf);
	if (!err) {
		mutex_lock(&s->lock);
		err = join(r, info);
		mutex_unlock(&s->lock);
	}
	lb_housekeeping(s, err ? 0 : LB_WALK_AGAIN);
out:
	mutex_unlock(&ln->lock);
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
	struct lb_net *ln = lb_net(s->net);

	mutex_lock(&ln->lock);
	mutex_lock(&s->lock);
	list_del(&r->list);
	s->nrules--;
	WRITE_ONCE(s->left, jiffies);
	lb_rule_forget(r);
	if (!s->dead && !list_empty(&s->rules))
		leave(s);
	mutex_unlock(&s->lock);
	if (list_empty(&s->list) && list_empty(&s->rules))
		service_free(s);
	else if (!s->dead)
		lb_housekeeping(s, LB_WALK_AGAIN);
	mutex_unlock(&ln->lock);
}

/* A name outlives its rules until its flows are gone. */
static void service_keep(struct lb_service *s)
{
	unsigned long took;
	bool again;

	mutex_lock(&s->lock);
	again = lb_tables_again(s);
	again |= lb_walk(s, &took);
	mutex_unlock(&s->lock);
	if (again || (list_empty(&s->rules) && atomic_read(&s->flows))) {
		lb_housekeeping(s, clamp_t(unsigned long, LB_WALK_SHARE * took, LB_WALK_AGAIN,
					   WALK_RARELY));
	} else if (list_empty(&s->rules)) {
		service_withdraw(s);
		synchronize_rcu();
		service_end(s);
	}
}

static void housekeeping(struct work_struct *work)
{
	struct lb_net *ln = container_of(to_delayed_work(work), struct lb_net, work);
	struct lb_service *s, *next;

	mutex_lock(&ln->lock);
	list_for_each_entry_safe(s, next, &ln->services, list)
		if (!s->dead && test_and_clear_bit(0, &s->due))
			service_keep(s);
	mutex_unlock(&ln->lock);
}

static int __net_init lb_net_init(struct net *net)
{
	struct lb_net *ln = lb_net(net);

	mutex_init(&ln->lock);
	INIT_LIST_HEAD(&ln->services);
	INIT_DELAYED_WORK(&ln->work, housekeeping);
	ln->proc = proc_mkdir("xt_dtlscid", net->proc_net);
	return ln->proc ? 0 : -ENOMEM;
}

static void __net_exit lb_net_pre_exit(struct net *net)
{
	struct lb_net *ln = lb_net(net);
	struct lb_service *s;

	mutex_lock(&ln->lock);
	list_for_each_entry(s, &ln->services, list)
		service_withdraw(s);
	mutex_unlock(&ln->lock);
	cancel_delayed_work_sync(&ln->work);
}

/* Rules may be destroyed later than this: the last one takes the memory with it. */
static void __net_exit lb_net_exit(struct net *net)
{
	struct lb_net *ln = lb_net(net);
	struct lb_service *s, *next;

	mutex_lock(&ln->lock);
	list_for_each_entry_safe(s, next, &ln->services, list)
		service_end(s);
	mutex_unlock(&ln->lock);
	remove_proc_entry("xt_dtlscid", net->proc_net);
}

static struct pernet_operations lb_net_ops = {
	.init		= lb_net_init,
	.pre_exit	= lb_net_pre_exit,
	.exit		= lb_net_exit,
	.id		= &lb_net_id,
	.size		= sizeof(struct lb_net),
};

int __init lb_service_init(void)
{
	return register_pernet_subsys(&lb_net_ops);
}

void lb_service_exit(void)
{
	unregister_pernet_subsys(&lb_net_ops);
}
