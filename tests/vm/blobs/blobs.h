/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of blobs share: a rule to begin with, and what is sent through it. */
#ifndef BLOBS_H
#define BLOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <linux/netfilter/xt_DTLSCID.h>
#include "../fuzz/random.h"

_Noreturn void die(const char *what, const char *why);

/* A match or target; @data has room for more than @len, at its end. */
struct part {
	const char *name;	/* NULL: the rule has none */
	size_t len;
	uint8_t data[sizeof(struct xt_dtlscid_tginfo_v0) + 16];
};

/* @nat: in table nat, else in raw */
struct rule {
	bool v6;
	bool nat;
	struct part match;
	struct part target;
};

static inline const char *table_of(bool nat) { return nat ? "nat" : "raw"; }

/* data.c, lbsp.c: valid data, with options by chance. */
void put_match(struct part *p);
void put_target(struct part *p, bool v6);
void put_lbsp_match(struct part *p);
void put_lbsp_target(struct part *p);

/* rule.c; @damage: how many bytes of what data become others, at most */
void make_rule(struct rule *r, bool v6, uint32_t damage);

/* Each has the kernel try a rule, and says if it was taken; then it is removed. */
bool try_legacy(bool v6);
bool try_netlink(bool v6);

/* blobs.c: datagrams that come by the rule. */
void traffic(bool v6);

#endif /* BLOBS_H */
