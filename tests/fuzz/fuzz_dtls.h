/* SPDX-License-Identifier: GPL-2.0-only */
/* Inputs of the DTLS target: so many bytes that choose the format, then the datagram. */
#ifndef _TEST_FUZZ_DTLS_H
#define _TEST_FUZZ_DTLS_H

#include <dtls.h>

#define FUZZ_FORMAT	3

struct nf_dtlscid_format fuzz_format(const u8 *p);

#endif /* _TEST_FUZZ_DTLS_H */
