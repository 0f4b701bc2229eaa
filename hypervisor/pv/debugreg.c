/* SPDX-License-Identifier: MIT */
/*
 * Guest debug registers. A guest may watch its own addresses only. The hardware holds its values while one of its
 * breakpoints is enabled; otherwise the registers stay untouched and DR7 is clear.
 */
#include "lib/errno.h"
#include "pv/mmu.h"
#include "x86/asm.h"
#include "x86/layout.h"
#include "x86/page.h"

#define DR6_FIXED  0xffff0ff0UL
#define DR6_ZERO   0x1000UL
#define DR7_ACTIVE 0xffUL
#define DR7_FIXED  0x400UL
#define DR7_ZERO   0xd800UL

static void hardware_load(const struct pv_vcpu *pv)
{
	write_dr(0, pv->dr[0]);
	write_dr(1, pv->dr[1]);
	write_dr(2, pv->dr[2]);
	write_dr(3, pv->dr[3]);
	write_dr(7, pv->dr7);
}

void pv_debug_save(struct vcpu *v)
{
	if (v->pv.dr7 & DR7_ACTIVE)
		write_dr(7, DR7_FIXED);
}

void pv_debug_load(struct vcpu *v)
{
	if (v->pv.dr7 & DR7_ACTIVE)
		hardware_load(&v->pv);
}

/*
 * Enabled I/O breakpoints are kept for the guest's eyes, and are found by the code that does its port I/O: hardware
 * would watch the hypervisor's own. No general detect, which would trap our accesses.
 */
static int dr7_split(const struct vcpu *v, unsigned long *value, unsigned long *emul)
{
	unsigned long val = (*value & ~DR7_ZERO) | DR7_FIXED;

	*emul = 0;
	if (val >> 32)
		return -EINVAL;
	if (val & BIT(13)) /* GD */
		return -EPERM;
	for (unsigned int i = 0; (val & DR7_ACTIVE) && i < 4; i++) {
		if ((val >> (16 + i * 4) & 3) != 2) /* R/W field: I/O */
			continue;
		if (!(v->pv.ctrlreg[4] & CR4_DE))
			return -EPERM;
		*emul |= val & (3UL << (i * 2));
	}
	*value = val & ~*emul;
	return 0;
}

static int dr7_set(struct vcpu *v, unsigned long value)
{
	unsigned long emul;
	int rc = dr7_split(v, &value, &emul);

	if (rc)
		return rc;
	v->pv.dr7 = value;
	v->pv.dr7_emul = emul;
	return 0;
}

/* Registers 4 and 5 are other names of 6 and 7, unless the guest has set CR4.DE. */
static bool alias_gone(const struct vcpu *v, unsigned int reg)
{
	return (reg == 4 || reg == 5) && (v->pv.ctrlreg[4] & CR4_DE);
}

/* Current, or a paused vCPU. As Xen has it: -ENODEV no such register, -EINVAL reserved bits, -EPERM not for guests. */
long pv_set_debugreg(struct vcpu *v, unsigned int reg, unsigned long value)
{
	int rc = 0;

	if (reg > 7 || alias_gone(v, reg))
		return -ENODEV;
	switch (reg) {
	case 0 ... 3:
		if (!guest_va_ok(value))
			return -EPERM;
		v->pv.dr[array_index_nospec(reg, 4)] = value;
		break;
	case 4:
	case 6:
		if (value >> 32)
			return -EINVAL;
		v->pv.dr6 = (value & ~DR6_ZERO) | DR6_FIXED;
		return 0; /* the CPU's own holds nothing between two #DB */
	default:
		rc = dr7_set(v, value);
	}
	if (rc || v != current)
		return rc;
	if (v->pv.dr7 & DR7_ACTIVE)
		hardware_load(&v->pv);
	else
		write_dr(7, DR7_FIXED);
	return 0;
}

int pv_get_debugreg(const struct vcpu *v, unsigned int reg, unsigned long *value)
{
	if (reg > 7 || alias_gone(v, reg))
		return -ENODEV;
	if (reg < 4)
		*value = v->pv.dr[array_index_nospec(reg, 4)];
	else
		*value = reg & 1 ? v->pv.dr7 | v->pv.dr7_emul : v->pv.dr6;
	return 0;
}

/* Bits B0 to B3 of the I/O breakpoints that an access to these ports hits. */
unsigned int pv_debug_io_match(const struct vcpu *v, unsigned int port, unsigned int bytes)
{
	static const uint8_t widths[4] = {1, 2, 8, 4};
	unsigned int match = 0;

	if (likely(!v->pv.dr7_emul) || !(v->pv.ctrlreg[4] & CR4_DE))
		return 0;
	for (unsigned int i = 0; i < 4; i++) {
		unsigned long width = widths[v->pv.dr7 >> (18 + i * 4) & 3];
		unsigned long start = v->pv.dr[i] & ~(width - 1);

		if ((v->pv.dr7_emul >> (i * 2) & 3) && start < port + bytes && start + width > port)
			match |= 1u << i;
	}
	return match;
}
