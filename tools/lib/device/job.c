/* SPDX-License-Identifier: MIT */
/*
 * One device on its way up or down: which script runs when, what the back end's states mean, what is said when it does not move. Each
 * step ends by an event or by its time; a job that fails tells its operation, which decides what becomes of the others.
 */
#include "lib/device/internal.h"

#include "lib/base/log.h"

#include <sys/wait.h>

enum { TICK_MS = 5 };

static const char *const step_words[] = {
	[STEP_INIT_WAIT] = "waiting for the back end",
	[STEP_SCRIPT] = "waiting for the script",
	[STEP_OPENED] = "waiting for the back end to open the disk",
	[STEP_CLOSED] = "waiting for the back end to close",
	[STEP_LAST_SCRIPT] = "waiting for the script",
};

/* The job does @step from now on, and waits for nothing of before. */
void job_step(struct job *j, enum step step)
{
	loop_remove(j->timer);
	script_stop(j->running);
	j->timer = NULL;
	j->running = NULL;
	j->step = step;
	j->since = loop_now();
	if (step == STEP_SCRIPT || step == STEP_OPENED)
		return;
	if (j->op->ds->turn == j)
		j->op->ds->turn = NULL;
	store_unwatch(j->watch);
	j->watch = NULL;
}

static void job_prefix(const struct job *j, struct error *e)
{
	error_prefix(e, "%s %ld of %s", device_kind_name(j->at.kind), j->at.devid, j->op->name);
	log_warning("%s", e->text);
}

/* Nothing left to do for the job but what is done for all together. */
static void job_end(struct job *j)
{
	job_step(j, STEP_NONE);
	op_progress(j->op);
}

/* The job has failed: an attaching operation turns round, of a removing one this device fails alone. */
void job_fail(struct job *j, struct error *e)
{
	struct device_op *op = j->op;

	job_prefix(j, e);
	if (!op->error.class)
		op->error = *e;
	if (op->removing) {
		job_end(j);
	} else {
		op->force = true;
		op_remove(op);
	}
}

/* Which message the script or the drivers left. Owned by the caller; NULL: none. */
static char *job_cause(struct job *j)
{
	static const struct {
		enum node_path at;
		const char *name;
	} places[] = {{AT_BACK, "hotplug-error"}, {AT_ERROR, "error"}, {AT_FRONT_ERROR, "error"}};
	char *cause = NULL;

	for (int i = 0; i < 3 && (!cause || !*cause); i++) {
		autofree char *path = xasprintf("%s/%s", j->at.path[places[i].at], places[i].name);

		free(cause);
		cause = store_read(j->op->ds->store, path, NULL);
	}
	if (cause && *cause && cause[strlen(cause) - 1] == '.')
		cause[strlen(cause) - 1] = '\0';
	return cause;
}

/* --- Scripts -------------------------------------------------------------------------------------------- */

static const char *script_action(const struct job *j)
{
	static const char *const actions[2][2] = {{"add", "remove"}, {"online", "offline"}};

	return actions[j->at.kind == DEVICE_VIF][j->op->removing];
}

const char *const back_nodes[BACK_NODES] = {"script", "gatewaydev", "params", "mode", "node",
					    "bridge", "vifname",    "mtu",    "ip"};

static void job_script_ended(void *arg, int status, char *answer, const char *said);

static int job_script(struct job *j, enum step step, struct error *e)
{
	bool is_vif = j->at.kind == DEVICE_VIF;
	char *script = j->known[BACK_SCRIPT];
	char *argv[] = {script, (char *)script_action(j), is_vif ? (char *)"type_if=vif" : NULL,
			NULL};
	const char *kind = device_kind_name(j->at.kind);
	struct text known = {0};

	text_str(&known, "PONCHO_KNOWN=");
	for (int i = BACK_OTHERS; i < BACK_NODES; i++)
		if (j->known[i])
			text_printf(&known, "%s=%s\n", back_nodes[i], j->known[i]);
	char *env[] = {
		xstrdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
		xstrdup("LANG=C"),
		xasprintf("script=%s", script),
		xasprintf("XENBUS_TYPE=%s", kind),
		xasprintf("XENBUS_PATH=backend/%s/%u/%ld", kind, j->at.domid, j->at.devid),
		xstrdup("XENBUS_BASE_PATH=backend"),
		text_take(&known),
		is_vif ? xasprintf("vif=vif%u.%ld", j->at.domid, j->at.devid) : NULL,
		is_vif ? xasprintf("netdev=%s", j->known[BACK_GATEWAYDEV] ?: "") : NULL,
		NULL,
	};

	job_step(j, step);
	j->running = script_start(j->op->ds, argv, env, job_script_ended, j, e);
	store_values_free(env, sizeof(env) / sizeof(env[0]));
	return j->running ? 0 : -1;
}

/* Writes the script's answer, "NAME VALUE" lines, into the back end. */
static void put_answer(struct job *j, char *answer)
{
	for (char *line = strtok(answer, "\n"); line; line = strtok(NULL, "\n")) {
		char *value = strchr(line, ' ');

		if (value)
			*value++ = '\0';
		if (value && !strchr(line, '/'))
			store_put(j->op->ds->store, j->at.path[AT_BACK], line, "%s", value);
	}
}

/* -1: why the script's end is none to go on from. */
static int script_judge(struct job *j, int end, const char *said, struct error *e)
{
	autofree char *path = xasprintf("%s/hotplug-status", j->at.path[AT_BACK]), *cause = NULL;
	autofree char *status = NULL;
	bool exited = WIFEXITED(end), busy;

	/* what it says at the end of a device is what it said at its beginning */
	if (!j->op->removing)
		status = store_read(j->op->ds->store, path, NULL);
	busy = status && !strcmp(status, "busy");
	if (!end && !busy && (!status || strcmp(status, "error")))
		return 0;
	if (!j->op->removing)
		cause = job_cause(j);
	if (end < 0)
		error_set(e, ERROR_FAILED, "script %s %s was not done after %u s",
			  j->known[BACK_SCRIPT], script_action(j), j->op->ds->set.script_ms / 1000);
	else if (cause || *said)
		error_set(e, busy ? ERROR_CONFLICT : ERROR_FAILED, "%s", cause ?: said);
	else
		error_set(e, ERROR_FAILED, "script %s %s ended with %s %d and no message",
			  j->known[BACK_SCRIPT], script_action(j), exited ? "status" : "signal",
			  exited ? WEXITSTATUS(end) : end);
	return error_hint(e, "see %s", j->op->ds->set.log);
}

static void job_wait(struct job *j, enum step step, unsigned int ms, unsigned int first);

static void job_script_ended(void *arg, int status, char *answer, const char *said)
{
	struct job *j = arg;
	struct store *s = j->op->ds->store;
	struct error e;
	int rc;

	j->running = NULL;
	put_answer(j, answer);
	rc = script_judge(j, status, said, &e);
	if (j->op->removing) {
		if (rc)
			job_prefix(j, &e);
		job_end(j);
		return;
	}
	if (!rc) {
		store_put(s, j->at.path[AT_BACK], "hotplug-status", "connected");
		rc = store_flush(s, &e);
	}
	if (rc)
		job_fail(j, &e);
	else if (j->at.kind == DEVICE_VBD && !j->empty)
		job_wait(j, STEP_OPENED, j->op->ds->set.state_ms, TICK_MS);
	else
		job_end(j);
}

/* --- Steps ---------------------------------------------------------------------------------------------- */

/* Whether the back end's driver has the device with @name in sysfs. */
static bool driver_has(const struct job *j, const char *name)
{
	autofree char *path =
		xasprintf("%s/bus/xen-backend/devices/%s-%u-%ld/%s", j->op->ds->set.sys,
			  device_kind_name(j->at.kind), j->at.domid, j->at.devid, name);

	return !access(path, F_OK);
}

static void job_begin_script(struct job *j)
{
	struct devices *ds = j->op->ds;
	struct error e;

	if (j->at.kind == DEVICE_VBD && ds->turn && ds->turn != j) {
		j->until = loop_now() + ds->set.state_ms; /* others' time is not its own */
		loop_timer_set(j->timer, TICK_MS);
		return;
	}
	if (j->at.kind == DEVICE_VBD)
		ds->turn = j;
	if (job_script(j, STEP_SCRIPT, &e))
		job_fail(j, &e);
}

/* The back end has let go, or is not waited for any longer. */
static void job_closed(struct job *j)
{
	struct error e;

	if (j->known[BACK_SCRIPT] && !job_script(j, STEP_LAST_SCRIPT, &e))
		return;
	if (j->known[BACK_SCRIPT])
		job_prefix(j, &e);
	job_end(j);
}

static void job_refused(struct job *j)
{
	autofree char *cause = job_cause(j);
	struct error e;

	error_set(&e, ERROR_FAILED, "the back end refused it, state %ld: %s", j->state,
		  cause ?: "it does not say why");
	job_fail(j, &e);
}

/* Looks whether what the job waits for is there. */
static void job_check(struct job *j)
{
	bool leaving = j->state < 0 || j->state >= XenbusStateClosing;

	if (j->step == STEP_CLOSED) {
		if ((leaving && j->state != XenbusStateClosing) || !driver_has(j, "driver"))
			job_closed(j);
	} else if (!j->op->removing && leaving) {
		job_refused(j);
	} else if (j->step == STEP_INIT_WAIT && j->state >= XenbusStateInitWait) {
		/* a network interface comes a moment after the state */
		if (j->at.kind == DEVICE_VBD || driver_has(j, "net"))
			job_begin_script(j);
		else
			loop_timer_set(j->timer, TICK_MS);
	} else if (j->step == STEP_OPENED) {
		if (driver_has(j, "physical_device"))
			job_end(j);
		else
			loop_timer_set(j->timer, TICK_MS);
	}
}

static void state_changed(void *arg, const char *path)
{
	struct job *j = arg;

	j->state = store_read_long(j->op->ds->store, j->at.path[AT_STATE], -1);
	job_check(j);
}

static void job_expired(void *arg)
{
	autofree char *cause = NULL;
	struct job *j = arg;
	struct error e;

	if (loop_now() < j->until) {
		job_check(j);
		return;
	}
	cause = job_cause(j);
	error_set(&e, ERROR_FAILED, "%s took longer than %lu s, state %ld%s%s", step_words[j->step],
		  (unsigned long)(j->until - j->since) / 1000, j->state, cause ? ": " : "",
		  cause ?: "");
	if (j->step == STEP_CLOSED && j->op->force) {
		job_prefix(j, &e);
		job_closed(j);
		return;
	}
	if (j->step == STEP_CLOSED)
		error_hint(&e, "the guest still uses it; --force takes it away regardless");
	job_fail(j, &e);
}

/* The step may take @ms; its first check without a change of state is after @first, others where job_check() says so. */
static void job_wait(struct job *j, enum step step, unsigned int ms, unsigned int first)
{
	job_step(j, step);
	j->until = j->since + ms;
	j->timer = loop_timer(j->op->ds->loop, first, false, job_expired, j);
}

void job_wait_state(struct job *j, enum step step)
{
	job_wait(j, step, j->op->ds->set.state_ms, j->op->ds->set.state_ms);
	j->watch = store_watch(j->op->ds->store, j->at.path[AT_STATE], state_changed, j);
}
