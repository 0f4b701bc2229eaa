/* SPDX-License-Identifier: MIT */
/*
 * Devices against a fake xenstored, with a second client of it as domain 0's kernel: back ends that take up, open and let go of devices,
 * or refuse to; scripts that answer, fail and hang. What a failed operation leaves is nothing.
 */
/* links: lib/base lib/store lib/device lib/config */
/* libs: -ljansson */
#include "unit.h"

#include "fake_store.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/device/device.h"

#include <sys/stat.h>

static struct loop *loop;
static struct store *store, *kernel;
static struct store_watch *kernel_watch;
static struct devices *devices;
static char folder[] = "/tmp/device-test.XXXXXX";
static bool kernel_refuses, kernel_keeps; /* to open a disk; a device that is to be closed */

static char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *text_of(const char *fmt, ...)
{
	static char text[8][512];
	static int next;
	va_list ap;

	next = (next + 1) % 8;
	va_start(ap, fmt);
	vsnprintf(text[next], sizeof(text[next]), fmt, ap);
	va_end(ap);
	return text[next];
}

static void put_file(const char *path, const char *content, unsigned int mode)
{
	char *up = text_of("%s", path);
	FILE *f;

	*strrchr(up, '/') = '\0';
	assert_int_equal(folder_make(up, 0755, NULL), 0);
	f = fopen(path, "w");
	fputs(content, f);
	fclose(f);
	chmod(path, mode);
}

static char *sysfs(const char *kind, const char *rest, const char *name)
{
	return text_of("%s/sys/bus/xen-backend/devices/%s-%s/%s", folder, kind, rest, name);
}

/* What xen-blkback and xen-netback do about a node that changed. */
static void kernel_sees(void *arg, const char *path)
{
	char kind[16], rest[64], dashed[64], name[64], *value;
	unsigned int domid, devid;

	if (sscanf(path, "/local/domain/0/backend/%15[^/]/%u/%u/%63s", kind, &domid, &devid,
		   name) != 4 ||
	    (strcmp(kind, "vbd") && strcmp(kind, "vif")))
		return;
	value = store_read(kernel, path, NULL);
	snprintf(rest, sizeof(rest), "%u/%u", domid, devid);
	snprintf(dashed, sizeof(dashed), "%u-%u", domid, devid);
	if (!strcmp(name, "state") && value && !strcmp(value, "1")) {
		put_file(sysfs(kind, dashed, "driver"), "", 0644);
		if (!strcmp(kind, "vif"))
			put_file(sysfs(kind, dashed, "net"), "", 0644);
		store_write(kernel, path, NULL, "2");
	} else if (!strcmp(name, "state") && value && !strcmp(value, "5") && !kernel_keeps) {
		unlink(sysfs(kind, dashed, "driver"));
		unlink(sysfs(kind, dashed, "physical_device"));
		store_write(kernel, path, NULL, "6");
	} else if (!strcmp(name, "physical-device") && value && kernel_refuses) {
		store_put(kernel, text_of("/local/domain/0/error/backend/vbd/%s", rest), "error",
			  "30 creating vbd structure");
		store_write(kernel, text_of("/local/domain/0/backend/vbd/%s/state", rest), NULL,
			    "5");
	} else if (!strcmp(name, "physical-device") && value) {
		put_file(sysfs(kind, dashed, "physical_device"), value, 0644);
	}
	free(value);
}

static int start(void **state)
{
	struct device_settings set = {.script_ms = 300, .state_ms = 300, .vif_script = "good"};
	struct error e;

	fake_start();
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	put_file(text_of("%s/sys/bus/xen-backend/drivers/vbd", folder), "", 0644);
	put_file(text_of("%s/sys/bus/xen-backend/drivers/vif", folder), "", 0644);
	put_file(text_of("%s/sys/class/net/xenbr0/mtu", folder), "9000\n", 0644);
	put_file(text_of("%s/disk.img", folder), "", 0644);
	put_file(
		text_of("%s/scripts/good", folder),
		"#!/bin/sh\nenv >${0%/*}/env.$1\n[ $1 != add ] || printf 'physical-device 7:0\\nnode /dev/loop0\\n' >&3\n",
		0755);
	put_file(text_of("%s/scripts/bad", folder),
		 "#!/bin/sh\necho first; echo the last word >&2; exit 3\n", 0755);
	put_file(
		text_of("%s/scripts/busy", folder),
		"#!/bin/sh\necho hotplug-error it is in use >&3; echo hotplug-status busy >&3; exit 1\n",
		0755);
	put_file(text_of("%s/scripts/hang", folder),
		 "#!/bin/sh\n[ $1 = remove ] || { touch ${0%/*}/hangs; sleep 20; }\n", 0755);
	set.script_folder = strdup(text_of("%s/scripts", folder));
	set.log = strdup(text_of("%s/log", folder));
	set.sys = strdup(text_of("%s/sys", folder));
	set.dev = strdup(text_of("%s/dev", folder));
	loop = loop_new();
	store = store_open(loop);
	kernel = store_open(loop);
	kernel_refuses = kernel_keeps = false;
	store_write(store, "/local/domain/5/name", &e, "web");
	store_put_permissions(store, "/local/domain/5", "n0,r5");
	store_flush(store, &e);
	kernel_watch = store_watch(kernel, "/local/domain/0/backend", kernel_sees, NULL);
	store_flush(kernel, &e);
	devices = devices_new(loop, store, &set);
	*state = memcpy(malloc(sizeof(set)), &set, sizeof(set));
	return 0;
}

static int end(void **state)
{
	struct device_settings *set = *state;

	devices_free(devices);
	store_unwatch(kernel_watch);
	store_close(kernel);
	store_close(store);
	loop_free(loop);
	fake_kill();
	memset(fake, 0, sizeof(*fake));
	assert_int_equal(system(text_of("rm -r %s", folder)), 0);
	free((char *)set->script_folder);
	free((char *)set->log);
	free((char *)set->sys);
	free((char *)set->dev);
	free(set);
	return 0;
}

static struct error error;
static int ended;

static void done(void *arg, const struct error *e)
{
	ended++;
	error = e ? *e : (struct error){0};
	loop_stop(loop);
}

static void serve(void)
{
	ended = 0;
	loop_run(loop);
	assert_int_equal(ended, 1);
}

static void tick(void *arg)
{
	loop_stop(loop);
}

static void serve_ms(uint64_t ms)
{
	struct loop_source *t = loop_timer(loop, ms, false, tick, NULL);

	loop_run(loop);
	loop_remove(t);
}

static struct disk_config disk_of(const char *script)
{
	static char target[64];

	snprintf(target, sizeof(target), "%s/disk.img", folder);
	return (struct disk_config){.target = target,
				    .vdev = (char *)"xvda1",
				    .devid = 51713,
				    .script = (char *)script,
				    .readwrite = true,
				    .discard = -1,
				    .trusted = -1};
}

static struct device_op *attach_disk(const char *script)
{
	struct disk_config disk = disk_of(script);

	return device_attach(devices, 5, "web", &(struct device_set){.disks = &disk, .nr_disks = 1},
			     done, NULL, &error);
}

/* Apart from folders without anything in them. */
static int nodes_left(void)
{
	int n = 0;

	for (int i = 0; i < FAKE_NODES; i++) {
		const struct fake_node *node = &fake->node[i];

		if (!*node->path || !*node->value || !strcmp(node->path, "/local/domain/5/name"))
			continue;
		print_message("left: %s = %s\n", node->path, node->value);
		n++;
	}
	return n;
}

/* A node below the folder that is checked, and what it holds. */
struct wanted {
	const char *path, *value, *perms;
};

static void check_nodes(const char *top, const struct wanted *w, size_t nr)
{
	for (; nr--; w++) {
		char *path = text_of("%s%s", top, w->path);
		struct fake_node *n = fake_find(path);

		if (!n || strcmp(n->value, w->value) || strcmp(n->perms, w->perms))
			fail_msg("%s: '%s' (%s), not '%s' (%s)", path, n ? n->value : "-",
				 n ? n->perms : "-", w->value, w->perms);
	}
}
#define CHECK_NODES(top, wanted) check_nodes(top, wanted, sizeof(wanted) / sizeof((wanted)[0]))

/* As libxl 4.17 leaves them. */
static const struct wanted disk_front[] = {
	{"", "", "n5,r0"},
	{"/backend", "/local/domain/0/backend/vbd/5/51713", "n5,r0"},
	{"/backend-id", "0", "n5,r0"},
	{"/device-type", "disk", "n5,r0"},
	{"/protocol", "x86_64-abi", "n5,r0"},
	{"/state", "1", "n5,r0"},
	{"/trusted", "1", "n5,r0"},
	{"/virtual-device", "51713", "n5,r0"},
};

static const struct wanted disk_back[] = {
	{"", "", "n0,r5"},
	{"/bootable", "1", "n0,r5"},
	{"/dev", "xvda1", "n0,r5"},
	{"/device-type", "disk", "n0,r5"},
	{"/discard-enable", "1", "n0,r5"},
	{"/frontend", "/local/domain/5/device/vbd/51713", "n0,r5"},
	{"/frontend-id", "5", "n0,r5"},
	{"/mode", "w", "n0,r5"},
	{"/online", "1", "n0,r5"},
	{"/removable", "0", "n0,r5"},
	{"/specification", "xen", "n0,r5"},
	{"/state", "2", "n0,r5"},
	{"/type", "phy", "n0,r5"},
	{"/physical-device", "7:0", "n0,r5"},
	{"/hotplug-status", "connected", "n0,r5"},
};

static const struct wanted disk_libxl[] = {
	{"/frontend", "/local/domain/5/device/vbd/51713", "n0"},
	{"/backend", "/local/domain/0/backend/vbd/5/51713", "n0"},
	{"/mode", "w", "n0"},
	{"/state", "1", "n0"},
	{"/type", "phy", "n0"},
};

static void nodes_of_a_disk(void **state)
{
	struct device_info *list;
	char *env, *trouble;
	size_t nr;

	assert_non_null(attach_disk("good"));
	serve();
	assert_string_equal(error.text, "");
	CHECK_NODES("/local/domain/5/device/vbd/51713", disk_front);
	CHECK_NODES("/local/domain/0/backend/vbd/5/51713", disk_back);
	CHECK_NODES("/libxl/5/device/vbd/51713", disk_libxl);
	env = file_read(text_of("%s/scripts/env.add", folder), 10000, NULL, NULL);
	assert_non_null(strstr(env, "XENBUS_PATH=backend/vbd/5/51713\n"));
	assert_non_null(strstr(env, "XENBUS_TYPE=vbd\n"));
	assert_non_null(strstr(env, "XENBUS_BASE_PATH=backend\n"));
	assert_non_null(strstr(env, "mode=w\n"));
	free(env);

	assert_null(attach_disk("good"));
	assert_int_equal(error.class, ERROR_CONFLICT);

	assert_int_equal(device_list(store, 5, DEVICE_VBD, &list, &nr, &error), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(list[0].devid, 51713);
	assert_int_equal(list[0].backend_state, 2);
	assert_int_equal(list[0].event_channel, -1);
	assert_string_equal(list[0].vdev, "xvda1");
	trouble = device_trouble(&list[0]);
	assert_string_equal(trouble, "vbd 51713: the guest's driver has not connected, state 1");
	free(trouble);
	device_list_free(list, nr);

	assert_non_null(
		device_detach(devices, 5, "web", DEVICE_VBD, 51713, false, done, NULL, &error));
	serve();
	assert_string_equal(error.text, "");
	assert_int_equal(nodes_left(), 0);
	assert_null(fake_find("/local/domain/0/backend/vbd/5"));
	env = file_read(text_of("%s/scripts/env.remove", folder), 10000, NULL, NULL);
	assert_non_null(strstr(env, "node=/dev/loop0\n"));
	free(env);
	assert_null(device_detach(devices, 5, "web", DEVICE_VBD, 51713, true, done, NULL, &error));
	assert_int_equal(error.class, ERROR_NOT_FOUND);
}

static void nics_and_displays(void **state)
{
	const struct nic_config nics[] = {{.mac = (char *)"00:16:3e:00:00:01", .trusted = -1},
					  {.devid = 1,
					   .mac = (char *)"00:16:3e:00:00:02",
					   .ifname = (char *)"web0",
					   .ip = (char *)"10.0.0.1",
					   .rate_bytes_per_interval = 1000,
					   .rate_interval_us = 50000,
					   .trusted = 0}};
	struct vfb_config vfb = {.vnc = -1, .vnc_display = -1};
	const struct device_set set = {.nics = nics, .nr_nics = 2};
	struct fake_node *mtu;
	char *env;

	assert_non_null(device_attach(devices, 5, "web", &set, done, NULL, &error));
	device_put_vfb(store, 5, 0, &vfb);
	serve();
	assert_string_equal(error.text, "");
	assert_string_equal(fake_value("/local/domain/0/backend/vif/5/0/mac"), "00:16:3e:00:00:01");
	assert_string_equal(fake_value("/local/domain/0/backend/vif/5/0/bridge"), "xenbr0");
	assert_string_equal(fake_value("/local/domain/0/backend/vif/5/1/rate"), "1000,50000");
	assert_string_equal(fake_value("/libxl/5/device/vif/1/vifname"), "web0");
	assert_string_equal(fake_value("/libxl/5/device/vif/1/hotplug-status"), "");
	assert_string_equal(fake_value("/local/domain/5/device/vif/1/trusted"), "0");
	assert_int_equal(strncmp(fake_value("/local/domain/5/device/vif/1/mac"), "00:16:3e:", 9),
			 0);
	mtu = fake_find("/local/domain/5/device/vif/0/mtu");
	assert_string_equal(mtu->value, "9000");
	assert_string_equal(mtu->perms, "n0,r5");
	assert_string_equal(fake_value("/local/domain/0/backend/vkbd/5/0/state"), "6");
	assert_string_equal(fake_value("/local/domain/5/device/vfb/0/state"), "1");
	env = file_read(text_of("%s/scripts/env.online", folder), 10000, NULL, NULL);
	assert_true(strstr(env, "\nvif=vif5.") || str_starts(env, "vif=vif5."));
	free(env);
	assert_int_equal(device_next_id(store, 5, DEVICE_VIF), 2);
	assert_non_null(device_destroy_all(devices, 5, "web", done, NULL));
	serve();
	assert_string_equal(error.text, "");
	assert_int_equal(nodes_left(), 0);
}

static void expect_failure(const char *script, const char *text, enum error_class class)
{
	assert_non_null(attach_disk(script));
	serve();
	if (!strstr(error.text, text) || error.class != class)
		fail_msg("%s: '%s', not '%s'", script, error.text, text);
	assert_true(str_starts(error.text, "vbd 51713 of web: "));
	assert_int_equal(nodes_left(), 0);
}

static void failures(void **state)
{
	struct disk_config disk = disk_of(NULL);
	const struct device_set set = {.disks = &disk, .nr_disks = 1};

	expect_failure("bad", "the last word", ERROR_FAILED);
	expect_failure("busy", "it is in use", ERROR_CONFLICT);
	expect_failure("hang", "was not done after", ERROR_FAILED);
	expect_failure("none", "cannot be run", ERROR_FAILED);
	kernel_refuses = true;
	expect_failure("good", "30 creating vbd structure", ERROR_FAILED);
	kernel_refuses = false;

	disk.format = DISK_FORMAT_QCOW2;
	assert_null(device_attach(devices, 5, "web", &set, done, NULL, &error));
	assert_int_equal(error.class, ERROR_UNSUPPORTED);
	disk.format = DISK_FORMAT_RAW;
	disk.target = (char *)"/nowhere/at/all";
	assert_null(device_attach(devices, 5, "web", &set, done, NULL, &error));
	assert_int_equal(error.class, ERROR_NOT_FOUND);
	assert_non_null(strstr(error.text, "disk xvda1 of web: /nowhere/at/all"));
	disk.target = folder;
	assert_null(device_attach(devices, 5, "web", &set, done, NULL, &error));
	disk = disk_of("good");
	disk.backend_domain = (char *)"storage";
	assert_null(device_attach(devices, 5, "web", &set, done, NULL, &error));
	unlink(text_of("%s/sys/bus/xen-backend/drivers/vbd", folder));
	disk.backend_domain = NULL;
	assert_null(device_attach(devices, 5, "web", &set, done, NULL, &error));
	assert_non_null(strstr(error.hint, "xen-blkback"));
	assert_int_equal(nodes_left(), 0);
}

/* A disk for domain 0 itself: its name must not lead to another disk there. */
static void names_in_domain_0(void **state)
{
	struct disk_config disk = disk_of("good");
	const struct device_set set = {.disks = &disk, .nr_disks = 1};
	const long taken[] = {51713, 2049 /* sda1 */, 769 /* hda1 */};

	put_file(text_of("%s/dev/xvda1", folder), "", 0600);
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		disk.devid = taken[i];
		assert_null(device_attach(devices, 0, "Domain-0", &set, done, NULL, &error));
		assert_int_equal(error.class, ERROR_CONFLICT);
		assert_non_null(strstr(error.text, "/dev/xvda1 already"));
	}
	assert_int_equal(nodes_left(), 0);
	disk.devid = 51714;
	assert_non_null(device_attach(devices, 0, "Domain-0", &set, done, NULL, &error));
	serve();
	assert_string_equal(error.text, "");
}

/* One of three fails: the others are taken back. */
static void all_or_nothing(void **state)
{
	struct disk_config disks[] = {disk_of("good"), disk_of("bad")};
	struct nic_config nic = {.devid = 0, .mac = (char *)"00:16:3e:00:00:01", .trusted = -1};
	const struct device_set set = {disks, &nic, 2, 1};

	disks[1].devid = 51728;
	assert_non_null(device_attach(devices, 5, "web", &set, done, NULL, &error));
	serve();
	assert_string_equal(error.text, "vbd 51728 of web: the last word");
	assert_int_equal(nodes_left(), 0);
}

static void no_driver_comes(void **state)
{
	store_unwatch(kernel_watch);
	store_flush(kernel, NULL);
	kernel_watch = NULL;
	assert_non_null(attach_disk("good"));
	serve();
	assert_non_null(
		strstr(error.text, "waiting for the back end took longer than 0 s, state 1"));
	assert_int_equal(nodes_left(), 0);
}

static void a_guest_that_does_not_let_go(void **state)
{
	assert_non_null(attach_disk("good"));
	serve();
	kernel_keeps = true;
	assert_non_null(
		device_detach(devices, 5, "web", DEVICE_VBD, 51713, false, done, NULL, &error));
	serve();
	assert_non_null(strstr(error.text, "waiting for the back end to close took longer"));
	assert_non_null(strstr(error.hint, "--force"));
	assert_non_null(fake_find("/libxl/5/device/vbd/51713"));
	assert_non_null(
		device_detach(devices, 5, "web", DEVICE_VBD, 51713, true, done, NULL, &error));
	serve();
	assert_string_equal(error.text, "");
	assert_int_equal(nodes_left(), 0);
}

/* The xenstored of the test is one. */
static int nr_children(void)
{
	autofree char *list = file_read("/proc/thread-self/children", 4096, NULL, &error);
	int nr = 0;

	for (const char *c = list; c && *c; c++)
		nr += *c == ' ';
	return nr;
}

/* Cancelled while its script runs. */
static void interrupted(void **state)
{
	struct device_op *op = attach_disk("hang");

	serve_ms(100);
	device_cancel(op);
	serve();
	assert_string_equal(error.text, "vbd 51713 of web: cancelled");
	assert_int_equal(nodes_left(), 0);
	/* On a busy machine the script takes its time to die. */
	while (nr_children() > 1)
		serve_ms(20);
}

/* Half of a device, as a crash may leave it, and a script named in it that is no more. */
static void leftovers(void **state)
{
	store_put(store, "/local/domain/0/backend/vbd/5/51713", "script", "/nowhere");
	store_put(store, "/local/domain/0/backend/vbd/5/51713", "state", "2");
	store_put(store, "/local/domain/0/backend/vif/5/0", "mac", "x");
	store_put(store, "/local/domain/5/device/vfb/0", "state", "1");
	store_put(store, "/libxl/5/device/console/0", "frontend", "x");
	assert_int_equal(store_flush(store, &error), 0);
	for (int i = 0; i < 2; i++) {
		assert_non_null(device_destroy_all(devices, 5, "web", done, NULL));
		serve();
		assert_string_equal(error.text, "");
		assert_int_equal(nodes_left(), 0);
	}
	/* front and back end without /libxl are no obstacle */
	store_put(store, "/local/domain/0/backend/vbd/5/51713", "state", "6");
	store_put(store, "/local/domain/5/device/vbd/51713", "state", "6");
	assert_int_equal(store_flush(store, &error), 0);
	assert_non_null(attach_disk("good"));
	serve();
	assert_string_equal(error.text, "");
}

/* xenstored is killed at every request of an attachment in turn; it is done, or it failed and nothing is left. */
static void store_dies(void **state)
{
	for (int at = 1; at < 90; at += 4) {
		pid_t helper;

		fake->die_at = at;
		helper = fork();
		if (!helper) {
			while (fake->die_at)
				usleep(1000);
			fake_start();
			pause();
		}
		if (attach_disk("good"))
			serve();
		fake->die_at = 0;
		assert_non_null(device_destroy_all(devices, 5, "web", done, NULL));
		serve();
		assert_string_equal(error.text, "");
		assert_int_equal(nodes_left(), 0);
		kill(helper, SIGKILL);
		waitpid(helper, NULL, 0);
		fake_kill();
		fake_start();
		serve_ms(150);
	}
}

static void console(void **state)
{
	static const struct wanted front[] = {
		{"", "", "n0,r5"},
		{"/backend", "/local/domain/0/backend/console/5/0", "n0,r5"},
		{"/backend-id", "0", "n5,r0"},
		{"/limit", "1048576", "n0,r5"},
		{"/output", "pty", "n0,r5"},
		{"/port", "2", "n0,r5"},
		{"/ring-ref", "4711", "n0,r5"},
		{"/tty", "", "n0,r5"},
		{"/type", "xenconsoled", "n0,r5"},
	};

	device_put_console(store, 5, 2, 4711);
	assert_int_equal(store_flush(store, &error), 0);
	CHECK_NODES("/local/domain/5/console", front);
	assert_string_equal(fake_value("/local/domain/0/backend/console/5/0/protocol"), "vt100");
	assert_string_equal(fake_value("/libxl/5/device/console/0/frontend"),
			    "/local/domain/5/console");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nodes_of_a_disk, start, end),
		cmocka_unit_test_setup_teardown(nics_and_displays, start, end),
		cmocka_unit_test_setup_teardown(failures, start, end),
		cmocka_unit_test_setup_teardown(names_in_domain_0, start, end),
		cmocka_unit_test_setup_teardown(all_or_nothing, start, end),
		cmocka_unit_test_setup_teardown(no_driver_comes, start, end),
		cmocka_unit_test_setup_teardown(a_guest_that_does_not_let_go, start, end),
		cmocka_unit_test_setup_teardown(interrupted, start, end),
		cmocka_unit_test_setup_teardown(leftovers, start, end),
		cmocka_unit_test_setup_teardown(store_dies, start, end),
		cmocka_unit_test_setup_teardown(console, start, end),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
