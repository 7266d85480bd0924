/* SPDX-License-Identifier: GPL-2.0-only */
/* Inputs of the LBSP target: so many bytes that choose the format, then the packet. */
#ifndef _TEST_FUZZ_LBSP_H
#define _TEST_FUZZ_LBSP_H

#include <lbsp.h>

#define FUZZ_FORMAT	2

struct nf_lbsp_format fuzz_format(const u8 *p);

#endif /* _TEST_FUZZ_LBSP_H */
