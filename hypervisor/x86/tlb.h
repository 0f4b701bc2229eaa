/* SPDX-License-Identifier: MIT */
/*
 * The TLB clock's two fast ends (x86/tlb_clock.c has the essay): stamping a frame when a use ends, and noting that this
 * CPU is about to drop every non-global translation.
 */
#ifndef X86_TLB_H
#define X86_TLB_H

#include "x86/smp.h"

extern bool tlb_clock_used; /* a stamp carries the present time: the next flush must advance it */

/* The stamp for a use that has just ended: the page-table entry is already changed. */
static inline uint32_t tlb_stamp_now(void)
{
	uint32_t now;

	smp_mb(); /* the entry's change must be visible before the clock is read */
	now = (uint32_t)READ_ONCE(tlb_clock);
	if (!READ_ONCE(tlb_clock_used))
		WRITE_ONCE(tlb_clock_used, true);
	return now;
}

/* Call right before this CPU writes CR3 (without the no-flush bit). */
static inline void tlb_note_flush(void)
{
	uint64_t now;

	if (READ_ONCE(tlb_clock_used)) {
		now = atomic_add(&tlb_clock, 1);
		WRITE_ONCE(tlb_clock_used, false);
	} else {
		now = READ_ONCE(tlb_clock);
	}
	WRITE_ONCE(this_cpu(tlb_time), now);
}

#endif
