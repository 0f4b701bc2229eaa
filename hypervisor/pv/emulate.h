/* SPDX-License-Identifier: MIT */
/*
 * Taking guest instructions apart: what the privileged ones (pv/emulate*.c) and writes to page tables (pv/ptwr.c) have in common.
 * Bytes are read from the guest once. Only the beginning is decoded here; whoever knows the opcode goes on with insn_next().
 */
#ifndef PV_EMULATE_H
#define PV_EMULATE_H

#include "lib/string.h"
#include "mm/guest_copy.h"
#include "pv/pv.h"
#include "x86/asm.h"

#define INSN_MAX 15

/* An instruction taken apart as far as needed. */
struct insn {
	uint8_t bytes[INSN_MAX + 1];
	unsigned int avail; /* bytes that could be read */
	unsigned int len;   /* decoded so far */
	uint8_t rex;	    /* 0 or 0x40-0x4f */
	bool opsize, rep;   /* prefixes 66, F2/F3 */
	bool addrsize;	    /* 67 */
	uint8_t segment;    /* override prefix, 0 if none */
	uint8_t io_match;   /* I/O breakpoints that were hit: B0-B3 */
};

/* The common case is @words reads of 8 bytes; a page end may cut it short. */
static always_inline bool insn_fetch(struct insn *insn, unsigned long rip, unsigned int words)
{
	uint64_t word[2];

	insn->len = 0;
	insn->rex = insn->segment = 0;
	insn->opsize = insn->rep = insn->addrsize = false;
	insn->io_match = 0;
	if (likely(get_guest_u64(&word[0], rip)) &&
	    (words == 1 || likely(get_guest_u64(&word[1], rip + 8)))) {
		memcpy(insn->bytes, word, 8 * words);
		insn->avail = min(8 * words, (unsigned int)INSN_MAX);
		return true;
	}
	for (insn->avail = 0; insn->avail < INSN_MAX; insn->avail++)
		if (copy_from_guest_va(insn->bytes + insn->avail, rip + insn->avail, 1))
			break;
	return insn->avail > 0;
}

/* Next byte; past the end one that matches no opcode we know, and len tells that there was none. */
static always_inline uint8_t insn_next(struct insn *insn)
{
	unsigned int at = insn->len++;

	return at < insn->avail ? insn->bytes[at] : 0xd6;
}

/* Prefixes (SDM vol. 2 section 2.1.1); returns the first byte of the opcode. */
static always_inline uint8_t insn_prefixes(struct insn *insn)
{
	for (;;) {
		uint8_t b = insn_next(insn);

		switch (b) {
		case 0x66:
			insn->opsize = true;
			break;
		case 0xf2 ... 0xf3:
			insn->rep = true;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64 ... 0x65:
			insn->segment = b;
			break;
		case 0x67:
			insn->addrsize = true;
			break;
		case 0xf0: /* lock: page-table writes are atomic anyway; before the others the CPU refuses it */
			break;
		default:
			if ((b & 0xf0) != 0x40)
				return b;
			insn->rex = b;
			return insn_next(insn);
		}
	}
}

/* General register @nr (0-15) in the ABI's frame. */
static inline unsigned long *insn_gpr(struct cpu_user_regs *regs, unsigned int nr)
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

	return (unsigned long *)((char *)regs + at[nr & 15]);
}

/* Where the instruction ends; a guest that single-steps, or watches the port, gets its #DB. */
static always_inline void insn_complete(struct vcpu *v, struct cpu_user_regs *regs,
					const struct insn *insn)
{
	unsigned long hit = insn->io_match | (regs->rflags & RFLAGS_TF ? 0x4000 /* BS */ : 0);

	regs->rip += insn->len;
	regs->rflags &= ~RFLAGS_RF;
	if (unlikely(hit)) {
		v->pv.dr6 |= hit;
		pv_inject_trap(X86_DB, 0);
	}
}

/* pv/emulate_io.c: IN, OUT, INS, OUTS after the prefixes; @op is the opcode. True: done, insn->len is complete. */
bool pv_emulate_io(struct cpu_user_regs *regs, struct insn *insn, uint8_t op);
/* Is the guest's IOPL enough for what it runs now? */
bool pv_iopl_ok(const struct vcpu *v);

#endif
