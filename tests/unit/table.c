// SPDX-License-Identifier: GPL-2.0-only
/* Tests of a parser: rows of bytes, and the vectors of a file.  TAP. */
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "walk.h"

static FILE *line_file;
static char *line_text;
static size_t line_size;
static unsigned int count, failed;

void table_begin(void)
{
	line_file = open_memstream(&line_text, &line_size);
	if (!line_file)
		exit(EXIT_FAILURE);
	/* A sanitizer ends the program: the rows before must have been told. */
	setvbuf(stdout, NULL, _IOLBF, 0);
}

int table_end(void)
{
	printf("1..%u\n", count);
	fclose(line_file);
	free(line_text);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void test(const char *name, const char *want, const char *got)
{
	bool ok = !strcmp(want, got);

	printf("%sok %u - %s\n", ok ? "" : "not ", ++count, name);
	if (ok)
		return;
	printf("#  want %s\n#  got  %s\n", want, got);
	failed++;
}

const char *line(const void *format, const u8 *p, size_t len)
{
	rewind(line_file);
	walk(format, p, len, line_file);
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
size_t unhex(const char *text, u8 *bytes, size_t max)
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

void test_row(const char *name, const void *format, const char *hex, const char *want)
{
	static u8 bytes[65536];
	size_t len = unhex(hex, bytes, sizeof(bytes));

	test(name, want, line(format, bytes, len));
}

/* A column of a vector's first line: a blank before each "|", one after it. */
static char *column(char *head)
{
	char *text = strtok(head, "|");

	if (!text)
		abort();
	text[strlen(text) - 1] = '\0';
	return head ? text : text + 1;
}

/* Of the line, only the walk: the part that the file gives. */
static void test_vector(char *head, const char *hex,
			const void *(*read_format)(const char *text))
{
	const char *name = column(head), *format = column(NULL), *want = column(NULL);
	static u8 bytes[2048];
	static char got[2048];
	size_t len = unhex(hex, bytes, sizeof(bytes));

	snprintf(got, sizeof(got), "%s", line(read_format(format), bytes, len));
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

void test_vectors(const char *path, const void *(*read_format)(const char *text))
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
		test_vector(head, hex, read_format);
	}
	fclose(file);
	if (count == before)
		abort();
}
