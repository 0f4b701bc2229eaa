/* SPDX-License-Identifier: MIT */
/*
 * TLB and cache flushing, here and on other CPUs. Guest translations are never global, so that reloading CR3 drops exactly
 * them (and the paging-structure caches, SDM vol. 3 section 4.10.4.1); the hypervisor's own need CR4.PGE toggled.
 * Takes no lock: other CPUs are asked through their mailboxes, which they answer even while they spin.
 */
#include "lib/log.h"
#include "x86/asm.h"
#include "x86/outer.h"
#include "x86/tlb.h"

static void flush_all_global(void)
{
	unsigned long cr4 = read_cr4();

	ASSERT(cr4 & CR4_PGE);
	write_cr4(cr4 & ~CR4_PGE);
	write_cr4(cr4);
}

void tlb_flush_local(unsigned int flags, unsigned long va)
{
	if (flags & (FLUSH_TLB | FLUSH_TLB_GLOBAL)) {
		tlb_note_flush();
		if (flags & FLUSH_TLB_GLOBAL)
			flush_all_global();
		else
			write_cr3(read_cr3());
	} else if (flags & FLUSH_TLB_VA) {
		invlpg(va);
	}
	if (flags & FLUSH_CACHE)
		__asm__ __volatile__("wbinvd" ::: "memory");
}

struct flush_request {
	unsigned int flags;
	unsigned long va;
};

static void flush_answer(void *arg)
{
	const struct flush_request *r = arg;

	tlb_flush_local(r->flags, r->va);
}

void tlb_flush_mask(const cpumask_t *mask, unsigned int flags, unsigned long va)
{
	struct flush_request r = {.flags = flags, .va = va};
	unsigned int self = this_cpu_id();
	cpumask_t others;

	if (cpumask_test(self, mask))
		tlb_flush_local(flags, va);
	/* A CPU that is going down, or not yet up, flushes on its own account. */
	cpumask_and(&others, mask, &cpu_online_map);
	others.bits[self / 64] &= ~(1UL << self % 64);
	/* More than asked for is never wrong: they keep their place in the TLB clock. */
	if (unlikely(outer.tlb_flush) && !(flags & (FLUSH_TLB_GLOBAL | FLUSH_CACHE)) &&
	    !cpumask_empty(&others))
		outer.tlb_flush(&others);
	if (!cpumask_empty(&others))
		smp_call(&others, flush_answer, &r);
}
