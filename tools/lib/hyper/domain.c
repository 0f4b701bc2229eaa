/* SPDX-License-Identifier: MIT */
/* A domain's life and limits: one function a domctl. */
#include "lib/hyper/call.h"

#include <xen/sched.h>

enum { LIST_BATCH = 128 };
_Static_assert(LIST_BATCH * sizeof(xen_domctl_getdomaininfo_t) <= HYPER_DATA_BYTES, "a batch fits");

int hyper_domain_list(struct hyper *h, uint32_t first, xen_domctl_getdomaininfo_t *info,
		      unsigned int max, struct error *e)
{
	unsigned int n = 0, want, got;

	do {
		struct xen_sysctl *op = hyper_sysctl(h, XEN_SYSCTL_getdomaininfolist);
		struct xen_sysctl_getdomaininfolist *list = &op->u.getdomaininfolist;

		want = max - n < LIST_BATCH ? max - n : LIST_BATCH;
		list->first_domain = (domid_t)(n ? info[n - 1].domain + 1u : first);
		list->max_domains = want;
		set_xen_guest_handle(list->buffer, hyper_data(h));
		if (hyper_sysctl_call(h, "domains cannot be listed", e))
			return -1;
		got = list->num_domains < want ? list->num_domains : want;
		memcpy(info + n, hyper_data(h), got * sizeof(*info));
		n += got;
	} while (got == LIST_BATCH && n < max);
	return (int)n;
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

void hyper_create_defaults(struct xen_domctl_createdomain *c)
{
	*c = (struct xen_domctl_createdomain){
		.max_vcpus = 1,
		.max_evtchn_port = 1023,
		.max_grant_frames = -1,
		.max_maptrack_frames = -1,
		.grant_opts = XEN_DOMCTL_GRANT_version(2),
	};
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

/* Those whose argument is one number, 0 for none: it is the first of its struct. */
static int call_with(struct hyper *h, uint32_t cmd, uint32_t domid, uint64_t number,
		     const char *what, struct error *e)
{
	struct xen_domctl *op = hyper_domctl(h, cmd, domid);

	memcpy(&op->u, &number, sizeof(number));
	return hyper_domctl_call(h, what, e);
}

int hyper_domain_destroy(struct hyper *h, uint32_t domid, struct error *e)
{
	int rc;

	do
		rc = call_with(h, XEN_DOMCTL_destroydomain, domid, 0, " cannot be destroyed", e);
	while (rc && (errno == EAGAIN || errno == ERESTART));
	return rc;
}

int hyper_domain_pause(struct hyper *h, uint32_t domid, struct error *e)
{
	return call_with(h, XEN_DOMCTL_pausedomain, domid, 0, " cannot be paused", e);
}

int hyper_domain_unpause(struct hyper *h, uint32_t domid, struct error *e)
{
	return call_with(h, XEN_DOMCTL_unpausedomain, domid, 0, " cannot be unpaused", e);
}

int hyper_domain_set_handle(struct hyper *h, uint32_t domid, const uint8_t uuid[16],
			    struct error *e)
{
	struct xen_domctl *op = hyper_domctl(h, XEN_DOMCTL_setdomainhandle, domid);

	memcpy(op->u.setdomainhandle.handle, uuid, sizeof(op->u.setdomainhandle.handle));
	return hyper_domctl_call(h, "'s uuid cannot be set", e);
}

int hyper_domain_set_max_memory(struct hyper *h, uint32_t domid, uint64_t kb, struct error *e)
{
	return call_with(h, XEN_DOMCTL_max_mem, domid, kb, "'s memory limit cannot be set", e);
}

int hyper_domain_set_vcpus(struct hyper *h, uint32_t domid, unsigned int nr, struct error *e)
{
	return call_with(h, XEN_DOMCTL_max_vcpus, domid, nr, "'s vCPUs cannot be made", e);
}

int hyper_domain_set_time_offset(struct hyper *h, uint32_t domid, int64_t seconds, struct error *e)
{
	return call_with(h, XEN_DOMCTL_settimeoffset, domid, (uint64_t)seconds,
			 "'s clock cannot be set", e);
}

int hyper_domain_set_tsc_mode(struct hyper *h, uint32_t domid, unsigned int mode, struct error *e)
{
	return call_with(h, XEN_DOMCTL_settscinfo, domid, mode,
			 "'s time stamp counter cannot be set up", e);
}

int hyper_hypercall_page(struct hyper *h, uint32_t domid, xen_pfn_t mfn, struct error *e)
{
	return call_with(h, XEN_DOMCTL_hypercall_init, domid, mfn,
			 "'s hypercall page cannot be filled", e);
}

int hyper_domain_trigger(struct hyper *h, uint32_t domid, unsigned int trigger, unsigned int vcpu,
			 struct error *e)
{
	struct xen_domctl *op = hyper_domctl(h, XEN_DOMCTL_sendtrigger, domid);

	op->u.sendtrigger.trigger = trigger;
	op->u.sendtrigger.vcpu = vcpu;
	return hyper_domctl_call_vcpu(h, vcpu, " cannot be sent this trigger", e);
}
