/* SPDX-License-Identifier: MIT */
/* What the files of the model share and nobody else needs: opening the node, the list of domains, their records. */
#pragma once

#include "xend/domain.h"
#include "xend/operation.h"

struct hyper_version;

/* --- node.c -------------------------------------------------------------------------------------------- */

/* Opens hypervisor and xenstore; the model is empty still: recovery_run() fills it. */
struct node *node_open(struct loop *loop, const struct xend_settings *settings, struct error *e);
void node_close(struct node *n);
void node_announce(struct node *n, const struct event *event);

/* --- domain.c ------------------------------------------------------------------------------------------ */

/* A new one in the list, not running. */
struct domain *domain_add(struct node *n, const char *name, const char *uuid);
/* It runs as @id now, or (DOMID_INVALID) does no more: to its place in the list. */
void domain_place(struct node *n, struct domain *d, uint32_t id);
/* Out of the list and freed. */
void domain_drop(struct node *n, struct domain *d);
void domain_announce(struct node *n, const struct domain *d, const char *what);
/* @d has ended: a managed one stays, not running; others go. Announces "destroyed". */
void domain_ended(struct node *n, struct domain *d);
void uuid_print(const uint8_t bytes[16], char out[37]);
bool uuid_parse(const char *s, uint8_t bytes[16]);
/* "/local/domain/7" and the text behind it. */
char *domain_path(uint32_t domid, const char *below);

/* --- domain_record.c ------------------------------------------------------------------------------------- */

/* "/run/xend/domains"; tests put it elsewhere. */
extern const char *record_folder;
/* <uuid>.json there: what xend must know of a running domain after it was killed. */
int record_save(struct node *n, const struct domain *d, struct error *e);
void record_remove(const struct domain *d);
/* Fills in what the record of a running domain says; false where there is none, or one of another incarnation. */
bool record_load(struct domain *d);
/* @d does not run, and its record is left: what its incarnation left behind is removed, and the record. */
void record_remains(struct node *n, struct domain *d);
/* The same for managed ones, in settings->domains_path, synced. */
int managed_save(struct node *n, const struct domain *d, struct error *e);
void managed_remove(struct node *n, const struct domain *d);
/* Adds all of them to the model. */
void managed_load(struct node *n);
/* Of the JSON shape or nothing (logged with @what). */
struct domain_config *record_config(const struct json_t *json, const char *what);

/* --- destroy.c ------------------------------------------------------------------------------------------- */

/* From whatever there is of op->domid and op->uuid to nothing; also how a failed making is undone. */
extern const struct step destroy_steps[];

/* --- create_nodes.c -------------------------------------------------------------------------------------- */

struct builder_result;
/* All nodes but the devices', in one transaction, and the ring's introduction. */
int create_write_nodes(struct node *n, const struct domain *d, const struct builder_result *built,
		       struct error *e);

/* --- balloon.c ------------------------------------------------------------------------------------------- */

/* A step: promises @kb to op->domid, taking it from domain 0 where the settings allow that. */
enum step_result balloon_claim(struct operation *op, uint64_t kb);

/* --- cpus.c ---------------------------------------------------------------------------------------------- */

/* Affinities, weight and cap of a new domain as its configuration says. */
int cpus_apply(struct node *n, const struct domain *d, struct error *e);

/* --- create.c, policy_run.c ------------------------------------------------------------------------------ */

/* Destroys @d, unless it is gone or NULL, and makes a domain of @config (taken over): kind "reset" or "restart". */
struct operation *restart_begin(struct node *n, const char *kind, struct domain *d,
				struct domain_config *config, const struct create_options *options,
				struct error *e);
/* Acts on a domain that has shut down. */
void policy_apply(struct node *n, struct domain *d);

/* --- watch.c, recovery.c --------------------------------------------------------------------------------- */

void watch_start(struct node *n);
void watch_stop(struct node *n);
/* Looks soon for what came to an end; @d is dying. */
void watch_dying(struct node *n, struct domain *d);
/* Fills the model, ends what was under way when the last xend was killed, starts what on_xend_start says. */
int recovery_run(struct node *n, struct error *e);
/* on_xend_stop; calls @done when nothing is left to wait for. */
void recovery_stop(struct node *n, void (*done)(void *arg), void *arg);
