/* SPDX-License-Identifier: MIT */
/* The xenstore client: sets of nodes, transactions that are overtaken, watches, and a xenstored that is killed at any request. */
/* links: lib/base lib/store */
#include "unit.h"

#include "fake_store.h"

#include "lib/base/text.h"
#include "lib/store/store.h"

static struct loop *loop;
static struct store *store;
static struct error error;

static int start(void **state)
{
	fake_start();
	loop = loop_new();
	store = store_open(loop);
	return store ? 0 : -1;
}

static int end(void **state)
{
	store_close(store);
	loop_free(loop);
	fake_kill();
	memset(fake, 0, sizeof(*fake));
	return 0;
}

static void reads_and_writes(void **state)
{
	const char *names[] = {"a", "none", "b/c"};
	char *values[3], *text, **list;
	size_t nr;

	assert_int_equal(store_write(store, "/x/a", &error, "%d", 12), 0);
	store_put(store, "/x", "b/c", "%s", "deep");
	store_put_permissions(store, "/x/b", "n5,r0");
	store_put(store, "/x", "b/d", "%s", "");
	assert_int_equal(store_read_each(store, "/x", names, 3, values, &error), 0);
	assert_string_equal(values[0], "12");
	assert_null(values[1]);
	assert_string_equal(values[2], "deep");
	store_values_free(values, 3);
	assert_string_equal(fake_find("/x/b/d")->perms, "n5,r0");
	assert_string_equal(fake_find("/x/b/c")->perms, "n0");

	assert_null(store_read(store, "/y", &error));
	assert_int_equal(error.class, ERROR_NOT_FOUND);
	assert_non_null(strstr(error.text, "/y"));
	assert_int_equal(store_read_long(store, "/x/a", 7), 12);
	assert_int_equal(store_read_long(store, "/x/b/c", 7), 7);
	text = store_read(store, "/x/b/d", &error);
	assert_string_equal(text, "");
	free(text);

	assert_int_equal(store_list(store, "/x", &list, &nr, &error), 0);
	assert_int_equal(nr, 2);
	assert_string_equal(list[0], "a");
	assert_string_equal(list[1], "b");
	free(list);
	assert_int_equal(store_list(store, "/y", &list, &nr, &error), 0);
	assert_true(nr == 0 && !list);
	store_put_removed(store, "/x/b");
	store_put_removed(store, "/x/b");
	assert_int_equal(store_flush(store, &error), 0);
	assert_null(fake_find("/x/b/c"));
}

/* However many, they take few exchanges; a failure among them shows once, at the flush. */
static void batches(void **state)
{
	int before;
	char long_value[5000] = {0}, name[20];
	char *values[300];
	const char *names[300];

	before = fake->exchanges;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		store_put(store, "/many", name, "%d", i);
	}
	assert_int_equal(store_flush(store, &error), 0);
	assert_in_range(fake->exchanges - before, 1, 3);
	for (int i = 0; i < 300; i++)
		names[i] = xasprintf("/many/n%d", i);
	assert_int_equal(store_read_each(store, "", names, 300, values, &error), 0);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(atoi(values[i]), i);
		free((char *)names[i]);
	}
	store_values_free(values, 300);

	memset(long_value, 'x', sizeof(long_value) - 1);
	store_put(store, "/many", "long", "%s", long_value);
	store_put_permissions(store, "/nowhere", "n0,r1");
	store_put(store, "/many", "last", "1");
	assert_int_equal(store_flush(store, &error), -1);
	assert_non_null(strstr(error.text, "too long"));
	assert_int_equal(store_flush(store, &error), 0);
	assert_string_equal(fake_value("/many/last"), "1");
}

static int times;

static int count_up(struct store *s, void *arg, struct error *e)
{
	long value = store_read_long(s, "/t/count", 0);

	times++;
	store_put(s, "/t", "count", "%ld", value + 1);
	if (arg)
		return error_set(e, ERROR_FAILED, "no");
	return 0;
}

static void transactions(void **state)
{
	times = 0;
	assert_int_equal(store_transaction(store, count_up, NULL, &error), 0);
	fake->refuse = 3;
	assert_int_equal(store_transaction(store, count_up, NULL, &error), 0);
	assert_int_equal(times, 5);
	assert_string_equal(fake_value("/t/count"), "2");
	assert_int_equal(store_transaction(store, count_up, &times, &error), -1);
	assert_string_equal(error.text, "no");
	assert_string_equal(fake_value("/t/count"), "2");
	fake->refuse = 1000;
	assert_int_equal(store_transaction(store, count_up, NULL, &error), -1);
	assert_int_equal(error.class, ERROR_RETRY);
	fake->refuse = 0;
}

static int fired, want;
static char fired_path[100];

static void note(void *arg, const char *path)
{
	snprintf(fired_path, sizeof(fired_path), "%s", path);
	if (++fired == want)
		loop_stop(loop);
}

static void too_late(void *arg)
{
	loop_stop(loop);
}

static void serve_until(int count)
{
	struct loop_source *t = loop_timer(loop, 2000, false, too_late, NULL);

	want = count;
	if (fired < want)
		loop_run(loop);
	loop_remove(t);
	assert_int_equal(fired, count);
}

static void watches(void **state)
{
	struct store_watch *w = store_watch(store, "/w", note, NULL);

	fired = 0;
	assert_int_equal(store_flush(store, &error), 0);
	assert_int_equal(fired, 0); /* from the loop only */
	serve_until(1);
	assert_string_equal(fired_path, "/w");
	assert_int_equal(store_write(store, "/w/x", &error, "1"), 0);
	serve_until(2);
	assert_string_equal(fired_path, "/w/x");
	store_unwatch(w);
	assert_int_equal(store_write(store, "/w/y", &error, "1"), 0);
	w = store_watch(store, "/v", note, NULL);
	assert_int_equal(store_flush(store, &error), 0);
	serve_until(3);
	assert_string_equal(fired_path, "/v");

	/* killed while nobody asks anything: the watch is there again by itself */
	fake_kill();
	fake_start();
	serve_until(4);
	store_unwatch(w);
}

static void survives_kills(void **state)
{
	struct store_watch *w = store_watch(store, "/w", note, NULL);
	int runs = 0;

	assert_int_equal(store_flush(store, &error), 0);
	/* wherever it dies among the requests of all this, everything is done in the end */
	for (int at = 1; at < 30; at++, runs++) {
		pid_t helper;

		memset(fake->node, 0, sizeof(fake->node));
		fake->die_at = at;
		helper = fork();
		if (!helper) { /* starts it again, as init would */
			while (fake->die_at)
				usleep(1000);
			usleep(20000);
			fake_start();
			pause();
		}
		for (int i = 0; i < 5; i++)
			store_put(store, "/k", "a", "%d", i);
		if (store_flush(store, &error) ||
		    store_transaction(store, count_up, NULL, &error) ||
		    store_transaction(store, count_up, NULL, &error))
			fail_msg("%d: %s", at, error.text);
		for (int i = 0; i < 10; i++)
			assert_int_equal(store_read_long(store, "/k/a", -1), 4);
		assert_string_equal(fake_value("/t/count"), "2");
		fake->die_at = 0;
		kill(helper, SIGKILL);
		waitpid(helper, NULL, 0);
		fake_kill();
		fake_start();
	}
	store_unwatch(w);
}

static void nobody_there(void **state)
{
	fake_kill();
	assert_int_equal(store_write(store, "/a", &error, "1"), -1);
	assert_int_equal(error.class, ERROR_ABSENT);
	fake_start();
	assert_int_equal(store_write(store, "/a", &error, "1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_and_writes, start, end),
		cmocka_unit_test_setup_teardown(batches, start, end),
		cmocka_unit_test_setup_teardown(transactions, start, end),
		cmocka_unit_test_setup_teardown(watches, start, end),
		cmocka_unit_test_setup_teardown(survives_kills, start, end),
		cmocka_unit_test_setup_teardown(nobody_there, start, end),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
