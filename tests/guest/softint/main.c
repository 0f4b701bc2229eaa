/* SPDX-License-Identifier: MIT */
/*
 * INT n for vectors the processor's own table refuses: the level in the guest's table decides, in kernel
 * and in user mode.
 *
 * QEMU 7.2 reports the refused vector as n * 16 + 2 instead of n * 8 + 2 (Intel SDM vol. 3, 6.13), so a
 * hypervisor that takes the vector from the error code fails here and passes on a processor.
 */
#include "guest.h"

TEST("softint");

static void gate_set(unsigned int vector, unsigned int dpl)
{
	struct trap_info one[2] = {
		{vector, dpl, FLAT_KERNEL_CS, (unsigned long)trap_stubs + vector * 16}};

	CHECK_EQ(hypercall_set_trap_table(one), 0);
}

/* The kernel counts as privilege level 1: a gate of level 0 is for the processor alone. */
static void test_kernel(void)
{
	static const uint8_t vectors[] = {0x20, 0x2e, 0x81, 0xff, TRAP_UD};

	for (unsigned int i = 0; i < ARRAY_LEN(vectors); i++)
		gate_set(vectors[i], 1);
	CHECK_EQ(FAULT_OF("int $0x20"), 0x20);
	CHECK_EQ(last_fault.error, 0);
	CHECK_EQ(FAULT_OF("int $0x2e"), 0x2e);
	CHECK_EQ(FAULT_OF("int $0x81"), 0x81);
	CHECK_EQ(FAULT_OF("int $0xff"), 0xff);
	CHECK_EQ(FAULT_OF("int $4"), TRAP_OF);
	CHECK_EQ(FAULT_OF("int $6"), TRAP_UD);
	CHECK_EQ(FAULT_OF("int $0x30"), TRAP_GP);
	CHECK_EQ(last_fault.error, 0x30 * 8 + 2);
}

static unsigned long user_int20(unsigned long arg)
{
	asm volatile("int $0x20");
	return arg;
}

static unsigned long user_int90(unsigned long arg)
{
	asm volatile("int $0x90");
	return arg;
}

static bool hook_90(struct regs *r)
{
	return r->vector == 0x90;
}

static void test_user(void)
{
	user_call(user_int20, 0);
	CHECK_EQ(last_fault.vector, TRAP_GP);
	CHECK_EQ(last_fault.error, 0x20 * 8 + 2);
	CHECK_EQ(last_fault.rip - (unsigned long)user_int20 < 16, true);
	gate_set(0x90, 3);
	trap_hook = hook_90;
	CHECK_EQ(user_call(user_int90, 77), 77);
	trap_hook = NULL;
}

void test_main(void)
{
	events_disable();
	test_kernel();
	test_user();
}
