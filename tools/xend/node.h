/* SPDX-License-Identifier: MIT */
/*
 * The node: what this xend manages, and the handles everything in it shares. One thread, one loop; all functions of the model are to
 * be called from there. Functions that return a `struct operation` do long work step by step (operation.h), all others are done when
 * they return. Nothing here knows HTTP, JSON shapes of the API or users' rights.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/loop.h"
#include "lib/config/domain_config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/utsname.h>
#include <time.h>

#include <xen/xen.h>
#include <xen/sysctl.h>

struct domain;
struct devices;
struct event;
struct hyper;
struct hyper_version;
struct operation;
struct xend_settings;
struct store;
struct text;

struct node {
	struct loop *loop;
	struct hyper *hyper;
	struct store *store;
	/* xend-config.sxp; replaced as a whole by SIGHUP: keep no pointer into it. */
	const struct xend_settings *settings;
	time_t started_at;
	bool ready;	/* recovery is over, requests are served (/healthz) */
	bool stopping;	/* SIGTERM came: no new operations */
	time_t stop_at; /* whatever still goes on then */

	/* The model: read these through domain.h and operation.h. */
	struct devices *devices;
	struct domain *domains;
	struct operation *operations;
	/* Whom every event is told (events.c), or NULL; from within the model, after it changed: he may read everything and must start nothing. */
	void (*notify)(void *arg, const struct event *event);
	void *notify_arg;
	uint64_t next_operation;
	char **pool_names; /* as asked for, NULL where not yet */
	uint32_t nr_pool_names;
	struct hyper_version *version;
	struct loop_source *soon, *round; /* watch.c's timers */
};

/* --- What the machine is: GET /v1/node -------------------------------------------------------------- */

enum { NODE_NUMA_MOST = 64 };

struct node_info {
	struct xen_sysctl_physinfo physical;
	uint64_t total_kb, free_kb, outstanding_kb;
	uint32_t free_cpus; /* in no pool */
	const struct hyper_version *xen;
	const char *scheduler;
	struct utsname host; /* domain 0's */

	/* Only with @detail in node_info(). */
	uint32_t nr_numa, nr_places;
	xen_sysctl_meminfo_t numa[NODE_NUMA_MOST]; /* memsize XEN_INVALID_MEM_SZ: no such node */
	uint32_t distances[NODE_NUMA_MOST][NODE_NUMA_MOST];
	xen_sysctl_cputopo_t places[CPUS_MOST]; /* core XEN_INVALID_CORE_ID: the CPU is not there */
};

/* NULL with the error, or the caller's to free(). Without @detail it costs four hypercalls. */
struct node_info *node_info(struct node *n, bool detail, struct error *e);

/* The hypervisor's message buffer; @clear empties it afterwards. */
int node_dmesg(struct node *n, bool clear, struct text *out, struct error *e);
/* The last @most bytes of xend.log, from a line's beginning. */
int node_log(struct node *n, size_t most, struct text *out, struct error *e);

/* --- CPU pools and schedulers ------------------------------------------------------------------------ */

struct pool {
	uint32_t id, sched_id;
	char name[64];	       /* "Pool-0" */
	const char *scheduler; /* "credit", "credit2", "rtds", "null" */
	struct cpu_set cpus;
	uint32_t domains;
	/* -1: this scheduler has no such value */
	long tslice_ms, ratelimit_us, migration_delay_us;
};

/* All of them, in the order of their ids; *out is to be free()d. */
int node_pools(struct node *n, struct pool **out, size_t *nr, struct error *e);
/* The one called @which, or with that id; ERROR_NOT_FOUND. */
int node_pool_find(struct node *n, const char *which, struct pool *pool, struct error *e);
/* "Pool-0"; xenstore is asked once. */
const char *node_pool_name(struct node *n, uint32_t id);
/* Changes what is not -1 of a pool's scheduler. */
int node_pool_set(struct node *n, const struct pool *pool, long tslice_ms, long ratelimit_us,
		  long migration_delay_us, struct error *e);

/* --- Events -------------------------------------------------------------------------------------------- */

enum event_kind {
	EVENT_DOMAIN, /* @what: created paused unpaused shutdown crashed destroyed renamed changed */
	EVENT_OPERATION, /* @what: its state, "running", "done", "failed", "cancelled" */
};

struct event {
	enum event_kind kind;
	const char *what;
	const struct domain *domain; /* EVENT_DOMAIN: still whole, also for "destroyed" */
	const struct operation *
		operation; /* EVENT_OPERATION: at its start, at every new step or per cent, at its end */
};
