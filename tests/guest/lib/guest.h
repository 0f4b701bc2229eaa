/* SPDX-License-Identifier: MIT */
/*
 * What a test kernel may use.  One include per test: console, verdicts, traps with expected faults,
 * page tables, events and user mode.  There is no allocator beyond page_alloc() and no scheduler; a
 * test is one function, test_main(), that runs once on vCPU 0 and ends with a verdict.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hypercall.h"

#define GUEST_BASE   0xffffffff80000000ul
#define PAGE_SIZE    4096ul
#define PAGE_SHIFT   12
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE_ALIGNED __attribute__((aligned(4096)))

/* The Xen errno values, positive as in xen/errno.h. */
#define XEN_ERRNO(name, value) enum { XEN_##name = value };
#include <xen/errno.h>

/* ---- start of day ---- */

extern start_info_t *start_info;
/* The whole page is replaced by the hypervisor's, so nothing else may share it. */
extern union shared_page {
	shared_info_t info;
	unsigned char page[4096];
} shared_page;
#define shared (shared_page.info)
extern char _image_start[], _image_end[];

extern const char test_name[]; /* set by TEST() */
void test_main(void);

#define TEST(name) const char test_name[] = name

static inline bool is_dom0(void)
{
	return start_info->flags & SIF_INITDOMAIN;
}

/* ---- console ---- */

int guest_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int guest_snprintf(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void console_init(void);
void console_ring_map(void);
void console_write(const char *s, size_t n);

/* ---- verdicts ---- */

void verdict_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void verdict_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void verdict_error(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void verdict_finish(void) __attribute__((noreturn));
void guest_shutdown(unsigned int reason) __attribute__((noreturn));

/* Note one failed condition and go on; CHECK_EQ() also prints both values. */
#define CHECK(cond)                                                           \
	do {                                                                  \
		verdict_count();                                              \
		if (!(cond))                                                  \
			verdict_fail("%s:%d: %s", __FILE__, __LINE__, #cond); \
	} while (0)

#define CHECK_EQ(got, want)                                                                    \
	do {                                                                                   \
		long got_ = (long)(got), want_ = (long)(want);                                 \
		verdict_count();                                                               \
		if (got_ != want_)                                                             \
			verdict_fail("%s:%d: %s is %ld (%#lx), expected %ld (%#lx)", __FILE__, \
				     __LINE__, #got, got_, got_, want_, want_);                \
	} while (0)

void verdict_count(void);

/* ---- traps ---- */

struct regs {
	unsigned long r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	unsigned long vector, error;
	unsigned long rip, cs, rflags, rsp, ss;
};

struct iret_frame {
	unsigned long rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

enum {
	TRAP_DE = 0,
	TRAP_DB = 1,
	TRAP_NMI = 2,
	TRAP_BP = 3,
	TRAP_OF = 4,
	TRAP_BR = 5,
	TRAP_UD = 6,
	TRAP_NM = 7,
	TRAP_NP = 11,
	TRAP_SS = 12,
	TRAP_GP = 13,
	TRAP_PF = 14,
	TRAP_MF = 16,
	TRAP_AC = 17,
	TRAP_XM = 19,
	TRAP_EVENT = 0x100,
	TRAP_FAILSAFE = 0x101,
	TRAP_SYSCALL = 0x102,
	TRAP_NONE = -1,
};

#define EFLAGS_IF   0x200ul
#define EFLAGS_TF   0x100ul
#define EFLAGS_DF   0x400ul
#define EFLAGS_IOPL 0x3000ul
#define EFLAGS_AC   0x40000ul

#define PF_PRESENT 1u
#define PF_WRITE   2u
#define PF_USER	   4u
#define PF_FETCH   16u

/* The most recent fault that a fixup or a hook consumed. */
struct fault {
	int vector;
	unsigned long error, cr2, rip, cs, rflags, rsp;
};

extern struct fault last_fault;
extern unsigned long failsafe_selectors[4];
extern char trap_stubs[], event_entry[], failsafe_entry[], syscall_entry[], vcpu_entry[];

/* A hook sees a trap first and returns true when it dealt with it. */
typedef bool (*trap_hook_t)(struct regs *r);
extern trap_hook_t trap_hook;

void trap_init(void);
void trap_dispatch(struct regs *r);
void trap_callbacks_set(void);
void iret_raw(const struct iret_frame *f) __attribute__((noreturn));
void regs_return(void);

/* Wrap one instruction so that a fault in it resumes behind it, with last_fault filled in. */
#define FIXUP(insn)                     \
	"771: " insn "\n772:\n"         \
	".pushsection .fixups, \"a\"\n" \
	".quad 771b, 772b\n"            \
	".popsection\n"

static inline void fault_clear(void)
{
	last_fault = (struct fault){.vector = TRAP_NONE};
}

/* Run one instruction without operands; its fault vector or TRAP_NONE. */
#define FAULT_OF(insn)                                          \
	({                                                      \
		fault_clear();                                  \
		asm volatile(FIXUP(insn) : : : "memory", "cc"); \
		last_fault.vector;                              \
	})

/* The same with one input in %rax, which the instruction may use as operand. */
#define FAULT_OF_RAX(insn, val)                                                          \
	({                                                                               \
		unsigned long rax_ = (unsigned long)(val);                               \
		fault_clear();                                                           \
		asm volatile(FIXUP(insn) : "+a"(rax_) : : "rcx", "rdx", "memory", "cc"); \
		last_fault.vector;                                                       \
	})

int fault_read(const volatile void *p, unsigned long *val);
int fault_write(volatile void *p, unsigned long val);
int fault_rdmsr(uint32_t msr, uint64_t *val);
int fault_wrmsr(uint32_t msr, uint64_t val);

/* ---- page tables ---- */

#define PTE_P	  0x001ul
#define PTE_W	  0x002ul
#define PTE_U	  0x004ul
#define PTE_PWT	  0x008ul
#define PTE_PCD	  0x010ul
#define PTE_A	  0x020ul
#define PTE_D	  0x040ul
#define PTE_PS	  0x080ul
#define PTE_G	  0x100ul
#define PTE_NX	  0x8000000000000000ul
#define PTE_FRAME 0x000ffffffffff000ul
#define PTE_RO	  (PTE_P | PTE_U | PTE_A | PTE_D)
#define PTE_RW	  (PTE_RO | PTE_W)

static inline unsigned long virt_to_pfn(const volatile void *p)
{
	return ((unsigned long)p - GUEST_BASE) >> PAGE_SHIFT;
}

static inline void *pfn_to_virt(unsigned long pfn)
{
	return (void *)((pfn << PAGE_SHIFT) + GUEST_BASE);
}

static inline unsigned long pfn_to_mfn(unsigned long pfn)
{
	return ((unsigned long *)start_info->mfn_list)[pfn];
}

static inline unsigned long virt_to_mfn(const volatile void *p)
{
	return pfn_to_mfn(virt_to_pfn(p));
}

static inline unsigned long mfn_to_pfn(unsigned long mfn)
{
	return machine_to_phys_mapping[mfn];
}

static inline uint64_t pte_of(unsigned long mfn, uint64_t flags)
{
	return ((uint64_t)mfn << PAGE_SHIFT) | flags;
}

extern uint64_t *root_table;

void *page_alloc(void); /* one zeroed page from the image, mapped writable */
uint64_t *pte_find(unsigned long va, unsigned int level); /* entry mapping va, NULL if none */
uint64_t pte_maddr(const volatile uint64_t *entry);	  /* machine address of a table entry */
long pte_write(volatile uint64_t *entry, uint64_t val);	  /* by mmu_update */
long page_protect(void *page, uint64_t flags);		  /* change an image page's mapping */
void page_map(unsigned long va, uint64_t pte);		  /* creates tables as needed */
long mmuext(unsigned int cmd, unsigned long arg);
long mmuext2(unsigned int cmd, unsigned long arg1, unsigned long arg2);
void tlb_flush(void);

/* ---- events ---- */

typedef void (*event_fn)(evtchn_port_t port);

void event_handler_set(evtchn_port_t port, event_fn fn);
void event_dispatch(void);
void event_upcall_poll(void); /* deliver what is pending with events masked */
evtchn_port_t event_bind_virq(unsigned int virq, event_fn fn);
evtchn_port_t event_alloc_unbound(domid_t remote);
domid_t domain_self(void);
bool event_pending(evtchn_port_t port);
bool event_pending_clear(evtchn_port_t port);
void event_mask_set(evtchn_port_t port, bool on);

static inline struct vcpu_info *vcpu_info0(void)
{
	return &shared.vcpu_info[0];
}

static inline void events_disable(void)
{
	((volatile struct vcpu_info *)vcpu_info0())->evtchn_upcall_mask = 1;
	asm volatile("" : : : "memory");
}

void events_enable(void);

/* ---- time ---- */

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return ((uint64_t)hi << 32) | lo;
}

uint64_t clock_ns(void); /* system time from pvclock */

/* ---- user mode ---- */

/* Call fn(arg) in user mode on its own stack; its result, or USER_FAULTED with last_fault set. */
#define USER_FAULTED 0xfa017edul
unsigned long user_call(unsigned long (*fn)(unsigned long), unsigned long arg);
unsigned long user_call_flags(unsigned long (*fn)(unsigned long), unsigned long arg,
			      unsigned long rflags);
void user_init(void);
bool user_trap(struct regs *r);
extern bool (*user_syscall_hook)(struct regs *r);

/* ---- small string functions ---- */

void *memset(void *d, int c, size_t n);
void *memcpy(void *d, const void *s, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
const char *cmdline_value(const char *key); /* text behind "key=" or NULL */
unsigned long cmdline_number(const char *key, unsigned long otherwise); /* decimal */

/* ---- numbers that repeat with their seed ---- */

void random_seed(uint64_t seed);
uint64_t random64(void);
unsigned int random_below(unsigned int n);

#endif
