/* SPDX-License-Identifier: MIT */
/* See hypervisor.h. */
#include "xenconsoled/hypervisor.h"

#include <errno.h>
#include <stdlib.h>
#include <xencall.h>

#include <xen/sysctl.h>

#define BUFFER_SIZE (32u << 10)

static xencall_handle *handle;
static struct xen_sysctl *op;
static void *buffer;

int hypervisor_open(struct error *e)
{
	handle = xencall_open(NULL, XENCALL_OPENFLAG_NON_REENTRANT);
	if (!handle)
		return error_errno(e, ERROR_ABSENT, errno, "the hypervisor cannot be called");
	op = xencall_alloc_buffer(handle, sizeof(*op));
	buffer = xencall_alloc_buffer(handle, BUFFER_SIZE);
	if (!op || !buffer)
		return error_errno(e, ERROR_FAILED, errno, "no memory for hypercalls");
	return 0;
}

static int call(uint32_t cmd)
{
	op->cmd = cmd;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return xencall1(handle, __HYPERVISOR_sysctl, (uintptr_t)op);
}

int hypervisor_domains(void (*each)(domid_t domid))
{
	struct xen_sysctl_getdomaininfolist *list = &op->u.getdomaininfolist;
	const xen_domctl_getdomaininfo_t *info = buffer;
	uint32_t most = BUFFER_SIZE / sizeof(*info), first = 1, n;

	do {
		*list = (struct xen_sysctl_getdomaininfolist){.first_domain = (domid_t)first,
							      .max_domains = most};
		set_xen_guest_handle(list->buffer, buffer);
		if (call(XEN_SYSCTL_getdomaininfolist))
			return -1;
		n = list->num_domains < most ? list->num_domains : most;
		for (uint32_t i = 0; i < n; i++)
			if (!(info[i].flags & XEN_DOMINF_dying))
				each(info[i].domain);
		if (n)
			first = info[n - 1].domain + 1u;
	} while (n == most);
	return 0;
}

size_t hypervisor_log(uint32_t *index, const char **bytes)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;

	*r = (struct xen_sysctl_readconsole){
		.incremental = 1, .index = *index, .count = BUFFER_SIZE};
	set_xen_guest_handle(r->buffer, buffer);
	if (call(XEN_SYSCTL_readconsole))
		return 0;
	*index = r->index;
	*bytes = buffer;
	return r->count < BUFFER_SIZE ? r->count : BUFFER_SIZE;
}
