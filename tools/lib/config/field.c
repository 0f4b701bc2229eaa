/* SPDX-License-Identifier: MIT */
/*
 * Members of a configuration by their row of the table: from a value as some reader found it, and back to text. What a row does not say
 * (a device's syntax) is in spec.c.
 */
#include "lib/config/keys.h"

#include "lib/base/text.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *label(const struct config_key *k)
{
	return k->name ? k->name : k->json ? path_tail(k->json) : k->sxp;
}

void *array_grow(void *array, size_t *nr, size_t size)
{
	void **a = array;

	*a = xrealloc(*a, (*nr + 1) * size);
	memset((char *)*a + *nr * size, 0, size);
	return (char *)*a + (*nr)++ * size;
}

/* At the value's place. */
#define wrong(f, ...) diagnostics_error((f)->r->found, (f)->v->at, __VA_ARGS__)

int field_wrong(const struct field *f, const char *wanted)
{
	const char *text = f->v->text;

	if (f->v->list)
		return wrong(f, "'%s' wants %s, not a list", label(f->k), wanted);
	return wrong(f, "'%s' wants %s, not '%.48s%s'", label(f->k), wanted, text,
		     strlen(text) > 48 ? "..." : "");
}

/* --- Ownership -------------------------------------------------------------------------------------- */

static void own_text(char **s, bool copy)
{
	char *was = *s;

	*s = copy && was ? xstrdup(was) : NULL;
	if (!copy)
		free(was);
}

/* An array of texts, or of structs of @kind. */
static void own_array(void *array, size_t *nr, const struct spec_kind *kind, bool copy)
{
	size_t size = kind ? kind->size : sizeof(char *);
	char **a = array, *one;

	if (copy && *nr)
		*a = memcpy(xmalloc(*nr * size), *a, *nr * size);
	for (one = *a; *a && one < *a + *nr * size; one += size)
		if (kind)
			fields_own(kind, one, copy);
		else
			own_text((char **)(void *)one, copy);
	if (!copy) {
		free(*a);
		*a = NULL;
		*nr = 0;
	}
}

/* Every member once: KEY_WORDS and what is deprecated are second names of others. */
void fields_own(const struct spec_kind *kind, void *base, bool copy)
{
	for (const struct config_key *k = kind->table; !key_is_last(k); k++) {
		void *to = member_at(base, k->offset);
		struct string_list *l = to;

		if (k->instead)
			continue;
		if (k->type == KEY_TEXT)
			own_text(to, copy);
		else if (k->type == KEY_TEXTS || k->type == KEY_CPUS)
			own_array(&l->item, &l->nr, NULL, copy);
		else if (k->type == KEY_DEVICES)
			own_array(to, member_at(base, k->other), k->kind, copy);
	}
}

static void string_list_add(struct string_list *l, const char *s)
{
	*(char **)array_grow(&l->item, &l->nr, sizeof(char *)) = xstrdup(s);
}

static void string_list_free(struct string_list *l)
{
	own_array(&l->item, &l->nr, NULL, false);
}
/* --- From values ------------------------------------------------------------------------------------ */

int field_text(const struct field *f, char *s)
{
	char **to = f->to;

	free(*to);
	*to = s;
	return 0;
}

static int set_text(const struct field *f)
{
	return field_text(f, *f->v->text ? xstrdup(f->v->text) : NULL);
}

/* A whole number in base 10, 16 (0x) or 8 (0), as xl reads them. */
static bool is_number(const char *s, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(s, &end, 0);
	return end != s && !*end && !errno;
}

static int set_number(const struct field *f)
{
	const struct config_key *k = f->k;
	long unit = k->type == KEY_MB ? 1024 : 1, max = k->max, n;

	if (f->v->list || !is_number(f->v->text, &n))
		return field_wrong(f, "a number");
	if (f->r->form == FORM_JSON) {
		max *= unit;
		unit = 1;
		/* libxl writes negative offsets as 32 bits without a sign. */
		if (k->min < 0 && n > max)
			n = (int)n;
	}
	if (n < k->min || n > max)
		return wrong(f, "'%s' is %ld: it must be between %ld and %ld", label(k), n, k->min,
			     max);
	*(long *)f->to = n * unit;
	return 0;
}

static int set_switch(const struct field *f)
{
	const char *s = f->v->text;
	long n = str_has_word("true yes on", s);

	if (!n && !str_has_word("false no off", s) && !is_number(s, &n))
		return field_wrong(f, "0 or 1");
	*(int *)f->to = n != 0;
	return 0;
}

static int set_enum(const struct field *f)
{
	const struct key_name *names = f->k->names, *n = names;
	bool json = f->r->form == FORM_JSON;
	const char *s = f->v->text;
	struct text all = {0};
	long number;

	if (f->k->numbers && str_to_long(s, 0, 3, &number))
		s = names[number].file;
	for (; n->file && strcmp(json ? n->json : n->file, s); n++)
		if (!n->alias)
			text_printf(&all, "%s%s", all.len ? ", " : "", n->file);
	if (n->file)
		*(int *)f->to = n->alias ? n->value : n - names;
	else if (f->k->wants)
		field_wrong(f, f->k->wants);
	else
		wrong(f, "'%s' cannot be '%.40s': it is one of %s", label(f->k), s, all.data);
	text_free(&all);
	return n->file ? 0 : -1;
}

static int set_texts(const struct field *f)
{
	const struct value *v = f->v;
	const char *blanks = f->k->type == KEY_WORDS ? " \t" : "";
	autofree char *words = xstrdup(v->list ? "" : v->text);
	char *save, *word;

	string_list_free(f->to);
	for (word = strtok_r(words, blanks, &save); word; word = strtok_r(NULL, blanks, &save))
		string_list_add(f->to, word);
	for (size_t i = 0; i < v->nr; i++) {
		if (v->item[i].list)
			return field_wrong(f, "texts in its list");
		string_list_add(f->to, v->item[i].text);
	}
	return 0;
}

/* One list of CPUs: "0-3", or (0 1 2) in JSON and SXP; empty ones among several mean any CPU. */
static char *cpus_text(const struct value *v)
{
	struct text t = {0};

	if (!v->list)
		return xstrdup(v->text);
	for (size_t i = 0; i < v->nr; i++)
		text_printf(&t, "%s%s", i ? "," : "", v->item[i].list ? "?" : v->item[i].text);
	return text_take(&t);
}

static int set_cpus(const struct field *f)
{
	static const unsigned int nodes[CPUS_MOST];
	static struct cpu_set set;
	const struct value *v = f->v;
	/* In SXP (0 1) is one list for all, ((0 1) (2)) one for each. */
	bool each = v->list && !(f->r->form == FORM_SXP && v->nr && !v->item[0].list);
	const struct value *one = each ? v->item : v;
	struct error e;

	string_list_free(f->to);
	*(bool *)member_at(f->r->base, f->k->other) = each;
	if (!v->list && (!*v->text || !strcmp(v->text, "-1")))
		return 0;
	for (size_t i = 0; i < (each ? v->nr : 1); i++) {
		autofree char *s = cpus_text(&one[i]);

		string_list_add(f->to, *s ? s : "all");
		if (cpus_parse(*s ? s : "all", nodes, 0, &set, &e))
			return diagnostics_error(f->r->found, one[i].at, "'%s': %s", label(f->k),
						 e.text);
	}
	return 0;
}

static int set_online(const struct field *f)
{
	if (f->r->form != FORM_JSON || !f->v->list)
		return set_number(f);
	if (f->v->nr < 1 || f->v->nr > f->k->max)
		return field_wrong(f, "a list of vCPUs");
	*(long *)f->to = f->v->nr;
	return 0;
}

/* A list, or one text for a list of one: vif="bridge=vnet97". */
static int add_devices(const struct field *f)
{
	const struct value *v = f->v, *one = v->list ? v->item : v;
	struct reader device;
	int rc = 0;

	for (size_t i = 0; i < (v->list ? v->nr : *v->text != '\0'); i++) {
		f->r->at = one[i].at;
		device = device_begin(f->r, f->k);
		rc |= one[i].list ? field_wrong(f, "texts in its list")
				  : device_read(&device, one[i].text);
	}
	return rc;
}

/* JSON has nothing else, so no other form gets such texts either. */
static bool is_utf8(const struct value *v)
{
	json_auto_t *json = json_string(v->list ? "" : v->text);
	bool ok = json;

	for (size_t i = 0; i < v->nr; i++)
		ok &= is_utf8(&v->item[i]);
	return ok;
}

int field_set(struct reader *r, const struct config_key *k, const struct value *v)
{
	/* How each type is set, and what it wants where it takes no list. */
	static const struct {
		int (*set)(const struct field *f);
		const char *wants;
	} types[] = {
		[KEY_TEXT] = {set_text, "a text"},
		[KEY_LONG... KEY_MB] = {set_number, "a number"},
		[KEY_SWITCH] = {set_switch, "0 or 1"},
		[KEY_ENUM] = {set_enum, "a text"},
		[KEY_ONLINE] = {set_online},
		[KEY_TEXTS... KEY_WORDS] = {set_texts},
		[KEY_CPUS] = {set_cpus},
		[KEY_DEVICES] = {add_devices},
		[KEY_OWN] = {.wants = "a text"},
	};
	struct field f = {r, k, member_at(r->base, k->offset), v};
	int (*set)(const struct field *f) = k->set ? k->set : types[k->type].set;
	unsigned long bit = r->kind == &domain_kind ? 0 : 1UL << (k - r->kind->table);

	if (r->seen & bit)
		return complain(r, "'%s' is given twice", label(k));
	r->seen |= bit;
	if (!is_utf8(v))
		return wrong(&f, "'%s' is no UTF-8 text", label(k));
	if (k->instead)
		diagnostics_warn(r->found, v->at, "'%s' is deprecated: use %s", k->name,
				 k->instead);
	if (set && k->note && value_asks(v))
		diagnostics_warn(r->found, v->at, "'%s' is ignored: %s", label(k), k->note);
	if (k->given)
		*(bool *)member_at(r->base, k->given) = true;
	if (set && v->list && types[k->type].wants)
		return field_wrong(&f, types[k->type].wants);
	return set ? set(&f) : 0;
}

void fields_init(const struct spec_kind *kind, void *base)
{
	memset(base, 0, kind->size);
	for (const struct config_key *k = kind->table; !key_is_last(k); k++) {
		if (k->type == KEY_LONG)
			*(long *)member_at(base, k->offset) = k->unset;
		else if (k->type == KEY_SWITCH)
			*(int *)member_at(base, k->offset) = k->unset;
	}
}
