// SPDX-License-Identifier: GPL-2.0-only
/*
 * iptables and ip6tables: -m dtlscid.
 *
 * The options are parsed with getopt, not with libxtables' option tables:
 * struct xt_option_entry grew between 1.8.9 and 1.8.11 without a new soname,
 * so a plugin that holds such a table crashes the other version.
 */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <xtables.h>
#include <linux/netfilter/xt_dtlscid.h>

#define NAME		"dtlscid"
#include "format.h"
#include "number.h"

enum option_id {
	O_NODE_ID,
	O_CID,
	O_ID_OFFSET,
	O_ID_LENGTH,
	O_CID_LENGTH,
	O_VERSION,
	O_RECORD,
};

static const struct option dtlscid_mt_opts[] = {
	{ "node-id",	  required_argument, NULL, O_NODE_ID },
	{ "cid",	  required_argument, NULL, O_CID },
	{ "id-offset",	  required_argument, NULL, O_ID_OFFSET },
	{ "id-length",	  required_argument, NULL, O_ID_LENGTH },
	{ "cid-length",	  required_argument, NULL, O_CID_LENGTH },
	{ "dtls-version", required_argument, NULL, O_VERSION },
	{ "record",	  required_argument, NULL, O_RECORD },
	{ NULL, 0, NULL, 0 },
};

/* By enum nf_dtlscid_record. */
static const char *const record_names[] = {
	[NF_DTLSCID_RECORD_CID]		 = "cid",
	[NF_DTLSCID_RECORD_CLIENT_HELLO] = "client-hello",
	[NF_DTLSCID_RECORD_HANDSHAKE]	 = "handshake",
	[NF_DTLSCID_RECORD_ENCRYPTED]	 = "encrypted",
	[NF_DTLSCID_RECORD_ALERT]	 = "alert",
	[NF_DTLSCID_RECORD_ACK]		 = "ack",
	[NF_DTLSCID_RECORD_OTHER]	 = "other",
	[NF_DTLSCID_RECORD_MALFORMED]	 = "malformed",
	[NF_DTLSCID_RECORD_MIXED]	 = "mixed",
	[NF_DTLSCID_RECORD_NOT_DTLS]	 = "not-dtls",
};

#define RECORD_NAMES \
	"cid, client-hello, handshake, encrypted, alert, ack, other, malformed, mixed, not-dtls"

static void dtlscid_mt_help(void)
{
	printf(NAME " match options:\n"
"[!] --node-id ID[:ID][,...]   node id in the CID, 1 to %d ids or ranges\n"
"[!] --cid HEX[/BITS]          CID begins with these bytes, or BITS bits of them\n"
"    --id-offset N             bytes of the CID before the node id (default 0)\n"
"    --id-length N             bytes of the node id, 1 to 4 (default 1)\n"
"    --cid-length N            bytes of the CID, 1 to 255: check every length and\n"
"                              read the records after a CID (default: not known)\n"
"[!] --dtls-version 1.2|1.3    version of the record that carries the CID\n"
"[!] --record KIND[,...]       holds a record of a kind: cid, client-hello,\n"
"                              handshake, encrypted, alert, ack, other; or is, as\n"
"                              a whole: malformed, mixed, not-dtls\n"
"Without --node-id, --cid, --dtls-version and --record: carries a CID.\n",
	       XT_DTLSCID_RANGES_MAX);
}

static void dtlscid_mt_init(struct xt_entry_match *m)
{
	struct xt_dtlscid_mtinfo_v0 *info = (void *)m->data;

	info->format = format_defaults;
}

static void parse_node_id(const char *s, struct xt_dtlscid_mtinfo_v0 *info)
{
	struct xt_dtlscid_range *r;

	for (;; s++) {
		if (info->nranges == XT_DTLSCID_RANGES_MAX)
			refuse("--node-id: more than %d ids or ranges",
			       XT_DTLSCID_RANGES_MAX);
		r = &info->range[info->nranges++];
		r->min = parse_number(&s, ":,", "node-id", 0, UINT32_MAX);
		r->max = r->min;
		if (*s == ':') {
			s++;
			r->max = parse_number(&s, ",", "node-id", 0, UINT32_MAX);
		}
		if (r->min > r->max)
			refuse("--node-id: range %u:%u is reversed (lowest id first)",
			       r->min, r->max);
		if (!*s)
			break;
	}
}

static void parse_cid(const char *s, struct xt_dtlscid_mtinfo_v0 *info)
{
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);

	if (!n || n % 2 || n / 2 > NF_DTLSCID_CID_LENGTH_MAX)
		refuse("--cid: \"%s\" is not an even number of hex digits (1..%d bytes)",
		       s, NF_DTLSCID_CID_LENGTH_MAX);
	if (!parse_hex(s, info->cid, n / 2))
		refuse("--cid: \"%s\" has other than hex digits (0..9, a..f)", s);
	info->cid_bits = 4 * n;
	if (slash) {
		s = slash + 1;
		info->cid_bits = parse_number(&s, "", "cid HEX/BITS", 1, 4 * n);
	}
}

static void parse_version(const char *s, struct xt_dtlscid_mtinfo_v0 *info)
{
	if (strcmp(s, "1.2") == 0)
		info->version = 2;
	else if (strcmp(s, "1.3") == 0)
		info->version = 3;
	else
		refuse("--dtls-version: \"%s\" is neither 1.2 nor 1.3", s);
}

static void parse_record(const char *s, struct xt_dtlscid_mtinfo_v0 *info)
{
	size_t n, i;

	for (;; s += n + 1) {
		n = strcspn(s, ",");
		for (i = 0; i < ARRAY_SIZE(record_names); i++)
			if (strlen(record_names[i]) == n && strncmp(s, record_names[i], n) == 0)
				break;
		if (i == ARRAY_SIZE(record_names))
			refuse("--record: \"%.*s\" is none of " RECORD_NAMES,
			       (int)n, s);
		info->records |= 1U << i;
		if (!s[n])
			break;
	}
}

/* By enum option_id: the test that an option makes; 0 for the CID's format. */
static const __u8 option_tests[] = {
	[O_NODE_ID]	= XT_DTLSCID_NODE_ID,
	[O_CID]		= XT_DTLSCID_CID,
	[O_ID_OFFSET]	= 0,
	[O_ID_LENGTH]	= 0,
	[O_CID_LENGTH]	= 0,
	[O_VERSION]	= XT_DTLSCID_VERSION,
	[O_RECORD]	= XT_DTLSCID_RECORD,
};

/* At most once, inverted only where that means something. */
static void note_option(int c, int invert, unsigned int *flags, struct xt_dtlscid_mtinfo_v0 *info)
{
	if (*flags & 1U << c)
		refuse("--%s: given twice (at most once)", dtlscid_mt_opts[c].name);
	if (invert && !option_tests[c])
		refuse("--%s: cannot be inverted with \"!\"", dtlscid_mt_opts[c].name);
	*flags |= 1U << c;
	info->tests |= option_tests[c];
	if (invert)
		info->invert |= option_tests[c];
}

static int dtlscid_mt_parse(int c, char **argv, int invert, unsigned int *flags,
			    const void *entry, struct xt_entry_match **match)
{
	struct xt_dtlscid_mtinfo_v0 *info = (void *)(*match)->data;
	const char *s = optarg;

	(void)argv;
	(void)entry;
	if (c < 0 || (size_t)c >= ARRAY_SIZE(option_tests))
		return 0;
	note_option(c, invert, flags, info);

	switch ((enum option_id)c) {
	case O_NODE_ID:
		parse_node_id(s, info);
		break;
	case O_CID:
		parse_cid(s, info);
		break;
	case O_ID_OFFSET:
	case O_ID_LENGTH:
	case O_CID_LENGTH:
		read_number(&format_numbers[c - O_ID_OFFSET], s, &info->format);
		break;
	case O_VERSION:
		parse_version(s, info);
		break;
	case O_RECORD:
		parse_record(s, info);
		break;
	}
	return 1;
}

/* Combinations of --record that never match are mistakes. */
static void check_records(const struct xt_dtlscid_mtinfo_v0 *info)
{
	const __u16 cid = NF_DTLSCID_RECORD_BIT(CID), mixed = NF_DTLSCID_RECORD_BIT(MIXED);
	const __u16 no_cid = NF_DTLSCID_RECORD_BIT(MALFORMED) | NF_DTLSCID_RECORD_BIT(NOT_DTLS);

	if (info->records & mixed && !info->format.cid_length)
		refuse("--record: mixed needs --cid-length (1..%d)", NF_DTLSCID_CID_LENGTH_MAX);
	if (!info->records || !(info->tests & XT_DTLSCID_CID_TESTS))
		return;
	if (!(info->invert & XT_DTLSCID_RECORD) && !(info->records & ~no_cid))
		refuse("--record: malformed and not-dtls never hold with a test of the CID");
	if (info->invert & XT_DTLSCID_RECORD && info->records & cid &&
	    (!info->format.cid_length || info->records & mixed))
		refuse("--record: \"! cid\" never holds with a test of the CID");
}

static void clear_unused_bits(struct xt_dtlscid_mtinfo_v0 *info)
{
	unsigned int whole = info->cid_bits / 8, rest = info->cid_bits % 8;

	if (rest)
		info->cid[whole++] &= 0xff00 >> rest;
	memset(info->cid + whole, 0, sizeof(info->cid) - whole);
}

/* What depends on two options, so on no order of them. */
static void dtlscid_mt_check(struct xt_fcheck_call *cb)
{
	struct xt_dtlscid_mtinfo_v0 *info = cb->data;
	unsigned int i, longest = longest_cid(&info->format);

	check_format(&info->format);
	if (info->cid_bits > 8 * longest)
		refuse("--cid: %u bits are more than the CID has (--cid-length %u: 1..%u)",
		       info->cid_bits, longest, 8 * longest);
	for (i = 0; i < info->nranges; i++)
		check_id(&info->format, "node-id", info->range[i].max);
	check_records(info);
	clear_unused_bits(info);
}

static void print_ranges(const struct xt_dtlscid_mtinfo_v0 *info)
{
	const struct xt_dtlscid_range *r;

	for (r = info->range; r < info->range + info->nranges; r++) {
		printf("%c%u", r == info->range ? ' ' : ',', r->min);
		if (r->max != r->min)
			printf(":%u", r->max);
	}
}

static void print_cid(const struct xt_dtlscid_mtinfo_v0 *info)
{
	putchar(' ');
	print_hex(info->cid, (info->cid_bits + 7) / 8);
	if (info->cid_bits % 8)
		printf("/%u", info->cid_bits);
}

static void print_records(const struct xt_dtlscid_mtinfo_v0 *info)
{
	char separator = ' ';
	size_t i;

	for (i = 0; i < ARRAY_SIZE(record_names); i++) {
		if (!(info->records & 1U << i))
			continue;
		printf("%c%s", separator, record_names[i]);
		separator = ',';
	}
}

/* True when the rule makes the test; prints its option, each with @dashes. */
static int print_test(const struct xt_dtlscid_mtinfo_v0 *info, enum option_id o, const char *dashes)
{
	if (!(info->tests & option_tests[o]))
		return 0;
	printf("%s %s%s", info->invert & option_tests[o] ? " !" : "", dashes,
	       dtlscid_mt_opts[o].name);
	return 1;
}

static void print_options(const struct xt_dtlscid_mtinfo_v0 *info, const char *dashes)
{
	if (print_test(info, O_NODE_ID, dashes))
		print_ranges(info);
	if (print_test(info, O_CID, dashes))
		print_cid(info);
	print_format(&info->format, dashes);
	if (print_test(info, O_VERSION, dashes))
		printf(" 1.%u", info->version);
	if (print_test(info, O_RECORD, dashes))
		print_records(info);
}

static void dtlscid_mt_print(const void *ip, const struct xt_entry_match *match, int numeric)
{
	(void)ip;
	(void)numeric;
	printf(" " NAME);
	print_options((const void *)match->data, "");
}

static void dtlscid_mt_save(const void *ip, const struct xt_entry_match *match)
{
	(void)ip;
	print_options((const void *)match->data, "--");
}

/* No .xlate: stock nft reads one record and checks nothing, so no translation
 * is equivalent, and a reloaded listing would silently replace the rule by it.
 */
static struct xtables_match dtlscid_mt_reg = {
	.name		= NAME,
	.version	= XTABLES_VERSION,
	.family		= NFPROTO_UNSPEC,
	.revision	= 0,
	.size		= XT_ALIGN(sizeof(struct xt_dtlscid_mtinfo_v0)),
	.userspacesize	= offsetof(struct xt_dtlscid_mtinfo_v0, kernel),
	.help		= dtlscid_mt_help,
	.init		= dtlscid_mt_init,
	.parse		= dtlscid_mt_parse,
	.x6_fcheck	= dtlscid_mt_check,
	.print		= dtlscid_mt_print,
	.save		= dtlscid_mt_save,
	.extra_opts	= dtlscid_mt_opts,
};

static void __attribute__((constructor)) libxt_dtlscid_init(void)
{
	xtables_register_match(&dtlscid_mt_reg);
}
