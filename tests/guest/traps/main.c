/* SPDX-License-Identifier: MIT */
/*
 * Bouncing: each exception that a program can raise arrives at the right handler with the right frame,
 * from kernel and from user mode, once and nested; gates with their privilege level; the failsafe
 * callback; system calls from user mode.
 */
#include "guest.h"

TEST("traps");

static unsigned char hole[PAGE_SIZE] PAGE_ALIGNED;

static void test_kernel(void)
{
	CHECK_EQ(FAULT_OF("ud2"), TRAP_UD);
	CHECK_EQ(last_fault.cs & 3, 0);
	CHECK_EQ(last_fault.error, 0);
	CHECK_EQ(FAULT_OF("int3"), TRAP_BP);
	CHECK_EQ(FAULT_OF("int $0x80"), 0x80);
	CHECK_EQ(FAULT_OF("xor %%ecx, %%ecx; nop"), TRAP_NONE);
	CHECK_EQ(FAULT_OF_RAX("mov %%ax, %%es", 0x1238), TRAP_GP);
	CHECK_EQ(last_fault.error, 0x1238);
	CHECK_EQ(FAULT_OF_RAX("mov (%%rax), %%rax", 0x0008000000000000), TRAP_GP);
	CHECK_EQ(last_fault.error, 0);
	fault_clear();
	asm volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; " FIXUP("div %%ecx")
		     :
		     : "a"(1)
		     : "rcx", "rdx", "memory");
	CHECK_EQ(last_fault.vector, TRAP_DE);
}

static void test_page_faults(void)
{
	CHECK_EQ(fault_read((void *)0x1234567ul, NULL), TRAP_PF);
	CHECK_EQ(last_fault.cr2, 0x1234567);
	CHECK_EQ(last_fault.error, 0);
	CHECK_EQ(fault_write((void *)0x1234567ul, 1), TRAP_PF);
	CHECK_EQ(last_fault.error, PF_WRITE);
	CHECK_EQ(page_protect(hole, PTE_RO), 0);
	CHECK_EQ(fault_write(hole + 8, 1), TRAP_PF);
	CHECK_EQ(last_fault.error, PF_PRESENT | PF_WRITE);
	CHECK_EQ(last_fault.cr2, (unsigned long)hole + 8);
	CHECK_EQ(page_protect(hole, PTE_RW), 0);
}

static unsigned long user_ud2(unsigned long arg)
{
	asm volatile("ud2");
	return arg;
}

static unsigned long user_int(unsigned long n)
{
	if (n == 3)
		asm volatile("int3");
	else
		asm volatile("int $0x80");
	return 0;
}

static unsigned long user_read(unsigned long addr)
{
	return *(volatile unsigned long *)addr;
}

static unsigned long user_write(unsigned long addr)
{
	*(volatile unsigned long *)addr = 1;
	return 0;
}

static unsigned long user_cli(unsigned long arg)
{
	asm volatile("cli");
	return arg;
}

static unsigned long user_identity(unsigned long arg)
{
	return arg + 1;
}

static void test_user(void)
{
	CHECK_EQ(user_call(user_identity, 41), 42);
	CHECK_EQ(user_call(user_ud2, 0), USER_FAULTED);
	CHECK_EQ(last_fault.vector, TRAP_UD);
	CHECK_EQ(last_fault.cs & 0xffff, FLAT_USER_CS);
	user_call(user_int, 3);
	CHECK_EQ(last_fault.vector, TRAP_BP);
	user_call(user_int, 0x80);
	CHECK_EQ(last_fault.vector, 0x80);
	user_call(user_cli, 0);
	CHECK_EQ(last_fault.vector, TRAP_GP);
	CHECK_EQ(last_fault.error, 0);
}

static void test_user_page_faults(void)
{
	user_call(user_read, 0x7654320);
	CHECK_EQ(last_fault.vector, TRAP_PF);
	CHECK_EQ(last_fault.cr2, 0x7654320);
	CHECK_EQ(last_fault.error, PF_USER);
	user_call(user_write, 0x7654320);
	CHECK_EQ(last_fault.error, PF_USER | PF_WRITE);
	CHECK_EQ(page_protect(hole, PTE_RO), 0);
	user_call(user_write, (unsigned long)hole);
	CHECK_EQ(last_fault.error, PF_USER | PF_WRITE | PF_PRESENT);
	CHECK_EQ(page_protect(hole, PTE_RW), 0);
	user_call(user_read, HYPERVISOR_VIRT_END - PAGE_SIZE);
	CHECK_EQ(last_fault.vector, TRAP_PF);
	user_call(user_read, 0x0008000000000000);
	CHECK_EQ(last_fault.vector, TRAP_GP);
}

static unsigned int nested;

/* The hook itself faults twice on the way: #UD inside #PF inside #BP. */
static bool nest(struct regs *r)
{
	if (r->vector == TRAP_BP) {
		nested++;
		asm volatile("771: mov (%0), %0\n772:\n.pushsection .fixups, \"a\"\n"
			     ".quad 771b, 772b\n.popsection"
			     :
			     : "r"(0x123000ul)
			     : "memory");
		return true;
	}
	if (r->vector == TRAP_PF) {
		nested++;
		asm volatile("ud2");
		return false;
	}
	if (r->vector == TRAP_UD) {
		nested++;
		r->rip += 2;
		return true;
	}
	return false;
}

static void test_nested(void)
{
	trap_hook = nest;
	asm volatile("int3" : : : "memory");
	trap_hook = NULL;
	CHECK_EQ(nested, 3);
}

static bool syscall_add(struct regs *r)
{
	if (r->rax != 7)
		return false;
	r->rax = r->rdi + r->rsi;
	return true;
}

static unsigned long user_syscall(unsigned long arg)
{
	unsigned long rc = 7;

	asm volatile("syscall" : "+a"(rc) : "D"(arg), "S"(5ul) : "rcx", "r11", "memory");
	return rc;
}

static void test_syscall(void)
{
	user_syscall_hook = syscall_add;
	CHECK_EQ(user_call(user_syscall, 10), 15);
	CHECK_EQ(user_call(user_syscall, 30), 35);
	user_syscall_hook = NULL;
}

static void test_registers(void)
{
	unsigned long rbx = 0x1111, r12 = 0x2222, r15 = 0x3333;

	asm volatile("mov %0, %%rbx; mov %1, %%r12; mov %2, %%r15; mov $0x44, %%r9; std\n"
		     "int $0x80\n pushf; pop %%rax; cld\n"
		     "mov %%rbx, %0; mov %%r12, %1; mov %%r15, %2"
		     : "+m"(rbx), "+m"(r12), "+m"(r15)
		     :
		     : "rax", "rbx", "r9", "r12", "r15", "memory", "cc");
	CHECK_EQ(rbx, 0x1111);
	CHECK_EQ(r12, 0x2222);
	CHECK_EQ(r15, 0x3333);
}

static bool int80_take(struct regs *r)
{
	return r->vector == 0x80;
}

/* TI_GET_IF: a gate that masks events on its way in. */
static bool mask_seen;

static bool mask_note(struct regs *r)
{
	mask_seen = vcpu_info0()->evtchn_upcall_mask;
	return r->vector == TRAP_BP;
}

static void test_masking_gate(void)
{
	struct trap_info one[2] = {
		{TRAP_BP, 4, FLAT_KERNEL_CS, (unsigned long)trap_stubs + TRAP_BP * 16}};

	events_enable();
	trap_hook = mask_note;
	asm volatile("int3" : : : "memory");
	CHECK(!mask_seen);
	CHECK_EQ(hypercall_set_trap_table(one), 0);
	asm volatile("int3" : : : "memory");
	CHECK(mask_seen);
	CHECK(!vcpu_info0()->evtchn_upcall_mask);
	trap_hook = NULL;
	trap_init();
	events_disable();
}

void test_main(void)
{
	events_disable();
	test_kernel();
	test_page_faults();
	test_user();
	test_user_page_faults();
	test_nested();
	test_syscall();
	trap_hook = int80_take;
	test_registers();
	trap_hook = NULL;
	test_masking_gate();
}
