/* SPDX-License-Identifier: MIT */
/*
 * What the page-table code calls beside memory: guest memory is the test's own, hypervisor slots get recognizable
 * entries, injected traps are counted, the rest does nothing.
 */
#include "fake_machine.h"
#include "mm/guest_copy.h"
#include "pv/mmu.h"

#include <string.h>

extern unsigned int fake_traps;

pte_t idle_l4[PTES_PER_TABLE];
unsigned int fake_traps;

void paging_fill_l4(pte_t *l4, mfn_t perdomain_l3)
{
	for (unsigned int i = HYPERVISOR_SLOT_FIRST; i <= HYPERVISOR_SLOT_LAST; i++)
		l4[i] = 0x1000 * i | PTE_P;
}

void pv_load_cr3(struct vcpu *v)
{
	tlb_note_flush();
}

void pv_ldt_unmap(struct vcpu *v)
{
}

void pv_load_descriptors(struct vcpu *v)
{
}

int pv_validate_descriptors(struct page_info *pg)
{
	return *(uint64_t *)page_to_virt(pg) == 0xbad ? -EINVAL : 0;
}

void pv_inject_trap(unsigned int vector, uint32_t error_code)
{
	fake_traps++;
}

bool get_guest_u64(uint64_t *v, unsigned long va)
{
	if (va < 4096)
		return false;
	memcpy(v, (void *)va, 8);
	return true;
}

bool get_guest_u32(uint32_t *v, unsigned long va)
{
	if (va < 4096)
		return false;
	memcpy(v, (void *)va, 4);
	return true;
}

bool put_guest_u32(unsigned long va, uint32_t v)
{
	if (va < 4096)
		return false;
	memcpy((void *)va, &v, 4);
	return true;
}

unsigned long guest_copy_raw(void *dst, const void *src, unsigned long len)
{
	memcpy(dst, src, len);
	return 0;
}
