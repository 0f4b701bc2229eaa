/* SPDX-License-Identifier: MIT */
/* A multicall in progress: lives on hc_multicall()'s stack, v->mc_state points to it (0: none). */
#ifndef HYPERCALL_MULTICALL_H
#define HYPERCALL_MULTICALL_H

#include "lib/types.h"
#include <xen/xen.h>

struct multicall_state {
	struct multicall_entry
		entry; /* op: of the entry being run, or of its continuation; args: the continuation's */
	unsigned int nr_args; /* of entry.args, new ones; the others stay as the guest has them */
	bool preempted;	      /* it made a continuation */
};

#endif
