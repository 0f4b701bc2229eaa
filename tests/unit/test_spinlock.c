/* SPDX-License-Identifier: MIT */
/*
 * lib/spinlock.h among threads. One that waits may be stopped, as the hypervisor below stops a CPU: in a queue all behind it wait for it,
 * too; without one they do not.
 */
#define _GNU_SOURCE
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#include "lib/spinlock.h"

#define ROUNDS 20000 /* tickets come round many times */

struct waiter {
	pthread_t thread;
	sem_t go, waits;
	bool stopped, unfair;
	int name;
};

static _Thread_local struct waiter *self;
static spinlock_t lock;
static long inside;
static int order[2], nr;

void spin_wait(void)
{
	if (self && self->stopped) {
		self->stopped = false;
		sem_post(&self->waits);
		sem_wait(&self->go);
	}
	sched_yield();
}

static void take(bool unfair)
{
	if (!spin_trylock(&lock))
		spin_queue(&lock, unfair);
}

static void *waiter_run(void *arg)
{
	self = arg;
	take(self->unfair);
	order[__atomic_fetch_add(&nr, 1, __ATOMIC_SEQ_CST)] = self->name;
	spin_unlock(&lock);
	return NULL;
}

static void waiter_start(struct waiter *w, int name, bool unfair)
{
	*w = (struct waiter){.stopped = true, .unfair = unfair, .name = name};
	sem_init(&w->go, 0, 0);
	sem_init(&w->waits, 0, 0);
	assert_int_equal(pthread_create(&w->thread, NULL, waiter_run, w), 0);
	sem_wait(&w->waits);
}

static int has_had_it(void)
{
	return __atomic_load_n(&nr, __ATOMIC_SEQ_CST);
}

/* The first of two that wait is stopped as the lock gets free; the second runs. */
static void first_is_stopped(bool unfair)
{
	struct waiter w[2];
	struct timespec end;

	nr = 0;
	spin_lock_init(&lock);
	take(unfair);
	waiter_start(&w[0], 1, unfair);
	waiter_start(&w[1], 2, unfair);
	sem_post(&w[1].go);
	spin_unlock(&lock);
	if (unfair) {
		clock_gettime(CLOCK_REALTIME, &end);
		end.tv_sec += 10;
		assert_int_equal(pthread_timedjoin_np(w[1].thread, NULL, &end), 0);
		assert_int_equal(has_had_it(), 1);
	} else {
		usleep(50000);
		assert_int_equal(has_had_it(), 0);
	}
	sem_post(&w[0].go);
	pthread_join(w[0].thread, NULL);
	if (!unfair)
		pthread_join(w[1].thread, NULL);
	assert_int_equal(order[0], unfair ? 2 : 1);
	assert_int_equal(order[1], unfair ? 1 : 2);
	assert_false(spin_is_locked(&lock));
}

static void queue(void **state)
{
	first_is_stopped(false);
}

static void no_queue(void **state)
{
	first_is_stopped(true);
}

static void *count(void *arg)
{
	struct waiter *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		take(w->unfair);
		inside++;
		spin_unlock(&lock);
	}
	return NULL;
}

/* Also with some that queue and some that do not, as long as only the boot CPU knows what is below. */
static void one_at_a_time(void **state)
{
	struct waiter w[6];

	inside = 0;
	spin_lock_init(&lock);
	for (int i = 0; i < 6; i++) {
		w[i].unfair = i & 1;
		assert_int_equal(pthread_create(&w[i].thread, NULL, count, &w[i]), 0);
	}
	for (int i = 0; i < 6; i++)
		pthread_join(w[i].thread, NULL);
	assert_int_equal(inside, 6 * ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue),
		cmocka_unit_test(no_queue),
		cmocka_unit_test(one_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
