/* SPDX-License-Identifier: MIT */
/*
 * Numbers, sizes and switches out of text, as command lines write them. Pure functions on
 * terminated strings: they know no option and keep nothing.
 *
 * Each stores its result only on success. `end`, where not NULL, receives the first character
 * not used; where it is NULL the whole string must be used up.
 */
#ifndef LIB_PARSE_H
#define LIB_PARSE_H

#include <stdint.h>

/* base 0: 0x.. is 16, 0.. is 8, else 10. -EINVAL without a digit, -ERANGE beyond 64 bits. */
int parse_u64(const char *s, const char **end, unsigned int base, uint64_t *value);

/*
 * "512M", "0x1000", "1G": a number with one of the units B K M G T, either case. Without one,
 * `unit` says which is meant. Errors as parse_u64.
 */
int parse_size(const char *s, const char **end, char unit, uint64_t *bytes);

/*
 * 1 for yes, on, true, enable, 1; 0 for no, off, false, disable, 0; else -EINVAL. The word ends at
 * `end`, or at the terminator when that is NULL.
 */
int parse_bool(const char *s, const char *end);

#endif /* LIB_PARSE_H */
