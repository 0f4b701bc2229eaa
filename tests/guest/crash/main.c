/* SPDX-License-Identifier: MIT */
/*
 * Faults that a guest cannot be told of: each must end this domain, with a line in the hypervisor's
 * log, and nothing else.  One boot per case, named by "case=" on the command line; the runner looks
 * for the domain's end and for the absence of a panic.
 */
#include "guest.h"

TEST("crash");

/* The frame for iret lies where nothing is mapped. */
static void case_iret_stack(void)
{
	iret_raw((const struct iret_frame *)0x0000123456789000ul);
}

/* A trap in user mode with nowhere to put its frame. */
static unsigned long user_ud2(unsigned long arg)
{
	asm volatile("ud2");
	return arg;
}

static void case_bounce_stack(void)
{
	hypercall_stack_switch(FLAT_KERNEL_SS, 0x0000123456789000ul);
	user_call(user_ud2, 0);
}

/* The same with a stack inside the hypervisor: it must not be written. */
static void case_bounce_hypervisor(void)
{
	hypercall_stack_switch(FLAT_KERNEL_SS, 0xffff82d040200000ul);
	user_call(user_ud2, 0);
}

/* An exception without a handler. */
static void case_no_handler(void)
{
	hypercall_set_trap_table(NULL);
	asm volatile("ud2");
}

/* User mode without a user page table. */
static void case_no_user_table(void)
{
	mmuext(MMUEXT_NEW_USER_BASEPTR, 0);
	user_call(user_ud2, 0);
}

static void case_shutdown_crash(void)
{
	guest_shutdown(SHUTDOWN_crash);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{"iret-stack", case_iret_stack},
	{"bounce-stack", case_bounce_stack},
	{"bounce-hypervisor", case_bounce_hypervisor},
	{"no-handler", case_no_handler},
	{"no-user-table", case_no_user_table},
	{"shutdown-crash", case_shutdown_crash},
};

void test_main(void)
{
	const char *want = cmdline_value("case");

	events_disable();
	for (unsigned int i = 0; want && i < ARRAY_LEN(cases); i++)
		if (!strncmp(want, cases[i].name, strlen(cases[i].name))) {
			print("about to end: %s\n", cases[i].name);
			cases[i].run();
			verdict_error("%s: the domain is still alive", cases[i].name);
		}
	verdict_skip("no case named");
}
