/* SPDX-License-Identifier: MIT */
/* See xenapi.h. One table of methods; answers are {Status: Success, Value: ..} or {Status: Failure, ErrorDescription: [..]}. */
#include "xend/xenapi.h"

#include "lib/base/loop.h"
#include "xend/api_request.h"
#include "xend/http_guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SESSIONS_MOST 32
#define SESSION_MS    (3600 * 1000)
#define REF	      "OpaqueRef:"
#define SESSION_BYTES 16

struct session {
	char ref[sizeof(REF) + 2 * SESSION_BYTES];
	uint64_t used_at; /* 0: free */
};

struct xenapi {
	bool (*password_good)(struct api_request *r, const char *password);
	struct session session[SESSIONS_MOST];
};

struct xenapi *xenapi_new(bool (*password_good)(struct api_request *r, const char *password))
{
	struct xenapi *x = xcalloc(1, sizeof(*x));

	x->password_good = password_good;
	return x;
}

void xenapi_free(struct xenapi *x)
{
	free(x);
}

/* --- Sessions ---------------------------------------------------------------------------------------------- */

/* A free place, an expired one, or the one that was idle longest. */
static struct session *session_place(struct xenapi *x)
{
	struct session *best = x->session;

	for (unsigned int i = 1; i < SESSIONS_MOST; i++)
		if (x->session[i].used_at < best->used_at)
			best = &x->session[i];
	return best;
}

static const char *session_open(struct xenapi *x)
{
	struct session *s = session_place(x);
	unsigned char bytes[SESSION_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return NULL;
	strcpy(s->ref, REF);
	for (int i = 0; i < SESSION_BYTES; i++)
		sprintf(s->ref + strlen(REF) + 2 * i, "%02x", bytes[i]);
	s->used_at = loop_now();
	return s->ref;
}

static struct session *session_find(struct xenapi *x, const char *ref)
{
	for (unsigned int i = 0; i < SESSIONS_MOST; i++) {
		struct session *s = &x->session[i];

		if (!s->used_at || strlen(ref) != strlen(s->ref) ||
		    !bytes_equal(ref, s->ref, strlen(ref)))
			continue;
		if (loop_now() - s->used_at > SESSION_MS)
			return NULL;
		s->used_at = loop_now();
		return s;
	}
	return NULL;
}

/* --- Answers ----------------------------------------------------------------------------------------------- */

static void put_string(struct text *out, const char *s)
{
	text_str(out, "<value><string>");
	xml_put_escaped(out, s);
	text_str(out, "</string></value>");
}

static void put_member(struct text *out, const char *name, const char *value)
{
	text_printf(out, "<member><name>%s</name>", name);
	put_string(out, value);
	text_str(out, "</member>");
}

static void put_bool_member(struct text *out, const char *name, bool value)
{
	text_printf(out, "<member><name>%s</name><value><boolean>%d</boolean></value></member>",
		    name, value);
}

static void answer_begin(struct api_request *r, const char *status, const char *member)
{
	r->answer.len = 0;
	r->status = r->retry_after ? 429 : 200;
	r->type = "text/xml";
	text_printf(&r->answer,
		    "<?xml version=\"1.0\"?>\n<methodResponse><params><param><value><struct>"
		    "<member><name>Status</name><value><string>%s</string></value></member>"
		    "<member><name>%s</name>",
		    status, member);
}

static void answer_end(struct api_request *r)
{
	text_str(&r->answer, "</member></struct></value></param></params></methodResponse>\n");
}

static void success_begin(struct api_request *r)
{
	answer_begin(r, "Success", "Value");
}

static int success(struct api_request *r, const char *value)
{
	success_begin(r);
	put_string(&r->answer, value);
	answer_end(r);
	return 0;
}

static void put_ref(struct text *out, const char *uuid)
{
	char ref[64];

	snprintf(ref, sizeof(ref), REF "%s", uuid);
	put_string(out, ref);
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

	answer_begin(r, "Failure", "ErrorDescription");
	text_str(&r->answer, "<value><array><data>");
	put_string(&r->answer, code);
	put_string(&r->answer, e->text);
	text_str(&r->answer, "</data></array></value>");
	answer_end(r);
}

static int finish(struct api_request *r, const struct operation *op, struct error *e)
{
	return success(r, "");
}

/* --- Methods ----------------------------------------------------------------------------------------------- */

struct call {
	struct api_request *r;
	struct xenapi *x;
	const struct method *method;
	char *const *param;
	size_t nr;
	struct domain *d; /* METHOD_VM: the first parameter behind the session */
};

enum { METHOD_LOGIN = 1, METHOD_VM = 2, METHOD_RUNNING = 4 };

struct method {
	const char *name;
	int (*run)(const struct call *c, struct error *e);
	unsigned int flags, params; /* @params: at least so many */
	struct operation *(*begin)(const struct call *c, struct error *e); /* of act() */
};

static int login(const struct call *c, struct error *e)
{
	const char *ref;

	if (!c->r->trusted && !c->x->password_good(c->r, c->param[1]))
		return error_set(e, ERROR_PERMISSION, "the password is none of the tokens");
	ref = session_open(c->x);
	return ref ? success(c->r, ref) : error_set(e, ERROR_RETRY, "no random numbers yet");
}

static int logout(const struct call *c, struct error *e)
{
	session_find(c->x, c->param[0])->used_at = 0;
	return success(c->r, "");
}

/* Off is only what is gone: until then its back ends may still write. */
static const char *power_state(const struct domain *d)
{
	char state[7];

	if (!d->present)
		return "Halted";
	domain_state(d, state);
	return state[2] == 'p' ? "Paused" : "Running";
}

static void put_record(struct text *out, struct node *n, const struct domain *d)
{
	char number[24];

	text_str(out, "<value><struct>");
	put_member(out, "uuid", d->uuid);
	put_member(out, "name_label", d->name);
	put_member(out, "name_description", "");
	put_member(out, "power_state", power_state(d));
	put_bool_member(out, "is_a_template", false);
	put_bool_member(out, "is_control_domain", d->present && !d->id);
	snprintf(number, sizeof(number), "%d", d->present ? (int)d->id : -1);
	put_member(out, "domid", number);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)domain_memory_kb(d) << 10);
	put_member(out, "memory_target", number);
	snprintf(number, sizeof(number), "%u", domain_vcpus_max(d));
	put_member(out, "VCPUs_max", number);
	text_str(out, "</struct></value>");
}

static void answer_refs(struct api_request *r, struct domain *d, const struct domain *end)
{
	success_begin(r);
	text_str(&r->answer, "<value><array><data>");
	for (; d != end; d = domain_next(r->node, d))
		put_ref(&r->answer, d->uuid);
	text_str(&r->answer, "</data></array></value>");
	answer_end(r);
}

static int get_all(const struct call *c, struct error *e)
{
	struct node *n = c->r->node;

	if (domains_refresh(n, e))
		return -1;
	answer_refs(c->r, domain_next(n, NULL), NULL);
	return 0;
}

static int get_all_records(const struct call *c, struct error *e)
{
	struct node *n = c->r->node;

	if (domains_refresh(n, e))
		return -1;
	success_begin(c->r);
	text_str(&c->r->answer, "<value><struct>");
	for (struct domain *d = domain_next(n, NULL); d; d = domain_next(n, d)) {
		text_printf(&c->r->answer, "<member><name>" REF "%s</name>", d->uuid);
		put_record(&c->r->answer, n, d);
		text_str(&c->r->answer, "</member>");
	}
	text_str(&c->r->answer, "</struct></value>");
	answer_end(c->r);
	return 0;
}

static int get_by_uuid(const struct call *c, struct error *e)
{
	struct domain *d = domain_by_uuid(c->r->node, c->param[1]);

	if (!d)
		return error_set(e, ERROR_NOT_FOUND, "there is no VM of uuid %.40s", c->param[1]);
	success_begin(c->r);
	put_ref(&c->r->answer, d->uuid);
	answer_end(c->r);
	return 0;
}

/* A list, empty where there is none of that name. */
static int get_by_name_label(const struct call *c, struct error *e)
{
	struct domain *d = domain_by_name(c->r->node, c->param[1]);

	answer_refs(c->r, d, d ? d->next : NULL);
	return 0;
}

static int get_record(const struct call *c, struct error *e)
{
	success_begin(c->r);
	put_record(&c->r->answer, c->r->node, c->d);
	answer_end(c->r);
	return 0;
}

static int act(const struct call *c, struct error *e)
{
	return api_wait(c->r, c->method->begin(c, e), finish);
}

static struct operation *vm_start(const struct call *c, struct error *e)
{
	return domain_start(c->r->node, c->d, c->nr > 2 && !strcmp(c->param[2], "1"), e);
}

static struct operation *hard_shutdown(const struct call *c, struct error *e)
{
	return domain_destroy(c->r->node, c->d, e);
}

static struct operation *hard_reboot(const struct call *c, struct error *e)
{
	return domain_reset(c->r->node, c->d, e);
}

static struct operation *clean_shutdown(const struct call *c, struct error *e)
{
	return domain_shutdown(c->r->node, c->d, "poweroff", e);
}

static struct operation *clean_reboot(const struct call *c, struct error *e)
{
	return domain_shutdown(c->r->node, c->d, "reboot", e);
}

static const struct method methods[] = {
	{"session.login_with_password", login, METHOD_LOGIN, 2},
	{"session.logout", logout, 0, 1},
	{"VM.get_all", get_all, 0, 1},
	{"VM.get_all_records", get_all_records, 0, 1},
	{"VM.get_by_uuid", get_by_uuid, 0, 2},
	{"VM.get_by_name_label", get_by_name_label, 0, 2},
	{"VM.get_record", get_record, METHOD_VM, 2},
	{"VM.start", act, METHOD_VM, 2, vm_start},
	{"VM.hard_shutdown", act, METHOD_VM | METHOD_RUNNING, 2, hard_shutdown},
	{"VM.hard_reboot", act, METHOD_VM | METHOD_RUNNING, 2, hard_reboot},
	{"VM.clean_shutdown", act, METHOD_VM | METHOD_RUNNING, 2, clean_shutdown},
	{"VM.clean_reboot", act, METHOD_VM | METHOD_RUNNING, 2, clean_reboot},
};

static const struct method *method_find(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!strcmp(methods[i].name, name))
			return &methods[i];
	return NULL;
}

static int find_vm(struct call *c, struct error *e)
{
	const char *ref = c->param[1];

	c->d = str_starts(ref, REF) ? domain_by_uuid(c->r->node, ref + strlen(REF)) : NULL;
	if (!c->d)
		return error_set(e, ERROR_NOT_FOUND, "there is no VM %.60s", ref);
	if (c->d->present && domain_refresh(c->r->node, c->d, false, e))
		return -1;
	if (c->method->flags & METHOD_RUNNING && !c->d->present)
		return error_set(e, ERROR_CONFLICT, "VM %s does not run", c->d->name);
	return 0;
}

static int call_method(struct api_request *r, const struct xmlrpc_call *call, struct error *e)
{
	const struct method *m = method_find(call->method);
	struct call c = {r, r->context->xenapi, m, call->param, call->nr, NULL};

	if (!m)
		return error_set(e, ERROR_UNSUPPORTED, "there is no method %.80s", call->method);
	if (c.nr < m->params)
		return error_set(e, ERROR_USAGE, "%s takes %u parameters, not %zu", m->name,
				 m->params, c.nr);
	if (!(m->flags & METHOD_LOGIN) && !session_find(c.x, c.param[0]))
		return error_set(e, ERROR_PERMISSION, "there is no such session");
	if (m->flags & METHOD_VM && find_vm(&c, e))
		return -1;
	return m->run(&c, e);
}

int api_xenapi_post(struct api_request *r, struct error *e)
{
	struct xmlrpc_call call;
	int rc;

	r->refuse = failure;
	if (xmlrpc_parse(r->body.data, r->body.len, &call)) {
		rc = call_method(r, &call, e);
	} else {
		rc = error_set(e, ERROR_USAGE, "the body is no call in XML-RPC's form");
	}
	xmlrpc_free(&call);
	return rc;
}
