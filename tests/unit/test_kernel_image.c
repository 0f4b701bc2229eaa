/* SPDX-License-Identifier: MIT */
/*
 * boot/kernel_image.c: an ELF image made here, bent in one way at a time, each with the refusal
 * it must meet; the same image inside gzip data and bzImages; and Debian's real kernels where the
 * build has fetched them (build/debian), else those tests are skipped.
 */
#include "unit.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/elf.h"
#include "boot/kernel_image.h"

#define BASE 0xffffffff80000000ul
#define TEXT 0x1000000ul

/*
 * --- An image to bend
 * ---------------------------------------------------------------------------
 */

struct file {
	struct elf64_ehdr eh;
	struct elf64_phdr ph[4];
	struct elf64_shdr sh[4];
	char names[64];
	char guest[256]; /* contents of the __xen_guest section */
	uint8_t notes[1024];
	uint8_t text[0x2000];
	uint8_t data[0x500];
};

static struct file f;
static size_t notes_len;
static struct kernel_image img;
static void *allocated;
static bool no_memory;

static void *test_alloc(size_t bytes)
{
	assert_null(allocated);
	return no_memory ? NULL : (allocated = malloc(bytes));
}

static void add_note(const char *owner, uint32_t type, const void *value, size_t len)
{
	struct elf64_nhdr nh = {strlen(owner) + 1, len, type};
	uint8_t *p = f.notes + notes_len;

	memcpy(p, &nh, sizeof(nh));
	strcpy((char *)p + sizeof(nh), owner);
	p += sizeof(nh) + ROUND_UP(nh.n_namesz, 4);
	memcpy(p, value, len);
	notes_len = p + ROUND_UP(len, 4) - f.notes;
	f.ph[2].p_filesz = f.sh[1].sh_size = notes_len;
}

static void add_number(uint32_t type, uint64_t value)
{
	add_note("Xen", type, &value, sizeof(value));
}

static void add_text(uint32_t type, const char *value)
{
	add_note("Xen", type, value, strlen(value) + 1);
}

static void make_headers(void)
{
	memset(&f, 0, sizeof(f));
	notes_len = 0;
	memcpy(f.eh.e_ident, "\177ELF\2\1\1", 7);
	f.eh = (struct elf64_ehdr){.e_type = ET_EXEC,
				   .e_machine = EM_X86_64,
				   .e_entry = BASE + TEXT,
				   .e_phoff = offsetof(struct file, ph),
				   .e_phentsize = sizeof(f.ph[0]),
				   .e_phnum = 3,
				   .e_shoff = offsetof(struct file, sh),
				   .e_shentsize = sizeof(f.sh[0]),
				   .e_shnum = 4,
				   .e_shstrndx = 3};
	memcpy(f.eh.e_ident, "\177ELF\2\1\1", 7);
	/* Written in descending order: they must come out ascending. */
	f.ph[0] = (struct elf64_phdr){.p_type = PT_LOAD,
				      .p_offset = offsetof(struct file, data),
				      .p_paddr = TEXT + 0x2000,
				      .p_filesz = 0x500,
				      .p_memsz = 0x3000};
	f.ph[1] = (struct elf64_phdr){.p_type = PT_LOAD,
				      .p_offset = offsetof(struct file, text),
				      .p_vaddr = BASE + TEXT,
				      .p_paddr = TEXT,
				      .p_filesz = 0x2000,
				      .p_memsz = 0x2000};
	f.ph[2] = (struct elf64_phdr){.p_type = PT_NOTE, .p_offset = offsetof(struct file, notes)};
}

static void make_sections(void)
{
	memcpy(f.names, "\0.notes\0__xen_guest\0.shstrtab", 30);
	f.sh[1] = (struct elf64_shdr){
		.sh_name = 1, .sh_type = SHT_NOTE, .sh_offset = offsetof(struct file, notes)};
	f.sh[2] = (struct elf64_shdr){
		.sh_name = 8, .sh_type = SHT_PROGBITS, .sh_offset = offsetof(struct file, guest)};
	f.sh[3] = (struct elf64_shdr){.sh_name = 20,
				      .sh_type = 3,
				      .sh_offset = offsetof(struct file, names),
				      .sh_size = sizeof(f.names)};
}

static void make_file(void)
{
	make_headers();
	make_sections();
	for (size_t i = 0; i < sizeof(f.text); i++)
		f.text[i] = i * 5;
	memset(f.data, 0xda, sizeof(f.data));
	add_text(XEN_ELFNOTE_GUEST_OS, "linux");
	add_text(XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	add_number(XEN_ELFNOTE_VIRT_BASE, BASE);
	add_number(XEN_ELFNOTE_PADDR_OFFSET, 0);
	add_number(XEN_ELFNOTE_HYPERCALL_PAGE, BASE + TEXT + 0x1000);
}

static bool open_bytes(const void *p, size_t len)
{
	uint8_t *exact = malloc(len);
	bool ok;

	free(allocated);
	allocated = NULL;
	memcpy(exact, p, len);
	ok = kernel_image_open(&img, exact, len, test_alloc);
	assert_int_equal(ok, img.why[0] == 0);
	free(exact);
	return ok;
}

static bool open_file(void)
{
	return open_bytes(&f, sizeof(f));
}

/* These bytes must be refused with these words. */
static void bytes_refused(const void *p, size_t len, const char *words)
{
	if (open_bytes(p, len) || !strstr(img.why, words))
		fail_msg("'%s' expected, got '%s'", words, img.why);
}

/* The image as it now stands must be refused with these words; a fresh one is made afterwards. */
static void refused(const char *words)
{
	bytes_refused(&f, sizeof(f), words);
	make_file();
}

/*
 * --- Tests
 * --------------------------------------------------------------------------------------
 */

static void check_segment(const struct kernel_segment *s, uint64_t virt, const void *data,
			  uint64_t file_size, uint64_t mem_size)
{
	assert_int_equal(s->virt, virt);
	assert_ptr_equal(s->data, data);
	assert_int_equal(s->file_size, file_size);
	assert_int_equal(s->mem_size, mem_size);
}

static void test_plain(void **state)
{
	(void)state;
	make_file();
	/* Segment data points into the module, which therefore must still be there. */
	assert_true(kernel_image_open(&img, &f, sizeof(f), test_alloc));
	assert_int_equal(img.nr_segments, 2);
	assert_int_equal(img.virt_start, BASE + TEXT);
	assert_int_equal(img.virt_end, BASE + TEXT + 0x5000);
	assert_int_equal(img.entry, BASE + TEXT);
	assert_int_equal(img.hypercall_page, BASE + TEXT + 0x1000);
	assert_int_equal(img.init_p2m, KERNEL_NO_ADDRESS);
	assert_string_equal(img.guest_os, "linux");
	assert_false(img.bzimage);
	assert_null(img.compression);
	check_segment(&img.segment[0], BASE + TEXT, f.text, 0x2000, 0x2000);
	check_segment(&img.segment[1], BASE + TEXT + 0x2000, f.data, 0x500, 0x3000);
}

/* What nobody reads. */
#define SKIPPED_NOTES                                                                      \
	(1 << XEN_ELFNOTE_INFO | 1 << XEN_ELFNOTE_PAE_MODE | 1 << XEN_ELFNOTE_BSD_SYMTAB | \
	 1 << XEN_ELFNOTE_HV_START_LOW | 1 << XEN_ELFNOTE_L1_MFN_VALID |                   \
	 1 << XEN_ELFNOTE_SUSPEND_CANCEL | 1 << XEN_ELFNOTE_PHYS32_ENTRY)

static void test_all_notes(void **state)
{
	uint32_t small = 1 << XENFEAT_dom0;

	(void)state;
	make_file();
	add_number(XEN_ELFNOTE_ENTRY, BASE + TEXT + 0x123);
	add_number(XEN_ELFNOTE_INIT_P2M, 0x8000000000);
	add_text(XEN_ELFNOTE_GUEST_VERSION, "a version text of more than thirty-two characters");
	add_text(XEN_ELFNOTE_LOADER, "generic");
	add_text(XEN_ELFNOTE_FEATURES, "!writable_page_tables|pae_pgdir_above_4gb|new_one");
	add_note("Xen", XEN_ELFNOTE_SUPPORTED_FEATURES, &small, sizeof(small));
	/* Passed over, whatever its value. */
	add_note("Xen", XEN_ELFNOTE_L1_MFN_VALID, "123", 3);
	add_note("Xen", XEN_ELFNOTE_MOD_START_PFN, "\1", 1);
	add_number(XEN_ELFNOTE_MAX + 1, 1);
	add_note("GNU", XEN_ELFNOTE_ENTRY, "12345678901234567890", 20);
	add_note("Linux", 0x100, "6.1.0-56-cloud-amd64", 21);
	assert_true(open_file());
	assert_string_equal(img.linux_release, "6.1.0-56-cloud-amd64");
	assert_int_equal(img.entry, BASE + TEXT + 0x123);
	assert_int_equal(img.init_p2m, 0x8000000000);
	assert_string_equal(img.guest_version, "a version text of more than thi");
	assert_string_equal(img.loader, "generic");
	assert_true(img.mod_start_pfn);
	assert_int_equal(img.supported_features, 1 << XENFEAT_dom0);
	for (unsigned int type = 0; type <= XEN_ELFNOTE_MAX; type++)
		assert_int_equal(kernel_image_has_note(&img, type), !(SKIPPED_NOTES >> type & 1));
}

static void test_section_notes(void **state)
{
	(void)state;
	make_file();
	f.eh.e_phnum = 2;
	assert_true(open_file());
	assert_int_equal(img.hypercall_page, BASE + TEXT + 0x1000);
}

static void legacy(const char *text)
{
	make_file();
	f.eh.e_phnum = 2;
	f.sh[1].sh_type = SHT_PROGBITS;
	strcpy(f.guest, text);
	f.sh[2].sh_size = strlen(text) + 1;
	f.ph[0].p_paddr += BASE;
	f.ph[1].p_paddr += BASE;
}

static void test_legacy(void **state)
{
	(void)state;
	legacy("GUEST_OS=netbsd,GUEST_VER=4.99,XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000,"
	       "VIRT_ENTRY=0xffffffff81000100,HYPERCALL_PAGE=0x00001001,LOADER=generic,PAE=yes["
	       "extended-cr3],BSD_SYMTAB,FEATURES=writable_page_tables,ODD=1");
	assert_true(open_file());
	assert_string_equal(img.guest_os, "netbsd");
	assert_int_equal(img.virt_start, BASE + TEXT);
	assert_int_equal(img.entry, BASE + TEXT + 0x100);
	assert_int_equal(img.hypercall_page, BASE + 0x1001000);
	legacy("VIRT_BASE=elsewhere");
	refused("bad number in VIRT_BASE");
	legacy("XEN_VER=xen-3.0,GUEST_OS=x");
	f.sh[2].sh_size = 5000;
	refused("too long");
}

static void test_bad_headers(void **state)
{
	(void)state;
	make_file();
	f.eh.e_ident[EI_CLASS] = ELFCLASS32;
	refused("32-bit kernel");
	f.eh.e_ident[EI_DATA] = 2;
	refused("unknown kind");
	f.eh.e_machine = 183;
	refused("machine type 183");
	f.eh.e_type = 1;
	refused("no executable");
	f.eh.e_phnum = 0;
	refused("no usable program headers");
	f.eh.e_phentsize = 32;
	refused("no usable program headers");
	f.eh.e_phoff = sizeof(f) - 10;
	f.eh.e_shnum = 4;
	refused("truncated in its program headers");
	f.eh.e_phoff = ~0ul - 20;
	refused("truncated in its program headers");
	bytes_refused(&f, 63, "within its header");
	bytes_refused(&f, 0, "empty");
	bytes_refused("MZ is something else", 20, "neither an ELF image nor");
}

static void test_bad_segments(void **state)
{
	(void)state;
	make_file();
	f.ph[0].p_offset = sizeof(f) - 0x4ff;
	refused("truncated: segment 0");
	f.ph[0].p_offset = ~0ul - 0x100;
	refused("truncated: segment 0");
	f.ph[0].p_memsz = 0x4ff;
	refused("larger in the file");
	f.ph[0].p_paddr = TEXT + 0x1fff;
	refused("segments overlap at 0xffffffff81001fff");
	f.ph[0].p_paddr = 0x7fffffff;
	refused("wraps around");
	f.ph[0].p_memsz = ~0ul - 0xfff;
	refused("wraps around");
	f.ph[0].p_paddr = 0x80000000;
	refused("below VIRT_BASE");
	f.ph[0].p_type = f.ph[1].p_type = 99;
	refused("nothing to load");
	f.eh.e_entry = BASE + TEXT - 1;
	refused("entry point 0xffffffff80ffffff");
	f.eh.e_entry = BASE + TEXT + 0x5000;
	refused("entry point");
	f.ph[0].p_memsz = 0;
	f.ph[0].p_filesz = 0;
	assert_true(open_file());
	assert_int_equal(img.nr_segments, 1);
}

static void test_too_many_segments(void **state)
{
	static struct {
		struct file f;
		struct elf64_phdr ph[18];
	} many;

	(void)state;
	make_file();
	f.eh.e_phoff = offsetof(__typeof__(many), ph);
	f.eh.e_phnum = 18;
	many.f = f;
	many.ph[0] = f.ph[2];
	for (int i = 1; i < 18; i++)
		many.ph[i] = (struct elf64_phdr){
			.p_type = PT_LOAD, .p_paddr = TEXT + i * 0x1000, .p_memsz = 1};
	bytes_refused(&many, sizeof(many), "more than 16 segments");
}

static void test_bad_notes(void **state)
{
	(void)state;
	make_file();
	f.ph[2].p_filesz = f.sh[1].sh_size = 0;
	refused("no Xen notes");
	f.ph[2].p_offset = sizeof(f);
	refused("notes lie beyond its end");
	f.ph[2].p_filesz -= 4;
	refused("reaches beyond its area");
	memset(f.notes, 0xff, 12);
	refused("reaches beyond its area");
	add_text(XEN_ELFNOTE_XEN_VERSION, "xen-2.0");
	refused("'xen-2.0'");
	add_text(XEN_ELFNOTE_LOADER, "special");
	refused("loader 'special'");
	add_text(XEN_ELFNOTE_FEATURES, "writable_page_tables|!hovercraft");
	refused("missing feature 'hovercraft'");
	add_note("Xen", XEN_ELFNOTE_ENTRY, "123", 3);
	refused("note 1 has a malformed value of 3 bytes");
	add_number(XEN_ELFNOTE_HYPERCALL_PAGE, BASE + TEXT + 0x800);
	refused("hypercall page");
	add_number(XEN_ELFNOTE_HYPERCALL_PAGE, BASE + TEXT + 0x5000);
	refused("hypercall page");
	add_number(XEN_ELFNOTE_INIT_P2M, BASE + TEXT + 0x1000);
	refused("physical-to-machine");
}

/* Each prefix of a good image must be refused, and none read beyond its end. */
static void test_truncations(void **state)
{
	(void)state;
	make_file();
	for (size_t len = 0; len < sizeof(f); len += len < 2000 ? 1 : 37)
		assert_false(open_bytes(&f, len));
	assert_true(open_file());
}

/*
 * --- Wrapped
 * ------------------------------------------------------------------------------------
 */

/* A gzip member of one stored block a 32 KiB, with the right checksum. */
static uint32_t naive_crc(const uint8_t *p, size_t len)
{
	uint32_t crc = ~0u;

	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static size_t make_gzip(uint8_t *to, const void *data, size_t len)
{
	uint32_t tail[2] = {naive_crc(data, len), len};
	uint16_t size = len, inverse = ~size;

	assert_true(len < 65536);
	memcpy(to, "\x1f\x8b\x08\0\0\0\0\0\0\3\1", 11);
	memcpy(to + 11, &size, 2);
	memcpy(to + 13, &inverse, 2);
	memcpy(to + 15, data, len);
	memcpy(to + 15 + len, tail, 8);
	return len + 23;
}

static uint8_t wrapped[65536 + 4096];

/* One setup sector, then 16 bytes that are not the payload, then the payload. */
static size_t make_bzimage(const void *payload, uint32_t len)
{
	uint32_t offset = 16;

	memset(wrapped, 0, sizeof(wrapped));
	wrapped[0x1f1] = 1;
	memcpy(wrapped + 0x1fe, "\x55\xaa\xeb\x66HdrS\x0f\x02", 10);
	memcpy(wrapped + 0x248, &offset, 4);
	memcpy(wrapped + 0x24c, &len, 4);
	memmove(wrapped + 1024 + offset, payload, len);
	return 1024 + offset + len;
}

static void test_gzip(void **state)
{
	size_t len;

	(void)state;
	make_file();
	len = make_gzip(wrapped, &f, sizeof(f));
	assert_true(open_bytes(wrapped, len));
	assert_string_equal(img.compression, "gzip");
	assert_ptr_equal(img.elf, allocated);
	no_memory = true;
	bytes_refused(wrapped, len, "no memory");
	no_memory = false;
	assert_false(open_bytes(wrapped, len - 100));
	wrapped[200] ^= 1;
	bytes_refused(wrapped, len, "wrong checksum");
	len = make_gzip(wrapped, "no kernel", 9);
	bytes_refused(wrapped, len, "decompresses to is no ELF");
	bytes_refused("BZh9 bzip2 data", 15, "bzip2");
}

static void test_bzimage(void **state)
{
	static uint8_t gz[65536];
	size_t gz_len, len;

	(void)state;
	make_file();
	len = make_bzimage(&f, sizeof(f)); /* CONFIG_KERNEL_UNCOMPRESSED */
	assert_true(open_bytes(wrapped, len));
	assert_true(img.bzimage && !img.compression);
	gz_len = make_gzip(gz, &f, sizeof(f));
	len = make_bzimage(gz, gz_len);
	assert_true(open_bytes(wrapped, len));
	assert_true(img.bzimage && !strcmp(img.compression, "gzip"));
	for (size_t cut = 1; cut < len; cut = cut * 3 + 1)
		assert_false(open_bytes(wrapped, len - cut));
	bytes_refused(wrapped, len - 1, "the bzImage is truncated");
	bytes_refused(wrapped, 0x24f, "neither an ELF image nor a bzImage");
	wrapped[0x206] = 7;
	bytes_refused(wrapped, len, "2.07, older than 2.08");
	wrapped[0x206] = 15;
	memset(wrapped + len - 4, 0xff, 4);
	bytes_refused(wrapped, len, "claims 4294967295 bytes");
	memset(wrapped + 0x24c, 0xff, 4);
	assert_false(open_bytes(wrapped, len));
	memset(wrapped + 0x24c, 0, 4);
	bytes_refused(wrapped, len, "holds no kernel");
}

/*
 * --- Real kernels
 * -------------------------------------------------------------------------------
 */

static uint8_t *read_whole(const char *path, size_t *len)
{
	FILE *in = fopen(path, "r");
	uint8_t *p;

	assert_non_null(in);
	fseek(in, 0, SEEK_END);
	*len = ftell(in);
	rewind(in);
	p = malloc(*len);
	assert_int_equal(fread(p, 1, *len, in), *len);
	fclose(in);
	return p;
}

static void check_linux(const char *path)
{
	size_t len;
	uint8_t *module = read_whole(path, &len);

	free(allocated);
	allocated = NULL;
	if (!kernel_image_open(&img, module, len, test_alloc))
		fail_msg("%s: %s", path, img.why);
	assert_true(img.bzimage);
	assert_string_equal(img.guest_os, "linux");
	assert_int_equal(img.virt_base, BASE);
	assert_int_equal(img.init_p2m, 0x8000000000);
	assert_true(img.mod_start_pfn && img.nr_segments >= 3);
	assert_non_null(strstr(path, img.linux_release));
	/* LZ4 as Linux uses it has no checksum; here only the others must notice a turned bit. */
	if (!strcmp(img.compression, "xz")) {
		module[len / 2] ^= 4;
		free(allocated);
		allocated = NULL;
		assert_false(kernel_image_open(&img, module, len, test_alloc));
	}
	free(module);
}

static void test_debian_kernels(void **state)
{
	glob_t g = {0};

	(void)state;
	if (glob("build/debian/*/boot/vmlinuz-*", 0, NULL, &g)) {
		print_message("# SKIP no kernels in build/debian\n");
		skip();
	}
	for (size_t i = 0; i < g.gl_pathc; i++)
		check_linux(g.gl_pathv[i]);
	globfree(&g);
}

static void test_grub(void **state)
{
	glob_t g = {0};
	uint8_t *module;
	size_t len;

	(void)state;
	if (glob("build/debian/*/usr/lib/grub-xen/grub-x86_64-xen.bin", 0, NULL, &g)) {
		print_message("# SKIP no GRUB for Xen in build/debian\n");
		skip();
	}
	module = read_whole(g.gl_pathv[0], &len);
	if (!kernel_image_open(&img, module, len, test_alloc))
		fail_msg("%s", img.why);
	assert_string_equal(img.guest_os, "GRUB");
	assert_int_equal(img.virt_start, 0);
	free(module);
	globfree(&g);
}

static int cleanup(void **state)
{
	(void)state;
	free(allocated);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_all_notes),
		cmocka_unit_test(test_section_notes),
		cmocka_unit_test(test_legacy),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_bad_segments),
		cmocka_unit_test(test_too_many_segments),
		cmocka_unit_test(test_bad_notes),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_bzimage),
		cmocka_unit_test(test_debian_kernels),
		cmocka_unit_test(test_grub),
	};

	return cmocka_run_group_tests_name("kernel_image", tests, NULL, cleanup);
}
