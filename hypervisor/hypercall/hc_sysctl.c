/* SPDX-License-Identifier: MIT */
/*
 * sysctl: what the tools ask and set of the machine as a whole. This file is the table; the call itself and its lock are control.c's.
 */
#include "hypercall/control.h"

#define SYSCTL(c, d)		  SUBOP_ROW(XEN_SYSCTL_##c, 0, d, -1, WHO_PRIV, sysctl_##c)
#define SYSCTL_REFUSED(c, f, why) SUBOP_ROW(XEN_SYSCTL_##c, 0, DIR_IN, -1, WHO_PRIV, f)

static const struct subop sysctl_ops[] = {
	SYSCTL(readconsole, DIR_INOUT),
	SYSCTL_REFUSED(tbuf_op, refuse_einval, "no trace buffers"),
	SYSCTL(physinfo, DIR_OUT),
	SYSCTL(sched_id, DIR_OUT),
	SYSCTL(perfc_op, DIR_INOUT),
	SYSCTL(getdomaininfolist, DIR_INOUT),
	SYSCTL(debug_keys, DIR_IN),
	SYSCTL(getcpuinfo, DIR_INOUT),
	SYSCTL(availheap, DIR_INOUT),
	SYSCTL(get_pmstat, DIR_INOUT),
	SYSCTL_REFUSED(cpu_hotplug, refuse_eopnotsupp, "planned: CPU hotplug"),
	SYSCTL(pm_op, DIR_INOUT),
	SYSCTL_REFUSED(page_offline_op, refuse_eopnotsupp, "no memory is taken offline"),
	SYSCTL_REFUSED(lockprof_op, NULL, "no lock profile"),
	SYSCTL(cputopoinfo, DIR_INOUT),
	SYSCTL(numainfo, DIR_INOUT),
	SYSCTL(cpupool_op, DIR_INOUT),
	SYSCTL(scheduler_op, DIR_INOUT),
	SYSCTL_REFUSED(coverage_op, refuse_eopnotsupp, "no coverage data"),
	SYSCTL_REFUSED(psr_cmt_op, refuse_enodev, "no cache monitoring"),
	SYSCTL(pcitopoinfo, DIR_INOUT),
	SYSCTL_REFUSED(psr_alloc, refuse_eopnotsupp, "no cache allocation"),
	SYSCTL(get_cpu_levelling_caps, DIR_OUT),
	SYSCTL(get_cpu_featureset, DIR_INOUT),
	SYSCTL_REFUSED(livepatch_op, NULL, "no live patching"),
	SYSCTL(get_cpu_policy, DIR_INOUT),
};

static struct control_family sysctl_family = {
	CONTROL_FAMILY(sysctl_ops, struct xen_sysctl, XEN_SYSCTL_INTERFACE_VERSION)};

HYPERCALL_FN(sysctl)
{
	return control_call(&sysctl_family, a1);
}
