/* SPDX-License-Identifier: MIT */
/*
 * What device.c (operations) and job.c (the steps of one device) share. A job belongs to its operation and is driven by the watch on its
 * back end's state, by its script's end and by one timer.
 */
#pragma once

#include "lib/device/internal.h"

enum step {
	STEP_NONE,	  /* nothing left to do */
	STEP_INIT_WAIT,	  /* attaching: the back end's driver takes it up */
	STEP_TURN,	  /* ... other disks first */
	STEP_SCRIPT,	  /* ... the script's end */
	STEP_OPENED,	  /* ... the back end opens the disk */
	STEP_ATTACHED,	  /* done, while others of the operation are not */
	STEP_CLOSED,	  /* removing: the back end lets go */
	STEP_LAST_SCRIPT, /* ... the script's end */
};

struct job {
	struct device_op *op;
	struct nodes at;
	enum step step;
	bool empty;		  /* a drive without a medium: nothing to open */
	bool asked;		  /* its back end was told to close */
	char *script;		  /* NULL: none */
	char *gatewaydev, *known; /* for the script; @known: "NAME=VALUE" lines of the back end */
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
	const struct device_spec *specs; /* while it begins */
};

extern const char *const step_words[];

/* --- job.c --------------------------------------------------------------------------------------------- */

/* The job has failed: an attaching operation turns round, of a removing one this device fails alone. */
void job_fail(struct job *j, struct error *e);
/* The job does @step from now on, and waits for nothing of before. */
void job_step(struct job *j, enum step step);
void job_wait_state(struct job *j, enum step step);
bool job_waits(const struct job *j);

/* --- device.c ------------------------------------------------------------------------------------------ */

/* Ends the operation when its jobs are through. */
void op_progress(struct device_op *op);
/* Makes the operation one that removes its devices. */
void op_remove(struct device_op *op);
