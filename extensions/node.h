/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --node ID=ADDR[:PORT][,weight=N][,cid-length=N][,up|,drain|,down]
 */
#ifndef _DTLSCID_NODE_H
#define _DTLSCID_NODE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xtables.h>
#include <linux/netfilter/xt_DTLSCID.h>
#include "address.h"
#include "number.h"

/*
 * iptables-restore takes 254 words a rule and 10,239 characters, and it must take
 * what was saved.  Of more nodes than these each is saved as one word, --node=...,
 * and the text of all leaves room for the rest of the rule.
 */
#define NODES_OF_TWO_WORDS	100
#define NODES_TEXT_MAX		9000

/* By enum xt_dtlscid_state. */
static const char *const state_names[] = {
	[XT_DTLSCID_UP]		= "up",
	[XT_DTLSCID_DRAIN]	= "drain",
	[XT_DTLSCID_DOWN]	= "down",
};

enum suffix_part {
	PART_WEIGHT,
	PART_CID_LENGTH,
	PART_STATE,
};

/* What may follow a node's address; each part at most once. */
static const struct suffix {
	const char	 *word;
	const char	 *name;
	enum suffix_part part;
	__u8		 state;
} suffixes[] = {
	{ "weight=",	 "weight",     PART_WEIGHT,	0 },
	{ "cid-length=", "cid-length", PART_CID_LENGTH,	0 },
	{ "up",		 "state",      PART_STATE,	XT_DTLSCID_UP },
	{ "drain",	 "state",      PART_STATE,	XT_DTLSCID_DRAIN },
	{ "down",	 "state",      PART_STATE,	XT_DTLSCID_DOWN },
};

static unsigned int node_state(const struct xt_dtlscid_tginfo_v0 *info, unsigned int i)
{
	return info->state[i / 4] >> 2 * (i % 4) & 3;
}

/* The suffix that @s begins with, of which *seen has no part yet. */
static const struct suffix *find_suffix(const char *s, unsigned int *seen)
{
	size_t word = strcspn(s, "=,");
	const struct suffix *x;

	word += s[word] == '=';
	for (x = suffixes; x < suffixes + ARRAY_SIZE(suffixes); x++)
		if (strlen(x->word) == word && strncmp(s, x->word, word) == 0)
			break;
	if (x == suffixes + ARRAY_SIZE(suffixes))
		refuse("--node: \"%.*s\" is none of weight=N, cid-length=N, up, drain, down",
		       (int)strcspn(s, ","), s);
	if (*seen & 1U << x->part)
		refuse("--node: %s given twice (at most once)", x->name);
	*seen |= 1U << x->part;
	return x;
}

/* All of [,weight=N][,cid-length=N][,STATE], in any order, of the rule's node @i. */
static void parse_suffixes(const char *s, struct xt_dtlscid_tginfo_v0 *info, unsigned int i)
{
	struct xt_dtlscid_node *node = &info->node[i];
	const struct suffix *x;
	unsigned int seen = 0;

	while (*s) {
		x = find_suffix(++s, &seen);
		s += strlen(x->word);
		switch (x->part) {
		case PART_WEIGHT:
			node->weight = parse_number(&s, ",", "node weight", 0, UINT8_MAX);
			break;
		case PART_CID_LENGTH:
			node->cid_length = parse_number(&s, ",", "node cid-length", 1,
							NF_DTLSCID_CID_LENGTH_MAX);
			break;
		case PART_STATE:
			info->state[i / 4] |= x->state << 2 * (i % 4);
			break;
		}
	}
}

static void parse_node(const char *s, struct xt_dtlscid_tginfo_v0 *info)
{
	struct xt_dtlscid_node *node = &info->node[info->nnodes], *other;

	if (info->nnodes == XT_DTLSCID_NODES_MAX)
		refuse("--node: more than %d nodes", XT_DTLSCID_NODES_MAX);
	node->id = parse_number(&s, "=", "node", 0, UINT32_MAX);
	if (*s != '=')
		refuse("--node: id %u has no address (ID=ADDR)", node->id);
	for (other = info->node; other < node; other++)
		if (other->id == node->id)
			refuse("--node: id %u given twice (at most once)", node->id);
	node->weight = 1;
	s = parse_address(s + 1, "node", &node->addr, &node->port);
	parse_suffixes(s, info, info->nnodes);
	info->nnodes++;
}

static void print_node(FILE *f, const struct xt_dtlscid_tginfo_v0 *info, unsigned int i)
{
	const struct xt_dtlscid_node *node = &info->node[i];

	fprintf(f, "%u=", node->id);
	print_address(f, &node->addr, node->port);
	if (node->weight != 1)
		fprintf(f, ",weight=%u", node->weight);
	if (node->cid_length)
		fprintf(f, ",cid-length=%u", node->cid_length);
	if (node_state(info, i))
		fprintf(f, ",%s", state_names[node_state(info, i)]);
}

static void print_nodes(const struct xt_dtlscid_tginfo_v0 *info, const char *dashes)
{
	char space = *dashes && info->nnodes > NODES_OF_TWO_WORDS ? '=' : ' ';
	unsigned int i;

	for (i = 0; i < info->nnodes; i++) {
		printf(" %snode%c", dashes, space);
		print_node(stdout, info, i);
	}
}

static void check_nodes_text(const struct xt_dtlscid_tginfo_v0 *info)
{
	size_t size = 0;
	char *text;
	FILE *f = open_memstream(&text, &size);
	unsigned int i;

	if (!f)
		xtables_error(RESOURCE_PROBLEM, NAME ": out of memory");
	for (i = 0; i < info->nnodes; i++)
		print_node(f, info, i);
	fclose(f);
	free(text);
	size += info->nnodes * strlen(" --node ");
	if (size > NODES_TEXT_MAX)
		refuse("--node: %zu characters, too many for iptables-restore (1..%d)",
		       size, NODES_TEXT_MAX);
}

#endif /* _DTLSCID_NODE_H */
