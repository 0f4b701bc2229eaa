/* SPDX-License-Identifier: MIT */
/* Single instructions that C cannot say, and the model-specific registers and control bits they act on (SDM vol. 4, APM vol. 2). */
#ifndef X86_ASM_H
#define X86_ASM_H

#include "lib/types.h"

#define CR0_PE	       BIT32(0)
#define CR0_MP	       BIT32(1)
#define CR0_TS	       BIT32(3)
#define CR0_ET	       BIT32(4)
#define CR0_NE	       BIT32(5)
#define CR0_WP	       BIT32(16)
#define CR0_PG	       BIT32(31)
#define CR4_TSD	       BIT32(2)
#define CR4_DE	       BIT32(3)
#define CR4_PAE	       BIT32(5)
#define CR4_MCE	       BIT32(6)
#define CR4_PGE	       BIT32(7)
#define CR4_OSFXSR     BIT32(9)
#define CR4_OSXMMEXCPT BIT32(10)
#define CR4_FSGSBASE   BIT32(16)
#define CR4_OSXSAVE    BIT32(18)
#define CR4_SMEP       BIT32(20)
#define BIT32(n)       (1UL << (n))

#define RFLAGS_CF   0x00000001UL
#define RFLAGS_MBS  0x00000002UL
#define RFLAGS_TF   0x00000100UL
#define RFLAGS_IF   0x00000200UL
#define RFLAGS_DF   0x00000400UL
#define RFLAGS_IOPL 0x00003000UL
#define RFLAGS_NT   0x00004000UL
#define RFLAGS_RF   0x00010000UL
#define RFLAGS_VM   0x00020000UL
#define RFLAGS_AC   0x00040000UL
#define RFLAGS_VIF  0x00080000UL
#define RFLAGS_VIP  0x00100000UL
#define RFLAGS_ID   0x00200000UL

#define MSR_IA32_TSC	      0x10
#define MSR_IA32_APICBASE     0x1b
#define MSR_IA32_MISC_ENABLE  0x1a0
#define MSR_IA32_PAT	      0x277
#define MSR_IA32_DEBUGCTL     0x1d9
#define MSR_IA32_TSC_DEADLINE 0x6e0
#define MSR_X2APIC_BASE	      0x800
#define MSR_EFER	      0xc0000080
#define MSR_STAR	      0xc0000081
#define MSR_LSTAR	      0xc0000082
#define MSR_CSTAR	      0xc0000083
#define MSR_SYSCALL_MASK      0xc0000084
#define MSR_FS_BASE	      0xc0000100
#define MSR_GS_BASE	      0xc0000101
#define MSR_KERNEL_GS_BASE    0xc0000102
#define EFER_SCE	      0x001
#define EFER_NXE	      0x800
#define EFER_SVME	      0x1000

#define ASM_READER(name, insn)                                   \
	static inline unsigned long name(void)                   \
	{                                                        \
		unsigned long v_;                                \
		__asm__ __volatile__(insn : "=r"(v_)::"memory"); \
		return v_;                                       \
	}
#define ASM_WRITER(name, insn)                                   \
	static inline void name(unsigned long v_)                \
	{                                                        \
		__asm__ __volatile__(insn ::"r"(v_) : "memory"); \
	}
ASM_READER(read_cr0, "mov %%cr0, %0")
ASM_READER(read_cr2, "mov %%cr2, %0")
ASM_READER(read_cr3, "mov %%cr3, %0")
ASM_READER(read_cr4, "mov %%cr4, %0")
ASM_WRITER(write_cr0, "mov %0, %%cr0")
ASM_WRITER(write_cr3, "mov %0, %%cr3")
ASM_WRITER(write_cr4, "mov %0, %%cr4")
/* Only with CR4.FSGSBASE set. */
ASM_READER(rdfsbase, "rdfsbase %0")
ASM_READER(rdgsbase, "rdgsbase %0")
#define read_dr(n)                                                     \
	({                                                             \
		unsigned long v_;                                      \
		__asm__ __volatile__("mov %%db" #n ", %0" : "=r"(v_)); \
		v_;                                                    \
	})
#define write_dr(n, v) __asm__ __volatile__("mov %0, %%db" #n ::"r"((unsigned long)(v)))

static inline void invlpg(unsigned long va)
{
	__asm__ __volatile__("invlpg (%0)" ::"r"(va) : "memory");
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ __volatile__("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ __volatile__("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			     : "memory");
}

/* As above, for registers the CPU may not have: true on success (a #GP is caught by the exception table). */
bool rdmsr_safe(uint32_t msr, uint64_t *v);
bool wrmsr_safe(uint32_t msr, uint64_t v);

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ __volatile__("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline void cpuid_count(uint32_t leaf, uint32_t sub, uint32_t *a, uint32_t *b, uint32_t *c,
			       uint32_t *d)
{
	__asm__ __volatile__("cpuid"
			     : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d)
			     : "a"(leaf), "c"(sub));
}

/* One register of a leaf; 0 where the CPU, or the hypervisor below, has no such leaf. */
enum { CPUID_A, CPUID_B, CPUID_C, CPUID_D };
static inline uint32_t cpuid_reg(uint32_t leaf, unsigned int reg)
{
	uint32_t r[4];

	cpuid_count(leaf & 0xffff0000, 0, &r[0], &r[1], &r[2], &r[3]);
	if ((r[0] ^ leaf) >> 16 || r[0] < leaf)
		return 0;
	cpuid_count(leaf, 0, &r[0], &r[1], &r[2], &r[3]);
	return r[reg];
}

/* outb(port, v) and inb(port), and so on for the wider ones. */
#define ASM_PORT(suffix, type)                                                       \
	static inline void out##suffix(uint16_t port, type v)                        \
	{                                                                            \
		__asm__ __volatile__("out" #suffix " %0, %1" ::"a"(v), "Nd"(port));  \
	}                                                                            \
	static inline type in##suffix(uint16_t port)                                 \
	{                                                                            \
		type v;                                                              \
		__asm__ __volatile__("in" #suffix " %1, %0" : "=a"(v) : "Nd"(port)); \
		return v;                                                            \
	}
ASM_PORT(b, uint8_t)
ASM_PORT(w, uint16_t)
ASM_PORT(l, uint32_t)

/* An access of 1, 2 or 4 bytes. */
static inline uint32_t port_in(uint16_t port, unsigned int bytes)
{
	return bytes == 1 ? inb(port) : bytes == 2 ? inw(port) : inl(port);
}

static inline void port_out(uint16_t port, unsigned int bytes, uint32_t v)
{
	if (bytes == 1)
		outb(port, (uint8_t)v);
	else if (bytes == 2)
		outw(port, (uint16_t)v);
	else
		outl(port, v);
}

static inline void cpu_pause(void)
{
	__asm__ __volatile__("pause" ::: "memory");
}

/* Device registers: one access of exactly this width. */
static inline uint32_t mmio_read32(const volatile void *p)
{
	return *(const volatile uint32_t *)p;
}
static inline void mmio_write32(volatile void *p, uint32_t v)
{
	*(volatile uint32_t *)p = v;
}

#endif
