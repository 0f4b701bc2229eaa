/* SPDX-License-Identifier: MIT */
/*
 * The FADT (ACPI 6.5, 5.2.9) and the one thing we need of the DSDT: which values put the machine
 * into S5, "soft off". There is no AML interpreter here; \_S5 is by definition a constant package
 * and is found by its bytes.
 */
#include "acpi/acpi.h"
#include "lib/bitops.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/page.h"

struct fadt {
	struct acpi_header header;
	uint32_t facs, dsdt;
	uint8_t model, profile;
	uint16_t sci_irq;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate_control;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
	uint32_t gpe0, gpe1;
	uint8_t pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len;
	uint8_t gpe0_len, gpe1_len, gpe1_base, cst_control;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_arch;
	uint8_t reserved;
	uint32_t flags;
	struct acpi_gas reset;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct acpi_gas x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control;
	struct acpi_gas x_pm2_control, x_pm_timer;
} __packed;
_Static_assert(offsetof(struct fadt, reset) == 116, "FADT layout");
_Static_assert(offsetof(struct fadt, x_pm_timer) == 208, "FADT layout");

#define FADT_RESET_SUP	  BIT(10)
#define BOOT_ARCH_NO_MSI  0x08
#define BOOT_ARCH_NO_CMOS 0x20

/* AML (ACPI 6.5, 20.2): the few opcodes of a constant package of integers. */
enum {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_WORD = 0x0b,
	AML_DWORD = 0x0c,
	AML_PACKAGE = 0x12,
	AML_ONES = 0xff
};

/* One integer at *@p; false if there is something else or the end. Only its low byte matters. */
static bool __init aml_integer(const uint8_t **p, const uint8_t *end, uint8_t *v)
{
	uint8_t op = *p < end ? **p : AML_NAME;
	/* Byte, word and double word follow their opcodes; other constants are opcodes. */
	int size = op >= AML_BYTE && op <= AML_DWORD ? 1 << (op - AML_BYTE) : 0;

	if ((!size && op != AML_ZERO && op != AML_ONE && op != AML_ONES) || end - *p <= size)
		return false;
	*v = (*p)[size ? 1 : 0];
	*p += 1 + size;
	return true;
}

/*
 * After the name: package, length in 1-4 bytes (their number in the top two bits of the first),
 * element count, elements.
 */
static bool __init aml_s5_package(const uint8_t *p, const uint8_t *end)
{
	if (end - p < 4 || *p++ != AML_PACKAGE)
		return false;
	p += 1 + (*p >> 6);
	if (p >= end || *p++ < 1)
		return false;
	if (!aml_integer(&p, end, &acpi_info.s5_type_a))
		return false;
	if (!aml_integer(&p, end, &acpi_info.s5_type_b))
		acpi_info.s5_type_b = acpi_info.s5_type_a;
	return true;
}

static bool __init aml_find_s5(const struct acpi_header *table)
{
	const uint8_t *start = (const uint8_t *)(table + 1);
	const uint8_t *end = (const uint8_t *)table + table->length;

	for (const uint8_t *p = start + 1; end - p >= 8; p++) {
		if (!memcmp(p, "_S5_", 4) &&
		    (p[-1] == AML_NAME || (p[-1] == '\\' && p - 2 >= start && p[-2] == AML_NAME)) &&
		    aml_s5_package(p + 4, end))
			return true;
	}
	return false;
}

static void __init read_s5(const struct fadt *f)
{
	paddr_t pa = f->x_dsdt ? f->x_dsdt : f->dsdt;
	const struct acpi_header *table = pa ? acpi_map_table(pa) : NULL;

	acpi_info.has_s5 = table && aml_find_s5(table);
	for (unsigned int i = 0; !acpi_info.has_s5 && (table = acpi_find("SSDT", i)); i++)
		acpi_info.has_s5 = aml_find_s5(table);
}

/* The extended form of a port block wins where it is there and an I/O port. */
static uint32_t __init port_of(uint32_t legacy, const struct acpi_gas *x)
{
	return x->space == ACPI_SPACE_IO && x->address && x->address <= 0xffff
		       ? (uint32_t)x->address
		       : legacy;
}

void __init acpi_read_fadt(void)
{
	const struct acpi_header *table = acpi_find("FACP", 0);
	struct acpi_info *ai = &acpi_info;
	struct fadt f = {0};

	if (!table)
		return;
	/* What an older, shorter table lacks reads as zero. */
	memcpy(&f, table, min((size_t)table->length, sizeof(f)));
	if (f.pm_timer_len >= 4 || !f.pm_timer)
		ai->pmtimer_port = port_of(f.pm_timer, &f.x_pm_timer);
	ai->pm1a_control = port_of(f.pm1a_control, &f.x_pm1a_control);
	ai->pm1b_control = port_of(f.pm1b_control, &f.x_pm1b_control);
	ai->smi_command = f.smi_command;
	ai->acpi_enable = f.acpi_enable;
	if (f.header.revision >= 3) {
		ai->no_msi = f.boot_arch & BOOT_ARCH_NO_MSI;
		ai->no_cmos_rtc = f.boot_arch & BOOT_ARCH_NO_CMOS;
	}
	ai->has_reset = (f.flags & FADT_RESET_SUP) && f.reset.address;
	ai->reset = f.reset;
	ai->reset_value = f.reset_value;
	if (ai->has_reset && f.reset.space == ACPI_SPACE_MEMORY)
		ai->reset_memory = ioremap(f.reset.address, 1);
	read_s5(&f);
}
