// SPDX-License-Identifier: GPL-2.0-only
/*
 * iptables and ip6tables: -j DTLSCID.
 *
 * The options are parsed with getopt for the reason that libxt_dtlscid.c gives.
 */
#define XTABLES_INTERNAL	/* for afinfo: the family of the running program */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <xtables.h>
#include <linux/netfilter/xt_DTLSCID.h>

#define NAME		"DTLSCID"
#include "address.h"
#include "format.h"
#include "mask.h"
#include "node.h"
#include "number.h"
#include "shared.h"

enum option_id {
	O_NODE,
	O_ID_OFFSET,
	O_ID_LENGTH,
	O_CID_LENGTH,
	O_NEW,
	O_UNKNOWN,
	O_MALFORMED,
	O_MIXED,
	O_NOT_DTLS,
	O_HASH_KEY,
	O_TIMEOUT,
	O_MAX_FLOWS,
	O_ZONE_BASE,
	O_ID_MARK,
	O_ID_CONNMARK,
	O_NO_DNAT,
	O_ZONE0_CHECK,
	O_VIP,
	O_NAME,
};

static const struct option dtlscid_tg_opts[] = {
	{ "node",	  required_argument, NULL, O_NODE },
	{ "id-offset",	  required_argument, NULL, O_ID_OFFSET },
	{ "id-length",	  required_argument, NULL, O_ID_LENGTH },
	{ "cid-length",	  required_argument, NULL, O_CID_LENGTH },
	{ "new",	  required_argument, NULL, O_NEW },
	{ "unknown",	  required_argument, NULL, O_UNKNOWN },
	{ "malformed",	  required_argument, NULL, O_MALFORMED },
	{ "mixed",	  required_argument, NULL, O_MIXED },
	{ "not-dtls",	  required_argument, NULL, O_NOT_DTLS },
	{ "hash-key",	  required_argument, NULL, O_HASH_KEY },
	{ "timeout",	  required_argument, NULL, O_TIMEOUT },
	{ "max-flows",	  required_argument, NULL, O_MAX_FLOWS },
	{ "zone-base",	  required_argument, NULL, O_ZONE_BASE },
	{ "id-mark",	  required_argument, NULL, O_ID_MARK },
	{ "id-connmark",  required_argument, NULL, O_ID_CONNMARK },
	{ "no-dnat",	  no_argument,	     NULL, O_NO_DNAT },
	{ "zone0-check",  no_argument,	     NULL, O_ZONE0_CHECK },
	{ "vip",	  required_argument, NULL, O_VIP },
	{ "name",	  required_argument, NULL, O_NAME },
	{ NULL, 0, NULL, 0 },
};

static const struct xt_dtlscid_tginfo_v0 defaults = {
	.format		= FORMAT_DEFAULTS,
	.fresh		= XT_DTLSCID_HASH,
	.unknown	= XT_DTLSCID_DROP,
	.malformed	= XT_DTLSCID_DROP,
	.mixed		= XT_DTLSCID_DROP,
	.not_dtls	= XT_DTLSCID_CONTINUE,
	.zone_base	= 1000,
	.timeout	= { 100, TIMEOUT_DEFAULT },
	.max_flows	= 65536,
	.name		= "dtlscid",
};

#define OFFSET(field)	offsetof(struct xt_dtlscid_tginfo_v0, field)

static const struct number numbers[] = {
	[O_MAX_FLOWS]	= { "max-flows", OFFSET(max_flows), sizeof(__u32),
			    1, XT_DTLSCID_FLOWS_MAX },
	[O_ZONE_BASE]	= { "zone-base", OFFSET(zone_base), sizeof(__u16), 1, UINT16_MAX },
	[O_ID_MARK]	= { "id-mark", OFFSET(id_mark), sizeof(__u32), 1, UINT32_MAX },
	[O_ID_CONNMARK]	= { "id-connmark", OFFSET(id_connmark), sizeof(__u32), 1, UINT32_MAX },
};

/* By enum xt_dtlscid_action. */
static const char *const action_names[] = {
	[XT_DTLSCID_DROP]	= "drop",
	[XT_DTLSCID_CONTINUE]	= "continue",
	[XT_DTLSCID_HASH]	= "hash",
	[XT_DTLSCID_FIRST]	= "first",
};

/* Options whose value is an action: its byte in the rule's data, and what it may be. */
static const struct {
	size_t	    offset;
	const char *names;
} actions[] = {
	[O_NEW]		= { OFFSET(fresh), "hash, continue, drop" },
	[O_UNKNOWN]	= { OFFSET(unknown), "drop, continue" },
	[O_MALFORMED]	= { OFFSET(malformed), "drop, continue" },
	[O_MIXED]	= { OFFSET(mixed), "drop, first" },
	[O_NOT_DTLS]	= { OFFSET(not_dtls), "drop, hash, continue" },
};

static void dtlscid_tg_help(void)
{
	printf(NAME " target options:\n"
"    --node ID=ADDR[:PORT][,weight=N][,cid-length=N][,up|,drain|,down]\n"
"                              node: its id in the CID and its address, for IPv6\n"
"                              ADDR or [ADDR]:PORT (default: the port sent to);\n"
"                              share of the handshakes, 0 to 255 (default 1);\n"
"                              bytes of its CIDs (default: --cid-length);\n"
"                              state (default: the one it has, at first up);\n"
"                              1 to %d times\n"
"    --id-offset N             bytes of the CID before the node id (default 0)\n"
"    --id-length N             bytes of the node id, 1 to 4 (default 1)\n"
"    --cid-length N            bytes of the CID, 1 to 255: check every length and\n"
"                              read the records after a CID (default: not known)\n"
"    --new hash|continue|drop  datagrams without a CID (default hash)\n"
"    --unknown drop|continue   CIDs of unknown nodes, or of ones that are down\n"
"                              (default drop)\n"
"    --malformed drop|continue malformed datagrams (default drop)\n"
"    --mixed drop|first        CIDs of different nodes (default drop)\n"
"    --not-dtls drop|hash|continue\n"
"                              datagrams that are not DTLS (default continue)\n"
"    --hash-key HEX32          128 bits, equal on all balancers (default: random)\n"
"    --timeout S[,U]           seconds that a flow lives on, 1 to %d: S, or U if\n"
"                              not answered (default 100,15; U: 15, at most S)\n"
"    --max-flows N             flows of this name, 1 to %d (default 65536)\n"
"    --zone-base N             first conntrack zone, 1 to 65535 (default 1000)\n"
"    --id-mark MASK            write the node id to these bits of the packet mark\n"
"                              (default: none)\n"
"    --id-connmark MASK        and to these of the connection mark (default: none)\n"
"    --no-dnat                 set zone, timeout and marks only (default: DNAT too)\n"
"    --zone0-check             no zone for a CID whose client has a flow to its node\n"
"                              in zone 0, as of IPVS (default: not looked for)\n"
"    --vip ADDR:PORT           what a node sends to a client without a flow leaves\n"
"                              from here, for IPv6 [ADDR]:PORT (default: from where\n"
"                              the client of the node's last new flow sent to)\n"
"    --name NAME               of the state that rules share (default dtlscid)\n"
"In table raw, chains PREROUTING and OUTPUT, with -p udp.\n",
	       XT_DTLSCID_NODES_MAX, XT_DTLSCID_TIMEOUT_MAX, XT_DTLSCID_FLOWS_MAX);
}

static void dtlscid_tg_init(struct xt_entry_target *t)
{
	memcpy(t->data, &defaults, sizeof(defaults));
}

static void parse_action(const char *s, enum option_id o, struct xt_dtlscid_tginfo_v0 *info)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(action_names); i++)
		if (strcmp(s, action_names[i]) == 0 && strstr(actions[o].names, s))
			break;
	if (i == ARRAY_SIZE(action_names))
		refuse("--%s: \"%s\" is none of %s", dtlscid_tg_opts[o].name, s, actions[o].names);
	((__u8 *)info)[actions[o].offset] = i;
}

static void parse_vip(const char *s, struct xt_dtlscid_tginfo_v0 *info)
{
	const char *rest = parse_address(s, "vip", &info->vip, &info->vip_port);

	if (*rest || !info->vip_port)
		refuse("--vip: \"%s\" is not ADDR:PORT, for IPv6 [ADDR]:PORT", s);
}

static void parse_option(enum option_id o, const char *s, struct xt_dtlscid_tginfo_v0 *info)
{
	switch (o) {
	case O_NODE:
		parse_node(s, info);
		break;
	case O_ID_OFFSET ... O_CID_LENGTH:
		read_number(&format_numbers[o - O_ID_OFFSET], s, &info->format);
		break;
	case O_NEW ... O_NOT_DTLS:
		parse_action(s, o, info);
		break;
	case O_HASH_KEY:
		parse_hash_key(s, info->hash_key);
		info->flags |= XT_DTLSCID_HASH_KEY;
		break;
	case O_TIMEOUT:
		parse_timeout(s, info->timeout);
		break;
	case O_MAX_FLOWS ... O_ZONE_BASE:
		read_number(&numbers[o], s, info);
		break;
	case O_ID_MARK ... O_ID_CONNMARK:
		parse_mask(s, &numbers[o], info);
		break;
	case O_NO_DNAT:
		info->flags |= XT_DTLSCID_NO_DNAT;
		break;
	case O_ZONE0_CHECK:
		info->flags |= XT_DTLSCID_ZONE0_CHECK;
		break;
	case O_VIP:
		parse_vip(s, info);
		break;
	case O_NAME:
		parse_name(s, info->name);
		break;
	}
}

static int dtlscid_tg_parse(int c, char **argv, int invert, unsigned int *flags,
			    const void *entry, struct xt_entry_target **target)
{
	(void)argv;
	(void)entry;
	if (c < 0 || c > O_NAME)
		return 0;
	if (invert)
		refuse("--%s: cannot be inverted with \"!\"", dtlscid_tg_opts[c].name);
	if (c != O_NODE && *flags & 1U << c)
		refuse("--%s: given twice (at most once)", dtlscid_tg_opts[c].name);
	*flags |= 1U << c;
	parse_option(c, optarg, (void *)(*target)->data);
	return 1;
}

static void check_node(const struct xt_dtlscid_node *node, const struct xt_dtlscid_tginfo_v0 *info)
{
	unsigned int end = info->format.id_offset + info->format.id_length;

	check_id(&info->format, "node", node->id);
	if (node->cid_length && node->cid_length < end)
		refuse("--node: cid-length %u of id %u ends before the id (%u..%d)",
		       node->cid_length, node->id, end, NF_DTLSCID_CID_LENGTH_MAX);
	check_mask(node->id, &numbers[O_ID_MARK], info);
	check_mask(node->id, &numbers[O_ID_CONNMARK], info);
}

/* What depends on two options, so on no order of them. */
static void dtlscid_tg_check(struct xt_fcheck_call *cb)
{
	const struct xt_dtlscid_tginfo_v0 *info = cb->data;
	unsigned int i;

	if (!info->nnodes)
		refuse("--node: there is none (1..%d)", XT_DTLSCID_NODES_MAX);
	check_format(&info->format);
	for (i = 0; i < info->nnodes; i++)
		check_node(&info->node[i], info);
	check_nodes_text(info);
	if (info->zone_base + info->nnodes - 1 > UINT16_MAX)
		refuse("--zone-base: %u + number of nodes is past zone %d (1..%d)",
		       info->zone_base, UINT16_MAX, UINT16_MAX + 1 - info->nnodes);
}

static void print_action(const struct xt_dtlscid_tginfo_v0 *info, enum option_id o,
			 const char *dashes)
{
	__u8 action = ((const __u8 *)info)[actions[o].offset];

	if (action != ((const __u8 *)&defaults)[actions[o].offset])
		printf(" %s%s %s", dashes, dtlscid_tg_opts[o].name, action_names[action]);
}

static void print_vip(const struct xt_dtlscid_tginfo_v0 *info, const char *dashes)
{
	if (!info->vip_port)
		return;
	printf(" %svip ", dashes);
	print_address(stdout, &info->vip, info->vip_port);
}

static void print_options(const struct xt_dtlscid_tginfo_v0 *info, const char *dashes)
{
	enum option_id o;

	print_nodes(info, dashes);
	print_format(&info->format, dashes);
	for (o = O_NEW; o <= O_NOT_DTLS; o++)
		print_action(info, o, dashes);
	if (info->flags & XT_DTLSCID_HASH_KEY)
		print_hash_key(info->hash_key, dashes);
	if (memcmp(info->timeout, defaults.timeout, sizeof(defaults.timeout)) != 0)
		print_timeout(info->timeout, dashes);
	print_number(&numbers[O_MAX_FLOWS], info, &defaults, dashes);
	print_number(&numbers[O_ZONE_BASE], info, &defaults, dashes);
	print_mask(&numbers[O_ID_MARK], info, dashes);
	print_mask(&numbers[O_ID_CONNMARK], info, dashes);
	if (info->flags & XT_DTLSCID_NO_DNAT)
		printf(" %sno-dnat", dashes);
	if (info->flags & XT_DTLSCID_ZONE0_CHECK)
		printf(" %szone0-check", dashes);
	print_vip(info, dashes);
	print_name(info->name, defaults.name, dashes);
}

static void dtlscid_tg_print(const void *ip, const struct xt_entry_target *target, int numeric)
{
	(void)ip;
	(void)numeric;
	printf(" " NAME);
	print_options((const void *)target->data, "");
}

static void dtlscid_tg_save(const void *ip, const struct xt_entry_target *target)
{
	(void)ip;
	print_options((const void *)target->data, "--");
}

/* No .xlate: nothing in stock nft is equivalent.  It keeps no flow with its node
 * and checks nothing, and a reloaded listing would silently replace the rule.
 */
static struct xtables_target dtlscid_tg_reg = {
	.name		= NAME,
	.version	= XTABLES_VERSION,
	.family		= NFPROTO_UNSPEC,
	.revision	= 0,
	.size		= XT_ALIGN(sizeof(struct xt_dtlscid_tginfo_v0)),
	.userspacesize	= offsetof(struct xt_dtlscid_tginfo_v0, kernel),
	.help		= dtlscid_tg_help,
	.init		= dtlscid_tg_init,
	.parse		= dtlscid_tg_parse,
	.x6_fcheck	= dtlscid_tg_check,
	.print		= dtlscid_tg_print,
	.save		= dtlscid_tg_save,
	.extra_opts	= dtlscid_tg_opts,
};

static void __attribute__((constructor)) libxt_DTLSCID_init(void)
{
	xtables_register_target(&dtlscid_tg_reg);
}
