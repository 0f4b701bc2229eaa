/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder share: settings in force, one device's paths and nodes, scripts; and of device.c (operations) and job.c
 * (the steps of one device) the job, which belongs to its operation and is driven by the watch on its back end's state, by its script's
 * end and by one timer.
 */
#pragma once

#include "lib/base/text.h"
#include "lib/device/device.h"

#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/io/xenbus.h>

struct device_op;
struct job;

struct devices {
	struct loop *loop;
	struct store *store;
	struct device_settings set; /* complete */
	struct device_op *ops;
	struct job *
		turn; /* the vbd between its script's begin and the back end having opened the disk */
};

/* --- One device's places ------------------------------------------------------------------------------ */

enum node_path {
	AT_FRONT,
	AT_BACK,
	AT_LIBXL,
	AT_ERROR, /* where the back end's driver says what went wrong */
	AT_FRONT_ERROR,
	AT_STATE, /* the back end's; the others are folders */
	AT_PATHS,
};

struct nodes {
	uint32_t domid;
	enum device_kind kind;
	long devid;
	char *path[AT_PATHS];
};

void nodes_init(struct nodes *p, uint32_t domid, enum device_kind kind, long devid);
void nodes_free(struct nodes *p);

/* Queue the nodes of a device, in the caller's transaction. */
void put_disk(const struct devices *ds, const struct nodes *p, const struct disk_config *disk);
void put_nic(const struct devices *ds, const struct nodes *p, const struct nic_config *nic);

/* Whether this system can serve it. */
int disk_servable(const struct devices *ds, const struct disk_config *disk, struct error *e);
int nic_servable(const struct devices *ds, const struct nic_config *nic, struct error *e);

/* --- Scripts ------------------------------------------------------------------------------------------ */

struct script;
/*
 * A script's end: @status as of waitpid(), -1 when its time was over; @answer: lines "NAME VALUE", nodes of the back end; @said: the last
 * line of its output, or "".
 */
typedef void script_ended(void *arg, int status, char *answer, const char *said);

/*
 * Runs argv[0]. File descriptor 3 takes its answer. @ended is called once, from the loop; with a script that hangs, when its time is over
 * (it is killed, also if nobody can wait for it).
 */
struct script *script_start(struct devices *ds, char *const *argv, char *const *env,
			    script_ended *ended, void *arg, struct error *e);
/* Ends it without a call. NULL is allowed. */
void script_stop(struct script *s);

/* --- Jobs and operations ------------------------------------------------------------------------------ */

/* What scripts need to know of a device, from its back end: after a restart nothing else is left of it. */
enum back_node { BACK_SCRIPT, BACK_GATEWAYDEV, BACK_OTHERS, BACK_NODES = BACK_OTHERS + 7 };
extern const char *const back_nodes[BACK_NODES];

enum step {
	STEP_NONE,	/* nothing left to do */
	STEP_INIT_WAIT, /* attaching: the back end's driver takes it up, then other disks' scripts */
	STEP_SCRIPT,	/* ... the script's end */
	STEP_OPENED,	/* ... the back end opens the disk */
	STEP_CLOSED,	/* removing: the back end lets go */
	STEP_LAST_SCRIPT, /* ... the script's end */
};

struct job {
	struct device_op *op;
	struct nodes at;
	enum step step;
	bool empty;		 /* a drive without a medium: nothing to open */
	bool asked;		 /* its back end was told to close */
	char *known[BACK_NODES]; /* what the back end's nodes say, or NULL */
	struct store_watch *watch;
	struct loop_source *timer;
	struct script *running;
	uint64_t since, until;
	long state; /* the back end's when it was looked at last */
};

struct device_op {
	struct devices *ds;
	struct device_op *next;
	uint32_t domid;
	char *name;
	bool removing, force, all; /* @all: every device of the domain */
	struct job *jobs;
	size_t nr;
	struct error error;
	struct loop_source *end;
	device_done *done;
	void *arg;
	const struct device_set *set; /* while it begins */
};

/* --- job.c --------------------------------------------------------------------------------------------- */

/* The job has failed: an attaching operation turns round, of a removing one this device fails alone. */
void job_fail(struct job *j, struct error *e);
/* The job does @step from now on, and waits for nothing of before. */
void job_step(struct job *j, enum step step);
void job_wait_state(struct job *j, enum step step);

/* --- device.c ------------------------------------------------------------------------------------------ */

/* Ends the operation when its jobs are through. */
void op_progress(struct device_op *op);
/* Makes the operation one that removes its devices. */
void op_remove(struct device_op *op);
