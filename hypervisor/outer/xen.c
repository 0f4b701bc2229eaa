/* SPDX-License-Identifier: MIT */
/*
 * Xen below us (<xen/arch-x86/cpuid.h>, <xen/hvm/{hvm_op,params}.h>), whose HVM or PVH guest we are: the TSC's frequency, the wall
 * clock, a TLB flush of many CPUs by one call, the way to end, and the events that wake domain 0's drivers of the outer PV devices.
 * Ends of interrupt, IPIs and timer are the local APIC's in x2APIC mode: one exit each, as a hypercall would be.
 *
 * Invariant: only the outer vCPU 0, our CPU 0, gets events, in the 2-level layout; what is no event of ours is domain 0's, which
 * shares the page. So nothing in it is believed. Set up once during boot; no lock.
 */
#include "outer/xen.h"
#include "core/event.h"
#include "lib/bitops.h"
#include "lib/log.h"
#include "lib/string.h"
#include "outer/internal.h"
#include "outer/nested_abi.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/page.h"
#include "x86/time.h"
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/version.h>

static uint32_t leaf_base __ro_after_init;
static struct shared_info *info __ro_after_init;
static bool is_amd __ro_after_init;
uint32_t xen_outer_version __ro_after_init;
uint32_t xen_outer_port __ro_after_init;

#ifndef HOST_BUILD
/* What the hypercall page has in it; so no page of ours need be written and run. */
long xen_outer_call(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3)
{
	long rc = nr;

	if (is_amd)
		__asm__ __volatile__("vmmcall" : "+a"(rc), "+D"(a1), "+S"(a2), "+d"(a3)::"memory");
	else
		__asm__ __volatile__("vmcall" : "+a"(rc), "+D"(a1), "+S"(a2), "+d"(a3)::"memory");
	return rc;
}
#endif

/* An operation with its structure, a local of ours: the addresses are those of our page tables. */
#define xen_op(nr, op, arg) xen_outer_call(nr, op, (unsigned long)(arg), 0)

uint64_t __init xen_outer_param(uint32_t index)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};

	return xen_op(__HYPERVISOR_hvm_op, HVMOP_get_param, &p) ? 0 : p.value;
}

/* --- clock --- */

/* Its fourth leaf, sub-leaf 0, EAX: reading the TSC exits, which is so where the host's is not invariant. */
#define TSC_EMULATED 1
#define TSC_FLAGS    0xff

/* The same leaf: kHz of the TSC as we see it. A KVM that stands in for Xen knows no sub-leaves, and has the kHz where the flags are. */
static uint64_t __init xen_tsc_hz(void)
{
	uint32_t flags = outer_cpuid(leaf_base, 3, CPUID_A);

	return (flags > TSC_FLAGS ? flags : outer_cpuid(leaf_base, 3, CPUID_C)) * 1000UL;
}

/* The wall clock at our system time 0, and that time when the outer Xen last wrote it down. */
static uint64_t __init xen_wallclock_ns(void)
{
	const volatile struct vcpu_time_info *t = &info->vcpu_info[0].time;
	const volatile struct shared_info *s = info;
	uint64_t wall, since;
	uint32_t wc, version;

	do {
		wc = s->wc_version;
		version = t->version;
		barrier();
		wall = ((uint64_t)s->wc_sec_hi << 32 | s->wc_sec) * 1000000000 + s->wc_nsec;
		since = t->system_time + mul_div(rdtsc() - t->tsc_timestamp, 1000000000, tsc_hz);
		barrier();
	} while (((wc | version) & 1) || wc != s->wc_version || version != t->version);
	return wall ? wall + since : 0;
}

/* --- the rest of struct outer --- */

/* One exit whatever their number, and none that is descheduled is waited for; a lone CPU is told as cheaply by an IPI. */
static void xen_tlb_flush(cpumask_t *mask)
{
	if (cpumask_next(cpumask_first(mask) + 1, mask) < NR_CPUS &&
	    !xen_op(__HYPERVISOR_hvm_op, HVMOP_flush_tlbs, NULL))
		cpumask_clear(mask);
}

static void xen_shutdown(unsigned int reason)
{
	struct sched_shutdown op = {.reason = reason};

	xen_op(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &op);
}

/* --- events --- */

/* Of the words in @sel, those with an event that somebody waits for. */
static uint64_t words_pending(uint64_t sel)
{
	for (uint64_t left = sel; left; left &= left - 1) {
		unsigned int w = ffs64(left);

		if (!(READ_ONCE(info->evtchn_pending[w]) & ~READ_ONCE(info->evtchn_mask[w])))
			sel &= ~BIT(w);
	}
	return sel;
}

/* The outer Xen calls again for a word whose bit in pending_sel is clear; those with events of domain 0's it finds set. */
static void xen_upcall(struct cpu_user_regs *regs)
{
	struct vcpu_info *v = &info->vcpu_info[0];
	uint64_t sel;

	WRITE_ONCE(v->evtchn_upcall_pending, 0);
	sel = xchg(&v->evtchn_pending_sel, 0);
	if (xen_outer_port &&
	    atomic_and(&info->evtchn_pending[0], ~BIT(xen_outer_port)) & BIT(xen_outer_port))
		xen_console_interrupt();
	sel = words_pending(sel);
	if (!sel)
		return;
	atomic_or(&v->evtchn_pending_sel, sel);
	send_global_virq(NESTED_VIRQ);
}

void __init xen_outer_unmask(uint32_t port)
{
	struct evtchn_unmask op = {.port = port};

	xen_op(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, &op);
}

/*
 * Setting the parameter also makes the outer Xen take us for a 64-bit guest, whatever the firmware was. An outer Xen before 4.6
 * has only that way; it wants no end of interrupt, but one that nothing waits for does nothing.
 */
static bool __init upcall_init(void)
{
	struct xen_hvm_evtchn_upcall_vector op = {.vcpu = 0, .vector = VECTOR_OUTER};
	struct xen_hvm_param via = {.domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ};

	irq_set_handler(VECTOR_OUTER, xen_upcall);
	if (xen_op(__HYPERVISOR_hvm_op, HVMOP_set_param, &via))
		return false;
	if (!xen_op(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &op))
		return true;
	via.value = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | VECTOR_OUTER;
	return !xen_op(__HYPERVISOR_hvm_op, HVMOP_set_param, &via);
}

static bool __init shared_info_init(void)
{
	struct xen_add_to_physmap op = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_shared_info,
		.gpfn = XEN_SHARED_INFO_PFN,
	};

	if (xen_op(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &op))
		return false;
	info = ioremap_flags(XEN_SHARED_INFO_PFN << PAGE_SHIFT, PAGE_SIZE, 0);
	if (!info)
		return false;
	/* Who binds a channel unmasks it. */
	memset(info->evtchn_mask, 0xff, sizeof(info->evtchn_mask));
	info->vcpu_info[0].evtchn_pending_sel = 0;
	info->vcpu_info[0].evtchn_upcall_pending = 0;
	return true;
}

bool __init xen_outer_init(uint32_t leaf)
{
	uint32_t tsc;

	leaf_base = leaf;
	if (!leaf)
		return false;
	outer.tsc_hz = xen_tsc_hz;
	tsc = outer_cpuid(leaf, 3, CPUID_A);
	if (tsc <= TSC_FLAGS && (tsc & TSC_EMULATED))
		printk(LOG_WARN
		       "The outer Xen emulates the TSC, which makes all that tells time slow; "
		       "tsc_mode=\"native\" in its configuration of us would not\n");
	is_amd = outer_cpu_is_amd();
	if (xen_op(__HYPERVISOR_xen_version, XENVER_version, NULL) <= 0 || !shared_info_init()) {
		printk(LOG_WARN "The outer Xen takes no hypercalls: only its CPUID is used\n");
		return true;
	}
	outer.wallclock_ns = xen_wallclock_ns;
	outer.tlb_flush = xen_tlb_flush;
	outer.shutdown = xen_shutdown;
	xen_outer_version = outer_cpuid(leaf, 1, CPUID_A);
	if (!upcall_init())
		printk(LOG_WARN "The outer Xen sends no events\n");
	xen_console_init();
	return true;
}
