/* SPDX-License-Identifier: MIT */
/* What the end of a domain means for every action and reason. */
/* links: xend/policy.c lib/base */
#include "unit.h"

#include "xend/node_private.h"

#include <xen/xen.h>
#include <xen/sched.h>

static struct policy_verdict decide(enum domain_action action, int reason, bool short_life,
				    bool enable_dump)
{
	struct domain_config c = {.on_poweroff = ACTION_PRESERVE,
				  .on_reboot = ACTION_PRESERVE,
				  .on_crash = ACTION_PRESERVE,
				  .on_watchdog = ACTION_PRESERVE,
				  .on_soft_reset = ACTION_PRESERVE};

	switch (reason) {
	case SHUTDOWN_poweroff:
		c.on_poweroff = action;
		break;
	case SHUTDOWN_reboot:
		c.on_reboot = action;
		break;
	case SHUTDOWN_watchdog:
		c.on_watchdog = action;
		break;
	case SHUTDOWN_soft_reset:
		c.on_soft_reset = action;
		break;
	default:
		c.on_crash = action;
	}
	return policy_decide(&c, reason, short_life, enable_dump);
}

static void test_actions(void **state)
{
	static const struct {
		enum domain_action action;
		enum domain_action next;
		bool dump;
	} rows[] = {
		{ACTION_DESTROY, ACTION_DESTROY, false},
		{ACTION_RESTART, ACTION_RESTART, false},
		{ACTION_RENAME_RESTART, ACTION_RENAME_RESTART, false},
		{ACTION_PRESERVE, ACTION_PRESERVE, false},
		{ACTION_COREDUMP_DESTROY, ACTION_DESTROY, true},
		{ACTION_COREDUMP_RESTART, ACTION_RESTART, true},
	};
	static const int reasons[] = {SHUTDOWN_poweroff, SHUTDOWN_reboot,     SHUTDOWN_crash,
				      SHUTDOWN_watchdog, SHUTDOWN_soft_reset, 77};

	for (size_t r = 0; r < sizeof(reasons) / sizeof(reasons[0]); r++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct policy_verdict v = decide(rows[i].action, reasons[r], false, false);

			assert_int_equal(v.action, rows[i].next);
			assert_int_equal(v.dump, rows[i].dump);
			assert_false(v.loops);
		}
}

static void test_not_ours(void **state)
{
	assert_int_equal(policy_decide(NULL, SHUTDOWN_crash, true, true).action, ACTION_PRESERVE);
	assert_int_equal(decide(ACTION_RESTART, SHUTDOWN_suspend, false, false).action,
			 ACTION_PRESERVE);
}

static void test_loops(void **state)
{
	struct policy_verdict v = decide(ACTION_RESTART, SHUTDOWN_crash, true, false);

	assert_int_equal(v.action, ACTION_DESTROY);
	assert_true(v.loops);
	v = decide(ACTION_RENAME_RESTART, SHUTDOWN_crash, true, false);
	assert_int_equal(v.action, ACTION_PRESERVE);
	assert_true(v.loops);
	v = decide(ACTION_PRESERVE, SHUTDOWN_crash, true, false);
	assert_int_equal(v.action, ACTION_PRESERVE);
	assert_false(v.loops);
}

static void test_dumps(void **state)
{
	assert_true(decide(ACTION_DESTROY, SHUTDOWN_crash, false, true).dump);
	assert_false(decide(ACTION_DESTROY, SHUTDOWN_poweroff, false, true).dump);
	assert_string_equal(policy_reason_name(SHUTDOWN_watchdog), "watchdog");
	assert_string_equal(policy_reason_name(99), "unknown");
	assert_string_equal(policy_reason_name(-1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
