// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: any format, any datagram.  Traps when an answer breaks a
 * rule of tests/unit/check_dtls.c, or is not that of the automaton below, which
 * takes byte by byte what the parser takes by offsets.
 *
 * Input: 3 bytes that choose the format (tests/fuzz/seed.py makes them), then
 * the datagram.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "fuzz_dtls.h"

#define BIT(kind)	NF_DTLSCID_RECORD_BIT(kind)
#define ENDLESS		UINT32_MAX

/*
 * What can follow a record's first byte, in wire order: 1.2 has its sequence
 * number before the CID, 1.3 after.
 */
enum part { VERSION, EPOCH, NUMBER, BEFORE_ID, ID, AFTER_ID, NUMBER_13, LENGTH, BODY, PARTS };

struct automaton {
	const struct nf_dtlscid_format *f;

	/* The record at hand. */
	u32 left[PARTS];	/* bytes of each part still to come */
	enum part part;		/* that of the next byte */
	u32 value[PARTS];	/* the last 4 bytes of each part */
	u32 cid_at;
	u32 body;		/* bytes of the body so far */
	u8 first;
	u8 body_first;
	bool within;		/* it has not ended */
	bool entered;		/* its header was complete */

	/* The datagram. */
	u32 at;			/* bytes fed */
	u32 records;		/* begun */
	u32 kinds;
	u32 error;
	u32 id;			/* of the first CID, when version says there is one */
	u32 version;
	u32 cid_offset;
};

/* After each change of what is left; but there is no way back. */
static void find_part(struct automaton *a)
{
	while (a->part < PARTS && !a->left[a->part])
		a->part++;
}

static void expect_cid(struct automaton *a)
{
	u32 to_id_end = a->f->id_offset + a->f->id_length;

	a->left[BEFORE_ID] = a->f->id_offset;
	a->left[ID] = a->f->id_length;
	a->left[AFTER_ID] = a->f->cid_length ? a->f->cid_length - to_id_end : ENDLESS;
}

static void begin(struct automaton *a, u8 first)
{
	int part;

	if (a->records++ == 128) {
		a->error = DTLS_CROWDED;
		return;
	}
	for (part = 0; part < PARTS; part++)
		a->left[part] = a->value[part] = 0;
	a->part = VERSION;
	a->cid_at = a->body = a->body_first = 0;
	a->first = first;
	a->within = true;
	a->entered = false;
	if (first == 25 || first / 16 == 3)
		expect_cid(a);
	if (first / 32 == 1) {
		a->left[NUMBER_13] = first & 8 ? 2 : 1;
		a->left[LENGTH] = first & 4 ? 2 : 0;
		a->left[BODY] = first & 4 ? 0 : ENDLESS;
	} else if (first >= 20 && first < 28) {
		a->left[VERSION] = 2;
		a->left[EPOCH] = 2;
		a->left[NUMBER] = 6;
		a->left[LENGTH] = 2;
	} else {
		a->error = DTLS_JUNK;
	}
	find_part(a);
}

static void note_cid(struct automaton *a)
{
	a->kinds |= BIT(CID);
	if (a->version) {
		if (a->value[ID] != a->id)
			a->kinds |= BIT(MIXED);
		return;
	}
	a->id = a->value[ID];
	a->version = a->first < 32 ? 2 : 3;
	a->cid_offset = a->cid_at;
}

static bool version_is_good(const struct automaton *a)
{
	switch (a->value[VERSION]) {
	case 0xfefd:
		return true;
	case 0xfefe:
	case 0xfeff:
		return a->first != 25;
	default:
		return a->first >= 32;
	}
}

/* The header is complete; an open CID's, with the node id. */
static void enter(struct automaton *a)
{
	a->entered = true;
	a->left[BODY] |= a->value[LENGTH];
	if (a->part > BODY && a->left[BODY])
		a->part = BODY;
	if (!version_is_good(a))
		a->error = DTLS_BAD_VERSION;
	else if (a->first == 25 && !a->value[EPOCH])
		a->error = DTLS_EPOCH0_CID;
	else if (a->cid_at)
		note_cid(a);
}

static void leave(struct automaton *a)
{
	static const u32 plain[] = {
		BIT(OTHER), BIT(ALERT), BIT(HANDSHAKE), BIT(OTHER), BIT(OTHER), 0,
		BIT(ACK), BIT(OTHER),
	};

	a->within = false;
	if (a->left[AFTER_ID])
		return;
	if (a->first >= 32 && a->body < 16)
		a->error = DTLS_SHORT;
	else if (a->cid_at)
		return;
	else if (a->first >= 32 || a->value[EPOCH])
		a->kinds |= BIT(ENCRYPTED);
	else if (a->first == 22 && a->body_first == 1)
		a->kinds |= BIT(CLIENT_HELLO);
	else
		a->kinds |= plain[a->first - 20];
}

static void take(struct automaton *a, u8 byte)
{
	enum part part = a->part;

	if (a->left[part] != ENDLESS && !--a->left[part])
		find_part(a);
	a->value[part] = a->value[part] << 8 | byte;
	if ((part == BEFORE_ID || part == ID) && !a->cid_at)
		a->cid_at = a->at;
	if (part == BODY && !a->body++)
		a->body_first = byte;
}

static void feed(struct automaton *a, u8 byte)
{
	if (a->within)
		take(a, byte);
	else
		begin(a, byte);
	a->at++;
	if (a->error)
		return;
	if (!a->entered && (a->part >= BODY || a->left[a->part] == ENDLESS))
		enter(a);
	if (!a->error && a->part == PARTS)
		leave(a);
}

/* The datagram ends here. */
static void end(struct automaton *a)
{
	if (a->error || !a->within)
		return;
	if (!a->entered)
		a->error = DTLS_TRUNCATED;
	else if (a->left[a->part] != ENDLESS)
		a->error = DTLS_OVERRUN;
	else
		leave(a);
}

static void read_all(struct automaton *a, const u8 *p, size_t len)
{
	size_t i;

	for (i = 0; i < len && !a->error; i++)
		feed(a, p[i]);
	end(a);
	if (!len || (a->error == DTLS_JUNK && a->at == 1)) {
		a->kinds = BIT(NOT_DTLS);
		a->error = DTLS_OK;
	} else if (a->error) {
		a->kinds = BIT(MALFORMED);
	} else if (a->kinds & BIT(MIXED)) {
		a->kinds = BIT(MIXED);
	}
}

static const char *compare(const struct nf_dtlscid_format *f, const u8 *p, size_t len)
{
	struct automaton a = { .f = f };
	struct dtls_datagram d;

	dtls_parse(f, p, len, &d);
	read_all(&a, p, len);
	if (a.kinds != d.records)
		return "the automaton finds other kinds";
	if (a.error != d.error)
		return "the automaton finds another error";
	if (dtls_has_cid(&d) &&
	    (a.version != d.version || a.id != d.id || a.cid_offset != d.cid_offset))
		return "the automaton finds another CID";
	return NULL;
}

/* Any 3 bytes make a valid format, and each valid format has its 3 bytes. */
struct nf_dtlscid_format fuzz_format(const u8 *p)
{
	struct nf_dtlscid_format f = { .id_length = 1 + p[0] % NF_DTLSCID_ID_LENGTH_MAX };
	u32 id_end;

	f.id_offset = p[1] % (NF_DTLSCID_CID_LENGTH_MAX + 1 - f.id_length);
	id_end = f.id_offset + f.id_length;
	if (p[2])
		f.cid_length = id_end + p[2] % (NF_DTLSCID_CID_LENGTH_MAX + 1 - id_end);
	return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nf_dtlscid_format f;
	const char *broken;

	if (size < FUZZ_FORMAT)
		return 0;
	f = fuzz_format(data);
	broken = check(&f, data + FUZZ_FORMAT, size - FUZZ_FORMAT);
	if (!broken)
		broken = compare(&f, data + FUZZ_FORMAT, size - FUZZ_FORMAT);
	if (broken) {
		fprintf(stderr, "BROKEN: %s: id_offset %u, id_length %u, cid_length %u\n",
			broken, f.id_offset, f.id_length, f.cid_length);
		abort();
	}
	return 0;
}
