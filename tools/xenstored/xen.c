/* SPDX-License-Identifier: MIT */
/* See xen.h: Debian's stable Xen libraries. */
#include "xenstored/xen.h"

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "xenstored/journal.h"
#include "xenstored/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xencall.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>
#include <xen/domctl.h>
#include <xen/grant_table.h>
#include <xen/xen.h>

#define PAGE 4096

xenevtchn_handle *xen_events;
static xengnttab_handle *grants;
static xenforeignmemory_handle *foreign;
static xencall_handle *calls;
static xen_domctl_t *domctl; /* memory the hypervisor can read */

int xen_open(int *fd, uint32_t *domain_event, struct error *e)
{
	xenevtchn_port_or_error_t port;

	xen_events = xenevtchn_open(NULL, 0);
	grants = xengnttab_open(NULL, 0);
	foreign = xenforeignmemory_open(NULL, 0);
	calls = xencall_open(NULL, 0);
	if (calls)
		domctl = xencall_alloc_buffer(calls, sizeof(*domctl));
	if (!xen_events || !foreign || !domctl) {
		error_errno(e, ERROR_ABSENT, errno, "Xen's interfaces cannot be opened");
		return error_hint(e, "is this domain 0? --no-domain-init serves without Xen");
	}
	port = xenevtchn_bind_virq(xen_events, VIRQ_DOM_EXC);
	if (port < 0)
		return error_errno(e, ERROR_FAILED, errno, "nobody would tell when domains end");
	*domain_event = (uint32_t)port;
	*fd = xenevtchn_fd(xen_events);
	fcntl(*fd, F_SETFL, O_NONBLOCK);
	return 0;
}

/* The device hands out and takes back many ports at once, the library one a call. */
size_t xen_pending(uint32_t *ports, size_t most)
{
	ssize_t n = read(xenevtchn_fd(xen_events), ports, most * sizeof(*ports));

	return n < 0 ? 0 : (size_t)n / sizeof(*ports);
}

void xen_unmask(const uint32_t *ports, size_t nr)
{
	size_t len = nr * sizeof(*ports);

	if (nr && write(xenevtchn_fd(xen_events), ports, len) != (ssize_t)len)
		log_error("event channels cannot be unmasked: %s", strerror(errno));
}

static void *map_own(void)
{
	int fd = open("/proc/xen/xsd_kva", O_RDWR | O_CLOEXEC);
	void *page;

	if (fd < 0)
		return NULL;
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

void *xen_map(unsigned int domid, uint64_t gfn, bool *by_grant)
{
	const xen_pfn_t frame = gfn;
	void *page = NULL;

	*by_grant = false;
	if (!domid)
		return map_own();
	if (grants)
		page = xengnttab_map_grant_ref(grants, domid, GNTTAB_RESERVED_XENSTORE,
					       PROT_READ | PROT_WRITE);
	*by_grant = page;
	return page ? page
		    : xenforeignmemory_map(foreign, domid, PROT_READ | PROT_WRITE, 1, &frame, NULL);
}

void xen_unmap(unsigned int domid, void *page, bool by_grant)
{
	if (!domid)
		munmap(page, PAGE);
	else if (by_grant)
		xengnttab_unmap(grants, page, 1);
	else
		xenforeignmemory_unmap(foreign, page, 1);
}

uint32_t xen_own_port(void)
{
	unsigned long long port;

	file_number("/proc/xen/xsd_port", &port);
	return (uint32_t)port;
}

enum xen_state xen_domain_state(unsigned int domid)
{
	uint32_t flags;

	memset(domctl, 0, sizeof(*domctl));
	domctl->cmd = XEN_DOMCTL_getdomaininfo;
	domctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	domctl->domain = (domid_t)domid;
	/* The answer may be the next domain there is. */
	if (xencall1(calls, __HYPERVISOR_domctl, (uint64_t)(uintptr_t)domctl) ||
	    domctl->u.getdomaininfo.domain != domid)
		return XEN_ABSENT;
	flags = domctl->u.getdomaininfo.flags;
	if (flags & XEN_DOMINF_dying)
		return XEN_ABSENT;
	return (flags & XEN_DOMINF_shutdown) ? XEN_SHUT_DOWN : XEN_ALIVE;
}

bool outside_exists(unsigned int domid)
{
	return !journal_replaying && (!calls || xen_domain_state(domid) != XEN_ABSENT);
}
