/* SPDX-License-Identifier: MIT */
/*
 * A log that console output is appended to: stamped line by line if wished, never larger than its cap: PATH becomes PATH.1, that PATH.2
 * and so on, the oldest goes. A file that cannot be written (full, read-only) is told once and costs the guest nothing. A process
 * that opens it anew goes on in the middle of the line where the last one stopped.
 */
#pragma once

#include "lib/base/text.h"

#include <stdint.h>

struct logfile_options {
	bool stamps;	     /* "[2024-05-06 07:08:09] " before each line */
	bool replace_escape; /* ESC as a dot: a log that is safe to look at */
	long most;	     /* bytes from which on it is rotated; 0: never */
	long keep;	     /* how many old ones stay */
};

/* The end of a file, as that of this very file. */
struct logfile_place {
	uint64_t inode, size;
};

struct logfile {
	const struct logfile_options *options;
	char *path; /* NULL: there is none, and everything below does nothing */
	int fd;
	struct logfile_place place;
	bool line_start, told;
};

/* Closes what is open there. @fresh: something new is logged, which a stamped log says. Never fails; see above. */
void logfile_open(struct logfile *l, const struct logfile_options *options, const char *path,
		  bool fresh);
void logfile_close(struct logfile *l);
/* Before a write of @n bytes: rotates if the cap wants it. */
void logfile_make_room(struct logfile *l, size_t n);
void logfile_write(struct logfile *l, const char *bytes, size_t n);
/* Takes away what has been appended since the file's end was there. */
void logfile_cut(struct logfile *l, const struct logfile_place *place);
