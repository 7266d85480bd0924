// SPDX-License-Identifier: GPL-2.0-only
/* The target's plugin, patched. */
#include "libxt_DTLSCID.c"
#include "patch.h"

static void hostile_check(struct xt_fcheck_call *cb)
{
	dtlscid_tg_check(cb);
	patch(cb->data, sizeof(struct xt_dtlscid_tginfo_v0));
}

static void __attribute__((constructor)) hostile_init(void)
{
	dtlscid_tg_reg.x6_fcheck = hostile_check;
}
