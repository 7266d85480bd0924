// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole table, as iptables-legacy sends it: a rule in chains PREROUTING and OUTPUT, and what
 * every table has.
 */
#include <errno.h>
#include <netinet/in.h>	/* ahead of those of Linux, which know of it then */
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <string.h>
#include <sys/socket.h>
#include "blobs.h"

/* The same numbers as in IPv6 */
enum {
	SET_REPLACE	= IPT_SO_SET_REPLACE,
	GET_INFO	= IPT_SO_GET_INFO,
	ENTRY_MAX	= 6000,
	BLOB_MAX	= 4 * ENTRY_MAX,
};

/* By whether it is nat: the chains of the table. */
static const uint32_t hooks[] = {
	1 << NF_INET_PRE_ROUTING | 1 << NF_INET_LOCAL_OUT,
	1 << NF_INET_PRE_ROUTING | 1 << NF_INET_LOCAL_IN | 1 << NF_INET_LOCAL_OUT |
	1 << NF_INET_POST_ROUTING,
};

static bool has_chain(bool nat, uint32_t hook) { return hooks[nat] & 1U << hook; }

struct table {
	bool v6;
	uint32_t entries;
	size_t len;
	union {
		struct ipt_replace head4;
		struct ip6t_replace head6;
		uint8_t byte[BLOB_MAX];
	};
};

static uint8_t *begin_entry(struct table *t)
{
	uint8_t *at = t->byte + t->len;

	memset(at, 0, ENTRY_MAX);
	t->entries++;
	return at;
}

static size_t header(const struct table *t)
{
	return t->v6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
}

static void end_entry(struct table *t, uint8_t *at, size_t target, size_t len)
{
	if (t->v6) {
		((struct ip6t_entry *)at)->target_offset = (uint16_t)target;
		((struct ip6t_entry *)at)->next_offset = (uint16_t)len;
	} else {
		((struct ipt_entry *)at)->target_offset = (uint16_t)target;
		((struct ipt_entry *)at)->next_offset = (uint16_t)len;
	}
	t->len += len;
}

/* Match or target; their headers are the same.  Returns the length. */
static size_t put_part(uint8_t *to, const char *name, const void *data, size_t len)
{
	struct xt_entry_target *e = (void *)to;

	e->u.user.target_size = (uint16_t)(sizeof(*e) + XT_ALIGN(len));
	strncpy(e->u.user.name, name, sizeof(e->u.user.name) - 1);
	memcpy(e->data, data, len);
	return e->u.user.target_size;
}

/* Accepts everything: the end of a chain, or a rule that has no target of its own. */
static size_t put_standard(uint8_t *to, int verdict)
{
	return put_part(to, "", &verdict, sizeof(verdict));
}

static void add_policy(struct table *t)
{
	uint8_t *at = begin_entry(t);

	end_entry(t, at, header(t), header(t) + put_standard(at + header(t), -NF_ACCEPT - 1));
}

static void add_end(struct table *t)
{
	char name[XT_FUNCTION_MAXNAMELEN] = "ERROR";
	uint8_t *at = begin_entry(t);

	end_entry(t, at, header(t), header(t) + put_part(at + header(t), "ERROR", name,
							 sizeof(name)));
}

static void add_rule(struct table *t, const struct rule *r, uint32_t damage)
{
	const struct part *match = &r->match, *target = &r->target;
	uint8_t *at = begin_entry(t);
	size_t len = header(t), offset;

	if (t->v6) {
		((struct ip6t_entry *)at)->ipv6.proto = IPPROTO_UDP;
		((struct ip6t_entry *)at)->ipv6.flags = IP6T_F_PROTO;
	} else {
		((struct ipt_entry *)at)->ip.proto = IPPROTO_UDP;
	}
	if (match->name)
		len += put_part(at + len, match->name, match->data, match->len);
	offset = len;
	len += target->name ? put_part(at + len, target->name, target->data, target->len) :
			      put_standard(at + len, -NF_ACCEPT - 1);
	if (damage && chance(30)) {	/* sizes, names and revisions too */
		mutate(at, header(t), 2);
		mutate(at + header(t), 32, 2);
		mutate(at + offset, 32, 2);
	}
	end_entry(t, at, offset, len);
}

static int option_level(bool v6) { return v6 ? IPPROTO_IPV6 : IPPROTO_IP; }

static int raw_socket(bool v6)
{
	static int fd[2];

	if (!fd[v6])
		fd[v6] = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd[v6] < 0)
		die("socket", strerror(errno));
	return fd[v6];
}

/* Those that the table has now. */
static uint32_t entries(bool v6, bool nat)
{
	struct ipt_getinfo info = { .name = "" };
	socklen_t len = sizeof(info);

	strcpy(info.name, table_of(nat));
	if (getsockopt(raw_socket(v6), option_level(v6), GET_INFO, &info, &len))
		die(info.name, strerror(errno));
	return info.num_entries;
}

/* The header, which is the same in both families, but for where its chains are. */
static void finish(struct table *t, bool nat)
{
	static struct xt_counters counters[64];
	struct ipt_replace *h = &t->head4;

	strcpy(h->name, table_of(nat));
	h->valid_hooks = hooks[nat];
	h->num_entries = t->entries;
	h->size = (uint32_t)(t->len - sizeof(*h));
	h->num_counters = entries(t->v6, nat);
	h->counters = counters;
}

static bool may_have_rules(uint32_t hook)
{
	return hook == NF_INET_LOCAL_OUT || (hook == NF_INET_PRE_ROUTING && chance(50));
}

/* Whether the kernel took it; @r: NULL for a table without rules */
static bool replace(bool v6, bool nat, const struct rule *r, uint32_t damage)
{
	static struct table t;
	struct ipt_replace *h = &t.head4;
	uint32_t hook;

	t.v6 = v6;
	t.entries = 0;
	t.len = sizeof(*h);
	memset(h, 0, sizeof(*h));
	for (hook = 0; hook < NF_INET_NUMHOOKS; hook++) {
		if (!has_chain(nat, hook))
			continue;
		h->hook_entry[hook] = (uint32_t)(t.len - sizeof(*h));
		if (r && may_have_rules(hook))
			add_rule(&t, r, damage);
		h->underflow[hook] = (uint32_t)(t.len - sizeof(*h));
		add_policy(&t);
	}
	add_end(&t);
	finish(&t, nat);
	if (damage && chance(5))
		mutate(t.byte + 32, 60, 2);	/* of the header, but neither name nor counters */
	if (damage && chance(5))
		mutate(t.byte + sizeof(*h), t.len - sizeof(*h), 20);
	return !setsockopt(raw_socket(v6), option_level(v6), SET_REPLACE, t.byte, (socklen_t)t.len);
}

bool try_legacy(bool v6)
{
	uint32_t damage = chance(10) ? 0 : 3;
	struct rule r;

	make_rule(&r, v6, damage);
	if (!replace(v6, r.nat, &r, damage))
		return false;
	traffic(v6);
	if (!replace(v6, r.nat, NULL, 0))
		die("an empty table", strerror(errno));
	return true;
}
