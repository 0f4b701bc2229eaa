/* SPDX-License-Identifier: MIT */
/* Parts of memory_op among themselves: memory_*.c provide, hc_memory.c dispatches. */
#ifndef HYPERCALL_MEMORY_H
#define HYPERCALL_MEMORY_H

#include "hypercall/dispatch.h"
#include <xen/memory.h>

/* The command word holds the operation in its low bits and, in a continuation, how many extents are done above. */
#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK	   63u

/* memory_reservation.c: increase, decrease, populate. Returns the number of extents done. */
long memory_reservation(unsigned int op, unsigned long start, unsigned long arg_va);
/* The largest extent @d may ask for: big ones make memory hard to find for everybody. */
unsigned int memory_max_order(const struct domain *d);
/* Allocation flags for XENMEMF_* wishes of the caller; false if they are not allowed. */
bool memory_flags(const struct domain *d, unsigned int mem_flags, unsigned int *memflags);

/* memory_claim.c: memory set aside for a domain that is being built. */
extern unsigned long memory_claims; /* in all, frames */
bool memory_claim_allows(const struct domain *d, unsigned long pages);
/* Up to @pages of it have been used, or, ~0, are not wanted any more. */
void memory_claim_consume(struct domain *d, unsigned long pages);
subop_fn memory_claim_pages;

subop_fn memory_exchange; /* memory_exchange.c */
/* memory_info.c */
subop_fn memory_maximum_ram_page, memory_current_reservation, memory_maximum_reservation,
	memory_maximum_gpfn, memory_machphys_mfn_list, memory_machphys_mapping, memory_memory_map,
	memory_machine_memory_map, memory_set_memory_map, memory_acquire_resource;

#endif
