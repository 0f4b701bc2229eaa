/* SPDX-License-Identifier: MIT */
/*
 * What Zstandard's blocks (unzstd.c) and sequences (unzstd_seq.c) share: the state that lives from
 * block to block within a frame. Private to lib/.
 */
#ifndef LIB_UNZSTD_H
#define LIB_UNZSTD_H

#include "lib/zstd_bits.h"

#define ZSTD_BLOCK_MAX (128u << 10)

enum zstd_code { ZSTD_LITERAL_LENGTH, ZSTD_OFFSET, ZSTD_MATCH_LENGTH, ZSTD_CODES };

struct zstd_state {
	struct huf_table huffman;
	struct fse_table table[ZSTD_CODES];
	bool table_valid[ZSTD_CODES];
	size_t repeat[3]; /* the last three offsets, newest first */
	uint8_t literals[ZSTD_BLOCK_MAX];
};

/* A block's literals not yet used. */
struct zstd_literals {
	const uint8_t *p, *end;
};

/* What a frame begins with. */
void zstd_reset(struct zstd_state *z);

/*
 * Decodes the sequences section in..end and executes it on u->out, then appends the literals left
 * over. Offsets reach back to base at most.
 */
int zstd_sequences(struct unpack *u, struct zstd_state *z, const uint8_t *in, const uint8_t *end,
		   struct zstd_literals *lit, const uint8_t *base);

#endif /* LIB_UNZSTD_H */
