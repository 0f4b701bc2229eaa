/* SPDX-License-Identifier: MIT */
/*
 * Members of a configuration by their row of the table: from a value as some reader found it, and back to text. What a row does not say
 * (a device's syntax) is in spec.c.
 */
#include "lib/config/keys.h"

#include "lib/base/text.h"

#include <ctype.h>
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

void string_list_add(struct string_list *l, const char *s)
{
	*(char **)array_grow(&l->item, &l->nr, sizeof(char *)) = xstrdup(s);
}

void string_list_free(struct string_list *l)
{
	for (size_t i = 0; i < l->nr; i++)
		free(l->item[i]);
	free(l->item);
	*l = (struct string_list){0};
}

int field_wrong(const struct field *f, const char *wanted)
{
	const struct value *v = f->v;

	if (v->list)
		return diagnostics_error(f->r->found, v->at, "'%s' wants %s, not a list",
					 label(f->k), wanted);
	return diagnostics_error(f->r->found, v->at, "'%s' wants %s, not '%.48s%s'", label(f->k),
				 wanted, v->text, strlen(v->text) > 48 ? "..." : "");
}

/* --- From values ------------------------------------------------------------------------------------ */

static void replace(char **to, char *s)
{
	free(*to);
	*to = s;
}

static int set_text(const struct field *f)
{
	replace(f->to, *f->v->text ? xstrdup(f->v->text) : NULL);
	return 0;
}

int domain_set_uuid(const struct field *f)
{
	const char *s = f->v->text;
	char hex[33], *p = hex;

	if (!*s)
		return set_text(f);
	for (; *s && p < hex + 32; s++) {
		size_t n = p - hex;

		if (isxdigit((unsigned char)*s))
			*p++ = tolower((unsigned char)*s);
		else if (*s != '-' || s[-!!n] == '-' || (n != 8 && n != 12 && n != 16 && n != 20))
			break;
	}
	if (*s || p < hex + 32)
		return field_wrong(f, "a uuid of 32 hexadecimal digits");
	replace(f->to,
		xasprintf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20));
	return 0;
}

int nic_set_mac(const struct field *f)
{
	const char *s = f->v->text;
	unsigned int b[6];
	int end = -1;

	if (!*s)
		return set_text(f);
	if (strspn(s, "0123456789abcdefABCDEF:") == strlen(s))
		sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		       &end);
	if (end < 0 || s[end])
		return field_wrong(f, "an address like 00:16:3e:00:00:01");
	if (b[0] & 1)
		return field_wrong(f, "one interface's address, which is even in its first byte");
	replace(f->to,
		xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]));
	return 0;
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
		return diagnostics_error(f->r->found, f->v->at,
					 "'%s' is %ld: it must be between %ld and %ld", label(k), n,
					 k->min, max);
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

	if (names == tsc_names && str_to_long(s, 0, 3, &number))
		s = names[number].file;
	for (; n->file && strcmp(json ? n->json : n->file, s); n++)
		if (!n->alias)
			text_printf(&all, "%s%s", all.len ? ", " : "", n->file);
	if (n->file)
		*(int *)f->to = n->alias ? n->value : n - names;
	else if (f->k->wants)
		field_wrong(f, f->k->wants);
	else
		diagnostics_error(f->r->found, f->v->at, "'%s' cannot be '%.40s': it is one of %s",
				  label(f->k), s, all.data);
	text_free(&all);
	return n->file ? 0 : -1;
}

int domain_set_restart(const struct field *f)
{
	struct domain_config *c = f->r->base;
	const char *s = f->v->text;
	bool always = !strcmp(s, "always"), reboot = !strcmp(s, "onreboot");

	if (!always && !reboot && strcmp(s, "never"))
		return field_wrong(f, "onreboot, always or never");
	c->on_poweroff = c->on_crash = always ? ACTION_RESTART : ACTION_DESTROY;
	c->on_reboot = always || reboot ? ACTION_RESTART : ACTION_DESTROY;
	return 0;
}

static int set_texts(const struct field *f)
{
	const struct value *v = f->v, *one = v->list ? v->item : v;

	string_list_free(f->to);
	for (size_t i = 0; i < (v->list ? v->nr : 1); i++) {
		if (one[i].list)
			return field_wrong(f, "texts in its list");
		if (v->list || *v->text)
			string_list_add(f->to, one[i].text);
	}
	return 0;
}

static int set_words(const struct field *f)
{
	char *copy, *save, *word;

	if (f->v->list)
		return set_texts(f);
	string_list_free(f->to);
	copy = xstrdup(f->v->text);
	for (word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save))
		string_list_add(f->to, word);
	free(copy);
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
		char *s = cpus_text(&one[i]);
		int rc = cpus_parse(*s ? s : "all", nodes, 0, &set, &e);

		string_list_add(f->to, *s ? s : "all");
		free(s);
		if (rc)
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
	json_t *json = json_string(v->list ? "" : v->text);
	bool ok = json;

	json_decref(json);
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
		[KEY_LONG] = {set_number, "a number"},
		[KEY_MB] = {set_number, "a number"},
		[KEY_SWITCH] = {set_switch, "0 or 1"},
		[KEY_ENUM] = {set_enum, "a text"},
		[KEY_ONLINE] = {set_online},
		[KEY_TEXTS] = {set_texts},
		[KEY_WORDS] = {set_words},
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
		return diagnostics_error(r->found, v->at, "'%s' is no UTF-8 text", label(k));
	if (k->instead)
		diagnostics_warn(r->found, v->at, "'%s' is deprecated: use %s", k->name,
				 k->instead);
	if (set && k->note && value_asks(v))
		diagnostics_warn(r->found, v->at, "'%s' is ignored: %s", label(k), k->note);
	if (set && v->list && types[k->type].wants)
		return field_wrong(&f, types[k->type].wants);
	return set ? set(&f) : 0;
}

void fields_init(const struct config_key *table, void *base, size_t size)
{
	memset(base, 0, size);
	for (const struct config_key *k = table; !key_is_last(k); k++) {
		if (k->type == KEY_LONG)
			*(long *)member_at(base, k->offset) = k->unset;
		else if (k->type == KEY_SWITCH)
			*(int *)member_at(base, k->offset) = k->unset;
	}
}

/* --- Ownership -------------------------------------------------------------------------------------- */

static void own_text(char **s, bool copy)
{
	char *was = *s;

	*s = copy && was ? xstrdup(was) : NULL;
	if (!copy)
		free(was);
}

/* An array of texts, or of structs that @table describes. */
static void own_array(void *array, size_t *nr, const struct config_key *table, size_t size,
		      bool copy)
{
	char **a = array, *one;

	if (copy && *nr)
		*a = memcpy(xmalloc(*nr * size), *a, *nr * size);
	for (one = *a; *a && one < *a + *nr * size; one += size)
		if (table)
			fields_own(table, one, copy);
		else
			own_text((char **)(void *)one, copy);
	if (!copy) {
		free(*a);
		*a = NULL;
		*nr = 0;
	}
}

/* Every member once: KEY_WORDS and what is deprecated are second names of others. */
void fields_own(const struct config_key *table, void *base, bool copy)
{
	for (const struct config_key *k = table; !key_is_last(k); k++) {
		void *to = member_at(base, k->offset);
		struct string_list *l = to;

		if (k->instead)
			continue;
		if (k->type == KEY_TEXT)
			own_text(to, copy);
		else if (k->type == KEY_TEXTS || k->type == KEY_CPUS)
			own_array(&l->item, &l->nr, NULL, sizeof(char *), copy);
		else if (k->type == KEY_DEVICES)
			own_array(to, member_at(base, k->other), k->kind->table, k->kind->size,
				  copy);
	}
}
