/* SPDX-License-Identifier: GPL-2.0-only */
/* The engine below all front-ends: from a packet to what its datagram holds. */
#ifndef _NF_DTLSCID_H
#define _NF_DTLSCID_H

#include <linux/skbuff.h>
#include "core/dtls.h"

bool nf_dtlscid_format_valid(const struct nf_dtlscid_format *f);
bool nf_dtlscid_read(const struct sk_buff *skb, unsigned int thoff,
		     const struct nf_dtlscid_format *f, struct dtls_datagram *d);

#endif /* _NF_DTLSCID_H */
