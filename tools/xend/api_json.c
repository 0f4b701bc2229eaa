/* SPDX-License-Identifier: MIT */
/* See api_json.h. */
#include "xend/api_json.h"

#include "lib/config/domain_config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* --- Writing ------------------------------------------------------------------------------------------------ */

/* What stands before a value; keys are ours and need no escapes. */
static void lead(struct json_writer *w, const char *key)
{
	size_t n = key ? strlen(key) : 0;
	char *p = text_room(w->out, n + 4), *end = p;

	if (w->comma)
		*end++ = ',';
	if (key) {
		*end++ = '"';
		end = mempcpy(end, key, n);
		*end++ = '"';
		*end++ = ':';
	}
	w->out->len += (size_t)(end - p);
	w->comma = true;
}

void json_begin(struct json_writer *w, const char *key, char bracket)
{
	lead(w, key);
	text_add(w->out, &bracket, 1);
	w->comma = false;
	w->closing[w->depth++] = bracket == '{' ? '}' : ']';
}

void json_end(struct json_writer *w)
{
	text_add(w->out, &w->closing[--w->depth], 1);
	w->comma = true;
}

void json_put_tree(struct json_writer *w, const char *key, json_t *value)
{
	char *s = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	lead(w, key);
	text_str(w->out, s ? s : "null");
	free(s);
	json_decref(value);
}

/* A text with something that must be escaped, which is seldom. */
static json_t *strange_text(const char *value)
{
	autofree char *copy = xstrdup(value);
	json_t *string = json_string(value);

	for (char *p = copy; *p; p++)
		*p = *p & 0x80 ? '?' : *p;
	return string ? string : json_string(copy);
}

void json_put_text(struct json_writer *w, const char *key, const char *value)
{
	const char *end = value;

	/* What is above ASCII is negative. */
	while (end && *end >= 0x20 && *end < 0x7f && *end != '"' && *end != '\\')
		end++;
	if (end && *end)
		return json_put_tree(w, key, strange_text(value));
	lead(w, key);
	if (!end)
		return text_add(w->out, "null", 4);
	text_add(w->out, "\"", 1);
	text_add(w->out, value, (size_t)(end - value));
	text_add(w->out, "\"", 1);
}

void json_put_number(struct json_writer *w, const char *key, int64_t value)
{
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char digits[24], *p = digits + sizeof(digits);

	lead(w, key);
	do
		*--p = (char)('0' + left % 10);
	while (left /= 10);
	if (value < 0)
		*--p = '-';
	text_add(w->out, p, (size_t)(digits + sizeof(digits) - p));
}

static void put_cpus(struct json_writer *w, const char *key, const struct cpu_set *set)
{
	json_begin(w, key, '[');
	for (unsigned int i = 0; i < CPUS_MOST / 64; i++)
		for (uint64_t left = set->word[i]; left; left &= left - 1)
			json_put_number(w, NULL, i * 64 + (unsigned int)__builtin_ctzll(left));
	json_end(w);
}

static void put_member(struct json_writer *w, const char *name, enum json_type type, const void *p)
{
	switch (type) {
	case JSON_U32:
		return json_put_number(w, name, *(const uint32_t *)p);
	case JSON_LONG:
		if (*(const long *)p < 0)
			return json_put_text(w, name, NULL);
		return json_put_number(w, name, *(const int64_t *)p);
	case JSON_BOOL:
		lead(w, name);
		return text_str(w->out, *(const bool *)p ? "true" : "false");
	case JSON_TEXT:
		return json_put_text(w, name, *(const char *const *)p);
	case JSON_CHARS:
		return json_put_text(w, name, p);
	case JSON_CPUS:
		return put_cpus(w, name, p);
	case JSON_TREE:
	case JSON_OTHER:
		break;
	}
}

void json_put_members(struct json_writer *w, const void *object, const struct json_member *members,
		      unsigned long wanted)
{
	for (const struct json_member *m = members; m->name; m++, wanted >>= 1)
		if (wanted & 1)
			put_member(w, m->name, m->type, (const char *)object + m->offset);
}

void json_put_object(struct json_writer *w, const char *key, const void *object,
		     const struct json_member *members, unsigned long wanted)
{
	json_begin(w, key, '{');
	json_put_members(w, object, members, wanted);
	json_end(w);
}

/* --- Reading ------------------------------------------------------------------------------------------------ */

const struct json_kind json_kinds[] = {
	[JSON_U32] = {"", "integer"},
	[JSON_LONG] = {"a whole number, not negative", "integer"},
	[JSON_BOOL] = {"true or false", "boolean"},
	[JSON_TEXT] = {"a text", "string"},
	[JSON_CHARS] = {"a text", "string"},
	[JSON_TREE] = {"an object", "object"},
	[JSON_CPUS] = {"a list of CPUs, [0,1], or null", "array"},
	[JSON_OTHER] = {"a vCPU's number or \"all\""},
};

const struct json_member *json_member_find(const struct json_member *members, const char *name,
					   size_t n)
{
	while (members->name && (strncmp(members->name, name, n) || members->name[n]))
		members++;
	return members->name ? members : NULL;
}

static bool read_number(const json_t *value, long *to)
{
	*to = (long)json_integer_value(value);
	return json_is_integer(value) && *to >= 0;
}

static bool read_cpus(const json_t *list, struct cpu_set *set)
{
	json_t *cpu;
	size_t i;
	long n;

	json_array_foreach(list, i, cpu)
	{
		if (!read_number(cpu, &n) || n >= CPUS_MOST)
			return false;
		set->word[n / 64] |= 1ull << n % 64;
	}
	return i || json_is_null(list);
}

bool json_read_member(json_t *value, const struct json_member *m, void *object)
{
	void *to = (char *)object + m->offset;

	switch (m->type) {
	case JSON_BOOL:
		*(bool *)to = json_is_true(value);
		return json_is_boolean(value);
	case JSON_TEXT:
		return (*(const char **)to = json_string_value(value));
	case JSON_TREE:
		*(json_t **)to = value;
		return json_is_object(value);
	case JSON_CPUS:
		return read_cpus(value, to);
	case JSON_OTHER:
		*(long *)to = -1;
		if (json_is_string(value))
			return !strcmp(json_string_value(value), "all");
		/* fall through */
	default:
		return read_number(value, to);
	}
}
