/* SPDX-License-Identifier: MIT */
/* links: lib/builder/image.c lib/builder/elf.c lib/builder/notes.c lib/builder/unpack.c lib/builder/cache.c lib/builder/layout.c */
/* links: lib/base/error.c lib/base/text.c lib/base/file.c */
/* libs: -lz -llzma -lbz2 -llz4 -lzstd */
/*
 * Kernel images, good and bad: ELF headers, segments and notes, bzImages, every packing, the cache; and the page tables that are made
 * for them, walked by an oracle. Images are made here, small, and then damaged at every place.
 */
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/builder/guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <bzlib.h>
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <lz4.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/elfnote.h>
#include <zlib.h>
#include <zstd.h>

static char folder[] = "/tmp/test_builder_XXXXXX", path[64], cache[64];

/* --- Making images --- */

enum { TEXT = 0x1000, TEXT_BYTES = 0x2345, FILE_BYTES = TEXT + TEXT_BYTES, BASE = 0x400000 };

struct sample {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[3];
	uint8_t notes[512];
} __attribute__((packed));

static void note_add(struct sample *s, uint32_t type, const void *value, uint32_t len)
{
	uint8_t *p = s->notes + s->ph[0].p_filesz;
	Elf64_Nhdr nh = {4, len, type};

	memcpy(p, &nh, sizeof(nh));
	memcpy(p + sizeof(nh), "Xen", 4);
	memcpy(p + sizeof(nh) + 4, value, len);
	s->ph[0].p_filesz += sizeof(nh) + 4 + ((len + 3) & ~3u);
	s->ph[0].p_memsz = s->ph[0].p_filesz;
}

static void note_number(struct sample *s, uint32_t type, uint64_t value)
{
	note_add(s, type, &value, sizeof(value));
}

static struct sample *sample_make(void)
{
	struct sample *s = xcalloc(1, FILE_BYTES);

	memcpy(s->eh.e_ident, ELFMAG, SELFMAG);
	s->eh.e_ident[EI_CLASS] = ELFCLASS64;
	s->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	s->eh.e_ident[EI_VERSION] = EV_CURRENT;
	s->eh.e_type = ET_EXEC;
	s->eh.e_machine = EM_X86_64;
	s->eh.e_entry = BASE + 0x10;
	s->eh.e_phoff = offsetof(struct sample, ph);
	s->eh.e_phnum = 3;
	s->eh.e_phentsize = sizeof(Elf64_Phdr);
	s->ph[0] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = offsetof(struct sample, notes)};
	s->ph[1] = (Elf64_Phdr){.p_type = PT_LOAD,
				.p_offset = TEXT,
				.p_paddr = BASE,
				.p_filesz = TEXT_BYTES,
				.p_memsz = 0x5000};
	s->ph[2] = (Elf64_Phdr){.p_type = PT_LOAD,
				.p_offset = TEXT,
				.p_paddr = BASE + 0x8000,
				.p_filesz = 16,
				.p_memsz = 16};
	note_number(s, XEN_ELFNOTE_VIRT_BASE, BASE);
	note_number(s, XEN_ELFNOTE_PADDR_OFFSET, BASE);
	note_number(s, XEN_ELFNOTE_HYPERCALL_PAGE, BASE + 0x2000);
	note_add(s, XEN_ELFNOTE_GUEST_OS, "sample", 7);
	note_add(s, XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 8);
	note_add(s, XEN_ELFNOTE_FEATURES, "!writable_page_tables|other", 28);
	for (int i = 0; i < TEXT_BYTES; i++)
		((uint8_t *)s)[TEXT + i] = (uint8_t)(i * 7 + i / 256);
	return s;
}

static void file_write(const void *data, size_t len)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static int load(struct image *img, const void *data, size_t len, struct error *e)
{
	file_write(data, len);
	return image_load(img, path, NULL, e);
}

static void refused(const void *data, size_t len, const char *why)
{
	struct image img;
	struct error e;

	assert_int_equal(load(&img, data, len, &e), -1);
	if (!strstr(e.text, why))
		fail_msg("'%s' does not say '%s'", e.text, why);
}

static void check_sample(const struct image *img)
{
	assert_int_equal(img->nr_segments, 2);
	assert_int_equal(img->segment[0].virt, BASE);
	assert_int_equal(img->segment[0].file_size, TEXT_BYTES);
	assert_int_equal(img->segment[0].data[100], (uint8_t)700);
	assert_int_equal(img->segment[1].virt, BASE + 0x8000);
	assert_int_equal(img->virt_end, BASE + 0x8010);
	assert_int_equal(img->entry, BASE + 0x10);
	assert_string_equal(img->xen_version, "xen-3.0");
	assert_true(img->init_p2m == IMAGE_NO_ADDRESS);
}

/* --- ELF --- */

static void test_elf(void **state)
{
	struct sample *s = sample_make();
	struct image img;

	assert_int_equal(load(&img, s, FILE_BYTES, NULL), 0);
	check_sample(&img);
	image_free(&img);
	free(s);
}

/* One change each, and what is said about it. */
static void test_elf_bad(void **state)
{
	static const struct {
		size_t offset;
		uint64_t value;
		unsigned int size;
		const char *why;
	} damage[] = {
#define FIELD(f, v, why) {offsetof(struct sample, f), v, sizeof(((struct sample *)0)->f), why}
		FIELD(eh.e_ident[0], 0, "no ELF image"),
		FIELD(eh.e_ident[EI_CLASS], ELFCLASS32, "32-bit (PAE)"),
		FIELD(eh.e_machine, EM_AARCH64, "not for x86-64"),
		FIELD(eh.e_type, ET_REL, "no executable"),
		FIELD(eh.e_phentsize, 1, "malformed"),
		FIELD(eh.e_phnum, 0, "malformed"),
		FIELD(eh.e_phnum, 0xffff, "cut short"),
		FIELD(eh.e_phoff, UINT64_MAX - 8, "cut short"),
		FIELD(eh.e_entry, BASE + 0x6000, "entry point"),
		FIELD(ph[0].p_filesz, UINT64_MAX, "notes lie behind"),
		FIELD(ph[0].p_filesz, 20, "notes reach behind"),
		FIELD(ph[0].p_type, PT_NULL, "no Xen notes"),
		FIELD(ph[1].p_offset, UINT64_MAX - 1, "cut short"),
		FIELD(ph[1].p_filesz, 0x6000, "cut short"),
		FIELD(ph[1].p_memsz, 1, "larger in the file"),
		FIELD(ph[1].p_memsz, UINT64_MAX, "lies outside"),
		FIELD(ph[1].p_memsz, 0x9000, "overlap"),
		FIELD(ph[1].p_paddr, 0, "lies outside"),
		FIELD(ph[2].p_memsz, UINT64_MAX - BASE, "lies outside"),
	};

	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		struct sample *s = sample_make();

		memcpy((char *)s + damage[i].offset, &damage[i].value, damage[i].size);
		refused(s, FILE_BYTES, damage[i].why);
		free(s);
	}
}

static void test_notes_bad(void **state)
{
	static const struct {
		uint32_t type;
		const char *value;
		uint32_t len;
		const char *why;
	} bad[] = {
		{XEN_ELFNOTE_VIRT_BASE, "abc", 3, "note 3 has 3 bytes"},
		{XEN_ELFNOTE_VIRT_BASE, "abcdefghijklmnop", 16, "note 3 has 16 bytes"},
		{XEN_ELFNOTE_VIRT_BASE, "", 0, "note 3 has 0 bytes"},
		{XEN_ELFNOTE_VIRT_BASE, "\1\0\x40\0\0\0\0", 8, "its base 0x400001"},
		{XEN_ELFNOTE_HYPERCALL_PAGE, "\0\x50\x40\0", 4, "hypercall page"},
		{XEN_ELFNOTE_HYPERCALL_PAGE, "\1\x10\x40\0", 4, "hypercall page"},
		{XEN_ELFNOTE_INIT_P2M, "\1\x10\x40\0", 4, "not page-aligned"},
		{XEN_ELFNOTE_XEN_VERSION, "xen-9", 6, "xen-9"},
		{XEN_ELFNOTE_LOADER, "mine", 5, "loader 'mine'"},
		{XEN_ELFNOTE_FEATURES, "a|!dom0|b", 10, "'dom0'"},
		{XEN_ELFNOTE_FEATURES, "!auto_translated_physmap", 24, "auto_translated"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sample *s = sample_make();

		note_add(s, bad[i].type, bad[i].value, bad[i].len);
		refused(s, FILE_BYTES, bad[i].why);
		free(s);
	}
}

/* Texts of any length, with or without an end, stay inside their fields. */
static void test_notes_long(void **state)
{
	struct sample *s = sample_make();
	struct image img;
	char text[64];

	note_add(s, XEN_ELFNOTE_MOD_START_PFN, "\5\0\0", 4);
	assert_int_equal(load(&img, s, FILE_BYTES, NULL), 0);
	assert_int_equal(img.mod_start_pfn, 5);
	image_free(&img);
	memset(text, 'x', sizeof(text));
	note_add(s, XEN_ELFNOTE_LOADER, text, sizeof(text));
	refused(s, FILE_BYTES, "loader 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'");
	free(s);
}

/* Every truncation, and every byte of the headers wrong: never more than an error. */
static void test_elf_damaged(void **state)
{
	struct sample *s = sample_make();
	struct image img;

	for (size_t len = 1; len < FILE_BYTES; len += len < 700 ? 7 : 501)
		assert_int_equal(load(&img, s, len, NULL), -1);
	for (size_t i = 0; i < sizeof(*s); i++) {
		uint8_t *p = (uint8_t *)s + i, was = *p;

		*p ^= (uint8_t)(i * 37 | 0x80);
		if (!load(&img, s, FILE_BYTES, NULL))
			image_free(&img);
		*p = was;
	}
	free(s);
}

static void test_files_bad(void **state)
{
	struct image img;
	struct error e;
	int fd;

	refused("", 0, "empty");
	refused("hello, world", 12, "no ELF image");
	assert_int_equal(image_load(&img, "/nonexistent/x", NULL, &e), -1);
	assert_int_equal(e.class, ERROR_NOT_FOUND);
	assert_int_equal(image_load(&img, folder, NULL, &e), -1);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	assert_int_equal(ftruncate(fd, (off_t)IMAGE_LIMIT + 1), 0);
	close(fd);
	assert_int_equal(image_load(&img, path, NULL, &e), -1);
	assert_non_null(strstr(e.text, "256 MiB"));
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(image_load(&img, path, NULL, &e), -1);
	unlink(path);
}

/* --- Packings --- */

static size_t pack(const char *how, const void *in, size_t len, uint8_t *out, size_t size)
{
	size_t n = 0;

	if (!strcmp(how, "gzip")) {
		z_stream z = {.next_in = (void *)in, .avail_in = (uInt)len};

		deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY);
		z.next_out = out;
		z.avail_out = (uInt)size;
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		n = z.total_out;
		deflateEnd(&z);
	} else if (!strcmp(how, "xz")) {
		assert_int_equal(
			lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, in, len, out, &n, size),
			LZMA_OK);
	} else if (!strcmp(how, "lzma")) {
		lzma_stream z = LZMA_STREAM_INIT;
		lzma_options_lzma o;

		lzma_lzma_preset(&o, 6);
		assert_int_equal(lzma_alone_encoder(&z, &o), LZMA_OK);
		z.next_in = in;
		z.avail_in = len;
		z.next_out = out;
		z.avail_out = size;
		assert_int_equal(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
		n = z.total_out;
		lzma_end(&z);
	} else if (!strcmp(how, "bzip2")) {
		unsigned int m = (unsigned int)size;

		assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out, &m, (char *)in,
							  (unsigned int)len, 9, 0, 0),
				 BZ_OK);
		n = m;
	} else if (!strcmp(how, "lz4")) {
		memcpy(out, "\x02\x21\x4c\x18", 4);
		for (n = 4; len;) {
			size_t piece = len < 8 << 20 ? len : 8 << 20;
			int m = LZ4_compress_default(in, (char *)out + n + 4, (int)piece,
						     (int)(size - n - 4));

			assert_true(m > 0);
			memcpy(out + n, &m, 4);
			n += 4 + (size_t)m;
			in = (const char *)in + piece;
			len -= piece;
		}
	} else if (!strcmp(how, "zstd")) {
		n = ZSTD_compress(out, size, in, len, 3);
		assert_false(ZSTD_isError(n));
	}
	return n;
}

static const char *const hows[] = {"gzip", "xz", "lzma", "bzip2", "lz4", "zstd"};
enum { HOWS = sizeof(hows) / sizeof(hows[0]) };

/* A bzImage of boot protocol 2.13 around a payload, which Linux ends with its unpacked size. */
static size_t bzimage(const char *how, uint8_t *out, size_t size)
{
	struct sample *s = sample_make();
	uint32_t start = 5 * 512, head = 64, len, raw = FILE_BYTES;

	memset(out, 0, size);
	len = (uint32_t)pack(how, s, FILE_BYTES, out + start + head, size - start - head - 4);
	memcpy(out + start + head + len, &raw, 4);
	len += 4;
	out[0x1f1] = 4;
	memcpy(out + 0x1fe, "\x55\xaa", 2);
	memcpy(out + 0x202, "HdrS\x0d\x02", 6);
	memcpy(out + 0x248, &head, 4);
	memcpy(out + 0x24c, &len, 4);
	free(s);
	return start + head + len;
}

static void test_packings(void **state)
{
	uint8_t *out = xmalloc(65536);
	struct sample *s = sample_make();
	struct image img;

	for (int i = 0; i < HOWS; i++) {
		assert_int_equal(load(&img, out, bzimage(hows[i], out, 65536), NULL), 0);
		check_sample(&img);
		image_free(&img);
		assert_int_equal(load(&img, out, pack(hows[i], s, FILE_BYTES, out, 65536), NULL),
				 0);
		check_sample(&img);
		image_free(&img);
	}
	free(s);
	free(out);
}

static void test_packings_damaged(void **state)
{
	uint8_t *out = xmalloc(65536);
	struct image img;

	for (int i = 0; i < HOWS; i++) {
		size_t len = bzimage(hows[i], out, 65536);

		refused(out, len - 40, "cut short");
		for (size_t at = 5 * 512 + 64; at < len; at += 97) {
			out[at] ^= 0x55;
			if (!load(&img, out, len, NULL))
				image_free(&img);
			out[at] ^= 0x55;
		}
		/* Cut within the stream, its length field right. */
		for (uint32_t cut = 1; cut < len - 5 * 512 - 64; cut += 173) {
			memcpy(out + 0x24c, &cut, 4);
			assert_int_equal(load(&img, out, len, NULL), -1);
		}
	}
	free(out);
}

static void test_bzimage_bad(void **state)
{
	uint8_t *out = xmalloc(65536);
	size_t len = bzimage("gzip", out, 65536);

	out[0x207] = 1;
	refused(out, len, "older than 2.08");
	out[0x207] = 2;
	memset(out + 0x24c, 0, 4);
	refused(out, len, "cut short");
	memset(out + 0x248, 0xff, 8);
	refused(out, len, "cut short");
	free(out);
}

/* 300 MiB of zeros in a few KiB, each way of packing. */
static void test_bombs(void **state)
{
	size_t size = 8 << 20, zeros = 300ul << 20;
	uint8_t *out = xmalloc(size);
	void *in = mmap(NULL, zeros, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	for (int i = 0; i < HOWS; i++)
		if (strcmp(hows[i], "lzma") && strcmp(hows[i], "xz"))
			refused(out, pack(hows[i], in, zeros, out, size),
				"more than is reasonable");
	munmap(in, zeros);
	free(out);
}

/* --- The cache --- */

static unsigned int cache_entries(char *name)
{
	DIR *dir = opendir(cache);
	unsigned int n = 0;

	for (struct dirent *de; dir && (de = readdir(dir));)
		if (*de->d_name != '.') {
			n++;
			sprintf(name, "%s/%s", cache, de->d_name);
		}
	if (dir)
		closedir(dir);
	return n;
}

static bool load_cached(void)
{
	struct image img;
	bool from_cache;

	assert_int_equal(image_load(&img, path, cache, NULL), 0);
	check_sample(&img);
	from_cache = img.from_cache;
	image_free(&img);
	return from_cache;
}

static void test_cache(void **state)
{
	uint8_t *out = xmalloc(65536), byte;
	char name[sizeof(cache) + 256];
	struct stat st;
	int fd;

	file_write(out, bzimage("zstd", out, 65536));
	assert_false(load_cached());
	assert_int_equal(cache_entries(name), 1);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(load_cached());
	/* Damage anywhere, a wrong length, a foreign file: unpacked again, and replaced. */
	for (off_t at = 0; at < st.st_size; at += at < 128 ? 8 : 1999) {
		/* Between the header and the image nothing is looked at. */
		if (at >= 88 && at < 4096)
			continue;
		fd = open(name, O_RDWR);
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		close(fd);
		assert_false(load_cached());
		assert_true(load_cached());
	}
	assert_int_equal(truncate(name, st.st_size - 1), 0);
	assert_false(load_cached());
	assert_int_equal(truncate(name, 100), 0);
	assert_false(load_cached());
	assert_int_equal(chmod(name, 0666), 0);
	assert_false(load_cached());
	assert_true(load_cached());
	/* Another source at the same place. */
	file_write(out, bzimage("gzip", out, 65536));
	assert_false(load_cached());
	assert_true(load_cached());
	assert_int_equal(cache_entries(name), 2);
	free(out);
}

static void test_cache_bounded(void **state)
{
	char name[sizeof(cache) + 256], old[sizeof(cache) + 16];
	uint8_t *out = xmalloc(65536);
	struct timespec past[2] = {{1000, 0}, {1000, 0}};
	int fd;

	snprintf(old, sizeof(old), "%s/old", cache);
	assert_int_equal(folder_make(cache, 0700, NULL), 0);
	fd = open(old, O_CREAT | O_RDWR, 0600);
	assert_int_equal(ftruncate(fd, IMAGE_CACHE_LIMIT - 10000), 0);
	assert_int_equal(futimens(fd, past), 0);
	close(fd);
	file_write(out, bzimage("xz", out, 65536));
	assert_false(load_cached());
	assert_int_equal(access(old, F_OK), -1);
	assert_true(load_cached());
	assert_true(cache_entries(name) >= 1);
	/* What is no use as a folder costs the cache, not the kernel. */
	image_free(&(struct image){0});
	snprintf(name, sizeof(name), "%s/x/y", path);
	assert_int_equal(image_load(&(struct image){0}, path, name, NULL), 0);
	free(out);
}

/* --- Layout and page tables --- */

struct walk {
	const struct guest_layout *l;
	uint64_t *tables; /* with the frame list's behind them */
	xen_pfn_t *frames;
	uint64_t nr;
};

static uint64_t *table_of_frame(const struct walk *w, uint64_t mfn)
{
	for (uint64_t i = 0; i < w->l->tables.nr; i++)
		if (w->frames[w->l->tables.pfn + i] == mfn)
			return w->tables + i * 512;
	for (uint64_t i = 0; i < w->l->p2m_tables.nr; i++)
		if (w->frames[w->l->p2m_tables.pfn + i] == mfn)
			return w->tables + (w->l->tables.nr + i) * 512;
	return NULL;
}

/* The entry that maps @va, or 0. */
static uint64_t walk(const struct walk *w, uint64_t va)
{
	uint64_t *t = w->tables, entry = 0;

	for (int shift = 39; t && shift >= 12; shift -= 9) {
		entry = t[va >> shift & 511];
		if (!(entry & 1))
			return 0;
		t = shift > 12 ? table_of_frame(w, entry >> 12) : NULL;
		if (shift > 12 && !t)
			return 0;
	}
	return entry;
}

static void check_tables(struct image *img, uint64_t nr_pages, uint64_t ramdisk)
{
	struct guest_layout l = {.ramdisk_bytes = ramdisk};
	struct walk w = {.l = &l};
	struct error e;

	if (layout_make(&l, img, nr_pages, &e))
		fail_msg("%s", e.text);
	assert_true(l.linear_pages <= nr_pages && l.linear_pages % 1024 == 0);
	assert_true(l.linear_pages - l.stack_pfn > 128);
	w.frames = xmalloc(nr_pages * sizeof(*w.frames));
	for (uint64_t i = 0; i < nr_pages; i++)
		w.frames[i] = 0x100000 + (i * 7919) % nr_pages;
	w.tables = xcalloc(l.tables.nr + l.p2m_tables.nr, 4096);
	layout_map(&l, img, w.frames, w.tables);
	for (uint64_t pfn = 0; pfn < l.linear_pages; pfn++) {
		bool table = pfn >= l.tables.pfn && pfn < l.tables.pfn + l.tables.nr;

		assert_int_equal(walk(&w, layout_va(img, pfn)),
				 w.frames[pfn] << 12 | (table ? 0x25 : 0x67));
	}
	for (uint64_t i = 0; i < l.p2m_pages; i++)
		assert_int_equal(walk(&w, l.p2m_va + (i << 12)) >> 12, w.frames[l.p2m_pfn + i]);
	assert_int_equal(walk(&w, layout_va(img, l.linear_pages)), 0);
	free(w.frames);
	free(w.tables);
}

static void test_layout(void **state)
{
	struct image img = {.virt_base = BASE, .virt_end = BASE + 0x5000};

	img.init_p2m = IMAGE_NO_ADDRESS;
	check_tables(&img, 1024, 0);
	check_tables(&img, 20011, 5000000);
	img.virt_base = 0xffffffff80000000;
	img.virt_end = 0xffffffff80000000 + (37 << 20) + 1;
	check_tables(&img, 32768, 12345);
	img.init_p2m = 0x8000000000;
	img.mod_start_pfn = 1;
	check_tables(&img, 32768, 12345);
	/* A list of frames that shares upper tables with the kernel, below and above it. */
	img.init_p2m = 0xfffffffff0000000;
	check_tables(&img, 32768, 0);
	img.init_p2m = 0xffffffff70000000 - 0x1000;
	check_tables(&img, 32768, 0);
}

static void layout_refused(uint64_t base, uint64_t end, uint64_t p2m, uint64_t pages,
			   const char *why)
{
	struct image img = {.virt_base = base, .virt_end = end, .init_p2m = p2m};
	struct guest_layout l = {0};
	struct error e;

	assert_int_equal(layout_make(&l, &img, pages, &e), -1);
	if (!strstr(e.text, why))
		fail_msg("'%s' does not say '%s'", e.text, why);
}

static void test_layout_bad(void **state)
{
	const uint64_t none = IMAGE_NO_ADDRESS, top = 0xfffffffffffff000;

	layout_refused(BASE, BASE + 0x5000, none, 1023, "too small");
	layout_refused(0, UINT64_MAX, none, 1ull << 36, "too small");
	layout_refused(BASE, BASE + (1ull << 40), none, 2048, "too small");
	layout_refused(top, UINT64_MAX, none, 2048, "not free");
	layout_refused(top - (4 << 20), top, none, 2048, "not free");
	layout_refused(0xffff800000000000, 0xffff800000001000, none, 2048, "not free");
	layout_refused(0x00007fffffffe000, 0x00007ffffffff000, none, 2048, "not free");
	layout_refused(BASE, BASE + 0x5000, BASE + 0x6000, 4096, "not free");
	layout_refused(BASE, BASE + 0x5000, BASE - 0x1000, 4096, "not free");
	layout_refused(BASE, BASE + 0x5000, top, 4096, "no guest's address");
	layout_refused(BASE, BASE + 0x5000, 0xffff800000000000, 4096, "no guest's address");
}

static int begin(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/kernel", folder);
	snprintf(cache, sizeof(cache), "%s/a/cache", folder);
	return 0;
}

static int end(void **state)
{
	char name[sizeof(cache) + 256];

	while (cache_entries(name))
		unlink(name);
	rmdir(cache);
	*strrchr(cache, '/') = '\0';
	rmdir(cache);
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf),	    cmocka_unit_test(test_elf_bad),
		cmocka_unit_test(test_notes_bad),   cmocka_unit_test(test_notes_long),
		cmocka_unit_test(test_elf_damaged), cmocka_unit_test(test_files_bad),
		cmocka_unit_test(test_packings),    cmocka_unit_test(test_packings_damaged),
		cmocka_unit_test(test_bzimage_bad), cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_cache),	    cmocka_unit_test(test_cache_bounded),
		cmocka_unit_test(test_layout),	    cmocka_unit_test(test_layout_bad),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
