/* SPDX-License-Identifier: MIT */
/*
 * The page-type rules seen from a guest: a page table is never writable, a writable page is never a
 * page table, frames of others are not mapped, superpages are refused, recursion is read-only, and
 * pinning keeps a type.
 */
#include "guest.h"

TEST("paging");

#define WINDOW 0x0000100000000000ul /* an address of the lower half with nothing around it */

static unsigned char data[PAGE_SIZE] PAGE_ALIGNED;

static long map_at(void *page, unsigned long mfn, uint64_t flags)
{
	return hypercall_update_va_mapping((unsigned long)page, pte_of(mfn, flags), UVMF_INVLPG);
}

/* A zeroed page without a writable mapping. */
static uint64_t *table_page(void)
{
	uint64_t *t = page_alloc();

	CHECK_EQ(page_protect(t, PTE_RO), 0);
	return t;
}

static void test_l1_good(void)
{
	unsigned char *spare = page_alloc();
	uint64_t *pte = pte_find((unsigned long)spare, 1);

	data[0] = 0x42;
	CHECK_EQ(map_at(spare, virt_to_mfn(data), PTE_RW), 0);
	CHECK_EQ(((volatile unsigned char *)spare)[0], 0x42);
	CHECK_EQ(*pte >> PAGE_SHIFT & 0xfffffffff, virt_to_mfn(data));
	CHECK_EQ(pte_write(pte, pte_of(virt_to_mfn(spare), PTE_RO)), 0);
	tlb_flush();
	CHECK_EQ(fault_write(spare, 1), TRAP_PF);
	CHECK_EQ(last_fault.error, PF_PRESENT | PF_WRITE);
	CHECK_EQ(last_fault.cr2, (unsigned long)spare);
	CHECK_EQ(map_at(spare, 0, 0), 0);
	CHECK_EQ(fault_read(spare, NULL), TRAP_PF);
	CHECK_EQ(last_fault.error, 0);
	CHECK_EQ(map_at(spare, virt_to_mfn(spare), PTE_RW | PTE_NX), 0);
}

/* Accessed, dirty and software bits change without a look at the frame. */
static void test_l1_bits(void)
{
	uint64_t *pte = pte_find((unsigned long)data, 1);
	mmu_update_t u = {.ptr = pte_maddr(pte) | MMU_PT_UPDATE_PRESERVE_AD};

	CHECK_EQ(map_at(data, virt_to_mfn(data), PTE_RW | 0xe00), 0);
	CHECK_EQ(*pte & 0xe00, 0xe00);
	data[1] = 1;
	u.val = pte_of(virt_to_mfn(data), PTE_P | PTE_U | PTE_W);
	CHECK_EQ(hypercall_mmu_update(&u, 1, NULL, DOMID_SELF), 0);
	CHECK_EQ(*pte & (PTE_A | PTE_D), PTE_A | PTE_D);
	u.ptr = pte_maddr(pte) | MMU_PT_UPDATE_NO_TRANSLATE;
	CHECK_EQ(hypercall_mmu_update(&u, 1, NULL, DOMID_SELF), 0);
}

static void test_l1_bad(void)
{
	void *spare = page_alloc();
	unsigned long own = virt_to_mfn(spare);

	CHECK_EQ(map_at(spare, virt_to_mfn(root_table), PTE_RW), -XEN_EBUSY);
	CHECK_EQ(map_at(spare, virt_to_mfn(root_table), PTE_RO), 0);
	CHECK_EQ(fault_read(spare, NULL), TRAP_NONE);
	/* In an L1 entry that bit selects a memory type, which only the owner of devices may. */
	CHECK_EQ(map_at(spare, own, PTE_RW | PTE_PS | PTE_G), is_dom0() ? 0 : -XEN_EINVAL);
	CHECK_EQ(map_at(spare, 0xfffffffff, PTE_RW), -XEN_EPERM);
	CHECK_EQ(map_at(spare, own, PTE_RW | 1ul << 51), -XEN_EPERM);
	CHECK_EQ(map_at(spare, own, PTE_RW), 0);
	CHECK_EQ(fault_write(spare, 1), TRAP_NONE);
}

/* The machine-to-physical table and hypervisor frames belong to nobody a guest can name. */
static void test_hypervisor_frames(void)
{
	void *spare = page_alloc();
	unsigned long refused = 0, mapped_rw = 0, mfn;

	for (mfn = 0x100; mfn < 0x20000; mfn += 0x100) {
		long rc;

		if (mfn_to_pfn(mfn) < start_info->nr_pages)
			continue;
		rc = map_at(spare, mfn, PTE_RW);
		refused += rc != 0;
		mapped_rw += rc == 0;
		map_at(spare, 0, 0);
	}
	CHECK(refused > 0);
	print("foreign frames: %lu refused, %lu mapped\n", refused, mapped_rw);
	CHECK_EQ(fault_write((void *)MACH2PHYS_VIRT_START, 0), TRAP_PF);
	CHECK_EQ(fault_read((void *)0xffff830000000000ul, NULL), TRAP_PF);
	CHECK_EQ(fault_read((void *)0xffff82d080000000ul, NULL), TRAP_PF);
}

static void test_tables_built(void)
{
	uint64_t *l3 = table_page(), *l2 = table_page(), *l1 = table_page();
	uint64_t *l4e = &root_table[(WINDOW >> 39) & 511];

	CHECK_EQ(pte_write(l4e, pte_of(virt_to_mfn(l3), PTE_RW)), 0);
	CHECK_EQ(pte_write(&l3[0], pte_of(virt_to_mfn(l2), PTE_RW)), 0);
	CHECK_EQ(pte_write(&l2[0], pte_of(virt_to_mfn(l1), PTE_RW)), 0);
	CHECK_EQ(pte_write(&l1[0], pte_of(virt_to_mfn(data), PTE_RW)), 0);
	CHECK_EQ(fault_write((void *)WINDOW, 0x77), TRAP_NONE);
	CHECK_EQ(data[0], 0x77);
	/* Each is a table now and must not become writable. */
	CHECK_EQ(page_protect(l1, PTE_RW), -XEN_EBUSY);
	CHECK_EQ(page_protect(l2, PTE_RW), -XEN_EBUSY);
	CHECK_EQ(page_protect(l3, PTE_RW), -XEN_EBUSY);
	/* Types do not mix: an L1 table is not an L2 table. */
	CHECK_EQ(pte_write(&l3[1], pte_of(virt_to_mfn(l1), PTE_RW)), -XEN_EINVAL);
	CHECK_EQ(pte_write(&l2[1], pte_of(virt_to_mfn(l2), PTE_RW)), -XEN_EINVAL);
	CHECK_EQ(pte_write(l4e + 1, pte_of(virt_to_mfn(l2), PTE_RW)), -XEN_EINVAL);
	/* A page that is mapped writable is no table. */
	CHECK_EQ(pte_write(&l2[1], pte_of(virt_to_mfn(data), PTE_RW)), -XEN_EINVAL);
	CHECK_EQ(pte_write(&l3[1], pte_of(virt_to_mfn(data), PTE_RW)), -XEN_EINVAL);
	/* Superpages are not for PV guests. */
	CHECK_EQ(pte_write(&l2[1], pte_of(virt_to_mfn(data) & ~511ul, PTE_RW | PTE_PS)),
		 -XEN_EINVAL);
	CHECK_EQ(pte_write(&l3[1], pte_of(0, PTE_RW | PTE_PS)), -XEN_EINVAL);
	/* Dropped from the top, the whole chain loses its types. */
	CHECK_EQ(pte_write(l4e, 0), 0);
	tlb_flush();
	CHECK_EQ(fault_read((void *)WINDOW, NULL), TRAP_PF);
	CHECK_EQ(page_protect(l1, PTE_RW), 0);
	CHECK_EQ(page_protect(l2, PTE_RW), 0);
	CHECK_EQ(page_protect(l3, PTE_RW), 0);
}

static void test_l4_slots(void)
{
	uint64_t *l3 = table_page();
	unsigned int slot = (HYPERVISOR_VIRT_START >> 39) & 511;

	/* The hypervisor's own slots are not the guest's to set. */
	CHECK(pte_write(&root_table[slot], pte_of(virt_to_mfn(l3), PTE_RW)) < 0);
	CHECK(pte_write(&root_table[slot + 15], pte_of(virt_to_mfn(l3), PTE_RW)) < 0);
	/* A root entry that points back: allowed for reading only. */
	CHECK_EQ(pte_write(&root_table[200], pte_of(virt_to_mfn(root_table), PTE_RW)), -XEN_EINVAL);
	CHECK_EQ(pte_write(&root_table[200], pte_of(virt_to_mfn(root_table), PTE_RO)), 0);
	CHECK_EQ(pte_write(&root_table[200], 0), 0);
	CHECK_EQ(page_protect(l3, PTE_RW), 0);
}

static void test_pin(void)
{
	uint64_t *l1 = table_page();
	unsigned long mfn = virt_to_mfn(l1);

	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn), 0);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn), -XEN_EINVAL);
	CHECK_EQ(mmuext(MMUEXT_PIN_L2_TABLE, mfn), -XEN_EINVAL);
	CHECK_EQ(page_protect(l1, PTE_RW), -XEN_EBUSY);
	CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, mfn), 0);
	CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, mfn), -XEN_EINVAL);
	CHECK_EQ(page_protect(l1, PTE_RW), 0);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn), -XEN_EINVAL);
	l1[3] = pte_of(virt_to_mfn(root_table), PTE_RW);
	CHECK_EQ(page_protect(l1, PTE_RO), 0);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn), -XEN_EBUSY);
	CHECK_EQ(page_protect(l1, PTE_RW), 0);
	CHECK_EQ(mmuext(MMUEXT_PIN_L4_TABLE, 0xfffffff), -XEN_EINVAL);
}

/* A second root: pinned, switched to, used for user mode, and let go. */
static void test_roots(void)
{
	uint64_t *l4 = page_alloc();
	unsigned long mfn = virt_to_mfn(l4), old = virt_to_mfn(root_table);

	l4[511] = root_table[511];
	CHECK_EQ(page_protect(l4, PTE_RO), 0);
	CHECK_EQ(mmuext(MMUEXT_PIN_L4_TABLE, mfn), 0);
	CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, mfn), 0);
	CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, mfn), 0);
	CHECK_EQ(page_protect(l4, PTE_RW), -XEN_EBUSY);
	CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, old), 0);
	CHECK_EQ(page_protect(l4, PTE_RW), 0);
	CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(data)), -XEN_EINVAL);
	CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(data)), -XEN_EINVAL);
	CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, 0), 0);
	CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, old), 0);
}

static void test_mmuext(void)
{
	unsigned char *from = page_alloc(), *to = page_alloc();

	CHECK_EQ(mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0), 0);
	CHECK_EQ(mmuext(MMUEXT_TLB_FLUSH_ALL, 0), 0);
	CHECK_EQ(mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)data), 0);
	CHECK_EQ(mmuext(MMUEXT_INVLPG_ALL, (unsigned long)data), 0);
	CHECK_EQ(mmuext(MMUEXT_INVLPG_LOCAL, 0x0008000000000000), 0);
	CHECK_EQ(mmuext(MMUEXT_FLUSH_CACHE, 0), is_dom0() ? 0 : -XEN_EACCES);
	CHECK_EQ(mmuext(99, 0), -XEN_ENOSYS);
	from[7] = 7;
	to[7] = 1;
	CHECK_EQ(mmuext2(MMUEXT_COPY_PAGE, virt_to_mfn(to), virt_to_mfn(from)), 0);
	CHECK_EQ(((volatile unsigned char *)to)[7], 7);
	CHECK_EQ(mmuext(MMUEXT_CLEAR_PAGE, virt_to_mfn(to)), 0);
	CHECK_EQ(((volatile unsigned char *)to)[7], 0);
	CHECK_EQ(mmuext(MMUEXT_CLEAR_PAGE, virt_to_mfn(root_table)), -XEN_EINVAL);
	CHECK_EQ(mmuext2(MMUEXT_COPY_PAGE, virt_to_mfn(root_table), virt_to_mfn(from)),
		 -XEN_EINVAL);
	CHECK_EQ(mmuext(MMUEXT_SET_LDT, 0), 0);
}

/* A batch stops at its first bad element and says how many went before. */
static void test_batch(void)
{
	uint64_t *pte = pte_find((unsigned long)data, 1);
	mmu_update_t u[4];
	unsigned int done = 99;

	for (unsigned int i = 0; i < 4; i++)
		u[i] = (mmu_update_t){.ptr = pte_maddr(pte),
				      .val = pte_of(virt_to_mfn(data), PTE_RW)};
	CHECK_EQ(hypercall_mmu_update(u, 4, &done, DOMID_SELF), 0);
	CHECK_EQ(done, 4);
	u[2].val = pte_of(virt_to_mfn(root_table), PTE_RW);
	CHECK_EQ(hypercall_mmu_update(u, 4, &done, DOMID_SELF), -XEN_EBUSY);
	CHECK_EQ(done, 2);
	/* An update whose target is no page table is refused. */
	u[0].ptr = pte_of(virt_to_mfn(data), 0);
	CHECK(hypercall_mmu_update(u, 1, &done, DOMID_SELF) <= 0);
}

static void test_m2p(void)
{
	unsigned long mfn = virt_to_mfn(data), pfn = virt_to_pfn(data);
	mmu_update_t u = {.ptr = (mfn << PAGE_SHIFT) | MMU_MACHPHYS_UPDATE, .val = 0x1234};

	CHECK_EQ(mfn_to_pfn(mfn), pfn);
	CHECK_EQ(hypercall_mmu_update(&u, 1, NULL, DOMID_SELF), 0);
	CHECK_EQ(((volatile unsigned long *)machine_to_phys_mapping)[mfn], 0x1234);
	u.val = pfn;
	CHECK_EQ(hypercall_mmu_update(&u, 1, NULL, DOMID_SELF), 0);
	u.ptr = (0xffffffful << PAGE_SHIFT) | MMU_MACHPHYS_UPDATE;
	CHECK(hypercall_mmu_update(&u, 1, NULL, DOMID_SELF) < 0);
}

void test_main(void)
{
	events_disable();
	test_l1_good();
	test_l1_bits();
	test_l1_bad();
	test_hypervisor_frames();
	test_tables_built();
	test_l4_slots();
	test_pin();
	test_roots();
	test_mmuext();
	test_batch();
	test_m2p();
}
