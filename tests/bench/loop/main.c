// SPDX-License-Identifier: GPL-2.0-only
/*
 * Under QEMU's -icount shift=0 the time stamp counter counts instructions.  Loading
 * the module prints a line "bench: CASE INSTRUCTIONS" for each case.
 */
#include <linux/module.h>
#include "packet.h"

static int __init bench_loop_init(void)
{
	return bench_matches() ?: bench_targets();
}

static void __exit bench_loop_exit(void)
{
}

module_init(bench_loop_init);
module_exit(bench_loop_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Instructions per call of matches and targets");
