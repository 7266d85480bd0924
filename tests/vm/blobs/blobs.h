/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of blobs share: a rule to begin with, and what is sent through it. */
#ifndef BLOBS_H
#define BLOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <linux/netfilter/xt_DTLSCID.h>
#include <linux/netfilter/xt_dtlscid.h>
#include "../fuzz/random.h"

_Noreturn void die(const char *what, const char *why);

/* data.c: valid data of match and target, with options by chance. */
struct xt_dtlscid_mtinfo_v0 match_data(void);
struct xt_dtlscid_tginfo_v0 target_data(bool v6);

/* Each has the kernel try a rule, and says if it was taken; then it is removed. */
bool try_legacy(bool v6);
bool try_netlink(bool v6);

/* blobs.c: datagrams that come by the rule. */
void traffic(bool v6);

#endif /* BLOBS_H */
