// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DTLS parser: rows of bytes, then the vectors of the file given.  TAP.
 *
 * A datagram is written in hex; blanks mean nothing, "aa*16" is 16 times aa.
 */
#include <stdlib.h>
#include <string.h>

#include "walk.h"

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

#include "rows.h"

static FILE *line_file;
static char *line_text;
static size_t line_size;
static unsigned int count, failed;

static void test(const char *name, const char *want, const char *got)
{
	bool ok = !strcmp(want, got);

	printf("%sok %u - %s\n", ok ? "" : "not ", ++count, name);
	if (ok)
		return;
	printf("#  want %s\n#  got  %s\n", want, got);
	failed++;
}

static const char *line(const struct nf_dtlscid_format *f, const u8 *p, size_t len)
{
	rewind(line_file);
	walk(f, p, len, line_file);
	putc('\0', line_file);
	fflush(line_file);
	return line_text;
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? at - digits : -1;
}

/* A mistake in a row is a mistake of ours: stop. */
static size_t unhex(const char *text, u8 *bytes, size_t max)
{
	size_t len = 0, n;
	char *end;

	while (*(text += strspn(text, " "))) {
		if (digit(text[0]) < 0 || digit(text[1]) < 0)
			abort();
		n = 1;
		end = (char *)text + 2;
		if (text[2] == '*')
			n = strtoul(text + 3, &end, 10);
		if (n > max - len)
			abort();
		memset(bytes + len, digit(text[0]) << 4 | digit(text[1]), n);
		len += n;
		text = end;
	}
	return len;
}

static void test_row(const struct row *row)
{
	static u8 bytes[65536];
	size_t len = unhex(row->hex, bytes, sizeof(bytes));

	test(row->name, row->want, line(&row->f, bytes, len));
}

/* Of the line, only the walk: the part that the file gives. */
static void test_vector(char *head, const char *hex)
{
	struct nf_dtlscid_format f = { .id_length = 1 };
	char *name = strtok(head, "|"), *length = strtok(NULL, "|");
	char *want = strtok(NULL, "|");
	static u8 bytes[2048];
	static char got[2048];
	size_t len;

	if (!name || !length || !want)
		abort();
	f.cid_length = atoi(length);
	len = unhex(hex, bytes, sizeof(bytes));
	/* A blank before each "|", one after it. */
	name[strlen(name) - 1] = '\0';
	want++;
	want[strlen(want) - 1] = '\0';
	snprintf(got, sizeof(got), "%s", line(&f, bytes, len));
	if (got[0] != '|')
		got[strcspn(got, "|") - 1] = '\0';
	test(name, want, got);
}

static bool next_line(FILE *file, char *text, int size)
{
	while (fgets(text, size, file)) {
		text[strcspn(text, "\n")] = '\0';
		if (*text && *text != '#')
			return true;
	}
	return false;
}

static void test_vectors(const char *path)
{
	static char head[4096], hex[4096];
	FILE *file = fopen(path, "r");
	unsigned int before = count;

	if (!file) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	while (next_line(file, head, sizeof(head))) {
		if (!next_line(file, hex, sizeof(hex)))
			abort();
		test_vector(head, hex);
	}
	fclose(file);
	if (count == before)
		abort();
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

	line_file = open_memstream(&line_text, &line_size);
	if (argc != 2 || !line_file)
		return EXIT_FAILURE;
	/* A sanitizer ends the program: the rows before must have been told. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		test_row(&rows[i]);
	test_peek();
	test_crowd();
	test_vectors(argv[1]);
	printf("1..%u\n", count);
	fclose(line_file);
	free(line_text);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
