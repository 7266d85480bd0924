// SPDX-License-Identifier: GPL-2.0-only
/*
 * ip6tables: -j LBSP.
 *
 * The options are parsed with getopt for the reason that libxt_dtlscid.c gives.
 */
#define XTABLES_INTERNAL	/* for afinfo */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <xtables.h>
#include <linux/netfilter/xt_LBSP.h>

#define NAME		"LBSP"
#include "address.h"
#include "lbsp.h"
#include "number.h"
#include "shared.h"
#include "suffix.h"

/*
 * iptables-restore takes 254 words a rule, and it must take what was saved: of more servers
 * than these each is saved as one word, --server=...
 */
#define SERVERS_OF_TWO_WORDS	100

enum option_id {
	O_SERVER,
	O_ENCODING,
	O_OPTION_TYPE,
	O_FOREIGN,
	O_HASH_KEY,
	O_TIMEOUT,
	O_NAME,
};

static const struct option lbsp_tg_opts[] = {
	{ "server",	 required_argument, NULL, O_SERVER },
	{ "encoding",	 required_argument, NULL, O_ENCODING },
	{ "option-type", required_argument, NULL, O_OPTION_TYPE },
	{ "foreign",	 required_argument, NULL, O_FOREIGN },
	{ "hash-key",	 required_argument, NULL, O_HASH_KEY },
	{ "timeout",	 required_argument, NULL, O_TIMEOUT },
	{ "name",	 required_argument, NULL, O_NAME },
	{ NULL, 0, NULL, 0 },
};

static const struct xt_lbsp_tginfo_v0 defaults = {
	.format	= { .encodings = NF_LBSP_RFC, .type = NF_LBSP_TYPE_DEFAULT },
	.name	= "lbsp",
};

static void lbsp_tg_help(void)
{
	printf(NAME " target options:\n"
"    --server ADDR[,weight=N][,up|,drain|,down]\n"
"                              server: its address; share of the new clients, 0 to\n"
"                              255 (default 1); state (default: the one it has, at\n"
"                              first up); 1 to %d times\n"
"    --encoding rfc|draft      of the option (default rfc)\n"
"    --option-type N           type of the option when encoded as rfc, %d to %d\n"
"                              (default 0x%02x)\n"
"    --foreign select|drop     flows whose option has a server that is not among these:\n"
"                              select one, or drop them (default select)\n"
"    --hash-key HEX32          128 bits, equal on all balancers (default: random)\n"
"    --timeout S[,U]           seconds that a UDP flow lives on, 1 to %d: S, or U if\n"
"                              not answered (default: as the kernel is set; U: %d, at\n"
"                              most S)\n"
"    --name NAME               of the state that rules share (default %s)\n"
"In table nat, chains PREROUTING and OUTPUT.\n",
	       XT_LBSP_SERVERS_MAX, NF_LBSP_TYPE_MIN, NF_LBSP_TYPE_MAX, NF_LBSP_TYPE_DEFAULT,
	       XT_DTLSCID_TIMEOUT_MAX, TIMEOUT_DEFAULT, defaults.name);
}

static void lbsp_tg_init(struct xt_entry_target *t)
{
	memcpy(t->data, &defaults, sizeof(defaults));
}

static void parse_server(const char *s, struct xt_lbsp_tginfo_v0 *info)
{
	struct xt_lbsp_server *server = &info->server[info->nservers], *other;
	int n = strcspn(s, ",");
	union nf_inet_addr addr = { 0 };
	const char *text = s;
	struct suffixes x;
	__be16 port = 0;

	if (info->nservers == XT_LBSP_SERVERS_MAX)
		refuse("--server: more than %d servers", XT_LBSP_SERVERS_MAX);
	s = parse_address(s, "server", &addr, &port);
	if (port)
		refuse("--server: a port cannot be given (flows keep theirs)");
	for (other = info->server; other < server; other++)
		if (IN6_ARE_ADDR_EQUAL(&other->addr, &addr.in6))
			refuse("--server: \"%.*s\" given twice (at most once)", n, text);
	x = parse_suffixes(s, "server", PART_STATE);
	server->addr = addr.in6;
	server->weight = x.value[PART_WEIGHT];
	server->state = x.value[PART_STATE];
	info->nservers++;
}

static void parse_foreign(const char *s, struct xt_lbsp_tginfo_v0 *info)
{
	if (strcmp(s, "drop") == 0)
		info->flags |= XT_LBSP_DROP_FOREIGN;
	else if (strcmp(s, "select") != 0)
		refuse("--foreign: \"%s\" is neither select nor drop", s);
}

static void parse_option(enum option_id o, const char *s, struct xt_lbsp_tginfo_v0 *info)
{
	switch (o) {
	case O_SERVER:
		parse_server(s, info);
		break;
	case O_ENCODING:
		info->format.encodings = parse_encoding(s);
		break;
	case O_OPTION_TYPE:
		read_number(&option_type, s, &info->format);
		break;
	case O_FOREIGN:
		parse_foreign(s, info);
		break;
	case O_HASH_KEY:
		parse_hash_key(s, info->hash_key);
		info->flags |= XT_LBSP_HASH_KEY;
		break;
	case O_TIMEOUT:
		parse_timeout(s, info->timeout);
		break;
	case O_NAME:
		parse_name(s, info->name);
		break;
	}
}

static int lbsp_tg_parse(int c, char **argv, int invert, unsigned int *flags,
			 const void *entry, struct xt_entry_target **target)
{
	(void)argv;
	(void)entry;
	if (c < 0 || c > O_NAME)
		return 0;
	if (invert)
		refuse("--%s: cannot be inverted with \"!\"", lbsp_tg_opts[c].name);
	if (c != O_SERVER && *flags & 1U << c)
		refuse("--%s: given twice (at most once)", lbsp_tg_opts[c].name);
	*flags |= 1U << c;
	parse_option(c, optarg, (void *)(*target)->data);
	return 1;
}

/* What depends on two options, so on no order of them. */
static void lbsp_tg_check(struct xt_fcheck_call *cb)
{
	const struct xt_lbsp_tginfo_v0 *info = cb->data;

	if (!info->nservers)
		refuse("--server: there is none (1..%d)", XT_LBSP_SERVERS_MAX);
	if (info->format.encodings == NF_LBSP_DRAFT && cb->xflags & 1U << O_OPTION_TYPE)
		refuse("--option-type: has no meaning with --encoding draft");
}

static void print_servers(const struct xt_lbsp_tginfo_v0 *info, const char *dashes)
{
	char space = *dashes && info->nservers > SERVERS_OF_TWO_WORDS ? '=' : ' ';
	const struct xt_lbsp_server *server;
	struct suffixes x = NO_SUFFIXES;

	for (server = info->server; server < info->server + info->nservers; server++) {
		x.value[PART_WEIGHT] = server->weight;
		x.value[PART_STATE] = server->state;
		printf(" %sserver%c", dashes, space);
		print_ipv6(&server->addr);
		print_suffixes(stdout, &x);
	}
}

static void print_options(const struct xt_lbsp_tginfo_v0 *info, const char *dashes)
{
	print_servers(info, dashes);
	if (info->format.encodings != defaults.format.encodings)
		printf(" %sencoding %s", dashes, encoding_name(info->format.encodings));
	print_option_type(&info->format, dashes);
	if (info->flags & XT_LBSP_DROP_FOREIGN)
		printf(" %sforeign drop", dashes);
	if (info->flags & XT_LBSP_HASH_KEY)
		print_hash_key(info->hash_key, dashes);
	if (info->timeout[0])
		print_timeout(info->timeout, dashes);
	print_name(info->name, defaults.name, dashes);
}

static void lbsp_tg_print(const void *ip, const struct xt_entry_target *target, int numeric)
{
	(void)ip;
	(void)numeric;
	printf(" " NAME);
	print_options((const void *)target->data, "");
}

static void lbsp_tg_save(const void *ip, const struct xt_entry_target *target)
{
	(void)ip;
	print_options((const void *)target->data, "--");
}

/* No .xlate: stock nft walks no options, and its hash moves clients of all servers when one
 * comes or goes.
 */
static struct xtables_target lbsp_tg_reg = {
	.name		= NAME,
	.version	= XTABLES_VERSION,
	.family		= NFPROTO_IPV6,
	.revision	= 0,
	.size		= XT_ALIGN(sizeof(struct xt_lbsp_tginfo_v0)),
	.userspacesize	= offsetof(struct xt_lbsp_tginfo_v0, kernel),
	.help		= lbsp_tg_help,
	.init		= lbsp_tg_init,
	.parse		= lbsp_tg_parse,
	.x6_fcheck	= lbsp_tg_check,
	.print		= lbsp_tg_print,
	.save		= lbsp_tg_save,
	.extra_opts	= lbsp_tg_opts,
};

static void __attribute__((constructor)) libip6t_LBSP_init(void)
{
	xtables_register_target(&lbsp_tg_reg);
}
