/* SPDX-License-Identifier: MIT */
/*
 * domctl, what a saved vCPU has beside struct vcpu_guest_context: callbacks of 32-bit entries, the XSAVE area, model-specific
 * registers. Called with the domctl lock held; the vCPU is paused while it is touched.
 */
#include "hypercall/control.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "pv/cpuid.h"
#include "pv/pv.h"
#include "x86/page.h"

/* Registers Xen saves; the guests' policy offers none of them yet, so none has a value. */
#define MAX_SAVED_MSRS 7

DOMCTL_HANDLER(get_ext_vcpucontext, struct xen_domctl_ext_vcpucontext *e)
{
	struct vcpu *v = domain_vcpu(hc->target, e->vcpu);
	uint32_t id = e->vcpu;

	if (!v || v == current)
		return -ESRCH;
	memset(e, 0, sizeof(*e));
	e->vcpu = id;
	e->size = sizeof(*e);
	vcpu_pause(v);
	e->sysenter_callback_cs = v->pv.sysenter_cs;
	e->sysenter_callback_eip = v->pv.sysenter_callback;
	e->sysenter_disables_events = !!(v->pv.bounce_flags & PVBF_sysenter_disables_events);
	e->syscall32_callback_cs = v->pv.syscall32_cs;
	e->syscall32_callback_eip = v->pv.syscall32_callback;
	e->syscall32_disables_events = !!(v->pv.bounce_flags & PVBF_syscall32_disables_events);
	vcpu_unpause(v);
	return 0;
}

DOMCTL_HANDLER(set_ext_vcpucontext, const struct xen_domctl_ext_vcpucontext *e)
{
	struct vcpu *v = domain_vcpu(hc->target, e->vcpu);

	if (!v || hc->target == hc->d)
		return -ESRCH;
	if (e->size < offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap) ||
	    !addr_is_canonical(e->sysenter_callback_eip) ||
	    !addr_is_canonical(e->syscall32_callback_eip))
		return -EINVAL;
	domain_pause(hc->target);
	v->pv.sysenter_cs = e->sysenter_callback_cs | 3;
	v->pv.sysenter_callback = e->sysenter_callback_eip;
	v->pv.syscall32_cs = e->syscall32_callback_cs | 3;
	v->pv.syscall32_callback = e->syscall32_callback_eip;
	v->pv.bounce_flags &= ~(PVBF_sysenter_disables_events | PVBF_syscall32_disables_events);
	if (e->sysenter_disables_events)
		v->pv.bounce_flags |= PVBF_sysenter_disables_events;
	if (e->syscall32_disables_events)
		v->pv.bounce_flags |= PVBF_syscall32_disables_events;
	domain_unpause(hc->target);
	return 0;
}

/* The buffer of the ABI: XCR0, the mask, then the area. */
struct xstate_buf {
	uint64_t xcr0, mask;
	uint8_t area[];
};

static unsigned int xstate_size(uint64_t mask)
{
	return sizeof(struct xstate_buf) + (mask ? pv_xstate_size(mask, false) : 0);
}

static int xstate_get(struct vcpu *v, struct xen_domctl_vcpuextstate *e)
{
	unsigned int max = xstate_size(xcr0_host), size;
	struct xstate_buf *buf = kzalloc(max);
	int rc = 0;

	if (!buf)
		return -ENOMEM;
	vcpu_pause(v);
	buf->mask = pv_fpu_xstate_mask(v);
	size = xstate_size(buf->mask);
	if (e->size < size || e->xfeature_mask != xcr0_host) {
		rc = -EINVAL;
	} else if (buf->mask) {
		buf->xcr0 = v->pv.xcr0;
		memcpy(buf->area, v->pv.fpu, size - sizeof(struct xstate_buf));
	}
	vcpu_unpause(v);
	if (!rc && copy_to_guest_va((unsigned long)e->buffer.p, buf, size))
		rc = -EFAULT;
	if (!rc)
		e->size = size;
	kfree(buf);
	return rc;
}

/* One that is not running this. */
static int other_vcpu(struct hc *hc, uint32_t id, struct vcpu **v)
{
	*v = domain_vcpu(hc->target, id);
	if (!*v)
		return -ESRCH;
	return *v == current ? -EINVAL : 0;
}

DOMCTL_HANDLER(getvcpuextstate, struct xen_domctl_vcpuextstate *e)
{
	struct vcpu *v;
	int rc = other_vcpu(hc, e->vcpu, &v);

	if (rc)
		return rc;
	if ((e->size || e->xfeature_mask) && !guest_handle_null(e->buffer))
		return xstate_get(v, e);
	e->xfeature_mask = xcr0_host;
	e->size = xstate_size(e->xfeature_mask);
	return 0;
}

static int xstate_set(struct vcpu *v, const struct xstate_buf *buf, unsigned int size)
{
	int rc;

	if (!buf->mask)
		return buf->xcr0 || size != sizeof(struct xstate_buf) ? -EINVAL : 0;
	vcpu_pause(v);
	rc = pv_fpu_set_xstate(v, buf->xcr0, buf->mask, buf->area,
			       size - sizeof(struct xstate_buf));
	vcpu_unpause(v);
	return rc;
}

DOMCTL_HANDLER(setvcpuextstate, const struct xen_domctl_vcpuextstate *e)
{
	struct xstate_buf *buf;
	struct vcpu *v;
	int rc = other_vcpu(hc, e->vcpu, &v);

	if (rc)
		return rc;
	if (e->size < sizeof(struct xstate_buf) || e->size > xstate_size(xcr0_host))
		return -EINVAL;
	buf = kzalloc(e->size);
	if (!buf)
		return -ENOMEM;
	if (copy_from_guest_va(buf, (unsigned long)e->buffer.p, e->size))
		rc = -EFAULT;
	else
		rc = xstate_set(v, buf, (unsigned int)e->size);
	kfree(buf);
	return rc;
}

DOMCTL_HANDLER(get_vcpu_msrs, struct xen_domctl_vcpu_msrs *m)
{
	struct vcpu *v;
	int rc = other_vcpu(hc, m->vcpu, &v);

	if (!rc)
		m->msr_count = guest_handle_null(m->msrs) ? MAX_SAVED_MSRS : 0;
	return rc;
}

DOMCTL_HANDLER(set_vcpu_msrs, struct xen_domctl_vcpu_msrs *m)
{
	struct vcpu *v;
	int rc = other_vcpu(hc, m->vcpu, &v);

	if (rc)
		return rc;
	if (m->msr_count > MAX_SAVED_MSRS)
		return -EINVAL;
	if (!m->msr_count)
		return 0;
	m->msr_count = 0; /* the first one is already none we know */
	hc->copy_out = true;
	return -ENXIO;
}
