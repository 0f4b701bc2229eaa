/* SPDX-License-Identifier: MIT */
/*
 * Corners of the iret hypercall and of the failsafe callback: selectors that cannot be loaded,
 * addresses that are not canonical, flags a guest may not set, the interrupt flag as event mask, and
 * the system call form that leaves %rcx and %r11 alone.
 */
#include "guest.h"

TEST("iret");

extern char iret_user_code[], iret_nop[];
static struct regs seen;
static int seen_vector;
static unsigned char stack[4096] PAGE_ALIGNED;

/* Leave with f; the first trap after it is kept in seen and control comes back here. */
unsigned long iret_try(struct iret_frame *f);
void iret_back(void) __attribute__((noreturn));

asm(".text\n"
    "iret_try:\n"
    "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "	mov %rsp, iret_saved(%rip)\n"
    "	mov %rdi, %rsp\n"
    "	mov $23, %eax\n"
    "	syscall\n"
    "	ud2\n"
    "iret_back:\n"
    "	mov iret_saved(%rip), %rsp\n"
    "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "	ret\n"
    "iret_nop: nop\n"
    "iret_user_code:\n"
    "	int $0x80\n"
    "	jmp iret_user_code\n"
    ".data\n"
    "iret_saved: .quad 0\n"
    ".text\n");

static bool take(struct regs *r)
{
	seen = *r;
	seen_vector = r->vector;
	iret_back();
}

static int attempt(struct iret_frame f)
{
	seen_vector = TRAP_NONE;
	trap_hook = take;
	iret_try(&f);
	trap_hook = NULL;
	return seen_vector;
}

static struct iret_frame frame(bool user)
{
	return (struct iret_frame){
		.rax = 0xaaaa,
		.r11 = 0xbbbb,
		.rcx = 0xcccc,
		.rip = (unsigned long)iret_user_code,
		.cs = user ? FLAT_USER_CS : FLAT_KERNEL_CS & ~3,
		.rflags = 0x202,
		.rsp = (unsigned long)stack + 2048,
		.ss = FLAT_USER_SS,
	};
}

static void test_plain(void)
{
	struct iret_frame f = frame(false);

	CHECK_EQ(attempt(f), 0x80);
	CHECK_EQ(seen.rip, (unsigned long)iret_user_code + 2);
	CHECK_EQ(seen.rax, 0xaaaa);
	CHECK_EQ(seen.rcx, 0xcccc);
	CHECK_EQ(seen.r11, 0xbbbb);
	CHECK_EQ(seen.cs & 3, 0);
	CHECK_EQ(seen.rsp, f.rsp);
	CHECK_EQ(attempt(frame(true)), 0x80);
	CHECK_EQ(seen.cs & 0xffff, FLAT_USER_CS);
	CHECK_EQ(seen.ss & 0xffff, FLAT_USER_SS);
}

static void test_in_syscall(void)
{
	struct iret_frame f = frame(true);

	f.flags = VGCF_in_syscall;
	CHECK_EQ(attempt(f), 0x80);
	CHECK_EQ(seen.rax, 0xaaaa);
	CHECK_EQ(seen.rip, (unsigned long)iret_user_code + 2);
}

/* IOPL and VM never get through; IF becomes the event mask and reads back from it. */
static void test_flags(void)
{
	struct iret_frame f = frame(true);

	f.rflags = 0x202 | EFLAGS_IOPL | EFLAGS_AC | 0xd5;
	CHECK_EQ(attempt(f), 0x80);
	CHECK_EQ(seen.rflags & EFLAGS_IOPL, 0);
	CHECK_EQ(seen.rflags & 0xd5, 0xd5);
	CHECK_EQ(seen.rflags & EFLAGS_AC, EFLAGS_AC);
	CHECK(seen.rflags & EFLAGS_IF);
	f = frame(false);
	f.rflags = 2;
	CHECK_EQ(attempt(f), 0x80);
	CHECK_EQ(seen.rflags & EFLAGS_IF, 0);
	CHECK(vcpu_info0()->evtchn_upcall_mask);
	f.rflags = 0x302;
	f.rip = (unsigned long)iret_nop;
	CHECK_EQ(attempt(f), TRAP_DB);
	CHECK_EQ(seen.rflags & EFLAGS_TF, EFLAGS_TF);
}

/* What the processor refuses to load on the way out comes back through a callback, not as a crash. */
static void test_bad_selectors(void)
{
	static const uint16_t bad[] = {0x0008, 0x0010, 0xe02b, 0x1238, 0xe000, 0xfff8, 0x0004};
	struct iret_frame f;
	int v;

	for (unsigned int i = 0; i < ARRAY_LEN(bad); i++) {
		f = frame(true);
		f.cs = bad[i] | 3;
		v = attempt(f);
		CHECK(v == TRAP_GP || v == TRAP_NP || v == TRAP_FAILSAFE);
		f = frame(true);
		f.ss = bad[i] | 3;
		if (bad[i] == (FLAT_USER_SS & 0xffff))
			continue;
		v = attempt(f);
		CHECK(v == TRAP_GP || v == TRAP_SS || v == TRAP_FAILSAFE);
	}
}

static void test_bad_addresses(void)
{
	struct iret_frame f = frame(true);
	int v;

	f.rip = 0x0008000000000000;
	v = attempt(f);
	CHECK(v == TRAP_GP || v == TRAP_FAILSAFE);
	f = frame(true);
	f.rip = 0x00007ffffffffffe;
	v = attempt(f);
	CHECK_EQ(v, TRAP_PF);
	f = frame(true);
	f.rip = 0xffff82d040200000;
	CHECK_EQ(attempt(f), TRAP_PF);
	f = frame(true);
	f.rip = 0x12345678;
	CHECK_EQ(attempt(f), TRAP_PF);
	CHECK_EQ(seen.rip, 0x12345678);
	CHECK_EQ(vcpu_info0()->arch.cr2, 0x12345678);
	f = frame(true);
	f.rsp = 0x0008000000000000;
	CHECK_EQ(attempt(f), 0x80);
}

void test_main(void)
{
	events_disable();
	test_plain();
	test_in_syscall();
	test_flags();
	test_bad_addresses();
	test_bad_selectors();
}
