/* SPDX-License-Identifier: MIT */
/* poncho: try, healthy, enable, disable on a machine of files in a temporary folder, with GRUB's programs made up. */
/* links: poncho/boot.c poncho/health.c poncho/counters.c poncho/check.c poncho/grub.c poncho/host.c lib/base */
/* libs: -ljansson -lxencall */
#include "unit.h"

#include "lib/base/file.h"
#include "poncho/host.h"
#include "poncho/poncho.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CUSTOM "/boot/grub/custom.cfg"
#define CONFIG "/boot/grub/grub.cfg"

static char folder[64];
static struct text asked;
static const char *env, *fails,
	*made; /* grub-editenv's list; what fails; what grub-mkconfig makes */

static void file_make(const char *name, const char *text)
{
	autofree char *path = host_path("%s", name), *parent = xstrdup(path);

	*strrchr(parent, '/') = '\0';
	assert_int_equal(folder_make(parent, 0755, NULL), 0);
	assert_int_equal(file_replace(path, text, strlen(text), false, NULL), 0);
}

static void file_is(const char *name, const char *text)
{
	autofree char *path = host_path("%s", name), *is = file_read(path, 1 << 20, NULL, NULL);

	if (!text)
		assert_null(is);
	else
		assert_string_equal(is, text);
}

static int program_fake(const char *const *argv, struct text *out)
{
	text_str(out, "");
	for (int i = 0; argv[i]; i++)
		text_printf(&asked, "%s%s", i ? " " : "", argv[i]);
	text_str(&asked, "\n");
	if (!strcmp(argv[0], fails))
		return 1;
	if (!strcmp(argv[0], "grub-editenv") && !strcmp(argv[2], "list"))
		text_str(out, env);
	if (!strcmp(argv[0], "ip"))
		text_str(out, "8.0.0.1 via 10.0.2.2 dev ens3 src 10.0.2.15\n");
	if (!strcmp(argv[0], "grub-mkconfig"))
		file_make(CONFIG, made);
	return 0;
}

static const char plain[] = "menuentry 'x' --id 'gnulinux-simple' {\nlinux /boot/vmlinuz-6.1 ro\n"
			    "initrd /boot/initrd.img-6.1\n}\n";

static int machine_make(void **state)
{
	strcpy(folder, "/tmp/poncho-boot.XXXXXX");
	assert_non_null(mkdtemp(folder));
	host_root = folder;
	host_program = program_fake;
	env = fails = "";
	made = "menuentry 'y' --id poncho {\n";
	file_make(CONFIG, plain);
	file_make("/boot/config-6.1", "CONFIG_XEN=y\nCONFIG_XEN_DOM0=y\n");
	file_make("/proc/sys/kernel/random/boot_id", "first\n");
	file_make("/etc/grub.d/10_linux", "");
	file_make("/etc/default/grub", "");
	return 0;
}

static int entry_remove(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	return remove(path);
}

static int machine_remove(void **state)
{
	text_free(&asked);
	return nftw(folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static bool was_asked(const char *words)
{
	return strstr(asked.data, words);
}

static const struct options force = {.force = true, .no_reboot = true, .seconds = 60};

static void tried_and_fell_back(void **state)
{
	autofree char *custom = NULL;
	struct error e = {0};

	file_make(CUSTOM, "mine");
	assert_int_equal(poncho_try(&force, &e), 0);
	custom = host_read(CUSTOM);
	assert_true(str_starts(custom, "mine\n### BEGIN poncho"));
	assert_non_null(strstr(custom, "dom0_watchdog=60"));
	assert_true(was_asked("grubenv set next_entry=poncho-try\n"));
	file_is(CONFIG, plain);
	file_is("/var/lib/poncho/try",
		"how=grub\nboot=first\naddress=10.0.2.15\nssh=no\nresult=pending\n");
	/* Before the reboot nothing is concluded. */
	assert_int_equal(poncho_healthy(&force, &e), 0);
	assert_false(was_asked("unset"));
	file_make("/proc/sys/kernel/random/boot_id", "second\n");
	env = "saved_entry=7\nnext_entry=\n";
	assert_int_equal(poncho_healthy(&force, &e), 0);
	file_is(CUSTOM, "mine");
	assert_true(was_asked("grubenv unset next_entry\n"));
	file_is("/var/lib/poncho/try",
		"how=grub\nboot=first\naddress=10.0.2.15\nssh=no\nresult=fell-back\n");
	assert_false(poncho_tried_well());
}

static void try_undone(void **state)
{
	struct error e = {0};

	fails = "grub-editenv";
	assert_int_equal(poncho_try(&force, &e), -1);
	file_is(CUSTOM, NULL);
	file_is("/var/lib/poncho/try", NULL);
	assert_false(was_asked("systemctl"));
}

static void by_kexec(void **state)
{
	struct options o = force;
	struct error e = {0};

	o.kexec = true;
	assert_int_equal(poncho_try(&o, &e), 0);
	assert_true(was_asked("--command-line=console=com1,vga dom0_watchdog=60 --module"));
	file_is(CUSTOM, NULL);
	file_make("/sys/firmware/efi/systab", "SMBIOS=0x5f520000\nACPI=0x5f77d000\n");
	assert_int_equal(poncho_try(&o, &e), 0);
	assert_true(was_asked(" acpi_rsdp=0x5f77d000 --module"));
	file_make("/sys/firmware/efi/systab", "ACPI20=0x5f77d014\nACPI=0x5f77d000\n");
	assert_int_equal(poncho_try(&o, &e), 0);
	assert_true(was_asked(" acpi_rsdp=0x5f77d014 --module"));
}

static void next_entry_of_others(void **state)
{
	struct error e = {0};

	env = "next_entry=somebody's\n";
	assert_int_equal(poncho_try_clear(&e), 0);
	assert_false(was_asked("unset"));
}

static void refused(void **state)
{
	struct options o = {.no_reboot = true};
	struct error e = {0};

	assert_int_equal(poncho_try(&o, &e), -1); /* this machine lacks most things */
	assert_int_equal(e.class, ERROR_UNSUPPORTED);
	assert_int_equal(poncho_enable(&o, &e), -1);
	assert_int_equal(e.class, ERROR_CONFLICT);
	file_is(CUSTOM, NULL);
	file_make("/sys/hypervisor/guest_type", "PV\n");
	file_make("/sys/hypervisor/properties/features", "00000800\n");
	assert_int_equal(poncho_try(&force, &e), -1);
	assert_int_equal(e.class, ERROR_CONFLICT);
}

static void enabled_and_disabled(void **state)
{
	autofree char *added = host_path("/etc/default/grub.d");
	struct error e = {0};

	assert_false(poncho_is_enabled());
	assert_int_equal(poncho_enable(&force, &e), 0);
	assert_true(poncho_is_enabled());
	file_is(CONFIG, made);
	made = plain;
	assert_int_equal(poncho_disable(&force, &e), 0);
	assert_false(poncho_is_enabled());
	file_is(CONFIG, plain);
	assert_int_equal(access(added, F_OK), -1);
}

static void enable_undone(void **state)
{
	struct error e = {0};

	made = "no entry of ours";
	assert_int_equal(poncho_enable(&force, &e), -1);
	assert_false(poncho_is_enabled());
	file_is(CONFIG, plain);
	fails = "grub-mkconfig";
	assert_int_equal(poncho_enable(&force, &e), -1);
	assert_false(poncho_is_enabled());
	file_is(CONFIG, plain);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, machine_make, machine_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tried_and_fell_back),
		TEST(try_undone),
		TEST(next_entry_of_others),
		TEST(refused),
		TEST(enabled_and_disabled),
		TEST(enable_undone),
		TEST(by_kexec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
