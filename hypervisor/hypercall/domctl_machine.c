/* SPDX-License-Identifier: MIT */
/*
 * domctl, the machine a domain is shown: its CPUID and MSR policy, its TSC. Called with the domctl lock held; the policy changes only before
 * the domain has run.
 */
#include "hypercall/control.h"
#include "x86/asm.h"
#include "x86/time.h"

#define TSC_MODE_DEFAULT	0
#define TSC_MODE_ALWAYS_EMULATE 1
#define TSC_MODE_NEVER_EMULATE	2

DOMCTL_HANDLER(get_cpu_policy, struct xen_domctl_cpu_policy *p)
{
	const struct pv_cpuid *policy = hc->target->pv.cpuid;

	return cpu_policy_write(policy, (unsigned long)p->leaves.p, &p->nr_leaves,
				(unsigned long)p->msrs.p, &p->nr_msrs);
}

int domctl_set_cpu_policy(struct hc *hc, void *arg)
{
	struct domain *d = hc->target;
	int rc;

	domain_pause(d);
	rc = d->creation_finished ? -EEXIST : cpu_policy_update(d, arg);
	domain_unpause(d);
	if (rc && rc != -EEXIST)
		hc->copy_out = true;
	return rc;
}

DOMCTL_HANDLER(gettscinfo, struct xen_domctl_tsc_info *t)
{
	struct pv_cpuid *p = hc->target->pv.cpuid;

	*t = (struct xen_domctl_tsc_info){.tsc_mode = p->tsc_mode,
					  .incarnation = p->tsc_incarnation};
	if (p->tsc_mode == TSC_MODE_DEFAULT) {
		t->elapsed_nsec = (uint64_t)max(tsc_to_time(rdtsc()), (s_time_t)0);
		t->gtsc_khz = cpu_khz;
	}
	return 0;
}

/* The TSC is never emulated: reading it natively is what PV guests' clocks are built on. */
DOMCTL_HANDLER(settscinfo, const struct xen_domctl_tsc_info *t)
{
	struct pv_cpuid *p = hc->target->pv.cpuid;

	if (hc->target->is_hardware)
		return 0;
	if (t->tsc_mode == TSC_MODE_ALWAYS_EMULATE)
		return -EOPNOTSUPP;
	if (t->tsc_mode > TSC_MODE_NEVER_EMULATE)
		return -EINVAL;
	spin_lock(&p->lock);
	p->tsc_mode = t->tsc_mode;
	p->tsc_khz = t->gtsc_khz ? t->gtsc_khz : cpu_khz;
	p->tsc_incarnation = t->incarnation + 1;
	spin_unlock(&p->lock);
	return 0;
}
