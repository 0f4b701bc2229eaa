/* SPDX-License-Identifier: MIT */
/*
 * Keys: what an operator can ask of the hypervisor by the serial line (when its input is switched there) or by
 * `xl debug-keys`. Most print something about domains, vCPUs, CPUs, memory and time; they read others' state, often without
 * its locks: the numbers are for people, who ask again.
 *
 * Invariant: handlers run one at a time, from SOFTIRQ_WORK or the tools' hypercall, with no lock held. Keys typed faster than
 * handlers run are lost, except the last. A domain is referenced while it is looked at. Another CPU's registers are copied by that
 * CPU (smp_call), which may be waiting for the console's lock itself, and printed here. No lock is held while printing,
 * except where a table is walked under it.
 */
#include "core/console.h"

#include "boot/boot_info.h"
#include "core/event.h"
#include "core/grant.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "mm/heap.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/outer.h"
#include "x86/shutdown.h"
#include "x86/smp.h"
#include "x86/time.h"
#include "x86/traps.h"

struct keyhandler {
	void (*fn)(char key);
	const char *help;
	bool diagnostic; /* part of '*' */
};
static const struct keyhandler keys[128];

/* --- registers --- */

struct cpu_snapshot {
	domid_t domain_id;
	unsigned int vcpu_id;
	struct cpu_user_regs regs;
	unsigned long cr2, cr3;
	uint64_t tsc;
};

static void cpu_snapshot_take(void *arg)
{
	*(struct cpu_snapshot *)arg = (struct cpu_snapshot){
		.tsc = rdtsc(),
		.domain_id = current->domain->domain_id,
		.vcpu_id = current->vcpu_id,
		.regs = *guest_regs(),
		.cr2 = read_cr2(),
		.cr3 = read_cr3(),
	};
}

static struct cpu_snapshot cpu_snapshot(unsigned int cpu)
{
	struct cpu_snapshot s;
	cpumask_t one = {};

	cpumask_set(cpu, &one);
	smp_call(&one, cpu_snapshot_take, &s);
	return s;
}

static void cpu_dump(unsigned int cpu)
{
	struct cpu_snapshot s = cpu_snapshot(cpu);

	if (s.domain_id == DOMID_IDLE) {
		printk("*** CPU%u idles ***\n", cpu);
		return;
	}
	printk("*** Dumping CPU%u guest state (d%uv%u): ***\n", cpu, s.domain_id, s.vcpu_id);
	show_regs(&s.regs);
	printk("cr2 %016lx  cr3 %016lx\n", s.cr2, s.cr3);
}

static void key_registers(char key)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) cpu_dump(cpu);
}

static void key_hardware_domain(char key)
{
	struct vcpu *v;
	unsigned int i;

	if (!hardware_domain)
		return;
	for_each_vcpu (hardware_domain, v, i) {
		if (READ_ONCE(v->is_running)) {
			cpu_dump(READ_ONCE(v->processor));
			continue;
		}
		printk("*** Dumping Dom%u vcpu#%u state: ***\n", v->domain->domain_id, v->vcpu_id);
		show_regs(&v->regs);
	}
}

/* --- domains --- */

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
	printk("    periodic timer: %ld us (0: none)\n", v->periodic_period / 1000);
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

static void key_domains(char key)
{
	struct domain *d;
	struct vcpu *v;
	unsigned int i;

	for_each_domain (d)
		domain_dump(d);
	for_each_domain (d) {
		for_each_vcpu (d, v, i) {
			printk("Notifying guest %u:%u (virq %d, port %u)\n", d->domain_id,
			       v->vcpu_id, VIRQ_DEBUG, v->virq_to_port[VIRQ_DEBUG]);
			send_guest_vcpu_virq(v, VIRQ_DEBUG);
		}
	}
}

static void key_event_channels(char key)
{
	struct domain *d;

	for_each_domain (d)
		evtchn_dump(d);
}

static void key_grants(char key)
{
	struct domain *d;

	for_each_domain (d)
		grant_dump(d);
}

static void key_memory(char key)
{
	unsigned long free = heap_free_pages();
	struct domain *d;

	printk("Physical memory: %lu MiB in %lu frames, %lu free (%lu MiB), %lu free below 4 GiB\n",
	       total_pages >> 8, total_pages, free, free >> 8, heap_free_pages_below(32));
	for_each_domain (d)
		printk("  d%u: %u pages (%u MiB) of at most %u, %u claimed, %u of the hypervisor's\n",
		       d->domain_id, d->tot_pages, d->tot_pages >> 8, d->max_pages,
		       d->outstanding_pages, d->xen_pages);
}

/* --- CPUs and time --- */

static void key_runqueues(char key)
{
	unsigned int cpu, i;
	struct domain *d;
	struct vcpu *v;

	printk("Scheduler: %s (%s)\n", sched_policy->full_name, sched_policy->name);
	for_each_online_cpu(cpu)
	{
		const struct sched_cpu *sc = &per_cpu(sched_cpu, cpu);

		printk("CPU%u: %u wait, %lu switches, vclock %ld us, slice end %ld us\n", cpu,
		       READ_ONCE(sc->queued), READ_ONCE(sc->switches), READ_ONCE(sc->vclock) / 1000,
		       READ_ONCE(sc->slice_end) / 1000);
	}
	for_each_domain (d) {
		for_each_vcpu (d, v, i)
			if (vcpu_runnable(v))
				printk("  d%uv%u %s CPU%u, vtime %ld us, weight %u, cap %u\n",
				       d->domain_id, i,
				       v->is_running	 ? "runs on"
				       : v->sched.parked ? "is parked at"
							 : "waits for",
				       v->processor, v->sched.vtime / 1000, d->sched.weight,
				       d->sched.cap);
	}
}

static void key_clocks(char key)
{
	unsigned int cpu;

	printk("TSC %u kHz, scale %u shift %d, wall clock base %lu s\n", cpu_khz,
	       time_scale.mul_frac, time_scale.shift, wallclock_base_ns / 1000000000);
	for_each_online_cpu(cpu)
	{
		uint64_t tsc = cpu_snapshot(cpu).tsc;

		printk("  CPU%u: TSC %lu, time %ld ns, idle for %lu ms\n", cpu, tsc,
		       tsc_to_time(tsc), cpu_idle_time(cpu) / 1000000);
	}
}

static void key_system(char key)
{
	printk("CPUs online: %u, up %ld s, scheduler %s\n", nr_cpus_online, time_now() / 1000000000,
	       sched_policy->name);
	printk("Command line: %s\n", boot_info.cmdline);
}

/* --- the machine and the log --- */

static void key_reboot(char key)
{
	machine_restart(0);
}

static void key_crashdump(char key)
{
	printk("No crash kernel is loaded.\n");
}

/* To the devices only: the ring has it already. */
static void key_ring(char key)
{
	uint32_t at = console_ring_first();
	char chunk[128];
	size_t n;

	while ((n = console_ring_read(chunk, sizeof(chunk), &at)) > 0)
		console_write_raw(chunk, n, false);
}

static unsigned int level_which; /* 0 hypervisor's, 1 guests' */

static const char *const level_names[] = {"standard", "guest"};

static void key_level(char key)
{
	struct log_thresholds *t = &log_thresholds[level_which];

	if (key == '+' && t->lower < 4)
		t->lower++;
	else if (key == '-' && t->lower > 0)
		t->lower--;
	t->upper = max(t->upper, t->lower);
	printk("%s log level: %s (rate limited %s)\n", level_names[level_which],
	       log_level_name(t->lower), log_level_name(t->upper));
}

static void key_level_toggle(char key)
{
	level_which = !level_which;
	printk("%s log level adjustments enabled\n", level_names[level_which]);
}

/* --- the table --- */

static void key_help(char key)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].fn)
			printk(" key '%c' (ascii '%02x') => %s\n", (char)i, i, keys[i].help);
}

static void key_all(char key)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!keys[i].diagnostic)
			continue;
		printk("[%c: %s]\n", (char)i, keys[i].help);
		keys[i].fn((char)i);
	}
}

static const struct keyhandler keys[128] = {
	['?'] = {key_system, "show system information"},
	['*'] = {key_all, "print all diagnostics"},
	['+'] = {key_level, "increase log level threshold"},
	['-'] = {key_level, "decrease log level threshold"},
	['0'] = {key_hardware_domain, "dump Dom0 registers", true},
	['C'] = {key_crashdump, "trigger a crashdump"},
	['G'] = {key_level_toggle, "toggle host/guest log level adjustment"},
	['R'] = {key_reboot, "reboot machine"},
	['a'] = {timer_dump, "dump timer queues", true},
	['d'] = {key_registers, "dump registers", true},
	['e'] = {key_event_channels, "dump evtchn info", true},
	['g'] = {key_grants, "print grant table usage", true},
	['h'] = {key_help, "show this message"},
	['i'] = {irq_dump, "dump interrupt bindings", true},
	['m'] = {key_memory, "memory info", true},
	['q'] = {key_domains, "dump domain (and guest debug) info", true},
	['r'] = {key_runqueues, "dump run queues", true},
	['t'] = {key_clocks, "display multi-cpu clock info", true},
	['x'] = {outer_dump, "exits to the outer hypervisor", true},
	['w'] = {key_ring, "synchronously dump console ring buffer (dmesg)"},
};

void keyhandler_run(char key)
{
	static spinlock_t lock;
	const struct keyhandler *h =
		&keys[array_index_nospec((unsigned char)key, ARRAY_SIZE(keys))];

	/* Two at once would mix their lines. */
	if (!h->fn || !spin_trylock(&lock))
		return;
	console_log_everything(true);
	printk("'%c' pressed -> %s (now = %ld)\n", key, h->help, time_now());
	h->fn(key);
	console_log_everything(false);
	spin_unlock(&lock);
}

static char key_queued;

static void key_run_queued(void *unused)
{
	keyhandler_run(READ_ONCE(key_queued));
}

void keyhandler_queue(char key)
{
	static struct work key_work = {.fn = key_run_queued};

	WRITE_ONCE(key_queued, key);
	work_queue(&key_work);
}
