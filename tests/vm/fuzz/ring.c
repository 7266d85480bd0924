// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames to an interface by AF_PACKET's ring, many at one system call: of any bytes, and
 * in as many pages as one likes, for what is behind vnet.hdr_len is not in the packet's
 * linear part.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include "fuzz.h"

enum {
	SLOT	= 16384,
	SLOTS	= 64,
	OFFSET	= TPACKET2_HDRLEN - sizeof(struct sockaddr_ll),
};

static int fd = -1;
static uint8_t *ring;
static uint32_t next, waiting;
static unsigned long frames;
static uint64_t digest = 0xcbf29ce484222325;
static uint8_t ethernet[ETHERNET];

unsigned long ring_frames(void) { return frames; }
uint64_t ring_digest(void) { return digest; }

static void set(int option, const void *value, socklen_t len)
{
	if (setsockopt(fd, SOL_PACKET, option, value, len))
		die("setsockopt", strerror(errno));
}

/* Frames go to the router, whose address is given as 02:00:00:00:01:01; @dry: nowhere */
void ring_open(const char *interface, const char *router, bool dry)
{
	struct tpacket_req size = {
		.tp_block_size = SLOT, .tp_block_nr = SLOTS,
		.tp_frame_size = SLOT, .tp_frame_nr = SLOTS,
	};
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	const int version = TPACKET_V2, yes = 1;
	unsigned int i, byte;

	for (i = 0; i < 6 && sscanf(router + 3 * i, "%2x", &byte) == 1; i++)
		ethernet[i] = (uint8_t)byte;
	ethernet[6] = 2;
	if (dry)
		return;
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0)
		die("socket", strerror(errno));
	set(PACKET_VERSION, &version, sizeof(version));
	set(PACKET_VNET_HDR, &yes, sizeof(yes));
	set(PACKET_LOSS, &yes, sizeof(yes));	/* what the kernel refuses is left out */
	set(PACKET_TX_RING, &size, sizeof(size));
	to.sll_ifindex = (int)if_nametoindex(interface);
	if (bind(fd, (const void *)&to, sizeof(to)))
		die(interface, strerror(errno));
	ring = mmap(NULL, SLOT * SLOTS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		die("mmap", strerror(errno));
}

static struct tpacket2_hdr *slot(uint32_t k)
{
	return (void *)(ring + SLOT * (k % SLOTS));
}

/* The first that has not been sent is one that the device does not take. */
static void give_up_one(void)
{
	uint32_t k = next - waiting;

	while (k != next && slot(k)->tp_status != TP_STATUS_SEND_REQUEST)
		k++;
	slot(k)->tp_len = 0;
}

/* Returns when the kernel has let go of all of them. */
void ring_flush(void)
{
	while (waiting && fd >= 0 && send(fd, NULL, 0, 0) < 0) {
		if (errno != ENOBUFS && errno != ENOMEM)
			die("send", strerror(errno));
		give_up_one();
	}
	waiting = 0;
}

/* Returns whether it is to be sent. */
bool ring_note(const uint8_t *p, size_t len)
{
	frames++;
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t value;

		memcpy(&value, p, sizeof(value));
		digest = (digest ^ value) * 0x100000001b3;
	}
	while (len--)
		digest = (digest ^ *p++) * 0x100000001b3;
	return fd >= 0;
}

/* @vnet: offsets and hdr_len are from the IP header on */
void ring_send(bool v6, const uint8_t *packet, size_t len, const struct virtio_net_hdr *vnet)
{
	struct tpacket2_hdr *h = slot(next);
	uint8_t *to = (uint8_t *)h + OFFSET;
	struct virtio_net_hdr *v = (void *)to;

	if (!ring_note(packet, len))
		return;
	*v = *vnet;
	v->hdr_len += ETHERNET;
	if (v->hdr_len > ETHERNET + len)
		v->hdr_len = (uint16_t)(ETHERNET + len);
	v->csum_start += ETHERNET;
	to += sizeof(*v);
	memcpy(to, ethernet, ETHERNET - 2);
	put16(to + ETHERNET - 2, v6 ? ETH_P_IPV6 : ETH_P_IP);
	memcpy(to + ETHERNET, packet, len);
	h->tp_len = (uint32_t)(sizeof(*v) + ETHERNET + len);
	__atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
	next++;
	if (++waiting == SLOTS)
		ring_flush();
}
