/* SPDX-License-Identifier: MIT */
/*
 * How a domain ends: by its own word (shutdown), by its fault (crash), or by the tools' (kill); and how it goes on after a
 * suspend that was not followed by its end.
 *
 * Invariant: is_shut_down holds exactly one pause of the domain. domain_kill's steps come in an order in which each lets go
 * of what the earlier ones may have referred to; relinquish_state says which comes next, and every step may be entered again.
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
	show_control_regs();
	printk("Guest stack trace from rsp=%016lx:\n", regs->rsp);
	for (unsigned int line = 0; line < STACK_LINES; line++, sp += sizeof(uint64_t) * 4) {
		uint64_t word[4];

		if (copy_from_guest_va(word, sp, sizeof(word)))
			break;
		printk("   %016lx %016lx %016lx %016lx\n", word[0], word[1], word[2], word[3]);
	}
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
		break;
	default:
		printk("Hardware Dom%u shutdown (unknown reason %d): ", id, reason);
	}
	if (opt_noreboot) {
		printk("'noreboot' set - not rebooting.\n");
		machine_halt();
	}
	printk("rebooting machine in 5 seconds.\n");
	machine_restart(5000);
}

void domain_shutdown(struct domain *d, int reason)
{
	evtchn_port_t port;
	int code;

	spin_lock(&d->shutdown_lock);
	if (d->shutdown_code < 0)
		d->shutdown_code = reason;
	code = d->shutdown_code;
	if (d == hardware_domain)
		hardware_domain_shutdown(code);
	if (d->is_shut_down) {
		spin_unlock(&d->shutdown_lock);
		return;
	}
	d->is_shut_down = true;
	domain_pause_nosync(d);
	port = d->suspend_evtchn;
	spin_unlock(&d->shutdown_lock);
	if (code == SHUTDOWN_suspend && port)
		(void)evtchn_send(d, port);
	else
		send_global_virq(VIRQ_DOM_EXC);
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
	bool paused;

	spin_lock(&d->shutdown_lock);
	paused = d->is_shut_down;
	d->is_shut_down = false;
	d->shutdown_code = -1;
	spin_unlock(&d->shutdown_lock);
	if (paused)
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
	if (!d->is_shut_down) {
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

/* --- kill --- */

static void kill_begin(struct domain *d)
{
	domain_pause(d);
	spin_lock(&d->page_lock);
	d->dying = DOMDYING_dying;
	spin_unlock(&d->page_lock);
}

static int interrupts_release(struct domain *d)
{
	struct vcpu *v;
	unsigned int i;

	pirq_domain_destroy(d);
	for (i = 0; i < ARRAY_SIZE(d->watchdog); i++)
		timer_kill(&d->watchdog[i]);
	for_each_vcpu (d, v, i)
		vcpu_info_unmap(v);
	return 0;
}

int domain_kill(struct domain *d)
{
	static int (*const step[])(struct domain * d) = {
		evtchn_destroy,		interrupts_release,	 grant_table_release_mappings,
		arch_domain_relinquish, domain_relinquish_pages,
	};
	int rc;

	if (d == current->domain || d == hardware_domain)
		return -EINVAL;
	if (d->dying == DOMDYING_dead)
		return 0;
	if (d->dying == DOMDYING_alive)
		kill_begin(d);
	for (; d->relinquish_state < ARRAY_SIZE(step); d->relinquish_state++) {
		rc = step[d->relinquish_state](d);
		if (rc)
			return rc;
	}
	d->dying = DOMDYING_dead;
	send_global_virq(VIRQ_DOM_EXC);
	/* Its creation's reference: from now on it lives as long as others hold its frames or channels. */
	domain_put(d);
	return 0;
}
