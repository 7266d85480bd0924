// SPDX-License-Identifier: GPL-2.0-only
/* Bytes in a block of just their size, which a sanitizer guards. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* One byte in front: a sanitizer's malloc(0) has a byte that can be read. */
const u8 *fence(const u8 *p, size_t len)
{
	u8 *block = malloc(1 + len);

	if (!block)
		abort();
	if (len)
		memcpy(block + 1, p, len);
	return block + 1;
}

void unfence(const u8 *bytes)
{
	free((void *)(bytes - 1));
}
