/* SPDX-License-Identifier: MIT */
/*
 * A kernel's ELF header and segments. Segments go where their physical addresses say: virt = virt_base + p_paddr - paddr_offset, both
 * terms from the notes (Linux's per-CPU segment has virtual address 0); so notes are read first. Nothing in the file need be aligned.
 */
#include "lib/builder/image_parts.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#define PAGE_MASK 4095ull

const uint8_t *elf_bytes(const struct image *img, uint64_t offset, uint64_t len)
{
	if (offset > img->elf_size || len > img->elf_size - offset)
		return NULL;
	return img->elf + offset;
}

static int check_header(const Elf64_Ehdr *eh, struct error *e)
{
	if (eh->e_ident[EI_CLASS] == ELFCLASS32) {
		error_set(e, ERROR_UNSUPPORTED,
			  "it is a 32-bit (PAE) kernel: only 64-bit ones run here");
		return error_hint(e, "install the amd64 kernel in the guest");
	}
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh->e_machine != EM_X86_64)
		return error_set(e, ERROR_UNSUPPORTED, "it is not for x86-64 (ELF machine %u)",
				 eh->e_machine);
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return error_set(e, ERROR_CONFIG, "it is no executable (ELF type %u)", eh->e_type);
	if (!eh->e_phnum || eh->e_phentsize != sizeof(Elf64_Phdr))
		return error_set(e, ERROR_CONFIG, "its program headers are malformed");
	return 0;
}

/* Inserts a segment so that they ascend. */
static int segment_add(struct image *img, const Elf64_Phdr *ph, struct error *e)
{
	struct image_segment *s = img->segment;
	/* The sum may wrap on its way, virt_base being near the top; the segment itself must not. */
	uint64_t virt = img->virt_base + ph->p_paddr - img->paddr_offset, end;
	const uint8_t *data = elf_bytes(img, ph->p_offset, ph->p_filesz);
	unsigned int i = img->nr_segments;

	if (i == IMAGE_SEGMENTS)
		return error_set(e, ERROR_CONFIG, "it has more than %u segments", i);
	if (!data)
		return error_set(e, ERROR_CONFIG, "it is cut short: a segment lies behind its end");
	if (ph->p_filesz > ph->p_memsz)
		return error_set(e, ERROR_CONFIG, "a segment is larger in the file than in memory");
	if (virt < img->virt_base || __builtin_add_overflow(virt, ph->p_memsz, &end))
		return error_set(e, ERROR_CONFIG, "its segment at %#" PRIx64 " lies outside", virt);
	for (; i && s[i - 1].virt > virt; i--)
		s[i] = s[i - 1];
	s[i] = (struct image_segment){virt, data, ph->p_filesz, ph->p_memsz};
	img->nr_segments++;
	return 0;
}

static bool in_image(const struct image *img, uint64_t virt, uint64_t len)
{
	for (unsigned int i = 0; i < img->nr_segments; i++) {
		const struct image_segment *s = &img->segment[i];

		if (virt >= s->virt && virt - s->virt < s->mem_size)
			return len <= s->mem_size - (virt - s->virt);
	}
	return false;
}

static int check_layout(struct image *img, struct error *e)
{
	const struct image_segment *s = img->segment;
	uint64_t page = img->hypercall_page;

	if (!img->nr_segments)
		return error_set(e, ERROR_CONFIG, "it has nothing to load");
	img->virt_end = s[0].virt + s[0].mem_size;
	for (unsigned int i = 1; i < img->nr_segments; i++) {
		if (s[i].virt < img->virt_end)
			return error_set(e, ERROR_CONFIG, "its segments overlap at %#" PRIx64,
					 s[i].virt);
		img->virt_end = s[i].virt + s[i].mem_size;
	}
	if (img->virt_base & PAGE_MASK)
		return error_set(e, ERROR_CONFIG, "its base %#" PRIx64 " is not page-aligned",
				 img->virt_base);
	if (!in_image(img, img->entry, 1))
		return error_set(e, ERROR_CONFIG, "its entry point %#" PRIx64 " lies outside it",
				 img->entry);
	if (page != IMAGE_NO_ADDRESS && (page & PAGE_MASK || !in_image(img, page, PAGE_MASK + 1)))
		return error_set(e, ERROR_CONFIG,
				 "its hypercall page %#" PRIx64 " is no page inside it", page);
	if (img->init_p2m != IMAGE_NO_ADDRESS && img->init_p2m & PAGE_MASK)
		return error_set(e, ERROR_CONFIG, "its map at %#" PRIx64 " is not page-aligned",
				 img->init_p2m);
	return 0;
}

static int for_each_header(struct image *img, const Elf64_Ehdr *eh, uint32_t type, struct error *e)
{
	const uint8_t *table =
		elf_bytes(img, eh->e_phoff, (uint64_t)eh->e_phnum * sizeof(Elf64_Phdr));
	Elf64_Phdr ph;
	int rc = 0;

	if (!table)
		return error_set(e, ERROR_CONFIG, "it is cut short in its program headers");
	for (unsigned int i = 0; !rc && i < eh->e_phnum; i++) {
		memcpy(&ph, table + i * sizeof(ph), sizeof(ph));
		if (ph.p_type != type || !(ph.p_memsz | ph.p_filesz))
			continue;
		rc = type == PT_NOTE ? elf_read_notes(img, ph.p_offset, ph.p_filesz, e)
				     : segment_add(img, &ph, e);
	}
	return rc;
}

/* Notes that are in no segment. */
static int section_notes(struct image *img, const Elf64_Ehdr *eh, struct error *e)
{
	const uint8_t *table =
		elf_bytes(img, eh->e_shoff, (uint64_t)eh->e_shnum * sizeof(Elf64_Shdr));
	Elf64_Shdr sh;

	if (!table || eh->e_shentsize != sizeof(sh))
		return 0;
	for (unsigned int i = 0; i < eh->e_shnum; i++) {
		memcpy(&sh, table + i * sizeof(sh), sizeof(sh));
		if (sh.sh_type == SHT_NOTE && elf_read_notes(img, sh.sh_offset, sh.sh_size, e))
			return -1;
	}
	return 0;
}

int elf_parse(struct image *img, struct error *e)
{
	const uint8_t *p = elf_bytes(img, 0, sizeof(Elf64_Ehdr));
	Elf64_Ehdr eh;

	if (!p || memcmp(p, ELFMAG, SELFMAG))
		return error_set(e, ERROR_CONFIG, "it holds no ELF image");
	memcpy(&eh, p, sizeof(eh));
	if (check_header(&eh, e))
		return -1;
	img->entry = eh.e_entry;
	img->hypercall_page = img->init_p2m = IMAGE_NO_ADDRESS;
	if (for_each_header(img, &eh, PT_NOTE, e) || (!img->notes && section_notes(img, &eh, e)) ||
	    elf_check_notes(img, e) || for_each_header(img, &eh, PT_LOAD, e))
		return -1;
	return check_layout(img, e);
}
