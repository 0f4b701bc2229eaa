/* SPDX-License-Identifier: MIT */
/*
 * Privileged instructions: a PV kernel runs in ring 3, so they arrive as #GP. Only what kernels really execute is known here:
 * MOV CR/DR, CLTS, RDMSR/WRMSR, IN/OUT, CLI/STI, WBINVD, RDTSC(P), RDPMC, XSETBV, LMSW, CPUID. No general emulator.
 *
 * Every instruction either happens whole, or has no effect and its #GP goes to the guest.
 */
#include "pv/emulate.h"
#include "pv/cpuid.h"
#include "hypercall/dispatch.h"
#include "lib/log.h"
#include "x86/asm.h"
#include "x86/entry_macros.h"
#include "x86/layout.h"

enum outcome { REFUSED, DONE, UNDEFINED /* #UD */ };

/*
 * Is the code segment's base 0? The flat selectors of the ABI, and 64-bit segments of the guest's own GDT or LDT: LAR (APM vol. 3)
 * shows L in bit 21. A 32-bit segment with a base is not served: no code that does I/O uses one.
 */
static bool code_is_flat(uint16_t cs)
{
	unsigned int access = 0;
	bool ok = false;

	if (likely(cs == FLAT_RING3_CS64) || cs == FLAT_RING3_CS32)
		return true;
	/* The descriptor is in the guest's table: reading it may fault. */
	__asm__ __volatile__("1: lar %2, %0\n\tsetz %1\n2:\n\t" EX_TABLE("1b", "2b")
			     : "+r"(access), "+q"(ok)
			     : "r"((unsigned int)cs)
			     : "cc");
	return ok && (access & BIT32(21));
}

static enum outcome cr_read(struct vcpu *v, unsigned int nr, unsigned long *val)
{
	switch (nr) {
	case 0:
		*val = (read_cr0() & ~CR0_TS) | (v->pv.ctrlreg[0] & CR0_TS);
		return DONE;
	case 2:
		*val = v->pv.ctrlreg[2];
		return DONE;
	case 3:
		*val = v->pv.cr3_kernel;
		return DONE;
	case 4:
		*val = pv_cr4_visible(v);
		return DONE;
	default:
		return REFUSED;
	}
}

static enum outcome cr0_write(struct vcpu *v, unsigned long val)
{
	if ((val ^ read_cr0()) & ~CR0_TS) {
		printk(LOG_G_WARN "d%dv%u tried to change CR0 to %#lx\n", v->domain->domain_id,
		       v->vcpu_id, val);
		return REFUSED;
	}
	hc_fpu_taskswitch(val & CR0_TS ? 1 : 0, 0, 0, 0, 0);
	return DONE;
}

static enum outcome cr_write(struct vcpu *v, struct insn *insn, unsigned int nr, unsigned long val)
{
	int rc;

	switch (nr) {
	case 0:
		return cr0_write(v, val);
	case 2:
		v->pv.ctrlreg[2] = val;
		v->vcpu_info->arch.cr2 = val;
		return DONE;
	case 3:
		rc = pv_new_cr3(v, val >> PAGE_SHIFT);
		if (rc == -ERESTART)
			insn->len = 0; /* to be run again */
		return rc && rc != -ERESTART ? REFUSED : DONE;
	case 4:
		pv_set_cr4(v, val);
		return DONE;
	default:
		return REFUSED;
	}
}

/* MOV to and from CRn and DRn: ModRM always names registers (APM vol. 3). */
static enum outcome mov_control(struct vcpu *v, struct cpu_user_regs *regs, struct insn *insn,
				uint8_t op)
{
	uint8_t modrm = insn_next(insn);
	unsigned int nr = (modrm >> 3 & 7) | (insn->rex & 4 ? 8 : 0);
	unsigned long *gpr = insn_gpr(regs, (modrm & 7) | (insn->rex & 1 ? 8 : 0));
	long rc;

	switch (op) {
	case 0x20:
		return cr_read(v, nr, gpr);
	case 0x22:
		return cr_write(v, insn, nr, *gpr);
	case 0x21:
		return pv_get_debugreg(v, nr, gpr) ? UNDEFINED : DONE;
	default:
		rc = pv_set_debugreg(v, nr, *gpr);
		return !rc ? DONE : rc == -ENODEV ? UNDEFINED : REFUSED;
	}
}

static enum outcome msr_access(struct vcpu *v, struct cpu_user_regs *regs, bool write)
{
	uint32_t msr = (uint32_t)regs->rcx;
	uint64_t val;

	if (write)
		return pv_wrmsr(v, msr, (uint32_t)regs->rax | regs->rdx << 32) ? DONE : REFUSED;
	if (!pv_rdmsr(v, msr, &val))
		return REFUSED;
	regs->rax = (uint32_t)val;
	regs->rdx = val >> 32;
	return DONE;
}

/* RDTSC with CR4.TSD set traps; the guest's user gets the #GP it asked for. */
static enum outcome tsc_read(struct vcpu *v, struct cpu_user_regs *regs, bool aux)
{
	uint64_t t;

	if ((v->pv.ctrlreg[4] & CR4_TSD) && !v->in_kernel)
		return REFUSED;
	t = rdtsc();
	regs->rax = (uint32_t)t;
	regs->rdx = t >> 32;
	if (aux)
		regs->rcx = 0;
	return DONE;
}

static enum outcome xcr_write(struct vcpu *v, struct cpu_user_regs *regs)
{
	uint64_t val = (uint32_t)regs->rax | regs->rdx << 32;

	return v->in_kernel && !(uint32_t)regs->rcx && pv_fpu_xsetbv(v, val) ? DONE : REFUSED;
}

/* 0F 01: XSETBV, RDTSCP, LMSW r16. */
static enum outcome group7(struct vcpu *v, struct cpu_user_regs *regs, struct insn *insn)
{
	uint8_t modrm = insn_next(insn);

	if (modrm == 0xd1)
		return xcr_write(v, regs);
	if (modrm == 0xf9)
		return tsc_read(v, regs, true);
	if ((modrm & 0xf8) == 0xf0 && v->in_kernel) {
		unsigned long val = *insn_gpr(regs, (modrm & 7) | (insn->rex & 1 ? 8 : 0));

		/* Loads the four lowest bits; PE cannot be cleared. */
		return cr0_write(v, (read_cr0() & ~0xeUL) | (val & 0xe));
	}
	return REFUSED;
}

static enum outcome two_byte(struct vcpu *v, struct cpu_user_regs *regs, struct insn *insn)
{
	uint8_t op = insn_next(insn);

	/* First what user code may do, too. */
	switch (op) {
	case 0x01:
		return group7(v, regs, insn);
	case 0x31:
		return tsc_read(v, regs, false);
	case 0xa2: /* only with CPUID faulting */
		pv_cpuid(regs);
		return DONE;
	}
	if (!v->in_kernel)
		return REFUSED;
	switch (op) {
	case 0x32:
		return msr_access(v, regs, false);
	case 0x30:
		return msr_access(v, regs, true);
	case 0x06:
		hc_fpu_taskswitch(0, 0, 0, 0, 0);
		return DONE;
	case 0x20 ... 0x23:
		return mov_control(v, regs, insn, op);
	case 0x08: /* INVD would lose data: done as WBINVD, as is that */
	case 0x09:
		if (v->domain->is_hardware)
			__asm__ __volatile__("wbinvd" ::: "memory");
		return DONE;
	default:
		return REFUSED;
	}
}

bool pv_emulate_privileged(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;
	struct insn insn;
	enum outcome r = REFUSED;
	uint8_t op;

	if (!code_is_flat(regs->cs) || !insn_fetch(&insn, regs->rip, 1))
		return false;
	op = insn_prefixes(&insn);
	switch (op) {
	case 0x0f:
		r = two_byte(v, regs, &insn);
		break;
	case 0x6c ... 0x6f:
	case 0xe4 ... 0xe7:
	case 0xec ... 0xef:
		r = pv_emulate_io(regs, &insn, op) ? DONE : REFUSED;
		break;
	case 0xfa ... 0xfb:
		/* With IOPL they are taken and do nothing: a guest must use its event mask. */
		r = pv_iopl_ok(v) ? DONE : REFUSED;
		break;
	}
	if (r == UNDEFINED) {
		pv_inject_trap(X86_UD, 0);
		return true;
	}
	if (r == DONE && likely(insn.len)) /* else to be run again, or behind a fault's frame */
		insn_complete(v, regs, &insn);
	return r == DONE;
}

/*
 * INT n through a gate that user code may not use. The error code would name the vector, but emulators are known to get
 * it wrong: the instruction itself says it. Prefixes mean nothing to it.
 */
bool pv_software_interrupt(struct cpu_user_regs *regs)
{
	struct insn insn;

	uint8_t vector;

	if (!code_is_flat(regs->cs) || !insn_fetch(&insn, regs->rip, 1) ||
	    insn_prefixes(&insn) != 0xcd)
		return false;
	vector = insn_next(&insn);
	if (insn.len > insn.avail)
		return false;
	pv_inject_software_interrupt(vector, insn.len);
	return true;
}

/* The ABI's way to CPUID without faulting (xen/arch-x86/xen.h, XEN_EMULATE_PREFIX): ud2; "xen"; cpuid. */
bool pv_emulate_forced(struct cpu_user_regs *regs)
{
	static const uint8_t prefix[] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
	uint8_t bytes[sizeof(prefix)];

	if (copy_from_guest_va(bytes, regs->rip, sizeof(bytes)) ||
	    memcmp(bytes, prefix, sizeof(prefix)))
		return false;
	pv_cpuid(regs);
	insn_complete(current, regs, &(struct insn){.len = sizeof(prefix)});
	return true;
}
