/* SPDX-License-Identifier: MIT */
/*
 * Plain writes to a page table: with the writable page tables assistance the hypervisor carries out
 * the store when the entry is good and hands over the fault when it is not, for every width and form
 * of store that kernels use.
 */
#include "guest.h"

TEST("ptwr");

static unsigned char data[PAGE_SIZE] PAGE_ALIGNED;
static unsigned char window[PAGE_SIZE] PAGE_ALIGNED;

static volatile uint64_t *pte;

static void test_store(void)
{
	uint64_t good = pte_of(virt_to_mfn(data), PTE_RW);

	data[0] = 0x31;
	CHECK_EQ(fault_write(pte, good), TRAP_NONE);
	tlb_flush();
	CHECK_EQ(((volatile unsigned char *)window)[0], 0x31);
	CHECK_EQ(fault_write(pte, 0), TRAP_NONE);
	tlb_flush();
	CHECK_EQ(fault_read(window, NULL), TRAP_PF);
	CHECK_EQ(fault_write(pte, good), TRAP_NONE);
}

static void test_bad(void)
{
	uint64_t before = *pte;

	CHECK_EQ(fault_write(pte, pte_of(virt_to_mfn(root_table), PTE_RW)), TRAP_PF);
	CHECK_EQ(last_fault.cr2, (unsigned long)pte);
	CHECK_EQ(*pte, before);
	CHECK_EQ(fault_write(pte, pte_of(0xfffffffff, PTE_RW)), TRAP_PF);
	CHECK_EQ(*pte, before);
}

static void test_forms(void)
{
	uint64_t old, good = pte_of(virt_to_mfn(data), PTE_RW), again = good & ~PTE_W;

	old = again;
	fault_clear();
	asm volatile(FIXUP("xchg %0, (%1)") : "+r"(old) : "r"(pte) : "memory");
	CHECK_EQ(last_fault.vector, TRAP_NONE);
	CHECK_EQ(*pte & PTE_W, 0);
	old = *pte;
	fault_clear();
	asm volatile(FIXUP("lock cmpxchg %2, (%1)") : "+a"(old) : "r"(pte), "r"(good) : "memory");
	CHECK_EQ(last_fault.vector, TRAP_NONE);
	CHECK_EQ(*pte & PTE_W, PTE_W);
	fault_clear();
	asm volatile(FIXUP("lock btrq $1, (%0)") : : "r"(pte) : "memory");
	CHECK_EQ(last_fault.vector, TRAP_NONE);
	CHECK_EQ(*pte & PTE_W, 0);
	fault_clear();
	asm volatile(FIXUP("lock andq %1, (%0)") : : "r"(pte), "r"(~PTE_D) : "memory");
	CHECK_EQ(last_fault.vector, TRAP_NONE);
	CHECK_EQ(*pte & PTE_D, 0);
	fault_clear();
	asm volatile(FIXUP("movq $0, (%0)") : : "r"(pte) : "memory");
	CHECK_EQ(last_fault.vector, TRAP_NONE);
	CHECK_EQ(*pte, 0);
}

/* Only an L1 table is written this way; higher tables fault. */
static void test_levels(void)
{
	CHECK_EQ(fault_write(&root_table[300], 0), TRAP_PF);
	CHECK_EQ(fault_write(pte_find((unsigned long)window, 2), 0), TRAP_PF);
}

void test_main(void)
{
	events_disable();
	pte = pte_find((unsigned long)window, 1);
	CHECK_EQ(hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0);
	test_store();
	test_bad();
	test_forms();
	test_levels();
}
