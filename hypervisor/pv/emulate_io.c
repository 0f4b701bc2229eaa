/* SPDX-License-Identifier: MIT */
/*
 * Port I/O of guests. May the code do I/O at all? Its virtual IOPL or the bitmap its kernel set says so. May the domain touch the
 * port? d->ioport_caps says so; a few ports that the hypervisor keeps are answered by it for domain 0; all others read as
 * ones and swallow writes.
 */
#include "drivers/pci.h"
#include "hypercall/dispatch.h"
#include "pv/emulate.h"
#include "x86/asm.h"

/* A guest's kernel counts as ring 1, from 32-bit days, unless it has asked for the architecture's view. */
bool pv_iopl_ok(const struct vcpu *v)
{
	unsigned int ring = 3;

	if (v->in_kernel)
		ring = v->domain->vm_assist & BIT(VMASST_TYPE_architectural_iopl) ? 0 : 1;
	return v->pv.iopl >= ring;
}

/* Two bytes are read always, as CPUs do (SDM vol. 1 section 19.5.2). The bitmap is the kernel's: its tables map it. */
static bool io_allowed(struct vcpu *v, unsigned int port, unsigned int bytes)
{
	bool user = !v->in_kernel, ok;
	uint16_t map;

	if (pv_iopl_ok(v))
		return true;
	if (port + bytes > v->pv.iobmp_limit)
		return false;
	if (user)
		pv_toggle_mode(v);
	ok = !copy_from_guest_va(&map, v->pv.iobmp_guest + port / 8, sizeof(map));
	if (user)
		pv_toggle_mode(v);
	return ok && !(map >> (port % 8) & ((1u << bytes) - 1));
}

static bool direct(struct domain *d, unsigned int port, unsigned int bytes)
{
	return domain_caps_contain(d, &d->ioport_caps, port, port + bytes - 1);
}

/* PCI configuration mechanism 1 is the hypervisor's to share. */
static bool pci_port(const struct domain *d, unsigned int port, unsigned int bytes)
{
	return d->is_hardware && port >= 0xcf8 && port + bytes <= 0xd00;
}

static uint32_t guest_in(struct vcpu *v, unsigned int port, unsigned int bytes)
{
	uint32_t val = ~0u;

	if (direct(v->domain, port, bytes))
		val = port_in((uint16_t)port, bytes);
	else if (v->domain->is_hardware && port == 0x61 && bytes == 1)
		val = inb(0x61);
	else if (pci_port(v->domain, port, bytes))
		val = pci_guest_in((uint16_t)port, bytes);
	return val;
}

static void guest_out(struct vcpu *v, unsigned int port, unsigned int bytes, uint32_t val)
{
	if (direct(v->domain, port, bytes))
		port_out((uint16_t)port, bytes, val);
	else if (pci_port(v->domain, port, bytes))
		pci_guest_out((uint16_t)port, bytes, val);
}

/* One element of INS or OUTS; a page fault on the guest's buffer is the guest's to handle, and the instruction runs again. */
static bool string_element(struct vcpu *v, struct cpu_user_regs *regs, bool out, unsigned int port,
			   unsigned int bytes, unsigned long base)
{
	unsigned long va = out ? regs->rsi + base : regs->rdi;
	unsigned long step = regs->rflags & RFLAGS_DF ? -(unsigned long)bytes : bytes;
	uint32_t val = 0;

	if (out) {
		if (copy_from_guest_va(&val, va, bytes)) {
			pv_inject_page_fault(va, 0);
			return false;
		}
		guest_out(v, port, bytes, val);
		regs->rsi += step;
	} else {
		val = guest_in(v, port, bytes);
		if (copy_to_guest_va(va, &val, bytes)) {
			pv_inject_page_fault(va, PF_W);
			return false;
		}
		regs->rdi += step;
	}
	return true;
}

/* At most a page's worth at a time, so that interrupts are not held up: the rest comes with the next execution. */
#define STRING_BATCH 4096

static bool string_io(struct vcpu *v, struct cpu_user_regs *regs, struct insn *insn, bool out,
		      unsigned int bytes)
{
	unsigned int port = (uint16_t)regs->rdx, done = 0;
	unsigned long base = 0;
	bool ok = true;

	/* Nobody's 64-bit code does it with 32-bit addresses. */
	if (insn->addrsize || !io_allowed(v, port, bytes))
		return false;
	if (insn->segment == 0x64 || insn->segment == 0x65)
		base = rdmsr(insn->segment == 0x64 ? MSR_FS_BASE : MSR_GS_BASE);
	insn->io_match = (uint8_t)pv_debug_io_match(v, port, bytes);
	if (!insn->rep)
		ok = string_element(v, regs, out, port, bytes, base);
	while (insn->rep && regs->rcx && ok && done++ < STRING_BATCH) {
		ok = string_element(v, regs, out, port, bytes, base);
		regs->rcx -= ok;
	}
	if (!ok || (insn->rep && regs->rcx))
		insn->len =
			0; /* to be run again, or a fault's frame is in place and must not be moved on */
	return true;
}

bool pv_emulate_io(struct cpu_user_regs *regs, struct insn *insn, uint8_t op)
{
	struct vcpu *v = current;
	unsigned int bytes = op & 1 ? (insn->opsize ? 2 : 4) : 1;
	unsigned int port;
	uint32_t val;

	if (op < 0x70)
		return string_io(v, regs, insn, op & 2, bytes);
	port = op & 8 ? (uint16_t)regs->rdx : insn_next(insn);
	if (insn->len > insn->avail || !io_allowed(v, port, bytes))
		return false;
	insn->io_match = (uint8_t)pv_debug_io_match(v, port, bytes);
	if (op & 2) {
		guest_out(v, port, bytes, (uint32_t)regs->rax);
		return true;
	}
	val = guest_in(v, port, bytes);
	if (bytes == 4)
		regs->rax = val;
	else if (bytes == 2)
		regs->rax = (regs->rax & ~0xffffUL) | (val & 0xffff);
	else
		regs->rax = (regs->rax & ~0xffUL) | (val & 0xff);
	return true;
}
