/* SPDX-License-Identifier: MIT */
/*
 * What one operation costs a PV kernel: RDTSC before and after it, 200 times, least and mean.  Meant
 * for an emulator whose clock counts instructions, where both must be the same and repeat exactly;
 * the empty pair is printed as the first row and is included in every other.
 *
 * Output: "ROW <name> <min> <mean>", read by bench/run.
 */
#include "guest.h"

TEST("bench");

#define REPEATS 200

extern uint64_t boot_tsc;
extern char ud2_entry[];

struct row {
	uint64_t min, sum;
};

static struct row row;

static void row_start(void)
{
	row = (struct row){.min = ~0ul};
}

static void row_add(uint64_t ticks)
{
	if (ticks < row.min)
		row.min = ticks;
	row.sum += ticks;
}

static void row_print(const char *name)
{
	print("ROW %s %lu %lu\n", name, row.min, row.sum / REPEATS);
}

/* The first pass is not counted: it pays for translation and for what is set up on first use. */
#define MEASURE(name, op)                                        \
	do {                                                     \
		row_start();                                     \
		for (unsigned int i_ = 0; i_ <= REPEATS; i_++) { \
			uint64_t t0_ = rdtsc(), t1_;             \
                                                                 \
			op;                                      \
			t1_ = rdtsc();                           \
			if (i_)                                  \
				row_add(t1_ - t0_);              \
		}                                                \
		row_print(name);                                 \
	} while (0)

static multicall_entry_t calls[64];

static void multicall_fill(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		calls[i] = (multicall_entry_t){.op = __HYPERVISOR_xen_version,
					       .args = {XENVER_version}};
}

/* The slope between 8 and 40 operations is the price of one further operation. */
static void measure_multicall(void)
{
	uint64_t few;

	multicall_fill(40);
	MEASURE("multicall_8", hypercall_multicall(calls, 8));
	few = row.min;
	MEASURE("multicall_40", hypercall_multicall(calls, 40));
	print("ROW multicall_op %lu %lu\n", (row.min - few) / 32, (row.min - few) / 32);
}

static void measure_events(void)
{
	struct evtchn_send send = {.port = event_alloc_unbound(DOMID_SELF)};
	struct evtchn_status st = {.dom = DOMID_SELF, .port = send.port};

	MEASURE("evtchn_send", hypercall_event_channel_op(EVTCHNOP_send, &send));
	MEASURE("evtchn_status", hypercall_event_channel_op(EVTCHNOP_status, &st));
	MEASURE("yield", hypercall_sched_op(SCHEDOP_yield, NULL));
}

static void measure_paging(void)
{
	unsigned char *page = page_alloc();
	unsigned long va = (unsigned long)page, mfn = virt_to_mfn(page);
	uint64_t rw = pte_of(mfn, PTE_RW), ro = pte_of(mfn, PTE_RO);
	struct mmuext_op base = {.cmd = MMUEXT_NEW_BASEPTR};
	struct mmuext_op flush = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
	mmu_update_t u = {.ptr = pte_maddr(pte_find(va, 1)), .val = rw};

	base.arg1.mfn = virt_to_mfn(root_table);
	MEASURE("update_va_same", hypercall_update_va_mapping(va, rw, 0));
	MEASURE("update_va_pair", (hypercall_update_va_mapping(va, ro, UVMF_INVLPG),
				   hypercall_update_va_mapping(va, rw, UVMF_INVLPG)));
	MEASURE("mmu_update_same", hypercall_mmu_update(&u, 1, NULL, DOMID_SELF));
	MEASURE("new_baseptr", hypercall_mmuext_op(&base, 1, NULL, DOMID_SELF));
	MEASURE("tlb_flush_local", hypercall_mmuext_op(&flush, 1, NULL, DOMID_SELF));
}

static bool ud2_skip(struct regs *r)
{
	if (r->vector != TRAP_UD)
		return false;
	r->rip += 2;
	return true;
}

/* Once through a C handler that saves every register, as a kernel does, once through the least. */
static void measure_exceptions(void)
{
	struct trap_info bare[2] = {{TRAP_UD, 0, FLAT_KERNEL_CS, (unsigned long)ud2_entry}};

	trap_hook = ud2_skip;
	MEASURE("exception", asm volatile("ud2" : : : "memory"));
	trap_hook = NULL;
	if (hypercall_set_trap_table(bare))
		verdict_error("set_trap_table refused");
	MEASURE("exception_bare", asm volatile("ud2" : : : "memory"));
	trap_init();
}

/* The address-space row is a read and a write of CR3 together, as kernels use them. */
static void measure_traps(void)
{
	unsigned long cr3;
	uint32_t lo, hi;

	MEASURE("trap_mov_cr3", asm volatile("mov %%cr3, %0; mov %0, %%cr3"
					     : "=r"(cr3)
					     :
					     : "memory"));
	MEASURE("trap_write_cr3", asm volatile("mov %0, %%cr3" : : "r"(cr3) : "memory"));
	MEASURE("trap_rdmsr", asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0xc0000080)));
	MEASURE("trap_clts", asm volatile("clts" : : : "memory"));
	MEASURE("trap_cpuid", asm volatile("cpuid" : "=a"(lo) : "a"(0) : "rbx", "rcx", "rdx"));
}

static bool syscall_nop(struct regs *r)
{
	return r->rax == 1;
}

static unsigned long user_syscalls(unsigned long n)
{
	uint64_t t0 = rdtsc();

	for (unsigned long i = 0; i < n; i++)
		asm volatile("syscall" : : "a"(1ul) : "rcx", "r11", "memory");
	return (rdtsc() - t0) / n;
}

static void measure_syscall(void)
{
	unsigned long ticks;

	user_syscall_hook = syscall_nop;
	user_call(user_syscalls, 10);
	ticks = user_call(user_syscalls, REPEATS);
	print("ROW user_syscall %lu %lu\n", ticks, ticks);
}

void test_main(void)
{
	print("ROW boot_tsc %lu %lu\n", boot_tsc, boot_tsc);
	events_disable();
	MEASURE("empty", asm volatile(""));
	MEASURE("null_hypercall", hypercall_xen_version(XENVER_version, NULL));
	measure_multicall();
	measure_events();
	measure_paging();
	measure_exceptions();
	measure_traps();
	measure_syscall();
	CHECK(true);
}
