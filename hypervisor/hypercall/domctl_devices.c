/* SPDX-License-Identifier: MIT */
/*
 * domctl, devices: which I/O ports, device memory and interrupts a domain may use. The caller can give only what it has itself.
 *
 * The sets are guarded by d->caps_lock, one domain's at a time. What a domain has mapped already it keeps, as on Xen; the tools
 * revoke before a device goes elsewhere.
 */
#include "hypercall/control.h"
#include "x86/pirq.h"

#define MAX_IOPORTS 0x10000
/* Frame numbers that a page-table entry can hold. */
#define MAX_FRAME_BITS (52 - PAGE_SHIFT)

static int permission_change(struct hc *hc, struct rangeset *own, struct rangeset *set,
			     uint64_t first, uint64_t last, bool allow)
{
	if (!domain_caps_contain(hc->d, own, first, last))
		return -EPERM;
	return domain_caps_change(hc->target, set, first, last, allow);
}

DOMCTL_HANDLER(ioport_permission, const struct xen_domctl_ioport_permission *p)
{
	uint64_t first = p->first_port, end = first + p->nr_ports;

	if (!p->nr_ports || end > MAX_IOPORTS)
		return -EINVAL;
	return permission_change(hc, &hc->d->ioport_caps, &hc->target->ioport_caps, first, end - 1,
				 p->allow_access);
}

DOMCTL_HANDLER(iomem_permission, const struct xen_domctl_iomem_permission *p)
{
	uint64_t last = p->first_mfn + p->nr_mfns - 1;

	if (last < p->first_mfn)
		return -EINVAL;
	return permission_change(hc, &hc->d->iomem_caps, &hc->target->iomem_caps, p->first_mfn,
				 last, p->allow_access);
}

DOMCTL_HANDLER(irq_permission, const struct xen_domctl_irq_permission *p)
{
	const struct pirq_entry *e = pirq_entry(hc->d, p->pirq);

	if (!e)
		return -EINVAL;
	if (e->irq <= 0)
		return -EPERM;
	return permission_change(hc, &hc->d->irq_caps, &hc->target->irq_caps, (uint64_t)e->irq,
				 (uint64_t)e->irq, p->allow_access);
}

/* A paravirtual domain maps device memory itself, once it may: there is nothing to do but to check the request. */
DOMCTL_HANDLER(memory_mapping, const struct xen_domctl_memory_mapping *m)
{
	uint64_t last = m->first_mfn + m->nr_mfns - 1;

	if (last < m->first_mfn || (m->first_mfn | last) >> MAX_FRAME_BITS ||
	    m->first_gfn + m->nr_mfns - 1 < m->first_gfn)
		return -EINVAL;
	return domain_caps_contain(hc->d, &hc->d->iomem_caps, m->first_mfn, last) ? 0 : -EPERM;
}
