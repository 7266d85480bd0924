// SPDX-License-Identifier: GPL-2.0-only
/* Fragments: in order or not, tiny, overlapping, some missing or twice. */
#include <netinet/in.h>
#include <string.h>
#include "fuzz.h"

#define FRAGMENTS_MAX 24

struct fragment {
	size_t at;
	size_t len;
	bool more;
};

/* Cut at multiples of 8 bytes; returns how many there are. */
static uint32_t cut(struct fragment *f, size_t len)
{
	uint32_t n = 0, step = chance(30) ? 1 : 1 + draw(chance(80) ? 20 : 180);
	size_t at = 0, piece;

	while (at < len && n < FRAGMENTS_MAX) {
		piece = 8 * (1 + draw(step));
		if (piece > len - at || n == FRAGMENTS_MAX - 1)
			piece = len - at;
		f[n++] = (struct fragment){ at, piece, at + piece < len };
		at += piece;
	}
	return n;
}

static void shuffle(struct fragment *f, uint32_t n)
{
	for (; n > 1; n--) {
		struct fragment last = f[n - 1];
		uint32_t k = draw(n);

		f[n - 1] = f[k];
		f[k] = last;
	}
}

/* Whether it has; then nobody knows what comes of them. */
static bool disarrange(struct fragment *f, uint32_t *n)
{
	uint32_t k = draw(*n);

	switch (draw(8)) {
	case 0:		/* one is missing */
		f[k] = f[--*n];
		return true;
	case 1:		/* one is longer than it should be, or begins earlier */
		if (f[k].at >= 8)
			f[k].at -= 8;
		f[k].len += 8;
		return true;
	case 2:		/* one is not the last, or is */
		f[k].more = !f[k].more;
		return true;
	case 3:		/* one comes from far away */
		f[k].at = 8 * draw(8192);
		return true;
	default:
		return false;
	}
}

static void send_one(const struct path *p, const struct content *c, const struct fragment *f,
		     uint32_t id)
{
	const struct virtio_net_hdr none = { .hdr_len = (uint16_t)draw(200) };
	uint8_t packet[PACKET_MAX + 48];
	size_t at = f->at < c->len ? f->at : 0, header;

	if (p->v6) {
		header = put_header(packet, p, IPPROTO_FRAGMENT, 8 + f->len);
		packet[40] = c->protocol;
		packet[41] = 0;
		put16(packet + 42, (uint32_t)f->at | f->more);
		put32(packet + 44, id);
		header += 8;
	} else {
		header = put_header(packet, p, c->protocol, f->len);
		put16(packet + 4, id);
		put16(packet + 6, (uint32_t)(f->at / 8) | (f->more ? 0x2000 : 0));
		finish_header(packet, p);
	}
	memcpy(packet + header, c->byte + at, f->len);
	ring_send(p->v6, packet, header + f->len, &none);
}

/* @c: its payload is unmarked here where what comes of it is not clear */
void send_fragments(const struct path *p, const struct content *c)
{
	static uint32_t id;
	struct fragment f[FRAGMENTS_MAX];
	struct content damaged;
	uint32_t n = cut(f, c->len), i;

	if (chance(40))
		shuffle(f, n);
	if (disarrange(f, &n)) {
		memcpy(&damaged, c, offsetof(struct content, byte) + c->len);
		memset(damaged.byte + c->len, 0xaa, 16);
		if (c->len > 8)
			unmark(damaged.byte + 8, c->len - 8);
		c = &damaged;
	}
	id++;
	for (i = 0; i < n; i++)
		send_one(p, c, &f[i], id);
}
