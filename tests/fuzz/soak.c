// SPDX-License-Identifier: GPL-2.0-only
/*
 * soak: calls a fuzz target as often as the machine can, without libFuzzer and sanitizers.
 * Pages that nobody may touch take their place: an input ends where one begins, and what
 * a check_PARSER.c fences does so too or, every other time, begins where one ends.
 *
 * Input number N follows from the seed and N alone, however many processes share the
 * work; so each can be had again.  TAP; 1 on failure.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define OUTCOMES_MAX	32
#define PROCESSES_MAX	64
#define SEEDS_MAX	4096
#define PAGE		4096UL

/* So many inputs take at most so many seconds, or the parser is in an endless loop. */
#define BATCH		(1UL << 16)
#define BATCH_SECONDS	60

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "soak: %s: %s\n", what, strerror(errno));
	exit(2);
}

static _Noreturn void out_of_range(const char *what)
{
	fprintf(stderr, "soak: %s\n", what);
	exit(2);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-') {
		errno = EINVAL;
		die(text);
	}
	return value;
}

/* What looks random: the generator of wyhash. */

static uint64_t state;

static uint64_t next(void)
{
	unsigned __int128 product;

	state += 0xa0761d6478bd642f;
	product = (unsigned __int128)state * (state ^ 0xe7037ed1a0b428db);
	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

u32 soak_below(u32 n)
{
	return (u32)((next() >> 32) * n >> 32);
}

/* What inputs are made of. */

static struct {
	size_t size;
	const u8 *byte;
} seeds[SEEDS_MAX];

static u32 nseeds;

static void read_seed(const char *directory, const char *name)
{
	char path[PATH_MAX];
	u8 *byte = malloc(SOAK_MAX);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "r");
	if (nseeds == SEEDS_MAX)
		out_of_range("more than 4096 seeds");
	if (!file || !byte)
		die(path);
	seeds[nseeds].size = fread(byte, 1, SOAK_MAX, file);
	seeds[nseeds++].byte = byte;
	fclose(file);
}

/* By name: the order of a directory is no machine's like another's. */
static void read_seeds(const char *directory)
{
	struct dirent **entry;
	int n = scandir(directory, &entry, NULL, alphasort), i;

	if (n < 0)
		die(directory);
	for (i = 0; i < n; i++)
		if (entry[i]->d_name[0] != '.')
			read_seed(directory, entry[i]->d_name);
	if (!nseeds)
		out_of_range("SEEDS is an empty directory");
}

static size_t take_seed(u8 *to)
{
	u32 i = soak_below(nseeds);

	memcpy(to, seeds[i].byte, seeds[i].size);
	return seeds[i].size;
}

/* Another seed's packet, behind this one. */
static size_t splice(u8 *to, size_t size)
{
	u32 i = soak_below(nseeds);
	size_t more = seeds[i].size - soak_prefix;

	if (more > SOAK_MAX - size)
		return size;
	memcpy(to + size, seeds[i].byte + soak_prefix, more);
	return size + more;
}

static size_t cut_out(u8 *p, size_t size, size_t at)
{
	size_t n = 1 + soak_below(8);

	if (n > size - at)
		n = size - at;
	memmove(p + at, p + at + n, size - at - n);
	return size - n;
}

static size_t repeat(u8 *p, size_t size, size_t at)
{
	size_t n = 1 + soak_below(16);

	if (n > size - at || n > SOAK_MAX - size)
		return size;
	memmove(p + at + n, p + at, size - at);
	return size + n;
}

/* Some damage; @size is not 0. */
static size_t mutate(u8 *p, size_t size)
{
	size_t at = soak_below((u32)size);

	switch (soak_below(8)) {
	case 0:
		p[at] = (u8)soak_below(256);
		return size;
	case 1:
		p[at] ^= (u8)(1 << soak_below(8));
		return size;
	case 2:
		p[at]++;
		return size;
	case 3:
		p[at]--;
		return size;
	case 4:
		return at;
	case 5:
		return cut_out(p, size, at);
	case 6:
		return repeat(p, size, at);
	default:
		return splice(p, size);
	}
}

static size_t make_input(u8 *p, uint64_t seed, uint64_t n)
{
	size_t size;
	u32 damage;

	state = seed;
	state = next() + n;
	size = next() & 1 ? take_seed(p) : soak_forge(p);
	for (damage = soak_below(4); damage && size; damage--)
		size = mutate(p, size);
	return size;
}

/* Where inputs lie.  The processes share it, so that an input outlives who dies of it. */

struct arena {
	u8 *begin;
	u8 *end;
};

static struct arena arena_new(void)
{
	u8 *p = mmap(NULL, SOAK_MAX + 2 * PAGE, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + PAGE, SOAK_MAX, PROT_READ | PROT_WRITE))
		die("mmap");
	return (struct arena){ p + PAGE, p + PAGE + SOAK_MAX };
}

static struct arena inputs, fenced;
static bool at_begin;

const u8 *fence(const u8 *p, size_t len)
{
	if (at_begin)
		return memcpy(fenced.begin, p, len);
	return p + len == inputs.end ? p : memcpy(fenced.end - len, p, len);
}

void unfence(const u8 *bytes)
{
	(void)bytes;
}

/* One process of them. */
struct worker {
	pid_t pid;
	struct arena inputs;
	struct progress {
		uint64_t number;	/* of the input at hand */
		uint64_t done;
		size_t size;
		uint64_t reached[OUTCOMES_MAX];
	} *progress;
};

static void count(struct progress *p, u32 outcomes)
{
	for (; outcomes; outcomes &= outcomes - 1)
		p->reached[__builtin_ctz(outcomes)]++;
}

/* Each @step-th input from @first on. */
static void work(struct progress *p, uint64_t seed, uint64_t n, uint64_t first, uint64_t step)
{
	static u8 buffer[SOAK_MAX];
	const u8 *input;

	for (p->number = first; p->number < n; p->number += step) {
		if (p->done % BATCH == 0)
			alarm(BATCH_SECONDS);
		p->size = make_input(buffer, seed, p->number);
		input = memcpy(inputs.end - p->size, buffer, p->size);
		at_begin = p->number & 1;
		LLVMFuzzerTestOneInput(input, p->size);
		count(p, soak_outcome(input, p->size));
		p->done++;
	}
}

static void start(struct worker *w, uint64_t seed, uint64_t n, uint64_t first, uint64_t step)
{
	w->inputs = arena_new();
	w->progress = mmap(NULL, sizeof(*w->progress), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->progress == MAP_FAILED)
		die("mmap");
	w->pid = fork();
	if (w->pid < 0)
		die("fork");
	if (w->pid)
		return;
	inputs = w->inputs;
	fenced = arena_new();
	work(w->progress, seed, n, first, step);
	_exit(0);
}

/* Whether all was well; if not, says of what the process died. */
static bool end(const struct worker *w)
{
	const struct progress *p = w->progress;
	const u8 *byte;
	int status;

	if (waitpid(w->pid, &status, 0) < 0)
		die("waitpid");
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return true;
	printf("# %s at input %llu, after %llu in this process:\n# ",
	       WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit",
	       (unsigned long long)p->number, (unsigned long long)p->done);
	for (byte = w->inputs.end - p->size; byte < w->inputs.end; byte++)
		printf("%02x", *byte);
	printf("\n");
	return false;
}

/* That the processes had of processors. */
static double seconds(void)
{
	struct rusage used;

	if (getrusage(RUSAGE_CHILDREN, &used))
		die("getrusage");
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static unsigned int tests, failures;

static void result(bool good, const char *what, uint64_t n)
{
	failures += !good;
	printf("%sok %u - soak: %s, %s: %llu\n", good ? "" : "not ", ++tests, soak_parser, what,
	       (unsigned long long)n);
}

static void report(const struct worker *w, unsigned int processes, bool good)
{
	struct progress all = {};
	unsigned int i, k;

	for (i = 0; i < processes; i++) {
		all.done += w[i].progress->done;
		for (k = 0; soak_outcomes[k]; k++)
			all.reached[k] += w[i].progress->reached[k];
	}
	result(good, "inputs, each answered right", all.done);
	printf("# %u processes, %.0f s of a processor: %.2f million inputs in each\n",
	       processes, seconds(), (double)all.done / seconds() / 1e6);
	for (k = 0; soak_outcomes[k]; k++)
		result(all.reached[k], soak_outcomes[k], all.reached[k]);
	printf("1..%u\n", tests);
}

int main(int argc, char **argv)
{
	static struct worker w[PROCESSES_MAX];
	unsigned long n, seed, processes, i;
	bool good = true;

	if (argc != 5) {
		fputs("usage: soak SEEDS COUNT SEED PROCESSES\n", stderr);
		return 2;
	}
	read_seeds(argv[1]);
	n = number(argv[2]);
	seed = number(argv[3]);
	processes = number(argv[4]);
	if (!n || !processes || processes > PROCESSES_MAX)
		out_of_range("COUNT is at least 1, PROCESSES 1 to 64");
	for (i = 0; i < processes; i++)
		start(&w[i], seed, n, i, processes);
	for (i = 0; i < processes; i++)
		good &= end(&w[i]);
	report(w, (unsigned int)processes, good);
	return failures != 0;
}
