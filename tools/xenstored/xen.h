/* SPDX-License-Identifier: MIT */
/* The hypervisor as xenstored needs it: event channels, other domains' pages, which domains there are. Errors are errno values. */
#pragma once

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xenevtchn.h>

/* @domain_event: the port that is pending when a domain has shut down or is gone. @fd is readable when some are pending. */
int xen_open(int *fd, uint32_t *domain_event, struct error *e);

extern xenevtchn_handle *xen_events;
/* Event channels that are pending; they stay masked until xen_unmask(). */
size_t xen_pending(uint32_t *ports, size_t most);
void xen_unmask(const uint32_t *ports, size_t nr);
/* The page of a domain's store connection; @by_grant says how, for xen_unmap(). Domain 0's own is what its kernel says. */
void *xen_map(unsigned int domid, uint64_t gfn, bool *by_grant);
void xen_unmap(unsigned int domid, void *page, bool by_grant);
/* The kernel's end of domain 0's own connection, or 0. */
uint32_t xen_own_port(void);

enum xen_state { XEN_ABSENT, XEN_ALIVE, XEN_SHUT_DOWN };
enum xen_state xen_domain_state(unsigned int domid);
