/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold for a parser's answer to any bytes whatsoever: check_dtls.c, check_lbsp.c. */
#ifndef _TEST_CHECK_H
#define _TEST_CHECK_H

#include <types.h>

/*
 * The same bytes where a look at any other is seen: by a sanitizer (heap.c), or by the
 * processor (fuzz/soak.c).  One at a time.
 */
const u8 *fence(const u8 *p, size_t len);
void unfence(const u8 *bytes);

/*
 * Is there a rule that the answer to these bytes breaks?  NULL: none.  @format is the
 * struct nf_..._format of the parser that is linked.
 */
const char *check(const void *format, const u8 *p, size_t len);

#endif /* _TEST_CHECK_H */
