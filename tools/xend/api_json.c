/* SPDX-License-Identifier: MIT */
/* See api_json.h. */
#include "xend/api_json.h"

#include "lib/config/domain_config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* The length of the UTF-8 character at @s, 0 where there is none (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static const unsigned char *put_special(struct text *out, const unsigned char *s)
{
	static const char letters[] = "\"\"\\\\\nn\rr\tt";
	size_t n = utf8_length(s);
	const char *letter;

	if (n) {
		text_add(out, s, n);
		return s + n;
	}
	letter = *s < 0x80 ? strchr(letters, *s) : NULL;
	if (letter)
		text_add(out, (char[]){'\\', letter[1]}, 2);
	else if (*s < 0x20)
		text_printf(out, "\\u%04x", *s);
	else
		text_str(out, REPLACEMENT);
	return s + 1;
}

static void put_quoted(struct text *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	text_add(out, "\"", 1);
	while (*s) {
		const unsigned char *begin = s;

		while (*s >= 0x20 && *s < 0x7f && *s != '"' && *s != '\\')
			s++;
		text_add(out, begin, (size_t)(s - begin));
		if (*s)
			s = put_special(out, s);
	}
	text_add(out, "\"", 1);
}

/* What stands before a value; keys are ours and need no escapes. */
static void lead(struct json_writer *w, const char *key)
{
	size_t n = key ? strlen(key) : 0;
	char *p = text_room(w->out, n + 4), *end = p;

	if (w->comma)
		*end++ = ',';
	if (key) {
		*end++ = '"';
		memcpy(end, key, n);
		end += n;
		*end++ = '"';
		*end++ = ':';
	}
	*end = '\0';
	w->out->len += (size_t)(end - p);
	w->comma = true;
}

void json_begin(struct json_writer *w, const char *key, char bracket)
{
	lead(w, key);
	text_add(w->out, &bracket, 1);
	w->comma = false;
}

void json_end(struct json_writer *w, char bracket)
{
	text_add(w->out, &bracket, 1);
	w->comma = true;
}

void json_put_text(struct json_writer *w, const char *key, const char *value)
{
	lead(w, key);
	if (value)
		put_quoted(w->out, value);
	else
		text_str(w->out, "null");
}

void json_put_size(struct json_writer *w, const char *key, uint64_t value)
{
	char digits[20], *p = digits + sizeof(digits);

	lead(w, key);
	do
		*--p = (char)('0' + value % 10);
	while (value /= 10);
	text_add(w->out, p, (size_t)(digits + sizeof(digits) - p));
}

void json_put_number(struct json_writer *w, const char *key, int64_t value)
{
	if (value >= 0) {
		json_put_size(w, key, (uint64_t)value);
		return;
	}
	lead(w, key);
	text_printf(w->out, "%lld", (long long)value);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	lead(w, key);
	text_str(w->out, value ? "true" : "false");
}

void json_put_tree(struct json_writer *w, const char *key, json_t *value)
{
	char *s = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	lead(w, key);
	text_str(w->out, s ? s : "null");
	free(s);
	json_decref(value);
}

void json_put_cpus(struct json_writer *w, const char *key, const struct cpu_set *set)
{
	json_begin(w, key, '[');
	for (unsigned int i = 0; i < CPUS_MOST / 64; i++)
		for (uint64_t left = set->word[i]; left; left &= left - 1)
			json_put_size(w, NULL, i * 64 + (unsigned int)__builtin_ctzll(left));
	json_end(w, ']');
}

static void put_member(struct json_writer *w, const char *name, enum json_type type, const void *p)
{
	switch (type) {
	case JSON_INT:
		return json_put_number(w, name, *(const int *)p);
	case JSON_U32:
		return json_put_size(w, name, *(const uint32_t *)p);
	case JSON_U64:
		return json_put_size(w, name, *(const uint64_t *)p);
	case JSON_LONG:
		if (*(const long *)p < 0)
			return json_put_text(w, name, NULL);
		return json_put_number(w, name, *(const long *)p);
	case JSON_BOOL:
		return json_put_bool(w, name, *(const bool *)p);
	case JSON_TEXT:
		return json_put_text(w, name, *(const char *const *)p);
	case JSON_CHARS:
		return json_put_text(w, name, p);
	case JSON_CPUS:
		return json_put_cpus(w, name, p);
	}
}

void json_put_members(struct json_writer *w, const void *object, const struct json_member *members)
{
	for (; members->name; members++)
		put_member(w, members->name, members->type, (const char *)object + members->offset);
}
