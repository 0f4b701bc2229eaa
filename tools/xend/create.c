/* SPDX-License-Identifier: MIT */
/*
 * The making of a domain, as steps. It has hold of its struct domain from the first one on, so nobody else drops it. Whatever fails,
 * destroy_steps take away what was made. A guest is unpaused last, when nothing is missing.
 */
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/builder/builder.h"
#include "lib/device/device.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/journal.h"
#include "xend/node_private.h"
#include "xend/settings.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SLACK_KB = 1024,	      /* above its memory, as the tools of Xen allow it */
	INLINE_BYTES = 2 << 20,	      /* larger kernels and RAM disks are a thread's work */
	INLINE_MEMORY_KB = 128 << 10, /* and so is much memory */
};

struct creation {
	struct domain *d;
	struct create_options options;
	struct builder_args args;
	struct builder_result built;
	char *cmdline;
	struct device_op *devices;
};

static struct domain *domain_of(struct operation *op)
{
	return ((struct creation *)op->data)->d;
}

static int write_journal(struct operation *op)
{
	struct journal_entry entry = {
		.id = op->id, .kind = "create", .name = op->domain, .domid = op->domid};

	memcpy(entry.uuid, op->uuid, sizeof(entry.uuid));
	return journal_write(journal_folder, &entry, &op->error);
}

/* --- The steps ------------------------------------------------------------------------------------------------ */

static int find_pool(struct node *n, const char *name, uint32_t *id, struct error *e)
{
	struct pool *pools;
	bool found = false;
	size_t nr;

	*id = 0;
	if (!name)
		return 0;
	if (node_pools(n, &pools, &nr, e))
		return -1;
	for (size_t i = 0; i < nr && !found; i++) {
		found = !strcmp(pools[i].name, name) || strtoul(name, NULL, 10) == pools[i].id;
		if (found)
			*id = pools[i].id;
	}
	free(pools);
	return found ? 0 : error_set(e, ERROR_CONFIG, "there is no CPU pool %s", name);
}

static int fill_create(struct node *n, const struct domain *d, struct xen_domctl_createdomain *c,
		       struct error *e)
{
	const struct domain_config *config = d->config;

	hyper_create_defaults(c);
	uuid_parse(d->uuid, c->handle);
	c->max_vcpus = (uint32_t)config->max_vcpus;
	if (config->max_event_channels)
		c->max_evtchn_port = (uint32_t)config->max_event_channels;
	c->max_grant_frames = (int32_t)config->max_grant_frames;
	c->max_maptrack_frames = (int32_t)config->max_maptrack_frames;
	if (config->max_grant_version > 0)
		c->grant_opts = XEN_DOMCTL_GRANT_version((uint32_t)config->max_grant_version);
	return find_pool(n, config->pool, &c->cpupool_id, e);
}

static enum step_result create_domain(struct operation *op)
{
	struct xen_domctl_createdomain c = {0};
	struct domain *d = domain_of(op);
	uint32_t domid = 0;

	if (fill_create(op->node, d, &c, &op->error) || write_journal(op))
		return STEP_FAILED;
	if (hyper_domain_create(op->node->hyper, &c, &domid, &op->error)) {
		journal_remove(journal_folder, op->id);
		return STEP_FAILED;
	}
	op->domid = domid;
	domain_place(op->node, d, domid);
	d->present = !hyper_domain_info(op->node->hyper, domid, &d->info, NULL);
	return write_journal(op) ? STEP_FAILED : STEP_NEXT;
}

static enum step_result create_memory(struct operation *op)
{
	const struct domain_config *c = domain_of(op)->config;

	/* A promise is limited by what the domain may have. */
	if (hyper_domain_set_max_memory(op->node->hyper, op->domid, c->max_memory_kb + SLACK_KB,
					&op->error))
		return STEP_FAILED;
	return balloon_claim(op, c->memory_kb);
}

static int build(struct hyper *h, struct operation *op, struct error *e)
{
	struct creation *creation = op->data;

	if (builder_build(h, op->domid, &creation->args, &creation->built, e))
		return -1;
	return hyper_memory_claim(h, op->domid, 0, NULL), 0;
}

static int build_in_thread(struct operation *op, struct error *e)
{
	struct hyper *h = hyper_open(e);
	int rc = h ? build(h, op, e) : -1;

	if (h)
		hyper_close(h);
	return rc;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return path && !stat(path, &st) ? st.st_size : 0;
}

static enum step_result create_image(struct operation *op)
{
	struct creation *creation = op->data;
	const struct domain_config *c = creation->d->config;

	creation->cmdline = config_cmdline(c);
	creation->args = (struct builder_args){
		.kernel = c->kernel,
		.ramdisk = c->ramdisk,
		.cmdline = creation->cmdline,
		.features = c->features,
		.memory_kb = c->memory_kb,
		.max_memory_kb = c->max_memory_kb + SLACK_KB,
		.vcpus = (unsigned int)c->max_vcpus,
	};
	if (size_of(c->kernel) + size_of(c->ramdisk) > INLINE_BYTES ||
	    c->memory_kb > INLINE_MEMORY_KB)
		return operation_work(op, build_in_thread);
	return build(op->node->hyper, op, &op->error) ? STEP_FAILED : STEP_NEXT;
}

static int64_t time_offset(const struct domain_config *c)
{
	time_t now = time(NULL);
	struct tm local;

	if (!c->localtime || !localtime_r(&now, &local))
		return c->rtc_timeoffset;
	return c->rtc_timeoffset + local.tm_gmtoff;
}

static enum step_result create_limits(struct operation *op)
{
	struct hyper *h = op->node->hyper;
	const struct domain *d = domain_of(op);
	int64_t offset = time_offset(d->config);

	if (cpus_apply(op->node, d, &op->error))
		return STEP_FAILED;
	if (d->config->tsc_mode &&
	    hyper_domain_set_tsc_mode(h, d->id, (unsigned int)d->config->tsc_mode, &op->error))
		return STEP_FAILED;
	if (offset && hyper_domain_set_time_offset(h, d->id, offset, &op->error))
		return STEP_FAILED;
	return STEP_NEXT;
}

static enum step_result create_nodes(struct operation *op)
{
	struct creation *creation = op->data;

	if (create_write_nodes(op->node, creation->d, &creation->built, &op->error))
		return STEP_FAILED;
	return STEP_NEXT;
}

static void devices_done(void *arg, const struct error *e)
{
	struct operation *op = arg;

	((struct creation *)op->data)->devices = NULL;
	if (e)
		operation_fail(op, e);
	else
		operation_continue(op);
}

static enum step_result create_devices(struct operation *op)
{
	struct creation *creation = op->data;
	struct domain *d = creation->d;
	const struct domain_config *c = d->config;
	size_t nr = 0, all = c->nr_disks + c->nr_nics + c->nr_vfbs;
	struct device_spec *specs;

	if (!all)
		return STEP_NEXT;
	specs = xcalloc(all, sizeof(*specs));
	for (size_t i = 0; i < c->nr_disks; i++)
		specs[nr++].disk = &c->disks[i];
	for (size_t i = 0; i < c->nr_nics; i++)
		specs[nr++].nic = &c->nics[i];
	for (size_t i = 0; i < c->nr_vfbs; i++)
		specs[nr++].vfb = &c->vfbs[i];
	creation->devices = device_attach(op->node->devices, d->id, d->name, specs, nr,
					  devices_done, op, &op->error);
	free(specs);
	return creation->devices ? STEP_WAIT : STEP_FAILED;
}

/* Its completion comes from the loop and fails the operation. */
static void abandon_devices(struct operation *op)
{
	device_cancel(((struct creation *)op->data)->devices);
}

static enum step_result create_start(struct operation *op)
{
	struct creation *creation = op->data;
	struct domain *d = creation->d;
	struct node *n = op->node;

	d->started_at = time(NULL);
	d->from_restart = creation->options.from_restart;
	if (record_save(n, d, &op->error))
		return STEP_FAILED;
	if (!creation->options.paused && hyper_domain_unpause(n->hyper, d->id, &op->error))
		return STEP_FAILED;
	journal_remove(journal_folder, op->id);
	domain_refresh(n, d, false, NULL);
	domain_announce(n, d, "created");
	return STEP_NEXT;
}

static const struct step create_steps[] = {
	{"making the domain", 0, create_domain},
	{"finding memory", 5, create_memory, operation_leave},
	{"building its image", 10, create_image},
	{"setting its limits", 60, create_limits},
	{"writing its nodes", 65, create_nodes},
	{"connecting its devices", 70, create_devices, abandon_devices},
	{"starting it", 95, create_start},
	{0},
};

static void create_finish(struct operation *op)
{
	struct creation *creation = op->data;

	free(creation->cmdline);
	free(creation);
	op->data = NULL;
	/* A making that failed before there was a domain has left its name in the model. */
	if (op->state != OPERATION_DONE && op->domid == DOMID_INVALID) {
		struct domain *d = domain_by_uuid(op->node, op->uuid);

		if (d && !d->managed)
			domain_drop(op->node, d);
	}
}

/* --- Beginning ------------------------------------------------------------------------------------------------ */

/* What can be seen to be wrong before anything is made. */
static int check(struct node *n, const struct domain_config *c, struct error *e)
{
	if (c->type != DOMAIN_PV)
		return error_set(e, ERROR_UNSUPPORTED, "domain %s: only PV guests can run yet",
				 c->name);
	if (c->bootloader && !c->kernel)
		return error_set(e, ERROR_UNSUPPORTED,
				 "domain %s: boot loaders are not run yet: name a kernel", c->name);
	if (!c->kernel)
		return error_set(e, ERROR_CONFIG, "domain %s has no kernel", c->name);
	if (access(c->kernel, R_OK))
		return error_errno(e, ERROR_CONFIG, errno, "kernel %s", c->kernel);
	if (c->ramdisk && access(c->ramdisk, R_OK))
		return error_errno(e, ERROR_CONFIG, errno, "RAM disk %s", c->ramdisk);
	return 0;
}

static struct operation *begin(struct node *n, struct domain *d,
			       const struct create_options *options, struct error *e)
{
	struct creation *creation;
	struct operation *op;

	if (check(n, d->config, e))
		return NULL;
	op = operation_new(n, "create", d, create_steps, e);
	if (!op)
		return NULL;
	creation = xcalloc(1, sizeof(*creation));
	creation->d = d;
	creation->options = *options;
	op->data = creation;
	op->undo = destroy_steps;
	op->finish = create_finish;
	operation_run(op);
	return op;
}

/* What the configuration leaves open is decided here, so that it stays the same at every restart. */
static void settle(struct domain_config *c)
{
	config_make_uuid(c);
	for (size_t i = 0; i < c->nr_nics; i++) {
		struct nic_config *nic = &c->nics[i];

		if (nic->devid < 0)
			nic->devid = (long)i;
		if (!nic->mac) {
			nic->mac = xmalloc(18);
			device_random_mac(nic->mac);
		}
	}
}

static int check_free(struct node *n, const struct domain_config *c, struct error *e)
{
	struct domain *d = c->name ? domain_by_name(n, c->name) : NULL;

	if (!c->name || !*c->name)
		return error_set(e, ERROR_CONFIG, "the domain has no name");
	if (!d && c->uuid)
		d = domain_by_uuid(n, c->uuid);
	if (!d)
		return 0;
	if (strcmp(d->name, c->name))
		error_set(e, ERROR_CONFLICT, "domain %s has the uuid %s already", d->name, c->uuid);
	else if (d->present)
		error_set(e, ERROR_CONFLICT, "domain %s exists already, with id %u", d->name,
			  d->id);
	else
		error_set(e, ERROR_CONFLICT, "domain %s exists already and is managed", d->name);
	if (!d->present && d->managed)
		error_hint(e, "\"xm start %s\" starts it, \"xm delete %s\" forgets it", d->name,
			   d->name);
	return -1;
}

/* Moves the content of @c into a new domain of the model. */
static struct domain *take_config(struct node *n, struct domain_config *c)
{
	struct domain *d = domain_add(n, c->name, c->uuid);

	d->config = xmalloc(sizeof(*c));
	*d->config = *c;
	config_init(c, CONFIG_XM);
	return d;
}

static void discard(struct domain_config *c)
{
	config_free(c);
	config_init(c, CONFIG_XM);
}

struct operation *domain_create(struct node *n, struct domain_config *config,
				const struct create_options *options, struct error *e)
{
	struct operation *op;
	struct domain *d;

	if (check_free(n, config, e) || check(n, config, e)) {
		discard(config);
		return NULL;
	}
	settle(config);
	d = take_config(n, config);
	d->managed = options->managed;
	if (d->managed && managed_save(n, d, e)) {
		domain_drop(n, d);
		return NULL;
	}
	op = begin(n, d, options, e);
	if (!op && !d->managed)
		domain_drop(n, d);
	return op;
}

struct operation *domain_start(struct node *n, struct domain *d, bool paused, struct error *e)
{
	const struct create_options options = {.paused = paused, .managed = true};

	if (d->id != DOMID_INVALID) {
		error_set(e, ERROR_CONFLICT, "domain %s runs already, with id %u", d->name, d->id);
		return NULL;
	}
	return begin(n, d, &options, e);
}

struct domain *domain_define(struct node *n, struct domain_config *config, struct error *e)
{
	struct domain *d = config->name ? domain_by_name(n, config->name) : NULL;

	if (!d && config->uuid)
		d = domain_by_uuid(n, config->uuid);
	if (d && d->managed && !d->operation && d->id == DOMID_INVALID)
		return domain_set_config(n, d, config, e) ? NULL : d;
	if (check_free(n, config, e)) {
		discard(config);
		return NULL;
	}
	settle(config);
	d = take_config(n, config);
	d->managed = true;
	if (!managed_save(n, d, e))
		return d;
	domain_drop(n, d);
	return NULL;
}

/* --- Making anew ---------------------------------------------------------------------------------------------- */

struct restart {
	struct domain_config config;
	struct create_options options;
	struct operation *part;
};

static void part_done(struct operation *part, void *arg)
{
	struct operation *op = arg;
	struct restart *r = op->data;

	r->part = NULL;
	memcpy(op->uuid, part->uuid, sizeof(op->uuid));
	op->domid = part->domid;
	if (part->state == OPERATION_DONE)
		operation_continue(op);
	else
		operation_fail(op, &part->error);
}

static enum step_result wait_for(struct operation *op, struct operation *part)
{
	struct restart *r = op->data;

	if (!part)
		return STEP_FAILED;
	r->part = part;
	operation_wait(part, part_done, op);
	return STEP_WAIT;
}

static enum step_result restart_destroy(struct operation *op)
{
	struct domain *d = domain_by_id(op->node, op->domid);
	struct restart *r = op->data;
	struct journal_entry entry = {
		.id = op->id, .kind = "restart", .name = op->domain, .domid = op->domid};
	int rc;

	memcpy(entry.uuid, op->uuid, sizeof(entry.uuid));
	entry.config = config_to_json(&r->config);
	rc = journal_write(journal_folder, &entry, &op->error);
	json_decref(entry.config);
	if (rc)
		return STEP_FAILED;
	if (!d)
		return STEP_NEXT;
	if (d->operation && !strcmp(d->operation->kind, "destroy"))
		return wait_for(op, d->operation);
	return wait_for(op, domain_destroy(op->node, d, &op->error));
}

static enum step_result restart_create(struct operation *op)
{
	struct restart *r = op->data;
	struct domain *d = domain_by_uuid(op->node, r->config.uuid);

	if (d && d->managed && d->id == DOMID_INVALID)
		return wait_for(op, begin(op->node, d, &r->options, &op->error));
	return wait_for(op, domain_create(op->node, &r->config, &r->options, &op->error));
}

static void restart_finish(struct operation *op)
{
	struct restart *r = op->data;

	/* Where stopping is what ended it, the next xend carries on. */
	if (op->state == OPERATION_DONE || !op->node->stopping)
		journal_remove(journal_folder, op->id);
	config_free(&r->config);
	free(r);
	op->data = NULL;
}

static const struct step restart_steps[] = {
	{"destroying it", 0, restart_destroy},
	{"making it anew", 30, restart_create},
	{0},
};

struct operation *restart_begin(struct node *n, const char *kind, struct domain *d,
				struct domain_config *config, const struct create_options *options,
				struct error *e)
{
	struct operation *op = operation_new(n, kind, NULL, restart_steps, e);
	struct restart *r;

	if (!op) {
		discard(config);
		return NULL;
	}
	op->domain = xstrdup(config->name);
	memcpy(op->uuid, config->uuid, sizeof(op->uuid));
	op->domid = d ? d->id : DOMID_INVALID;
	r = xcalloc(1, sizeof(*r));
	r->config = *config;
	r->options = *options;
	config_init(config, CONFIG_XM);
	op->data = r;
	op->finish = restart_finish;
	operation_run(op);
	return op;
}

struct operation *domain_reset(struct node *n, struct domain *d, struct error *e)
{
	struct create_options options = {.managed = d->managed};
	struct domain_config copy;

	if (!d->config || d->id == DOMID_INVALID) {
		error_set(e, ERROR_CONFLICT, "domain %s %s", d->name,
			  d->config ? "is not running" : "was not made by xend");
		return NULL;
	}
	config_copy(&copy, d->config);
	return restart_begin(n, "reset", d, &copy, &options, e);
}
