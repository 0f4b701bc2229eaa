/* SPDX-License-Identifier: MIT */
/*
 * Debug registers by hypercall and by instruction, breakpoints on execution and on data, single step,
 * and addresses of the hypervisor that must not be watched.
 */
#include "guest.h"

TEST("debugreg");

#define DR7_L0	      0x2ul /* global enable 0; Intel SDM vol. 3, 17.2.4 */
#define DR7_RW0_WRITE (1ul << 16)
#define DR7_LEN0_8    (2ul << 18)

static volatile unsigned long watched;
static volatile unsigned int hits;
static volatile unsigned long hit_dr6;

static bool take_db(struct regs *r)
{
	if (r->vector != TRAP_DB)
		return false;
	hits++;
	hit_dr6 = hypercall_get_debugreg(6);
	r->rflags &= ~EFLAGS_TF;
	return true;
}

static void test_hypercalls(void)
{
	CHECK_EQ(hypercall_set_debugreg(0, (unsigned long)&watched), 0);
	CHECK_EQ(hypercall_get_debugreg(0), (unsigned long)&watched);
	CHECK_EQ(hypercall_set_debugreg(3, 0x1234), 0);
	CHECK_EQ(hypercall_get_debugreg(3), 0x1234);
	CHECK_EQ(hypercall_set_debugreg(3, 0), 0);
	CHECK_EQ(hypercall_set_debugreg(0, 0xffff82d040200000), -XEN_EPERM);
	CHECK_EQ(hypercall_set_debugreg(0, 0x0008000000000000), -XEN_EPERM);
	CHECK_EQ(hypercall_get_debugreg(0), (unsigned long)&watched);
	CHECK_EQ(hypercall_set_debugreg(7, 1ul << 32), -XEN_EINVAL);
	CHECK(hypercall_set_debugreg(8, 0) < 0);
	CHECK_EQ(hypercall_set_debugreg(0, 0), 0);
}

static void test_instructions(void)
{
	unsigned long v = 0;

	fault_clear();
	asm volatile(FIXUP("mov %0, %%dr1") : : "r"(&watched) : "memory");
	CHECK_EQ(last_fault.vector, TRAP_NONE);
	fault_clear();
	asm volatile(FIXUP("mov %%dr1, %0") : "+r"(v) : : "memory");
	CHECK_EQ(last_fault.vector, TRAP_NONE);
	CHECK_EQ(v, (unsigned long)&watched);
	fault_clear();
	asm volatile(FIXUP("mov %0, %%dr1") : : "r"(0xffff82d040200000ul) : "memory");
	CHECK_EQ(last_fault.vector, TRAP_GP);
	asm volatile("mov %0, %%dr1" : : "r"(0ul) : "memory");
}

static void test_data(void)
{
	hypercall_set_debugreg(6, 0);
	CHECK_EQ(hypercall_set_debugreg(0, (unsigned long)&watched), 0);
	CHECK_EQ(hypercall_set_debugreg(7, DR7_L0 | DR7_RW0_WRITE | DR7_LEN0_8), 0);
	hits = 0;
	watched = 1;
	CHECK_EQ(hits, 1);
	CHECK(hit_dr6 & 1);
	(void)watched;
	CHECK_EQ(hits, 1);
	CHECK_EQ(hypercall_set_debugreg(7, 0), 0);
	watched = 2;
	CHECK_EQ(hits, 1);
}

static void test_step(void)
{
	hypercall_set_debugreg(6, 0);
	hits = 0;
	asm volatile("pushf; orq $0x100, (%%rsp); popf; nop; nop" : : : "memory", "cc");
	CHECK_EQ(hits, 1);
	CHECK(hit_dr6 & (1ul << 14));
}

static unsigned long user_step(unsigned long arg)
{
	asm volatile("nop; nop");
	return arg;
}

static void test_user_step(void)
{
	hits = 0;
	CHECK_EQ(user_call_flags(user_step, 5, 0x302), 5);
	CHECK_EQ(hits, 1);
}

void test_main(void)
{
	events_disable();
	test_hypercalls();
	test_instructions();
	trap_hook = take_db;
	test_data();
	test_step();
	test_user_step();
	trap_hook = NULL;
}
