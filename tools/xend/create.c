/* SPDX-License-Identifier: MIT */
/*
 * The making of a domain, as steps; of one that runs already (a reset, a restart) behind those of its end. It has hold of its struct
 * domain from the first one on, so nobody else drops it. Whatever fails, destroy_steps take away what was made. A guest is unpaused last,
 * when nothing is missing.
 */
#include "lib/builder/builder.h"
#include "xend/node_private.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SLACK_KB = 1024,	      /* above its memory, as the tools of Xen allow it */
	INLINE_BYTES = 2 << 20,	      /* larger kernels and RAM disks are a thread's work */
	INLINE_MEMORY_KB = 128 << 10, /* and so is much memory */
};

struct creation {
	bool paused;
	struct builder_args args;
	struct builder_result built;
};

/* --- The steps ------------------------------------------------------------------------------------------------ */

static int fill_create(struct node *n, const struct domain *d, struct xen_domctl_createdomain *c,
		       struct error *e)
{
	const struct domain_config *config = d->config;
	struct pool pool = {0};

	if (config->pool && node_pool_find(n, config->pool, &pool, e))
		return -1;
	*c = (struct xen_domctl_createdomain){
		.max_vcpus = (uint32_t)config->max_vcpus,
		.max_evtchn_port = (uint32_t)(config->max_event_channels ?: 1023),
		.max_grant_frames = (int32_t)config->max_grant_frames,
		.max_maptrack_frames = (int32_t)config->max_maptrack_frames,
		.grant_opts = XEN_DOMCTL_GRANT_version(
			config->max_grant_version > 0 ? (uint32_t)config->max_grant_version : 2),
		.cpupool_id = pool.id,
	};
	uuid_parse(d->uuid, c->handle);
	return 0;
}

/* Written down first: where we are killed between the two, the next xend finds the domain by its uuid. */
static int create_domain(struct operation *op)
{
	struct domain *d = op->d;
	struct xen_domctl_createdomain c;
	uint32_t domid = 0;

	op->domid = DOMID_INVALID; /* no longer the last one's */
	op->undo = destroy_steps;
	strcpy(d->doing, op->kind);
	if (fill_create(op->node, d, &c, &op->error) || record_save(d, &op->error) ||
	    hyper_domain_create(op->node->hyper, &c, &domid, &op->error))
		return -1;
	op->domid = domid;
	domain_place(op->node, d, domid);
	d->present = !hyper_domain_info(op->node->hyper, domid, &d->info, NULL);
	return record_save(d, &op->error);
}

static int create_memory(struct operation *op)
{
	const struct domain_config *c = op->d->config;

	/* A promise is limited by what the domain may have. */
	if (hyper_domain_do(op->node->hyper, XEN_DOMCTL_max_mem, op->domid,
			    c->max_memory_kb + SLACK_KB, &op->error))
		return -1;
	return balloon_claim(op, c->memory_kb);
}

static int build(struct hyper *h, struct operation *op, struct error *e)
{
	struct creation *creation = op->data;

	if (builder_build(h, op->domid, &creation->args, &creation->built, e))
		return -1;
	hyper_memory_claim(h, op->domid, 0, NULL);
	return 0;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return path && !stat(path, &st) ? st.st_size : 0;
}

static int create_image(struct operation *op)
{
	struct creation *creation = op->data;
	const struct domain_config *c = op->d->config;

	creation->args = (struct builder_args){
		.kernel = c->kernel,
		.ramdisk = c->ramdisk,
		.cmdline = config_cmdline(c),
		.features = c->features,
		.memory_kb = c->memory_kb,
		.max_memory_kb = c->max_memory_kb + SLACK_KB,
		.vcpus = (unsigned int)c->max_vcpus,
	};
	return operation_work(op,
			      size_of(c->kernel) + size_of(c->ramdisk) > INLINE_BYTES ||
				      c->memory_kb > INLINE_MEMORY_KB,
			      build);
}

static int64_t time_offset(const struct domain_config *c)
{
	time_t now = time(NULL);
	struct tm local;

	if (!c->localtime || !localtime_r(&now, &local))
		return c->rtc_timeoffset;
	return c->rtc_timeoffset + local.tm_gmtoff;
}

static int create_limits(struct operation *op)
{
	struct hyper *h = op->node->hyper;
	const struct domain_config *c = op->d->config;
	int64_t offset = time_offset(c);
	int rc = cpus_apply(op->node, op->d, &op->error);

	if (!rc && c->tsc_mode)
		rc = hyper_domain_do(h, XEN_DOMCTL_settscinfo, op->domid, (uint64_t)c->tsc_mode,
				     &op->error);
	if (!rc && offset)
		rc = hyper_domain_do(h, XEN_DOMCTL_settimeoffset, op->domid, (uint64_t)offset,
				     &op->error);
	return rc;
}

static int create_nodes(struct operation *op)
{
	const struct creation *creation = op->data;

	return create_write_nodes(op->node, op->d, &creation->built, &op->error);
}

static int create_devices(struct operation *op)
{
	const struct domain_config *c = op->d->config;
	const struct device_set set = {c->disks, c->nics, c->nr_disks, c->nr_nics};

	return attach_devices(op, &set);
}

static int create_start(struct operation *op)
{
	const struct creation *creation = op->data;
	struct domain *d = op->d;

	if (!creation->paused &&
	    hyper_domain_do(op->node->hyper, XEN_DOMCTL_unpausedomain, d->id, 0, &op->error))
		return -1;
	d->started_at = time(NULL);
	d->from_restart = !strcmp(op->kind, "restart");
	d->doing[0] = '\0';
	if (record_save(d, &op->error))
		return -1;
	domain_refresh(op->node, d, false, NULL);
	domain_announce(op->node, d, "created");
	return 0;
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
	free((char *)((struct creation *)op->data)->args.cmdline);
}

/* --- Beginning ------------------------------------------------------------------------------------------------ */

/* What can be seen to be wrong before anything is made, and config_check() did not see. */
static int check(const struct domain_config *c, struct error *e)
{
	if (!c->kernel)
		return error_set(e, ERROR_UNSUPPORTED,
				 "domain %s: boot loaders are not run yet: name a kernel", c->name);
	if (access(c->kernel, R_OK))
		return error_errno(e, ERROR_CONFIG, errno, "kernel %s", c->kernel);
	if (c->ramdisk && access(c->ramdisk, R_OK))
		return error_errno(e, ERROR_CONFIG, errno, "RAM disk %s", c->ramdisk);
	return 0;
}

struct operation *domain_make(struct node *n, const char *kind, struct domain *d, bool paused,
			      struct error *e)
{
	struct creation *creation;
	struct operation *op = NULL;

	if (!check(d->config, e))
		op = operation_new(n, kind, d, create_steps, e);
	if (!op)
		return NULL;
	creation = xcalloc(1, sizeof(*creation));
	creation->paused = paused;
	op->data = creation;
	op->finish = create_finish;
	if (d->id != DOMID_INVALID) {
		op->steps = destroy_steps;
		op->then = create_steps;
	}
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
		if (!nic->mac)
			nic->mac = device_random_mac();
	}
}

/* Who has its name or its uuid. */
static struct domain *find_same(struct node *n, const struct domain_config *c)
{
	struct domain *d = domain_by_name(n, c->name);

	return d || !c->uuid ? d : domain_by_uuid(n, c->uuid);
}

static int check_free(const struct domain *d, const struct domain_config *c, struct error *e)
{
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

/* A domain of the model with the content of @c. */
static struct domain *add(struct node *n, struct domain_config *c, bool managed, struct error *e)
{
	struct domain *d;

	if (check_free(find_same(n, c), c, e))
		return NULL;
	settle(c);
	d = domain_add(n, c->name, c->uuid);
	domain_take_config(d, c);
	d->managed = managed;
	if (!managed || !managed_save(n, d, e))
		return d;
	domain_drop(n, d);
	return NULL;
}

struct operation *domain_create(struct node *n, struct domain_config *config, bool paused,
				bool managed, struct error *e)
{
	struct domain *d = check(config, e) ? NULL : add(n, config, managed, e);
	struct operation *op = d ? domain_make(n, "create", d, paused, e) : NULL;

	if (d && !op && !d->managed)
		domain_drop(n, d);
	return op;
}

struct operation *domain_start(struct node *n, struct domain *d, bool paused, struct error *e)
{
	if (d->id == DOMID_INVALID)
		return domain_make(n, "create", d, paused, e);
	error_set(e, ERROR_CONFLICT, "domain %s runs already, with id %u", d->name, d->id);
	return NULL;
}

struct operation *domain_reset(struct node *n, struct domain *d, struct error *e)
{
	if (d->config && d->id != DOMID_INVALID)
		return domain_make(n, "reset", d, false, e);
	error_set(e, ERROR_CONFLICT, "domain %s %s", d->name,
		  d->config ? "is not running" : "was not made by xend");
	return NULL;
}

struct domain *domain_define(struct node *n, struct domain_config *config, struct error *e)
{
	struct domain *d = find_same(n, config);

	if (d && d->managed && !d->operation && d->id == DOMID_INVALID)
		return domain_set_config(n, d, config, e) ? NULL : d;
	return add(n, config, true, e);
}
