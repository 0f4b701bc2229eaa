/* SPDX-License-Identifier: MIT */
/*
 * Ways into the hypervisor and back where a careless one is lost: flags that the entry instruction leaves
 * alone, a descriptor table that is not there when the hypervisor itself loads a selector, segments that
 * can no longer be loaded, debug exceptions behind MOV SS.
 */
#include "guest.h"

TEST("entry");

#define DATA3	      0x00cff3000000fffful /* flat data, ring 3 */
#define EFLAGS_NT     0x4000ul
#define CR4_DE	      8ul
#define DR6_BS	      0x4000ul
#define NON_CANONICAL 0x8000000040000000ul

static uint64_t ldt[512] PAGE_ALIGNED;

/* --- system calls --- */

static bool flags_note(struct regs *r)
{
	return r->rax == 7;
}

/* The handler's own flags at its first instruction: a callback of our own stores them. */
extern char flags_entry[];
asm(".text\n"
    "flags_entry:\n"
    "	pushf\n"
    "	popq entry_flags(%rip)\n"
    "	cld\n"
    "	jmp syscall_entry\n"
    ".data\n"
    ".globl entry_flags\n"
    "entry_flags: .quad 0\n"
    ".text\n");
extern unsigned long entry_flags;

static long callback(uint16_t type, const void *address)
{
	struct callback_register reg = {.type = type, .address = (unsigned long)address};

	return hypercall_callback_op(CALLBACKOP_register, &reg);
}

static unsigned long user_syscall_df(unsigned long arg)
{
	asm volatile("std; syscall; cld" : "+a"(arg) : : "rcx", "r11", "memory", "cc");
	return arg;
}

static void test_syscall_flags(void)
{
	CHECK_EQ(callback(CALLBACKTYPE_syscall, flags_entry), 0);
	user_syscall_hook = flags_note;
	CHECK_EQ(user_call(user_syscall_df, 7), 7);
	CHECK_EQ(entry_flags & (EFLAGS_DF | EFLAGS_TF | EFLAGS_NT), 0);
	user_syscall_hook = NULL;
	CHECK_EQ(callback(CALLBACKTYPE_syscall, syscall_entry), 0);
}

/* Without a callback the instruction does not exist. */
static void test_syscall_missing(void)
{
	CHECK_EQ(callback(CALLBACKTYPE_syscall, NULL), 0);
	CHECK_EQ(user_call(user_syscall_df, 7), USER_FAULTED);
	CHECK_EQ(last_fault.vector, TRAP_UD);
	CHECK_EQ(callback(CALLBACKTYPE_syscall, syscall_entry), 0);
}

/*
 * SYSENTER leaves TF, NT, DF and AC to the hypervisor. It faults for want of a callback, or it is no
 * instruction at all; either way the machine goes on.
 */
static unsigned long user_sysenter(unsigned long flags)
{
	asm volatile("push %0; popf; sysenter" : : "r"(flags) : "rcx", "r11", "memory", "cc");
	return 0;
}

static bool step_ignore(struct regs *r)
{
	return r->vector == TRAP_DB;
}

static void test_sysenter(void)
{
	static const unsigned long flags[] = {
		0, EFLAGS_DF, EFLAGS_NT, EFLAGS_AC, EFLAGS_TF, EFLAGS_DF | EFLAGS_NT | EFLAGS_TF};

	for (unsigned int i = 0; i < ARRAY_LEN(flags); i++) {
		trap_hook = step_ignore;
		CHECK_EQ(user_call(user_sysenter, 0x202 | flags[i]), USER_FAULTED);
		trap_hook = NULL;
		CHECK(last_fault.vector == TRAP_GP || last_fault.vector == TRAP_UD);
	}
}

/* --- selectors --- */

static unsigned long selector_load(unsigned int sel)
{
	fault_clear();
	asm volatile(FIXUP("mov %0, %%es") : : "r"(sel) : "memory");
	return last_fault.vector;
}

/* A table that is not there: our own load is a page fault at its address, the hypervisor's gives null. */
static void test_ldt_missing(void)
{
	unsigned long nowhere = 0x7f0000000000;

	CHECK_EQ(mmuext2(MMUEXT_SET_LDT, nowhere, 512), 0);
	CHECK_EQ(selector_load(0x0f), TRAP_PF);
	CHECK_EQ(last_fault.cr2, nowhere + 8);
	CHECK_EQ(hypercall_set_segment_base(SEGBASE_GS_USER_SEL, 0x0f), 0);
	CHECK_EQ(mmuext2(MMUEXT_SET_LDT, 0, 0), 0);
}

static unsigned int failsafes;

static bool failsafe_note(struct regs *r)
{
	if (r->vector != TRAP_FAILSAFE)
		return false;
	failsafes++;
	return true;
}

static void tick(evtchn_port_t port)
{
	(void)port;
}

/* A selector whose descriptor goes away while we sleep. */
static void test_failsafe(void)
{
	struct vcpu_set_singleshot_timer timer = {0};
	unsigned int es = 0x0f;

	ldt[1] = DATA3;
	CHECK_EQ(page_protect(ldt, PTE_RO), 0);
	CHECK_EQ(mmuext2(MMUEXT_SET_LDT, (unsigned long)ldt, 512), 0);
	CHECK_EQ(selector_load(es), TRAP_NONE);
	CHECK_EQ(mmuext2(MMUEXT_SET_LDT, 0, 0), 0);
	event_bind_virq(VIRQ_TIMER, tick);
	timer.timeout_abs_ns = clock_ns() + 5000000;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer), 0);
	trap_hook = failsafe_note;
	hypercall_sched_op(SCHEDOP_block, NULL);
	trap_hook = NULL;
	events_disable();
	CHECK_EQ(failsafes, 1);
	CHECK_EQ(failsafe_selectors[1] & 0xffff, 0x0f);
	asm volatile("mov %%es, %0" : "=r"(es));
	CHECK_EQ(es, 0);
	CHECK_EQ(page_protect(ldt, PTE_RW), 0);
}

/* --- exceptions --- */

/* The vector is the CPU's: #SS (SDM vol. 1 section 3.3.7.1), which some emulators do not know. The guest gets it as it comes. */
static void test_stack_operands(void)
{
	unsigned long v;

	fault_clear();
	asm volatile("push %%rbp; mov %1, %%rbp\n" FIXUP("mov (%%rbp), %0") "pop %%rbp"
		     : "=&r"(v)
		     : "r"(NON_CANONICAL)
		     : "memory");
	CHECK(last_fault.vector == TRAP_SS || last_fault.vector == TRAP_GP);
	CHECK_EQ(last_fault.error, 0);
}

static void test_prefixed_interrupt(void)
{
	struct trap_info one[2] = {
		{0x42, 1, FLAT_KERNEL_CS, (unsigned long)trap_stubs + 0x42 * 16}};

	CHECK_EQ(hypercall_set_trap_table(one), 0);
	CHECK_EQ(FAULT_OF(".byte 0x48; int $0x42"), 0x42);
	CHECK_EQ(last_fault.error, 0);
	CHECK_EQ(FAULT_OF(".byte 0x66, 0xf3; int $0x43"), TRAP_GP);
	CHECK_EQ(last_fault.error, 0x43 * 8 + 2);
}

static volatile unsigned int ss_value = FLAT_USER_SS;
static unsigned long db_dr6, db_flags;
static unsigned int dbs;

static bool db_note(struct regs *r)
{
	if (r->vector != TRAP_DB)
		return r->vector == TRAP_BP;
	dbs++;
	db_flags = r->rflags;
	db_dr6 = hypercall_get_debugreg(6);
	return true;
}

/*
 * A data breakpoint of MOV SS is reported behind the next instruction, and is lost if that enters the hypervisor (SDM vol. 3
 * section 6.8.3); some emulators report it at once. Either way the hypervisor lives, and the guest never sees TF.
 */
static void test_mov_ss(void)
{
	unsigned long flags;

	trap_hook = db_note;
	hypercall_set_debugreg(6, 0);
	CHECK_EQ(hypercall_set_debugreg(0, (unsigned long)&ss_value), 0);
	CHECK_EQ(hypercall_set_debugreg(7, 0xf0303), 0);
	asm volatile("mov %0, %%ss; nop" : : "m"(ss_value));
	CHECK_EQ(dbs, 1);
	CHECK_EQ(db_dr6 & (DR6_BS | 0xf), 1);
	CHECK_EQ(db_flags & EFLAGS_TF, 0);
	asm volatile("mov %0, %%ss; int3" : : "m"(ss_value));
	asm volatile("mov %0, %%ss; .byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid"
		     :
		     : "m"(ss_value), "a"(0)
		     : "rbx", "rcx", "rdx");
	asm volatile("pushf; popq %0" : "=r"(flags));
	CHECK_EQ(flags & EFLAGS_TF, 0);
	CHECK_EQ(hypercall_set_debugreg(7, 0), 0);
	trap_hook = NULL;
}

/* --- debug registers as Xen has them --- */

static unsigned long dr4_read(void)
{
	return FAULT_OF_RAX("mov %%db4, %%rax", 0);
}

static void test_debug_registers(void)
{
	unsigned long cr4;

	CHECK_EQ(hypercall_set_debugreg(6, 1ul << 32), -XEN_EINVAL);
	CHECK_EQ(hypercall_set_debugreg(7, 1ul << 32), -XEN_EINVAL);
	CHECK_EQ(hypercall_set_debugreg(7, 1ul << 13), -XEN_EPERM);
	CHECK_EQ(hypercall_set_debugreg(7, 2ul << 16 | 1), -XEN_EPERM); /* I/O without CR4.DE */
	CHECK_EQ(hypercall_set_debugreg(7, 2ul << 16), 0);
	CHECK_EQ(dr4_read(), TRAP_NONE);
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	asm volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_DE));
	CHECK_EQ(dr4_read(), TRAP_UD);
	CHECK_EQ(hypercall_set_debugreg(4, 0), -XEN_ENODEV);
	CHECK_EQ(hypercall_set_debugreg(7, 2ul << 16 | 1), 0);
	CHECK_EQ(hypercall_get_debugreg(7), 2ul << 16 | 1 | 0x400);
	if (is_dom0()) {
		struct physdev_set_iopl iopl = {.iopl = 1};

		CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
		hypercall_set_debugreg(6, 0);
		CHECK_EQ(hypercall_set_debugreg(0, 0x80), 0);
		dbs = 0;
		trap_hook = db_note;
		asm volatile("outb %%al, $0x81" : : "a"(0));
		CHECK_EQ(dbs, 0);
		asm volatile("outb %%al, $0x80" : : "a"(0));
		CHECK_EQ(dbs, 1);
		CHECK_EQ(db_dr6 & 0xf, 1);
		trap_hook = NULL;
	}
	CHECK_EQ(hypercall_set_debugreg(7, 0), 0);
	asm volatile("mov %0, %%cr4" : : "r"(cr4));
}

/* With the architecture's view of IOPL the kernel is ring 0. Last: it cannot be taken back. */
static void test_architectural_iopl(void)
{
	struct physdev_set_iopl iopl = {.iopl = 0};

	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
	CHECK_EQ(FAULT_OF("cli"), TRAP_GP);
	CHECK_EQ(hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl), 0);
	CHECK_EQ(FAULT_OF("cli"), TRAP_NONE);
}

void test_main(void)
{
	events_disable();
	test_syscall_flags();
	test_syscall_missing();
	test_sysenter();
	test_ldt_missing();
	test_failsafe();
	test_stack_operands();
	test_prefixed_interrupt();
	test_mov_ss();
	test_debug_registers();
	test_architectural_iopl();
}
