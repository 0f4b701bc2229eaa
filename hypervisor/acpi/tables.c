/* SPDX-License-Identifier: MIT */
/*
 * Finding ACPI tables: RSDP, then XSDT or RSDT, then tables by signature (ACPI 6.5, 5.2.5 to
 * 5.2.8).
 *
 * Invariant: every table handed out is mapped whole, read-only, for good, and its bytes add up to
 * zero. What the firmware wrote is not believed further than that: lengths are checked by the
 * readers.
 */
#include "acpi/acpi.h"
#include "x86/page.h"
#include "lib/log.h"
#include "lib/string.h"

#define MAX_TABLES     64
#define MAX_TABLE_SIZE MB(4)

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	/* from revision 2 on: */
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum, reserved[3];
} __packed;
_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI RSDP");
#define RSDP_V1_SIZE 20

struct acpi_info acpi_info;
static const struct acpi_header *tables[MAX_TABLES];
static unsigned int nr_tables;

static uint8_t sum_bytes(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (n--)
		sum += *b++;
	return sum;
}

/* Tables lie in memory of type "ACPI" or "reserved", which the direct map need not contain. What was looked at stays mapped. */
const struct acpi_header *acpi_map_table(paddr_t pa)
{
	const struct acpi_header *h = ioremap_flags(pa, sizeof(*h), 0);
	uint32_t len;

	if (!h)
		return NULL;
	len = h->length;
	if (len < sizeof(*h) || len > MAX_TABLE_SIZE)
		return NULL;
	h = ioremap_flags(pa, len, 0);
	if (h && sum_bytes(h, len)) {
		printk(LOG_WARN "ACPI: table %.4s at %#lx has a wrong checksum\n", h->signature,
		       pa);
		h = NULL;
	}
	return h;
}

const struct acpi_header *acpi_find(const char *signature, unsigned int instance)
{
	for (unsigned int i = 0; i < nr_tables; i++)
		if (!memcmp(tables[i]->signature, signature, 4) && !instance--)
			return tables[i];
	return NULL;
}

/* The RSDP is on a 16-byte boundary of a BIOS area; the first MiB stays in the direct map for good. */
static paddr_t __init rsdp_search_area(paddr_t pa, size_t len)
{
	for (; len >= RSDP_V1_SIZE; pa += 16, len -= 16)
		if (!memcmp(maddr_to_virt(pa), "RSD PTR ", 8) &&
		    !sum_bytes(maddr_to_virt(pa), RSDP_V1_SIZE))
			return pa;
	return 0;
}

static paddr_t __init rsdp_search(void)
{
	/* The segment of the extended BIOS data. */
	paddr_t ebda = (paddr_t) * (const uint16_t *)maddr_to_virt(0x40e) << 4, found = 0;

	if (ebda >= 0x80000 && ebda < 0xa0000)
		found = rsdp_search_area(ebda, 1024);
	return found ? found : rsdp_search_area(0xe0000, 0x20000);
}

/* RSDT: 32-bit addresses after the header; XSDT: 64-bit ones, not aligned. */
static void __init read_root(const struct acpi_header *root, unsigned int width)
{
	unsigned int n = (root->length - sizeof(*root)) / width;
	const uint8_t *entry = (const uint8_t *)(root + 1);

	for (unsigned int i = 0; i < n && nr_tables < MAX_TABLES; i++, entry += width) {
		uint64_t pa = 0;

		memcpy(&pa, entry, width);
		tables[nr_tables] = pa ? acpi_map_table(pa) : NULL;
		if (tables[nr_tables])
			nr_tables++;
	}
}

static bool __init read_rsdp(paddr_t pa)
{
	const struct acpi_rsdp *rsdp = ioremap_flags(pa, sizeof(*rsdp), 0);
	const struct acpi_header *root = NULL;
	unsigned int width = 8;

	if (!rsdp || memcmp(rsdp->signature, "RSD PTR ", 8) || sum_bytes(rsdp, RSDP_V1_SIZE))
		return false;
	if (rsdp->revision >= 2 && rsdp->xsdt)
		root = acpi_map_table(rsdp->xsdt);
	if (!root) {
		width = 4;
		root = acpi_map_table(rsdp->rsdt);
	}
	if (!root)
		return false;
	read_root(root, width);
	return true;
}

void __init acpi_init(paddr_t rsdp)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(acpi_info.isa); i++)
		acpi_info.isa[i].gsi = i;
	acpi_info.lapic_base = 0xfee00000;
	acpi_info.has_8259 = true;
	if (!rsdp)
		rsdp = rsdp_search();
	if (!rsdp || !read_rsdp(rsdp)) {
		printk(LOG_WARN "ACPI: no tables found: one CPU, no IO-APIC, no power-off\n");
		return;
	}
	acpi_read_madt();
	acpi_read_fadt();
	acpi_read_misc();
	printk(LOG_INFO "ACPI: %u tables, %u CPUs, %u IO-APICs\n", nr_tables, acpi_info.nr_cpus,
	       acpi_info.nr_ioapics);
}
