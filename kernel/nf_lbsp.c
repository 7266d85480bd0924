// SPDX-License-Identifier: GPL-2.0-only
/* The engine below the LBSP front-ends: from a packet to its option. */
#include <linux/module.h>
#include "nf_lbsp.h"

/**
 * nf_lbsp_format_valid() - whether a format from user space can be used
 * @f: format
 */
bool nf_lbsp_format_valid(const struct nf_lbsp_format *f)
{
	return f->encodings && !(f->encodings & ~(NF_LBSP_RFC | NF_LBSP_DRAFT)) &&
	       f->type >= NF_LBSP_TYPE_MIN && f->type <= NF_LBSP_TYPE_MAX;
}
EXPORT_SYMBOL_GPL(nf_lbsp_format_valid);

/* Not inline: the common case needs no buffer. */
static noinline void read_slowly(const struct sk_buff *skb, unsigned int at,
				 const struct nf_lbsp_format *f, struct lbsp_packet *d)
{
	unsigned int len = skb->len - at, left;
	u8 buf[LBSP_PEEK];
	const u8 *p;

	*d = (struct lbsp_packet){};
	do {
		left = len - d->offset;
		p = skb_header_pointer(skb, at + d->offset, min_t(unsigned int, left, LBSP_PEEK),
				       buf);
		if (!p) {
			d->error = LBSP_TRUNCATED;
			return;
		}
	} while (lbsp_step(f, p, left, d));
}

/**
 * nf_lbsp_read() - read a packet's extension headers, wherever its bytes are
 * @skb:	IPv6 packet, in one piece, in pages or in a list of fragments; never changed
 * @f:		valid format
 * @d:		what they hold
 */
void nf_lbsp_read(const struct sk_buff *skb, const struct nf_lbsp_format *f,
		  struct lbsp_packet *d)
{
	unsigned int at = skb_network_offset(skb);

	if (skb_is_nonlinear(skb))
		read_slowly(skb, at, f, d);
	else
		lbsp_read(f, skb->data + at, skb->len - at, d);
}
EXPORT_SYMBOL_GPL(nf_lbsp_read);
