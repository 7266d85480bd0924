/* SPDX-License-Identifier: GPL-2.0-only */
/* The engine below the LBSP front-ends: from a packet to its option. */
#ifndef _NF_LBSP_H
#define _NF_LBSP_H

#include <linux/in6.h>
#include <linux/skbuff.h>
#include "core/lbsp.h"

bool nf_lbsp_format_valid(const struct nf_lbsp_format *f);
void nf_lbsp_read(const struct sk_buff *skb, const struct nf_lbsp_format *f,
		  struct lbsp_packet *d);

static inline const struct in6_addr *nf_lbsp_segment(const struct lbsp_packet *d,
						     enum lbsp_segment which)
{
	return (const struct in6_addr *)d->segment[which];
}

#endif /* _NF_LBSP_H */
