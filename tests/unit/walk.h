/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parser finds in a datagram, as one line:
 *
 *	WALK | KINDS | ERROR | VERSION ID CID-OFFSET CID-LENGTH
 *
 * WALK is in the notation of tests/vectors/dtls.txt, where it is explained.
 * The last column is "-" when there is no CID to go by.  A line
 * "| BROKEN: ..." tells of an answer that can be right for no datagram.
 */
#ifndef _TEST_WALK_H
#define _TEST_WALK_H

#include <stdio.h>

#include <dtls.h>

void walk(const struct nf_dtlscid_format *f, const u8 *p, size_t len, FILE *out);

#endif /* _TEST_WALK_H */
