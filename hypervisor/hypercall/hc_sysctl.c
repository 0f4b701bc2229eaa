/* SPDX-License-Identifier: MIT */
/*
 * sysctl: what the tools ask and set of the machine as a whole. This file is the table and its loop: the structure is copied in once, the
 * version compared, the caller must be the control domain; the row's handler gets its member of the union.
 *
 * Lock: sysctl_lock, one operation at a time; only tried, as domctl's is.
 */
#include "core/console.h"
#include "hypercall/sysctl.h"
#include "lib/spinlock.h"

static spinlock_t sysctl_lock = SPIN_LOCK_UNLOCKED;

static int refuse_einval(struct hc *hc, void *arg)
{
	return -EINVAL;
}

static int refuse_eopnotsupp(struct hc *hc, void *arg)
{
	return -EOPNOTSUPP;
}

static int refuse_enodev(struct hc *hc, void *arg)
{
	return -ENODEV;
}

#define SYSCTL_FN(c, m, d, f, why)                                                              \
	{                                                                                       \
		.name = "XEN_SYSCTL_" #c, .nr = XEN_SYSCTL_##c,                                 \
		.size = sizeof(((struct xen_sysctl *)NULL)->u.m), .target_off = -1, .dir = (d), \
		.who = WHO_PRIV, .fn = (f), .note = (why)                                       \
	}
#define SYSCTL(c, m, d)		     SYSCTL_FN(c, m, d, sysctl_##c, NULL)
#define SYSCTL_REFUSED(c, m, f, why) SYSCTL_FN(c, m, DIR_IN, f, why)

static const struct subop sysctl_ops[] = {
	SYSCTL(readconsole, readconsole, DIR_INOUT),
	SYSCTL_REFUSED(tbuf_op, tbuf_op, refuse_einval, "no trace buffers"),
	SYSCTL(physinfo, physinfo, DIR_OUT),
	SYSCTL(sched_id, sched_id, DIR_OUT),
	SYSCTL_REFUSED(perfc_op, perfc_op, NULL, "no performance counters"),
	SYSCTL(getdomaininfolist, getdomaininfolist, DIR_INOUT),
	SYSCTL(debug_keys, debug_keys, DIR_IN),
	SYSCTL(getcpuinfo, getcpuinfo, DIR_INOUT),
	SYSCTL(availheap, availheap, DIR_INOUT),
	SYSCTL(get_pmstat, get_pmstat, DIR_INOUT),
	SYSCTL_REFUSED(cpu_hotplug, cpu_hotplug, refuse_eopnotsupp, "planned: CPU hotplug"),
	SYSCTL(pm_op, pm_op, DIR_INOUT),
	SYSCTL_REFUSED(page_offline_op, page_offline, refuse_eopnotsupp,
		       "no memory is taken offline"),
	SYSCTL_REFUSED(lockprof_op, lockprof_op, NULL, "no lock profile"),
	SYSCTL(cputopoinfo, cputopoinfo, DIR_INOUT),
	SYSCTL(numainfo, numainfo, DIR_INOUT),
	SYSCTL(cpupool_op, cpupool_op, DIR_INOUT),
	SYSCTL(scheduler_op, scheduler_op, DIR_INOUT),
	SYSCTL_REFUSED(coverage_op, coverage_op, refuse_eopnotsupp, "no coverage data"),
	SYSCTL_REFUSED(psr_cmt_op, psr_cmt_op, refuse_enodev, "no cache monitoring"),
	SYSCTL(pcitopoinfo, pcitopoinfo, DIR_INOUT),
	SYSCTL_REFUSED(psr_alloc, psr_alloc, refuse_eopnotsupp, "no cache allocation"),
	SYSCTL(get_cpu_levelling_caps, cpu_levelling_caps, DIR_OUT),
	SYSCTL(get_cpu_featureset, cpu_featureset, DIR_INOUT),
	SYSCTL_REFUSED(livepatch_op, livepatch, NULL, "no live patching"),
	SYSCTL(get_cpu_policy, cpu_policy, DIR_INOUT),
};

static const struct subop_family sysctl_family = {"sysctl", sysctl_ops, ARRAY_SIZE(sysctl_ops),
						  -ENOSYS};

static int sysctl_run(struct hc *hc, struct xen_sysctl *op)
{
	const struct subop *row = subop_lookup(&sysctl_family, op->cmd);
	int rc;

	if (!row || !row->fn)
		return -ENOSYS;
	if (!spin_trylock(&sysctl_lock))
		return -ERESTART;
	rc = row->fn(hc, &op->u);
	spin_unlock(&sysctl_lock);
	if ((row->dir & DIR_OUT) && (rc >= 0 || hc->copy_out) &&
	    copy_to_guest_va(hc->arg_va, op, sizeof(*op)))
		rc = -EFAULT;
	return rc;
}

HYPERCALL_FN(sysctl)
{
	struct hc hc = {.d = current->domain, .target = current->domain, .arg_va = a1};
	struct xen_sysctl op;
	int rc;

	if (copy_from_guest_va(&op, a1, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -EACCES;
	if (!hc.d->is_privileged)
		return -EPERM;
	rc = sysctl_run(&hc, &op);
	return rc == -ERESTART ? hypercall_restart() : rc;
}
