/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of fuzz share; each part says what it is about. */
#ifndef FUZZ_H
#define FUZZ_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "random.h"

#define NODES		4	/* node ids 1 to this are known; the others nobody has */
#define PACKET_MAX	8192	/* bytes of an IP packet */
#define PAYLOAD_MAX	4000
#define ETHERNET	14

/**
 * struct service - one port of the service, and the CIDs of its clients
 * @port:	UDP port
 * @id_offset:	bytes of the CID before the node id
 * @id_length:	bytes of the node id
 * @cid_length:	bytes of the CID
 * @known:	the rule says that length, so what is malformed behind a CID shows
 * @lbsp:	no CIDs but LBSP options, in IPv6, also of TCP
 */
struct service {
	uint16_t port;
	uint8_t id_offset;
	uint8_t id_length;
	uint8_t cid_length;
	bool known;
	bool lbsp;
};

extern struct service services[16];
extern unsigned int nservices;	/* the last one gets all aggregates, and nothing else */

_Noreturn void die(const char *what, const char *why);

static inline void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* payload.c */
void load_vectors(const char *file);
size_t put_payload(uint8_t *to, const struct service *s);
size_t put_segment(uint8_t *to, const struct service *s, size_t size);
void unmark(uint8_t *payload, size_t len);

/* From where to where; the addresses of IPv4 are the first four bytes. */
struct path {
	bool v6;
	uint8_t src[16];
	uint8_t dst[16];
	uint16_t sport;
	uint16_t dport;
};

/* path.c */
struct path from_client(bool v6, uint16_t port);
struct path from_node(bool v6, uint16_t port);
bool is_for_vip(const struct path *p);

/* What a packet holds behind its IP header; there is room for headers ahead of it. */
struct content {
	uint8_t protocol;
	size_t len;
	struct virtio_net_hdr vnet;	/* offsets in it are from @byte */
	uint8_t byte[PACKET_MAX];
};

/* packet.c */
size_t put_header(uint8_t *to, const struct path *p, uint8_t protocol, size_t len);
void finish_header(uint8_t *packet, const struct path *p);
size_t put_udp(uint8_t *to, const struct path *p, size_t payload);
size_t put_syn(uint8_t *to, const struct path *p);
uint32_t checksum(uint32_t sum);
uint32_t add_up(const uint8_t *p, size_t len, uint32_t sum);
uint32_t pseudo_header(const struct path *p, uint8_t protocol, size_t len);

/* options.c */
size_t put_options(uint8_t *to, const struct path *p, uint8_t *protocol);

/* lbsp.c */
size_t put_lbsp(uint8_t *to, const struct path *p, uint8_t *protocol);

/* fragments.c */
void send_fragments(const struct path *p, const struct content *c);

/* icmp.c */
void make_icmp(struct path *p, struct content *c);

/* ring.c */
void ring_open(const char *interface, const char *router, bool dry);
void ring_send(bool v6, const uint8_t *packet, size_t len, const struct virtio_net_hdr *vnet);
bool ring_note(const uint8_t *p, size_t len);
void ring_flush(void);
unsigned long ring_frames(void);
uint64_t ring_digest(void);

/* segments.c */
size_t put_segments(uint8_t *to, const struct service *s, size_t room, size_t *size);
void send_segments(const struct path *p, const struct service *s);

#endif /* FUZZ_H */
