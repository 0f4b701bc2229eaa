/* SPDX-License-Identifier: MIT */
/* boot/bundle.c: archives as cpio makes them, others' modules, and every way to be cut off or wrong. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/boot_info.h"
#include "x86/page.h"

static char *archive;
static size_t used;
static struct boot_info bi;

void *maddr_to_virt(paddr_t ma)
{
	return (void *)ma;
}

static void file_add(const char *name, const char *data)
{
	used += (size_t)snprintf(archive + used, 200,
				 "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s",
				 1, 0100644, 0, 0, 1, 0, strlen(data), 0, 0, 0, 0, strlen(name) + 1,
				 0, name) +
		1;
	used = (used + 3) & ~3UL;
	memcpy(archive + used, data, strlen(data));
	used = (used + strlen(data) + 3) & ~3UL;
}

static void archive_new(void)
{
	free(archive);
	archive = calloc(1, 4096);
	used = 0;
}

/* In memory of exactly its size, so that a read beyond is found. */
static const char *open_first(size_t size)
{
	char *exact = malloc(size);
	const char *why;

	memcpy(exact, archive, size);
	memset(&bi, 0, sizeof(bi));
	bi.nr_modules = 1;
	bi.modules[0].start = (paddr_t)exact;
	bi.modules[0].end = (paddr_t)exact + size;
	strcpy(bi.modules[0].cmdline, "of the loader");
	why = bundle_open(&bi);
	if (!why && bi.modules[0].start != (paddr_t)exact) {
		assert_memory_equal((void *)bi.modules[0].start, "KERNEL", 6);
		assert_int_equal(bi.modules[0].end - bi.modules[0].start, 6);
	}
	free(exact);
	return why;
}

static void whole(bool with_initrd, bool with_cmdline)
{
	archive_new();
	file_add(".", "");
	if (with_initrd)
		file_add("./initrd", "INITRD+");
	file_add("other", "x");
	file_add("./kernel", "KERNEL");
	if (with_cmdline)
		file_add("cmdline", "console=hvc0 quiet \n");
	file_add("TRAILER!!!", "");
}

static void test_whole(void **state)
{
	whole(true, true);
	assert_null(open_first(used + 512));
	assert_int_equal(bi.nr_modules, 2);
	assert_int_equal(bi.modules[1].end - bi.modules[1].start, 7);
	assert_string_equal(bi.modules[0].cmdline, "console=hvc0 quiet");
}

static void test_parts(void **state)
{
	whole(false, false);
	assert_null(open_first(used));
	assert_int_equal(bi.nr_modules, 1);
	assert_string_equal(bi.modules[0].cmdline, "of the loader");
	archive_new();
	file_add("initrd", "INITRD");
	file_add("TRAILER!!!", "");
	assert_non_null(strstr(open_first(used), "'kernel'"));
}

static void test_not_ours(void **state)
{
	archive_new();
	memcpy(archive, "\177ELF of some kernel", 20);
	assert_null(open_first(20));
	assert_null(open_first(3));
	whole(true, true);
	memset(&bi, 0, sizeof(bi));
	bi.nr_modules = 2;
	bi.modules[0].start = (paddr_t)archive;
	bi.modules[0].end = bi.modules[0].start + used;
	assert_null(bundle_open(&bi));
	assert_ptr_equal(bi.modules[0].start, archive);
	bi.nr_modules = 0;
	assert_null(bundle_open(&bi));
}

static void test_long_cmdline(void **state)
{
	char text[MAX_CMDLINE + 100];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	archive_new();
	file_add("kernel", "KERNEL");
	file_add("cmdline", text);
	file_add("TRAILER!!!", "");
	assert_null(open_first(used));
	assert_int_equal(strlen(bi.modules[0].cmdline), MAX_CMDLINE - 1);
}

static void test_cut_off(void **state)
{
	whole(true, true);
	for (size_t size = 6; size < used - 8; size++)
		assert_non_null(open_first(size));
}

static void test_garbage(void **state)
{
	uint64_t seed = 4711;

	for (unsigned int i = 0; i < 20000; i++) {
		whole(i & 1, i & 2);
		for (unsigned int n = 0; n < 3; n++)
			archive[6 + unit_random(&seed) % (used - 6)] = (char)unit_random(&seed);
		memset(&bi, 0, sizeof(bi));
		bi.nr_modules = 1;
		bi.modules[0].start = (paddr_t)archive;
		bi.modules[0].end = bi.modules[0].start + used;
		if (bundle_open(&bi))
			continue;
		for (unsigned int m = 0; m < bi.nr_modules; m++) {
			assert_in_range(bi.modules[m].start, archive, archive + used);
			assert_in_range(bi.modules[m].end, bi.modules[m].start, archive + used);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	 cmocka_unit_test(test_parts),
		cmocka_unit_test(test_not_ours), cmocka_unit_test(test_long_cmdline),
		cmocka_unit_test(test_cut_off),	 cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
