/* SPDX-License-Identifier: MIT */
/*
 * The ELF half of a kernel image: header, segments, and whether all of it fits together.
 *
 * A PV guest's segments are placed by their physical addresses: virt = virt_base + p_paddr -
 * paddr_offset, with both terms from the notes. (Linux's per-CPU segment, for one, has virtual
 * address 0.) Hence notes are read first, segments second.
 */
#include "boot/kernel_elf.h"

const void *kernel_bytes(const struct kernel_image *img, uint64_t offset, uint64_t len)
{
	if (offset > img->elf_size || len > img->elf_size - offset)
		return NULL;
	return img->elf + offset;
}

static bool check_header(struct kernel_image *img, const struct elf64_ehdr *eh)
{
	if (eh->e_ident[EI_CLASS] == ELFCLASS32 || eh->e_machine == EM_386)
		return kernel_refuse(img, "a 32-bit kernel; only 64-bit ones are supported");
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh->e_ident[EI_VERSION] != EV_CURRENT)
		return kernel_refuse(img, "the ELF image is of an unknown kind");
	if (eh->e_machine != EM_X86_64)
		return kernel_refuse(img, "the ELF image is for machine type %u, not x86-64 (62)",
				     eh->e_machine);
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return kernel_refuse(img, "the ELF image is of type %u, no executable", eh->e_type);
	if (!eh->e_phnum || eh->e_phentsize != sizeof(struct elf64_phdr))
		return kernel_refuse(img, "the ELF image has no usable program headers");
	return true;
}

static bool read_segment(struct kernel_image *img, unsigned int nr, const struct elf64_phdr *ph)
{
	struct kernel_segment *s = img->segment;
	/* The sum may wrap on its way (virt_base is at the top); the segment itself must not. */
	uint64_t virt = img->virt_base + ph->p_paddr - img->paddr_offset, end;
	const uint8_t *data = kernel_bytes(img, ph->p_offset, ph->p_filesz);
	unsigned int i = img->nr_segments;

	if (i == KERNEL_SEGMENTS_MAX)
		return kernel_refuse(img, "the ELF image has more than %u segments", i);
	if (!data)
		return kernel_refuse(
			img, "the ELF image is truncated: segment %u lies beyond its end", nr);
	if (ph->p_filesz > ph->p_memsz)
		return kernel_refuse(img, "segment %u is larger in the file than in memory", nr);
	if (__builtin_add_overflow(virt, ph->p_memsz, &end))
		return kernel_refuse(img, "segment %u wraps around the address space", nr);
	if (virt < img->virt_base)
		return kernel_refuse(img, "segment %u lies below VIRT_BASE %#lx", nr,
				     img->virt_base);
	for (; i && s[i - 1].virt > virt; i--)
		s[i] = s[i - 1];
	s[i] = (struct kernel_segment){virt, data, ph->p_filesz, ph->p_memsz};
	img->nr_segments++;
	return true;
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

static bool check_layout(struct kernel_image *img)
{
	uint64_t page = img->hypercall_page, p2m = img->init_p2m;

	if (!img->nr_segments)
		return kernel_refuse(img, "the ELF image has nothing to load");
	img->virt_start = img->virt_end = img->segment[0].virt;
	for (unsigned int i = 0; i < img->nr_segments; i++) {
		const struct kernel_segment *s = &img->segment[i];

		if (s->virt < img->virt_end)
			return kernel_refuse(img, "segments overlap at %#lx", s->virt);
		img->virt_end = s->virt + s->mem_size;
	}
	if (!in_image(img, img->entry, 1))
		return kernel_refuse(img, "the entry point %#lx lies outside the kernel",
				     img->entry);
	if (page != KERNEL_NO_ADDRESS && (page & ~PAGE_MASK || !in_image(img, page, PAGE_SIZE)))
		return kernel_refuse(
			img, "the hypercall page %#lx lies outside the kernel, or is not aligned",
			page);
	if (p2m != KERNEL_NO_ADDRESS && p2m >= img->virt_start && p2m < img->virt_end)
		return kernel_refuse(img, "the physical-to-machine map %#lx lies within the kernel",
				     p2m);
	return true;
}

bool kernel_elf_parse(struct kernel_image *img)
{
	const struct elf64_ehdr *eh = kernel_bytes(img, 0, sizeof(*eh));
	const struct elf64_phdr *ph;

	if (!eh)
		return kernel_refuse(img, "the ELF image is truncated within its header");
	if (!check_header(img, eh))
		return false;
	ph = kernel_bytes(img, eh->e_phoff, eh->e_phnum * sizeof(*ph));
	if (!ph)
		return kernel_refuse(img, "the ELF image is truncated in its program headers");
	img->entry = eh->e_entry;
	if (!kernel_notes_parse(img, eh, ph))
		return false;
	for (unsigned int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_memsz && !read_segment(img, i, &ph[i]))
			return false;
	return check_layout(img);
}
