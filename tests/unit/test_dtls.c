// SPDX-License-Identifier: GPL-2.0-only
/* The DTLS parser: rows of bytes, then the vectors of the file given.  TAP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dtls.h>

#include "table.h"

struct row {
	const char *name;
	struct nf_dtlscid_format f;
	const char *hex;
	const char *want;
};

/* Formats: the length of the CID known or not, the node id at its beginning. */
#define KNOWN		{ 0, 1, 2, 0 }
#define UNKNOWN		{ 0, 1, 0, 0 }

/* Records and parts of them; a record begins with a blank, so that it can follow a "*". */
#define SEQ		"000000000001"
#define E0		"0000" SEQ
#define E1		"0001" SEQ
#define ALERT		" 15 fefd" E0 "0002 0228"
#define CID(cid)	" 19 fefd" E1 cid

#define MALFORMED(why)	" | malformed | " why " | -"
#define PLAIN(kind)	" | " kind " | ok | -"

#include "rows_dtls.h"

static const void *read_format(const char *cid_length)
{
	static struct nf_dtlscid_format f = { .id_length = 1 };

	f.cid_length = atoi(cid_length);
	return &f;
}

/* The front-ends size a buffer by these. */
static void test_peek(void)
{
	struct nf_dtlscid_format longest = { 0, 1, 255, 0 }, deepest = { 251, 4, 0, 0 };
	struct nf_dtlscid_format known = KNOWN, unknown = { 3, 2, 0, 0 };
	char got[64];

	snprintf(got, sizeof(got), "%u %u %u %u %u", dtls_peek(&known), dtls_peek(&unknown),
		 dtls_peek(&longest), dtls_peek(&deepest), DTLS_PEEK_MAX);
	test("peek: 1.2 header, CID as far as read", "15 18 268 268 268", got);
}

/* N empty records, then a CID: what the whole is, and the error. */
static const char *crowd(unsigned int n)
{
	static const u8 record[] = { 20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const u8 cid[] = { 25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 7, 8, 0, 0 };
	struct nf_dtlscid_format f = KNOWN;
	u8 bytes[200 * sizeof(record) + sizeof(cid)], *p = bytes;

	for (; n--; p += sizeof(record))
		memcpy(p, record, sizeof(record));
	memcpy(p, cid, sizeof(cid));
	return strstr(line(&f, bytes, p + sizeof(cid) - bytes), " | ");
}

static void test_crowd(void)
{
	test("126 records and a CID", " | cid,other | ok | 2 7 1649 2", crowd(126));
	test("127 records and a CID", " | cid,other | ok | 2 7 1662 2", crowd(127));
	test("128 records and a CID", " | malformed | crowded | -", crowd(128));
	test("129 records and a CID", " | malformed | crowded | -", crowd(129));
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc != 2)
		return EXIT_FAILURE;
	table_begin();
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		test_row(rows[i].name, &rows[i].f, rows[i].hex, rows[i].want);
	test_peek();
	test_crowd();
	test_vectors(argv[1], read_format);
	return table_end();
}
