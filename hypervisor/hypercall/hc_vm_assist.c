/* SPDX-License-Identifier: MIT */
/*
 * vm_assist: a guest chooses how some of the ABI behaves for it, a bit each in d->vm_assist. Types that mean something to 32-bit
 * guests only are accepted and kept, as 64-bit kernels have always been allowed to set them. No lock: the bits are atomic.
 */
#include "hypercall/dispatch.h"

#define ASSIST_VALID                                                                   \
	(BIT(VMASST_TYPE_4gb_segments) | BIT(VMASST_TYPE_4gb_segments_notify) |        \
	 BIT(VMASST_TYPE_writable_pagetables) | BIT(VMASST_TYPE_pae_extended_cr3) |    \
	 BIT(VMASST_TYPE_architectural_iopl) | BIT(VMASST_TYPE_runstate_update_flag) | \
	 BIT(VMASST_TYPE_m2p_strict))

HYPERCALL_FN(vm_assist)
{
	unsigned int cmd = (uint32_t)a1, type = (uint32_t)a2;
	struct domain *d = current->domain;

	if (type >= 64 || !(ASSIST_VALID >> type & 1))
		return -EINVAL;
	switch (cmd) {
	case VMASST_CMD_enable:
		set_bit(type, &d->vm_assist);
		return 0;
	case VMASST_CMD_disable:
		clear_bit(type, &d->vm_assist);
		return 0;
	default:
		return -ENOSYS;
	}
}
