/* SPDX-License-Identifier: MIT */
/*
 * Gets from a boot module to an ELF image: looks into a bzImage (Linux's
 * Documentation/arch/x86/boot.rst) and decompresses. Reads nothing beyond the module, whatever
 * its headers claim.
 *
 * On the way img->elf and img->elf_size are what has been reached: the module, the payload in it,
 * what that decompresses to.
 */
#include "boot/kernel_elf.h"

#include "lib/decompress.h"
#include "lib/printf.h"
#include "lib/string.h"

/* A bzImage's setup sectors, as far as they are used. */
struct bzimage {
	uint8_t skipped1[0x1f1], setup_sectors, skipped2[12];
	uint16_t boot_flag, jump;
	char magic[4];
	uint16_t version;
	uint8_t skipped3[64];
	uint32_t payload_offset, payload_length;
} __packed;
_Static_assert(sizeof(struct bzimage) == 0x250, "bzImage header");

bool kernel_refuse(struct kernel_image *img, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(img->why, sizeof(img->why), fmt, ap);
	va_end(ap);
	return false;
}

static bool is_elf(const struct kernel_image *img)
{
	return img->elf_size >= 4 && !memcmp(img->elf, "\177ELF", 4);
}

static bool enter_bzimage(struct kernel_image *img)
{
	const struct bzimage *bz = (const void *)img->elf;
	unsigned int sectors;
	uint64_t start;

	if (img->elf_size < sizeof(*bz) || bz->boot_flag != 0xaa55 || memcmp(bz->magic, "HdrS", 4))
		return true;
	img->bzimage = true;
	if (bz->version < 0x208) /* the first with the payload fields */
		return kernel_refuse(img, "the bzImage's boot protocol is %u.%02u, older than 2.08",
				     bz->version >> 8, bz->version & 0xff);
	if (!bz->payload_length)
		return kernel_refuse(img, "the bzImage holds no kernel");
	sectors = bz->setup_sectors ? bz->setup_sectors : 4;
	start = (sectors + 1) * 512 + (uint64_t)bz->payload_offset;
	if (start + bz->payload_length > img->elf_size)
		return kernel_refuse(img, "the bzImage is truncated: %zu bytes of at least %zu",
				     img->elf_size, (size_t)start + bz->payload_length);
	img->elf += start;
	img->elf_size = bz->payload_length;
	return true;
}

/*
 * Linux's build ends a payload with its uncompressed size in four bytes, which gzip has of its
 * own and which for the others is no part of the stream.
 */
static bool decompress_kernel(struct kernel_image *img, void *(*alloc)(size_t bytes))
{
	size_t in_len = img->elf_size, size = decompress_bound(img->elf, in_len), produced;
	const char *why;
	void *buf;

	if (img->bzimage) {
		size = 0;
		if (in_len > 4)
			memcpy(&size, img->elf + in_len - 4, 4);
		if (strcmp(img->compression, "gzip"))
			in_len -= min(in_len, (size_t)4);
	}
	/* A kernel that claims to be larger is damaged rather than large. */
	if (size > GB(1))
		return kernel_refuse(img, "the compressed kernel is damaged: it claims %zu bytes",
				     size);
	/* Size 0: unknown, or of no use; let decompress() name the reason. */
	buf = size ? alloc(size) : NULL;
	if (size && !buf)
		return kernel_refuse(img, "no memory for the decompressed kernel: %zu KiB",
				     size >> 10);
	if (decompress(img->elf, in_len, buf, size, &produced, &why))
		return kernel_refuse(img, "the kernel cannot be decompressed: %s", why);
	if (img->bzimage && produced != size)
		return kernel_refuse(img, "the kernel decompresses to %zu bytes instead of %zu",
				     produced, size);
	img->elf = buf;
	img->elf_size = produced;
	return true;
}

bool kernel_image_open(struct kernel_image *img, const void *module, size_t size,
		       void *(*alloc)(size_t bytes))
{
	*img = (struct kernel_image){.elf = module, .elf_size = size};
	if (!size)
		return kernel_refuse(img, "the kernel is empty");
	if (!enter_bzimage(img))
		return false;
	img->compression = is_elf(img) ? NULL : decompress_format(img->elf, img->elf_size);
	if (img->compression && !decompress_kernel(img, alloc))
		return false;
	if (!is_elf(img))
		return kernel_refuse(img,
				     img->bzimage || img->compression
					     ? "what the kernel decompresses to is no ELF image"
					     : "neither an ELF image nor a bzImage nor compressed");
	return kernel_elf_parse(img);
}
