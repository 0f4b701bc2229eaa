/* SPDX-License-Identifier: MIT */
/*
 * The model of domains: every domain the hypervisor has, and the managed ones that do not run. What the hypervisor knows (state, memory,
 * time used) is asked for when it is needed, for all domains by one hypercall; names and configurations are kept here, from the records
 * in /run/xend/domains and /var/lib/xend/domains and, for domains somebody else made, from xenstore.
 */
#pragma once

#include "lib/device/device.h"
#include "xend/node.h"

#include <xen/domctl.h>

struct domain {
	struct domain *
		next; /* in the order of domid; those that do not run are last, in the order of their names */
	uint32_t id; /* DOMID_INVALID: managed, not running */
	char uuid[37];
	char *name;
	bool managed;
	struct domain_config *config; /* NULL: made by somebody else (domain 0, Debian's xl) */
	time_t started_at;	      /* 0: not known */
	char *console_tty; /* /local/domain/N/console/tty as of domain_refresh(.., true), or NULL */

	struct xen_domctl_getdomaininfo info; /* as of domains_refresh(), if @present */
	bool present;			      /* the hypervisor has it */

	bool unnamed; /* xenstore was not asked for its name, or did not know it: @name is made up, or the record's */
	/* In its record: the kind of the operation that the next xend ends or carries on when this one is killed; or "". */
	char doing[16];

	/* Policy: what its end means. */
	bool handled;	   /* this shutdown was acted upon */
	bool ordered;	   /* somebody asked for this shutdown: no protection against loops */
	bool from_restart; /* this incarnation was made by a policy */
	time_t dying_since, looked_at; /* @looked_at: at its devices */
	/* Why it is not gone, or a back end does not move; "" where all is well. */
	char lingers[160];
	struct operation *operation; /* has hold of it, or NULL */
};

/* --- Finding and reading --------------------------------------------------------------------------------- */

/* One hypercall: fills @info of all. To be called before a listing; domain ids that appeared or went away are dealt with. */
int domains_refresh(struct node *n, struct error *e);
/* In the order of a listing; NULL begins. A domain may go while the loop turns: keep its uuid, not the pointer. */
struct domain *domain_next(struct node *n, struct domain *d);
/* @which: a name, a domid or a uuid. ERROR_NOT_FOUND with a hint. */
struct domain *domain_find(struct node *n, const char *which, struct error *e);
struct domain *domain_by_id(struct node *n, uint32_t id);
struct domain *domain_by_uuid(struct node *n, const char *uuid);
struct domain *domain_by_name(struct node *n, const char *name);
/* The same for what needs a running one: ERROR_CONFLICT "domain web is not running". */
struct domain *domain_find_running(struct node *n, const char *which, struct error *e);

/* Fresh @info for this one; with @tty its console_tty from xenstore. */
int domain_refresh(struct node *n, struct domain *d, bool tty, struct error *e);
/* "r-----" as xl prints it: rbpscd, the fifth letter the shutdown reason. "------" where it does not run. */
void domain_state(const struct domain *d, char out[7]);
/* SHUTDOWN_* or -1. */
int domain_shutdown_reason(const struct domain *d);
uint64_t domain_memory_kb(
	const struct domain *d); /* what it has now, outstanding claims included */
uint64_t domain_max_memory_kb(const struct domain *d); /* what it may have; UINT64_MAX: no limit */
/* /local/domain/N/memory/target; one read of xenstore. What the configuration says where it does not run. */
uint64_t domain_target_kb(struct node *n, const struct domain *d);
unsigned int domain_vcpus_online(const struct domain *d), domain_vcpus_max(const struct domain *d);

struct vcpu_state {
	uint32_t vcpu, cpu; /* @cpu: the last it ran on */
	bool online, blocked, running;
	uint64_t cpu_ns;
	struct cpu_set hard, soft; /* cut to the CPUs there are */
};

/* *out is to be free()d. */
int domain_vcpus(struct node *n, struct domain *d, struct vcpu_state **out, size_t *nr,
		 struct error *e);

struct scheduler_values {
	const char *scheduler; /* "credit", "credit2", ... */
	long weight, cap;      /* -1: no such value */
};

int domain_scheduler(struct node *n, struct domain *d, struct scheduler_values *out,
		     struct error *e);

/* --- Acting, done on return ----------------------------------------------------------------------------- */

int domain_pause(struct node *n, struct domain *d, struct error *e);
int domain_unpause(struct node *n, struct domain *d, struct error *e);
int domain_trigger(struct node *n, struct domain *d, const char *trigger, uint32_t vcpu,
		   struct error *e);
int domain_sysrq(struct node *n, struct domain *d, char key, struct error *e);
int domain_rename(struct node *n, struct domain *d, const char *name, struct error *e);
int domain_set_target(struct node *n, struct domain *d, uint64_t target_kb,
		      struct error *e); /* xm mem-set */
int domain_set_max(struct node *n, struct domain *d, uint64_t max_kb,
		   struct error *e); /* xm mem-max */
/* More than the host's CPUs only with @ignore_host. */
int domain_set_vcpus(struct node *n, struct domain *d, long online, bool ignore_host,
		     struct error *e);
/* @vcpu -1: all; an empty set leaves that affinity as it is; @force: also where a temporary pin stands (nothing to override yet). */
int domain_pin(struct node *n, struct domain *d, long vcpu, const struct cpu_set *hard,
	       const struct cpu_set *soft, bool force, struct error *e);
/* Values of -1 stay as they are. */
int domain_set_scheduler(struct node *n, struct domain *d, long weight, long cap, struct error *e);
/* xm config-update: what the next start and restart use; @config becomes what it was before, for the caller to free. */
int domain_set_config(struct node *n, struct domain *d, struct domain_config *config,
		      struct error *e);
/* xm new: a managed domain that does not run; an existing managed one of that uuid or name gets the new configuration. */
struct domain *domain_define(struct node *n, struct domain_config *config, struct error *e);
/* xm delete: refused while it runs. @d is gone after 0. */
int domain_delete(struct node *n, struct domain *d, struct error *e);

/* --- Acting, as operations: NULL with the error set when refused at once ------------------------------ */

/*
 * @config's content is taken over (left empty) on success. op->uuid is the new domain's; once done it is found by it. @paused: it is left so;
 * @managed: it is kept after its end.
 */
struct operation *domain_create(struct node *n, struct domain_config *config, bool paused,
				bool managed, struct error *e);
/* A managed one. */
struct operation *domain_start(struct node *n, struct domain *d, bool paused, struct error *e);
/* To the end: devices removed, nodes and memory gone. ERROR_RETRY with the reason where the hypervisor cannot let go yet. */
struct operation *domain_destroy(struct node *n, struct domain *d, struct error *e);
/* Done when the guest has acknowledged. @reason: "poweroff", "halt", "reboot", "suspend". */
struct operation *domain_shutdown(struct node *n, struct domain *d, const char *reason,
				  struct error *e);
/* Destroys it and makes it anew from its configuration, whatever its policy says. */
struct operation *domain_reset(struct node *n, struct domain *d, struct error *e);
/* @file NULL: /var/lib/xen/dump/<date>-<name>.<id>.core; once done it is in op->result. */
struct operation *domain_dump(struct node *n, struct domain *d, const char *file, bool live,
			      struct error *e);
/* A device to be attached. */
struct device_config {
	enum device_kind kind; /* DEVICE_VBD or DEVICE_VIF */
	struct disk_config disk;
	struct nic_config nic;
};

/* @device's content is taken over (left empty) on success. */
struct operation *domain_attach(struct node *n, struct domain *d, struct device_config *device,
				struct error *e);
/* @device: its devid, a disk's name ("xvda1") or a nic's address. */
struct operation *domain_detach(struct node *n, struct domain *d, enum device_kind kind,
				const char *device, bool force, struct error *e);
