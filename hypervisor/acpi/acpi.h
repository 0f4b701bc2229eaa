/* SPDX-License-Identifier: MIT */
/*
 * What the firmware's ACPI tables say about the machine, in our own form. Read once during boot,
 * constant afterwards; domain 0 reads the tables itself and runs the AML.
 */
#ifndef ACPI_ACPI_H
#define ACPI_ACPI_H

#include "x86/layout.h"
#include "lib/types.h"

#define ACPI_MAX_IOAPICS 16
#define ACPI_MAX_MCFG	 16

/* Every table begins so (ACPI 6.5, 5.2.6). */
struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem_id[6], oem_table_id[8];
	uint32_t oem_revision, creator_id, creator_revision;
} __packed;
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI table header");

/* Generic address (5.2.3.2). */
struct acpi_gas {
	uint8_t space; /* 0 memory, 1 I/O ports, 2 PCI configuration */
	uint8_t bit_width, bit_offset, access;
	uint64_t address;
} __packed;
_Static_assert(sizeof(struct acpi_gas) == 12, "ACPI generic address");
#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO	  1
#define ACPI_SPACE_PCI	  2

struct acpi_cpu {
	uint32_t apic_id, acpi_id;
};

struct acpi_ioapic {
	paddr_t base;
	uint32_t gsi_base;
	uint8_t id;
};

/* PCI configuration space in memory, as the MCFG has it (PCI Firmware specification 3.3, 4.1.2). */
struct acpi_mcfg {
	uint64_t base;
	uint16_t segment;
	uint8_t bus_first, bus_last;
	uint32_t reserved;
} __packed;

/*
 * How an ISA interrupt reaches the IO-APIC; identity, edge, active high unless the MADT says
 * otherwise.
 */
struct acpi_isa_irq {
	uint32_t gsi;
	bool level, active_low;
};

struct acpi_info {
	paddr_t lapic_base, hpet_base;
	unsigned int nr_cpus, nr_ioapics, nr_mcfg;
	struct acpi_cpu cpus[NR_CPUS];
	struct acpi_ioapic ioapics[ACPI_MAX_IOAPICS];
	const struct acpi_mcfg *mcfg; /* nr_mcfg of them */
	struct acpi_isa_irq isa[16];
	bool has_8259;

	uint32_t pmtimer_port; /* 0: none */
	uint32_t pm1a_control, pm1b_control, smi_command;
	uint8_t acpi_enable;
	bool has_s5;
	uint8_t s5_type_a, s5_type_b;
	bool has_reset;
	struct acpi_gas reset;
	volatile uint8_t *reset_memory; /* mapped, where it is in memory */
	uint8_t reset_value;
	bool no_msi, no_cmos_rtc;
};
extern struct acpi_info acpi_info;

/* Find and read the tables. @rsdp: as the loader told, 0 to search the BIOS area. */
void acpi_init(paddr_t rsdp);
/*
 * The @instance'th table with this signature, mapped for good; NULL if there is none or its
 * checksum is wrong.
 */
const struct acpi_header *acpi_find(const char *signature, unsigned int instance);
/* Map the table at @pa and check it. NULL if it is damaged. */
const struct acpi_header *acpi_map_table(paddr_t pa);

void acpi_read_madt(void); /* acpi/madt.c */
void acpi_read_fadt(void); /* acpi/fadt.c */
void acpi_read_misc(void); /* acpi/misc.c: HPET, MCFG */

#endif
