/* SPDX-License-Identifier: MIT */
/* The base library: texts, errors, S-expressions, files, the event loop. */
/* links: lib/base */
#include "unit.h"

#include "lib/base/file.h"
#include "lib/base/loop.h"
#include "lib/base/sxp.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void text_grows(void **state)
{
	struct text t = {0};

	for (int i = 0; i < 1000; i++)
		text_printf(&t, "%d,", i);
	assert_int_equal(t.len, 10 * 2 + 90 * 3 + 900 * 4);
	assert_memory_equal(t.data, "0,1,2,", 6);
	text_drop(&t, t.len - 4);
	assert_string_equal(t.data, "999,");
	text_free(&t);
	assert_string_equal(t.data = text_take(&t), "");
	free(t.data);
}

static void numbers(void **state)
{
	long n = 7;

	assert_true(str_to_long("-12", -20, 20, &n) && n == -12);
	assert_true(str_to_long("0x1f", 0, 100, &n) && n == 31);
	assert_false(str_to_long("", 0, 9, &n));
	assert_false(str_to_long("5x", 0, 9, &n));
	assert_false(str_to_long("10", 0, 9, &n));
	assert_false(str_to_long("99999999999999999999", 0, 9, &n));
	assert_int_equal(n, 31);
}

static void errors(void **state)
{
	struct error e = {0};

	assert_int_equal(error_errno(&e, ERROR_NONE, 2, "file %s", "x"), -1);
	assert_int_equal(e.class, ERROR_NOT_FOUND);
	assert_string_equal(e.text, "file x: No such file or directory");
	error_prefix(&e, "guest %d", 3);
	assert_string_equal(e.text, "guest 3: file x: No such file or directory");
	assert_int_equal(error_class_named(error_class_name(ERROR_RETRY)), ERROR_RETRY);
}

static void sxp_round(void **state)
{
	struct error e = {0};
	struct text out = {0};
	struct sxp *x = sxp_parse(
		"t", "(domain # comment\n (name 'a b') (memory 128)\n(\"q\\\"\" () x))", &e);

	assert_non_null(x);
	assert_string_equal(sxp_child(x, "name")->member[1]->atom, "a b");
	assert_string_equal(sxp_child(x, "memory")->member[1]->atom, "128");
	assert_null(sxp_child(x, "vcpus"));
	sxp_print(x, false, &out);
	assert_string_equal(out.data, "(domain (name 'a b') (memory 128) ('q\"' () x))");
	sxp_free(x);
	text_free(&out);
}

static void sxp_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"(a\n (b", "f:2:2: '(' has no matching ')'"},
		{")", "f:1:1: ')' without '('"},
		{"", "f:1:1: an expression is missing"},
		{"(a) b", "f:1:5: there is more after the expression's end"},
		{"(a 'b)", "f:1:4: a quoted string has no end"},
	};
	char deep[200];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error e = {0};

		assert_null(sxp_parse("f", bad[i].text, &e));
		assert_string_equal(e.text, bad[i].says);
	}
	memset(deep, '(', sizeof(deep));
	deep[199] = '\0';
	assert_null(sxp_parse("f", deep, NULL));
}

static void files(void **state)
{
	char folder[] = "/tmp/test_base.XXXXXX";
	struct error e = {0};
	char *path, *data;
	size_t len;

	assert_non_null(mkdtemp(folder));
	path = xasprintf("%s/a/b", folder);
	assert_int_equal(folder_make(path, 0755, &e), 0);
	free(path);
	path = xasprintf("%s/a/b/c", folder);
	assert_int_equal(file_replace(path, "x\0y", 3, true, &e), 0);
	data = file_read(path, 3, &len, &e);
	assert_non_null(data);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "x\0y", 4);
	free(data);
	assert_null(file_read(path, 2, &len, &e));
	assert_non_null(strstr(e.text, "larger than 2 bytes"));
	assert_int_equal(unlink(path), 0);
	assert_null(file_read(path, 3, &len, &e));
	assert_int_equal(e.class, ERROR_NOT_FOUND);
	free(path);
	path = xasprintf("rm -r %s", folder);
	assert_int_equal(system(path), 0);
	free(path);
}

struct seen {
	struct loop *loop;
	struct loop_source *fd, *timer;
	int fds, timers, signals;
};

static void fd_ready(void *arg, uint32_t events)
{
	struct seen *s = arg;

	s->fds++;
	assert_true(events & EPOLLIN);
	loop_remove(s->fd); /* removes itself */
	kill(getpid(), SIGUSR1);
}

static void timer_expired(void *arg)
{
	((struct seen *)arg)->timers++;
}

static void signal_raised(void *arg, int signo)
{
	struct seen *s = arg;

	s->signals += signo == SIGUSR1;
	loop_timer_set(s->timer, 0);
	loop_stop(s->loop);
}

static void loop_serves(void **state)
{
	struct seen s = {.loop = loop_new()};
	struct loop_source *sig = loop_signal(s.loop, SIGUSR1, signal_raised, &s);
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	s.fd = loop_fd(s.loop, pipes[0], EPOLLIN, fd_ready, &s);
	s.timer = loop_timer(s.loop, 10000, false, timer_expired, &s);
	loop_run(s.loop);
	assert_int_equal(s.fds, 1);
	assert_int_equal(s.signals, 1);
	assert_int_equal(s.timers, 0);
	loop_remove(sig);
	loop_remove(s.timer);
	loop_free(s.loop);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_grows),  cmocka_unit_test(numbers),
		cmocka_unit_test(errors),      cmocka_unit_test(sxp_round),
		cmocka_unit_test(sxp_refused), cmocka_unit_test(files),
		cmocka_unit_test(loop_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
