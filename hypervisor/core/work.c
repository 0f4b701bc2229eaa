/* SPDX-License-Identifier: MIT */
/*
 * Deferred jobs. Each CPU has a list which only it touches (interrupts are off), so there is no lock.
 *
 * Invariant: a job is in at most one list; `queued` is taken by whoever puts it there and given back right before
 * fn runs, so that fn may queue its own job again.
 */
#include "core/work.h"

#include "lib/bitops.h"
#include "x86/softirq.h"

static DEFINE_PER_CPU(struct list, jobs);

void work_queue(struct work *w)
{
	struct list *l = &this_cpu(jobs);

	if (xchg(&w->queued, true))
		return;
	if (!l->next) /* the CPU's first */
		list_init(l);
	list_add_tail(&w->link, l);
	softirq_raise(SOFTIRQ_WORK);
}

static void work_run(void)
{
	struct list *l = &this_cpu(jobs);
	struct list *last = l->next ? l->prev : l;
	struct work *w;
	bool more = last != l;

	/* Jobs queued meanwhile wait for the next round: other softirqs have their turn first. */
	while (more) {
		w = list_entry(l->next, struct work, link);
		more = &w->link != last;
		list_del(&w->link);
		__atomic_store_n(&w->queued, false, __ATOMIC_SEQ_CST);
		w->fn(w->data);
	}
}

void work_subsys_init(void)
{
	softirq_register(SOFTIRQ_WORK, work_run);
}
