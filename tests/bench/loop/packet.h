/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets to call a match or a target with. */
#ifndef _BENCH_PACKET_H
#define _BENCH_PACKET_H

#include <linux/skbuff.h>

#define CALLS	100000

#define CID12	"\x19\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x01\x01\xab\x23\x45\xcd\x67\x00\x10" \
		"0123456789abcdef"
#define CID13	"\x3f\x01\xab\x23\x45\xcd\x67\x00\x01\x00\x10" "0123456789abcdef"
#define CKE	"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x02\x00\x10" "0123456789abcdef"
#define CCS	"\x14\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x03\x00\x01\x01"
#define HELLO	"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10" "\x01" "123456789abcdef"
#define OVERRUN	"\x19\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x01\x01\xab\x23\x45\xcd\x67\x00\x11" \
		"0123456789abcdef"

#define APP	"\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x01\x00\x10" "0123456789abcdef"

/* A Destination Options header before UDP: an LBSP option of a client and no server. */
#define LBSP	"\x11\x04\x01\x02\x00\x00\x1e\x20" \
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0a" \
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

#define DATAGRAM(text)	.data = text, .len = sizeof(text) - 1
#define OPTIONS(text)	.options = text, .options_len = sizeof(text) - 1

/* @options: in IPv6, the header between that and UDP */
struct bench_packet {
	const char *data;
	unsigned int len;
	bool paged;
	bool ipv6;
	const char *options;
	unsigned int options_len;
};

struct sk_buff *bench_packet(const struct bench_packet *b);
int bench_report(const char *name, u64 with, u64 without, unsigned int right);

int bench_matches(void);
int bench_targets(void);

#endif /* _BENCH_PACKET_H */
