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
#include "suffix.h"

/*
 * iptables-restore takes 254 words a rule and 10,239 characters, and it must take
 * what was saved.  Of more nodes than these each is saved as one word, --node=...,
 * and the text of all leaves room for the rest of the rule.
 */
#define NODES_OF_TWO_WORDS	100
#define NODES_TEXT_MAX		9000

static unsigned int node_state(const struct xt_dtlscid_tginfo_v0 *info, unsigned int i)
{
	return info->state[i / 4] >> 2 * (i % 4) & 3;
}

static void parse_node(const char *s, struct xt_dtlscid_tginfo_v0 *info)
{
	struct xt_dtlscid_node *node = &info->node[info->nnodes], *other;
	unsigned int i = info->nnodes;
	struct suffixes x;

	if (info->nnodes == XT_DTLSCID_NODES_MAX)
		refuse("--node: more than %d nodes", XT_DTLSCID_NODES_MAX);
	node->id = parse_number(&s, "=", "node", 0, UINT32_MAX);
	if (*s != '=')
		refuse("--node: id %u has no address (ID=ADDR)", node->id);
	for (other = info->node; other < node; other++)
		if (other->id == node->id)
			refuse("--node: id %u given twice (at most once)", node->id);
	s = parse_address(s + 1, "node", &node->addr, &node->port);
	x = parse_suffixes(s, "node", PART_CID_LENGTH);
	node->weight = x.value[PART_WEIGHT];
	node->cid_length = x.value[PART_CID_LENGTH];
	info->state[i / 4] |= x.value[PART_STATE] << 2 * (i % 4);
	info->nnodes++;
}

static void print_node(FILE *f, const struct xt_dtlscid_tginfo_v0 *info, unsigned int i)
{
	const struct xt_dtlscid_node *node = &info->node[i];
	const struct suffixes x = { {
		[PART_WEIGHT] = node->weight,
		[PART_STATE] = node_state(info, i),
		[PART_CID_LENGTH] = node->cid_length,
	} };

	fprintf(f, "%u=", node->id);
	print_address(f, &node->addr, node->port);
	print_suffixes(f, &x);
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
