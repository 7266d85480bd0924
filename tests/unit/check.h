/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold for the parser's answer to any datagram whatsoever. */
#ifndef _TEST_CHECK_H
#define _TEST_CHECK_H

#include <dtls.h>

/*
 * The same bytes where a look at any other is seen: by a sanitizer (heap.c), or by the
 * processor (fuzz/soak.c).  One at a time.
 */
const u8 *fence(const u8 *p, size_t len);
void unfence(const u8 *bytes);

/* dtls_step() on just the bytes that it may read, fenced. */
bool strict_step(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
		 struct dtls_datagram *d);

/* Is there a rule that the answer to this datagram breaks?  NULL: none. */
const char *check(const struct nf_dtlscid_format *f, const u8 *p, size_t len);

#endif /* _TEST_CHECK_H */
