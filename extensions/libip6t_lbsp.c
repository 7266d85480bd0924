// SPDX-License-Identifier: GPL-2.0-only
/*
 * ip6tables: -m lbsp.
 *
 * The options are parsed with getopt for the reason that libxt_dtlscid.c gives.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <xtables.h>
#include <linux/netfilter/xt_lbsp.h>

#define NAME		"lbsp"
#include "lbsp.h"
#include "number.h"

enum option_id {
	O_CLIENT,
	O_SERVER,
	O_SERVER_SET,
	O_ENCODING,
	O_MALFORMED,
	O_OPTION_TYPE,
};

static const struct option lbsp_mt_opts[] = {
	{ "client",	 required_argument, NULL, O_CLIENT },
	{ "server",	 required_argument, NULL, O_SERVER },
	{ "server-set",	 no_argument,	    NULL, O_SERVER_SET },
	{ "encoding",	 required_argument, NULL, O_ENCODING },
	{ "malformed",	 no_argument,	    NULL, O_MALFORMED },
	{ "option-type", required_argument, NULL, O_OPTION_TYPE },
	{ NULL, 0, NULL, 0 },
};

/* By enum option_id: the test that an option makes; 0 for the format. */
static const __u8 option_tests[] = {
	[O_CLIENT]	= XT_LBSP_CLIENT,
	[O_SERVER]	= XT_LBSP_SERVER,
	[O_SERVER_SET]	= XT_LBSP_SERVER_SET,
	[O_ENCODING]	= XT_LBSP_ENCODING,
	[O_MALFORMED]	= XT_LBSP_MALFORMED,
	[O_OPTION_TYPE]	= 0,
};

static void lbsp_mt_help(void)
{
	printf(NAME " match options:\n"
"[!] --client ADDR[/LEN]       segment 1 of the option, the client, is in this prefix\n"
"[!] --server ADDR[/LEN]       segment 2, the server, is\n"
"[!] --server-set              segment 2 is not all zero\n"
"[!] --encoding rfc|draft      the option is encoded so\n"
"[!] --malformed               the extension headers are malformed\n"
"    --option-type N           type of the option when encoded as rfc, %d to %d\n"
"                              (default 0x%02x)\n"
"Without a test, and with any but --malformed: has the option, and is not malformed.\n",
	       NF_LBSP_TYPE_MIN, NF_LBSP_TYPE_MAX, NF_LBSP_TYPE_DEFAULT);
}

static void lbsp_mt_init(struct xt_entry_match *m)
{
	struct xt_lbsp_mtinfo_v0 *info = (void *)m->data;

	info->format.encodings = NF_LBSP_RFC | NF_LBSP_DRAFT;
	info->format.type = NF_LBSP_TYPE_DEFAULT;
}

/* Bits past the prefix are cleared, as those of -s and -d are. */
static void clear_rest(struct in6_addr *addr, unsigned int bits)
{
	unsigned int i;

	for (i = 0; i < sizeof(addr->s6_addr); i++, bits -= bits < 8 ? bits : 8)
		if (bits < 8)
			addr->s6_addr[i] &= 0xff00 >> bits;
}

static void parse_prefix(const char *s, const char *option, struct in6_addr *addr, __u8 *bits)
{
	const char *slash = strchr(s, '/');
	char text[64];		/* longer than any address: what is cut is none */

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(s, "/"), s);
	if (inet_pton(AF_INET6, text, addr) != 1)
		refuse("--%s: \"%s\" is not an IPv6 address or prefix", option, s);
	*bits = 128;
	if (slash) {
		s = slash + 1;
		snprintf(text, sizeof(text), "%s LEN", option);
		*bits = parse_number(&s, "", text, 0, 128);
	}
	clear_rest(addr, *bits);
}

/* At most once, inverted only where that means something. */
static void note_option(int c, int invert, unsigned int *flags, struct xt_lbsp_mtinfo_v0 *info)
{
	if (*flags & 1U << c)
		refuse("--%s: given twice (at most once)", lbsp_mt_opts[c].name);
	if (invert && !option_tests[c])
		refuse("--%s: cannot be inverted with \"!\"", lbsp_mt_opts[c].name);
	*flags |= 1U << c;
	info->tests |= option_tests[c];
	if (invert)
		info->invert |= option_tests[c];
}

static int lbsp_mt_parse(int c, char **argv, int invert, unsigned int *flags,
			 const void *entry, struct xt_entry_match **match)
{
	struct xt_lbsp_mtinfo_v0 *info = (void *)(*match)->data;

	(void)argv;
	(void)entry;
	if (c < 0 || (size_t)c >= ARRAY_SIZE(option_tests))
		return 0;
	note_option(c, invert, flags, info);

	switch ((enum option_id)c) {
	case O_CLIENT:
		parse_prefix(optarg, "client", &info->client, &info->client_bits);
		break;
	case O_SERVER:
		parse_prefix(optarg, "server", &info->server, &info->server_bits);
		break;
	case O_ENCODING:
		info->encoding = parse_encoding(optarg);
		break;
	case O_OPTION_TYPE:
		read_number(&option_type, optarg, &info->format);
		break;
	case O_SERVER_SET:
	case O_MALFORMED:
		break;
	}
	return 1;
}

/* What depends on two options, so on no order of them. */
static void lbsp_mt_check(struct xt_fcheck_call *cb)
{
	const struct xt_lbsp_mtinfo_v0 *info = cb->data;

	if (info->tests & ~info->invert & XT_LBSP_MALFORMED && info->tests != XT_LBSP_MALFORMED)
		refuse("--malformed: never holds with a test of the option");
}

/* True when the rule makes the test; prints its option, each with @dashes. */
static int print_test(const struct xt_lbsp_mtinfo_v0 *info, enum option_id o, const char *dashes)
{
	if (!(info->tests & option_tests[o]))
		return 0;
	printf("%s %s%s", info->invert & option_tests[o] ? " !" : "", dashes, lbsp_mt_opts[o].name);
	return 1;
}

static void print_prefix(const struct in6_addr *addr, __u8 bits)
{
	putchar(' ');
	print_ipv6(addr);
	if (bits != 128)
		printf("/%u", bits);
}

static void print_options(const struct xt_lbsp_mtinfo_v0 *info, const char *dashes)
{
	if (print_test(info, O_CLIENT, dashes))
		print_prefix(&info->client, info->client_bits);
	if (print_test(info, O_SERVER, dashes))
		print_prefix(&info->server, info->server_bits);
	print_test(info, O_SERVER_SET, dashes);
	if (print_test(info, O_ENCODING, dashes))
		printf(" %s", encoding_name(info->encoding));
	print_test(info, O_MALFORMED, dashes);
	print_option_type(&info->format, dashes);
}

static void lbsp_mt_print(const void *ip, const struct xt_entry_match *match, int numeric)
{
	(void)ip;
	(void)numeric;
	printf(" " NAME);
	print_options((const void *)match->data, "");
}

static void lbsp_mt_save(const void *ip, const struct xt_entry_match *match)
{
	(void)ip;
	print_options((const void *)match->data, "--");
}

/* No .xlate: stock nft reads bytes at fixed places, and walks no options. */
static struct xtables_match lbsp_mt_reg = {
	.name		= NAME,
	.version	= XTABLES_VERSION,
	.family		= NFPROTO_IPV6,
	.revision	= 0,
	.size		= XT_ALIGN(sizeof(struct xt_lbsp_mtinfo_v0)),
	.userspacesize	= XT_ALIGN(sizeof(struct xt_lbsp_mtinfo_v0)),
	.help		= lbsp_mt_help,
	.init		= lbsp_mt_init,
	.parse		= lbsp_mt_parse,
	.x6_fcheck	= lbsp_mt_check,
	.print		= lbsp_mt_print,
	.save		= lbsp_mt_save,
	.extra_opts	= lbsp_mt_opts,
};

static void __attribute__((constructor)) libip6t_lbsp_init(void)
{
	xtables_register_match(&lbsp_mt_reg);
}
