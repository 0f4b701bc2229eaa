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

static int read_row(const struct reader *r, const struct config_key *k, const json_t *json)
{
	struct value v;
	int rc;

	if (value_of_json(json, r->at, &v))
		rc = field_set(k, r->device, &v, FORM_JSON, r->found);
	else
		rc = complain(r, "'%s' is %s", k->json,
			      json_is_object(json) ? "an object" : "no value it can have");
	value_free(&v);
	return rc;
}

/* Names without a row. */
static int read_other(const struct reader *r, const char *path, const json_t *json)
{
	bool asks = json_is_array(json) ? json_array_size(json) > 0 : !json_is_false(json);
	const struct key_group *g =
		key_group(r->kind == &domain_kind ? json_groups : device_groups, path);

	return g ? key_group_tell(g, path, asks, r->at, r->found)
		 : key_unknown(r->kind->table, path, CONFIG_XL, r->at, r->found);
}

static int read_devices(const struct reader *r, const struct config_key *k, const json_t *list);

static int read_object(const struct reader *r, const char *path, const json_t *json)
{
	const char *name;
	json_t *member;
	int rc = 0;

	if (!json_is_object(json))
		return complain(r, "'%s' is no object", *path ? path : "the configuration");
	json_object_foreach((json_t *)json, name, member)
	{
		char *full = xasprintf("%s%s%s", path, *path ? "/" : "", name);
		const struct config_key *k = key_find(r->kind->table, full, FORM_JSON, CONFIG_XL);

		if (json_is_null(member))
			;
		else if (is_branch(r->kind->table, full))
			rc |= read_object(r, full, member);
		else if (!k)
			rc |= read_other(r, full, member);
		else if (k->type == KEY_DEVICES)
			rc |= read_devices(r, k, member);
		else
			rc |= read_row(r, k, member);
		free(full);
	}
	return rc ? -1 : 0;
}

static int read_device(struct reader r, const json_t *json)
{
	fields_init(r.kind->table, r.device, r.kind->size);
	if (r.kind == &channel_kind && json_object_get(json, "connection.socket"))
		((struct channel_config *)r.device)->connection = CHANNEL_SOCKET;
	return read_object(&r, "", json) ? -1 : device_check(&r);
}

static int read_devices(const struct reader *r, const struct config_key *k, const json_t *list)
{
	const char *file = r->at.file;
	json_t *one;
	int rc = 0;
	size_t i;

	if (!json_is_array(list))
		return complain(r, "'%s' is no list", k->json);
	json_array_foreach(list, i, one)
	{
		char *where =
			xasprintf("%s%s%s[%zu]", file ? file : "", file ? ": " : "", k->json, i);

		rc |= read_device(
			(struct reader){
				k->kind, device_add(k, r->device), {.file = where}, r->found},
			one);
		free(where);
	}
	return rc;
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

static int read_config(const char *name, const json_t *json, struct domain_config *c,
		       struct diagnostics *found)
{
	const struct reader r = {&domain_kind, c, {.file = name}, found};
	const json_t *b_info = json_object_get(json, "b_info");
	long vcpus;

	/* What is not there is libxl's 0, not a file's default. */
	c->on_reboot = c->on_crash = c->on_soft_reset = ACTION_DESTROY;
	if (read_object(&r, "", json))
		return -1;
	c->memory_given = json_object_get(b_info, "target_memkb") != NULL;
	c->vcpus_given = json_object_get(b_info, "max_vcpus") != NULL;
	vcpus = c->max_vcpus ? c->max_vcpus : c->vcpus;
	join_affinity(&c->cpus_soft, &c->cpus_soft_each, vcpus);
	if (!json_object_get(b_info, "numa_placement") || c->cpus_soft.nr)
		join_affinity(&c->cpus, &c->cpus_each, vcpus);
	return 0;
}

int json_read_text(const char *name, const char *text, struct domain_config *c,
		   struct diagnostics *found)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	int rc;

	if (!json)
		return diagnostics_error(found,
					 (struct place){name, error.line > 0 ? error.line : 0,
							error.column > 0 ? error.column : 0},
					 "this is no JSON: %s", error.text);
	rc = read_config(name, json, c, found);
	json_decref(json);
	return rc;
}

int config_from_json(const json_t *json, struct domain_config *c, struct diagnostics *found)
{
	config_init(c, CONFIG_XL);
	return read_config(NULL, json, c, found) ? -1 : config_check(NULL, c, found);
}

int disk_from_json(const json_t *json, struct disk_config *disk, struct diagnostics *found)
{
	return read_device((struct reader){&disk_kind, disk, .found = found}, json);
}

int nic_from_json(const json_t *json, struct nic_config *nic, struct diagnostics *found)
{
	return read_device((struct reader){&nic_kind, nic, .found = found}, json);
}
