/* SPDX-License-Identifier: MIT */
/*
 * Chooses the decompressor by magic number. The formats that Linux kernels may use and we do not
 * read stand in the table too, so that the refusal can name them.
 */
#include "lib/decompress.h"

#include "lib/unpack.h"

struct format {
	const char *name;
	const char *refusal; /* for those without unpack */
	uint8_t magic[6];
	uint8_t magic_len;
	int (*unpack)(struct unpack *u);
	size_t (*bound)(const uint8_t *in, size_t len);
};

static const struct format formats[] = {
	{"gzip", NULL, {0x1f, 0x8b}, 2, unpack_gzip, unpack_gzip_bound},
	{"xz", NULL, {0xfd, '7', 'z', 'X', 'Z', 0}, 6, unpack_xz, unpack_xz_bound},
	{"lz4", NULL, {0x02, 0x21, 0x4c, 0x18}, 4, unpack_lz4, unpack_lz4_bound},
	{"lz4", NULL, {0x04, 0x22, 0x4d, 0x18}, 4, unpack_lz4, unpack_lz4_bound},
	{"zstd", NULL, {0x28, 0xb5, 0x2f, 0xfd}, 4, unpack_zstd, unpack_zstd_bound},
	{"bzip2", "bzip2 compression is not supported", {'B', 'Z', 'h'}, 3, NULL, NULL},
	{"lzma", "LZMA (.lzma) compression is not supported", {0x5d, 0, 0}, 3, NULL, NULL},
	{"lzo", "LZO compression is not supported", {0x89, 'L', 'Z', 'O'}, 4, NULL, NULL},
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

size_t decompress_bound(const void *in, size_t in_len)
{
	const struct format *f = find_format(in, in_len);

	return f && f->bound ? f->bound(in, in_len) : 0;
}

int decompress(const void *in, size_t in_len, void *out, size_t out_len, size_t *produced,
	       const char **why)
{
	const struct format *f = find_format(in, in_len);
	struct unpack u = {.in = in, .out = out};
	int rc;

	*produced = 0;
	*why = f ? f->refusal : "no known compression format";
	if (!f || !f->unpack)
		return -EOPNOTSUPP;
	u.in_end = u.in + in_len;
	u.out_end = u.out + out_len;
	rc = f->unpack(&u);
	*produced = u.out - (uint8_t *)out;
	*why = rc ? u.why : NULL;
	return rc;
}
