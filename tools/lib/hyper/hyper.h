/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor as the control tools see it: typed functions over libxencall and libxenforeignmemory. Structs of the public ABI are
 * passed as they are. Arguments go through one buffer that the handle keeps for its life, so a call costs its hypercall and a copy,
 * never an allocation or a mapping; hence a handle belongs to one thread, and to no child after fork().
 *
 * Unless said otherwise a function returns 0, or -1 with @e filled: a sentence that names the domain ("domain 7 does not exist"). The
 * classes that mean something: ERROR_NOT_FOUND the domain (vCPU, pool) is not there, ERROR_RETRY not enough memory, ERROR_ABSENT no
 * hypervisor, ERROR_PERMISSION not its control domain.
 *
 * It keeps no state about domains and decides nothing.
 */
#pragma once

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/sysctl.h>
#include <xen/version.h>

struct hyper;

struct hyper *hyper_open(struct error *e);
void hyper_close(struct hyper *h);

/* --- Domains ---------------------------------------------------------------------------------------- */

enum { HYPER_LIST = 128 };
/* The domains from id @first on in ascending order, HYPER_LIST of them or, at the end, fewer; how many, or -1. */
int hyper_domain_list(struct hyper *h, uint32_t first, xen_domctl_getdomaininfo_t info[HYPER_LIST],
		      struct error *e);
int hyper_domain_info(struct hyper *h, uint32_t domid, xen_domctl_getdomaininfo_t *info,
		      struct error *e);

/* The state letters of `xl list`, "r-----"; @letters has room for 7. And the shutdown reason, -1 while it is up. */
void hyper_state_letters(const xen_domctl_getdomaininfo_t *info, char *letters);
int hyper_shutdown_reason(const xen_domctl_getdomaininfo_t *info);

/* *@domid: the id wished for, or 0 for any; then the id it got. It has no vCPU and no memory yet, and is paused. */
int hyper_domain_create(struct hyper *h, const struct xen_domctl_createdomain *c, uint32_t *domid,
			struct error *e);
/* To the end: it is gone unless others hold its frames. May take seconds for many GiB. */
int hyper_domain_destroy(struct hyper *h, uint32_t domid, struct error *e);
/*
 * What takes one number, or none (0): XEN_DOMCTL_pausedomain, _unpausedomain (pauses count: as many unpauses undo them; a new domain has one),
 * _max_mem (KiB), _max_vcpus (makes them; what the domain was created with), _settimeoffset (seconds), _settscinfo (0 default, 1 always
 * emulate, 2 native, 3 native with rdtscp), _hypercall_init (the machine frame that becomes its hypercall page).
 */
int hyper_domain_do(struct hyper *h, uint32_t cmd, uint32_t domid, uint64_t number,
		    struct error *e);
int hyper_domain_set_handle(struct hyper *h, uint32_t domid, const uint8_t uuid[16],
			    struct error *e);
/* XEN_DOMCTL_SENDTRIGGER_... */
int hyper_domain_trigger(struct hyper *h, uint32_t domid, unsigned int trigger, unsigned int vcpu,
			 struct error *e);

/* --- vCPUs ------------------------------------------------------------------------------------------ */

int hyper_vcpu_info(struct hyper *h, uint32_t domid, unsigned int vcpu,
		    struct xen_domctl_getvcpuinfo *info, struct error *e);
/* Its registers, read or @set. */
int hyper_vcpu_context(struct hyper *h, uint32_t domid, unsigned int vcpu,
		       vcpu_guest_context_t *context, bool set, struct error *e);
enum hyper_affinity { HYPER_AFFINITY_GET, HYPER_AFFINITY_SET, HYPER_AFFINITY_FORCE };
/*
 * Bit maps of CPUs, CPU n in bit n % 8 of byte n / 8, @bytes each; NULL for the one that does not matter. Forcing undoes a pin that the
 * guest itself asked for. After setting they hold what is in effect: the CPUs of the pool and, for @soft, of @hard too.
 */
int hyper_vcpu_affinity(struct hyper *h, uint32_t domid, unsigned int vcpu, uint8_t *hard,
			uint8_t *soft, size_t bytes, enum hyper_affinity how, struct error *e);

/* --- Scheduling ------------------------------------------------------------------------------------- */

/* @sched_id: XEN_SCHEDULER_CREDIT or _CREDIT2, of the domain's pool. Setting: 0 as weight, 65535 as cap keeps it. */
enum { HYPER_CAP_KEEP = 0xffff };
int hyper_sched(struct hyper *h, uint32_t domid, uint32_t sched_id,
		struct xen_domctl_sched_credit *params, bool set, struct error *e);
/* The scheduler's own parameters. @op->cpupool_id and ->sched_id say which; getting fills @op->u, setting reads it and writes it back. */
int hyper_sched_params(struct hyper *h, struct xen_sysctl_scheduler_op *op, bool set,
		       struct error *e);
/* "credit", "credit2", "null", "rtds", "arinc653"; "unknown". */
const char *hyper_sched_name(uint32_t sched_id);

enum { HYPER_MAP_BYTES = 512 }; /* 4096 CPUs */

/* The default pool is 0; its scheduler is the machine's. */
struct hyper_pool {
	uint32_t id, sched_id, nr_domains;
	uint8_t cpus[HYPER_MAP_BYTES];
};
/* The pool with the smallest id from @first on; ERROR_NOT_FOUND behind the last. */
int hyper_pool_next(struct hyper *h, uint32_t first, struct hyper_pool *pool, struct error *e);
/* The CPUs in no pool. */
int hyper_pool_free_cpus(struct hyper *h, uint8_t cpus[HYPER_MAP_BYTES], struct error *e);

/* --- Event channels --------------------------------------------------------------------------------- */

/* A port of @domid that @remote may bind to. */
int hyper_evtchn_alloc(struct hyper *h, uint32_t domid, uint32_t remote, evtchn_port_t *port,
		       struct error *e);

/* --- Memory ----------------------------------------------------------------------------------------- */

/*
 * Gives the domain @nr extents of 2^@order pages. @frames: the first guest frame of each, replaced by the machine frame it got. Returns
 * how many it got: fewer than @nr means there is no more of that size (no error is set); -1 for everything else.
 */
long hyper_memory_populate(struct hyper *h, uint32_t domid, unsigned int order, xen_pfn_t *frames,
			   unsigned long nr, struct error *e);
/* Promises @pages (its present ones included) to the domain; 0 takes the promise back. "not enough free memory: 120 MiB wanted, ..." */
int hyper_memory_claim(struct hyper *h, uint32_t domid, uint64_t pages, struct error *e);
/* What the guest is told its memory may be: all of @kb from address 0 on, usable. */
int hyper_memory_set_map(struct hyper *h, uint32_t domid, uint64_t kb, struct error *e);
/* The error of an allocation of @kb that failed, with how much there is; returns -1. */
int hyper_memory_short(struct hyper *h, uint64_t kb, struct error *e);

/*
 * Maps frames of the domain (machine frames for a PV guest) in one piece, readable and, if @write, writable; NULL with the error.
 * @failed (may be NULL): one errno a frame; then single frames that fail are holes and no error.
 */
void *hyper_map(struct hyper *h, uint32_t domid, const xen_pfn_t *frames, size_t nr, bool write,
		int *failed, struct error *e);
void hyper_unmap(struct hyper *h, void *p, size_t nr);

struct hyper_resource {
	void *data;
	void *handle;
};
/* The first @nr frames of the domain's grant table, version 1. */
int hyper_map_grants(struct hyper *h, uint32_t domid, unsigned int nr, struct hyper_resource *r,
		     struct error *e);
void hyper_unmap_grants(struct hyper *h, struct hyper_resource *r);

/* Pins its first page table, that frame, in the domain's name. */
int hyper_pin_table(struct hyper *h, uint32_t domid, xen_pfn_t mfn, struct error *e);

/* --- The machine ------------------------------------------------------------------------------------ */

int hyper_physinfo(struct hyper *h, struct xen_sysctl_physinfo *info, struct error *e);
/* Both return how many there are, possibly more than the @max that were filled in; -1. */
int hyper_topology(struct hyper *h, xen_sysctl_cputopo_t *cpus, unsigned int max, struct error *e);
/* @distance[i * max + j]; unset distances are XEN_INVALID_NODE_DIST. @max up to 64. */
int hyper_numa(struct hyper *h, xen_sysctl_meminfo_t *nodes, uint32_t *distance, unsigned int max,
	       struct error *e);
int hyper_scheduler(struct hyper *h, uint32_t *sched_id, struct error *e);

struct hyper_version {
	unsigned int major, minor, page_size;
	xen_extraversion_t extra;
	xen_compile_info_t compile;
	xen_capabilities_info_t capabilities;
	xen_changeset_info_t changeset;
	xen_commandline_t commandline;
	uint64_t virt_start;
	char build_id[2 * 32 + 1]; /* in hexadecimal; "" where there is none */
};
int hyper_version(struct hyper *h, struct hyper_version *v, struct error *e);

/*
 * The console ring's text, up to @size bytes, 64 KiB a call; returns how many. *@index is where to go on (0: from the start) and is advanced;
 * NULL reads from the ring's start. @clear empties it afterwards.
 */
long hyper_console_read(struct hyper *h, char *text, size_t size, uint32_t *index, bool clear,
			struct error *e);
int hyper_debug_keys(struct hyper *h, const char *keys, struct error *e);
