/* SPDX-License-Identifier: MIT */
/*
 * Spin locks: fair (ticket) locks. The hypervisor runs with interrupts off, so there are no irq-saving forms.
 *
 * A CPU that spins keeps answering cross-CPU requests (TLB flushes above all): whoever holds the lock may be waiting
 * for this CPU's answer. spin_wait() is that answer; it is in x86/smp.c, and a no-op on the host.
 * A debug build knows the owner and asserts on recursion.
 */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include "lib/types.h"

typedef union {
	uint32_t word;
	struct {
		uint16_t owner; /* ticket being served */
		uint16_t next;	/* next ticket to hand out */
	};
} spinlock_t;

#define SPIN_LOCK_UNLOCKED ((spinlock_t){0})

void spin_wait(void);

static inline void spin_lock_init(spinlock_t *l)
{
	l->word = 0;
}

static inline void spin_lock(spinlock_t *l)
{
	uint16_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_ACQUIRE);

	while (unlikely(__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket))
		spin_wait();
}

static inline bool spin_trylock(spinlock_t *l)
{
	spinlock_t old = {.word = READ_ONCE(l->word)}, new = old;

	new.next++;
	return old.owner == old.next &&
	       __atomic_compare_exchange_n(&l->word, &old.word, new.word, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void spin_unlock(spinlock_t *l)
{
	__atomic_store_n(&l->owner, (uint16_t)(l->owner + 1), __ATOMIC_RELEASE);
}

static inline bool spin_is_locked(const spinlock_t *l)
{
	spinlock_t s = {.word = READ_ONCE(l->word)};

	return s.owner != s.next;
}

#endif
