/* SPDX-License-Identifier: MIT */
/*
 * sysctl, what the machine is: CPUs, memory, topology, CPU features. Called with the sysctl lock held.
 *
 * There is one node. How CPUs share cores and sockets is read from CPUID once and taken to be the same everywhere; below an outer
 * hypervisor it is what that one pretends.
 */
#include "hypercall/memory.h"
#include "hypercall/control.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/asm.h"
#include "x86/outer.h"
#include "x86/time.h"

#define MAX_NODE_ID 63

struct topology {
	uint32_t threads_per_core, cores_per_socket;
};

/* SDM vol. 2 CPUID leaf 0Bh: logical processors at thread and at core level; without it, one thread a core in one socket. */
static struct topology topology(void)
{
	const struct pv_cpuid *raw = pv_cpuid_policy(CPUID_RAW);
	uint32_t threads = raw->topo[0].b & 0xffff, all = raw->topo[1].b & 0xffff;
	struct topology t = {1, nr_cpus_online};

	if (raw->basic[0].a >= 0xb && threads && all && all % threads == 0) {
		t.threads_per_core = min(threads, nr_cpus_online);
		t.cores_per_socket = min(all, nr_cpus_online) / t.threads_per_core;
	}
	t.cores_per_socket = max(t.cores_per_socket, 1u);
	return t;
}

SYSCTL_HANDLER(physinfo, struct xen_sysctl_physinfo *pi)
{
	struct pv_cpuid *host = (struct pv_cpuid *)pv_cpuid_policy(CPUID_HOST);
	struct topology t = topology();

	memset(pi, 0, sizeof(*pi));
	pi->threads_per_core = t.threads_per_core;
	pi->cores_per_socket = t.cores_per_socket;
	pi->nr_cpus = nr_cpus_online;
	pi->max_cpu_id = nr_cpus_online - 1;
	pi->nr_nodes = 1;
	pi->max_node_id = MAX_NODE_ID;
	pi->cpu_khz = cpu_khz;
	pi->capabilities =
		XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1 | XEN_SYSCTL_PHYSCAP_gnttab_v2;
	pi->total_pages = total_pages;
	pi->free_pages = heap_free_pages();
	pi->outstanding_pages = READ_ONCE(memory_claims);
	pi->max_mfn = max_page - 1;
	/* The first words of the host's features. */
	for (unsigned int w = 0; w < ARRAY_SIZE(pi->hw_cap); w++)
		pi->hw_cap[w] = *pv_cpuid_word(host, w);
	return 0;
}

SYSCTL_HANDLER(getcpuinfo, struct xen_sysctl_getcpuinfo *g)
{
	uint32_t nr = min(g->max_cpus, nr_cpus_online);

	for (uint32_t i = 0; i < nr; i++) {
		struct xen_sysctl_cpuinfo info = {.idletime = cpu_idle_time(i)};

		if (copy_to_guest_offset(g->info, i, &info, 1))
			return -EFAULT;
	}
	g->nr_cpus = nr;
	return 0;
}

/*
 * Our only performance counters: what makes a hypervisor below us step in, by CPU. Their names begin with its name: "outer kvm:
 * halts".
 */
SYSCTL_HANDLER(perfc_op, struct xen_sysctl_perfc_op *p)
{
	if (p->cmd != XEN_SYSCTL_PERFCOP_query)
		return p->cmd == XEN_SYSCTL_PERFCOP_reset ? -EOPNOTSUPP : -EINVAL;
	p->nr_counters = NR_OUTER_EXITS;
	p->nr_vals = NR_OUTER_EXITS * nr_cpus_online;
	for (uint32_t i = 0; i < p->nr_vals; i++) {
		uint32_t n = i / nr_cpus_online, cpu = i % nr_cpus_online;
		uint32_t value = (uint32_t)per_cpu(outer_exits, cpu).n[n];
		struct xen_sysctl_perfc_desc desc = {.nr_vals = nr_cpus_online};

		scnprintf(desc.name, sizeof(desc.name), "outer %s: %s", outer.name,
			  outer_exit_names[n]);
		if (!cpu && p->desc.p && copy_to_guest_offset(p->desc, n, &desc, 1))
			return -EFAULT;
		if (p->val.p && copy_to_guest_offset(p->val, i, &value, 1))
			return -EFAULT;
	}
	return 0;
}

SYSCTL_HANDLER(availheap, struct xen_sysctl_availheap *a)
{
	unsigned long all = heap_free_pages_below(a->max_bitwidth ? a->max_bitwidth : 64);
	unsigned long low = heap_free_pages_below(a->min_bitwidth);

	if (a->node != -1 && a->node != 0)
		all = 0;
	a->avail_bytes = (all > low ? all - low : 0) << PAGE_SHIFT;
	return 0;
}

SYSCTL_HANDLER(cputopoinfo, struct xen_sysctl_cputopoinfo *ti)
{
	struct topology t = topology();
	uint32_t nr = nr_cpus_online, per_socket = t.threads_per_core * t.cores_per_socket;

	if (guest_handle_null(ti->cputopo)) {
		ti->num_cpus = nr;
		return 0;
	}
	nr = min(nr, ti->num_cpus);
	for (uint32_t i = 0; i < nr; i++) {
		struct xen_sysctl_cputopo c = {
			.core = i % per_socket / t.threads_per_core,
			.socket = i / per_socket,
			.node = 0,
		};

		if (copy_to_guest_offset(ti->cputopo, i, &c, 1))
			return -EFAULT;
	}
	ti->num_cpus = nr;
	return 0;
}

SYSCTL_HANDLER(numainfo, struct xen_sysctl_numainfo *ni)
{
	bool ask = guest_handle_null(ni->meminfo) && guest_handle_null(ni->distance);
	struct xen_sysctl_meminfo mem = {
		.memsize = max_page << PAGE_SHIFT,
		.memfree = heap_free_pages() << PAGE_SHIFT,
	};
	uint32_t distance = 10; /* to itself, as ACPI's SLIT counts */

	if (!ask && !ni->num_nodes)
		return 0;
	ni->num_nodes = 1;
	if (!guest_handle_null(ni->meminfo) && copy_to_guest(ni->meminfo, &mem, 1))
		return -EFAULT;
	if (!guest_handle_null(ni->distance) && copy_to_guest(ni->distance, &distance, 1))
		return -EFAULT;
	return 0;
}

/* Devices have no node of their own here. */
SYSCTL_HANDLER(pcitopoinfo, struct xen_sysctl_pcitopoinfo *ti)
{
	uint32_t node = XEN_INVALID_NODE_ID;

	if (guest_handle_null(ti->devs) || guest_handle_null(ti->nodes))
		return -EINVAL;
	ti->num_devs = min(ti->num_devs, 1024u); /* callers take the number done for an answer */
	for (uint32_t i = 0; i < ti->num_devs; i++)
		if (copy_to_guest_offset(ti->nodes, i, &node, 1))
			return -EFAULT;
	return 0;
}

/* Nothing hides features from a native CPUID. */
SYSCTL_HANDLER(get_cpu_levelling_caps, struct xen_sysctl_cpu_levelling_caps *c)
{
	c->caps = 0;
	return 0;
}

/* sysctl's numbers for policies and for featuresets; those of hardware-virtualized guests do not exist. */
static const int8_t policies[] = {CPUID_RAW,   CPUID_HOST,	 CPUID_PV_MAX,
				  -EOPNOTSUPP, CPUID_PV_DEFAULT, -EOPNOTSUPP};
static const int8_t featuresets[] = {CPUID_RAW,	  CPUID_HOST,	CPUID_PV_DEFAULT,
				     -EOPNOTSUPP, CPUID_PV_MAX, -EOPNOTSUPP};

static int policy_find(const int8_t *table, uint32_t index, const struct pv_cpuid **p)
{
	int which = index < ARRAY_SIZE(policies)
			    ? table[array_index_nospec(index, ARRAY_SIZE(policies))]
			    : -EINVAL;

	if (which < 0)
		return which;
	*p = pv_cpuid_policy(which);
	return 0;
}

SYSCTL_HANDLER(get_cpu_featureset, struct xen_sysctl_cpu_featureset *f)
{
	uint32_t nr = min(f->nr_features, (uint32_t)CPUID_NR_FEATURE_WORDS);
	const struct pv_cpuid *p;
	int rc;

	if (guest_handle_null(f->features)) {
		f->nr_features = CPUID_NR_FEATURE_WORDS;
		return 0;
	}
	rc = policy_find(featuresets, f->index, &p);
	if (rc)
		return rc;
	for (uint32_t w = 0; w < nr; w++)
		if (copy_to_guest_offset(f->features, w, pv_cpuid_word((struct pv_cpuid *)p, w), 1))
			return -EFAULT;
	f->nr_features = nr;
	hc->copy_out = true;
	return nr < CPUID_NR_FEATURE_WORDS ? -ENOBUFS : 0;
}

SYSCTL_HANDLER(get_cpu_policy, struct xen_sysctl_cpu_policy *c)
{
	const struct pv_cpuid *p;
	int rc = c->_rsvd ? -EINVAL : policy_find(policies, c->index, &p);

	return rc ? rc
		  : cpu_policy_write(p, (unsigned long)c->leaves.p, &c->nr_leaves,
				     (unsigned long)c->msrs.p, &c->nr_msrs);
}

/* Performance and sleep states are the outer machine's, or domain 0's ACPI's: none is driven here. */
SYSCTL_HANDLER(get_pmstat, struct xen_sysctl_get_pmstat *p)
{
	if (p->cpuid >= nr_cpus_online)
		return -EINVAL;
	return (p->type & PMSTAT_CATEGORY_MASK) == PMSTAT_PX ? -ENODEV : -EOPNOTSUPP;
}

SYSCTL_HANDLER(pm_op, struct xen_sysctl_pm_op *p)
{
	if (p->cmd == XEN_SYSCTL_pm_op_get_max_cstate) {
		p->u.get_max_cstate = XEN_SYSCTL_CX_UNLIMITED;
		return 0;
	}
	if (p->cpuid >= nr_cpus_online)
		return -EINVAL;
	return (p->cmd & PM_PARA_CATEGORY_MASK) == CPUFREQ_PARA ? -ENODEV : -ENOSYS;
}
