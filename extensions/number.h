/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers in the options of our plugins.  A plugin defines its NAME, as the user
 * types it, before it includes this.
 */
#ifndef _DTLSCID_NUMBER_H
#define _DTLSCID_NUMBER_H

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include <xtables.h>

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

static inline __u8 parse_byte(const char *s, const char *option, __u8 min, __u8 max)
{
	return parse_number(&s, "", option, min, max);
}

#endif /* _DTLSCID_NUMBER_H */
