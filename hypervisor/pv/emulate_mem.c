/* SPDX-License-Identifier: MIT */
/*
 * Memory operands, decoded to see whether an exception is the one the architecture has. Emulators are known that raise
 * #GP where a stack access deserves #SS, and that do not hold back a data breakpoint behind MOV SS. A guest must find
 * the same on each machine, so the instruction is believed rather than the vector. On hardware nothing here ever applies.
 *
 * Reads the guest's code and registers, changes nothing but the guest's own trap state.
 */
#include "lib/string.h"
#include "mm/guest_copy.h"
#include "pv/emulate.h"
#include "x86/page.h"

#define REX_X  2
#define REX_B  1
#define GPR_SP 4
#define GPR_BP 5

struct operand {
	unsigned long addr;
	unsigned int end; /* index of the byte behind it */
	bool stack;	  /* its default segment is SS: base register RSP or RBP */
	bool rip;	  /* relative to the end of the instruction */
};

/* What stands in front of the opcode: @at becomes its index. False for an FS or GS override, whose base is not known here. */
static bool prefixes_skip(const uint8_t *b, unsigned int n, unsigned int *at, uint8_t *rex)
{
	*rex = 0;
	for (; *at < n; ++*at) {
		switch (b[*at]) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x66:
		case 0xf0:
		case 0xf2:
		case 0xf3:
			continue;
		}
		if ((b[*at] & 0xf0) == 0x40)
			*rex = b[(*at)++];
		return *at < n && b[*at] != 0x64 && b[*at] != 0x65 && b[*at] != 0x67;
	}
	return false;
}

static long displacement(const uint8_t *b, unsigned int size)
{
	int32_t d32 = 0;

	memcpy(&d32, b, size);
	return size == 1 ? (int8_t)d32 : d32;
}

/* ModRM at b[at], of n readable bytes (APM vol. 3 section 1.4). False: a register, or cut off. */
static bool operand_decode(struct cpu_user_regs *regs, const uint8_t *b, unsigned int n,
			   unsigned int at, uint8_t rex, struct operand *o)
{
	unsigned int mod, rm, disp, base;

	if (at >= n)
		return false;
	mod = b[at] >> 6;
	rm = b[at++] & 7;
	disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	base = rm;
	*o = (struct operand){.rip = mod == 0 && rm == 5};
	if (mod == 3)
		return false;
	if (rm == 4) {
		unsigned int index;

		if (at >= n)
			return false;
		index = (b[at] >> 3 & 7) | (rex & REX_X ? 8 : 0);
		if (index != GPR_SP)
			o->addr = *insn_gpr(regs, index) << (b[at] >> 6);
		base = b[at++] & 7;
	}
	if (mod == 0 && base == 5) {
		disp = 4;
	} else {
		base |= rex & REX_B ? 8 : 0;
		o->addr += *insn_gpr(regs, base);
		o->stack = base == GPR_SP || base == GPR_BP;
	}
	if (at + disp > n)
		return false;
	o->addr += (unsigned long)displacement(b + at, disp);
	o->end = at + disp;
	return true;
}

/* One-byte opcodes with a ModRM byte; of the others, those of the second table that are no system instructions. */
static bool has_modrm(uint8_t op)
{
	return (op < 0x40 && (op & 7) < 4) || op == 0x63 || op == 0x69 || op == 0x6b ||
	       (op & 0xf0) == 0x80 || (op & 0xfe) == 0xc0 || (op & 0xfe) == 0xc6 ||
	       (op & 0xfc) == 0xd0 || (op & 0xf8) == 0xd8 || (op & 0xf6) == 0xf6;
}

static bool has_modrm_0f(uint8_t op)
{
	return (op >= 0x10 && op < 0x20) || (op >= 0x28 && op < 0x30) ||
	       (op >= 0x40 && op < 0x77) || (op >= 0x90 && op < 0xa0) || (op >= 0xa3 && op < 0xc8);
}

/* Has a #GP(0) been raised for a stack operand that is not canonical? That is #SS(0) (SDM vol. 1 section 3.3.7.1). */
bool pv_stack_operand_bad(struct cpu_user_regs *regs)
{
	uint8_t b[INSN_MAX], rex;
	unsigned int n = 0, at = 0;
	struct operand o;

	while (n < sizeof(b) && !copy_from_guest_va(b + n, regs->rip + n, 1))
		n++;
	if (!prefixes_skip(b, n, &at, &rex))
		return false;
	if (b[at] == 0x0f ? at + 1 >= n || !has_modrm_0f(b[++at]) : !has_modrm(b[at]))
		return false;
	return operand_decode(regs, b, n, at + 1, rex, &o) && o.stack && !o.rip &&
	       !addr_is_canonical(o.addr);
}

/* Does one of the enabled data breakpoints @hit (B0-B3) lie in the two bytes at @addr? */
static bool breakpoint_at(const struct pv_vcpu *pv, unsigned int hit, unsigned long addr)
{
	static const uint8_t widths[4] = {1, 2, 8, 4};

	for (unsigned int i = 0; i < 4; i++) {
		unsigned long width = widths[pv->dr7 >> (18 + i * 4) & 3];
		unsigned long start = pv->dr[i] & ~(width - 1);

		if ((hit >> i & 1) && (pv->dr7 >> (16 + i * 4) & 3) && addr < start + width &&
		    addr + 2 > start)
			return true;
	}
	return false;
}

#define MOV_SS_MAX 10 /* bytes we look back */

/*
 * Has the data breakpoint @hit been raised right behind a MOV SS that read the watched place? Debug exceptions are
 * inhibited there until after the next instruction (SDM vol. 3 section 6.8.3).
 */
bool pv_db_behind_mov_ss(struct vcpu *v, struct cpu_user_regs *regs, unsigned int hit)
{
	uint8_t b[MOV_SS_MAX], rex;

	for (unsigned int len = 1; len <= sizeof(b); len++) {
		uint8_t *insn = b + sizeof(b) - len;
		unsigned int at = 0;
		struct operand o;

		if (copy_from_guest_va(insn, regs->rip - len, 1))
			return false;
		if (!prefixes_skip(insn, len, &at, &rex) || insn[at] != 0x8e || at + 1 >= len ||
		    (insn[at + 1] >> 3 & 7) != 2)
			continue;
		if (!operand_decode(regs, insn, len, at + 1, rex, &o) || o.end != len)
			continue;
		if (breakpoint_at(&v->pv, hit, o.addr + (o.rip ? regs->rip : 0)))
			return true;
	}
	return false;
}
