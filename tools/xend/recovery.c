/* SPDX-License-Identifier: MIT */
/*
 * Beginning and end of a run. A xend that was killed left domains running, records of them, and journal entries of what was under way:
 * running ones are taken over as they are, half-made and half-destroyed ones are destroyed to the end, a restart whose domain was
 * already destroyed is carried on. What was done is never done again: entries name the incarnation by domid.
 */
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/journal.h"
#include "xend/node_private.h"
#include "xend/settings.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file there since xend was started: on_xend_start is for starts, not for a return after a crash. */
#define STARTED_MARK "started"

enum { STOP_SECONDS = 120 };

/* --- Domain 0 -------------------------------------------------------------------------------------------------- */

/* What xen-init-dom0 writes where Debian's tools are. */
static int describe_domain_0(struct node *n, struct error *e)
{
	static const char *const names[] = {"name", "domid", "memory/target", "memory/static-max"};
	xen_domctl_getdomaininfo_t info;
	const char *values[4];
	char kb[24], *there[4];

	if (hyper_domain_info(n->hyper, 0, &info, e) ||
	    store_read_each(n->store, "/local/domain/0", names, 4, there, e))
		return -1;
	snprintf(kb, sizeof(kb), "%llu", (unsigned long long)info.tot_pages * 4);
	values[0] = "Domain-0";
	values[1] = "0";
	values[2] = values[3] = kb;
	for (int i = 0; i < 4; i++)
		if (!there[i])
			store_put(n->store, "/local/domain/0", names[i], "%s", values[i]);
	store_values_free(there, 4);
	store_put(n->store, "/local/pool/0/name", NULL, "%s", node_pool_name(n, 0));
	return store_flush(n->store, e);
}

/* --- What was under way ---------------------------------------------------------------------------------------- */

/* Nobody has this id, or the domain of @uuid has. */
static bool id_is_its(struct node *n, uint32_t domid, const char *uuid)
{
	struct domain *d = domain_by_id(n, domid);

	return !d || !strcmp(d->uuid, uuid);
}

static void end_dump(struct node *n, const struct journal_entry *entry)
{
	struct domain *d = domain_by_uuid(n, entry->uuid);

	if (d && d->present && d->id == entry->domid && (d->info.flags & XEN_DOMINF_paused))
		domain_unpause(n, d, NULL);
}

/* The domain as far as it exists is destroyed to the end, also where only its nodes are left. */
static void destroy_rest(struct node *n, const char *name, const char *uuid, uint32_t domid)
{
	struct domain *d = domain_by_uuid(n, uuid);
	struct error e = {0};

	if (d && d->present && domid != DOMID_INVALID && d->id != domid)
		return; /* a later incarnation, which is whole */
	if (!d || !d->present) {
		if (domid == DOMID_INVALID || !id_is_its(n, domid, uuid))
			return;
		if (!d)
			d = domain_add(n, name, uuid);
		domain_place(n, d, domid);
	}
	if (!d->operation && !domain_destroy(n, d, &e))
		log_error("domain %s is left half made: %s", name, e.text);
}

static void carry_on_restart(struct node *n, struct journal_entry *entry)
{
	struct create_options options = {.from_restart = true};
	struct domain_config *config = record_config(entry->config, entry->name);
	struct domain *d = domain_by_uuid(n, entry->uuid);
	struct error e = {0};

	if (config && !(d && d->present && d->id != entry->domid && !d->operation)) {
		options.managed = d && d->managed;
		if (!restart_begin(n, "restart", d && d->id != DOMID_INVALID ? d : NULL, config,
				   &options, &e))
			log_error("domain %s is not restarted: %s", entry->name, e.text);
	}
	if (config)
		config_free(config);
	free(config);
}

static void finish_journal(struct node *n)
{
	struct journal_entry *entries;
	size_t nr;

	entries = journal_read(journal_folder, &nr);
	if (nr)
		n->next_operation = entries[nr - 1].id;
	for (size_t i = 0; i < nr; i++)
		journal_remove(journal_folder, entries[i].id);
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(entries[i].kind, "restart"))
			continue;
		log_info("domain %s: the last xend was ended in its \"%s\"", entries[i].name,
			 entries[i].kind);
		if (!strcmp(entries[i].kind, "dump"))
			end_dump(n, &entries[i]);
		else
			destroy_rest(n, entries[i].name, entries[i].uuid, entries[i].domid);
	}
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(entries[i].kind, "restart"))
			carry_on_restart(n, &entries[i]);
	journal_free(entries, nr);
}

/* Records whose domain somebody destroyed while no xend was there to see it. */
static void sweep_records(struct node *n)
{
	DIR *folder = opendir(record_folder);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		char uuid[37] = "";
		struct domain *d;
		uint8_t bytes[16];

		if (strstr(entry->d_name, ".json.")) { /* half written when its writer was killed */
			unlinkat(dirfd(folder), entry->d_name, 0);
			continue;
		}
		snprintf(uuid, sizeof(uuid), "%.36s", entry->d_name);
		d = domain_by_uuid(n, uuid);
		if (!uuid_parse(uuid, bytes) || (d && d->id != DOMID_INVALID))
			continue;
		if (!d)
			d = domain_add(n, uuid, uuid);
		record_remains(n, d);
	}
	if (folder)
		closedir(folder);
}

/* --- on_xend_start ----------------------------------------------------------------------------------------------- */

static void start_managed(struct node *n)
{
	struct error e;
	char *mark = xasprintf("%s/" STARTED_MARK, record_folder);
	int fd = open(mark, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	free(mark);
	if (fd < 0)
		return;
	close(fd);
	for (struct domain *d = n->domains; d; d = d->next) {
		if (d->id != DOMID_INVALID || !d->managed || d->operation ||
		    d->config->on_xend_start != XEND_START_START)
			continue;
		log_info("domain %s is started: on_xend_start", d->name);
		d->wanted = true;
	}
	/* Starting one moves it in the list: begin again behind each. */
	for (struct domain *d = n->domains; d;) {
		bool wanted = d->wanted;

		d->wanted = false;
		if (wanted && !domain_start(n, d, false, &e))
			log_error("domain %s: %s", d->name, e.text);
		d = wanted ? n->domains : d->next;
	}
}

int recovery_run(struct node *n, struct error *e)
{
	if (folder_make(record_folder, 0700, e) || folder_make(journal_folder, 0700, e) ||
	    describe_domain_0(n, e))
		return -1;
	managed_load(n);
	if (domains_refresh(n, e))
		return -1;
	for (struct domain *d = n->domains; d; d = d->next)
		if (d->present)
			log_debug("domain %s (%u) is taken over", d->name, d->id);
	finish_journal(n);
	sweep_records(n);
	watch_start(n);
	start_managed(n);
	n->ready = true;
	return 0;
}

/* --- on_xend_stop ------------------------------------------------------------------------------------------------ */

struct stopping {
	struct node *node;
	void (*done)(void *arg);
	void *arg;
	struct loop_source *timer;
	time_t until;
};

static bool is_to_end(const struct domain *d)
{
	return d->present && d->config && d->config->on_xend_stop == XEND_STOP_SHUTDOWN;
}

static void stop_expired(void *arg)
{
	struct stopping *s = arg;
	bool waits = false;

	for (struct operation *op = s->node->operations; op; op = op->next)
		waits = waits || (op->state == OPERATION_RUNNING && strcmp(op->kind, "shutdown"));

	for (struct domain *d = s->node->domains; d; d = d->next)
		waits = waits || is_to_end(d);
	if (waits && time(NULL) < s->until)
		return;
	loop_remove(s->timer);
	s->done(s->arg);
	free(s);
}

void recovery_stop(struct node *n, void (*done)(void *arg), void *arg)
{
	char *mark = xasprintf("%s/" STARTED_MARK, record_folder);
	struct stopping *s = xcalloc(1, sizeof(*s));
	struct error e;

	n->stopping = true;
	unlink(mark);
	free(mark);
	for (struct domain *d = n->domains; d; d = d->next) {
		if (d->present && d->config && d->config->on_xend_stop == XEND_STOP_SUSPEND)
			log_warning("domain %s goes on running: saving domains is not done yet",
				    d->name);
		/* What on_poweroff says is for people's shutdowns: this one is to come back at the next start. */
		if (is_to_end(d) && !domain_shutdown(n, d, "poweroff", &e))
			log_warning("domain %s is not shut down: %s", d->name, e.text);
	}
	*s = (struct stopping){n, done, arg, NULL, time(NULL) + STOP_SECONDS};
	s->timer = loop_timer(n->loop, 100, true, stop_expired, s);
}
