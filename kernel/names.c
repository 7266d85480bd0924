// SPDX-License-Identifier: GPL-2.0-only
/* Names: what the rules of one --name share, how long it lives, and its file in /proc. */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/netfilter/x_tables.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include "compat/proc.h"
#include "names.h"

#define NAMES_MAX	64	/* in a namespace */
#define COMMAND_MAX	63	/* bytes */

/* What a front-end's user is to know of a rule that is refused. */
#define refusal(names, fmt, ...) \
	pr_info_ratelimited("xt_%s: target: " fmt, (names)->ops->target, ##__VA_ARGS__)

/* Whether rule data holds a name: printed to /proc and the log, and a file's. */
bool nf_name_valid(const char name[XT_DTLSCID_NAME_LEN])
{
	size_t len = strnlen(name, XT_DTLSCID_NAME_LEN), i;

	for (i = 0; i < len; i++)
		if (!isascii(name[i]) || !isgraph(name[i]))
			return false;
	return !xt_check_proc_name(name, XT_DTLSCID_NAME_LEN) &&
	       !memchr_inv(name + len, 0, XT_DTLSCID_NAME_LEN - len);
}
EXPORT_SYMBOL_GPL(nf_name_valid);

/* The same on every machine. */
static siphash_key_t typed_key(const u8 *bytes)
{
	__le64 key[2];

	memcpy(key, bytes, sizeof(key));
	return (siphash_key_t){ { le64_to_cpu(key[0]), le64_to_cpu(key[1]) } };
}

/**
 * nf_name_init() - a new name
 * @n:		it, zeroed
 * @net:	namespace
 * @name:	valid
 * @key:	128 bits as they are written; NULL: random ones
 */
void nf_name_init(struct nf_name *n, struct net *net, const char *name, const u8 *key)
{
	n->net = net;
	strscpy(n->name, name, sizeof(n->name));
	n->key_typed = key;
	if (key)
		n->key = typed_key(key);
	else
		get_random_bytes(&n->key, sizeof(n->key));
	mutex_init(&n->lock);
}
EXPORT_SYMBOL_GPL(nf_name_init);

/**
 * nf_name_look() - have a name looked after: see @keep
 * @n:		name
 * @delay:	in jiffies; 0: at once, whatever was planned
 *
 * From any context.
 */
void nf_name_look(struct nf_name *n, unsigned long delay)
{
	struct delayed_work *work = &n->names->work;

	set_bit(0, &n->due);
	if (delay)
		queue_delayed_work(system_power_efficient_wq, work, delay);
	else
		mod_delayed_work(system_power_efficient_wq, work, 0);
}
EXPORT_SYMBOL_GPL(nf_name_look);

static struct nf_name *find(const struct nf_names *names, const char *name, unsigned int *count)
{
	struct nf_name *n;

	*count = 0;
	list_for_each_entry(n, &names->list, list) {
		if (!strcmp(n->name, name))
			return n;
		++*count;
	}
	return NULL;
}

/* Nothing of it is seen any more, whoever looks; its memory may be needed yet. */
static void withdraw(struct nf_name *n)
{
	n->dead = true;
	if (n->proc)
		proc_remove(n->proc);
	n->proc = NULL;
	if (n->names->ops->withdraw)
		n->names->ops->withdraw(n);
}

/* A grace period later.  The last rule takes the memory with it. */
static void end(struct nf_name *n)
{
	n->names->ops->end(n);
	list_del_init(&n->list);
	if (!n->rules)
		n->names->ops->free(n);
}

static void withdraw_and_end(struct nf_name *n)
{
	withdraw(n);
	synchronize_rcu();
	end(n);
}

/* Which option of the rule contradicts the name's other rules, if any. */
static const char *disagreement(const struct nf_name *n, const u8 *key, const void *info)
{
	const struct nf_name_ops *ops = n->names->ops;
	const char *option = ops->disagreement ? ops->disagreement(n, info) : NULL;
	siphash_key_t typed;

	if (option || !key)
		return option;
	typed = typed_key(key);
	return n->key_typed && !memcmp(&typed, &n->key, sizeof(typed)) ? NULL : "--hash-key";
}

static int name_show(struct seq_file *m, void *unused)
{
	struct nf_name *n = m->private;

	mutex_lock(&n->lock);
	n->names->ops->show(m, n);
	mutex_unlock(&n->lock);
	return 0;
}

/* The file's mode keeps others out; this, root of a namespace that does not own it. */
static int name_open(struct inode *inode, struct file *file)
{
	struct nf_name *n = pde_data(inode);

	if (!file_ns_capable(file, n->net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	return single_open_size(file, name_show, n, n->names->ops->size(n));
}

/* One write is one command; its end may be a newline. */
static ssize_t name_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	struct nf_name *n = pde_data(file_inode(file));
	char text[COMMAND_MAX + 1] = "";
	int err = -ENODEV;

	if (size > COMMAND_MAX)
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;
	if (strlen(text) != size)
		return -EINVAL;
	mutex_lock(&n->lock);
	if (!n->dead)
		err = nf_name_command(n, text);
	mutex_unlock(&n->lock);
	return err ?: size;
}

static const struct proc_ops name_proc_ops = {
	.proc_open	= name_open,
	.proc_read	= seq_read,
	.proc_write	= name_write,
	.proc_lseek	= seq_lseek,
	.proc_release	= single_release,
};

static int add_file(struct nf_name *n)
{
	kuid_t uid = make_kuid(n->net->user_ns, 0);
	kgid_t gid = make_kgid(n->net->user_ns, 0);

	n->proc = proc_create_data(n->name, 0600, n->names->proc, &name_proc_ops, n);
	if (!n->proc)
		return -ENOMEM;
	proc_set_user(n->proc, uid_valid(uid) ? uid : GLOBAL_ROOT_UID,
		      gid_valid(gid) ? gid : GLOBAL_ROOT_GID);
	return 0;
}

static struct nf_name *add(struct nf_names *names, const void *info)
{
	struct nf_name *n = names->ops->new(names->net, info);

	if (!n)
		return ERR_PTR(-ENOMEM);
	n->names = names;
	if (add_file(n)) {
		withdraw(n);	/* it gives back what new() took */
		names->ops->free(n);
		return ERR_PTR(-ENOMEM);
	}
	list_add_tail(&n->list, &names->list);
	return n;
}

/**
 * nf_name_get() - a rule's name, made if there is none
 * @names:	the namespace's, locked
 * @name:	name
 * @key:	that the rule says; NULL: none
 * @info:	the rule's data, for the front-end
 *
 * Of a name without rules, which only has flows, what contradicts the rule goes.
 */
struct nf_name *nf_name_get(struct nf_names *names, const char *name, const u8 *key,
			    const void *info)
{
	unsigned int count;
	struct nf_name *n = find(names, name, &count);
	const char *option = n ? disagreement(n, key, info) : NULL;

	if (option && n->rules) {
		refusal(names, "%s differs from that of the other rules of --name %s\n", option,
			name);
		return ERR_PTR(-EINVAL);
	}
	if (option) {
		withdraw_and_end(n);
		n = NULL;
	}
	if (n)
		return n;
	if (count >= NAMES_MAX) {
		refusal(names, "--name %s would be more than %u names\n", name, NAMES_MAX);
		return ERR_PTR(-ENOSPC);
	}
	return add(names, info);
}
EXPORT_SYMBOL_GPL(nf_name_get);

/**
 * nf_name_left() - a rule has left its name
 * @n:	name, in names that are locked; it may be no more
 */
void nf_name_left(struct nf_name *n)
{
	if (list_empty(&n->list) && !n->rules)
		n->names->ops->free(n);
	else if (!n->dead)
		nf_name_look(n, 2 * HZ);
}
EXPORT_SYMBOL_GPL(nf_name_left);

static void look_after(struct nf_name *n)
{
	unsigned long delay;

	mutex_lock(&n->lock);
	delay = n->names->ops->keep(n);
	mutex_unlock(&n->lock);
	if (delay)
		nf_name_look(n, delay);
	else if (!n->rules)
		withdraw_and_end(n);
}

static void look_after_all(struct work_struct *work)
{
	struct nf_names *names = container_of(to_delayed_work(work), struct nf_names, work);
	struct nf_name *n, *next;

	mutex_lock(&names->lock);
	list_for_each_entry_safe(n, next, &names->list, list)
		if (!n->dead && test_and_clear_bit(0, &n->due))
			look_after(n);
	mutex_unlock(&names->lock);
}

/* What a front-end's pernet_operations do. */

int nf_names_init(struct nf_names *names, struct net *net, const struct nf_name_ops *ops)
{
	names->ops = ops;
	names->net = net;
	mutex_init(&names->lock);
	INIT_LIST_HEAD(&names->list);
	INIT_DELAYED_WORK(&names->work, look_after_all);
	names->proc = proc_mkdir(ops->dir, net->proc_net);
	return names->proc ? 0 : -ENOMEM;
}
EXPORT_SYMBOL_GPL(nf_names_init);

void nf_names_pre_exit(struct nf_names *names)
{
	struct nf_name *n;

	mutex_lock(&names->lock);
	list_for_each_entry(n, &names->list, list)
		withdraw(n);
	mutex_unlock(&names->lock);
	cancel_delayed_work_sync(&names->work);
}
EXPORT_SYMBOL_GPL(nf_names_pre_exit);

/* Rules may be destroyed later than this. */
void nf_names_exit(struct nf_names *names)
{
	struct nf_name *n, *next;

	mutex_lock(&names->lock);
	list_for_each_entry_safe(n, next, &names->list, list)
		end(n);
	mutex_unlock(&names->lock);
	remove_proc_entry(names->ops->dir, names->net->proc_net);
}
EXPORT_SYMBOL_GPL(nf_names_exit);
