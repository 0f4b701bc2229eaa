/* SPDX-License-Identifier: MIT */
/*
 * The end of a domain: stopped, devices removed, nodes removed, memory given back, and then waited for until the hypervisor no longer
 * knows it. Every step finds its work done already without complaint, so that the same steps undo a half-made domain and end what a
 * killed xend left half destroyed.
 */
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/device/device.h"
#include "lib/hyper/hyper.h"
#include "lib/store/store.h"
#include "xend/journal.h"
#include "xend/node_private.h"

#include <stdlib.h>
#include <string.h>

enum {
	THREAD_PAGES = 65536, /* from this size on giving the memory back is a thread's work */
	GONE_WAIT_MS = 10000, /* a domain that is still there then lingers */
	GONE_POLL_MS = 20,
};

/* Whether it is the same domain that has this id now; *info is filled when it is. */
static bool still_there(struct operation *op, xen_domctl_getdomaininfo_t *info)
{
	char uuid[37];

	if (op->domid == DOMID_INVALID || hyper_domain_info(op->node->hyper, op->domid, info, NULL))
		return false;
	uuid_print(info->handle, uuid);
	return !strcmp(uuid, op->uuid);
}

static enum step_result destroy_stop(struct operation *op)
{
	const struct journal_entry entry = {
		.id = op->id, .kind = "destroy", .name = op->domain, .domid = op->domid};
	struct journal_entry whole = entry;
	xen_domctl_getdomaininfo_t info;

	if (op->domid == DOMID_INVALID)
		return STEP_NEXT;
	memcpy(whole.uuid, op->uuid, sizeof(whole.uuid));
	if (journal_write(journal_folder, &whole, &op->error))
		return STEP_FAILED;
	if (still_there(op, &info) && !(info.flags & XEN_DOMINF_dying))
		hyper_domain_pause(op->node->hyper, op->domid, NULL);
	return STEP_NEXT;
}

static void devices_gone(void *arg, const struct error *e)
{
	if (e)
		operation_fail(arg, e);
	else
		operation_continue(arg);
}

static enum step_result destroy_devices(struct operation *op)
{
	if (op->domid == DOMID_INVALID)
		return STEP_NEXT;
	device_destroy_all(op->node->devices, op->domid, op->domain, devices_gone, op);
	return STEP_WAIT;
}

/*
 * xenstored learns of the death from the hypervisor and tells the others (xenconsoled among them) with @releaseDomain: an explicit
 * release before would take that from them.
 */
static enum step_result destroy_nodes(struct operation *op)
{
	static const char *const folders[] = {"/local/domain", "/libxl"};
	struct store *s = op->node->store;
	char *path;

	for (size_t i = 0; op->domid != DOMID_INVALID && i < 2; i++) {
		path = xasprintf("%s/%u", folders[i], op->domid);
		store_put_removed(s, path);
		free(path);
	}
	path = xasprintf("/vm/%s", op->uuid);
	store_put_removed(s, path);
	free(path);
	return store_flush(s, &op->error) ? STEP_FAILED : STEP_NEXT;
}

static int destroy_in_thread(struct operation *op, struct error *e)
{
	struct hyper *h = hyper_open(e);
	int rc = h ? hyper_domain_destroy(h, op->domid, e) : -1;

	if (h)
		hyper_close(h);
	return rc && e->class != ERROR_NOT_FOUND ? -1 : 0;
}

static enum step_result destroy_memory(struct operation *op)
{
	xen_domctl_getdomaininfo_t info;
	struct error e = {0};

	if (!still_there(op, &info))
		return STEP_NEXT;
	if (info.tot_pages >= THREAD_PAGES)
		return operation_work(op, destroy_in_thread);
	if (!hyper_domain_destroy(op->node->hyper, op->domid, &e) || e.class == ERROR_NOT_FOUND)
		return STEP_NEXT;
	op->error = e;
	return STEP_FAILED;
}

static enum step_result lingers(struct operation *op, const xen_domctl_getdomaininfo_t *info)
{
	struct domain *d = domain_by_uuid(op->node, op->uuid);

	journal_remove(journal_folder, op->id);
	error_set(&op->error, ERROR_RETRY,
		  "domain %s (%u) is dead but not gone: others still hold %llu of its pages",
		  op->domain, op->domid, (unsigned long long)(info->tot_pages + info->shr_pages));
	error_hint(&op->error,
		   "a back end or a viewer has not let go; \"xm list\" shows it until then");
	if (d)
		watch_dying(op->node, d);
	return STEP_FAILED;
}

static enum step_result destroy_wait(struct operation *op)
{
	xen_domctl_getdomaininfo_t info;
	struct domain *d;

	if (still_there(op, &info)) {
		if (op->step_calls > GONE_WAIT_MS / GONE_POLL_MS)
			return lingers(op, &info);
		return operation_retry(op, GONE_POLL_MS);
	}
	journal_remove(journal_folder, op->id);
	d = op->domid == DOMID_INVALID ? NULL : domain_by_uuid(op->node, op->uuid);
	if (d)
		domain_ended(op->node, d);
	return STEP_NEXT;
}

const struct step destroy_steps[] = {
	{"stopping it", 0, destroy_stop},
	{"removing its devices", 10, destroy_devices},
	{"removing its nodes", 60, destroy_nodes},
	{"giving its memory back", 70, destroy_memory},
	{"waiting until it is gone", 90, destroy_wait},
	{0},
};

struct operation *domain_destroy(struct node *n, struct domain *d, struct error *e)
{
	struct operation *op;

	if (d->id == 0) {
		error_set(e, ERROR_CONFLICT, "domain 0 is this system: it cannot be destroyed");
		return NULL;
	}
	if (d->id == DOMID_INVALID) {
		error_set(e, ERROR_CONFLICT, "domain %s is not running", d->name);
		return NULL;
	}
	if (d->operation && !operation_cancel(d->operation, e))
		log_info("domain %s is destroyed: what was under way on it is cancelled", d->name);
	op = operation_new(n, "destroy", d, destroy_steps, e);
	if (op)
		operation_run(op);
	return op;
}
