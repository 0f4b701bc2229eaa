/* SPDX-License-Identifier: MIT */
/* Operations on a running domain that need an answer: the guest's to a shutdown request, the back ends' to devices coming and going. */
#include "lib/base/text.h"
#include "lib/device/device.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/node_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- Shutdown ------------------------------------------------------------------------------------------------- */

enum { ANSWER_SECONDS = 60 };

struct shutdown {
	const char *reason;
	struct store_watch *watch;
};

static char *shutdown_path(const struct operation *op)
{
	return domain_path(op->domid, "/control/shutdown");
}

static enum step_result shutdown_ask(struct operation *op)
{
	const struct shutdown *s = op->data;
	char *path = shutdown_path(op);
	int rc = store_write(op->node->store, path, &op->error, "%s", s->reason);

	free(path);
	return rc ? STEP_FAILED : STEP_NEXT;
}

/* The guest takes the request away when it has seen it. */
static bool acknowledged(struct operation *op)
{
	char *path = shutdown_path(op), *value = store_read(op->node->store, path, NULL);
	bool yes = !value || !*value;

	free(path);
	free(value);
	return yes;
}

static void answer_came(void *arg, const char *path)
{
	operation_run(arg);
}

static enum step_result shutdown_wait(struct operation *op)
{
	struct domain *d = domain_by_uuid(op->node, op->uuid);
	struct shutdown *s = op->data;
	struct error e;

	if (!d || domain_refresh(op->node, d, false, &e) || domain_shutdown_reason(d) >= 0 ||
	    acknowledged(op))
		return STEP_NEXT;
	if (!s->watch) {
		char *path = shutdown_path(op);

		s->watch = store_watch(op->node->store, path, answer_came, op);
		store_flush(op->node->store, NULL);
		free(path);
	}
	if (time(NULL) - op->started_at < ANSWER_SECONDS)
		return operation_retry(op, 1000);
	error_set(&op->error, ERROR_RETRY, "domain %s did not answer within %d seconds", op->domain,
		  ANSWER_SECONDS);
	error_hint(
		&op->error,
		"its kernel may still be booting or not know the request; \"xm destroy %s\" asks nobody",
		op->domain);
	return STEP_FAILED;
}

static void shutdown_finish(struct operation *op)
{
	struct domain *d = domain_by_uuid(op->node, op->uuid);
	struct shutdown *s = op->data;

	store_unwatch(s->watch);
	if (op->state != OPERATION_DONE && d) {
		char *path = shutdown_path(op);

		d->ordered = false;
		store_write(op->node->store, path, NULL, "%s", ""); /* it is not to answer later */
		free(path);
	}
	free(s);
	op->data = NULL;
}

static const struct step shutdown_steps[] = {
	{"asking the guest", 0, shutdown_ask},
	{"waiting for the guest's answer", 10, shutdown_wait, operation_leave},
	{0},
};

struct operation *domain_shutdown(struct node *n, struct domain *d, const char *reason,
				  struct error *e)
{
	static const char *const known[] = {"poweroff", "halt", "reboot", "suspend"};
	struct operation *op;
	struct shutdown *s;
	size_t i = 0;

	while (i < 4 && strcmp(known[i], reason))
		i++;
	if (i == 4)
		error_set(e, ERROR_USAGE, "there is no way %s to shut down", reason);
	else if (!d->id)
		error_set(e, ERROR_CONFLICT, "domain 0 is this system: shut it down from within");
	else if (!d->present || domain_refresh(n, d, false, e) || domain_shutdown_reason(d) >= 0)
		error_set(e, ERROR_CONFLICT, "domain %s is not running", d->name);
	else if (d->info.flags & XEN_DOMINF_paused)
		error_set(e, ERROR_CONFLICT, "domain %s is paused and cannot answer", d->name);
	else
		goto good;
	return NULL;
good:
	op = operation_new(n, "shutdown", d, shutdown_steps, e);
	if (!op)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->reason = known[i];
	op->data = s;
	op->finish = shutdown_finish;
	d->ordered = true;
	operation_run(op);
	return op;
}

/* --- Devices -------------------------------------------------------------------------------------------------- */

struct change {
	struct disk_config disk; /* attaching one */
	struct nic_config nic;
	enum device_kind kind;
	bool force;
	long devid;
	struct device_op *device;
};

static void device_changed(void *arg, const struct error *e)
{
	struct operation *op = arg;

	((struct change *)op->data)->device = NULL;
	if (e)
		operation_fail(op, e);
	else
		operation_continue(op);
}

static enum step_result attach_device(struct operation *op)
{
	struct change *c = op->data;
	struct device_spec spec = {.disk = c->kind == DEVICE_VBD ? &c->disk : NULL,
				   .nic = c->kind == DEVICE_VIF ? &c->nic : NULL};

	c->device = device_attach(op->node->devices, op->domid, op->domain, &spec, 1,
				  device_changed, op, &op->error);
	return c->device ? STEP_WAIT : STEP_FAILED;
}

static void attach_abandon(struct operation *op)
{
	device_cancel(((struct change *)op->data)->device);
}

static enum step_result detach_device(struct operation *op)
{
	struct change *c = op->data;

	c->device = device_detach(op->node->devices, op->domid, op->domain, c->kind, c->devid,
				  c->force, device_changed, op, &op->error);
	return c->device ? STEP_WAIT : STEP_FAILED;
}

/* The configuration follows, so that a restart makes the same devices. */
static enum step_result keep_added(struct operation *op)
{
	struct domain *d = domain_by_uuid(op->node, op->uuid);
	struct change *c = op->data;
	struct domain_config *config = d ? d->config : NULL;

	if (!config)
		return STEP_NEXT;
	if (c->kind == DEVICE_VBD) {
		config->disks =
			xrealloc(config->disks, (config->nr_disks + 1) * sizeof(*config->disks));
		config->disks[config->nr_disks++] = c->disk;
		memset(&c->disk, 0, sizeof(c->disk));
	} else {
		config->nics =
			xrealloc(config->nics, (config->nr_nics + 1) * sizeof(*config->nics));
		config->nics[config->nr_nics++] = c->nic;
		memset(&c->nic, 0, sizeof(c->nic));
	}
	domain_announce(op->node, d, "changed");
	return record_save(op->node, d, &op->error) ? STEP_FAILED : STEP_NEXT;
}

static void forget_disk(struct domain_config *c, long devid)
{
	for (size_t i = 0; i < c->nr_disks; i++) {
		if (c->disks[i].devid != devid)
			continue;
		disk_free(&c->disks[i]);
		memmove(&c->disks[i], &c->disks[i + 1], (--c->nr_disks - i) * sizeof(c->disks[0]));
		return;
	}
}

static void forget_nic(struct domain_config *c, long devid)
{
	for (size_t i = 0; i < c->nr_nics; i++) {
		if (c->nics[i].devid != devid)
			continue;
		nic_free(&c->nics[i]);
		memmove(&c->nics[i], &c->nics[i + 1], (--c->nr_nics - i) * sizeof(c->nics[0]));
		return;
	}
}

static enum step_result keep_removed(struct operation *op)
{
	struct domain *d = domain_by_uuid(op->node, op->uuid);
	const struct change *c = op->data;

	if (!d || !d->config)
		return STEP_NEXT;
	if (c->kind == DEVICE_VBD)
		forget_disk(d->config, c->devid);
	else
		forget_nic(d->config, c->devid);
	domain_announce(op->node, d, "changed");
	return record_save(op->node, d, &op->error) ? STEP_FAILED : STEP_NEXT;
}

static void change_finish(struct operation *op)
{
	struct change *c = op->data;

	disk_free(&c->disk);
	nic_free(&c->nic);
	free(c);
	op->data = NULL;
}

static const struct step attach_steps[] = {
	{"connecting the device", 0, attach_device, attach_abandon},
	{"keeping it", 95, keep_added},
	{0},
};

static const struct step detach_steps[] = {
	{"removing the device", 0, detach_device},
	{"keeping that", 95, keep_removed},
	{0},
};

static struct operation *change_begin(struct node *n, const char *kind, struct domain *d,
				      const struct change *change, const struct step *steps,
				      struct error *e)
{
	struct operation *op = NULL;

	if (!d->present)
		error_set(e, ERROR_CONFLICT, "domain %s is not running", d->name);
	else
		op = operation_new(n, kind, d, steps, e);
	if (!op)
		return NULL;
	op->data = xmalloc(sizeof(*change));
	memcpy(op->data, change, sizeof(*change));
	op->finish = change_finish;
	operation_run(op);
	return op;
}

struct operation *domain_attach_disk(struct node *n, struct domain *d, struct disk_config *disk,
				     struct error *e)
{
	struct change change = {.kind = DEVICE_VBD, .disk = *disk, .devid = disk->devid};
	struct operation *op = change_begin(n, "attach", d, &change, attach_steps, e);

	if (!op)
		disk_free(disk);
	memset(disk, 0, sizeof(*disk));
	return op;
}

struct operation *domain_attach_nic(struct node *n, struct domain *d, struct nic_config *nic,
				    struct error *e)
{
	struct change change = {.kind = DEVICE_VIF};
	struct operation *op;

	if (nic->devid < 0 && d->present)
		nic->devid = device_next_id(n->store, d->id, DEVICE_VIF);
	if (!nic->mac) {
		nic->mac = xmalloc(18);
		device_random_mac(nic->mac);
	}
	change.nic = *nic;
	change.devid = nic->devid;
	op = change_begin(n, "attach", d, &change, attach_steps, e);
	if (!op)
		nic_free(nic);
	memset(nic, 0, sizeof(*nic));
	return op;
}

static int find_address(struct node *n, const struct domain *d, const char *mac, long *devid,
			struct error *e)
{
	struct device_info *list;
	bool found = false;
	size_t nr;

	if (device_list(n->store, d->id, DEVICE_VIF, &list, &nr, e))
		return -1;
	for (size_t i = 0; i < nr && !found; i++) {
		found = list[i].mac && !strcasecmp(list[i].mac, mac);
		if (found)
			*devid = list[i].devid;
	}
	device_list_free(list, nr);
	if (found)
		return 0;
	return error_set(e, ERROR_NOT_FOUND, "domain %s has no network device %s", d->name, mac);
}

struct operation *domain_detach(struct node *n, struct domain *d, const char *class,
				const char *device, bool force, struct error *e)
{
	struct change change = {.force = force, .devid = -1};

	if (!strcmp(class, "disk")) {
		change.kind = DEVICE_VBD;
		change.devid = vdev_number(device);
	} else if (!strcmp(class, "network")) {
		change.kind = DEVICE_VIF;
		if (!str_to_long(device, 0, 65535, &change.devid) &&
		    find_address(n, d, device, &change.devid, e))
			return NULL;
	}
	if (change.devid < 0) {
		error_set(e, ERROR_USAGE, "%s is no %s device", device, class);
		return NULL;
	}
	return change_begin(n, "detach", d, &change, detach_steps, e);
}
