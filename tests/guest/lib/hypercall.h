/* SPDX-License-Identifier: MIT */
/*
 * The hypercalls as C functions.  Each is one call into the stub page the hypervisor filled in, with
 * the register use of arch-x86/xen-x86_64.h; nothing is checked or retried here, so a test sees the
 * raw return value.
 */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

#include <xen/xen.h>
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

extern char hypercall_page[];

/* Any hypercall by number, for tables of calls and for numbers without a name. */
static inline long hypercall_any(unsigned int nr, unsigned long a1, unsigned long a2,
				 unsigned long a3, unsigned long a4, unsigned long a5)
{
	register unsigned long r10 asm("r10") = a4;
	register unsigned long r8 asm("r8") = a5;
	long rc = nr;

	asm volatile("syscall"
		     : "+a"(rc), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
		     :
		     : "rcx", "r11", "memory");
	return rc;
}

#define HYPERCALL0(name)                                     \
	({                                                   \
		long rc_;                                    \
		asm volatile("call hypercall_page + %c1"     \
			     : "=a"(rc_)                     \
			     : "i"(__HYPERVISOR_##name * 32) \
			     : "memory");                    \
		rc_;                                         \
	})

#define HYPERCALL1(name, a)                                  \
	({                                                   \
		unsigned long a_ = (unsigned long)(a);       \
		long rc_;                                    \
		asm volatile("call hypercall_page + %c2"     \
			     : "=a"(rc_), "+D"(a_)           \
			     : "i"(__HYPERVISOR_##name * 32) \
			     : "memory");                    \
		rc_;                                         \
	})

#define HYPERCALL2(name, a, b)                                                  \
	({                                                                      \
		unsigned long a_ = (unsigned long)(a), b_ = (unsigned long)(b); \
		long rc_;                                                       \
		asm volatile("call hypercall_page + %c3"                        \
			     : "=a"(rc_), "+D"(a_), "+S"(b_)                    \
			     : "i"(__HYPERVISOR_##name * 32)                    \
			     : "memory");                                       \
		rc_;                                                            \
	})

#define HYPERCALL3(name, a, b, c)                                               \
	({                                                                      \
		unsigned long a_ = (unsigned long)(a), b_ = (unsigned long)(b), \
			      c_ = (unsigned long)(c);                          \
		long rc_;                                                       \
		asm volatile("call hypercall_page + %c4"                        \
			     : "=a"(rc_), "+D"(a_), "+S"(b_), "+d"(c_)          \
			     : "i"(__HYPERVISOR_##name * 32)                    \
			     : "memory");                                       \
		rc_;                                                            \
	})

#define HYPERCALL4(name, a, b, c, d)                                             \
	({                                                                       \
		unsigned long a_ = (unsigned long)(a), b_ = (unsigned long)(b),  \
			      c_ = (unsigned long)(c);                           \
		register unsigned long d_ asm("r10") = (unsigned long)(d);       \
		long rc_;                                                        \
		asm volatile("call hypercall_page + %c5"                         \
			     : "=a"(rc_), "+D"(a_), "+S"(b_), "+d"(c_), "+r"(d_) \
			     : "i"(__HYPERVISOR_##name * 32)                     \
			     : "memory");                                        \
		rc_;                                                             \
	})

static inline long hypercall_set_trap_table(const struct trap_info *t)
{
	return HYPERCALL1(set_trap_table, t);
}

static inline long hypercall_mmu_update(mmu_update_t *req, unsigned long n, unsigned int *done,
					domid_t foreign)
{
	return HYPERCALL4(mmu_update, req, n, done, foreign);
}

static inline long hypercall_set_gdt(const unsigned long *frames, unsigned int entries)
{
	return HYPERCALL2(set_gdt, frames, entries);
}

static inline long hypercall_stack_switch(unsigned long ss, unsigned long sp)
{
	return HYPERCALL2(stack_switch, ss, sp);
}

static inline long hypercall_fpu_taskswitch(int set)
{
	return HYPERCALL1(fpu_taskswitch, set);
}

static inline long hypercall_set_debugreg(int reg, unsigned long value)
{
	return HYPERCALL2(set_debugreg, reg, value);
}

static inline unsigned long hypercall_get_debugreg(int reg)
{
	return HYPERCALL1(get_debugreg, reg);
}

static inline long hypercall_update_descriptor(uint64_t maddr, uint64_t desc)
{
	return HYPERCALL2(update_descriptor, maddr, desc);
}

static inline long hypercall_memory_op(unsigned long cmd, void *arg)
{
	return HYPERCALL2(memory_op, cmd, arg);
}

static inline long hypercall_multicall(multicall_entry_t *list, unsigned long n)
{
	return HYPERCALL2(multicall, list, n);
}

static inline long hypercall_update_va_mapping(unsigned long va, uint64_t pte, unsigned long flags)
{
	return HYPERCALL3(update_va_mapping, va, pte, flags);
}

static inline long hypercall_set_timer_op(uint64_t deadline)
{
	return HYPERCALL1(set_timer_op, deadline);
}

static inline long hypercall_xen_version(unsigned int cmd, void *arg)
{
	return HYPERCALL2(xen_version, cmd, arg);
}

static inline long hypercall_console_io(unsigned int cmd, unsigned int n, char *buf)
{
	return HYPERCALL3(console_io, cmd, n, buf);
}

static inline long hypercall_grant_table_op(unsigned int cmd, void *ops, unsigned int n)
{
	return HYPERCALL3(grant_table_op, cmd, ops, n);
}

static inline long hypercall_vm_assist(unsigned int cmd, unsigned int type)
{
	return HYPERCALL2(vm_assist, cmd, type);
}

static inline long hypercall_vcpu_op(int cmd, unsigned int vcpu, void *arg)
{
	return HYPERCALL3(vcpu_op, cmd, vcpu, arg);
}

static inline long hypercall_set_segment_base(unsigned int which, unsigned long base)
{
	return HYPERCALL2(set_segment_base, which, base);
}

static inline long hypercall_mmuext_op(struct mmuext_op *ops, unsigned long n, unsigned int *done,
				       domid_t foreign)
{
	return HYPERCALL4(mmuext_op, ops, n, done, foreign);
}

static inline long hypercall_sched_op(int cmd, void *arg)
{
	return HYPERCALL2(sched_op, cmd, arg);
}

static inline long hypercall_callback_op(int cmd, const void *arg)
{
	return HYPERCALL2(callback_op, cmd, arg);
}

static inline long hypercall_event_channel_op(int cmd, void *arg)
{
	return HYPERCALL2(event_channel_op, cmd, arg);
}

static inline long hypercall_physdev_op(int cmd, void *arg)
{
	return HYPERCALL2(physdev_op, cmd, arg);
}

static inline long hypercall_platform_op(void *arg)
{
	return HYPERCALL1(platform_op, arg);
}

#endif
