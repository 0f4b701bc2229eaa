/* SPDX-License-Identifier: MIT */
/*
 * A machine for the memory tests: 64 MiB of frames in an array, their records, a TLB that only counts its flushes, and
 * domains without a life. machine_reset() starts anew.
 */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H

#include "core/domain.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "x86/tlb.h"

#define FAKE_FRAMES 16384
#define FAKE_FIRST  256 /* the first MiB is not RAM */

extern unsigned int fake_flushes; /* CPUs flushed since the reset */
extern unsigned int fake_preempt; /* irq_window says yes every so many calls; 0: never */
extern void (*fake_printk)(void); /* called for each line of the log, unless NULL */

void machine_reset(void);
struct domain *fake_domain(unsigned int id);

/* How many uses a frame has as what it is. */
static inline uint32_t page_type_count(const struct page_info *pg)
{
	return (uint32_t)(pg->type_info & PGT_count_mask);
}

#endif
