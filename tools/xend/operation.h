/* SPDX-License-Identifier: MIT */
/*
 * Operations: work that takes several turns of the loop, as a table of steps. What leaves anything behind is in the domain's record before
 * (node_private.h). Each reports a step in words and a progress, can be cancelled where its step allows, and ends exactly once. Ended ones stay
 * to be read: the last OPERATIONS_KEPT of them, and those somebody waits for.
 *
 * For who starts one (the API): domain_create() and the like return the operation, running or already ended, or NULL with the error
 * set when the request is refused at once. operation_wait() then calls back when it ends (at once if it did):
 *
 *	op = domain_destroy(n, d, &e);
 *	if (!op) refuse(&e); else operation_wait(op, answer, request);
 */
#pragma once

#include "xend/node.h"

enum { OPERATIONS_KEPT = 64 };

enum operation_state { OPERATION_RUNNING, OPERATION_DONE, OPERATION_FAILED, OPERATION_CANCELLED };

enum { STEP_WAIT = 1 };

struct operation;

struct step {
	const char *text;	/* "building the image" */
	unsigned char progress; /* per cent when it begins */
	/* 0: done, on with the next one. STEP_WAIT: something will call operation_continue() or _fail(). -1: op->error is set. */
	int (*run)(struct operation *op);
	/* Ends the wait of a cancelled operation, now or soon, by operation_fail(); NULL: the step cannot be cancelled. */
	void (*abandon)(struct operation *op);
};

typedef void operation_done(struct operation *op, void *arg);

struct operation {
	/* To read. */
	uint64_t id;
	const char *
		kind; /* "create", "destroy", "shutdown", "reboot", "reset", "attach", "detach", "dump-core", ... */
	char *domain;	/* its name when the operation began */
	char uuid[37];	/* of the domain; after "create" of the new one */
	uint32_t domid; /* DOMID_INVALID while there is none */
	enum operation_state state;
	unsigned int progress; /* per cent */
	const char *text;      /* the step, in words; "" at the end */
	struct error error;    /* with OPERATION_FAILED and OPERATION_CANCELLED */
	char *result;	       /* what it made, at its end: a dump's file; or NULL */
	time_t started_at, ended_at;

	/* The operation's own. */
	struct node *node;
	struct domain *
		d; /* it has hold of it, so that nobody else drops it; NULL: of none, or it is gone */
	struct operation *next;
	const struct step *steps; /* ended by one without @run */
	const struct step *then;  /* and these behind them, or NULL */
	const struct step *undo;  /* run when it fails or is cancelled, before it ends, or NULL */
	unsigned int step,
		step_calls; /* how often the present step was called, this time included */
	bool advancing, again, cancel;
	struct error failure; /* while undoing: why */
	/* When it ends, before @done: releases what @data holds, decides what follows. */
	void (*finish)(struct operation *op);
	void *data; /* freed at its end */
	struct loop_source *timer;
	struct device_op *devices; /* being attached */
	operation_done *done;	   /* who waits for it, or NULL */
	void *done_arg;
};

/* "running", "done", "failed", "cancelled" */
const char *operation_state_name(enum operation_state state);

struct operation *operation_find(struct node *n, uint64_t id);
/* Oldest first; NULL begins. */
struct operation *operation_next(struct node *n, struct operation *op);

/*
 * Calls @done when the operation has ended: before this returns if it has. The operation is only sure to exist during the call. For who
 * started it, nobody else.
 */
void operation_wait(struct operation *op, operation_done *done, void *arg);
/* The caller is gone (its client hung up): @done is not called any more. The operation goes on. */
void operation_forget(struct operation *op, void *arg);
/* Refused (ERROR_CONFLICT) when it has ended, or its step cannot be left; what was made so far is undone. */
int operation_cancel(struct operation *op, struct error *e);

/* --- For those that are made of steps -------------------------------------------------------------------- */

/* Refused while the node is stopping (unless @kind is one that ends a domain), or another operation has hold of @d. */
struct operation *operation_new(struct node *n, const char *kind, struct domain *d,
				const struct step *steps, struct error *e);
/* Runs steps until one waits or all are done; may end (not free) @op. */
void operation_run(struct operation *op);
/* From a callback: the waiting step is done; or it failed with @e (NULL: op->error is set). */
void operation_continue(struct operation *op);
void operation_fail(struct operation *op, const struct error *e);
/* As a callback: one or the other. */
void operation_answer(void *op, const struct error *e);
/* The step's function is called again in @ms. */
int operation_retry(struct operation *op, uint64_t ms);
/* For @abandon of a step that only waits for its timer. */
void operation_leave(struct operation *op);

/*
 * Blocking work: @work is done at once with the node's handle, or with @in_thread in a thread of its own with a handle of its own; it may
 * read and write op->data, read op->domid, and touch nothing else. Then the step goes on, or fails with what @work put into *e and
 * returned -1 for.
 */
int operation_work(struct operation *op, bool in_thread,
		   int (*work)(struct hyper *h, struct operation *op, struct error *e));
