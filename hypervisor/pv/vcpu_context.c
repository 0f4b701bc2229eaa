/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's register state from and to the ABI's form: how the tools start, save and restore a guest, and how a guest starts its own
 * further CPUs. The values come from outside: whatever would fault in the hypervisor when it is loaded (non-canonical
 * addresses, reserved bits of MXCSR and of the XSAVE header) is refused or cleared here; what faults in the guest is its own affair.
 *
 * The vCPU is paused, its state is in struct vcpu. No lock.
 */
#include "pv/vcpu_context.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/guest_copy.h"
#include "pv/mmu.h"
#include "x86/asm.h"
#include "x86/page.h"

#define RFLAGS_GUEST 0x254dd5UL /* arithmetic flags, TF, DF, NT, RF, AC, ID */

static bool addresses_ok(const struct vcpu_guest_context *c)
{
	const unsigned long addr[] = {c->user_regs.rip,
				      c->user_regs.rsp,
				      c->kernel_sp,
				      c->fs_base,
				      c->gs_base_kernel,
				      c->gs_base_user,
				      c->event_callback_eip,
				      c->syscall_callback_eip,
				      c->failsafe_callback_eip};

	for (unsigned int i = 0; i < ARRAY_SIZE(addr); i++)
		if (!addr_is_canonical(addr[i]))
			return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
		if (!addr_is_canonical(c->trap_ctxt[i].address))
			return false;
	for (unsigned int i = 0; i < 4; i++)
		if (!guest_va_ok(c->debugreg[i]))
			return false;
	return c->ldt_base % PAGE_SIZE == 0 && c->ldt_ents <= 8192 &&
	       guest_access_ok(c->ldt_base, c->ldt_ents * 8);
}

static int context_check(const struct vcpu *v, const struct vcpu_guest_context *c)
{
	if (!addresses_ok(c) || c->debugreg[6] >> 32 || c->debugreg[7] >> 32)
		return -EINVAL;
	/* Beyond the 32 of shared_info a vCPU must have registered its own place first. */
	if (v->vcpu_info == &dummy_vcpu_info)
		return -EINVAL;
	if (c->gdt_ents > 512 * ARRAY_SIZE(v->pv.gdt_frames))
		return -EINVAL;
	if (v->vcpu_id == 0 && (c->vm_assist & ~VM_ASSIST_VALID))
		return -EINVAL;
	if (!v->is_initialised && !(c->flags & VGCF_in_kernel) && !c->ctrlreg[1])
		return -EINVAL;
	return 0;
}

static void selectors_fix(struct vcpu_guest_context *c)
{
	c->user_regs.cs |= 3;
	c->user_regs.ss |= 3;
	c->kernel_ss |= 3;
	for (unsigned int i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
		c->trap_ctxt[i].cs |= 3;
}

/* A vCPU that runs already keeps its tables: changing them takes references, which is the guest's own business. */
static bool tables_same(const struct vcpu *v, const struct vcpu_guest_context *c)
{
	unsigned int nr = DIV_ROUND_UP(v->pv.gdt_ents, 512);

	if (c->ctrlreg[3] != v->pv.cr3_kernel || c->ctrlreg[1] != v->pv.cr3_user ||
	    (!v->pv.cr3_user && !(c->flags & VGCF_in_kernel)))
		return false;
	if (c->gdt_ents != v->pv.gdt_ents || c->ldt_ents != v->pv.ldt_ents ||
	    (c->ldt_ents && c->ldt_base != v->pv.ldt_base))
		return false;
	return !memcmp(c->gdt_frames, v->pv.gdt_frames, nr * sizeof(c->gdt_frames[0]));
}

static int tables_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
	int rc;

	if (v->vcpu_id == 0) /* the tables' shape depends on it */
		v->domain->vm_assist = c->vm_assist;
	rc = pv_gdt_set(v, (const uint64_t *)c->gdt_frames, (unsigned int)c->gdt_ents);
	if (rc)
		return rc;
	rc = pv_set_guest_table(v, PFN_DOWN(c->ctrlreg[3]), PFN_DOWN(c->ctrlreg[1]));
	if (rc) {
		pv_gdt_clear(v);
		return rc;
	}
	v->pv.ldt_ents = (unsigned int)c->ldt_ents;
	v->pv.ldt_base = c->ldt_ents ? c->ldt_base : 0;
	return 0;
}

static void registers_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
	unsigned long rflags = c->user_regs.rflags;

	v->regs = c->user_regs;
	v->regs.error_code = v->regs.entry_vector = 0;
	v->regs.saved_upcall_mask = 0;
	v->regs.rflags = (rflags & RFLAGS_GUEST) | RFLAGS_IF | RFLAGS_MBS;
	v->pv.iopl = rflags >> 12 & 3;
	v->pv.ds = c->user_regs.ds;
	v->pv.es = c->user_regs.es;
	v->pv.fs = c->user_regs.fs;
	v->pv.gs = c->user_regs.gs;
	v->pv.fs_base = c->fs_base;
	v->pv.gs_base_kernel = c->gs_base_kernel;
	v->pv.gs_base_user = c->gs_base_user;
	v->in_kernel = c->flags & VGCF_in_kernel;
	pv_fpu_set(v, c->flags & VGCF_i387_valid ? &c->fpu_ctxt : NULL);
}

static void callbacks_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
	memcpy(v->pv.traps, c->trap_ctxt, sizeof(c->trap_ctxt));
	v->pv.kernel_ss = (uint16_t)c->kernel_ss;
	v->pv.kernel_sp = c->kernel_sp;
	v->pv.event_callback = c->event_callback_eip;
	v->pv.failsafe_callback = c->failsafe_callback_eip;
	v->pv.syscall_callback = c->syscall_callback_eip;
	v->pv.bounce_flags =
		(v->pv.bounce_flags &
		 ~(PVBF_failsafe_disables_events | PVBF_syscall_disables_events)) |
		(c->flags & VGCF_failsafe_disables_events ? PVBF_failsafe_disables_events : 0) |
		(c->flags & VGCF_syscall_disables_events ? PVBF_syscall_disables_events : 0);
}

static void control_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
	v->pv.ctrlreg[0] = (v->pv.ctrlreg[0] & ~CR0_TS) | (c->ctrlreg[0] & CR0_TS);
	pv_set_cr4(v, c->ctrlreg[4]);
	v->pv.dr7 = v->pv.dr7_emul = 0;
	for (unsigned int i = 0; i < 4; i++)
		(void)pv_set_debugreg(v, i, c->debugreg[i]);
	(void)pv_set_debugreg(v, 6, c->debugreg[6]);
	(void)pv_set_debugreg(v, 7, c->debugreg[7]);
}

int pv_vcpu_set_context(struct vcpu *v, struct vcpu_guest_context *c)
{
	int rc = context_check(v, c);

	if (rc)
		return rc;
	if (v->is_initialised && !tables_same(v, c))
		return -EOPNOTSUPP;
	selectors_fix(c);
	if (!v->is_initialised) {
		rc = tables_set(v, c);
		if (rc)
			return rc;
	}
	registers_set(v, c);
	callbacks_set(v, c);
	control_set(v, c);
	if (!v->is_initialised && v->vcpu_id == 0)
		vtime_update_wallclock(v->domain);
	v->is_initialised = true;
	if (c->flags & VGCF_online)
		atomic_and(&v->pause_flags, ~VPF_down);
	else
		atomic_or(&v->pause_flags, VPF_down);
	return 0;
}

static void registers_get(const struct vcpu *v, struct vcpu_guest_context *c)
{
	c->user_regs = v->regs;
	c->user_regs.error_code = c->user_regs.entry_vector = 0;
	c->user_regs.saved_upcall_mask = 0;
	c->user_regs.rflags |= (unsigned long)v->pv.iopl << 12;
	c->user_regs.ds = v->pv.ds;
	c->user_regs.es = v->pv.es;
	c->user_regs.fs = v->pv.fs;
	c->user_regs.gs = v->pv.gs;
	c->fs_base = v->pv.fs_base;
	c->gs_base_kernel = v->pv.gs_base_kernel;
	c->gs_base_user = v->pv.gs_base_user;
	memcpy(&c->fpu_ctxt, v->pv.fpu, sizeof(c->fpu_ctxt));
}

static void tables_get(const struct vcpu *v, struct vcpu_guest_context *c)
{
	c->ldt_ents = v->pv.ldt_ents;
	c->ldt_base = v->pv.ldt_ents ? v->pv.ldt_base : 0;
	c->gdt_ents = v->pv.gdt_ents;
	for (unsigned int i = 0; i < DIV_ROUND_UP(v->pv.gdt_ents, 512); i++)
		c->gdt_frames[i] = v->pv.gdt_frames[i];
	c->ctrlreg[3] = v->pv.cr3_kernel;
	c->ctrlreg[1] = v->pv.cr3_user;
}

static unsigned long flags_get(const struct vcpu *v)
{
	uint8_t bounce = v->pv.bounce_flags;

	return VGCF_i387_valid | (v->in_kernel ? VGCF_in_kernel : 0) |
	       (v->pause_flags & VPF_down ? 0 : VGCF_online) |
	       (bounce & PVBF_failsafe_disables_events ? VGCF_failsafe_disables_events : 0) |
	       (bounce & PVBF_syscall_disables_events ? VGCF_syscall_disables_events : 0);
}

void pv_vcpu_get_context(struct vcpu *v, struct vcpu_guest_context *c)
{
	memset(c, 0, sizeof(*c));
	c->flags = flags_get(v);
	registers_get(v, c);
	memcpy(c->trap_ctxt, v->pv.traps, sizeof(c->trap_ctxt));
	c->ctrlreg[0] = v->pv.ctrlreg[0];
	c->ctrlreg[4] = v->pv.ctrlreg[4];
	tables_get(v, c);
	c->kernel_ss = v->pv.kernel_ss;
	c->kernel_sp = v->pv.kernel_sp;
	c->event_callback_eip = v->pv.event_callback;
	c->failsafe_callback_eip = v->pv.failsafe_callback;
	c->syscall_callback_eip = v->pv.syscall_callback;
	for (unsigned int i = 0; i < 4; i++)
		c->debugreg[i] = v->pv.dr[i];
	c->debugreg[6] = v->pv.dr6;
	c->debugreg[7] = v->pv.dr7 | v->pv.dr7_emul;
	c->vm_assist = v->domain->vm_assist;
}
