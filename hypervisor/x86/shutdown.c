/* SPDX-License-Identifier: MIT */
/*
 * Reboot and power-off. Every way there is gets its try, the politest first: ACPI's reset register
 * (ACPI 6.5, 4.8.4.6), the chip set's reset control port 0xcf9, the keyboard controller, a triple
 * fault. `reboot=` chooses one to begin with.
 *
 * Other CPUs are stopped first; no lock is taken, as the caller may be a crash.
 */
#include "x86/shutdown.h"
#include "acpi/acpi.h"
#include "boot/cmdline.h"
#include "core/console.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/outer.h"
#include "x86/smp.h"
#include "x86/time.h"
#include "x86/traps.h"
#include <xen/sched.h>

#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP	  0x1c00
#define PM1_SLP_EN	  0x2000
#define PM1_SCI_EN	  0x0001

static enum { WAY_ACPI, WAY_CF9, WAY_KEYBOARD, WAY_TRIPLE, WAY_NONE } first_way = WAY_ACPI;

static int reboot_option(const char *v)
{
	static const char letters[] = "apktn"; /* of the ways, in their order */
	const char *letter = *v ? strchr(letters, *v) : NULL;

	if (!letter)
		return -EINVAL;
	first_way = (unsigned int)(letter - letters);
	if (first_way == WAY_NONE)
		opt_noreboot = true;
	return 0;
}
CMDLINE(reboot, reboot_option, "acpi|pci|kbd|triple|no: how to reboot");

/* What has been said is on its way out, and will be there before the machine goes. */
static void stop_all(void)
{
	__asm__ __volatile__("cli");
	smp_stop_others();
	console_start_sync();
}

void machine_halt(void)
{
	stop_all();
	lapic_shutdown();
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

static void wait_ms(unsigned int ms)
{
	while (ms-- && tsc_hz)
		delay_us(1000);
}

/* The reset register may also be in the PCI configuration of bus 0: device in bits 47-32, function 31-16, register 15-0. */
static void reset_by_acpi(void)
{
	const struct acpi_gas *r = &acpi_info.reset;

	if (!acpi_info.has_reset)
		return;
	if (r->space == ACPI_SPACE_IO) {
		outb((uint16_t)r->address, acpi_info.reset_value);
	} else if (acpi_info.reset_memory) {
		*acpi_info.reset_memory = acpi_info.reset_value;
	} else if (r->space == ACPI_SPACE_PCI) {
		outl(0xcf8, 0x80000000 | (uint32_t)(r->address >> 32 & 31) << 11 |
				    (uint32_t)(r->address >> 16 & 7) << 8 | (r->address & 0xfc));
		outb((uint16_t)(0xcfc + (r->address & 3)), acpi_info.reset_value);
	}
}

static void reset_by_cf9(void)
{
	outb(0xcf9, 0x02); /* full reset, then go */
	delay_us(50);
	outb(0xcf9, 0x06);
}

static void reset_by_keyboard(void)
{
	for (unsigned int i = 0; i < 10000 && (inb(0x64) & 2); i++)
		cpu_pause();
	outb(0x64, 0xfe); /* pulse the line that resets the CPU */
}

static void reset_by_triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __packed no_idt = {0, 0};

	__asm__ __volatile__("lidt %0; int3" ::"m"(no_idt));
}

/*
 * An emulator resets one device after the other. The timer's new state must not get through, as the NMI that watch.c has made of it:
 * UEFI starts without anything to take one. Tried once: where it faults, the next try goes on without.
 */
static void lines_close(void)
{
	static bool tried;

	if (!tried) {
		tried = true;
		ioapic_shutdown();
	}
}

void machine_restart(unsigned int delay_ms)
{
	static void (*const ways[])(void) = {reset_by_acpi, reset_by_cf9, reset_by_keyboard,
					     reset_by_triple_fault};

	stop_all();
	wait_ms(delay_ms);
	lines_close();
	if (outer.shutdown)
		outer.shutdown(SHUTDOWN_reboot);
	for (unsigned int way = first_way;; way++) {
		ways[way % ARRAY_SIZE(ways)]();
		wait_ms(100);
	}
}

static void pm1_write(uint32_t a, uint32_t b)
{
	outw((uint16_t)acpi_info.pm1a_control, (uint16_t)a);
	if (acpi_info.pm1b_control)
		outw((uint16_t)acpi_info.pm1b_control, (uint16_t)b);
}

/* SLP_EN in a second write: some chip sets want the type to stand before. */
void machine_enter_s5(uint32_t pm1a, uint32_t pm1b)
{
	stop_all();
	pm1_write(pm1a & ~PM1_SLP_EN, pm1b & ~PM1_SLP_EN);
	pm1_write(pm1a | PM1_SLP_EN, pm1b | PM1_SLP_EN);
	wait_ms(1000);
	printk("The machine did not power off\n");
	machine_halt();
}

static uint32_t s5_value(uint32_t port, uint8_t type)
{
	return (port ? inw((uint16_t)port) & ~PM1_SLP_TYP : 0u) | (uint32_t)type
									  << PM1_SLP_TYP_SHIFT;
}

static bool acpi_mode(void)
{
	return inw((uint16_t)acpi_info.pm1a_control) & PM1_SCI_EN;
}

/*
 * Without a domain 0 that has switched the chip set to ACPI mode the sleep registers may be dead.
 */
static void acpi_mode_on(void)
{
	if (!acpi_info.smi_command || !acpi_info.acpi_enable || acpi_mode())
		return;
	outb((uint16_t)acpi_info.smi_command, acpi_info.acpi_enable);
	for (unsigned int i = 0; i < 300 && !acpi_mode(); i++)
		wait_ms(1);
}

void machine_power_off(void)
{
	if (outer.shutdown) {
		stop_all();
		outer.shutdown(SHUTDOWN_poweroff);
	}
	if (!acpi_info.has_s5 || !acpi_info.pm1a_control) {
		printk("No way to power off is known: halted\n");
		machine_halt();
	}
	acpi_mode_on();
	machine_enter_s5(s5_value(acpi_info.pm1a_control, acpi_info.s5_type_a),
			 s5_value(acpi_info.pm1b_control, acpi_info.s5_type_b));
}
