/* SPDX-License-Identifier: GPL-2.0-only */
/* The fuzz target of a parser, and what the soak test has to know of that parser. */
#ifndef _TEST_FUZZ_H
#define _TEST_FUZZ_H

#include <stdint.h>

#include "check.h"

/* libFuzzer's name for it.  Ends the process when an answer is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The soak test of a parser, soak.c, is linked with its fuzz target and with these, as
 * in soak_dtls.c.
 */

extern const char *const soak_parser;

/* What an input can come to, 32 names at most, then NULL: each must happen. */
extern const char *const soak_outcomes[];

/* Which it comes to, a bit each. */
u32 soak_outcome(const u8 *data, size_t size);

/* An input as its senders make them, of at most SOAK_MAX bytes; returns its size. */
size_t soak_forge(u8 *to);

/* Bytes of an input before the packet, which nothing is spliced into; 0 to 16. */
extern const size_t soak_prefix;

#define SOAK_MAX	4096

/* What soak.c has for them: a number less than @n. */
u32 soak_below(u32 n);

#endif /* _TEST_FUZZ_H */
