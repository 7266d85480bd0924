// SPDX-License-Identifier: GPL-2.0-only
/*
 * nth: run a program, one of whose allocations in the kernel fails: the Nth.
 *
 * Linked statically on the host, it runs in every guest; the kernel must have failslab.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "nth: %s: %s\n", what, strerror(errno));
	exit(2);
}

static _Noreturn void usage(void)
{
	fputs("usage: nth N COMMAND...\n"
	      "The status is the command's.  If there were fewer allocations, nth says how many;\n"
	      "what the command says goes to standard error.\n", stderr);
	exit(2);
}

/* From now on the kernel counts down, and at 0 there is no memory. */
static void run(char **argv)
{
	FILE *f = fopen("/proc/self/fail-nth", "w");

	if (!f || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		die("/proc/self/fail-nth");
	setbuf(f, NULL);
	fputs(argv[1], f);
	execvp(argv[2], argv + 2);
	_exit(127);
}

/* What is left to count of a process that has ended, and is still there. */
static unsigned long left(pid_t pid)
{
	unsigned long n;
	char name[64];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/fail-nth", (int)pid);
	f = fopen(name, "r");
	if (!f || fscanf(f, "%lu", &n) != 1)
		die(name);
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	unsigned long rest;
	siginfo_t info;
	pid_t pid;

	if (argc < 3 || !strtoul(argv[1], NULL, 10))
		usage();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		run(argv);
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
		die("waitid");
	rest = left(pid);
	if (rest)
		printf("%lu\n", strtoul(argv[1], NULL, 10) - rest);
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}
