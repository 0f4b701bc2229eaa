/* SPDX-License-Identifier: MIT */
/*
 * JSON by tables of members: one table says how a struct is written, how a request's body is read into it, and what /openapi.json tells of
 * it. It is written straight into a text, without a tree in between: a listing of many domains costs little more than its bytes. Whatever
 * the texts hold, the result is valid JSON: in one that is no UTF-8 all but ASCII becomes '?'.
 */
#pragma once

#include "lib/base/text.h"

#include <stddef.h>
#include <stdint.h>

struct cpu_set;
struct json_t;

struct json_writer {
	struct text *out;
	bool comma; /* something stands before in this object or array */
	unsigned int depth;
	char closing[8]; /* what ends those that are open */
};

/* @key NULL: within an array, or the outermost value. */
void json_begin(struct json_writer *w, const char *key, char bracket); /* '{' or '[' */
void json_end(struct json_writer *w);
void json_put_text(struct json_writer *w, const char *key, const char *value); /* NULL: null */
void json_put_number(struct json_writer *w, const char *key, int64_t value);
/* Takes the reference over. */
void json_put_tree(struct json_writer *w, const char *key, struct json_t *value);

/* --- Members of structs ----------------------------------------------------------------------------- */

/* JSON_LONG below 0 is "not known": null. JSON_CHARS is a text within the struct, JSON_TEXT a pointer to one. */
enum json_type {
	JSON_U32,
	JSON_LONG,
	JSON_BOOL,
	JSON_TEXT,
	JSON_CHARS,
	JSON_TREE, /* of jansson, an object; not the struct's own; only read */
	JSON_CPUS,
	JSON_OTHER, /* written by hand beside the table; read as a vCPU's number, or "all", which is -1 */
};

struct json_member {
	const char *name;
	enum json_type type;
	unsigned short offset;
};

/* The member @member of @type. Pointers tell arrays from what they would decay to. */
#define JSON_MEMBER(name, type, member) \
	{                               \
		name, \
	_Generic(&((type *)0)->member, \
		uint32_t *: JSON_U32, \
		uint64_t *: JSON_LONG, \
		long *: JSON_LONG, \
		bool *: JSON_BOOL, \
		char **: JSON_TEXT, \
		const char **: JSON_TEXT, \
		struct cpu_set *: JSON_CPUS, \
		struct json_t **: JSON_TREE, \
		char(*)[sizeof(((type *)0)->member)]: JSON_CHARS), \
	offsetof(type, member)                 \
	}

/* Some under their own names; and the end of a table. */
#define JSON_MEMBERS(type, ...)                   \
	JSON_EXPAND(JSON_EACH(type, __VA_ARGS__)) \
	{                                         \
		0                                 \
	}
#define JSON_EACH(type, member, ...) \
	JSON_MEMBER(#member, type, member), __VA_OPT__(JSON_AGAIN JSON_NO_ARGS(type, __VA_ARGS__))
#define JSON_AGAIN()	  JSON_EACH
#define JSON_NO_ARGS	  ()
#define JSON_EXPAND(...)  JSON_EXPAND1(JSON_EXPAND1(JSON_EXPAND1(JSON_EXPAND1(__VA_ARGS__))))
#define JSON_EXPAND1(...) JSON_EXPAND2(JSON_EXPAND2(JSON_EXPAND2(__VA_ARGS__)))
#define JSON_EXPAND2(...) JSON_EXPAND3(JSON_EXPAND3(__VA_ARGS__))
#define JSON_EXPAND3(...) __VA_ARGS__

enum { JSON_ALL = -1 };

/* Those members of @object that have their bit in @wanted; or an object of them. */
void json_put_members(struct json_writer *w, const void *object, const struct json_member *members,
		      unsigned long wanted);
void json_put_object(struct json_writer *w, const char *key, const void *object,
		     const struct json_member *members, unsigned long wanted);

/* The row called by the first @n bytes of @name, or NULL. */
const struct json_member *json_member_find(const struct json_member *members, const char *name,
					   size_t n);
/* Reads @value into the member; false where it is of another type. Texts and trees stay @value's. */
bool json_read_member(struct json_t *value, const struct json_member *m, void *object);

/* Of each type: what a member takes, in words, and its name in a schema (NULL: none). */
extern const struct json_kind {
	const char *meaning, *schema;
} json_kinds[];
