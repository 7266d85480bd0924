// SPDX-License-Identifier: GPL-2.0-only
/* The match's plugin, patched. */
#include "libxt_dtlscid.c"
#include "patch.h"

static void hostile_check(struct xt_fcheck_call *cb)
{
	dtlscid_mt_check(cb);
	patch(cb->data, sizeof(struct xt_dtlscid_mtinfo_v0));
}

static void __attribute__((constructor)) hostile_init(void)
{
	dtlscid_mt_reg.x6_fcheck = hostile_check;
}
