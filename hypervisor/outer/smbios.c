/* SPDX-License-Identifier: MIT */
/*
 * The machine's maker and product as the SMBIOS has them (DMTF DSP0134, 5.2 entry points, 7.2 system information): the last resort for
 * finding a hypervisor that hides its CPUID leaves. Looks for the legacy entry points only; below UEFI nothing is found.
 */
#include "outer/internal.h"
#include "lib/string.h"
#include "x86/page.h"

#define BIOS_AREA      0xf0000
#define BIOS_AREA_SIZE 0x10000
#define TYPE_SYSTEM    1
#define TYPE_END       127
#define TABLE_LONGEST  0x10000

struct smbios_header {
	uint8_t type, length;
	uint16_t handle;
} __packed;

struct smbios_system {
	struct smbios_header h;
	uint8_t manufacturer, product, version,
		serial; /* numbers of strings behind the structure, from 1 */
} __packed;

static bool sum_is_zero(const uint8_t *p, unsigned int n)
{
	uint8_t sum = 0;

	while (n--)
		sum += *p++;
	return !sum;
}

/* Where the structures are, and how long at most. */
static paddr_t __init find_table(const uint8_t *bios, uint32_t *size)
{
	for (const uint8_t *p = bios; p < bios + BIOS_AREA_SIZE - 32; p += 16) {
		uint64_t wide;
		uint32_t narrow;
		uint16_t len;

		if (!memcmp(p, "_SM3_", 5) && p[6] <= 32 && sum_is_zero(p, p[6])) {
			memcpy(size, p + 12, 4);
			memcpy(&wide, p + 16, 8);
			return wide;
		}
		if (!memcmp(p, "_SM_", 4) && p[5] <= 32 && sum_is_zero(p, p[5])) {
			memcpy(&len, p + 22, 2);
			memcpy(&narrow, p + 24, 4);
			*size = len;
			return narrow;
		}
	}
	return 0;
}

/* String @n behind the structure, "" if there is none; @end is the table's. */
static const char *string_of(const struct smbios_header *h, unsigned int n, const char *end)
{
	const char *s = (const char *)h + h->length;

	if (!n)
		return "";
	while (--n && s < end)
		s += strnlen(s, (size_t)(end - s)) + 1;
	return s < end && strnlen(s, (size_t)(end - s)) < (size_t)(end - s) ? s : "";
}

/* The structure behind @h: its strings end with an empty one. */
static const struct smbios_header *next_of(const struct smbios_header *h, const char *end)
{
	const char *s = (const char *)h + h->length;

	while (s + 1 < end && (s[0] || s[1]))
		s++;
	return (const struct smbios_header *)(s + 2);
}

static bool __init system_is(const char *table, uint32_t size, const char *text)
{
	const char *end = table + size;
	const struct smbios_header *h = (const struct smbios_header *)table;

	for (; (const char *)(h + 1) <= end && h->length >= sizeof(*h) &&
	       (const char *)h + h->length <= end && h->type != TYPE_END;
	     h = next_of(h, end)) {
		const struct smbios_system *s = (const struct smbios_system *)h;

		if (h->type != TYPE_SYSTEM || h->length < sizeof(*s))
			continue;
		return !strncmp(string_of(h, s->manufacturer, end), text, strlen(text)) ||
		       !strncmp(string_of(h, s->product, end), text, strlen(text)) ||
		       !strncmp(string_of(h, s->serial, end), text, strlen(text));
	}
	return false;
}

bool __init smbios_system_is(const char *text)
{
	static const char *table __initdata;
	static uint32_t size __initdata;
	static bool searched __initdata;
	const uint8_t *bios;
	paddr_t pa;

	if (!searched) {
		searched = true;
		bios = ioremap(BIOS_AREA, BIOS_AREA_SIZE);
		pa = bios ? find_table(bios, &size) : 0;
		size = min(size, (uint32_t)TABLE_LONGEST);
		table = pa && size ? ioremap(pa, size) : NULL;
	}
	return table && system_is(table, size, text);
}
