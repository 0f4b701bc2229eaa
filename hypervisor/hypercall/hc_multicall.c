/* SPDX-License-Identifier: MIT */
/*
 * multicall: many hypercalls by one entry. Each entry is read once and called directly; its result is written back.
 *
 * Stops between entries when the CPU is wanted, and then continues with the rest; an entry that makes a continuation of its own is
 * written back as it stands and run again first. An entry that leaves the guest's kernel mode (iret, a trap bounced by it) ends the
 * list until the kernel is back. No lock.
 *
 * The loop is counted in instructions. The list's range is checked once; entries are then read into registers, and results
 * written, with no more than the exception table between us and a fault.
 */
#include "hypercall/dispatch.h"

/* How often interrupts are let in: opening the window costs as much as a cheap entry. */
#define WINDOW_EVERY 16

#define ENTRY_SIZE    sizeof(struct multicall_entry)
#define ENTRY_ARGS_VA offsetof(struct multicall_entry, args)
_Static_assert(offsetof(struct multicall_entry, op) == 0 &&
		       offsetof(struct multicall_entry, result) == 8 && ENTRY_ARGS_VA == 16,
	       "the offsets in entry_run and result_write");

/* Reads the entry at @va and calls it; false if it cannot be read. The sixth argument is not used by any hypercall. */
static always_inline bool entry_run(struct multicall_state *mc, unsigned long va, long *result)
{
	unsigned long nr, a1, a2, a3, a4, a5;

	__asm__ goto("1: mov (%6), %0\n"
		     "2: mov 16(%6), %1\n"
		     "3: mov 24(%6), %2\n"
		     "4: mov 32(%6), %3\n"
		     "5: mov 40(%6), %4\n"
		     "6: mov 48(%6), %5\n" EX_TABLE("1b", "%l7") EX_TABLE("2b", "%l7")
			     EX_TABLE("3b", "%l7") EX_TABLE("4b", "%l7") EX_TABLE("5b", "%l7")
				     EX_TABLE("6b", "%l7")
		     : "=&r"(nr), "=&r"(a1), "=&r"(a2), "=&r"(a3), "=&r"(a4), "=&r"(a5)
		     : "r"(va)
		     : "memory"
		     : fault);
	mc->entry.op = nr;
	*result =
		likely(nr < NR_HYPERCALLS)
			? hypercall_table[array_index_nospec(nr, NR_HYPERCALLS)](a1, a2, a3, a4, a5)
			: -ENOSYS;
	return true;
fault:
	return false;
}

static always_inline bool result_write(unsigned long va, long result)
{
	__asm__ goto("1: mov %0, 8(%1)\n" EX_TABLE("1b", "%l2")
		     :
		     : "r"(result), "r"(va)
		     : "memory"
		     : fault);
	return true;
fault:
	return false;
}

static always_inline bool should_stop(unsigned long left)
{
	return cpu_info()->softirq_pending || (left % WINDOW_EVERY == 0 && irq_window());
}

/* The entry's continuation goes where the guest keeps the entry. */
static bool entry_rewrite(const struct multicall_state *mc, unsigned long va)
{
	return put_guest_u64(va, mc->entry.op) &&
	       !copy_to_guest_va(va + ENTRY_ARGS_VA, mc->entry.args,
				 mc->nr_args * sizeof(mc->entry.args[0]));
}

/* The rarer ways out of an entry: iret, a continuation, leaving the kernel. What the whole call returns. */
static noinline long entry_odd_end(struct multicall_state *mc, unsigned long va, unsigned long left,
				   long result)
{
	current->mc_state = 0;
	if (mc->preempted) {
		if (!entry_rewrite(mc, va))
			return -EFAULT;
		return hypercall_continue_with(__HYPERVISOR_multicall, va, left);
	}
	if (mc->entry.op == __HYPERVISOR_iret)
		return result;
	if (left == 1)
		return 0;
	return hypercall_continue_with(__HYPERVISOR_multicall, va + ENTRY_SIZE, left - 1);
}

static always_inline long multicall_run(struct multicall_state *mc, struct vcpu *v,
					unsigned long va, unsigned long left)
{
	long result;

	while (left) {
		if (unlikely(!entry_run(mc, va, &result)))
			return -EFAULT;
		if (unlikely(!result_write(va, result)) && v->in_kernel)
			return -EFAULT;
		if (unlikely(mc->preempted || !v->in_kernel || mc->entry.op == __HYPERVISOR_iret))
			return entry_odd_end(mc, va, left, result);
		va += ENTRY_SIZE;
		left--;
		if (unlikely(should_stop(left)) && left) {
			v->mc_state = 0;
			return hypercall_continue_with(__HYPERVISOR_multicall, va, left);
		}
	}
	return 0;
}

HYPERCALL_FN(multicall)
{
	struct vcpu *v = current;
	struct multicall_state mc;
	unsigned long nr = (uint32_t)a2;
	long rc;

	if (unlikely(v->mc_state))
		return -EINVAL; /* one within another */
	if (unlikely(!guest_access_ok(a1, nr * ENTRY_SIZE)))
		return -EFAULT;
	mc.preempted = false;
	v->mc_state = (unsigned long)&mc;
	rc = multicall_run(&mc, v, a1, nr);
	v->mc_state = 0;
	return rc;
}
