/* SPDX-License-Identifier: MIT */
/*
 * The grammar of xl.cfg: assignments (= and +=) of strings, numbers and nested lists, separated by newlines or ';'. After an error
 * reading goes on with the next line, so that a file's errors are told together.
 */
#include "lib/config/value.h"

#include "lib/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 16

/* Signs and the newline are tokens of their own. */
enum token { END, IDENT = 'a', NUMBER = '0', STRING = '"', APPEND = '+', BAD = '?' };

struct parser {
	const char *file;
	const char *p;
	unsigned int line;
	const char *line_start;
	bool dashes;
	int token;
	const char *begin; /* of the token, which ends before @p */
	char *text;	   /* of IDENT, NUMBER, STRING */
	struct place at;
	unsigned int depth;
	bool failed;
	struct diagnostics *found;
};

/* The first error of a statement counts: what follows in it is mostly its consequence. */
static bool __attribute__((format(printf, 2, 3))) fail(struct parser *p, const char *fmt, ...)
{
	char text[512];

	text_format(text, fmt);
	if (!p->failed)
		diagnostics_error(p->found, p->at, "%s", text);
	p->failed = true;
	return false;
}

/* One escape behind the backslash; the bytes it takes, or 0. */
static unsigned int escape(const char *s, char *out)
{
	static const char letters[] = "abfnrtv\"'\\", meant[] = "\a\b\f\n\r\t\v\"'\\";
	const char *letter = *s ? strchr(letters, *s) : NULL;
	unsigned int n = 0;
	int len = 0;

	if (letter) {
		*out = meant[letter - letters];
		return 1;
	}
	if (isxdigit((unsigned char)s[0]) && *s <= '7')
		sscanf(s, "%3o%n", &n, &len);
	else if (*s == 'x' && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2]))
		sscanf(s, "x%2x%n", &n, &len);
	*out = n;
	return len;
}

static int lex_string(struct parser *p)
{
	char quote = *p->p++;
	struct text t = {0};

	while (*p->p && *p->p != '\n' && *p->p != quote) {
		char c = *p->p++;

		if (c == '\\') {
			unsigned int n = escape(p->p, &c);

			if (!n)
				fail(p, "'\\%.1s' is no escape of a quoted string",
				     *p->p == '\n' ? "" : p->p);
			p->p += n;
		}
		text_add(&t, &c, 1);
	}
	p->text = text_take(&t);
	if (*p->p != quote) {
		fail(p, "a quoted string has no end on its line");
		return BAD;
	}
	p->p++;
	return STRING;
}

static int lex_word(struct parser *p)
{
	static const char ident[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
	bool number = isdigit((unsigned char)*p->p);
	size_t len = 0;

	if (number)
		len = strspn(p->p, "0123456789abcdefx");
	else if (islower((unsigned char)*p->p))
		while (p->p[len] && strchr(ident, p->p[len]) && (p->dashes || p->p[len] != '-'))
			len++;
	if (!len) {
		p->p += 1 + strcspn(p->p + 1, " \t\n,;[]=\"'#");
		return BAD;
	}
	p->text = strndup(p->p, len);
	p->p += len;
	return number ? NUMBER : IDENT;
}

static int lex(struct parser *p)
{
	while (*p->p == ' ' || *p->p == '\t' || *p->p == '\r')
		p->p++;
	if (*p->p == '#')
		p->p += strcspn(p->p, "\n");
	p->begin = p->p;
	p->at = (struct place){p->file, p->line, p->file ? p->p - p->line_start + 1 : 0};
	if (!*p->p)
		return END;
	if (*p->p == '\n') {
		p->line += p->line != 0;
		p->line_start = ++p->p;
		return '\n';
	}
	if (strchr("=;,[]", *p->p))
		return *p->p++;
	if (p->p[0] == '+' && p->p[1] == '=') {
		p->p += 2;
		return APPEND;
	}
	return *p->p == '"' || *p->p == '\'' ? lex_string(p) : lex_word(p);
}

static void next(struct parser *p)
{
	free(p->text);
	p->text = NULL;
	p->token = lex(p);
}

static bool unexpected(struct parser *p, const char *wanted)
{
	if (p->token == END || p->token == '\n')
		return fail(p, "expected %s, found the end of the %s", wanted,
			    p->token == END ? (p->file ? "file" : "word") : "line");
	return fail(p, "expected %s, found '%.*s'", wanted, (int)(p->p - p->begin), p->begin);
}

static void skip_newlines(struct parser *p)
{
	while (p->token == '\n')
		next(p);
}

static bool parse_value(struct parser *p, struct value *v);

static bool parse_list(struct parser *p, struct value *v)
{
	*v = (struct value){.list = true, .at = p->at};
	if (++p->depth > DEPTH_MOST)
		return fail(p, "lists are nested too deeply");
	do {
		next(p);
		skip_newlines(p);
		if (p->token == ']')
			break;
		value_append(v, (struct value){0});
		if (!parse_value(p, &v->item[v->nr - 1]))
			return false;
		skip_newlines(p);
	} while (p->token == ',');
	if (p->token != ']')
		return unexpected(p, "',' or ']'");
	p->depth--;
	next(p);
	return true;
}

static bool parse_value(struct parser *p, struct value *v)
{
	if (p->token == '[')
		return parse_list(p, v);
	if (p->token == IDENT)
		return fail(p, "a text needs quotes: \"%s\"", p->text);
	if (p->token != STRING && p->token != NUMBER)
		return unexpected(p, "a string, a number or a list");
	*v = (struct value){.text = p->text, .at = p->at};
	p->text = NULL;
	next(p);
	return true;
}

static bool parse_statement(struct parser *p, struct value *s)
{
	struct place at = p->at;
	autovalue struct value v = {0};
	autofree char *key = p->text, *wanted = NULL;
	bool add;

	p->text = NULL;
	next(p);
	add = p->token == APPEND;
	if (!add && p->token != '=') {
		wanted = xasprintf("'=' behind '%s'", key);
		return unexpected(p, wanted);
	}
	next(p);
	if (!parse_value(p, &v))
		return false;
	if (p->token != '\n' && p->token != ';' && p->token != END)
		return unexpected(p, "the end of the line or ';'");
	if (!p->failed)
		settings_store(s, key, at, &v, add, p->found);
	return true;
}

static int parse(struct parser *p, struct value *s)
{
	p->line_start = p->p;
	for (next(p); p->token != END;) {
		bool ok = true;

		p->failed = false;
		p->depth = 0;
		if (p->token == IDENT)
			ok = parse_statement(p, s);
		else if (p->token == '\n' || p->token == ';')
			next(p);
		else
			ok = unexpected(p, "a key");
		while (!ok && p->token != '\n' && p->token != END)
			next(p);
	}
	return p->found->errors ? -1 : 0;
}

int plain_read(const char *name, const char *text, bool dashes, struct value *s,
	       struct diagnostics *found)
{
	struct parser p = {.file = name, .p = text, .line = 1, .dashes = dashes, .found = found};

	return parse(&p, s);
}

void plain_read_override(const char *word, struct value *s, struct diagnostics *found)
{
	static const char key_chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-.0123456789";
	const struct place nowhere = {0};
	struct diagnostics errors = {0};
	struct parser p = {.p = word, .dashes = true, .found = &errors};
	size_t len = strspn(word, key_chars);

	if (!parse(&p, s))
		return;
	value_free(s);
	if (!len || word[len] != '=') {
		diagnostics_error(found, nowhere, "'%s' is no key=value", word);
	} else if (word[len + 1] && strchr("[\"'", word[len + 1])) {
		/* Meant as the grammar has it, so its errors are worth telling. */
		for (size_t i = 0; i < errors.nr; i++)
			diagnostics_error(found, nowhere, "'%s': %s", word, errors.item[i].text);
	} else {
		autofree char *key = strndup(word, len);
		struct value v = value_text(word + len + 1, nowhere);

		settings_store(s, key, nowhere, &v, false, found);
	}
	diagnostics_free(&errors);
}
