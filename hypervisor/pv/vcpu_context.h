/* SPDX-License-Identifier: MIT */
/* A vCPU's whole register state in the ABI's form (struct vcpu_guest_context, <xen/xen.h>). */
#ifndef PV_VCPU_CONTEXT_H
#define PV_VCPU_CONTEXT_H

#include "core/domain.h"

/* What a guest may choose (VMASST_TYPE_*). Types that mean something to 32-bit guests only are accepted and kept. */
#define VM_ASSIST_VALID                                                                \
	(BIT(VMASST_TYPE_4gb_segments) | BIT(VMASST_TYPE_4gb_segments_notify) |        \
	 BIT(VMASST_TYPE_writable_pagetables) | BIT(VMASST_TYPE_pae_extended_cr3) |    \
	 BIT(VMASST_TYPE_architectural_iopl) | BIT(VMASST_TYPE_runstate_update_flag) | \
	 BIT(VMASST_TYPE_m2p_strict))

/*
 * For XEN_DOMCTL_setvcpucontext and VCPUOP_initialise. @v is off its CPU and stays so. The first time it also takes the page tables and
 * descriptor tables; later the ones given must be those it has (-EOPNOTSUPP). -EINVAL: an unusable value, nothing changed but @c, whose
 * selectors have been brought to ring 3. -ERESTART: call again with the same context.
 */
int pv_vcpu_set_context(struct vcpu *v, struct vcpu_guest_context *c) __must_check;
void pv_vcpu_get_context(struct vcpu *v, struct vcpu_guest_context *c);

#endif
