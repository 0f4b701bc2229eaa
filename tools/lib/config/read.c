/* SPDX-License-Identifier: MIT */
/*
 * Files of every format into a configuration: which reader a text needs, what the command line sets over it, which keys nobody knows.
 * Reading is: defaults, the file, the command line, the checks. Errors of all of them are told together.
 */
#include "lib/config/keys.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <string.h>

#define FILE_MOST (1 << 20)

/* Stores @from in @s, where @add makes of texts a list, and leaves nothing behind. */
static void move(struct value *from, struct value *s, bool add, struct diagnostics *found)
{
	autofree char *key = from->key;
	const struct place key_at = from->key_at;
	autovalue struct value list = {.list = true, .at = from->at};

	from->key = NULL;
	if (add && !from->list) {
		value_append(&list, *from);
		*from = list;
		list = (struct value){0};
	}
	settings_store(s, key, key_at, from, add, found)->given_by_hand = true;
}

/* xm: disk=A disk=B on the command line are two disks. */
static void read_overrides(const struct reader *r, char *const *words, size_t nr, struct value *s)
{
	for (size_t i = 0; i < nr; i++) {
		autovalue struct value one = {0};

		plain_read_override(words[i], &one, r->found);
		for (size_t j = 0; j < one.nr; j++) {
			const struct config_key *k = key_find(r, one.item[j].key);

			move(&one.item[j], s, r->xm && k && k->type == KEY_DEVICES, r->found);
		}
	}
}

/* A variable by hand that the file makes no use of is only worth a warning to xm, unless it looks like a key. */
static void apply_other(struct reader *r, const struct value *s)
{
	bool known = key_group(r, s->key);

	r->at = known ? s->at : s->key_at;
	if (!known && s->given_by_hand && r->xm && !key_suggest(r, s->key))
		diagnostics_warn(r->found, r->at, "the file makes no use of '%s'", s->key);
	else
		key_other(r, s->key, value_asks(s));
}

static void apply(struct reader *r, const struct value *s)
{
	struct domain_config *c = r->base;
	struct vfb_config vfb;
	struct reader display = {&vfb_kind, &vfb, r->found};

	fields_init(&vfb_kind, &vfb);
	for (size_t i = 0; i < s->nr; i++) {
		const struct value *one = &s->item[i];
		const char *key = one->key;
		const struct config_key *k = key_find(r, key);

		if (k)
			field_set(r, k, one);
		else if ((k = key_find(&display, key)))
			field_set(&display, k, one);
		else if (!one->quiet)
			apply_other(r, one);
	}
	/* vnc=1 of the file itself is one display more. */
	if (vfb.vnc == 1)
		*(struct vfb_config *)array_grow(&c->vfbs, &c->nr_vfbs, sizeof(vfb)) = vfb;
	else
		fields_own(&vfb_kind, &vfb, false);
}

/* The plain grammar where it does; for xm Python, whose errors are told only if it could read the text at all. */
static void read_settings(const char *name, const char *text, bool xm, const struct value *by_hand,
			  struct value *s, struct diagnostics *found)
{
	struct diagnostics plain = {0};

	if (plain_read(name, text, xm, s, &plain) && xm) {
		value_free(s);
		if (python_read(name, text, by_hand, s, &plain, found) <= 0)
			diagnostics_free(&plain);
	}
	diagnostics_move(found, &plain);
}

int config_read_text(const char *name, const char *text, enum config_dialect dialect,
		     char *const *overrides, size_t nr_overrides, struct domain_config *c,
		     struct diagnostics *found)
{
	struct reader r = {&domain_kind, c, found, FORM_FILE, dialect != CONFIG_XL};
	autovalue struct value by_hand = {0}, s = {0};
	const char first = text[strspn(text, " \t\r\n")];
	size_t before;

	config_init(c, dialect);
	read_overrides(&r, overrides, nr_overrides, &by_hand);
	before = found->errors;
	if (dialect == CONFIG_SXP || first == '(')
		sxp_read(name, text, c, found);
	else if (first == '{')
		json_read_text(name, text, c, found);
	else
		read_settings(name, text, r.xm, &by_hand, &s, found);
	if (found->errors != before)
		return -1;
	for (size_t i = 0; i < by_hand.nr; i++)
		move(&by_hand.item[i], &s, false, found);
	apply(&r, &s);
	return config_check(name, c, found);
}

int config_read(const char *path, enum config_dialect dialect, char *const *overrides,
		size_t nr_overrides, struct domain_config *c, struct diagnostics *found)
{
	bool nothing = !path || !strcmp(path, "/dev/null"), standard = path && !strcmp(path, "-");
	const char *name = nothing ? NULL : standard ? "standard input" : path;
	struct error e = {0};
	size_t len = 0;
	autofree char *text = NULL;

	config_init(c, dialect);
	text = nothing ? xstrdup("")
		       : file_read(standard ? "/dev/stdin" : path, FILE_MOST, &len, &e);
	if (!text)
		return diagnostics_error(found, (struct place){0}, "%s", e.text);
	if (strlen(text) < len)
		return diagnostics_error(found, (struct place){.file = name},
					 "this is no text: it has NUL bytes");
	return config_read_text(name, text, dialect, overrides, nr_overrides, c, found);
}
