/* SPDX-License-Identifier: MIT */
/* The machine and the hypervisor itself: what there is, what it is called, its console. */
#include "lib/hyper/call.h"

#include <stdio.h>

int hyper_physinfo(struct hyper *h, struct xen_sysctl_physinfo *info, struct error *e)
{
	struct xen_sysctl *op = hyper_sysctl(h, XEN_SYSCTL_physinfo);

	if (hyper_sysctl_call(h, "the machine's description cannot be read", e))
		return -1;
	*info = op->u.physinfo;
	return 0;
}

int hyper_topology(struct hyper *h, xen_sysctl_cputopo_t *cpus, unsigned int max, struct error *e)
{
	struct xen_sysctl *op = hyper_sysctl(h, XEN_SYSCTL_cputopoinfo);
	unsigned int nr;

	if (max > HYPER_DATA_BYTES / sizeof(*cpus))
		max = HYPER_DATA_BYTES / sizeof(*cpus);
	op->u.cputopoinfo.num_cpus = max;
	set_xen_guest_handle(op->u.cputopoinfo.cputopo, hyper_data(h));
	if (hyper_sysctl_call(h, "the CPU topology cannot be read", e))
		return -1;
	nr = op->u.cputopoinfo.num_cpus;
	memcpy(cpus, hyper_data(h), (nr < max ? nr : max) * sizeof(*cpus));
	return (int)nr;
}

enum { NODES_MOST = 64 };

int hyper_numa(struct hyper *h, xen_sysctl_meminfo_t *nodes, uint32_t *distance, unsigned int max,
	       struct error *e)
{
	struct xen_sysctl *op = hyper_sysctl(h, XEN_SYSCTL_numainfo);
	xen_sysctl_meminfo_t *mem = hyper_data(h);
	uint32_t *dist = (void *)(mem + NODES_MOST);
	unsigned int nr, n;

	max = max < NODES_MOST ? max : NODES_MOST;
	op->u.numainfo.num_nodes = max;
	set_xen_guest_handle(op->u.numainfo.meminfo, mem);
	set_xen_guest_handle(op->u.numainfo.distance, dist);
	if (hyper_sysctl_call(h, "the NUMA nodes cannot be read", e))
		return -1;
	nr = op->u.numainfo.num_nodes;
	n = nr < max ? nr : max;
	memcpy(nodes, mem, n * sizeof(*nodes));
	memset(distance, 0xff, max * max * sizeof(*distance));
	/* The rows are as long as there are nodes. */
	for (unsigned int i = 0; i < n; i++)
		memcpy(distance + i * max, dist + i * n, n * sizeof(*distance));
	return (int)nr;
}

int hyper_scheduler(struct hyper *h, uint32_t *sched_id, struct error *e)
{
	struct xen_sysctl *op = hyper_sysctl(h, XEN_SYSCTL_sched_id);

	if (hyper_sysctl_call(h, "the scheduler cannot be looked up", e))
		return -1;
	*sched_id = op->u.sched_id.sched_id;
	return 0;
}

/* --- Versions --- */

static void build_id_read(struct hyper *h, char *hex)
{
	struct xen_build_id *id = hyper_op(h, sizeof(*id) + 32);
	int len;

	*hex = '\0';
	id->len = 32;
	len = xencall2(h->call, __HYPERVISOR_xen_version, XENVER_build_id, (uintptr_t)id);
	for (int i = 0; i < len && i < 32; i++)
		sprintf(hex + 2 * i, "%02x", id->buf[i]);
}

int hyper_version(struct hyper *h, struct hyper_version *v, struct error *e)
{
	const struct {
		unsigned int cmd;
		void *to;
		size_t size;
	} part[] = {
		{XENVER_extraversion, v->extra, sizeof(v->extra)},
		{XENVER_compile_info, &v->compile, sizeof(v->compile)},
		{XENVER_capabilities, v->capabilities, sizeof(v->capabilities)},
		{XENVER_changeset, v->changeset, sizeof(v->changeset)},
		{XENVER_commandline, v->commandline, sizeof(v->commandline)},
		{XENVER_platform_parameters, &v->virt_start, sizeof(v->virt_start)},
	};
	int number = xencall2(h->call, __HYPERVISOR_xen_version, XENVER_version, 0), rc = number;

	v->major = (unsigned int)number >> 16;
	v->minor = number & 0xffff;
	v->page_size = PAGE_BYTES;
	for (size_t i = 0; rc >= 0 && i < sizeof(part) / sizeof(part[0]); i++) {
		void *p = hyper_op(h, part[i].size);

		rc = xencall2(h->call, __HYPERVISOR_xen_version, part[i].cmd, (uintptr_t)p);
		memcpy(part[i].to, p, part[i].size);
	}
	if (rc < 0)
		return error_errno(e, ERROR_NONE, errno, "the hypervisor's version cannot be read");
	build_id_read(h, v->build_id);
	return 0;
}

/* --- Console and debug keys --- */

long hyper_console_read(struct hyper *h, char *text, size_t size, uint32_t *index, bool clear,
			struct error *e)
{
	struct xen_sysctl *op = hyper_sysctl(h, XEN_SYSCTL_readconsole);
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	uint32_t most = size < HYPER_DATA_BYTES ? (uint32_t)size : HYPER_DATA_BYTES;

	r->incremental = index != NULL;
	r->index = index ? *index : 0;
	r->count = most;
	r->clear = clear;
	set_xen_guest_handle(r->buffer, hyper_data(h));
	if (hyper_sysctl_call(h, "the hypervisor's console cannot be read", e))
		return -1;
	if (index)
		*index = r->index;
	most = r->count < most ? r->count : most;
	memcpy(text, hyper_data(h), most);
	return (long)most;
}

int hyper_debug_keys(struct hyper *h, const char *keys, struct error *e)
{
	struct xen_sysctl *op = hyper_sysctl(h, XEN_SYSCTL_debug_keys);
	size_t len = strnlen(keys, PAGE_BYTES);

	memcpy(hyper_data(h), keys, len);
	op->u.debug_keys.nr_keys = (uint32_t)len;
	set_xen_guest_handle(op->u.debug_keys.keys, hyper_data(h));
	return hyper_sysctl_call(h, "the debug keys cannot be sent", e);
}
