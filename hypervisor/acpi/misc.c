/* SPDX-License-Identifier: MIT */
/*
 * Small tables: where the HPET is (IA-PC HPET specification, 3.2.4) and which memory gives access
 * to PCI configuration space (MCFG: PCI Firmware specification 3.3, 4.1.2).
 */
#include "acpi/acpi.h"
#include "lib/string.h"

struct hpet_table {
	struct acpi_header header;
	uint32_t block_id;
	struct acpi_gas address;
	uint8_t number;
	uint16_t min_tick;
	uint8_t protection;
} __packed;

struct mcfg_entry {
	uint64_t base;
	uint16_t segment;
	uint8_t bus_first, bus_last;
	uint32_t reserved;
} __packed;

struct mcfg_table {
	struct acpi_header header;
	uint64_t reserved;
	struct mcfg_entry entries[];
} __packed;

void __init acpi_read_misc(void)
{
	const struct hpet_table *hpet = (const struct hpet_table *)acpi_find("HPET", 0);
	const struct mcfg_table *mcfg = (const struct mcfg_table *)acpi_find("MCFG", 0);
	unsigned int n;

	if (hpet && hpet->header.length >= sizeof(*hpet) &&
	    hpet->address.space == ACPI_SPACE_MEMORY)
		acpi_info.hpet_base = hpet->address.address;
	if (!mcfg || mcfg->header.length < sizeof(*mcfg))
		return;
	n = (mcfg->header.length - sizeof(*mcfg)) / sizeof(mcfg->entries[0]);
	for (unsigned int i = 0; i < n && i < ACPI_MAX_MCFG; i++) {
		const struct mcfg_entry *e = &mcfg->entries[i];

		acpi_info.mcfg[acpi_info.nr_mcfg++] =
			(struct acpi_mcfg){e->base, e->segment, e->bus_first, e->bus_last};
	}
}
