/* SPDX-License-Identifier: MIT */
/*
 * Page-table helpers.  Tables are found through the machine-to-physical table and read at their
 * address in the image's linear map; every change goes through a hypercall.  Pages come from a pool in
 * the image, because the builder maps no spare memory behind it that a test could count on.
 */
#include "guest.h"

#define POOL_PAGES 256

uint64_t *root_table;

static unsigned char pool[POOL_PAGES * PAGE_SIZE] PAGE_ALIGNED;
static unsigned int pool_used;

void *page_alloc(void)
{
	if (pool_used == POOL_PAGES)
		verdict_error("page pool is empty");
	return pool + pool_used++ * PAGE_SIZE;
}

static unsigned int table_index(unsigned long va, unsigned int level)
{
	return (va >> (PAGE_SHIFT + 9 * (level - 1))) & 511;
}

uint64_t *pte_find(unsigned long va, unsigned int level)
{
	uint64_t *table = root_table, e;

	for (unsigned int l = 4; l > level; l--) {
		e = table[table_index(va, l)];
		if (!(e & PTE_P))
			return NULL;
		table = pfn_to_virt(mfn_to_pfn((e & PTE_FRAME) >> PAGE_SHIFT));
	}
	return &table[table_index(va, level)];
}

uint64_t pte_maddr(const volatile uint64_t *entry)
{
	unsigned long off = (unsigned long)entry & (PAGE_SIZE - 1);

	return pte_of(virt_to_mfn(entry), 0) + off;
}

long pte_write(volatile uint64_t *entry, uint64_t val)
{
	mmu_update_t u = {.ptr = pte_maddr(entry) | MMU_NORMAL_PT_UPDATE, .val = val};

	return hypercall_mmu_update(&u, 1, NULL, DOMID_SELF);
}

long page_protect(void *page, uint64_t flags)
{
	return hypercall_update_va_mapping((unsigned long)page, pte_of(virt_to_mfn(page), flags),
					   UVMF_INVLPG);
}

static void table_add(unsigned long va, unsigned int level)
{
	void *page = page_alloc();
	long rc = page_protect(page, PTE_RO);

	if (!rc)
		rc = pte_write(pte_find(va, level), pte_of(virt_to_mfn(page), PTE_RW));
	if (rc)
		verdict_error("no page table at level %u for %#lx: %ld", level - 1, va, rc);
}

void page_map(unsigned long va, uint64_t pte)
{
	long rc;

	for (unsigned int l = 4; l > 1; l--)
		if (!(*pte_find(va, l) & PTE_P))
			table_add(va, l);
	rc = hypercall_update_va_mapping(va, pte, UVMF_INVLPG);
	if (rc)
		verdict_error("cannot map %#lx: %ld", va, rc);
}

long mmuext(unsigned int cmd, unsigned long arg)
{
	return mmuext2(cmd, arg, 0);
}

long mmuext2(unsigned int cmd, unsigned long arg1, unsigned long arg2)
{
	struct mmuext_op op = {.cmd = cmd};

	op.arg1.linear_addr = arg1;
	op.arg2.src_mfn = arg2;
	return hypercall_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

void tlb_flush(void)
{
	mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0);
}
