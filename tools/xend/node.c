/* SPDX-License-Identifier: MIT */
/* See node.h. What the machine is comes from the hypervisor at every question; only what cannot change is kept. */
#include "xend/node.h"

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/device/device.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/node_private.h"
#include "xend/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { NUMA_MOST = 64 };

struct subscription {
	struct subscription *next;
	void (*notify)(void *arg, const struct event *event);
	void *arg;
};

/* --- Life ------------------------------------------------------------------------------------------------ */

struct node *node_open(struct loop *loop, const struct xend_settings *settings, struct error *e)
{
	static struct device_settings device_settings;
	struct node *n = xcalloc(1, sizeof(*n));

	n->loop = loop;
	n->settings = settings;
	n->started_at = time(NULL);
	n->version = xcalloc(1, sizeof(*n->version));
	n->hyper = hyper_open(e);
	if (!n->hyper || hyper_version(n->hyper, n->version, e))
		goto failed;
	n->store = store_open(loop, e);
	if (!n->store)
		goto failed;
	device_settings.vif_script =
		xstrdup(settings->vif_script); /* for the life of the process */
	device_settings.state_ms = (unsigned int)settings->device_create_timeout * 1000;
	device_settings.script_ms = device_settings.state_ms;
	n->devices = devices_new(loop, n->store, &device_settings);
	return n;
failed:
	node_close(n);
	return NULL;
}

void node_close(struct node *n)
{
	if (n->devices)
		devices_free(n->devices);
	while (n->domains)
		domain_drop(n, n->domains);
	while (n->subscriptions)
		node_unsubscribe(n, n->subscriptions);
	if (n->store)
		store_close(n->store);
	if (n->hyper)
		hyper_close(n->hyper);
	for (uint32_t i = 0; i < n->nr_pool_names; i++)
		free(n->pool_names[i]);
	free(n->pool_names);
	free(n->version);
	free(n);
}

/* --- What the machine is --------------------------------------------------------------------------------- */

static void fill_version(struct node *n, struct node_info *out)
{
	static struct utsname host;
	const struct hyper_version *v = n->version;

	uname(&host);
	out->xen_major = (int)v->major;
	out->xen_minor = (int)v->minor;
	out->xen_extra = v->extra;
	out->xen_caps = v->capabilities;
	out->xen_changeset = v->changeset;
	out->xen_commandline = v->commandline;
	out->xen_pagesize = v->page_size;
	out->cc_compiler = v->compile.compiler;
	out->cc_compile_by = v->compile.compile_by;
	out->cc_compile_domain = v->compile.compile_domain;
	out->cc_compile_date = v->compile.compile_date;
	out->build_id = v->build_id;
	out->host = host.nodename;
	out->release = host.release;
	out->version = host.version;
	out->machine = host.machine;
}

static void fill_physical(const struct xen_sysctl_physinfo *p, struct node_info *out)
{
	out->nr_cpus = p->nr_cpus;
	out->max_cpu_id = p->max_cpu_id;
	out->nr_nodes = p->nr_nodes;
	out->cores_per_socket = p->cores_per_socket;
	out->threads_per_core = p->threads_per_core;
	out->cpu_khz = p->cpu_khz;
	memcpy(out->hw_caps, p->hw_cap, sizeof(out->hw_caps));
	out->hvm = p->capabilities & XEN_SYSCTL_PHYSCAP_hvm;
	out->pv = p->capabilities & XEN_SYSCTL_PHYSCAP_pv;
	out->hvm_directio = out->hvm && (p->capabilities & XEN_SYSCTL_PHYSCAP_directio);
	out->pv_directio = out->pv && (p->capabilities & XEN_SYSCTL_PHYSCAP_directio);
	out->hap = p->capabilities & XEN_SYSCTL_PHYSCAP_hap;
	out->shadow = p->capabilities & XEN_SYSCTL_PHYSCAP_shadow;
	out->total_kb = p->total_pages * 4;
	out->free_kb = (p->free_pages + p->scrub_pages) * 4;
	out->outstanding_kb = p->outstanding_pages * 4;
}

static void fill_numa(struct node_info *out, const xen_sysctl_meminfo_t *memory, uint32_t nr)
{
	out->nr_numa = nr;
	out->numa = xcalloc(nr, sizeof(*out->numa));
	for (uint32_t i = 0; i < nr; i++) {
		if (memory[i].memsize == XEN_INVALID_MEM_SZ)
			continue;
		out->numa[i].size_kb = memory[i].memsize / 1024;
		out->numa[i].free_kb = memory[i].memfree / 1024;
		out->numa[i].distances = out->distances + i * NUMA_MOST;
	}
}

static int fill_detail(struct node *n, struct node_info *out, struct error *e)
{
	xen_sysctl_meminfo_t memory[NUMA_MOST];
	uint32_t nr = out->max_cpu_id + 1;
	xen_sysctl_cputopo_t *cpus = xcalloc(nr, sizeof(*cpus));
	int places, nodes;

	out->distances = xcalloc(NUMA_MOST * NUMA_MOST, sizeof(uint32_t));
	nodes = hyper_numa(n->hyper, memory, out->distances, NUMA_MOST, e);
	places = hyper_topology(n->hyper, cpus, nr, e);
	if (nodes < 0 || places < 0) {
		free(cpus);
		return -1;
	}
	fill_numa(out, memory, nodes < NUMA_MOST ? (uint32_t)nodes : NUMA_MOST);
	out->nr_places = (uint32_t)places < nr ? (uint32_t)places : nr;
	out->cpus = xcalloc(nr, sizeof(*out->cpus));
	for (uint32_t i = 0; i < out->nr_places; i++)
		out->cpus[i] = (struct cpu_place){cpus[i].core, cpus[i].socket, cpus[i].node};
	free(cpus);
	return 0;
}

static unsigned int count_bits(const uint8_t *map, size_t bytes)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < bytes; i++)
		nr += (unsigned int)__builtin_popcount(map[i]);
	return nr;
}

int node_info(struct node *n, bool detail, struct node_info *out, struct error *e)
{
	uint8_t free_cpus[HYPER_MAP_BYTES];
	struct xen_sysctl_physinfo physical;
	uint32_t scheduler;

	memset(out, 0, sizeof(*out));
	if (hyper_physinfo(n->hyper, &physical, e) || hyper_scheduler(n->hyper, &scheduler, e))
		return -1;
	fill_version(n, out);
	fill_physical(&physical, out);
	out->xen_scheduler = hyper_sched_name(scheduler);
	if (n->version->virt_start)
		snprintf(out->platform_params, sizeof(out->platform_params), "virt_start=0x%llx",
			 (unsigned long long)n->version->virt_start);
	if (!hyper_pool_free_cpus(n->hyper, free_cpus, NULL))
		out->free_cpus = count_bits(free_cpus, sizeof(free_cpus));
	if (detail && fill_detail(n, out, e)) {
		node_info_free(out);
		return -1;
	}
	return 0;
}

void node_info_free(struct node_info *info)
{
	free(info->numa);
	free(info->cpus);
	free(info->distances);
	info->numa = NULL;
	info->cpus = NULL;
	info->distances = NULL;
}

int node_dmesg(struct node *n, bool clear, struct text *out, struct error *e)
{
	const size_t piece = 16384;
	uint32_t index = 0;
	long got;

	/* Piece by piece: how large the buffer is, only its end tells. */
	do {
		got = hyper_console_read(n->hyper, text_room(out, piece), piece, &index, false, e);
		if (got < 0)
			return -1;
		out->len += (size_t)got;
		out->data[out->len] = '\0';
	} while (got);
	if (clear) {
		char last[1];

		return hyper_console_read(n->hyper, last, sizeof(last), NULL, true, e) < 0 ? -1 : 0;
	}
	return 0;
}

int node_log(struct node *n, size_t most, struct text *out, struct error *e)
{
	const char *path = n->settings->logfile, *line;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size, from;
	ssize_t got;

	if (fd < 0)
		return error_set(e, ERROR_NOT_FOUND, "%s cannot be opened", path);
	size = lseek(fd, 0, SEEK_END);
	from = size > (off_t)most ? size - (off_t)most : 0;
	got = pread(fd, text_room(out, most), most, from);
	close(fd);
	if (got < 0)
		return error_set(e, ERROR_FAILED, "%s cannot be read", path);
	out->len += (size_t)got;
	out->data[out->len] = '\0';
	line = from ? strchr(out->data, '\n') : NULL;
	if (line)
		text_drop(out, (size_t)(line + 1 - out->data));
	return 0;
}

int node_debug_keys(struct node *n, const char *keys, struct error *e)
{
	return hyper_debug_keys(n->hyper, keys, e);
}

/* --- Pools -------------------------------------------------------------------------------------------------- */

/* The credit schedulers' own values of a pool; others have none. */
static void fill_scheduler(struct node *n, uint32_t sched_id, struct pool *p)
{
	struct xen_sysctl_scheduler_op op = {.cpupool_id = p->id, .sched_id = sched_id};

	p->tslice_ms = p->ratelimit_us = p->migration_delay_us = -1;
	if ((sched_id != XEN_SCHEDULER_CREDIT && sched_id != XEN_SCHEDULER_CREDIT2) ||
	    hyper_sched_params(n->hyper, &op, false, NULL))
		return;
	if (sched_id == XEN_SCHEDULER_CREDIT2) {
		p->ratelimit_us = op.u.sched_credit2.ratelimit_us;
		return;
	}
	p->tslice_ms = op.u.sched_credit.tslice_ms;
	p->ratelimit_us = op.u.sched_credit.ratelimit_us;
	p->migration_delay_us = op.u.sched_credit.vcpu_migr_delay_us;
}

int node_pools(struct node *n, struct pool **out, size_t *nr, struct error *e)
{
	struct error found = {0};
	struct hyper_pool pool;
	uint32_t first = 0;

	*out = NULL;
	*nr = 0;
	while (!hyper_pool_next(n->hyper, first, &pool, &found)) {
		struct pool *p;

		*out = xrealloc(*out, (*nr + 1) * sizeof(**out));
		p = &(*out)[(*nr)++];
		memset(p, 0, sizeof(*p));
		p->id = pool.id;
		snprintf(p->name, sizeof(p->name), "%s", node_pool_name(n, pool.id));
		p->scheduler = hyper_sched_name(pool.sched_id);
		memcpy(&p->cpus, pool.cpus, sizeof(p->cpus));
		p->domains = pool.nr_domains;
		fill_scheduler(n, pool.sched_id, p);
		first = pool.id + 1;
	}
	if (found.class == ERROR_NOT_FOUND)
		return 0;
	free(*out);
	*out = NULL;
	if (e)
		*e = found;
	return -1;
}

int node_pool_set(struct node *n, uint32_t id, long tslice_ms, long ratelimit_us,
		  long migration_delay_us, struct error *e)
{
	struct xen_sysctl_scheduler_op op = {.cpupool_id = id};
	struct hyper_pool pool;

	if (hyper_pool_next(n->hyper, id, &pool, e))
		return -1;
	if (pool.id != id)
		return error_set(e, ERROR_NOT_FOUND, "there is no CPU pool %u", id);
	op.sched_id = pool.sched_id;
	if (hyper_sched_params(n->hyper, &op, false, e))
		return -1;
	if (op.sched_id == XEN_SCHEDULER_CREDIT2) {
		if (ratelimit_us >= 0)
			op.u.sched_credit2.ratelimit_us = (uint16_t)ratelimit_us;
		return hyper_sched_params(n->hyper, &op, true, e);
	}
	if (tslice_ms >= 0)
		op.u.sched_credit.tslice_ms = (uint16_t)tslice_ms;
	if (ratelimit_us >= 0)
		op.u.sched_credit.ratelimit_us = (uint16_t)ratelimit_us;
	if (migration_delay_us >= 0)
		op.u.sched_credit.vcpu_migr_delay_us = (uint16_t)migration_delay_us;
	return hyper_sched_params(n->hyper, &op, true, e);
}

const char *node_pool_name(struct node *n, uint32_t id)
{
	char *path;

	if (id >= n->nr_pool_names) {
		n->pool_names = xrealloc(n->pool_names, (id + 1) * sizeof(char *));
		while (n->nr_pool_names <= id)
			n->pool_names[n->nr_pool_names++] = NULL;
	}
	if (n->pool_names[id])
		return n->pool_names[id];
	path = xasprintf("/local/pool/%u/name", id);
	n->pool_names[id] = store_read(n->store, path, NULL);
	free(path);
	if (!n->pool_names[id])
		n->pool_names[id] = xasprintf("Pool-%u", id);
	return n->pool_names[id];
}

/* --- Events ------------------------------------------------------------------------------------------------- */

struct subscription *node_subscribe(struct node *n, void (*notify)(void *, const struct event *),
				    void *arg)
{
	struct subscription *s = xcalloc(1, sizeof(*s));

	s->notify = notify;
	s->arg = arg;
	s->next = n->subscriptions;
	n->subscriptions = s;
	return s;
}

void node_unsubscribe(struct node *n, struct subscription *s)
{
	struct subscription **at = &n->subscriptions;

	while (*at && *at != s)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = s->next;
	free(s);
}

void node_announce(struct node *n, const struct event *event)
{
	for (struct subscription *s = n->subscriptions, *next; s; s = next) {
		next = s->next; /* it may unsubscribe itself */
		s->notify(s->arg, event);
	}
}
