/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU timer heaps.
 *
 * Invariant: a queued timer is in the heap of t->cpu and of no other; a parent expires no later than its children.
 * `programmed` is the deadline the hardware holds, and never later than the root's: a stopped root leaves it earlier, because a
 * needless interrupt now and then costs less than reprogramming every time. Where such interrupts do end a CPU's sleep, its
 * deadline is brought up to date before it sleeps; until that turns out to be in vain.
 *
 * Lock: the heap's, one at a time; taken below scheduler and event locks, nothing is taken below it. Only the CPU itself touches its
 * hardware: others that need an earlier deadline raise SOFTIRQ_TIMER there.
 */
#include "core/timer.h"

#include "lib/bitops.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "x86/irq.h"
#include "x86/softirq.h"
#include "x86/time.h"

struct timer_heap {
	spinlock_t lock;
	struct timer *root;
	struct timer *running; /* its handler runs now */
	s_time_t programmed;
	bool draining;	   /* the handlers run: the hardware is programmed at the end */
	bool fired;	   /* the hardware has, and nobody has looked why */
	bool settle;	   /* before sleep, as the last needless deadline came true */
	s_time_t given_up; /* the deadline that sleep began without; 0: none */
};
static DEFINE_PER_CPU(struct timer_heap, timer_heap);

/* --- the pairing heap --- */

static struct timer *heap_meld(struct timer *a, struct timer *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->expires < a->expires) {
		struct timer *t = a;

		a = b;
		b = t;
	}
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	b->prev = a;
	a->child = b;
	return a;
}

/* One heap out of a list of siblings: meld them in pairs left to right, then the pairs right to left. */
static struct timer *heap_merge_list(struct timer *t)
{
	struct timer *pairs = NULL, *root = NULL;

	while (t) {
		struct timer *a = t, *b = t->next;

		t = b ? b->next : NULL;
		a->next = NULL;
		if (b)
			b->next = NULL;
		a = heap_meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *a = pairs;

		pairs = a->next;
		a->next = NULL;
		root = heap_meld(root, a);
	}
	if (root)
		root->prev = NULL;
	return root;
}

static void heap_remove(struct timer_heap *h, struct timer *t)
{
	struct timer *below;

	if (!t->queued)
		return;
	below = heap_merge_list(t->child);
	if (t == h->root) {
		h->root = below;
	} else {
		if (t->prev->child == t)
			t->prev->child = t->next;
		else
			t->prev->next = t->next;
		if (t->next)
			t->next->prev = t->prev;
		h->root = heap_meld(h->root, below);
	}
	t->queued = false;
}

/* --- timers --- */

static struct timer_heap *timer_lock(struct timer *t)
{
	for (;;) {
		unsigned int cpu = READ_ONCE(t->cpu);
		struct timer_heap *h = &per_cpu(timer_heap, cpu);

		spin_lock(&h->lock);
		if (likely(t->cpu == cpu))
			return h;
		spin_unlock(&h->lock);
	}
}

static void timer_program(struct timer_heap *h)
{
	if (h->root && h->root->expires < h->programmed) {
		h->programmed = h->root->expires;
		lapic_timer_set(h->programmed);
	}
}

/* Into @h, which is locked. Does its CPU have to wake up earlier? */
static void timer_queue(struct timer_heap *h, struct timer *t)
{
	if (unlikely(t->killed))
		return;
	t->child = t->next = t->prev = NULL;
	h->root = heap_meld(h->root, t);
	t->queued = true;
	if (h->root != t || h->draining)
		return;
	if (t->cpu == this_cpu_id())
		timer_program(h);
	else if (t->expires < h->programmed)
		softirq_raise_on(t->cpu, SOFTIRQ_TIMER);
}

void timer_init(struct timer *t, void (*fn)(void *data), void *data, unsigned int cpu)
{
	*t = (struct timer){.fn = fn, .data = data, .cpu = cpu};
}

void timer_set_lax(struct timer *t, s_time_t expires, s_time_t slack)
{
	struct timer_heap *h = timer_lock(t);

	heap_remove(h, t);
	if (h->programmed > expires && h->programmed - expires <= slack)
		expires = h->programmed;
	t->expires = expires;
	timer_queue(h, t);
	spin_unlock(&h->lock);
}

void timer_set(struct timer *t, s_time_t expires)
{
	timer_set_lax(t, expires, 0);
}

void timer_stop(struct timer *t)
{
	struct timer_heap *h;

	/* Who needs to know for certain calls timer_kill; a set that runs beside us may as well come after. */
	if (!READ_ONCE(t->queued))
		return;
	h = timer_lock(t);
	heap_remove(h, t);
	spin_unlock(&h->lock);
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
	struct timer_heap *h;
	bool queued;

	if (t->cpu == cpu)
		return;
	h = timer_lock(t);
	queued = t->queued;
	heap_remove(h, t);
	WRITE_ONCE(t->cpu, cpu);
	spin_unlock(&h->lock);
	if (!queued)
		return;
	h = timer_lock(t);
	/* Someone may have set it again meanwhile. */
	if (!t->queued)
		timer_queue(h, t);
	spin_unlock(&h->lock);
}

void timer_kill(struct timer *t)
{
	struct timer_heap *h = timer_lock(t);
	unsigned int cpu;

	heap_remove(h, t);
	t->killed = true;
	spin_unlock(&h->lock);
	/* It may have moved while its handler ran, so look everywhere. */
	for_each_online_cpu(cpu) while (cpu != this_cpu_id() &&
					READ_ONCE(per_cpu(timer_heap, cpu).running) == t)
		spin_wait();
}

/* --- expiry --- */

static void timer_interrupt(struct cpu_user_regs *regs)
{
	this_cpu(timer_heap).programmed = TIME_NEVER;
	this_cpu(timer_heap).fired = true;
	softirq_raise(SOFTIRQ_TIMER);
}

static void timer_softirq(void)
{
	struct timer_heap *h = &this_cpu(timer_heap);
	s_time_t now = time_now();
	struct timer *t;

	spin_lock(&h->lock);
	h->draining = true;
	if (h->fired && !(h->root && h->root->expires <= now))
		h->settle = true;
	h->fired = false;
	while ((t = h->root) && t->expires <= now) {
		void (*fn)(void *data) = t->fn;
		void *data = t->data;

		heap_remove(h, t);
		WRITE_ONCE(h->running, t);
		spin_unlock(&h->lock);
		fn(data);
		spin_lock(&h->lock);
		WRITE_ONCE(h->running, NULL);
	}
	h->draining = false;
	timer_program(h);
	spin_unlock(&h->lock);
}

/*
 * One write too many if the CPU is woken before the deadline given up, which its next work may well need again; one interrupt and
 * one sleep too many if it is not.
 */
void timer_idle(void)
{
	struct timer_heap *h = &this_cpu(timer_heap);
	s_time_t first;

	spin_lock(&h->lock);
	first = h->root ? h->root->expires : TIME_NEVER;
	if (h->given_up) {
		h->settle = time_now() >= h->given_up;
		h->given_up = 0;
	}
	if (h->settle && first > h->programmed) {
		h->given_up = h->programmed;
		h->programmed = first;
		lapic_timer_set(first);
	}
	spin_unlock(&h->lock);
}

void timer_dump(char key)
{
	s_time_t now = time_now();
	unsigned int cpu;

	for_each_online_cpu(cpu)
	{
		struct timer_heap *h = &per_cpu(timer_heap, cpu);

		spin_lock(&h->lock);
		printk("CPU%u: hardware %ld us, first timer %ld us\n", cpu,
		       h->programmed == TIME_NEVER ? -1 : (h->programmed - now) / 1000,
		       h->root ? (h->root->expires - now) / 1000 : -1);
		spin_unlock(&h->lock);
	}
}

void timer_init_cpu(unsigned int cpu)
{
	per_cpu(timer_heap, cpu) = (struct timer_heap){.programmed = TIME_NEVER};
}

void timer_subsys_init(void)
{
	timer_init_cpu(0);
	softirq_register(SOFTIRQ_TIMER, timer_softirq);
	irq_set_handler(VECTOR_TIMER, timer_interrupt);
}
