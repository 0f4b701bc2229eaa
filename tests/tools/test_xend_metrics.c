/* SPDX-License-Identifier: MIT */
/* /metrics: names, labels, figures; devices' counters from a sysfs made up here. */
/* links: lib/base lib/config tests/tools/fake_model.c xend/api_request.c xend/api_routes.c xend/api_json.c xend/api_node.c xend/api_domain.c xend/api_action.c xend/api_device.c xend/api_operation.c xend/openapi.c xend/metrics.c xend/xenapi.c xend/http_guard.c xend/settings.c */
/* libs: -ljansson */
#include "unit.h"

#include "fake_model.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "xend/api_request.h"

#include <stdlib.h>
#include <string.h>

static char root[] = "/tmp/metrics.XXXXXX";

static void put(const char *folder, const char *file, const char *value)
{
	char *path = xasprintf("%s/%s/statistics", root, folder);
	char *name = xasprintf("%s/%s", path, file);

	assert_int_equal(folder_make(path, 0755, NULL), 0);
	assert_int_equal(file_replace(name, value, strlen(value), false, NULL), 0);
	free(name);
	free(path);
}

static void figures(void **state)
{
#define LABELS "domain=\"web\",uuid=\"" FAKE_WEB_UUID "\""
	static const char *const wanted[] = {
		"# TYPE xen_domain_cpu_seconds_total counter\n",
		"xen_domain_cpu_seconds_total{" LABELS "} 1234.567890123\n",
		"xen_domain_vcpu_seconds_total{" LABELS ",vcpu=\"1\"} 0.500000000\n",
		"xen_domain_memory_bytes{" LABELS ",kind=\"current\"} 134217728\n",
		"xen_domain_state{" LABELS ",state=\"running\"} 1\n",
		"xen_domain_state{" LABELS ",state=\"paused\"} 0\n",
		"xen_host_memory_bytes{kind=\"free\"} 4194304\n",
		"xen_host_cpus 2\n",
		"xen_build_info{version=\"4.17.0\",changeset=\"abc\"} 1\n",
		"xen_domain_network_receive_bytes_total{" LABELS ",device=\"0\"} 77\n",
		"xen_domain_network_transmit_drop_total{" LABELS ",device=\"0\"} 5\n",
		"xen_domain_block_read_bytes_total{" LABELS ",device=\"xvda1\"} 1024\n",
	};
	struct node *n = fake_new(NULL);
	struct api_request r;
	char *command;

	assert_non_null(mkdtemp(root));
	put("class/net/vif1.0", "tx_bytes", "77\n");
	put("class/net/vif1.0", "rx_dropped", "5\n");
	put("class/net/vif1.0-emu", "tx_bytes", "1\n");
	put("class/net/vif9.0", "tx_bytes", "1\n");
	put("class/net/eth0", "tx_bytes", "1\n");
	put("bus/xen-backend/devices/vbd-1-51713", "rd_sect", "2\n");
	metrics_sysfs = root;
	api_request_begin(&r, n, "GET", xstrdup("/metrics"));
	api_dispatch(&r);
	assert_int_equal(r.status, 200);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!strstr(r.answer.data, wanted[i]))
			print_error("%s\n%s", wanted[i], r.answer.data);
		assert_non_null(strstr(r.answer.data, wanted[i]));
	}
	assert_null(strstr(r.answer.data, "domain=\"old\""));
	assert_null(strstr(r.answer.data, "9.0"));
	/* Every line is a remark or a sample. */
	for (char *line = strtok(r.answer.data, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(!strncmp(line, "# ", 2) ||
			    (!strncmp(line, "xen_", 4) && strrchr(line, ' ')));
	api_request_end(&r);
	fake_free(n);
	command = xasprintf("rm -rf %s", root);
	assert_int_equal(system(command), 0);
	free(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(figures)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
