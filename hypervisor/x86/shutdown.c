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
#include "drivers/pci.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/page.h"
#include "x86/smp.h"
#include "x86/time.h"
#include "x86/traps.h"

#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP	  0x1c00
#define PM1_SLP_EN	  0x2000
#define PM1_SCI_EN	  0x0001

static enum { WAY_ACPI, WAY_CF9, WAY_KEYBOARD, WAY_TRIPLE, WAY_NONE } first_way = WAY_ACPI;

static int reboot_option(const char *v)
{
	static const struct {
		const char *word;
		int way;
	} words[] = {{"acpi", WAY_ACPI},     {"a", WAY_ACPI},	    {"pci", WAY_CF9},
		     {"p", WAY_CF9},	     {"kbd", WAY_KEYBOARD}, {"k", WAY_KEYBOARD},
		     {"triple", WAY_TRIPLE}, {"t", WAY_TRIPLE},	    {"no", WAY_NONE},
		     {"n", WAY_NONE}};

	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(v, words[i].word))
			continue;
		first_way = words[i].way;
		if (first_way == WAY_NONE)
			opt_noreboot = true;
		return 0;
	}
	return -EINVAL;
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

static void reset_by_acpi(void)
{
	const struct acpi_gas *r = &acpi_info.reset;
	volatile uint8_t *p;

	if (!acpi_info.has_reset)
		return;
	switch (r->space) {
	case ACPI_SPACE_IO:
		outb((uint16_t)r->address, acpi_info.reset_value);
		break;
	case ACPI_SPACE_MEMORY:
		p = ioremap(r->address, 1);
		if (p)
			*p = acpi_info.reset_value;
		break;
	case ACPI_SPACE_PCI: /* bus 0: device in bits 47-32, function 31-16, register 15-0 */
		pci_write((struct pci_addr){0, 0,
					    (uint8_t)((r->address >> 32 & 31) << 3 |
						      (r->address >> 16 & 7))},
			  r->address & 0xff, 1, acpi_info.reset_value);
		break;
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

void machine_restart(unsigned int delay_ms)
{
	static void (*const ways[])(void) = {reset_by_acpi, reset_by_cf9, reset_by_keyboard,
					     reset_by_triple_fault};

	stop_all();
	wait_ms(delay_ms);
	for (unsigned int way = first_way;; way++) {
		ways[way % ARRAY_SIZE(ways)]();
		wait_ms(100);
	}
}

/* SLP_EN in a second write: some chip sets want the type to stand before. */
void machine_enter_s5(uint32_t pm1a, uint32_t pm1b)
{
	stop_all();
	outw((uint16_t)acpi_info.pm1a_control, (uint16_t)(pm1a & ~PM1_SLP_EN));
	if (acpi_info.pm1b_control)
		outw((uint16_t)acpi_info.pm1b_control, (uint16_t)(pm1b & ~PM1_SLP_EN));
	outw((uint16_t)acpi_info.pm1a_control, (uint16_t)(pm1a | PM1_SLP_EN));
	if (acpi_info.pm1b_control)
		outw((uint16_t)acpi_info.pm1b_control, (uint16_t)(pm1b | PM1_SLP_EN));
	wait_ms(1000);
	printk("The machine did not power off\n");
	machine_halt();
}

static uint32_t s5_value(uint32_t port, uint8_t type)
{
	return (port ? inw((uint16_t)port) & ~PM1_SLP_TYP : 0u) | (uint32_t)type
									  << PM1_SLP_TYP_SHIFT;
}

/*
 * Without a domain 0 that has switched the chip set to ACPI mode the sleep registers may be dead.
 */
static void acpi_mode_on(void)
{
	if (!acpi_info.smi_command || !acpi_info.acpi_enable ||
	    (inw((uint16_t)acpi_info.pm1a_control) & PM1_SCI_EN))
		return;
	outb((uint16_t)acpi_info.smi_command, acpi_info.acpi_enable);
	for (unsigned int i = 0; i < 300 && !(inw((uint16_t)acpi_info.pm1a_control) & PM1_SCI_EN);
	     i++)
		wait_ms(1);
}

void machine_power_off(void)
{
	if (!acpi_info.has_s5 || !acpi_info.pm1a_control) {
		printk("No way to power off is known: halted\n");
		machine_halt();
	}
	acpi_mode_on();
	machine_enter_s5(s5_value(acpi_info.pm1a_control, acpi_info.s5_type_a),
			 s5_value(acpi_info.pm1b_control, acpi_info.s5_type_b));
}
