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
#include <time.h>

#include <xen/xen.h>
#include <xen/sysctl.h>

struct domain;
struct devices;
struct hyper;
struct hyper_version;
struct operation;
struct xend_settings;
struct store;
struct subscription;
struct text;
struct watch;

struct node {
	struct loop *loop;
	struct hyper *hyper;
	struct store *store;
	/* xend-config.sxp; replaced as a whole by SIGHUP: keep no pointer into it. */
	const struct xend_settings *settings;
	time_t started_at;
	bool ready;    /* recovery is over, requests are served (/healthz) */
	bool stopping; /* SIGTERM came: no new operations */

	/* The model: read these through domain.h and operation.h. */
	struct devices *devices;
	struct domain *domains;
	struct operation *operations;
	struct subscription *subscriptions;
	uint64_t next_operation;
	char **pool_names; /* as asked for, NULL where not yet */
	uint32_t nr_pool_names;
	struct hyper_version *version;
	struct watch *watch; /* watch.c's */
};

/* --- What the machine is: GET /v1/node -------------------------------------------------------------- */

struct numa_node {
	uint64_t size_kb, free_kb; /* size 0: no such node */
	const uint32_t *distances; /* [nr_numa] */
};

struct cpu_place {
	uint32_t core, socket, node; /* XEN_INVALID_CORE_ID (~0) where the CPU is not there */
};

struct node_info {
	/* This part costs three hypercalls at most. */
	uint32_t nr_cpus, max_cpu_id, nr_nodes, cores_per_socket, threads_per_core, cpu_khz;
	uint32_t hw_caps[8];
	bool hvm, pv, hvm_directio, pv_directio, hap,
		shadow; /* virt_caps says these words in this order */
	uint64_t total_kb, free_kb, outstanding_kb;
	uint32_t free_cpus; /* in no pool */

	/* These never change while the host runs; NUL-terminated, owned by the node. */
	int xen_major, xen_minor;
	const char *xen_extra, *xen_caps, *xen_scheduler, *xen_changeset, *xen_commandline;
	char platform_params[40]; /* "virt_start=0xffff800000000000" */
	uint32_t xen_pagesize;
	const char *cc_compiler, *cc_compile_by, *cc_compile_domain, *cc_compile_date, *build_id;
	const char *host, *release, *version, *machine; /* uname -nrvm of domain 0 */

	/* Only with @detail in node_info(); ended by node_info_free(). */
	struct numa_node *numa;
	uint32_t nr_numa;
	struct cpu_place *cpus;
	uint32_t nr_places;
	uint32_t *distances;
};

int node_info(struct node *n, bool detail, struct node_info *out, struct error *e);
void node_info_free(struct node_info *info);

/* The hypervisor's message buffer; @clear empties it afterwards. */
int node_dmesg(struct node *n, bool clear, struct text *out, struct error *e);
/* The last @most bytes of xend.log, from a line's beginning. */
int node_log(struct node *n, size_t most, struct text *out, struct error *e);
int node_debug_keys(struct node *n, const char *keys, struct error *e);

/* --- CPU pools and schedulers ------------------------------------------------------------------------ */

struct pool {
	uint32_t id;
	char name[64];	       /* "Pool-0" */
	const char *scheduler; /* "credit", "credit2", "rtds", "null" */
	struct cpu_set cpus;
	uint32_t domains;
	/* -1: this scheduler has no such value */
	long tslice_ms, ratelimit_us, migration_delay_us;
};

/* All of them, in the order of their ids; *out is to be free()d. */
int node_pools(struct node *n, struct pool **out, size_t *nr, struct error *e);
/* "Pool-0"; xenstore is asked once. */
const char *node_pool_name(struct node *n, uint32_t id);
/* Changes what is not -1 of a pool's scheduler. */
int node_pool_set(struct node *n, uint32_t id, long tslice_ms, long ratelimit_us,
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

/* @notify is called from within the model, after it changed: it may read everything and must start nothing. */
struct subscription *node_subscribe(struct node *n,
				    void (*notify)(void *arg, const struct event *event),
				    void *arg);
void node_unsubscribe(struct node *n, struct subscription *s);
