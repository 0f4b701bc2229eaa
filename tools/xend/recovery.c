/* SPDX-License-Identifier: MIT */
/*
 * Beginning and end of a run. A xend that was killed left domains running and records of them, which also say what was under way: running
 * ones are taken over as they are, half-made and half-destroyed ones are destroyed to the end, a restart begins again with the end of
 * what is left. What was done is never done again: records name the incarnation by domid.
 */
#include "lib/base/file.h"
#include "xend/node_private.h"

#include <fcntl.h>
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
	char *there[4];

	if (hyper_domain_info(n->hyper, 0, &info, e) ||
	    store_read_each(n->store, "/local/domain/0", names, 4, there, e))
		return -1;
	for (int i = 0; i < 4; i++) {
		autofree char *kb = xasprintf("%llu", (unsigned long long)info.tot_pages * 4);
		const char *const values[] = {"Domain-0", "0", kb, kb};

		if (!there[i])
			store_put(n->store, "/local/domain/0", names[i], "%s", values[i]);
	}
	store_values_free(there, 4);
	store_put(n->store, "/local/pool/0/name", NULL, "%s", node_pool_name(n, 0));
	return store_flush(n->store, e);
}

/* --- What was under way ---------------------------------------------------------------------------------------- */

/* Ends or carries on what the last xend was at with @d, or takes away what it left. */
static void recover(struct node *n, struct domain *d)
{
	bool gone = !d->present && (d->id != DOMID_INVALID || !d->managed);
	struct operation *op = NULL;
	struct error e = {0};

	if (gone)
		log_info("domain %s ended while no xend was running", d->name);
	else if (!*d->doing)
		return;
	if (*d->doing)
		log_info("domain %s: the last xend was ended in its \"%s\"", d->name, d->doing);
	if (!strcmp(d->doing, "dump-core") && !gone) {
		d->doing[0] = '\0';
		record_save(d, NULL);
		if (d->info.flags & XEN_DOMINF_paused)
			domain_unpause(n, d, NULL);
		return;
	}
	if (d->config && (!strcmp(d->doing, "restart") || !strcmp(d->doing, "reset")))
		op = domain_make(n, "restart", d, false, &e);
	if (op)
		return;
	if (e.class)
		log_error("domain %s is not restarted: %s", d->name, e.text);
	d->doing[0] = '\0';
	if (d->id == DOMID_INVALID)
		domain_ended(n, d);
	else if (!domain_destroy(n, d, &e))
		log_error("domain %s is left half made: %s", d->name, e.text);
}

/* --- on_xend_start ----------------------------------------------------------------------------------------------- */

static void start_managed(struct node *n, struct domain *d)
{
	struct error e;

	if (d->id != DOMID_INVALID || !d->managed || d->operation ||
	    d->config->on_xend_start != XEND_START_START)
		return;
	log_info("domain %s is started: on_xend_start", d->name);
	if (!domain_start(n, d, false, &e))
		log_error("domain %s: %s", d->name, e.text);
}

static char *mark_path(void)
{
	return xasprintf("%s/" STARTED_MARK, record_folder);
}

/* @act may move or drop the domain it is given. */
static void for_each(struct node *n, void (*act)(struct node *n, struct domain *d))
{
	for (struct domain *d = n->domains, *next; d; d = next) {
		next = d->next;
		act(n, d);
	}
}

int recovery_run(struct node *n, struct error *e)
{
	autofree char *mark = mark_path();
	int fd;

	if (folder_make(record_folder, 0700, e) || describe_domain_0(n, e))
		return -1;
	records_load(n);
	if (domains_refresh(n, e))
		return -1;
	n->ready = true;
	for_each(n, recover);
	watch_start(n);
	fd = open(mark, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0) {
		close(fd);
		for_each(n, start_managed);
	}
	return 0;
}

/* --- on_xend_stop ------------------------------------------------------------------------------------------------ */

static bool is_to_end(const struct domain *d)
{
	return d->present && d->config && d->config->on_xend_stop == XEND_STOP_SHUTDOWN;
}

/* Ends the loop when there is nothing left to wait for. */
static void stop_expired(void *arg)
{
	struct node *n = arg;
	bool waits = false;

	for (struct operation *op = n->operations; op; op = op->next)
		waits = waits || (op->state == OPERATION_RUNNING && strcmp(op->kind, "shutdown"));
	for (struct domain *d = n->domains; d; d = d->next)
		waits = waits || is_to_end(d);
	if (!waits || time(NULL) >= n->stop_at)
		loop_stop(n->loop);
}

void recovery_stop(struct node *n)
{
	autofree char *mark = mark_path();
	struct error e;

	n->stopping = true;
	n->stop_at = time(NULL) + STOP_SECONDS;
	unlink(mark);
	for (struct domain *d = n->domains; d; d = d->next) {
		if (d->present && d->config && d->config->on_xend_stop == XEND_STOP_SUSPEND)
			log_warning("domain %s goes on running: saving domains is not done yet",
				    d->name);
		/* What on_poweroff says is for people's shutdowns: this one is to come back at the next start. */
		if (is_to_end(d) && !domain_shutdown(n, d, "poweroff", &e))
			log_warning("domain %s is not shut down: %s", d->name, e.text);
	}
	loop_timer(n->loop, 100, true, stop_expired, n);
}
