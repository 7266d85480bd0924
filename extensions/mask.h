/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adjacent bits of a mark, for a node's id.
 */
#ifndef _DTLSCID_MASK_H
#define _DTLSCID_MASK_H

#include <stdio.h>
#include <linux/types.h>
#include "number.h"

static __u32 lowest_bit(__u32 mask)
{
	return mask & -mask;
}

static void parse_mask(const char *s, const struct number *n, void *data)
{
	__u32 mask;

	read_number(n, s, data);
	mask = get_number(n, data);
	if (mask & (mask + lowest_bit(mask)))
		refuse("--%s: 0x%x has gaps (adjacent bits, 0x1..0xffffffff)", n->option, mask);
}

/* That a node's id fits. */
static void check_mask(__u32 id, const struct number *n, const void *data)
{
	__u32 mask = get_number(n, data), max = mask ? mask / lowest_bit(mask) : UINT32_MAX;

	if (id > max)
		refuse("--%s: node id %u does not fit 0x%x (0..%u)",
		       n->option, id, mask, max);
}

static void print_mask(const struct number *n, const void *data, const char *dashes)
{
	if (get_number(n, data))
		printf(" %s%s 0x%x", dashes, n->option, get_number(n, data));
}

#endif /* _DTLSCID_MASK_H */
