/* SPDX-License-Identifier: MIT */
/* Decoding the few instructions a PV kernel executes although ring 3 may not: shared by pv/emulate*.c. */
#ifndef PV_EMULATE_H
#define PV_EMULATE_H

#include "pv/pv.h"

#define INSN_MAX 15

/* An instruction taken apart as far as needed. Bytes are read from the guest once. */
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

/* Pointer to general register @nr (0-15) in the ABI's frame. */
unsigned long *insn_gpr(struct cpu_user_regs *regs, unsigned int nr);

/* pv/emulate_io.c: IN, OUT, INS, OUTS after the prefixes; @op is the opcode. True: done, insn->len is complete. */
bool pv_emulate_io(struct cpu_user_regs *regs, struct insn *insn, uint8_t op);
/* May the current guest code use the ports at all (IOPL or its I/O bitmap)? */
bool pv_io_allowed(struct vcpu *v, unsigned int port, unsigned int bytes);
/* Is the guest's IOPL enough for what it runs now? */
bool pv_iopl_ok(const struct vcpu *v);

#endif
