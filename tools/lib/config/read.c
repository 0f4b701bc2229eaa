/* SPDX-License-Identifier: MIT */
/*
 * Files of every format into a configuration: which reader a text needs, what the command line sets over it, which keys nobody knows.
 * Reading is: defaults, the file, the command line, the checks. Errors of all of them are told together.
 */
#include "lib/config/keys.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MOST (1 << 20)

/* Stores @from in @s, where @add makes of texts a list, and leaves nothing behind. */
static void move(struct value *from, struct value *s, bool add, struct diagnostics *found)
{
	struct value v = *from, list = {.list = true, .at = v.at};

	v.key = NULL;
	if (add && !v.list) {
		value_append(&list, v);
		v = list;
	}
	settings_store(s, from->key, from->key_at, v, add, found)->given_by_hand = true;
	free(from->key);
	*from = (struct value){0};
}

/* xm: disk=A disk=B on the command line are two disks. */
static void read_overrides(const struct reader *r, char *const *words, size_t nr, struct value *s)
{
	for (size_t i = 0; i < nr; i++) {
		struct value one = {0};

		plain_read_override(words[i], &one, r->found);
		for (size_t j = 0; j < one.nr; j++) {
			const struct config_key *k = key_find(r, one.item[j].key);

			move(&one.item[j], s, r->xm && k && k->type == KEY_DEVICES, r->found);
		}
		value_free(&one);
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

	for (size_t i = 0; i < s->nr; i++) {
		const struct value *one = &s->item[i];
		const struct config_key *k = key_find(r, one->key);

		if (k)
			field_set(r, k, one);
		else if (!one->quiet)
			apply_other(r, one);
	}
	c->memory_given |= settings_find(s, "memory") || settings_find(s, "maxmem");
	c->vcpus_given |= settings_find(s, "vcpus") || settings_find(s, "maxvcpus");
}

/* The plain grammar where it does; for xm Python, whose errors are told only if it could read the text at all. */
static int read_settings(const char *name, const char *text, bool xm, const struct value *by_hand,
			 struct value *s, struct diagnostics *found)
{
	struct diagnostics plain = {0};
	int rc = plain_read(name, text, xm, s, &plain);

	if (rc && xm) {
		value_free(s);
		rc = python_read(name, text, by_hand, s, &plain, found);
		if (rc <= 0) {
			diagnostics_free(&plain);
			return rc;
		}
	}
	diagnostics_move(found, &plain);
	return rc ? -1 : 0;
}

static int read_any(const char *name, const char *text, struct value *by_hand, struct reader *r)
{
	const char *start = text + strspn(text, " \t\r\n");
	struct value s = {0};
	int rc;

	if (*start == '{')
		rc = json_read_text(name, text, r->base, r->found);
	else if (*start == '(')
		rc = sxp_read(name, text, r->base, r->found);
	else
		rc = read_settings(name, text, r->xm, by_hand, &s, r->found);
	if (!rc) {
		for (size_t i = 0; i < by_hand->nr; i++)
			move(&by_hand->item[i], &s, false, r->found);
		apply(r, &s);
	}
	value_free(&s);
	return rc;
}

int config_read_text(const char *name, const char *text, enum config_dialect dialect,
		     char *const *overrides, size_t nr_overrides, struct domain_config *c,
		     struct diagnostics *found)
{
	struct reader r = {&domain_kind, c, found, FORM_FILE, dialect == CONFIG_XM};
	struct value by_hand = {0};
	size_t before = found->errors;

	config_init(c, dialect);
	read_overrides(&r, overrides, nr_overrides, &by_hand);
	/* What is missing is told only where nothing of the file was lost. */
	if (!read_any(name, text, &by_hand, &r) && found->errors == before)
		config_check(name, c, found);
	value_free(&by_hand);
	return found->errors == before ? 0 : -1;
}

int config_read(const char *path, enum config_dialect dialect, char *const *overrides,
		size_t nr_overrides, struct domain_config *c, struct diagnostics *found)
{
	bool nothing = !path || !strcmp(path, "/dev/null"), standard = path && !strcmp(path, "-");
	const char *name = nothing ? NULL : standard ? "standard input" : path;
	struct error e = {0};
	size_t len = 0;
	char *text;
	int rc = -1;

	config_init(c, dialect);
	text = nothing ? xstrdup("")
		       : file_read(standard ? "/dev/stdin" : path, FILE_MOST, &len, &e);
	if (!text)
		diagnostics_error(found, (struct place){0}, "%s", e.text);
	else if (strlen(text) < len)
		diagnostics_error(found, (struct place){.file = name},
				  "this is no text: it has NUL bytes");
	else
		rc = config_read_text(name, text, dialect, overrides, nr_overrides, c, found);
	free(text);
	return rc;
}

int config_from_sxp(const char *name, const char *text, struct domain_config *c,
		    struct diagnostics *found)
{
	config_init(c, CONFIG_XM);
	return sxp_read(name, text, c, found) ? -1 : config_check(name, c, found);
}

int config_from_json_text(const char *name, const char *text, struct domain_config *c,
			  struct diagnostics *found)
{
	config_init(c, CONFIG_XL);
	return json_read_text(name, text, c, found) ? -1 : config_check(name, c, found);
}
