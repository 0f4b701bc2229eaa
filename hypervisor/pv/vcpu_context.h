/* SPDX-License-Identifier: MIT */
/* A vCPU's whole register state in the ABI's form (struct vcpu_guest_context, <xen/xen.h>). */
#ifndef PV_VCPU_CONTEXT_H
#define PV_VCPU_CONTEXT_H

#include "core/domain.h"

/*
 * For XEN_DOMCTL_setvcpucontext and VCPUOP_initialise. @v is off its CPU and stays so. The first time it also takes the page tables and
 * descriptor tables; later the ones given must be those it has (-EOPNOTSUPP). -EINVAL: an unusable value, nothing changed but @c, whose
 * selectors have been brought to ring 3. -ERESTART: call again with the same context.
 */
int pv_vcpu_set_context(struct vcpu *v, struct vcpu_guest_context *c) __must_check;
void pv_vcpu_get_context(struct vcpu *v, struct vcpu_guest_context *c);

/*
 * For XEN_DOMCTL_{get,set}vcpuextstate: the XSAVE area in the standard format behind two words, XCR0 and every component that may
 * have state. @v is off its CPU.
 */
#define PV_XSTATE_HEADER 16
uint64_t pv_vcpu_xstate_mask(const struct vcpu *v);
void pv_vcpu_get_xstate(struct vcpu *v, void *area, unsigned int size);
int pv_vcpu_set_xstate(struct vcpu *v, uint64_t xcr0, uint64_t mask, const void *area,
		       unsigned int size) __must_check;

#endif
