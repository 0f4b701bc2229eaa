/* SPDX-License-Identifier: MIT */
/*
 * Records: a file a domain, JSON, replaced as a whole. That of a running domain lies in /run and ends with it or with the host; that of
 * a managed one lies in xend-domains-path and is on the disk before its making is reported as done.
 */
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "xend/node_private.h"
#include "xend/settings.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *record_folder = "/run/xend/domains";

enum { RECORD_MOST = 1 << 20 };

static int save(const char *folder, const char *uuid, json_t *json, bool durable, struct error *e)
{
	char *path = xasprintf("%s/%s.json", folder, uuid), *text = json_dumps(json, JSON_COMPACT);
	int rc = folder_make(folder, 0700, e);

	if (!rc)
		rc = file_replace(path, text, strlen(text), durable, e);
	json_decref(json);
	free(text);
	free(path);
	return rc;
}

static json_t *load(const char *folder, const char *file)
{
	char *path = xasprintf("%s/%s", folder, file), *text;
	json_error_t why;
	json_t *json = NULL;
	size_t len;

	text = file_read(path, RECORD_MOST, &len, NULL);
	if (text)
		json = json_loadb(text, len, 0, &why);
	if (text && !json)
		log_warning("%s is left alone: line %d: %s", path, why.line, why.text);
	free(text);
	free(path);
	return json;
}

static void drop(const char *folder, const char *uuid)
{
	char *path = xasprintf("%s/%s.json", folder, uuid);

	unlink(path);
	free(path);
}

struct domain_config *record_config(const json_t *json, const char *what)
{
	struct domain_config *c = xcalloc(1, sizeof(*c));
	struct diagnostics found = {0};
	struct error e = {.text = "there is none"};

	config_init(c, CONFIG_XM);
	if (json && !config_from_json(json, c, &found)) {
		diagnostics_free(&found);
		return c;
	}
	if (json)
		diagnostics_to_error(&found, &e);
	log_warning("the configuration of %s cannot be used: %s", what, e.text);
	diagnostics_free(&found);
	config_free(c);
	free(c);
	return NULL;
}

/* --- Running domains ----------------------------------------------------------------------------------------- */

int record_save(struct node *n, const struct domain *d, struct error *e)
{
	json_t *json = json_pack("{s:i, s:I, s:b, s:o}", "domid", (int)d->id, "started_at",
				 (json_int_t)d->started_at, "from_restart", d->from_restart,
				 "config", config_to_json(d->config));

	return save(record_folder, d->uuid, json, false, e);
}

void record_remove(const struct domain *d)
{
	drop(record_folder, d->uuid);
}

bool record_load(struct domain *d)
{
	char *file = xasprintf("%s.json", d->uuid);
	json_t *json = load(record_folder, file), *config = NULL;
	int domid = -1, from_restart = 0;
	json_int_t started_at = 0;

	free(file);
	if (!json)
		return false;
	json_unpack(json, "{s:i, s:I, s:b, s:o}", "domid", &domid, "started_at", &started_at,
		    "from_restart", &from_restart, "config", &config);
	if (domid == (int)d->id && config) {
		if (d->config)
			config_free(d->config);
		free(d->config);
		d->config = record_config(config, d->name);
		d->started_at = (time_t)started_at;
		d->from_restart = from_restart;
	}
	json_decref(json);
	return d->config;
}

void record_remains(struct node *n, struct domain *d)
{
	char *file = xasprintf("%s.json", d->uuid);
	json_t *json = load(record_folder, file);
	json_int_t domid = json_integer_value(json_object_get(json, "domid"));
	const char *name = json_string_value(json_object_get(
		json_object_get(json_object_get(json, "config"), "c_info"), "name"));

	log_info("domain %s ended while no xend was running", name ? name : d->uuid);
	record_remove(d);
	if (domid > 0 && domid < DOMID_FIRST_RESERVED && !domain_by_id(n, (uint32_t)domid)) {
		domain_place(n, d, (uint32_t)domid);
		domain_destroy(n, d, NULL);
	} else if (!d->managed) {
		domain_drop(n, d);
	}
	json_decref(json);
	free(file);
}

/* --- Managed domains ------------------------------------------------------------------------------------------- */

int managed_save(struct node *n, const struct domain *d, struct error *e)
{
	json_t *json = json_pack("{s:o}", "config", config_to_json(d->config));

	return save(n->settings->domains_path, d->uuid, json, true, e);
}

void managed_remove(struct node *n, const struct domain *d)
{
	drop(n->settings->domains_path, d->uuid);
}

static void managed_load_one(struct node *n, const char *file)
{
	json_t *json = load(n->settings->domains_path, file);
	struct domain_config *config;
	struct domain *d;

	if (!json)
		return;
	config = record_config(json_object_get(json, "config"), file);
	json_decref(json);
	if (!config)
		return;
	d = config->uuid ? domain_by_uuid(n, config->uuid) : NULL;
	if (!d && config->uuid && config->name)
		d = domain_add(n, config->name, config->uuid);
	if (d) {
		d->managed = true;
		if (!d->config) {
			d->config = config;
			return;
		}
	}
	config_free(config);
	free(config);
}

void managed_load(struct node *n)
{
	DIR *folder = opendir(n->settings->domains_path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (dot && !strcmp(dot, ".json"))
			managed_load_one(n, entry->d_name);
		else if (strstr(entry->d_name,
				".json.")) /* half written when its writer was killed */
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
	if (folder)
		closedir(folder);
}
