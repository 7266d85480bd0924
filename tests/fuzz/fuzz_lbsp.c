// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: any format, any packet.  Traps when an answer breaks a rule of
 * tests/unit/check_lbsp.c, or is not that of the automaton below, which takes byte by
 * byte what the parser takes by offsets.
 *
 * Input: 2 bytes that choose the format (tests/fuzz/seed.py makes them), then the packet.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "fuzz_lbsp.h"

/* What the next byte of a Destination Options header is. */
enum part { TYPE, LENGTH, DATA };

struct automaton {
	const struct nf_lbsp_format *f;
	struct lbsp_packet d;	/* the answer: @offset is of the next byte */
	bool ended;

	/* The header at hand. */
	u8 header;
	u8 next;
	u32 had;		/* its bytes so far */
	u32 left;		/* and those to come, as far as is known */
	bool last;		/* what it names as next is not here */
	u32 fault;		/* of an option: it counts once the header is complete */

	/* The option at hand. */
	enum part part;
	u8 type;
	u8 length;
	u32 room;		/* bytes from its first to the header's end */
	u32 data;		/* bytes of its data so far */
	u32 data_left;
	u8 encoding;
	u8 byte[255];
	u8 any;			/* of them, all or-ed */
};

static void begin(struct automaton *a)
{
	a->header = a->d.next;
	switch (a->header) {
	case 0:
	case 43:
	case 44:
	case 51:
	case 60:
		break;
	case 50:
		a->d.sealed = true;
		/* fall through */
	default:
		a->ended = true;
		return;
	}
	if (++a->d.headers > 8) {
		a->d.error = LBSP_CROWDED;
		return;
	}
	a->had = 0;
	a->left = 8;
	a->last = false;
	a->part = TYPE;
}

static void end_option(struct automaton *a)
{
	a->part = TYPE;
	if (!a->encoding || a->d.option)
		return;
	a->d.option = a->d.offset + 1 - 34;
	a->d.encoding = a->encoding;
	memcpy(a->d.segment, a->byte, 32);
}

static void take_type(struct automaton *a, u8 byte)
{
	a->room = 1 + a->left;
	a->type = byte;
	if (++a->d.options > 64)
		a->fault = LBSP_CROWDED;
	else if (byte && a->room == 1)
		a->fault = LBSP_OVERRUN;
	else if (byte)
		a->part = LENGTH;
}

static void take_length(struct automaton *a, u8 byte)
{
	a->length = a->data_left = byte;
	a->data = a->any = a->encoding = 0;
	a->part = DATA;
	if (a->f->encodings & NF_LBSP_RFC && a->type == a->f->type)
		a->encoding = NF_LBSP_RFC;
	if (byte > a->left)
		a->fault = LBSP_OVERRUN;
	else if (a->encoding && byte != 32)
		a->fault = LBSP_BAD_LENGTH;
	else if (!byte)
		end_option(a);
}

/* What began as PadN of 4 bytes goes on as a draft's option; and no other PadN may be so. */
static void pad_is_not_zero(struct automaton *a)
{
	if (a->length != 4 || a->room < 34 || !(a->f->encodings & NF_LBSP_DRAFT)) {
		a->fault = LBSP_BAD_PADDING;
	} else if (a->data == 4) {
		a->encoding = NF_LBSP_DRAFT;
		a->data_left = 28;
	}
}

static void take_data(struct automaton *a, u8 byte)
{
	a->byte[a->data++] = byte;
	a->any |= byte;
	a->data_left--;
	if (a->type == 1 && a->any && !a->encoding)
		pad_is_not_zero(a);
	if (!a->data_left)
		end_option(a);
}

static void take_option(struct automaton *a, u8 byte)
{
	switch (a->part) {
	case TYPE:
		take_type(a, byte);
		break;
	case LENGTH:
		take_length(a, byte);
		break;
	case DATA:
		take_data(a, byte);
	}
}

static void take_fragment(struct automaton *a, u8 byte)
{
	bool offset = a->had == 2 ? byte : a->had == 3 && byte / 8;

	a->last |= offset;
	a->d.fragment |= offset || (a->had == 3 && byte % 2);
}

/* The third byte of a header and those after it. */
static void take_body(struct automaton *a, u8 byte)
{
	if (a->header == 44)
		take_fragment(a, byte);
	if (a->header == 43 && a->had == 3 && byte)
		a->d.routed = true;
	if (a->header == 60 && !a->fault)
		take_option(a, byte);
}

static void leave(struct automaton *a)
{
	a->d.error = a->fault;
	a->d.sealed |= a->header == 51;
	a->ended = a->last;
	if (!a->last)
		a->d.next = a->next;
}

static void take(struct automaton *a, u8 byte)
{
	a->left--;
	if (a->had == 0)
		a->next = byte;
	else if (a->had > 1)
		take_body(a, byte);
	else if (a->header == 51)
		a->left += byte * 4;
	else if (a->header != 44)
		a->left += byte * 8;
	a->had++;
}

static void feed(struct automaton *a, u8 byte)
{
	if (a->d.offset == 6)
		a->d.next = byte;
	if (a->d.offset >= 40)
		take(a, byte);
	if (++a->d.offset < 40 || a->left)
		return;
	if (a->d.offset > 40)
		leave(a);
	if (!a->ended && !a->d.error)
		begin(a);
}

static void read_all(struct automaton *a, const u8 *p, size_t len)
{
	size_t i;

	for (i = 0; i < len && !a->ended && !a->d.error; i++)
		feed(a, p[i]);
	if (!a->ended && !a->d.error)
		a->d.error = LBSP_TRUNCATED;
	if (a->last)
		a->d.offset -= 8;	/* as the parser has it: up to that header */
}

static const char *compare_walk(const struct lbsp_packet *a, const struct lbsp_packet *d)
{
	if (a->offset != d->offset || a->next != d->next)
		return "the automaton ends elsewhere";
	if (a->headers != d->headers || a->options != d->options)
		return "the automaton counts otherwise";
	if (a->sealed != d->sealed || a->routed != d->routed || a->fragment != d->fragment)
		return "the automaton finds other headers";
	return NULL;
}

static const char *compare(const struct nf_lbsp_format *f, const u8 *p, size_t len)
{
	struct automaton a = { .f = f };
	struct lbsp_packet d;

	lbsp_read(f, p, len, &d);
	read_all(&a, p, len);
	if (a.d.error != d.error)
		return "the automaton finds another error";
	if (d.error)
		return NULL;
	if (a.d.option != d.option || a.d.encoding != d.encoding ||
	    memcmp(a.d.segment, d.segment, sizeof(d.segment)))
		return "the automaton finds another option";
	return compare_walk(&a.d, &d);
}

/* Any 2 bytes make a valid format, and each valid format has its 2 bytes. */
struct nf_lbsp_format fuzz_format(const u8 *p)
{
	return (struct nf_lbsp_format){
		.encodings = 1 + p[0] % 3,
		.type = NF_LBSP_TYPE_MIN + p[1] % (NF_LBSP_TYPE_MAX - NF_LBSP_TYPE_MIN + 1),
	};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nf_lbsp_format f;
	const char *broken;

	if (size < FUZZ_FORMAT)
		return 0;
	f = fuzz_format(data);
	broken = check(&f, data + FUZZ_FORMAT, size - FUZZ_FORMAT);
	if (!broken)
		broken = compare(&f, data + FUZZ_FORMAT, size - FUZZ_FORMAT);
	if (broken) {
		fprintf(stderr, "BROKEN: %s: encodings %u, type %u\n", broken, f.encodings,
			f.type);
		abort();
	}
	return 0;
}
