/* SPDX-License-Identifier: GPL-2.0-only */
/* The engine below all front-ends: from a packet to what its datagram holds. */
#ifndef _NF_DTLSCID_H
#define _NF_DTLSCID_H

#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/ip.h>
#include "core/dtls.h"

bool nf_dtlscid_format_valid(const struct nf_dtlscid_format *f);
bool nf_dtlscid_is_ipv6_fragment(const struct sk_buff *skb);
bool nf_dtlscid_read_at(const struct sk_buff *skb, unsigned int at, unsigned int len,
			const struct nf_dtlscid_format *f, struct dtls_datagram *d);
bool nf_dtlscid_read(const struct sk_buff *skb, unsigned int thoff,
		     const struct nf_dtlscid_format *f, struct dtls_datagram *d);

/* Several datagrams in one skb, of gso_size bytes each but the last. */
static inline bool nf_dtlscid_is_aggregate(const struct sk_buff *skb)
{
	return skb_is_gso(skb) && skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4;
}

/* Whether a UDP packet is a fragment, the first or a later one. */
static __always_inline bool nf_dtlscid_is_fragment(const struct sk_buff *skb, u8 pf)
{
	if (pf == NFPROTO_IPV4)
		return ip_is_fragment(ip_hdr(skb));
	return unlikely(ipv6_hdr(skb)->nexthdr != IPPROTO_UDP) &&
	       nf_dtlscid_is_ipv6_fragment(skb);
}

/**
 * nf_dtlscid_payload() - the datagram in a packet, when it lies in one piece
 * @skb:	packet
 * @thoff:	UDP header, in bytes from skb->data
 * @p:		the payload
 *
 * Return: length of the payload; less than 0 for pages, aggregates, and UDP
 * lengths that need a thought: nf_dtlscid_read() knows what to do with these.
 */
static __always_inline int
nf_dtlscid_payload(const struct sk_buff *skb, unsigned int thoff, const u8 **p)
{
	const struct udphdr *uh = (const void *)(skb->data + thoff);
	int there = skb->len - thoff, len;

	if (skb_is_nonlinear(skb) || skb_is_gso(skb) || there < (int)sizeof(*uh))
		return -1;
	len = ntohs(uh->len);
	if (len > there)
		return -1;
	*p = (const u8 *)(uh + 1);
	return len - (int)sizeof(*uh);
}

#endif /* _NF_DTLSCID_H */
