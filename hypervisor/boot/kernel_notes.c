/* SPDX-License-Identifier: MIT */
/*
 * What a kernel says about itself: ELF notes of owner "Xen" (xen/elfnote.h), in note segments or,
 * failing those, in note sections; failing both, the text of the older `__xen_guest` section.
 *
 * Notes that nobody here reads are passed over. One that is wanted and makes no sense refuses the
 * kernel: guessing would make it crash later, and silently.
 */
#include "boot/kernel_elf.h"

#include "lib/parse.h"
#include "lib/string.h"

#define LINUX_NOTE_RELEASE 0x100 /* owner "Linux": include/linux/build-salt.h */

/* Which notes go where; their names in a `__xen_guest` section. Numbers have 8 bytes, texts more. */
#define NOTE(note, field, legacy)                                         \
	{                                                                 \
		XEN_ELFNOTE_##note, offsetof(struct kernel_image, field), \
			sizeof(((struct kernel_image *)0)->field), legacy \
	}
static const struct note {
	uint32_t type;
	uint16_t offset, size;
	const char *legacy;
} notes[] = {
	NOTE(ENTRY, entry, "VIRT_ENTRY"),
	NOTE(HYPERCALL_PAGE, hypercall_page, "HYPERCALL_PAGE"),
	NOTE(VIRT_BASE, virt_base, "VIRT_BASE"),
	NOTE(PADDR_OFFSET, paddr_offset, "ELF_PADDR_OFFSET"),
	NOTE(INIT_P2M, init_p2m, NULL),
	NOTE(SUPPORTED_FEATURES, supported_features, NULL),
	NOTE(MOD_START_PFN, mod_start_pfn, NULL),
	NOTE(GUEST_OS, guest_os, "GUEST_OS"),
	NOTE(GUEST_VERSION, guest_version, "GUEST_VER"),
	NOTE(XEN_VERSION, xen_version, "XEN_VER"),
	NOTE(LOADER, loader, "LOADER"),
	NOTE(FEATURES, features, "FEATURES"),
};

/*
 * What a kernel may require: what domain 0 is offered (XENVER_get_features), and the page tables
 * that it writes to itself, which are offered to nobody by that name but work (pv/ptwr.c).
 */
static const char *const features[] = {
	"writable_page_tables",	     "pae_pgdir_above_4gb",
	"mmu_pt_update_preserve_ad", "highmem_assist",
	"gnttab_map_avail_bits",     "dom0",
	"memory_op_vnode_supported", "direct_mapped",
};

/* A value as text: terminated, cut at the destination's size. */
static void text_copy(char *dst, size_t size, const void *value, size_t len)
{
	len = strnlen(value, min(len, size - 1));
	memcpy(dst, value, len);
	dst[len] = '\0';
}

static bool take_note(struct kernel_image *img, const struct note *n, const void *value, size_t len)
{
	uint64_t *field = (void *)((char *)img + n->offset);

	img->notes |= 1u << n->type;
	if (n->size > sizeof(*field)) {
		text_copy((char *)field, n->size, value, len);
		return true;
	}
	if (len != 1 && len != 2 && len != 4 && len != 8)
		return kernel_refuse(img, "Xen note %u has a malformed value of %zu bytes", n->type,
				     len);
	*field = 0;
	memcpy(field, value, len);
	return true;
}

/* --- ELF notes --- */

/* One area of notes. Name and value are each padded to four bytes; the last padding may be missing. */
static bool read_notes(struct kernel_image *img, uint64_t offset, uint64_t size)
{
	const uint8_t *p = kernel_bytes(img, offset, size), *value;
	uint64_t at, len;

	if (!p)
		return kernel_refuse(img, "the ELF image is truncated: notes lie beyond its end");
	for (; size >= sizeof(struct elf64_nhdr); p += len, size -= len) {
		const struct elf64_nhdr *nh = (const void *)p;

		at = sizeof(*nh) + ROUND_UP((uint64_t)nh->n_namesz, 4);
		if (at + nh->n_descsz > size)
			return kernel_refuse(img, "a note reaches beyond its area");
		len = min(at + ROUND_UP((uint64_t)nh->n_descsz, 4), size);
		value = p + at;
		if (nh->n_namesz == 6 && !memcmp(nh + 1, "Linux", 6) &&
		    nh->n_type == LINUX_NOTE_RELEASE)
			text_copy(img->linux_release, sizeof(img->linux_release), value,
				  nh->n_descsz);
		if (nh->n_namesz != 4 || memcmp(nh + 1, "Xen", 4))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
			if (notes[i].type == nh->n_type &&
			    !take_note(img, &notes[i], value, nh->n_descsz))
				return false;
	}
	return true;
}

static bool segment_notes(struct kernel_image *img, const struct elf64_phdr *ph, unsigned int nr)
{
	/* Some linkers leave the offset of an empty note segment 0. */
	for (; nr--; ph++)
		if (ph->p_type == PT_NOTE && ph->p_offset &&
		    !read_notes(img, ph->p_offset, ph->p_filesz))
			return false;
	return true;
}

static bool section_notes(struct kernel_image *img, const struct elf64_shdr *sh, unsigned int nr)
{
	for (; nr--; sh++)
		if (sh->sh_type == SHT_NOTE && !read_notes(img, sh->sh_offset, sh->sh_size))
			return false;
	return true;
}

/* --- The __xen_guest section --- */

/* One "NAME=value", whose value's text is what the note of the same meaning holds. */
static bool legacy_value(struct kernel_image *img, const char *name, const char *value)
{
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		const struct note *n = &notes[i];

		if (!n->legacy || strcmp(name, n->legacy))
			continue;
		if (n->size > sizeof(number))
			return take_note(img, n, value, strlen(value));
		if (parse_u64(value, NULL, 0, &number))
			return kernel_refuse(img, "__xen_guest: bad number in %s", name);
		return take_note(img, n, &number, sizeof(number));
	}
	return true;
}

/* The text "NAME=value,NAME,...". */
static bool legacy_text(struct kernel_image *img, const void *data, size_t size)
{
	char buf[1024], *next, *value;

	if (size >= sizeof(buf))
		return kernel_refuse(img, "the __xen_guest section is too long");
	text_copy(buf, sizeof(buf), data, size);
	for (char *s = buf; s; s = next) {
		next = strchr(s, ',');
		if (next)
			*next++ = '\0';
		value = strchr(s, '=');
		if (value)
			*value++ = '\0';
		if (value && !legacy_value(img, s, value))
			return false;
	}
	/* In this form the hypercall page is a page number from VIRT_BASE on, */
	if (kernel_image_has_note(img, XEN_ELFNOTE_HYPERCALL_PAGE))
		img->hypercall_page = (img->hypercall_page << PAGE_SHIFT) + img->virt_base;
	/* and physical addresses in the file are virtual ones unless it says otherwise. */
	if (!kernel_image_has_note(img, XEN_ELFNOTE_PADDR_OFFSET))
		img->paddr_offset = img->virt_base;
	return true;
}

static bool legacy_section(struct kernel_image *img, const struct elf64_shdr *sh, unsigned int nr,
			   const struct elf64_shdr *names)
{
	static const char wanted[] = "__xen_guest";

	for (; nr--; sh++) {
		const char *name =
			kernel_bytes(img, names->sh_offset + sh->sh_name, sizeof(wanted));
		const void *data = kernel_bytes(img, sh->sh_offset, sh->sh_size);

		if (name && data && sh->sh_type == SHT_PROGBITS &&
		    !memcmp(name, wanted, sizeof(wanted)))
			return legacy_text(img, data, sh->sh_size);
	}
	return true;
}

/* --- What they must say --- */

static bool feature_offered(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (!strcmp(name, features[i]))
			return true;
	return false;
}

/* "a|!b|c": names of features, those that the kernel cannot do without with an exclamation mark. */
static bool check_features(struct kernel_image *img)
{
	char *next;

	for (char *s = img->features; s; s = next) {
		next = strchr(s, '|');
		if (next)
			*next++ = '\0';
		if (*s == '!' && !feature_offered(s + 1))
			return kernel_refuse(img, "the kernel requires the missing feature '%.40s'",
					     s + 1);
	}
	return true;
}

/* Xen 3.0 is the ABI's name to this day, and "generic" the loader's. */
static bool check_notes(struct kernel_image *img)
{
	if (!img->notes)
		return kernel_refuse(
			img, "the kernel has no Xen notes: it was built without Xen PV support");
	if (*img->xen_version && strncmp(img->xen_version, "xen-3.", 6) &&
	    strncmp(img->xen_version, "xen-4.", 6))
		return kernel_refuse(img, "the kernel is for '%s', not for xen-3.0",
				     img->xen_version);
	if (*img->loader && strncmp(img->loader, "generic", 7))
		return kernel_refuse(img, "the kernel wants the loader '%s'", img->loader);
	return check_features(img);
}

bool kernel_notes_parse(struct kernel_image *img, const struct elf64_ehdr *eh,
			const struct elf64_phdr *ph)
{
	const struct elf64_shdr *sh = kernel_bytes(img, eh->e_shoff, eh->e_shnum * sizeof(*sh));
	unsigned int nr = sh && eh->e_shentsize == sizeof(*sh) ? eh->e_shnum : 0;

	img->hypercall_page = img->init_p2m = KERNEL_NO_ADDRESS;
	if (!segment_notes(img, ph, eh->e_phnum))
		return false;
	if (!img->notes && !section_notes(img, sh, nr))
		return false;
	if (!img->notes && eh->e_shstrndx < nr && !legacy_section(img, sh, nr, &sh[eh->e_shstrndx]))
		return false;
	return check_notes(img);
}
