/* SPDX-License-Identifier: MIT */
/*
 * How a domain ends: by its own word (shutdown), by its fault (crash), or by the tools' (kill); and how it goes on after a
 * suspend that was not followed by its end.
 *
 * Invariant: is_shutting_down holds exactly one pause of each vCPU (paused_for_shutdown). domain_kill's steps come in an order in which
 * each lets go of what the earlier ones may have referred to; relinquish_state says which comes next, and every step may be entered
 * again.
 *
 * Lock: shutdown_lock for shutting down and resuming, above the scheduler's. The caller of domain_kill and domain_resume keeps
 * others of their kind out (domctl_lock).
 */
#include "core/domain.h"

#include "core/console.h"
#include "core/event.h"
#include "core/grant.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "mm/guest_copy.h"
#include "mm/heap.h"
#include "x86/pirq.h"
#include "x86/shutdown.h"
#include "x86/smp.h"
#include "x86/traps.h"

#define STACK_LINES 12

/* The current guest's registers and the top of its stack: its own console may not have got out any word about its end. */
static void guest_state_print(void)
{
	const struct cpu_user_regs *regs = guest_regs();
	unsigned long sp = regs->rsp & ~7UL;

	show_regs(regs);
	printk("Guest stack trace from rsp=%016lx:\n", regs->rsp);
	for (unsigned int line = 0; line < STACK_LINES; line++, sp += sizeof(uint64_t) * 4) {
		uint64_t word[4];

		if (copy_from_guest_va(word, sp, sizeof(word)))
			break;
		printk("   %016lx %016lx %016lx %016lx\n", word[0], word[1], word[2], word[3]);
	}
}

static void __noreturn machine_fail(void)
{
	if (opt_noreboot) {
		printk("'noreboot' set - not rebooting.\n");
		machine_halt();
	}
	printk("rebooting machine in 5 seconds.\n");
	machine_restart(5000);
}

/* The machine goes with the domain that owns its devices. The words are those that tools and people look for. */
static void __noreturn hardware_domain_shutdown(int reason)
{
	unsigned int id = hardware_domain->domain_id;

	/* What is said from here on must be out before the machine stops, and nobody else be in the console's locks. */
	smp_stop_others();
	console_start_sync();
	switch (reason) {
	case SHUTDOWN_poweroff:
		printk("Hardware Dom%u halted: halting machine\n", id);
		machine_power_off();
	case SHUTDOWN_reboot:
		printk("Hardware Dom%u shutdown: rebooting machine\n", id);
		machine_restart(0);
	case SHUTDOWN_watchdog:
		printk("Hardware Dom%u shutdown: watchdog rebooting machine\n", id);
		machine_restart(0);
	case SHUTDOWN_crash:
		if (current->domain == hardware_domain)
			guest_state_print();
		printk("Hardware Dom%u crashed: ", id);
		machine_fail();
	default:
		printk("Hardware Dom%u shutdown (unknown reason %d): ", id, reason);
		machine_fail();
	}
}

static void shutdown_announce(struct domain *d, int code, evtchn_port_t suspend_port)
{
	if (code == SHUTDOWN_suspend && suspend_port)
		(void)evtchn_send(d, suspend_port);
	else
		send_global_virq(VIRQ_DOM_EXC);
}

void domain_shutdown(struct domain *d, int reason)
{
	evtchn_port_t port;
	struct vcpu *v;
	unsigned int i;
	int code;

	spin_lock(&d->shutdown_lock);
	if (d->shutdown_code < 0)
		d->shutdown_code = reason;
	code = d->shutdown_code;
	if (d == hardware_domain)
		hardware_domain_shutdown(code);
	if (d->is_shutting_down) {
		spin_unlock(&d->shutdown_lock);
		return;
	}
	d->is_shutting_down = true;
	for_each_vcpu (d, v, i) {
		vcpu_pause_nosync(v);
		v->paused_for_shutdown = true;
	}
	d->is_shut_down = true;
	port = d->suspend_evtchn;
	spin_unlock(&d->shutdown_lock);
	shutdown_announce(d, code, port);
}

void domain_set_shutdown_code(struct domain *d, uint8_t reason)
{
	spin_lock(&d->shutdown_lock);
	if (d->shutdown_code < 0)
		d->shutdown_code = reason;
	spin_unlock(&d->shutdown_lock);
}

void domain_resume(struct domain *d)
{
	struct vcpu *v;
	unsigned int i;

	/* Paused as a whole, so that its vCPUs come back together. */
	domain_pause(d);
	spin_lock(&d->shutdown_lock);
	d->is_shutting_down = d->is_shut_down = false;
	d->shutdown_code = -1;
	for_each_vcpu (d, v, i) {
		if (v->paused_for_shutdown)
			vcpu_unpause(v);
		v->paused_for_shutdown = false;
	}
	spin_unlock(&d->shutdown_lock);
	domain_unpause(d);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	/* One fault often leads to others before the vCPU is off its CPU. */
	if (!d->is_shutting_down) {
		if (d == current->domain) {
			printk("Domain %u (vcpu#%u) crashed on cpu#%u: %s\n", d->domain_id,
			       current->vcpu_id, this_cpu_id(), why);
			guest_state_print();
		} else {
			printk("Domain %u reported crashed by domain %u on cpu#%u: %s\n",
			       d->domain_id, current->domain->domain_id, this_cpu_id(), why);
		}
	}
	domain_shutdown(d, SHUTDOWN_crash);
}

/* A PV guest's memory cannot be separated from its page tables: the tools build it anew instead. */
int domain_soft_reset(struct domain *d)
{
	return -EINVAL;
}

/* --- kill --- */

enum { KILL_channels, KILL_interrupts, KILL_mappings, KILL_arch, KILL_pages, KILL_done };

static void kill_begin(struct domain *d)
{
	domain_pause(d);
	spin_lock(&d->page_lock);
	d->is_dying_flag = true;
	d->dying = DOMDYING_dying;
	spin_unlock(&d->page_lock);
	d->relinquish_state = KILL_channels;
}

static int interrupts_release(struct domain *d)
{
	struct vcpu *v;
	unsigned int i;

	if (d->pirq)
		pirq_domain_destroy(d);
	for (i = 0; i < ARRAY_SIZE(d->watchdog); i++)
		timer_kill(&d->watchdog[i]);
	for_each_vcpu (d, v, i)
		vcpu_info_unmap(v);
	return 0;
}

static int kill_steps(struct domain *d)
{
	static int (*const step[])(struct domain * d) = {
		[KILL_channels] = evtchn_destroy,
		[KILL_interrupts] = interrupts_release,
		[KILL_mappings] = grant_table_release_mappings,
		[KILL_arch] = arch_domain_relinquish,
		[KILL_pages] = domain_relinquish_pages,
	};
	int rc;

	for (; d->relinquish_state < KILL_done; d->relinquish_state++) {
		rc = step[d->relinquish_state](d);
		if (rc)
			return rc;
	}
	return 0;
}

int domain_kill(struct domain *d)
{
	int rc;

	if (d == current->domain || d == hardware_domain)
		return -EINVAL;
	if (d->dying == DOMDYING_dead)
		return 0;
	if (d->dying == DOMDYING_alive)
		kill_begin(d);
	rc = kill_steps(d);
	if (rc)
		return rc;
	d->dying = DOMDYING_dead;
	send_global_virq(VIRQ_DOM_EXC);
	/* Its creation's reference: from now on it lives as long as others hold its frames or channels. */
	domain_put(d);
	return 0;
}
