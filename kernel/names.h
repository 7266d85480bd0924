/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names: what the rules of one --name share.
 *
 * A front-end's own structure begins with a struct nf_name.  It is known in a namespace, has
 * a file in /proc, and outlives its rules until its flows are gone: so a rule that is
 * replaced, or deleted and added again, finds its key, states and counters.
 */
#ifndef _DTLSCID_NAMES_H
#define _DTLSCID_NAMES_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/siphash.h>
#include <linux/workqueue.h>
#include <linux/netfilter/xt_DTLSCID.h>

struct net;
struct nf_name;
struct proc_dir_entry;
struct seq_file;

/**
 * struct nf_name_ops - a front-end
 * @target:	as users write it
 * @dir:	of its files in /proc/net
 * @new:	a name for a rule with data @info, of which nobody knows yet; NULL: no memory
 * @disagreement: which option of @info contradicts the name's other rules, if any, but for
 *		the key; may be NULL
 * @keep:	look after it; in how many jiffies once more, 0: not before something happens.
 *		One without rules that need not be looked at again ends
 * @withdraw:	from now on no packet is to come by, a grace period given; may be NULL
 * @end:	nothing is to refer to it any more
 * @free:	its memory
 * @size:	bytes that its file has, more or less
 * @show:	its file; @n is locked, here and below
 * @find:	the node or server that somebody means; or an error
 * @set_state:	give it another state, enum xt_dtlscid_state; 0, or less
 * @flush:	delete its flows
 * @zero:	count from here
 */
struct nf_name_ops {
	const char *target;
	const char *dir;
	struct nf_name *(*new)(struct net *net, const void *info);
	const char *(*disagreement)(const struct nf_name *n, const void *info);
	unsigned long (*keep)(struct nf_name *n);
	void (*withdraw)(struct nf_name *n);
	void (*end)(struct nf_name *n);
	void (*free)(struct nf_name *n);
	size_t (*size)(const struct nf_name *n);
	void (*show)(struct seq_file *m, struct nf_name *n);
	void *(*find)(struct nf_name *n, const char *text);
	int (*set_state)(struct nf_name *n, void *who, u8 state);
	void (*flush)(struct nf_name *n, void *who);
	void (*zero)(struct nf_name *n);
};

/* All names of a front-end in a namespace: its pernet data. */
struct nf_names {
	const struct nf_name_ops *ops;
	struct net *net;
	struct mutex lock;		/* see struct nf_name */
	struct list_head list;
	struct delayed_work work;
	struct proc_dir_entry *proc;
};

/**
 * struct nf_name - one name
 * @list:	in the namespace's
 * @names:	those
 * @net:	namespace
 * @name:	the name
 * @key:	that its hashes are keyed with
 * @key_typed:	a rule said it
 * @dead:	its namespace goes, or it does
 * @lock:	guards all that changes but what @names->lock does: the list of names, their
 *		beginning and end.  A reader of /proc takes only @lock: the other is held while
 *		its file is removed
 * @rules:	that it has
 * @left:	when the last one went, in jiffies
 * @due:	bit 0: it is to be looked after
 * @proc:	its file
 */
struct nf_name {
	struct list_head list;
	struct nf_names *names;
	struct net *net;
	char name[XT_DTLSCID_NAME_LEN];
	siphash_key_t key;
	bool key_typed;
	bool dead;
	struct mutex lock;		/* see above */
	unsigned int rules;
	unsigned long left;
	unsigned long due;
	struct proc_dir_entry *proc;
};

bool nf_name_valid(const char name[XT_DTLSCID_NAME_LEN]);
void nf_name_init(struct nf_name *n, struct net *net, const char *name, const u8 *key);
struct nf_name *nf_name_get(struct nf_names *names, const char *name, const u8 *key,
			    const void *info);
void nf_name_left(struct nf_name *n);
const char *nf_state_name(u8 state);
int nf_name_command(struct nf_name *n, char *text);
void nf_name_look(struct nf_name *n, unsigned long delay);

int nf_names_init(struct nf_names *names, struct net *net, const struct nf_name_ops *ops);
void nf_names_pre_exit(struct nf_names *names);
void nf_names_exit(struct nf_names *names);

#endif /* _DTLSCID_NAMES_H */
