/* SPDX-License-Identifier: MIT */
/*
 * What a kernel says about itself: ELF notes of owner "Xen" (xen/elfnote.h). Those nobody here reads are passed over; one that is
 * wanted and makes no sense refuses the kernel, which would otherwise crash later, and silently.
 */
#include "lib/builder/image_parts.h"

#include <elf.h>
#include <string.h>
#include <xen/elfnote.h>

#define NOTE(note, field)                                          \
	{                                                          \
		XEN_ELFNOTE_##note, offsetof(struct image, field), \
			sizeof(((struct image *)0)->field)         \
	}
/* Numbers have 8 bytes here and 1, 2, 4 or 8 in the file; texts have more. */
static const struct note {
	uint32_t type;
	size_t offset, size;
} notes[] = {
	NOTE(ENTRY, entry),
	NOTE(HYPERCALL_PAGE, hypercall_page),
	NOTE(VIRT_BASE, virt_base),
	NOTE(PADDR_OFFSET, paddr_offset),
	NOTE(INIT_P2M, init_p2m),
	NOTE(MOD_START_PFN, mod_start_pfn),
	NOTE(XEN_VERSION, xen_version),
	NOTE(LOADER, loader),
	NOTE(FEATURES, features),
};

static int note_take(struct image *img, uint32_t type, const uint8_t *value, size_t len,
		     struct error *e)
{
	for (const struct note *n = notes; n < notes + sizeof(notes) / sizeof(notes[0]); n++) {
		char *field = (char *)img + n->offset;

		if (n->type != type)
			continue;
		if (n->size == sizeof(uint64_t) &&
		    (len > sizeof(uint64_t) || !len || len & (len - 1)))
			return error_set(e, ERROR_CONFIG, "its Xen note %u has %zu bytes", type,
					 len);
		/* What is too long for its text is cut. */
		if (len > n->size - (n->size > sizeof(uint64_t)))
			len = n->size - 1;
		memset(field, 0, n->size);
		memcpy(field, value, len);
		img->notes |= 1u << type;
	}
	return 0;
}

static uint64_t padded(uint32_t len)
{
	return ((uint64_t)len + 3) & ~3ull;
}

int elf_read_notes(struct image *img, uint64_t offset, uint64_t len, struct error *e)
{
	const uint8_t *p = elf_bytes(img, offset, len);
	Elf64_Nhdr nh;
	uint64_t at;

	if (!p)
		return error_set(e, ERROR_CONFIG, "it is cut short: notes lie behind its end");
	while (len >= sizeof(nh)) {
		memcpy(&nh, p, sizeof(nh));
		at = sizeof(nh) + padded(nh.n_namesz);
		if (at > len || nh.n_descsz > len - at)
			return error_set(e, ERROR_CONFIG, "its notes reach behind their end");
		if (nh.n_namesz == sizeof("Xen") && !memcmp(p + sizeof(nh), "Xen", sizeof("Xen")) &&
		    note_take(img, nh.n_type, p + at, nh.n_descsz, e))
			return -1;
		/* The last padding may be missing. */
		at += padded(nh.n_descsz);
		at = at < len ? at : len;
		p += at;
		len -= at;
	}
	return 0;
}

/* What XENVER_get_features offers a guest, and page tables that it writes to itself, which work without being offered. */
static bool feature_offered(const char *name, size_t len)
{
	static const char *const offered[] = {
		"writable_page_tables", "pae_pgdir_above_4gb",	      "mmu_pt_update_preserve_ad",
		"highmem_assist",	"gnttab_map_avail_bits",      "memory_op_vnode_supported",
		"vcpu_runstate_remote", "writable_descriptor_tables",
	};

	for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++)
		if (strlen(offered[i]) == len && !memcmp(offered[i], name, len))
			return true;
	return false;
}

int image_check_features(const char *features, struct error *e)
{
	for (const char *s = features; s && *s; s += s[0] == '|') {
		size_t len = strcspn(s, "|");

		if (*s == '!' && !feature_offered(s + 1, len - 1))
			return error_set(e, ERROR_UNSUPPORTED,
					 "feature '%.*s' is wanted, which no guest has here",
					 (int)len - 1, s + 1);
		s += len;
	}
	return 0;
}

int elf_check_notes(const struct image *img, struct error *e)
{
	/* The ABI is called Xen 3.0 to this day, and its loader "generic". */
	static const char version[] = "xen-3.0", loader[] = "generic";

	if (!img->notes) {
		error_set(e, ERROR_UNSUPPORTED,
			  "it has no Xen notes: it is not built to run as a PV guest");
		return error_hint(e, "Linux needs CONFIG_XEN_PV");
	}
	if (*img->xen_version && strcmp(img->xen_version, version))
		return error_set(e, ERROR_UNSUPPORTED, "it is for '%s', not for %s",
				 img->xen_version, version);
	if (*img->loader && strcmp(img->loader, loader))
		return error_set(e, ERROR_UNSUPPORTED, "it wants the loader '%s'", img->loader);
	return image_check_features(img->features, e);
}
