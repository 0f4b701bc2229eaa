/* SPDX-License-Identifier: MIT */
/* See value.h. */
#include "lib/config/value.h"

#include "lib/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct value value_text(const char *text, struct place at)
{
	return (struct value){.text = xstrdup(text), .at = at};
}

bool value_of_json(const json_t *json, struct place at, struct value *v)
{
	bool ok = true;
	json_t *item;
	size_t i;

	*v = (struct value){.at = at, .list = json_is_array(json)};
	json_array_foreach(json, i, item)
	{
		struct value one;

		ok &= value_of_json(item, at, &one);
		value_append(v, one);
	}
	if (json_is_string(json))
		v->text = xstrdup(json_string_value(json));
	else if (json_is_integer(json))
		v->text = xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(json));
	else if (json_is_boolean(json))
		v->text = xstrdup(json_is_true(json) ? "1" : "0");
	return ok && (v->list || v->text);
}

void value_append(struct value *list, struct value item)
{
	list->item = xrealloc(list->item, (list->nr + 1) * sizeof(*list->item));
	list->item[list->nr++] = item;
}

void value_free(struct value *v)
{
	for (size_t i = 0; i < v->nr; i++)
		value_free(&v->item[i]);
	free(v->item);
	free(v->text);
	free(v->key);
	*v = (struct value){0};
}

bool value_asks(const struct value *v)
{
	return v->list ? v->nr > 0 : *v->text && !str_has_word("0 no none false", v->text);
}

static struct value *settings_find(const struct value *s, const char *key)
{
	for (size_t i = 0; i < s->nr; i++)
		if (!strcmp(s->item[i].key, key))
			return &s->item[i];
	return NULL;
}

static void lengthen(struct value *old, struct value *value, struct diagnostics *found)
{
	autofree char *was = NULL;

	if (old->list != value->list) {
		diagnostics_error(found, value->at, "'%s' is %s: += wants the same", old->key,
				  old->list ? "a list" : "a text");
	} else if (value->list) {
		for (size_t i = 0; i < value->nr; i++)
			value_append(old, value->item[i]);
		value->nr = 0;
	} else {
		was = old->text;
		old->text = xasprintf("%s%s", was, value->text);
	}
}

struct value *settings_store(struct value *s, const char *key, struct place at, struct value *value,
			     bool add, struct diagnostics *found)
{
	struct value *old = settings_find(s, key);

	if (old && add) {
		lengthen(old, value, found);
		return old;
	}
	if (!old) {
		value_append(s, (struct value){0});
		old = &s->item[s->nr - 1];
	} else if (at.file && old->key_at.file && at.line) {
		diagnostics_warn(found, at, "'%s' is set again (first in line %u): this one counts",
				 key, old->key_at.line);
	}
	value->quiet = old->quiet;
	value->key = xstrdup(key);
	value->key_at = at;
	value_free(old);
	*old = *value;
	*value = (struct value){0};
	return old;
}
