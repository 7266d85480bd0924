// SPDX-License-Identifier: GPL-2.0-only
/* The LBSP parser and writer: rows of bytes, then the vectors of the file given.  TAP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lbsp.h>

#include "table.h"

struct row {
	const char *name;
	struct nf_lbsp_format f;
	const char *hex;
	const char *want;
};

#define RFC_ONLY	{ NF_LBSP_RFC, 0x1e }
#define DRAFT_ONLY	{ NF_LBSP_DRAFT, 0x1e }
#define BOTH		{ NF_LBSP_RFC | NF_LBSP_DRAFT, 0x1e }
#define FORMAT(...)	((struct nf_lbsp_format)__VA_ARGS__)

/* The segments of options. */
#define CLIENT		"20010db8000000000000000000000001"
#define SERVER		"20010db80000000000000000000000ff"
#define UNSET		"00000000000000000000000000000000"

#define RFC		" 1e20" CLIENT SERVER
#define DRAFT		" 0104" CLIENT SERVER
#define PADN4		" 01020000"

/* Headers; each begins with a blank, so that it can follow a "*". */
#define IP(next)	"60 00*5 " next "40 aa*16 bb*16"
#define HOP(next)	" " next "00 0502 0000 0100"
#define OPTS8(next)	" " next "00 0104 00*4"
#define ROUTING(next, left) " " next "02 02" left " 00*4 cc*16"
#define FRAGMENT(next, at) " " next "00" at "00000007"
#define AH(next)	" " next "04 0000 00000100 00000001 dd*12"
#define OPTS_RFC(next)	" " next "04" PADN4 RFC
#define OPTS_DRAFT(next) " " next "04" DRAFT " 00*4"
/* What a row wants: of an option; and all after the walk. */
#define W_RFC		"rfc " CLIENT " " SERVER
#define W_DRAFT		"draft " CLIENT " " SERVER
#define W_OPTS_RFC	"options 40, padn 4, " W_RFC
#define W_OPTS_DRAFT	"options 40, " W_DRAFT ", pad1, pad1, pad1, pad1"
#define PLAIN(where)	" | ok " where " | - | -"
#define FOUND(where, option) " | ok " where " | - | " option
#define FLAGGED(where, flags, option) " | ok " where " | " flags " | " option
#define BAD(why, where)	" | " why " " where " | - | -"

#include "rows_lbsp.h"

/* "rfc 1e", "rfc,draft 1e" */
static const void *read_format(const char *text)
{
	static struct nf_lbsp_format f;

	f.encodings = (strstr(text, "rfc") ? NF_LBSP_RFC : 0) |
		      (strstr(text, "draft") ? NF_LBSP_DRAFT : 0);
	f.type = strtoul(strrchr(text, ' '), NULL, 16);
	return &f;
}

/* The line without its walk, which is long; a broken one has none. */
static const char *answer(const struct nf_lbsp_format *f, const u8 *p, size_t len)
{
	const char *text = line(f, p, len), *rest = strstr(text, " | ");

	return rest ? rest : text;
}

static u8 *put(u8 *to, const char *hex)
{
	return to + unhex(hex, to, 256);
}

/* @n headers of padding, then @last. */
static const char *headers(unsigned int n, const char *last)
{
	static const struct nf_lbsp_format f = RFC_ONLY;
	u8 bytes[1024], *p = put(bytes, IP("3c"));

	for (; n; n--)
		p = put(p, OPTS8("3c"));
	p = put(p, last);
	return answer(&f, bytes, p - bytes);
}

static void test_headers(void)
{
	test("6 headers and one with an option", FOUND("128 6", "94 rfc"),
	     headers(6, OPTS_RFC("06")));
	test("7 headers and one with an option", FOUND("136 6", "102 rfc"),
	     headers(7, OPTS_RFC("06")));
	test("8 headers and one with an option", BAD("crowded", "104 60"),
	     headers(8, OPTS_RFC("06")));
	test("9 headers: the option does not help", BAD("crowded", "136 60"),
	     headers(7, OPTS_RFC("3c") OPTS8("06")));
	test("8 headers, then TCP", PLAIN("104 6"), headers(7, OPTS8("06")));
	test("8 headers, then nothing", PLAIN("104 59"), headers(7, OPTS8("3b")));
	test("8 headers, then ESP", FLAGGED("104 50", "sealed", "-"), headers(7, OPTS8("32")));
	test("8 headers, then AH", BAD("crowded", "104 51"), headers(7, OPTS8("33") AH("06")));
	test("8 headers and none of the ninth: crowded first", BAD("crowded", "104 60"),
	     headers(8, ""));
	test("8 headers, the last cut short", BAD("truncated", "96 60"),
	     headers(7, "0600 0104 0000 00"));
}

/* A header of @n options: Pad1, and one PadN that fills it. */
static u8 *put_pads(u8 *to, u8 next, unsigned int n)
{
	unsigned int size = (n + 3 + 7) / 8 * 8;

	memset(to, 0, size);
	to[0] = next;
	to[1] = size / 8 - 1;
	to[n + 1] = 1;
	to[n + 2] = size - n - 3;
	return to + size;
}

/* @n options of padding in one header, then @last, which @next names. */
static const char *options(unsigned int n, u8 next, const char *last)
{
	static const struct nf_lbsp_format f = RFC_ONLY;
	u8 bytes[1024], *p = put(bytes, IP("3c"));

	p = put_pads(p, next, n);
	p = put(p, last);
	return answer(&f, bytes, p - bytes);
}

static void test_options(void)
{
	test("62 options, one of padding, one of LBSP", FOUND("152 6", "118 rfc"),
	     options(62, 60, OPTS_RFC("06")));
	test("63 options, one of padding, one of LBSP", BAD("crowded", "118 6"),
	     options(63, 60, OPTS_RFC("06")));
	test("63 and 1 options", PLAIN("120 6"), options(63, 60, OPTS8("06")));
	test("64 and 1 options", BAD("crowded", "114 6"), options(64, 60, OPTS8("06")));
	test("65 options in one header", BAD("crowded", "106 60"), options(65, 60, OPTS8("06")));
	test("64 options, then an option without its length: crowded first",
	     BAD("crowded", "114 6"), options(64, 60, "0600 00*5 1e"));
	test("64 options, and headers without options", PLAIN("136 6"),
	     options(64, 43, ROUTING("06", "00")));
	test("64 options, those of Hop-by-Hop not counted", PLAIN("120 6"),
	     options(64, 0, HOP("06")));
}

static const u8 segment[LBSP_SEGMENTS][LBSP_SEGMENT] = {
	{ 0x20, 1, 0xd, 0xb8, [15] = 1 }, { 0x20, 1, 0xd, 0xb8, [15] = 0xff },
};

static void to_hex(char *to, const u8 *p, size_t len)
{
	for (; len; len--, to += 2)
		sprintf(to, "%02x", *p++);
}

static const char *written(struct nf_lbsp_format f, u8 next)
{
	static char text[2 * LBSP_HEADER + 1];
	u8 header[LBSP_HEADER];

	memset(header, 0xa5, sizeof(header));
	lbsp_write(&f, next, segment, header);
	to_hex(text, header, sizeof(header));
	return text;
}

/* @header, its option at @option converted to @f's encoding. */
static const char *converted(struct nf_lbsp_format f, const char *header, size_t option)
{
	static char text[2 * LBSP_HEADER + 1];
	u8 bytes[LBSP_HEADER];

	unhex(header, bytes, sizeof(bytes));
	lbsp_convert(&f, bytes + option);
	to_hex(text, bytes, sizeof(bytes));
	return text;
}

static void test_write(void)
{
	test("write rfc: 4 bytes of padding, then the option",
	     "0604" "01020000" "1e20" CLIENT SERVER, written(FORMAT(RFC_ONLY), 6));
	test("write rfc, another type, UDP",
	     "1104" "01020000" "0220" CLIENT SERVER,
	     written(FORMAT({ NF_LBSP_RFC, 2 }), 17));
	test("write draft: the option, then 4 bytes of padding",
	     "0604" "0104" CLIENT SERVER "00000000", written(FORMAT(DRAFT_ONLY), 6));
	test("write draft, another type, UDP",
	     "1104" "0104" CLIENT SERVER "00000000",
	     written(FORMAT({ NF_LBSP_DRAFT, 2 }), 17));
}

static void test_convert(void)
{
	test("convert rfc to draft", "0604" "01020000" "0104" CLIENT SERVER,
	     converted(FORMAT(DRAFT_ONLY), OPTS_RFC("06"), 6));
	test("convert draft to rfc", "0604" "1e20" CLIENT SERVER "00000000",
	     converted(FORMAT(RFC_ONLY), OPTS_DRAFT("06"), 2));
	test("convert draft to rfc, another type", "0604" "3f20" CLIENT SERVER "00000000",
	     converted(FORMAT({ NF_LBSP_RFC, 0x3f }), OPTS_DRAFT("06"), 2));
	test("convert rfc to rfc", "0604" "01020000" "1e20" CLIENT SERVER,
	     converted(FORMAT(RFC_ONLY), OPTS_RFC("06"), 6));
}

/* Callers size buffers by these. */
static void test_sizes(void)
{
	char got[64];

	snprintf(got, sizeof(got), "%u %u %u", LBSP_OPTION, LBSP_HEADER, LBSP_PEEK);
	test("sizes of the option, its header, the longest option", "34 40 257", got);
}

/* What @encoding is written as, behind an IPv6 header. */
static const char *round_trip(u8 encoding)
{
	struct nf_lbsp_format one = { encoding, 0x1e }, both = FORMAT(BOTH);
	u8 bytes[80], *p = put(bytes, IP("3c"));

	lbsp_write(&one, 6, segment, p);
	return line(&both, bytes, sizeof(bytes));
}

static void test_round_trip(void)
{
	test("write and read rfc", W_OPTS_RFC "; 6" FOUND("80 6", "46 rfc"),
	     round_trip(NF_LBSP_RFC));
	test("write and read draft", W_OPTS_DRAFT "; 6" FOUND("80 6", "42 draft"),
	     round_trip(NF_LBSP_DRAFT));
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc != 2)
		return EXIT_FAILURE;
	table_begin();
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		test_row(rows[i].name, &rows[i].f, rows[i].hex, rows[i].want);
	test_headers();
	test_options();
	test_sizes();
	test_write();
	test_convert();
	test_round_trip();
	test_vectors(argv[1], read_format);
	return table_end();
}
