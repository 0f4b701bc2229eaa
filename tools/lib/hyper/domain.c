/* SPDX-License-Identifier: MIT */
/* A domain's life and limits: one function a domctl. */
#include "lib/hyper/call.h"

#include <xen/sched.h>

_Static_assert(HYPER_LIST * sizeof(xen_domctl_getdomaininfo_t) <= HYPER_DATA_BYTES, "they fit");

int hyper_domain_list(struct hyper *h, uint32_t first, xen_domctl_getdomaininfo_t info[HYPER_LIST],
		      struct error *e)
{
	struct xen_sysctl *op = hyper_sysctl(h, XEN_SYSCTL_getdomaininfolist);
	struct xen_sysctl_getdomaininfolist *list = &op->u.getdomaininfolist;
	uint32_t nr;

	list->first_domain = (domid_t)first;
	list->max_domains = HYPER_LIST;
	set_xen_guest_handle(list->buffer, hyper_data(h));
	if (hyper_sysctl_call(h, "domains cannot be listed", e))
		return -1;
	nr = list->num_domains < HYPER_LIST ? list->num_domains : HYPER_LIST;
	memcpy(info, hyper_data(h), nr * sizeof(*info));
	return (int)nr;
}

int hyper_domain_info(struct hyper *h, uint32_t domid, xen_domctl_getdomaininfo_t *info,
		      struct error *e)
{
	struct xen_domctl *op = hyper_domctl(h, XEN_DOMCTL_getdomaininfo, domid);

	if (hyper_domctl_call(h, " cannot be looked up", e))
		return -1;
	*info = op->u.getdomaininfo;
	return 0;
}

void hyper_state_letters(const xen_domctl_getdomaininfo_t *info, char *letters)
{
	/* "c" is for no flag but a reason. */
	static const uint32_t flag[] = {
		XEN_DOMINF_running, XEN_DOMINF_blocked, XEN_DOMINF_paused, XEN_DOMINF_shutdown, 0,
		XEN_DOMINF_dying};

	strcpy(letters, "rbpscd");
	for (int i = 0; i < 6; i++)
		if (flag[i] ? !(info->flags & flag[i])
			    : hyper_shutdown_reason(info) != SHUTDOWN_crash)
			letters[i] = '-';
}

int hyper_shutdown_reason(const xen_domctl_getdomaininfo_t *info)
{
	if (!(info->flags & XEN_DOMINF_shutdown))
		return -1;
	return info->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
}

int hyper_domain_create(struct hyper *h, const struct xen_domctl_createdomain *c, uint32_t *domid,
			struct error *e)
{
	struct xen_domctl *op = hyper_domctl(h, XEN_DOMCTL_createdomain, *domid);

	op->u.createdomain = *c;
	if (!xencall1(h->call, __HYPERVISOR_domctl, (uintptr_t)op)) {
		*domid = op->domain;
		return 0;
	}
	if (errno == EEXIST)
		return error_set(e, ERROR_CONFLICT, "domain %u exists already", *domid);
	if (errno == ENOMEM)
		return error_set(e, ERROR_RETRY, "not enough free memory for another domain");
	return error_errno(e, ERROR_NONE, errno, "the hypervisor does not create the domain");
}

int hyper_domain_do(struct hyper *h, uint32_t cmd, uint32_t domid, uint64_t number, struct error *e)
{
	static const char *const wanted[] = {
		[XEN_DOMCTL_destroydomain] = " cannot be destroyed",
		[XEN_DOMCTL_pausedomain] = " cannot be paused",
		[XEN_DOMCTL_unpausedomain] = " cannot be unpaused",
		[XEN_DOMCTL_max_mem] = "'s memory limit cannot be set",
		[XEN_DOMCTL_max_vcpus] = "'s vCPUs cannot be made",
		[XEN_DOMCTL_settimeoffset] = "'s clock cannot be set",
		[XEN_DOMCTL_settscinfo] = "'s time stamp counter cannot be set up",
		[XEN_DOMCTL_hypercall_init] = "'s hypercall page cannot be filled",
	};
	struct xen_domctl *op = hyper_domctl(h, cmd, domid);

	memcpy(&op->u, &number, sizeof(number));
	return hyper_domctl_call(h, wanted[cmd], e);
}

int hyper_domain_destroy(struct hyper *h, uint32_t domid, struct error *e)
{
	int rc;

	do
		rc = hyper_domain_do(h, XEN_DOMCTL_destroydomain, domid, 0, e);
	while (rc && (errno == EAGAIN || errno == ERESTART));
	return rc;
}

int hyper_domain_set_handle(struct hyper *h, uint32_t domid, const uint8_t uuid[16],
			    struct error *e)
{
	struct xen_domctl *op = hyper_domctl(h, XEN_DOMCTL_setdomainhandle, domid);

	memcpy(op->u.setdomainhandle.handle, uuid, sizeof(op->u.setdomainhandle.handle));
	return hyper_domctl_call(h, "'s uuid cannot be set", e);
}

int hyper_domain_trigger(struct hyper *h, uint32_t domid, unsigned int trigger, unsigned int vcpu,
			 struct error *e)
{
	struct xen_domctl *op = hyper_domctl(h, XEN_DOMCTL_sendtrigger, domid);

	op->u.sendtrigger.trigger = trigger;
	op->u.sendtrigger.vcpu = vcpu;
	return hyper_domctl_call_vcpu(h, vcpu, " cannot be sent this trigger", e);
}
