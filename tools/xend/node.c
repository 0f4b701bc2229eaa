/* SPDX-License-Identifier: MIT */
/* See node.h. What the machine is comes from the hypervisor at every question; only what cannot change is kept. */
#include "xend/node_private.h"

#include <fcntl.h>
#include <unistd.h>

/* --- Life ------------------------------------------------------------------------------------------------ */

/* What was opened where it fails goes with the process. */
struct node *node_open(struct loop *loop, const struct xend_settings *settings, struct error *e)
{
	const unsigned int ms = (unsigned int)settings->device_create_timeout * 1000;
	const struct device_settings device_settings = {
		.vif_script = xstrdup(settings->vif_script), .state_ms = ms, .script_ms = ms};
	struct node *n = xcalloc(1, sizeof(*n));

	n->loop = loop;
	n->settings = settings;
	n->started_at = time(NULL);
	n->version = xcalloc(1, sizeof(*n->version));
	n->hyper = hyper_open(e);
	if (!n->hyper || hyper_version(n->hyper, n->version, e))
		return NULL;
	n->store = store_open(loop);
	n->devices = devices_new(loop, n->store, &device_settings);
	return n;
}

/* --- What the machine is --------------------------------------------------------------------------------- */

static int fill_detail(struct node *n, struct node_info *info, struct error *e)
{
	int places = hyper_topology(n->hyper, info->places, CPUS_MOST, e), nodes;

	nodes = hyper_numa(n->hyper, info->numa, info->distances[0], NODE_NUMA_MOST, e);
	if (places < 0 || nodes < 0)
		return -1;
	info->nr_places = places < CPUS_MOST ? (uint32_t)places : CPUS_MOST;
	info->nr_numa = nodes < NODE_NUMA_MOST ? (uint32_t)nodes : NODE_NUMA_MOST;
	return 0;
}

struct node_info *node_info(struct node *n, bool detail, struct error *e)
{
	struct node_info *info = xcalloc(1, sizeof(*info));
	struct xen_sysctl_physinfo *p = &info->physical;
	uint8_t free_cpus[HYPER_MAP_BYTES];
	uint32_t scheduler;

	if (hyper_physinfo(n->hyper, p, e) || hyper_scheduler(n->hyper, &scheduler, e) ||
	    (detail && fill_detail(n, info, e))) {
		free(info);
		return NULL;
	}
	info->total_kb = p->total_pages * 4;
	info->free_kb = (p->free_pages + p->scrub_pages) * 4;
	info->outstanding_kb = p->outstanding_pages * 4;
	info->xen = n->version;
	info->scheduler = hyper_sched_name(scheduler);
	uname(&info->host);
	if (!hyper_pool_free_cpus(n->hyper, free_cpus, NULL))
		for (size_t i = 0; i < sizeof(free_cpus); i++)
			info->free_cpus += (uint32_t)__builtin_popcount(free_cpus[i]);
	return info;
}

int node_dmesg(struct node *n, bool clear, struct text *out, struct error *e)
{
	const size_t piece = 16384;
	uint32_t index = 0;
	char last[1];
	long got;

	/* Piece by piece: how large the buffer is, only its end tells. */
	do {
		got = hyper_console_read(n->hyper, text_room(out, piece), piece, &index, false, e);
		if (got < 0)
			return -1;
		out->len += (size_t)got;
		out->data[out->len] = '\0';
	} while (got);
	return clear && hyper_console_read(n->hyper, last, sizeof(last), NULL, true, e) < 0 ? -1
											    : 0;
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

/* --- Pools -------------------------------------------------------------------------------------------------- */

/* The credit schedulers' own values of a pool; others have none. */
static void fill_scheduler(struct node *n, struct pool *p)
{
	struct xen_sysctl_scheduler_op op = {.cpupool_id = p->id, .sched_id = p->sched_id};
	bool second = p->sched_id == XEN_SCHEDULER_CREDIT2;

	p->tslice_ms = p->ratelimit_us = p->migration_delay_us = -1;
	if ((p->sched_id != XEN_SCHEDULER_CREDIT && !second) ||
	    hyper_sched_params(n->hyper, &op, false, NULL))
		return;
	if (second) {
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
	for (*nr = 0; !hyper_pool_next(n->hyper, first, &pool, &found); first = pool.id + 1) {
		struct pool *p;

		*out = xrealloc(*out, (*nr + 1) * sizeof(**out));
		p = &(*out)[(*nr)++];
		*p = (struct pool){.id = pool.id,
				   .sched_id = pool.sched_id,
				   .scheduler = hyper_sched_name(pool.sched_id),
				   .domains = pool.nr_domains};
		snprintf(p->name, sizeof(p->name), "%s", node_pool_name(n, pool.id));
		memcpy(&p->cpus, pool.cpus, sizeof(p->cpus));
		fill_scheduler(n, p);
	}
	if (found.class == ERROR_NOT_FOUND)
		return 0;
	free(*out);
	*e = found;
	return -1;
}

int node_pool_find(struct node *n, const char *which, struct pool *pool, struct error *e)
{
	autofree struct pool *pools = NULL;
	long id;
	size_t nr;

	if (node_pools(n, &pools, &nr, e))
		return -1;
	if (!str_to_long(which, 0, UINT32_MAX, &id))
		id = -1;
	for (size_t i = 0; i < nr; i++)
		if (pools[i].id == id || !strcmp(pools[i].name, which)) {
			*pool = pools[i];
			return 0;
		}
	return error_set(e, ERROR_NOT_FOUND, "there is no CPU pool %.80s", which);
}

int node_pool_set(struct node *n, const struct pool *pool, long tslice_ms, long ratelimit_us,
		  long migration_delay_us, struct error *e)
{
	struct xen_sysctl_scheduler_op op = {.cpupool_id = pool->id, .sched_id = pool->sched_id};
	bool second = pool->sched_id == XEN_SCHEDULER_CREDIT2;

	if (hyper_sched_params(n->hyper, &op, false, e))
		return -1;
	if (ratelimit_us >= 0)
		*(second ? &op.u.sched_credit2.ratelimit_us : &op.u.sched_credit.ratelimit_us) =
			(uint16_t)ratelimit_us;
	if (tslice_ms >= 0 && !second)
		op.u.sched_credit.tslice_ms = (uint16_t)tslice_ms;
	if (migration_delay_us >= 0 && !second)
		op.u.sched_credit.vcpu_migr_delay_us = (uint16_t)migration_delay_us;
	return hyper_sched_params(n->hyper, &op, true, e);
}

const char *node_pool_name(struct node *n, uint32_t id)
{
	if (id >= n->nr_pool_names) {
		n->pool_names = xrealloc(n->pool_names, (id + 1) * sizeof(char *));
		while (n->nr_pool_names <= id)
			n->pool_names[n->nr_pool_names++] = NULL;
	}
	if (!n->pool_names[id]) {
		autofree char *path = xasprintf("/local/pool/%u/name", id);

		n->pool_names[id] = store_read(n->store, path, NULL);
	}
	if (!n->pool_names[id])
		n->pool_names[id] = xasprintf("Pool-%u", id);
	return n->pool_names[id];
}
