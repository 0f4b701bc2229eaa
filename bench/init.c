/* SPDX-License-Identifier: MIT */
/*
 * Init of the Linux rows: getppid, fork+exit+wait, fork+exec, page fault and a pipe round trip between
 * two processes, each a fixed number of times.  Run it in an emulator whose clock counts instructions
 * (one nanosecond is one instruction); it measures by RDTSC and prints "ROW <name> <least> <median>" on
 * the console, then powers the machine off.
 *
 * Each row is measured in ROUNDS rounds: a timer tick falls into some of them, so the median is what
 * counts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 15
#define PAGE   4096

static const char *self;

static uint64_t ticks(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return ((uint64_t)hi << 32) | lo;
}

static void say(const char *fmt, ...)
{
	char buf[200];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (write(1, buf, n) != n)
		_exit(1);
}

static void op_getppid(void)
{
	syscall(SYS_getppid);
}

static void op_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static void op_exec(void)
{
	pid_t pid = fork();

	if (!pid) {
		execl(self, self, "--exit", (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

static volatile char *area;
static unsigned int area_next;

#define AREA_PAGES 512

/* Touch one page that was never touched; the map is made anew outside the measured loop. */
static void op_fault(void)
{
	area[(size_t)area_next++ * PAGE] = 1;
}

static void area_renew(void)
{
	if (area)
		munmap((void *)area, (size_t)AREA_PAGES * PAGE);
	area = mmap(NULL, (size_t)AREA_PAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise((void *)area, (size_t)AREA_PAGES * PAGE, MADV_NOHUGEPAGE);
	area_next = 0;
}

static int to_child[2], from_child[2];

static void op_pipe(void)
{
	char c = 0;

	if (write(to_child[1], &c, 1) != 1 || read(from_child[0], &c, 1) != 1)
		_exit(1);
}

static pid_t pipe_partner(void)
{
	char c;
	pid_t pid;

	if (pipe(to_child) || pipe(from_child))
		_exit(1);
	pid = fork();
	if (pid)
		return pid;
	while (read(to_child[0], &c, 1) == 1 && c == 0)
		if (write(from_child[1], &c, 1) != 1)
			break;
	_exit(0);
}

static uint64_t round_ticks(void (*op)(void), unsigned int n)
{
	uint64_t t = ticks();

	for (unsigned int i = 0; i < n; i++)
		op();
	return (ticks() - t) / n;
}

static int ticks_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void measure(const char *name, void (*op)(void), void (*prepare)(void), unsigned int n)
{
	uint64_t t[ROUNDS];

	for (int round = -1; round < ROUNDS; round++) {
		uint64_t one;

		if (prepare)
			prepare();
		one = round_ticks(op, n);
		if (round >= 0)
			t[round] = one;
	}
	qsort(t, ROUNDS, sizeof(t[0]), ticks_compare);
	say("ROW %s %llu %llu\n", name, (unsigned long long)t[0],
	    (unsigned long long)t[ROUNDS / 2]);
}

/*
 * One mean from the first operation on.  After about a thousand round trips the kernel settles on
 * another way to wake the partner, which is dearer by a fifth; rounds would show only one of the two.
 */
static void measure_whole(const char *name, void (*op)(void), unsigned int n)
{
	unsigned long long t = round_ticks(op, n);

	say("ROW %s %llu %llu\n", name, t, t);
}

static void init_prepare(void)
{
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mknod("/dev/console", S_IFCHR | 0600, makedev(5, 1));
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	if (open("/dev/console", O_RDWR) != 0 || dup(0) != 1 || dup(0) != 2)
		_exit(1);
}

int main(int argc, char **argv)
{
	char quit = 1;
	pid_t partner;

	if (argc > 1 && !strcmp(argv[1], "--exit"))
		return 0;
	self = argv[0];
	if (getpid() == 1) {
		init_prepare();
		self = "/init";
	}
	measure("getppid", op_getppid, NULL, 10000);
	measure("fork", op_fork, NULL, 50);
	measure("exec", op_exec, NULL, 30);
	measure("fault", op_fault, area_renew, AREA_PAGES);
	partner = pipe_partner();
	measure_whole("pipe", op_pipe, 2500);
	if (write(to_child[1], &quit, 1) == 1)
		waitpid(partner, NULL, 0);
	say("VERDICT pass bench: linux\n");
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 0;
}
