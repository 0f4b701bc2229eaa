/* SPDX-License-Identifier: MIT */
/* XenAPI: calls read from XML-RPC, well-formed or not, and the methods as a fence agent uses them one after the other. */
/* links: lib/base lib/config tests/tools/fake_model.c xend/api_request.c xend/api_routes.c xend/api_json.c xend/api_node.c xend/api_domain.c xend/api_action.c xend/api_device.c xend/api_operation.c xend/openapi.c xend/metrics.c xend/xenapi.c xend/http_guard.c xend/settings.c */
/* libs: -ljansson */
#include "unit.h"

#include "fake_model.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "xend/api_request.h"
#include "xend/settings.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOKEN "0123456789abcdef0123456789abcdef"

static json_t *call;

static bool parses(const char *xml)
{
	json_decref(call);
	call = xmlrpc_parse(xml, strlen(xml));
	return call;
}

/* 0 is the method. */
static const char *param(size_t i)
{
	return json_string_value(json_array_get(call, i));
}

#define CALL(name, params) \
	"<methodCall><methodName>" name "</methodName><params>" params "</params></methodCall>"
#define PARAM(value) "<param><value>" value "</value></param>"

static void reading(void **state)
{
	assert_true(parses(
		"<?xml version='1.0'?>\n<!-- x --><methodCall>\n<methodName>VM.start</methodName>\n<params>\n"
		"<param>\n<value><string>a&lt;b&amp;A\xc3\xa4</string></value>\n</param>\n"
		"<param><value><boolean>0</boolean></value></param><param><value>bare</value></param>"
		"<param><value><int>-7</int></value></param><param><value><string></string></value></param>"
		"<param><value/></param><param><value><string/></value></param></params></methodCall>\n"));
	assert_string_equal(param(0), "VM.start");
	assert_int_equal(json_array_size(call), 8);
	assert_string_equal(param(1), "a<b&A\xc3\xa4");
	assert_string_equal(param(2), "0");
	assert_string_equal(param(3), "bare");
	assert_string_equal(param(4), "-7");
	assert_string_equal(param(5), "");
	assert_string_equal(param(6), "");
	assert_true(parses(CALL(
		"x",
		PARAM("<struct><member><name>a</name><value>b</value></member></struct>") PARAM(
			"<array><data><value>b</value><value><int>1</int></value></data></array>")
			PARAM("z"))));
	assert_int_equal(json_array_size(call), 4);
	assert_string_equal(param(3), "z");
	assert_true(parses("<methodCall><methodName>x</methodName></methodCall>"));
	assert_true(parses("<methodCall><methodName>x</methodName><params/></methodCall>"));
	json_decref(call);
	call = NULL;
}

static void not_reading(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"<",
		"<>",
		"</",
		"<methodCall>",
		"<methodCall",
		"&",
		"&#;",
		"<!",
		"<!--",
		"<?",
		"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><methodCall/>",
		"<methodCall><methodName>a&b;</methodName>",
		"<methodCall><methodName>a</methodName><params><param><value>",
		"<a/>",
		CALL("x", "<param><value>a"),
		CALL("x", "</value>"),
		CALL("x", PARAM("&#0;")),
		CALL("x", "<param><"),
		"<methodCall><methodName>x</methodName><parameters-with-a-very-long-name></methodCall>",
		CALL("x", PARAM("1") PARAM("2") PARAM("3") PARAM("4") PARAM("5") PARAM("6")
				  PARAM("7") PARAM("8") PARAM("9")),
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(parses(bad[i]));
	assert_null(xmlrpc_parse("<methodCall>\0<", 14));
}

static struct node *node;
static struct api_request request;
static char session[80];

/* The answer holds @wanted. */
static void expect(bool trusted, const char *xml, const char *wanted)
{
	api_request_end(&request);
	api_request_begin(&request, node, "POST", xstrdup("/RPC2"));
	request.trusted = trusted;
	text_str(&request.body, xml);
	api_dispatch(&request);
	assert_int_equal(request.status, 200);
	if (!strstr(request.answer.data, wanted))
		print_error("%s\n", request.answer.data);
	assert_non_null(strstr(request.answer.data, wanted));
}

static void method(const char *name, const char *more, const char *wanted)
{
	char *xml = xasprintf(CALL("%s", PARAM("%s") "%s"), name, session, more);

	expect(false, xml, wanted);
	free(xml);
}

static void fence(void **state)
{
	char path[64];
	const struct xend_settings settings = {.token_file = path};
	const char *const web = PARAM("OpaqueRef:" FAKE_WEB_UUID);

	node = fake_new(NULL);
	snprintf(path, sizeof(path), "/tmp/xenapi-tokens.%d", (int)getpid());
	assert_int_equal(file_replace(path, TOKEN "\n", strlen(TOKEN) + 1, false, NULL), 0);
	node->settings = &settings;
	strcpy(session, "OpaqueRef:");
	method("VM.get_all", "", "SESSION_AUTHENTICATION_FAILED");
	method("VM.frobnicate", "", "MESSAGE_METHOD_UNKNOWN");
	expect(false, "nonsense", "Failure");
	expect(false, CALL("session.login_with_password", PARAM("root") PARAM("bad")), "Failure");
	expect(false, CALL("session.login_with_password", PARAM("root")), "PARAMETER_COUNT");
	expect(true, CALL("session.login_with_password", PARAM("root") PARAM("any")), "Success");
	expect(false, CALL("session.login_with_password", PARAM("root") PARAM(TOKEN)), "Success");
	snprintf(session, sizeof(session), "%.42s", strstr(request.answer.data, "OpaqueRef:"));
	method("VM.get_all", "", FAKE_OLD_UUID);
	method("VM.get_all_records", "",
	       "<name>is_control_domain</name><value><boolean>1</boolean>");
	method("VM.get_by_uuid", PARAM(FAKE_WEB_UUID), "OpaqueRef:" FAKE_WEB_UUID);
	method("VM.get_by_uuid", PARAM("no"), "HANDLE_INVALID");
	method("VM.get_by_name_label", PARAM("web"),
	       "<data><value><string>OpaqueRef:" FAKE_WEB_UUID);
	method("VM.get_by_name_label", PARAM("no"), "<data></data>");
	method("VM.get_record", web, "<name>power_state</name><value><string>Running</string>");
	method("VM.get_record", PARAM("OpaqueRef:" FAKE_OLD_UUID), "<string>Halted</string>");
	method("VM.get_record", PARAM("web"), "HANDLE_INVALID");
	method("VM.hard_shutdown", web, "Success");
	assert_string_equal(fake_last, "destroy web");
	method("VM.hard_reboot", web, "Success");
	assert_string_equal(fake_last, "reset web");
	method("VM.clean_reboot", web, "Success");
	assert_string_equal(fake_last, "reboot web");
	method("VM.hard_shutdown", PARAM("OpaqueRef:" FAKE_OLD_UUID), "VM_BAD_POWER_STATE");
	method("VM.start",
	       PARAM("OpaqueRef:" FAKE_OLD_UUID) PARAM("<boolean>0</boolean>")
		       PARAM("<boolean>1</boolean>"),
	       "Success");
	assert_string_equal(fake_last, "start old");
	fake_fail = true;
	method("VM.hard_shutdown", web, "VM_BAD_POWER_STATE");
	domain_rename(node, domain_by_name(node, "web"), "a<b>&\x01", NULL);
	method("VM.get_record", web, "a&lt;b>&amp;</string>");
	method("session.logout", "", "Success");
	method("VM.get_all", "", "SESSION_AUTHENTICATION_FAILED");
	/* More sessions than there is room for: the oldest go, nothing grows. */
	for (int i = 0; i < 100; i++)
		expect(true, CALL("session.login_with_password", PARAM("a") PARAM("b")), "Success");
	api_request_end(&request);
	unlink(path);
	fake_free(node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),
		cmocka_unit_test(not_reading),
		cmocka_unit_test(fence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
