/* SPDX-License-Identifier: MIT */
/* See fake_xen.h. Calls by number and structure, as outer/xen.c makes them. */
#include <string.h>

#include "fake_xen.h"

#include "outer/xen.h"
#include "core/event.h"
#include "x86/irq.h"
#include "x86/page.h"
#include "x86/time.h"
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/version.h>

struct fake_xen fake_xen;
uint64_t tsc_hz = 2000000000;

void fake_xen_reset(void)
{
	memset(&fake_xen, 0, sizeof(fake_xen));
}

static long hvm_op(unsigned long op, void *arg)
{
	struct xen_hvm_param *p = arg;
	const struct xen_hvm_evtchn_upcall_vector *v = arg;

	if (op == HVMOP_get_param)
		p->value = fake_xen.param;
	if (op == HVMOP_set_param && p->index == HVM_PARAM_CALLBACK_IRQ)
		fake_xen.via = p->value;
	if (op != HVMOP_set_evtchn_upcall_vector)
		return fake_xen.rc;
	fake_xen.vector = v->vector;
	return fake_xen.rc_vector;
}

long xen_outer_call(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3)
{
	fake_xen.calls++;
	fake_xen.nr = nr;
	fake_xen.op = a1;
	fake_xen.count = a3;
	if (a2)
		memcpy(fake_xen.arg, (const void *)a2, 8);
	if (nr == __HYPERVISOR_hvm_op)
		return hvm_op(a1, (void *)a2);
	if (nr == __HYPERVISOR_xen_version && a1 == XENVER_version && !fake_xen.rc)
		return 4 << 16 | 17;
	return fake_xen.rc;
}

void *ioremap_flags(paddr_t pa, size_t len, uint64_t cache_flags)
{
	return pa == XEN_SHARED_INFO_PFN << PAGE_SHIFT ? &fake_xen.shared : NULL;
}

void irq_set_handler(unsigned int vector, void (*handler)(struct cpu_user_regs *regs))
{
	fake_xen.upcall = (void (*)(void *))handler;
}

void send_global_virq(uint32_t virq)
{
	fake_xen.virqs += virq == VIRQ_ARCH_4;
}

void xen_console_init(void)
{
}

void xen_console_interrupt(void)
{
}
