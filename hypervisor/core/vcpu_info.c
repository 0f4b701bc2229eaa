/* SPDX-License-Identifier: MIT */
/*
 * Where a vCPU's vcpu_info is: in the domain's shared page at first (or nowhere: the dummy), and after
 * VCPUOP_register_vcpu_info in a page of the guest's choice, for good.
 *
 * Invariant: while vcpu_info_page is set, this vCPU holds a reference and a writable type on it, and vcpu_info points into its direct
 * mapping, within the page. Changed by the vCPU itself, or while it is down, or while its domain is dying and paused.
 */
#include "core/domain.h"

#include "core/event.h"
#include "lib/errno.h"
#include "mm/frame.h"

_Static_assert(sizeof(struct vcpu_info) == 64, "the ABI's vcpu_info");

int vcpu_info_register(struct vcpu *v, mfn_t mfn, uint32_t offset)
{
	struct domain *d = v->domain;
	struct vcpu_info *new;
	struct page_info *pg;

	if (offset > PAGE_SIZE - sizeof(*new) || offset % sizeof(uint64_t))
		return -ENXIO;
	if ((v != current && !(READ_ONCE(v->pause_flags) & VPF_down)) || !mfn_valid(mfn))
		return -EINVAL;
	pg = mfn_to_page(mfn);
	if (get_page_and_type(pg, d, PGT_writable_page))
		return -EINVAL;
	new = (struct vcpu_info *)((char *)page_to_virt(pg) + offset);
	/* Once and for all; two vCPUs may try the same for a third. */
	spin_lock(&d->event_lock);
	if (v->vcpu_info_page) {
		spin_unlock(&d->event_lock);
		put_page_and_type(pg);
		return -EINVAL;
	}
	/* Content moves along; a vCPU that had none starts with events masked. */
	*new = v->vcpu_info == &dummy_vcpu_info ? (struct vcpu_info){.evtchn_upcall_mask = 1}
						: *v->vcpu_info;
	v->vcpu_info_page = pg;
	WRITE_ONCE(v->vcpu_info, new);
	spin_unlock(&d->event_lock);
	/* What was sent to the old place meanwhile is lost there: let the guest look at everything. */
	smp_mb();
	atomic_or(&new->evtchn_pending_sel, ~0UL);
	new->evtchn_upcall_pending = 0;
	vcpu_mark_events_pending(v);
	vtime_update(v);
	return 0;
}

void vcpu_info_unmap(struct vcpu *v)
{
	struct page_info *pg = v->vcpu_info_page;

	v->vcpu_info = &dummy_vcpu_info;
	v->vcpu_info_page = NULL;
	if (pg)
		put_page_and_type(pg);
}
