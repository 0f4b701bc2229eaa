/* SPDX-License-Identifier: MIT */
/*
 * The tree. Nodes are counted and shared: who holds a reference to the top has the whole tree as it is at that moment, for nothing. A
 * node that more than one holds is never changed: node_own() first puts copies in its place, from the top down to it. Where nobody else
 * looks, that is, mostly, changes are made in place.
 */
#include "xenstored/store.h"

#include <string.h>

struct blob *blob_new(const void *data, size_t len)
{
	struct blob *b;

	if (!len)
		return NULL;
	b = xmalloc(sizeof(*b) + len);
	b->refs = 1;
	b->len = (uint32_t)len;
	memcpy(b->data, data, len);
	return b;
}

struct blob *blob_get(struct blob *b)
{
	if (b)
		b->refs++;
	return b;
}

void blob_put(struct blob *b)
{
	if (b && !--b->refs)
		free(b);
}

/* What it takes over: @perms, @value. */
static struct node *node_new(struct component name, struct blob *perms, struct blob *value)
{
	struct node *n = xmalloc(sizeof(*n) + name.len);

	*n = (struct node){.refs = 1, .name_len = name.len, .perms = perms, .value = value};
	memcpy(n->name, name.s, name.len);
	return n;
}

void node_put(struct node *n)
{
	if (!n || --n->refs)
		return;
	for (uint32_t i = 0; i < n->nr; i++)
		node_put(n->child[i]);
	blob_put(n->perms);
	blob_put(n->value);
	free(n->child);
	free(n);
}

static struct node *node_copy(const struct node *n)
{
	struct node *copy = node_new((struct component){n->name, n->name_len}, blob_get(n->perms),
				     blob_get(n->value));

	copy->nr = n->nr;
	copy->child = xmalloc(n->nr * sizeof(copy->child[0]));
	for (uint32_t i = 0; i < n->nr; i++) {
		copy->child[i] = n->child[i];
		copy->child[i]->refs++;
	}
	return copy;
}

/* From the end, as siblings are numbers mostly, which differ in their last digits. The top's name is empty. */
static bool is_named(const struct node *n, struct component name)
{
	size_t left = name.len;

	if (n->name_len != left)
		return false;
	while (left && n->name[left - 1] == name.s[left - 1])
		left--;
	return !left;
}

/*
 * The one asked for last time is often asked for again; else from the last one on, so that making a domain does not cost more with
 * those there are.
 */
static struct node **child_slot(struct node *n, struct component name)
{
	if (n->recent < n->nr && is_named(n->child[n->recent], name))
		return &n->child[n->recent];
	for (uint32_t i = n->nr; i-- > 0;)
		if (is_named(n->child[i], name)) {
			n->recent = i;
			return &n->child[i];
		}
	return NULL;
}

struct node *node_find(struct node *top, const struct path *path, int level)
{
	for (int i = 0; i <= level; i++) {
		struct node **at = child_slot(top, path_component(path, (uint32_t)i));

		if (!at)
			return NULL;
		top = *at;
	}
	return top;
}

struct node *node_own(struct node **at, const struct path *path, int level)
{
	for (int i = 0;; i++) {
		struct node *n = *at;

		if (n->refs > 1) {
			*at = node_copy(n);
			n->refs--;
		}
		if (i > level)
			return *at;
		at = child_slot(*at, path_component(path, (uint32_t)i));
	}
}

struct node *node_add(struct node *parent, struct component name, struct blob *perms)
{
	struct node *n = node_new(name, perms, NULL);

	parent->child = xrealloc(parent->child, (parent->nr + 1) * sizeof(n));
	parent->child[parent->nr++] = n;
	return n;
}

void node_drop(struct node *parent, struct component name)
{
	struct node **at = child_slot(parent, name);

	node_put(*at);
	parent->nr--;
	memmove(at, at + 1, (size_t)(parent->child + parent->nr - at) * sizeof(*at));
}

size_t node_names(const struct node *n, struct text *out)
{
	size_t len = 0;

	for (uint32_t i = 0; i < n->nr; i++) {
		len += n->child[i]->name_len + 1u;
		if (out) {
			text_add(out, n->child[i]->name, n->child[i]->name_len);
			text_add(out, "", 1);
		}
	}
	return len;
}

void node_walk(const struct node *top, struct text *path, node_visit *visit, void *arg)
{
	size_t len = path->len;

	for (uint32_t i = 0; i < top->nr; i++) {
		const struct node *n = top->child[i];

		if (len != 1 && n->name[0] != '@')
			text_str(path, "/");
		text_add(path, n->name, n->name_len);
		visit(arg, path->data, n, top);
		node_walk(n, path, visit, arg);
		path->len = len;
	}
}
