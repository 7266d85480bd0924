// SPDX-License-Identifier: GPL-2.0-only
/*
 * flows: list conntrack's entries of UDP, a line each, for tests:
 *
 *	zone=1001 timeout=14 mark=0x0 status=seen-reply,dst-nat \
 *		orig=SRC SPORT DST DPORT reply=SRC SPORT DST DPORT
 *
 * zone is that of the original direction, timeout what is left of it in seconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

struct query {
	uint32_t family;	/* AF_UNSPEC: both */
	unsigned long first;	/* zones */
	unsigned long last;
	bool count;
	unsigned long found;
};

/* What libnetfilter_conntrack calls the ends of one direction. */
struct direction {
	const char *name;
	enum nf_conntrack_attr src4, dst4, src6, dst6, sport, dport;
};

static const struct direction directions[] = {
	{ "orig", ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_SRC, ATTR_ORIG_IPV6_DST,
	  ATTR_ORIG_PORT_SRC, ATTR_ORIG_PORT_DST },
	{ "reply", ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_SRC, ATTR_REPL_IPV6_DST,
	  ATTR_REPL_PORT_SRC, ATTR_REPL_PORT_DST },
};

static const struct {
	uint32_t bit;
	const char *name;
} states[] = {
	{ IPS_SEEN_REPLY, "seen-reply" },
	{ IPS_ASSURED, "assured" },
	{ IPS_SRC_NAT, "src-nat" },
	{ IPS_DST_NAT, "dst-nat" },
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "flows: %s: %s\n", what, strerror(errno));
	exit(2);
}

static _Noreturn void usage(void)
{
	fputs("usage: flows [-4|-6] [-z FIRST:LAST] [-c]\n"
	      "-z: of these zones only; -c: how many\n", stderr);
	exit(2);
}

/* Kernels tell it as the entry's zone, or as that of one direction. */
static uint16_t zone(const struct nf_conntrack *ct)
{
	if (nfct_attr_is_set(ct, ATTR_ORIG_ZONE) > 0)
		return nfct_get_attr_u16(ct, ATTR_ORIG_ZONE);
	return nfct_attr_is_set(ct, ATTR_ZONE) > 0 ? nfct_get_attr_u16(ct, ATTR_ZONE) : 0;
}

static void print_status(uint32_t status)
{
	const char *before = "";
	size_t i;

	fputs(" status=", stdout);
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (!(status & states[i].bit))
			continue;
		printf("%s%s", before, states[i].name);
		before = ",";
	}
}

static void print_end(const struct nf_conntrack *ct, enum nf_conntrack_attr v4,
		      enum nf_conntrack_attr v6, enum nf_conntrack_attr port)
{
	bool is_v4 = nfct_get_attr_u8(ct, ATTR_L3PROTO) == AF_INET;
	const void *address = nfct_get_attr(ct, is_v4 ? v4 : v6);
	char text[INET6_ADDRSTRLEN];

	if (!address || !inet_ntop(is_v4 ? AF_INET : AF_INET6, address, text, sizeof(text)))
		die("address");
	printf("%s %u", text, ntohs(nfct_get_attr_u16(ct, port)));
}

static void print_flow(const struct nf_conntrack *ct)
{
	size_t i;

	printf("zone=%u timeout=%u mark=0x%x", zone(ct), nfct_get_attr_u32(ct, ATTR_TIMEOUT),
	       nfct_get_attr_u32(ct, ATTR_MARK));
	print_status(nfct_get_attr_u32(ct, ATTR_STATUS));
	for (i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		const struct direction *d = &directions[i];

		printf(" %s=", d->name);
		print_end(ct, d->src4, d->src6, d->sport);
		putchar(' ');
		print_end(ct, d->dst4, d->dst6, d->dport);
	}
	putchar('\n');
}

static int take(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct query *q = data;

	(void)type;
	if (nfct_get_attr_u8(ct, ATTR_L4PROTO) != IPPROTO_UDP ||
	    zone(ct) < q->first || zone(ct) > q->last)
		return NFCT_CB_CONTINUE;
	q->found++;
	if (!q->count)
		print_flow(ct);
	return NFCT_CB_CONTINUE;
}

static void list(struct query *q)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);

	if (!h)
		die("nfct_open");
	if (nfct_callback_register(h, NFCT_T_ALL, take, q))
		die("nfct_callback_register");
	if (nfct_query(h, NFCT_Q_DUMP, &q->family))
		die("nfct_query");
	if (nfct_close(h))
		die("nfct_close");
}

int main(int argc, char **argv)
{
	struct query q = { .family = AF_UNSPEC, .last = UINT16_MAX };
	int opt;

	while ((opt = getopt(argc, argv, "46z:c")) != -1) {
		switch (opt) {
		case '4': q.family = AF_INET; break;
		case '6': q.family = AF_INET6; break;
		case 'z':
			if (sscanf(optarg, "%lu:%lu", &q.first, &q.last) != 2)
				usage();
			break;
		case 'c': q.count = true; break;
		default: usage();
		}
	}
	if (argc != optind)
		usage();
	list(&q);
	if (q.count)
		printf("%lu\n", q.found);
	if (fflush(stdout))
		die("standard output");
	return 0;
}
