/* SPDX-License-Identifier: MIT */
/*
 * XenAPI over XML-RPC, as much as fence agents and simple scripts call: sessions, and the methods of VM that look, start and end. One table
 * of methods; those that act are the handlers of the API's own routes. A reference is "OpaqueRef:" and the uuid. Sessions are opened with
 * a token as the password (any over the Unix socket, whose mode decides), live an hour, and are lost with the daemon. Calls and answers
 * are trees of jansson: {Status: Success, Value: ..} or {Status: Failure, ErrorDescription: [..]}.
 */
#include "xend/api_request.h"
#include "xend/http_guard.h"
#include "xend/settings.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SESSIONS_MOST 32
#define SESSION_MS    (3600 * 1000)
#define REF	      "OpaqueRef:"
#define PARAMS_MOST   8

/* --- XML-RPC, read -------------------------------------------------------------------------------------------- */

/*
 * Tags and the five entities; a document type is refused, so entities cannot grow. The reader is a flat scan in place; nothing recurses.
 * Of a struct or array as a parameter only some text is kept: no method here takes one.
 */

/* "a&lt;b" becomes "a<b"; false for an entity that is not known. */
static bool unescape(char *s)
{
	static const char *const known[] = {"<lt;", ">gt;", "&amp;", "\"quot;", "'apos;", NULL};

	for (char *to = s; (*to = *s); to++, s++) {
		const char *const *name = known;

		if (*s != '&')
			continue;
		while (*name && !str_starts(s + 1, *name + 1))
			name++;
		if (!*name)
			return false;
		*to = **name;
		s += strlen(*name) - 1;
	}
	return true;
}

/* The text is kept that stands at the first end within the name or a parameter: <value>text</value>, <string/> */
static bool read_call(char *xml, json_t *call)
{
	char *behind = strsep(&xml, "<"), *tag;
	bool awaited = false;
	int depth = 0;

	while ((tag = strsep(&xml, "<"))) {
		char *text = behind, last;
		bool end;

		behind = strchr(tag, '>');
		if (!behind || behind == tag)
			return false;
		last = behind[-1];
		end = *tag == '/' || last == '/';
		*behind++ = '\0';
		tag[1 + strcspn(tag + 1, "/ \t\r\n")] = '\0';
		if (!strchr("/?-", last)) /* not <tag/>, <?..?>, <!--..--> */
			depth += end ? -1 : 1;
		if (!strcmp(tag, "/methodCall"))
			return !depth && json_array_size(call);
		if (end && awaited) {
			if (json_array_size(call) > PARAMS_MOST || !unescape(text))
				return false;
			json_array_append_new(call, json_string_nocheck(last == '/' ? "" : text));
		}
		awaited = (awaited && !end) || !strcmp(tag, "param") || !strcmp(tag, "methodName");
	}
	return false;
}

json_t *xmlrpc_parse(const char *xml, size_t len)
{
	autofree char *copy = xstrdup(len ? xml : "");
	json_t *call = json_array();

	if (strlen(copy) == len && read_call(copy, call))
		return call;
	json_decref(call);
	return NULL;
}

/* --- XML-RPC, written ------------------------------------------------------------------------------------------ */

static void put_escaped(struct text *out, const char *s)
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

static void put_value(struct text *out, json_t *value)
{
	const char *name;
	json_t *member;
	size_t i;

	text_str(out, "<value>");
	if (json_is_object(value)) {
		text_str(out, "<struct>");
		json_object_foreach(value, name, member)
		{
			text_printf(out, "<member><name>%s</name>", name);
			put_value(out, member);
			text_str(out, "</member>");
		}
		text_str(out, "</struct>");
	} else if (json_is_array(value)) {
		text_str(out, "<array><data>");
		json_array_foreach(value, i, member) put_value(out, member);
		text_str(out, "</data></array>");
	} else if (json_is_boolean(value)) {
		text_printf(out, "<boolean>%d</boolean>", json_is_true(value));
	} else {
		text_str(out, "<string>");
		put_escaped(out, json_string_value(value));
		text_str(out, "</string>");
	}
	text_str(out, "</value>");
}

/* Takes @value over; returns 0. */
static int answer(struct api_request *r, const char *status, const char *name, json_t *value)
{
	json_t *all = json_pack("{s:s, s:o}", "Status", status, name, value);

	r->answer.len = 0;
	r->status = r->retry_after ? 429 : 200;
	r->type = "text/xml";
	text_str(&r->answer, "<?xml version=\"1.0\"?>\n<methodResponse><params><param>");
	put_value(&r->answer, all);
	text_str(&r->answer, "</param></params></methodResponse>\n");
	json_decref(all);
	return 0;
}

static int success(struct api_request *r, json_t *value)
{
	return answer(r, "Success", "Value", value);
}

static int done(struct api_request *r, struct error *e)
{
	return success(r, json_string(""));
}

/* The codes of XenAPI that clients look at. */
static void failure(struct api_request *r, const struct error *e)
{
	const char *code = e->class == ERROR_NOT_FOUND	   ? "HANDLE_INVALID"
			   : e->class == ERROR_CONFLICT	   ? "VM_BAD_POWER_STATE"
			   : e->class == ERROR_UNSUPPORTED ? "MESSAGE_METHOD_UNKNOWN"
			   : e->class == ERROR_USAGE	   ? "MESSAGE_PARAMETER_COUNT_MISMATCH"
			   : e->class == ERROR_PERMISSION  ? "SESSION_AUTHENTICATION_FAILED"
							   : "INTERNAL_ERROR";

	answer(r, "Failure", "ErrorDescription",
	       json_pack("[s, o]", code, json_string_nocheck(e->text)));
}

/* --- Sessions ---------------------------------------------------------------------------------------------- */

static struct session {
	char ref[sizeof(REF) + 32];
	uint64_t used_at; /* 0: free */
} sessions[SESSIONS_MOST];

/* The method's name is the first, its session the next. */
static const char *param(const struct api_request *r, size_t i)
{
	const char *s = json_string_value(json_array_get(r->json, i));

	return s ? s : "";
}

static struct session *session_find(const char *ref)
{
	for (struct session *s = sessions; s < sessions + SESSIONS_MOST; s++)
		if (s->used_at && loop_now() - s->used_at <= SESSION_MS &&
		    strlen(ref) == strlen(s->ref) && bytes_equal(ref, s->ref, strlen(ref))) {
			s->used_at = loop_now();
			return s;
		}
	return NULL;
}

static int login(struct api_request *r, struct error *e)
{
	struct session *s = sessions;
	unsigned long long key[2];

	if (!r->trusted && !guard_asks(r->node->settings->token_file, param(r, 2), &r->retry_after))
		return error_set(e, ERROR_PERMISSION, "the password is none of the tokens");
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return error_set(e, ERROR_RETRY, "no random numbers yet");
	/* A free place, or the one that was idle longest. */
	for (struct session *i = sessions; i < sessions + SESSIONS_MOST; i++)
		if (i->used_at < s->used_at)
			s = i;
	snprintf(s->ref, sizeof(s->ref), REF "%016llx%016llx", key[0], key[1]);
	s->used_at = loop_now();
	return success(r, json_string(s->ref));
}

static int logout(struct api_request *r, struct error *e)
{
	session_find(param(r, 1))->used_at = 0;
	return done(r, e);
}

/* --- Methods ----------------------------------------------------------------------------------------------- */

static json_t *record(const struct domain *d)
{
	/* Off is only what is gone: until then its back ends may still write. */
	const char *power = !d->present				? "Halted"
			    : d->info.flags & XEN_DOMINF_paused ? "Paused"
								: "Running";

	return json_pack("{s:s, s:o, s:s, s:s, s:b, s:b, s:o, s:o, s:o}", "uuid", d->uuid,
			 "name_label", json_string_nocheck(d->name), "name_description", "",
			 "power_state", power, "is_a_template", 0, "is_control_domain",
			 d->present && !d->id, "domid",
			 json_sprintf("%d", d->present ? (int)d->id : -1), "memory_target",
			 json_sprintf("%llu", (unsigned long long)domain_memory_kb(d) << 10),
			 "VCPUs_max", json_sprintf("%u", domain_vcpus_max(d)));
}

static json_t *reference(const struct domain *d)
{
	return json_sprintf(REF "%s", d->uuid);
}

/* References, or records by their references. */
static int get_all(struct api_request *r, struct error *e)
{
	json_t *records = json_object(), *refs = json_array();
	bool wanted = !strcmp(param(r, 0), "VM.get_all_records");

	for (struct domain *d = domain_next(r->node, NULL); d; d = domain_next(r->node, d)) {
		json_t *ref = reference(d);

		json_array_append_new(refs, ref);
		json_object_set_new(records, json_string_value(ref), record(d));
	}
	json_decref(wanted ? refs : records);
	return success(r, wanted ? records : refs);
}

static int get_by_uuid(struct api_request *r, struct error *e)
{
	struct domain *d = domain_by_uuid(r->node, param(r, 2));

	return d ? success(r, reference(d))
		 : error_set(e, ERROR_NOT_FOUND, "there is no VM of uuid %.40s", param(r, 2));
}

/* A list, empty where there is none of that name. */
static int get_by_name_label(struct api_request *r, struct error *e)
{
	struct domain *d = domain_by_name(r->node, param(r, 2));

	return success(r, d ? json_pack("[o]", reference(d)) : json_array());
}

static int get_record(struct api_request *r, struct error *e)
{
	return success(r, record(r->domain));
}

enum { METHOD_LOGIN = 1, METHOD_VM = 2, METHOD_RUNNING = 4 };

static const struct method {
	const char *name;
	api_handler *run;
	unsigned int flags, params; /* @params: at least so many */
} methods[] = {
	{"session.login_with_password", login, METHOD_LOGIN, 2},
	{"session.logout", logout, 0, 1},
	{"VM.get_all", get_all, 0, 1},
	{"VM.get_all_records", get_all, 0, 1},
	{"VM.get_by_uuid", get_by_uuid, 0, 2},
	{"VM.get_by_name_label", get_by_name_label, 0, 2},
	{"VM.get_record", get_record, METHOD_VM, 2},
	{"VM.start", api_start_managed, METHOD_VM, 2},
	{"VM.hard_shutdown", api_destroy, METHOD_VM | METHOD_RUNNING, 2},
	{"VM.hard_reboot", api_reset, METHOD_VM | METHOD_RUNNING, 2},
	{"VM.clean_shutdown", api_shutdown, METHOD_VM | METHOD_RUNNING, 2},
	{"VM.clean_reboot", api_reboot, METHOD_VM | METHOD_RUNNING, 2},
};

static int find_vm(struct api_request *r, unsigned int flags, struct error *e)
{
	const char *ref = param(r, 2);

	r->domain = str_starts(ref, REF) ? domain_by_uuid(r->node, ref + strlen(REF)) : NULL;
	if (!r->domain)
		return error_set(e, ERROR_NOT_FOUND, "there is no VM %.60s", ref);
	if (flags & METHOD_RUNNING && !r->domain->present)
		return error_set(e, ERROR_CONFLICT, "VM %s does not run", r->domain->name);
	return 0;
}

static int call_method(struct api_request *r, const struct method *m, struct error *e)
{
	size_t nr = json_array_size(r->json) - 1;

	if (nr < m->params)
		return error_set(e, ERROR_USAGE, "%s takes %u parameters, not %zu", m->name,
				 m->params, nr);
	if (!(m->flags & METHOD_LOGIN) && !session_find(param(r, 1)))
		return error_set(e, ERROR_PERMISSION, "there is no such session");
	if (domains_refresh(r->node, e) || (m->flags & METHOD_VM && find_vm(r, m->flags, e)))
		return -1;
	r->asked.paused = !strcmp(param(r, 3), "1"); /* VM.start's */
	r->finish = done;
	return m->run(r, e);
}

int api_xenapi_post(struct api_request *r, struct error *e)
{
	r->refuse = failure;
	r->json = xmlrpc_parse(r->body.data, r->body.len);
	if (!r->json)
		return error_set(e, ERROR_USAGE, "the body is no call in XML-RPC's form");
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!strcmp(methods[i].name, param(r, 0)))
			return call_method(r, &methods[i], e);
	return error_set(e, ERROR_UNSUPPORTED, "there is no method %.80s", param(r, 0));
}
