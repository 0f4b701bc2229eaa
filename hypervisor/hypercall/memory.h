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

/* memory_exchange.c */
int memory_exchange(struct hc *hc, void *arg);

/* memory_claim.c: memory set aside for a domain that is being built. */
int memory_claim_pages(struct hc *hc, void *arg);
bool memory_claim_allows(const struct domain *d, unsigned long pages);
void memory_claim_consume(struct domain *d, unsigned long pages);
void memory_claim_release(struct domain *d); /* it dies */
unsigned long memory_claims_total(void);

/* memory_info.c */
int memory_max_ram_page(struct hc *hc, void *arg);
int memory_current_reservation(struct hc *hc, void *arg);
int memory_maximum_reservation(struct hc *hc, void *arg);
int memory_maximum_gpfn(struct hc *hc, void *arg);
int memory_machphys_mfn_list(struct hc *hc, void *arg);
int memory_machphys_mapping(struct hc *hc, void *arg);
int memory_map(struct hc *hc, void *arg);
int memory_machine_map(struct hc *hc, void *arg);
int memory_set_map(struct hc *hc, void *arg);
int memory_acquire_resource(struct hc *hc, void *arg);

#endif
