/* SPDX-License-Identifier: MIT */
/* What the end of a domain means for every action and reason, and the journal's files, also ones that nobody of us wrote. */
/* links: xend/policy.c xend/journal.c lib/base */
/* libs: -ljansson */
#include "unit.h"

#include "lib/base/text.h"
#include "xend/journal.h"
#include "xend/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/sched.h>

static struct policy_verdict decide(enum domain_action action, int reason, struct policy_life life)
{
	struct domain_config c = {.on_poweroff = ACTION_PRESERVE,
				  .on_reboot = ACTION_PRESERVE,
				  .on_crash = ACTION_PRESERVE,
				  .on_watchdog = ACTION_PRESERVE,
				  .on_soft_reset = ACTION_PRESERVE};

	life.reason = reason;
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
	return policy_decide(&c, &life);
}

static void test_actions(void **state)
{
	static const struct {
		enum domain_action action;
		enum policy_next next;
		bool dump;
	} rows[] = {
		{ACTION_DESTROY, POLICY_DESTROY, false},
		{ACTION_RESTART, POLICY_RESTART, false},
		{ACTION_RENAME_RESTART, POLICY_RENAME_RESTART, false},
		{ACTION_PRESERVE, POLICY_PRESERVE, false},
		{ACTION_COREDUMP_DESTROY, POLICY_DESTROY, true},
		{ACTION_COREDUMP_RESTART, POLICY_RESTART, true},
	};
	static const int reasons[] = {SHUTDOWN_poweroff, SHUTDOWN_reboot,     SHUTDOWN_crash,
				      SHUTDOWN_watchdog, SHUTDOWN_soft_reset, 77};
	const struct policy_life long_life = {.seconds = 1000};

	for (size_t r = 0; r < sizeof(reasons) / sizeof(reasons[0]); r++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct policy_verdict v = decide(rows[i].action, reasons[r], long_life);

			assert_int_equal(v.next, rows[i].next);
			assert_int_equal(v.dump, rows[i].dump);
			assert_null(v.why);
		}
}

static void test_not_ours(void **state)
{
	const struct policy_life life = {.reason = SHUTDOWN_crash, .seconds = 1};

	assert_int_equal(policy_decide(NULL, &life).next, POLICY_NOTHING);
	assert_int_equal(decide(ACTION_RESTART, SHUTDOWN_suspend, life).next, POLICY_NOTHING);
}

static void test_loops(void **state)
{
	struct policy_life life = {.seconds = 3, .from_restart = true};

	assert_int_equal(decide(ACTION_RESTART, SHUTDOWN_crash, life).next, POLICY_DESTROY);
	assert_non_null(decide(ACTION_RESTART, SHUTDOWN_crash, life).why);
	assert_int_equal(decide(ACTION_RENAME_RESTART, SHUTDOWN_crash, life).next, POLICY_PRESERVE);
	assert_int_equal(decide(ACTION_PRESERVE, SHUTDOWN_crash, life).next, POLICY_PRESERVE);
	life.ordered = true; /* somebody typed it */
	assert_int_equal(decide(ACTION_RESTART, SHUTDOWN_reboot, life).next, POLICY_RESTART);
	life.ordered = false;
	life.seconds = POLICY_SHORT_LIFE;
	assert_int_equal(decide(ACTION_RESTART, SHUTDOWN_crash, life).next, POLICY_RESTART);
	life.seconds = 0;
	life.from_restart = false; /* the first quick end is forgiven */
	assert_int_equal(decide(ACTION_RESTART, SHUTDOWN_crash, life).next, POLICY_RESTART);
}

static void test_dumps(void **state)
{
	const struct policy_life life = {.seconds = 100, .enable_dump = true};

	assert_true(decide(ACTION_DESTROY, SHUTDOWN_crash, life).dump);
	assert_false(decide(ACTION_DESTROY, SHUTDOWN_poweroff, life).dump);
	assert_string_equal(policy_reason_name(SHUTDOWN_watchdog), "watchdog");
	assert_string_equal(policy_reason_name(99), "unknown");
	assert_string_equal(policy_reason_name(-1), "unknown");
}

static void test_journal(void **state)
{
	char folder[] = "/tmp/test-journal.XXXXXX";
	struct journal_entry a = {
		.id = 12, .kind = "create", .name = (char *)"web", .uuid = "u-1", .domid = 3};
	struct journal_entry *found, b = a;
	struct error e;
	size_t nr;
	char *junk;

	assert_non_null(mkdtemp(folder));
	found = journal_read(folder, &nr);
	assert_int_equal(nr, 0);
	journal_free(found, nr);
	assert_int_equal(journal_write(folder, &a, &e), 0);
	b.id = 9;
	assert_int_equal(journal_write(folder, &b, &e), 0);
	a.domid = 4;
	assert_int_equal(journal_write(folder, &a, &e), 0); /* the same file again */
	junk = xasprintf("%s/7.json", folder);
	fclose(fopen(junk, "w"));
	found = journal_read(folder, &nr);
	assert_int_equal(nr, 2);
	assert_int_equal(found[0].id, 9);
	assert_int_equal(found[1].domid, 4);
	assert_string_equal(found[1].name, "web");
	assert_string_equal(found[1].kind, "create");
	assert_int_not_equal(access(junk, F_OK), 0);
	journal_free(found, nr);
	journal_remove(folder, 9);
	journal_remove(folder, 12);
	journal_remove(folder, 12);
	a.name = (char *)"\xff\xfe";
	assert_int_equal(journal_write(folder, &a, &e), -1);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(journal_write(folder, &b, &e), -1);
	free(junk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions), cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_loops),	cmocka_unit_test(test_dumps),
		cmocka_unit_test(test_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
