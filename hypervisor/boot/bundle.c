/* SPDX-License-Identifier: MIT */
/*
 * A bundle: one module, for loaders that pass no more, that is a cpio archive ("newc", Linux: Documentation/driver-api/early-userspace/
 * buffer-format.rst) of domain 0's files `kernel`, `initrd` and `cmdline`. The first becomes the first module, with the third as
 * its command line; the second, which may be missing, the second. Nothing is copied but the command line.
 *
 * Reads nothing beyond the module, whatever it holds.
 */
#include "boot/boot_info.h"
#include "lib/string.h"
#include "x86/page.h"

struct cpio_header {
	char magic[6], field[13][8];
};
enum { FIELD_FILE_SIZE = 6, FIELD_NAME_SIZE = 11 };
_Static_assert(sizeof(struct cpio_header) == 110, "cpio header");

struct bundle_file {
	const char *name;
	uint64_t at, size; /* in the module; at 0: not there */
};

/* Eight hexadecimal digits; others count as some number, which is checked as any other. */
static uint64_t __init hex8(const char *s)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < 8; i++)
		v = v << 4 | (((uint8_t)s[i] & 0xf) + (s[i] >= 'A' ? 9u : 0u));
	return v;
}

static void __init file_found(struct bundle_file *files, const char *name, size_t len, uint64_t at,
			      uint64_t size)
{
	if (len > 2 && name[0] == '.' && name[1] == '/') {
		name += 2;
		len -= 2;
	}
	for (struct bundle_file *f = files; f->name; f++)
		if (len == strlen(f->name) && !memcmp(name, f->name, len)) {
			f->at = at;
			f->size = size;
		}
}

/* False if it is cut off or none. Names count their final zero byte. */
static bool __init archive_read(const char *p, uint64_t size, struct bundle_file *files)
{
	uint64_t at = 0;

	while (size - at >= sizeof(struct cpio_header)) {
		const struct cpio_header *h = (const void *)(p + at);
		uint64_t len = hex8(h->field[FIELD_NAME_SIZE]), n = hex8(h->field[FIELD_FILE_SIZE]);
		uint64_t name = at + sizeof(*h), data = ROUND_UP(name + len, 4UL);

		if (memcmp(h->magic, "07070", 5) || !len || data > size || n > size - data)
			return false;
		if (len == sizeof("TRAILER!!!") && !memcmp(p + name, "TRAILER!!!", len))
			return true;
		file_found(files, p + name, len - 1, data, n);
		at = min(ROUND_UP(data + n, 4UL), size);
	}
	return false;
}

static void __init cmdline_set(char *to, const char *text, uint64_t len)
{
	len = min(len, (uint64_t)MAX_CMDLINE - 1);
	memcpy(to, text, len);
	while (len && (uint8_t)to[len - 1] <= ' ')
		len--;
	to[len] = '\0';
}

const char *__init bundle_open(struct boot_info *bi)
{
	struct bundle_file files[] = {
		{.name = "kernel"}, {.name = "initrd"}, {.name = "cmdline"}, {}};
	const struct bundle_file *kernel = &files[0], *initrd = &files[1], *cmdline = &files[2];
	struct boot_module *m = bi->modules;
	paddr_t start = m->start;
	const char *p = maddr_to_virt(start);

	if (bi->nr_modules != 1 || m->end - start < 6 || memcmp(p, "07070", 5))
		return NULL;
	if (!archive_read(p, m->end - start, files))
		return "the bundle is damaged or cut off";
	if (!kernel->size)
		return "the bundle (a cpio archive as the only module) has no file 'kernel'";
	m[0].start = start + kernel->at;
	m[0].end = m[0].start + kernel->size;
	if (cmdline->at)
		cmdline_set(m[0].cmdline, p + cmdline->at, cmdline->size);
	if (initrd->size) {
		m[1].start = start + initrd->at;
		m[1].end = m[1].start + initrd->size;
		bi->nr_modules = 2;
	}
	return NULL;
}
