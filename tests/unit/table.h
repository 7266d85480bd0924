/* SPDX-License-Identifier: GPL-2.0-only */
/* Tests of a parser: bytes in hex, and the line of walk.h that is wanted of them.  TAP. */
#ifndef _TEST_TABLE_H
#define _TEST_TABLE_H

#include <types.h>

void table_begin(void);

/* Prints the plan; returns main's status. */
int table_end(void);

void test(const char *name, const char *want, const char *got);

/* Blanks mean nothing, "aa*16" is 16 times aa. */
size_t unhex(const char *text, u8 *bytes, size_t max);

/* As walk() has it; good until the next call. */
const char *line(const void *format, const u8 *p, size_t len);

void test_row(const char *name, const void *format, const char *hex, const char *want);

/*
 * Those of a file in tests/vectors/.  @read_format makes a format, which test_vectors() does
 * not look into, of the second column.
 */
void test_vectors(const char *path, const void *(*read_format)(const char *text));

#endif /* _TEST_TABLE_H */
