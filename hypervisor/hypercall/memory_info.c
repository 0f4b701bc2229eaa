/* SPDX-License-Identifier: MIT */
/*
 * What memory_op tells: sizes of reservations, the machine-to-physical table, memory maps, and frames of a domain's resources that a
 * toolstack may map. A domain's own memory map is kept with its machine description (pv/cpuid.h) under that one's lock.
 */
#include "boot/boot_info.h"
#include "core/grant.h"
#include "hypercall/memory.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "pv/cpuid.h"
#include <xen/grant_table.h>

#define MAX_GUEST_E820 128

int memory_maximum_ram_page(struct hc *hc, void *arg)
{
	return (int)max_page;
}

int memory_current_reservation(struct hc *hc, void *arg)
{
	return (int)hc->target->tot_pages;
}

int memory_maximum_reservation(struct hc *hc, void *arg)
{
	return (int)min(hc->target->max_pages, (unsigned int)INT32_MAX);
}

int memory_maximum_gpfn(struct hc *hc, void *arg)
{
	unsigned long pfns = READ_ONCE(hc->target->shared_info->arch.max_pfn);

	return pfns ? (int)(pfns - 1) & INT32_MAX : 0;
}

SUBOP_HANDLER(memory_machphys_mapping, struct xen_machphys_mapping *m)
{
	m->v_start = MACH2PHYS_VIRT_START;
	m->v_end = MACH2PHYS_VIRT_END;
	m->max_mfn = hc->d->is_hardware ? max_page - 1 : MACH2PHYS_NR_ENTRIES - 1;
	return 0;
}

/* The first frame of the 2 MiB of the machine-to-physical table at @va, 0 if that part is a hole's. */
static mfn_t m2p_frame(unsigned long va)
{
	pte_t e = idle_l4[pte_index(va, L4_SHIFT)];

	e = ((const pte_t *)mfn_to_virt(pte_mfn(e)))[pte_index(va, L3_SHIFT)];
	e = ((const pte_t *)mfn_to_virt(pte_mfn(e)))[pte_index(va, L2_SHIFT)];
	return e & PTE_PSE ? pte_mfn(e) : 0;
}

SUBOP_HANDLER(memory_machphys_mfn_list, struct xen_machphys_mfn_list *l)
{
	unsigned long va = RW_MPT_VIRT_START, end = (unsigned long)(m2p_rw + max_page);
	xen_pfn_t mfn, last = 0;
	unsigned int i;

	for (i = 0; i < l->max_extents && va < end; i++, va += 1UL << L2_SHIFT) {
		mfn = m2p_frame(va);
		if (mfn)
			last = mfn; /* a hole shows what came before it */
		if (copy_to_guest_offset(l->extent_start, i, &last, 1))
			return -EFAULT;
	}
	l->nr_extents = i;
	return 0;
}

SUBOP_HANDLER(memory_memory_map, struct xen_memory_map *m)
{
	struct pv_cpuid *p = hc->d->pv.cpuid;
	int rc = 0;

	spin_lock(&p->lock);
	if (!p->nr_e820) {
		rc = -ENOSYS;
	} else {
		m->nr_entries = min(m->nr_entries, p->nr_e820);
		if (copy_to_guest_va((unsigned long)m->buffer.p, p->e820,
				     m->nr_entries * sizeof(*p->e820)))
			rc = -EFAULT;
	}
	spin_unlock(&p->lock);
	return rc;
}

SUBOP_HANDLER(memory_machine_memory_map, struct xen_memory_map *m)
{
	unsigned long va = (unsigned long)m->buffer.p;

	if (va && m->nr_entries < boot_info.nr_e820 + 1)
		return -EINVAL;
	for (unsigned int i = 0; va && i < boot_info.nr_e820; i++) {
		const struct e820_range *r = &boot_info.e820[i];
		struct guest_e820 e = {r->start, r->end - r->start, r->type};

		if (copy_to_guest_va(va + i * sizeof(e), &e, sizeof(e)))
			return -EFAULT;
	}
	m->nr_entries = boot_info.nr_e820;
	return 0;
}

SUBOP_HANDLER(memory_set_memory_map, const struct xen_foreign_memory_map *f)
{
	struct pv_cpuid *p = hc->target->pv.cpuid;
	unsigned int nr = f->map.nr_entries;
	struct guest_e820 *new, *old;

	if (nr > MAX_GUEST_E820)
		return -EINVAL;
	new = kzalloc(max(nr, 1u) * sizeof(*new));
	if (!new)
		return -ENOMEM;
	if (copy_from_guest_va(new, (unsigned long)f->map.buffer.p, nr * sizeof(*new))) {
		kfree(new);
		return -EFAULT;
	}
	spin_lock(&p->lock);
	old = p->e820;
	p->e820 = new;
	p->nr_e820 = nr;
	spin_unlock(&p->lock);
	kfree(old);
	return 0;
}

static int grant_frames_to_guest(struct domain *d, const struct xen_mem_acquire_resource *r)
{
	for (uint32_t i = 0; i < r->nr_frames; i++) {
		mfn_t mfn;
		int rc = grant_table_frame(d, r->id, (uint32_t)r->frame + i, &mfn);

		if (rc)
			return rc;
		if (copy_to_guest_offset(r->frame_list, i, &mfn, 1))
			return -EFAULT;
	}
	return 0;
}

SUBOP_HANDLER(memory_acquire_resource, struct xen_mem_acquire_resource *r)
{
	uint32_t max;

	if (r->pad || r->frame >> 32 || (r->frame + r->nr_frames) >> 32)
		return -EINVAL;
	if (r->domid == DOMID_SELF)
		return -ESRCH;
	if (hc->target == hc->d || !domain_controls(hc->d, hc->target))
		return -EPERM;
	max = r->type == XENMEM_resource_grant_table ? grant_table_max_frames(hc->target, r->id)
						     : 0;
	if (!max)
		return -EINVAL;
	if (guest_handle_null(r->frame_list)) {
		if (r->nr_frames)
			return -EINVAL;
		r->nr_frames = max;
		return 0;
	}
	if (!r->nr_frames || r->frame + r->nr_frames > max)
		return -EINVAL;
	return grant_frames_to_guest(hc->target, r);
}
