// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets in, lines out.  Each packet on stdin follows its struct nf_..._format and its
 * length (2 bytes, big-endian).
 */
#include <stdlib.h>

#include "walk.h"

#define FORMAT_MAX	16

static u8 packet[65536];

int main(void)
{
	u8 format[FORMAT_MAX], length[2];
	size_t len;

	while (fread_unlocked(format, walk_format, 1, stdin) == 1) {
		if (fread_unlocked(length, sizeof(length), 1, stdin) != 1)
			return EXIT_FAILURE;
		len = length[0] << 8 | length[1];
		if (fread_unlocked(packet, 1, len, stdin) != len)
			return EXIT_FAILURE;
		walk(format, packet, len, stdout);
		putc_unlocked('\n', stdout);
	}
	return fflush(stdout) || ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}
