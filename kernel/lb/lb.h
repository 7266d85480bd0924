/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The balancer below -j DTLSCID.
 *
 * A service is what the rules of one --name share.  Its nodes are known by their id;
 * a slot is a distinct ADDR:PORT of them and has a conntrack zone of its own, so that
 * a client has a flow to each node.  A flow is known as ours by its timeout object,
 * which also says what kind of datagram it was born of.
 */
#ifndef _DTLSCID_LB_H
#define _DTLSCID_LB_H

#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/jhash.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_DTLSCID.h>
#include <linux/percpu.h>
#include <linux/ratelimit.h>
#include <linux/seqlock.h>
#include <linux/siphash.h>
#include <linux/xarray.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_timeout.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include "../core/rendezvous.h"
#include "../names.h"
#include "../nf_dtlscid.h"

struct seq_file;

/* What a datagram counts as: one of these, by what became of it in the end. */
enum lb_reason {
	LB_CID12,
	LB_CID13,
	LB_MIXED,
	LB_CLIENT_HELLO,
	LB_NO_CID,
	LB_NOT_DTLS,
	LB_KINDS,		/* flows are born of those above */

	LB_MALFORMED = LB_KINDS,
	LB_FRAGMENT,
	LB_UNKNOWN_NODE,
	LB_NODE_DOWN,
	LB_ALREADY_TRACKED,
	LB_MAX_FLOWS,
	LB_NO_TEMPLATE,
	LB_REASONS
};

/* What became of ICMP errors that might be about our flows. */
enum lb_icmp {
	LB_ICMP_FOUND,
	LB_ICMP_UNKNOWN,	/* no flow, or not among those tried */
	LB_ICMP_LIMITED,	/* too many in this second */
	LB_ICMPS
};

/* What became of nodes' packets that no flow had; see first.c. */
enum lb_first {
	LB_FIRST_FLOWS,
	LB_FIRST_REFUSED,
	LB_FIRSTS
};

/* What a service counts, nothing but u64. */
struct lb_totals {
	u64 reason[LB_REASONS];
	u64 icmp[LB_ICMPS];
	u64 first[LB_FIRSTS];
	u64 once;		/* templates made for a packet: this CPU's own was in use */
};

struct lb_cpu {
	struct lb_totals total;
	struct nf_conn *template[LB_KINDS];
};

/* @last: when the last datagram of a kind came, in jiffies; 0: never */
struct lb_count {
	u64 datagrams;
	u64 flows;
	unsigned long last[LB_KINDS];
};

/**
 * struct lb_node - a node id under a name, in both families
 * @id:		the id
 * @users:	entries of rules
 * @state:	enum xt_dtlscid_state, as it is: never AS_IS
 * @typed:	the state that a rule said last
 * @before:	both, before the rule that is being added said something
 * @count:	datagrams and new flows in IPv4, in IPv6
 * @zero:	the same, when somebody wrote "zero"
 * @tried:	as of a slot
 * @rcu:	for its end
 */
struct lb_node {
	u32 id;
	unsigned int users;
	u8 state;
	u8 typed;
	struct {
		u8 state;
		u8 typed;
	} before;
	struct lb_count __percpu *count[2];
	struct lb_count zero[2];
	bool tried;
	struct rcu_head rcu;
};

/* An address and port that clients send to; port 0: not known. */
struct lb_vip {
	seqlock_t lock;
	union nf_inet_addr addr;
	__be16 port;
};

/**
 * struct lb_slot - a distinct ADDR:PORT of a service and family
 * @addr:	address
 * @port:	port; 0: the one the client sent to
 * @number:	the slot's zone is the service's zone base plus this
 * @users:	entries of rules
 * @node:	the node that it counts for: of several ids here, the lowest
 * @vip:	what the client of its last new flow sent to
 * @by_addr:	in its family's table
 * @silent:	its nodes are down, so they do not speak either
 * @shared:	several ids are here
 * @tried:	no rule has it yet that was added, see lb_sweep()
 * @rcu:	for its end
 *
 * Of the last survey:
 * @heir:	the next @node
 * @weight:	for new clients: the greatest of its nodes that are up
 * @serves:	a node here is not down
 * Of the walk or flush under way:
 * @live:	flows
 * @flush:	its flows are to be deleted
 */
struct lb_slot {
	union nf_inet_addr addr;
	__be16 port;
	u16 number;
	unsigned int users;
	struct lb_node *node;
	struct lb_vip vip;
	struct hlist_node by_addr;
	bool silent;
	bool shared;
	bool tried;
	bool serves;
	bool flush;
	u16 weight;
	u32 live;
	struct lb_node *heir;
	struct rcu_head rcu;
};

#define LB_NO_SLOT	0xffff

/* Of a name; slots: in each family.  They bound what a rule can cost. */
#define LB_RULES_MAX	256
#define LB_NODES_MAX	4096
#define LB_SLOTS_MAX	4096

#define LB_WALK_SHARE	50	/* one part of the time for walks */
#define LB_WALK_AGAIN	(2 * HZ) /* while clients move, or a name has only flows */

/* A node as a rule says it; @cid_length: 0 when nobody says it. */
struct lb_entry {
	u32 id;
	u16 slot;
	u8 cid_length;
	u8 weight;
	struct lb_node *node;
};

/**
 * struct lb_table - entries by id
 * @rcu:	for its end
 * @bits:	2 to this are the places
 * @direct:	an id's place is the id, all being less than 256; else open addressing,
 *		at most half full
 * @cid_length:	of a rule's view: the CID length that is right for all its nodes and
 *		for unknown ones, if there is one
 * @count:	places in use
 * @entry:	one without a node is free, and ends a search
 */
struct lb_table {
	struct rcu_head rcu;
	unsigned int bits;
	bool direct;
	u8 cid_length;
	unsigned int count;
	struct lb_entry entry[];
};

#define LB_BUCKETS	4096
#define LB_OLD		3

/**
 * struct lb_bucket - where the clients of a hash value go
 * @node:	node of the slot for new clients
 * @slots:	16 bits each, lowest first: the slot for new clients; then those that
 *		may still have flows of this bucket, the latest first
 */
struct lb_bucket {
	struct lb_node *node;
	u64 slots;
};

/* Slot @k of a bucket's: 0 for new clients, 1 to LB_OLD former ones. */
static inline u16 lb_bucket_slot(u64 slots, unsigned int k)
{
	return slots >> 16 * k;
}

/* Whether there are former ones. */
static inline bool lb_displaced(u64 slots)
{
	return (slots | LB_NO_SLOT) != U64_MAX;
}

/* @candidate: what the buckets were made of, @candidates of them: nodes, and slots' numbers. */
struct lb_buckets {
	struct rcu_head rcu;
	struct lb_bucket bucket[LB_BUCKETS];
	unsigned int candidates;
	struct rendezvous_candidate candidate[];
};

/**
 * struct lb_family - a service's part in IPv4 or IPv6
 * @table:	nodes of all its rules; of an id's several the newest rule's
 * @buckets:	choice of a node for clients without a CID
 * @slots:	struct lb_slot by number
 * @by_addr:	the same by address and port
 * @nslots:	how many there are
 * @next:	where the search for the flow of an ICMP error goes on
 * @id_connmark: of the newest rule
 * @no_dnat:	of the newest rule
 * @elsewhere:	of the newest rule: new clients are somebody else's business
 * @vip:	of the newest rule
 * @last:	what the client of the last new flow sent to
 * @hooked:	hooks are registered
 * @nat:	look-up functions of NAT, for PRE_ROUTING and LOCAL_OUT
 * @icmp:	hook for ICMP errors
 */
struct lb_family {
	struct lb_table __rcu *table;
	struct lb_buckets __rcu *buckets;
	struct xarray slots;
	DECLARE_HASHTABLE(by_addr, 8);
	unsigned int nslots;
	unsigned int next;
	u32 id_connmark;
	bool no_dnat;
	bool elsewhere;
	struct lb_vip vip;
	struct lb_vip last;
	bool hooked;
	struct nf_hook_ops nat[2];
	struct nf_hook_ops icmp;
};

/**
 * struct lb_service - what the rules of a name share
 *
 * Lives as long as it has rules or flows; see names.h, its locks too.
 */
struct lb_service {
	struct nf_name base;
	hsiphash_key_t client_key;	/* base.key seeds the nodes' draws */
	u16 zone_base;
	u32 max_flows;

	struct list_head rules;	/* newest first */
	struct xarray nodes;	/* struct lb_node by id */
	unsigned int nnodes;
	bool lacking;		/* there was no memory for some view, see lb_tables_again() */
	struct lb_family family[2];

	struct lb_cpu __percpu *cpu;
	struct lb_totals zero;	/* what had been counted when somebody wrote "zero" */
	struct nf_ct_timeout *timeout[LB_KINDS];
	unsigned int seconds[2];
	atomic_t flows;		/* see flows.c */
	u64 next_walk;
	struct ratelimit_state icmp_rate;
};

static inline struct lb_service *lb_service(const struct nf_name *n)
{
	return container_of(n, struct lb_service, base);
}

/* For rcu_dereference_protected() and its like. */
#define lb_held(s)	lockdep_is_held(&(s)->base.lock)

enum lb_action {
	LB_PASS,		/* to the rules that follow */
	LB_DROP,
	LB_SERVE,		/* to the node of its CID */
	LB_HASH,		/* to the node of its client */
	LB_LIVE,		/* the same, but only if its flow lives */
};

/**
 * struct lb_rule - a rule, as the packet path wants it
 * @shortcut:	where a lone CID record has its node id
 * @format:	for reading, without a CID length
 * @cid_length:	as the rule says, for unknown nodes
 * @pf:		NFPROTO_IPV4 or IPV6
 * @v6:		the latter
 * @zone0_check: no zone where the client's flow in the default one goes to the node
 * @action:	enum lb_action by enum lb_reason
 * @zone_base:	of the service
 * @id_mark:	bits of the packet mark for the node id
 * @cpu:	of the service
 * @view:	the nodes it can reach: its own, and of ids it lacks those of the name's
 *		other rules, newest first
 * @own:	the rule's nodes
 * @service:	what it belongs to
 * @family:	the service's part in the rule's family
 * @list:	in service->rules
 * @info:	what the rule says, for as long as it is the newest
 */
struct lb_rule {
	struct dtls_shortcut shortcut;
	struct nf_dtlscid_format format;
	u8 cid_length;
	u8 pf;
	u8 action[LB_REASONS];
	u16 zone_base;
	u32 id_mark;
	bool v6;
	bool zone0_check;
	struct lb_cpu __percpu *cpu;
	struct lb_table __rcu *view;
	struct lb_table *own;
	struct lb_service *service;
	struct lb_family *family;
	struct list_head list;
	struct {
		u32 timeout[2];
		u32 max_flows;
		u32 id_connmark;
		bool no_dnat;
		bool elsewhere;
		union nf_inet_addr vip;
		__be16 vip_port;
	} info;
};

/* Where there are two of something: IPv4's first. */
static inline unsigned int lb_v6(u8 pf)
{
	return pf == NFPROTO_IPV6;
}

static inline struct lb_family *lb_family(struct lb_service *s, u8 pf)
{
	return &s->family[lb_v6(pf)];
}

static inline u8 lb_pf(const struct lb_service *s, const struct lb_family *f)
{
	return f == &s->family[1] ? NFPROTO_IPV6 : NFPROTO_IPV4;
}

static inline void lb_count(const struct lb_service *s, enum lb_reason reason, long n)
{
	this_cpu_add(s->cpu->total.reason[reason], n);
}

static inline void lb_count_flow(const struct lb_slot *slot, u8 pf)
{
	this_cpu_inc(READ_ONCE(slot->node)->count[lb_v6(pf)]->flows);
}

/* A mark with @id in the bits of @mask. */
static inline u32 lb_mark(u32 mark, u32 mask, u32 id)
{
	return (mark & ~mask) | (id << __ffs(mask) & mask);
}

/* service.c */
int lb_rule_add(struct lb_rule *r, struct net *net, const struct xt_dtlscid_tginfo_v0 *info);
void lb_rule_del(struct lb_rule *r);
int lb_service_init(void);
void lb_service_exit(void);

/* tables.c */
struct lb_table *lb_table_new(unsigned int entries, bool direct);
void lb_table_put(struct lb_table *t, const struct lb_entry *e);
void lb_view_set(struct lb_rule *r, struct lb_table *view);
int lb_tables(struct lb_service *s);
void lb_tables_drop(struct lb_service *s);
bool lb_tables_again(struct lb_service *s);

/* nodes.c */
static inline u32 lb_addr_hash(const union nf_inet_addr *a, __be16 port)
{
	return jhash2(a->all, ARRAY_SIZE(a->all), (__force u16)port);
}

int lb_rule_nodes(struct lb_rule *r, const struct xt_dtlscid_tginfo_v0 *info);
void lb_rule_forget(struct lb_rule *r);
void lb_rule_keep(struct lb_rule *r);
bool lb_type_states(struct lb_rule *r, const struct xt_dtlscid_tginfo_v0 *info);
void lb_untype_states(struct lb_rule *r);
void lb_flush_down(struct lb_service *s);
void lb_flush_node(struct lb_service *s, const struct lb_node *n);
void lb_sweep(struct lb_service *s, bool all);
void lb_nodes_free(struct lb_service *s);

static inline unsigned int lb_place(const struct lb_table *t, u32 id)
{
	return t->direct ? id : hash_32(id, t->bits);
}

static inline const struct lb_entry *lb_find(const struct lb_table *t, u32 id)
{
	unsigned int i = lb_place(t, id);

	while (t->entry[i].node) {
		if (t->entry[i].id == id)
			return &t->entry[i];
		i = (i + 1) & ((1U << t->bits) - 1);
	}
	return NULL;
}

/* The table's entry after @e, NULL at the end; of NULL the first. */
static inline const struct lb_entry *lb_next(const struct lb_table *t, const struct lb_entry *e)
{
	for (e = e ? e + 1 : t->entry; e < t->entry + (1U << t->bits); e++)
		if (e->node)
			return e;
	return NULL;
}

/* buckets.c */
struct lb_buckets *lb_buckets_build(const struct lb_service *s, struct lb_family *f);
void lb_buckets_publish(struct lb_service *s, struct lb_family *f, struct lb_buckets *b);
void lb_buckets_discard(const struct lb_service *s, const struct lb_family *f,
			struct lb_buckets *b);
u16 lb_live_slot(const struct lb_service *s, u64 slots, const struct sk_buff *skb, u8 pf,
		 bool current_too);
bool lb_buckets_displaced(const struct lb_buckets *t);
bool lb_buckets_settle(struct lb_buckets *t, const u8 *seen);
void lb_buckets_note(const struct lb_service *s, const struct lb_buckets *t,
		     const struct nf_conn *ct, u8 *seen);

/* A client's hash value: the same on every machine with the same key and word size. */
static inline u32 lb_hash_v4(const struct lb_service *s, __be32 addr, __be16 port)
{
	return hsiphash_2u32(ntohl(addr), ntohs(port), &s->client_key);
}

u32 lb_hash_v6(const struct lb_service *s, const __be32 *addr, __be16 port);

static inline u32 lb_hash(const struct lb_service *s, u8 pf, const struct nf_conntrack_tuple *from)
{
	__be16 port = from->src.u.udp.port;

	return pf == NFPROTO_IPV4 ? lb_hash_v4(s, from->src.u3.ip, port) :
				    lb_hash_v6(s, from->src.u3.ip6, port);
}

static inline u32 lb_hash_skb(const struct lb_service *s, u8 pf, const struct sk_buff *skb,
			      __be16 port)
{
	return pf == NFPROTO_IPV4 ? lb_hash_v4(s, ip_hdr(skb)->saddr, port) :
				    lb_hash_v6(s, ipv6_hdr(skb)->saddr.s6_addr32, port);
}

/* flows.c */
bool lb_flow_add(struct lb_service *s, int max);
bool lb_walk(struct lb_service *s, unsigned long *took);
void lb_flush(struct lb_service *s);
void lb_flows_detach(struct lb_service *s);
int lb_kind(const struct lb_service *s, const struct nf_conn *ct);
struct nf_conn *lb_find_flow(const struct lb_service *s, u16 slot,
			     const struct nf_conntrack_tuple *tuple);

/*
 * An entry has its zone from the template, flags included: by this one, which conntrack does
 * not know, it is seen to come from a template of the target's, whatever else it lacks.
 */
#define LB_ZONE_OURS	0x80

static inline struct nf_conntrack_zone lb_zone(const struct lb_service *s, u16 slot)
{
	return (struct nf_conntrack_zone){
		.id = s->zone_base + slot,
		.flags = LB_ZONE_OURS,
		.dir = NF_CT_ZONE_DIR_ORIG,
	};
}

/* Of flows born without a CID. */
static inline bool lb_is_fresh(int kind)
{
	return kind >= LB_CLIENT_HELLO;
}

/* template.c */
int lb_templates_init(struct lb_service *s);
void lb_templates_free(struct lb_service *s);
void lb_timeouts(struct lb_service *s, const u32 seconds[2]);
bool lb_attach_once(struct lb_service *s, struct sk_buff *skb, enum lb_reason kind, u16 id);

/*
 * refcount_dec_if_one(), reaching into the refcount to do without the call: that and
 * the registers it spoils would be a tenth of the target's cost.
 */
static __always_inline bool lb_claim(struct nf_conn *template)
{
	int one = 1;

	return atomic_try_cmpxchg_acquire(&template->ct_general.use.refs, &one, 0);
}

/*
 * Give the packet this CPU's template, so that conntrack looks for its flow in the slot's
 * zone, and makes one with our timeout.  Only the holder of the last reference may
 * change a template: a queue, or a task that was interrupted here, may have it.
 */
static __always_inline bool lb_attach_own(struct lb_cpu __percpu *cpu, struct sk_buff *skb,
					  enum lb_reason kind, u16 id)
{
	struct nf_conn *t = this_cpu_read(cpu->template[kind]);

	if (unlikely(!lb_claim(t)))
		return false;
	t->zone.id = id;	/* its direction never changes */
	refcount_set(&t->ct_general.use, 2);
	nf_ct_set(skb, t, IP_CT_NEW);
	return true;
}

/* vip.c */
void lb_vip_set(struct lb_vip *v, const union nf_inet_addr *addr, __be16 port);
bool lb_vip_get(struct lb_vip *v, union nf_inet_addr *addr, __be16 *port);
bool lb_speaks_from(struct lb_family *f, struct lb_slot *slot, union nf_inet_addr *addr,
		    __be16 *port);

/* first.c */
unsigned int lb_first(struct lb_service *s, struct sk_buff *skb, const struct nf_conn *ct,
		      const struct nf_hook_state *state);

/* nat.c */
unsigned int lb_bind(const struct lb_family *f, struct nf_conn *ct, const struct lb_slot *slot);

/* nat.c, icmp.c: hook functions; their private data is the service. */
unsigned int lb_nat(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);
unsigned int lb_icmp(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);

/* hooks.c */
int lb_hooks_up(struct lb_service *s, u8 pf);
void lb_hooks_down(struct lb_service *s);

/**
 * struct lb_verdict - what a datagram is, and where it is to go
 * @reason:	what it counts as
 * @slot:	the slot that its CID names, when it has one and the node is up
 * @node:	the node of @slot
 */
struct lb_verdict {
	enum lb_reason reason;
	u16 slot;
	struct lb_node *node;
};

static __always_inline struct lb_verdict lb_to_entry(enum lb_reason reason,
						     const struct lb_entry *e)
{
	return (struct lb_verdict){ .reason = reason, .slot = e->slot, .node = e->node };
}

/* verdict.c */
struct lb_verdict lb_judge(const struct lb_rule *r, const struct sk_buff *skb, unsigned int at,
			   int len);

/* balance.c */
unsigned int lb_balance(struct lb_rule *r, struct sk_buff *skb, unsigned int thoff,
			const struct nf_hook_state *state);
unsigned int lb_datagrams(const struct sk_buff *skb, unsigned int thoff);

/* zone0.c */
bool lb_zone0_serves(const struct lb_rule *r, const struct sk_buff *skb, u16 number);

/* split.c */
bool lb_can_split(const struct sk_buff *skb, const struct nf_hook_state *state);
bool lb_split(struct sk_buff *skb);

/* proc.c */
size_t lb_proc_size(const struct nf_name *n);
void lb_proc_show(struct seq_file *m, struct nf_name *n);

/* counters.c */
void lb_totals_since(const struct lb_service *s, struct lb_totals *sum);
void lb_node_since(const struct lb_node *n, bool v6, struct lb_count *sum);
void lb_zero(struct lb_service *s);

/* command.c */
void *lb_command_find(struct nf_name *n, const char *text);
int lb_command_state(struct nf_name *n, void *who, u8 state);
void lb_command_flush(struct nf_name *n, void *who);
void lb_command_zero(struct nf_name *n);

#endif /* _DTLSCID_LB_H */
