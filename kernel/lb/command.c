// SPDX-License-Identifier: GPL-2.0-only
/* What commands in /proc/net/xt_dtlscid/NAME do: "drain ID" and the like. */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "lb.h"

/* The node whose id @text is, decimal or 0x as in a rule. */
void *lb_command_find(struct nf_name *n, const char *text)
{
	u32 id;

	/* kstrtou32() takes a sign */
	if (!isdigit(*text) || kstrtou32(text, strncasecmp(text, "0x", 2) ? 10 : 16, &id))
		return ERR_PTR(-EINVAL);
	return xa_load(&lb_service(n)->nodes, id) ?: ERR_PTR(-ENOENT);
}

/* A name without rules has no use for tables; a rule makes them when it comes. */
static int set_tables(struct lb_service *s, struct lb_node *node)
{
	if (!list_empty(&s->rules))
		return lb_tables(s);
	if (node->state == XT_DTLSCID_DOWN)
		lb_flush_node(s, node);
	return 0;
}

int lb_command_state(struct nf_name *n, void *who, u8 state)
{
	struct lb_service *s = lb_service(n);
	struct lb_node *node = who;
	u8 before = node->state;
	int err;

	if (state == before)
		return 0;
	WRITE_ONCE(node->state, state);
	err = set_tables(s, node);
	if (err) {
		WRITE_ONCE(node->state, before);
		return err;
	}
	if (state == XT_DTLSCID_DOWN)
		lb_flush_down(s);
	nf_name_look(n, LB_WALK_AGAIN);
	return 0;
}

void lb_command_flush(struct nf_name *n, void *who)
{
	lb_flush_node(lb_service(n), who);
}

void lb_command_zero(struct nf_name *n)
{
	lb_zero(lb_service(n));
}
