/* SPDX-License-Identifier: MIT */
/*
 * What the diagnostic keys print about domains, vCPUs, CPUs, memory and time. Reads others' state, often without their locks: the
 * numbers are for people, who ask again.
 *
 * Invariant: nothing is changed; a domain is referenced while it is looked at. Another CPU's registers are copied by that CPU
 * (smp_call), which may be waiting for the console's lock itself, and printed here. No lock is held while printing, except
 * where a table is walked under it.
 */
#include "core/console.h"

#include "boot/cmdline.h"
#include "core/event.h"
#include "core/grant.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "mm/heap.h"
#include "x86/asm.h"
#include "x86/smp.h"
#include "x86/time.h"

/* The domain after @d (NULL: the first), whose reference is exchanged for the new one's. */
static struct domain *next_domain(struct domain *d)
{
	struct domain *next = domain_next(d ? (domid_t)(d->domain_id + 1) : 0);

	if (d)
		domain_put(d);
	return next;
}

/* "0-3,7" */
static const char *mask_text(const cpumask_t *m, char *buf, size_t size)
{
	unsigned int cpu = cpumask_first(m), last;
	size_t n = 0;

	buf[0] = '\0';
	for (; cpu < NR_CPUS; cpu = cpumask_next(last + 1, m)) {
		for (last = cpu; last + 1 < NR_CPUS && cpumask_test(last + 1, m);)
			last++;
		n += scnprintf(buf + n, size - n, n ? ",%u" : "%u", cpu);
		if (last > cpu)
			n += scnprintf(buf + n, size - n, "-%u", last);
	}
	return buf;
}

/* --- registers --- */

static void regs_print(const struct cpu_user_regs *r)
{
	printk("  rip %04x:%016lx rsp %04x:%016lx rflags %08lx\n", r->cs, r->rip, r->ss, r->rsp,
	       r->rflags);
	printk("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx, r->rdx);
	printk("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", r->rsi, r->rdi, r->rbp, r->r8);
	printk("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", r->r9, r->r10, r->r11, r->r12);
	printk("  r13 %016lx r14 %016lx r15 %016lx\n", r->r13, r->r14, r->r15);
}

struct cpu_snapshot {
	bool idle;
	domid_t domain_id;
	unsigned int vcpu_id;
	struct cpu_user_regs regs;
	unsigned long cr2, cr3;
	uint64_t tsc;
};

static void cpu_snapshot_take(void *arg)
{
	struct cpu_snapshot *s = arg;
	struct vcpu *v = current;

	s->tsc = rdtsc();
	s->idle = v->is_idle;
	s->domain_id = v->domain->domain_id;
	s->vcpu_id = v->vcpu_id;
	s->regs = *guest_regs();
	s->cr2 = read_cr2();
	s->cr3 = read_cr3();
}

static void cpu_snapshot_of(unsigned int cpu, struct cpu_snapshot *s)
{
	cpumask_t one = {};

	cpumask_set(cpu, &one);
	smp_call(&one, cpu_snapshot_take, s);
}

static void cpu_dump_on(unsigned int cpu)
{
	struct cpu_snapshot s;

	cpu_snapshot_of(cpu, &s);
	if (s.idle) {
		printk("*** CPU%u idles ***\n", cpu);
		return;
	}
	printk("*** Dumping CPU%u guest state (d%uv%u): ***\n", cpu, s.domain_id, s.vcpu_id);
	regs_print(&s.regs);
	printk("  cr2 %016lx cr3 %016lx\n", s.cr2, s.cr3);
}

void dump_registers(char key)
{
	unsigned int cpu;

	printk("'%c' pressed -> dumping registers\n\n", key);
	for_each_online_cpu(cpu) cpu_dump_on(cpu);
}

static void vcpu_dump_registers(struct vcpu *v)
{
	if (READ_ONCE(v->is_running)) {
		cpu_dump_on(READ_ONCE(v->processor));
		return;
	}
	printk("*** Dumping Dom%u vcpu#%u state: ***\n", v->domain->domain_id, v->vcpu_id);
	regs_print(&v->regs);
}

void dump_hardware_domain(char key)
{
	struct vcpu *v;
	unsigned int i;

	if (!hardware_domain)
		return;
	printk("'%c' pressed -> dumping Dom0's registers\n", key);
	for_each_vcpu (hardware_domain, v, i)
		vcpu_dump_registers(v);
}

/* --- domains --- */

static void vcpu_dump(struct vcpu *v)
{
	char hard[64], soft[64];

	printk("  VCPU%u: CPU%u [has=%c] poll=%d upcall_pend=%02x upcall_mask=%02x\n", v->vcpu_id,
	       v->processor, v->is_running ? 'T' : 'F', v->poll_port,
	       v->vcpu_info->evtchn_upcall_pending, v->vcpu_info->evtchn_upcall_mask);
	printk("    affinities: hard={%s} soft={%s}\n",
	       mask_text(&v->sched.hard_affinity, hard, sizeof(hard)),
	       mask_text(&v->sched.soft_affinity, soft, sizeof(soft)));
	printk("    pause_count=%d pause_flags=%x runstate=%d migrations=%u\n", v->pause_count,
	       v->pause_flags, v->runstate.state, v->sched.migrations);
	if (v->periodic_period)
		printk("    %ld Hz periodic timer (period %ld ms)\n",
		       1000000000 / v->periodic_period, v->periodic_period / 1000000);
	else
		printk("    No periodic timer\n");
}

static void domain_dump(struct domain *d)
{
	const uint8_t *h = d->handle;
	char cpus[64];
	struct vcpu *v;
	unsigned int i;

	printk("General information for domain %u:\n", d->domain_id);
	printk("    refcnt=%u dying=%u pause_count=%d shutdown=%d\n", d->refcount, d->dying,
	       d->pause_count, d->shutdown_code);
	printk("    nr_pages=%u xenheap_pages=%u max_pages=%u dirty_cpus={%s}\n", d->tot_pages,
	       d->xen_pages, d->max_pages, mask_text(&d->dirty_cpus, cpus, sizeof(cpus)));
	printk("    handle=%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x vm_assist=%08lx\n",
	       h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11], h[12],
	       h[13], h[14], h[15], d->vm_assist);
	for (i = 0; i < ARRAY_SIZE(d->watchdog); i++)
		if (d->watchdog_inuse & 1u << i)
			printk("    watchdog %u expires in %ld seconds\n", i,
			       (d->watchdog[i].expires - time_now()) / 1000000000);
	printk("VCPU information and callbacks for domain %u:\n", d->domain_id);
	for_each_vcpu (d, v, i)
		vcpu_dump(v);
}

static void domain_notify_debug(struct domain *d)
{
	struct vcpu *v;
	unsigned int i;

	for_each_vcpu (d, v, i) {
		printk("Notifying guest %u:%u (virq %d, port %u)\n", d->domain_id, v->vcpu_id,
		       VIRQ_DEBUG, v->virq_to_port[VIRQ_DEBUG]);
		send_guest_vcpu_virq(v, VIRQ_DEBUG);
	}
}

void printk_dump_domains(void)
{
	for (struct domain *d = next_domain(NULL); d; d = next_domain(d))
		domain_dump(d);
}

void dump_domains(char key)
{
	printk("'%c' pressed -> dumping domain info (now = %ld)\n", key, time_now());
	printk_dump_domains();
	for (struct domain *d = next_domain(NULL); d; d = next_domain(d))
		domain_notify_debug(d);
}

void dump_event_channels(char key)
{
	printk("'%c' pressed -> dumping event-channel info\n", key);
	for (struct domain *d = next_domain(NULL); d; d = next_domain(d))
		evtchn_dump(d);
}

void dump_grants(char key)
{
	printk("'%c' pressed -> printing grant-table usage\n", key);
	for (struct domain *d = next_domain(NULL); d; d = next_domain(d))
		grant_dump(d);
}

void dump_memory(char key)
{
	unsigned long free = heap_free_pages();

	printk("'%c' pressed -> memory information\n", key);
	printk("Physical memory: %lu MiB in %lu frames, %lu free (%lu MiB), %lu free below 4 GiB\n",
	       total_pages >> 8, total_pages, free, free >> 8, heap_free_pages_below(32));
	for (struct domain *d = next_domain(NULL); d; d = next_domain(d))
		printk("  d%u: %u pages (%u MiB) of at most %u, %u claimed, %u of the hypervisor's\n",
		       d->domain_id, d->tot_pages, d->tot_pages >> 8, d->max_pages,
		       d->outstanding_pages, d->xen_pages);
}

/* --- CPUs and time --- */

void dump_runqueues(char key)
{
	printk("'%c' pressed -> dumping run queues (now = %ld)\n", key, time_now());
	sched_dump();
}

void dump_timers(char key)
{
	printk("'%c' pressed -> dumping timer queues (now = %ld)\n", key, time_now());
	timer_dump();
}

void dump_clocks(char key)
{
	unsigned int cpu;

	printk("'%c' pressed -> displaying clocks\n", key);
	printk("TSC %u kHz, scale %u shift %d, wall clock base %lu s\n", cpu_khz,
	       time_scale.mul_frac, time_scale.shift, wallclock_base_ns / 1000000000);
	for_each_online_cpu(cpu)
	{
		struct cpu_snapshot s;

		cpu_snapshot_of(cpu, &s);
		printk("  CPU%u: TSC %lu, time %ld ns\n", cpu, s.tsc, tsc_to_time(s.tsc));
		printk("        idle for %lu ms\n", cpu_idle_time(cpu) / 1000000);
	}
}

void dump_system(char key)
{
	printk("'%c' pressed -> showing system information\n", key);
	printk("CPUs online: %u, up %ld s, scheduler %s\n", nr_cpus_online, time_now() / 1000000000,
	       sched_current()->name);
	printk("Command line: %s\n", saved_cmdline);
}
