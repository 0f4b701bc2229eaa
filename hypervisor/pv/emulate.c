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
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/entry_macros.h"
#include "x86/layout.h"

enum outcome { REFUSED, DONE, AGAIN /* rip stays: execute once more */, UNDEFINED /* #UD */ };

unsigned long *insn_gpr(struct cpu_user_regs *regs, unsigned int nr)
{
	static const uint16_t offset[16] = {
		offsetof(struct cpu_user_regs, rax), offsetof(struct cpu_user_regs, rcx),
		offsetof(struct cpu_user_regs, rdx), offsetof(struct cpu_user_regs, rbx),
		offsetof(struct cpu_user_regs, rsp), offsetof(struct cpu_user_regs, rbp),
		offsetof(struct cpu_user_regs, rsi), offsetof(struct cpu_user_regs, rdi),
		offsetof(struct cpu_user_regs, r8),  offsetof(struct cpu_user_regs, r9),
		offsetof(struct cpu_user_regs, r10), offsetof(struct cpu_user_regs, r11),
		offsetof(struct cpu_user_regs, r12), offsetof(struct cpu_user_regs, r13),
		offsetof(struct cpu_user_regs, r14), offsetof(struct cpu_user_regs, r15),
	};

	return (unsigned long *)((char *)regs + offset[nr & 15]);
}

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

/* The common case is one 8-byte read; a page end may cut it short. */
static bool insn_fetch(const struct cpu_user_regs *regs, struct insn *insn)
{
	uint64_t word;

	if (!code_is_flat(regs->cs))
		return false;
	insn->len = 0;
	insn->rex = insn->segment = 0;
	insn->opsize = insn->rep = insn->addrsize = false;
	insn->io_match = 0;
	if (likely(get_guest_u64(&word, regs->rip))) {
		memcpy(insn->bytes, &word, 8);
		insn->avail = 8;
		return true;
	}
	for (insn->avail = 0; insn->avail < INSN_MAX; insn->avail++)
		if (copy_from_guest_va(insn->bytes + insn->avail, regs->rip + insn->avail, 1))
			break;
	return insn->avail > 0;
}

/* Next byte; past the end a byte that matches no opcode we know. */
static always_inline uint8_t insn_next(struct insn *insn)
{
	return insn->len < insn->avail ? insn->bytes[insn->len++] : 0xd6;
}

static always_inline uint8_t insn_prefixes(struct insn *insn)
{
	for (;;) {
		uint8_t b = insn_next(insn);

		switch (b) {
		case 0x66:
			insn->opsize = true;
			break;
		case 0xf2:
		case 0xf3:
			insn->rep = true;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
			insn->segment = b;
			break;
		case 0x67:
			insn->addrsize = true;
			break;
		default:
			if ((b & 0xf0) != 0x40)
				return b;
			insn->rex = b;
			return insn_next(insn);
		}
	}
}

static unsigned long cr_read(struct vcpu *v, unsigned int nr, bool *ok)
{
	*ok = true;
	switch (nr) {
	case 0:
		return (read_cr0() & ~CR0_TS) | (v->pv.ts ? CR0_TS : 0);
	case 2:
		return v->pv.ctrlreg[2];
	case 3:
		return v->pv.guest_table << PAGE_SHIFT;
	case 4:
		return pv_cr4_visible(v);
	default:
		*ok = false;
		return 0;
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

static enum outcome cr_write(struct vcpu *v, unsigned int nr, unsigned long val)
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
		return rc == -ERESTART ? AGAIN : rc ? REFUSED : DONE;
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
	unsigned long val;
	bool ok;
	long rc;

	switch (op) {
	case 0x20:
		val = cr_read(v, nr, &ok);
		if (ok)
			*gpr = val;
		return ok ? DONE : REFUSED;
	case 0x22:
		return cr_write(v, nr, *gpr);
	case 0x21:
		if (pv_get_debugreg(v, nr, &val))
			return UNDEFINED;
		*gpr = val;
		return DONE;
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

	if (!v->in_kernel || (uint32_t)regs->rcx || !pv_fpu_xcr0_valid(val) ||
	    (val & ~pv_cpuid_xcr0(v->domain)))
		return REFUSED;
	v->pv.xcr0 = val;
	pv_fpu_xcr0_load(v);
	return DONE;
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
	uint32_t leaf[4];

	/* First what user code may do, too. */
	switch (op) {
	case 0x01:
		return group7(v, regs, insn);
	case 0x31:
		return tsc_read(v, regs, false);
	case 0xa2: /* only with CPUID faulting */
		pv_cpuid(v, (uint32_t)regs->rax, (uint32_t)regs->rcx, leaf);
		regs->rax = leaf[0];
		regs->rbx = leaf[1];
		regs->rcx = leaf[2];
		regs->rdx = leaf[3];
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

/* Where the instruction ends; a guest that single-steps, or watches the port, gets its #DB. */
static bool insn_complete(struct vcpu *v, struct cpu_user_regs *regs, const struct insn *insn)
{
	unsigned long hit = insn->io_match;

	if (unlikely(!insn->len)) /* to be run again, or behind a fault's frame */
		return true;
	regs->rip += insn->len;
	regs->rflags &= ~RFLAGS_RF;
	if (unlikely(regs->rflags & RFLAGS_TF))
		hit |= 0x4000; /* BS */
	if (unlikely(hit)) {
		v->pv.dr6 |= hit;
		pv_inject_trap(X86_DB, 0);
	}
	return true;
}

bool pv_emulate_privileged(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;
	struct insn insn;
	enum outcome r = REFUSED;
	uint8_t op;

	if (!insn_fetch(regs, &insn))
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
	case 0xfa:
	case 0xfb:
		/* With IOPL they are taken and do nothing: a guest must use its event mask. */
		r = pv_iopl_ok(v) ? DONE : REFUSED;
		break;
	}
	if (r == AGAIN)
		return true;
	if (r == UNDEFINED) {
		pv_inject_trap(X86_UD, 0);
		return true;
	}
	return r == DONE && insn_complete(v, regs, &insn);
}

/*
 * INT n through a gate that user code may not use. The error code would name the vector, but emulators are known to get
 * it wrong: the instruction itself says it. Prefixes mean nothing to it.
 */
bool pv_software_interrupt(struct cpu_user_regs *regs)
{
	struct insn insn;

	if (!insn_fetch(regs, &insn) || insn_prefixes(&insn) != 0xcd || insn.len == insn.avail)
		return false;
	pv_inject_software_interrupt(insn.bytes[insn.len], insn.len + 1);
	return true;
}

/* The ABI's way to CPUID without faulting (xen/arch-x86/xen.h, XEN_EMULATE_PREFIX): ud2; "xen"; cpuid. */
bool pv_emulate_forced(struct cpu_user_regs *regs)
{
	static const uint8_t prefix[] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
	uint8_t bytes[sizeof(prefix)];
	struct vcpu *v = current;
	uint32_t leaf[4];

	if (copy_from_guest_va(bytes, regs->rip, sizeof(bytes)) ||
	    memcmp(bytes, prefix, sizeof(prefix)))
		return false;
	pv_cpuid(v, (uint32_t)regs->rax, (uint32_t)regs->rcx, leaf);
	regs->rax = leaf[0];
	regs->rbx = leaf[1];
	regs->rcx = leaf[2];
	regs->rdx = leaf[3];
	return insn_complete(v, regs, &(struct insn){.len = sizeof(prefix)});
}
