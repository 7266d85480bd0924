/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs in conntrack between kernels.  Kbuild looks into the kernel's headers
 * for what it has: stable releases took over both changes, so no version tells.
 */
#ifndef _DTLSCID_COMPAT_CONNTRACK_H
#define _DTLSCID_COMPAT_CONNTRACK_H

#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include <net/netfilter/nf_conntrack_timeout.h>

#if !IS_ENABLED(CONFIG_NF_CONNTRACK_ZONES) || !IS_ENABLED(CONFIG_NF_CONNTRACK_TIMEOUT)
#error "the target needs CONFIG_NF_CONNTRACK_ZONES and CONFIG_NF_CONNTRACK_TIMEOUT"
#endif

/*
 * As confirmation does it.  Where extensions have a generation, those of entries that
 * are not confirmed lose what they refer to when any helper or timeout module goes;
 * what a template of ours refers to we keep alive.
 */
static inline void compat_ct_ext_keep(struct nf_conn *t)
{
#ifdef HAVE_NF_CT_EXT_GENID
	t->ext->gen_id = 0;
#endif
}

/* Call @iter for each entry of the namespace; one for which it returns 1 is deleted. */
static inline void compat_ct_iterate(struct net *net, int (*iter)(struct nf_conn *ct, void *data),
				     void *data)
{
#ifdef HAVE_NF_CT_ITER_DATA
	struct nf_ct_iter_data iter_data = { .net = net, .data = data };

	nf_ct_iterate_cleanup_net(iter, &iter_data);
#else
	nf_ct_iterate_cleanup_net(net, iter, data, 0, 0);
#endif
}

/*
 * Where timeout objects are not counted, an entry that is not confirmed would refer to one
 * that is no more.  Such an entry may wait with its packet where nobody looks, as in a
 * neighbour's queue when a bridge's netfilter has translated it: it is not to be confirmed.
 * (Kernels that can do neither have nf_ct_iterate_destroy(), which waits for what the end of a
 * namespace holds.)
 */
#if !defined(HAVE_NF_CT_TIMEOUT_REFCNT) && !defined(HAVE_NF_CT_UNCONFIRMED_DESTROY)
#error "the targets need a kernel that counts the users of timeouts, or drops unconfirmed entries"
#endif

static inline void compat_ct_drop_unconfirmed(struct net *net)
{
#ifndef HAVE_NF_CT_TIMEOUT_REFCNT
	nf_ct_unconfirmed_destroy(net);
#endif
}

/* A timeout object with so many timeouts; NULL: no memory. */
static inline struct nf_ct_timeout *compat_timeout_new(u8 protocol, unsigned int timeouts)
{
	struct nf_ct_timeout *t = kzalloc(sizeof(*t) + timeouts * sizeof(unsigned int),
					  GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;
#ifdef HAVE_NF_CT_TIMEOUT_REFCNT
	refcount_set(&t->refcnt, 1);	/* each entry and template holds one too */
#endif
	t->l3num = NFPROTO_IPV4;	/* only cttimeout's own objects are asked for it */
	t->l4proto = nf_ct_l4proto_find(protocol);
	return t;
}

/* nf_ct_timeout_ext_add() takes a reference for a template that its end does not return. */
static inline void compat_timeout_unref(struct nf_ct_timeout *t)
{
#ifdef HAVE_NF_CT_TIMEOUT_REFCNT
	refcount_dec(&t->refcnt);
#endif
}

/* No entry refers to it any more.  Where they are counted, each lets go by itself. */
static inline void compat_timeout_detach(struct net *net, struct nf_ct_timeout *t)
{
#ifndef HAVE_NF_CT_TIMEOUT_REFCNT
	nf_ct_untimeout(net, t);
#endif
}

/* The owner's end; where nobody counts, no entry may have it any more. */
static inline void compat_timeout_free(struct nf_ct_timeout *t)
{
#ifdef HAVE_NF_CT_TIMEOUT_REFCNT
	if (refcount_dec_and_test(&t->refcnt))
		kfree_rcu(t, rcu);
#else
	kfree_rcu(t, rcu);
#endif
}

#endif /* _DTLSCID_COMPAT_CONNTRACK_H */
