/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options that say where the node id is.  A plugin numbers them O_ID_OFFSET,
 * O_ID_LENGTH and O_CID_LENGTH, one after the other.
 */
#ifndef _DTLSCID_FORMAT_H
#define _DTLSCID_FORMAT_H

#include <stddef.h>
#include <linux/netfilter/nf_dtlscid.h>
#include "number.h"

#define FORMAT_DEFAULTS	{ .id_length = 1 }

static const struct nf_dtlscid_format format_defaults = FORMAT_DEFAULTS;

/* By option, from O_ID_OFFSET on. */
static const struct number format_numbers[] = {
	{ "id-offset",	offsetof(struct nf_dtlscid_format, id_offset), sizeof(__u8),
			0, NF_DTLSCID_CID_LENGTH_MAX - 1 },
	{ "id-length",	offsetof(struct nf_dtlscid_format, id_length), sizeof(__u8),
			1, NF_DTLSCID_ID_LENGTH_MAX },
	{ "cid-length",	offsetof(struct nf_dtlscid_format, cid_length), sizeof(__u8),
			1, NF_DTLSCID_CID_LENGTH_MAX },
};

static inline void print_format(const struct nf_dtlscid_format *f, const char *dashes)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(format_numbers); i++)
		print_number(&format_numbers[i], f, &format_defaults, dashes);
}

/* The bytes that the CID has at most. */
static inline unsigned int longest_cid(const struct nf_dtlscid_format *f)
{
	return f->cid_length ? f->cid_length : NF_DTLSCID_CID_LENGTH_MAX;
}

static inline void check_format(const struct nf_dtlscid_format *f)
{
	if (f->id_offset + f->id_length > longest_cid(f))
		refuse("--id-offset: %u + --id-length %u is past the CID (--cid-length: 1..%u)",
		       f->id_offset, f->id_length, longest_cid(f));
}

static inline void check_id(const struct nf_dtlscid_format *f, const char *option, __u32 id)
{
	__u32 max = UINT32_MAX >> (32 - 8 * f->id_length);

	if (id > max)
		refuse("--%s: %u does not fit --id-length %u (0..%u)",
		       option, id, f->id_length, max);
}

#endif /* _DTLSCID_FORMAT_H */
