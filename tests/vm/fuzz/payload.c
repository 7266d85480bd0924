// SPDX-License-Identifier: GPL-2.0-only
/*
 * DTLS datagrams: sound ones, sound ones that were damaged, mutated vectors, noise.
 *
 * Of a sound one it is known who may get it: at MARK_AT, within the body of its first
 * record, there are a magic number and that node's id, for the nodes to hold against
 * their own.  Who damages a datagram takes the mark off.
 */
#include <stdio.h>
#include <string.h>
#include "fuzz.h"

enum {
	MARK_AT		= 32,
	MARK_MAGIC	= 0x6d61726b,
	MARK_NOBODY	= 0xfffffffe,	/* is malformed */
	RECORD_MAX	= 1300,		/* bytes of its body */
	VECTORS		= 128,
	VECTOR_MAX	= 3000,
};

static struct {
	size_t len;
	uint8_t byte[VECTOR_MAX];
} vectors[VECTORS];
static uint32_t nvectors;

/* The table that tests/vm/expect makes, whose last column is a datagram in hexadecimal. */
void load_vectors(const char *file)
{
	static char hex[2 * VECTOR_MAX + 1];
	FILE *f = fopen(file, "r");
	unsigned int value;
	size_t i;

	if (!f)
		die(file, "cannot be read");
	while (nvectors < VECTORS && fscanf(f, "%*s %*s %*s %*s %*s %6000s", hex) == 1) {
		for (i = 0; sscanf(hex + 2 * i, "%2x", &value) == 1; i++)
			vectors[nvectors].byte[i] = (uint8_t)value;
		vectors[nvectors++].len = i;
	}
	fclose(f);
	if (!nvectors)
		die(file, "has no vectors");
}

static size_t put_body(uint8_t *to, size_t len)
{
	fill(to, len);
	if (len && chance(30))
		to[0] = 1;	/* a ClientHello, if it is a plaintext handshake record */
	return len;
}

static size_t put_cid(uint8_t *to, const struct service *s, uint32_t id)
{
	uint8_t big[4];

	fill(to, s->cid_length);
	put32(big, id);
	memcpy(to + s->id_offset, big + 4 - s->id_length, s->id_length);
	return s->cid_length;
}

/* Type 20 to 27 but 25 (RFC 6347 section 4.1). */
static size_t put_plain(uint8_t *to, size_t body)
{
	static const uint8_t types[] = { 22, 22, 22, 20, 21, 23, 24, 26, 27 };

	to[0] = types[draw(sizeof(types))];
	put16(to + 1, 0xfefd + draw(3));
	put16(to + 3, chance(50) ? 0 : draw(4));
	fill(to + 5, 6);
	put16(to + 11, (uint32_t)body);
	return 13 + put_body(to + 13, body);
}

/* tls12_cid (RFC 9146 section 4) */
static size_t put_cid12(uint8_t *to, const struct service *s, uint32_t id, size_t body)
{
	size_t at = 11;

	to[0] = 25;
	put16(to + 1, 0xfefd);
	put16(to + 3, 1 + draw(3));
	fill(to + 5, 6);
	at += put_cid(to + at, s, id);
	put16(to + at, (uint32_t)body);
	at += 2;
	return at + put_body(to + at, body);
}

/* The unified header, 001CSLEE (RFC 9147 section 4); without L only as the last record. */
static size_t put_unified(uint8_t *to, const struct service *s, bool cid, uint32_t id,
			  size_t body, bool last)
{
	uint8_t flags = (uint8_t)(0x20 | draw(16) | (cid ? 0x10 : 0) | (last ? 0 : 4));
	size_t at = 1;

	to[0] = flags;
	if (body < 16)
		body = 16;
	if (cid)
		at += put_cid(to + at, s, id);
	fill(to + at, 2);
	at += flags & 8 ? 2 : 1;
	if (flags & 4) {
		put16(to + at, (uint32_t)body);
		at += 2;
	}
	return at + put_body(to + at, body);
}

static size_t body_size(void)
{
	uint32_t what = draw(100);

	if (what < 70)
		return 24 + draw(40);
	return what < 95 ? draw(32) : draw(RECORD_MAX);
}

static uint32_t any_id(const struct service *s)
{
	uint32_t most = 0xffffffff >> (32 - 8 * s->id_length);

	if (chance(75))
		return 1 + draw(NODES);
	return chance(50) ? NODES + 1 + draw(255 - NODES) : most - draw(most < 1000 ? 128 : 1000);
}

/* @node: who may get it, 0 if that is not known; @ends: its last record says its length */
struct sound {
	size_t len;
	uint32_t node;
	bool ends;
};

static void mark(uint8_t *to, uint32_t node)
{
	put32(to + MARK_AT, MARK_MAGIC);
	put32(to + MARK_AT + 4, node);
}

void unmark(uint8_t *payload, size_t len)
{
	if (len > MARK_AT)
		payload[MARK_AT] = 0;
}

/* A record; @id: 0 for one without a CID. */
static size_t put_record(uint8_t *to, const struct service *s, uint32_t id, size_t body, bool last,
			 bool *ends)
{
	bool unified = chance(id ? 40 : 10);
	size_t len;

	if (unified)
		len = put_unified(to, s, id, id, body, last);
	else
		len = id ? put_cid12(to, s, id, body) : put_plain(to, body);
	*ends = !unified || to[0] & 4;
	return len;
}

/* Of all records with a CID most have the same one; the first decides. */
static struct sound put_sound(uint8_t *to, const struct service *s)
{
	uint32_t records = chance(70) ? 1 : 1 + draw(4), id = any_id(s), i, this;
	struct sound d = { .len = 0 };
	size_t first = 0;

	for (i = 0; i < records; i++) {
		this = chance(records > 1 ? 60 : 80) ? id : 0;
		if (this && chance(4))
			this = any_id(s);
		if (!d.node)
			d.node = this;
		d.len += put_record(to + d.len, s, this, body_size(), i + 1 == records, &d.ends);
		if (!i)
			first = d.len;
	}
	if (first >= MARK_AT + 8 && d.node)
		mark(to, d.node);
	else
		d.node = 0;
	return d;
}

/* Something is wrong with its end, so that nobody may get it where lengths are known. */
static size_t spoil(uint8_t *to, const struct service *s, struct sound d)
{
	if (!s->known || !d.ends) {
		unmark(to, d.len);
		to[d.len] = 0;
		return d.len + 1;
	}
	if (chance(50))
		to[d.len++] = (uint8_t)(64 + draw(192));	/* starts no record */
	else
		d.len--;
	if (d.node)
		mark(to, MARK_NOBODY);
	return d.len;
}

/* More records than are read, or about as many. */
static size_t put_crowd(uint8_t *to, const struct service *s)
{
	uint32_t records = 120 + draw(20);
	size_t len = 0;

	while (records--)
		len += put_plain(to + len, 0);
	return chance(50) ? len : len + put_cid12(to + len, s, 1 + draw(NODES), 20);
}

static size_t put_vector(uint8_t *to)
{
	uint32_t k = draw(nvectors);

	memcpy(to, vectors[k].byte, vectors[k].len);
	mutate(to, vectors[k].len, 4);
	return vectors[k].len;
}

/* Begins as something that is read. */
static size_t put_noise(uint8_t *to)
{
	static const uint8_t begins[] = { 20, 22, 23, 25, 25, 25, 26, 27, 32, 48, 0x3f, 0x36, 0x30 };
	size_t len = draw(chance(90) ? 80 : RECORD_MAX);

	fill(to, len);
	if (len && chance(80))
		to[0] = begins[draw(sizeof(begins))];
	if (len > 4 && chance(70))
		put16(to + 1, 0xfefd);
	return len;
}

/* Returns its length, at most PAYLOAD_MAX + 4 * RECORD_MAX. */
static size_t put_any(uint8_t *to, const struct service *s)
{
	uint32_t what = draw(100);
	struct sound d;
	size_t len;

	if (what < 8)
		return put_noise(to);
	if (what < 20 && nvectors)
		return put_vector(to);
	if (what < 21)
		return put_crowd(to, s);
	d = put_sound(to, s);
	if (what < 30)
		return spoil(to, s, d);
	if (what < 48) {
		len = what < 36 ? draw((uint32_t)d.len + 1) : d.len;
		mutate(to, len, 6);
		unmark(to, len);
		return len;
	}
	return d.len;
}

/* A datagram; returns its length. */
size_t put_payload(uint8_t *to, const struct service *s)
{
	size_t len = put_any(to, s);

	if (len <= PAYLOAD_MAX)
		return len;
	unmark(to, len);
	return PAYLOAD_MAX;
}

/* A datagram of a given length, as all in an aggregate but the last have the same one. */
size_t put_segment(uint8_t *to, const struct service *s, size_t size)
{
	uint32_t id = chance(90) ? 1 + draw(NODES) : 0;
	size_t header = id ? 13 + s->cid_length : 13;

	if (size < header || chance(3)) {
		fill(to, size);
		return size;
	}
	if (id)
		put_cid12(to, s, id, size - header);
	else
		put_plain(to, size - header);
	if (id && size >= MARK_AT + 8)
		mark(to, id);
	return size;
}
