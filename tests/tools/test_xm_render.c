/* SPDX-License-Identifier: MIT */
/*
 * What xm and xl print, byte for byte: JSON as xend answers it goes in, the text must be that of the golden file. Those called xl-* and
 * xentop were printed by Debian's xl 4.17.7 and xentop; those called xm-* follow the formats of xm 4.1.
 */
/* links: xm/call.c xm/commands.c xm/completion.c xm/console.c xm/create.c xm/devices.c xm/help.c xm/life.c xm/list.c xm/list_long.c xm/node.c xm/render.c xm/sched.c xm/terminal.c xm/top.c xm/top_sample.c xm/top_table.c xm/uptime.c xm/vcpu.c xm/xend.c lib/base lib/config */
/* libs: -ljansson */
#include "lib/base/file.h"
#include "lib/base/sxp.h"
#include "xm/devices.h"
#include "xm/list.h"
#include "xm/node.h"
#include "xm/sched.h"
#include "xm/top.h"
#include "xm/uptime.h"
#include "xm/vcpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FOLDER "tests/tools/xm/"

static json_t *fixture(const char *name)
{
	char path[256];
	json_t *j;

	snprintf(path, sizeof(path), FOLDER "%s.json", name);
	j = json_load_file(path, 0, NULL);
	assert_non_null(j);
	return j;
}

/* Frees @out. */
static void golden(struct text *out, const char *name)
{
	char path[256];
	char *wanted;

	snprintf(path, sizeof(path), FOLDER "%s.golden", name);
	wanted = file_read(path, 1 << 20, NULL, NULL);
	assert_non_null(wanted);
	assert_string_equal(out->data ? out->data : "", wanted);
	free(wanted);
	text_free(out);
}

static void check_list(const char *fixture_name, const char *golden_name,
		       enum config_dialect dialect, unsigned int columns)
{
	json_t *domains = fixture(fixture_name), *d;
	struct text out = {0};
	size_t i;

	json_array_foreach(domains, i, d) json_object_set_new(d, "nodes", json_string("all"));
	list_render(domains, dialect, columns, &out);
	golden(&out, golden_name);
	json_decref(domains);
}

static void test_list_xl(void **state)
{
	check_list("xl-list", "xl-list", CONFIG_XL, 0);
	check_list("xl-list-paused", "xl-list-paused", CONFIG_XL, 0);
	check_list("xl-list-v", "xl-list-v", CONFIG_XL, LIST_VERBOSE);
	check_list("xl-list-c", "xl-list-c", CONFIG_XL, LIST_POOL);
	check_list("xl-list-n", "xl-list-n", CONFIG_XL, LIST_NODES);
	check_list("xl-list-Z", "xl-list-Z", CONFIG_XL, LIST_LABEL);
	check_list("xl-list-all", "xl-list-all", CONFIG_XL, LIST_VERBOSE | LIST_POOL | LIST_NODES);
	check_list("xl-claims", "xl-claims", CONFIG_XL, LIST_CLAIMS);
}

static void test_list_states(void **state)
{
	json_t *domains = fixture("xm-list");
	struct text out = {0};

	check_list("xm-list", "xm-list", CONFIG_XM, 0);
	json_array_remove(domains, json_array_size(domains) - 1); /* xl asks for those that run */
	list_render(domains, CONFIG_XL, LIST_VERBOSE, &out);
	golden(&out, "xl-list-states");
	json_decref(domains);
	assert_string_equal(state_word("r-----"), "running");
	assert_string_equal(state_word("-b----"), "idle");
	assert_string_equal(state_word("------"), "idle");
	assert_string_equal(state_word("-bp---"), "paused");
	assert_string_equal(state_word("---s--"), "shutdown");
	assert_string_equal(state_word("---sc-"), "crashed");
}

static void test_list_long(void **state)
{
	json_t *wanted = fixture("xl-list-l"), *list = json_array(), *entry;
	json_t *values = fixture("schedulers");
	struct text out = {0};
	size_t i;

	json_array_foreach(wanted, i, entry)
	{
		json_t *config = json_deep_copy(json_object_get(entry, "config"));
		json_t *domain =
			json_pack("{sO ss sI sI sI}", "id", json_object_get(entry, "domid"), "name",
				  "Domain-0", "memory_kb", (json_int_t)819200, "max_memory_kb",
				  (json_int_t)819200, "target_kb", (json_int_t)819199);

		json_object_clear(
			json_object_get(json_object_get(config, "b_info"), "sched_params"));
		json_array_append_new(list, json_pack("{sOso}", "domid",
						      json_object_get(entry, "domid"), "config",
						      long_config(domain, i ? config : NULL,
								  json_array_get(values, i))));
		json_decref(config);
		json_decref(domain);
	}
	config_print_json(list, &out);
	text_str(&out, "\n");
	golden(&out, "xl-list-l");
	json_decref(values);
	json_decref(list);
	json_decref(wanted);
}

/* Ganeti's collector takes domid, name, cpu_time and state as direct children, atoms bare. */
static void test_list_sxp(void **state)
{
	json_t *list = fixture("xl-list-l"), *domains = fixture("xl-list");

	for (size_t i = 0; i < 2; i++) {
		const json_t *config = json_object_get(json_array_get(list, i), "config");
		struct sxp *x = long_sxp(json_array_get(domains, i), i ? config : NULL);
		struct text out = {0};

		assert_string_equal(x->member[0]->atom, "domain");
		assert_string_equal(sxp_child(x, "domid")->member[1]->atom, i ? "1" : "0");
		assert_string_equal(sxp_child(x, "name")->member[1]->atom,
				    i ? "guest" : "Domain-0");
		assert_string_equal(sxp_child(x, "state")->member[1]->atom,
				    i ? "-b----" : "r-----");
		assert_true(atof(sxp_child(x, "cpu_time")->member[1]->atom) > 1);
		sxp_print(x, true, &out);
		assert_non_null(strstr(out.data, i ? "\n    (domid 1)\n" : "\n    (domid 0)\n"));
		text_free(&out);
		sxp_free(x);
	}
	json_decref(list);
	json_decref(domains);
}

static void test_vm_list(void **state)
{
	json_t *domains = fixture("xl-list");
	struct text out = {0};

	text_str(&out, VM_HEAD);
	rows_render(domains, VM_ROW, &out);
	golden(&out, "xl-vm-list");
	json_decref(domains);
}

static void check_vcpus(const char *fixture_name, const char *golden_name, long cpus,
			enum config_dialect dialect)
{
	json_t *domains = fixture(fixture_name);
	struct text out = {0};

	vcpus_render(domains, cpus, dialect, &out);
	golden(&out, golden_name);
	json_decref(domains);
}

static void test_vcpu_list(void **state)
{
	check_vcpus("xl-vcpu-list", "xl-vcpu-list", 2, CONFIG_XL);
	check_vcpus("vcpus-4", "xl-vcpu-list-4", 4, CONFIG_XL);
	check_vcpus("vcpus-4", "xm-vcpu-list", 4, CONFIG_XM);
}

static void check_info(enum config_dialect dialect, bool numa, const char *name)
{
	json_t *node = fixture("node");
	struct text out = {0};

	info_render(node, dialect, numa, NULL, &out);
	golden(&out, name);
	json_decref(node);
}

static void test_info(void **state)
{
	json_t *node = fixture("node");
	struct text out = {0};

	check_info(CONFIG_XL, false, "xl-info");
	check_info(CONFIG_XL, true, "xl-info-n");
	check_info(CONFIG_XM, false, "xm-info");
	info_render(node, CONFIG_XL, false, "xen_version", &out);
	assert_string_equal(out.data, "4.17.7\n");
	text_free(&out);
	json_decref(node);
}

static void test_uptime(void **state)
{
	const time_t now = 20778 * 86400L + 14 * 3600 + 33 * 60 + 57;
	json_t *domains = fixture("xl-list"), *old;
	struct text out = {0};

	setenv("TZ", "UTC", 1);
	uptime_render(domains, CONFIG_XL, false, now, 68, &out);
	golden(&out, "xl-uptime");
	uptime_render(domains, CONFIG_XL, true, now, 68, &out);
	golden(&out, "xl-uptime-s");
	json_decref(domains);
	old = json_pack("[{sisssI}{sisssI}]", "id", 5, "name", "a", "started_at",
			(json_int_t)(now - 86400 - 3661), "id", 6, "name", "b", "started_at",
			(json_int_t)(now - 3 * 86400));
	uptime_render(old, CONFIG_XM, false, now, 0, &out);
	assert_string_equal(out.data, "Name                                ID Uptime \n"
				      "a                                    5 1 day,  1:01:01\n"
				      "b                                    6 3 days,  0:00:00\n");
	text_free(&out);
	json_decref(old);
}

static void test_sched(void **state)
{
	json_t *pools = fixture("pools"), *values = fixture("schedulers");
	struct text out = {0};

	sched_render(pools, values, "credit", NULL, CONFIG_XL, &out);
	golden(&out, "xl-sched-credit");
	sched_render(pools, values, "credit", NULL, CONFIG_XM, &out);
	golden(&out, "xm-sched-credit");
	sched_render(pools, values, "credit2", NULL, CONFIG_XL, &out);
	assert_int_equal(out.len, 0);
	sched_pool_render(json_array_get(pools, 0), &out);
	golden(&out, "xl-sched-credit-s");
	pools_render(pools, false, &out);
	golden(&out, "cpupool-list");
	pools_render(pools, true, &out);
	golden(&out, "cpupool-list-c");
	json_decref(pools);
	json_decref(values);
}

static void test_devices(void **state)
{
	json_t *disks = fixture("disks"), *nics = fixture("nics");
	struct text out = {0};

	devices_render(device_class("block-list"), disks, CONFIG_XM, true, &out);
	golden(&out, "xm-block-list");
	devices_render(device_class("block-list"), disks, CONFIG_XL, true, &out);
	golden(&out, "xl-block-list");
	devices_render(device_class("network-list"), nics, CONFIG_XL, true, &out);
	golden(&out, "xl-network-list");
	devices_render(device_class("network-list"), nics, CONFIG_XM, true, &out);
	golden(&out, "xm-network-list");
	device_long_render(json_array_get(nics, 0), &out);
	assert_non_null(strstr(out.data, "(backend /local/domain/0/backend/vif/1/0)"));
	assert_non_null(strstr(out.data, "(rx-ring-ref 523)"));
	text_free(&out);
	json_decref(disks);
	json_decref(nics);
}

/* --- top ------------------------------------------------------------------------------------------------ */

static const char proc_net_dev[] =
	"Inter-|   Receive                                                |  Transmit\n"
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
	"    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0\n"
	"vif1.0:     600       9    0    0    0     0          0         0      816      10    0    2    0     0       0          0\n"
	"vif9.0:     600       9    0    0    0     0          0         0      816      10    0    2    0     0       0          0\n";

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_top(void **state)
{
	static const char *const counters[][2] = {{"oo_req", "0\n"},
						  {"rd_req", "10\n"},
						  {"wr_req", "3\n"},
						  {"rd_sect", "44\n"},
						  {"wr_sect", "6\n"}};
	char folder[] = "/tmp/test_xm_top.XXXXXX", path[128];
	struct top_sample s, before = {0};
	struct top_view view = {.by_id = true, .vcpus = true, .networks = true, .vbds = true};
	struct text out = {0};

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/vbd-1-51712", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/vbd-1-51712/statistics", folder);
	mkdir(path, 0700);
	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/vbd-1-51712/statistics/%s", folder,
			 counters[i][0]);
		write_file(path, counters[i][1]);
	}
	sample_from_json(&s, fixture("node"), fixture("xentop"));
	sample_networks(&s, proc_net_dev);
	sample_vbds(&s, folder);
	s.domain[0].vcpu_list =
		json_pack("[{sbsI}{sbsI}]", "online", 1, "cpu_ns", (json_int_t)61900000000,
			  "online", 1, "cpu_ns", (json_int_t)57000000000);
	s.domain[1].vcpu_list =
		json_pack("[{sbsI}]", "online", 1, "cpu_ns", (json_int_t)7100000000);
	sample_values(&s, &before);
	top_sort(&s, &view);
	top_render(&s, &view, &out);
	golden(&out, "xentop");
	snprintf(path, sizeof(path), "rm -r %s", folder);
	assert_int_equal(system(path), 0);

	view = (struct top_view){.sort = 0};
	top_sort(&s, &view);
	assert_string_equal(s.domain[0].name, "Domain-0");
	view.sort = 9; /* NETS: most first */
	top_sort(&s, &view);
	assert_string_equal(s.domain[0].name, "guest");
	view.dom0_first = true;
	top_sort(&s, &view);
	assert_string_equal(s.domain[0].name, "Domain-0");
	top_summary(&s, "01:02:03", &out);
	assert_string_equal(
		out.data,
		"xentop - 01:02:03   Xen 4.17.7\n"
		"2 domains: 1 running, 1 blocked, 0 paused, 0 crashed, 0 dying, 0 shutdown \n"
		"Mem: 2096640k total, 1039772k used, 1056868k free    CPUs: 2 @ 2596MHz\n");
	text_free(&out);
	sample_free(&s);
}

/* --- Small things ---------------------------------------------------------------------------------------- */

static void test_memory(void **state)
{
	static const struct {
		const char *text;
		long kb;
	} sizes[] = {{"512", 524288}, {"1g", 1048576},	  {"64m", 65536},  {"64M", 65536},
		     {"4096k", 4096}, {"1048576b", 1024}, {"0.5g", 524288}};
	static const char *const bad[] = {"", "x", "1x", "-5", "1gb", "m"};
	struct error e;
	long kb;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(memory_parse(sizes[i].text, &kb, &e), 0);
		assert_int_equal(kb, sizes[i].kb);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(memory_parse(bad[i], &kb, &e), -1);
}

static void test_path(void **state)
{
	char *p = domain_path("a b/c?%\xc3\xa9", "vcpus");

	assert_string_equal(p, "/v1/domains/a%20b%2Fc%3F%25%C3%A9/vcpus");
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_xl),	  cmocka_unit_test(test_list_states),
		cmocka_unit_test(test_list_long), cmocka_unit_test(test_list_sxp),
		cmocka_unit_test(test_vm_list),	  cmocka_unit_test(test_vcpu_list),
		cmocka_unit_test(test_info),	  cmocka_unit_test(test_uptime),
		cmocka_unit_test(test_sched),	  cmocka_unit_test(test_devices),
		cmocka_unit_test(test_top),	  cmocka_unit_test(test_memory),
		cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
