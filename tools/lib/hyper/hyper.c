/* SPDX-License-Identifier: MIT */
/* The handle, and the one way each kind of call is made and its failure worded. See call.h. */
#include "lib/hyper/call.h"

#include "lib/base/text.h"

#include <stdlib.h>
#include <unistd.h>

#define PRIVCMD "/dev/xen/privcmd"

struct hyper *hyper_open(struct error *e)
{
	struct hyper *h;

	/* The libraries write to stderr when they fail: look first. */
	if (access(PRIVCMD, R_OK | W_OK)) {
		error_set(e, errno == EACCES ? ERROR_PERMISSION : ERROR_ABSENT, "%s",
			  errno == EACCES ? "only root may control the hypervisor"
					  : "there is no hypervisor here: no " PRIVCMD);
		return NULL;
	}
	h = xcalloc(1, sizeof(*h));
	h->call = xencall_open(NULL, XENCALL_OPENFLAG_NON_REENTRANT);
	h->memory = xenforeignmemory_open(NULL, 0);
	if (h->call)
		h->buffer = xencall_alloc_buffer_pages(h->call, HYPER_OP_PAGES + HYPER_DATA_PAGES);
	if (h->memory && h->buffer)
		return h;
	error_errno(e, ERROR_ABSENT, errno, "the hypervisor cannot be called");
	hyper_close(h);
	return NULL;
}

void hyper_close(struct hyper *h)
{
	if (!h)
		return;
	if (h->buffer)
		xencall_free_buffer_pages(h->call, h->buffer, HYPER_OP_PAGES + HYPER_DATA_PAGES);
	if (h->memory)
		xenforeignmemory_close(h->memory);
	if (h->call)
		xencall_close(h->call);
	free(h);
}

void *hyper_op(struct hyper *h, size_t size)
{
	return memset(h->buffer, 0, size);
}

int hyper_domain_error(uint32_t domid, const char *what, struct error *e)
{
	int why = errno;

	if (why == ESRCH)
		error_set(e, ERROR_NOT_FOUND, "domain %u does not exist", domid);
	else
		error_errno(e, ERROR_NONE, why, "domain %u%s", domid, what);
	errno = why;
	return -1;
}

struct xen_domctl *hyper_domctl(struct hyper *h, uint32_t cmd, uint32_t domid)
{
	struct xen_domctl *op = hyper_op(h, sizeof(*op));

	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = (domid_t)domid;
	return op;
}

int hyper_domctl_call(struct hyper *h, const char *what, struct error *e)
{
	uint32_t domid = ((struct xen_domctl *)h->buffer)->domain;
	int rc = xencall1(h->call, __HYPERVISOR_domctl, (uintptr_t)h->buffer);

	return rc < 0 ? hyper_domain_error(domid, what, e) : 0;
}

int hyper_domctl_call_vcpu(struct hyper *h, unsigned int vcpu, const char *what, struct error *e)
{
	uint32_t domid = ((struct xen_domctl *)h->buffer)->domain;
	xen_domctl_getdomaininfo_t info;
	int why;

	if (!hyper_domctl_call(h, what, e))
		return 0;
	why = errno;
	/* "No such" is said of domain and vCPU alike. */
	if ((why == ESRCH || why == ENOENT || why == EINVAL) &&
	    !hyper_domain_info(h, domid, &info, NULL) &&
	    (info.max_vcpu_id == XEN_INVALID_MAX_VCPU_ID || vcpu > info.max_vcpu_id))
		error_set(e, ERROR_NOT_FOUND, "domain %u has no vCPU %u", domid, vcpu);
	errno = why;
	return -1;
}

struct xen_sysctl *hyper_sysctl(struct hyper *h, uint32_t cmd)
{
	struct xen_sysctl *op = hyper_op(h, sizeof(*op));

	op->cmd = cmd;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return op;
}

int hyper_sysctl_call(struct hyper *h, const char *what, struct error *e)
{
	if (xencall1(h->call, __HYPERVISOR_sysctl, (uintptr_t)h->buffer) >= 0)
		return 0;
	return error_errno(e, ERROR_NONE, errno, "%s", what);
}
