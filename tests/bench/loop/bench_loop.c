// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of one call of the match, in instructions: 100,000 calls on a
 * prepared packet, with interrupts off, less the loop's own.
 *
 * Under QEMU's -icount shift=0 the time stamp counter counts instructions.
 * Loading the module prints a line "bench: CASE INSTRUCTIONS" for each case.
 */
#define pr_fmt(fmt) "bench: " fmt
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_dtlscid.h>
#include <asm/msr.h>

#define CALLS	100000

#define CID12	"\x19\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x01\x01\xab\x23\x45\xcd\x67\x00\x10" \
		"0123456789abcdef"
#define CID13	"\x3f\x01\xab\x23\x45\xcd\x67\x00\x01\x00\x10" "0123456789abcdef"
#define CKE	"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x02\x00\x10" "0123456789abcdef"
#define CCS	"\x14\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x03\x00\x01\x01"
#define HELLO	"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10" "\x01" "123456789abcdef"
#define OVERRUN	"\x19\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x01\x01\xab\x23\x45\xcd\x67\x00\x11" \
		"0123456789abcdef"

#define DATAGRAM(text)	.data = text, .len = sizeof(text) - 1
#define NODE_1		.tests = XT_DTLSCID_NODE_ID, .nranges = 1, .range = { { 1, 1 } }
#define RECORD(kind)	.tests = XT_DTLSCID_RECORD, .records = NF_DTLSCID_RECORD_BIT(kind)

static const struct bench {
	const char *name;
	const char *data;
	unsigned int len;
	bool paged;
	struct xt_dtlscid_mtinfo_v0 info;
} benches[] = {
	{ "match-cid12", DATAGRAM(CID12), .info = { .format.id_length = 1, NODE_1 } },
	{ "match-cid12-checked", DATAGRAM(CID12),
	  .info = { .format = { .id_length = 1, .cid_length = 6 }, NODE_1 } },
	{ "match-cid12-id2", DATAGRAM(CID12),
	  .info = { .format.id_length = 2, .tests = XT_DTLSCID_NODE_ID, .nranges = 1,
	    .range = { { 0x01ab, 0x01ab } } } },
	{ "match-cid12-paged", DATAGRAM(CID12), .paged = true,
	  .info = { .format.id_length = 1, NODE_1 } },
	{ "match-cid13", DATAGRAM(CID13), .info = { .format.id_length = 1, NODE_1 } },
	{ "match-third-record", DATAGRAM(CKE CCS CID12), .info = { .format.id_length = 1, NODE_1 } },
	{ "match-client-hello", DATAGRAM(HELLO),
	  .info = { .format.id_length = 1, RECORD(CLIENT_HELLO) } },
	{ "match-malformed", DATAGRAM(OVERRUN),
	  .info = { .format = { .id_length = 1, .cid_length = 6 }, RECORD(MALFORMED) } },
};

/* As many drivers hand a packet up: headers in one piece, the rest in a page. */
static bool put_page_of_data(struct sk_buff *skb, const struct bench *b)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return false;
	memcpy(page_address(page), b->data, b->len);
	skb_add_rx_frag(skb, 0, page, 0, b->len, PAGE_SIZE);
	return true;
}

static struct sk_buff *packet(const struct bench *b)
{
	unsigned int udp_len = sizeof(struct udphdr) + b->len;
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + sizeof(struct iphdr) + udp_len, GFP_KERNEL);
	struct udphdr *uh;
	struct iphdr *ih;

	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER);
	skb_reset_network_header(skb);
	ih = skb_put_zero(skb, sizeof(*ih));
	ih->version = 4;
	ih->ihl = 5;
	ih->protocol = IPPROTO_UDP;
	ih->tot_len = htons(sizeof(*ih) + udp_len);
	skb_set_transport_header(skb, sizeof(*ih));
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

/* Instructions of the loop, with or without a call in it. */
static u64 loop(const struct sk_buff *skb, struct xt_action_param *par, bool call,
		unsigned int *matched)
{
	bool (*match)(const struct sk_buff *skb, struct xt_action_param *par) = par->match->match;
	unsigned long flags;
	unsigned int i;
	u64 start;

	local_irq_save(flags);
	start = rdtsc_ordered();
	if (call)
		for (i = 0; i < CALLS; i++)
			*matched += match(skb, par);
	else
		for (i = 0; i < CALLS; i++) {
			barrier();
			*matched += 0;
			barrier();
		}
	start = rdtsc_ordered() - start;
	local_irq_restore(flags);
	return start;
}

static int measure(const struct xt_match *match, const struct bench *b)
{
	static const struct nf_hook_state state = { .pf = NFPROTO_IPV4 };
	static struct xt_dtlscid_mtinfo_v0 info;
	struct xt_mtchk_param check = { .match = match, .matchinfo = &info };
	struct xt_action_param par = {
		.match		= match,
		.matchinfo	= &info,
		.thoff		= sizeof(struct iphdr),
		.state		= &state,
	};
	unsigned int matched = 0;
	struct sk_buff *skb;
	u64 with, without;
	int err;

	info = b->info;
	err = match->checkentry(&check);
	if (err)
		return err;
	skb = packet(b);
	if (!skb)
		return -ENOMEM;
	with = loop(skb, &par, true, &matched);
	without = loop(skb, &par, false, &matched);
	kfree_skb(skb);
	if (matched != CALLS) {
		pr_err("%s matched %u times of %u\n", b->name, matched, CALLS);
		return -EINVAL;
	}
	with -= without;
	pr_info("%s %llu.%02llu\n", b->name, with / CALLS, with % CALLS * 100 / CALLS);
	return 0;
}

static int __init bench_loop_init(void)
{
	struct xt_match *match = xt_request_find_match(NFPROTO_IPV4, "dtlscid", 0);
	unsigned int i;
	int err = 0;

	if (IS_ERR(match))
		return PTR_ERR(match);
	for (i = 0; i < ARRAY_SIZE(benches) && !err; i++)
		err = measure(match, &benches[i]);
	module_put(match->me);
	return err;
}

static void __exit bench_loop_exit(void)
{
}

module_init(bench_loop_init);
module_exit(bench_loop_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Instructions per call of the dtlscid match");
