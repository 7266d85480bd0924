/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parser that is linked finds, as one line: walk_dtls.c, walk_lbsp.c.  It begins
 * with WALK, in the notation of tests/vectors/, where it is explained.  DTLS:
 *
 *	WALK | KINDS | ERROR | VERSION ID CID-OFFSET CID-LENGTH
 *
 * The last column is "-" when there is no CID to go by.  LBSP:
 *
 *	WALK | ERROR OFFSET NEXT | FLAGS | OPTION-OFFSET ENCODING
 *
 * FLAGS are of "sealed,routed,fragment", or "-"; the last column is "-" when there is no
 * option to go by.  A line "| BROKEN: ..." tells of an answer that can be right for no bytes.
 */
#ifndef _TEST_WALK_H
#define _TEST_WALK_H

#include <stdio.h>

#include <types.h>

/* @format is a struct nf_..._format, of so many bytes. */
void walk(const void *format, const u8 *p, size_t len, FILE *out);
extern const size_t walk_format;

#endif /* _TEST_WALK_H */
