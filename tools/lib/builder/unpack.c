/* SPDX-License-Identifier: MIT */
/* See image_parts.h. Each unpacker takes a whole stream into one piece of memory, so no library needs a window of its own that input sizes. */
#include "lib/builder/image_parts.h"

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { LZMA_MEMORY = 256 << 20 };

enum result { DONE, DAMAGED, CUT_SHORT, TOO_LARGE };

/* Where a stream that is neither at its end nor wrong got stuck. */
static enum result stuck(size_t room_left)
{
	return room_left ? CUT_SHORT : TOO_LARGE;
}

static enum result unpack_gzip(const uint8_t *in, size_t len, uint8_t *out, size_t *size)
{
	z_stream z = {.next_in = (void *)in, .avail_in = (uInt)len};
	int rc;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return DAMAGED;
	z.next_out = out;
	z.avail_out = (uInt)*size;
	rc = inflate(&z, Z_FINISH);
	*size = z.total_out;
	inflateEnd(&z);
	if (rc == Z_STREAM_END)
		return DONE;
	return rc == Z_BUF_ERROR || rc == Z_OK ? stuck(z.avail_out) : DAMAGED;
}

/* Of either kind. */
static enum result unpack_lzma(const uint8_t *in, size_t len, uint8_t *out, size_t *size)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_ret rc;

	if (lzma_auto_decoder(&z, LZMA_MEMORY, 0) != LZMA_OK)
		return DAMAGED;
	z.next_in = in;
	z.avail_in = len;
	z.next_out = out;
	z.avail_out = *size;
	do
		rc = lzma_code(&z, LZMA_FINISH);
	while (rc == LZMA_OK);
	*size = z.total_out;
	lzma_end(&z);
	if (rc == LZMA_STREAM_END)
		return DONE;
	return rc == LZMA_BUF_ERROR ? stuck(z.avail_out) : DAMAGED;
}

static enum result unpack_bzip2(const uint8_t *in, size_t len, uint8_t *out, size_t *size)
{
	unsigned int produced = (unsigned int)*size;
	int rc = BZ2_bzBuffToBuffDecompress((char *)out, &produced, (char *)in, (unsigned int)len,
					    0, 0);

	*size = produced;
	if (rc == BZ_OUTBUFF_FULL)
		return TOO_LARGE;
	return rc == BZ_OK ? DONE : rc == BZ_UNEXPECTED_EOF ? CUT_SHORT : DAMAGED;
}

/* Blocks that each unpack to 8 MiB, the last to less; the end is the end of input, or Linux' four bytes of size. */
static enum result unpack_lz4(const uint8_t *in, size_t len, uint8_t *out, size_t *size)
{
	const uint8_t *end = in + len;
	size_t room = *size;
	uint32_t packed;
	int n;

	for (in += 4; end - in > 4; in += packed) {
		memcpy(&packed, in, sizeof(packed));
		in += 4;
		if (packed > (size_t)(end - in))
			return CUT_SHORT;
		n = LZ4_decompress_safe((const char *)in, (char *)out, (int)packed,
					room < INT32_MAX ? (int)room : INT32_MAX);
		if (n < 0)
			return room < 8 << 20 ? TOO_LARGE : DAMAGED;
		out += n;
		room -= (size_t)n;
	}
	*size -= room;
	return DONE;
}

static enum result unpack_zstd(const uint8_t *in, size_t len, uint8_t *out, size_t *size)
{
	size_t packed = ZSTD_findFrameCompressedSize(in, len), n;

	if (ZSTD_isError(packed))
		return CUT_SHORT;
	n = ZSTD_decompress(out, *size, in, packed);
	if (ZSTD_isError(n))
		return strstr(ZSTD_getErrorName(n), "too small") ? TOO_LARGE : DAMAGED;
	*size = n;
	return DONE;
}

static const struct packing {
	const char *name, *magic;
	size_t magic_len;
	enum result (*run)(const uint8_t *in, size_t len, uint8_t *out, size_t *size);
} packings[] = {
	{"gzip", "\x1f\x8b\x08", 3, unpack_gzip},
	{"xz",
	 "\xfd"
	 "7zXZ\0",
	 6, unpack_lzma},
	{"lzma", "\x5d\0\0", 3, unpack_lzma},
	{"bzip2", "BZh", 3, unpack_bzip2},
	{"lz4", "\x02\x21\x4c\x18", 4, unpack_lz4},
	{"zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd},
};

static const struct packing *packing_of(const uint8_t *in, size_t len)
{
	for (size_t i = 0; i < sizeof(packings) / sizeof(packings[0]); i++)
		if (len > packings[i].magic_len &&
		    !memcmp(in, packings[i].magic, packings[i].magic_len))
			return &packings[i];
	return NULL;
}

bool unpack_knows(const uint8_t *in, size_t len)
{
	return packing_of(in, len) != NULL;
}

ssize_t unpack(const uint8_t *in, size_t len, uint8_t *out, size_t size, struct error *e)
{
	static const char *const why[] = {
		[DAMAGED] = "is damaged",
		[CUT_SHORT] = "is cut short",
		[TOO_LARGE] = "unpacks to more than is reasonable",
	};
	const struct packing *p = packing_of(in, len);
	size_t produced = size;
	enum result r;

	r = p->run(in, len, out, &produced);
	if (r == DONE)
		return (ssize_t)produced;
	return error_set(e, ERROR_CONFIG, "its %s stream %s", p->name, why[r]);
}
