/* SPDX-License-Identifier: MIT */
/*
 * The shared clock: it never goes back, agrees with the counter it is computed from, with timers, and
 * with a wall clock of this century; its version protocol holds.
 */
#include "guest.h"

TEST("clock");

static void test_monotonic(void)
{
	uint64_t last = clock_ns(), now, back = 0;

	for (unsigned int i = 0; i < 200000; i++) {
		now = clock_ns();
		back += now < last;
		last = now;
		if (!(i & 0x3fff))
			hypercall_sched_op(SCHEDOP_yield, NULL);
	}
	CHECK_EQ(back, 0);
}

static void test_parameters(void)
{
	volatile struct vcpu_time_info *t = &vcpu_info0()->time;

	CHECK(t->version && !(t->version & 1));
	CHECK(t->tsc_to_system_mul != 0);
	CHECK(t->tsc_shift > -32 && t->tsc_shift < 32);
	CHECK(t->tsc_timestamp <= rdtsc());
}

/* As many nanoseconds pass by the clock as the counter and the parameters say. */
static bool rate_agrees(void)
{
	uint64_t t0 = clock_ns(), c0 = rdtsc(), t1, c1, ns;
	volatile struct vcpu_time_info *t = &vcpu_info0()->time;
	int shift = t->tsc_shift;

	while (rdtsc() - c0 < 20000000)
		;
	t1 = clock_ns();
	c1 = rdtsc();
	ns = shift < 0 ? (c1 - c0) >> -shift : (c1 - c0) << shift;
	ns = ((unsigned __int128)ns * t->tsc_to_system_mul) >> 32;
	return t1 - t0 < ns + ns / 50 && t1 - t0 > ns - ns / 50;
}

/* Both cannot be read at once: on a loaded machine something may come between, but not every time. */
static void test_rate(void)
{
	bool ok = false;

	for (unsigned int i = 0; i < 10 && !ok; i++)
		ok = rate_agrees();
	CHECK(ok);
}

static void test_wall(void)
{
	volatile shared_info_t *s = &shared;
	uint64_t sec = s->wc_sec | (uint64_t)s->wc_sec_hi << 32;

	CHECK(s->wc_version && !(s->wc_version & 1));
	sec += clock_ns() / 1000000000;
	CHECK(sec > 1577836800ul && sec < 4102444800ul); /* between 2020 and 2100 */
	CHECK(s->wc_nsec < 1000000000);
}

static void test_timer(void)
{
	struct sched_poll poll = {.nr_ports = 0};
	uint64_t t0;

	for (unsigned int i = 0; i < 20; i++) {
		t0 = clock_ns();
		poll.timeout = t0 + 1000000;
		CHECK_EQ(hypercall_sched_op(SCHEDOP_poll, &poll), 0);
		CHECK(clock_ns() >= t0 + 1000000);
	}
}

void test_main(void)
{
	events_disable();
	test_parameters();
	test_monotonic();
	test_rate();
	test_wall();
	test_timer();
}
