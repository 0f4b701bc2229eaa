/* SPDX-License-Identifier: MIT */
/*
 * A guest's GDT and LDT. The tables are guest frames of type PGT_seg_desc_page, whose descriptors have been checked and which the guest
 * cannot write, shown to the CPU in the vCPU's window of the per-domain slot. GDT pages are mapped when they are set;
 * LDT pages on first use, since the guest gives an address, not frames. LDT mappings of one vCPU are guarded by ldt_lock; the GDT
 * changes only on the vCPU itself, or while it is paused.
 */
#include "hypercall/dispatch.h"
#include "lib/log.h"
#include "mm/heap.h"
#include "pv/mmu.h"
#include "x86/desc.h"
#include "x86/page.h"
#include "x86/smp.h"

#define GDT_GUEST_PAGES	  GDT_RESERVED_PAGE
#define GDT_GUEST_ENTRIES (GDT_GUEST_PAGES * 512)
#define LDT_PAGES	  16
#define LDT_WINDOW	  32 /* first LDT entry among the vCPU's 64 window entries */

/* Descriptor bits (APM vol. 2 section 4.7), in the 64-bit form. */
#define DESC_S	      (1UL << 44)
#define DESC_DPL      (3UL << 45)
#define DESC_P	      (1UL << 47)
#define DESC_TYPE     (0xfUL << 40)
#define DESC_ACCESSED (1UL << 40)

#define WINDOW_RW (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)
#define WINDOW_RO (PTE_P | PTE_A | PTE_NX)

static const uint64_t zero_descriptors[512] __aligned(PAGE_SIZE);

static pte_t *vcpu_window(const struct vcpu *v)
{
	return v->domain->pv.gdt_l1[v->vcpu_id];
}

/* Bring a descriptor into a form a guest may have; false if it must be refused. */
static bool fix_descriptor(uint64_t *desc)
{
	uint16_t sel = (uint16_t)(*desc >> 16);

	if (!(*desc & DESC_P))
		return true;
	if (*desc & DESC_S) {
		/* Any base and limit will do: pages protect us. Never ring 0; marked accessed, so that the CPU need not write it. */
		*desc |= DESC_DPL | DESC_ACCESSED;
		return true;
	}
	if (!(*desc & DESC_TYPE)) { /* second half of a gate */
		*desc |= DESC_DPL;
		return true;
	}
	/* Call gates lead to ring 3 code only, not through one of our descriptors, and have DPL 0 so that their use traps. */
	if ((*desc & DESC_TYPE) != 0xcUL << 40 ||
	    (!(sel & 4) && sel >= GDT_RESERVED_BASE && sel < SEL_RING1_CS32))
		return false;
	*desc &= ~DESC_DPL;
	return true;
}

/* Called by page-type validation: is every descriptor of the frame fit to be used? Fixes what can be fixed. */
int pv_validate_descriptors(struct page_info *pg)
{
	uint64_t *d = page_to_virt(pg);

	for (unsigned int i = 0; i < 512; i++) {
		uint64_t desc = READ_ONCE(d[i]);

		if (!desc)
			continue;
		if (!fix_descriptor(&desc))
			return -EINVAL;
		d[i] = desc;
	}
	return 0;
}

void pv_gdt_clear(struct vcpu *v)
{
	pte_t *window = vcpu_window(v);
	unsigned int nr = DIV_ROUND_UP(v->pv.gdt_ents, 512);

	for (unsigned int i = 0; i < GDT_GUEST_PAGES; i++)
		window[i] = pte_make(virt_to_mfn(zero_descriptors), WINDOW_RO);
	/* The CPU may not use the old pages once their type is given up. */
	if (nr && v == current)
		tlb_flush_local(FLUSH_TLB, 0);
	for (unsigned int i = 0; i < nr; i++) {
		put_page_and_type(mfn_to_page(v->pv.gdt_frames[i]));
		v->pv.gdt_frames[i] = 0;
	}
	v->pv.gdt_ents = 0;
}

int pv_gdt_set(struct vcpu *v, const uint64_t *frames, unsigned int entries)
{
	unsigned int nr = DIV_ROUND_UP(entries, 512), i;
	pte_t *window = vcpu_window(v);

	for (i = 0; i < nr; i++)
		if (!mfn_valid(frames[i]) ||
		    get_page_and_type(mfn_to_page(frames[i]), v->domain, PGT_seg_desc_page))
			goto fail;
	pv_gdt_clear(v);
	for (i = 0; i < nr; i++) {
		v->pv.gdt_frames[i] = frames[i];
		window[i] = pte_make(frames[i], WINDOW_RW);
	}
	v->pv.gdt_ents = entries;
	return 0;
fail:
	while (i-- > 0)
		put_page_and_type(mfn_to_page(frames[i]));
	return -EINVAL;
}

HYPERCALL_FN(set_gdt)
{
	unsigned int entries = (unsigned int)a2;
	uint64_t frames[GDT_GUEST_PAGES];
	int rc;

	if (entries > GDT_GUEST_ENTRIES)
		return -EINVAL;
	if (copy_from_guest_va(frames, a1, DIV_ROUND_UP(entries, 512) * sizeof(frames[0])))
		return -EFAULT;
	rc = pv_gdt_set(current, frames, entries);
	if (!rc)
		tlb_flush_local(FLUSH_TLB, 0);
	return rc;
}

/* One descriptor in a GDT, an LDT or any other frame of the guest. */
HYPERCALL_FN(update_descriptor)
{
	struct domain *d = current->domain;
	uint64_t desc = a2;
	struct page_info *pg = a1 & 7 ? NULL : frame_get(d, PFN_DOWN(a1));
	int rc = -EINVAL;

	if (!pg)
		return -EINVAL;
	if (!fix_descriptor(&desc))
		goto out;
	/* A frame that is a descriptor table stays one; any other must be writable by the guest. */
	rc = get_page_type(pg, page_type(pg) == PGT_seg_desc_page ? PGT_seg_desc_page
								  : PGT_writable_page);
	if (rc)
		goto out;
	*(volatile uint64_t *)((char *)page_to_virt(pg) + (a1 & ~PAGE_MASK)) = desc;
	put_page_type(pg);
out:
	put_page(pg);
	return rc;
}

void pv_ldt_unmap(struct vcpu *v)
{
	pte_t *window = vcpu_window(v) + LDT_WINDOW;
	struct page_info *drop[LDT_PAGES];
	unsigned int n = 0;

	spin_lock(&v->pv.ldt_lock);
	if (v->pv.ldt_mapped) {
		for (unsigned int i = 0; i < LDT_PAGES; i++) {
			if (!(window[i] & PTE_P))
				continue;
			drop[n++] = mfn_to_page(pte_mfn(window[i]));
			window[i] = 0;
		}
		v->pv.ldt_mapped = 0;
	}
	spin_unlock(&v->pv.ldt_lock);
	if (n && v == current)
		tlb_flush_local(FLUSH_TLB, 0);
	while (n)
		put_page_and_type(drop[--n]);
}

/* True: the page is mapped now, run again. May be called from a fault in the hypervisor: changes nothing of the guest's. */
bool pv_ldt_map(struct vcpu *v, unsigned long offset)
{
	unsigned int slot = offset >> PAGE_SHIFT;
	struct page_info *pg;
	unsigned long va;

	if (slot >= DIV_ROUND_UP(v->pv.ldt_ents, 512))
		return false;
	va = v->pv.ldt_base + ((unsigned long)slot << PAGE_SHIFT);
	pg = pv_guest_frame(va);
	if (!pg)
		return false;
	if (get_page_type(pg, PGT_seg_desc_page)) {
		put_page(pg);
		return false;
	}
	spin_lock(&v->pv.ldt_lock);
	if (vcpu_window(v)[LDT_WINDOW + slot] & PTE_P) { /* mapped meanwhile */
		spin_unlock(&v->pv.ldt_lock);
		put_page_and_type(pg);
		return true;
	}
	vcpu_window(v)[LDT_WINDOW + slot] = pte_make(page_to_mfn(pg), WINDOW_RW);
	v->pv.ldt_mapped++;
	spin_unlock(&v->pv.ldt_lock);
	return true;
}

/* Where the guest has what stands at @offset of its LDT's window: a fault there is told to it by its own address. */
unsigned long pv_ldt_address(const struct vcpu *v, unsigned long offset, unsigned long fallback)
{
	return offset >> PAGE_SHIFT < DIV_ROUND_UP(v->pv.ldt_ents, 512) ? v->pv.ldt_base + offset
									: fallback;
}

void pv_load_descriptors(struct vcpu *v)
{
	load_gdt(GDT_VIRT_START(v->vcpu_id));
	load_ldt(this_cpu_id(), LDT_VIRT_START(v->vcpu_id), v->pv.ldt_ents);
}

/* The window entries of a new vCPU: no GDT yet, our own pages at the end. */
void pv_window_init(struct vcpu *v)
{
	pte_t *window = vcpu_window(v);

	pv_gdt_clear(v);
	for (unsigned int i = 0; i < 2; i++)
		window[GDT_RESERVED_PAGE + i] = pte_make(virt_to_mfn(hyp_gdt) + i, WINDOW_RW);
}
