/* SPDX-License-Identifier: MIT */
/*
 * Paths, and hash tables keyed by them. One pass over a path checks it and hashes each of its prefixes, so that looking up a node, its
 * parents, or the watches above it is one probe each. Things kept in a table begin with a struct named.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <xen/io/xs_wire.h>

#define PATH_LEVELS_MAX (XENSTORE_ABS_PATH_MAX / 2 + 1)

struct prefix {
	uint32_t len;
	uint64_t hash;
};

/*
 * prefix[0] is "/", prefix[levels] the whole path. Special paths (@introduceDomain) have no parents: prefix[0] is all of them.
 * Big: meant to be static.
 */
struct path {
	const char *s; /* the caller's, or @buffer */
	uint32_t len, levels;
	uint32_t relative; /* bytes that were put in front of what the client said */
	struct prefix prefix[PATH_LEVELS_MAX + 1];
	char buffer[XENSTORE_ABS_PATH_MAX + 1];
};

/*
 * Reads @s, a path relative to the home of @domid unless it begins with a slash. Characters, doubled or trailing slashes and lengths as
 * docs/misc/xenstore.txt has them. @path refers to @s afterwards.
 */
bool path_parse(struct path *path, const char *s, unsigned int domid);
/* The length that counts for the quota: without the domain's home in front. */
uint32_t path_counted(const struct path *path);

struct component {
	const char *s;
	uint16_t len;
};

/* The name at that level: "" for the root; a special path is one name. */
static inline struct component path_component(const struct path *path, uint32_t level)
{
	uint32_t from = level ? path->prefix[level - 1].len + (level > 1) : 0;
	uint32_t to = level || path->s[0] == '@' ? path->prefix[level].len : 0;

	return (struct component){path->s + from, (uint16_t)(to - from)};
}

/* The beginning of what is kept in a table. */
struct named {
	struct named *chain;
	LIST_ENTRY(named) link;
	uint64_t hash;
	const char *name;
	uint32_t len;
};

struct table {
	struct named **bucket;
	size_t nr, size; /* size is a power of two, or 0 */
	LIST_HEAD(, named) all;
};

/* What is there for that prefix of @path, or NULL. */
void *table_find(const struct table *t, const struct path *path, uint32_t level);
/* Adds it, where there is none: @size bytes, zeroes but for the struct named they begin with. */
void *table_add(struct table *t, const struct path *path, uint32_t level, size_t size);
/* Frees it too. */
void table_remove(struct table *t, struct named *n);
/* Removes all. */
void table_free(struct table *t);
