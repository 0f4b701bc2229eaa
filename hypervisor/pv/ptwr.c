/* SPDX-License-Identifier: MIT */
/*
 * Writable page tables: a guest kernel may write to its level-1 tables by ordinary instructions, although they are mapped
 * read-only. The write faults and is done here as a checked change of one entry.
 *
 * Understood are the instructions that kernels use on page-table entries, of 1, 2, 4 or 8 bytes: mov, xchg, xadd, cmpxchg, add,
 * or, adc, sbb, and, sub, xor, bts, btr, btc, with or without lock. The operand's address is the fault's; the instruction
 * is decoded for its length, operation and source only (SDM vol. 2, chapter 2). Anything else is the guest's own page fault.
 *
 * A read-modify-write is exact: the entry is exchanged only if the hardware has not set a bit of it in between.
 */
#include "pv/emulate.h"
#include "pv/mmu.h"

#define RFLAGS_PF    0x004UL
#define RFLAGS_AF    0x010UL
#define RFLAGS_ZF    0x040UL
#define RFLAGS_SF    0x080UL
#define RFLAGS_OF    0x800UL
#define RFLAGS_ARITH (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* The first eight in the order of the instruction set's group 1, the last four of its group 8. */
enum operation {
	OP_ADD,
	OP_OR,
	OP_ADC,
	OP_SBB,
	OP_AND,
	OP_SUB,
	OP_XOR,
	OP_CMP, /* writes nothing: not ours */
	OP_MOV,
	OP_XCHG,
	OP_XADD,
	OP_CMPXCHG,
	OP_BT, /* writes nothing: not ours */
	OP_BTS,
	OP_BTR,
	OP_BTC,
};

struct write {
	enum operation op;
	unsigned int size; /* of the operand */
	uint64_t src;	   /* immediate or register */
	uint64_t *reg;	   /* the register operand, NULL for an immediate */
};

/* --- decoding --- */

/* Skips what the memory operand's address is made of. False for a register operand. */
static bool skip_operand(struct insn *insn, uint8_t modrm)
{
	unsigned int mod = modrm >> 6, rm = modrm & 7;
	unsigned int disp = mod == 1 ? 1 : mod == 2 || (!mod && rm == 5) ? 4 : 0;

	if (rm == 4 && (insn_next(insn) & 7) == 5 && !mod)
		disp = 4;
	insn->len += disp;
	return mod != 3;
}

static uint64_t immediate(struct insn *insn, unsigned int size)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v |= (uint64_t)insn_next(insn) << 8 * i;
	return (uint64_t)((int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size));
}

static bool decode(struct insn *insn, struct cpu_user_regs *regs, struct write *w)
{
	unsigned int op = insn_prefixes(insn), reg, imm = 0;
	uint8_t modrm;
	bool byte;

	if (op == 0x0f)
		op = 0xf00 | insn_next(insn);
	modrm = insn_next(insn);
	reg = modrm >> 3 & 7;
	if (!skip_operand(insn, modrm))
		return false;
	byte = !(op & 1) && op != 0xfba;
	w->size = byte ? 1 : insn->rex & 8 ? 8 : insn->opsize ? 2 : 4;
	switch (op) {
	case 0x80 ... 0x81:
	case 0x83:
		w->op = reg;
		imm = op == 0x81 ? min(w->size, 4u) : 1;
		break;
	case 0x86 ... 0x87:
		w->op = OP_XCHG;
		break;
	case 0x88 ... 0x89:
	case 0xfc3:
		w->op = OP_MOV;
		break;
	case 0xc6 ... 0xc7:
		w->op = reg ? OP_CMP : OP_MOV;
		imm = min(w->size, 4u);
		break;
	case 0xfb0 ... 0xfb1:
		w->op = OP_CMPXCHG;
		break;
	case 0xfc0 ... 0xfc1:
		w->op = OP_XADD;
		break;
	case 0xfab:
	case 0xfb3:
	case 0xfbb:
		w->op = OP_BT + (op >> 3 & 3);
		break;
	case 0xfba:
		w->op = reg < 4 ? OP_BT : OP_BT + (reg & 3);
		imm = 1;
		break;
	default:
		/* 00kkk00x: group 1 with a register */
		w->op = op & ~0x39u ? OP_CMP : op >> 3;
	}
	w->reg = imm ? NULL : insn_gpr(regs, reg | (insn->rex & 4 ? 8 : 0));
	w->src = imm ? immediate(insn, imm) : *w->reg;
	/* Without REX these registers of one byte are the second bytes of the first four. */
	return !(byte && !imm && !insn->rex && reg >= 4) && insn->len <= insn->avail &&
	       w->op != OP_CMP && w->op != OP_BT;
}

/* --- doing it --- */

static uint64_t size_mask(unsigned int size)
{
	return size == 8 ? ~0UL : (1UL << 8 * size) - 1;
}

/* a + b + carry, and the flags that only sums have. A subtraction adds the complement and turns the carries round. */
static uint64_t sum(uint64_t a, uint64_t b, bool carry, bool subtract, unsigned int top,
		    uint64_t *f)
{
	uint64_t r, carries;

	b = subtract ? ~b : b;
	r = a + b + (carry ^ subtract);
	carries = ((a & b) | ((a | b) & ~r)) ^ (subtract ? ~0UL : 0);
	*f = (carries >> top & 1 ? RFLAGS_CF : 0) | (carries & 8 ? RFLAGS_AF : 0) |
	     (((a ^ r) & (b ^ r)) >> top & 1 ? RFLAGS_OF : 0);
	return r;
}

static uint64_t bit_change(const struct write *w, uint64_t old, uint64_t *flags)
{
	uint64_t bit = 1UL << (w->src & (8 * w->size - 1));

	*flags = (*flags & ~RFLAGS_CF) | (old & bit ? RFLAGS_CF : 0);
	return w->op == OP_BTS ? old | bit : w->op == OP_BTR ? old & ~bit : old ^ bit;
}

/* The operand's new value from its old one. *@flags: the arithmetic flags, before and after. */
static uint64_t compute(const struct write *w, uint64_t old, uint64_t accumulator, uint64_t *flags)
{
	unsigned int top = 8 * w->size - 1;
	bool carry = (w->op == OP_ADC || w->op == OP_SBB) && (*flags & RFLAGS_CF);
	uint64_t f = 0, r;

	switch (w->op) {
	case OP_MOV:
	case OP_XCHG:
		return w->src;
	case OP_BTS:
	case OP_BTR:
	case OP_BTC:
		return bit_change(w, old, flags);
	case OP_AND:
		r = old & w->src;
		break;
	case OP_OR:
		r = old | w->src;
		break;
	case OP_XOR:
		r = old ^ w->src;
		break;
	case OP_CMPXCHG:
		r = sum(accumulator, old, false, true, top, &f);
		break;
	default:
		r = sum(old, w->src, carry, w->op == OP_SBB || w->op == OP_SUB, top, &f);
	}
	f |= (r & size_mask(w->size) ? 0 : RFLAGS_ZF) | (r >> top & 1 ? RFLAGS_SF : 0) |
	     (__builtin_parity((uint8_t)r) ? 0 : RFLAGS_PF);
	*flags = (*flags & ~RFLAGS_ARITH) | f;
	if (w->op == OP_CMPXCHG)
		r = f & RFLAGS_ZF ? w->src : old;
	return r;
}

/* A register takes a value of the operand's size: 32 bits clear the rest, less leave it. */
static void reg_set(uint64_t *reg, uint64_t v, unsigned int size)
{
	uint64_t mask = size_mask(size);

	*reg = (v & mask) | (size == 4 ? 0 : *reg & ~mask);
}

/* Apply the write to the operand at byte @off of the locked table @pg. */
static int apply(const struct write *w, struct cpu_user_regs *regs, struct page_info *pg,
		 unsigned int off)
{
	pte_t *p = (pte_t *)page_to_virt(pg) + off / 8, old, new;
	unsigned int shift = off % 8 * 8;
	uint64_t mask = size_mask(w->size) << shift, flags;
	int rc;

	do {
		flags = regs->rflags;
		old = READ_ONCE(*p);
		new = compute(w, old >> shift, regs->rax, &flags);
		new = (old & ~mask) | (new << shift &mask);
		rc = new == old ? 0
				: l1_entry_change(p, old, new, pg->owner, pg->owner, ENTRY_EXACT);
	} while (rc == -EAGAIN);
	if (rc)
		return rc;
	if (w->op == OP_XCHG || w->op == OP_XADD)
		reg_set(w->reg, old >> shift, w->size);
	else if (w->op == OP_CMPXCHG && !(flags & RFLAGS_ZF))
		reg_set(&regs->rax, old >> shift, w->size);
	regs->rflags = flags;
	return 0;
}

/* The frame behind @addr, if it is one of the guest's level-1 tables, mapped read-only; locked. */
static struct page_info *table_behind(unsigned long addr)
{
	pte_t e = pv_guest_l1e(addr);
	mfn_t mfn = pte_mfn(e);

	if ((e & (PTE_P | PTE_RW)) != PTE_P || !mfn_valid(mfn) ||
	    page_type(mfn_to_page(mfn)) != PGT_l1_page_table)
		return NULL;
	return l1_page_lock(mfn_to_page(mfn));
}

bool pv_ptwr_fault(struct cpu_user_regs *regs, unsigned long addr, uint32_t error_code)
{
	struct page_info *pg;
	struct insn insn;
	struct write w;
	int rc = -EINVAL;

	if ((error_code & (PF_P | PF_W | PF_RSV | PF_I)) != (PF_P | PF_W) || !current->in_kernel)
		return false;
	pg = table_behind(addr);
	if (!pg)
		return false;
	if (insn_fetch(&insn, regs->rip, 2) && decode(&insn, regs, &w) && !(addr & (w.size - 1)))
		rc = apply(&w, regs, pg, addr & ~PAGE_MASK);
	page_table_unlock(pg);
	if (!rc)
		insn_complete(current, regs, &insn);
	return !rc;
}
