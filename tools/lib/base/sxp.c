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
};

static struct sxp *fail(const struct reader *r, const char *at, const char *what)
{
	unsigned int line = 1, column = 1;

	for (const char *p = r->start; p < at; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	error_set(r->error, ERROR_CONFIG, "%s:%u:%u: %s", r->name, line, column, what);
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

struct sxp *sxp_atom(const char *s)
{
	struct sxp *x = xcalloc(1, sizeof(*x));

	x->atom = xstrdup(s);
	return x;
}

struct sxp *sxp_list(void)
{
	return xcalloc(1, sizeof(struct sxp));
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

struct sxp *sxp_pair(struct sxp *list, const char *name, const char *value)
{
	struct sxp *pair = sxp_add(sxp_list(), sxp_atom(name));

	sxp_add(list, sxp_add(pair, sxp_atom(value)));
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
	struct text t = {0};
	struct sxp *x;

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
	if (!*r->p) {
		text_free(&t);
		return fail(r, begin, "a quoted string has no end");
	}
	r->p++;
	x = xcalloc(1, sizeof(*x));
	x->atom = text_take(&t);
	return x;
}

static struct sxp *read_one(struct reader *r);

static struct sxp *read_list(struct reader *r)
{
	const char *begin = r->p++;
	struct sxp *list = sxp_list();

	if (++r->depth > DEPTH_MOST) {
		sxp_free(list);
		return fail(r, begin, "lists are nested too deeply");
	}
	for (skip_blanks(r); *r->p != ')'; skip_blanks(r)) {
		struct sxp *member =
			*r->p ? read_one(r) : fail(r, begin, "'(' has no matching ')'");

		if (!member) {
			sxp_free(list);
			return NULL;
		}
		sxp_add(list, member);
	}
	r->p++;
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
	x = xcalloc(1, sizeof(*x));
	x->atom = xmalloc(n + 1);
	memcpy(x->atom, r->p, n);
	x->atom[n] = '\0';
	r->p += n;
	return x;
}

struct sxp *sxp_parse_all(const char *name, const char *s, struct error *e)
{
	struct reader r = {name, s, s, e, 0};
	struct sxp *all = sxp_list();

	for (skip_blanks(&r); *r.p; skip_blanks(&r)) {
		struct sxp *x = read_one(&r);

		if (!x) {
			sxp_free(all);
			return NULL;
		}
		sxp_add(all, x);
	}
	return all;
}

struct sxp *sxp_parse(const char *name, const char *s, struct error *e)
{
	struct reader r = {name, s, s, e, 0};
	struct sxp *x;

	skip_blanks(&r);
	x = read_one(&r);
	skip_blanks(&r);
	if (x && *r.p) {
		sxp_free(x);
		return fail(&r, r.p, "there is more after the expression's end");
	}
	return x;
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

const char *sxp_child_value(const struct sxp *x, const char *name)
{
	const struct sxp *child = sxp_child(x, name);

	return child && child->nr > 1 ? child->member[1]->atom : NULL;
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
