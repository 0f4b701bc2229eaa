/* SPDX-License-Identifier: MIT */
/*
 * The MADT (ACPI 6.5, 5.2.12): local APICs, IO-APICs, and how ISA interrupts are wired to them.
 * Entries of a type not needed here are skipped; what one that is too short lacks reads as zero.
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

#define LAPIC_ENABLED 1u

struct madt_entry {
	uint8_t type, length;
	union {
		struct {
			uint8_t acpi_id, apic_id;
			uint32_t flags;
		} __packed lapic;
		struct {
			uint8_t id, reserved;
			uint32_t base, gsi_base;
		} __packed ioapic;
		struct {
			uint8_t bus, source;
			uint32_t gsi;
			uint16_t flags;
		} __packed override;
		struct {
			uint16_t reserved;
			uint64_t base;
		} __packed lapic_base;
		struct {
			uint16_t reserved;
			uint32_t apic_id, flags, acpi_id;
		} __packed x2apic;
	};
} __packed;

/* Firmware may list a CPU in both forms. */
static void __init add_cpu(uint32_t apic_id, uint32_t acpi_id, uint32_t flags)
{
	struct acpi_info *ai = &acpi_info;

	if (!(flags & LAPIC_ENABLED))
		return;
	for (unsigned int i = 0; i < ai->nr_cpus; i++)
		if (ai->cpus[i].apic_id == apic_id)
			return;
	if (ai->nr_cpus == NR_CPUS)
		printk(LOG_WARN "ACPI: CPU with APIC ID %u is beyond the %u supported\n", apic_id,
		       NR_CPUS);
	else
		ai->cpus[ai->nr_cpus++] = (struct acpi_cpu){apic_id, acpi_id};
}

/*
 * Flags: polarity in bits 0-1, trigger in 2-3; 0 is "as the bus does", which for ISA is high and
 * edge.
 */
static void __init add_override(unsigned int source, uint32_t gsi, uint16_t flags)
{
	if (source < ARRAY_SIZE(acpi_info.isa))
		acpi_info.isa[source] = (struct acpi_isa_irq){
			.gsi = gsi,
			.level = (flags >> 2 & 3) == 3,
			.active_low = (flags & 3) == 3,
		};
}

static void __init read_entry(const struct madt_entry *e)
{
	struct acpi_info *ai = &acpi_info;

	switch (e->type) {
	case 0:
		add_cpu(e->lapic.apic_id, e->lapic.acpi_id, e->lapic.flags);
		break;
	case 1:
		if (ai->nr_ioapics < ACPI_MAX_IOAPICS)
			ai->ioapics[ai->nr_ioapics++] = (struct acpi_ioapic){
				e->ioapic.base, e->ioapic.gsi_base, e->ioapic.id};
		break;
	case 2:
		if (e->override.bus == 0) /* ISA */
			add_override(e->override.source, e->override.gsi, e->override.flags);
		break;
	case 5:
		ai->lapic_base = e->lapic_base.base;
		break;
	case 9:
		add_cpu(e->x2apic.apic_id, e->x2apic.acpi_id, e->x2apic.flags);
		break;
	}
}

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
	for (; end - p >= 2 && p[1] >= 2 && p[1] <= end - p; p += p[1]) {
		struct madt_entry e = {0};

		memcpy(&e, p, min((size_t)p[1], sizeof(e)));
		read_entry(&e);
	}
}
