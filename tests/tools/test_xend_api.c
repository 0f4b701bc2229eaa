/* SPDX-License-Identifier: MIT */
/* The API's requests without a network: routes, bodies, answers, problems, operations, /openapi.json. */
/* links: lib/base lib/config tests/tools/fake_model.c xend/api_request.c xend/api_routes.c xend/api_json.c xend/api_node.c xend/api_domain.c xend/api_action.c xend/api_device.c xend/api_operation.c xend/openapi.c xend/metrics.c xend/xenapi.c xend/http_guard.c xend/settings.c */
/* libs: -ljansson */
#include "unit.h"

#include "fake_model.h"
#include "xend/api_request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct node *node;
static struct api_request request;
static json_t *reply;

static int set_up(void **state)
{
	node = fake_new(NULL);
	return 0;
}

static int tear_down(void **state)
{
	api_request_end(&request);
	json_decref(reply);
	reply = NULL;
	fake_free(node);
	return 0;
}

/* The status; the answer, where it is JSON, in @reply. */
static int ask(const char *method, const char *uri, const char *body)
{
	api_request_end(&request);
	json_decref(reply);
	api_request_begin(&request, node, method, xstrdup(uri));
	if (body)
		text_str(&request.body, body);
	api_dispatch(&request);
	reply = request.type && strstr(request.type, "json")
			? json_loadb(request.answer.data, request.answer.len, 0, NULL)
			: NULL;
	if (request.type && strstr(request.type, "json"))
		assert_non_null(reply);
	return request.status;
}

static const char *get(const char *name)
{
	return json_string_value(json_object_get(reply, name));
}

static long number(const char *name)
{
	return (long)json_integer_value(json_object_get(reply, name));
}

static json_t *item(const char *list, size_t i)
{
	return json_array_get(json_object_get(reply, list), i);
}

static void routes(void **state)
{
	assert_int_equal(ask("GET", "/nothing", NULL), 404);
	assert_string_equal(get("class"), "not-found");
	assert_string_equal(request.type, "application/problem+json");
	assert_int_equal(ask("GET", "/v1/domains/web/nothing", NULL), 404);
	assert_int_equal(ask("GET", "/v1/domains/web/devices/disk/1/2/3/4/5/6", NULL), 404);
	assert_int_equal(ask("PATCH", "/v1/domains", NULL), 405);
	assert_string_equal(request.allow, "GET, POST");
	assert_int_equal(ask("POST", "/v1/domains/web", "{}"), 405);
	assert_string_equal(request.allow, "GET, DELETE");
	assert_int_equal(ask("HEAD", "/healthz", NULL), 200);
	assert_int_equal(ask("GET", "//v1///domains//", NULL), 200);
	assert_int_equal(ask("GET", "/v1/domains/nobody", NULL), 404);
	assert_non_null(strstr(get("title"), "nobody"));
	assert_int_equal(ask("POST", "/v1/domains/old/pause", NULL), 409);
	assert_int_equal(ask("GET", "/v1/domains/w%65b?x", NULL), 200);
	assert_int_equal(ask("GET", "/v1/domains/%zz%2", NULL), 404);
	assert_int_equal(ask("GET", "/v1/domains/a%2fb", NULL), 404);
	assert_non_null(strstr(get("title"), "a/b"));
}

static void domains(void **state)
{
	assert_int_equal(ask("GET", "/v1/domains", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(reply, "domains")), 3);
	assert_int_equal(json_object_size(item("domains", 1)), 16);
	assert_true(json_is_null(json_object_get(item("domains", 2), "id")));
	assert_true(json_is_null(json_object_get(item("domains", 0), "max_memory_kb")));
	assert_int_equal(ask("GET", "/v1/domains?detail=1", NULL), 200);
	assert_int_equal(json_object_size(item("domains", 1)), 18);
	assert_int_equal(ask("GET", "/v1/domains?fields=name,id,cpu_ns", NULL), 200);
	assert_string_equal(
		request.answer.data,
		"{\"domains\":[{\"id\":0,\"name\":\"Domain-0\",\"cpu_ns\":1234567890123},"
		"{\"id\":1,\"name\":\"web\",\"cpu_ns\":1234567890123},"
		"{\"id\":null,\"name\":\"old\",\"cpu_ns\":1234567890123}]}");
	assert_int_equal(ask("GET", "/v1/domains?fields=name,colour", NULL), 400);
	assert_non_null(strstr(get("title"), "colour"));
	assert_int_equal(ask("GET", "/v1/domains/1", NULL), 200);
	assert_string_equal(get("name"), "web");
	assert_string_equal(get("state"), "r-----");
	assert_string_equal(get("console_tty"), "/dev/pts/3");
	assert_string_equal(get("cpupool"), "Pool-0");
	assert_int_equal(number("memory_kb"), 131072);
	assert_int_equal(ask("GET", "/v1/domains/" FAKE_OLD_UUID, NULL), 200);
	assert_string_equal(get("name"), "old");
}

static void strange_names(void **state)
{
	domain_rename(node, domain_by_name(node, "web"), "a\"\\\n\x01\xc3\xa4", NULL);
	assert_int_equal(ask("GET", "/v1/domains?fields=name", NULL), 200);
	assert_string_equal(json_string_value(json_object_get(item("domains", 1), "name")),
			    "a\"\\\n\x01\xc3\xa4");
	domain_rename(node, node->domains->next, "a\"\\\n\xff\xc3\xa4\xed\xa0\x80", NULL);
	assert_int_equal(ask("GET", "/v1/domains?fields=name", NULL), 200);
	assert_string_equal(json_string_value(json_object_get(item("domains", 1), "name")),
			    "a\"\\\n?\?\?\?\?\?");
	assert_int_equal(ask("GET", "/metrics", NULL), 200);
	assert_non_null(strstr(request.answer.data, "domain=\"a\\\"\\\\\\n"));
}

static void bodies(void **state)
{
	assert_int_equal(ask("POST", "/v1/domains/web/rename", "{\"name\":"), 400);
	assert_non_null(strstr(get("title"), "no JSON"));
	assert_int_equal(ask("POST", "/v1/domains/web/rename", "[]"), 400);
	assert_int_equal(ask("POST", "/v1/domains/web/rename", NULL), 400);
	assert_string_equal(get("title"), "the body lacks 'name'");
	assert_int_equal(ask("POST", "/v1/domains/web/rename", "{\"name\":\"x\",\"nmae\":1}"), 400);
	assert_string_equal(get("title"), "the body has an unknown member 'nmae'");
	assert_int_equal(ask("POST", "/v1/domains/web/rename", "{\"name\":7}"), 400);
	assert_string_equal(get("title"), "'name' must be a text");
	assert_int_equal(ask("POST", "/v1/domains/web/rename", "{\"name\":\"a\",\"name\":\"b\"}"),
			 400);
	assert_int_equal(ask("POST", "/v1/domains/web/pause", "{\"x\":1}"), 400);
	assert_int_equal(ask("POST", "/v1/domains/web/pause", "{}"), 204);
	assert_int_equal(ask("POST", "/v1/domains/web/rename", "{\"name\":\"new\"}"), 204);
	assert_string_equal(fake_last, "rename new");
	assert_int_equal(ask("PUT", "/v1/domains/new/memory", "{\"target_kb\":-4}"), 400);
	assert_int_equal(
		ask("PUT", "/v1/domains/new/memory", "{\"target_kb\":99999999999999999999}"), 400);
	assert_int_equal(ask("PUT", "/v1/domains/new/memory", "{\"target_kb\":1,\"max_kb\":2}"),
			 400);
}

static void actions(void **state)
{
	static const struct {
		const char *method, *path, *body, *said;
		int status;
	} cases[] = {
		{"POST", "pause", NULL, "pause web", 204},
		{"POST", "unpause", "", "unpause web", 204},
		{"POST", "shutdown", "{\"reason\":\"halt\"}", "shutdown web", 204},
		{"POST", "shutdown", NULL, "shutdown web", 204},
		{"POST", "reboot", "{\"fallback\":true}", "reboot web", 204},
		{"POST", "destroy", NULL, "destroy web", 204},
		{"POST", "reset", NULL, "reset web", 200},
		{"POST", "start", "{\"paused\":true}", "start-paused web", 200},
		{"POST", "trigger", "{\"trigger\":\"nmi\",\"vcpu\":1}", "trigger nmi 1", 204},
		{"POST", "sysrq", "{\"key\":\"s\"}", "sysrq s", 204},
		{"POST", "sysrq", "{\"key\":\"sx\"}", NULL, 400},
		{"POST", "dump-core", "{}", "dump-core web", 200},
		{"POST", "dump-core", "{\"file\":\"relative\"}", NULL, 400},
		{"PUT", "memory", "{\"target_kb\":65536}", "target 65536", 204},
		{"PUT", "memory", "{\"max_kb\":65536}", "max 65536", 204},
		{"PUT", "vcpus", "{\"online\":2,\"ignore_host\":true}", "vcpus 2 1", 204},
		{"PUT", "vcpus", "{\"online\":0}", NULL, 400},
		{"PUT", "vcpus", "{}", NULL, 400},
		{"PUT", "vcpus", "{\"online\":2,\"vcpu\":1}", NULL, 400},
		{"PUT", "vcpus", "{\"vcpu\":\"all\",\"hard\":[0,2],\"soft\":null}",
		 "pin -1 hard 5 soft 0", 204},
		{"PUT", "vcpus", "{\"vcpu\":1,\"soft\":[64]}", "pin 1 hard 0 soft 1", 204},
		{"PUT", "vcpus", "{\"vcpu\":1,\"soft\":[4096]}", NULL, 400},
		{"PUT", "vcpus", "{\"vcpu\":1,\"soft\":[-1]}", NULL, 400},
		{"PUT", "vcpus", "{\"vcpu\":1,\"soft\":[\"x\"]}", NULL, 400},
		{"PUT", "scheduler", "{\"weight\":512}", "weight 512 cap -1", 204},
		{"PUT", "scheduler", "{\"scheduler\":\"credit2\",\"weight\":512}", NULL, 409},
		{"DELETE", "devices/disk/xvda1?force=1", NULL, "detach disk xvda1 1", 204},
		{"DELETE", "devices/network/0", NULL, "detach network 0 0", 204},
		{"DELETE", "devices/usb/0", NULL, NULL, 404},
		{"POST", "devices/network", "{\"mac\":\"00:16:3e:00:00:01\"}", "attach web", 204},
		{"POST", "devices/network", "{\"mca\":\"00:16:3e:00:00:01\"}", NULL, 422},
		{"POST", "devices/disk", "{\"pdev_path\":\"/dev/vg/x\",\"vdev\":\"xvdb\"}",
		 "attach web", 204},
		{"DELETE", "", NULL, NULL, 409},
		{"GET", "nothing", NULL, NULL, 404},
	};
	char path[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status;

		*fake_last = '\0';
		snprintf(path, sizeof(path), "/v1/domains/web/%s", cases[i].path);
		status = ask(cases[i].method, path, cases[i].body);
		if (status != cases[i].status)
			print_error("%s %s: %s\n", path, cases[i].body, request.answer.data);
		assert_int_equal(status, cases[i].status);
		assert_string_equal(fake_last, cases[i].said ? cases[i].said : "");
	}
	assert_int_equal(ask("DELETE", "/v1/domains/old", NULL), 204);
	assert_int_equal(ask("GET", "/v1/domains/old", NULL), 404);
}

static const char config[] =
	"{\"c_info\":{\"type\":\"pv\",\"name\":\"new\"},"
	"\"b_info\":{\"max_memkb\":8192,\"target_memkb\":8192,\"kernel\":\"/boot/k\",\"type.pv\":{}}}";

static void creating(void **state)
{
	char body[1024];

	snprintf(body, sizeof(body), "{\"config\":%s,\"paused\":true}", config);
	assert_int_equal(ask("POST", "/v1/domains", body), 201);
	assert_string_equal(get("name"), "new");
	assert_string_equal(request.location, "/v1/domains/aaaaaaaa-2222-3333-4444-555555555555");
	assert_int_equal(ask("POST", "/v1/domains", body), 409);
	assert_string_equal(get("hint"), "choose another name");
	snprintf(body, sizeof(body), "{\"config\":%s,\"start\":false}", config);
	assert_int_equal(ask("POST", "/v1/domains", body), 201);
	assert_string_equal(fake_last, "define new");
	assert_int_equal(ask("POST", "/v1/domains", "{\"config\":{\"c_info\":{\"naem\":\"x\"}}}"),
			 422);
	assert_non_null(strstr(get("title"), "naem"));
	assert_int_equal(ask("POST", "/v1/domains", "{\"config\":[]}"), 400);
	assert_int_equal(ask("PUT", "/v1/domains/web/config", config), 204);
	assert_string_equal(fake_last, "config new");
	assert_int_equal(ask("PUT", "/v1/domains/web/config", "{"), 400);
	assert_int_equal(ask("GET", "/v1/domains/web/config", NULL), 200);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(reply, "c_info"), "name")),
		"web");
	assert_int_equal(ask("GET", "/v1/domains/0/config", NULL), 404);
}

static void operations(void **state)
{
	fake_fail = true;
	assert_int_equal(ask("POST", "/v1/domains/web/destroy", NULL), 409);
	assert_string_equal(get("title"), "destroy of web did not work");
	assert_int_equal(ask("POST", "/v1/domains/web/destroy?async=1", NULL), 202);
	assert_string_equal(request.location, "/v1/operations/2");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(reply, "operation"), "kind")),
		"destroy");
	assert_int_equal(ask("GET", "/v1/operations", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(reply, "operations")), 2);
	assert_int_equal(ask("GET", "/v1/operations/1", NULL), 200);
	assert_string_equal(get("state"), "failed");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(reply, "error"), "status")),
		409);
	assert_int_equal(ask("DELETE", "/v1/operations/1", NULL), 409);
	assert_int_equal(ask("GET", "/v1/operations/77", NULL), 404);
	assert_int_equal(ask("GET", "/v1/operations/x", NULL), 404);
}

static void node_and_more(void **state)
{
	assert_int_equal(ask("GET", "/v1/node", NULL), 200);
	assert_int_equal(number("nr_cpus"), 2);
	assert_string_equal(get("virt_caps"), "pv hap");
	assert_string_equal(
		get("hw_caps"),
		"00000000:00000000:00000000:00000000:00000000:00000000:00000000:00000000");
	assert_int_equal(json_array_size(json_object_get(reply, "topology")), 1);
	assert_int_equal(ask("GET", "/v1/node?detail=0", NULL), 200);
	assert_null(json_object_get(reply, "numa"));
	assert_int_equal(ask("GET", "/v1/node/dmesg", NULL), 200);
	assert_string_equal(request.answer.data, "(XEN) hello\n");
	assert_string_equal(fake_last, "dmesg 0");
	assert_int_equal(ask("GET", "/v1/node/dmesg?clear=1", NULL), 400);
	assert_string_equal(fake_last, "dmesg 0");
	assert_int_equal(ask("POST", "/v1/node/dmesg?clear=1", NULL), 200);
	assert_string_equal(fake_last, "dmesg 1");
	assert_int_equal(ask("GET", "/v1/node/log?bytes=100", NULL), 200);
	assert_int_equal(ask("GET", "/v1/node/log?bytes=x", NULL), 400);
	assert_int_equal(ask("POST", "/v1/node/debug-keys", "{\"keys\":\"q\"}"), 204);
	assert_int_equal(ask("GET", "/v1/pools", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(item("pools", 0), "cpus")), 2);
	assert_int_equal(ask("PUT", "/v1/pools/Pool-0", "{\"tslice_ms\":10}"), 204);
	assert_string_equal(fake_last, "pool 0 10 -1 -1");
	assert_int_equal(ask("PUT", "/v1/pools/x", "{\"tslice_ms\":10}"), 404);
	assert_int_equal(ask("GET", "/v1/schedulers", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(reply, "schedulers")), 2);
	assert_int_equal(ask("GET", "/v1/domains/web/vcpus", NULL), 200);
	assert_int_equal(
		json_integer_value(json_array_get(json_object_get(item("vcpus", 1), "soft"), 0)),
		64);
	assert_int_equal(ask("GET", "/v1/domains/web/devices/disk", NULL), 200);
	assert_int_equal(json_integer_value(json_array_get(
				 json_object_get(item("devices", 0), "ring_refs"), 0)),
			 8);
	assert_int_equal(ask("GET", "/v1/domains/web/devices/network", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(item("devices", 0), "ring_refs")), 2);
	node->ready = false;
	assert_int_equal(ask("GET", "/healthz", NULL), 503);
}

/* What the document says is what there is. */
static void openapi(void **state)
{
	const json_t *paths;

	assert_int_equal(ask("GET", "/openapi.json", NULL), 200);
	paths = json_object_get(reply, "paths");
	for (const struct route *row = api_routes; row->method; row++) {
		char method[8] = "";

		for (size_t i = 0; row->method[i]; i++)
			method[i] = (char)(row->method[i] | 0x20);
		assert_non_null(json_object_get(json_object_get(paths, row->pattern), method));
	}
	assert_non_null(json_object_get(
		json_object_get(json_object_get(reply, "components"), "schemas"), "Domain"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(routes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(domains, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strange_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bodies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(actions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(creating, set_up, tear_down),
		cmocka_unit_test_setup_teardown(operations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(node_and_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(openapi, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
