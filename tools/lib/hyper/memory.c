/* SPDX-License-Identifier: MIT */
/* A domain's memory: giving, claiming, mapping, page tables, grants; and its event channels. */
#include "lib/hyper/call.h"

#include <inttypes.h>
#include <sys/mman.h>

enum { FRAMES_BATCH = HYPER_DATA_BYTES / sizeof(xen_pfn_t) };

int hyper_evtchn_alloc(struct hyper *h, uint32_t domid, uint32_t remote, evtchn_port_t *port,
		       struct error *e)
{
	struct evtchn_alloc_unbound *op = hyper_op(h, sizeof(*op));

	op->dom = (domid_t)domid;
	op->remote_dom = (domid_t)remote;
	if (xencall2(h->call, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, (uintptr_t)op))
		return hyper_domain_error(domid, " cannot be given an event channel", e);
	*port = op->port;
	return 0;
}

static struct xen_memory_reservation *reservation(struct hyper *h, uint32_t domid, unsigned long nr,
						  unsigned int order)
{
	struct xen_memory_reservation *r = hyper_op(h, sizeof(*r));

	r->nr_extents = nr;
	r->extent_order = order;
	r->domid = (domid_t)domid;
	return r;
}

long hyper_memory_populate(struct hyper *h, uint32_t domid, unsigned int order, xen_pfn_t *frames,
			   unsigned long nr, struct error *e)
{
	unsigned long done = 0, n;
	long got;

	do {
		struct xen_memory_reservation *r;

		n = nr - done < FRAMES_BATCH ? nr - done : FRAMES_BATCH;
		r = reservation(h, domid, n, order);
		set_xen_guest_handle(r->extent_start, hyper_data(h));
		memcpy(hyper_data(h), frames + done, n * sizeof(*frames));
		got = xencall2L(h->call, __HYPERVISOR_memory_op, XENMEM_populate_physmap,
				(uintptr_t)r);
		if (got < 0)
			return hyper_domain_error(domid, " cannot be given memory", e);
		memcpy(frames + done, hyper_data(h), (size_t)got * sizeof(*frames));
		done += (unsigned long)got;
	} while ((unsigned long)got == n && done < nr);
	return (long)done;
}

int hyper_memory_short(struct hyper *h, uint64_t kb, struct error *e)
{
	struct xen_sysctl_physinfo info;

	if (hyper_physinfo(h, &info, e))
		return -1;
	/* Claims never exceed what is free. */
	error_set(e, ERROR_RETRY,
		  "not enough free memory: %" PRIu64 " MiB wanted, %" PRIu64 " MiB free",
		  (kb + 1023) >> 10, (info.free_pages - info.outstanding_pages) >> 8);
	return error_hint(e, "shut domains down or take memory from one with 'xm mem-set'");
}

int hyper_memory_claim(struct hyper *h, uint32_t domid, uint64_t pages, struct error *e)
{
	struct xen_memory_reservation *r = reservation(h, domid, pages, 0);

	if (xencall2L(h->call, __HYPERVISOR_memory_op, XENMEM_claim_pages, (uintptr_t)r) >= 0)
		return 0;
	if (errno == ENOMEM)
		return hyper_memory_short(h, pages << 2, e);
	return hyper_domain_error(domid, " cannot be promised memory", e);
}

int hyper_memory_set_map(struct hyper *h, uint32_t domid, uint64_t kb, struct error *e)
{
	/* As firmware's E820 has it, 20 bytes; type 1 is usable memory. */
	struct {
		uint64_t start, size;
		uint32_t type;
	} __attribute__((packed)) *entry = hyper_data(h);
	struct xen_foreign_memory_map *map = hyper_op(h, sizeof(*map));

	entry->start = 0;
	entry->size = kb << 10;
	entry->type = 1;
	map->domid = (domid_t)domid;
	map->map.nr_entries = 1;
	set_xen_guest_handle(map->map.buffer, (void *)entry);
	if (!xencall2(h->call, __HYPERVISOR_memory_op, XENMEM_set_memory_map, (uintptr_t)map))
		return 0;
	return hyper_domain_error(domid, " cannot be given its memory map", e);
}

void *hyper_map(struct hyper *h, uint32_t domid, const xen_pfn_t *frames, size_t nr, bool write,
		int *failed, struct error *e)
{
	void *p = xenforeignmemory_map(h->memory, domid, PROT_READ | (write ? PROT_WRITE : 0), nr,
				       frames, failed);

	if (!p)
		hyper_domain_error(domid, "'s memory cannot be mapped", e);
	return p;
}

void hyper_unmap(struct hyper *h, void *p, size_t nr)
{
	xenforeignmemory_unmap(h->memory, p, nr);
}

int hyper_map_grants(struct hyper *h, uint32_t domid, unsigned int nr, struct hyper_resource *r,
		     struct error *e)
{
	r->data = NULL;
	r->handle = xenforeignmemory_map_resource(
		h->memory, (domid_t)domid, XENMEM_resource_grant_table,
		XENMEM_resource_grant_table_id_shared, 0, nr, &r->data, PROT_READ | PROT_WRITE, 0);
	if (!r->handle)
		return hyper_domain_error(domid, "'s grant table cannot be mapped", e);
	return 0;
}

void hyper_unmap_grants(struct hyper *h, struct hyper_resource *r)
{
	xenforeignmemory_unmap_resource(h->memory, r->handle);
}

int hyper_pin_table(struct hyper *h, uint32_t domid, xen_pfn_t mfn, struct error *e)
{
	struct mmuext_op *op = hyper_op(h, sizeof(*op));

	op->cmd = MMUEXT_PIN_L4_TABLE;
	op->arg1.mfn = mfn;
	if (xencall4(h->call, __HYPERVISOR_mmuext_op, (uintptr_t)op, 1, 0, domid) < 0)
		return hyper_domain_error(domid, "'s page tables are refused", e);
	return 0;
}
