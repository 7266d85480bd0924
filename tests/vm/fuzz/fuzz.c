// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz: datagrams, fragments, aggregates, ICMP errors and other packets of all kinds,
 * sound and not, as a seed decides: the same one, the same packets.
 *
 * It is the client of net.sh's topology, or a node.  Linked
 * statically on the host, it runs in every guest.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fuzz.h"

struct service services[16];
unsigned int nservices;

_Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "fuzz: %s: %s\n", what, why);
	exit(2);
}

static _Noreturn void usage(void)
{
	fputs("usage: fuzz [-d] [-s SEED] [-n COUNT] [-v VECTORS] client|node PORT:OFFSET:LENGTH:CID[:known|:lbsp]...\n"
	      "-d: nothing is sent; what would be is summed up, as in every case\n"
	      "-v: a table of datagrams to begin with, as of tests/vm/expect\n"
	      "PORT...: a port, where the node id is in the CIDs of its clients, their length, and\n"
	      "whether it is known; or it gets LBSP options; the last one gets aggregates only\n", stderr);
	exit(2);
}

/* What is neither UDP nor an ICMP error. */
static void make_other(const struct path *p, struct content *c)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDPLITE, IPPROTO_SCTP,
		IPPROTO_DCCP, IPPROTO_GRE, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_IPIP, 0, 255 };

	c->protocol = protocols[draw(sizeof(protocols))];
	c->len = 8 + draw(60);
	fill(c->byte, c->len);
	put16(c->byte, p->sport);
	put16(c->byte + 2, p->dport);
	if (c->protocol == IPPROTO_ICMP || c->protocol == IPPROTO_ICMPV6) {
		c->byte[0] = chance(50) ? 8 : 128;	/* an echo request */
		c->byte[1] = 0;
		put16(c->byte + 2, 0);
		put16(c->byte + 2, checksum(add_up(c->byte, c->len, p->v6 ?
						   pseudo_header(p, c->protocol, c->len) : 0)));
	}
	if (c->protocol == IPPROTO_UDPLITE)
		put16(c->byte + 4, chance(50) ? 8 : draw(100));
}

/* The UDP header is made a lie; what can be read of the payload may change with it. */
static void lie(struct content *c)
{
	uint32_t length = (uint32_t)c->len;

	switch (draw(6)) {
	case 0:
		put16(c->byte + 6, draw(65536));	/* checksum */
		return;
	case 1:
		put16(c->byte + 6, 0);
		return;
	case 2:		/* shorter by a bit */
		length -= draw(chance(50) ? 20 : length);
		break;
	case 3:
		length += 1 + draw(chance(50) ? 20 : 60000);
		break;
	case 4:
		length = draw(9);
		break;
	default:
		c->len = draw((uint32_t)c->len);	/* the packet ends early */
	}
	put16(c->byte + 4, length);
	if (c->len > 8)
		unmark(c->byte + 8, c->len - 8);
	if (chance(70))	/* in IPv4 none is needed */
		put16(c->byte + 6, 0);
}

/* Let the checksum be a device's task; then it is that of the pseudo header, till then. */
static void offload_checksum(const struct path *p, struct content *c)
{
	c->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	c->vnet.csum_offset = 6;
	put16(c->byte + 6, ~checksum(pseudo_header(p, IPPROTO_UDP, c->len)));
}

/* The checksum, and now and then fragmentation. */
static void offload(const struct path *p, struct content *c)
{
	offload_checksum(p, c);
	if (chance(5)) {	/* it comes to where it does not belong */
		c->vnet.csum_start = (uint16_t)draw(100);
		c->vnet.csum_offset = (uint16_t)draw(100);
		unmark(c->byte + 8, c->len - 8);
	}
	if (!chance(40))
		return;
	c->vnet.gso_type = VIRTIO_NET_HDR_GSO_UDP;
	c->vnet.gso_size = (uint16_t)(1 + draw(chance(50) ? 64 : 1500));
}

static void make_udp(const struct path *p, const struct service *s, struct content *c)
{
	c->protocol = IPPROTO_UDP;
	c->len = put_payload(c->byte + 8, s);
	if (!is_for_vip(p) || s->lbsp)
		unmark(c->byte + 8, c->len);
	c->len = put_udp(c->byte, p, c->len);
	if (chance(8))
		lie(c);
	else if (chance(8))
		offload(p, c);
}

/* A flow's first packet, behind the option. */
static void make_lbsp(const struct path *p, struct content *c)
{
	size_t payload = draw(60), len;
	uint8_t first[128];

	fill(first + 8, payload);
	c->protocol = chance(30) ? IPPROTO_TCP : IPPROTO_UDP;
	len = c->protocol == IPPROTO_TCP ? put_syn(first, p) : put_udp(first, p, payload);
	c->len = put_lbsp(c->byte, p, &c->protocol);
	memcpy(c->byte + c->len, first, len);
	c->len += len;
}

/* An aggregate of a device: what kernels older than 6.2 know nothing of, and refuse. */
static void make_aggregate(const struct path *p, const struct service *s, struct content *c)
{
	size_t size;

	c->protocol = IPPROTO_UDP;
	c->len = put_udp(c->byte, p, put_segments(c->byte + 8, s, 6000, &size));
	offload_checksum(p, c);
	c->vnet.gso_type = 5;	/* VIRTIO_NET_HDR_GSO_UDP_L4 */
	c->vnet.gso_size = (uint16_t)size;
}

/* The IP header is made a lie. */
static void lie_about_ip(uint8_t *packet, size_t *len, const struct path *p)
{
	switch (draw(4)) {
	case 0:
		mutate(packet, p->v6 ? 40 : 20, 2);
		break;
	case 1:		/* the frame is longer, as short ones are */
		fill(packet + *len, 20);
		*len += draw(20);
		return;
	case 2:
		*len = draw((uint32_t)*len + 1);
		return;
	default:
		put16(packet + (p->v6 ? 4 : 2), (uint32_t)*len - draw(60));
	}
	if (chance(90))
		finish_header(packet, p);
}

/* What of it is in its linear part is a matter of chance. */
static void send_packet(const struct path *p, struct content *c)
{
	static uint8_t packet[PACKET_MAX + 2048], options[1024];
	uint8_t protocol = c->protocol;
	size_t extra = 0, header, len;

	if (chance(p->v6 ? 25 : 10))
		extra = put_options(options, p, &protocol);
	header = put_header(packet, p, protocol, extra + c->len);
	memcpy(packet + header, options, extra);
	if (extra && !p->v6) {
		packet[0] = (uint8_t)(0x45 + extra / 4);
		finish_header(packet, p);
	}
	header += extra;
	len = header + c->len;
	memcpy(packet + header, c->byte, c->len);
	if (chance(2)) {
		if (header + 8 < len)
			unmark(packet + header + 8, len - header - 8);
		lie_about_ip(packet, &len, p);
	}
	c->vnet.csum_start = (uint16_t)(c->vnet.csum_start + header);
	switch (draw(3)) {
	case 0: c->vnet.hdr_len = (uint16_t)header; break;
	case 1: c->vnet.hdr_len = (uint16_t)draw((uint32_t)len + 1); break;
	default: c->vnet.hdr_len = (uint16_t)len;
	}
	ring_send(p->v6, packet, len, &c->vnet);
}

static void send_one(bool is_node)
{
	const struct service *s = &services[draw(nservices - 1)];
	static struct content c;
	bool v6 = s->lbsp || chance(50);
	struct path p = is_node ? from_node(v6, s->port) : from_client(v6, s->port);
	uint32_t what = draw(1000);

	memset(&c.vnet, 0, sizeof(c.vnet));
	if (s->lbsp && chance(50))	/* most flows are new */
		p.sport = (uint16_t)draw(65536);
	if (what < 880) {
		if (s->lbsp && chance(85))
			make_lbsp(&p, &c);
		else
			make_udp(&p, s, &c);
		if (what < 60 && c.len) {
			send_fragments(&p, &c);
			return;
		}
	} else if (what < 960) {
		make_icmp(&p, &c);
	} else if (what < 990 || is_node) {
		make_other(&p, &c);
	} else {
		s = &services[nservices - 1];
		do
			p = from_client(v6, s->port);
		while (!is_for_vip(&p));
		if (chance(60)) {
			send_segments(&p, s);
			return;
		}
		make_aggregate(&p, s, &c);
	}
	send_packet(&p, &c);
}

static struct service service(const char *text)
{
	unsigned int port, offset, length, cid;
	char known[8] = "";

	if (sscanf(text, "%u:%u:%u:%u:%7s", &port, &offset, &length, &cid, known) < 4 ||
	    !port || port > 65535 || !length || length > 4 || offset + length > cid || cid > 19)
		die(text, "no PORT:OFFSET:LENGTH:CID");
	return (struct service){ (uint16_t)port, (uint8_t)offset, (uint8_t)length, (uint8_t)cid,
				 !strcmp(known, "known"), !strcmp(known, "lbsp") };
}

int main(int argc, char **argv)
{
	unsigned long count = 1000, n;
	bool dry = false, is_node;
	uint64_t value = 1;
	int opt;

	while ((opt = getopt(argc, argv, "ds:n:v:")) != -1) {
		switch (opt) {
		case 'd': dry = true; break;
		case 's': value = strtoull(optarg, NULL, 0); break;
		case 'n': count = strtoul(optarg, NULL, 0); break;
		case 'v': load_vectors(optarg); break;
		default: usage();
		}
	}
	if (argc - optind < 3 || argc - optind > 16)
		usage();
	is_node = !strcmp(argv[optind++], "node");
	while (optind < argc)
		services[nservices++] = service(argv[optind++]);
	seed(value);
	ring_open("eth0", is_node ? "02:00:00:00:02:01" : "02:00:00:00:01:01", dry);
	for (n = 0; n < count; n++)
		send_one(is_node);
	ring_flush();
	printf("seed %llu: %lu packets in %lu frames, %016llx\n", (unsigned long long)value, count,
	       ring_frames(), (unsigned long long)ring_digest());
	return 0;
}
