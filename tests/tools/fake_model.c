/* SPDX-License-Identifier: MIT */
/* See fake_model.h. */
#include "fake_model.h"

#include "lib/base/text.h"
#include "lib/device/device.h"
#include "lib/hyper/hyper.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned int fake_delay_ms, fake_waiting;
bool fake_fail;
char fake_last[256];

#define SAY(...) snprintf(fake_last, sizeof(fake_last), __VA_ARGS__)

struct domain *fake_add(struct node *n, const char *name, const char *uuid, bool present)
{
	struct domain **p = &n->domains, *d = xcalloc(1, sizeof(*d));
	uint32_t id = 0;

	for (; *p && ((*p)->present || !present); p = &(*p)->next)
		id = (*p)->id + 1;
	d->next = *p;
	*p = d;
	d->id = present ? id : DOMID_INVALID;
	d->present = present;
	d->name = xstrdup(name);
	snprintf(d->uuid, sizeof(d->uuid), "%s", uuid);
	d->started_at = 1700000000;
	d->info.tot_pages = present ? 32768 : 0;
	d->info.cpu_time = 1234567890123;
	d->info.flags = XEN_DOMINF_running;
	return d;
}

struct node *fake_new(struct loop *loop)
{
	struct node *n = xcalloc(1, sizeof(*n));
	struct domain *web, *old;

	n->loop = loop;
	n->ready = true;
	n->next_operation = 1;
	fake_add(n, "Domain-0", "00000000-0000-0000-0000-000000000000", true);
	web = fake_add(n, "web", FAKE_WEB_UUID, true);
	web->config = xcalloc(1, sizeof(*web->config));
	config_init(web->config, CONFIG_XL);
	web->config->name = xstrdup("web");
	old = fake_add(n, "old", FAKE_OLD_UUID, false);
	old->managed = true;
	fake_delay_ms = 0;
	fake_fail = false;
	*fake_last = '\0';
	return n;
}

static void domain_free(struct domain *d)
{
	if (d->config)
		config_free(d->config);
	free(d->config);
	free(d->console_tty);
	free(d->name);
	free(d);
}

void fake_free(struct node *n)
{
	for (struct domain *d = n->domains, *next; d; d = next) {
		next = d->next;
		domain_free(d);
	}
	for (struct operation *op = n->operations, *next; op; op = next) {
		next = op->next;
		loop_remove(op->timer);
		free(op->domain);
		free(op);
	}
	free(n);
}

/* --- Events ----------------------------------------------------------------------------------------------- */

void fake_event(struct node *n, const char *what)
{
	const struct event event = {
		.kind = EVENT_DOMAIN, .what = what, .domain = domain_by_name(n, "web")};

	if (n->notify)
		n->notify(n->notify_arg, &event);
}

/* --- Operations ------------------------------------------------------------------------------------------- */

const char *operation_state_name(enum operation_state state)
{
	return (const char *[]){"running", "done", "failed", "cancelled"}[state];
}

struct operation *operation_next(struct node *n, struct operation *op)
{
	return op ? op->next : n->operations;
}

struct operation *operation_find(struct node *n, uint64_t id)
{
	struct operation *op = n->operations;

	while (op && op->id != id)
		op = op->next;
	return op;
}

static void end(void *arg)
{
	struct operation *op = arg;

	loop_remove(op->timer);
	op->timer = NULL;
	if (op->state == OPERATION_RUNNING)
		op->state = OPERATION_DONE;
	if (fake_fail) {
		fake_fail = false;
		op->state = OPERATION_FAILED;
		error_set(&op->error, ERROR_CONFLICT, "%s of %s did not work", op->kind,
			  op->domain);
	}
	op->text = "";
	op->progress = 100;
	op->ended_at = 1700000001;
	if (op->done) {
		fake_waiting--;
		op->done(op, op->done_arg);
	}
}

static struct operation *begin(struct node *n, const char *kind, const struct domain *d)
{
	struct operation *op = xcalloc(1, sizeof(*op));

	SAY("%s %s", kind, d->name);
	op->id = n->next_operation++;
	op->kind = kind;
	op->domain = xstrdup(d->name);
	op->text = "working";
	op->node = n;
	snprintf(op->uuid, sizeof(op->uuid), "%s", d->uuid);
	op->next = n->operations;
	n->operations = op;
	if (fake_delay_ms)
		op->timer = loop_timer(n->loop, fake_delay_ms, false, end, op);
	else
		end(op);
	return op;
}

void operation_wait(struct operation *op, operation_done *done, void *arg)
{
	if (op->state != OPERATION_RUNNING) {
		done(op, arg);
		return;
	}
	op->done = done;
	op->done_arg = arg;
	fake_waiting++;
}

void operation_forget(struct operation *op, void *arg)
{
	op->done = NULL;
	fake_waiting--;
}

int operation_cancel(struct operation *op, struct error *e)
{
	if (op->state != OPERATION_RUNNING)
		return error_set(e, ERROR_CONFLICT, "the operation has ended");
	op->state = OPERATION_CANCELLED;
	error_set(&op->error, ERROR_FAILED, "cancelled");
	end(op);
	return 0;
}

/* --- Domains ------------------------------------------------------------------------------------------------ */

int domains_refresh(struct node *n, struct error *e)
{
	return 0;
}

struct domain *domain_next(struct node *n, struct domain *d)
{
	return d ? d->next : n->domains;
}

#define FIND(condition)                                     \
	for (struct domain *d = n->domains; d; d = d->next) \
		if (condition)                              \
			return d;                           \
	return NULL

struct domain *domain_by_id(struct node *n, uint32_t id)
{
	FIND(d->id == id);
}

struct domain *domain_by_uuid(struct node *n, const char *uuid)
{
	FIND(!strcmp(d->uuid, uuid));
}

struct domain *domain_by_name(struct node *n, const char *name)
{
	FIND(!strcmp(d->name, name));
}

struct domain *domain_find(struct node *n, const char *which, struct error *e)
{
	struct domain *d = domain_by_name(n, which);
	long id;

	if (!d && str_to_long(which, 0, 32751, &id))
		d = domain_by_id(n, (uint32_t)id);
	if (!d)
		d = domain_by_uuid(n, which);
	if (!d)
		error_set(e, ERROR_NOT_FOUND, "there is no domain %.100s", which);
	return d;
}

struct domain *domain_find_running(struct node *n, const char *which, struct error *e)
{
	struct domain *d = domain_find(n, which, e);

	if (d && !d->present) {
		error_set(e, ERROR_CONFLICT, "domain %.100s is not running", which);
		return NULL;
	}
	return d;
}

int domain_refresh(struct node *n, struct domain *d, bool tty, struct error *e)
{
	if (tty && !d->console_tty && d->present)
		d->console_tty = xstrdup("/dev/pts/3");
	return 0;
}

void domain_state(const struct domain *d, char out[7])
{
	strcpy(out, !d->present				? "------"
		    : d->info.flags & XEN_DOMINF_paused ? "--p---"
							: "r-----");
}

int domain_shutdown_reason(const struct domain *d)
{
	return -1;
}

uint64_t domain_memory_kb(const struct domain *d)
{
	return d->info.tot_pages * 4;
}

uint64_t domain_max_memory_kb(const struct domain *d)
{
	return d->id ? 131072 : UINT64_MAX;
}

uint64_t domain_target_kb(struct node *n, const struct domain *d)
{
	return 131072;
}

unsigned int domain_vcpus_online(const struct domain *d)
{
	return 1;
}

unsigned int domain_vcpus_max(const struct domain *d)
{
	return 2;
}

const char *node_pool_name(struct node *n, uint32_t id)
{
	return "Pool-0";
}

int domain_vcpus(struct node *n, struct domain *d, struct vcpu_state **out, size_t *nr,
		 struct error *e)
{
	struct vcpu_state *v = xcalloc(2, sizeof(*v));

	for (uint32_t i = 0; i < 2; i++)
		v[i] = (struct vcpu_state){.vcpu = i,
					   .cpu = 1,
					   .online = !i,
					   .cpu_ns = 500000000,
					   .hard.word[0] = 3,
					   .soft.word[1] = 1};
	*out = v;
	*nr = 2;
	return 0;
}

int domain_scheduler(struct node *n, struct domain *d, struct scheduler_values *out,
		     struct error *e)
{
	*out = (struct scheduler_values){"credit", 256, 0};
	return 0;
}

int domain_pause(struct node *n, struct domain *d, struct error *e)
{
	SAY("pause %s", d->name);
	d->info.flags |= XEN_DOMINF_paused;
	fake_event(n, "paused");
	return 0;
}

int domain_unpause(struct node *n, struct domain *d, struct error *e)
{
	SAY("unpause %s", d->name);
	d->info.flags &= ~XEN_DOMINF_paused;
	fake_event(n, "unpaused");
	return 0;
}

int domain_trigger(struct node *n, struct domain *d, const char *trigger, uint32_t vcpu,
		   struct error *e)
{
	SAY("trigger %s %u", trigger, vcpu);
	return 0;
}

int domain_sysrq(struct node *n, struct domain *d, char key, struct error *e)
{
	SAY("sysrq %c", key);
	return 0;
}

int domain_rename(struct node *n, struct domain *d, const char *name, struct error *e)
{
	SAY("rename %s", name);
	free(d->name);
	d->name = xstrdup(name);
	return 0;
}

int domain_set_target(struct node *n, struct domain *d, uint64_t target_kb, struct error *e)
{
	SAY("target %llu", (unsigned long long)target_kb);
	return 0;
}

int domain_set_max(struct node *n, struct domain *d, uint64_t max_kb, struct error *e)
{
	SAY("max %llu", (unsigned long long)max_kb);
	return 0;
}

int domain_set_vcpus(struct node *n, struct domain *d, long online, bool ignore_host,
		     struct error *e)
{
	if (online < 1)
		return error_set(e, ERROR_USAGE, "domain %s needs at least one vCPU", d->name);
	SAY("vcpus %ld %d", online, ignore_host);
	return 0;
}

int domain_pin(struct node *n, struct domain *d, long vcpu, const struct cpu_set *hard,
	       const struct cpu_set *soft, bool force, struct error *e)
{
	SAY("pin %ld hard %llx soft %llx", vcpu, (unsigned long long)hard->word[0],
	    (unsigned long long)soft->word[1]);
	return 0;
}

int domain_set_scheduler(struct node *n, struct domain *d, long weight, long cap, struct error *e)
{
	SAY("weight %ld cap %ld", weight, cap);
	return 0;
}

int domain_set_config(struct node *n, struct domain *d, struct domain_config *config,
		      struct error *e)
{
	SAY("config %s", config->name);
	config_free(config);
	memset(config, 0, sizeof(*config));
	return 0;
}

static struct domain *make(struct node *n, struct domain_config *config, bool present)
{
	struct domain *d =
		fake_add(n, config->name, "aaaaaaaa-2222-3333-4444-555555555555", present);

	config_free(config);
	memset(config, 0, sizeof(*config));
	return d;
}

struct domain *domain_define(struct node *n, struct domain_config *config, struct error *e)
{
	struct domain *d = make(n, config, false);

	SAY("define %s", d->name);
	d->managed = true;
	return d;
}

int domain_delete(struct node *n, struct domain *d, struct error *e)
{
	struct domain **p = &n->domains;

	if (d->present)
		return error_set(e, ERROR_CONFLICT, "domain %s runs", d->name);
	SAY("delete %s", d->name);
	while (*p != d)
		p = &(*p)->next;
	*p = d->next;
	domain_free(d);
	return 0;
}

struct operation *domain_create(struct node *n, struct domain_config *config, bool paused,
				bool managed, struct error *e)
{
	if (domain_by_name(n, config->name)) {
		error_set(e, ERROR_CONFLICT, "domain %s is there already", config->name);
		error_hint(e, "choose another name");
		return NULL;
	}
	return begin(n, "create", make(n, config, true));
}

struct operation *domain_start(struct node *n, struct domain *d, bool paused, struct error *e)
{
	return begin(n, paused ? "start-paused" : "start", d);
}

struct operation *domain_destroy(struct node *n, struct domain *d, struct error *e)
{
	return begin(n, "destroy", d);
}

struct operation *domain_shutdown(struct node *n, struct domain *d, const char *reason,
				  struct error *e)
{
	return begin(n, strcmp(reason, "reboot") ? "shutdown" : "reboot", d);
}

struct operation *domain_reset(struct node *n, struct domain *d, struct error *e)
{
	return begin(n, "reset", d);
}

struct operation *domain_dump(struct node *n, struct domain *d, const char *file, bool live,
			      struct error *e)
{
	struct operation *op = begin(n, "dump-core", d);

	op->result = (char *)"/var/lib/xen/dump/x.core";
	return op;
}

struct operation *domain_attach(struct node *n, struct domain *d, struct device_config *device,
				struct error *e)
{
	return begin(n, "attach", d);
}

struct operation *domain_detach(struct node *n, struct domain *d, enum device_kind kind,
				const char *device, bool force, struct error *e)
{
	struct operation *op = begin(n, "detach", d);

	SAY("detach %s %s %d", kind == DEVICE_VBD ? "disk" : "network", device, force);
	return op;
}

/* --- The node ------------------------------------------------------------------------------------------------ */

struct node_info *node_info(struct node *n, bool detail, struct error *e)
{
	static const struct hyper_version xen = {
		.major = 4, .minor = 17, .extra = ".0", .changeset = "abc"};
	struct node_info *info = xcalloc(1, sizeof(*info));

	*info = (struct node_info){
		.physical = {.nr_cpus = 2,
			     .capabilities = XEN_SYSCTL_PHYSCAP_hap | XEN_SYSCTL_PHYSCAP_pv},
		.total_kb = 1048576,
		.free_kb = 4096,
		.xen = &xen,
		.scheduler = "credit",
		.host.nodename = "test"};
	if (detail) {
		info->nr_numa = 1;
		info->numa[0] = (xen_sysctl_meminfo_t){1048576ull << 10, 4096ull << 10};
		info->distances[0][0] = 10;
		info->nr_places = 2;
		info->places[1].core = XEN_INVALID_CORE_ID;
	}
	return info;
}

int node_dmesg(struct node *n, bool clear, struct text *out, struct error *e)
{
	SAY("dmesg %d", clear);
	text_str(out, "(XEN) hello\n");
	return 0;
}

int node_log(struct node *n, size_t most, struct text *out, struct error *e)
{
	text_str(out, "line\n");
	return 0;
}

int hyper_debug_keys(struct hyper *h, const char *keys, struct error *e)
{
	SAY("keys %s", keys);
	return 0;
}

int node_pools(struct node *n, struct pool **out, size_t *nr, struct error *e)
{
	*out = xcalloc(1, sizeof(**out));
	**out = (struct pool){.name = "Pool-0",
			      .scheduler = "credit",
			      .cpus.word[0] = 3,
			      .domains = 2,
			      .tslice_ms = 30,
			      .ratelimit_us = 1000,
			      .migration_delay_us = -1};
	*nr = 1;
	return 0;
}

int node_pool_find(struct node *n, const char *which, struct pool *pool, struct error *e)
{
	struct pool *only;
	size_t nr;

	node_pools(n, &only, &nr, e);
	*pool = *only;
	free(only);
	return strcmp(which, "0") && strcmp(which, "Pool-0") ? error_set(e, ERROR_NOT_FOUND, "none")
							     : 0;
}

int node_pool_set(struct node *n, const struct pool *pool, long tslice_ms, long ratelimit_us,
		  long migration_delay_us, struct error *e)
{
	SAY("pool %u %ld %ld %ld", pool->id, tslice_ms, ratelimit_us, migration_delay_us);
	return 0;
}

/* --- Devices ------------------------------------------------------------------------------------------------- */

int device_list(struct store *s, uint32_t domid, enum device_kind kind, struct device_info **out,
		size_t *nr, struct error *e)
{
	*out = xcalloc(1, sizeof(**out));
	**out = (struct device_info){.kind = kind,
				     .devid = 51713,
				     .state = 4,
				     .event_channel = 7,
				     .ring_ref = 8,
				     .tx_ring_ref = 9,
				     .rx_ring_ref = 10,
				     .vdev = (char *)"xvda1"};
	*nr = 1;
	return 0;
}

void device_list_free(struct device_info *list, size_t nr)
{
	free(list);
}

char *device_trouble(const struct device_info *d)
{
	return NULL;
}
