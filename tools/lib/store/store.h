/* SPDX-License-Identifier: MIT */
/*
 * A client of xenstored over its Unix socket, one connection a process and one thread. Writes are queued and travel together: a set of
 * nodes costs one exchange, not one a node. Reads, store_flush() and the end of a transaction send what is queued, in order, and wait
 * for the answers. When xenstored was killed and started again the connection is opened anew, watches are registered anew (each fires
 * once, as at its registration), requests without an answer are repeated and an open transaction begins again: callers notice nothing.
 *
 * Paths are absolute. Domain 0's permissions are those of every caller. A node made by a write has the permissions of its folder.
 * Errors: ERROR_ABSENT when nobody answers for 5 s.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/loop.h"

#include <stdarg.h>
#include <stddef.h>

struct store;
struct store_watch;

/* Connects with the first request. */
struct store *store_open(struct loop *loop);
void store_close(struct store *s);

/* --- Reading: one exchange each ------------------------------------------------------------------------ */

/* The value, NUL behind it, owned by the caller. NULL: @e->class is ERROR_NOT_FOUND where there is no such node. */
char *store_read(struct store *s, const char *path, struct error *e);
/* The number (base 10) at @path, or @otherwise where there is no node or no number. */
long store_read_long(struct store *s, const char *path, long otherwise);
/*
 * Nodes of one folder, or of many with "" as @folder and whole paths as names: values[i] is NULL where there is no such node. One
 * exchange for all of them. The values are owned by the caller; after -1 there are none.
 */
int store_read_each(struct store *s, const char *folder, const char *const *names, size_t nr,
		    char **values, struct error *e);
/* Frees what store_read_each() gave; the array is the caller's. */
void store_values_free(char **values, size_t nr);

/* The names below @path, owned by the caller as one block (free()). A node that is not there has none: NULL, *nr 0, no error (0). Up to 4 KiB of names. */
int store_list(struct store *s, const char *path, char ***names, size_t *nr, struct error *e);

/* --- Writing: queued ------------------------------------------------------------------------------------- */

/* PATH/NAME becomes the printed text; folders missing on the way are made. NAME NULL: PATH itself. */
void store_put(struct store *s, const char *path, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* An empty node unless it is there. */
void store_put_folder(struct store *s, const char *path);
/* "n5,r0": owner and what others may do, then what named domains may (n none, r read, w write, b both). */
void store_put_permissions(struct store *s, const char *path, const char *perms);
/* The node and all below it; none there is fine. */
void store_put_removed(struct store *s, const char *path);

/* Sends what is queued. -1 with the first failure since the last flush, if there was one. */
int store_flush(struct store *s, struct error *e);
/* Both, for one node: what is printed from "..." on. */
#define store_write(s, path, e, ...) (store_put(s, path, NULL, __VA_ARGS__), store_flush(s, e))

/*
 * Calls @fn with everything it reads and writes through @s being one transaction, which is given up when @fn returns other than 0 and
 * done again (up to 100 times) where somebody else's change came in between. Three exchanges where @fn only writes. Not nested; no
 * watches are added in it.
 */
int store_transaction(struct store *s, int (*fn)(struct store *s, void *arg, struct error *e),
		      void *arg, struct error *e);

/* --- Watches ------------------------------------------------------------------------------------------------ */

/*
 * @fired is called from the loop (never from within a call on @s) with the path that changed, @path or below it, and once at first.
 * "@introduceDomain" and "@releaseDomain" are paths too. Queued: failures show at the next flush.
 */
struct store_watch *store_watch(struct store *s, const char *path,
				void (*fired)(void *arg, const char *path), void *arg);
/* Queued. @fired is not called any more. NULL is allowed. */
void store_unwatch(struct store_watch *w);

/* --- Domains ------------------------------------------------------------------------------------------------ */

/* Tells xenstored of a domain's ring (frame number, event channel of the domain); again for a domain known: fires watches only. */
int store_introduce(struct store *s, uint32_t domid, unsigned long mfn, uint32_t port,
		    struct error *e);
