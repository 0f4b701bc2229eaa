/* SPDX-License-Identifier: MIT */
/*
 * Timers: run a function on a CPU at a time. Each CPU has a heap of pending timers under its own lock; handlers run from
 * SOFTIRQ_TIMER with no lock held and may set or stop any timer. The hardware deadline is programmed lazily: only
 * when an earlier one is needed than the one already set.
 *
 * The heap is made of links inside the timers (a pairing heap), so that setting one never needs memory and never fails.
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include "lib/types.h"

struct timer {
	s_time_t expires;
	void (*fn)(void *data);
	void *data;
	struct timer *child, *next,
		*prev;	  /* prev: the left sibling, or the parent of a first child */
	unsigned int cpu; /* whose heap it is, or would be, in */
	bool queued;	  /* in that heap */
	bool killed;
};

void timer_subsys_init(void);
void timer_init_cpu(unsigned int cpu); /* a further CPU, before it starts */
void timer_init(struct timer *t, void (*fn)(void *data), void *data, unsigned int cpu);
void timer_set(struct timer *t, s_time_t expires); /* replaces an earlier deadline */
/* Up to @slack later where the hardware fires then in any case. */
void timer_set_lax(struct timer *t, s_time_t expires, s_time_t slack);
void timer_stop(struct timer *t);
void timer_migrate(struct timer *t, unsigned int cpu);
/* This CPU is about to sleep; a lock that others hold may be waited for, and their requests answered meanwhile. */
void timer_idle(void);
void timer_kill(struct timer *t); /* stop for good; waits for a running handler on another CPU */
static inline bool timer_pending(const struct timer *t)
{
	return t->queued;
}
void timer_dump(char key); /* 'a' */

#endif
