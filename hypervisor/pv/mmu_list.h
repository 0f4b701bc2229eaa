/* SPDX-License-Identifier: MIT */
/*
 * What mmu_update and mmuext_op (pv/hc_mmu.c, pv/hc_mmuext.c) have in common: beginning, interrupting and ending a hypercall
 * that works through a list.
 */
#ifndef PV_MMU_LIST_H
#define PV_MMU_LIST_H

#include "hypercall/dispatch.h"
#include "pv/mmu.h"

/*
 * Its arguments, as the guest's registers have them. Continuation: the arguments name
 * what is left; the guest's count of done entries is added up in its own memory. When only the letting go of an old table
 * is left, the final result travels in the last argument.
 */
struct mmu_list {
	unsigned int nr, element; /* of the hypercall, bytes of an entry */
	unsigned long list, pdone, domain;
	unsigned int count, before;
};
#define MMU_UPDATE_PREEMPTED (1u << 31) /* in the count: it goes on after an interruption */

/* False: *@rc is the hypercall's result. */
static always_inline bool mmu_list_open(struct mmu_list *l, unsigned long count, long *rc)
{
	l->count = (unsigned int)count;
	l->before = 0;
	if (unlikely(current->pv.old_table) && pv_finish_old_table(current)) {
		*rc = hypercall_continue_with(l->nr, l->list, count, l->pdone, l->domain);
		return false;
	}
	if (unlikely(l->count & MMU_UPDATE_PREEMPTED)) {
		*rc = (int)l->domain;
		if (l->count == MMU_UPDATE_PREEMPTED && !l->list)
			return false;
		l->count &= ~MMU_UPDATE_PREEMPTED;
		if (l->pdone && !get_guest_u32(&l->before, l->pdone))
			l->before = 0;
	}
	*rc = -EFAULT;
	return likely(guest_access_ok(l->list, (unsigned long)l->count * l->element));
}

/* @done entries succeeded, then came @rc. Returns the hypercall's result. */
static always_inline long mmu_list_close(struct mmu_list *l, unsigned int done, long rc)
{
	if (l->pdone)
		(void)put_guest_u32(l->pdone, l->before + done);
	if (unlikely(rc == -ERESTART))
		return hypercall_continue_with(l->nr, l->list + done * l->element,
					       (l->count - done) | MMU_UPDATE_PREEMPTED, l->pdone,
					       l->domain);
	if (unlikely(current->pv.old_table))
		return hypercall_continue_with(l->nr, 0, MMU_UPDATE_PREEMPTED, 0, (unsigned int)rc);
	return rc;
}

/* A word of the list, which guest_access_ok has approved as a whole. False if it is not mapped. */
#ifndef HOST_BUILD
static always_inline bool mmu_list_word(unsigned long va, uint64_t *v)
{
	uint64_t x;

	__asm__ goto("1: movq %1, %0\n" EX_TABLE("1b", "%l[fault]")
		     : "=r"(x)
		     : "m"(*(const uint64_t *)va)
		     : "memory"
		     : fault);
	*v = x;
	return true;
fault:
	return false;
}
#else
#define mmu_list_word(va, v) get_guest_u64(v, va)
#endif

#endif
