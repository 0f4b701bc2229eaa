/* SPDX-License-Identifier: MIT */
/*
 * The table of keys: what a key is called in each format, which member of the struct it fills and what values it takes. Every reader and
 * writer walks it; a table's order is the order of the JSON that libxl writes. Devices have tables of their own, of the same kind.
 */
#pragma once

#include "lib/config/domain_config.h"
#include "lib/config/value.h"

enum key_type {
	KEY_TEXT,    /* char * */
	KEY_LONG,    /* long, or uint64_t where it is no negative number */
	KEY_MB,	     /* the same of KiB; files say MiB, JSON KiB */
	KEY_SWITCH,  /* int: 0, 1 */
	KEY_ENUM,    /* an enum, by @names */
	KEY_ONLINE,  /* long: vCPUs online; a list of them in JSON */
	KEY_TEXTS,   /* struct string_list */
	KEY_WORDS,   /* the same from one text, split at blanks */
	KEY_CPUS,    /* struct string_list and bool behind it in @other */
	KEY_DEVICES, /* an array of @kind and, in @other, its size_t */
	KEY_BRANCH,  /* JSON only: an object that is there though empty */
	KEY_FIXED,   /* JSON only: @running, always */
	KEY_OWN,     /* no member: @set or @get do it */
};

enum key_form { FORM_FILE, FORM_JSON, FORM_SXP };

/* A value's names: in files and SXP, in JSON. Its place in the list is the value, but for an alias. */
struct key_name {
	const char *file, *json;
	bool alias;
	int value;
};

struct json_t;
struct field;
struct spec_kind;

struct config_key {
	const char *name; /* in files; NULL: none */
	const char *json; /* path, "b_info/kernel"; NULL: none */
	const char *sxp;  /* path, "image/linux/kernel"; NULL: none */
	enum key_type type;
	const char *instead; /* deprecated: what to write */
	/* Members of the struct; @other is the second of lists, @given the bool that tells whether the row was said. */
	unsigned short offset, other, given;
	bool xm;				  /* only xm has it */
	enum { WORD, NUMBER, LITERAL } json_bool; /* "True", 1, true */
	long min, max;
	const struct key_name *names;
	bool numbers;	     /* files may say the names' numbers too, SXP does */
	long unset;	     /* the value that is not written */
	const char *note;    /* why it has no effect */
	const char *wants;   /* KEY_ENUM: for its error, in place of all names */
	const char *running; /* what the JSON of a running domain says where nothing was */
	const struct spec_kind *kind;
	/* In place of what @type does. */
	int (*set)(const struct field *f);
	struct json_t *(*get)(const void *base, enum key_form form);
};

/* A device, or the whole, that is being read. */
struct reader {
	const struct spec_kind *kind;
	void *base;
	struct diagnostics *found;
	enum key_form form;
	bool xm; /* files: its names count too */
	struct place at;
	unsigned long seen; /* bits of a device's rows */
	bool prefixed;	    /* a disk's target was, which tells the format */
};

/* One value on its way into the member @to of the reader's @base that @k names. */
struct field {
	struct reader *r;
	const struct config_key *k;
	void *to;
	const struct value *v;
};

/* clang-format off */
/* Parts of rows. */
#define TYPE(what)	    .type = KEY_##what
#define NAMES(table)	    .names = table##_names
#define SAME(name)	    {name, name}
#define RANGE(least, most)  .min = (least), .max = (most)
#define BRANCH(path)	    {.json = path, .type = KEY_BRANCH}
#define FIXED(path, text)   {.json = path, .type = KEY_FIXED, .running = text}
#define RUNNING(path, text) {.json = path, .type = KEY_OWN, .running = text}
/* clang-format on */

/* A table ends with a row without any name. */
static inline bool key_is_last(const struct config_key *k)
{
	return !k->name && !k->json && !k->sxp;
}

/* What is @by bytes behind @base. */
static inline void *member_at(const void *base, size_t by)
{
	return (char *)base + by;
}

/* Names that are known and do nothing: told as a warning unless switched off, or, for what is @later, refused. */
struct key_group {
	const char *names; /* between blanks: " a b " */
	const char *note;  /* why nothing is lost; what it asks for; NULL: not worth a word */
	bool later;
};

/* The row of that name in the reader's form, or NULL; files of xl lack some. */
const struct config_key *key_find(const struct reader *r, const char *name);
const struct key_group *key_group(const struct reader *r, const char *name);
/* What is to be said of a name without a row; @asks tells whether it wants something. "unknown key 'memmory' (did you mean 'memory'?)" */
int key_other(const struct reader *r, const char *name, bool asks);
/* The name in files nearest to a mistyped one, or NULL. */
const char *key_suggest(const struct reader *r, const char *name);
/* The last name of "a/b". */
const char *path_tail(const char *path);

/* --- Members of a struct (@base) by their key ------------------------------------------------------- */

/*
 * Sets it from @v; 0, or -1 with an error at the value's place. Device lists are lengthened. A device's key counts once, all others are
 * replaced.
 */
int field_set(struct reader *r, const struct config_key *k, const struct value *v);
/* "'key' wants @wanted, not 'this'"; returns -1. */
int field_wrong(const struct field *f, const char *wanted);
/* Sets a text to @s, which it takes over; returns 0. */
int field_text(const struct field *f, char *s);
/* Nothing said. */
void fields_init(const struct spec_kind *kind, void *base);
/* What the members of @base own is made its own where it is a plain copy of another, or ended. */
void fields_own(const struct spec_kind *kind, void *base, bool copy);

/* --- Devices ---------------------------------------------------------------------------------------- */

struct spec_kind {
	const struct config_key *table;
	size_t size;
	const char *sxp; /* "vbd" */
	/* Words without "=": those that stand for a key and a value, and what becomes of others. */
	const struct device_flag *flags;
	int (*word)(struct reader *r, const char *word);
	/* What must hold for one, however it was read; may be NULL. */
	int (*check)(struct reader *r);
	bool numbered; /* JSON has its place in the list as devid */
};

extern const struct spec_kind vfb_kind, channel_kind;

#define complain(r, ...) diagnostics_error((r)->found, (r)->at, __VA_ARGS__)

/* A reader of one more device behind the @k's, without what @r was told of others; its members say nothing. */
struct reader device_begin(const struct reader *r, const struct config_key *k);
/* The device that @spec tells of, which must make sense. */
int device_read(struct reader *r, const char *spec);
int device_check(struct reader *r);
/* A disk's or nic's (vbd ...), (vif ...). */
struct sxp *device_to_sxp(const struct spec_kind *kind, const void *device);

/* One more member, zeroed, behind the @nr of @size bytes at *@array. */
void *array_grow(void *array, size_t *nr, size_t size);

/* --- Readers into a struct that config_init() filled, without config_check() ------------------------ */

void json_read_text(const char *name, const char *text, struct domain_config *c,
		    struct diagnostics *found);
void sxp_read(const char *name, const char *text, struct domain_config *c,
	      struct diagnostics *found);
/* Unless @found has errors already, what no single key can tell: missing name or kernel, memory over maxmem, the same device twice, HVM. */
int config_check(const char *name, struct domain_config *c, struct diagnostics *found);
/* The parts of the command line: the word of ip=, or NULL; the extra words with nfsroot=, "" for none. */
char *config_ip_word(const struct domain_config *c);
char *config_extra_words(const struct domain_config *c);
