/* SPDX-License-Identifier: MIT */
/*
 * Domains' lives over a pretended hypervisor, xenstore and devices, which live in shared memory: every call in the making, the end and
 * the restart of a domain fails once, and a process is killed before every call, and the next xend finds what it left. In the end
 * nothing is half made.
 */
/* links: xend/operation.c xend/domain.c xend/domain_record.c xend/domain_actions.c xend/domain_ops.c xend/create.c xend/create_nodes.c xend/destroy.c xend/balloon.c xend/cpus.c xend/policy.c xend/policy_run.c xend/watch.c xend/recovery.c xend/dump.c lib/config lib/base */
/* libs: -ljansson -lpthread */
#include "unit.h"

#include "lib/base/text.h"
#include "lib/builder/builder.h"
#include "lib/device/device.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/node_private.h"
#include "xend/settings.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xen/sched.h>

enum { IDS = 64, MEMORY = 4096 };

/* What outlives a xend. */
static struct world {
	struct fake_domain {
		bool there, devices, nodes, introduced;
		int paused;
		xen_domctl_getdomaininfo_t info;
	} domain[IDS];
	uint32_t next;
	unsigned int calls, fail_at, die_at, free_pages;
	unsigned int lingering; /* calls of info until a destroyed domain is gone */
} * world;

static struct loop *loop;
static struct xend_settings settings = {.dom0_min_mem_mb = 0};
static char folder[] = "/tmp/test-xend.XXXXXX", kernel[64];

static bool fails(struct error *e)
{
	world->calls++;
	if (world->die_at && world->calls == world->die_at)
		_exit(9);
	if (!world->fail_at || world->calls != world->fail_at)
		return false;
	error_set(e, ERROR_FAILED, "made to fail");
	return true;
}

static struct fake_domain *of(uint32_t id)
{
	return id < IDS && world->domain[id].there ? &world->domain[id] : NULL;
}

/* --- The hypervisor ------------------------------------------------------------------------------------------ */

struct hyper *hyper_open(struct error *e)
{
	return (struct hyper *)world;
}

void hyper_close(struct hyper *h)
{
}

int hyper_domain_list(struct hyper *h, uint32_t first, xen_domctl_getdomaininfo_t info[HYPER_LIST],
		      struct error *e)
{
	int nr = 0;

	for (uint32_t id = first; id < IDS; id++)
		if (of(id))
			info[nr++] = of(id)->info;
	return nr;
}

int hyper_domain_info(struct hyper *h, uint32_t id, xen_domctl_getdomaininfo_t *info,
		      struct error *e)
{
	struct fake_domain *f = of(id);

	if (f && (f->info.flags & XEN_DOMINF_dying) && !world->lingering--) {
		f->there = false;
		world->lingering = 0;
	}
	if (!of(id))
		return error_set(e, ERROR_NOT_FOUND, "domain %u does not exist", id);
	*info = f->info;
	return 0;
}

int hyper_domain_create(struct hyper *h, const struct xen_domctl_createdomain *c, uint32_t *id,
			struct error *e)
{
	struct fake_domain *f;

	if (fails(e))
		return -1;
	*id = world->next++;
	f = &world->domain[*id];
	memset(f, 0, sizeof(*f));
	f->there = true;
	f->paused = 1;
	f->info.domain = (domid_t)*id;
	f->info.flags = XEN_DOMINF_paused;
	f->info.max_vcpu_id = c->max_vcpus - 1;
	memcpy(f->info.handle, c->handle, 16);
	return 0;
}

int hyper_domain_destroy(struct hyper *h, uint32_t id, struct error *e)
{
	if (fails(e))
		return -1;
	if (!of(id))
		return error_set(e, ERROR_NOT_FOUND, "domain %u does not exist", id);
	world->free_pages += of(id)->info.tot_pages + of(id)->info.outstanding_pages;
	of(id)->info.tot_pages = of(id)->info.outstanding_pages = 0;
	of(id)->info.flags |= XEN_DOMINF_dying;
	world->lingering = 2;
	return 0;
}

static int change_pause(uint32_t id, int by)
{
	if (!of(id))
		return -1;
	of(id)->paused += by;
	of(id)->info.flags &= ~(uint32_t)XEN_DOMINF_paused;
	if (of(id)->paused)
		of(id)->info.flags |= XEN_DOMINF_paused;
	return 0;
}

int hyper_domain_do(struct hyper *h, uint32_t cmd, uint32_t id, uint64_t number, struct error *e)
{
	/* Clocks are not of interest here. */
	if (cmd == XEN_DOMCTL_settimeoffset || cmd == XEN_DOMCTL_settscinfo)
		return 0;
	if (fails(e))
		return -1;
	return cmd == XEN_DOMCTL_max_mem ? 0
					 : change_pause(id, cmd == XEN_DOMCTL_pausedomain ? 1 : -1);
}

int hyper_memory_claim(struct hyper *h, uint32_t id, uint64_t pages, struct error *e)
{
	struct fake_domain *f = of(id);

	if (pages && fails(e))
		return -1;
	if (pages > world->free_pages)
		return error_set(e, ERROR_RETRY, "not enough memory");
	world->free_pages += f->info.outstanding_pages;
	f->info.outstanding_pages = pages;
	world->free_pages -= (unsigned int)pages;
	return 0;
}

int hyper_memory_short(struct hyper *h, uint64_t kb, struct error *e)
{
	return error_set(e, ERROR_RETRY, "not enough free memory");
}

int hyper_physinfo(struct hyper *h, struct xen_sysctl_physinfo *info, struct error *e)
{
	memset(info, 0, sizeof(*info));
	info->free_pages = world->free_pages;
	return 0;
}

int hyper_shutdown_reason(const xen_domctl_getdomaininfo_t *info)
{
	return info->flags & XEN_DOMINF_shutdown
		       ? (int)(info->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask)
		       : -1;
}

int hyper_domain_set_handle(struct hyper *h, uint32_t id, const uint8_t uuid[16], struct error *e)
{
	memcpy(of(id)->info.handle, uuid, 16);
	return 0;
}

/* Not reached, or not of interest here. */
int hyper_domain_trigger(struct hyper *h, uint32_t id, unsigned int t, unsigned int v,
			 struct error *e)
{
	return 0;
}

void hyper_state_letters(const xen_domctl_getdomaininfo_t *info, char *letters)
{
	memcpy(letters, "------", 7);
}

int hyper_pool_next(struct hyper *h, uint32_t first, struct hyper_pool *pool, struct error *e)
{
	return error_set(e, ERROR_NOT_FOUND, "no pool");
}

int hyper_sched(struct hyper *h, uint32_t id, uint32_t sched,
		struct xen_domctl_sched_credit *params, bool set, struct error *e)
{
	return 0;
}

const char *hyper_sched_name(uint32_t id)
{
	return "credit";
}

int hyper_topology(struct hyper *h, xen_sysctl_cputopo_t *cpus, unsigned int max, struct error *e)
{
	return 0;
}

int hyper_vcpu_info(struct hyper *h, uint32_t id, unsigned int v,
		    struct xen_domctl_getvcpuinfo *info, struct error *e)
{
	return -1;
}

int hyper_vcpu_affinity(struct hyper *h, uint32_t id, unsigned int v, uint8_t *hard, uint8_t *soft,
			size_t bytes, enum hyper_affinity how, struct error *e)
{
	return how ? 0 : -1;
}

int hyper_vcpu_context(struct hyper *h, uint32_t id, unsigned int v, vcpu_guest_context_t *c,
		       bool set, struct error *e)
{
	return error_set(e, ERROR_UNSUPPORTED, "no registers here");
}

void *hyper_map(struct hyper *h, uint32_t id, const xen_pfn_t *frames, size_t nr, bool write,
		int *failed, struct error *e)
{
	error_set(e, ERROR_UNSUPPORTED, "no memory here");
	return NULL;
}

void hyper_unmap(struct hyper *h, void *p, size_t nr)
{
}

int builder_build(struct hyper *h, uint32_t id, const struct builder_args *args,
		  struct builder_result *out, struct error *e)
{
	if (fails(e))
		return -1;
	of(id)->info.tot_pages = args->memory_kb / 4;
	of(id)->info.outstanding_pages = 0;
	of(id)->info.nr_online_vcpus = 1;
	return 0;
}

/* --- xenstore: which domains have nodes ----------------------------------------------------------------------- */

static uint32_t id_in(const char *path)
{
	unsigned int id;

	return sscanf(path, "/local/domain/%u", &id) == 1 && id < IDS ? id : IDS;
}

void store_put(struct store *s, const char *path, const char *name, const char *fmt, ...)
{
}

void store_put_folder(struct store *s, const char *path)
{
	if (id_in(path) < IDS)
		world->domain[id_in(path)].nodes = true;
}

void store_put_permissions(struct store *s, const char *path, const char *perms)
{
}

void store_put_removed(struct store *s, const char *path)
{
	if (id_in(path) < IDS)
		world->domain[id_in(path)].nodes = false;
}

int store_flush(struct store *s, struct error *e)
{
	return 0;
}

char *store_read(struct store *s, const char *path, struct error *e)
{
	return NULL;
}

long store_read_long(struct store *s, const char *path, long otherwise)
{
	return otherwise;
}

int store_read_each(struct store *s, const char *path, const char *const *names, size_t nr,
		    char **values, struct error *e)
{
	memset(values, 0, nr * sizeof(*values));
	return 0;
}

void store_values_free(char **values, size_t nr)
{
}

int store_transaction(struct store *s, int (*fn)(struct store *, void *, struct error *), void *arg,
		      struct error *e)
{
	return fails(e) ? -1 : fn(s, arg, e);
}

int store_introduce(struct store *s, uint32_t id, unsigned long mfn, uint32_t port, struct error *e)
{
	return fails(e) ? -1 : 0;
}

struct store_watch *store_watch(struct store *s, const char *path,
				void (*fired)(void *, const char *), void *arg)
{
	return (struct store_watch *)world;
}

void store_unwatch(struct store_watch *w)
{
}

/* --- Devices ----------------------------------------------------------------------------------------------------- */

struct device_op {
	uint32_t domid;
	bool destroy;
	device_done *done;
	void *arg;
	struct loop_source *timer;
};

static void device_expired(void *arg)
{
	struct device_op op = *(struct device_op *)arg;
	struct error e;
	bool failed = !op.destroy && fails(&e);

	if (!failed && op.domid < IDS)
		world->domain[op.domid].devices = !op.destroy;
	loop_remove(op.timer);
	free(arg);
	op.done(op.arg, failed ? &e : NULL);
}

static struct device_op *device_begin(uint32_t domid, bool destroy, device_done *done, void *arg)
{
	struct device_op *op = xcalloc(1, sizeof(*op));

	*op = (struct device_op){domid, destroy, done, arg, NULL};
	op->timer = loop_timer(loop, 1, false, device_expired, op);
	return op;
}

struct device_op *device_attach(struct devices *ds, uint32_t domid, const char *name,
				const struct device_set *set, device_done *done, void *arg,
				struct error *e)
{
	return fails(e) ? NULL : device_begin(domid, false, done, arg);
}

void device_put_vfb(struct store *s, uint32_t domid, long devid, const struct vfb_config *vfb)
{
}

struct device_op *device_destroy_all(struct devices *ds, uint32_t domid, const char *name,
				     device_done *done, void *arg)
{
	struct error e;

	fails(&e);
	return device_begin(domid, true, done, arg);
}

struct device_op *device_detach(struct devices *ds, uint32_t domid, const char *name,
				enum device_kind kind, long devid, bool force, device_done *done,
				void *arg, struct error *e)
{
	return NULL;
}

void device_cancel(struct device_op *op)
{
}

int device_list(struct store *s, uint32_t id, enum device_kind kind, struct device_info **out,
		size_t *nr, struct error *e)
{
	return -1;
}

void device_list_free(struct device_info *list, size_t nr)
{
}

char *device_trouble(const struct device_info *d)
{
	return NULL;
}

void device_put_console(struct store *s, uint32_t id, uint32_t port, unsigned long gfn)
{
}

char *device_random_mac(void)
{
	return xstrdup("00:16:3e:00:00:01");
}

long device_next_id(struct store *s, uint32_t domid, enum device_kind kind)
{
	return 0;
}

/* --- The node ------------------------------------------------------------------------------------------------------ */

const char *node_pool_name(struct node *n, uint32_t id)
{
	return "Pool-0";
}

int node_pool_find(struct node *n, const char *which, struct pool *pool, struct error *e)
{
	return -1;
}

static struct node *xend_begin(void)
{
	static struct hyper_version version;
	struct node *n = xcalloc(1, sizeof(*n));
	struct error e;

	loop = loop_new();
	n->loop = loop;
	n->settings = &settings;
	n->version = &version;
	n->hyper = (struct hyper *)world;
	assert_int_equal(recovery_run(n, &e), 0);
	return n;
}

static void tick(void *arg)
{
	struct node *n = arg;

	for (struct operation *op = n->operations; op; op = op->next)
		if (op->state == OPERATION_RUNNING)
			return;
	loop_stop(loop);
}

/* Until nothing is under way. */
static void settle(struct node *n)
{
	struct loop_source *timer = loop_timer(loop, 2, true, tick, n);

	loop_run(loop);
	loop_remove(timer);
}

static void xend_end(struct node *n)
{
	settle(n);
	while (n->domains)
		domain_drop(n, n->domains);
	while (n->operations) {
		struct operation *op = n->operations;

		n->operations = op->next;
		free(op->domain);
		free(op->result);
		free(op);
	}
	loop_remove(n->soon);
	loop_remove(n->round);
	loop_free(loop);
	free(n);
}

static void configure(struct domain_config *c)
{
	config_init(c, CONFIG_XM);
	c->name = xstrdup("web");
	c->uuid = xstrdup("11111111-2222-3333-4444-555555555555");
	c->kernel = xstrdup(kernel);
	c->memory_kb = c->max_memory_kb = 4096;
	c->max_vcpus = c->vcpus = 1;
	c->memory_given = c->vcpus_given = true;
	c->nics = xcalloc(1, sizeof(*c->nics));
	assert_int_equal(
		spec_parse(&nic_kind, "bridge=xenbr0", &c->nics[0], &(struct diagnostics){0}), 0);
	c->nics[0].devid = 0;
	c->nr_nics = 1;
}

static struct operation *create(struct node *n)
{
	struct domain_config c;
	struct operation *op;
	struct error e;

	configure(&c);
	op = domain_create(n, &c, false, false, &e);
	settle(n);
	config_free(&c);
	return op;
}

/* --- What is left ---------------------------------------------------------------------------------------------------- */

static unsigned int files_in(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	unsigned int nr = 0;

	while (d && (entry = readdir(d)))
		nr += strstr(entry->d_name, ".json") != NULL;
	if (d)
		closedir(d);
	return nr;
}

static unsigned int count_whole(void)
{
	unsigned int whole = 0;

	for (int id = 1; id < IDS; id++) {
		const struct fake_domain *f = &world->domain[id];

		assert_int_equal(f->devices, f->there);
		assert_int_equal(f->nodes, f->there);
		assert_false(f->there && f->paused);
		whole += f->there;
	}
	return whole;
}

static void check(unsigned int domains)
{
	assert_int_equal(count_whole(), domains);
	assert_int_equal(files_in(record_folder), domains);
	assert_int_equal(world->free_pages, MEMORY - domains * 1024);
}

static void new_world(void)
{
	memset(world, 0, sizeof(*world));
	world->next = 1;
	world->free_pages = MEMORY;
	world->domain[0].there = true;
}

/* --- Tests -------------------------------------------------------------------------------------------------------------- */

static void test_create_and_destroy(void **state)
{
	struct node *n;
	struct operation *op;
	struct domain *d;
	struct error e;

	new_world();
	n = xend_begin();
	op = create(n);
	assert_int_equal(op->state, OPERATION_DONE);
	assert_int_equal(op->domid, 1);
	check(1);
	assert_null(create(n)); /* the name is taken */
	d = domain_find(n, "web", &e);
	assert_ptr_equal(d, domain_find(n, "1", &e));
	assert_ptr_equal(d, domain_find(n, "11111111-2222-3333-4444-555555555555", &e));
	assert_null(domain_find(n, "nobody", &e));
	assert_int_equal(e.class, ERROR_NOT_FOUND);
	assert_non_null(domain_destroy(n, d, &e));
	settle(n);
	check(0);
	assert_null(domain_by_name(n, "web"));
	assert_null(domain_destroy(n, domain_by_id(n, 0), &e));
	xend_end(n);
}

static void test_every_call_fails(void **state)
{
	struct node *n;
	unsigned int at;

	for (at = 1; at < 100; at++) {
		struct operation *op;
		bool done;

		new_world();
		n = xend_begin();
		world->calls = 0;
		world->fail_at = at;
		op = create(n);
		done = op->state == OPERATION_DONE;
		if (!done) {
			assert_int_equal(op->state, OPERATION_FAILED);
			assert_string_equal(op->error.text, "made to fail");
			assert_null(domain_by_name(n, "web"));
			check(0);
		} else {
			world->fail_at = 0;
			check(1);
			domain_destroy(n, domain_by_name(n, "web"), NULL);
			settle(n);
			check(0);
		}
		xend_end(n);
		if (done)
			break;
	}
	assert_in_range(at, 8, 50);
}

/* The end of a guest, as the hypervisor shows it. */
static void shut_down(uint32_t id, unsigned int reason)
{
	world->domain[id].info.flags |= XEN_DOMINF_shutdown | reason << XEN_DOMINF_shutdownshift;
}

static void notice(struct node *n)
{
	struct domain *d;

	assert_int_equal(domains_refresh(n, NULL), 0);
	d = domain_by_name(n, "web");
	if (d && !d->handled && domain_shutdown_reason(d) >= 0)
		policy_apply(n, d);
	settle(n);
}

static void test_reboot(void **state)
{
	struct node *n;

	new_world();
	n = xend_begin();
	create(n);
	shut_down(1, SHUTDOWN_reboot);
	notice(n);
	check(1);
	assert_int_equal(domain_by_name(n, "web")->id, 2);
	assert_true(domain_by_name(n, "web")->from_restart);
	shut_down(2, SHUTDOWN_reboot); /* at once again: a loop */
	notice(n);
	check(0);
	xend_end(n);
}

static void test_set_aside(void **state)
{
	struct domain *d;
	struct node *n;

	new_world();
	n = xend_begin();
	create(n);
	domain_by_name(n, "web")->config->on_crash = ACTION_RENAME_RESTART;
	shut_down(1, SHUTDOWN_crash);
	notice(n);
	check(2);
	assert_int_equal(domain_by_name(n, "web")->id, 2);
	d = domain_by_id(n, 1);
	assert_true(str_starts(d->name, "web-20"));
	domain_destroy(n, d, NULL);
	domain_destroy(n, domain_by_id(n, 2), NULL);
	settle(n);
	check(0);
	xend_end(n);
}

static void test_too_little_memory(void **state)
{
	struct operation *op;
	struct node *n;

	new_world();
	world->free_pages = 100;
	n = xend_begin();
	op = create(n);
	assert_int_equal(op->state, OPERATION_FAILED);
	assert_int_equal(op->error.class, ERROR_RETRY);
	world->free_pages = MEMORY;
	check(0);
	xend_end(n);
}

/* What a process does until it is killed before its call number @at; false where it came to its end. */
static bool killed_in(void (*work)(struct node *n), unsigned int at)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct node *n = xend_begin();

		world->calls = 0;
		world->die_at = at;
		work(n);
		settle(n);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	world->die_at = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == 9;
}

static void only_create(struct node *n)
{
	create(n);
}

static void only_destroy(struct node *n)
{
	domain_destroy(n, domain_by_name(n, "web"), NULL);
}

static void only_reset(struct node *n)
{
	domain_reset(n, domain_by_name(n, "web"), NULL);
}

/* It fails, for want of registers, but pauses the domain before. */
static void only_dump(struct node *n)
{
	char *file = xasprintf("%s/core", folder);

	assert_non_null(domain_dump(n, domain_by_name(n, "web"), file, false, NULL));
	free(file);
}

/* Kills at every call, and looks what the next xend makes of it. */
static void kill_everywhere(void (*work)(struct node *n), bool exists, int expected)
{
	bool killed = true;
	unsigned int at;

	for (at = 1; killed && at < 100; at++) {
		struct node *n;

		new_world();
		if (exists)
			killed_in(only_create, 0);
		killed = killed_in(work, at);
		n = xend_begin();
		settle(n);
		if (killed && expected >= 0)
			check((unsigned int)expected);
		else
			check(count_whole()); /* all or nothing */
		if (domain_by_name(n, "web"))
			only_destroy(n);
		settle(n);
		check(0);
		xend_end(n);
	}
	assert_in_range(at, 3, 50);
}

static void test_killed_in_create(void **state)
{
	kill_everywhere(only_create, false, 0);
}

static void test_killed_in_destroy(void **state)
{
	kill_everywhere(only_destroy, true, -1);
}

static void test_killed_in_reset(void **state)
{
	kill_everywhere(only_reset, true, 1);
}

static void test_killed_in_dump(void **state)
{
	kill_everywhere(only_dump, true, 1);
}

static void test_taken_over(void **state)
{
	struct domain *d;
	struct node *n;
	char *half;

	new_world();
	killed_in(only_create, 0);
	n = xend_begin();
	d = domain_by_id(n, 1);
	assert_string_equal(d->uuid, "11111111-2222-3333-4444-555555555555");
	assert_string_equal(d->config->kernel, kernel);
	assert_int_equal(d->config->nr_nics, 1);
	xend_end(n);
	world->domain[1].there = false; /* somebody destroys it while no xend runs */
	world->free_pages = MEMORY;
	half = xasprintf("%s/22222222-2222-3333-4444-555555555555.json.x", record_folder);
	fclose(fopen(half, "w")); /* and one was half written */
	free(half);
	xend_end(xend_begin());
	check(0);
}

static void test_managed(void **state)
{
	struct domain_config c;
	struct domain *d;
	struct error e;
	struct node *n;

	new_world();
	n = xend_begin();
	configure(&c);
	d = domain_define(n, &c, &e);
	assert_non_null(d);
	assert_int_equal(d->id, DOMID_INVALID);
	xend_end(n);
	n = xend_begin();
	d = domain_by_name(n, "web");
	assert_true(d->managed);
	assert_non_null(domain_start(n, d, false, &e));
	settle(n);
	check(1);
	assert_int_equal(domain_delete(n, d, &e), -1);
	only_destroy(n);
	settle(n);
	check(0);
	d = domain_by_name(n, "web");
	assert_int_equal(d->id, DOMID_INVALID);
	assert_int_equal(domain_delete(n, d, &e), 0);
	assert_null(domain_by_name(n, "web"));
	xend_end(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_and_destroy),
		cmocka_unit_test(test_every_call_fails),
		cmocka_unit_test(test_reboot),
		cmocka_unit_test(test_set_aside),
		cmocka_unit_test(test_too_little_memory),
		cmocka_unit_test(test_killed_in_create),
		cmocka_unit_test(test_killed_in_destroy),
		cmocka_unit_test(test_killed_in_reset),
		cmocka_unit_test(test_killed_in_dump),
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_managed),
	};
	char *records, *managed;
	int rc;

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (world == MAP_FAILED || !mkdtemp(folder))
		return 1;
	snprintf(kernel, sizeof(kernel), "%s/kernel", folder);
	fclose(fopen(kernel, "w"));
	record_folder = records = xasprintf("%s/domains", folder);
	settings.domains_path = managed = xasprintf("%s/managed", folder);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	free(records);
	free(managed);
	return rc;
}
