/* SPDX-License-Identifier: MIT */
/* xend-config.sxp: every option that was ever documented, what is refused, and what the servers become. */
/* links: lib/base lib/config xend/settings.c */
/* libs: -ljansson */
#include "unit.h"

#include "lib/base/log.h"
#include "xend/settings.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct diagnostics found;
static struct xend_settings s;

static int read_text(const char *text)
{
	diagnostics_free(&found);
	xend_settings_free(&s);
	return xend_settings_read_text("x.sxp", text, &s, &found);
}

static int tear_down(void **state)
{
	diagnostics_free(&found);
	xend_settings_free(&s);
	return 0;
}

static const char *said(void)
{
	return found.nr ? found.item[0].text : "";
}

static void defaults(void **state)
{
	assert_int_equal(read_text(""), 0);
	assert_int_equal(found.nr, 0);
	assert_string_equal(s.logfile, "/var/log/xen/xend.log");
	assert_string_equal(s.api_socket, "/run/xend/api.sock");
	assert_int_equal(s.loglevel, LOG_LEVEL_INFO);
	assert_int_equal(s.dom0_min_mem_mb, 196);
	assert_true(s.dom0_ballooning);
	assert_int_equal(s.nr_listeners, 0);
	xend_settings_free(&s);
	assert_int_equal(xend_settings_read("/nonexistent/x.sxp", &s, &found), 0);
}

/* The files that Xen 3.0 and 4.1 came with, all of their options with their defaults. */
static void files_of_old(void **state)
{
	assert_int_equal(
		read_text(
			"# -*- sh -*-\n(logfile /var/log/xen/xend.log)\n(loglevel DEBUG)\n"
			"(xend-http-server no)(xend-unix-server no)(xend-tcp-xmlrpc-server no)"
			"(xend-unix-xmlrpc-server yes)(xend-relocation-server no)"
			"(xend-relocation-ssl-server no)(xend-udev-event-server no)"
			"(xend-unix-path /var/lib/xend/xend-socket)"
			"(xend-tcp-xmlrpc-server-address 'localhost')(xend-tcp-xmlrpc-server-port 8006)"
			"(xend-tcp-xmlrpc-server-ssl-key-file xmlrpc.key)"
			"(xend-tcp-xmlrpc-server-ssl-cert-file xmlrpc.crt)"
			"(xend-port 8000)(xend-relocation-port 8002)(xend-relocation-ssl-port 8003)"
			"(xend-relocation-server-ssl-key-file xmlrpc.key)"
			"(xend-relocation-server-ssl-cert-file xmlrpc.crt)(xend-relocation-ssl no)"
			"(xend-address '')(xend-address localhost)(xend-relocation-address '')"
			"(xend-relocation-hosts-allow '^localhost$ ^localhost\\\\.localdomain$')"
			"(console-limit 1024)(network-script '')(vif-script vif-bridge)"
			"(dom0-min-mem 196)(enable-dom0-ballooning yes)(total_available_memory 0)"
			"(dom0-cpus 0)(enable-dump no)(external-migration-tool '')"
			"(vnc-listen '127.0.0.1')(vncpasswd '')(vnc-tls 0)(vnc-x509-cert-dir vnc)"
			"(vnc-x509-verify 0)(keymap 'en-us')(resource-label-change-script '')"
			"(qemu-dm-logrotate-count 10)(xend-domains-path /var/lib/xend/domains)"
			"(device-create-timeout 100)(device-destroy-timeout 100)"
			"(pci-passthrough-strict-check yes)(pscsi-device-mask ('*'))"
			"(xsm_module_name dummy)(xen-api-server ((unix)))"),
		0);
	assert_int_equal(found.nr, 0);
	assert_int_equal(s.loglevel, LOG_LEVEL_DEBUG);
	assert_string_equal(s.http_address, "localhost");
}

static void refused(void **state)
{
	static const char *const later[] = {
		"(xend-relocation-server yes)",	    "(xend-relocation-ssl-server on)",
		"(xend-tcp-xmlrpc-server 1)",	    "(xend-udev-event-server true)",
		"(external-migration-tool /bin/x)", "(vnc-tls 1)",
		"(resource-label-change-script x)",
	};

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		char name[64];

		assert_int_equal(read_text(later[i]), -1);
		snprintf(name, sizeof(name),
			 "%.*s is not supported yet: ", (int)strcspn(later[i] + 1, " "),
			 later[i] + 1);
		assert_non_null(strstr(said(), name));
	}
	assert_int_equal(read_text("(network-script network-bridge)"), 0);
	assert_int_equal(found.warnings, 1);
}

static void mistakes(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"(xend-prot 8000)",
		 "x.sxp: unknown option 'xend-prot' (did you mean 'xend-port'?)"},
		{"(frobnicate yes)", "x.sxp: unknown option 'frobnicate'"},
		{"(xend-port 80000)",
		 "x.sxp: xend-port is '80000': it takes a number from 1 to 65535"},
		{"(xend-port)", "x.sxp: xend-port takes one value, not 0"},
		{"(xend-port 1 2)", "x.sxp: xend-port takes one value, not 2"},
		{"(xend-http-server maybe)",
		 "x.sxp: xend-http-server is 'maybe': it takes yes or no"},
		{"(loglevel LOUD)", "takes DEBUG, INFO, WARNING or ERROR"},
		{"xend-port 8000", "'xend-port' is no option: write (NAME VALUE)"},
		{"()", "is no option"},
		{"(xend-port ())", "takes a number"},
		{"(xend-port 8000", "x.sxp:1:1: '(' has no matching ')'"},
		{"(xend-http-server yes)(xend-address '')",
		 "open to other machines and has no TLS"},
		{"(xend-http-server yes)(xend-http-ssl-key-file k)",
		 "takes a key file and a certificate"},
		{"(xen-api-server ((9363 none)))", "9363 needs authentication"},
		{"(xen-api-server ((9363 magic)))", "'magic' is no kind of authentication"},
		{"(xen-api-server ((tcp pam)))", "'tcp' is neither unix nor a port"},
		{"(xen-api-server ())", "'' is neither unix nor a port"},
		{"(xen-api-server ((0.0.0.0:9363 token)))", "open to other machines"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_text(cases[i].text), -1);
		if (!strstr(said(), cases[i].says))
			print_error("%s: %s\n", cases[i].text, said());
		assert_non_null(strstr(said(), cases[i].says));
	}
}

static void servers(void **state)
{
	assert_int_equal(read_text("(xend-http-server yes)(xend-address localhost)(xend-port 8888)"
				   "(xen-api-server ((9363 pam '^localhost$') (unix none) "
				   "(10.0.0.1:9367 token '' /k /c)))"),
			 0);
	assert_int_equal(found.warnings, 1); /* PAM */
	assert_int_equal(s.nr_listeners, 3);
	assert_string_equal(s.listeners[0].hosts_allow, "^localhost$");
	assert_true(s.listeners[0].xenapi_only);
	assert_string_equal(s.listeners[1].address, "10.0.0.1");
	assert_string_equal(s.listeners[1].cert_file, "/c");
	assert_string_equal(s.listeners[2].address, "127.0.0.1");
	assert_int_equal(s.listeners[2].port, 8888);
	assert_false(s.listeners[2].xenapi_only);
	assert_int_equal(read_text("(xend-http-server yes)(xend-address '')"
				   "(xend-http-ssl-key-file /k)(xend-http-ssl-cert-file /c)"),
			 0);
	assert_string_equal(s.listeners[0].address, "0.0.0.0");
}

static void shown(void **state)
{
	json_t *json;

	assert_int_equal(read_text("(vncpasswd secret)(loglevel DEBUG)"), 0);
	json = xend_settings_to_json(&s);
	assert_null(json_object_get(json, "vncpasswd"));
	assert_string_equal(json_string_value(json_object_get(json, "loglevel")), "DEBUG");
	assert_int_equal(json_integer_value(json_object_get(json, "xend-port")), 8000);
	json_decref(json);
}

/* What a reload cannot change stays, and is shown as it stays; all else is as the file says now. */
static void kept(void **state)
{
	struct xend_settings now;

	assert_int_equal(read_text("(xend-port 8001)(xend-address '::1')(xend-http-server yes)"
				   "(xen-api-server ((9363 token)))(dom0-cpus 1)"),
			 0);
	assert_int_equal(
		xend_settings_read_text("y.sxp", "(xend-http-hosts a)(dom0-cpus 2)", &now, &found),
		0);
	xend_settings_keep(&s, &now);
	assert_int_equal(now.http_port, 8001);
	assert_string_equal(now.http_address, "::1");
	assert_true(now.http_server);
	assert_string_equal(now.api_servers, "((9363 token))");
	assert_string_equal(now.http_hosts, "a");
	assert_int_equal(now.dom0_cpus, 2);
	assert_string_equal(now.vif_script, "vif-bridge");
	xend_settings_free(&now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(defaults, tear_down),
		cmocka_unit_test_teardown(files_of_old, tear_down),
		cmocka_unit_test_teardown(refused, tear_down),
		cmocka_unit_test_teardown(mistakes, tear_down),
		cmocka_unit_test_teardown(servers, tear_down),
		cmocka_unit_test_teardown(shown, tear_down),
		cmocka_unit_test_teardown(kept, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
