/* SPDX-License-Identifier: MIT */
/*
 * JSON written straight into a text, without a tree in between: a listing of many domains costs little more than its bytes. Whatever the
 * texts hold, the result is valid JSON: bytes that are no UTF-8 become U+FFFD.
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
};

/* @key NULL: within an array, or the outermost value. */
void json_begin(struct json_writer *w, const char *key, char bracket);	       /* '{' or '[' */
void json_end(struct json_writer *w, char bracket);			       /* '}' or ']' */
void json_put_text(struct json_writer *w, const char *key, const char *value); /* NULL: null */
void json_put_number(struct json_writer *w, const char *key, int64_t value);
void json_put_size(struct json_writer *w, const char *key, uint64_t value);
void json_put_bool(struct json_writer *w, const char *key, bool value);
/* Takes the reference over. */
void json_put_tree(struct json_writer *w, const char *key, struct json_t *value);
void json_put_cpus(struct json_writer *w, const char *key, const struct cpu_set *set);

/* --- Members of structs ----------------------------------------------------------------------------- */

/* JSON_LONG below 0 is "not known": null. JSON_CHARS is a text within the struct, JSON_TEXT a pointer to one. */
enum json_type {
	JSON_INT,
	JSON_U32,
	JSON_U64,
	JSON_LONG,
	JSON_BOOL,
	JSON_TEXT,
	JSON_CHARS,
	JSON_CPUS
};

struct json_member {
	const char *name;
	enum json_type type;
	unsigned short offset;
};

/* The member @member of @type, under its own name. Pointers tell arrays from what they would decay to. */
#define JSON_MEMBER(type, member) \
#member, \
	_Generic(&((type *)0)->member, \
		int *: JSON_INT, \
		uint32_t *: JSON_U32, \
		uint64_t *: JSON_U64, \
		long *: JSON_LONG, \
		bool *: JSON_BOOL, \
		char **: JSON_TEXT, \
		const char **: JSON_TEXT, \
		struct cpu_set *: JSON_CPUS, \
		char(*)[sizeof(((type *)0)->member)]: JSON_CHARS), \
	offsetof(type, member)

/* A table of them: each in braces, and the end. */
#define JSON_MEMBERS(type, ...)                   \
	JSON_EXPAND(JSON_EACH(type, __VA_ARGS__)) \
	{                                         \
		0                                 \
	}
#define JSON_EACH(type, member, ...) \
	{JSON_MEMBER(type, member)}, __VA_OPT__(JSON_AGAIN JSON_NO_ARGS(type, __VA_ARGS__))
#define JSON_AGAIN()	  JSON_EACH
#define JSON_NO_ARGS	  ()
#define JSON_EXPAND(...)  JSON_EXPAND1(JSON_EXPAND1(JSON_EXPAND1(JSON_EXPAND1(__VA_ARGS__))))
#define JSON_EXPAND1(...) JSON_EXPAND2(JSON_EXPAND2(JSON_EXPAND2(__VA_ARGS__)))
#define JSON_EXPAND2(...) JSON_EXPAND3(JSON_EXPAND3(__VA_ARGS__))
#define JSON_EXPAND3(...) __VA_ARGS__

/* Those of @object, up to the first without a name. */
void json_put_members(struct json_writer *w, const void *object, const struct json_member *members);
