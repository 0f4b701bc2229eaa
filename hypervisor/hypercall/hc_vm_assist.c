/* SPDX-License-Identifier: MIT */
/*
 * vm_assist: a guest chooses how some of the ABI behaves for it, a bit each in d->vm_assist. Types that mean something to 32-bit
 * guests only are accepted and kept, as 64-bit kernels have always been allowed to set them. No lock: the bits are atomic.
 */
#include "hypercall/dispatch.h"
#include "pv/vcpu_context.h"

HYPERCALL_FN(vm_assist)
{
	unsigned int cmd = (uint32_t)a1, type = (uint32_t)a2;
	struct domain *d = current->domain;

	if (type >= 64 || !(VM_ASSIST_VALID >> type & 1))
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
