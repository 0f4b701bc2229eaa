/* SPDX-License-Identifier: MIT */
/* See path.h. */
#include "xenstored/path.h"

#include "lib/base/text.h"

#include <string.h>

#define HASH_START  0x6a09e667f3bcc908ull
#define HASH_PRIME  0x9e3779b97f4a7c15ull
#define TABLE_LEAST 16

static const bool allowed[256] = {
	['-'] = true,	      ['/'] = true,	    ['_'] = true,	  ['@'] = true,
	['0' ... '9'] = true, ['a' ... 'z'] = true, ['A' ... 'Z'] = true,
};

static inline uint64_t hash_step(uint64_t hash, char c)
{
	return (hash ^ (unsigned char)c) * HASH_PRIME;
}

/* "/" or "/a/b": each component ends a prefix. A special path is one prefix. */
static bool scan(struct path *path, const char *s)
{
	uint32_t level = 0, step = *s != '@';
	uint64_t hash = step ? hash_step(HASH_START, '/') : HASH_START;
	const char *p = s + step;

	path->prefix[0] = (struct prefix){1, hash};
	while (*p) {
		const char *begin = p;

		for (; *p != '/' && allowed[(unsigned char)*p]; p++)
			hash = hash_step(hash, *p);
		if (p == begin || (size_t)(p - s) > XENSTORE_ABS_PATH_MAX)
			return false;
		level += step;
		path->prefix[level] = (struct prefix){(uint32_t)(p - s), hash};
		if (!*p)
			break;
		if (*p++ != '/' || !*p)
			return false;
		hash = hash_step(hash, '/');
	}
	path->levels = level;
	path->len = (uint32_t)(p - s);
	return true;
}

bool path_parse(struct path *path, const char *s, unsigned int domid)
{
	size_t len;
	int home;

	path->relative = 0;
	path->s = s;
	if (*s == '/' || *s == '@')
		return scan(path, s);
	len = strnlen(s, XENSTORE_REL_PATH_MAX + 1);
	if (!len || len > XENSTORE_REL_PATH_MAX)
		return false;
	home = snprintf(path->buffer, sizeof(path->buffer), "/local/domain/%u/", domid);
	memcpy(path->buffer + home, s, len + 1);
	path->relative = (uint32_t)home;
	path->s = path->buffer;
	return scan(path, path->buffer);
}

uint32_t path_counted(const struct path *path)
{
	/* /local/domain/N and its slash: three levels, the third a number. */
	static const char home[] = "/local/domain/";
	size_t n = sizeof(home) - 1;

	if (path->levels < 4 || strncmp(path->s, home, n) ||
	    strspn(path->s + n, "0123456789") + n != path->prefix[3].len)
		return path->len;
	return path->len - path->prefix[3].len - 1;
}

/* The upper half mixes best after a multiplication. */
static inline size_t slot(const struct table *t, uint64_t hash)
{
	return (hash >> 32) & (t->size - 1);
}

void *table_find(const struct table *t, const struct path *path, uint32_t level)
{
	const struct prefix *at = &path->prefix[level];

	if (!t->nr)
		return NULL;
	for (struct named *n = t->bucket[slot(t, at->hash)]; n; n = n->chain)
		if (n->hash == at->hash && n->len == at->len && !memcmp(n->name, path->s, n->len))
			return n;
	return NULL;
}

static void insert(struct table *t, struct named *n)
{
	struct named **to = &t->bucket[slot(t, n->hash)];

	n->chain = *to;
	*to = n;
}

static void grow(struct table *t)
{
	struct named *n;

	free(t->bucket);
	t->size = t->size ? t->size * 2 : TABLE_LEAST;
	t->bucket = xcalloc(t->size, sizeof(*t->bucket));
	LIST_FOREACH(n, &t->all, link)
	insert(t, n);
}

void *table_add(struct table *t, const struct path *path, uint32_t level, size_t size)
{
	struct prefix at = path->prefix[level];
	struct named *n = xcalloc(1, size + at.len + 1);

	n->hash = at.hash;
	n->len = at.len;
	n->name = memcpy((char *)n + size, path->s, at.len);
	if (t->nr++ >= t->size)
		grow(t);
	LIST_INSERT_HEAD(&t->all, n, link);
	insert(t, n);
	return n;
}

void table_remove(struct table *t, struct named *n)
{
	struct named **at = &t->bucket[slot(t, n->hash)];

	while (*at != n)
		at = &(*at)->chain;
	*at = n->chain;
	LIST_REMOVE(n, link);
	t->nr--;
	free(n);
}

void table_free(struct table *t)
{
	while (!LIST_EMPTY(&t->all))
		table_remove(t, LIST_FIRST(&t->all));
	free(t->bucket);
	*t = (struct table){0};
}
