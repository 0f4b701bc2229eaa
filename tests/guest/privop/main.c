/* SPDX-License-Identifier: MIT */
/*
 * Privileged instructions in the kernel that the hypervisor carries out, and the same in user mode,
 * where they must fault: control registers, CLTS, MSRs, CPUID, port I/O, interrupt flag, HLT, cache and
 * time stamp instructions, XSETBV, and what a guest may not do at all.
 */
#include "guest.h"
#include <xen/arch-x86/cpuid.h>

TEST("privop");

#define CR0_PE		   0x1ul
#define CR0_TS		   0x8ul
#define CR0_WP		   0x10000ul
#define CR0_PG		   0x80000000ul
#define CR4_DE		   0x8ul
#define CR4_VMXE	   0x2000ul
#define CR4_FSGSBASE	   0x10000ul
#define MSR_EFER	   0xc0000080u
#define MSR_FS_BASE	   0xc0000100u
#define MSR_GS_BASE	   0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_LSTAR	   0xc0000082u
#define MSR_APIC_BASE	   0x1bu
#define MSR_MISC_ENABLE	   0x1a0u

#define READ_CR(n)                                                                 \
	({                                                                         \
		unsigned long v_ = 0;                                              \
		fault_clear();                                                     \
		asm volatile(FIXUP("mov %%cr" #n ", %0") : "+r"(v_) : : "memory"); \
		v_;                                                                \
	})
#define WRITE_CR(n, v)                                                        \
	({                                                                    \
		fault_clear();                                                \
		asm volatile(FIXUP("mov %0, %%cr" #n) : : "r"(v) : "memory"); \
		last_fault.vector;                                            \
	})

static void test_cr0(void)
{
	unsigned long cr0 = READ_CR(0);

	CHECK((cr0 & (CR0_PE | CR0_PG)) == (CR0_PE | CR0_PG));
	CHECK_EQ(WRITE_CR(0, cr0 | CR0_TS), TRAP_NONE);
	CHECK(READ_CR(0) & CR0_TS);
	CHECK_EQ(FAULT_OF("clts"), TRAP_NONE);
	CHECK(!(READ_CR(0) & CR0_TS));
	CHECK_EQ(WRITE_CR(0, cr0 & ~CR0_PG), TRAP_GP);
	CHECK_EQ(WRITE_CR(0, cr0 ^ CR0_WP), TRAP_GP);
	CHECK_EQ(WRITE_CR(0, cr0 & ~CR0_TS), TRAP_NONE);
}

static void test_cr2_cr3(void)
{
	unsigned long cr3 = READ_CR(3);

	CHECK_EQ(WRITE_CR(2, 0x123456ul), TRAP_NONE);
	CHECK_EQ(READ_CR(2), 0x123456);
	CHECK_EQ(vcpu_info0()->arch.cr2, 0x123456);
	CHECK_EQ(cr3 >> PAGE_SHIFT, virt_to_mfn(root_table));
	CHECK_EQ(WRITE_CR(3, cr3), TRAP_NONE);
	CHECK_EQ(WRITE_CR(3, 0xffffffff000ul), TRAP_GP);
	CHECK_EQ(WRITE_CR(3, pte_of(virt_to_mfn(&test_name), 0)), TRAP_GP);
	CHECK_EQ(READ_CR(3), cr3);
}

static void test_cr4(void)
{
	unsigned long cr4 = READ_CR(4);

	CHECK_EQ(last_fault.vector, TRAP_NONE);
	CHECK(cr4 & 0x20); /* PAE */
	CHECK_EQ(WRITE_CR(4, cr4), TRAP_NONE);
	CHECK_EQ(WRITE_CR(4, cr4 | CR4_DE), TRAP_NONE);
	WRITE_CR(4, cr4 | CR4_VMXE);
	CHECK(!(READ_CR(4) & CR4_VMXE));
	WRITE_CR(4, cr4);
	fault_clear();
	asm volatile(FIXUP("mov %%cr8, %0") : : "r"(0ul) : "memory");
	CHECK(last_fault.vector == TRAP_NONE || last_fault.vector == TRAP_GP ||
	      last_fault.vector == TRAP_UD);
}

static void test_msr(void)
{
	uint64_t v;

	CHECK_EQ(fault_rdmsr(MSR_EFER, &v), TRAP_NONE);
	CHECK((v & 0x501) == 0x501); /* SCE, LME, LMA */
	CHECK_EQ(fault_wrmsr(MSR_EFER, v), TRAP_NONE);
	CHECK_EQ(fault_wrmsr(MSR_FS_BASE, 0x123000), TRAP_NONE);
	CHECK_EQ(fault_rdmsr(MSR_FS_BASE, &v), TRAP_NONE);
	CHECK_EQ(v, 0x123000);
	CHECK_EQ(fault_wrmsr(MSR_FS_BASE, 0x0008000000000000), TRAP_GP);
	CHECK_EQ(fault_wrmsr(MSR_FS_BASE, 0), TRAP_NONE);
	CHECK_EQ(fault_wrmsr(MSR_GS_BASE, 0x456000), TRAP_NONE);
	CHECK_EQ(fault_rdmsr(MSR_GS_BASE, &v), TRAP_NONE);
	CHECK_EQ(v, 0x456000);
	CHECK_EQ(fault_wrmsr(MSR_KERNEL_GS_BASE, 0x789000), TRAP_NONE);
	CHECK_EQ(fault_rdmsr(MSR_KERNEL_GS_BASE, &v), TRAP_NONE);
	CHECK_EQ(v, 0x789000);
	CHECK_EQ(fault_rdmsr(MSR_APIC_BASE, &v), TRAP_NONE);
	CHECK_EQ(fault_rdmsr(0xdeadbeef, &v), TRAP_GP);
}

/* A guest must never see or set what the hypervisor keeps there. */
static void test_msr_kept(void)
{
	uint64_t v = 0, lstar = 0;

	fault_rdmsr(MSR_LSTAR, &lstar);
	fault_wrmsr(MSR_LSTAR, 0x1000);
	CHECK_EQ(hypercall_xen_version(XENVER_version, NULL), (4 << 16) | 17);
	CHECK(lstar < HYPERVISOR_VIRT_START || lstar >= HYPERVISOR_VIRT_END);
	CHECK(fault_wrmsr(0xdeadbeef, 1) == TRAP_GP || last_fault.vector == TRAP_NONE);
	CHECK_EQ(fault_rdmsr(MSR_EFER, &v), TRAP_NONE);
}

struct leaf {
	uint32_t a, b, c, d;
};

/* The emulated form: the prefix that PV kernels put before CPUID. */
static struct leaf cpuid_forced(uint32_t leaf, uint32_t sub)
{
	struct leaf r;

	asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid"
		     : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
		     : "a"(leaf), "c"(sub));
	return r;
}

static void test_cpuid(void)
{
	struct leaf r = cpuid_forced(0x40000000, 0);

	CHECK_EQ(r.b, XEN_CPUID_SIGNATURE_EBX);
	CHECK_EQ(r.c, XEN_CPUID_SIGNATURE_ECX);
	CHECK_EQ(r.d, XEN_CPUID_SIGNATURE_EDX);
	CHECK(r.a >= 0x40000002);
	r = cpuid_forced(0x40000001, 0);
	CHECK_EQ(r.a, (4 << 16) | 17);
	r = cpuid_forced(0x40000002, 0);
	CHECK_EQ(r.a, 1); /* hypercall pages */
	r = cpuid_forced(1, 0);
	CHECK(r.d & 1);		   /* FPU */
	CHECK(!(r.c & (1u << 5))); /* no VMX for a PV guest */
	CHECK(!(r.c & (1u << 3))); /* no MONITOR: HLT is a hypercall */
	CHECK(r.c & (1u << 31));   /* hypervisor present */
	r = cpuid_forced(0x80000001, 0);
	CHECK(r.d & (1u << 29));   /* long mode */
	CHECK(!(r.c & (1u << 2))); /* no SVM */
	r = cpuid_forced(7, 0);
	CHECK(!(r.b & (1u << 20))); /* no SMAP in ring 3 */
}

static void test_interrupt_flag(void)
{
	unsigned long flags;

	events_disable();
	CHECK(FAULT_OF("cli") == TRAP_NONE || last_fault.vector == TRAP_GP);
	CHECK(FAULT_OF("sti") == TRAP_NONE || last_fault.vector == TRAP_GP);
	asm volatile("pushf; pop %0" : "=r"(flags));
	CHECK(flags & EFLAGS_IF);
	asm volatile("push %0; popf" : : "r"(flags & ~EFLAGS_IF) : "memory", "cc");
	asm volatile("pushf; pop %0" : "=r"(flags));
	CHECK(flags & EFLAGS_IF);
	events_disable();
}

static void test_others(void)
{
	uint64_t a = rdtsc();

	CHECK(rdtsc() > a);
	CHECK(FAULT_OF("wbinvd") == TRAP_NONE || last_fault.vector == TRAP_GP);
	CHECK(FAULT_OF("invd") == TRAP_GP || last_fault.vector == TRAP_NONE);
	fault_clear();
	asm volatile(FIXUP("rdpmc") : : "c"(0) : "rax", "rdx", "memory");
	CHECK(last_fault.vector == TRAP_GP || last_fault.vector == TRAP_NONE);
	CHECK(FAULT_OF("invlpg 0x1000") == TRAP_GP || last_fault.vector == TRAP_NONE);
	CHECK_EQ(FAULT_OF_RAX("lgdt (%%rax)", start_info), TRAP_GP);
	CHECK_EQ(FAULT_OF_RAX("lidt (%%rax)", start_info), TRAP_GP);
	CHECK_EQ(FAULT_OF_RAX("lldt %%ax", 0), TRAP_GP);
	CHECK_EQ(FAULT_OF_RAX("ltr %%ax", 0), TRAP_GP);
	CHECK_EQ(FAULT_OF("swapgs"), TRAP_GP);
	CHECK_EQ(FAULT_OF("sysretq"), TRAP_GP);
	fault_clear();
	asm volatile(FIXUP("xsetbv") : : "a"(0), "d"(0), "c"(0) : "memory");
	CHECK(last_fault.vector == TRAP_GP || last_fault.vector == TRAP_UD);
}

static void timer_seen(evtchn_port_t port)
{
	(void)port;
}

/* HLT faults, as on Xen, or blocks until an event: arm a timer first. */
static void test_hlt(void)
{
	uint64_t t0;
	evtchn_port_t p = event_bind_virq(VIRQ_TIMER, timer_seen);
	struct vcpu_set_singleshot_timer s = {0};

	t0 = clock_ns();
	s.timeout_abs_ns = t0 + 2000000;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &s), 0);
	events_enable();
	CHECK(FAULT_OF("hlt") == TRAP_GP || clock_ns() - t0 >= 2000000);
	events_disable();
	event_mask_set(p, true);
}

/* With I/O privilege the instruction works; a port that is not the guest's reads as nothing. */
static void test_ports(void)
{
	struct physdev_set_iopl iopl = {.iopl = 1};
	uint8_t v;

	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
	fault_clear();
	asm volatile(FIXUP("outb %%al, $0x80") : : "a"(0) : "memory");
	CHECK_EQ(last_fault.vector, TRAP_NONE);
	fault_clear();
	asm volatile(FIXUP("inb $0x64, %%al") : "=a"(v) : : "memory");
	CHECK_EQ(last_fault.vector, TRAP_NONE);
	/* The interrupt controller belongs to the hypervisor: its ports read as nothing or fault. */
	fault_clear();
	asm volatile(FIXUP("outb %%al, $0x21") : : "a"(0xff) : "memory");
	CHECK(last_fault.vector == TRAP_NONE || last_fault.vector == TRAP_GP);
	iopl.iopl = 4;
	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl), -XEN_EINVAL);
	iopl.iopl = 0;
	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
}

#define USER_OP(name, insn)                                                      \
	static unsigned long user_##name(unsigned long arg)                      \
	{                                                                        \
		asm volatile(insn : : "a"(0), "c"(MSR_EFER), "d"(0) : "memory"); \
		return arg;                                                      \
	}

USER_OP(clts, "clts")
USER_OP(cr0, "mov %%cr0, %%rbx")
USER_OP(cr3, "mov %%rax, %%cr3")
USER_OP(rdmsr, "rdmsr")
USER_OP(wrmsr, "wrmsr")
USER_OP(hlt, "hlt")
USER_OP(wbinvd, "wbinvd")
USER_OP(invlpg, "invlpg (%%rax)")
USER_OP(out, "outb %%al, $0x80")
USER_OP(dr, "mov %%rax, %%dr0")

static void test_user(void)
{
	static unsigned long (*const ops[])(unsigned long) = {
		user_clts, user_cr0,	user_cr3,    user_rdmsr, user_wrmsr,
		user_hlt,  user_wbinvd, user_invlpg, user_out,	 user_dr,
	};

	for (unsigned int i = 0; i < ARRAY_LEN(ops); i++) {
		unsigned long got = user_call(ops[i], i);

		if (ops[i] == user_wbinvd && got == i) /* QEMU 10's emulation lets anybody */
			continue;
		CHECK_EQ(got, USER_FAULTED);
		CHECK_EQ(last_fault.vector, TRAP_GP);
		CHECK_EQ(last_fault.error, 0);
	}
}

void test_main(void)
{
	events_disable();
	test_cr0();
	test_cr2_cr3();
	test_cr4();
	test_msr();
	test_msr_kept();
	test_cpuid();
	test_interrupt_flag();
	test_others();
	test_hlt();
	test_ports();
	test_user();
}
