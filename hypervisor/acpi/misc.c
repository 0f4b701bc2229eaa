/* SPDX-License-Identifier: MIT */
/*
 * Small tables: where the HPET is (IA-PC HPET specification, 3.2.4) and which memory gives access
 * to PCI configuration space (MCFG: PCI Firmware specification 3.3, 4.1.2).
 */
#include "acpi/acpi.h"

struct hpet_table {
	struct acpi_header header;
	uint32_t block_id;
	struct acpi_gas address; /* the rest is of no use here */
} __packed;

struct mcfg_table {
	struct acpi_header header;
	uint64_t reserved;
	struct acpi_mcfg entries[];
} __packed;

void __init acpi_read_misc(void)
{
	const struct hpet_table *hpet = (const struct hpet_table *)acpi_find("HPET", 0);
	const struct mcfg_table *mcfg = (const struct mcfg_table *)acpi_find("MCFG", 0);

	if (hpet && hpet->header.length >= sizeof(*hpet) &&
	    hpet->address.space == ACPI_SPACE_MEMORY)
		acpi_info.hpet_base = hpet->address.address;
	if (mcfg && mcfg->header.length >= sizeof(*mcfg)) {
		acpi_info.mcfg = mcfg->entries;
		acpi_info.nr_mcfg =
			min((mcfg->header.length - sizeof(*mcfg)) / sizeof(*mcfg->entries),
			    (size_t)ACPI_MAX_MCFG);
	}
}
