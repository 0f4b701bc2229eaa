/* SPDX-License-Identifier: MIT */
/* See operation.h. An operation is freed only when it has ended, is no longer among the last, and no callback of it is running. */
#include "xend/node_private.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

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
		free(op->domain);
		free(op->result);
		free(op);
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
	if (d->operation) {
		error_set(e, ERROR_CONFLICT,
			  "domain %s is busy: operation %llu (%s) is at work on it", d->name,
			  (unsigned long long)d->operation->id, d->operation->kind);
		error_hint(e, "wait for it to end");
		return NULL;
	}
	prune(n);
	op = xmalloc(sizeof(*op));
	*op = (struct operation){.id = ++n->next_operation,
				 .node = n,
				 .d = d,
				 .kind = kind,
				 .domain = xstrdup(d->name),
				 .domid = d->id,
				 .steps = steps,
				 .text = "",
				 .started_at = time(NULL)};
	memcpy(op->uuid, d->uuid, sizeof(op->uuid));
	d->operation = op;
	while (*at)
		at = &(*at)->next;
	*at = op;
	return op;
}

static void announce(struct operation *op)
{
	const struct event event = {EVENT_OPERATION, operation_state_name(op->state), NULL, op};

	if (op->node->notify)
		op->node->notify(op->node->notify_arg, &event);
}

static void end(struct operation *op)
{
	loop_remove(op->timer);
	op->timer = NULL;
	op->error = op->failure;
	op->state = op->error.class ? OPERATION_FAILED : OPERATION_DONE;
	if (op->cancel)
		op->state = OPERATION_CANCELLED;
	op->ended_at = time(NULL);
	op->text = "";
	if (op->state == OPERATION_DONE)
		op->progress = 100;
	else
		log_warning("operation %llu (%s of %s) %s: %s", (unsigned long long)op->id,
			    op->kind, op->domain, operation_state_name(op->state), op->error.text);
	if (op->d)
		op->d->operation = NULL;
	op->advancing = true; /* not to be pruned by what its end starts */
	if (op->finish)
		op->finish(op);
	free(op->data);
	op->data = NULL;
	announce(op);
	if (op->done)
		op->done(op, op->done_arg);
	op->advancing = false;
}

static void go_on_with(struct operation *op, const struct step *steps)
{
	static const struct step none[] = {{0}};

	op->steps = steps ? steps : none;
	op->then = NULL;
	op->step = op->step_calls = 0;
	operation_run(op);
}

static void fail(struct operation *op)
{
	struct error error = op->error;

	memset(&op->error, 0, sizeof(op->error));
	if (!op->failure.class) {
		op->failure = error;
		go_on_with(op, op->undo);
		return;
	}
	/* While undoing there is nothing better to do than to go on: what stays behind is watched. */
	log_warning("operation %llu: %s: %s", (unsigned long long)op->id, op->text, error.text);
	operation_continue(op);
}

void operation_run(struct operation *op)
{
	const struct step *s = NULL;

	op->again = true;
	if (op->advancing)
		return; /* a step's function called back before it returned: its caller goes on below */
	op->advancing = true;
	while (op->again && !op->error.class && (s = &op->steps[op->step])->run) {
		op->text = s->text;
		if (op->progress < s->progress)
			op->progress = s->progress;
		announce(op);
		op->again = false;
		op->step_calls++;
		if (!s->run(op))
			operation_continue(op);
	}
	op->advancing = false;
	if (op->error.class)
		fail(op);
	else if (op->again && op->then)
		go_on_with(op, op->then);
	else if (op->again)
		end(op);
}

void operation_continue(struct operation *op)
{
	op->step++;
	op->step_calls = 0;
	operation_run(op);
}

void operation_fail(struct operation *op, const struct error *e)
{
	if (e)
		op->error = *e;
	if (!op->advancing)
		fail(op); /* else operation_run() sees the error */
}

void operation_answer(void *op, const struct error *e)
{
	if (e)
		operation_fail(op, e);
	else
		operation_continue(op);
}

static void timer_expired(void *arg)
{
	operation_run(arg);
}

int operation_retry(struct operation *op, uint64_t ms)
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

void operation_wait(struct operation *op, operation_done *done, void *arg)
{
	if (op->state != OPERATION_RUNNING) {
		done(op, arg);
		return;
	}
	op->done = done;
	op->done_arg = arg;
}

void operation_forget(struct operation *op, void *arg)
{
	if (op->done_arg == arg)
		op->done = NULL;
}

int operation_cancel(struct operation *op, struct error *e)
{
	const struct step *s = &op->steps[op->step];

	if (op->state != OPERATION_RUNNING || op->failure.class)
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
	int (*work)(struct hyper *h, struct operation *op, struct error *e);
	int fd, rc;
	struct error error;
	pthread_t thread;
	struct loop_source *source;
};

static void *work_thread(void *arg)
{
	struct work *w = arg;
	struct hyper *h = hyper_open(&w->error);
	uint64_t one = 1;

	w->rc = h ? w->work(h, w->op, &w->error) : -1;
	if (h)
		hyper_close(h);
	if (write(w->fd, &one, sizeof(one)) != sizeof(one))
		abort(); /* an eventfd takes a one */
	return NULL;
}

static void work_done(void *arg, uint32_t events)
{
	autofree struct work *w = arg;

	pthread_join(w->thread, NULL);
	loop_remove(w->source);
	close(w->fd);
	operation_answer(w->op, w->rc ? &w->error : NULL);
}

int operation_work(struct operation *op, bool in_thread,
		   int (*work)(struct hyper *h, struct operation *op, struct error *e))
{
	struct work *w;
	int rc;

	if (!in_thread)
		return work(op->node->hyper, op, &op->error);
	w = xmalloc(sizeof(*w));
	*w = (struct work){.op = op, .work = work, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	rc = w->fd < 0 ? errno : pthread_create(&w->thread, NULL, work_thread, w);
	if (!rc) {
		w->source = loop_fd(op->node->loop, w->fd, EPOLLIN, work_done, w);
		return STEP_WAIT;
	}
	if (w->fd >= 0)
		close(w->fd);
	free(w);
	return error_errno(&op->error, ERROR_NONE, rc, "no thread for %s", op->text);
}
