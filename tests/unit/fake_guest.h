/* SPDX-License-Identifier: MIT */
/*
 * Guests on the fake machine (fake_machine.h), for tests of what guests do to each other: domains
 * with a few vCPUs and frames, the current vCPU's memory (the test's own, with one bad page), kicks
 * counted, continuations caught.
 */
#ifndef FAKE_GUEST_H
#define FAKE_GUEST_H

#include "fake_machine.h"

#include "hypercall/dispatch.h"
#include "mm/frame.h"

#define FAKE_VCPUS 4
#define BAD_VA	   0x1000UL /* a guest address with nothing behind it */

struct fake_guest {
	struct domain *d;
	struct vcpu vcpu[FAKE_VCPUS];
	struct shared_info *shared;
	unsigned int kicks[FAKE_VCPUS], unblocks[FAKE_VCPUS];
};

extern struct multicall_state fake_continuation; /* .preempted: the last hypercall made one */

void guests_reset(void); /* and machine_reset() */
/* Domain @id; 0 is the control domain. It has its vCPUs and no frames. */
struct fake_guest *guest_new(unsigned int id);
void guest_run(struct fake_guest *g, unsigned int vcpu); /* from now on current */
/* The next hypercalls find no such domain. */
void guest_forget(struct fake_guest *g);
/* A frame of its own. */
mfn_t guest_frame(struct fake_guest *g);
/* Make the hypercall, and its continuations until it is done. */
long guest_call(hypercall_fn fn, unsigned long a1, unsigned long a2, unsigned long a3);
extern unsigned int guest_continuations; /* how many there were */

#endif
