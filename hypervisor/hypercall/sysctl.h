/* SPDX-License-Identifier: MIT */
/* Handlers of hc_sysctl.c's rows: the argument is the member of struct xen_sysctl that the row names. */
#ifndef HYPERCALL_SYSCTL_H
#define HYPERCALL_SYSCTL_H

#include "hypercall/control.h"

#define SYSCTL_HANDLER(name) int sysctl_##name(struct hc *hc, void *arg)
/* sysctl_info.c: the machine, its CPUs and memory */
SYSCTL_HANDLER(physinfo);
SYSCTL_HANDLER(getcpuinfo);
SYSCTL_HANDLER(availheap);
SYSCTL_HANDLER(cputopoinfo);
SYSCTL_HANDLER(numainfo);
SYSCTL_HANDLER(pcitopoinfo);
SYSCTL_HANDLER(get_cpu_levelling_caps);
SYSCTL_HANDLER(get_cpu_featureset);
SYSCTL_HANDLER(get_cpu_policy);
SYSCTL_HANDLER(get_pmstat);
SYSCTL_HANDLER(pm_op);
/* sysctl_control.c: console, domains, scheduling */
SYSCTL_HANDLER(readconsole);
SYSCTL_HANDLER(debug_keys);
SYSCTL_HANDLER(getdomaininfolist);
SYSCTL_HANDLER(sched_id);
SYSCTL_HANDLER(scheduler_op);
SYSCTL_HANDLER(cpupool_op);

#endif
