/* SPDX-License-Identifier: MIT */
/*
 * Operations on devices. An operation is a set of jobs, one a device, that go through their steps beside each other, each driven by the
 * watch on its back end's state, by its script's end and by one timer. Attaching turns into removing where one of the jobs fails; the
 * operation ends when no job has a step left, and its callback comes from a timer so that it never comes too early.
 */
#include "lib/device/internal.h"

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
	set->dev = set->dev ?: "/dev";
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
		store_values_free(op->jobs[i].known, BACK_NODES);
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

/* --- Removing ------------------------------------------------------------------------------------------- */

/* Tells the back ends to close, in one transaction; forced, after taking the front ends away. */
static int put_closing(struct store *s, void *arg, struct error *e)
{
	struct device_op *op = arg;

	for (size_t i = 0; i < op->nr; i++) {
		struct job *j = &op->jobs[i];

		j->state = store_read_long(s, j->at.path[AT_STATE], -1);
		j->asked = j->state >= 0;
		if (op->force)
			store_put_removed(s, j->at.path[AT_FRONT]);
		if (j->state >= 0)
			store_put(s, j->at.path[AT_BACK], "online", "0");
		if (j->state >= 0 && j->state != XenbusStateClosed)
			store_put(s, j->at.path[AT_STATE], NULL, "%d", XenbusStateClosing);
	}
	return 0;
}

static int read_scripts(struct device_op *op, struct error *e)
{
	int rc = 0;

	for (struct job *j = op->jobs; j < op->jobs + op->nr && !rc; j++) {
		store_values_free(j->known, BACK_NODES);
		rc = store_read_each(op->ds->store, j->at.path[AT_BACK], back_nodes, BACK_NODES,
				     j->known, e);
	}
	return rc;
}

/* Removes the nodes of the operation's devices, and the folders that are empty then. */
static int put_gone(struct store *s, void *arg, struct error *e)
{
	struct device_op *op = arg;

	for (size_t i = 0; i < op->nr * AT_STATE; i++) {
		char *path = op->jobs[i / AT_STATE].at.path[i % AT_STATE];
		autofree char *up = xstrdup(path), **names = NULL;
		size_t nr;

		store_put_removed(s, path);
		*strrchr(up, '/') = '\0';
		if (store_list(s, up, &names, &nr, e))
			return -1;
		if (!nr)
			store_put_removed(s, up);
	}
	return 0;
}

/* Everything a domain's devices can have left anywhere. */
static int put_all_gone(struct store *s, void *arg, struct error *e)
{
	const struct device_op *op = arg;

	for (int kind = 0; kind < DEVICE_KINDS; kind++) {
		struct nodes any;

		nodes_init(&any, op->domid, kind,
			   1); /* the folders it is in are those of the kind */
		for (int i = 0; i < AT_STATE; i++) {
			*strrchr(any.path[i], '/') = '\0';
			store_put_removed(s, any.path[i]);
		}
		nodes_free(&any);
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
		if (op->jobs[i].step)
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
	autofree char *folder =
		xasprintf("/local/domain/0/backend/%s/%u", device_kind_name(kind), op->domid);
	autofree char **names = NULL;
	size_t nr;
	long devid;
	int rc = store_list(op->ds->store, folder, &names, &nr, e);

	op->jobs = xrealloc(op->jobs, (op->nr + nr) * sizeof(*op->jobs));
	for (size_t i = 0; i < nr; i++)
		if (str_to_long(names[i], 0, INT32_MAX, &devid))
			op_job(op, kind, devid);
	return rc;
}

struct device_op *device_destroy_all(struct devices *ds, uint32_t domid, const char *name,
				     device_done *done, void *arg)
{
	struct device_op *op = op_new(ds, domid, name, 0, done, arg);

	op->removing = op->force = op->all = true;
	if (find_devices(op, DEVICE_VBD, &op->error) || find_devices(op, DEVICE_VIF, &op->error))
		op_progress(op);
	else
		op_remove(op);
	return op;
}

struct device_op *device_detach(struct devices *ds, uint32_t domid, const char *name,
				enum device_kind kind, long devid, bool force, device_done *done,
				void *arg, struct error *e)
{
	struct device_op *op = op_new(ds, domid, name, 1, done, arg);
	struct job *j = op_job(op, kind, devid);
	char *values[2] = {NULL};
	int rc;

	op->force = force;
	rc = store_read_each(ds->store, "", (const char *const *)&j->at.path[AT_BACK], 2, values,
			     e);
	if (!rc && !values[0] && !values[1])
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

/*
 * xen-blkfront calls every disk xvd*. Where domain 0 has that name already, a link for a disk of the Xen below, say, it would go on to
 * lead to the other disk.
 */
static int check_name(const struct device_op *op, const struct disk_config *disk, struct error *e)
{
	autofree char *name = op->domid ? NULL : vdev_name(disk->devid), *path = NULL;
	const char *letters = name ? strchr(name, 'd') : NULL;

	path = letters ? xasprintf("%s/xv%s", op->ds->set.dev, letters) : NULL;
	if (!path || access(path, F_OK))
		return 0;
	error_set(e, ERROR_CONFLICT, "domain 0 has a %s already", path);
	return error_hint(e, "give the disk another name, such as xvdz");
}

static int add_jobs(struct device_op *op, const struct device_set *set, struct error *e)
{
	for (size_t i = 0; i < set->nr_disks; i++) {
		const struct disk_config *disk = &set->disks[i];

		op_job(op, DEVICE_VBD, disk->devid)->empty = disk->format == DISK_FORMAT_EMPTY;
		if (disk_servable(op->ds, disk, e) || check_name(op, disk, e))
			return error_prefix(e, "disk %s of %s", disk->vdev, op->name);
	}
	for (size_t i = 0; i < set->nr_nics; i++) {
		op_job(op, DEVICE_VIF, set->nics[i].devid);
		if (nic_servable(op->ds, &set->nics[i], e))
			return error_prefix(e, "network interface of %s", op->name);
	}
	op->set = set;
	return 0;
}

/* None of the devices may be there; what /libxl does not know of is an earlier crash's and goes. */
static int check_absent(struct store *s, const struct device_op *op, struct error *e)
{
	autofree const char **names = xcalloc(op->nr, sizeof(*names));
	autofree char **values = xcalloc(op->nr, sizeof(*values));
	int rc;

	for (size_t i = 0; i < op->nr; i++)
		names[i] = op->jobs[i].at.path[AT_LIBXL];
	rc = store_read_each(s, "", names, op->nr, values, e);
	for (size_t i = 0; i < op->nr && !rc; i++)
		if (values[i])
			rc = error_set(e, ERROR_CONFLICT, "%s already has a %s %ld", op->name,
				       device_kind_name(op->jobs[i].at.kind), op->jobs[i].at.devid);
	store_values_free(values, op->nr);
	return rc;
}

static int put_devices(struct store *s, void *arg, struct error *e)
{
	struct device_op *op = arg;
	const struct device_set *set = op->set;

	if (check_absent(s, op, e))
		return -1;
	for (size_t i = 0; i < op->nr; i++)
		if (i < set->nr_disks)
			put_disk(op->ds, &op->jobs[i].at, &set->disks[i]);
		else
			put_nic(op->ds, &op->jobs[i].at, &set->nics[i - set->nr_disks]);
	return 0;
}

struct device_op *device_attach(struct devices *ds, uint32_t domid, const char *name,
				const struct device_set *set, device_done *done, void *arg,
				struct error *e)
{
	struct device_op *op = op_new(ds, domid, name, set->nr_disks + set->nr_nics, done, arg);

	if (add_jobs(op, set, e) || (op->nr && store_transaction(ds->store, put_devices, op, e))) {
		op_free(op);
		return NULL;
	}
	for (size_t i = 0; i < op->nr; i++)
		job_wait_state(&op->jobs[i], STEP_INIT_WAIT);
	op->force = true;
	if (read_scripts(op, &op->error) || store_flush(ds->store, &op->error))
		op_remove(op);
	else
		op_progress(op);
	return op;
}
