/* SPDX-License-Identifier: MIT */
/*
 * Guest debug registers. A guest may watch its own addresses only. The hardware holds its values while one of its
 * breakpoints is enabled; otherwise the registers stay untouched and DR7 is clear.
 */
#include "lib/errno.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/layout.h"
#include "x86/page.h"

#define DR7_ENABLE_ANY 0xffUL
#define DR7_GD	       (1UL << 13)
#define DR7_LE_GE      0x300UL
#define DR7_FIXED      0x400UL
#define DR7_WRITABLE   (0xffff0000UL | DR7_LE_GE | DR7_ENABLE_ANY)
#define DR_IO	       2 /* R/W field: I/O breakpoint, for guests with CR4.DE */

static void hardware_load(const struct pv_vcpu *pv)
{
	write_dr(0, pv->dr[0]);
	write_dr(1, pv->dr[1]);
	write_dr(2, pv->dr[2]);
	write_dr(3, pv->dr[3]);
	write_dr(6, pv->dr6);
	write_dr(7, pv->dr7);
}

void pv_debug_save(struct vcpu *v)
{
	if (v->pv.dr7 & DR7_ENABLE_ANY)
		write_dr(7, DR7_FIXED);
}

void pv_debug_load(struct vcpu *v)
{
	if (v->pv.dr7 & DR7_ENABLE_ANY)
		hardware_load(&v->pv);
}

/* What hardware may hold of a guest's DR7: no general detect; I/O breakpoints only where they cannot be instruction ones of our code. */
static int dr7_check(struct vcpu *v, unsigned long *value, unsigned long *emul)
{
	unsigned long val = (*value & DR7_WRITABLE) | DR7_FIXED;

	*emul = 0;
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int rw = val >> (16 + i * 4) & 3;

		if (!(val >> (i * 2) & 3))
			continue;
		if (rw != DR_IO)
			continue;
		if (!(v->pv.ctrlreg[4] & CR4_DE))
			return -EPERM;
		/* Kept for the guest's eyes: hardware would watch the hypervisor's own I/O. */
		*emul |= val & (3UL << (i * 2));
		val &= ~(3UL << (i * 2));
	}
	*value = val;
	return 0;
}

/* Current, or a paused vCPU. Returns 0, -EPERM or -ENODEV, as Xen does. */
long pv_set_debugreg(struct vcpu *v, unsigned int reg, unsigned long value)
{
	unsigned long emul;
	bool here = v == current;

	switch (reg) {
	case 0 ... 3:
		if (!addr_is_canonical(value) || (value >= HYP_VIRT_START && value < HYP_VIRT_END))
			return -EPERM;
		v->pv.dr[reg] = value;
		break;
	case 4:
	case 6:
		if (reg == 4 && (v->pv.ctrlreg[4] & CR4_DE))
			return -ENODEV;
		v->pv.dr6 = (value & 0xffffefffUL) | 0xffff0ff0UL;
		break;
	case 5:
	case 7:
		if (reg == 5 && (v->pv.ctrlreg[4] & CR4_DE))
			return -ENODEV;
		if (dr7_check(v, &value, &emul))
			return -EPERM;
		v->pv.dr7 = value;
		v->pv.dr7_emul = emul;
		break;
	default:
		return -ENODEV;
	}
	if (here) {
		if (v->pv.dr7 & DR7_ENABLE_ANY)
			hardware_load(&v->pv);
		else
			write_dr(7, DR7_FIXED);
	}
	return 0;
}
