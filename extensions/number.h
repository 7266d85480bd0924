/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers in the options of our plugins.  A plugin defines its NAME, as the user
 * types it, before it includes this.
 */
#ifndef _DTLSCID_NUMBER_H
#define _DTLSCID_NUMBER_H

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include <xtables.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/* One line for the user, status 2, nothing changed. */
#define refuse(...)	xtables_error(PARAMETER_PROBLEM, NAME ": " __VA_ARGS__)

/*
 * A decimal or 0x number in min..max that ends at @end's character or at the
 * end of the text; moves *s past it.  Leading zeros do not mean octal.
 */
static inline unsigned long parse_number(const char **s, const char *end, const char *option,
					 unsigned long min, unsigned long max)
{
	int hex = (*s)[0] == '0' && tolower((unsigned char)(*s)[1]) == 'x';
	const char *digits = *s + (hex ? 2 : 0);
	unsigned long n = 0;
	char *rest = (char *)*s;

	errno = 0;
	/* strtoul() alone would take blanks, signs and a second 0x. */
	if (hex ? isxdigit((unsigned char)*digits) : isdigit((unsigned char)*digits))
		n = strtoul(*s, &rest, hex ? 16 : 10);
	if (rest == *s || (*rest && !strchr(end, *rest)))
		refuse("--%s: \"%s\" is not a number (%lu..%lu, decimal or 0x)",
		       option, *s, min, max);
	if (errno || n < min || n > max)
		refuse("--%s: \"%s\" is out of range (%lu..%lu)",
		       option, *s, min, max);
	*s = rest;
	return n;
}

/* An option whose value is a number: its place in the rule's data, and its limits. */
struct number {
	const char *option;
	size_t	    offset;
	size_t	    size;
	__u32	    min;
	__u32	    max;
};

static inline __u32 get_number(const struct number *n, const void *data)
{
	const void *field = (const char *)data + n->offset;

	switch (n->size) {
	case 1:
		return *(const __u8 *)field;
	case 2:
		return *(const __u16 *)field;
	default:
		return *(const __u32 *)field;
	}
}

static inline void put_number(const struct number *n, void *data, __u32 value)
{
	void *field = (char *)data + n->offset;

	switch (n->size) {
	case 1:
		*(__u8 *)field = value;
		break;
	case 2:
		*(__u16 *)field = value;
		break;
	default:
		*(__u32 *)field = value;
	}
}

static inline void read_number(const struct number *n, const char *s, void *data)
{
	put_number(n, data, parse_number(&s, "", n->option, n->min, n->max));
}

/* Nothing for what is as in @defaults. */
static inline void print_number(const struct number *n, const void *data, const void *defaults,
				const char *dashes)
{
	if (get_number(n, data) != get_number(n, defaults))
		printf(" %s%s %u", dashes, n->option, get_number(n, data));
}

static inline int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* @n bytes of two hex digits each; false if any of these is no such digit. */
static inline bool parse_hex(const char *s, __u8 *bytes, size_t n)
{
	int hi, lo;

	for (; n; n--, s += 2) {
		hi = hex_digit(s[0]);
		lo = hex_digit(s[1]);
		if (hi < 0 || lo < 0)
			return false;
		*bytes++ = hi << 4 | lo;
	}
	return true;
}

static inline void print_hex(const __u8 *bytes, size_t n)
{
	while (n--)
		printf("%02x", *bytes++);
}

#endif /* _DTLSCID_NUMBER_H */
