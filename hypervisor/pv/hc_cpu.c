/* SPDX-License-Identifier: MIT */
/*
 * The hypercalls by which a guest sets up its virtual CPU: trap table, callbacks, kernel stack, segment bases, TS flag, debug
 * registers. All act on the calling vCPU.
 */
#include "hypercall/dispatch.h"
#include "lib/log.h"
#include "lib/string.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/page.h"
#include <xen/callback.h>
#include <xen/nmi.h>

/* RPL 0 becomes 3: a guest's segments are never ring 0. */
static uint16_t selector_fix(uint16_t sel)
{
	return sel & 3 ? sel : sel | 3;
}

HYPERCALL_FN(set_trap_table)
{
	struct vcpu *v = current;
	struct trap_info ti;

	if (!a1) {
		memset(v->pv.traps, 0, 256 * sizeof(*v->pv.traps));
		return 0;
	}
	for (;; a1 += sizeof(ti)) {
		if (copy_from_guest_va(&ti, a1, sizeof(ti)))
			return -EFAULT;
		if (!ti.address)
			return 0;
		if (!addr_is_canonical(ti.address))
			return -EINVAL;
		ti.cs = selector_fix(ti.cs);
		v->pv.traps[ti.vector] = ti;
		if (hypercall_preempt_check())
			return hypercall_continue_with(__HYPERVISOR_set_trap_table,
						       a1 + sizeof(ti));
	}
}

static void bounce_flag(struct vcpu *v, uint8_t flag, bool on)
{
	v->pv.bounce_flags = on ? v->pv.bounce_flags | flag : v->pv.bounce_flags & ~flag;
}

static int nmi_callback_set(struct vcpu *v, unsigned long address)
{
	v->pv.traps[X86_NMI] = (struct trap_info){
		.vector = X86_NMI,
		.flags = 4, /* mask upcalls on entry */
		.cs = FLAT_KERNEL_CS,
		.address = address,
	};
	return 0;
}

static int callback_register(struct hc *hc, void *arg)
{
	const struct callback_register *reg = arg;
	struct vcpu *v = current;
	bool mask = reg->flags & CALLBACKF_mask_events;

	if (!addr_is_canonical(reg->address))
		return -EINVAL;
	switch (reg->type) {
	case CALLBACKTYPE_event:
		v->pv.event_callback = reg->address;
		return 0;
	case CALLBACKTYPE_failsafe:
		v->pv.failsafe_callback = reg->address;
		bounce_flag(v, PVBF_failsafe_disables_events, mask);
		return 0;
	case CALLBACKTYPE_syscall:
		v->pv.syscall_callback = reg->address;
		bounce_flag(v, PVBF_syscall_disables_events, mask);
		return 0;
	case CALLBACKTYPE_syscall32:
		v->pv.syscall32_callback = reg->address;
		bounce_flag(v, PVBF_syscall32_disables_events, mask);
		return 0;
	case CALLBACKTYPE_sysenter:
		v->pv.sysenter_callback = reg->address;
		bounce_flag(v, PVBF_sysenter_disables_events, mask);
		return 0;
	case CALLBACKTYPE_nmi:
		return nmi_callback_set(v, reg->address);
	default:
		return -ENOSYS;
	}
}

static int callback_unregister(struct hc *hc, void *arg)
{
	const struct callback_unregister *reg = arg;

	switch (reg->type) {
	case CALLBACKTYPE_event:
	case CALLBACKTYPE_failsafe:
	case CALLBACKTYPE_syscall:
	case CALLBACKTYPE_syscall32:
	case CALLBACKTYPE_sysenter:
		return -EINVAL;
	case CALLBACKTYPE_nmi:
		memset(&current->pv.traps[X86_NMI], 0, sizeof(struct trap_info));
		return 0;
	default:
		return -ENOSYS;
	}
}

static const struct subop callback_ops[] = {
	SUBOP(CALLBACKOP_register, struct callback_register, DIR_IN, WHO_ANY, callback_register),
	SUBOP(CALLBACKOP_unregister, struct callback_unregister, DIR_IN, WHO_ANY,
	      callback_unregister),
};
const struct subop_family callback_family = {"callback_op", callback_ops, ARRAY_SIZE(callback_ops),
					     -ENOSYS};

HYPERCALL_FN(callback_op)
{
	return sub_call(&callback_family, a1, a2);
}

HYPERCALL_FN(set_callbacks)
{
	struct callback_register regs[] = {
		{.type = CALLBACKTYPE_event, .address = a1},
		{.type = CALLBACKTYPE_failsafe, .address = a2},
		{.type = CALLBACKTYPE_syscall, .address = a3},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
		(void)callback_register(
			NULL, &regs[i]); /* the ABI has no way to say that one was refused */
	return 0;
}

/* NMI: register and unregister are the older form of the callback. */
static int nmi_register(struct hc *hc, void *arg)
{
	return nmi_callback_set(current, ((struct xennmi_callback *)arg)->handler_address);
}

static int nmi_unregister(struct hc *hc, void *arg)
{
	memset(&current->pv.traps[X86_NMI], 0, sizeof(struct trap_info));
	return 0;
}

static const struct subop nmi_ops[] = {
	SUBOP(XENNMI_register_callback, struct xennmi_callback, DIR_IN, WHO_ANY, nmi_register),
	SUBOP_0(XENNMI_unregister_callback, WHO_ANY, nmi_unregister),
};
const struct subop_family nmi_family = {"nmi_op", nmi_ops, ARRAY_SIZE(nmi_ops), -ENOSYS};

HYPERCALL_FN(nmi_op)
{
	return sub_call(&nmi_family, a1, a2);
}

HYPERCALL_FN(stack_switch)
{
	struct vcpu *v = current;

	v->pv.kernel_ss = selector_fix((uint16_t)a1);
	v->pv.kernel_sp = a2;
	return 0;
}

HYPERCALL_FN(fpu_taskswitch)
{
	struct vcpu *v = current;

	if (a1) {
		v->pv.ctrlreg[0] |= CR0_TS;
		v->pv.ts = true;
		write_cr0(read_cr0() | CR0_TS);
	} else {
		v->pv.ctrlreg[0] &= ~CR0_TS;
		v->pv.ts = false;
		__asm__ __volatile__("clts");
	}
	return 0;
}

/* Loads a selector into the user's GS, whose base stands in MSR_KERNEL_GS_BASE now. Errors load null. */
static void gs_user_selector(uint16_t sel)
{
	unsigned int s = sel > 3 ? sel | 3u : sel;

	__asm__ __volatile__(
		"swapgs\n"
		"1: mov %k0, %%gs\n\t"
		"jmp 3f\n"
		"2: xor %k0, %k0\n\t"
		"mov %k0, %%gs\n"
		"3: mfence; swapgs\n\t"
		".pushsection .ex_table, \"a\"\n\t.balign 8\n\t.quad 1b, 2b\n\t.popsection"
		: "+r"(s)
		:
		: "memory");
}

HYPERCALL_FN(set_segment_base)
{
	unsigned int which = (unsigned int)a1;

	switch (which) {
	case SEGBASE_FS:
	case SEGBASE_GS_USER:
	case SEGBASE_GS_KERNEL:
		if (!addr_is_canonical(a2))
			return -EINVAL;
		wrmsr(which == SEGBASE_FS	 ? MSR_FS_BASE
		      : which == SEGBASE_GS_USER ? MSR_KERNEL_GS_BASE
						 : MSR_GS_BASE,
		      a2);
		return 0;
	case SEGBASE_GS_USER_SEL:
		gs_user_selector((uint16_t)a2);
		return 0;
	default:
		return -EINVAL;
	}
}

HYPERCALL_FN(set_debugreg)
{
	return pv_set_debugreg(current, (unsigned int)a1, a2);
}

HYPERCALL_FN(get_debugreg)
{
	unsigned long value;
	int rc = pv_get_debugreg(current, (unsigned int)a1, &value);

	return rc ? rc : (long)value;
}
