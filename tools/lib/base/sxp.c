/* SPDX-License-Identifier: MIT */
/* See sxp.h. The reader is a recursive descent over the text, bounded in depth so that no input can exhaust the stack. */
#include "lib/base/sxp.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 64

struct reader {
	const char *name, *start, *p;
	struct error *error;
	unsigned int depth;
	bool failed; /* what was read so far is to be freed */
};

static struct sxp *fail(struct reader *r, const char *at, const char *what)
{
	unsigned int line = 1, column = 1;

	for (const char *p = r->start; p < at; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	error_set(r->error, ERROR_CONFIG, "%s:%u:%u: %s", r->name, line, column, what);
	r->failed = true;
	return NULL;
}

static void skip_blanks(struct reader *r)
{
	for (;; r->p++) {
		if (*r->p == '#')
			r->p += strcspn(r->p, "\n");
		if (!isspace((unsigned char)*r->p))
			return;
	}
}

struct sxp *sxp_list(void)
{
	return xcalloc(1, sizeof(struct sxp));
}

struct sxp *sxp_atom(const char *s)
{
	struct sxp *x = sxp_list();

	x->atom = xstrdup(s);
	return x;
}

struct sxp *sxp_add(struct sxp *list, struct sxp *member)
{
	/* Grows at powers of two. */
	if (!(list->nr & (list->nr - 1)))
		list->member = xrealloc(list->member,
					(list->nr ? list->nr * 2 : 1) * sizeof(*list->member));
	list->member[list->nr++] = member;
	return list;
}

struct sxp *sxp_named(const char *name)
{
	return sxp_add(sxp_list(), sxp_atom(name));
}

struct sxp *sxp_pair(struct sxp *list, const char *name, const char *value)
{
	struct sxp *pair = sxp_add(sxp_named(name), sxp_atom(value));

	sxp_add(list, pair);
	return pair;
}

void sxp_free(struct sxp *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->nr; i++)
		sxp_free(x->member[i]);
	free(x->member);
	free(x->atom);
	free(x);
}

static struct sxp *read_quoted(struct reader *r)
{
	static const char letters[] = "nrtab", meant[] = "\n\r\t\a\b";
	const char *begin = r->p;
	char quote = *r->p++;
	struct sxp *x = sxp_list();
	struct text t = {0};

	for (; *r->p && *r->p != quote; r->p++) {
		const char *letter;
		char c = *r->p;

		if (c == '\\' && r->p[1]) {
			c = *++r->p;
			letter = strchr(letters, c);
			if (letter)
				c = meant[letter - letters];
		}
		text_add(&t, &c, 1);
	}
	x->atom = text_take(&t);
	if (*r->p)
		r->p++;
	else
		fail(r, begin, "a quoted string has no end");
	return x;
}

static struct sxp *read_one(struct reader *r);

/* Up to the end of the list that starts at @begin, or of the file. */
static struct sxp *read_members(struct reader *r, const char *begin)
{
	struct sxp *list = sxp_list();
	char end = begin ? ')' : '\0';

	for (skip_blanks(r); !r->failed && *r->p != end; skip_blanks(r))
		sxp_add(list, *r->p ? read_one(r) : fail(r, begin, "'(' has no matching ')'"));
	return list;
}

static struct sxp *read_list(struct reader *r)
{
	const char *begin = r->p++;
	struct sxp *list;

	if (++r->depth > DEPTH_MOST)
		return fail(r, begin, "lists are nested too deeply");
	list = read_members(r, begin);
	r->p += !r->failed;
	r->depth--;
	return list;
}

static struct sxp *read_one(struct reader *r)
{
	size_t n = strcspn(r->p, " \t\r\n\v\f()\"'#");
	struct sxp *x;

	if (*r->p == '(')
		return read_list(r);
	if (*r->p == '"' || *r->p == '\'')
		return read_quoted(r);
	if (*r->p == ')')
		return fail(r, r->p, "')' without '('");
	if (!n)
		return fail(r, r->p, "an expression is missing");
	x = sxp_list();
	x->atom = xasprintf("%.*s", (int)n, r->p);
	r->p += n;
	return x;
}

static struct sxp *finish(const struct reader *r, struct sxp *x)
{
	if (!r->failed)
		return x;
	sxp_free(x);
	return NULL;
}

struct sxp *sxp_parse_all(const char *name, const char *s, struct error *e)
{
	struct reader r = {name, s, s, e};

	return finish(&r, read_members(&r, NULL));
}

struct sxp *sxp_parse(const char *name, const char *s, struct error *e)
{
	struct reader r = {name, s, s, e};
	struct sxp *x;

	skip_blanks(&r);
	x = read_one(&r);
	skip_blanks(&r);
	if (!r.failed && *r.p)
		fail(&r, r.p, "there is more after the expression's end");
	return finish(&r, x);
}

struct sxp *sxp_child(const struct sxp *x, const char *name)
{
	for (size_t i = 0; i < x->nr; i++) {
		struct sxp *m = x->member[i];

		if (m->nr && m->member[0]->atom && !strcmp(m->member[0]->atom, name))
			return m;
	}
	return NULL;
}

static void print_atom(const char *s, struct text *out)
{
	if (*s && !strpbrk(s, " \t\r\n\v\f()\"'#\\")) {
		text_str(out, s);
		return;
	}
	text_str(out, "'");
	for (; *s; s++)
		text_printf(out, strchr("'\\", *s) ? "\\%c" : "%c", *s);
	text_str(out, "'");
}

static void print(const struct sxp *x, bool pretty, unsigned int indent, struct text *out)
{
	if (x->atom) {
		print_atom(x->atom, out);
		return;
	}
	text_str(out, "(");
	for (size_t i = 0; i < x->nr; i++) {
		if (i && pretty && !x->member[i]->atom)
			text_printf(out, "\n%*s", (int)indent + 4, "");
		else if (i)
			text_str(out, " ");
		print(x->member[i], pretty, indent + 4, out);
	}
	if (pretty && x->nr && !x->member[x->nr - 1]->atom)
		text_printf(out, "\n%*s", (int)indent, "");
	text_str(out, ")");
}

void sxp_print(const struct sxp *x, bool pretty, struct text *out)
{
	print(x, pretty, 0, out);
}
