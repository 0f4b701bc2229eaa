/* SPDX-License-Identifier: MIT */
/*
 * Exceptions: what the entry code calls. One from a guest is handled for it (privileged instruction, page-table write, LDT page) or
 * bounced to its kernel. One in the hypervisor continues at its exception-table entry, or is a bug: panic.
 */
#include "x86/traps.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/guest_copy.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/entry_macros.h"
#include "x86/page.h"
#include "x86/smp.h"
#include "x86/watch.h"

struct ex_entry {
	unsigned long from, to;
};
extern const struct ex_entry __ex_table_start[], __ex_table_end[];
extern const char guest_iret[], sysenter_entry[], sysenter_flags_saved[];
void resume_after_bad_iret(struct cpu_user_regs *guest_regs, unsigned int vector,
			   uint32_t error_code) __noreturn;

static const char *trap_name(unsigned int vector)
{
	/* The manuals' mnemonics (SDM vol. 3, table 6-1). */
	static const char names[][4] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
					"#DF", "#9",  "#TS", "#NP", "#SS", "#GP", "#PF", "#15",
					"#MF", "#AC", "#MC", "#XM", "#VE", "#CP"};

	return vector < ARRAY_SIZE(names) ? names[vector] : "unknown trap";
}

static unsigned long ex_table_find(unsigned long ip)
{
	for (const struct ex_entry *e = __ex_table_start; e < __ex_table_end; e++)
		if (e->from == ip)
			return e->to;
	return 0;
}

/*
 * IRET to what the guest asked for has faulted. The guest's registers are those of the nested frame; its target is
 * still in guest_regs, of which the nested frame overlaps the lower part.
 */
static void __noreturn bad_guest_iret(struct cpu_user_regs *nested)
{
	struct cpu_user_regs *regs = guest_regs();
	unsigned int vector = nested->entry_vector & 0xff;
	uint32_t error_code = nested->error_code;

	memmove(regs, nested, offsetof(struct cpu_user_regs, error_code));
	regs->error_code = 0;
	regs->entry_vector = 0;
	resume_after_bad_iret(regs, vector, error_code);
}

/*
 * The CPU's own access to a descriptor, on the guest's behalf or on ours (a selector load, IRET): a guest LDT page
 * that is not mapped yet. False if it cannot be.
 */
static bool ldt_window_fault(unsigned long addr, uint32_t error_code, unsigned long *off)
{
	struct vcpu *v = current;

	*off = addr - LDT_VIRT_START(v->vcpu_id);
	return !v->is_idle && !(error_code & (PF_U | PF_RSV)) && *off < 0x10000;
}

void trap_in_hypervisor(struct cpu_user_regs *regs)
{
	unsigned int vector = regs->entry_vector & 0xff;
	unsigned long fixup, off;

	if (vector == X86_PF && ldt_window_fault(read_cr2(), regs->error_code, &off) &&
	    pv_ldt_map(current, off))
		return;
	if (regs->rip == (unsigned long)guest_iret)
		bad_guest_iret(regs);
	fixup = ex_table_find(regs->rip);
	if (likely(fixup)) {
		regs->rip = fixup;
		return;
	}
	crash_with_regs(regs, "%s in the hypervisor", trap_name(vector));
}

/* NMI, double fault, machine check; and #DB in the hypervisor, which a guest's own breakpoint can cause. */
void trap_ist(struct cpu_user_regs *regs)
{
	unsigned int vector = regs->entry_vector & 0xff;

	if (vector == X86_NMI) {
		nmi_handle();
		watch_nmi(regs);
		return;
	}
	if (vector != X86_DB)
		crash_with_regs(regs, "%s", trap_name(vector));
	write_dr(6, 0xffff0ff0);
	/* SYSENTER does not clear TF: let it be stored in the guest's frame, then step no further. */
	if (regs->rip < (unsigned long)sysenter_entry ||
	    regs->rip >= (unsigned long)sysenter_flags_saved)
		regs->rflags &= ~RFLAGS_TF;
}

void guest_debug_trap(struct cpu_user_regs *regs)
{
	unsigned long dr6 = read_dr(6) & 0xe00f;

	write_dr(6, 0xffff0ff0);
	current->pv.dr6 |= dr6;
	pv_inject_trap(X86_DB, 0);
}

static void guest_trap_plain(struct cpu_user_regs *regs)
{
	pv_inject_trap(regs->entry_vector & 0xff, regs->error_code);
}

static void guest_trap_int80(struct cpu_user_regs *regs)
{
	pv_inject_software_interrupt(0x80, 0);
}

static void guest_trap_ud(struct cpu_user_regs *regs)
{
	if (!pv_emulate_forced(regs))
		pv_inject_trap(X86_UD, 0);
}

static void guest_trap_gp(struct cpu_user_regs *regs)
{
	if (regs->error_code & 1) /* EXT: not the instruction's doing */
		goto inject;
	if (regs->error_code & 2) {
		if (pv_software_interrupt(regs))
			return;
	} else if (!regs->error_code) {
		if (pv_emulate_privileged(regs))
			return;
	}
inject:
	pv_inject_trap(X86_GP, regs->error_code);
}

static void guest_trap_pf(struct cpu_user_regs *regs)
{
	unsigned long addr = read_cr2(), off;
	uint32_t ec = regs->error_code;

	if (unlikely(addr >= HYP_VIRT_START && addr < HYP_VIRT_END)) {
		if (ldt_window_fault(addr, ec, &off)) {
			if (pv_ldt_map(current, off))
				return;
			addr = pv_ldt_address(current, off, addr);
		}
	} else if ((ec & (PF_P | PF_W | PF_RSV)) == (PF_P | PF_W) && current->in_kernel &&
		   pv_ptwr_fault(regs, addr, ec)) {
		return;
	}
	if (unlikely(ec & PF_RSV))
		printk(LOG_G_WARN "d%dv%u reserved bit in page table: address %lx, error %#x\n",
		       current->domain->domain_id, current->vcpu_id, addr, ec);
	pv_inject_page_fault(addr, ec);
}

void (*const guest_trap_table[256])(struct cpu_user_regs *) = {
	[0 ... X86_BR] = guest_trap_plain,
	[X86_UD] = guest_trap_ud,
	[X86_NM] = pv_fpu_device_not_available,
	[X86_DF... X86_SS] = guest_trap_plain,
	[X86_GP] = guest_trap_gp,
	[X86_PF] = guest_trap_pf,
	[15 ... 31] = guest_trap_plain,
	[0x80] = guest_trap_int80,
};

/* Registers a CPU may not have: the fault is caught. */
bool rdmsr_safe(uint32_t msr, uint64_t *val)
{
	uint32_t lo = 0, hi = 0, ok = 0;

	__asm__ __volatile__("1: rdmsr\n\tmov $1, %2\n2:\n\t" EX_TABLE("1b", "2b")
			     : "+a"(lo), "+d"(hi), "+r"(ok)
			     : "c"(msr));
	*val = (uint64_t)hi << 32 | lo;
	return ok;
}

bool wrmsr_safe(uint32_t msr, uint64_t val)
{
	uint32_t ok = 0;

	__asm__ __volatile__("1: wrmsr\n\tmov $1, %0\n2:\n\t" EX_TABLE("1b", "2b")
			     : "+r"(ok)
			     : "c"(msr), "a"((uint32_t)val), "d"((uint32_t)(val >> 32))
			     : "memory");
	return ok;
}
