/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What may follow the address of a node or server: [,weight=N][,cid-length=N][,STATE],
 * in any order.
 */
#ifndef _DTLSCID_SUFFIX_H
#define _DTLSCID_SUFFIX_H

#include <stdio.h>
#include <string.h>
#include <linux/netfilter/nf_dtlscid.h>
#include <linux/netfilter/xt_DTLSCID.h>
#include "number.h"

/* By enum xt_dtlscid_state. */
static const char *const state_names[] = {
	[XT_DTLSCID_UP]		= "up",
	[XT_DTLSCID_DRAIN]	= "drain",
	[XT_DTLSCID_DOWN]	= "down",
};

/* Each part at most once. */
enum suffix_part {
	PART_WEIGHT,
	PART_STATE,
	PART_CID_LENGTH,
};

struct suffixes {
	__u8 value[PART_CID_LENGTH + 1];
};

#define NO_SUFFIXES	{ { [PART_WEIGHT] = 1 } }

static const struct suffix {
	const char	 *word;
	const char	 *name;
	enum suffix_part part;
	__u8		 state;
} suffix_words[] = {
	{ "weight=",	 "weight",     PART_WEIGHT,	0 },
	{ "up",		 "state",      PART_STATE,	XT_DTLSCID_UP },
	{ "drain",	 "state",      PART_STATE,	XT_DTLSCID_DRAIN },
	{ "down",	 "state",      PART_STATE,	XT_DTLSCID_DOWN },
	{ "cid-length=", "cid-length", PART_CID_LENGTH,	0 },
};

/* The suffix that @s begins with, of @option, of which the last part is @last. */
static const struct suffix *find_suffix(const char *s, const char *option, enum suffix_part last)
{
	size_t word = strcspn(s, "=,"), i;

	word += s[word] == '=';
	for (i = 0; i < ARRAY_SIZE(suffix_words) && suffix_words[i].part <= last; i++)
		if (strlen(suffix_words[i].word) == word &&
		    strncmp(s, suffix_words[i].word, word) == 0)
			return &suffix_words[i];
	refuse("--%s: \"%.*s\" is none of weight=N, up, drain, down%s", option,
	       (int)strcspn(s, ","), s, last == PART_CID_LENGTH ? ", cid-length=N" : "");
}

static __u8 parse_suffix(const char **s, const char *option, const struct suffix *x)
{
	unsigned long min = x->part == PART_CID_LENGTH;
	char what[32];

	*s += strlen(x->word);
	if (x->part == PART_STATE)
		return x->state;
	snprintf(what, sizeof(what), "%s %s", option, x->name);
	return parse_number(s, ",", what, min, UINT8_MAX);
}

/* @s is empty, or begins with a comma. */
static struct suffixes parse_suffixes(const char *s, const char *option, enum suffix_part last)
{
	struct suffixes all = NO_SUFFIXES;
	const struct suffix *x;
	unsigned int seen = 0;

	while (*s) {
		s++;
		x = find_suffix(s, option, last);
		if (seen & 1U << x->part)
			refuse("--%s: %s given twice (at most once)", option, x->name);
		seen |= 1U << x->part;
		all.value[x->part] = parse_suffix(&s, option, x);
	}
	return all;
}

/* Nothing for what is not said. */
static void print_suffixes(FILE *f, const struct suffixes *all)
{
	if (all->value[PART_WEIGHT] != 1)
		fprintf(f, ",weight=%u", all->value[PART_WEIGHT]);
	if (all->value[PART_CID_LENGTH])
		fprintf(f, ",cid-length=%u", all->value[PART_CID_LENGTH]);
	if (all->value[PART_STATE])
		fprintf(f, ",%s", state_names[all->value[PART_STATE]]);
}

#endif /* _DTLSCID_SUFFIX_H */
