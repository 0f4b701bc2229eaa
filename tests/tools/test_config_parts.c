/* SPDX-License-Identifier: MIT */
/* Pieces of the configuration library: names of disks, sets of CPUs, devices alone, the command line, what is set by hand, Python's limits. */
/* links: lib/base lib/config */
/* libs: -ljansson */
#include "unit.h"

#include "lib/base/sxp.h"
#include "lib/config/domain_config.h"
#include "lib/config/keys.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void numbers_of_disks(void **state)
{
	static const struct {
		const char *name;
		long number;
		const char *back;
	} names[] = {
		{"xvda", 51712, "xvda"},
		{"xvda1", 51713, "xvda1"},
		{"xvdp15", 202 << 8 | 255, "xvdp15"},
		{"xvda16", 1 << 28 | 16, "xvda16"},
		{"xvdq", 1 << 28 | 16 << 8, "xvdq"},
		{"xvdaa3", 1 << 28 | 26 << 8 | 3, "xvdaa3"},
		{"/dev/xvdb", 51728, "xvdb"},
		{"sda", 2048, "sda"},
		{"sdp15", 8 << 8 | 255, "sdp15"},
		{"hda63", 3 << 8 | 63, "hda63"},
		{"hdd5", 22 << 8 | 64 | 5, "hdd5"},
		{"d5p2", 202 << 8 | 5 << 4 | 2, "xvdf2"},
		{"d16p0", 1 << 28 | 16 << 8, "xvdq"},
		{"51713", 51713, "xvda1"},
		{"0x801", 2049, "sda1"},
		{"17", 17, "17"},
	};
	static const char *const wrong[] = {
		"",	 "xvd", "xvda0", "xvda01", "xvda256", "xvdA", "hde",	     "hda64", "sdq",
		"sda16", "d1",	"d1p",	 "d1p256", "x",	      "-1",   "99999999999", "xvda1x"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *back = vdev_name(names[i].number);

		assert_int_equal(vdev_number(names[i].name), names[i].number);
		assert_string_equal(back, names[i].back);
		free(back);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(vdev_number(wrong[i]), -1);
}

static uint64_t cpus(const char *spec)
{
	static const unsigned int node_of[8] = {0, 0, 0, 0, 1, 1, 1, 1};
	static struct cpu_set set;
	struct error e;

	return cpus_parse(spec, node_of, 8, &set, &e) ? ~0UL : set.word[0];
}

static void sets_of_cpus(void **state)
{
	static struct cpu_set set;
	struct error e;

	assert_int_equal(cpus("0"), 1);
	assert_int_equal(cpus("0-3,5,^1"), 0x2d);
	assert_int_equal(cpus("all"), 0xff);
	assert_int_equal(cpus("any,^0"), 0xfe);
	assert_int_equal(cpus("nodes:0"), 0x0f);
	assert_int_equal(cpus("nodes:0-1,^node:1"), 0x0f);
	assert_int_equal(cpus(" 1 , 2"), 6);
	assert_int_equal(cpus("1-"), ~0UL);
	assert_int_equal(cpus(""), ~0UL);
	assert_int_equal(cpus_parse("nodes:0", NULL, 0, &set, &e), -1);
	assert_true(cpus_anywhere("all") && !cpus_anywhere("0-3") && !cpus_anywhere("nodes:0"));
}

/* What @spec becomes in JSON and in SXP; and back from both, the same. */
static void device(const char *spec, bool disk, const char *json, const char *sxp)
{
	struct diagnostics found = {0};
	struct disk_config d, d2;
	struct nic_config n, n2;
	struct text out = {0};
	char *s, *s2;
	json_t *j;
	struct sxp *x;

	if (disk)
		assert_int_equal(spec_parse(&disk_kind, spec, &d, &found), 0);
	else
		assert_int_equal(spec_parse(&nic_kind, spec, &n, &found), 0);
	j = disk ? spec_to_json(&disk_kind, &d, false) : spec_to_json(&nic_kind, &n, false);
	s = json_dumps(j, JSON_COMPACT);
	assert_string_equal(s, json);
	assert_int_equal(disk ? spec_from_json(&disk_kind, j, &d2, &found)
			      : spec_from_json(&nic_kind, j, &n2, &found),
			 0);
	json_decref(j);
	j = disk ? spec_to_json(&disk_kind, &d2, false) : spec_to_json(&nic_kind, &n2, false);
	s2 = json_dumps(j, JSON_COMPACT);
	assert_string_equal(s2, s);
	json_decref(j);
	x = disk ? device_to_sxp(&disk_kind, &d) : device_to_sxp(&nic_kind, &n);
	sxp_print(x, false, &out);
	assert_string_equal(out.data, sxp);
	sxp_free(x);
	text_free(&out);
	free(s);
	free(s2);
	if (disk) {
		spec_free(&disk_kind, &d);
		spec_free(&disk_kind, &d2);
	} else {
		spec_free(&nic_kind, &n);
		spec_free(&nic_kind, &n2);
	}
	diagnostics_free(&found);
}

static void devices_alone(void **state)
{
	device("phy:vg/a,xvda,w!", true,
	       "{\"pdev_path\":\"/dev/vg/a\",\"vdev\":\"xvda\",\"format\":\"raw\",\"readwrite\":1,"
	       "\"force\":\"True\"}",
	       "(vbd (uname phy:/dev/vg/a) (dev xvda) (mode w!))");
	device("tap:qcow2:/a b.img,hdc:cdrom,r", true,
	       "{\"pdev_path\":\"/a b.img\",\"vdev\":\"hdc\",\"format\":\"qcow2\",\"removable\":1,"
	       "\"is_cdrom\":1}",
	       "(vbd (uname 'tap:qcow2:/a b.img') (dev hdc:cdrom) (mode r))");
	device("format=raw, vdev=xvdb, access=ro, target=/x,y", true,
	       "{\"pdev_path\":\"/x,y\",\"vdev\":\"xvdb\",\"format\":\"raw\"}",
	       "(vbd (uname file:/x,y) (dev xvdb) (mode r))");
	device("", false, "{}", "(vif)");
	device("xenbr0", false, "{\"bridge\":\"xenbr0\"}", "(vif (bridge xenbr0))");
	device("mac=00:16:3E:00:00:01, ip=10.0.0.1 10.0.0.2,rate=1MB/s@20ms", false,
	       "{\"mac\":\"00:16:3e:00:00:01\",\"ip\":\"10.0.0.1 10.0.0.2\","
	       "\"rate_bytes_per_interval\":20000,\"rate_interval_usecs\":20000}",
	       "(vif (mac 00:16:3e:00:00:01) (ip '10.0.0.1 10.0.0.2') (rate 1000000B/s@20000us))");
}

static int read_with(const char *text, enum config_dialect dialect, struct domain_config *c,
		     struct diagnostics *found, size_t nr, const char *const *words)
{
	*found = (struct diagnostics){0};
	return config_read_text("f", text, dialect, (char *const *)words, nr, c, found);
}

static void set_by_hand(void **state)
{
	static const char *const words[] = {"memory=64", "name=\"b\"; vcpus=3", "extra=a b=c"};
	static const char *const disks[] = {"disk=/a,,xvda", "disk=/b,,xvdb", "vif=", "vmid=4"};
	static const char *const bad[] = {"memory", "kernel=['x'", "memmory=5"};
	struct domain_config c;
	struct diagnostics found;

	assert_int_equal(
		read_with("name='a'\nkernel='/k'\nmemory=32\n", CONFIG_XL, &c, &found, 3, words),
		0);
	assert_string_equal(c.name, "b");
	assert_int_equal(c.memory_kb, 64 << 10);
	assert_int_equal(c.vcpus, 3);
	assert_string_equal(c.extra, "a b=c");
	assert_int_equal(found.nr, 0);
	config_free(&c);

	assert_int_equal(read_with("name='a'\nkernel='/k'\ndisk=['/c,,xvdc']\n", CONFIG_XM, &c,
				   &found, 4, disks),
			 0);
	assert_int_equal(c.nr_disks, 2);
	assert_string_equal(c.disks[1].vdev, "xvdb");
	assert_string_equal(found.item[0].text, "the file makes no use of 'vmid'");
	config_free(&c);
	diagnostics_free(&found);

	assert_int_equal(read_with("name='a'\nkernel='/k'\n", CONFIG_XM, &c, &found, 3, bad), -1);
	assert_int_equal(found.errors, 3);
	assert_string_equal(found.item[0].text, "'memory' is no key=value");
	config_free(&c);
	diagnostics_free(&found);
}

static void command_lines(void **state)
{
	static const struct {
		const char *text, *cmdline;
	} lines[] = {
		{"", ""},
		{"root='/dev/xvda1 ro'", "root=/dev/xvda1 ro"},
		{"root='root=/dev/xvda1'\nextra='4'", "root=/dev/xvda1 4"},
		{"dhcp='dhcp'", "ip=:127.0.255.255::::eth0:dhcp"},
		{"dhcp='off'", ""},
		{"ip='1.2.3.4'\nnetmask='255.0.0.0'\nhostname='h'\ninterface='eth1'",
		 "ip=1.2.3.4:127.0.255.255::255.0.0.0:h:eth1:off"},
		{"nfs_server='9.9.9.9'\nnfs_root='/x'\nroot='/dev/nfs'\nextra='4'",
		 "root=/dev/nfs nfsroot=9.9.9.9:/x 4"},
		{"cmdline='this'\nroot='/x'", "this"},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char *text = xasprintf("name='a'\nkernel='/k'\n%s\n", lines[i].text), *line;
		struct domain_config c;
		struct diagnostics found;

		assert_int_equal(read_with(text, CONFIG_XM, &c, &found, 0, NULL), 0);
		line = config_cmdline(&c);
		assert_string_equal(line, lines[i].cmdline);
		free(line);
		free(text);
		config_free(&c);
		diagnostics_free(&found);
	}
}

static void uuids(void **state)
{
	struct domain_config a, b;

	config_init(&a, CONFIG_XL);
	config_init(&b, CONFIG_XL);
	config_make_uuid(&a);
	config_make_uuid(&b);
	assert_int_equal(strlen(a.uuid), 36);
	assert_int_equal(a.uuid[14], '4');
	assert_string_not_equal(a.uuid, b.uuid);
	config_free(&a);
	config_free(&b);
}

static void files(void **state)
{
	static const char *const words[] = {"name=x", "kernel=/k"};
	struct domain_config c;
	struct diagnostics found = {0};
	struct error e;

	assert_int_equal(config_read("/dev/null", CONFIG_XL, (char *const *)words, 2, &c, &found),
			 0);
	assert_string_equal(c.name, "x");
	config_free(&c);
	assert_int_equal(config_read("/nowhere/x", CONFIG_XL, NULL, 0, &c, &found), -1);
	assert_int_equal(diagnostics_to_error(&found, &e), -1);
	assert_string_equal(e.text, "/nowhere/x cannot be opened: No such file or directory");
	config_free(&c);
	diagnostics_free(&found);
	assert_int_equal(config_read("/proc/self/status", CONFIG_XL, NULL, 0, &c, &found), -1);
	config_free(&c);
	diagnostics_free(&found);
}

static void without_python(void **state)
{
	struct domain_config c;
	struct diagnostics found;
	const char *kept = python_program;

	python_program = "/nowhere/python3";
	assert_int_equal(read_with("name='a'\nkernel='/k'\nif 1: memory = 5\n", CONFIG_XM, &c,
				   &found, 0, NULL),
			 -1);
	assert_string_equal(
		found.item[found.nr - 1].text,
		"f: if this is a Python file, it needs /nowhere/python3, which is missing");
	config_free(&c);
	diagnostics_free(&found);
	/* What needs no Python does without. */
	assert_int_equal(read_with("name='a'\nkernel='/k'\n", CONFIG_XM, &c, &found, 0, NULL), 0);
	config_free(&c);
	python_program = kept;
}

/* What a hostile file may try: none gets more than its own sentence. */
static void python_confined(void **state)
{
	static const char *const tries[] = {
		"import os\nname = 'n' + '-'.join(k for k in os.environ if k != 'LC_CTYPE')\nkernel = '/k'\n",
		"import os\nname = 'cwd' + os.getcwd().replace('/', '-')\nkernel = '/k'\n",
		"import os\nname = 'u'\nkernel = '/k'\nif os.getuid() == 0: memory = 'root'\n",
		"import os\nname = 'f' + '-'.join(sorted(os.listdir('/proc/self/fd')))[:5]\nkernel='/k'\n",
	};
	static const char *const answers[] = {
		"{\"vars\": 5}",
		"{\"vars\": [[\"name\", {\"a\": 1}, 0, 0, false]]}",
		"[]",
		"{}",
		"5",
		"{\"vars\": [[\"name\", [[{}], [\"a\"]], -1, -1, true], [], [\"vif\", null, 0, 0, true]]}",
		"{\"error\": []}",
		"{\"syntax\": 7}",
	};
	static const char *const names[] = {"n", "cwd-", "u", "f0-1-2"};
	struct domain_config c;
	struct diagnostics found;

	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		assert_int_equal(read_with(tries[i], CONFIG_XM, &c, &found, 0, NULL), 0);
		assert_int_equal(strncmp(c.name, names[i], 5), 0);
		config_free(&c);
		diagnostics_free(&found);
	}
	/* Answers of the file's own making, and one too long. */
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		char *text =
			xasprintf("import os\nos.write(1, b'''%s''')\nos._exit(0)\n", answers[i]);

		assert_int_equal(read_with(text, CONFIG_XM, &c, &found, 0, NULL), -1);
		free(text);
		config_free(&c);
		diagnostics_free(&found);
	}
	assert_int_equal(read_with("name = 'a' * (1 << 21)\nkernel = '/k' + ''\n", CONFIG_XM, &c,
				   &found, 0, NULL),
			 -1);
	config_free(&c);
	diagnostics_free(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_disks),
		cmocka_unit_test(sets_of_cpus),
		cmocka_unit_test(devices_alone),
		cmocka_unit_test(set_by_hand),
		cmocka_unit_test(command_lines),
		cmocka_unit_test(uuids),
		cmocka_unit_test(files),
		cmocka_unit_test(without_python),
		cmocka_unit_test(python_confined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
