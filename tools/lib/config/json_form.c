/* SPDX-License-Identifier: MIT */
/*
 * libxl's JSON read along the tables: an object for every '/' of a row's path. What is not there is libxl's default; affinity that only
 * the host can resolve ("nodes:0") stands as text.
 */
#include "lib/config/keys.h"

#include "lib/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool is_branch(const struct config_key *table, const char *path)
{
	size_t len = strlen(path);

	for (const struct config_key *k = table; !key_is_last(k); k++)
		if (k->json && !strncmp(k->json, path, len) &&
		    (k->json[len] == '/' || (!k->json[len] && k->type == KEY_BRANCH)))
			return true;
	return false;
}

static void read_devices(struct reader *r, const struct config_key *k, const json_t *list);

static void read_object(struct reader *r, const char *path, const json_t *json)
{
	const char *name;
	json_t *member;

	if (!json_is_object(json))
		complain(r, "'%s' is no object", *path ? path : "the configuration");
	json_object_foreach((json_t *)json, name, member)
	{
		autofree char *full = xasprintf("%s%s%s", path, *path ? "/" : "", name);
		const struct config_key *k = key_find(r, full);
		autovalue struct value v = {0};

		if (json_is_null(member))
			;
		else if (is_branch(r->kind->table, full))
			read_object(r, full, member);
		else if (!k)
			key_other(r, full,
				  json_is_array(member) ? json_array_size(member)
							: !json_is_false(member));
		else if (k->type == KEY_DEVICES)
			read_devices(r, k, member);
		else if (value_of_json(member, r->at, &v))
			field_set(r, k, &v);
		else
			complain(r, "'%s' is %s", k->json,
				 json_is_object(member) ? "an object" : "no value it can have");
	}
}

static int read_device(struct reader *r, const json_t *json)
{
	size_t before = r->found->errors;

	if (r->kind == &channel_kind && json_object_get(json, "connection.socket"))
		((struct channel_config *)r->base)->connection = CHANNEL_SOCKET;
	read_object(r, "", json);
	return r->found->errors == before ? device_check(r) : -1;
}

static void read_devices(struct reader *r, const struct config_key *k, const json_t *list)
{
	const char *file = r->at.file;
	json_t *one;
	size_t i;

	if (!json_is_array(list))
		complain(r, "'%s' is no list", k->json);
	json_array_foreach(list, i, one)
	{
		struct reader device = device_begin(r, k);
		autofree char *where =
			xasprintf("%s%s%s[%zu]", file ? file : "", file ? ": " : "", k->json, i);

		device.at.file = where;
		read_device(&device, one);
	}
}

/* The same for every vCPU was one text for all, unless the placement says it was not. */
static void join_affinity(struct string_list *cpus, bool *each, long vcpus)
{
	if (!*each || cpus->nr != vcpus)
		return;
	for (size_t i = 1; i < cpus->nr; i++)
		if (strcmp(cpus->item[0], cpus->item[i]))
			return;
	while (cpus->nr > 1)
		free(cpus->item[--cpus->nr]);
	*each = false;
}

static void read_config(const char *name, const json_t *json, struct domain_config *c,
			struct diagnostics *found)
{
	struct reader r = {&domain_kind, c, found, FORM_JSON, .at.file = name};
	const json_t *b_info = json_object_get(json, "b_info");
	long vcpus;

	/* What is not there is libxl's 0, not a file's default. */
	c->on_reboot = c->on_crash = c->on_soft_reset = ACTION_DESTROY;
	read_object(&r, "", json);
	vcpus = c->max_vcpus ? c->max_vcpus : c->vcpus;
	join_affinity(&c->cpus_soft, &c->cpus_soft_each, vcpus);
	if (!json_object_get(b_info, "numa_placement") || c->cpus_soft.nr)
		join_affinity(&c->cpus, &c->cpus_each, vcpus);
}

void json_read_text(const char *name, const char *text, struct domain_config *c,
		    struct diagnostics *found)
{
	json_error_t error;
	json_auto_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (json)
		read_config(name, json, c, found);
	else
		diagnostics_error(found, (struct place){name, error.line, error.column},
				  "this is no JSON: %s", error.text);
}

int config_from_json(const json_t *json, struct domain_config *c, struct diagnostics *found)
{
	config_init(c, CONFIG_XL);
	read_config(NULL, json, c, found);
	return config_check(NULL, c, found);
}

int spec_from_json(const struct spec_kind *kind, const json_t *json, void *device,
		   struct diagnostics *found)
{
	struct reader r = {kind, device, found, FORM_JSON};

	fields_init(kind, device);
	return read_device(&r, json);
}
