/* SPDX-License-Identifier: MIT */
/*
 * The end of a domain: stopped, devices removed, nodes removed, memory given back, and then waited for until the hypervisor no longer
 * knows it. Every step finds its work done already without complaint, so that the same steps undo a half-made domain and end what a
 * killed xend left half destroyed.
 */
#include "xend/node_private.h"

enum {
	THREAD_PAGES = 65536, /* from this size on giving the memory back is a thread's work */
	GONE_WAIT_MS = 10000, /* a domain that is still there then lingers */
	GONE_POLL_MS = 20,
};

/* Whether it is the same domain that has this id now; *info is filled when it is. */
static bool still_there(struct operation *op, xen_domctl_getdomaininfo_t *info)
{
	return op->domid != DOMID_INVALID &&
	       !hyper_domain_info(op->node->hyper, op->domid, info, NULL) &&
	       !memcmp(info->handle, op->d->info.handle, sizeof(info->handle));
}

static int destroy_stop(struct operation *op)
{
	xen_domctl_getdomaininfo_t info;

	strcpy(op->d->doing,
	       op->failure.class ? "destroy" : op->kind); /* a failed restart is over */
	if (record_save(op->d, &op->error))
		return -1;
	if (still_there(op, &info) && !(info.flags & XEN_DOMINF_dying))
		hyper_domain_do(op->node->hyper, XEN_DOMCTL_pausedomain, op->domid, 0, NULL);
	return 0;
}

static int destroy_devices(struct operation *op)
{
	if (op->domid == DOMID_INVALID)
		return 0;
	device_destroy_all(op->node->devices, op->domid, op->domain, operation_answer, op);
	return STEP_WAIT;
}

/*
 * xenstored learns of the death from the hypervisor and tells the others (xenconsoled among them) with @releaseDomain: an explicit
 * release before would take that from them.
 */
static int destroy_nodes(struct operation *op)
{
	autofree char *dom = domain_path(op->domid, ""), *vm = xasprintf("/vm/%s", op->uuid);
	autofree char *libxl = xasprintf("/libxl/%u", op->domid);
	struct store *s = op->node->store;

	if (op->domid == DOMID_INVALID)
		return 0;
	store_put_removed(s, dom);
	store_put_removed(s, libxl);
	store_put_removed(s, vm);
	return store_flush(s, &op->error);
}

static int give_back(struct hyper *h, struct operation *op, struct error *e)
{
	if (hyper_domain_destroy(h, op->domid, e) && e->class != ERROR_NOT_FOUND)
		return -1;
	e->class = ERROR_NONE;
	return 0;
}

static int destroy_memory(struct operation *op)
{
	xen_domctl_getdomaininfo_t info;

	if (!still_there(op, &info))
		return 0;
	return operation_work(op, info.tot_pages >= THREAD_PAGES, give_back);
}

/* Not gone in time: it is watched from now on. */
static int lingers(struct operation *op)
{
	struct domain *d = op->d;

	d->doing[0] = '\0';
	record_save(d, NULL);
	watch_lingering(op->node, d);
	error_set(&op->error, ERROR_RETRY,
		  "domain %s (%u) is dead but not gone: others still hold %llu of its pages",
		  op->domain, op->domid,
		  (unsigned long long)(d->info.tot_pages + d->info.shr_pages));
	return error_hint(&op->error,
			  "a back end or a viewer has not let go; \"xm list\" shows it until then");
}

static int destroy_wait(struct operation *op)
{
	xen_domctl_getdomaininfo_t info;

	if (!still_there(op, &info)) {
		if (!op->then) /* else it is made anew */
			op->d->doing[0] = '\0';
		domain_ended(op->node, op->d);
		return 0;
	}
	op->d->info = info;
	if (op->step_calls > GONE_WAIT_MS / GONE_POLL_MS)
		return lingers(op);
	return operation_retry(op, GONE_POLL_MS);
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

	if (d->id == 0 || d->id == DOMID_INVALID) {
		error_set(e, ERROR_CONFLICT,
			  d->id ? "domain %s is not running"
				: "domain 0 is this system: it cannot be destroyed",
			  d->name);
		return NULL;
	}
	if (d->operation && !operation_cancel(d->operation, e))
		log_info("domain %s is destroyed: what was under way on it is cancelled", d->name);
	op = operation_new(n, "destroy", d, destroy_steps, e);
	if (op)
		operation_run(op);
	return op;
}
