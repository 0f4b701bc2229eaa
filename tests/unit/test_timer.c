/* SPDX-License-Identifier: MIT */
/* core/timer.c: heaps of several CPUs against a plain array of deadlines, and how rarely the hardware is touched. */
#include "unit.h"

#include "fake_cpus.h"

#define TIMERS 60
#define CPUS   3

static struct timer timers[TIMERS];
static s_time_t due[TIMERS]; /* what the naive model expects; TIME_NEVER: not set */
static unsigned int fired;
static s_time_t last_fired;

static void model_fired(void *data)
{
	struct timer *t = data;
	unsigned int i = (unsigned int)(t - timers);

	assert_int_equal(due[i], fake_now);
	assert_int_equal(fake_cpu_id, t->cpu);
	assert_false(timer_pending(t));
	assert_true(fake_now >= last_fired);
	last_fired = fake_now;
	due[i] = TIME_NEVER;
	fired++;
}

static void random_step(uint64_t *rnd)
{
	unsigned int i = unit_random(rnd) % TIMERS;
	struct timer *t = &timers[i];

	fake_enter(unit_random(rnd) % CPUS);
	switch (unit_random(rnd) % 8) {
	case 0:
		timer_stop(t);
		due[i] = TIME_NEVER;
		break;
	case 1:
		timer_migrate(t, unit_random(rnd) % CPUS);
		break;
	case 2:
		fake_run_until(fake_now + (s_time_t)(unit_random(rnd) % 500));
		break;
	default:
		due[i] = fake_now + (s_time_t)(unit_random(rnd) % 1000);
		timer_set(t, due[i]);
	}
	assert_int_equal(timer_pending(t), due[i] != TIME_NEVER);
}

static void test_against_model(void **state)
{
	uint64_t rnd = 42;

	fake_cpus_reset(CPUS);
	for (unsigned int i = 0; i < TIMERS; i++) {
		timer_init(&timers[i], model_fired, &timers[i], i % CPUS);
		due[i] = TIME_NEVER;
	}
	fired = 0;
	last_fired = 0;
	for (unsigned int n = 0; n < 50000; n++) {
		random_step(&rnd);
		fake_settle();
		for (unsigned int i = 0; i < TIMERS; i++)
			assert_true(due[i] >= fake_now);
	}
	fake_run_until(fake_now + 2000);
	for (unsigned int i = 0; i < TIMERS; i++)
		assert_int_equal(due[i], TIME_NEVER);
	assert_true(fired > 1000);
}

static void count(void *data)
{
	++*(unsigned int *)data;
}

/* Two timers of the one CPU, which count into @n. */
static void two_made(struct timer *a, struct timer *b, unsigned int *n)
{
	*n = 0;
	fake_cpus_reset(1);
	timer_init(a, count, n, 0);
	timer_init(b, count, n, 0);
}

static void test_lazy(void **state)
{
	struct timer a, b;
	unsigned int n;

	two_made(&a, &b, &n);
	timer_set(&a, 100);
	assert_int_equal(fake_programmed, 1);
	/* Neither a later deadline nor a stop touches the hardware. */
	timer_set(&b, 200);
	timer_stop(&a);
	timer_set(&a, 300);
	assert_int_equal(fake_programmed, 1);
	timer_set(&a, 50);
	assert_int_equal(fake_programmed, 2);
	fake_run_until(1000);
	assert_int_equal(n, 2);
	/* Two expiries, one program after the first; nothing is left set. */
	assert_int_equal(fake_programmed, 3);
	assert_int_equal(fake_deadline[0], TIME_NEVER);
}

/* What can wait a little takes the deadline that is there already, but no earlier and no much later one. */
static void test_slack(void **state)
{
	struct timer a, b;
	unsigned int n;

	two_made(&a, &b, &n);
	timer_set(&a, 100);
	timer_set_lax(&b, 90, 10);
	assert_int_equal(fake_programmed, 1);
	assert_int_equal(b.expires, 100);
	timer_set_lax(&b, 110, 10);
	assert_int_equal(b.expires, 110);
	assert_int_equal(fake_programmed, 1);
	timer_set_lax(&b, 89, 10);
	assert_int_equal(b.expires, 89);
	assert_int_equal(fake_programmed, 2);
	timer_stop(&b);
	/* The hardware still has 89: as good as any for who may wait until then. */
	timer_set_lax(&b, 80, 10);
	assert_int_equal(b.expires, 89);
	fake_run_until(89);
	assert_int_equal(n, 1);
	fake_run_until(100);
	assert_int_equal(n, 2);
	assert_int_equal(fake_deadline[0], TIME_NEVER);
}

/* Before sleep a needless deadline is put off, once one has fired in vain, and until putting it off was in vain. */
static void test_idle(void **state)
{
	struct timer tick, far;
	unsigned int n = 0;

	fake_cpus_reset(1);
	timer_init(&tick, count, &n, 0);
	timer_init(&far, count, &n, 0);
	timer_set(&far, 1000);
	timer_set(&tick, 100);
	timer_stop(&tick);
	timer_idle();
	assert_int_equal(fake_deadline[0], 100);
	fake_run_until(150); /* in vain */
	assert_int_equal(fake_deadline[0], 1000);
	timer_set(&tick, 200);
	timer_stop(&tick);
	timer_idle();
	assert_int_equal(fake_deadline[0], 1000);
	/* Woken after 200: right. */
	fake_run_until(250);
	timer_set(&tick, 300);
	timer_stop(&tick);
	timer_idle();
	assert_int_equal(fake_deadline[0], 1000);
	/* Woken before 300: this was one write too many, the next deadline stays. */
	fake_run_until(260);
	timer_set(&tick, 310);
	timer_stop(&tick);
	timer_idle();
	assert_int_equal(fake_deadline[0], 310);
	timer_stop(&far);
	fake_run_until(400);
	assert_int_equal(n, 0);
	/* Nothing to wait for at all. */
	timer_set(&tick, 500);
	timer_stop(&tick);
	timer_idle();
	assert_int_equal(fake_deadline[0], TIME_NEVER);
}

static void test_other_cpu(void **state)
{
	struct timer a;
	unsigned int n = 0;

	fake_cpus_reset(2);
	timer_init(&a, count, &n, 1);
	timer_set(&a, 100);
	assert_int_equal(fake_ipis, 1);
	assert_int_equal(fake_programmed, 0);
	fake_settle();
	assert_int_equal(fake_deadline[1], 100);
	timer_set(&a, 500);
	assert_int_equal(fake_ipis, 1);
	timer_migrate(&a, 0);
	fake_run_until(499);
	assert_int_equal(n, 0);
	fake_run_until(500);
	assert_int_equal(n, 1);
}

static struct timer again;

static void set_again(void *data)
{
	if (++*(unsigned int *)data < 10)
		timer_set(&again, fake_now + 7);
	else if (*(unsigned int *)data == 10)
		timer_set(&again, fake_now - 5); /* past: at once */
}

static void test_rearm(void **state)
{
	unsigned int n = 0;

	fake_cpus_reset(1);
	timer_init(&again, set_again, &n, 0);
	timer_set(&again, 1);
	fake_run_until(63);
	assert_int_equal(n, 9);
	fake_run_until(64);
	assert_int_equal(n, 11);
}

static void test_kill(void **state)
{
	struct timer a;
	unsigned int n = 0;

	fake_cpus_reset(1);
	timer_init(&a, count, &n, 0);
	timer_set(&a, 10);
	timer_kill(&a);
	assert_false(timer_pending(&a));
	timer_set(&a, 20);
	assert_false(timer_pending(&a));
	fake_run_until(100);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model), cmocka_unit_test(test_lazy),
		cmocka_unit_test(test_slack),	      cmocka_unit_test(test_idle),
		cmocka_unit_test(test_other_cpu),     cmocka_unit_test(test_rearm),
		cmocka_unit_test(test_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
