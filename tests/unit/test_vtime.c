/* SPDX-License-Identifier: MIT */
/* core/vtime.c and the scale of x86/time.c: what a guest computes from what it is told is the time, on any TSC; its timers. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "fake_cpus.h"

#include "core/event.h"
#include "mm/frame.h"
#include "mm/guest_copy.h"
#include "x86/irq.h"
#include "x86/time.h"

struct vcpu_info dummy_vcpu_info;
static struct shared_info shared;
static struct domain dom;
static struct vcpu vcpu;
static struct vcpu_info info;
static uint64_t hz;
static unsigned int ticks;

/* --- what the sources need of others --- */

uint64_t tsc_find_hz(void)
{
	return hz;
}

uint64_t cmos_read_seconds(void)
{
	return 0;
}

void lapic_timer_init(void)
{
}

unsigned long guest_copy_raw(void *dst, const void *src, unsigned long len)
{
	/* Content is written under an odd version only. */
	if (len > sizeof(uint32_t))
		assert_true(((uint32_t *)dst)[-1] & 1);
	memcpy(dst, src, len);
	return 0;
}

void send_guest_vcpu_virq(struct vcpu *v, uint32_t virq)
{
	assert_int_equal(virq, VIRQ_TIMER);
	ticks++;
}

void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *rs)
{
	*rs = v->runstate;
}

/* The guest's kernel is always loaded here: nobody walks its tables. */
bool mfn_valid(mfn_t mfn)
{
	return false;
}

#define NEVER(result, name, ...) \
	result name(__VA_ARGS__) \
	{                        \
		abort();         \
	}
NEVER(struct page_info *, mfn_to_page, mfn_t mfn)
NEVER(mfn_t, page_to_mfn, const struct page_info *pg)
NEVER(void *, maddr_to_virt, paddr_t ma)
NEVER(void, domain_page_free, struct page_info *pg)
NEVER(int, get_page_type, struct page_info *pg, uint64_t type)
NEVER(void, put_page_type, struct page_info *pg)
NEVER(void, vcpu_unblock, struct vcpu *v)

/* --- */

static void setup(uint64_t frequency)
{
	fake_cpus_reset(2);
	memset(&shared, 0, sizeof(shared));
	memset(&info, 0, sizeof(info));
	dom = (struct domain){.shared_info = &shared, .time_offset_seconds = -3600};
	vcpu = (struct vcpu){
		.domain = &dom, .vcpu_info = &info, .in_kernel = true, .is_running = true};
	fake_set_running(0, &vcpu);
	fake_set_running(1, &vcpu);
	hz = frequency;
	ticks = 0;
	time_init();
	vtime_init_vcpu(&vcpu);
	vtime_update(&vcpu);
}

/* As the ABI tells guests to (struct vcpu_time_info). */
static uint64_t guest_time(const struct vcpu_time_info *ti, uint64_t tsc)
{
	uint64_t delta = tsc - ti->tsc_timestamp;

	delta = ti->tsc_shift < 0 ? delta >> -ti->tsc_shift : delta << ti->tsc_shift;
	return ti->system_time +
	       (uint64_t)(((unsigned __int128)delta * ti->tsc_to_system_mul) >> 32);
}

static void test_scale(void **state)
{
	static const uint64_t hzs[] = {10000000,   333333333,  999999999,  1000000000,
				       1000000001, 1999999999, 2000000000, 2000000001,
				       2399999987, 3699850000, 4000000001, 12345678901};
	static const uint64_t seconds[] = {0, 1, 60, 86400, 86400 * 365};
	const struct vcpu_time_info *ti = (const struct vcpu_time_info *)&info.time;

	for (unsigned int i = 0; i < ARRAY_SIZE(hzs); i++) {
		setup(hzs[i]);
		assert_int_equal(ti->flags, XEN_PVCLOCK_TSC_STABLE_BIT);
		assert_true(ti->tsc_to_system_mul >= (1u << 31) - 2);
		assert_int_equal(cpu_khz, (hz + 500) / 1000);
		for (unsigned int k = 0; k < ARRAY_SIZE(seconds); k++) {
			uint64_t ns = guest_time(ti, ti->tsc_timestamp + seconds[k] * hz);
			uint64_t exact = seconds[k] * 1000000000;

			/* The multiplier is right to its last of 31 bits, the ticks to what the shift leaves. */
			assert_true(ns <= exact);
			assert_true(exact - ns <= (exact >> 30) + 8);
		}
	}
}

static void test_record_is_kept(void **state)
{
	const struct vcpu_time_info *ti = (const struct vcpu_time_info *)&info.time;
	struct vcpu_time_info copy = {};
	uint32_t version;

	setup(2400000000);
	version = ti->version;
	assert_true(version && !(version & 1));
	vtime_register_time(&vcpu, (unsigned long)&copy);
	assert_memory_equal(&copy, ti, sizeof(copy));
	/* A page that is right is left alone; one that a builder has cleared is written again, and its wall clock. */
	vtime_switch_in(&vcpu);
	assert_int_equal(ti->version, version);
	memset(&info, 0, sizeof(info));
	wallclock_base_ns = 1234567890123456789;
	vtime_switch_in(&vcpu);
	assert_int_equal(ti->version, version + 2);
	assert_memory_equal(&copy, ti, sizeof(copy));
	assert_true(shared.wc_version && !(shared.wc_version & 1));
	assert_int_equal(shared.wc_sec, 1234567890 - 3600);
	assert_int_equal(shared.wc_nsec, 123456789);
	/* Version 0 is that of a cleared page. */
	vcpu.time_version = -2u;
	vtime_update(&vcpu);
	assert_int_equal(ti->version, 2);
	vtime_register_time(&vcpu, 0);
	vtime_update(&vcpu);
	assert_int_equal(copy.version, 2);
}

static void test_timers(void **state)
{
	setup(1000000000);
	vtime_switch_in(&vcpu); /* the ABI's 100 Hz */
	fake_run_until(MILLISECS(35));
	assert_int_equal(ticks, 3);
	vtime_switch_out(&vcpu);
	fake_run_until(MILLISECS(85));
	assert_int_equal(ticks, 3);
	/* Those missed are one; the rhythm stays. On another CPU all timers follow. */
	fake_enter(1);
	vtime_switch_in(&vcpu);
	assert_int_equal(ticks, 4);
	assert_int_equal(vcpu.singleshot_timer.cpu, 1);
	fake_run_until(MILLISECS(90));
	assert_int_equal(ticks, 5);
	vtime_set_periodic(&vcpu, 0);
	vtime_set_singleshot(&vcpu, MILLISECS(100));
	fake_run_until(MILLISECS(99));
	assert_int_equal(ticks, 5);
	fake_run_until(SECONDS(1));
	assert_int_equal(ticks, 6);
	vtime_set_singleshot(&vcpu, SECONDS(2));
	vtime_set_singleshot(&vcpu, 0);
	fake_run_until(SECONDS(3));
	assert_int_equal(ticks, 6);
	vtime_destroy_vcpu(&vcpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scale),
		cmocka_unit_test(test_record_is_kept),
		cmocka_unit_test(test_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
