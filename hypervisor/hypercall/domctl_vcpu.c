/* SPDX-License-Identifier: MIT */
/*
 * domctl, vCPUs: their registers, counters, and the CPUs they may run on. Called with the domctl lock held.
 * A vCPU is off its CPU while its registers are read or written; nobody does that to the vCPU that calls.
 */
#include "hypercall/control.h"
#include "mm/heap.h"
#include "pv/pv.h"
#include "pv/vcpu_context.h"

DOMCTL_HANDLER(setvcpucontext, const struct xen_domctl_vcpucontext *s)
{
	struct domain *d = hc->target;
	struct vcpu *v = domain_vcpu(d, s->vcpu);
	struct vcpu_guest_context *c;
	int rc;

	/* A dying domain has let go of its tables, and takes no new ones. */
	if (!v || d->dying != DOMDYING_alive)
		return -EINVAL;
	if (guest_handle_null(s->ctxt))
		return vcpu_reset(v);
	c = knew(struct vcpu_guest_context);
	if (!c)
		return -ENOMEM;
	rc = copy_from_guest(c, s->ctxt, 1) ? -EFAULT : 0;
	if (!rc) {
		domain_pause(d);
		rc = pv_vcpu_set_context(v, c);
		domain_unpause(d);
	}
	kfree(c);
	return rc;
}

DOMCTL_HANDLER(getvcpucontext, const struct xen_domctl_vcpucontext *s)
{
	struct vcpu *v = domain_vcpu(hc->target, s->vcpu);
	struct vcpu_guest_context *c;
	int rc;

	if (!v || v == current)
		return -EINVAL;
	if (!v->is_initialised)
		return -ENODATA;
	c = knew(struct vcpu_guest_context);
	if (!c)
		return -ENOMEM;
	vcpu_pause(v);
	pv_vcpu_get_context(v, c);
	vcpu_unpause(v);
	rc = copy_to_guest(s->ctxt, c, 1) ? -EFAULT : 0;
	kfree(c);
	return rc;
}

DOMCTL_HANDLER(getvcpuinfo, struct xen_domctl_getvcpuinfo *i)
{
	struct vcpu *v = domain_vcpu(hc->target, i->vcpu);

	if (!v)
		return -ENOENT;
	i->online = !(v->pause_flags & VPF_down);
	i->blocked = !!(v->pause_flags & VPF_blocked);
	i->running = v->is_running;
	i->cpu_time = vcpu_cpu_time(v);
	i->cpu = v->processor;
	return 0;
}

static int affinity_vcpu(struct hc *hc, const struct xen_domctl_vcpuaffinity *a, struct vcpu **v)
{
	if (a->vcpu >= hc->target->max_vcpus)
		return -EINVAL;
	*v = domain_vcpu(hc->target, a->vcpu);
	if (!*v)
		return -ESRCH;
	if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
		return -EINVAL;
	if ((a->flags & XEN_VCPUAFFINITY_HARD) && guest_handle_null(a->cpumap_hard.bitmap))
		return -EINVAL;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) && guest_handle_null(a->cpumap_soft.bitmap))
		return -EINVAL;
	return 0;
}

static int affinity_read(const struct xen_domctl_vcpuaffinity *a, cpumask_t *hard, cpumask_t *soft)
{
	int rc = 0;

	if (a->flags & XEN_VCPUAFFINITY_HARD)
		rc = control_bitmap_read(&a->cpumap_hard, hard->bits, NR_CPUS);
	if (!rc && (a->flags & XEN_VCPUAFFINITY_SOFT))
		rc = control_bitmap_read(&a->cpumap_soft, soft->bits, NR_CPUS);
	return rc;
}

static int affinity_write(const struct xen_domctl_vcpuaffinity *a, const cpumask_t *hard,
			  const cpumask_t *soft)
{
	int rc = 0;

	if (a->flags & XEN_VCPUAFFINITY_HARD)
		rc = control_bitmap_write(&a->cpumap_hard, hard->bits, nr_cpus_online);
	if (!rc && (a->flags & XEN_VCPUAFFINITY_SOFT))
		rc = control_bitmap_write(&a->cpumap_soft, soft->bits, nr_cpus_online);
	return rc;
}

DOMCTL_HANDLER(setvcpuaffinity, const struct xen_domctl_vcpuaffinity *a)
{
	cpumask_t hard = {{0}}, soft = {{0}}, old;
	struct vcpu *v;
	int rc = affinity_vcpu(hc, a, &v);

	if (!rc)
		rc = affinity_read(a, &hard, &soft);
	if (rc)
		return rc;
	old = v->sched.hard_affinity;
	if (a->flags & XEN_VCPUAFFINITY_FORCE)
		(void)!vcpu_pin_temporarily(v, -1);
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		rc = vcpu_set_hard_affinity(v, &hard);
	if (!rc && (a->flags & XEN_VCPUAFFINITY_SOFT)) {
		rc = vcpu_set_soft_affinity(v, &soft);
		if (rc && (a->flags & XEN_VCPUAFFINITY_HARD))
			(void)!vcpu_set_hard_affinity(v, &old);
	}
	if (rc)
		return rc;
	/* Back to the caller: what the scheduler will really use. */
	cpumask_and(&hard, &v->sched.hard_affinity, &cpu_online_map);
	cpumask_and(&soft, &v->sched.soft_affinity, &hard);
	return affinity_write(a, &hard, &soft);
}

DOMCTL_HANDLER(getvcpuaffinity, const struct xen_domctl_vcpuaffinity *a)
{
	struct vcpu *v;
	int rc = affinity_vcpu(hc, a, &v);

	return rc ? rc : affinity_write(a, &v->sched.hard_affinity, &v->sched.soft_affinity);
}

/* Buttons are a hardware-virtualized guest's. */
DOMCTL_HANDLER(sendtrigger, const struct xen_domctl_sendtrigger *t)
{
	struct vcpu *v = domain_vcpu(hc->target, t->vcpu);

	if (!v)
		return -ESRCH;
	switch (t->trigger) {
	case XEN_DOMCTL_SENDTRIGGER_NMI:
		if (!xchg(&v->nmi_pending, true))
			vcpu_kick(v);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_POWER:
	case XEN_DOMCTL_SENDTRIGGER_SLEEP:
		return -EINVAL;
	default:
		return -ENOSYS;
	}
}
