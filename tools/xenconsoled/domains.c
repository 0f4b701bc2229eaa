/* SPDX-License-Identifier: MIT */
/* See domains.h. One process serves one hypervisor: the state is this file's. */
#include "xenconsoled/domains.h"

#include "lib/base/log.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xencall.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>
#include <xenstore.h>

#include <xen/grant_table.h>
#include <xen/sysctl.h>

#define BUFFER_SIZE (32u << 10)
#define RETRY_MS    1000

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
};

static struct loop *loop;
static const struct domains_options *options;
static struct domain *domains;
static xenevtchn_handle *evtchn;
static xengnttab_handle *gnttab;
static xenforeignmemory_handle *foreign;
static xencall_handle *calls;
static struct xen_sysctl *op; /* this and the next are memory the hypervisor can reach */
static void *buffer;
static struct xs_handle *store;
static struct loop_source *store_source, *lifeline_source, *retry;
static int lifeline;
static bool list_changed;
static int log_port = -1;
static struct record log_record;
static struct logfile_options log_file;

/* --- The hypervisor ------------------------------------------------------------------------------ */

static int sysctl(uint32_t cmd)
{
	op->cmd = cmd;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return xencall1(calls, __HYPERVISOR_sysctl, (uintptr_t)op);
}

/* Calls for each domain but domain 0 that is not being taken apart. -1: the answer could not be had. */
static int list_domains(void (*each)(domid_t domid))
{
	struct xen_sysctl_getdomaininfolist *list = &op->u.getdomaininfolist;
	const xen_domctl_getdomaininfo_t *info = buffer;
	uint32_t most = BUFFER_SIZE / sizeof(*info), first = 1, n;

	do {
		*list = (struct xen_sysctl_getdomaininfolist){.first_domain = (domid_t)first,
							      .max_domains = most};
		set_xen_guest_handle(list->buffer, buffer);
		if (sysctl(XEN_SYSCTL_getdomaininfolist))
			return -1;
		n = list->num_domains < most ? list->num_domains : most;
		for (uint32_t i = 0; i < n; i++)
			if (!(info[i].flags & XEN_DOMINF_dying))
				each(info[i].domain);
		if (n)
			first = info[n - 1].domain + 1u;
	} while (n == most);
	return 0;
}

/* --- The store ----------------------------------------------------------------------------------- */

/* A node of the domain; the path is good until the next call. */
static const char *node(const struct domain *d, const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u/%s", d->domid, name);
	return path;
}

static char *node_read(const struct domain *d, const char *name)
{
	return store ? xs_read(store, XBT_NULL, node(d, name), NULL) : NULL;
}

/* -1: it is not there, or no such number. */
static long node_number(const struct domain *d, const char *name)
{
	autofree char *s = node_read(d, name);
	long n;

	return s && str_to_long(s, 0, LONG_MAX, &n) ? n : -1;
}

static char *domain_name(const struct domain *d)
{
	char *name = node_read(d, "name");

	return name ? name : xasprintf("domain-%u", d->domid);
}

/* Its token is the domain's id. */
static void watch(const struct domain *d,
		  bool (*how)(struct xs_handle *, const char *, const char *))
{
	char token[16];

	snprintf(token, sizeof(token), "%u", d->domid);
	if (store)
		how(store, node(d, "console"), token);
}

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
	const char *path = node(arg, "console/tty");

	if (!store || !xs_write(store, XBT_NULL, path, tty, (unsigned int)strlen(tty)))
		log_warning("%s cannot be written: %s", path, strerror(errno));
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
		xenforeignmemory_unmap(foreign, d->page, 1);
	d->page = NULL;
}

static void map(struct domain *d, long ring_ref)
{
	const int rights = PROT_READ | PROT_WRITE;
	xen_pfn_t frame = (xen_pfn_t)ring_ref;

	d->page = xengnttab_map_grant_ref(gnttab, d->domid, GNTTAB_RESERVED_CONSOLE, rights);
	d->granted = d->page;
	if (!d->page)
		d->page = xenforeignmemory_map(foreign, d->domid, rights, 1, &frame, NULL);
	d->ring_ref = ring_ref;
}

static void make_console(struct domain *d)
{
	autofree char *name = domain_name(d), *tty = node_read(d, "console/tty");
	bool served = tty && *tty;

	d->console = console_new(loop, &options->console, d->domid, name, served, d);
	console_limit(d->console, node_number(d, "console/limit"));
	log_info("domain %u: console of guest %s %s", d->domid, name,
		 served ? "taken over" : "served");
}

static bool is_ours(const struct domain *d)
{
	autofree char *type = node_read(d, "console/type");

	return !type || !strcmp(type, "xenconsoled");
}

/* The nodes have changed, or may have: makes the console what they say. */
static void connect_console(struct domain *d)
{
	long remote = node_number(d, "console/port"), ring_ref = node_number(d, "console/ring-ref");

	d->changed = false;
	if (remote < 0 || ring_ref < 0 || !is_ours(d))
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
		make_console(d);
	console_ring(d->console, d->page);
}

/* --- Domains come and go ------------------------------------------------------------------------- */

static struct domain *domain_find(unsigned int domid)
{
	struct domain *d = domains;

	while (d && d->domid != domid)
		d = d->next;
	return d;
}

static void domain_seen(domid_t domid)
{
	struct domain *d = domain_find(domid);

	if (!d) {
		d = xcalloc(1, sizeof(*d));
		*d = (struct domain){.next = domains, .domid = domid, .port = -1, .changed = true};
		domains = d;
		watch(d, xs_watch);
	}
	d->seen = true;
}

static void domain_gone(struct domain *d)
{
	watch(d, xs_unwatch);
	if (d->console)
		console_free(d->console);
	unbind(d);
	unmap(d);
	free(d);
}

static void look_for_domains(void)
{
	list_changed = false;
	if (list_domains(domain_seen)) {
		log_error("the hypervisor's list of domains cannot be read: %s", strerror(errno));
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

static void catch_up(void)
{
	if (list_changed)
		look_for_domains();
	for (struct domain *d = domains; d; d = d->next)
		if (d->changed)
			connect_console(d);
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

/* --- Watches ------------------------------------------------------------------------------------- */

static bool store_open(void);

/* The library does not tell of a connection's end by its descriptor: one of our own does. */
static void store_end(void)
{
	loop_remove(lifeline_source);
	close(lifeline);
	loop_remove(store_source);
	xs_close(store);
	store = NULL;
}

static void try_again(void *arg)
{
	if (!store_open())
		return;
	log_info("xenstored answers again");
	loop_timer_set(retry, 0);
}

static void store_lost(void *arg, uint32_t events)
{
	if (!store)
		return;
	log_warning("xenstored does not answer; waiting for it");
	store_end();
	loop_timer_set(retry, RETRY_MS);
}

static void note_watch(char **event)
{
	struct domain *d;
	long domid;

	if (!str_to_long(event[XS_WATCH_TOKEN], 0, DOMID_FIRST_RESERVED, &domid))
		list_changed = true;
	else if ((d = domain_find((unsigned int)domid)))
		d->changed = true;
}

/* All watches first: one creation fires many. */
static void watches_fired(void *arg, uint32_t events)
{
	char **event;

	while ((event = xs_check_watch(store))) {
		note_watch(event);
		free(event);
	}
	if (errno != EAGAIN)
		store_lost(NULL, 0);
	catch_up();
}

static bool store_open(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	store = xs_open(0);
	if (!store)
		return false;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", getenv("XENSTORED_PATH"));
	lifeline = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	lifeline_source = loop_fd(loop, lifeline, 0, store_lost, NULL);
	store_source = loop_fd(loop, xs_fileno(store), EPOLLIN, watches_fired, NULL);
	if (connect(lifeline, (struct sockaddr *)&name, sizeof(name)) ||
	    !xs_watch(store, "@introduceDomain", "domains") ||
	    !xs_watch(store, "@releaseDomain", "domains")) {
		store_end();
		return false;
	}
	for (struct domain *d = domains; d; d = d->next)
		watch(d, xs_watch);
	list_changed = true;
	catch_up();
	return true;
}

/* --- The hypervisor's log ------------------------------------------------------------------------ */

static void log_read(void)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	uint32_t index = log_record.page->taken;

	for (;;) {
		*r = (struct xen_sysctl_readconsole){
			.incremental = 1, .index = index, .count = BUFFER_SIZE};
		set_xen_guest_handle(r->buffer, buffer);
		if (sysctl(XEN_SYSCTL_readconsole) || !r->count)
			return;
		index = r->index;
		record_add(&log_record, buffer, MIN(r->count, BUFFER_SIZE), index);
	}
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
	calls = xencall_open(NULL, XENCALL_OPENFLAG_NON_REENTRANT);
	op = calls ? xencall_alloc_buffer(calls, sizeof(*op)) : NULL;
	buffer = op ? xencall_alloc_buffer(calls, BUFFER_SIZE) : NULL;
	if (!buffer)
		return error_errno(e, ERROR_ABSENT, errno, "the hypervisor cannot be called");
	evtchn = xenevtchn_open(NULL, 0);
	gnttab = xengnttab_open(NULL, 0);
	foreign = xenforeignmemory_open(NULL, 0);
	if (!evtchn || !gnttab || !foreign)
		return error_errno(e, ERROR_ABSENT, errno,
				   "event channels or guests' memory cannot be used");
	loop_fd(loop, xenevtchn_fd(evtchn), EPOLLIN, event_came, NULL);
	if (options->hypervisor_log)
		log_start();
	/* No falling back to the kernel's way, which would wait for a dead xenstored and cannot be interrupted. */
	setenv("XENSTORED_PATH", "/run/xenstored/socket", 0);
	retry = loop_timer(loop, 0, true, try_again, NULL);
	if (!store_open())
		return error_errno(e, ERROR_ABSENT, errno, "xenstored does not answer");
	forget_the_gone();
	return 0;
}

void domains_reopen_logs(void)
{
	log_open_file();
	for (struct domain *d = domains; d; d = d->next) {
		autofree char *name = domain_name(d);

		if (d->console)
			console_reopen_log(d->console, name);
	}
}
