/* SPDX-License-Identifier: MIT */
/*
 * XML-RPC's calls, read: tags without attributes and the five entities; a document type is refused, so entities cannot grow. The reader is
 * a flat scan; nothing recurses. Of a struct or array as a parameter only some text is kept: no method here takes one.
 */
#include "xend/xenapi.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	const char *p;
	char tag[24];	  /* the last tag's name, "/value" for an end */
	bool empty;	  /* <tag/> */
	struct text text; /* what stood before it, entities replaced */
};

/* "&lt;" at s->p; false for one that is not known. */
static bool read_entity(struct scan *s)
{
	static const char *const names[] = {"<&lt;", ">&gt;", "&&amp;", "\"&quot;", "'&apos;"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_starts(s->p, names[i] + 1)) {
			text_add(&s->text, names[i], 1);
			s->p += strlen(names[i] + 1);
			return true;
		}
	return false;
}

static bool read_tag(struct scan *s)
{
	const char *name = s->p + 1, *end = strchr(name, '>');
	size_t n = end ? (size_t)(end - name) : 0;

	s->empty = n && name[n - 1] == '/';
	n -= s->empty;
	while (n && isspace((unsigned char)name[n - 1]))
		n--;
	if (!n || n >= sizeof(s->tag) || memchr(name, '<', n))
		return false;
	memcpy(s->tag, name, n);
	s->tag[n] = '\0';
	s->p = end + 1;
	return true;
}

/* On to behind the next tag; false at the end or at something that is not XML as it is used here. */
static bool next_tag(struct scan *s)
{
	s->text.len = 0;
	text_str(&s->text, "");
	while (*s->p) {
		size_t n = strcspn(s->p, "<&");
		const char *close = str_starts(s->p + n, "<!--") ? "-->"
				    : str_starts(s->p + n, "<?") ? "?>"
								 : NULL;

		text_add(&s->text, s->p, n);
		s->p += n;
		if (close) { /* a remark: stepped over */
			s->p = strstr(s->p, close);
			if (!s->p)
				return false;
			s->p += strlen(close);
		} else if (*s->p == '&') {
			if (!read_entity(s))
				return false;
		} else {
			return *s->p == '<' && s->p[1] != '!' && read_tag(s);
		}
	}
	return false;
}

static bool add_param(struct xmlrpc_call *call, const char *value)
{
	if (call->nr == XMLRPC_PARAMS_MOST)
		return false;
	call->param[call->nr++] = xstrdup(value);
	return true;
}

/* <value><string>text</string></value>, <value>text</value>, <value/>: the text is kept at the first end within or of the value. */
static bool read_call(struct scan *s, struct xmlrpc_call *call)
{
	unsigned int depth = 0;
	bool kept = false;

	while (next_tag(s)) {
		bool end = s->tag[0] == '/' || s->empty,
		     value = !strcmp(s->tag + (*s->tag == '/'), "value");

		if (!strcmp(s->tag, "/methodCall"))
			return call->method && !depth;
		if (!strcmp(s->tag, "/methodName") && !call->method)
			call->method = xstrdup(s->text.data);
		if (value && !depth)
			kept = false;
		if (end && !kept && (depth == 1 || (value && !depth))) {
			if (!add_param(call, s->text.data))
				return false;
			kept = true;
		}
		if (value && !s->empty)
			depth += end ? -1 : 1;
		if (depth > INT16_MAX)
			return false; /* an end without a beginning */
	}
	return false;
}

bool xmlrpc_parse(const char *xml, size_t len, struct xmlrpc_call *call)
{
	struct scan s = {.p = xml};
	bool ok;

	*call = (struct xmlrpc_call){0};
	if (!len || memchr(xml, 0, len))
		return false;
	ok = read_call(&s, call);
	text_free(&s.text);
	return ok;
}

void xmlrpc_free(struct xmlrpc_call *call)
{
	free(call->method);
	for (size_t i = 0; i < call->nr; i++)
		free(call->param[i]);
	*call = (struct xmlrpc_call){0};
}

void xml_put_escaped(struct text *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			text_str(out, "&lt;");
		else if (*s == '&')
			text_str(out, "&amp;");
		else if ((unsigned char)*s >= 0x20 || strchr("\t\n", *s))
			text_add(out, s, 1);
	}
}
