/* SPDX-License-Identifier: MIT */
/*
 * The ELF half of a kernel image: header, segments, and whether all of it fits together.
 *
 * A PV guest's segments are placed by their physical addresses: virt = virt_base + p_paddr -
 * paddr_offset, with both terms from the notes. (Linux's per-CPU segment, for one, has virtual
 * address 0.) Hence notes are read first, segments second.
 */
#include "boot/kernel_elf.h"

#include "lib/errno.h"
#include "lib/string.h"

const uint8_t *kernel_bytes(const struct kernel_image *img, uint64_t offset, uint64_t len)
{
	if (offset > img->elf_size || len > img->elf_size - offset)
		return NULL;
	return img->elf + offset;
}

static bool table_entry(const struct kernel_image *img, uint64_t table, unsigned int i, void *entry,
			size_t size)
{
	uint64_t offset;
	const uint8_t *p;

	if (__builtin_add_overflow(table, (uint64_t)i * size, &offset))
		return false;
	p = kernel_bytes(img, offset, size);
	if (p)
		memcpy(entry, p, size);
	return p;
}

bool kernel_phdr(const struct kernel_image *img, const struct elf64_ehdr *eh, unsigned int i,
		 struct elf64_phdr *ph)
{
	return table_entry(img, eh->e_phoff, i, ph, sizeof(*ph));
}

bool kernel_shdr(const struct kernel_image *img, const struct elf64_ehdr *eh, unsigned int i,
		 struct elf64_shdr *sh)
{
	return table_entry(img, eh->e_shoff, i, sh, sizeof(*sh));
}

static int check_header(struct kernel_image *img, const struct elf64_ehdr *eh)
{
	if (eh->e_ident[EI_CLASS] == ELFCLASS32 || eh->e_machine == EM_386)
		return kernel_refuse(img, -EOPNOTSUPP,
				     "a 32-bit kernel; only 64-bit ones are supported");
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh->e_ident[EI_VERSION] != EV_CURRENT)
		return kernel_refuse(img, -EINVAL, "the ELF image is of an unknown kind");
	if (eh->e_machine != EM_X86_64)
		return kernel_refuse(img, -EOPNOTSUPP,
				     "the ELF image is for machine type %u, not x86-64 (62)",
				     eh->e_machine);
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return kernel_refuse(img, -EOPNOTSUPP, "the ELF image is of type %u, no executable",
				     eh->e_type);
	if (!eh->e_phnum || eh->e_phentsize != sizeof(struct elf64_phdr))
		return kernel_refuse(img, -EINVAL, "the ELF image has no usable program headers");
	return 0;
}

/* Inserts in ascending order. */
static void add_segment(struct kernel_image *img, const struct kernel_segment *s)
{
	unsigned int i = img->nr_segments++;

	for (; i && img->segment[i - 1].virt > s->virt; i--)
		img->segment[i] = img->segment[i - 1];
	img->segment[i] = *s;
}

static int read_segment(struct kernel_image *img, unsigned int i, const struct elf64_phdr *ph)
{
	struct kernel_segment s = {
		.file_size = ph->p_filesz, .mem_size = ph->p_memsz, .flags = ph->p_flags};
	uint64_t end;

	if (img->nr_segments == KERNEL_SEGMENTS_MAX)
		return kernel_refuse(img, -EINVAL, "the ELF image has more than %u segments",
				     KERNEL_SEGMENTS_MAX);
	s.data = kernel_bytes(img, ph->p_offset, ph->p_filesz);
	if (!s.data)
		return kernel_refuse(img, -EINVAL,
				     "the ELF image is truncated: segment %u lies beyond its end",
				     i);
	if (s.file_size > s.mem_size)
		return kernel_refuse(img, -EINVAL,
				     "segment %u is larger in the file than in memory", i);
	/* The sum may wrap on its way (virt_base is at the top); the segment itself must not. */
	s.virt = img->virt_base + ph->p_paddr - img->paddr_offset;
	if (__builtin_add_overflow(s.virt, s.mem_size, &end))
		return kernel_refuse(img, -EINVAL, "segment %u wraps around the address space", i);
	if (s.virt < img->virt_base)
		return kernel_refuse(img, -EINVAL, "segment %u lies below VIRT_BASE %#lx", i,
				     (unsigned long)img->virt_base);
	add_segment(img, &s);
	return 0;
}

static int read_segments(struct kernel_image *img, const struct elf64_ehdr *eh)
{
	struct elf64_phdr ph;
	int rc = 0;

	for (unsigned int i = 0; !rc && i < eh->e_phnum; i++) {
		if (!kernel_phdr(img, eh, i, &ph))
			return kernel_refuse(img, -EINVAL,
					     "the ELF image is truncated in its program headers");
		if (ph.p_type == PT_LOAD && ph.p_memsz)
			rc = read_segment(img, i, &ph);
	}
	if (!rc && !img->nr_segments)
		rc = kernel_refuse(img, -EINVAL, "the ELF image has nothing to load");
	return rc;
}

static int check_segments(struct kernel_image *img)
{
	const struct kernel_segment *s = img->segment;
	unsigned int last = img->nr_segments - 1;

	for (unsigned int i = 0; i < last; i++) {
		if (s[i].virt + s[i].mem_size > s[i + 1].virt)
			return kernel_refuse(img, -EINVAL, "segments overlap at %#lx",
					     (unsigned long)s[i + 1].virt);
	}
	img->virt_start = s[0].virt;
	img->virt_end = s[last].virt + s[last].mem_size;
	return 0;
}

static bool in_image(const struct kernel_image *img, uint64_t virt, uint64_t len)
{
	for (unsigned int i = 0; i < img->nr_segments; i++) {
		const struct kernel_segment *s = &img->segment[i];

		if (virt >= s->virt && virt - s->virt < s->mem_size)
			return len <= s->mem_size - (virt - s->virt);
	}
	return false;
}

static int check_addresses(struct kernel_image *img)
{
	uint64_t page = img->hypercall_page, p2m = img->init_p2m;

	if (!in_image(img, img->entry, 1))
		return kernel_refuse(img, -EINVAL, "the entry point %#lx lies outside the kernel",
				     (unsigned long)img->entry);
	if (page != KERNEL_NO_ADDRESS && (page & ~PAGE_MASK || !in_image(img, page, PAGE_SIZE)))
		return kernel_refuse(img, -EINVAL,
				     "the hypercall page %#lx lies outside the kernel, or is not "
				     "aligned",
				     (unsigned long)page);
	if (p2m != KERNEL_NO_ADDRESS && p2m >= img->virt_start && p2m < img->virt_end)
		return kernel_refuse(img, -EINVAL,
				     "the physical-to-machine map %#lx lies within the kernel",
				     (unsigned long)p2m);
	return 0;
}

int kernel_elf_parse(struct kernel_image *img)
{
	struct elf64_ehdr eh;
	int rc;

	if (img->elf_size < sizeof(eh))
		return kernel_refuse(img, -EINVAL, "the ELF image is truncated within its header");
	memcpy(&eh, img->elf, sizeof(eh));
	rc = check_header(img, &eh);
	img->entry = eh.e_entry;
	if (!rc)
		rc = kernel_notes_parse(img, &eh);
	if (!rc)
		rc = read_segments(img, &eh);
	if (!rc)
		rc = check_segments(img);
	if (!rc)
		rc = check_addresses(img);
	return rc;
}
