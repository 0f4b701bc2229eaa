/* SPDX-License-Identifier: MIT */
/* What the files of the model share and nobody else needs: opening the node, the list of domains, their records; and what all of them use. */
#pragma once

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/domain.h"
#include "xend/operation.h"
#include "xend/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- node.c -------------------------------------------------------------------------------------------- */

/* Opens hypervisor and xenstore; the model is empty still: recovery_run() fills it. */
struct node *node_open(struct loop *loop, const struct xend_settings *settings, struct error *e);

/* --- domain.c ------------------------------------------------------------------------------------------ */

/* A new one in the list, not running. */
struct domain *domain_add(struct node *n, const char *name, const char *uuid);
/* It runs as @id now, or (DOMID_INVALID) does no more: to its place in the list. */
void domain_place(struct node *n, struct domain *d, uint32_t id);
/* @c's content becomes @d's configuration, @c is left empty. */
void domain_take_config(struct domain *d, struct domain_config *c);
/* Out of the list and freed. */
void domain_drop(struct node *n, struct domain *d);
void domain_announce(struct node *n, const struct domain *d, const char *what);
/* @d has ended, or never began: a managed one, or one that is made anew, stays, not running; others go. Announces "destroyed" if it was there. */
void domain_ended(struct node *n, struct domain *d);
/* -1, with the error, where it does not run. */
int domain_needs_running(const struct domain *d, struct error *e);
bool uuid_parse(const char *s, uint8_t bytes[16]);
/* "/local/domain/7" and the text behind it; the caller's. */
char *domain_path(uint32_t domid, const char *below);

/* --- domain_record.c ------------------------------------------------------------------------------------- */

/* "/run/xend/domains"; tests put it elsewhere. */
extern const char *record_folder;
/*
 * <uuid>.json there: what xend must know of a domain after it was killed, as it is now. A file where the domain runs and xend made it, or
 * d->doing says something; else none.
 */
int record_save(const struct domain *d, struct error *e);
/* The same for managed ones, in settings->domains_path, synced; no file for one that is not managed. */
int managed_save(struct node *n, const struct domain *d, struct error *e);
/* Both, as far as it has them. */
int domain_save(struct node *n, const struct domain *d, struct error *e);
/* Adds all of either folder to the model; those with a record have the domid it says, and may be there or not. */
void records_load(struct node *n);

/* --- destroy.c ------------------------------------------------------------------------------------------- */

/* From whatever there is of op->domid and op->uuid to nothing; also how a failed making is undone. */
extern const struct step destroy_steps[];

/* --- create_nodes.c -------------------------------------------------------------------------------------- */

struct builder_result;
/* All nodes but the devices', in one transaction, and the ring's introduction. */
int create_write_nodes(struct node *n, const struct domain *d, const struct builder_result *built,
		       struct error *e);

/* Which of the @all vCPUs of the domain at @dom shall be online: the first ones. Queued. */
void store_put_cpus(struct store *s, const char *dom, unsigned int online, unsigned int all);

/* --- balloon.c ------------------------------------------------------------------------------------------- */

/* A step: promises @kb to op->domid, taking it from domain 0 where the settings allow that. */
int balloon_claim(struct operation *op, uint64_t kb);

/* --- cpus.c ---------------------------------------------------------------------------------------------- */

/* Affinities, weight and cap of a new domain as its configuration says. */
int cpus_apply(struct node *n, struct domain *d, struct error *e);

/* --- policy.c -------------------------------------------------------------------------------------------- */

struct policy_verdict {
	enum domain_action action; /* destroy, restart, rename-restart; preserve: nothing */
	bool dump;		   /* first */
	bool loops;		   /* it would be restarted, but for its short life */
};

/* What the end of a domain for @reason (SHUTDOWN_*) means. @short_life: it was restarted, and ended again at once by itself. */
struct policy_verdict policy_decide(const struct domain_config *config, int reason, bool short_life,
				    bool enable_dump);
/* "poweroff", "reboot", "suspend", "crash", "watchdog", "soft-reset", "unknown" */
const char *policy_reason_name(int reason);

/* --- create.c, policy_run.c ------------------------------------------------------------------------------ */

/* Makes a domain of d->config, after destroying it to the end where it runs. @kind: "create", "reset", or "restart" by a policy. */
struct operation *domain_make(struct node *n, const char *kind, struct domain *d, bool paused,
			      struct error *e);
/* A step: attaches the devices, and its end when it is cancelled. */
int attach_devices(struct operation *op, const struct device_set *set);
void abandon_devices(struct operation *op);
/* Acts on a domain that has shut down. */
void policy_apply(struct node *n, struct domain *d);

/* --- watch.c, recovery.c --------------------------------------------------------------------------------- */

void watch_start(struct node *n);
/* @d is dying, and watched until it is gone. */
void watch_lingering(struct node *n, struct domain *d);
/* Fills the model, ends what was under way when the last xend was killed, starts what on_xend_start says. */
int recovery_run(struct node *n, struct error *e);
/* on_xend_stop; the loop ends when nothing is left to wait for. */
void recovery_stop(struct node *n);
