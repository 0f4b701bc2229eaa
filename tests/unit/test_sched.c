/* SPDX-License-Identifier: MIT */
/*
 * core/sched.c and the credit policy on simulated CPUs: shares, caps, affinity, balance and latency as an administrator would
 * measure them, exact run-state times, and the invariants under random events.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "fake_cpus.h"

#include "core/event.h"
#include "lib/errno.h"

#define VCPUS_MAX 16

struct vcpu *idle_vcpu[NR_CPUS];
static struct domain idle_domain;
static struct domain *domains[VCPUS_MAX];
static unsigned int nr_domains;
static struct vcpu_info no_events;

/* --- what the scheduler needs of others --- */

int idle_vcpu_create(unsigned int cpu)
{
	struct vcpu *v = calloc(1, sizeof(*v));

	v->domain = &idle_domain;
	v->vcpu_id = cpu;
	v->is_idle = true;
	idle_vcpu[cpu] = v;
	sched_init_vcpu(v);
	return 0;
}

void vtime_update_wallclock(struct domain *d)
{
}

void context_switch(struct vcpu *prev, struct vcpu *next)
{
	assert_ptr_equal(prev, current);
	assert_ptr_not_equal(prev, next);
	assert_true(next->is_running);
	assert_true(next->is_idle || cpumask_test(fake_cpu_id, &next->sched.hard_affinity));
	fake_set_running(fake_cpu_id, next);
	sched_context_saved(prev);
}

/* --- the machine and its guests --- */

static void setup(unsigned int cpus)
{
	fake_cpus_reset(cpus);
	memset(&idle_domain, 0, sizeof(idle_domain));
	idle_domain.domain_id = DOMID_IDLE;
	idle_domain.sched.weight = 256;
	nr_domains = 0;
	sched_init();
	for (unsigned int cpu = 1; cpu < cpus; cpu++)
		sched_init_cpu(cpu);
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		fake_set_running(cpu, idle_vcpu[cpu]);
	fake_enter(0);
}

static void teardown(unsigned int cpus)
{
	struct vcpu *v;
	unsigned int i;

	for (unsigned int n = 0; n < nr_domains; n++) {
		domain_pause_nosync(domains[n]);
		fake_settle();
		sched_policy->domain_destroy(domains[n]);
		for_each_vcpu (domains[n], v, i) {
			sched_destroy_vcpu(v);
			free(v);
		}
		free(domains[n]->vcpu);
		free(domains[n]);
	}
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		free(idle_vcpu[cpu]);
}

/* A domain of hogs: each vCPU always wants to run. They start asleep. */
static struct domain *domain_new(unsigned int vcpus, unsigned int weight)
{
	struct domain *d = calloc(1, sizeof(*d));

	d->domain_id = (domid_t)nr_domains;
	d->max_vcpus = vcpus;
	d->vcpu = calloc(vcpus, sizeof(*d->vcpu));
	sched_policy->domain_init(d);
	d->sched.weight = (uint16_t)weight;
	for (unsigned int i = 0; i < vcpus; i++) {
		struct vcpu *v = d->vcpu[i] = calloc(1, sizeof(*v));

		v->domain = d;
		v->vcpu_id = i;
		v->vcpu_info = &no_events;
		v->pause_flags = VPF_down;
		sched_init_vcpu(v);
	}
	return domains[nr_domains++] = d;
}

static void start(struct domain *d)
{
	struct vcpu *v;
	unsigned int i;

	for_each_vcpu (d, v, i) {
		atomic_and(&v->pause_flags, ~VPF_down);
		vcpu_settle(v);
	}
	fake_settle();
}

static struct vcpu *hog(unsigned int weight)
{
	struct domain *d = domain_new(1, weight);

	start(d);
	return d->vcpu[0];
}

static void pin(struct vcpu *v, unsigned int cpu)
{
	cpumask_t m = {};

	cpumask_set(cpu, &m);
	assert_int_equal(vcpu_set_hard_affinity(v, &m), 0);
	fake_settle();
}

static void cap(struct domain *d, unsigned int percent)
{
	struct xen_domctl_scheduler_op op = {
		.sched_id = XEN_SCHEDULER_CREDIT,
		.cmd = XEN_DOMCTL_SCHEDOP_putinfo,
		.u.credit = {.weight = 0, .cap = (uint16_t)percent},
	};

	assert_int_equal(sched_adjust_domain(d, &op), 0);
}

/* What @v gets of one CPU from now on for ten seconds, in thousandths. */
static unsigned int shares[VCPUS_MAX];
static void measure(struct vcpu *const *v, unsigned int n)
{
	uint64_t before[VCPUS_MAX];

	for (unsigned int i = 0; i < n; i++)
		before[i] = vcpu_cpu_time(v[i]);
	fake_run_until(fake_now + SECONDS(10));
	for (unsigned int i = 0; i < n; i++)
		shares[i] = (unsigned int)((vcpu_cpu_time(v[i]) - before[i]) / 10000000);
}

static void assert_share(unsigned int i, unsigned int expected, unsigned int slack)
{
	if (shares[i] + slack < expected || shares[i] > expected + slack)
		fail_msg("vCPU %u has %u thousandths of a CPU, expected %u", i, shares[i],
			 expected);
}

/* --- shares --- */

static void test_alone(void **state)
{
	struct vcpu *v;

	setup(2);
	v = hog(256);
	measure(&v, 1);
	assert_share(0, 1000, 0);
	assert_int_equal(fake_deadline[v->processor], TIME_NEVER);
	assert_int_equal(cpu_idle_time(1 - v->processor), (uint64_t)fake_now);
	assert_int_equal(cpu_idle_time(v->processor), 0);
	teardown(2);
}

static void test_weights(void **state)
{
	struct vcpu *v[4];

	setup(1);
	v[0] = hog(256);
	v[1] = hog(512);
	v[2] = hog(1024);
	v[3] = hog(1);
	measure(v, 4);
	assert_share(0, 143, 10);
	assert_share(1, 286, 10);
	assert_share(2, 571, 10);
	assert_true(shares[3] <= 4);
	teardown(1);
}

static void test_three_on_two(void **state)
{
	struct vcpu *v[3];

	setup(2);
	for (unsigned int i = 0; i < 3; i++)
		v[i] = hog(256);
	measure(v, 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_share(i, 667, 30);
	teardown(2);
}

static void test_five_on_four(void **state)
{
	struct vcpu *v[5];

	setup(4);
	for (unsigned int i = 0; i < 5; i++)
		v[i] = hog(256);
	measure(v, 5);
	for (unsigned int i = 0; i < 5; i++)
		assert_share(i, 800, 60);
	teardown(4);
}

static void test_pinned(void **state)
{
	struct vcpu *v[3];

	setup(2);
	v[0] = hog(256);
	v[1] = hog(768);
	v[2] = hog(256);
	pin(v[0], 0);
	pin(v[1], 0);
	measure(v, 3);
	assert_share(0, 250, 10);
	assert_share(1, 750, 10);
	assert_share(2, 1000, 1);
	teardown(2);
}

static void test_caps(void **state)
{
	struct domain *two;
	struct vcpu *v[4];

	setup(4);
	v[0] = hog(256);
	v[1] = hog(256);
	cap(v[0]->domain, 10);
	cap(v[1]->domain, 50);
	two = domain_new(2, 256);
	start(two);
	cap(two, 150);
	v[2] = two->vcpu[0];
	v[3] = two->vcpu[1];
	measure(v, 4);
	assert_share(0, 100, 5);
	assert_share(1, 500, 5);
	shares[2] += shares[3];
	assert_share(2, 1500, 40);
	cap(v[0]->domain, 0);
	measure(v, 1);
	assert_share(0, 1000, 5);
	teardown(4);
}

/* Who wakes while the domain's budget is spent has not saved up time by sleeping either. */
static void test_parked_sleeper(void **state)
{
	struct vcpu *v;

	setup(1);
	hog(256);
	v = hog(256);
	fake_run_until(MILLISECS(100));
	v->pause_flags |= VPF_blocked;
	vcpu_settle(v);
	fake_run_until(SECONDS(1));
	cap(v->domain, 50);
	v->domain->sched.budget = -1;
	vcpu_unblock(v);
	assert_true(v->sched.parked);
	fake_run_until(SECONDS(1) + MILLISECS(60));
	assert_true(per_cpu(sched_cpu, 0).vclock - v->sched.vtime < MILLISECS(40));
	teardown(1);
}

/* --- waking --- */

static struct timer wake_timer, done_timer;
static s_time_t woken_at, worst;
static unsigned int wakes;

static void sleeper_wake(void *data)
{
	woken_at = fake_now;
	vcpu_unblock(data);
	timer_set(&wake_timer, fake_now + MILLISECS(10));
	wakes++;
}

/* Every 100 us: has it run long enough? */
static void sleeper_check(void *data)
{
	struct vcpu *v = data;

	if (v == fake_running(v->processor) && !(v->pause_flags & VPF_blocked)) {
		if (woken_at) {
			worst = max(worst, v->sched.start_time - woken_at);
			woken_at = 0;
		}
		if (fake_now - v->sched.start_time >= MICROSECS(200)) {
			fake_enter(v->processor);
			vcpu_block();
		}
	}
	timer_set(&done_timer, fake_now + MICROSECS(100));
}

static void test_wake_latency(void **state)
{
	struct vcpu *v[3];

	setup(1);
	v[0] = hog(256);
	v[1] = hog(256);
	v[2] = hog(256);
	wakes = 0;
	woken_at = worst = 0;
	timer_init(&wake_timer, sleeper_wake, v[2], 0);
	timer_init(&done_timer, sleeper_check, v[2], 0);
	timer_set(&wake_timer, MILLISECS(500));
	timer_set(&done_timer, MILLISECS(100));
	measure(v, 3);
	assert_true(wakes > 900);
	/* It preempts as soon as the rate limit allows. */
	assert_true(worst <= MILLISECS(1));
	assert_true(shares[2] < 60);
	assert_true(shares[0] + shares[1] + shares[2] >= 999);
	timer_kill(&wake_timer);
	timer_kill(&done_timer);
	teardown(1);
}

static void test_yield(void **state)
{
	struct vcpu *a, *b;

	setup(1);
	a = hog(256);
	fake_run_until(MILLISECS(5));
	fake_programmed = 0;
	assert_int_equal(vcpu_yield(), 0);
	assert_int_equal(fake_programmed, 0);
	assert_ptr_equal(fake_running(0), a);
	b = hog(256);
	fake_run_until(fake_now + MILLISECS(2));
	assert_ptr_equal(fake_running(0), b);
	fake_enter(0);
	vcpu_yield();
	fake_settle();
	assert_ptr_equal(fake_running(0), a);
	teardown(1);
}

/* Another CPU shortens the slice as soon as the lock lets it, while the slice's timer runs. */
static void shorten_slice(void)
{
	struct sched_cpu *sc = &per_cpu(sched_cpu, 0);

	if (timer_pending(&sc->slice) || !sc->slice_end || !spin_trylock(&sc->lock))
		return;
	fake_time_hook = NULL;
	sched_slice_set(sc, fake_now + MICROSECS(100));
	spin_unlock(&sc->lock);
}

static void test_slice_shortened(void **state)
{
	struct sched_cpu *sc = &per_cpu(sched_cpu, 0);

	setup(1);
	hog(256);
	hog(256);
	assert_true(sc->slice_end > MILLISECS(2));
	timer_set(&sc->slice, MILLISECS(1)); /* too early: it finds the slice longer */
	fake_time_hook = shorten_slice;
	fake_run_until(MILLISECS(1));
	fake_time_hook = NULL;
	assert_true(timer_pending(&sc->slice));
	assert_true(sc->slice.expires <= sc->slice_end);
	teardown(1);
}

/* --- state --- */

static void test_poll_port_is_the_pollers(void **state)
{
	struct vcpu *v;

	setup(1);
	v = hog(256);
	/* It may poll anew the moment the flag is gone: what is written then would be a lost wake-up. */
	v->poll_port = 7;
	v->domain->poll_count = 1;
	v->pause_flags |= VPF_blocked | VPF_poll;
	vcpu_unblock(v);
	assert_int_equal(v->pause_flags, 0);
	assert_int_equal(v->domain->poll_count, 0);
	assert_int_equal(v->poll_port, 7);
	teardown(1);
}

static void test_pause_and_times(void **state)
{
	struct vcpu_runstate_info rs;
	struct vcpu *v;

	setup(1);
	v = hog(256);
	fake_run_until(MILLISECS(10));
	v->pause_count = 2;
	vcpu_settle(v);
	fake_settle();
	assert_false(v->is_running);
	fake_run_until(MILLISECS(30));
	vcpu_unpause(v);
	fake_run_until(MILLISECS(40));
	vcpu_unpause(v);
	fake_run_until(MILLISECS(45));
	fake_enter(0);
	vcpu_block();
	fake_run_until(MILLISECS(60));
	vcpu_runstate_get(v, &rs);
	assert_int_equal(rs.state, RUNSTATE_blocked);
	assert_int_equal(rs.time[RUNSTATE_running], MILLISECS(15));
	assert_int_equal(rs.time[RUNSTATE_offline], MILLISECS(30));
	assert_int_equal(rs.time[RUNSTATE_blocked], MILLISECS(15));
	assert_int_equal(cpu_idle_time(0), MILLISECS(45));
	vcpu_kick(v);
	fake_settle();
	assert_ptr_equal(fake_running(0), v);
	teardown(1);
}

static void test_move_running(void **state)
{
	struct vcpu *v;

	setup(2);
	v = hog(256);
	pin(v, 1);
	assert_ptr_equal(fake_running(1), v);
	pin(v, 0);
	assert_ptr_equal(fake_running(0), v);
	assert_true(fake_running(1)->is_idle);
	assert_int_equal(vcpu_pin_temporarily(v, 1), 0);
	assert_int_equal(vcpu_pin_temporarily(v, 1), -EBUSY);
	fake_settle();
	assert_ptr_equal(fake_running(1), v);
	assert_int_equal(vcpu_pin_temporarily(v, -1), 0);
	fake_settle();
	assert_ptr_equal(fake_running(0), v);
	assert_int_equal(vcpu_pin_temporarily(v, 77), -EINVAL);
	teardown(2);
}

static void test_tools_pause(void **state)
{
	struct domain *d;

	setup(1);
	d = domain_new(1, 256);
	d->pause_count = d->controller_pause_count = 1;
	start(d);
	assert_true(fake_running(0)->is_idle);
	assert_int_equal(domain_unpause_by_tools(d), 0);
	fake_settle();
	assert_true(d->creation_finished);
	assert_ptr_equal(fake_running(0), d->vcpu[0]);
	assert_int_equal(domain_unpause_by_tools(d), -EINVAL);
	d->controller_pause_count = 255;
	assert_int_equal(domain_pause_by_tools(d), -EOVERFLOW);
	teardown(1);
}

/* --- everything at once --- */

#define CPUS	4
#define DOMAINS 5

static void check_vcpu(struct vcpu *v)
{
	unsigned int on = 0;

	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		on += fake_running(cpu) == v;
	assert_int_equal(on + !list_empty(&v->sched.runq) + v->sched.parked, vcpu_runnable(v));
	assert_int_equal(on, v->is_running);
	assert_int_equal(v->runstate.state == RUNSTATE_running, on);
	assert_int_equal(v->runstate.state == RUNSTATE_runnable, vcpu_runnable(v) && !on);
	assert_true(!vcpu_runnable(v) || cpumask_test(v->processor, &v->sched.hard_affinity));
	assert_true(!v->sched.parked || v->domain->sched.cap);
	if (list_empty(&v->sched.runq))
		return;
	/* Work-conserving: whoever waits has no idle CPU to go to. */
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		assert_false(fake_running(cpu)->is_idle &&
			     cpumask_test(cpu, &v->sched.hard_affinity));
}

static void check_all(void)
{
	for (unsigned int n = 0; n < nr_domains; n++)
		for (unsigned int i = 0; i < domains[n]->max_vcpus; i++)
			check_vcpu(domains[n]->vcpu[i]);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		assert_ptr_equal(per_cpu(sched_cpu, cpu).curr, fake_running(cpu));
		assert_int_equal(cpumask_test(cpu, &sched_idle_map), fake_running(cpu)->is_idle);
	}
}

static void random_event(uint64_t *rnd, unsigned int paused[DOMAINS])
{
	unsigned int n = unit_random(rnd) % DOMAINS;
	struct domain *d = domains[n];
	struct vcpu *v = d->vcpu[unit_random(rnd) % d->max_vcpus];
	cpumask_t m = {};

	fake_enter(unit_random(rnd) % CPUS);
	switch (unit_random(rnd) % 9) {
	case 0:
	case 1:
		if (!current->is_idle)
			vcpu_block();
		break;
	case 2:
	case 3:
		vcpu_kick(v);
		break;
	case 4:
		if (current->domain != d && !paused[n]++)
			domain_pause_nosync(d);
		break;
	case 5:
		if (paused[n]) {
			paused[n] = 0;
			domain_unpause(d);
		}
		break;
	case 6:
		m.bits[0] = 1 + unit_random(rnd) % 15;
		assert_int_equal(vcpu_set_hard_affinity(v, &m), 0);
		break;
	case 7:
		if (unit_random(rnd) % 4 == 0)
			cap(d, unit_random(rnd) % 2 ? 0 : 20 + unit_random(rnd) % 200);
		break;
	default:
		vcpu_yield();
	}
}

static void test_random(void **state)
{
	unsigned int paused[DOMAINS] = {};
	uint64_t rnd = 7;

	setup(CPUS);
	for (unsigned int i = 0; i < DOMAINS; i++)
		start(domain_new(1 + i % 3, 128u << i % 3));
	for (unsigned int n = 0; n < 20000; n++) {
		/* Several before anybody reacts, as CPUs do that work at the same time. */
		for (unsigned int k = unit_random(&rnd) % 3; k; k--)
			random_event(&rnd, paused);
		if (unit_random(&rnd) % 2)
			fake_run_until(fake_now + (s_time_t)(unit_random(&rnd) % MILLISECS(20)));
		else
			fake_settle();
		check_all();
	}
	teardown(CPUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_three_on_two),
		cmocka_unit_test(test_five_on_four),
		cmocka_unit_test(test_pinned),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_parked_sleeper),
		cmocka_unit_test(test_wake_latency),
		cmocka_unit_test(test_yield),
		cmocka_unit_test(test_move_running),
		cmocka_unit_test(test_pause_and_times),
		cmocka_unit_test(test_tools_pause),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_slice_shortened),
		cmocka_unit_test(test_poll_port_is_the_pollers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
