// SPDX-License-Identifier: GPL-2.0-only
/* The engine below all front-ends: from a packet to what its datagram holds. */
#include <linux/module.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/ipv6.h>
#include "nf_dtlscid.h"

/**
 * nf_dtlscid_format_valid() - whether a format from user space can be used
 * @f: format
 */
bool nf_dtlscid_format_valid(const struct nf_dtlscid_format *f)
{
	unsigned int longest = f->cid_length ?: NF_DTLSCID_CID_LENGTH_MAX;

	return f->id_length >= 1 && f->id_length <= NF_DTLSCID_ID_LENGTH_MAX &&
	       f->id_offset + f->id_length <= longest && !f->pad;
}
EXPORT_SYMBOL_GPL(nf_dtlscid_format_valid);

/*
 * Where the packet's (first) datagram ends, in bytes from skb->data; 0 when the
 * UDP length is one that UDP itself would drop.  In IPv6 it takes a length of 0
 * for all there is (RFC 2675 section 4).  The UDP length of an aggregate covers
 * all its datagrams.
 */
static unsigned int datagram_end(const struct sk_buff *skb, unsigned int thoff)
{
	struct udphdr buf;
	const struct udphdr *uh = skb_header_pointer(skb, thoff, sizeof(buf), &buf);
	unsigned int len;

	if (!uh)
		return 0;
	len = ntohs(uh->len);
	if (nf_dtlscid_is_aggregate(skb))
		len = sizeof(*uh) + min_t(unsigned int, skb_shinfo(skb)->gso_size,
					  skb->len - thoff - sizeof(*uh));
	else if (!len && skb->protocol == htons(ETH_P_IPV6))
		len = skb->len - thoff;
	if (len < sizeof(*uh) || len > skb->len - thoff)
		return 0;
	return thoff + len;
}

/**
 * nf_dtlscid_read_at() - read a DTLS datagram, wherever its bytes are
 * @skb:	packet, in one piece, in pages or in a list of fragments
 * @at:		payload, in bytes from skb->data
 * @len:	its length
 * @f:		valid format
 * @d:		what the datagram holds
 *
 * Each record's header is fetched by itself.  Not inline: clearing the buffer costs
 * more than a parse.
 *
 * Return: false when the bytes are not there; @d says nothing then.
 */
noinline bool nf_dtlscid_read_at(const struct sk_buff *skb, unsigned int at, unsigned int len,
				 const struct nf_dtlscid_format *f, struct dtls_datagram *d)
{
	u8 buf[DTLS_PEEK_MAX];
	unsigned int left;
	const u8 *p;

	*d = (struct dtls_datagram){};
	do {
		left = len - d->offset;
		p = skb_header_pointer(skb, at + d->offset, min(left, dtls_peek(f)), buf);
		if (!p)
			return false;
	} while (dtls_step(f, p, left, d));
	return true;
}
EXPORT_SYMBOL_GPL(nf_dtlscid_read_at);

/**
 * nf_dtlscid_is_ipv6_fragment() - see nf_dtlscid_is_fragment()
 * @skb:	IPv6 packet with extension headers
 *
 * An atomic fragment (RFC 6946) is all of its packet, and none here, when UDP
 * follows it at once.  Behind anything else there may be another fragment header,
 * which ipv6_find_hdr() does not look for.
 */
bool nf_dtlscid_is_ipv6_fragment(const struct sk_buff *skb)
{
	struct frag_hdr buf;
	const struct frag_hdr *fh;
	unsigned int at = 0;

	if (ipv6_find_hdr(skb, &at, NEXTHDR_FRAGMENT, NULL, NULL) < 0)
		return false;
	fh = skb_header_pointer(skb, at, sizeof(buf), &buf);
	return !fh || fh->nexthdr != IPPROTO_UDP ||
	       fh->frag_off & htons(IP6_OFFSET | IP6_MF);
}
EXPORT_SYMBOL_GPL(nf_dtlscid_is_ipv6_fragment);

/* Not inline: the common case needs no buffer. */
static noinline bool read_slowly(const struct sk_buff *skb, unsigned int thoff,
				 const struct nf_dtlscid_format *f, struct dtls_datagram *d)
{
	unsigned int at = thoff + sizeof(struct udphdr), end = datagram_end(skb, thoff);

	return end && nf_dtlscid_read_at(skb, at, end - at, f, d);
}

/**
 * nf_dtlscid_read() - read the DTLS datagram in a UDP packet
 * @skb:	packet that is no fragment (nf_dtlscid_is_fragment()), in one piece or
 *		paged; never changed
 * @thoff:	UDP header, in bytes from skb->data
 * @f:		valid format
 * @d:		what the datagram holds; of an aggregate: its first datagram
 *
 * Only the record headers are read, whatever the datagram's length.
 *
 * Return: false when there is no intact UDP header; @d says nothing then.
 */
bool nf_dtlscid_read(const struct sk_buff *skb, unsigned int thoff,
		     const struct nf_dtlscid_format *f, struct dtls_datagram *d)
{
	const u8 *p;
	int len = nf_dtlscid_payload(skb, thoff, &p);

	if (len < 0)
		return read_slowly(skb, thoff, f, d);
	dtls_parse(f, p, len, d);
	return true;
}
EXPORT_SYMBOL_GPL(nf_dtlscid_read);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Netfilter: DTLS records and Connection IDs");
