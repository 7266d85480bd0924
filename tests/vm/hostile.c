// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin, PLUGIN, whose match or target is registered as REG, with a last step that no
 * honest one has: the environment's PATCH, "OFFSET=VALUE ...", is written over bytes of the
 * rule's data.  What then comes to the kernel is what any root of a user namespace can send
 * there.
 */
#include PLUGIN
#include <stdio.h>
#include <stdlib.h>

static void (*honest_check)(struct xt_fcheck_call *cb);

static void patch(unsigned char *data)
{
	const char *s = getenv("PATCH");
	unsigned int offset, value;
	int n;

	for (; s && sscanf(s, " %u=%u%n", &offset, &value, &n) == 2; s += n)
		if (offset < REG.size)
			data[offset] = value;
}

static void hostile_check(struct xt_fcheck_call *cb)
{
	honest_check(cb);
	patch(cb->data);
}

static void __attribute__((constructor)) hostile_init(void)
{
	honest_check = REG.x6_fcheck;
	REG.x6_fcheck = hostile_check;
}
