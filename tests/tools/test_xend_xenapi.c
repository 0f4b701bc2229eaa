/* SPDX-License-Identifier: MIT */
/* XenAPI: calls read from XML-RPC, well-formed or not, and the methods as a fence agent uses them one after the other. */
/* links: lib/base lib/config tests/tools/fake_model.c xend/api_request.c xend/api_routes.c xend/api_json.c xend/api_node.c xend/api_domain.c xend/api_action.c xend/api_device.c xend/api_operation.c xend/openapi.c xend/metrics.c xend/xenapi.c xend/xenapi_xml.c xend/http_guard.c xend/settings.c */
/* libs: -ljansson */
#include "unit.h"

#include "fake_model.h"
#include "lib/base/text.h"
#include "xend/api_request.h"
#include "xend/xenapi.h"

#include <stdlib.h>
#include <string.h>

static struct xmlrpc_call call;

static bool parses(const char *xml)
{
	xmlrpc_free(&call);
	return xmlrpc_parse(xml, strlen(xml), &call);
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
	assert_string_equal(call.method, "VM.start");
	assert_int_equal(call.nr, 7);
	assert_string_equal(call.param[0], "a<b&A\xc3\xa4");
	assert_string_equal(call.param[1], "0");
	assert_string_equal(call.param[2], "bare");
	assert_string_equal(call.param[3], "-7");
	assert_string_equal(call.param[4], "");
	assert_string_equal(call.param[5], "");
	assert_true(parses(CALL(
		"x",
		PARAM("<struct><member><name>a</name><value>b</value></member></struct>") PARAM(
			"<array><data><value>b</value><value><int>1</int></value></data></array>")
			PARAM("z"))));
	assert_int_equal(call.nr, 3);
	assert_string_equal(call.param[2], "z");
	assert_true(parses("<methodCall><methodName>x</methodName></methodCall>"));
	assert_true(parses("<methodCall><methodName>x</methodName><params/></methodCall>"));
	xmlrpc_free(&call);
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
	xmlrpc_free(&call);
	assert_false(xmlrpc_parse("<methodCall>\0<", 14, &call));
	xmlrpc_free(&call);
}

static struct node *node;
static struct api_context context;
static struct api_request request;
static char session[80];

static bool only_good(struct api_request *r, const char *password)
{
	return !strcmp(password, "good");
}

/* The answer holds @wanted. */
static void expect(bool trusted, const char *xml, const char *wanted)
{
	api_request_end(&request);
	api_request_begin(&request, &context, "POST", "/RPC2");
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
	const char *const web = PARAM("OpaqueRef:" FAKE_WEB_UUID);

	node = fake_new(NULL);
	context.node = node;
	context.xenapi = xenapi_new(only_good);
	strcpy(session, "OpaqueRef:");
	method("VM.get_all", "", "SESSION_AUTHENTICATION_FAILED");
	method("VM.frobnicate", "", "MESSAGE_METHOD_UNKNOWN");
	expect(false, "nonsense", "Failure");
	expect(false, CALL("session.login_with_password", PARAM("root") PARAM("bad")), "Failure");
	expect(false, CALL("session.login_with_password", PARAM("root")), "PARAMETER_COUNT");
	expect(true, CALL("session.login_with_password", PARAM("root") PARAM("any")), "Success");
	expect(false, CALL("session.login_with_password", PARAM("root") PARAM("good")), "Success");
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
	xenapi_free(context.xenapi);
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
