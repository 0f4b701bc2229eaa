/* SPDX-License-Identifier: MIT */
/*
 * memory_op: how much memory a domain has, which frames, and what it is told about the machine's. This file is the table;
 * the three vector operations (increase, decrease, populate) have their own loop, since they answer with a count, never with an error.
 *
 * A paravirtual domain has no translated physical map of its own: what changes one is refused as Xen refuses it.
 */
#include "hypercall/memory.h"

static SUBOP_HANDLER(refuse_add_to_physmap, const struct xen_add_to_physmap *x)
{
	return x->space == XENMAPSPACE_gmfn_foreign ? -ENOSYS : -EACCES;
}

static SUBOP_HANDLER(refuse_add_to_physmap_batch, const struct xen_add_to_physmap_batch *x)
{
	return x->space == XENMAPSPACE_gmfn_range ? -EOPNOTSUPP : -EACCES;
}

static SUBOP_HANDLER(refuse_vnumainfo, const struct xen_vnuma_topology_info *t)
{
	return t->pad ? -EINVAL : -EOPNOTSUPP;
}

/* Regions that firmware keeps for devices behind an IOMMU: none without one. */
static SUBOP_HANDLER(memory_reserved_device_memory_map, struct xen_reserved_device_memory_map *m)
{
	if (!guest_handle_okay(m->buffer, m->nr_entries))
		return -EFAULT;
	if (m->flags & ~XENMEM_RDM_ALL)
		return -EINVAL;
	m->nr_entries = 0;
	return 0;
}

#define MEMOP(c, type, d)	     SUBOP(XENMEM_##c, type, d, WHO_ANY, memory_##c)
#define MEMOP_T(c, type, d, w)	     SUBOP_T(XENMEM_##c, type, d, domid, w, memory_##c)
#define MEMOP_REFUSED(c, type, w, f) SUBOP_T(XENMEM_##c, type, DIR_IN, domid, w, f)

static const struct subop memory_ops[] = {
	SUBOP_0(XENMEM_maximum_ram_page, WHO_ANY, memory_maximum_ram_page),
	MEMOP_T(current_reservation, struct xen_memory_domain, DIR_IN, WHO_SELF_OR_CONTROL),
	MEMOP_T(maximum_reservation, struct xen_memory_domain, DIR_IN, WHO_SELF_OR_CONTROL),
	MEMOP(machphys_mfn_list, struct xen_machphys_mfn_list, DIR_INOUT),
	MEMOP_REFUSED(add_to_physmap, struct xen_add_to_physmap, WHO_TARGET, refuse_add_to_physmap),
	MEMOP(memory_map, struct xen_memory_map, DIR_INOUT),
	SUBOP(XENMEM_machine_memory_map, struct xen_memory_map, DIR_INOUT, WHO_PRIV_FIRST,
	      memory_machine_memory_map),
	SUBOP_T(XENMEM_exchange, struct xen_memory_exchange, DIR_INOUT, in.domid,
		WHO_SELF_OR_CONTROL, memory_exchange),
	MEMOP(machphys_mapping, struct xen_machphys_mapping, DIR_OUT),
	MEMOP_T(set_memory_map, struct xen_foreign_memory_map, DIR_IN, WHO_SELF_OR_CONTROL),
	MEMOP_T(maximum_gpfn, struct xen_memory_domain, DIR_IN, WHO_SELF_OR_CONTROL),
	MEMOP_REFUSED(remove_from_physmap, struct xen_remove_from_physmap, WHO_TARGET,
		      refuse_eacces),
	/* Populate-on-demand is for hardware-virtualized guests. */
	MEMOP_REFUSED(set_pod_target, struct xen_pod_target, WHO_TARGET, refuse_einval),
	MEMOP_REFUSED(get_pod_target, struct xen_pod_target, WHO_TARGET, refuse_einval),
	SUBOP_0(XENMEM_get_sharing_freed_pages, WHO_ANY, answer_zero),
	SUBOP_0(XENMEM_get_sharing_shared_pages, WHO_ANY, answer_zero),
	SUBOP_REFUSED(XENMEM_paging_op, "no memory paging"),
	MEMOP_REFUSED(access_op, struct xen_mem_access_op, WHO_CONTROL, refuse_einval),
	SUBOP_REFUSED(XENMEM_sharing_op, "no memory sharing"),
	MEMOP_REFUSED(add_to_physmap_batch, struct xen_add_to_physmap_batch, WHO_TARGET,
		      refuse_add_to_physmap_batch),
	MEMOP(claim_pages, struct xen_memory_reservation, DIR_IN),
	SUBOP_0(XENMEM_machphys_compat_mfn_list, WHO_ANY, refuse_eopnotsupp),
	MEMOP_REFUSED(get_vnumainfo, struct xen_vnuma_topology_info, WHO_SELF_OR_CONTROL,
		      refuse_vnumainfo),
	MEMOP(reserved_device_memory_map, struct xen_reserved_device_memory_map, DIR_INOUT),
	MEMOP_T(acquire_resource, struct xen_mem_acquire_resource, DIR_INOUT, WHO_TARGET),
};

/* A count of extents above an operation that has none: the errno tells generic from x86's own operations. */
static long stray_extent(unsigned int op)
{
	static const uint64_t generic =
		BIT(XENMEM_maximum_ram_page) | BIT(XENMEM_current_reservation) |
		BIT(XENMEM_maximum_reservation) | BIT(XENMEM_maximum_gpfn) | BIT(XENMEM_exchange) |
		BIT(XENMEM_add_to_physmap) | BIT(XENMEM_add_to_physmap_batch) |
		BIT(XENMEM_remove_from_physmap) | BIT(XENMEM_claim_pages) |
		BIT(XENMEM_get_vnumainfo) | BIT(XENMEM_reserved_device_memory_map) |
		BIT(XENMEM_acquire_resource) | BIT(XENMEM_access_op);

	return generic >> op & 1 ? -EINVAL : -ENOSYS;
}

HYPERCALL_FN(memory_op)
{
	unsigned int op = a1 & MEMOP_CMD_MASK;
	unsigned long start = a1 >> MEMOP_EXTENT_SHIFT;

	if (op == XENMEM_increase_reservation || op == XENMEM_decrease_reservation ||
	    op == XENMEM_populate_physmap)
		return memory_reservation(op, start, a2);
	return start ? stray_extent(op) : sub_call(memory_ops, op, a2);
}
