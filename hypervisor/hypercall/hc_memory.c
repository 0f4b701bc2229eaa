/* SPDX-License-Identifier: MIT */
/*
 * memory_op: how much memory a domain has, which frames, and what it is told about the machine's. This file is the table;
 * the three vector operations (increase, decrease, populate) have their own loop, since they answer with a count, never with an error.
 *
 * A paravirtual domain has no translated physical map of its own: what changes one is refused as Xen refuses it.
 */
#include "hypercall/memory.h"

static int refuse_physmap(struct hc *hc, void *arg)
{
	return -EACCES;
}

static int refuse_add_to_physmap(struct hc *hc, void *arg)
{
	const struct xen_add_to_physmap *x = arg;

	return x->space == XENMAPSPACE_gmfn_foreign ? -ENOSYS : -EACCES;
}

static int refuse_add_to_physmap_batch(struct hc *hc, void *arg)
{
	const struct xen_add_to_physmap_batch *x = arg;

	return x->space == XENMAPSPACE_gmfn_range ? -EOPNOTSUPP : -EACCES;
}

/* Populate-on-demand is for hardware-virtualized guests. */
static int refuse_pod_target(struct hc *hc, void *arg)
{
	return -EINVAL;
}

static int sharing_none(struct hc *hc, void *arg)
{
	return 0;
}

static int refuse_access_op(struct hc *hc, void *arg)
{
	return -EINVAL;
}

static int refuse_compat_m2p(struct hc *hc, void *arg)
{
	return -EOPNOTSUPP;
}

static int refuse_vnumainfo(struct hc *hc, void *arg)
{
	const struct xen_vnuma_topology_info *t = arg;

	return t->pad ? -EINVAL : -EOPNOTSUPP;
}

/* Regions that firmware keeps for devices behind an IOMMU: none without one. */
static int reserved_device_memory(struct hc *hc, void *arg)
{
	struct xen_reserved_device_memory_map *m = arg;

	if (!guest_handle_okay(m->buffer, m->nr_entries))
		return -EFAULT;
	if (m->flags & ~XENMEM_RDM_ALL)
		return -EINVAL;
	m->nr_entries = 0;
	return 0;
}

static const struct subop memory_ops[] = {
	SUBOP_0(XENMEM_maximum_ram_page, WHO_ANY, memory_max_ram_page),
	SUBOP_T(XENMEM_current_reservation, struct xen_memory_domain, DIR_IN, domid,
		WHO_SELF_OR_CONTROL, memory_current_reservation),
	SUBOP_T(XENMEM_maximum_reservation, struct xen_memory_domain, DIR_IN, domid,
		WHO_SELF_OR_CONTROL, memory_maximum_reservation),
	SUBOP(XENMEM_machphys_mfn_list, struct xen_machphys_mfn_list, DIR_INOUT, WHO_ANY,
	      memory_machphys_mfn_list),
	SUBOP_T(XENMEM_add_to_physmap, struct xen_add_to_physmap, DIR_IN, domid, WHO_TARGET,
		refuse_add_to_physmap),
	SUBOP(XENMEM_memory_map, struct xen_memory_map, DIR_INOUT, WHO_ANY, memory_map),
	SUBOP(XENMEM_machine_memory_map, struct xen_memory_map, DIR_INOUT, WHO_PRIV,
	      memory_machine_map),
	SUBOP_T(XENMEM_exchange, struct xen_memory_exchange, DIR_INOUT, in.domid,
		WHO_SELF_OR_CONTROL, memory_exchange),
	SUBOP(XENMEM_machphys_mapping, struct xen_machphys_mapping, DIR_OUT, WHO_ANY,
	      memory_machphys_mapping),
	SUBOP_T(XENMEM_set_memory_map, struct xen_foreign_memory_map, DIR_IN, domid,
		WHO_SELF_OR_CONTROL, memory_set_map),
	SUBOP_T(XENMEM_maximum_gpfn, struct xen_memory_domain, DIR_IN, domid, WHO_SELF_OR_CONTROL,
		memory_maximum_gpfn),
	SUBOP_T(XENMEM_remove_from_physmap, struct xen_remove_from_physmap, DIR_IN, domid,
		WHO_TARGET, refuse_physmap),
	SUBOP_T(XENMEM_set_pod_target, struct xen_pod_target, DIR_IN, domid, WHO_TARGET,
		refuse_pod_target),
	SUBOP_T(XENMEM_get_pod_target, struct xen_pod_target, DIR_IN, domid, WHO_TARGET,
		refuse_pod_target),
	SUBOP_0(XENMEM_get_sharing_freed_pages, WHO_ANY, sharing_none),
	SUBOP_0(XENMEM_get_sharing_shared_pages, WHO_ANY, sharing_none),
	SUBOP_REFUSED(XENMEM_paging_op, "no memory paging"),
	SUBOP_T(XENMEM_access_op, struct xen_mem_access_op, DIR_IN, domid, WHO_CONTROL,
		refuse_access_op),
	SUBOP_REFUSED(XENMEM_sharing_op, "no memory sharing"),
	SUBOP_T(XENMEM_add_to_physmap_batch, struct xen_add_to_physmap_batch, DIR_IN, domid,
		WHO_TARGET, refuse_add_to_physmap_batch),
	SUBOP(XENMEM_claim_pages, struct xen_memory_reservation, DIR_IN, WHO_ANY,
	      memory_claim_pages),
	SUBOP_0(XENMEM_machphys_compat_mfn_list, WHO_ANY, refuse_compat_m2p),
	SUBOP_T(XENMEM_get_vnumainfo, struct xen_vnuma_topology_info, DIR_IN, domid,
		WHO_SELF_OR_CONTROL, refuse_vnumainfo),
	SUBOP(XENMEM_reserved_device_memory_map, struct xen_reserved_device_memory_map, DIR_INOUT,
	      WHO_ANY, reserved_device_memory),
	SUBOP_T(XENMEM_acquire_resource, struct xen_mem_acquire_resource, DIR_INOUT, domid,
		WHO_TARGET, memory_acquire_resource),
};

static const struct subop_family memory_family = {"memory_op", memory_ops, ARRAY_SIZE(memory_ops),
						  -ENOSYS};

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

	switch (op) {
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
		return memory_reservation(op, start, a2);
	case XENMEM_machine_memory_map:
		/* Refused before the argument is looked at. */
		if (!current->domain->is_privileged)
			return -EPERM;
		break;
	}
	return start ? stray_extent(op) : sub_call(&memory_family, op, a2);
}
