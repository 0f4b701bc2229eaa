/* SPDX-License-Identifier: MIT */
/*
 * lib/decompress.c and the decoders behind it: data of many shapes, compressed by gzip, xz, lz4
 * and zstd with every option that changes the format, must come back as it was; truncated and
 * damaged data must be refused or, where the format has no checksum, at least stay within the
 * buffers. A tool that is not installed skips its test.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/decompress.h"
#include "lib/errno.h"

#define SHAPE_MAX (300u << 10)

struct blob {
	uint8_t *p;
	size_t len;
};

static char dir[] = "/tmp/poncho-unit-XXXXXX";

static void blob_free(struct blob *b)
{
	free(b->p);
	b->p = NULL;
}

/*
 * --- Data of many shapes
 * ------------------------------------------------------------------------
 */

static size_t make_text(uint8_t *p, size_t n, uint64_t *rnd)
{
	static const char *const words[] = {"domain ", "page ",		 "table ", "the ",   "of ",
					    "frame\n", "event channel ", "0x%lx ", "grant ", "xen"};
	size_t at = 0;

	while (at < n) {
		const char *w = words[unit_random(rnd) % 10];

		while (*w && at < n)
			p[at++] = *w++;
	}
	return n;
}

/*
 * Calls and jumps with operands of all kinds, so that the x86 filter meets every one of its
 * cases.
 */
static size_t make_code(uint8_t *p, size_t n, uint64_t *rnd)
{
	static const uint8_t tops[] = {0, 0xff, 0xe8, 0xe9, 1, 0x48};

	for (size_t i = 0; i < n; i++) {
		uint64_t r = unit_random(rnd);

		p[i] = r % 5 == 0 ? 0xe8 + (r >> 8 & 1) : tops[(r >> 16) % 6] ^ (r >> 32 & 1);
	}
	return n;
}

static size_t make_mixed(uint8_t *p, size_t n, uint64_t *rnd)
{
	size_t at = 0;

	while (at < n) {
		size_t run = unit_random(rnd) % 5000 + 1, kind = unit_random(rnd) % 4;

		for (; run && at < n; run--, at++) {
			if (kind == 0)
				p[at] = unit_random(rnd);
			else if (kind == 1)
				p[at] = 0;
			else if (kind == 2 && at > 300)
				p[at] = p[at - 300];
			else
				p[at] = at >> 4;
		}
	}
	return n;
}

/* Matches as far back as there is anything. */
static size_t make_distant(uint8_t *p, size_t n, uint64_t *rnd)
{
	for (size_t i = 0; i < n; i++)
		p[i] = i < n / 2 ? unit_random(rnd) : p[i - n / 2];
	return n;
}

/* Entropy coding without matches. */
static size_t make_uneven(uint8_t *p, size_t n, unsigned int symbols, uint64_t *rnd)
{
	for (size_t i = 0; i < n; i++)
		p[i] = unit_random(rnd) % (unit_random(rnd) % symbols + 1);
	return n;
}

/* Short words from a small dictionary: very many short matches. */
static size_t make_words(uint8_t *p, size_t n, uint64_t *rnd)
{
	uint32_t words[200];

	for (int i = 0; i < 200; i++)
		words[i] = unit_random(rnd);
	for (size_t i = 0; i + 4 <= n; i += 4)
		memcpy(p + i, &words[unit_random(rnd) % 200], 4);
	return n & ~3ul;
}

/* One random stretch, and copies of parts of it with the same byte between them. */
static size_t make_copies(uint8_t *p, size_t n, uint64_t *rnd)
{
	size_t at = 5000;

	for (size_t i = 0; i < at; i++)
		p[i] = unit_random(rnd);
	while (at + 100 < n) {
		memcpy(p + at, p + unit_random(rnd) % 4000, 99);
		at += 99;
		p[at++] = 'A';
	}
	return at;
}

static size_t make_shape(unsigned int shape, uint8_t *p)
{
	uint64_t rnd = shape + 1;

	switch (shape) {
	case 0:
		return 0;
	case 1:
		*p = 'x';
		return 1;
	case 2:
		memset(p, 0, SHAPE_MAX);
		return SHAPE_MAX;
	case 3:
		return make_text(p, 777, &rnd);
	case 4:
		return make_text(p, SHAPE_MAX, &rnd);
	case 5:
		for (size_t i = 0; i < 100000; i++)
			p[i] = unit_random(&rnd);
		return 100000;
	case 6:
		return make_code(p, 150000, &rnd);
	case 7:
		return make_mixed(p, SHAPE_MAX, &rnd);
	case 8:
		return make_distant(p, SHAPE_MAX, &rnd);
	case 9:
		for (size_t i = 0; i < 60000; i++)
			p[i] = __builtin_ctzl(unit_random(&rnd) | 1ul << 40) * 5;
		return 60000;
	case 10:
		return make_uneven(p, 50000, 200, &rnd);
	case 11:
		return make_uneven(p, 300, 7, &rnd);
	case 12:
		return make_words(p, 140000, &rnd);
	case 13:
		return make_copies(p, SHAPE_MAX, &rnd);
	default:
		return (size_t)-1;
	}
}

/*
 * --- The tools
 * ----------------------------------------------------------------------------------
 */

static struct blob run(const char *fmt, ...)
{
	char cmd[512];
	struct blob b = {malloc(1 << 16), 0};
	size_t room = 1 << 16, n;
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	f = popen(cmd, "r");
	assert_non_null(f);
	while ((n = fread(b.p + b.len, 1, room - b.len, f)) > 0) {
		b.len += n;
		if (b.len == room) {
			b.p = realloc(b.p, room *= 2);
			assert_non_null(b.p);
		}
	}
	if (pclose(f))
		fail_msg("failed: %s", cmd);
	return b;
}

static void need_tool(const char *tool)
{
	char cmd[64];

	snprintf(cmd, sizeof(cmd), "command -v %s >/dev/null", tool);
	if (system(cmd)) {
		print_message("# SKIP %s is not installed\n", tool);
		skip();
	}
}

static void write_file(const char *name, const void *p, size_t len)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, len, f), len);
	fclose(f);
}

/* Buffers of exactly the given sizes, so that AddressSanitizer sees a single byte too many. */
static int unpack(const uint8_t *in, size_t in_len, size_t out_len, struct blob *out,
		  const char **why)
{
	uint8_t *exact = malloc(in_len);
	int rc;

	memcpy(exact, in, in_len);
	out->p = malloc(out_len);
	rc = decompress(exact, in_len, out->p, out_len, &out->len, why);
	assert_true(out->len <= out_len);
	assert_int_equal(rc == 0, *why == NULL);
	free(exact);
	return rc;
}

static void check_good(const char *what, const struct blob *packed, const uint8_t *data, size_t len)
{
	size_t bound = decompress_bound(packed->p, packed->len);
	const char *why;
	struct blob out;

	if (unpack(packed->p, packed->len, len, &out, &why))
		fail_msg("%s: %s", what, why);
	if (out.len != len || memcmp(out.p, data, len))
		fail_msg("%s: %zu bytes, or some of them, differ", what, out.len);
	blob_free(&out);
	if (bound < len)
		fail_msg("%s: bound %zu of %zu bytes", what, bound, len);
}

/* A buffer that is too small must be refused as such. */
static void check_small_room(const struct blob *packed, size_t len)
{
	const char *why;
	struct blob out;

	for (size_t less = 1; less <= len; less = less * 40 + 3) {
		assert_int_equal(unpack(packed->p, packed->len, len - less, &out, &why), -ENOSPC);
		blob_free(&out);
	}
}

enum { UNCHECKED, CHECKED };

/* Cut short, and with single bits turned. A checksum must notice whatever the decoder does not. */
static void check_damage(const char *what, const struct blob *packed, const uint8_t *data,
			 size_t len, bool checked)
{
	uint64_t rnd = packed->len + 1;
	const char *why;
	struct blob out;

	for (int i = 0; i < 25; i++) {
		size_t cut = unit_random(&rnd) % packed->len;
		int rc = unpack(packed->p, cut, len, &out, &why);

		if (!rc && out.len == len)
			fail_msg("%s: cut to %zu of %zu bytes, unnoticed", what, cut, packed->len);
		blob_free(&out);
	}
	for (int i = 0; i < 50; i++) {
		size_t at = unit_random(&rnd) % packed->len;
		uint8_t bit = 1 << unit_random(&rnd) % 8;
		int rc;

		packed->p[at] ^= bit;
		rc = unpack(packed->p, packed->len, len, &out, &why);
		packed->p[at] ^= bit;
		if (checked && !rc && (out.len != len || memcmp(out.p, data, len)))
			fail_msg("%s: bit turned in byte %zu, unnoticed", what, at);
		blob_free(&out);
	}
}

static void check_command(const char *cmd, bool checked)
{
	uint8_t *data = malloc(SHAPE_MAX);
	size_t len;

	for (unsigned int shape = 0; (len = make_shape(shape, data)) != (size_t)-1; shape++) {
		char what[200];
		struct blob packed;

		snprintf(what, sizeof(what), "%s, shape %u", cmd, shape);
		write_file("in", data, len);
		packed = run("%s <%s/in 2>/dev/null", cmd, dir);
		check_good(what, &packed, data, len);
		check_small_room(&packed, len);
		if (shape == 3 || shape == 6 || shape == 9)
			check_damage(what, &packed, data, len, checked);
		blob_free(&packed);
	}
	free(data);
}

static void test_gzip(void **state)
{
	(void)state;
	need_tool("gzip");
	check_command("gzip -c -1", CHECKED);
	check_command("gzip -c -6", CHECKED);
	check_command("gzip -c -9", CHECKED);
}

static void test_xz(void **state)
{
	(void)state;
	need_tool("xz");
	check_command("xz -c -0 --check=crc32", CHECKED);
	check_command("xz -c --check=crc64 --lzma2=preset=6,dict=512KiB", UNCHECKED);
	check_command("xz -c --check=none --lzma2=preset=9e,dict=512KiB,lc=4,lp=0,pb=0", UNCHECKED);
	check_command("xz -c --check=sha256 --lzma2=preset=2,lc=0,lp=4,pb=4", UNCHECKED);
	check_command("xz -c --check=crc32 --x86 --lzma2=preset=6,dict=512KiB,lc=1,lp=3", CHECKED);
	check_command("xz -c --check=crc32 --x86=start=4096 --lzma2=dict=256KiB", CHECKED);
	check_command("xz -c --check=crc32 -T2 --block-size=50000 --x86 --lzma2=dict=512KiB",
		      CHECKED);
}

static void test_lz4(void **state)
{
	(void)state;
	need_tool("lz4");
	check_command("lz4 -c -l -1", UNCHECKED);
	check_command("lz4 -c -l -9", UNCHECKED);
}

static void test_zstd(void **state)
{
	(void)state;
	need_tool("zstd");
	check_command("zstd -q -c -1", CHECKED);
	check_command("zstd -q -c -3 --no-check", UNCHECKED);
	check_command("zstd -q -c -9 -B30000", CHECKED);
	check_command("zstd -q -c -19 --zstd=wlog=18,clog=19,hlog=19", CHECKED);
	check_command("zstd -q -c --ultra -22 --zstd=wlog=18,clog=19,hlog=19", CHECKED);
	check_command("zstd -q -c --fast=5", CHECKED);
}

/* Bytes that belong to no stream, which Linux's build appends, and a second stream are ignored. */
static void check_appended(const char *cmd)
{
	static const char data[] = "first part, first part, and then the second";
	const char *why;
	struct blob packed, out;

	write_file("in", data, sizeof(data));
	packed = run("%s <%s/in 2>/dev/null; printf '\\0\\1\\377\\377'; %s <%s/in 2>/dev/null", cmd,
		     dir, cmd, dir);
	assert_int_equal(unpack(packed.p, packed.len, sizeof(data), &out, &why), 0);
	assert_int_equal(out.len, sizeof(data));
	assert_memory_equal(out.p, data, out.len);
	blob_free(&out);
	blob_free(&packed);
}

static void test_appended(void **state)
{
	(void)state;
	need_tool("xz");
	need_tool("lz4");
	need_tool("zstd");
	check_appended("gzip -c");
	check_appended("xz -c --check=crc32");
	check_appended("lz4 -c -l");
	check_appended("zstd -q -c");
}

/* RFC 1952's optional header fields, which the tool itself writes but rarely. */
static void test_gzip_header(void **state)
{
	static const char header[] = "\x1f\x8b\x08\x1e\0\0\0\0\0\3"
				     "\5\0extra"
				     "name\0"
				     "comment\0"
				     "hc";
	static const char data[] = "what the header is for";
	const char *why;
	struct blob packed, out;

	(void)state;
	need_tool("gzip");
	write_file("in", data, sizeof(data));
	packed = run("gzip -nc <%s/in", dir);
	packed.p = realloc(packed.p, packed.len + sizeof(header));
	memmove(packed.p + sizeof(header) - 1, packed.p + 10, packed.len - 10);
	memcpy(packed.p, header, sizeof(header) - 1);
	packed.len += sizeof(header) - 1 - 10;
	check_good("gzip with all header fields", &packed, (const uint8_t *)data, sizeof(data));
	for (size_t cut = 0; cut < packed.len; cut++) {
		assert_true(unpack(packed.p, cut, sizeof(data), &out, &why) < 0);
		blob_free(&out);
	}
	blob_free(&packed);
}

static void check_refusal(const void *in, size_t len, int rc, const char *reason)
{
	const char *why;
	struct blob out;

	assert_int_equal(unpack(in, len, 100, &out, &why), rc);
	assert_non_null(strstr(why, reason));
	assert_int_equal(out.len, 0);
	blob_free(&out);
}

static void test_refusals(void **state)
{
	static const uint8_t dict_zstd[] = {0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 0, 1, 0, 0};

	(void)state;
	check_refusal("", 0, -EOPNOTSUPP, "no known compression");
	check_refusal("plain text", 10, -EOPNOTSUPP, "no known compression");
	check_refusal("BZh91AY&SY", 10, -EOPNOTSUPP, "bzip2");
	check_refusal("\x5d\0\0\x80\0", 5, -EOPNOTSUPP, "LZMA");
	check_refusal("\x89LZO\0\r\n", 7, -EOPNOTSUPP, "LZO");
	check_refusal("\x1f\x8b\x08", 3, -EINVAL, "ends too early");
	check_refusal("\x1f\x8b\x07\0\0\0\0\0\0\0\0\0", 12, -EINVAL, "unknown kind");
	check_refusal("\xfd"
		      "7zXZ\0\0\x01",
		      8, -EINVAL, "ends too early");
	check_refusal("\xfd"
		      "7zXZ\0\0\x01....",
		      12, -EINVAL, "stream header is damaged");
	check_refusal("\x04\x22\x4d\x18\x40\x40\xff", 7, -EOPNOTSUPP, "lz4 -l");
	check_refusal("\x02\x21\x4c\x18\x09\0\0\0\x10", 9, -EINVAL, "ends too early");
	check_refusal("\x28\xb5\x2f\xfd", 4, -EINVAL, "ends too early");
	check_refusal(dict_zstd, sizeof(dict_zstd), -EINVAL, "dictionary");
}

static void test_other_filters(void **state)
{
	struct blob packed;

	(void)state;
	need_tool("xz");
	packed = run("echo text | xz -c --arm --lzma2");
	check_refusal(packed.p, packed.len, -EOPNOTSUPP, "filter other than");
	blob_free(&packed);
	packed = run("echo text | xz -c --x86 --delta --lzma2");
	check_refusal(packed.p, packed.len, -EINVAL, "header is damaged");
	blob_free(&packed);
}

static void test_formats(void **state)
{
	(void)state;
	assert_string_equal(decompress_format("\x1f\x8b", 2), "gzip");
	assert_string_equal(decompress_format("\xfd"
					      "7zXZ\0",
					      6),
			    "xz");
	assert_string_equal(decompress_format("\x02\x21\x4c\x18", 4), "lz4");
	assert_string_equal(decompress_format("\x28\xb5\x2f\xfd", 4), "zstd");
	assert_null(decompress_format("\x28\xb5\x2f", 3));
	assert_null(decompress_format("\177ELF", 4));
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char cmd[64];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gzip),	      cmocka_unit_test(test_xz),
		cmocka_unit_test(test_lz4),	      cmocka_unit_test(test_zstd),
		cmocka_unit_test(test_appended),      cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_formats),	      cmocka_unit_test(test_gzip_header),
		cmocka_unit_test(test_other_filters),
	};

	return cmocka_run_group_tests_name("decompress", tests, make_dir, remove_dir);
}
