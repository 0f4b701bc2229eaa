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
	return k->name ? k->name : path_tail(k->json);
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
		return diagnostics_error(f->found, v->at, "'%s' wants %s, not a list", label(f->k),
					 wanted);
	return diagnostics_error(f->found, v->at, "'%s' wants %s, not '%.48s%s'", label(f->k),
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
	if (f->form == FORM_JSON) {
		max *= unit;
		unit = 1;
		/* libxl writes negative offsets as 32 bits without a sign. */
		if (k->min < 0 && n > max)
			n = (int)n;
	}
	if (n < k->min || n > max)
		return diagnostics_error(f->found, f->v->at,
					 "'%s' is %ld: it must be between %ld and %ld", label(k), n,
					 k->min, max);
	*(long *)f->to = n * unit;
	return 0;
}

static int set_switch(const struct field *f)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
	long n = -1;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcasecmp(f->v->text, words[i]))
			n = i & 1;
	if (n < 0 && !is_number(f->v->text, &n))
		return field_wrong(f, "0 or 1");
	*(int *)f->to = n != 0;
	return 0;
}

static int set_enum(const struct field *f)
{
	const struct key_name *names = f->k->names;
	const char *s = f->v->text;
	struct text all = {0};
	long n;

	if (names == tsc_names && str_to_long(s, 0, 3, &n))
		s = f->form == FORM_JSON ? names[n].json : names[n].file;
	for (n = 0; names[n].file; n++) {
		if (!strcmp(f->form == FORM_JSON ? names[n].json : names[n].file, s))
			break;
		text_printf(&all, "%s%s", all.len ? ", " : "", names[n].file);
	}
	if (names[n].file)
		*(int *)f->to = n;
	else
		diagnostics_error(f->found, f->v->at, "'%s' cannot be '%.40s': it is one of %s",
				  label(f->k), s, all.data);
	text_free(&all);
	return names[n].file ? 0 : -1;
}

/* The kinds of Xen 3 and 4 under their old names. */
int domain_set_builder(const struct field *f)
{
	struct domain_config *c = f->base;
	const char *s = f->v->text;

	if (!*s || !strcmp(s, "linux") || !strcmp(s, "generic"))
		c->type = DOMAIN_PV;
	else if (!strcmp(s, "hvm") || !strcmp(s, "vmx"))
		c->type = DOMAIN_HVM;
	else if (!strcmp(s, "pvh"))
		c->type = DOMAIN_PVH;
	else
		return field_wrong(f, "linux, generic or hvm");
	return 0;
}

int domain_set_restart(const struct field *f)
{
	struct domain_config *c = f->base;
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
	bool each = v->list && !(f->form == FORM_SXP && v->nr && !v->item[0].list);
	const struct value *one = each ? v->item : v;
	struct error e;

	string_list_free(f->to);
	*(bool *)member_at(f->base, f->k->other) = each;
	if (!v->list && (!*v->text || !strcmp(v->text, "-1")))
		return 0;
	for (size_t i = 0; i < (each ? v->nr : 1); i++) {
		char *s = cpus_text(&one[i]);
		int rc = cpus_parse(*s ? s : "all", nodes, 0, &set, &e);

		string_list_add(f->to, *s ? s : "all");
		free(s);
		if (rc)
			return diagnostics_error(f->found, one[i].at, "'%s': %s", label(f->k),
						 e.text);
	}
	return 0;
}

static int set_online(const struct field *f)
{
	if (f->form != FORM_JSON || !f->v->list)
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
	int rc = 0;

	for (size_t i = 0; i < (v->list ? v->nr : *v->text != '\0'); i++)
		rc |= one[i].list ? field_wrong(f, "texts in its list")
				  : device_parse(f->k->kind, one[i].text, one[i].at,
						 device_add(f->k, f->base), f->found);
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

int field_set(const struct config_key *k, void *base, const struct value *v, enum key_form form,
	      struct diagnostics *found)
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
	struct field f = {k, base, member_at(base, k->offset), v, form, found};
	int (*set)(const struct field *f) = k->set ? k->set : types[k->type].set;

	if (!is_utf8(v))
		return diagnostics_error(found, v->at, "'%s' is no UTF-8 text", label(k));
	if (k->instead)
		diagnostics_warn(found, v->at, "'%s' is deprecated: use %s", k->name, k->instead);
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

static void own_texts(struct string_list *l, bool copy)
{
	struct string_list from = *l;

	if (!copy) {
		string_list_free(l);
		return;
	}
	*l = (struct string_list){0};
	for (size_t i = 0; i < from.nr; i++)
		string_list_add(l, from.item[i]);
}

static void own_devices(const struct config_key *k, void *base, bool copy)
{
	void **array = member_at(base, k->offset);
	size_t *nr = member_at(base, k->other), size = k->kind->size;

	if (copy && *nr)
		*array = memcpy(xmalloc(*nr * size), *array, *nr * size);
	for (size_t i = 0; i < *nr; i++)
		fields_own(k->kind->table, member_at(*array, i * size), copy);
	if (!copy) {
		free(*array);
		*array = NULL;
		*nr = 0;
	}
}

/* Every member once: KEY_WORDS and what is deprecated are second names of others. */
void fields_own(const struct config_key *table, void *base, bool copy)
{
	for (const struct config_key *k = table; !key_is_last(k); k++) {
		char **s = member_at(base, k->offset), *mine;

		if (k->instead)
			continue;
		if (k->type == KEY_TEXT) {
			mine = copy && *s ? xstrdup(*s) : NULL;
			if (!copy)
				free(*s);
			*s = mine;
		} else if (k->type == KEY_TEXTS || k->type == KEY_CPUS) {
			own_texts((void *)s, copy);
		} else if (k->type == KEY_DEVICES) {
			own_devices(k, base, copy);
		}
	}
}
