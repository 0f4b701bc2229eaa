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
#include "pv/mmu.h"

#include "lib/string.h"
#include "mm/guest_copy.h"
#include "x86/asm.h"

#define MAX_INSN     15
#define RFLAGS_PF    0x004UL
#define RFLAGS_AF    0x010UL
#define RFLAGS_ZF    0x040UL
#define RFLAGS_SF    0x080UL
#define RFLAGS_OF    0x800UL
#define RFLAGS_ARITH (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* The first eight in the order of the instruction set's group 1. */
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

struct insn {
	uint8_t bytes[16];
	unsigned int at, avail; /* next byte to decode, how many there are */
	uint8_t rex, modrm;
	bool opsize16;
	enum operation op;
	unsigned int size; /* of the operand */
	uint64_t src;	   /* immediate or register */
	uint64_t *reg;	   /* the register operand, NULL for an immediate */
};

static uint64_t *reg_of(struct cpu_user_regs *regs, unsigned int nr)
{
	static const uint8_t at[16] = {
		offsetof(struct cpu_user_regs, rax), offsetof(struct cpu_user_regs, rcx),
		offsetof(struct cpu_user_regs, rdx), offsetof(struct cpu_user_regs, rbx),
		offsetof(struct cpu_user_regs, rsp), offsetof(struct cpu_user_regs, rbp),
		offsetof(struct cpu_user_regs, rsi), offsetof(struct cpu_user_regs, rdi),
		offsetof(struct cpu_user_regs, r8),  offsetof(struct cpu_user_regs, r9),
		offsetof(struct cpu_user_regs, r10), offsetof(struct cpu_user_regs, r11),
		offsetof(struct cpu_user_regs, r12), offsetof(struct cpu_user_regs, r13),
		offsetof(struct cpu_user_regs, r14), offsetof(struct cpu_user_regs, r15),
	};

	return (uint64_t *)((char *)regs + at[nr & 15]);
}

/* --- decoding --- */

static bool insn_fetch(struct insn *in, unsigned long rip)
{
	uint64_t lo, hi;

	in->at = 0;
	in->avail = MAX_INSN;
	if (likely(get_guest_u64(&lo, rip)) && likely(get_guest_u64(&hi, rip + 8))) {
		memcpy(in->bytes, &lo, 8);
		memcpy(in->bytes + 8, &hi, 8);
		return true;
	}
	/* Near the end of what is mapped. */
	in->avail -= (unsigned int)copy_from_guest_va(in->bytes, rip, MAX_INSN);
	return in->avail > 0 && in->avail <= MAX_INSN;
}

/* Reading past the end gives zeros; the length is checked once, at last. */
static uint8_t next_byte(struct insn *in)
{
	return in->at < sizeof(in->bytes) ? in->bytes[in->at++] : 0;
}

static int64_t next_imm(struct insn *in, unsigned int size)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v |= (uint64_t)next_byte(in) << 8 * i;
	return (int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size);
}

/* Prefixes; returns the first byte of the opcode. */
static uint8_t decode_prefixes(struct insn *in)
{
	uint8_t b;

	in->rex = 0;
	in->opsize16 = false;
	for (;;) {
		b = next_byte(in);
		switch (b) {
		case 0x66:
			in->opsize16 = true;
			continue;
		case 0xf0: /* lock: all we do is atomic */
		case 0xf2: /* lock elision hints */
		case 0xf3:
		case 0x26: /* segments: what they change is in the fault's address already */
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
		case 0x67:
			continue;
		default:
			break;
		}
		if ((b & 0xf0) != 0x40)
			return b;
		in->rex = b;
		return next_byte(in);
	}
}

/* Skips what the memory operand's address is made of. False for a register operand. */
static bool decode_modrm(struct insn *in)
{
	unsigned int mod, rm, disp;

	in->modrm = next_byte(in);
	mod = in->modrm >> 6;
	rm = in->modrm & 7;
	if (mod == 3)
		return false;
	disp = mod == 1 ? 1 : mod == 2 || rm == 5 ? 4 : 0;
	if (rm == 4 && (next_byte(in) & 7) == 5 && !mod)
		disp = 4;
	in->at += disp;
	return true;
}

static unsigned int modrm_reg(const struct insn *in)
{
	return (in->modrm >> 3 & 7) | (in->rex & 4 ? 8 : 0);
}

static void set_size(struct insn *in, bool byte)
{
	in->size = byte ? 1 : in->rex & 8 ? 8 : in->opsize16 ? 2 : 4;
}

static bool with_register(struct insn *in, struct cpu_user_regs *regs, enum operation op, bool byte)
{
	set_size(in, byte);
	in->op = op;
	/* Without REX these name the second byte of the first four registers. */
	if (byte && !in->rex && modrm_reg(in) >= 4)
		return false;
	in->reg = reg_of(regs, modrm_reg(in));
	in->src = *in->reg;
	return true;
}

static bool with_immediate(struct insn *in, enum operation op, bool byte, unsigned int imm_size)
{
	set_size(in, byte);
	in->op = op;
	in->reg = NULL;
	if (!imm_size)
		imm_size = min(in->size, 4u);
	in->src = (uint64_t)next_imm(in, imm_size);
	return true;
}

static bool decode_two_byte(struct insn *in, struct cpu_user_regs *regs)
{
	uint8_t op = next_byte(in);

	if (!decode_modrm(in))
		return false;
	switch (op) {
	case 0xb0:
	case 0xb1:
		return with_register(in, regs, OP_CMPXCHG, op == 0xb0);
	case 0xc0:
	case 0xc1:
		return with_register(in, regs, OP_XADD, op == 0xc0);
	case 0xc3:
		return with_register(in, regs, OP_MOV, false);
	case 0xab:
	case 0xb3:
	case 0xbb:
		return with_register(in, regs, OP_BT + (op >> 3 & 3), false);
	case 0xba:
		return (in->modrm >> 3 & 7) >= 5 &&
		       with_immediate(in, OP_BT + (in->modrm >> 3 & 3), false, 1);
	default:
		return false;
	}
}

static bool decode_one_byte(struct insn *in, struct cpu_user_regs *regs, uint8_t op)
{
	bool byte = !(op & 1);

	if (!decode_modrm(in))
		return false;
	switch (op) {
	case 0x80:
	case 0x81:
	case 0x83:
		return with_immediate(in, in->modrm >> 3 & 7, byte, op == 0x81 ? 0 : 1);
	case 0x86:
	case 0x87:
		return with_register(in, regs, OP_XCHG, byte);
	case 0x88:
	case 0x89:
		return with_register(in, regs, OP_MOV, byte);
	case 0xc6:
	case 0xc7:
		return !(in->modrm >> 3 & 7) && with_immediate(in, OP_MOV, byte, 0);
	default:
		/* 00kkk00x: group 1 with a register */
		return !(op & 0xc6) && with_register(in, regs, op >> 3, byte);
	}
}

static bool insn_decode(struct insn *in, struct cpu_user_regs *regs)
{
	uint8_t op = decode_prefixes(in);
	bool ok = op == 0x0f ? decode_two_byte(in, regs) : decode_one_byte(in, regs, op);

	return ok && in->at <= in->avail && in->op != OP_CMP && in->op != OP_BT;
}

/* --- doing it --- */

static uint64_t size_mask(unsigned int size)
{
	return size == 8 ? ~0UL : (1UL << 8 * size) - 1;
}

static uint64_t result_flags(uint64_t r, unsigned int size)
{
	uint64_t f = 0;

	r &= size_mask(size);
	if (!r)
		f |= RFLAGS_ZF;
	if (r >> (8 * size - 1))
		f |= RFLAGS_SF;
	if (!(__builtin_popcount((uint8_t)r) & 1))
		f |= RFLAGS_PF;
	return f;
}

/* a + b + carry, and the flags it gives. Subtraction adds the complement and turns the carries round. */
static uint64_t add_flags(uint64_t a, uint64_t b, unsigned int carry, unsigned int size,
			  uint64_t *f)
{
	uint64_t mask = size_mask(size), r = (a + b + carry) & mask, carries;

	a &= mask;
	b &= mask;
	carries = (a & b) | ((a | b) & ~r);
	*f = result_flags(r, size);
	if (carries >> (8 * size - 1) & 1)
		*f |= RFLAGS_CF;
	if (carries & 8)
		*f |= RFLAGS_AF;
	if (((a ^ r) & (b ^ r)) >> (8 * size - 1) & 1)
		*f |= RFLAGS_OF;
	return r;
}

static uint64_t sub_flags(uint64_t a, uint64_t b, unsigned int borrow, unsigned int size,
			  uint64_t *f)
{
	uint64_t r = add_flags(a, ~b, !borrow, size, f);

	*f ^= RFLAGS_CF | RFLAGS_AF;
	return r;
}

static uint64_t bit_op(const struct insn *in, uint64_t old, uint64_t *flags)
{
	uint64_t bit = 1UL << (in->src & (8 * in->size - 1));

	*flags = (*flags & ~RFLAGS_CF) | (old & bit ? RFLAGS_CF : 0);
	return in->op == OP_BTS ? old | bit : in->op == OP_BTR ? old & ~bit : old ^ bit;
}

static uint64_t logic_op(const struct insn *in, uint64_t old, uint64_t *f)
{
	uint64_t r = in->op == OP_AND  ? old & in->src
		     : in->op == OP_OR ? old | in->src
				       : old ^ in->src;

	*f = result_flags(r, in->size);
	return r;
}

/* The operand's new value from its old one. *@flags: the arithmetic flags, before and after. */
static uint64_t compute(const struct insn *in, uint64_t old, uint64_t accumulator, uint64_t *flags)
{
	unsigned int carry = *flags & RFLAGS_CF;
	uint64_t f = *flags & RFLAGS_ARITH, r;

	switch (in->op) {
	case OP_ADD:
	case OP_XADD:
		r = add_flags(old, in->src, 0, in->size, &f);
		break;
	case OP_ADC:
		r = add_flags(old, in->src, carry, in->size, &f);
		break;
	case OP_SUB:
		r = sub_flags(old, in->src, 0, in->size, &f);
		break;
	case OP_SBB:
		r = sub_flags(old, in->src, carry, in->size, &f);
		break;
	case OP_AND:
	case OP_OR:
	case OP_XOR:
		r = logic_op(in, old, &f);
		break;
	case OP_CMPXCHG:
		sub_flags(accumulator, old, 0, in->size, &f);
		r = f & RFLAGS_ZF ? in->src : old;
		break;
	case OP_BTS:
	case OP_BTR:
	case OP_BTC:
		r = bit_op(in, old, &f);
		break;
	default: /* OP_MOV, OP_XCHG */
		r = in->src;
		break;
	}
	*flags = (*flags & ~RFLAGS_ARITH) | f;
	return r;
}

/* A register takes a value of the operand's size: 32 bits clear the rest, less leave it. */
static void reg_set(uint64_t *reg, uint64_t v, unsigned int size)
{
	uint64_t mask = size_mask(size);

	*reg = (v & mask) | (size == 4 ? 0 : *reg & ~mask);
}

/* The register the old value goes to, if any. */
static uint64_t *old_value_reg(const struct insn *in, struct cpu_user_regs *regs, uint64_t flags)
{
	if (in->op == OP_XCHG || in->op == OP_XADD)
		return in->reg;
	return in->op == OP_CMPXCHG && !(flags & RFLAGS_ZF) ? &regs->rax : NULL;
}

/* Apply the instruction to the operand at byte @off of the locked table @pg. */
static int insn_apply(const struct insn *in, struct cpu_user_regs *regs, struct page_info *pg,
		      unsigned int off)
{
	pte_t *p = (pte_t *)page_to_virt(pg) + off / 8, old, new;
	unsigned int shift = off % 8 * 8;
	uint64_t mask = size_mask(in->size) << shift, flags, *reg;
	int rc;

	do {
		flags = regs->rflags;
		old = READ_ONCE(*p);
		new = compute(in, old >> shift, regs->rax, &flags);
		new = (old & ~mask) | (new << shift &mask);
		rc = new == old ? 0 : l1_entry_exchange(p, old, new, pg->owner);
	} while (rc == -EAGAIN);
	if (rc)
		return rc;
	reg = old_value_reg(in, regs, flags);
	if (reg)
		reg_set(reg, old >> shift, in->size);
	regs->rflags = flags;
	return 0;
}

/* The frame behind @addr, if it is one of the guest's level-1 tables, mapped read-only; locked. */
static struct page_info *table_behind(unsigned long addr)
{
	pte_t e = pv_guest_l1e(addr);
	struct page_info *pg;
	uint64_t type;

	if ((e & (PTE_P | PTE_RW)) != PTE_P || !mfn_valid(pte_mfn(e)))
		return NULL;
	pg = mfn_to_page(pte_mfn(e));
	if (page_type(pg) != PGT_l1_page_table)
		return NULL;
	type = page_table_lock(pg);
	if (type == PGT_l1_page_table && pg->owner == current->domain)
		return pg;
	if (type != PGT_none)
		page_table_unlock(pg);
	return NULL;
}

bool pv_ptwr_fault(struct cpu_user_regs *regs, unsigned long addr, uint32_t error_code)
{
	struct page_info *pg;
	struct insn in;
	int rc = -EINVAL;

	if ((error_code & (PF_P | PF_W | PF_RSV | PF_I)) != (PF_P | PF_W) || !current->in_kernel)
		return false;
	pg = table_behind(addr);
	if (!pg)
		return false;
	if (insn_fetch(&in, regs->rip) && insn_decode(&in, regs) && !(addr & (in.size - 1)))
		rc = insn_apply(&in, regs, pg, addr & ~PAGE_MASK);
	page_table_unlock(pg);
	if (rc)
		return false;
	regs->rip += in.at;
	regs->rflags &= ~RFLAGS_RF;
	if (unlikely(regs->rflags & RFLAGS_TF)) {
		current->pv.dr6 |= 1UL << 14; /* DR6.BS: single step */
		pv_inject_trap(X86_DB, 0);
	}
	return true;
}
