/* SPDX-License-Identifier: MIT */
/*
 * Trap entry in C.  Order of interest in a trap: events; the test's own hook; user mode, where any
 * trap ends the user function; an entry in the fixup table, which resumes behind the instruction.
 * Anything else ends the test with an error verdict and a register dump.
 */
#include "guest.h"

struct fixup {
	unsigned long at, resume;
};

extern const struct fixup _fixups_start[], _fixups_end[];

struct fault last_fault = {.vector = TRAP_NONE};
trap_hook_t trap_hook;

static struct trap_info traps[257];

/* Vectors a user program may raise by INT n; the rest of the gates have privilege level 0. */
static unsigned int gate_dpl(unsigned int vector)
{
	return vector == TRAP_BP || vector == TRAP_OF || vector == 0x80 ? 3 : 0;
}

void trap_callbacks_set(void)
{
	static const struct {
		uint16_t type;
		char *entry;
	} entries[] = {
		{CALLBACKTYPE_event, event_entry},
		{CALLBACKTYPE_failsafe, failsafe_entry},
		{CALLBACKTYPE_syscall, syscall_entry},
	};
	struct callback_register reg;

	for (unsigned int i = 0; i < ARRAY_LEN(entries); i++) {
		reg = (struct callback_register){.type = entries[i].type,
						 .address = (unsigned long)entries[i].entry};
		if (hypercall_callback_op(CALLBACKOP_register, &reg))
			verdict_error("cannot register callback %u", entries[i].type);
	}
}

void trap_init(void)
{
	for (unsigned int i = 0; i < 256; i++) {
		traps[i].vector = i;
		traps[i].flags = gate_dpl(i);
		traps[i].cs = FLAT_KERNEL_CS;
		traps[i].address = (unsigned long)trap_stubs + i * 16;
	}
	if (hypercall_set_trap_table(traps))
		verdict_error("set_trap_table refused");
	trap_callbacks_set();
}

static void fault_note(const struct regs *r)
{
	last_fault = (struct fault){
		.vector = r->vector,
		.error = r->error,
		.cr2 = r->vector == TRAP_PF ? vcpu_info0()->arch.cr2 : 0,
		.rip = r->rip,
		.cs = r->cs,
		.rflags = r->rflags,
		.rsp = r->rsp,
	};
}

/* INT n and breakpoints report the following instruction: accept the end of the fixup as well. */
static bool fixup_apply(struct regs *r)
{
	for (const struct fixup *f = _fixups_start; f < _fixups_end; f++)
		if (r->rip == f->at || r->rip == f->resume) {
			fault_note(r);
			r->rip = f->resume;
			return true;
		}
	return false;
}

static void __attribute__((noreturn)) trap_unexpected(const struct regs *r)
{
	print("rip %#lx cs %#lx rflags %#lx rsp %#lx ss %#lx\n", r->rip, r->cs, r->rflags, r->rsp,
	      r->ss);
	print("rax %#lx rbx %#lx rcx %#lx rdx %#lx rsi %#lx rdi %#lx rbp %#lx\n", r->rax, r->rbx,
	      r->rcx, r->rdx, r->rsi, r->rdi, r->rbp);
	verdict_error("unexpected trap %ld error %#lx cr2 %#lx at %#lx", (long)r->vector, r->error,
		      vcpu_info0()->arch.cr2, r->rip);
}

void trap_dispatch(struct regs *r)
{
	if (r->vector == TRAP_EVENT) {
		event_dispatch();
		return;
	}
	if (trap_hook && trap_hook(r))
		return;
	if ((r->cs & 3) == 3) {
		fault_note(r);
		if (user_trap(r))
			return;
	}
	if (r->vector != TRAP_SYSCALL && fixup_apply(r))
		return;
	trap_unexpected(r);
}

int fault_read(const volatile void *p, unsigned long *val)
{
	unsigned long v = 0;

	fault_clear();
	asm volatile(FIXUP("mov (%1), %0") : "+r"(v) : "r"(p) : "memory");
	if (val)
		*val = v;
	return last_fault.vector;
}

int fault_write(volatile void *p, unsigned long val)
{
	fault_clear();
	asm volatile(FIXUP("mov %0, (%1)") : : "r"(val), "r"(p) : "memory");
	return last_fault.vector;
}

int fault_rdmsr(uint32_t msr, uint64_t *val)
{
	uint32_t lo = 0, hi = 0;

	fault_clear();
	asm volatile(FIXUP("rdmsr") : "+a"(lo), "+d"(hi) : "c"(msr) : "memory");
	*val = ((uint64_t)hi << 32) | lo;
	return last_fault.vector;
}

int fault_wrmsr(uint32_t msr, uint64_t val)
{
	fault_clear();
	asm volatile(FIXUP("wrmsr")
		     :
		     : "a"((uint32_t)val), "d"((uint32_t)(val >> 32)), "c"(msr)
		     : "memory");
	return last_fault.vector;
}
