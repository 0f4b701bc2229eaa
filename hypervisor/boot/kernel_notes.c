/* SPDX-License-Identifier: MIT */
/*
 * What a kernel says about itself: ELF notes of owner "Xen" (xen/elfnote.h), in note segments or,
 * failing those, in note sections; failing both, the text of the older `__xen_guest` section.
 *
 * Notes that we do not know are passed over. One that we know and cannot make sense of refuses
 * the kernel: guessing would make it crash later, and silently.
 */
#include "boot/kernel_elf.h"

#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"

#define LINUX_NOTE_RELEASE 0x100 /* owner "Linux": include/linux/build-salt.h */

#define TEXT_MAX 1024 /* longest value that is looked at: FEATURES */

static const char *const feature_names[] = {
	[XENFEAT_writable_page_tables] = "writable_page_tables",
	[XENFEAT_writable_descriptor_tables] = "writable_descriptor_tables",
	[XENFEAT_auto_translated_physmap] = "auto_translated_physmap",
	[XENFEAT_supervisor_mode_kernel] = "supervisor_mode_kernel",
	[XENFEAT_pae_pgdir_above_4gb] = "pae_pgdir_above_4gb",
	[XENFEAT_mmu_pt_update_preserve_ad] = "mmu_pt_update_preserve_ad",
	[XENFEAT_highmem_assist] = "highmem_assist",
	[XENFEAT_gnttab_map_avail_bits] = "gnttab_map_avail_bits",
	[XENFEAT_hvm_callback_vector] = "hvm_callback_vector",
	[XENFEAT_hvm_safe_pvclock] = "hvm_safe_pvclock",
	[XENFEAT_hvm_pirqs] = "hvm_pirqs",
	[XENFEAT_dom0] = "dom0",
	[XENFEAT_memory_op_vnode_supported] = "memory_op_vnode_supported",
	[XENFEAT_linux_rsdp_unrestricted] = "linux_rsdp_unrestricted",
	[XENFEAT_not_direct_mapped] = "not_direct_mapped",
	[XENFEAT_direct_mapped] = "direct_mapped",
};

/* A number that fits one of the 64-bit fields. False for a length no number has. */
static bool numeric(const uint8_t *desc, size_t len, uint64_t *value)
{
	if (len != 1 && len != 2 && len != 4 && len != 8)
		return false;
	*value = 0;
	memcpy(value, desc, len);
	return true;
}

/* A value as text: terminated, cut at the destination's size. */
static void text(char *dst, size_t size, const uint8_t *desc, size_t len)
{
	size_t n = strnlen((const char *)desc, len);

	if (n > size - 1)
		n = size - 1;
	memcpy(dst, desc, n);
	dst[n] = '\0';
}

static int feature_number(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(feature_names); i++) {
		if (feature_names[i] && strlen(feature_names[i]) == len &&
		    !strncmp(feature_names[i], name, len))
			return i;
	}
	return -1;
}

/* "a|!b|c": names of features, required ones with an exclamation mark. */
static int parse_features(struct kernel_image *img, const char *s)
{
	while (*s) {
		const char *bar = strchr(s, '|');
		size_t len = bar ? (size_t)(bar - s) : strlen(s);
		bool required = *s == '!';
		int nr = feature_number(s + required, len - required);

		if (nr >= 0) {
			img->features_supported |= 1u << nr;
			img->features_required |= required ? 1u << nr : 0;
		} else if (required) {
			return kernel_refuse(img, -EOPNOTSUPP,
					     "the kernel requires the unknown feature '%.*s'",
					     (int)min(len - 1, (size_t)40), s + 1);
		}
		s += len + (bar != NULL);
	}
	return 0;
}

static enum kernel_pae parse_pae(const char *s)
{
	if (strstr(s, "bimodal"))
		return KERNEL_PAE_BIMODAL;
	if (!strcmp(s, "yes[extended-cr3]"))
		return KERNEL_PAE_EXTENDED;
	return strncmp(s, "yes", 3) ? KERNEL_PAE_NO : KERNEL_PAE_YES;
}

/*
 * --- ELF notes
 * ----------------------------------------------------------------------------------
 */

/* The 64-bit field that a numeric note fills, or NULL. */
static uint64_t *numeric_field(struct kernel_image *img, uint32_t type)
{
	switch (type) {
	case XEN_ELFNOTE_ENTRY:
		return &img->entry;
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		return &img->hypercall_page;
	case XEN_ELFNOTE_VIRT_BASE:
		return &img->virt_base;
	case XEN_ELFNOTE_PADDR_OFFSET:
		return &img->paddr_offset;
	case XEN_ELFNOTE_HV_START_LOW:
		return &img->hv_start_low;
	case XEN_ELFNOTE_INIT_P2M:
		return &img->init_p2m;
	case XEN_ELFNOTE_PHYS32_ENTRY:
		return &img->phys32_entry;
	default:
		return NULL;
	}
}

/* The text field that a note fills, or NULL. */
static char *text_field(struct kernel_image *img, uint32_t type)
{
	switch (type) {
	case XEN_ELFNOTE_GUEST_OS:
		return img->guest_os;
	case XEN_ELFNOTE_GUEST_VERSION:
		return img->guest_version;
	case XEN_ELFNOTE_LOADER:
		return img->loader;
	case XEN_ELFNOTE_XEN_VERSION:
		return img->xen_version;
	default:
		return NULL;
	}
}

static int bad_note(struct kernel_image *img, uint32_t type, size_t len)
{
	return kernel_refuse(img, -EINVAL, "Xen note %u has a malformed value of %zu bytes", type,
			     len);
}

/* A note with a value that needs more than storing. */
static int special_note(struct kernel_image *img, uint32_t type, const uint8_t *desc, size_t len)
{
	uint64_t v = 0;
	char s[TEXT_MAX];

	switch (type) {
	case XEN_ELFNOTE_FEATURES:
		if (len > sizeof(s) - 1)
			return bad_note(img, type, len);
		text(s, sizeof(s), desc, len);
		return parse_features(img, s);
	case XEN_ELFNOTE_PAE_MODE:
		text(s, sizeof(s), desc, len);
		img->pae = parse_pae(s);
		return 0;
	case XEN_ELFNOTE_BSD_SYMTAB:
		text(s, sizeof(s), desc, len);
		img->bsd_symtab = !strcmp(s, "yes");
		return 0;
	case XEN_ELFNOTE_L1_MFN_VALID:
		if (len < 16)
			return bad_note(img, type, len);
		memcpy(&img->l1_mfn_mask, desc, 8);
		memcpy(&img->l1_mfn_value, desc + 8, 8);
		return 0;
	case XEN_ELFNOTE_SUPPORTED_FEATURES:
	case XEN_ELFNOTE_SUSPEND_CANCEL:
	case XEN_ELFNOTE_MOD_START_PFN:
		if (!numeric(desc, len, &v))
			return bad_note(img, type, len);
		if (type == XEN_ELFNOTE_SUPPORTED_FEATURES)
			img->features_supported |= (uint32_t)v;
		else if (type == XEN_ELFNOTE_SUSPEND_CANCEL)
			img->suspend_cancel = v;
		else
			img->mod_start_pfn = v;
		return 0;
	default:
		return 0;
	}
}

static int take_note(struct kernel_image *img, uint32_t type, const uint8_t *desc, size_t len)
{
	uint64_t *number;
	char *str;

	if (type > XEN_ELFNOTE_MAX)
		return 0;
	img->notes |= 1u << type;
	number = numeric_field(img, type);
	if (number)
		return numeric(desc, len, number) ? 0 : bad_note(img, type, len);
	str = text_field(img, type);
	if (!str)
		return special_note(img, type, desc, len);
	text(str, KERNEL_TEXT_MAX, desc, len);
	return 0;
}

/* One area of notes. Name and value are each padded to four bytes. */
static int read_notes(struct kernel_image *img, uint64_t offset, uint64_t size)
{
	const uint8_t *p = kernel_bytes(img, offset, size);
	struct elf64_nhdr nh;
	int rc = 0;

	if (!p)
		return kernel_refuse(img, -EINVAL,
				     "the ELF image is truncated: notes lie beyond its end");
	while (!rc && size >= sizeof(nh)) {
		const uint8_t *desc;
		uint64_t name, len;

		memcpy(&nh, p, sizeof(nh));
		name = ROUND_UP((uint64_t)nh.n_namesz, 4);
		len = sizeof(nh) + name + ROUND_UP((uint64_t)nh.n_descsz, 4);
		/* The last value's padding may be missing. */
		if (sizeof(nh) + name + nh.n_descsz > size)
			return kernel_refuse(img, -EINVAL, "a note reaches beyond its area");
		desc = p + sizeof(nh) + name;
		if (nh.n_namesz == 4 && !memcmp(p + sizeof(nh), "Xen", 4))
			rc = take_note(img, nh.n_type, desc, nh.n_descsz);
		else if (nh.n_namesz == 6 && !memcmp(p + sizeof(nh), "Linux", 6) &&
			 nh.n_type == LINUX_NOTE_RELEASE)
			text(img->linux_release, sizeof(img->linux_release), desc, nh.n_descsz);
		len = min(len, size);
		p += len;
		size -= len;
	}
	return rc;
}

static int segment_notes(struct kernel_image *img, const struct elf64_ehdr *eh)
{
	struct elf64_phdr ph;
	int rc = 0;

	for (unsigned int i = 0; !rc && i < eh->e_phnum && kernel_phdr(img, eh, i, &ph); i++) {
		/* Some linkers leave the offset of an empty note segment 0. */
		if (ph.p_type == PT_NOTE && ph.p_offset)
			rc = read_notes(img, ph.p_offset, ph.p_filesz);
	}
	return rc;
}

static int section_notes(struct kernel_image *img, const struct elf64_ehdr *eh)
{
	struct elf64_shdr sh;
	int rc = 0;

	for (unsigned int i = 0; !rc && i < eh->e_shnum && kernel_shdr(img, eh, i, &sh); i++) {
		if (sh.sh_type == SHT_NOTE)
			rc = read_notes(img, sh.sh_offset, sh.sh_size);
	}
	return rc;
}

/*
 * --- The __xen_guest section
 * --------------------------------------------------------------------
 */

static const struct {
	const char *name;
	uint32_t note;
} legacy_names[] = {
	{"GUEST_OS", XEN_ELFNOTE_GUEST_OS},
	{"GUEST_VER", XEN_ELFNOTE_GUEST_VERSION},
	{"XEN_VER", XEN_ELFNOTE_XEN_VERSION},
	{"LOADER", XEN_ELFNOTE_LOADER},
	{"PAE", XEN_ELFNOTE_PAE_MODE},
	{"FEATURES", XEN_ELFNOTE_FEATURES},
	{"VIRT_BASE", XEN_ELFNOTE_VIRT_BASE},
	{"VIRT_ENTRY", XEN_ELFNOTE_ENTRY},
	{"ELF_PADDR_OFFSET", XEN_ELFNOTE_PADDR_OFFSET},
	{"HYPERCALL_PAGE", XEN_ELFNOTE_HYPERCALL_PAGE},
};

/* One "NAME=value", whose value's text is what the note of the same meaning holds. */
static int legacy_value(struct kernel_image *img, const char *name, const char *value)
{
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(legacy_names); i++) {
		uint32_t note = legacy_names[i].note;

		if (strcmp(name, legacy_names[i].name))
			continue;
		if (!numeric_field(img, note))
			return take_note(img, note, (const uint8_t *)value, strlen(value));
		if (parse_u64(value, NULL, 0, &v))
			return kernel_refuse(img, -EINVAL, "__xen_guest: bad number in %s", name);
		return take_note(img, note, (const uint8_t *)&v, sizeof(v));
	}
	if (!strcmp(name, "BSD_SYMTAB"))
		img->bsd_symtab = true;
	return 0;
}

/* The text "NAME=value,NAME,...". s is overwritten. */
static int legacy_text(struct kernel_image *img, char *s)
{
	int rc = 0;

	while (!rc && *s) {
		char *comma = strchr(s, ','), *next = comma ? comma + 1 : s + strlen(s);
		char *value;

		if (comma)
			*comma = '\0';
		value = strchr(s, '=');
		if (value)
			*value++ = '\0';
		rc = legacy_value(img, s, value ? value : "");
		s = next;
	}
	if (rc)
		return rc;
	/* In this form the hypercall page is a page number from VIRT_BASE on, */
	if (kernel_image_has_note(img, XEN_ELFNOTE_HYPERCALL_PAGE))
		img->hypercall_page = (img->hypercall_page << PAGE_SHIFT) + img->virt_base;
	/* and physical addresses in the file are virtual ones unless it says otherwise. */
	if (!kernel_image_has_note(img, XEN_ELFNOTE_PADDR_OFFSET))
		img->paddr_offset = img->virt_base;
	return 0;
}

/* Finds a section by name; *size is 0 when there is none. */
static const uint8_t *find_section(const struct kernel_image *img, const struct elf64_ehdr *eh,
				   const char *wanted, size_t *size)
{
	size_t len = strlen(wanted) + 1;
	struct elf64_shdr names, sh;

	*size = 0;
	if (eh->e_shstrndx >= eh->e_shnum || !kernel_shdr(img, eh, eh->e_shstrndx, &names))
		return NULL;
	for (unsigned int i = 0; i < eh->e_shnum && kernel_shdr(img, eh, i, &sh); i++) {
		const uint8_t *name, *data;
		uint64_t at;

		if (__builtin_add_overflow(names.sh_offset, (uint64_t)sh.sh_name, &at))
			continue;
		name = kernel_bytes(img, at, len);
		data = kernel_bytes(img, sh.sh_offset, sh.sh_size);
		if (name && data && sh.sh_type == SHT_PROGBITS && !memcmp(name, wanted, len)) {
			*size = sh.sh_size;
			return data;
		}
	}
	return NULL;
}

static int legacy_section(struct kernel_image *img, const struct elf64_ehdr *eh)
{
	char s[TEXT_MAX];
	size_t size;
	const uint8_t *data = find_section(img, eh, "__xen_guest", &size);

	if (!size)
		return 0;
	if (size >= sizeof(s))
		return kernel_refuse(img, -EINVAL, "the __xen_guest section is too long");
	text(s, sizeof(s), data, size);
	return legacy_text(img, s);
}

/*
 * -----------------------------------------------------------------------------------------------
 * -
 */

/* Xen 3.0 is the ABI's name to this day, and "generic" the loader's. */
static int check_notes(struct kernel_image *img)
{
	if (!img->notes)
		return kernel_refuse(img, -EOPNOTSUPP,
				     "the kernel has no Xen notes: it was built without Xen PV "
				     "support");
	if (*img->xen_version && strncmp(img->xen_version, "xen-3.", 6) &&
	    strncmp(img->xen_version, "xen-4.", 6))
		return kernel_refuse(img, -EOPNOTSUPP, "the kernel is for '%s', not for xen-3.0",
				     img->xen_version);
	if (*img->loader && strncmp(img->loader, "generic", 7))
		return kernel_refuse(img, -EOPNOTSUPP, "the kernel wants the loader '%s'",
				     img->loader);
	return 0;
}

int kernel_notes_parse(struct kernel_image *img, const struct elf64_ehdr *eh)
{
	int rc;

	img->hypercall_page = KERNEL_NO_ADDRESS;
	img->init_p2m = KERNEL_NO_ADDRESS;
	img->hv_start_low = KERNEL_NO_ADDRESS;
	img->phys32_entry = KERNEL_NO_ADDRESS;
	rc = segment_notes(img, eh);
	if (!rc && !img->notes && eh->e_shentsize == sizeof(struct elf64_shdr)) {
		rc = section_notes(img, eh);
		if (!rc && !img->notes)
			rc = legacy_section(img, eh);
	}
	return rc ? rc : check_notes(img);
}
