/* SPDX-License-Identifier: MIT */
/*
 * FPU ownership: TS set by hypercall and by CR0, the device-not-available trap and its one-shot nature,
 * state that survives hypercalls, FPU exceptions bounced.  SSE exceptions are not tried: the emulator
 * raises none.
 */
#include "guest.h"

TEST("fpu");

static unsigned int nm;

static bool take_nm(struct regs *r)
{
	if (r->vector != TRAP_NM)
		return false;
	nm++;
	return true; /* the hypervisor has cleared TS on the way here */
}

static bool take_nm_clts(struct regs *r)
{
	if (r->vector != TRAP_NM)
		return false;
	nm++;
	asm volatile("clts" : : : "memory");
	return true;
}

static void test_ts(void)
{
	unsigned long cr0;

	trap_hook = take_nm_clts;
	CHECK_EQ(hypercall_fpu_taskswitch(1), 0);
	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	CHECK(cr0 & 8);
	asm volatile("fnop");
	CHECK_EQ(nm, 1);
	asm volatile("fnop");
	CHECK_EQ(nm, 1);
	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	CHECK(!(cr0 & 8));
	CHECK_EQ(hypercall_fpu_taskswitch(1), 0);
	CHECK_EQ(hypercall_fpu_taskswitch(0), 0);
	asm volatile("fnop");
	CHECK_EQ(nm, 1);
	asm volatile("mov %0, %%cr0" : : "r"(cr0 | 8) : "memory");
	asm volatile("fnop");
	CHECK_EQ(nm, 2);
	trap_hook = NULL;
}

/* The trap itself clears TS, as in the Xen ABI: a handler need not. */
static void test_ts_one_shot(void)
{
	trap_hook = take_nm;
	nm = 0;
	CHECK_EQ(hypercall_fpu_taskswitch(1), 0);
	asm volatile("fnop");
	CHECK_EQ(nm, 1);
	trap_hook = NULL;
}

static void test_state(void)
{
	static const unsigned char in[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	static unsigned char out[16];

	asm volatile("movdqu %0, %%xmm5" : : "m"(in));
	for (unsigned int i = 0; i < 100; i++)
		hypercall_sched_op(SCHEDOP_yield, NULL);
	hypercall_xen_version(XENVER_version, NULL);
	asm volatile("movdqu %%xmm5, %0" : "=m"(out));
	CHECK(!memcmp(in, out, sizeof(in)));
}

static void test_exceptions(void)
{
	uint16_t cw = 0x037f & ~(1u << 2);

	fault_clear();
	asm volatile("fninit; fldcw %0" : : "m"(cw));
	asm volatile("fld1; fldz; fdivrp\n" FIXUP("fwait") : : : "memory");
	CHECK_EQ(last_fault.vector, TRAP_MF);
	asm volatile("fninit");
}

void test_main(void)
{
	events_disable();
	test_ts();
	test_ts_one_shot();
	test_state();
	test_exceptions();
}
