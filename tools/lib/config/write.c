/* SPDX-License-Identifier: MIT */
/*
 * A configuration back into libxl's JSON and xend's S-expressions, along the tables: an object or list for every '/' of a row's path,
 * members in the rows' order. Both are made as JSON first; what has libxl's default is not there (a value of 0 for most).
 */
#include "lib/config/keys.h"

#include "lib/base/sxp.h"
#include "lib/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A constant of the tables: a number or a word. */
static json_t *constant(const char *s)
{
	if (!s)
		return NULL;
	return *s >= '0' && *s <= '9' ? json_integer(strtoll(s, NULL, 10)) : json_string(s);
}

/* --- Lists ------------------------------------------------------------------------------------------ */

static json_t *write_texts(const struct string_list *l)
{
	json_t *list = l->nr ? json_array() : NULL;

	for (size_t i = 0; i < l->nr; i++)
		json_array_append_new(list, json_string(l->item[i]));
	return list;
}

static json_t *write_words(const struct string_list *l)
{
	struct text t = {0};
	json_t *words;

	for (size_t i = 0; i < l->nr; i++)
		text_printf(&t, "%s%s", i ? " " : "", l->item[i]);
	words = json_string(t.data);
	text_free(&t);
	return words;
}

/* A text where only the host knows the CPUs, and in JSON for all of them. */
static json_t *write_cpu_list(const char *cpus, enum key_form form)
{
	static struct cpu_set set;
	bool anywhere = cpus_anywhere(cpus);
	json_t *list;

	if (cpus_parse(cpus, NULL, 0, &set, NULL) || (anywhere && form == FORM_JSON))
		return json_string(cpus);
	list = json_array();
	for (unsigned int cpu = 0; cpu < CPUS_MOST && !anywhere; cpu++)
		if (cpu_set_has(&set, cpu))
			json_array_append_new(list, json_integer(cpu));
	return list;
}

/* JSON has one for each vCPU, SXP also one for all; nothing where all may run anywhere. */
static json_t *write_cpus(const struct domain_config *c, const struct string_list *cpus, bool each,
			  enum key_form form)
{
	size_t most = c->max_vcpus ? c->max_vcpus : c->vcpus, nr = each ? cpus->nr : most;
	bool placed = each && form == FORM_SXP;
	json_auto_t *list = json_array();

	if (!cpus->nr)
		return NULL;
	if (!each && form == FORM_SXP)
		return cpus_anywhere(cpus->item[0]) ? NULL : write_cpu_list(cpus->item[0], form);
	for (size_t i = 0; i < nr && (i < most || form == FORM_SXP); i++) {
		const char *one = cpus->item[each ? i : 0];

		json_array_append_new(list, write_cpu_list(one, form));
		placed |= !cpus_anywhere(one);
	}
	return placed ? json_incref(list) : NULL;
}

/* @nr numbers, each @name of an object of its own where there is a name. */
static json_t *count(size_t nr, const char *name)
{
	json_t *list = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(list,
				      name ? json_pack("{s:i}", name, (int)i) : json_integer(i));
	return list;
}

static json_t *write_devices(const struct config_key *k, const void *base, bool running)
{
	size_t nr = *(size_t *)member_at(base, k->other);
	const char *device = *(char **)member_at(base, k->offset);
	json_t *list = nr ? json_array() : NULL;

	for (size_t i = 0; i < nr; i++, device += k->kind->size) {
		json_t *one = spec_to_json(k->kind, device, running);

		if (k->kind->numbered)
			json_object_set_new(one, "devid", json_integer(i));
		if (k->kind == &channel_kind) /* has one of the two branches of its table */
			json_object_del(one, ((const struct channel_config *)device)->connection
						     ? "connection.pty"
						     : "connection.socket");
		json_array_append_new(list, one);
	}
	return list;
}

/* --- Rows ------------------------------------------------------------------------------------------- */

/* Numbers of all types. SXP of a domain has its actions also where they are libxl's 0. */
static json_t *write_number(const struct config_key *k, long n, enum key_form form)
{
	bool json = form == FORM_JSON;

	if (k->type == KEY_MB && !json)
		n /= 1024;
	if (n == k->unset && (k->type != KEY_ENUM || json || k->running))
		return NULL;
	if (k->type == KEY_ENUM && (json || !k->numbers))
		return json_string(json ? k->names[n].json : k->names[n].file);
	if (k->type == KEY_SWITCH && json && k->json_bool == LITERAL)
		return json_boolean(n);
	if (k->type == KEY_SWITCH && json && k->json_bool == WORD)
		return json_string(n ? "True" : "False");
	return json_integer(json && k->min < 0 ? (unsigned int)n : n);
}

static json_t *write_field(const struct config_key *k, const void *base, enum key_form form,
			   bool running)
{
	const void *from = member_at(base, k->offset);

	if (k->get)
		return k->get(base, form);
	switch (k->type) {
	case KEY_TEXT:
		return json_string(*(char *const *)from);
	case KEY_ONLINE:
		if (form == FORM_JSON)
			return count(*(const long *)from, NULL);
		/* fall through */
	case KEY_LONG:
	case KEY_MB:
		return write_number(k, *(const long *)from, form);
	case KEY_SWITCH:
	case KEY_ENUM:
		return write_number(k, *(const int *)from, form);
	case KEY_TEXTS:
		return write_texts(from);
	case KEY_WORDS:
		return write_words(from);
	case KEY_CPUS:
		return write_cpus(base, from, *(bool *)member_at(base, k->other), form);
	case KEY_DEVICES:
		return write_devices(k, base, running);
	case KEY_BRANCH:
		return json_object();
	default:
		return NULL;
	}
}

/* Into the object the row's path leads to, which is made; a branch is there already where something was written in it. */
static void put(json_t *into, const char *path, json_t *value)
{
	const char *slash;

	for (; (slash = strchr(path, '/')); path = slash + 1) {
		autofree char *name = strndup(path, slash - path);
		json_t *next = json_object_get(into, name);

		if (!next) {
			next = json_object();
			json_object_set_new(into, name, next);
		}
		into = next;
	}
	json_object_set_new(into, path, value);
}

/* All that was said, as an object in JSON or SXP, which has no devices then; @running: with libxl's defaults. */
static json_t *fields_json(const struct spec_kind *kind, const void *base, enum key_form form,
			   bool running)
{
	json_t *into = json_object(), *value;

	for (const struct config_key *k = kind->table; !key_is_last(k); k++) {
		const char *path = form == FORM_JSON ? k->json : k->sxp;
		bool given = !k->given || *(bool *)member_at(base, k->given);

		if (!path || k->instead || (form == FORM_JSON && !running && !given))
			continue;
		value = write_field(k, base, form, running);
		if (!value && (running || k->type == KEY_FIXED))
			value = constant(k->running);
		if (value)
			put(into, path, value);
		if (value && k->kind == &vfb_kind) /* every display has a keyboard */
			put(into, "vkbs", count(json_array_size(value), "devid"));
	}
	return into;
}

json_t *config_to_json(const struct domain_config *c)
{
	return fields_json(&domain_kind, c, FORM_JSON, false);
}

json_t *spec_to_json(const struct spec_kind *kind, const void *device, bool running)
{
	return fields_json(kind, device, FORM_JSON, running);
}

/* As jansson does it, but for an empty object, which stands over two lines. */
void config_print_json(const json_t *json, struct text *out)
{
	autofree char *all = json_dumps(json, JSON_INDENT(4));
	int indent = 0;

	for (const char *p = all; *p; p++) {
		if (*p == '\n')
			indent = strspn(p + 1, " ");
		/* No text ends a line without its quote. */
		if (str_starts(p, "{}") && strspn(p + 2, ",") == strcspn(p + 2, "\n"))
			text_printf(out, "{\n\n%*s", indent, "");
		else
			text_add(out, p, 1);
	}
	text_str(out, "\n");
}

/* --- S-expressions ---------------------------------------------------------------------------------- */

struct sxp *sxp_add_json(struct sxp *list, const json_t *json)
{
	const char *name;
	json_t *member;
	struct sxp *items;
	size_t i;

	if (json_is_string(json))
		return sxp_add(list, sxp_atom(json_string_value(json)));
	if (json_is_integer(json)) {
		autofree char *number =
			xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(json));

		return sxp_add(list, sxp_atom(number));
	}
	if (json_is_array(json)) {
		items = sxp_list();
		json_array_foreach(json, i, member) sxp_add_json(items, member);
		return sxp_add(list, items);
	}
	json_object_foreach((json_t *)json, name, member)
		sxp_add(list, sxp_add_json(sxp_named(name), member));
	return list;
}

static struct sxp *add_fields(struct sxp *list, const struct spec_kind *kind, const void *base)
{
	json_auto_t *json = fields_json(kind, base, FORM_SXP, false);

	return sxp_add_json(list, json);
}

struct sxp *device_to_sxp(const struct spec_kind *kind, const void *device)
{
	return add_fields(sxp_named(kind->sxp), kind, device);
}

static void add_devices(struct sxp *x, const struct config_key *k, const void *base)
{
	const char *device = *(char **)member_at(base, k->offset);

	for (size_t i = 0; i < *(size_t *)member_at(base, k->other); i++) {
		sxp_add(x, sxp_add(sxp_named("device"),
				   device_to_sxp(k->kind, device + i * k->kind->size)));
		if (k->kind == &vfb_kind)
			sxp_add(x, sxp_add(sxp_named("device"), sxp_named("vkbd")));
	}
}

struct sxp *config_to_sxp(const struct domain_config *c, long domid)
{
	struct sxp *x = sxp_named(domid < 0 ? "vm" : "domain");
	struct domain_config whole = *c;
	autofree char *ip = config_ip_word(c), *extra = config_extra_words(c);
	autofree char *number = xasprintf("%ld", domid);

	if (domid >= 0)
		sxp_pair(x, "domid", number);
	whole.ip = c->cmdline ? NULL : ip;
	whole.root = c->cmdline ? NULL : c->root;
	whole.extra = c->cmdline ? c->cmdline : *extra ? extra : NULL;
	whole.max_vcpus = c->max_vcpus ? c->max_vcpus : c->vcpus;
	add_fields(x, &domain_kind, &whole);
	for (const struct config_key *k = domain_kind.table; !key_is_last(k); k++)
		if (k->type == KEY_DEVICES && k->kind->sxp)
			add_devices(x, k, c);
	return x;
}
