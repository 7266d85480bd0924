// SPDX-License-Identifier: GPL-2.0-only
/* Aggregates (UDP_SEGMENT, UDP GRO) whose datagrams go to different nodes. */
#include <linux/netfilter_bridge.h>
#include <linux/netdevice.h>
#include <net/dst.h>
#include "../compat/gso.h"
#include "lb.h"

/*
 * Whether the datagrams of an aggregate can be received one by one: not when they are
 * being sent, nor when a bridge asks, which has them pass through here only to look.
 */
bool lb_can_split(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	return state->hook == NF_INET_PRE_ROUTING && !nf_bridge_in_prerouting(skb);
}

/**
 * lb_split() - have each datagram of an aggregate received by itself
 * @skb: the aggregate
 *
 * The receive queue may be full and drop some, as it may any packet.
 *
 * Return: whether it could be done, and @skb is gone.
 */
bool lb_split(struct sk_buff *skb)
{
	struct sk_buff *segments = skb_gso_segment(skb, 0), *next;

	if (IS_ERR_OR_NULL(segments))
		return false;
	consume_skb(skb);
	for (skb = segments; skb; skb = next) {
		next = skb->next;
		skb_mark_not_on_list(skb);
		skb_reset_mac_header(skb);
		skb_dst_drop(skb);
		netif_rx(skb);
	}
	return true;
}
