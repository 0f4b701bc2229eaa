/* SPDX-License-Identifier: MIT */
/*
 * What the decompressors share: the two buffers, how a failure is told, little-endian loads and
 * the copy of a match. Private to lib/: everyone else uses decompress.h.
 *
 * Invariant: a decoder reads only in..in_end and writes only out..out_end, whatever the input. The
 * whole output lies in one flat buffer, which therefore is every format's window as well.
 */
#ifndef LIB_UNPACK_H
#define LIB_UNPACK_H

#include "lib/errno.h"
#include "lib/string.h"
#include "lib/types.h"

struct unpack {
	const uint8_t *in, *in_end;
	uint8_t *out, *out_end;
	const char *why; /* set by unpack_fail() */
};

/* Each decodes one stream from u->in to u->out and advances both: 0 or a negative errno. */
int unpack_gzip(struct unpack *u);
int unpack_xz(struct unpack *u);
int unpack_lz4(struct unpack *u);
int unpack_zstd(struct unpack *u);

/* What the output can be at most, from headers or block headers; 0 when they do not tell. */
size_t unpack_gzip_bound(const uint8_t *in, size_t len);
size_t unpack_xz_bound(const uint8_t *in, size_t len);
size_t unpack_lz4_bound(const uint8_t *in, size_t len);
size_t unpack_zstd_bound(const uint8_t *in, size_t len);

static inline int unpack_fail(struct unpack *u, const char *why)
{
	u->why = why;
	return -EINVAL;
}

static inline int unpack_full(struct unpack *u, const char *why)
{
	u->why = why;
	return -ENOSPC;
}

static inline size_t unpack_in_left(const struct unpack *u)
{
	return u->in_end - u->in;
}

static inline size_t unpack_room(const struct unpack *u)
{
	return u->out_end - u->out;
}

static inline uint16_t get_le16(const void *p)
{
	uint16_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t get_le32(const void *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t get_le64(const void *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline void copy_8(uint8_t *to, const uint8_t *from)
{
	__builtin_memcpy(to, from, 8);
}

/*
 * Repeats len bytes from dist bytes back. The caller has checked that both lie within the buffer;
 * end bounds the quadword copy, which writes up to 7 bytes more than asked for. Returns out + len.
 */
static always_inline uint8_t *copy_match(uint8_t *out, size_t dist, size_t len, const uint8_t *end)
{
	const uint8_t *from = out - dist;
	uint8_t *stop = out + len;

	if (dist >= 8 && (size_t)(end - out) >= len + 8) {
		for (; out < stop; out += 8, from += 8)
			copy_8(out, from);
	} else if (dist == 1) {
		memset(out, *from, len);
	} else {
		while (out < stop)
			*out++ = *from++;
	}
	return stop;
}

/* Copies len literals; short ones by quadwords where both buffers have room for 16 bytes. */
static always_inline void copy_literals(uint8_t *out, const uint8_t *in, size_t len,
					const uint8_t *out_end, const uint8_t *in_end)
{
	if (len <= 16 && out_end - out >= 16 && in_end - in >= 16) {
		copy_8(out, in);
		copy_8(out + 8, in + 8);
	} else {
		memcpy(out, in, len);
	}
}

#endif /* LIB_UNPACK_H */
