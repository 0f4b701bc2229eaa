/* SPDX-License-Identifier: MIT */
/*
 * Gets from a boot module to an ELF image: looks into a bzImage (Linux's
 * Documentation/arch/x86/boot.rst) and decompresses. Reads nothing beyond the module, whatever
 * its headers claim.
 */
#include "boot/kernel_elf.h"

#include "lib/decompress.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

/* The setup header, by its offsets in the file. */
#define SETUP_SECTS	     0x1f1
#define SETUP_BOOT_FLAG	     0x1fe
#define SETUP_MAGIC	     0x202
#define SETUP_VERSION	     0x206
#define SETUP_PAYLOAD_OFFSET 0x248
#define SETUP_PAYLOAD_LENGTH 0x24c
#define SETUP_END	     0x250

#define PAYLOAD_VERSION 0x0208 /* the first protocol with the payload fields */

/* A kernel that claims to be larger is damaged rather than large. */
#define ELF_SIZE_MAX GB(1)

struct bytes {
	const uint8_t *p;
	size_t len;
};

int kernel_refuse(struct kernel_image *img, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(img->why, sizeof(img->why), fmt, ap);
	va_end(ap);
	return rc;
}

static uint32_t read_le(const uint8_t *p, unsigned int bytes)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint32_t)p[i] << 8 * i;
	return v;
}

static bool is_elf(struct bytes b)
{
	return b.len >= SELFMAG && !memcmp(b.p, ELFMAG, SELFMAG);
}

static bool is_bzimage(struct bytes b)
{
	return b.len >= SETUP_VERSION && read_le(b.p + SETUP_BOOT_FLAG, 2) == 0xaa55 &&
	       !memcmp(b.p + SETUP_MAGIC, "HdrS", 4);
}

/* Narrows b to the bzImage's payload. */
static int enter_bzimage(struct kernel_image *img, struct bytes *b)
{
	uint64_t start, len;
	unsigned int sects, version;

	if (b->len < SETUP_END)
		return kernel_refuse(img, -EINVAL, "the bzImage is truncated within its header");
	version = read_le(b->p + SETUP_VERSION, 2);
	if (version < PAYLOAD_VERSION)
		return kernel_refuse(img, -EOPNOTSUPP,
				     "the bzImage's boot protocol is %u.%02u, older than 2.08",
				     version >> 8, version & 0xff);
	sects = b->p[SETUP_SECTS] ? b->p[SETUP_SECTS] : 4;
	start = (sects + 1) * 512 + (uint64_t)read_le(b->p + SETUP_PAYLOAD_OFFSET, 4);
	len = read_le(b->p + SETUP_PAYLOAD_LENGTH, 4);
	if (!len)
		return kernel_refuse(img, -EINVAL, "the bzImage holds no kernel");
	if (start + len > b->len)
		return kernel_refuse(img, -EINVAL,
				     "the bzImage is truncated: %zu bytes of at least %lu", b->len,
				     (unsigned long)(start + len));
	img->bzimage = true;
	b->p += start;
	b->len = len;
	return 0;
}

/*
 * Replaces b by what it decompresses to. Linux's build ends a payload with its uncompressed size
 * in four bytes, which gzip has of its own and which for the others is no part of the stream.
 */
static int enter_compressed(struct kernel_image *img, struct bytes *b, void *(*alloc)(size_t bytes))
{
	const char *why;
	size_t in_len = b->len, size, produced;
	void *buf;
	int rc;

	img->compression = decompress_format(b->p, b->len);
	if (!img->bzimage) {
		size = decompress_bound(b->p, b->len);
	} else if (b->len < 5) {
		return kernel_refuse(img, -EINVAL, "the bzImage's payload is too short");
	} else {
		size = read_le(b->p + b->len - 4, 4);
		if (strcmp(img->compression, "gzip"))
			in_len -= 4;
	}
	if (size > ELF_SIZE_MAX)
		return kernel_refuse(img, -EINVAL,
				     "the compressed kernel is damaged: it claims %zu bytes", size);
	/* Size 0: unknown, or of no use; let decompress() name the reason. */
	buf = size ? alloc(size) : NULL;
	if (size && !buf)
		return kernel_refuse(img, -ENOMEM, "no memory for the decompressed kernel: %zu KiB",
				     size >> 10);
	rc = decompress(b->p, in_len, buf, size, &produced, &why);
	if (rc)
		return kernel_refuse(img, rc, "the kernel cannot be decompressed: %s", why);
	if (img->bzimage && produced != size)
		return kernel_refuse(img, -EINVAL,
				     "the kernel decompresses to %zu bytes instead of %zu",
				     produced, size);
	b->p = buf;
	b->len = produced;
	return 0;
}

int kernel_image_open(struct kernel_image *img, const void *module, size_t size,
		      void *(*alloc)(size_t bytes))
{
	struct bytes b = {module, size};
	int rc = 0;

	memset(img, 0, sizeof(*img));
	if (!size)
		return kernel_refuse(img, -EINVAL, "the kernel is empty");
	if (is_bzimage(b))
		rc = enter_bzimage(img, &b);
	if (!rc && !is_elf(b) && decompress_format(b.p, b.len))
		rc = enter_compressed(img, &b, alloc);
	if (rc)
		return rc;
	if (!is_elf(b))
		return kernel_refuse(img, -EINVAL,
				     img->bzimage || img->compression
					     ? "what the kernel decompresses to is no ELF image"
					     : "neither an ELF image nor a bzImage nor compressed");
	img->elf = b.p;
	img->elf_size = b.len;
	return kernel_elf_parse(img);
}

int kernel_image_load(const struct kernel_image *img,
		      int (*copy)(void *ctx, uint64_t virt, const void *data, size_t len),
		      int (*zero)(void *ctx, uint64_t virt, size_t len), void *ctx)
{
	for (unsigned int i = 0; i < img->nr_segments; i++) {
		const struct kernel_segment *s = &img->segment[i];
		int rc = 0;

		if (s->file_size)
			rc = copy(ctx, s->virt, s->data, s->file_size);
		if (!rc && s->mem_size > s->file_size)
			rc = zero(ctx, s->virt + s->file_size, s->mem_size - s->file_size);
		if (rc)
			return rc;
	}
	return 0;
}
