/* SPDX-License-Identifier: MIT */
/* See domains.h. One process serves one hypervisor: the state is this file's. */
#include "xenconsoled/domains.h"

#include "lib/base/log.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#include <xen/grant_table.h>

struct domain {
	struct domain *next;
	unsigned int domid;
	struct console *console; /* NULL until the nodes are there */
	void *page;
	bool granted;  /* @page is mapped by its grant, else by frame number */
	long ring_ref; /* as the node says, when @page was mapped */
	long remote;   /* the guest's end of the event channel */
	int port;      /* ours, -1: not bound */
	bool seen;     /* in the present pass over the hypervisor's list */
	bool changed;  /* its nodes have */
	struct store_watch *watch;
};

static struct loop *loop;
static const struct domains_options *options;
static struct domain *domains;
static xenevtchn_handle *evtchn;
static xengnttab_handle *gnttab;
static struct hyper *hyper;
static struct store *store;
static struct loop_source *later; /* to catch up: watches have fired */
static bool list_changed;
static int log_port = -1;
static struct record log_record;
static struct logfile_options log_file;

/* --- The wire of a console ----------------------------------------------------------------------- */

void wire_notify(void *arg)
{
	const struct domain *d = arg;

	xenevtchn_notify(evtchn, (evtchn_port_t)d->port);
}

void wire_unmask(void *arg)
{
	const struct domain *d = arg;

	xenevtchn_unmask(evtchn, (evtchn_port_t)d->port);
}

void wire_tty(void *arg, const char *tty)
{
	const struct domain *d = arg;
	autofree char *path = xasprintf("/local/domain/%u/console/tty", d->domid);
	struct error e;

	if (store_write(store, path, &e, "%s", tty))
		log_warning("%s cannot be written: %s", path, e.text);
}

/* --- Mapping and binding ------------------------------------------------------------------------- */

static void unbind(struct domain *d)
{
	if (d->port >= 0)
		xenevtchn_unbind(evtchn, (evtchn_port_t)d->port);
	d->port = -1;
}

static void unmap(struct domain *d)
{
	if (d->page && d->granted)
		xengnttab_unmap(gnttab, d->page, 1);
	else if (d->page)
		hyper_unmap(hyper, d->page, 1);
	d->page = NULL;
}

static void map(struct domain *d, long ring_ref)
{
	xen_pfn_t frame = (xen_pfn_t)ring_ref;

	d->page = xengnttab_map_grant_ref(gnttab, d->domid, GNTTAB_RESERVED_CONSOLE,
					  PROT_READ | PROT_WRITE);
	d->granted = d->page;
	if (!d->page)
		d->page = hyper_map(hyper, d->domid, &frame, 1, true, NULL, NULL);
	d->ring_ref = ring_ref;
}

/* The nodes below a domain's home that say what its console is. */
enum { PORT, RING_REF, TYPE, LIMIT, TTY, NAME, NR_NODES };
static const char *const nodes[NR_NODES] = {
	"console/port", "console/ring-ref", "console/type", "console/limit", "console/tty", "name",
};

/* -1: it is not there, or no such number. */
static long number(const char *s)
{
	long n;

	return s && str_to_long(s, 0, LONG_MAX, &n) ? n : -1;
}

static void make_console(struct domain *d, char *const value[NR_NODES])
{
	autofree char *otherwise = xasprintf("domain-%u", d->domid);
	const char *name = value[NAME] ? value[NAME] : otherwise;
	bool served = value[TTY] && *value[TTY];

	d->console = console_new(loop, &options->console, d->domid, name, served, d);
	console_limit(d->console, number(value[LIMIT]));
	log_info("domain %u: console of guest %s %s", d->domid, name,
		 served ? "taken over" : "served");
}

/* Makes the console what the nodes say. */
static void follow(struct domain *d, char *const value[NR_NODES])
{
	long remote = number(value[PORT]), ring_ref = number(value[RING_REF]);

	if (remote < 0 || ring_ref < 0 || (value[TYPE] && strcmp(value[TYPE], "xenconsoled")))
		return;
	if (d->port >= 0 && remote == d->remote && ring_ref == d->ring_ref)
		return;
	if (d->console)
		console_ring(d->console, NULL);
	unbind(d);
	if (ring_ref != d->ring_ref)
		unmap(d);
	if (!d->page)
		map(d, ring_ref);
	if (d->page)
		d->port = xenevtchn_bind_interdomain(evtchn, d->domid, (evtchn_port_t)remote);
	d->remote = remote;
	if (d->port < 0) {
		log_warning("domain %u: its console (page %ld, event channel %ld) cannot be "
			    "reached: %s",
			    d->domid, ring_ref, remote, strerror(errno));
		return;
	}
	if (!d->console)
		make_console(d, value);
	console_ring(d->console, d->page);
}

/* The nodes have changed, or may have. Where they cannot be read, the watch fires when they can. */
static void connect_console(struct domain *d)
{
	autofree char *home = xasprintf("/local/domain/%u", d->domid);
	char *value[NR_NODES];

	d->changed = false;
	if (store_read_each(store, home, nodes, NR_NODES, value, NULL))
		return;
	follow(d, value);
	store_values_free(value, NR_NODES);
}

/* --- Domains come and go ------------------------------------------------------------------------- */

static struct domain *domain_find(unsigned int domid)
{
	struct domain *d = domains;

	while (d && d->domid != domid)
		d = d->next;
	return d;
}

static void nodes_changed(void *arg, const char *path)
{
	struct domain *d = arg;

	d->changed = true;
	loop_timer_set(later, 1);
}

static void domain_seen(unsigned int domid)
{
	autofree char *path = xasprintf("/local/domain/%u/console", domid);
	struct domain *d = domain_find(domid);

	if (!d) {
		d = xcalloc(1, sizeof(*d));
		*d = (struct domain){.next = domains, .domid = domid, .port = -1, .changed = true};
		d->watch = store_watch(store, path, nodes_changed, d);
		domains = d;
	}
	d->seen = true;
}

static void domain_gone(struct domain *d)
{
	store_unwatch(d->watch);
	if (d->console)
		console_free(d->console);
	unbind(d);
	unmap(d);
	free(d);
}

/* Calls domain_seen() for each but domain 0 that is not being taken apart. */
static int list_domains(struct error *e)
{
	static xen_domctl_getdomaininfo_t info[HYPER_LIST];
	uint32_t first = 1;
	int n;

	do {
		n = hyper_domain_list(hyper, first, info, e);
		for (int i = 0; i < n; i++)
			if (!(info[i].flags & XEN_DOMINF_dying))
				domain_seen(info[i].domain);
		if (n > 0)
			first = info[n - 1].domain + 1u;
	} while (n == HYPER_LIST);
	return n;
}

static void look_for_domains(void)
{
	struct error e;

	list_changed = false;
	if (list_domains(&e) < 0) {
		log_error("%s", e.text);
		return;
	}
	for (struct domain **link = &domains, *d; (d = *link);) {
		if (d->seen) {
			d->seen = false;
			link = &d->next;
		} else {
			*link = d->next;
			domain_gone(d);
		}
	}
}

/* After all the watches: one creation fires many. */
static void catch_up(void *arg)
{
	if (list_changed)
		look_for_domains();
	for (struct domain *d = domains; d; d = d->next)
		if (d->changed)
			connect_console(d);
	store_flush(store, NULL);
}

static void may_list_change(void *arg, const char *path)
{
	list_changed = true;
	loop_timer_set(later, 1);
}

/* Records of domains that went while nobody served them. */
static void forget_the_gone(void)
{
	autofree char *pattern = xasprintf("%s/record-[0-9]*", options->console.run_folder);
	glob_t files;

	if (!glob(pattern, 0, NULL, &files)) {
		for (size_t i = 0; i < files.gl_pathc; i++)
			if (!domain_find((unsigned int)atoi(strrchr(files.gl_pathv[i], '-') + 1)))
				unlink(files.gl_pathv[i]);
		globfree(&files);
	}
}

struct console *wire_console(unsigned int domid, struct error *e)
{
	struct domain *d;

	/* Its maker may be quicker than the store's watches. */
	look_for_domains();
	d = domain_find(domid);
	if (d && !d->console)
		connect_console(d);
	if (d && d->console)
		return d->console;
	error_set(e, ERROR_NOT_FOUND,
		  d || !domid ? "domain %u has no console here" : "there is no domain %u", domid);
	return NULL;
}

/* --- The hypervisor's log ------------------------------------------------------------------------ */

static void log_read(void)
{
	static char text[32 << 10];
	uint32_t index = log_record.page->taken;
	long n;

	while ((n = hyper_console_read(hyper, text, sizeof(text), &index, false, NULL)) > 0)
		record_add(&log_record, text, (size_t)n, index);
}

static void log_open_file(void)
{
	autofree char *path = xasprintf("%s/hypervisor.log", options->console.folder);

	log_file = options->console.file;
	log_file.stamps = options->hypervisor_stamps;
	if (options->hypervisor_log)
		logfile_open(&log_record.log, &log_file, path, !log_record.page->end);
}

static void log_start(void)
{
	autofree char *path = xasprintf("%s/record-hypervisor", options->console.run_folder);

	record_open(&log_record, path, true);
	log_open_file();
	logfile_cut(&log_record.log, &log_record.page->place);
	log_port = xenevtchn_bind_virq(evtchn, VIRQ_CON_RING);
	if (log_port < 0)
		log_warning("the hypervisor's log cannot be followed: %s", strerror(errno));
	log_read();
}

/* --- Events -------------------------------------------------------------------------------------- */

static void event_came(void *arg, uint32_t events)
{
	int port = xenevtchn_pending(evtchn);

	if (port < 0)
		return;
	if (port == log_port) {
		xenevtchn_unmask(evtchn, (evtchn_port_t)port);
		log_read();
		return;
	}
	for (struct domain *d = domains; d; d = d->next)
		if (d->port == port && d->console)
			console_event(d->console);
}

/* --- From beginning to end ----------------------------------------------------------------------- */

int domains_start(struct loop *l, const struct domains_options *o, struct error *e)
{
	loop = l;
	options = o;
	hyper = hyper_open(e);
	if (!hyper)
		return -1;
	evtchn = xenevtchn_open(NULL, 0);
	gnttab = xengnttab_open(NULL, 0);
	if (!evtchn || !gnttab)
		return error_errno(e, ERROR_ABSENT, errno,
				   "event channels or guests' memory cannot be used");
	loop_fd(loop, xenevtchn_fd(evtchn), EPOLLIN, event_came, NULL);
	if (options->hypervisor_log)
		log_start();
	store = store_open(loop);
	later = loop_timer(loop, 0, false, catch_up, NULL);
	store_watch(store, "@introduceDomain", may_list_change, NULL);
	store_watch(store, "@releaseDomain", may_list_change, NULL);
	if (store_flush(store, e))
		return -1;
	list_changed = true;
	catch_up(NULL);
	forget_the_gone();
	return 0;
}

void domains_reopen_logs(void)
{
	struct error e = {0};

	log_open_file();
	for (struct domain *d = domains; d; d = d->next) {
		autofree char *path = xasprintf("/local/domain/%u/name", d->domid);
		autofree char *name = e.class == ERROR_ABSENT ? NULL : store_read(store, path, &e);

		if (d->console)
			console_log(d->console, name, false);
	}
}
