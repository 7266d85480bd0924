// SPDX-License-Identifier: GPL-2.0-only
/* What the LBSP parser finds in a packet, as one line. */
#include <lbsp.h>

#include "check.h"
#include "walk.h"

static const char * const errors[] = {
	[LBSP_OK]		= "ok",
	[LBSP_TRUNCATED]	= "truncated",
	[LBSP_OVERRUN]		= "overrun",
	[LBSP_BAD_LENGTH]	= "length",
	[LBSP_BAD_PADDING]	= "padding",
	[LBSP_CROWDED]		= "crowded",
};

static const char * const marks[] = {
	[LBSP_TRUNCATED]	= "TRUNCATED",
	[LBSP_OVERRUN]		= "OVERRUN",
	[LBSP_BAD_LENGTH]	= "LENGTH",
	[LBSP_BAD_PADDING]	= "PADDING",
	[LBSP_CROWDED]		= "CROWDED",
};

static const char *header_name(u8 header)
{
	switch (header) {
	case 0:		return "hop";
	case 43:	return "routing";
	case 44:	return "fragment";
	case 51:	return "ah";
	case 60:	return "options";
	default:	return "?";
	}
}

static const char *encoding_name(u8 encoding)
{
	return encoding == NF_LBSP_RFC ? "rfc" : "draft";
}

/* One step: its bytes, what was known before it and after. */
struct view {
	const u8 *p;
	struct lbsp_packet was;
	struct lbsp_packet d;
};

static void put_segment(const struct lbsp_packet *d, enum lbsp_segment which, FILE *out)
{
	int i;

	putc_unlocked(' ', out);
	if (!lbsp_is_set(d, which))
		putc_unlocked('-', out);
	else
		for (i = 0; i < LBSP_SEGMENT; i++)
			fprintf(out, "%02x", d->segment[which][i]);
}

static void put_option(const struct view *v, FILE *out)
{
	u32 size = v->d.offset - v->was.offset;

	if (v->d.option) {
		fputs_unlocked(encoding_name(v->d.encoding), out);
		put_segment(&v->d, LBSP_CLIENT, out);
		put_segment(&v->d, LBSP_SERVER, out);
	} else if (!v->p[0]) {
		fputs_unlocked("pad1", out);
	} else if (v->p[0] == 1) {
		fprintf(out, "padn %u", size);
	} else {
		fprintf(out, "type%02x %u", v->p[0], size);
	}
}

static void put_fragment(const u8 *p, FILE *out)
{
	fprintf(out, " at %u", (p[2] << 8 | p[3]) & 0xfff8);
	if (p[3] & 1)
		fputs_unlocked(" more", out);
}

static void put_header(const struct view *v, FILE *out)
{
	u32 end = v->d.end ? v->d.end : v->d.offset;

	fputs_unlocked(header_name(v->was.next), out);
	if (v->was.next == 44) {
		put_fragment(v->p, out);
		return;
	}
	fprintf(out, " %u", end - v->was.offset);
	if (v->was.next == 43)
		fprintf(out, " left %u", v->p[3]);
}

static void put_step(const struct view *v, FILE *out)
{
	if (v->was.offset > 40)
		fputs_unlocked(v->was.end ? ", " : "; ", out);
	if (v->d.error)
		fputs_unlocked(marks[v->d.error], out);
	else if (v->was.end)
		put_option(v, out);
	else if (v->d.headers > v->was.headers)
		put_header(v, out);
	else if (v->was.offset)
		fprintf(out, "%u", v->was.next);
}

/* Each option as if it were the first. */
static void put_steps(const struct nf_lbsp_format *f, const u8 *p, size_t len, FILE *out)
{
	struct view v = {};
	bool more;

	do {
		v.d.option = 0;
		v.was = v.d;
		v.p = p + v.was.offset;
		more = lbsp_step(f, v.p, len - v.was.offset, &v.d);
		put_step(&v, out);
	} while (more);
}

static void put_flag(const char *name, bool set, const char **comma, FILE *out)
{
	if (!set)
		return;
	fputs_unlocked(*comma, out);
	fputs_unlocked(name, out);
	*comma = ",";
}

static void put_flags(const struct lbsp_packet *d, FILE *out)
{
	const char *comma = "";

	put_flag("sealed", d->sealed, &comma, out);
	put_flag("routed", d->routed, &comma, out);
	put_flag("fragment", d->fragment, &comma, out);
	if (!*comma)
		putc_unlocked('-', out);
}

static void put_answer(const struct lbsp_packet *d, FILE *out)
{
	fprintf(out, " | %s %u %u | ", errors[d->error], d->offset, d->next);
	put_flags(d, out);
	if (lbsp_has_option(d))
		fprintf(out, " | %u %s", d->option, encoding_name(d->encoding));
	else
		fputs_unlocked(" | -", out);
}

const size_t walk_format = sizeof(struct nf_lbsp_format);

void walk(const void *format, const u8 *p, size_t len, FILE *out)
{
	const struct nf_lbsp_format *f = format;
	const char *broken = check(f, p, len);
	struct lbsp_packet d;

	/* A walk that breaks the rules need not end: show only why. */
	if (broken) {
		fprintf(out, "| BROKEN: %s", broken);
		return;
	}
	lbsp_read(f, p, len, &d);
	put_steps(f, p, len, out);
	put_answer(&d, out);
}
