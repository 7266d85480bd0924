// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plugin, with a last step that no honest one has: the environment's PATCH,
 * "OFFSET=VALUE ...", is written over bytes of the rule's data.  What then comes
 * to the kernel is what any root of a user namespace can send there.
 */
#include "libxt_dtlscid.c"

static void patch(struct xt_fcheck_call *cb)
{
	const char *s = getenv("PATCH");
	unsigned int offset, value;
	int n;

	dtlscid_mt_check(cb);
	for (; s && sscanf(s, " %u=%u%n", &offset, &value, &n) == 2; s += n)
		if (offset < sizeof(struct xt_dtlscid_mtinfo_v0))
			((__u8 *)cb->data)[offset] = value;
}

static void __attribute__((constructor)) hostile_init(void)
{
	dtlscid_mt_reg.x6_fcheck = patch;
}
