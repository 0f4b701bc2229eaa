/* SPDX-License-Identifier: MIT */
/* Whole files: reading with a limit, writing so that a crash leaves the old or the new one, never half of it. */
#pragma once

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The content, NUL behind it, owned by the caller; NULL with the error set. Files over @limit bytes are refused. */
char *file_read(const char *path, size_t limit, size_t *len, struct error *e);

/* The number that it begins with; false, and 0, where there is none. */
bool file_number(const char *path, unsigned long long *out);

/* Exactly @size bytes of @fd; 1 where there are fewer, -1 with errno. */
int file_fill(int fd, void *to, size_t size);
/* All of it; -1 with errno. */
int file_put(int fd, const char *p, size_t len);

/* Replaces @path (mode 0600) by way of a temporary file beside it, synced when @durable. */
int file_replace(const char *path, const void *data, size_t len, bool durable, struct error *e);

/* mkdir -p with @mode for what is made. */
int folder_make(const char *path, unsigned int mode, struct error *e);
