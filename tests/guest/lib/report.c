/* SPDX-License-Identifier: MIT */
/*
 * Start of day, verdicts and the end.  A test prints exactly one line that begins with VERDICT; the
 * runner believes nothing else.  A failed check is printed and counted and the test goes on, so that
 * one run shows everything that is wrong.
 */
#include "guest.h"

#define FAILURES_SHOWN 40

start_info_t *start_info;
union shared_page shared_page PAGE_ALIGNED;

void guest_main(void);

static unsigned int checks, failures;

void verdict_count(void)
{
	checks++;
}

void verdict_fail(const char *fmt, ...)
{
	char buf[400];
	va_list ap;

	if (failures++ >= FAILURES_SHOWN)
		return;
	va_start(ap, fmt);
	guest_vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	print("FAILED %s\n", buf);
}

void guest_shutdown(unsigned int reason)
{
	struct sched_shutdown s = {.reason = reason};

	hypercall_sched_op(SCHEDOP_shutdown, &s);
	for (;;)
		hypercall_sched_op(SCHEDOP_block, NULL);
}

static void __attribute__((noreturn)) finish(const char *what, const char *text)
{
	print("VERDICT %s %s: %s\n", what, test_name, text);
	guest_shutdown(SHUTDOWN_poweroff);
}

void verdict_finish(void)
{
	char buf[80];

	guest_snprintf(buf, sizeof(buf), "%u checks, %u failed", checks, failures);
	finish(failures ? "fail" : "pass", buf);
}

void verdict_skip(const char *fmt, ...)
{
	char buf[300];
	va_list ap;

	va_start(ap, fmt);
	guest_vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	finish("skip", buf);
}

void verdict_error(const char *fmt, ...)
{
	char buf[300];
	va_list ap;

	va_start(ap, fmt);
	guest_vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	finish("error", buf);
}

static void shared_info_map(void)
{
	unsigned long va = (unsigned long)&shared_page;

	hypercall_update_va_mapping(va, start_info->shared_info | PTE_RW, UVMF_INVLPG);
}

void guest_main(void)
{
	root_table = (uint64_t *)start_info->pt_base;
	console_init();
	shared_info_map();
	trap_init();
	user_init();
	test_main();
	verdict_finish();
}
