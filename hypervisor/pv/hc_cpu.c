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
		if (irq_window())
			return hypercall_continue_with(__HYPERVISOR_set_trap_table,
						       a1 + sizeof(ti));
	}
}

/* Where a callback's address is kept, and what says that it masks events. */
static const struct {
	uint16_t at;
	uint8_t flag;
} callbacks[] = {
	[CALLBACKTYPE_event] = {offsetof(struct pv_vcpu, event_callback)},
	[CALLBACKTYPE_failsafe] = {offsetof(struct pv_vcpu, failsafe_callback),
				   PVBF_failsafe_disables_events},
	[CALLBACKTYPE_syscall] = {offsetof(struct pv_vcpu, syscall_callback),
				  PVBF_syscall_disables_events},
	[CALLBACKTYPE_syscall32] = {offsetof(struct pv_vcpu, syscall32_callback),
				    PVBF_syscall32_disables_events},
	[CALLBACKTYPE_sysenter] = {offsetof(struct pv_vcpu, sysenter_callback),
				   PVBF_sysenter_disables_events},
};

/* Address 0: none. */
static void nmi_set(unsigned long address)
{
	current->pv.traps[X86_NMI] = (struct trap_info){
		.vector = X86_NMI,
		.flags = 4, /* mask upcalls on entry */
		.cs = FLAT_KERNEL_CS,
		.address = address,
	};
}

static bool callback_known(unsigned int type)
{
	return type < ARRAY_SIZE(callbacks) &&
	       callbacks[array_index_nospec(type, ARRAY_SIZE(callbacks))].at;
}

static int callback_register(struct hc *hc, void *arg)
{
	const struct callback_register *reg = arg;
	struct pv_vcpu *pv = &current->pv;
	unsigned int i = array_index_nospec(reg->type, ARRAY_SIZE(callbacks));

	if (!addr_is_canonical(reg->address))
		return -EINVAL;
	if (reg->type == CALLBACKTYPE_nmi) {
		nmi_set(reg->address);
		return 0;
	}
	if (!callback_known(reg->type))
		return -ENOSYS;
	*(unsigned long *)((char *)pv + callbacks[i].at) = reg->address;
	pv->bounce_flags &= ~callbacks[i].flag;
	if (reg->flags & CALLBACKF_mask_events)
		pv->bounce_flags |= callbacks[i].flag;
	return 0;
}

/* Only an NMI's can be taken back. */
static int callback_unregister(struct hc *hc, void *arg)
{
	unsigned int type = ((const struct callback_unregister *)arg)->type;

	if (type != CALLBACKTYPE_nmi)
		return callback_known(type) ? -EINVAL : -ENOSYS;
	nmi_set(0);
	return 0;
}

static const struct subop callback_ops[] = {
	SUBOP(CALLBACKOP_register, struct callback_register, DIR_IN, WHO_ANY, callback_register),
	SUBOP(CALLBACKOP_unregister, struct callback_unregister, DIR_IN, WHO_ANY,
	      callback_unregister),
};

HYPERCALL_FN(callback_op)
{
	return sub_call(callback_ops, a1, a2);
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
	nmi_set(((struct xennmi_callback *)arg)->handler_address);
	return 0;
}

static int nmi_unregister(struct hc *hc, void *arg)
{
	nmi_set(0);
	return 0;
}

static const struct subop nmi_ops[] = {
	SUBOP(XENNMI_register_callback, struct xennmi_callback, DIR_IN, WHO_ANY, nmi_register),
	SUBOP_0(XENNMI_unregister_callback, WHO_ANY, nmi_unregister),
};

HYPERCALL_FN(nmi_op)
{
	return sub_call(nmi_ops, a1, a2);
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
		write_cr0(read_cr0() | CR0_TS);
	} else {
		v->pv.ctrlreg[0] &= ~CR0_TS;
		__asm__ __volatile__("clts");
	}
	return 0;
}

/* Loads a selector into the user's GS, whose base stands in MSR_KERNEL_GS_BASE now. Errors load null. */
static void gs_user_selector(uint16_t sel)
{
	unsigned int s = sel > 3 ? sel | 3u : sel;

	__asm__ __volatile__("swapgs\n"
			     "1: mov %k0, %%gs\n\t"
			     "jmp 3f\n"
			     "2: xor %k0, %k0\n\t"
			     "mov %k0, %%gs\n"
			     "3: mfence; swapgs\n\t" EX_TABLE("1b", "2b")
			     : "+r"(s)
			     :
			     : "memory");
}

HYPERCALL_FN(set_segment_base)
{
	static const uint32_t msr[] = {
		[SEGBASE_FS] = MSR_FS_BASE,
		[SEGBASE_GS_USER] = MSR_KERNEL_GS_BASE,
		[SEGBASE_GS_KERNEL] = MSR_GS_BASE,
	};
	unsigned int which = (unsigned int)a1;

	if (which == SEGBASE_GS_USER_SEL) {
		gs_user_selector((uint16_t)a2);
		return 0;
	}
	if (which >= ARRAY_SIZE(msr) || !addr_is_canonical(a2))
		return -EINVAL;
	wrmsr(msr[array_index_nospec(which, ARRAY_SIZE(msr))], a2);
	return 0;
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
