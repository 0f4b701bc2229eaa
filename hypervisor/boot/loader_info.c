/* SPDX-License-Identifier: MIT */
/*
 * Reading what the loader left in memory: Multiboot 1 (specification 0.6.96 section 3.3), Multiboot 2 (section 3.6), and the
 * PVH start info (xen/arch-x86/hvm/start_info.h). All is below 4 GiB and read through the direct map.
 */
#include "boot/boot_info.h"
#include "lib/string.h"
#include "x86/page.h"
#include <xen/arch-x86/hvm/start_info.h>

struct boot_info boot_info;

#define LOW_LIMIT 0x100000000UL /* what head.S maps */

static const void *__init low_ptr(uint64_t pa, uint64_t len)
{
	return pa && pa < LOW_LIMIT && len < LOW_LIMIT - pa ? maddr_to_virt(pa) : NULL;
}

static void __init text_copy(char *dst, size_t size, uint64_t pa)
{
	const char *s = low_ptr(pa, 1);

	if (s)
		strlcpy(dst, s, size);
}

static void __init module_add(uint64_t start, uint64_t end, uint64_t cmdline_pa)
{
	struct boot_module *m = &boot_info.modules[boot_info.nr_modules];

	if (boot_info.nr_modules == MAX_MODULES || end <= start)
		return;
	m->start = start;
	m->end = end;
	text_copy(m->cmdline, sizeof(m->cmdline), cmdline_pa);
	boot_info.nr_modules++;
}

static void __init e820_add(uint64_t start, uint64_t len, uint32_t type)
{
	struct e820_range *r = boot_info.e820;
	unsigned int i = boot_info.nr_e820;

	if (!len || start + len < start || i == MAX_E820)
		return;
	for (; i > 0 && r[i - 1].start > start; i--)
		r[i] = r[i - 1];
	r[i] = (struct e820_range){.start = start, .end = start + len, .type = type};
	boot_info.nr_e820++;
}

struct mb1_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4],
		mmap_length, mmap_addr, drives_length, drives_addr, config_table, boot_loader_name;
};
struct mb1_module {
	uint32_t start, end, cmdline, reserved;
};
struct mb1_mmap {
	uint32_t size;
	uint64_t base, length;
	uint32_t type;
} __packed;

static const char *__init multiboot1_read(uint64_t pa)
{
	const struct mb1_info *mi = low_ptr(pa, sizeof(*mi));
	const struct mb1_module *mod;
	const struct mb1_mmap *e;

	if (!mi)
		return "the Multiboot information is out of reach";
	if (mi->flags & 0x200)
		text_copy(boot_info.loader, sizeof(boot_info.loader), mi->boot_loader_name);
	if (mi->flags & 4)
		text_copy(boot_info.cmdline, MAX_CMDLINE, mi->cmdline);
	mod = low_ptr(mi->mods_addr, (uint64_t)mi->mods_count * sizeof(*mod));
	for (uint32_t i = 0; mod && (mi->flags & 8) && i < mi->mods_count; i++)
		module_add(mod[i].start, mod[i].end, mod[i].cmdline);
	if (!(mi->flags & 0x40) || !low_ptr(mi->mmap_addr, mi->mmap_length))
		return NULL;
	for (uint64_t off = 0; off + sizeof(*e) <= mi->mmap_length; off += e->size + 4UL) {
		e = low_ptr(mi->mmap_addr + off, sizeof(*e));
		e820_add(e->base, e->length, e->type);
	}
	return NULL;
}

struct mb2_tag {
	uint32_t type, size;
	union {
		char text[0];
		struct {
			uint32_t start, end;
			char cmdline[0];
		} module;
		struct {
			uint32_t entry_size, entry_version;
		} mmap;
		uint64_t efi_system;
	};
};

/* ACPI 1.0's (tag 14) and 2.0's (tag 15) root pointer: copies inside the tag; the newer one wins. */
static void __init rsdp_copy(const struct mb2_tag *t)
{
	size_t n = min((size_t)t->size - 8, sizeof(boot_info.rsdp_copy));

	if (t->type == 14 && boot_info.rsdp)
		return;
	memcpy(boot_info.rsdp_copy, t->text, n);
	boot_info.rsdp = virt_to_maddr(boot_info.rsdp_copy);
}

static void __init multiboot2_tag(const struct mb2_tag *t, uint64_t pa)
{
	switch (t->type) {
	case 1:
		strlcpy(boot_info.cmdline, t->text, MAX_CMDLINE);
		break;
	case 2:
		strlcpy(boot_info.loader, t->text, sizeof(boot_info.loader));
		break;
	case 3:
		module_add(t->module.start, t->module.end,
			   pa + offsetof(struct mb2_tag, module.cmdline));
		break;
	case 6:
		for (uint32_t off = 16; t->mmap.entry_size >= 24 && off + 24 <= t->size;
		     off += t->mmap.entry_size) {
			const uint64_t *e = (const void *)((const char *)t + off);

			e820_add(e[0], e[1], (uint32_t)e[2]);
		}
		break;
	case 12:
		if (t->size >= 16)
			boot_info.efi_system = t->efi_system;
		/* fall through */
	case 11:
		boot_info.efi = true;
		break;
	case 14:
	case 15:
		rsdp_copy(t);
		break;
	}
}

static const char *__init multiboot2_read(uint64_t pa)
{
	const uint32_t *head = low_ptr(pa, 8);
	const struct mb2_tag *t;
	uint64_t end;

	if (!head || !low_ptr(pa, head[0]))
		return "the Multiboot 2 information is out of reach";
	end = pa + head[0];
	for (pa += 8; pa + 8 <= end; pa += ROUND_UP((uint64_t)t->size, 8)) {
		t = low_ptr(pa, 8);
		if (!t || !t->type || t->size < 8)
			break;
		multiboot2_tag(t, pa);
	}
	return NULL;
}

static const char *__init pvh_read(uint64_t pa)
{
	const struct hvm_start_info *si = low_ptr(pa, sizeof(*si));
	const struct hvm_modlist_entry *mod;
	const struct hvm_memmap_table_entry *map;

	if (!si || si->magic != XEN_HVM_START_MAGIC_VALUE)
		return "the PVH start info has a wrong magic number";
	strlcpy(boot_info.loader, "PVH loader", sizeof(boot_info.loader));
	text_copy(boot_info.cmdline, MAX_CMDLINE, si->cmdline_paddr);
	/* Where domain 0's kernel does not look: see efi_dom0_cmdline(). */
	boot_info.rsdp = boot_info.dom0_rsdp = si->rsdp_paddr;
	mod = low_ptr(si->modlist_paddr, si->nr_modules * sizeof(*mod));
	for (uint32_t i = 0; mod && i < si->nr_modules; i++)
		module_add(mod[i].paddr, mod[i].paddr + mod[i].size, mod[i].cmdline_paddr);
	if (si->version < 1)
		return "the PVH loader is of a kind that gives no memory map";
	map = low_ptr(si->memmap_paddr, si->memmap_entries * sizeof(*map));
	for (uint32_t i = 0; map && i < si->memmap_entries; i++)
		e820_add(map[i].addr, map[i].size, map[i].type);
	return NULL;
}

static void __init drop_first_word(char *s)
{
	char *rest = s;

	while (*rest && *rest != ' ')
		rest++;
	while (*rest == ' ')
		rest++;
	memmove(s, rest, strlen(rest) + 1);
}

const char *__init loader_info_read(int kind, paddr_t info)
{
	static const struct {
		const char *name;
		const char *(*read)(uint64_t pa);
	} protocols[] __initdata = {
		[BOOT_MULTIBOOT1] = {"Multiboot 1", multiboot1_read},
		[BOOT_MULTIBOOT2] = {"Multiboot 2", multiboot2_read},
		[BOOT_PVH] = {"PVH", pvh_read},
	};
	const char *why = protocols[kind].read(info);

	boot_info.protocol = protocols[kind].name;
	/* Multiboot says that a command line begins with the file's name; GRUB 2 leaves it out, for modules too. */
	if (kind != BOOT_PVH && strncmp(boot_info.loader, "GRUB 2", 6)) {
		drop_first_word(boot_info.cmdline);
		for (unsigned int i = 0; i < boot_info.nr_modules; i++)
			drop_first_word(boot_info.modules[i].cmdline);
	}
	if (!why && !boot_info.nr_e820)
		why = "the loader gave no memory map";
	return why ? why : bundle_open(&boot_info);
}
