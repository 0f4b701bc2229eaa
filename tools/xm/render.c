/* SPDX-License-Identifier: MIT */
/* What the API answers as text: members of objects, rows by templates, sets of CPUs. */
#include "xm/xm.h"

#include "lib/base/file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

long long member_number(const json_t *object, const char *name, long long otherwise)
{
	const json_t *v = json_object_get(object, name);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

const char *member_text(const json_t *object, const char *name, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : otherwise;
}

bool member_is(const json_t *object, const char *name, const char *value)
{
	return !strcmp(member_text(object, name, ""), value);
}

/* --- Templates ------------------------------------------------------------------------------------------ */

enum { FIELD_MOST = 40 };

static void number_render(char letter, char *format, long long n, struct text *out)
{
	static const struct {
		char letter;
		const char *conversion;
		int divisor; /* 0: a fraction */
	} kinds[] = {{'d', "lld", 1}, {'M', "lld", 1024}, {'k', "lld", 1000}, {'x', "llx", 1},
		     {'t', "f"},      {'T', "f"},	  {'K', "f"}};
	size_t k = 0;

	while (kinds[k].letter != letter)
		k++;
	strcat(format, kinds[k].conversion);
	if (kinds[k].divisor)
		text_printf(out, format, n / kinds[k].divisor);
	else if (letter == 't')
		text_printf(out, format, (float)n / 1e9);
	else
		text_printf(out, format, (double)n / (letter == 'T' ? 1e9 : 1e3));
}

/* @t is behind the brace; what follows the field. */
static const char *field_render(const json_t *row, const char *t, struct text *out)
{
	const char *colon = strchr(t, ':'), *end = strchr(colon, '}') - 1;
	char name[FIELD_MOST], format[FIELD_MOST] = "%", *index, *otherwise;
	const json_t *v;

	*(char *)mempcpy(name, t, (size_t)(colon - t)) = '\0';
	*(char *)mempcpy(format + 1, colon + 1, (size_t)(end - colon - 1)) = '\0';
	otherwise = strchr(name, '=');
	index = strchr(name, '.');
	if (otherwise)
		*otherwise++ = '\0';
	if (index)
		*index++ = '\0';
	v = json_object_get(row, name);
	if (index)
		v = json_array_get(v, (size_t)atoi(index));
	if (json_is_array(v)) {
		number_render(*end, format, (long long)json_array_size(v), out);
	} else if (*end != 's' && (json_is_integer(v) || !otherwise)) {
		number_render(*end, format, json_integer_value(v), out);
	} else {
		strcat(format, "s");
		text_printf(out, format,
			    json_is_string(v) ? json_string_value(v)
			    : otherwise	      ? otherwise
					      : "");
	}
	return end + 2;
}

void row_render(const json_t *row, const char *template, struct text *out)
{
	for (const char *t = template; *t;) {
		size_t plain = strcspn(t, "{");

		text_add(out, t, plain);
		t += plain;
		if (*t)
			t = field_render(row, t + 1, out);
	}
}

void rows_render(const json_t *rows, const char *template, struct text *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) row_render(row, template, out);
}

int rows_put(struct xm *x, const json_t *rows, const char *head, const char *template)
{
	if (!rows || option(x, "json"))
		return put_json(x, rows);
	text_str(&x->out, head);
	rows_render(rows, template, &x->out);
	return 0;
}

/* --- Printing ------------------------------------------------------------------------------------------- */

int put(struct xm *x)
{
	bool ok = !fflush(stdout) && !file_put(STDOUT_FILENO, x->out.data, x->out.len);

	text_free(&x->out);
	if (ok)
		return 0;
	return error_set(&x->error, ERROR_FAILED, "standard output cannot be written");
}

int put_json(struct xm *x, const json_t *json)
{
	autofree char *s = json ? json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY) : NULL;

	if (!s)
		return -1;
	text_printf(&x->out, "%s\n", s);
	return 0;
}

/* --- Sets ------------------------------------------------------------------------------------------------ */

void numbers_render(const json_t *numbers, struct text *out)
{
	const json_t *n;
	size_t i;

	json_array_foreach(numbers, i, n)
		text_printf(out, "%s%lld", i ? "," : "", json_integer_value(n));
}

void cpus_render(const json_t *cpus, long nr_cpus, bool xm, struct text *out)
{
	size_t n = json_array_size(cpus);

	if (!n || (long)n >= nr_cpus) {
		text_str(out, !n ? (xm ? "no cpus" : "none") : xm ? "any cpu" : "all");
		return;
	}
	for (size_t i = 0, last; i < n; i = last + 1) {
		long long first = json_integer_value(json_array_get(cpus, i)), next = first + 1;

		for (last = i; json_integer_value(json_array_get(cpus, last + 1)) == next; last++)
			next++;
		text_printf(out, "%s%lld", i ? "," : "", first);
		if (last > i)
			text_printf(out, "-%lld", next - 1);
	}
}

void state_for_xm(const char *state, char out[7])
{
	snprintf(out, 7, "%.6s", state);
	if (strlen(out) == 6)
		out[out[4] == 'c' ? 3 : 4] = '-';
}
