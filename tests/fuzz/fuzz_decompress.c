/* SPDX-License-Identifier: MIT */
/*
 * Any bytes into the decompressors: they must stay within their buffers (AddressSanitizer watches
 * both ends of each) and tell a consistent story.
 *
 * The first byte chooses between the whole stream and, past the checksums that would stop a
 * fuzzer, what lies inside xz; the second how large the output buffer is.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/decompress.h"
#include "lib/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void whole(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
	const char *why = NULL;
	size_t produced;
	int rc = decompress(in, len, out, room, &produced, &why);

	if (produced > room || (rc == 0) != (why == NULL) || (rc && produced))
		abort();
	decompress_bound(in, len);
}

static void inside_xz(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
	struct unpack_exit exit = {};
	struct unpack u = {in, in + len, out, out + room, out, &exit};

	if (!__builtin_setjmp(exit.frame))
		unpack_lzma2(&u);
	if (u.out > u.out_end || u.in > u.in_end || (exit.rc && !exit.why))
		abort();
	bcj_x86_decode(out, u.out - out, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *in, *out;
	size_t room;

	if (size < 2)
		return 0;
	room = data[1] < 16 ? data[1] : (size_t)data[1] << 9;
	in = malloc(size - 2);
	out = malloc(room);
	memcpy(in, data + 2, size - 2);
	(data[0] & 1 ? inside_xz : whole)(in, size - 2, out, room);
	free(in);
	free(out);
	return 0;
}
