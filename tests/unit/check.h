/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold for the parser's answer to any datagram whatsoever. */
#ifndef _TEST_CHECK_H
#define _TEST_CHECK_H

#include <dtls.h>

/*
 * dtls_step() on a heap copy of just the bytes that it may read, so that a
 * sanitizer sees any other.
 */
bool strict_step(const struct nf_dtlscid_format *f, const u8 *p, size_t len,
		 struct dtls_datagram *d);

/* Is there a rule that the answer to this datagram breaks?  NULL: none. */
const char *check(const struct nf_dtlscid_format *f, const u8 *p, size_t len);

#endif /* _TEST_CHECK_H */
