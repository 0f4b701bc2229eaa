/* SPDX-License-Identifier: MIT */
/*
 * Segment descriptors: what update_descriptor and set_gdt accept, loading selectors from a table of
 * our own, the LDT, and gates and system descriptors that a guest must never have.
 */
#include "guest.h"

TEST("descriptors");

#define DATA3	  0x00cff3000000fffful /* flat data, ring 3 */
#define DATA0	  0x00cf93000000fffful /* flat data, ring 0 */
#define CODE3	  0x00affb000000fffful /* 64-bit code, ring 3 */
#define CALL_GATE 0x0000ec0000080000ul /* 32-bit call gate, ring 3 */
#define LDT_DESC  0x0000e2000000fffful
#define TSS_DESC  0x0000e9000000fffful

static uint64_t gdt[512] PAGE_ALIGNED;
static uint64_t ldt[512] PAGE_ALIGNED;

static unsigned long selector_load(unsigned int sel)
{
	fault_clear();
	asm volatile(FIXUP("mov %0, %%es") : : "r"(sel) : "memory");
	return last_fault.vector;
}

static long set(unsigned int i, uint64_t desc)
{
	return hypercall_update_descriptor(pte_of(virt_to_mfn(gdt), 0) + i * 8, desc);
}

static void test_set_gdt(void)
{
	unsigned long frame = virt_to_mfn(gdt);

	gdt[1] = DATA3;
	/* While the page is mapped writable it cannot be a descriptor page. */
	CHECK_EQ(hypercall_set_gdt(&frame, 512), -XEN_EINVAL);
	CHECK_EQ(page_protect(gdt, PTE_RO), 0);
}

static void gdt_install(void)
{
	unsigned long frame = virt_to_mfn(gdt);

	CHECK_EQ(page_protect(gdt, PTE_RO), 0);
	CHECK_EQ(hypercall_set_gdt(&frame, 512), 0);
	CHECK_EQ(page_protect(gdt, PTE_RW), -XEN_EBUSY);
	CHECK_EQ(selector_load(0x0b), TRAP_NONE);
	CHECK_EQ(selector_load(0), TRAP_NONE);
	frame = 0xfffffff;
	CHECK_EQ(hypercall_set_gdt(&frame, 512), -XEN_EINVAL);
	frame = virt_to_mfn(root_table);
	CHECK_EQ(hypercall_set_gdt(&frame, 512), -XEN_EINVAL);
	CHECK_EQ(hypercall_set_gdt(&frame, FIRST_RESERVED_GDT_ENTRY + 1), -XEN_EINVAL);
}

static void test_update(void)
{
	CHECK_EQ(set(2, DATA3), 0);
	CHECK_EQ(selector_load(0x13), TRAP_NONE);
	CHECK_EQ(set(3, CODE3), 0);
	CHECK_EQ(selector_load(0x1b), TRAP_NONE);
	CHECK_EQ(selector_load(0), TRAP_NONE);
	CHECK_EQ(set(2, 0), 0);
	CHECK_EQ(selector_load(0x13), TRAP_GP);
	CHECK_EQ(last_fault.error, 0x10);
	CHECK_EQ(set(4, DATA3 & ~(1ul << 47)), 0); /* not present */
	CHECK_EQ(selector_load(0x23), TRAP_NP);
	CHECK_EQ(last_fault.error, 0x20);
	CHECK_EQ(set(5, LDT_DESC), -XEN_EINVAL);
	CHECK_EQ(set(5, TSS_DESC), -XEN_EINVAL);
	CHECK_EQ(gdt[5], 0);
	/* A gate is refused or loses its privilege level, so that a program cannot call through it. */
	set(5, CALL_GATE);
	CHECK_EQ(gdt[5] >> 45 & 3, 0);
	/* Ring 0 is raised to ring 3 or refused, never kept. */
	set(6, DATA0);
	CHECK((gdt[6] >> 45 & 3) == 3 || !gdt[6]);
}

/* The same for a gate that lies in the page when it becomes a descriptor table. */
static void test_gates_in_page(void)
{
	unsigned long frame = virt_to_mfn(ldt), own = virt_to_mfn(gdt);
	long rc;

	ldt[0] = CALL_GATE;
	CHECK_EQ(page_protect(ldt, PTE_RO), 0);
	rc = hypercall_set_gdt(&frame, 512);
	CHECK(rc || !(((volatile uint64_t *)ldt)[0] >> 45 & 3));
	CHECK_EQ(hypercall_set_gdt(&own, 512), 0);
	CHECK_EQ(page_protect(ldt, PTE_RW), 0);
	ldt[0] = TSS_DESC;
	CHECK_EQ(page_protect(ldt, PTE_RO), 0);
	CHECK_EQ(hypercall_set_gdt(&frame, 512), -XEN_EINVAL);
	CHECK_EQ(page_protect(ldt, PTE_RW), 0);
	ldt[0] = 0;
}

static void test_ldt(void)
{
	ldt[1] = DATA3;
	CHECK_EQ(page_protect(ldt, PTE_RO), 0);
	CHECK_EQ(mmuext2(MMUEXT_SET_LDT, (unsigned long)ldt, 512), 0);
	CHECK_EQ(selector_load(0x0f), TRAP_NONE);
	CHECK_EQ(selector_load(0x17), TRAP_GP);
	CHECK_EQ(selector_load(0), TRAP_NONE);
	CHECK_EQ(mmuext2(MMUEXT_SET_LDT, (unsigned long)ldt + 8, 512), -XEN_EINVAL);
	CHECK_EQ(mmuext2(MMUEXT_SET_LDT, (unsigned long)ldt, 8193), -XEN_EINVAL);
	CHECK_EQ(mmuext2(MMUEXT_SET_LDT, 0xffff82d040200000, 512), -XEN_EINVAL);
	CHECK_EQ(mmuext2(MMUEXT_SET_LDT, 0, 0), 0);
	CHECK_EQ(selector_load(0x0f), TRAP_GP);
	CHECK_EQ(page_protect(ldt, PTE_RW), 0);
}

static void test_segment_base(void)
{
	static unsigned long value = 0x1122334455667788;
	unsigned long got;

	CHECK_EQ(hypercall_set_segment_base(SEGBASE_FS, (unsigned long)&value), 0);
	asm volatile("mov %%fs:0, %0" : "=r"(got));
	CHECK_EQ(got, value);
	CHECK_EQ(hypercall_set_segment_base(SEGBASE_GS_KERNEL, (unsigned long)&value - 8), 0);
	asm volatile("mov %%gs:8, %0" : "=r"(got));
	CHECK_EQ(got, value);
	CHECK_EQ(hypercall_set_segment_base(SEGBASE_GS_USER, 0x1000), 0);
	asm volatile("mov %%gs:8, %0" : "=r"(got));
	CHECK_EQ(got, value);
	CHECK_EQ(hypercall_set_segment_base(SEGBASE_GS_USER_SEL, 0), 0);
	CHECK_EQ(hypercall_set_segment_base(SEGBASE_FS, 0x0008000000000000), -XEN_EINVAL);
}

void test_main(void)
{
	events_disable();
	test_set_gdt();
	gdt_install();
	test_update();
	test_gates_in_page();
	test_ldt();
	test_segment_base();
	CHECK_EQ(hypercall_set_gdt(NULL, 0), 0);
	CHECK_EQ(page_protect(gdt, PTE_RW), 0);
}
