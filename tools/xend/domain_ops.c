/* SPDX-License-Identifier: MIT */
/* Operations on a running domain that need an answer: the guest's to a shutdown request, the back ends' to devices coming and going. */
#include "xend/node_private.h"

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

static int shutdown_ask(struct operation *op)
{
	const struct shutdown *s = op->data;
	autofree char *path = shutdown_path(op);

	return store_write(op->node->store, path, &op->error, "%s", s->reason);
}

static void answer_came(void *arg, const char *path)
{
	operation_run(arg);
}

static int shutdown_wait(struct operation *op)
{
	autofree char *path = shutdown_path(op);
	autofree char *request = store_read(op->node->store, path, NULL);
	struct shutdown *s = op->data;

	/* The guest takes the request away when it has seen it. */
	if (domain_refresh(op->node, op->d, false, NULL) || domain_shutdown_reason(op->d) >= 0 ||
	    !request || !*request)
		return 0;
	if (!s->watch) {
		s->watch = store_watch(op->node->store, path, answer_came, op);
		store_flush(op->node->store, NULL);
	}
	if (time(NULL) - op->started_at < ANSWER_SECONDS)
		return operation_retry(op, 1000);
	error_set(&op->error, ERROR_RETRY, "domain %s did not answer within %d seconds", op->domain,
		  ANSWER_SECONDS);
	return error_hint(
		&op->error,
		"its kernel may still be booting or not know the request; \"xm destroy %s\" asks nobody",
		op->domain);
}

static void shutdown_finish(struct operation *op)
{
	autofree char *path = shutdown_path(op);
	struct shutdown *s = op->data;

	store_unwatch(s->watch);
	if (op->state != OPERATION_DONE) {
		op->d->ordered = false;
		store_write(op->node->store, path, NULL, "%s", ""); /* it is not to answer later */
	}
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
	struct operation *op = NULL;
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
	struct device_config config; /* to be attached; else only its kind counts */
	bool added, force;
	long devid;
};

int attach_devices(struct operation *op, const struct device_set *set)
{
	op->devices = device_attach(op->node->devices, op->domid, op->domain, set, operation_answer,
				    op, &op->error);
	return op->devices ? STEP_WAIT : -1;
}

/* Their completion comes from the loop and fails the operation. */
void abandon_devices(struct operation *op)
{
	device_cancel(op->devices);
}

static int attach_device(struct operation *op)
{
	const struct change *c = op->data;
	bool is_disk = c->config.kind == DEVICE_VBD;
	const struct device_set set = {&c->config.disk, &c->config.nic, is_disk, !is_disk};

	return attach_devices(op, &set);
}

static int detach_device(struct operation *op)
{
	const struct change *c = op->data;

	return device_detach(op->node->devices, op->domid, op->domain, c->config.kind, c->devid,
			     c->force, operation_answer, op, &op->error)
		       ? STEP_WAIT
		       : -1;
}

static void keep_added(struct domain_config *to, struct device_config *added)
{
	if (added->kind == DEVICE_VBD) {
		to->disks = xrealloc(to->disks, (to->nr_disks + 1) * sizeof(*to->disks));
		to->disks[to->nr_disks++] = added->disk;
	} else {
		to->nics = xrealloc(to->nics, (to->nr_nics + 1) * sizeof(*to->nics));
		to->nics[to->nr_nics++] = added->nic;
	}
	memset(added, 0, sizeof(*added));
}

static void keep_removed(struct domain_config *c, enum device_kind kind, long devid)
{
	for (size_t i = 0; kind == DEVICE_VBD && i < c->nr_disks; i++)
		if (c->disks[i].devid == devid) {
			spec_free(&disk_kind, &c->disks[i]);
			memmove(&c->disks[i], &c->disks[i + 1],
				(--c->nr_disks - i) * sizeof(c->disks[0]));
		}
	for (size_t i = 0; kind == DEVICE_VIF && i < c->nr_nics; i++)
		if (c->nics[i].devid == devid) {
			spec_free(&nic_kind, &c->nics[i]);
			memmove(&c->nics[i], &c->nics[i + 1],
				(--c->nr_nics - i) * sizeof(c->nics[0]));
		}
}

/* The configuration follows, so that a restart makes the same devices. */
static int keep(struct operation *op)
{
	struct domain_config *config = op->d->config;
	struct change *c = op->data;

	if (!config)
		return 0;
	if (c->added)
		keep_added(config, &c->config);
	else
		keep_removed(config, c->config.kind, c->devid);
	domain_announce(op->node, op->d, "changed");
	return domain_save(op->node, op->d, &op->error);
}

static void change_finish(struct operation *op)
{
	struct change *c = op->data;

	spec_free(&disk_kind, &c->config.disk);
	spec_free(&nic_kind, &c->config.nic);
}

static const struct step attach_steps[] = {
	{"connecting the device", 0, attach_device, abandon_devices},
	{"keeping it", 95, keep},
	{0},
};

static const struct step detach_steps[] = {
	{"removing the device", 0, detach_device},
	{"keeping that", 95, keep},
	{0},
};

static struct operation *change_begin(struct node *n, struct domain *d, const struct change *change,
				      struct error *e)
{
	struct operation *op = NULL;

	if (!domain_needs_running(d, e))
		op = operation_new(n, change->added ? "attach" : "detach", d,
				   change->added ? attach_steps : detach_steps, e);
	if (!op)
		return NULL;
	op->data = memcpy(xmalloc(sizeof(*change)), change, sizeof(*change));
	op->finish = change_finish;
	operation_run(op);
	return op;
}

struct operation *domain_attach(struct node *n, struct domain *d, struct device_config *device,
				struct error *e)
{
	struct nic_config *nic = &device->nic;
	struct change change = {.added = true};
	struct operation *op;

	if (device->kind == DEVICE_VIF && nic->devid < 0 && d->present)
		nic->devid = device_next_id(n->store, d->id, DEVICE_VIF);
	if (device->kind == DEVICE_VIF && !nic->mac)
		nic->mac = device_random_mac();
	change.config = *device;
	op = change_begin(n, d, &change, e);
	if (op)
		memset(device, 0, sizeof(*device));
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

struct operation *domain_detach(struct node *n, struct domain *d, enum device_kind kind,
				const char *device, bool force, struct error *e)
{
	struct change change = {.config.kind = kind, .force = force};

	if (kind == DEVICE_VBD)
		change.devid = vdev_number(device);
	else if (!str_to_long(device, 0, 65535, &change.devid) &&
		 find_address(n, d, device, &change.devid, e))
		return NULL;
	if (change.devid >= 0)
		return change_begin(n, d, &change, e);
	error_set(e, ERROR_USAGE, "%s is no disk device", device);
	return NULL;
}
