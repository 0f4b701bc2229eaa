/* SPDX-License-Identifier: MIT */
/*
 * The MADT (ACPI 6.5, 5.2.12): local APICs, IO-APICs, and how ISA interrupts are wired to them.
 * Entries that are too short for their type, or of a type not needed here, are skipped.
 */
#include "acpi/acpi.h"
#include "lib/log.h"
#include "lib/string.h"

struct madt {
	struct acpi_header header;
	uint32_t lapic_base;
	uint32_t flags;
} __packed;
#define MADT_PCAT_COMPAT 1u /* a pair of 8259s is there, too */

enum {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_BASE = 5,
	MADT_X2APIC = 9,
};

struct madt_lapic {
	uint8_t type, length, acpi_id, apic_id;
	uint32_t flags;
} __packed;
struct madt_x2apic {
	uint8_t type, length;
	uint16_t reserved;
	uint32_t apic_id, flags, acpi_id;
} __packed;
struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t base, gsi_base;
} __packed;
struct madt_override {
	uint8_t type, length, bus, source;
	uint32_t gsi;
	uint16_t flags;
} __packed;
struct madt_lapic_base {
	uint8_t type, length;
	uint16_t reserved;
	uint64_t base;
} __packed;

#define LAPIC_ENABLED 1u

/* Firmware may list a CPU in both forms. */
static void __init add_cpu(uint32_t apic_id, uint32_t acpi_id, uint32_t flags)
{
	struct acpi_info *ai = &acpi_info;

	if (!(flags & LAPIC_ENABLED)) {
		ai->nr_disabled_cpus++;
		return;
	}
	for (unsigned int i = 0; i < ai->nr_cpus; i++)
		if (ai->cpus[i].apic_id == apic_id)
			return;
	if (ai->nr_cpus == NR_CPUS) {
		printk(LOG_WARN "ACPI: CPU with APIC ID %u is beyond the %u supported\n", apic_id,
		       NR_CPUS);
		return;
	}
	ai->cpus[ai->nr_cpus++] = (struct acpi_cpu){apic_id, acpi_id, true};
}

static void __init read_lapic(const void *p)
{
	const struct madt_lapic *e = p;

	add_cpu(e->apic_id, e->acpi_id, e->flags);
}

static void __init read_x2apic(const void *p)
{
	const struct madt_x2apic *e = p;

	add_cpu(e->apic_id, e->acpi_id, e->flags);
}

static void __init read_ioapic(const void *p)
{
	const struct madt_ioapic *e = p;

	if (acpi_info.nr_ioapics < ACPI_MAX_IOAPICS)
		acpi_info.ioapics[acpi_info.nr_ioapics++] =
			(struct acpi_ioapic){e->base, e->gsi_base, e->id};
}

/*
 * Flags: polarity in bits 0-1, trigger in 2-3; 0 is "as the bus does", which for ISA is high and
 * edge.
 */
static void __init read_override(const void *p)
{
	const struct madt_override *e = p;

	if (e->bus != 0 || e->source >= ARRAY_SIZE(acpi_info.isa))
		return;
	acpi_info.isa[e->source] = (struct acpi_isa_irq){
		.gsi = e->gsi,
		.level = (e->flags >> 2 & 3) == 3,
		.active_low = (e->flags & 3) == 3,
	};
}

static void __init read_lapic_base(const void *p)
{
	const struct madt_lapic_base *e = p;

	acpi_info.lapic_base = e->base;
}

static const struct {
	uint8_t type, min_length;
	void (*read)(const void *entry);
} readers[] __initdata = {
	{MADT_LAPIC, sizeof(struct madt_lapic), read_lapic},
	{MADT_IOAPIC, sizeof(struct madt_ioapic), read_ioapic},
	{MADT_OVERRIDE, sizeof(struct madt_override), read_override},
	{MADT_LAPIC_BASE, sizeof(struct madt_lapic_base), read_lapic_base},
	{MADT_X2APIC, sizeof(struct madt_x2apic), read_x2apic},
};

void __init acpi_read_madt(void)
{
	const struct madt *madt = (const struct madt *)acpi_find("APIC", 0);
	const uint8_t *p, *end;

	if (!madt || madt->header.length < sizeof(*madt))
		return;
	acpi_info.lapic_base = madt->lapic_base;
	acpi_info.has_8259 = madt->flags & MADT_PCAT_COMPAT;
	p = (const uint8_t *)(madt + 1);
	end = (const uint8_t *)madt + madt->header.length;
	for (; end - p >= 2 && p[1] >= 2 && p[1] <= end - p; p += p[1])
		for (unsigned int i = 0; i < ARRAY_SIZE(readers); i++)
			if (readers[i].type == p[0] && p[1] >= readers[i].min_length)
				readers[i].read(p);
}
