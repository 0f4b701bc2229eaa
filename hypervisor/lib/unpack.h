/* SPDX-License-Identifier: MIT */
/*
 * What the decompressors share: the two buffers, bounded steps through them, and one way out.
 * Private to lib/: everyone else uses decompress.h.
 *
 * Invariant: a decoder reads only in..in_end and writes only out..out_end, whatever the input: it
 * takes its input through unpack_take() and makes its output through unpack_room(), or compares
 * itself. The whole output lies in one flat buffer, which therefore is every format's window.
 *
 * Failing does not return: unpack_fail() continues behind the __builtin_setjmp() of whoever called
 * the decoder (decompress.c), so no decoder has an error to pass on. Nothing is to be undone there,
 * as decoders allocate nothing.
 *
 * A hot loop copies the structure to a local one, which the inlined steps keep in registers.
 */
#ifndef LIB_UNPACK_H
#define LIB_UNPACK_H

#include "lib/errno.h"
#include "lib/string.h"
#include "lib/types.h"

struct unpack_exit {
	void *frame[5]; /* for __builtin_setjmp() */
	int rc;
	const char *why;
};

struct unpack {
	const uint8_t *in, *in_end;
	uint8_t *out, *out_end;
	const uint8_t *base; /* the first byte of output that a match may refer to */
	struct unpack_exit *exit;
};

/* Each decodes one stream from u->in to u->out and advances both. */
void unpack_gzip(struct unpack *u);
void unpack_xz(struct unpack *u);
void unpack_lz4(struct unpack *u);
void unpack_zstd(struct unpack *u);

/*
 * What the output can be at most, from headers or block headers. They fail, or return 0, when these
 * do not tell.
 */
uint64_t unpack_gzip_bound(struct unpack *u);
uint64_t unpack_xz_bound(struct unpack *u);
uint64_t unpack_lz4_bound(struct unpack *u);
uint64_t unpack_zstd_bound(struct unpack *u);

/*
 * The two filters of xz: LZMA2 chunks up to their end mark; x86 branches, in place, `start` being
 * the first byte's address.
 */
void unpack_lzma2(struct unpack *u);
void bcj_x86_decode(uint8_t *buf, size_t size, uint32_t start);

/* The checksums: ISO 3309's, as gzip and xz use it, and XXH64 with seed 0, as Zstandard does. */
uint32_t crc32(const void *data, size_t len);
uint64_t xxh64(const void *data, size_t len);

void unpack_fail(struct unpack_exit *exit, int rc, const char *why) __noreturn;

/* Damaged data, unless ok. */
static always_inline void unpack_check(const struct unpack *u, bool ok, const char *why)
{
	if (unlikely(!ok))
		unpack_fail(u->exit, -EINVAL, why);
}

static always_inline size_t unpack_left(const struct unpack *u)
{
	return u->in_end - u->in;
}

/* The next n bytes of input. */
static always_inline const uint8_t *unpack_take(struct unpack *u, size_t n)
{
	unpack_check(u, n <= unpack_left(u), "the compressed data ends too early");
	u->in += n;
	return u->in - n;
}

/* The same as a stream of its own; its output begins where the whole one's stands. */
static always_inline struct unpack unpack_part(struct unpack *u, size_t n)
{
	struct unpack part = *u;

	unpack_take(u, n);
	part.in_end = u->in;
	return part;
}

/* Where the next n bytes of output belong. */
static always_inline uint8_t *unpack_room(struct unpack *u, size_t n)
{
	if (unlikely(n > (size_t)(u->out_end - u->out)))
		unpack_fail(u->exit, -ENOSPC,
			    "the data is larger than the size it was said to have");
	u->out += n;
	return u->out - n;
}

/* A little-endian number. */
static always_inline uint64_t get_le(const void *p, unsigned int bytes)
{
	uint64_t v = 0;

	__builtin_memcpy(&v, p, bytes);
	return v;
}

static always_inline void copy_8(uint8_t *to, const uint8_t *from)
{
	__builtin_memcpy(to, from, 8);
}

/* The next n bytes of input are output: few by quadwords where both buffers have 16 bytes. */
static always_inline void unpack_copy(struct unpack *u, size_t n)
{
	const uint8_t *from = unpack_take(u, n);
	uint8_t *to = unpack_room(u, n);

	if (n <= 16 && u->out_end - to >= 16 && u->in_end - from >= 16) {
		copy_8(to, from);
		copy_8(to + 8, from + 8);
	} else {
		memcpy(to, from, n);
	}
}

/*
 * Repeats n bytes of output from `dist` bytes back, by quadwords where those neither overlap nor,
 * writing up to 7 bytes more than asked for, pass the buffer's end.
 */
static always_inline void unpack_match(struct unpack *u, size_t dist, size_t n)
{
	const uint8_t *from = u->out - dist;
	uint8_t *to = u->out, *stop = to + n;

	unpack_check(u, dist - 1 < (size_t)(to - u->base),
		     "the data refers to what lies before its beginning");
	unpack_room(u, n);
	if (dist >= 8 && u->out_end - stop >= 8) {
		do {
			copy_8(to, from);
			to += 8;
			from += 8;
		} while (to < stop);
	} else if (dist == 1) {
		memset(to, *from, n);
	} else {
		do
			*to++ = *from++;
		while (to < stop);
	}
}

#endif /* LIB_UNPACK_H */
