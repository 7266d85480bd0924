// SPDX-License-Identifier: GPL-2.0-only
/* A rule as iptables-nft sends it, with nft_compat's expressions. */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include "blobs.h"

struct message {
	size_t len;
	union {
		struct nlmsghdr head;
		uint8_t byte[16384];
	};
};

static void *add(struct message *m, size_t len)
{
	uint8_t *at = m->byte + m->len;

	memset(at, 0, NLMSG_ALIGN(len));
	m->len += NLMSG_ALIGN(len);
	return at;
}

static void put_attribute(struct message *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = add(m, NLA_HDRLEN + len);

	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy((uint8_t *)a + NLA_HDRLEN, data, len);
}

static void put_text(struct message *m, uint16_t type, const char *text)
{
	put_attribute(m, type, text, strlen(text) + 1);
}

static void put_number(struct message *m, uint16_t type, uint32_t value)
{
	value = htonl(value);
	put_attribute(m, type, &value, sizeof(value));
}

static struct nlattr *begin_nest(struct message *m, uint16_t type)
{
	struct nlattr *a = add(m, NLA_HDRLEN);

	a->nla_type = type | NLA_F_NESTED;
	return a;
}

static void end_nest(struct message *m, struct nlattr *a)
{
	a->nla_len = (uint16_t)(m->byte + m->len - (uint8_t *)a);
}

static struct nlmsghdr *begin(struct message *m, uint16_t type, uint16_t flags, uint8_t family,
			      uint16_t subsystem)
{
	struct nlmsghdr *h = add(m, NLMSG_HDRLEN);
	struct nfgenmsg *g = add(m, sizeof(*g));

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	g->nfgen_family = family;
	g->res_id = htons(subsystem);
	return h;
}

static void end(struct message *m, struct nlmsghdr *h)
{
	h->nlmsg_len = (uint32_t)(m->byte + m->len - (uint8_t *)h);
}

static void put_batch_mark(struct message *m, uint16_t type)
{
	end(m, begin(m, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

static struct nlmsghdr *begin_command(struct message *m, uint16_t command, bool v6)
{
	return begin(m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | command), NLM_F_ACK | NLM_F_CREATE |
		     (command == NFT_MSG_NEWRULE ? NLM_F_APPEND : 0),
		     v6 ? NFPROTO_IPV6 : NFPROTO_IPV4, 0);
}

static int netlink_socket(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	if (fd < 0)
		die("netlink", strerror(errno));
	return fd;
}

/* Whether all commands were taken: answers are there when the call returns. */
static bool sent(const struct message *m)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	uint8_t answer[32768];
	bool taken = false;
	ssize_t len;

	if (sendto(netlink_socket(), m->byte, m->len, 0, (const void *)&kernel, sizeof(kernel)) < 0)
		return false;
	while ((len = recv(netlink_socket(), answer, sizeof(answer), MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *h = (const void *)answer;

		for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
			const struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_type != NLMSG_ERROR || e->error)
				return false;
			taken = true;
		}
	}
	return taken;
}

static void put_chain(struct message *m, bool v6, bool nat, const char *name, uint32_t hook)
{
	struct nlmsghdr *h = begin_command(m, NFT_MSG_NEWCHAIN, v6);
	struct nlattr *nest;

	put_text(m, NFTA_CHAIN_TABLE, table_of(nat));
	put_text(m, NFTA_CHAIN_NAME, name);
	nest = begin_nest(m, NFTA_CHAIN_HOOK);
	put_number(m, NFTA_HOOK_HOOKNUM, hook);
	put_number(m, NFTA_HOOK_PRIORITY, (uint32_t)(nat ? -100 : -300));
	end_nest(m, nest);
	put_text(m, NFTA_CHAIN_TYPE, nat ? "nat" : "filter");
	end(m, h);
}

/* The targets ask for tables of these names. */
static void make_table(bool v6, bool nat)
{
	static struct message m;
	struct nlmsghdr *h;

	m.len = 0;
	put_batch_mark(&m, NFNL_MSG_BATCH_BEGIN);
	h = begin_command(&m, NFT_MSG_NEWTABLE, v6);
	put_text(&m, NFTA_TABLE_NAME, table_of(nat));
	end(&m, h);
	put_chain(&m, v6, nat, "PREROUTING", NF_INET_PRE_ROUTING);
	put_chain(&m, v6, nat, "OUTPUT", NF_INET_LOCAL_OUT);
	put_batch_mark(&m, NFNL_MSG_BATCH_END);
	if (!sent(&m))
		die(table_of(nat), "refused");
}

/* The numbers of a match's attributes and a target's are the same. */
static void put_part(struct message *m, const char *kind, const struct part *p, bool damaged)
{
	struct nlattr *one = begin_nest(m, NFTA_LIST_ELEM), *inner;
	size_t len = damaged && chance(20) ? draw((uint32_t)p->len + 16) : p->len, at;

	put_text(m, NFTA_EXPR_NAME, kind);
	inner = begin_nest(m, NFTA_EXPR_DATA);
	at = m->len;
	put_text(m, NFTA_MATCH_NAME, p->name);
	put_number(m, NFTA_MATCH_REV, damaged && chance(5) ? draw(300) : 0);
	put_attribute(m, NFTA_MATCH_INFO, p->data, len);
	if (damaged && chance(10))
		mutate(m->byte + at, 28, 2);
	end_nest(m, inner);
	end_nest(m, one);
}

static void put_rule(struct message *m, const struct rule *r, uint32_t damage)
{
	struct nlmsghdr *h = begin_command(m, NFT_MSG_NEWRULE, r->v6);
	struct nlattr *nest;
	size_t at = m->len;

	put_text(m, NFTA_RULE_TABLE, table_of(r->nat));
	put_text(m, NFTA_RULE_CHAIN, chance(30) ? "PREROUTING" : "OUTPUT");
	nest = begin_nest(m, NFTA_RULE_EXPRESSIONS);
	if (r->match.name)
		put_part(m, "match", &r->match, damage);
	if (r->target.name)
		put_part(m, "target", &r->target, damage);
	end_nest(m, nest);
	nest = begin_nest(m, NFTA_RULE_COMPAT);
	put_number(m, NFTA_RULE_COMPAT_PROTO, damage && chance(5) ? draw(256) : IPPROTO_UDP);
	put_number(m, NFTA_RULE_COMPAT_FLAGS, damage && chance(5) ? draw(8) : 0);
	end_nest(m, nest);
	end(m, h);
	if (damage && chance(10))
		mutate(m->byte + at, m->len - at, 4);
}

static void remove_rules(bool v6, bool nat)
{
	static struct message m;
	struct nlmsghdr *h;

	m.len = 0;
	put_batch_mark(&m, NFNL_MSG_BATCH_BEGIN);
	h = begin_command(&m, NFT_MSG_DELRULE, v6);
	put_text(&m, NFTA_RULE_TABLE, table_of(nat));
	end(&m, h);
	put_batch_mark(&m, NFNL_MSG_BATCH_END);
	if (!sent(&m))
		die("no more rules", "refused");
}

bool try_netlink(bool v6)
{
	uint32_t damage = chance(10) ? 0 : 3;
	static bool ready[2][2];
	static struct message m;
	struct rule r;

	make_rule(&r, v6, damage);
	if (!ready[v6][r.nat]) {
		make_table(v6, r.nat);
		ready[v6][r.nat] = true;
	}
	m.len = 0;
	put_batch_mark(&m, NFNL_MSG_BATCH_BEGIN);
	put_rule(&m, &r, damage);
	put_batch_mark(&m, NFNL_MSG_BATCH_END);
	if (!sent(&m))
		return false;
	traffic(v6);
	remove_rules(v6, r.nat);
	return true;
}
