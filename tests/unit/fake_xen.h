/* SPDX-License-Identifier: MIT */
/* A Xen below us, for tests of what we ask of it: each call is kept, and answered as the test wants. */
#ifndef FAKE_XEN_H
#define FAKE_XEN_H

#include "lib/types.h"
#include <xen/xen.h>

extern struct fake_xen {
	unsigned int calls;
	unsigned long nr, op, count; /* of the last call */
	uint8_t arg[32];	     /* its structure, up to */
	long rc;
	long rc_vector;	    /* of HVMOP_set_evtchn_upcall_vector */
	uint64_t param;	    /* the value of any parameter asked for */
	uint64_t via;	    /* the last HVM_PARAM_CALLBACK_IRQ */
	uint8_t vector;	    /* of upcalls */
	unsigned int virqs; /* sent to domain 0 */
	void (*upcall)(void *regs);
	struct shared_info shared;
} fake_xen;

void fake_xen_reset(void);

#endif
