/* SPDX-License-Identifier: MIT */
/*
 * Whole configurations: each of tests/tools/config/ (.cfg of xl, .xm, .sxp, .json) against its golden file, which has what was found, the
 * JSON and the S-expression; then from each of those back again. CONFIG_UPDATE=1 writes the golden files anew.
 */
/* links: lib/base lib/config */
/* libs: -ljansson */
#include "unit.h"

#include "lib/base/file.h"
#include "lib/base/sxp.h"
#include "lib/config/domain_config.h"

#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "tests/tools/config/"

static char *json_of(const struct domain_config *c)
{
	struct text t = {0};
	json_t *json = config_to_json(c);

	config_print_json(json, &t);
	json_decref(json);
	return text_take(&t);
}

static char *sxp_of(const struct domain_config *c)
{
	struct text t = {0};
	struct sxp *x = config_to_sxp(c, -1);

	sxp_print(x, true, &t);
	text_str(&t, "\n");
	sxp_free(x);
	return text_take(&t);
}

static bool ends_with(const char *s, const char *end)
{
	return strlen(s) >= strlen(end) && !strcmp(s + strlen(s) - strlen(end), end);
}

static int read_file(const char *path, struct domain_config *c, struct diagnostics *found)
{
	static char vmid[] = "vmid=3";
	char *const words[] = {vmid};
	bool xm = ends_with(path, ".xm");
	struct error e;
	char *text = file_read(path, 1 << 20, NULL, &e);
	const char *name = strrchr(path, '/') + 1;
	int rc;

	assert_non_null(text);
	rc = config_read_text(name, text, xm ? CONFIG_XM : CONFIG_XL, words,
			      xm && strstr(text, "vmid"), c, found);
	free(text);
	return rc;
}

static void expect_none(const char *path, const struct diagnostics *found)
{
	if (found->errors)
		diagnostics_print(found, stdout);
	if (found->errors)
		fail_msg("%s", path);
}

static void round_trips(const char *path, const struct domain_config *c, const char *json,
			const char *sxp)
{
	struct domain_config again, copy;
	struct diagnostics found = {0};
	char *s;

	config_read_text(path, json, CONFIG_XL, NULL, 0, &again, &found);
	expect_none(path, &found);
	s = json_of(&again);
	assert_string_equal(s, json);
	free(s);
	config_free(&again);

	config_read_text(path, sxp, CONFIG_SXP, NULL, 0, &again, &found);
	expect_none(path, &found);
	s = sxp_of(&again);
	assert_string_equal(s, sxp);
	free(s);

	config_copy(&copy, &again);
	config_free(&again);
	s = sxp_of(&copy);
	assert_string_equal(s, sxp);
	free(s);
	config_free(&copy);
	config_copy(&copy, c);
	s = json_of(&copy);
	assert_string_equal(s, json);
	free(s);
	config_free(&copy);
	diagnostics_free(&found);
}

static void check_golden(const char *path, const char *now)
{
	char *golden = xasprintf("%s.out", path), *was;
	struct error e;

	if (getenv("CONFIG_UPDATE"))
		assert_int_equal(file_replace(golden, now, strlen(now), false, &e), 0);
	was = file_read(golden, 1 << 20, NULL, &e);
	if (!was || strcmp(was, now))
		print_message("%s differs; now:\n%s", golden, now);
	assert_true(was && !strcmp(was, now));
	free(was);
	free(golden);
}

static void one_file(const char *path)
{
	struct domain_config c;
	struct diagnostics found = {0};
	struct text t = {0};
	char *json, *sxp;

	read_file(path, &c, &found);
	expect_none(path, &found);
	json = json_of(&c);
	sxp = sxp_of(&c);
	for (size_t i = 0; i < found.nr; i++)
		text_printf(&t, "warning: %s\n", found.item[i].text);
	text_printf(&t, "%s%s", json, sxp);
	check_golden(path, t.data);
	round_trips(path, &c, json, sxp);
	text_free(&t);
	free(json);
	free(sxp);
	config_free(&c);
	diagnostics_free(&found);
}

static void all_of(const char *pattern, size_t least)
{
	glob_t g;

	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= least);
	for (size_t i = 0; i < g.gl_pathc; i++)
		one_file(g.gl_pathv[i]);
	globfree(&g);
}

static void files_of_xl(void **state)
{
	all_of(FOLDER "*.cfg", 45);
}

static void files_of_xm(void **state)
{
	all_of(FOLDER "*.xm", 10);
}

static void files_of_sxp(void **state)
{
	all_of(FOLDER "*.sxp", 5);
}

static void files_of_json(void **state)
{
	all_of(FOLDER "*.json", 2);
}

/* The JSON of Debian's own tools for a running guest is read, and written the same again. */
static void running_as_debian(void **state)
{
	struct domain_config c;
	struct diagnostics found = {0};
	struct text t = {0};
	struct error e;
	char *text = file_read(FOLDER "debian-running.json", 1 << 20, NULL, &e);
	json_t *json;

	assert_int_equal(config_read_text("x", text, CONFIG_XL, NULL, 0, &c, &found), 0);
	json = spec_to_json(&domain_kind, &c, true);
	config_print_json(json, &t);
	assert_string_equal(t.data, text);
	json_decref(json);
	text_free(&t);
	free(text);
	config_free(&c);
	diagnostics_free(&found);
}

/*
 * broken.list: a text, then a line "--- message"; "=== xl", "=== xm" begins one. Each is refused, with that message first. "\0" and the
 * like cannot stand there: @..@ in a text is replaced by many letters.
 */
static void refuse_one(char *record, size_t *nr)
{
	enum config_dialect dialect = strncmp(record, "xm", 2) ? CONFIG_XL : CONFIG_XM;
	char *text = strchr(record, '\n') + 1, *wanted = strstr(record, "\n--- ");
	struct domain_config c;
	struct diagnostics found = {0};
	const char *first = "nothing";

	assert_non_null(wanted);
	wanted[1] = '\0';
	wanted += 5;
	wanted[strcspn(wanted, "\n")] = '\0';
	config_read_text("f", text, dialect, NULL, 0, &c, &found);
	for (size_t i = found.nr; i--;)
		if (!found.item[i].warning)
			first = found.item[i].text;
	if (getenv("CONFIG_SHOW"))
		printf("=== %.2s\n%s--- %s\n", record, text, first);
	else if (strcmp(first, wanted))
		fail_msg("%s\nis told   %s\nit should %s", text, first, wanted);
	config_free(&c);
	diagnostics_free(&found);
	(*nr)++;
}

static void broken_files(void **state)
{
	struct error e;
	char *all = file_read(FOLDER "broken.list", 1 << 20, NULL, &e), *record, *next;
	size_t nr = 0;

	assert_non_null(all);
	for (record = strstr(all, "=== "); record; record = next) {
		record += 4;
		next = strstr(record, "\n=== ");
		if (next)
			*next++ = '\0';
		refuse_one(record, &nr);
	}
	assert_true(nr >= 200);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_xl),	     cmocka_unit_test(files_of_xm),
		cmocka_unit_test(files_of_sxp),	     cmocka_unit_test(files_of_json),
		cmocka_unit_test(running_as_debian), cmocka_unit_test(broken_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
