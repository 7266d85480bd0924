// SPDX-License-Identifier: GPL-2.0-only
/* Packets to call a match or a target with. */
#define pr_fmt(fmt) "bench: " fmt
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include "packet.h"

/* As many drivers hand a packet up: headers in one piece, the rest in a page. */
static bool put_page_of_data(struct sk_buff *skb, const struct bench_packet *b)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return false;
	memcpy(page_address(page), b->data, b->len);
	skb_add_rx_frag(skb, 0, page, 0, b->len, PAGE_SIZE);
	return true;
}

static void put_ipv4(struct sk_buff *skb, unsigned int udp_len)
{
	struct iphdr *ih = skb_put_zero(skb, sizeof(*ih));

	ih->version = 4;
	ih->ihl = 5;
	ih->protocol = IPPROTO_UDP;
	ih->saddr = htonl(0xc633640a);
	ih->tot_len = htons(sizeof(*ih) + udp_len);
}

static void put_ipv6(struct sk_buff *skb, const struct bench_packet *b, unsigned int udp_len)
{
	struct ipv6hdr *ih = skb_put_zero(skb, sizeof(*ih));

	ih->version = 6;
	ih->nexthdr = b->options_len ? IPPROTO_DSTOPTS : IPPROTO_UDP;
	ih->payload_len = htons(b->options_len + udp_len);
	skb_put_data(skb, b->options, b->options_len);
}

struct sk_buff *bench_packet(const struct bench_packet *b)
{
	unsigned int udp_len = sizeof(struct udphdr) + b->len;
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + sizeof(struct ipv6hdr) + b->options_len +
					udp_len, GFP_KERNEL);
	struct udphdr *uh;

	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER);
	skb_reset_network_header(skb);
	if (b->ipv6)
		put_ipv6(skb, b, udp_len);
	else
		put_ipv4(skb, udp_len);
	skb_set_transport_header(skb, skb->len);
	uh = skb_put_zero(skb, sizeof(*uh));
	uh->len = htons(udp_len);
	if (!b->paged) {
		skb_put_data(skb, b->data, b->len);
	} else if (!put_page_of_data(skb, b)) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

/* A line of the log, if all calls did what they should have. */
int bench_report(const char *name, u64 with, u64 without, unsigned int right)
{
	if (right != CALLS) {
		pr_err("%s was right %u times of %u\n", name, right, CALLS);
		return -EINVAL;
	}
	with -= without;
	pr_info("%s %llu.%02llu\n", name, with / CALLS, with % CALLS * 100 / CALLS);
	return 0;
}
