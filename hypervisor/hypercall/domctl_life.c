/* SPDX-License-Identifier: MIT */
/*
 * domctl, a domain's life: made, paused, told about, taken apart; and settings that are one assignment. Called with the domctl lock
 * held. What a domain is made of is core/domain.c's.
 */
#include "core/event.h"
#include "core/grant.h"
#include "hypercall/control.h"
#include "hypercall/memory.h"
#include "lib/string.h"
#include "mm/heap.h"

#define PV_FLAGS (XEN_DOMCTL_CDF_oos_off | XEN_DOMCTL_CDF_s3_integrity | XEN_DOMCTL_CDF_xs_domain)

/* Paravirtual domains only; no IOMMU, no performance counters, no processor trace. */
static int config_check(const struct xen_domctl_createdomain *c)
{
	unsigned int version = XEN_DOMCTL_GRANT_version(c->grant_opts);

	if (c->flags & ~PV_FLAGS)
		return -EINVAL;
	if ((c->grant_opts & ~XEN_DOMCTL_GRANT_version_mask) || version < 1 || version > 2)
		return -EINVAL;
	if (c->max_vcpus < 1 || c->max_vcpus > MAX_VIRT_CPUS)
		return -EINVAL;
	if (c->iommu_opts || c->vmtrace_size || c->cpupool_id)
		return -EINVAL;
	if (c->arch.misc_flags & ~XEN_X86_MSR_RELAXED)
		return -EINVAL;
	return c->arch.emulation_flags & ~XEN_X86_EMU_PIT ? -EOPNOTSUPP : 0;
}

/* @id wished, or the next free one: numbers are not used again soon, for the tools' sake. */
static int create_with_id(domid_t id, const struct domain_config *cfg, struct domain **d)
{
	static domid_t last = 0;
	int rc = -EEXIST;

	if (id > 0 && id < DOMID_FIRST_RESERVED)
		return domain_create(id, cfg, d);
	for (unsigned int tries = 1; tries < DOMID_FIRST_RESERVED && rc == -EEXIST; tries++) {
		last = last + 1 < DOMID_FIRST_RESERVED ? last + 1 : 1;
		rc = domain_create(last, cfg, d);
	}
	return rc;
}

DOMCTL_HANDLER(createdomain, struct xen_domctl_createdomain *c)
{
	struct xen_domctl *op = container_of((void *)c, struct xen_domctl, u);
	struct domain_config cfg = {
		.handle = (const xen_domain_handle_t *)&c->handle,
		.flags = c->flags | XEN_DOMCTL_CDF_oos_off,
		.ssidref = c->ssidref,
		.max_vcpus = c->max_vcpus,
		.max_evtchn_port = c->max_evtchn_port,
		.max_grant_frames = c->max_grant_frames < 0 ? grant_opt_max_frames
							    : (unsigned int)c->max_grant_frames,
		.max_maptrack_frames = c->max_maptrack_frames < 0
					       ? grant_opt_max_maptrack
					       : (unsigned int)c->max_maptrack_frames,
		.max_grant_version = XEN_DOMCTL_GRANT_version(c->grant_opts),
	};
	struct domain *d;
	int rc = config_check(c);

	if (rc)
		return rc;
	rc = create_with_id(op->domain, &cfg, &d);
	if (rc)
		return rc;
	d->pv.cpuid->misc_flags = c->arch.misc_flags;
	op->domain = d->domain_id;
	return 0;
}

int domctl_destroydomain(struct hc *hc, void *arg)
{
	memory_claim_consume(hc->target, ~0UL);
	return domain_kill(hc->target);
}

int domctl_pausedomain(struct hc *hc, void *arg)
{
	return domain_pause_by_tools(hc->target);
}

int domctl_unpausedomain(struct hc *hc, void *arg)
{
	return domain_unpause_by_tools(hc->target);
}

int domctl_resumedomain(struct hc *hc, void *arg)
{
	domain_resume(hc->target);
	return 0;
}

/* Blocked if all its vCPUs that are up are, running if any is. */
static uint32_t vcpus_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	uint32_t flags = XEN_DOMINF_blocked;
	struct vcpu *v;
	unsigned int i;

	for_each_vcpu (d, v, i) {
		info->cpu_time += vcpu_cpu_time(v);
		info->max_vcpu_id = v->vcpu_id;
		if (v->pause_flags & VPF_down)
			continue;
		if (!(v->pause_flags & VPF_blocked))
			flags &= ~XEN_DOMINF_blocked;
		if (v->is_running)
			flags |= XEN_DOMINF_running;
		info->nr_online_vcpus++;
	}
	return info->nr_online_vcpus ? flags : 0;
}

void control_domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->domain_id;
	info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	info->flags = vcpus_info(d, info);
	if (d->dying == DOMDYING_dead)
		info->flags |= XEN_DOMINF_dying;
	if (d->is_shut_down)
		info->flags |= XEN_DOMINF_shutdown;
	if (d->controller_pause_count > 0)
		info->flags |= XEN_DOMINF_paused;
	if (d->create_flags & XEN_DOMCTL_CDF_xs_domain)
		info->flags |= XEN_DOMINF_xs_domain;
	info->flags |= (uint32_t)d->shutdown_code << XEN_DOMINF_shutdownshift;
	info->ssidref = d->ssidref;
	info->tot_pages = d->tot_pages;
	info->max_pages = d->max_pages;
	info->outstanding_pages = d->outstanding_pages;
	info->shared_info_frame = d->shared_info ? virt_to_mfn(d->shared_info) : 0;
	info->gpaddr_bits = fls64(max_page) + 1 + PAGE_SHIFT;
	memcpy(info->handle, d->handle, sizeof(xen_domain_handle_t));
}

DOMCTL_HANDLER(getdomaininfo, struct xen_domctl_getdomaininfo *info)
{
	control_domain_info(hc->target, info);
	container_of((void *)info, struct xen_domctl, u)->domain = info->domain;
	return 0;
}

DOMCTL_HANDLER(max_vcpus, const struct xen_domctl_max_vcpus *m)
{
	struct domain *d = hc->target;
	int rc;

	if (m->max != d->max_vcpus || d->dying != DOMDYING_alive)
		return -EINVAL;
	for (unsigned int i = 0; i < m->max; i++) {
		if (d->vcpu[i])
			continue;
		rc = domain_vcpu_create(d, i);
		if (rc)
			return rc;
	}
	return 0;
}

DOMCTL_HANDLER(setdomainhandle, const struct xen_domctl_setdomainhandle *s)
{
	memcpy(hc->target->handle, s->handle, sizeof(xen_domain_handle_t));
	return 0;
}

/* No debugger of ours attaches; tools that clear the flag are content. */
DOMCTL_HANDLER(setdebugging, const struct xen_domctl_setdebugging *s)
{
	return s->enable ? -EOPNOTSUPP : 0;
}

DOMCTL_HANDLER(settimeoffset, const struct xen_domctl_settimeoffset *s)
{
	hc->target->time_offset_seconds = s->time_offset_seconds;
	vtime_update_wallclock(hc->target);
	return 0;
}

/* Device models are for hardware-virtualized guests. */
DOMCTL_HANDLER(set_target, const struct xen_domctl_set_target *s)
{
	struct domain *e = domain_get(s->target);
	int rc;

	if (!e)
		return -ESRCH;
	rc = e == hc->target ? -EINVAL : -EOPNOTSUPP;
	domain_put(e);
	return rc;
}

DOMCTL_HANDLER(set_virq_handler, const struct xen_domctl_set_virq_handler *s)
{
	return set_global_virq_handler(hc->target, s->virq);
}

DOMCTL_HANDLER(subscribe, const struct xen_domctl_subscribe *s)
{
	struct domain *d = hc->target;

	spin_lock(&d->shutdown_lock);
	d->suspend_evtchn = s->port;
	spin_unlock(&d->shutdown_lock);
	return 0;
}

int domctl_scheduler_op(struct hc *hc, void *arg)
{
	return sched_adjust_domain(hc->target, arg);
}
