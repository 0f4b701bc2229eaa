/* SPDX-License-Identifier: MIT */
/* boot/loader_info.c and boot/efi.c: Multiboot 2 as GRUB hands it over on UEFI, and the way from there to ACPI's root pointer. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "boot/boot_info.h"
#include "lib/log.h"
#include "x86/page.h"
#include <xen/arch-x86/hvm/start_info.h>

#define ACPI1_GUID 0x11d32d88eb9d2d30, 0x4dc13f279000169a
#define ACPI2_GUID 0x11d3e4f18868e871, 0x81883cc7800022bc

static char *area, *end; /* below 4 GiB, as the loader's */
unsigned int paddr_bits = 40;

void *maddr_to_virt(paddr_t ma)
{
	return (void *)ma;
}

paddr_t virt_to_maddr(const void *va)
{
	return (paddr_t)va;
}

/* What is not of this test's making is not there. */
void *ioremap_flags(paddr_t pa, size_t len, uint64_t cache_flags)
{
	return pa >= (paddr_t)area && pa + len <= (paddr_t)area + 0x10000 ? (void *)pa : NULL;
}

void printk(const char *fmt, ...)
{
}

const char *bundle_open(struct boot_info *bi)
{
	return NULL;
}

static int area_make(void **state)
{
	memset(&boot_info, 0, sizeof(boot_info));
	area = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
		    -1, 0);
	end = area + 8;
	return area == MAP_FAILED ? -1 : 0;
}

static int area_remove(void **state)
{
	return munmap(area, 0x10000);
}

static void tag_add(uint32_t type, const void *data, uint32_t size)
{
	uint32_t head[2] = {type, size + 8};

	memcpy(end, head, 8);
	memcpy(end + 8, data, size);
	end += (size + 8 + 7) & ~7u;
}

static const char *area_read(void)
{
	static const struct {
		uint32_t entry_size, version;
		uint64_t start, len, type;
	} ram = {24, 0, 0x100000, 0x4000000, 1};
	uint32_t size;

	tag_add(2, "GRUB 2.06", 10);
	tag_add(6, &ram, sizeof(ram));
	tag_add(0, "", 0);
	size = (uint32_t)(end - area);
	memcpy(area, &size, 4);
	return loader_info_read(BOOT_MULTIBOOT2, (paddr_t)area);
}

/* @p: where; the checksum fits, but for @wrong. */
static paddr_t rsdp_make(char *p, uint8_t wrong)
{
	uint8_t sum = 0;

	memcpy(p, "RSD PTR ", 9);
	for (int i = 0; i < 20; i++)
		sum += (uint8_t)p[i];
	p[8] = (char)(wrong - sum);
	return (paddr_t)p;
}

struct system {
	uint64_t header[13], nr, tables;
	uint64_t table[3][3];
};

static struct system *system_make(void)
{
	struct system *s = (struct system *)(area + 0x8000);

	memcpy(s->header, "IBI SYST", 8);
	s->nr = 3;
	s->tables = (uint64_t)s->table;
	memcpy(s->table,
	       (uint64_t[3][3]){{1, 2, 3},
				{ACPI1_GUID, rsdp_make(area + 0x9004, 0)},
				{ACPI2_GUID, rsdp_make(area + 0xa014, 0)}},
	       sizeof(s->table));
	tag_add(12, &(uint64_t){(uint64_t)s}, 8);
	return s;
}

static void grub_on_uefi(void **state)
{
	char rsdp1[20] = "RSD PTR 1", rsdp2[36] = "RSD PTR 2";

	system_make();
	tag_add(14, rsdp1, sizeof(rsdp1));
	tag_add(15, rsdp2, sizeof(rsdp2));
	tag_add(14, rsdp1, sizeof(rsdp1));
	assert_null(area_read());
	assert_true(boot_info.efi);
	assert_int_equal(boot_info.nr_e820, 1);
	assert_int_equal(boot_info.efi_system, area + 0x8000);
	/* The loader's memory is reused before the tables are read. */
	memset(area, 0xaa, 0x8000);
	assert_memory_equal((void *)boot_info.rsdp, rsdp2, sizeof(rsdp2));
	efi_init(&boot_info);
	assert_int_equal(boot_info.dom0_rsdp, area + 0xa014);
	assert_int_equal(boot_info.rsdp, area + 0xa014);
}

static void older_acpi(void **state)
{
	struct system *s = system_make();

	s->table[2][0]++;
	assert_null(area_read());
	efi_init(&boot_info);
	assert_int_equal(boot_info.dom0_rsdp, area + 0x9004);
}

static void damaged(void **state)
{
	struct system *s = system_make();
	char rsdp[20] = "RSD PTR ";
	paddr_t copy;

	tag_add(14, rsdp, sizeof(rsdp));
	assert_null(area_read());
	copy = boot_info.rsdp;
	rsdp_make(area + 0xa014, 1);
	s->table[1][2] = 1UL << 40;
	efi_init(&boot_info);
	s->nr = 1UL << 60;
	efi_init(&boot_info);
	s->nr = 3;
	s->tables = 0;
	efi_init(&boot_info);
	s->tables = (uint64_t)s->table;
	rsdp_make(area + 0xa014, 0);
	s->header[0]++;
	efi_init(&boot_info);
	assert_int_equal(boot_info.dom0_rsdp, 0);
	assert_int_equal(boot_info.rsdp, copy);
	s->header[0]--;
	efi_init(&boot_info);
	assert_int_equal(boot_info.dom0_rsdp, area + 0xa014);
}

/* A PVH guest's root pointer is where its domain 0 would not look either. */
static void pvh(void **state)
{
	struct hvm_start_info *si = (void *)area;
	struct hvm_memmap_table_entry *ram = (void *)(area + 0x100);

	*si = (struct hvm_start_info){.magic = XEN_HVM_START_MAGIC_VALUE,
				      .version = 1,
				      .rsdp_paddr = 0xfc008000,
				      .memmap_paddr = (uint64_t)ram,
				      .memmap_entries = 1};
	*ram = (struct hvm_memmap_table_entry){0x100000, 0x4000000, 1, 0};
	assert_null(loader_info_read(BOOT_PVH, (paddr_t)area));
	efi_init(&boot_info);
	assert_int_equal(boot_info.rsdp, 0xfc008000);
	assert_int_equal(boot_info.dom0_rsdp, 0xfc008000);
	assert_int_equal(boot_info.e820[0].end - boot_info.e820[0].start, 0x4000000);
}

static void bios(void **state)
{
	char line[64] = "root=/dev/sda ro";

	assert_null(area_read());
	efi_init(&boot_info);
	efi_dom0_cmdline(&boot_info, line, sizeof(line));
	assert_false(boot_info.efi);
	assert_int_equal(boot_info.rsdp, 0);
	assert_string_equal(line, "root=/dev/sda ro");
}

static void command_line(void **state)
{
	struct boot_info bi = {.dom0_rsdp = 0x5f77d014};
	char line[64] = "root=/dev/sda -- acpi_rsdp", own[64] = "ro acpi_rsdp=1",
	     tight[] = "root=/dev/sda..........................";

	efi_dom0_cmdline(&bi, line, sizeof(line));
	assert_string_equal(line, "acpi_rsdp=0x5f77d014 root=/dev/sda -- acpi_rsdp");
	efi_dom0_cmdline(&bi, own, sizeof(own));
	assert_string_equal(own, "ro acpi_rsdp=1");
	efi_dom0_cmdline(&bi, tight, sizeof(tight));
	assert_int_equal(*tight, 'r');
	*own = '\0';
	efi_dom0_cmdline(&bi, own, 22);
	assert_string_equal(own, "acpi_rsdp=0x5f77d014 ");
	*own = '\0';
	efi_dom0_cmdline(&bi, own, 21);
	assert_string_equal(own, "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, area_make, area_remove)
	const struct CMUnitTest tests[] = {
		TEST(grub_on_uefi), TEST(older_acpi), TEST(damaged),
		TEST(pvh),	    TEST(bios),	      TEST(command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
