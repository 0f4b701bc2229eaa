/* SPDX-License-Identifier: MIT */
/* The engine of steps: waiting, retrying, callbacks that come early, failing with undo, cancelling, threads, waiters, what is kept. */
/* links: xend/operation.c lib/base */
/* libs: -lpthread */
#include "unit.h"

#include "lib/base/text.h"
#include "lib/hyper/hyper.h"
#include "xend/node_private.h"

#include <stdlib.h>
#include <string.h>

static struct node node;
static struct domain domain;
static char trace[200];
static int retries;

struct hyper *hyper_open(struct error *e)
{
	return (struct hyper *)&node;
}

void hyper_close(struct hyper *h)
{
}

static void note(const char *what)
{
	strcat(trace, what);
}

static int next(struct operation *op)
{
	note("n");
	return 0;
}

static int miss(struct operation *op)
{
	note("f");
	error_set(&op->error, ERROR_FAILED, "no luck");
	return -1;
}

static int again(struct operation *op)
{
	note("r");
	return ++retries < 3 ? operation_retry(op, 1) : 0;
}

/* The answer is there before the step says that it waits for it. */
static int early(struct operation *op)
{
	note("e");
	operation_continue(op);
	return STEP_WAIT;
}

static int early_failure(struct operation *op)
{
	struct error e;

	note("E");
	error_set(&e, ERROR_RETRY, "too soon");
	operation_fail(op, &e);
	return STEP_WAIT;
}

static int forever(struct operation *op)
{
	note("w");
	return operation_retry(op, 100000);
}

static int undo(struct operation *op)
{
	note("u");
	return 0;
}

static int work(struct hyper *h, struct operation *op, struct error *e)
{
	return op->data ? error_set(e, ERROR_CONFIG, "bad work") : 0;
}

static int in_thread(struct operation *op)
{
	note("t");
	return operation_work(op, true, work);
}

static void ended(struct operation *op, void *arg)
{
	note(operation_state_name(op->state));
	if (arg)
		loop_stop(arg);
}

static struct operation *begin(const struct step *steps, const struct step *undo_steps)
{
	struct operation *op = operation_new(&node, "test", &domain, steps, NULL);

	trace[0] = '\0';
	retries = 0;
	assert_non_null(op);
	op->undo = undo_steps;
	operation_run(op);
	return op;
}

static void finish(struct operation *op)
{
	if (op->state == OPERATION_RUNNING) {
		operation_wait(op, ended, node.loop);
		loop_run(node.loop);
	} else {
		operation_wait(op, ended, NULL);
	}
	assert_null(domain.operation);
}

static const struct step undo_steps[] = {
	{"undoing", 0, undo}, {"undoing", 0, miss}, {"undoing", 0, undo}, {0}};

static void test_steps(void **state)
{
	static const struct step plain[] = {{"one", 0, next},
					    {"two", 50, early},
					    {"three", 60, again},
					    {"four", 90, next},
					    {0}};
	struct operation *op = begin(plain, NULL);

	assert_ptr_equal(domain.operation, op);
	assert_int_equal(op->progress, 60);
	assert_string_equal(op->text, "three");
	assert_null(operation_new(&node, "test", &domain, plain, &(struct error){0}));
	finish(op);
	assert_string_equal(trace, "nerrrndone");
	assert_int_equal(op->progress, 100);
	assert_ptr_equal(operation_find(&node, op->id), op);
}

static void test_failures(void **state)
{
	static const struct step failing[] = {{"one", 0, next}, {"two", 0, miss}, {0}};
	static const struct step early_failing[] = {
		{"one", 0, early_failure}, {"two", 0, next}, {0}};
	struct operation *op = begin(failing, undo_steps);

	finish(op);
	assert_string_equal(trace, "nfufufailed");
	assert_string_equal(op->error.text, "no luck");
	op = begin(early_failing, NULL);
	finish(op);
	assert_string_equal(trace, "Efailed");
	assert_int_equal(op->error.class, ERROR_RETRY);
}

static void test_cancel(void **state)
{
	static const struct step waiting[] = {
		{"waiting", 0, forever, operation_leave}, {"two", 0, next}, {0}};
	static const struct step stubborn[] = {{"waiting", 0, again}, {0}};
	struct operation *op = begin(waiting, undo_steps);
	struct error e;

	assert_int_equal(operation_cancel(op, &e), 0);
	finish(op);
	assert_string_equal(trace, "wufucancelled");
	assert_int_equal(operation_cancel(op, &e), -1);
	op = begin(stubborn, NULL);
	assert_int_equal(operation_cancel(op, &e), -1);
	assert_int_equal(e.class, ERROR_CONFLICT);
	finish(op);
	assert_string_equal(trace, "rrrdone");
}

static void test_threads(void **state)
{
	static const struct step threaded[] = {{"working", 0, in_thread}, {"two", 0, next}, {0}};
	struct operation *op = begin(threaded, NULL);

	finish(op);
	assert_string_equal(trace, "tndone");
	trace[0] = '\0';
	op = operation_new(&node, "test", &domain, threaded, NULL);
	op->data = xstrdup("bad");
	operation_run(op);
	finish(op);
	assert_string_equal(trace, "tfailed");
	assert_string_equal(op->error.text, "bad work");
}

static void test_forget_and_keep(void **state)
{
	static const struct step waiting[] = {{"waiting", 0, again}, {0}};
	static const struct step plain[] = {{"one", 0, next}, {0}};
	struct operation *op = begin(waiting, NULL);
	unsigned int nr = 0;

	operation_wait(op, ended, &node);
	operation_forget(op, &node);
	finish(op);
	assert_string_equal(trace, "rrrdone");
	for (int i = 0; i < 3 * OPERATIONS_KEPT; i++)
		begin(plain, NULL);
	for (op = operation_next(&node, NULL); op; op = operation_next(&node, op))
		nr++;
	assert_int_equal(nr, OPERATIONS_KEPT + 1);
	node.stopping = true;
	assert_null(operation_new(&node, "create", NULL, plain, &(struct error){0}));
	node.stopping = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_cancel),		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_forget_and_keep),
	};
	int rc;

	node.loop = loop_new();
	domain.name = (char *)"web";
	strcpy(domain.uuid, "u");
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	while (node.operations) {
		struct operation *op = node.operations;

		node.operations = op->next;
		free(op->domain);
		free(op);
	}
	loop_free(node.loop);
	return rc;
}
