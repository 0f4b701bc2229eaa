/* SPDX-License-Identifier: MIT */
/*
 * Operations on devices. An operation is a set of jobs, one a device, that go through their steps beside each other, each driven by the
 * watch on its back end's state, by its script's end and by one timer. Attaching turns into removing where one of the jobs fails; the
 * operation ends when no job has a step left, and its callback comes from a timer so that it never comes too early.
 */
#include "lib/device/job.h"

#include "lib/base/log.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { END_MS = 1 };

/* --- Operations as such ------------------------------------------------------------------------------- */

struct devices *devices_new(struct loop *loop, struct store *store,
			    const struct device_settings *settings)
{
	struct devices *ds = xcalloc(1, sizeof(*ds));
	struct device_settings *set = &ds->set;

	ds->loop = loop;
	ds->store = store;
	*set = settings ? *settings : (struct device_settings){0};
	set->script_folder = set->script_folder ?: "/etc/xen/scripts";
	set->vif_script = set->vif_script ?: "vif-bridge";
	set->bridge = set->bridge ?: "xenbr0";
	set->log = set->log ?: "/var/log/xen/xen-hotplug.log";
	set->sys = set->sys ?: "/sys";
	set->script_ms = set->script_ms ?: 10000;
	set->state_ms = set->state_ms ?: 10000;
	return ds;
}

static void op_free(struct device_op *op)
{
	struct device_op **at = &op->ds->ops;

	while (*at != op)
		at = &(*at)->next;
	*at = op->next;
	for (size_t i = 0; i < op->nr; i++) {
		job_step(&op->jobs[i], STEP_NONE);
		nodes_free(&op->jobs[i].at);
		free(op->jobs[i].script);
		free(op->jobs[i].gatewaydev);
		free(op->jobs[i].known);
	}
	loop_remove(op->end);
	free(op->jobs);
	free(op->name);
	free(op);
}

void devices_free(struct devices *ds)
{
	while (ds->ops)
		op_free(ds->ops);
	free(ds);
}

static struct device_op *op_new(struct devices *ds, uint32_t domid, const char *name, size_t most,
				device_done *done, void *arg)
{
	struct device_op *op = xmalloc(sizeof(*op));

	*op = (struct device_op){
		.ds = ds, .next = ds->ops, .domid = domid, .done = done, .arg = arg};
	op->name = xstrdup(name);
	op->jobs = xcalloc(most, sizeof(*op->jobs));
	ds->ops = op;
	return op;
}

static struct job *op_job(struct device_op *op, enum device_kind kind, long devid)
{
	struct job *j = &op->jobs[op->nr++];

	*j = (struct job){.op = op, .state = -1};
	nodes_init(&j->at, op->domid, kind, devid);
	return j;
}

static void op_ended(void *arg)
{
	struct device_op *op = arg;
	struct error e = op->error;
	device_done *done = op->done;
	void *done_arg = op->arg;

	op_free(op);
	done(done_arg, e.class ? &e : NULL);
}

char *device_op_text(const struct device_op *op)
{
	const struct job *j = NULL;
	struct text t = {0};

	for (size_t i = 0; i < op->nr; i++)
		if (job_waits(&op->jobs[i]) && (!j || op->jobs[i].since < j->since))
			j = &op->jobs[i];
	if (!j)
		return xasprintf("devices of %s: done", op->name);
	text_printf(&t, "%s %ld of %s: %s", device_kind_name(j->at.kind), j->at.devid, op->name,
		    step_words[j->step]);
	if (j->running)
		text_printf(&t, " %s", j->script);
	else if (j->state >= 0)
		text_printf(&t, ", state %ld", j->state);
	text_printf(&t, " since %lu s", (unsigned long)(loop_now() - j->since) / 1000);
	return text_take(&t);
}

/* --- Removing ------------------------------------------------------------------------------------------- */

/* Tells the back ends to close, in one transaction; forced, after taking the front ends away. */
static int put_closing(struct store *s, void *arg, struct error *e)
{
	struct device_op *op = arg;

	for (size_t i = 0; i < op->nr; i++) {
		struct job *j = &op->jobs[i];

		j->state = store_read_long(s, j->at.path[AT_STATE], -1);
		j->asked = j->state >= 0 && j->at.kind <= DEVICE_VIF;
		if (op->force)
			store_put_removed(s, j->at.path[AT_FRONT]);
		if (j->state >= 0)
			store_put(s, j->at.path[AT_BACK], "online", "0");
		if (j->state >= 0 && j->state != STATE_CLOSED)
			store_put(s, j->at.path[AT_STATE], NULL, "%d", STATE_CLOSING);
	}
	return 0;
}

/* What the scripts need to know of the devices, from their back ends: after a restart nothing else is left of it. */
static int read_scripts(struct device_op *op, struct error *e)
{
	static const char *const names[] = {"script", "gatewaydev", "params", "mode", "node",
					    "bridge", "vifname",    "mtu",    "ip"};
	enum { NAMES = sizeof(names) / sizeof(names[0]) };

	for (size_t i = 0; i < op->nr; i++) {
		struct job *j = &op->jobs[i];
		struct text known = {0};
		char *values[NAMES];

		if (j->at.kind > DEVICE_VIF)
			continue;
		if (store_read_each(op->ds->store, j->at.path[AT_BACK], names, NAMES, values, e))
			return -1;
		for (int n = 2; n < NAMES; n++)
			if (values[n])
				text_printf(&known, "%s=%s\n", names[n], values[n]);
		free(j->script);
		free(j->gatewaydev);
		free(j->known);
		j->script = values[0];
		j->gatewaydev = values[1];
		j->known = text_take(&known);
		store_values_free(values + 2, NAMES - 2);
	}
	return 0;
}

/* Removes the nodes of the operation's devices, and the folders that are empty then. */
static int put_gone(struct store *s, void *arg, struct error *e)
{
	struct device_op *op = arg;

	for (size_t i = 0; i < op->nr * AT_STATE; i++) {
		char *path = op->jobs[i / AT_STATE].at.path[i % AT_STATE], **names;
		size_t nr;
		int rc;

		store_put_removed(s, path);
		*strrchr(path, '/') = '\0';
		rc = store_list(s, path, &names, &nr, e);
		if (!rc && !nr)
			store_put_removed(s, path);
		path[strlen(path)] = '/';
		free(names);
		if (rc)
			return rc;
	}
	return 0;
}

/* Everything a domain's devices can have left anywhere. */
static int put_all_gone(struct store *s, void *arg, struct error *e)
{
	struct device_op *op = arg;
	struct nodes n;

	for (int kind = 0; kind < DEVICE_KINDS; kind++) {
		nodes_init(&n, op->domid, kind, 1);
		for (int i = AT_BACK; i < AT_STATE; i++) {
			*strrchr(n.path[i], '/') = '\0';
			store_put_removed(s, n.path[i]);
		}
		*strrchr(n.path[AT_LIBXL], '/') = '\0';
		*strrchr(n.path[AT_FRONT], '/') = '\0';
		*strrchr(n.path[AT_FRONT], '/') = '\0';
		store_put_removed(s, n.path[AT_FRONT]);
		store_put_removed(s, n.path[AT_LIBXL]);
		nodes_free(&n);
	}
	return 0;
}

/* Makes the operation one that removes its devices. */
void op_remove(struct device_op *op)
{
	struct store *s = op->ds->store;
	struct error e = {0};

	op->removing = true;
	for (size_t i = 0; i < op->nr; i++)
		job_step(&op->jobs[i], STEP_NONE);
	if (op->nr && !read_scripts(op, &e) && !store_transaction(s, put_closing, op, &e)) {
		for (size_t i = 0; i < op->nr; i++)
			if (op->jobs[i].asked)
				job_wait_state(&op->jobs[i], STEP_CLOSED);
		store_flush(s, &e);
	}
	if (!op->error.class)
		op->error = e;
	op_progress(op);
}

/* Ends the operation when its jobs are through. */
void op_progress(struct device_op *op)
{
	struct error e = {0};

	for (size_t i = 0; i < op->nr; i++)
		if (job_waits(&op->jobs[i]))
			return;
	if (op->end)
		return;
	if (op->removing && (op->force || !op->error.class))
		store_transaction(op->ds->store, op->all ? put_all_gone : put_gone, op, &e);
	if (!op->error.class)
		op->error = e;
	op->end = loop_timer(op->ds->loop, END_MS, false, op_ended, op);
}

/* One job for each device of @kind that has a back end. */
static int find_devices(struct device_op *op, enum device_kind kind, struct error *e)
{
	char *folder =
		xasprintf("/local/domain/0/backend/%s/%u", device_kind_name(kind), op->domid);
	char **names;
	size_t nr;
	long devid;
	int rc = store_list(op->ds->store, folder, &names, &nr, e);

	op->jobs = xrealloc(op->jobs, (op->nr + nr) * sizeof(*op->jobs));
	for (size_t i = 0; i < nr; i++)
		if (str_to_long(names[i], 0, INT32_MAX, &devid))
			op_job(op, kind, devid);
	free(names);
	free(folder);
	return rc;
}

/* The domain is going: whatever is under way for it ends now, without clearing up. */
static void abandon(struct device_op *op)
{
	for (size_t i = 0; i < op->nr; i++)
		job_step(&op->jobs[i], STEP_NONE);
	if (op->end)
		return;
	if (!op->error.class)
		error_set(&op->error, ERROR_CONFLICT, "%s is being destroyed", op->name);
	op->end = loop_timer(op->ds->loop, END_MS, false, op_ended, op);
}

struct device_op *device_destroy_all(struct devices *ds, uint32_t domid, const char *name,
				     device_done *done, void *arg)
{
	struct device_op *op;

	for (op = ds->ops; op; op = op->next)
		if (op->domid == domid)
			abandon(op);
	op = op_new(ds, domid, name, 0, done, arg);
	op->removing = op->force = op->all = true;
	if (find_devices(op, DEVICE_VBD, &op->error) || find_devices(op, DEVICE_VIF, &op->error))
		op_progress(op);
	else
		op_remove(op);
	return op;
}

static bool is_busy(const struct devices *ds, uint32_t domid, enum device_kind kind, long devid)
{
	for (struct device_op *op = ds->ops; op; op = op->next)
		for (size_t i = 0; i < op->nr && op->domid == domid; i++)
			if (op->jobs[i].at.kind == kind && op->jobs[i].at.devid == devid)
				return true;
	return false;
}

struct device_op *device_detach(struct devices *ds, uint32_t domid, const char *name,
				enum device_kind kind, long devid, bool force, device_done *done,
				void *arg, struct error *e)
{
	bool busy = is_busy(ds, domid, kind, devid);
	struct device_op *op = op_new(ds, domid, name, 1, done, arg);
	struct job *j = op_job(op, kind, devid);
	char *values[2] = {NULL};
	int rc;

	op->force = force;
	rc = store_read_each(ds->store, "", (const char *const *)&j->at.path[AT_BACK], 2, values,
			     e);
	if (!rc && busy)
		rc = error_set(e, ERROR_CONFLICT, "%s %ld of %s is just being attached or detached",
			       device_kind_name(kind), devid, name);
	else if (!rc && !values[0] && !values[1])
		rc = error_set(e, ERROR_NOT_FOUND, "%s has no %s %ld", name, device_kind_name(kind),
			       devid);
	store_values_free(values, 2);
	if (rc) {
		op_free(op);
		return NULL;
	}
	op_remove(op);
	return op;
}

void device_cancel(struct device_op *op)
{
	struct error e;

	if (op->removing || op->end)
		return;
	error_set(&e, ERROR_FAILED, "cancelled");
	job_fail(&op->jobs[0], &e);
}

/* --- Attaching ------------------------------------------------------------------------------------------ */

static int spec_check(const struct devices *ds, const struct device_spec *spec, const char *name,
		      struct error *e)
{
	if (spec->disk && disk_servable(ds, spec->disk, e))
		return error_prefix(e, "disk %s of %s", spec->disk->vdev, name);
	if (spec->nic && nic_servable(ds, spec->nic, e))
		return error_prefix(e, "network interface of %s", name);
	return 0;
}

/* The number @wanted, or, where that is none, the first free one behind those given here already. */
static long pick_id(struct device_op *op, enum device_kind kind, long wanted, long *next)
{
	if (wanted >= 0)
		return wanted;
	if (*next < 0)
		*next = device_next_id(op->ds->store, op->domid, kind);
	return (*next)++;
}

static void add_jobs(struct device_op *op, const struct device_spec *spec, long *next)
{
	struct job *j;

	if (spec->disk) {
		j = op_job(op, DEVICE_VBD, spec->disk->devid);
		j->empty = spec->disk->format == DISK_FORMAT_EMPTY;
	} else if (spec->nic) {
		op_job(op, DEVICE_VIF, pick_id(op, DEVICE_VIF, spec->nic->devid, &next[0]));
	} else {
		j = op_job(op, DEVICE_VFB, pick_id(op, DEVICE_VFB, -1, &next[1]));
		op_job(op, DEVICE_VKBD, j->at.devid);
	}
}

/* None of the devices may be there; what /libxl does not know of is an earlier crash's and goes. */
static int check_absent(struct store *s, const struct device_op *op, struct error *e)
{
	const char **names = xcalloc(op->nr, sizeof(*names));
	char **values = xcalloc(op->nr, sizeof(*values));
	int rc;

	for (size_t i = 0; i < op->nr; i++)
		names[i] = op->jobs[i].at.path[AT_LIBXL];
	rc = store_read_each(s, "", names, op->nr, values, e);
	for (size_t i = 0; i < op->nr && !rc; i++)
		if (values[i])
			rc = error_set(e, ERROR_CONFLICT, "%s already has a %s %ld", op->name,
				       device_kind_name(op->jobs[i].at.kind), op->jobs[i].at.devid);
	store_values_free(values, op->nr);
	free(names);
	free(values);
	return rc;
}

static int put_devices(struct store *s, void *arg, struct error *e)
{
	struct device_op *op = arg;
	const struct device_spec *spec = op->specs;

	if (check_absent(s, op, e))
		return -1;
	for (size_t i = 0; i < op->nr; i++, spec++) {
		struct nodes *at = &op->jobs[i].at;

		if (spec->disk) {
			put_disk(op->ds, at, spec->disk);
		} else if (spec->nic) {
			put_nic(op->ds, at, spec->nic);
		} else {
			put_vfb(op->ds, at, spec->vfb);
			put_vkbd(op->ds, &op->jobs[++i].at);
		}
	}
	return 0;
}

struct device_op *device_attach(struct devices *ds, uint32_t domid, const char *name,
				const struct device_spec *specs, size_t nr, device_done *done,
				void *arg, struct error *e)
{
	struct device_op *op = op_new(ds, domid, name, 2 * nr, done, arg);
	long next[2] = {-1, -1};
	int rc = 0;

	for (size_t i = 0; i < nr && !rc; i++) {
		rc = spec_check(ds, &specs[i], name, e);
		add_jobs(op, &specs[i], next);
	}
	op->specs = specs;
	if (!rc && nr)
		rc = store_transaction(ds->store, put_devices, op, e);
	if (rc) {
		op_free(op);
		return NULL;
	}
	for (size_t i = 0; i < op->nr; i++)
		if (op->jobs[i].at.kind <= DEVICE_VIF)
			job_wait_state(&op->jobs[i], STEP_INIT_WAIT);
	op->force = true;
	if (read_scripts(op, &op->error) || store_flush(ds->store, &op->error))
		op_remove(op);
	else
		op_progress(op);
	return op;
}
