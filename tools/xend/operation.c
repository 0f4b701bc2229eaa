/* SPDX-License-Identifier: MIT */
/* See operation.h. An operation is freed only when it has ended, is no longer among the last, and no callback of it is running. */
#include "xend/operation.h"

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "xend/domain.h"
#include "xend/node_private.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct operation_waiter {
	struct operation_waiter *next;
	operation_done *done;
	void *arg;
};

const char *operation_state_name(enum operation_state state)
{
	static const char *const names[] = {"running", "done", "failed", "cancelled"};

	return names[state];
}

struct operation *operation_find(struct node *n, uint64_t id)
{
	struct operation *op = n->operations;

	while (op && op->id != id)
		op = op->next;
	return op;
}

struct operation *operation_next(struct node *n, struct operation *op)
{
	return op ? op->next : n->operations;
}

static void operation_free(struct operation *op)
{
	free(op->domain);
	free(op->result);
	free(op);
}

/* Ended ones beyond the last OPERATIONS_KEPT go, the oldest first. */
static void prune(struct node *n)
{
	unsigned int ended = 0;

	for (struct operation *op = n->operations; op; op = op->next)
		ended += op->state != OPERATION_RUNNING;
	for (struct operation **at = &n->operations; *at && ended > OPERATIONS_KEPT;) {
		struct operation *op = *at;

		if (op->state == OPERATION_RUNNING || op->advancing) {
			at = &op->next;
			continue;
		}
		*at = op->next;
		operation_free(op);
		ended--;
	}
}

struct operation *operation_new(struct node *n, const char *kind, struct domain *d,
				const struct step *steps, struct error *e)
{
	struct operation *op, **at = &n->operations;

	if (n->stopping && strcmp(kind, "shutdown") && strcmp(kind, "destroy")) {
		error_set(e, ERROR_ABSENT, "xend is about to stop");
		return NULL;
	}
	if (d && d->operation) {
		error_set(e, ERROR_CONFLICT,
			  "domain %s is busy: operation %llu (%s) is at work on it", d->name,
			  (unsigned long long)d->operation->id, d->operation->kind);
		error_hint(e, "wait for it to end");
		return NULL;
	}
	prune(n);
	op = xcalloc(1, sizeof(*op));
	op->id = ++n->next_operation;
	op->node = n;
	op->kind = kind;
	op->steps = steps;
	op->text = "";
	op->domid = DOMID_INVALID;
	op->started_at = time(NULL);
	if (d) {
		op->domain = xstrdup(d->name);
		memcpy(op->uuid, d->uuid, sizeof(op->uuid));
		op->domid = d->id;
		d->operation = op;
	}
	while (*at)
		at = &(*at)->next;
	*at = op;
	return op;
}

static void announce(struct operation *op)
{
	const struct event event = {EVENT_OPERATION, operation_state_name(op->state), NULL, op};

	node_announce(op->node, &event);
}

static void end(struct operation *op, enum operation_state state)
{
	struct domain *d = domain_by_uuid(op->node, op->uuid);

	loop_remove(op->timer);
	op->timer = NULL;
	op->state = state;
	op->ended_at = time(NULL);
	op->text = "";
	if (state == OPERATION_DONE)
		op->progress = 100;
	else
		log_warning("operation %llu (%s of %s) %s: %s", (unsigned long long)op->id,
			    op->kind, op->domain, operation_state_name(state), op->error.text);
	if (d && d->operation == op)
		d->operation = NULL;
	op->advancing = true; /* not to be pruned by what its end starts */
	if (op->finish)
		op->finish(op);
	announce(op);
	while (op->waiters) {
		struct operation_waiter *w = op->waiters;

		op->waiters = w->next;
		w->done(op, w->arg);
		free(w);
	}
	op->advancing = false;
}

static void next_step(struct operation *op)
{
	op->step++;
	op->step_calls = 0;
}

static void fail(struct operation *op)
{
	if (op->undoing) { /* nothing better to do than to go on: what stays behind is watched */
		log_warning("operation %llu: %s: %s", (unsigned long long)op->id, op->text,
			    op->error.text);
		memset(&op->error, 0, sizeof(op->error));
		operation_continue(op);
		return;
	}
	if (!op->undo) {
		end(op, op->cancel ? OPERATION_CANCELLED : OPERATION_FAILED);
		return;
	}
	op->failure = op->error;
	memset(&op->error, 0, sizeof(op->error));
	op->undoing = true;
	op->steps = op->undo;
	op->step = op->step_calls = 0;
	operation_run(op);
}

static void finished(struct operation *op)
{
	if (!op->undoing) {
		end(op, OPERATION_DONE);
		return;
	}
	op->error = op->failure;
	end(op, op->cancel ? OPERATION_CANCELLED : OPERATION_FAILED);
}

/* Steps until one waits (true), fails (op->error says so) or there is no more. */
static bool run_steps(struct operation *op)
{
	for (;;) {
		const struct step *s = &op->steps[op->step];
		enum step_result result;

		if (!s->run)
			return false;
		op->text = s->text;
		if (op->progress < s->progress)
			op->progress = s->progress;
		announce(op);
		op->again = false;
		op->step_calls++;
		result = s->run(op);
		if (result == STEP_FAILED || op->error.class)
			return false;
		if (result == STEP_NEXT)
			next_step(op);
		else if (!op->again)
			return true;
	}
}

void operation_run(struct operation *op)
{
	bool waits;

	op->again = true;
	if (op->advancing)
		return; /* a step's function called back before it returned: run_steps() goes on */
	op->advancing = true;
	waits = run_steps(op);
	op->advancing = false;
	if (op->error.class)
		fail(op);
	else if (!waits)
		finished(op);
}

void operation_continue(struct operation *op)
{
	next_step(op);
	operation_run(op);
}

void operation_fail(struct operation *op, const struct error *e)
{
	if (e)
		op->error = *e;
	if (!op->advancing)
		fail(op); /* else operation_run() sees the error */
}

static void timer_expired(void *arg)
{
	operation_run(arg);
}

enum step_result operation_retry(struct operation *op, uint64_t ms)
{
	if (op->timer)
		loop_timer_set(op->timer, ms);
	else
		op->timer = loop_timer(op->node->loop, ms, false, timer_expired, op);
	return STEP_WAIT;
}

void operation_leave(struct operation *op)
{
	loop_remove(op->timer);
	op->timer = NULL;
	operation_fail(op, NULL);
}

void operation_progress(struct operation *op, unsigned int per_cent)
{
	if (per_cent == op->progress || per_cent > 100)
		return;
	op->progress = per_cent;
	announce(op);
}

void operation_wait(struct operation *op, operation_done *done, void *arg)
{
	struct operation_waiter *w;

	if (op->state != OPERATION_RUNNING) {
		done(op, arg);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->done = done;
	w->arg = arg;
	w->next = op->waiters;
	op->waiters = w;
}

void operation_forget(struct operation *op, void *arg)
{
	for (struct operation_waiter **at = &op->waiters; *at;) {
		struct operation_waiter *w = *at;

		if (w->arg != arg) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
}

int operation_cancel(struct operation *op, struct error *e)
{
	const struct step *s = &op->steps[op->step];

	if (op->state != OPERATION_RUNNING || op->undoing)
		return error_set(e, ERROR_CONFLICT, "operation %llu has ended",
				 (unsigned long long)op->id);
	if (!s->run || !s->abandon)
		return error_set(e, ERROR_CONFLICT, "operation %llu cannot be cancelled while %s",
				 (unsigned long long)op->id, op->text);
	op->cancel = true;
	error_set(&op->error, ERROR_FAILED, "%s of %s was cancelled", op->kind, op->domain);
	s->abandon(op);
	return 0;
}

/* --- Work in a thread ---------------------------------------------------------------------------------- */

struct work {
	struct operation *op;
	int (*work)(struct operation *op, struct error *e);
	int fd, rc;
	struct error error;
	pthread_t thread;
	struct loop_source *source;
};

static void *work_thread(void *arg)
{
	struct work *w = arg;
	uint64_t one = 1;

	w->rc = w->work(w->op, &w->error);
	if (write(w->fd, &one, sizeof(one)) != sizeof(one))
		abort(); /* an eventfd takes a one */
	return NULL;
}

static void work_done(void *arg, uint32_t events)
{
	struct work *w = arg;
	struct operation *op = w->op;
	struct error error = w->error;
	int rc = w->rc;

	pthread_join(w->thread, NULL);
	loop_remove(w->source);
	close(w->fd);
	free(w);
	if (rc)
		operation_fail(op, &error);
	else
		operation_continue(op);
}

enum step_result operation_work(struct operation *op,
				int (*work)(struct operation *op, struct error *e))
{
	struct work *w = xcalloc(1, sizeof(*w));
	int rc;

	w->op = op;
	w->work = work;
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = w->fd < 0 ? errno : pthread_create(&w->thread, NULL, work_thread, w);
	if (rc) {
		error_errno(&op->error, ERROR_NONE, rc, "no thread for %s", op->text);
		if (w->fd >= 0)
			close(w->fd);
		free(w);
		return STEP_FAILED;
	}
	w->source = loop_fd(op->node->loop, w->fd, EPOLLIN, work_done, w);
	return STEP_WAIT;
}
