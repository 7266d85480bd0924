// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams in, lines out.  Each datagram on stdin follows its struct
 * nf_dtlscid_format and its length (2 bytes, big-endian).
 */
#include <stdlib.h>

#include "walk.h"

static u8 datagram[65536];

int main(void)
{
	struct nf_dtlscid_format f;
	u8 length[2];
	size_t len;

	while (fread_unlocked(&f, sizeof(f), 1, stdin) == 1) {
		if (fread_unlocked(length, sizeof(length), 1, stdin) != 1)
			return EXIT_FAILURE;
		len = length[0] << 8 | length[1];
		if (fread_unlocked(datagram, 1, len, stdin) != len)
			return EXIT_FAILURE;
		walk(&f, datagram, len, stdout);
		putc_unlocked('\n', stdout);
	}
	return fflush(stdout) || ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}
