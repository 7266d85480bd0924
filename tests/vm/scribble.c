// SPDX-License-Identifier: GPL-2.0-only
/*
 * scribble: commands and what looks like some to files that take commands, and reads of
 * them, at any offset and length, until it is told to end; as a seed decides.
 *
 * Linked statically on the host, it runs in every guest.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_MAX = 200 };

/* 0 to @below - 1 */
static unsigned int draw(unsigned int below)
{
	return (unsigned int)random() % below;
}

/* Whom a command is for, most of the time: a node's id, or a server of net.sh's topology. */
static const char *make_who(const char *file)
{
	static char who[40];
	unsigned int k = draw(draw(4) ? 6 : 1000);

	snprintf(who, sizeof(who), strstr(file, "lbsp") ? "2001:db8:2::1%u" : "%u", k);
	return who;
}

/* Returns its length, with now and then a byte, or all, by chance. */
static size_t make_text(char *text, const char *who)
{
	static const char *const words[] = { "up", "up", "up", "drain", "down", "flush", "zero",
		"Up", "", "dra", "upp", "\t" };
	static const char *const forms[] = { "%s %s", "%s %s\n", "%s 0x%s", " %s\t%s \t", "%s %s %u",
		"%s", "%s\n", "%s -%s", "%s %s000000000", "%s%s" };
	size_t len, i;

	len = (size_t)snprintf(text, TEXT_MAX, forms[draw(draw(2) ? 4 : 10)], words[draw(12)],
			       who, draw(10));
	if (!draw(6))
		text[draw((unsigned int)len + 1)] = (char)draw(256);
	if (!draw(10))
		for (len = draw(TEXT_MAX), i = 0; i < len; i++)
			text[i] = (char)draw(256);
	return len;
}

/* Whether something was written that the file took; "=FILE": its counters are not zeroed. */
static int scribble(const char *file)
{
	int keep = *file == '=';
	char text[TEXT_MAX + 1] = "", page[4096];
	size_t len = make_text(text, make_who(file));
	off_t offset = draw(5) ? 0 : (off_t)draw(100000);
	int fd = open(file + keep, O_RDWR), taken;

	if (fd < 0)
		return 0;
	if (keep && memchr(text, 'z', len))
		*text = 'x';
	if (!draw(4) && pread(fd, page, draw(sizeof(page)), offset) < 0)
		perror(file);
	lseek(fd, offset, SEEK_SET);
	taken = write(fd, text, len) > 0;
	close(fd);
	return taken;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	sigset_t term;
	unsigned long tried = 0, taken = 0;

	if (argc < 3) {
		fputs("usage: scribble SEED FILE|=FILE...\n"
		      "=: its counters are not zeroed.  In the end, says how much was taken.\n", stderr);
		return 2;
	}
	srandom((unsigned int)atoi(argv[1]));
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	for (; sigtimedwait(&term, NULL, &pause) < 0; tried++)
		taken += (unsigned long)scribble(argv[2 + draw((unsigned int)argc - 2)]);
	printf("tried=%lu taken=%lu\n", tried, taken);
	return 0;
}
