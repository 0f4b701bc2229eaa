/* SPDX-License-Identifier: MIT */
/* outer/xen.c towards hypercall/hc_nested.c, which lets domain 0 talk to the Xen below us, and outer/xen_console.c. */
#ifndef OUTER_XEN_H
#define OUTER_XEN_H

#include "lib/types.h"

/* The address space that hvmloader leaves to the guest, 0xfe700000-0xfe7fffff, never RAM or a device: what we let Xen show there. */
#define XEN_SHARED_INFO_PFN 0xfe700UL
#define XEN_GRANT_PFN	    0xfe740UL
#define XEN_GRANT_FRAMES    64

/* Version (major << 16 | minor) of the Xen whose services are used, 0: none. */
extern uint32_t xen_outer_version;
/* Our own channel there, which domain 0 must not touch; 0: none. */
extern uint32_t xen_outer_port;
/* Its answer, a negative errno of the same numbers as ours. */
long xen_outer_call(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3);
/* Let events of @port interrupt us. */
void xen_outer_unmask(uint32_t port);
/* A parameter of ours (HVM_PARAM_*); 0 if there is none. */
uint64_t xen_outer_param(uint32_t index);

/* outer/xen_console.c: the outer Xen's console ring becomes the log's device and domain 0's console, where that is wanted. */
void xen_console_init(void);
void xen_console_interrupt(void);

#endif
