/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables and the registers that point to them. One GDT fragment serves all CPUs: it holds the flat segments at
 * the selectors the ABI fixes and, per CPU, a TSS and an LDT descriptor. Guests see it as the last two pages of their own
 * GDT. One IDT serves all CPUs. Each CPU has its own TSS, for RSP0 and the interrupt stacks.
 */
#include "x86/desc.h"
#include "boot/boot_info.h"
#include "lib/log.h"
#include "x86/asm.h"
#include "x86/cpu.h"

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t ist[8]; /* [1..7]; [0] is reserved */
	uint64_t reserved2;
	uint16_t reserved3, iomap_base;
} __packed;
_Static_assert(sizeof(struct tss) == 104, "APM vol. 2 figure 12-8");

struct idt_gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
} __packed;

#define GATE_INTERRUPT 0x8e
#define GATE_DPL3      0x60

_Static_assert(sizeof(struct cpu_info) <= CPU_INFO_RESERVE, "head.S leaves room for it");
/* The CPU aligns the stack to 16 before it pushes (SDM vol. 3 section 6.14.2): the frame must end on such a boundary. */
_Static_assert((sizeof(struct cpu_info) - offsetof(struct cpu_user_regs, es)) % 16 == 0,
	       "frame alignment");

uint64_t hyp_gdt[GDT_RESERVED_ENTRIES] __aligned(PAGE_SIZE) = {
	[(SEL_HYP_CS - GDT_RESERVED_BASE) / 8] = 0x00af9b000000ffff,
	[(SEL_HYP_DS - GDT_RESERVED_BASE) / 8] = 0x00cf93000000ffff,
	[(SEL_RING3_CS32 - GDT_RESERVED_BASE) / 8] = 0x00cffb000000ffff,
	[(SEL_RING3_DS - GDT_RESERVED_BASE) / 8] = 0x00cff3000000ffff,
	[(SEL_RING3_CS64 - GDT_RESERVED_BASE) / 8] = 0x00affb000000ffff,
};
unsigned long hyp_cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_MCE | CR4_DE;

static struct idt_gate idt[256] __aligned(PAGE_SIZE);
static DEFINE_PER_CPU(struct tss, tss);

extern const char idt_stubs[], syscall_stubs[], syscall32_stubs[], sysenter_entry[];
extern uint64_t syscall_scratch[][2];

static void idt_build(void)
{
	for (unsigned int i = 0; i < 256; i++) {
		uint64_t addr = (uint64_t)idt_stubs + i * 16;

		idt[i] = (struct idt_gate){
			.offset_low = (uint16_t)addr,
			.offset_mid = (uint16_t)(addr >> 16),
			.offset_high = (uint32_t)(addr >> 32),
			.selector = SEL_HYP_CS,
			.type = GATE_INTERRUPT,
		};
	}
	idt[1].ist = IST_DB;
	idt[2].ist = IST_NMI;
	idt[8].ist = IST_DF;
	idt[18].ist = IST_MCE;
	/* What user code may raise itself: INT3, INTO, and the old system call. */
	idt[3].type |= GATE_DPL3;
	idt[4].type |= GATE_DPL3;
	idt[0x80].type |= GATE_DPL3;
}

/* A system descriptor of 16 bytes (APM vol. 2 section 4.8.3). */
static void system_desc_set(unsigned int sel, unsigned long base, unsigned long limit,
			    unsigned int type)
{
	uint64_t *d = &hyp_gdt[(sel - GDT_RESERVED_BASE) / 8];

	d[1] = base >> 32;
	d[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | (uint64_t)(0x80 | type) << 40 |
	       (limit >> 16 & 0xf) << 48 | (base >> 24 & 0xff) << 56;
}

void load_gdt(unsigned long base)
{
	struct desc_ptr p = {.limit = 0xffff, .base = base};

	__asm__ __volatile__("lgdt %0" ::"m"(p));
}

void load_gdt_default(void)
{
	load_gdt((unsigned long)hyp_gdt - GDT_RESERVED_BASE);
}

void load_ldt(unsigned int cpu, unsigned long base, unsigned int entries)
{
	uint16_t sel = 0;

	if (entries) {
		sel = SEL_LDT(cpu);
		system_desc_set(sel, base, entries * 8 - 1, 0x02);
	}
	__asm__ __volatile__("lldt %0" ::"r"(sel));
}

static void tss_load(unsigned int cpu)
{
	struct cpu_info *ci = cpu_info();
	unsigned long stack = (unsigned long)ci & ~(STACK_SIZE - 1);
	struct tss *t = &per_cpu(tss, cpu);

	t->rsp[0] = (uint64_t)&ci->guest_regs.es;
	for (unsigned int i = IST_MCE; i <= IST_DB; i++)
		t->ist[i] = stack + i * PAGE_SIZE;
	t->iomap_base = sizeof(*t);
	system_desc_set(SEL_TSS(cpu), (unsigned long)t, sizeof(*t) - 1, 0x09);
	__asm__ __volatile__("ltr %0" ::"r"((uint16_t)SEL_TSS(cpu)));
}

static void segments_load(void)
{
	__asm__ __volatile__("pushq %0\n\t"
			     "lea 1f(%%rip), %%rax\n\t"
			     "pushq %%rax\n\t"
			     "lretq\n"
			     "1:\tmov %1, %%ss\n\t"
			     "mov %2, %%ds\n\t"
			     "mov %2, %%es\n\t"
			     "mov %2, %%fs\n\t"
			     "mov %2, %%gs"
			     :
			     : "i"(SEL_HYP_CS), "r"(0), "r"(0)
			     : "rax", "memory");
}

/*
 * SYSRET loads CS with STAR[63:48]+16 and SS with +8 (APM vol. 2 section 6.1.1); SYSCALL loads CS with STAR[47:32], SS with +8.
 */
static void syscall_setup(unsigned int cpu)
{
	syscall_scratch[cpu][1] = (uint64_t)&cpu_info()->guest_regs.es;
	wrmsr(MSR_STAR, (uint64_t)SEL_RING3_CS32 << 48 | (uint64_t)SEL_HYP_CS << 32);
	wrmsr(MSR_LSTAR, (uint64_t)syscall_stubs + cpu * 64);
	wrmsr(MSR_CSTAR, (uint64_t)syscall32_stubs + cpu * 64);
	wrmsr(MSR_SYSCALL_MASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT |
					RFLAGS_RF | RFLAGS_VM | RFLAGS_AC | RFLAGS_VIF |
					RFLAGS_VIP | RFLAGS_ID);
	if (cpuid_reg(1, CPUID_D) & BIT32(11)) { /* SEP */
		wrmsr(0x174, SEL_HYP_CS);
		wrmsr(0x175, (uint64_t)&cpu_info()->guest_regs.es);
		wrmsr(0x176, (uint64_t)sysenter_entry);
	}
}

void desc_probe_features(void)
{
	idt_build();
	if (cpuid_reg(1, CPUID_C) & BIT32(26))
		hyp_cr4 |= CR4_OSXSAVE;
	if (cpuid_reg(7, CPUID_B) & BIT32(7))
		hyp_cr4 |= CR4_SMEP;
	if (cpuid_reg(7, CPUID_B) & BIT32(0))
		hyp_cr4 |= CR4_FSGSBASE;
}

/* PAT: WB WT UC- UC WC WP UC UC, the value PV guests are told they have (public/arch-x86: MSR 277h is read-only to them). */
#define PAT_VALUE 0x050100070406UL

void cpu_setup(unsigned int cpu)
{
	struct desc_ptr idtr = {.limit = sizeof(idt) - 1, .base = (uint64_t)idt};

	load_gdt_default();
	segments_load();
	__asm__ __volatile__("lidt %0" ::"m"(idtr));
	load_ldt(cpu, 0, 0);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
	wrmsr(MSR_IA32_PAT, PAT_VALUE);
	write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	cr4_load(hyp_cr4);
	tss_load(cpu);
	syscall_setup(cpu);
}
