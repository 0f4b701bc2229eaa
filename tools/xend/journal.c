/* SPDX-License-Identifier: MIT */
/* See journal.h. Replacing is atomic, so a file is whole or not there; what is neither was not written by us. */
#include "xend/journal.h"

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *journal_folder = "/run/xend/ops";

enum { ENTRY_MOST = 1 << 20 };

int journal_write(const char *folder, const struct journal_entry *entry, struct error *e)
{
	json_t *json = json_pack("{s:I, s:s, s:s, s:s, s:I, s:O*}", "id", (json_int_t)entry->id,
				 "kind", entry->kind, "uuid", entry->uuid, "name", entry->name,
				 "domid", (json_int_t)entry->domid, "config", entry->config);
	char *path = xasprintf("%s/%llu.json", folder, (unsigned long long)entry->id), *text;
	int rc;

	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	if (!text)
		rc = error_set(e, ERROR_FAILED, "the name of domain %s is not UTF-8", entry->uuid);
	else
		rc = file_replace(path, text, strlen(text), false, e);
	free(text);
	free(path);
	json_decref(json);
	return rc;
}

void journal_remove(const char *folder, uint64_t id)
{
	char *path = xasprintf("%s/%llu.json", folder, (unsigned long long)id);

	unlink(path);
	free(path);
}

static bool read_entry(const char *path, struct journal_entry *entry)
{
	const char *kind = "", *uuid = "", *name = "";
	json_int_t id = 0, domid = 0;
	size_t len;
	char *text = file_read(path, ENTRY_MOST, &len, NULL);
	json_t *json = text ? json_loadb(text, len, 0, NULL) : NULL, *config = NULL;
	bool ok;

	ok = json && !json_unpack(json, "{s:I, s:s, s:s, s:s, s:I, s?:o}", "id", &id, "kind", &kind,
				  "uuid", &uuid, "name", &name, "domid", &domid, "config", &config);
	if (ok) {
		memset(entry, 0, sizeof(*entry));
		entry->id = (uint64_t)id;
		snprintf(entry->kind, sizeof(entry->kind), "%s", kind);
		snprintf(entry->uuid, sizeof(entry->uuid), "%s", uuid);
		entry->name = xstrdup(name);
		entry->domid = (uint32_t)domid;
		entry->config = json_incref(config);
	}
	json_decref(json);
	free(text);
	return ok;
}

static int by_id(const void *a, const void *b)
{
	const struct journal_entry *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

struct journal_entry *journal_read(const char *folder, size_t *nr)
{
	struct journal_entry *entries = NULL;
	DIR *dir = opendir(folder);
	struct dirent *file;

	*nr = 0;
	while (dir && (file = readdir(dir))) {
		char *path;

		if (file->d_name[0] == '.')
			continue;
		path = xasprintf("%s/%s", folder, file->d_name);
		entries = xrealloc(entries, (*nr + 1) * sizeof(*entries));
		if (read_entry(path, &entries[*nr])) {
			++*nr;
		} else {
			log_warning("%s is no journal entry and is removed", path);
			unlink(path);
		}
		free(path);
	}
	if (dir)
		closedir(dir);
	if (*nr)
		qsort(entries, *nr, sizeof(*entries), by_id);
	return entries;
}

void journal_free(struct journal_entry *entries, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(entries[i].name);
		json_decref(entries[i].config);
	}
	free(entries);
}
