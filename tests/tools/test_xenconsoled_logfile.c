/* SPDX-License-Identifier: MIT */
/* The consoles' logs: rotation, stamps, what a killed process wrote half, files that cannot be written. */
/* links: xenconsoled/logfile.c lib/base */
#include "unit.h"

#include "lib/base/file.h"
#include "xenconsoled/logfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test-logfile.XXXXXX";
static char *path;

static int set_up(void **state)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	path = mkdtemp(folder) ? xasprintf("%s/guest-x.log", folder) : NULL;
	return path ? 0 : -1;
}

static int tear_down(void **state)
{
	char *command = xasprintf("rm -rf %s", folder);
	int rc = system(command);

	free(command);
	free(path);
	return rc;
}

static char *content(const char *suffix)
{
	char *name = xasprintf("%s%s", path, suffix);
	char *s = file_read(name, 1 << 20, NULL, NULL);

	free(name);
	return s;
}

static void holds(const char *suffix, const char *wanted)
{
	char *s = content(suffix);

	if (wanted)
		assert_string_equal(s, wanted);
	else
		assert_null(s);
	free(s);
}

static void put(struct logfile *l, const char *s)
{
	logfile_make_room(l, strlen(s));
	logfile_write(l, s, strlen(s));
}

static void plain(void **state)
{
	struct logfile_options o = {0};
	struct logfile l = {0};

	logfile_open(&l, &o, path, true);
	put(&l, "one\r\ntw");
	logfile_close(&l);
	put(&l, "nowhere"); /* closed: nothing happens */
	logfile_open(&l, &o, path, false);
	put(&l, "o\033[0m\n");
	holds("", "one\r\ntwo\033[0m\n");
	logfile_close(&l);
}

static void rotates(void **state)
{
	struct logfile_options o = {.most = 10, .keep = 2};
	struct logfile l = {0};

	logfile_open(&l, &o, path, true);
	for (char c = 'a'; c < 'h'; c++) {
		char s[] = {c, c, c, c, c, c, '\n', 0};

		put(&l, s);
	}
	holds("", "gggggg\n");
	holds(".1", "ffffff\n");
	holds(".2", "eeeeee\n");
	holds(".3", NULL);
	put(&l, "more than ten at once\n");
	holds("", "more than ten at once\n");
	holds(".1", "gggggg\n");
	logfile_close(&l);
	o.keep = 0;
	logfile_open(&l, &o, path, true);
	put(&l, "z\n");
	holds("", "z\n");
	holds(".1", "gggggg\n");
	logfile_close(&l);
}

/* Its own cap holds for whatever is written in whatever pieces. */
static void cap_holds(void **state)
{
	struct logfile_options o = {.most = 1000, .keep = 1, .stamps = true};
	struct logfile l = {0};
	struct stat st;
	uint64_t seed = 3;
	char bytes[300];

	memset(bytes, 'x', sizeof(bytes));
	logfile_open(&l, &o, path, true);
	for (int i = 0; i < 500; i++) {
		size_t n = unit_random(&seed) % sizeof(bytes);

		logfile_make_room(&l, n);
		logfile_write(&l, bytes, n);
		if (i % 3 == 0)
			put(&l, "\n");
		assert_int_equal(stat(path, &st), 0);
		/* A stamp comes on top of what is written last. */
		assert_true(st.st_size <= 1000 + 22);
		assert_int_equal(st.st_size, l.place.size);
	}
	logfile_close(&l);
}

static void stamps(void **state)
{
	struct logfile_options o = {.stamps = true, .replace_escape = true};
	struct logfile l = {0};
	char *s;

	logfile_open(&l, &o, path, true);
	put(&l, "one\n\r\033two");
	put(&l, "-rest\r\n\nlast");
	s = content("");
	assert_non_null(strstr(s, "] Logfile Opened\n["));
	assert_non_null(strstr(s, "] one\n["));
	assert_non_null(strstr(s, "] .two-rest\r\n["));
	assert_null(strchr(s, '\033'));
	free(s);
	logfile_close(&l);
	/* The next process goes on in the middle of the line. */
	logfile_open(&l, &o, path, false);
	put(&l, " word\n");
	logfile_close(&l);
	/* Another guest of the name says so. */
	logfile_open(&l, &o, path, true);
	s = content("");
	assert_non_null(strstr(s, "] last word\n["));
	assert_string_equal(s + strlen(s) - 15, "Logfile Opened\n");
	free(s);
	logfile_close(&l);
}

static void moved_away(void **state)
{
	struct logfile_options o = {0};
	struct logfile l = {0};
	char *old = xasprintf("%s.old", path);

	logfile_open(&l, &o, path, true);
	put(&l, "before\n");
	assert_int_equal(rename(path, old), 0);
	put(&l, "between\n");
	logfile_open(&l, &o, path, false);
	put(&l, "after\n");
	holds("", "after\n");
	holds(".old", "before\nbetween\n");
	logfile_close(&l);
	free(old);
}

/* What was appended after the place is taken away, unless the file is another one. */
static void cut(void **state)
{
	struct logfile_options o = {0};
	struct logfile_place place;
	struct logfile l = {0};

	logfile_cut(&l, &(struct logfile_place){0}); /* there is no log at all */
	logfile_open(&l, &o, path, true);
	put(&l, "kept\n");
	place = l.place;
	put(&l, "half");
	logfile_close(&l);
	logfile_open(&l, &o, path, false);
	logfile_cut(&l, &place);
	put(&l, "whole\n");
	holds("", "kept\nwhole\n");
	place.inode++;
	logfile_cut(&l, &place);
	holds("", "kept\nwhole\n");
	logfile_cut(&l, &l.place);
	holds("", "kept\nwhole\n");
	logfile_close(&l);
}

static void no_folder(void **state)
{
	struct logfile_options o = {.stamps = true, .most = 10, .keep = 1};
	struct logfile l = {0};

	logfile_open(&l, &o, "/nowhere/at/all", true);
	put(&l, "lost\n");
	logfile_open(&l, &o, "/nowhere/at/all", false);
	logfile_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rotates, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cap_holds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stamps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(moved_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_folder, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
