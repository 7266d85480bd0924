// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole table raw, as iptables-legacy sends it: a rule of both, or of one of them, in
 * each chain, and what every table has.
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

struct table {
	bool v6;
	uint32_t entries;
	size_t len;
	uint32_t rule[2];	/* where the rules begin */
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

/* @damage: how many bytes of what data become others, at most */
static void add_rule(struct table *t, uint32_t damage)
{
	struct xt_dtlscid_tginfo_v0 target = target_data(t->v6);
	struct xt_dtlscid_mtinfo_v0 match = match_data();
	uint8_t *at = begin_entry(t);
	uint32_t which = draw(3);
	size_t len = header(t), offset;

	if (t->v6) {
		((struct ip6t_entry *)at)->ipv6.proto = IPPROTO_UDP;
		((struct ip6t_entry *)at)->ipv6.flags = IP6T_F_PROTO;
	} else {
		((struct ipt_entry *)at)->ip.proto = IPPROTO_UDP;
	}
	mutate((uint8_t *)&match, sizeof(match), chance(50) ? damage : 0);
	mutate((uint8_t *)&target, sizeof(target), chance(50) ? damage : 0);
	if (which != 1)
		len += put_part(at + len, "dtlscid", &match, sizeof(match));
	offset = len;
	len += which != 0 ? put_part(at + len, "DTLSCID", &target, sizeof(target)) :
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
static uint32_t entries(bool v6)
{
	struct ipt_getinfo info = { .name = "raw" };
	socklen_t len = sizeof(info);

	if (getsockopt(raw_socket(v6), option_level(v6), GET_INFO, &info, &len))
		die("table raw", strerror(errno));
	return info.num_entries;
}

/* The header, which is the same in both families. */
static void finish(struct table *t, const uint32_t *begin, const uint32_t *policy)
{
	static struct xt_counters counters[64];
	struct ipt_replace *h = &t->head4;

	memset(h, 0, sizeof(*h));
	strcpy(h->name, "raw");
	h->valid_hooks = 1 << NF_INET_PRE_ROUTING | 1 << NF_INET_LOCAL_OUT;
	h->num_entries = t->entries;
	h->size = (uint32_t)(t->len - sizeof(*h));
	h->hook_entry[NF_INET_PRE_ROUTING] = begin[0];
	h->hook_entry[NF_INET_LOCAL_OUT] = begin[1];
	h->underflow[NF_INET_PRE_ROUTING] = policy[0];
	h->underflow[NF_INET_LOCAL_OUT] = policy[1];
	h->num_counters = entries(t->v6);
	h->counters = counters;
}

/* Whether the kernel took it. */
static bool replace(bool v6, bool rules, uint32_t damage)
{
	static struct table t;
	uint32_t begin[2], policy[2], i;

	t.v6 = v6;
	t.entries = 0;
	t.len = sizeof(t.head4);
	for (i = 0; i < 2; i++) {
		begin[i] = (uint32_t)(t.len - sizeof(t.head4));
		if (rules && (i || chance(50)))
			add_rule(&t, damage);
		policy[i] = (uint32_t)(t.len - sizeof(t.head4));
		add_policy(&t);
	}
	add_end(&t);
	finish(&t, begin, policy);
	if (damage && chance(5))
		mutate(t.byte + 32, 60, 2);	/* of the header, but neither name nor counters */
	if (damage && chance(5))
		mutate(t.byte + sizeof(t.head4), t.len - sizeof(t.head4), 20);
	return !setsockopt(raw_socket(v6), option_level(v6), SET_REPLACE, t.byte, (socklen_t)t.len);
}

bool try_legacy(bool v6)
{
	if (!replace(v6, true, chance(10) ? 0 : 3))
		return false;
	traffic(v6);
	if (!replace(v6, false, 0))
		die("an empty table raw", strerror(errno));
	return true;
}
