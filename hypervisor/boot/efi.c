/* SPDX-License-Identifier: MIT */
/*
 * What UEFI has left in memory: its system table (UEFI 2.10, 4.3) names configuration tables (4.6), one of which is the root of ACPI's.
 * A loader's copy of that root is enough for us, but domain 0's kernel wants the firmware's own and cannot find it: there is
 * none in the BIOS area, and EFI's tables and runtime services are not passed on. So its command line says where; also what a PVH loader
 * has said (loader_info.c), of which domain 0 hears no more.
 *
 * `acpi_rsdp=` takes the system table's place where the loader gives none (kexec). Runs once, on the boot CPU, with the heap up.
 */
#include "boot/boot_info.h"
#include "boot/cmdline.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "x86/page.h"

#define SYSTEM_SIGNATURE 0x5453595320494249UL /* "IBI SYST" */
#define MAX_TABLES	 1024
#define RSDP_V1_SIZE	 20

struct efi_system_table {
	uint64_t signature;
	uint32_t revision, header_size, crc32, reserved;
	uint64_t vendor;
	uint32_t vendor_revision, pad;
	uint64_t consoles[6], runtime_services, boot_services, nr_tables, tables;
};
_Static_assert(offsetof(struct efi_system_table, tables) == 112, "EFI system table");

struct efi_table {
	uint64_t guid[2], address;
};

/* 8868e871-e4f1-11d3-bc22-0080c73c8881 and, of ACPI 1.0, eb9d2d30-2d88-11d3-9a16-0090273fc14d */
static const uint64_t acpi_guids[][2] __initdata = {
	{0x11d3e4f18868e871, 0x81883cc7800022bc},
	{0x11d32d88eb9d2d30, 0x4dc13f279000169a},
};

static paddr_t opt_acpi_rsdp;

static int acpi_rsdp_option(const char *v)
{
	return parse_u64(v, NULL, 0, &opt_acpi_rsdp);
}
CMDLINE(acpi_rsdp, acpi_rsdp_option,
	"<address>: where ACPI's root pointer is, on UEFI by way of kexec");

static bool __init is_rsdp(paddr_t pa)
{
	bool possible = pa && !(pa >> paddr_bits);
	const uint8_t *p = possible ? ioremap_flags(pa, RSDP_V1_SIZE, 0) : NULL;
	uint8_t sum = 0;

	if (!p || memcmp(p, "RSD PTR ", 8))
		return false;
	for (unsigned int i = 0; i < RSDP_V1_SIZE; i++)
		sum += p[i];
	return !sum;
}

static paddr_t __init table_find(paddr_t system, const uint64_t guid[2])
{
	const struct efi_system_table *s = system ? ioremap_flags(system, sizeof(*s), 0) : NULL;
	const struct efi_table *t;

	if (!s || s->signature != SYSTEM_SIGNATURE || !s->nr_tables || s->nr_tables > MAX_TABLES)
		return 0;
	t = ioremap_flags(s->tables, s->nr_tables * sizeof(*t), 0);
	for (uint64_t i = 0; t && i < s->nr_tables; i++)
		if (!memcmp(t[i].guid, guid, sizeof(t[i].guid)))
			return t[i].address;
	return 0;
}

void __init efi_init(struct boot_info *bi)
{
	paddr_t found = opt_acpi_rsdp;

	for (unsigned int i = 0; i < ARRAY_SIZE(acpi_guids) && !is_rsdp(found); i++)
		found = table_find(bi->efi_system, acpi_guids[i]);
	if (!is_rsdp(found))
		return;
	bi->rsdp = bi->dom0_rsdp = found;
	printk(LOG_INFO "EFI: ACPI's root pointer is at %#lx\n", found);
}

static bool __init has_option(const char *line, const char *option)
{
	size_t n = strlen(option);

	for (const char *p = line; *p; p++)
		if ((p == line || p[-1] == ' ') && !strncmp(p, option, n))
			return true;
	return false;
}

/* In front: what is behind "--" the kernel hands on. */
void __init efi_dom0_cmdline(const struct boot_info *bi, char *line, size_t size)
{
	char word[40];
	size_t n = strlen(line), len;

	if (!bi->dom0_rsdp || has_option(line, "acpi_rsdp="))
		return;
	len = (size_t)scnprintf(word, sizeof(word), "acpi_rsdp=%#lx ", bi->dom0_rsdp);
	if (n + len >= size) {
		printk(LOG_WARN "Domain 0's command line has no room left for acpi_rsdp=%#lx\n",
		       bi->dom0_rsdp);
		return;
	}
	memmove(line + len, line, n + 1);
	memcpy(line, word, len);
}
