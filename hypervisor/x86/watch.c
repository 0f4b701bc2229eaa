/* SPDX-License-Identifier: MIT */
/*
 * A watchdog over the hypervisor itself. It runs with interrupts off, so that a loop that does not end would hold the machine for good;
 * NMIs come nonetheless. The PIT's channel 0, which nothing else uses, ticks 18 times a second (Intel 8254 data sheet, mode 2), and the
 * IO-APIC hands its line to the boot CPU as an NMI (82093AA data sheet, 3.2.4). When the time is up, that is a panic with the
 * registers of what was interrupted, and so a reset.
 *
 * It runs only with `dom0_watchdog=`, from watch_init() until domain 0 has stopped its own watchdog. Only the boot CPU's loops are seen;
 * others come to its notice when it waits for them. Where there is no PIT or no IO-APIC no tick comes, and nothing happens.
 */
#include "x86/watch.h"
#include "acpi/acpi.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/outer.h"
#include "x86/page.h"
#include "x86/smp.h"
#include "x86/traps.h"

#define PIT_CHANNEL0   0x40
#define PIT_MODE       0x43
#define PIT_RATE       0x34 /* channel 0, both bytes, mode 2 */
#define PIT_STOP       0x30 /* mode 0, and no count written: it waits */
#define GRACE	       10   /* seconds more than what it watches over has */
#define TICKS(seconds) ((uint64_t)(seconds)*182065 / 10000)

static bool running; /* changed on the boot CPU at boot, cleared anywhere */
static uint64_t ticks_left;

void __init watch_init(unsigned int seconds)
{
	/* Xen's PIT waits for an interrupt of its line's vector to be taken, which an NMI is not, and repeats it at each entry. */
	if (!seconds || strstr(outer.name, "xen") || !ioapic_route_nmi(acpi_info.isa[0].gsi, true))
		return;
	ticks_left = TICKS(seconds) + 1;
	running = true;
	outb(PIT_MODE, PIT_RATE);
	outb(PIT_CHANNEL0, 0);
	outb(PIT_CHANNEL0, 0);
}

/* Its end closes the line: a reset that does not come by us has the same need as lines_close() in shutdown.c. */
void watch_set(unsigned int seconds)
{
	if (!READ_ONCE(running))
		return;
	WRITE_ONCE(ticks_left, TICKS((uint64_t)seconds + GRACE));
	if (seconds)
		return;
	WRITE_ONCE(running, false);
	outb(PIT_MODE, PIT_STOP);
	(void)ioapic_route_nmi(acpi_info.isa[0].gsi, false);
}

void watch_nmi(const struct cpu_user_regs *regs)
{
	uint64_t left = READ_ONCE(ticks_left);

	if (!READ_ONCE(running) || this_cpu_id() != 0)
		return;
	if (!left) {
		WRITE_ONCE(running, false);
		crash_with_regs(regs, "The hypervisor hangs: its watchdog has run out");
	}
	WRITE_ONCE(ticks_left, left - 1);
}
