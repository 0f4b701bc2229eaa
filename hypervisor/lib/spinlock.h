/* SPDX-License-Identifier: MIT */
/*
 * Spin locks. Those who wait for one queue by ticket, so that none waits forever; below another hypervisor they do not: whose turn it
 * is may not be running just then, and everybody behind would wait for that CPU as well as for the lock. The hypervisor runs with
 * interrupts off, so there are no irq-saving forms.
 *
 * A CPU that spins keeps answering cross-CPU requests (TLB flushes above all): whoever holds the lock may be waiting
 * for this CPU's answer. spin_wait() is that answer; it is in x86/smp.c, and on the host a test's own.
 */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include "lib/types.h"

typedef struct {
	uint8_t locked;
	uint8_t turn; /* ticket that may try to lock */
	uint8_t next; /* ticket to hand out; no more CPUs than tickets */
} spinlock_t;

#define SPIN_LOCK_UNLOCKED ((spinlock_t){0})

extern bool spin_unfair; /* do not queue; constant once other CPUs run */

void spin_wait(void);

static inline void spin_lock_init(spinlock_t *l)
{
	*l = SPIN_LOCK_UNLOCKED;
}

static inline bool spin_is_locked(const spinlock_t *l)
{
	return READ_ONCE(l->locked);
}

static inline bool spin_trylock(spinlock_t *l)
{
	return !__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE);
}

static inline void spin_queue(spinlock_t *l, bool unfair)
{
	uint8_t ticket = 0;

	if (!unfair) {
		ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
		while (READ_ONCE(l->turn) != ticket)
			spin_wait();
	}
	do
		while (spin_is_locked(l))
			spin_wait();
	while (!spin_trylock(l));
	if (!unfair)
		WRITE_ONCE(l->turn, (uint8_t)(ticket + 1));
}

#ifdef HOST_BUILD
#define spin_lock_wait(l) spin_queue(l, false)
#else
void spin_lock_wait(spinlock_t *l);
#endif

static inline void spin_lock(spinlock_t *l)
{
	if (unlikely(!spin_trylock(l)))
		spin_lock_wait(l);
}

static inline void spin_unlock(spinlock_t *l)
{
	__atomic_store_n(&l->locked, 0, __ATOMIC_RELEASE);
}

#endif
