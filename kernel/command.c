// SPDX-License-Identifier: GPL-2.0-only
/* What somebody writes to a name's file in /proc: "drain WHO" and the like. */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/string.h>
#include "names.h"

static int set_state(struct nf_name *n, void *who, u8 state)
{
	return n->names->ops->set_state(n, who, state);
}

static int flush(struct nf_name *n, void *who, u8 unused)
{
	n->names->ops->flush(n, who);
	return 0;
}

static int zero(struct nf_name *n, void *nobody, u8 unused)
{
	n->names->ops->zero(n);
	return 0;
}

static const struct command {
	const char *word;
	bool has_arg;
	int (*run)(struct nf_name *n, void *who, u8 state);
	u8 state;
} commands[] = {
	{ "drain",	true,	set_state,	XT_DTLSCID_DRAIN },
	{ "down",	true,	set_state,	XT_DTLSCID_DOWN },
	{ "up",		true,	set_state,	XT_DTLSCID_UP },
	{ "flush",	true,	flush },
	{ "zero",	false,	zero },
};

static int run(struct nf_name *n, const struct command *c, const char *arg)
{
	void *who = NULL;

	if (c->has_arg != !!arg)
		return -EINVAL;
	if (arg)
		who = n->names->ops->find(n, arg);
	return IS_ERR(who) ? PTR_ERR(who) : c->run(n, who, c->state);
}

/**
 * nf_name_command() - do what somebody wrote
 * @n:		name, locked
 * @text:	a command and, where it takes one, a node or server; it is changed
 *
 * Return: 0; -EINVAL if it is no command, -ENOENT if no rule has that node or server, -ENOMEM;
 * then nothing is changed.
 */
int nf_name_command(struct nf_name *n, char *text)
{
	char *arg = strim(text), *word = strsep(&arg, " \t");
	const struct command *c;

	for (c = commands; c < commands + ARRAY_SIZE(commands); c++)
		if (!strcmp(word, c->word))
			return run(n, c, arg ? skip_spaces(arg) : NULL);
	return -EINVAL;
}

/* A state as /proc shows it, enum xt_dtlscid_state but AS_IS. */
const char *nf_state_name(u8 state)
{
	static const char *const names[] = {
		[XT_DTLSCID_UP]		= "up",
		[XT_DTLSCID_DRAIN]	= "drain",
		[XT_DTLSCID_DOWN]	= "down",
	};

	return names[state];
}
EXPORT_SYMBOL_GPL(nf_state_name);
