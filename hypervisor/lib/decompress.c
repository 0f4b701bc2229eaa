/* SPDX-License-Identifier: MIT */
/*
 * Chooses the decompressor by magic number, and is where a failing one returns to. The formats
 * that Linux kernels may use and we do not read stand in the table too, so that the refusal can
 * name them.
 */
#include "lib/decompress.h"

#include "lib/unpack.h"

struct format {
	const char *name;
	uint8_t magic[6];
	uint8_t magic_len;
	void (*unpack)(struct unpack *u);
	uint64_t (*bound)(struct unpack *u);
	const char *refusal; /* for those without unpack */
};

static const struct format formats[] = {
	{"gzip", {0x1f, 0x8b}, 2, unpack_gzip, unpack_gzip_bound},
	{"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, unpack_xz, unpack_xz_bound},
	{"lz4", {0x02, 0x21, 0x4c, 0x18}, 4, unpack_lz4, unpack_lz4_bound},
	{"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, unpack_zstd, unpack_zstd_bound},
	{"lz4",
	 {0x04, 0x22, 0x4d, 0x18},
	 4,
	 .refusal = "LZ4 is supported only as `lz4 -l` writes it"},
	{"bzip2", {'B', 'Z', 'h'}, 3, .refusal = "bzip2 compression is not supported"},
	{"lzma", {0x5d, 0, 0}, 3, .refusal = "LZMA (.lzma) compression is not supported"},
	{"lzo", {0x89, 'L', 'Z', 'O'}, 4, .refusal = "LZO compression is not supported"},
};

static const struct format *find_format(const void *in, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		const struct format *f = &formats[i];

		if (len >= f->magic_len && !memcmp(in, f->magic, f->magic_len))
			return f;
	}
	return NULL;
}

const char *decompress_format(const void *in, size_t in_len)
{
	const struct format *f = find_format(in, in_len);

	return f ? f->name : NULL;
}

void unpack_fail(struct unpack_exit *exit, int rc, const char *why)
{
	exit->rc = rc;
	exit->why = why;
	__builtin_longjmp(exit->frame, 1);
}

size_t decompress_bound(const void *in, size_t in_len)
{
	const struct format *f = find_format(in, in_len);
	struct unpack_exit exit;
	struct unpack u = {.in = in, .in_end = (const uint8_t *)in + in_len, .exit = &exit};

	return f && f->bound && !__builtin_setjmp(exit.frame) ? f->bound(&u) : 0;
}

int decompress(const void *in, size_t in_len, void *out, size_t out_len, size_t *produced,
	       const char **why)
{
	const struct format *f = find_format(in, in_len);
	struct unpack_exit exit = {};
	struct unpack u = {in,	 (const uint8_t *)in + in_len, out, (uint8_t *)out + out_len, out,
			   &exit};

	*produced = 0;
	*why = f ? f->refusal : "no known compression format";
	if (*why)
		return -EOPNOTSUPP;
	if (!__builtin_setjmp(exit.frame)) {
		f->unpack(&u);
		*produced = u.out - (uint8_t *)out;
	}
	*why = exit.why;
	return exit.rc;
}
