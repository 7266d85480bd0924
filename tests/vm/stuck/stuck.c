// SPDX-License-Identifier: GPL-2.0-only
/* A module that cannot be removed, as one that leaks references to itself. */
#include <linux/module.h>

static int __init stuck_init(void)
{
	__module_get(THIS_MODULE);
	return 0;
}

static void __exit stuck_exit(void)
{
}

module_init(stuck_init);
module_exit(stuck_exit);
MODULE_DESCRIPTION("Holds a reference to itself");
MODULE_LICENSE("GPL");
