/* SPDX-License-Identifier: MIT */
/*
 * The TLB clock: which CPUs may still hold a translation that was removed at a certain time.
 *
 * A CPU that flushes takes the clock's value, advanced if anyone has stamped with it, and keeps it in tlb_time; the flush
 * follows. A frame whose use ends takes the clock's value as it is. So a CPU whose time is later than the stamp
 * has flushed since, and the others may not have: doubt always means one flush more, never one less. In particular the
 * flag that saves advancing an unused clock is not exact: losing it in a race only makes later stamps equal to
 * the time of a flush that came before them.
 *
 * Stamps are the low half of the 64-bit clock. They are read as the latest moment, up to now, with these low bits:
 * never earlier than the truth.
 */
#include "x86/tlb.h"

uint64_t tlb_clock = 1;
bool tlb_clock_used;
DEFINE_PER_CPU(uint64_t, tlb_time);

/* Leaves in @mask the CPUs that have not flushed since @stamp. */
void tlb_filter(cpumask_t *mask, uint32_t stamp)
{
	uint64_t now = READ_ONCE(tlb_clock), since = now - (uint32_t)((uint32_t)now - stamp);
	unsigned int cpu;

	for_each_cpu (cpu, mask)
		if (READ_ONCE(per_cpu(tlb_time, cpu)) > since)
			mask->bits[cpu / 64] &= ~(1UL << cpu % 64);
}
