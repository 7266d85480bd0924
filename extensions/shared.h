/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of all our targets: --hash-key, --timeout and --name, each as its value lies in a
 * rule's data.
 */
#ifndef _DTLSCID_SHARED_H
#define _DTLSCID_SHARED_H

#include <stdio.h>
#include <string.h>
#include <linux/netfilter/xt_DTLSCID.h>
#include "number.h"

#define TIMEOUT_DEFAULT	15	/* seconds of flows that are not answered, or less */

/* The message does not repeat what may be most of a key. */
static void parse_hash_key(const char *s, __u8 key[XT_DTLSCID_KEY_LEN])
{
	if (strlen(s) != 2 * XT_DTLSCID_KEY_LEN || !parse_hex(s, key, XT_DTLSCID_KEY_LEN))
		refuse("--hash-key: not %d hex digits (0..9, a..f)", 2 * XT_DTLSCID_KEY_LEN);
}

/* In full where it is to be restored, but not for all to read. */
static void print_hash_key(const __u8 key[XT_DTLSCID_KEY_LEN], const char *dashes)
{
	printf(" %shash-key ", dashes);
	if (*dashes)
		print_hex(key, XT_DTLSCID_KEY_LEN);
	else
		printf("set");
}

static void parse_timeout(const char *s, __u32 t[2])
{
	t[0] = parse_number(&s, ",", "timeout", 1, XT_DTLSCID_TIMEOUT_MAX);
	t[1] = t[0] < TIMEOUT_DEFAULT ? t[0] : TIMEOUT_DEFAULT;
	if (*s++)
		t[1] = parse_number(&s, "", "timeout", 1, XT_DTLSCID_TIMEOUT_MAX);
}

static void print_timeout(const __u32 t[2], const char *dashes)
{
	printf(" %stimeout %u,%u", dashes, t[0], t[1]);
}

static void parse_name(const char *s, char name[XT_DTLSCID_NAME_LEN])
{
	size_t n = strlen(s), i;
	bool bad = !n || n >= XT_DTLSCID_NAME_LEN || strchr(s, '/') || *s == '-' ||
		   strcmp(s, ".") == 0 || strcmp(s, "..") == 0;

	for (i = 0; i < n; i++)
		bad |= s[i] <= ' ' || s[i] > '~';
	if (bad)
		refuse("--name: \"%s\" is not 1..%d printable characters (%s)", s,
		       XT_DTLSCID_NAME_LEN - 1, "no blank, no /, no - first, not . or ..");
	memset(name, 0, XT_DTLSCID_NAME_LEN);
	memcpy(name, s, n);
}

/* xtables_save_string() quotes what iptables-restore would not take as it is. */
static void print_name(const char *name, const char *usual, const char *dashes)
{
	if (strcmp(name, usual) == 0)
		return;
	printf(" %sname", dashes);
	xtables_save_string(name);
}

#endif /* _DTLSCID_SHARED_H */
