// SPDX-License-Identifier: GPL-2.0-only
/* What somebody writes to /proc/net/xt_dtlscid/NAME: "drain ID" and the like. */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "lb.h"

/* A name without rules has no use for tables; a rule makes them when it comes. */
static int set_tables(struct lb_service *s, struct lb_node *n)
{
	if (!list_empty(&s->rules))
		return lb_tables(s);
	if (n->state == XT_DTLSCID_DOWN)
		lb_flush_node(s, n);
	return 0;
}

static int set_state(struct lb_service *s, struct lb_node *n, u8 state)
{
	u8 before = n->state;
	int err;

	if (state == before)
		return 0;
	WRITE_ONCE(n->state, state);
	err = set_tables(s, n);
	if (err) {
		WRITE_ONCE(n->state, before);
		return err;
	}
	if (state == XT_DTLSCID_DOWN)
		lb_flush_down(s);
	lb_housekeeping(s, LB_WALK_AGAIN);
	return 0;
}

static int flush(struct lb_service *s, struct lb_node *n, u8 unused)
{
	lb_flush_node(s, n);
	return 0;
}

static int zero(struct lb_service *s, struct lb_node *none, u8 unused)
{
	lb_zero(s);
	return 0;
}

static const struct command {
	const char *word;
	bool has_id;
	int (*run)(struct lb_service *s, struct lb_node *n, u8 state);
	u8 state;
} commands[] = {
	{ "drain",	true,	set_state,	XT_DTLSCID_DRAIN },
	{ "down",	true,	set_state,	XT_DTLSCID_DOWN },
	{ "up",		true,	set_state,	XT_DTLSCID_UP },
	{ "flush",	true,	flush },
	{ "zero",	false,	zero },
};

/* Decimal or 0x, as in a rule. */
static int parse_id(const char *text, u32 *id)
{
	if (!isdigit(*text))	/* kstrtou32() takes a sign */
		return -EINVAL;
	return kstrtou32(text, strncasecmp(text, "0x", 2) ? 10 : 16, id);
}

static int run_command(struct lb_service *s, const struct command *c, const char *arg)
{
	struct lb_node *n = NULL;
	u32 id;

	if (c->has_id != !!arg || (arg && parse_id(arg, &id)))
		return -EINVAL;
	if (arg) {
		n = xa_load(&s->nodes, id);
		if (!n)
			return -ENOENT;
	}
	return c->run(s, n, c->state);
}

/**
 * lb_command() - do what somebody wrote
 * @s:		service, locked
 * @text:	a command and, where it takes one, a node id; it is changed
 *
 * Return: 0; -EINVAL if it is no command, -ENOENT if no rule has the node, -ENOMEM;
 * then nothing is changed.
 */
int lb_command(struct lb_service *s, char *text)
{
	char *arg = strim(text), *word = strsep(&arg, " \t");
	const struct command *c;

	for (c = commands; c < commands + ARRAY_SIZE(commands); c++)
		if (!strcmp(word, c->word))
			return run_command(s, c, arg ? skip_spaces(arg) : NULL);
	return -EINVAL;
}
