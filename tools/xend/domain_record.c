/* SPDX-License-Identifier: MIT */
/*
 * Records: a file a domain, JSON, replaced as a whole. That of a running domain lies in /run and ends with it or with the host; it also
 * says what was being done to the domain, before anything is done that would be left behind. That of a managed one lies in
 * xend-domains-path and is on the disk before its making is reported as done.
 */
#include "lib/base/file.h"
#include "xend/node_private.h"

#include <dirent.h>
#include <jansson.h>
#include <unistd.h>

const char *record_folder = "/run/xend/domains";

/* What is not @wanted is removed. */
static int save(const char *folder, const char *uuid, json_t *json, bool wanted, bool durable,
		struct error *e)
{
	autofree char *path = xasprintf("%s/%s.json", folder, uuid);
	autofree char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!wanted) {
		unlink(path);
		return 0;
	}
	if (!text)
		return error_set(e, ERROR_FAILED, "the name of domain %s is not UTF-8", uuid);
	if (folder_make(folder, 0700, e))
		return -1;
	return file_replace(path, text, strlen(text), durable, e);
}

int record_save(const struct domain *d, struct error *e)
{
	bool wanted = *d->doing || (d->config && d->id != DOMID_INVALID);
	json_t *config = wanted && d->config ? config_to_json(d->config) : NULL;
	json_t *json = json_pack("{s:i, s:s, s:I, s:b, s:s, s:o*}", "domid", (int)d->id, "name",
				 d->name, "started_at", (json_int_t)d->started_at, "from_restart",
				 d->from_restart, "doing", d->doing, "config", config);

	return save(record_folder, d->uuid, json, wanted, false, e);
}

int managed_save(struct node *n, const struct domain *d, struct error *e)
{
	json_t *json = d->managed ? json_pack("{s:o}", "config", config_to_json(d->config)) : NULL;

	return save(n->settings->domains_path, d->uuid, json, d->managed, true, e);
}

int domain_save(struct node *n, const struct domain *d, struct error *e)
{
	return d->managed && managed_save(n, d, e) ? -1 : record_save(d, e);
}

/* --- Loading ------------------------------------------------------------------------------------------------- */

/* False: there is none, or it cannot be used. */
static bool load_config(const json_t *json, const char *path, struct domain_config *c)
{
	struct error e = {.text = "its name or uuid is missing"};
	struct diagnostics found = {0};
	int rc = json ? config_from_json(json, c, &found) : -1;

	if (found.nr && rc)
		diagnostics_to_error(&found, &e);
	diagnostics_free(&found);
	if (!rc && c->name && c->uuid)
		return true;
	if (json)
		log_warning("the configuration in %s cannot be used: %s", path, e.text);
	return false;
}

/* Fills in what a record says of a running domain. */
static struct domain *add(struct node *n, const json_t *json, const char *uuid, const char *name)
{
	int domid = DOMID_INVALID, from_restart = 0;
	struct domain *d = domain_by_uuid(n, uuid);
	json_int_t started_at = 0;
	const char *doing = "";

	json_unpack((json_t *)json, "{s:i, s:s, s:I, s:b, s:s}", "domid", &domid, "name", &name,
		    "started_at", &started_at, "from_restart", &from_restart, "doing", &doing);
	if (!d)
		d = domain_add(n, name, uuid);
	if (domid > 0 && domid < DOMID_FIRST_RESERVED)
		domain_place(n, d, (uint32_t)domid);
	d->unnamed = true;
	d->started_at = (time_t)started_at;
	d->from_restart = from_restart;
	snprintf(d->doing, sizeof(d->doing), "%s", doing);
	return d;
}

static void load_one(struct node *n, const char *path, const char *file, bool managed)
{
	json_error_t why;
	json_t *json = json_load_file(path, 0, &why);
	struct domain_config c;
	uint8_t bytes[16];
	bool configured;
	char uuid[37];

	if (!json)
		log_warning("%s is left alone: line %d: %s", path, why.line, why.text);
	config_init(&c, CONFIG_XM);
	configured = load_config(json_object_get(json, "config"), path, &c);
	snprintf(uuid, sizeof(uuid), "%s", configured ? c.uuid : file);
	if (json && uuid_parse(uuid, bytes) && (configured || !managed)) {
		struct domain *d = add(n, json, uuid, configured ? c.name : uuid);

		d->managed = d->managed || managed;
		if (configured)
			domain_take_config(d, &c);
	}
	config_free(&c);
	json_decref(json);
}

static void load_folder(struct node *n, const char *folder, bool managed)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		autofree char *path = xasprintf("%s/%s", folder, entry->d_name);
		const char *dot = strrchr(path, '.');

		if (dot && !strcmp(dot, ".json"))
			load_one(n, path, entry->d_name, managed);
		else if (strstr(path, ".json.")) /* half written when its writer was killed */
			unlink(path);
	}
	if (dir)
		closedir(dir);
}

void records_load(struct node *n)
{
	load_folder(n, n->settings->domains_path, true);
	load_folder(n, record_folder, false);
}
