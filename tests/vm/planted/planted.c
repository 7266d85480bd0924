// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with faults, of which one is done as it is loaded: what a debug kernel does not
 * see here it would not see in the project's modules.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *fault = "";
module_param(fault, charp, 0);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);
static int __rcu *shared;
static int table[4] = { 1, 2, 3, 4 };

/* Opaque to the compiler, which would see through some faults. */
static noinline int read_at(const int *p, int i)
{
	return READ_ONCE(p[i]);
}

static int overrun(void)
{
	int *p = kcalloc(4, sizeof(*p), GFP_KERNEL);
	int value = p ? read_at(p, 4) : 0;

	kfree(p);
	return value;
}

static int use_after_free(void)
{
	int *p = kcalloc(4, sizeof(*p), GFP_KERNEL);

	kfree(p);
	return p ? read_at(p, 0) : 0;
}

static int bounds(void)
{
	int i = 4;

	OPTIMIZER_HIDE_VAR(i);
	return table[i];
}

/* Nobody waits here; but somebody could. */
static int deadlock(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

static int unlocked(void)
{
	return rcu_dereference(shared) ? 1 : 0;
}

static int sleep(void)
{
	spin_lock(&spin);
	msleep(20);
	spin_unlock(&spin);
	return 0;
}

static int leak(void)
{
	int i;

	for (i = 0; i < 8; i++)
		if (!kmalloc(64, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}

static const struct {
	const char *name;
	int (*do_it)(void);
} faults[] = {
	{ "overrun", overrun },
	{ "use-after-free", use_after_free },
	{ "bounds", bounds },
	{ "deadlock", deadlock },
	{ "unlocked", unlocked },
	{ "sleep", sleep },
	{ "leak", leak },
};

static int __init planted_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(fault, faults[i].name))
			continue;
		pr_info("%s: %d\n", fault, faults[i].do_it());
		return 0;
	}
	return *fault ? -EINVAL : 0;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_DESCRIPTION("Does what must not be done");
MODULE_LICENSE("GPL");
