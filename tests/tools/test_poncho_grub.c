/* SPDX-License-Identifier: MIT */
/* poncho: GRUB's configuration read, entries made of it, and the marked block in somebody else's file. */
/* links: poncho/grub.c poncho/host.c lib/base */
#include "unit.h"

#include "lib/base/file.h"
#include "poncho/grub.h"
#include "poncho/host.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRY(id, version, args)                                                             \
	"menuentry 'Debian' --class os $menuentry_id_option 'gnulinux-" id "' {\n"           \
	"\tload_video\n\tset gfxpayload=keep\n\tinsmod gzio\n"                               \
	"\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi\n"             \
	"\tsearch --no-floppy --fs-uuid --set=root 0a-1b\n\techo 'Loading'\n"                \
	"\tlinux\t/boot/vmlinuz-" version " root=UUID=0a-1b ro " args "\n\techo 'Loading'\n" \
	"\tinitrd\t/boot/microcode.img /boot/initrd.img-" version "\n}\n"

static const char cloud[] = ENTRY("simple", "6.1.0-9-cloud-amd64", "quiet");
static const char both[] =
	ENTRY("simple", "6.1.0-9-cloud-amd64",
	      "quiet") "submenu 'More' {\n" ENTRY("stock-rescue", "6.1.0-9-amd64", "single")
		ENTRY("stock", "6.1.0-9-amd64", "console=tty0 console=ttyS1,57600n8") "}\n";

static char folder[] = "/tmp/poncho-grub.XXXXXX";

static void file_make(const char *name, const char *text)
{
	autofree char *path = host_path("%s", name);

	assert_int_equal(file_replace(path, text, strlen(text), false, NULL), 0);
}

static int machine_make(void **state)
{
	autofree char *boot = NULL;

	assert_non_null(mkdtemp(folder));
	host_root = folder;
	boot = host_path("/boot");
	assert_int_equal(mkdir(boot, 0755), 0);
	file_make("/boot/config-6.1.0-9-amd64", "CONFIG_XEN=y\nCONFIG_XEN_DOM0=y\n");
	file_make("/boot/config-6.1.0-9-cloud-amd64",
		  "CONFIG_XEN=y\n# CONFIG_XEN_DOM0 is not set\n");
	return 0;
}

static int machine_remove(void **state)
{
	static const char *const names[] = {"/boot/config-6.1.0-9-amd64",
					    "/boot/config-6.1.0-9-cloud-amd64", "/boot", ""};

	for (size_t i = 0; i < 4; i++) {
		autofree char *path = host_path("%s", names[i]);

		assert_int_equal(i < 2 ? unlink(path) : rmdir(path), 0);
	}
	return 0;
}

static void kernel_chosen(void **state)
{
	struct grub_linux l;
	struct error e = {0};

	assert_int_equal(grub_linux_find(both, &l, &e), 0);
	assert_string_equal(l.version, "6.1.0-9-amd64");
	assert_string_equal(l.kernel, "/boot/vmlinuz-6.1.0-9-amd64");
	assert_string_equal(l.initrd, "/boot/initrd.img-6.1.0-9-amd64");
	assert_string_equal(l.args, "root=UUID=0a-1b ro console=tty0 console=ttyS1,57600n8");
	assert_string_equal(l.plain_id, "gnulinux-simple");
	assert_string_equal(l.preparation,
			    "\tinsmod gzio\n\tif [ x$grub_platform = xxen ]; then insmod xzio; "
			    "insmod lzopio; fi\n\tsearch --no-floppy --fs-uuid --set=root 0a-1b\n");
	grub_linux_free(&l);
}

static void kernel_refused(void **state)
{
	static const char *const nothing[] = {
		cloud, "", "menuentry 'x' {\n", "menuentry 'x' {\n}\n",
		"menuentry 'x' {\n linux /boot/vmlinuz-6.1.0-9-amd64\n}\n"};

	for (size_t i = 0; i < 5; i++) {
		struct grub_linux l;
		struct error e = {0};

		assert_int_equal(grub_linux_find(nothing[i], &l, &e), -1);
		assert_non_null(strstr(e.hint, "linux-image-amd64"));
		assert_null(l.kernel);
	}
}

static void arguments(void **state)
{
	static const struct {
		const char *args, *hypervisor, *domain0;
	} cases[] = {
		{"ro", "console=com1,vga", "ro console=tty0 console=hvc0"},
		{"ro console=tty0", "console=com1,vga", "ro console=tty0 console=hvc0"},
		{"ro console=tty0 console=ttyS0,115200 earlyprintk=ttyS0 quiet",
		 "console=com1,vga com1=115200,8n1", "ro console=tty0 console=hvc0 quiet"},
		{"console=ttyS1,57600n8 $vt_handoff console=ttyS1 x", "console=com2,vga",
		 "console=hvc0 x"},
	};

	for (size_t i = 0; i < 4; i++) {
		autofree char *h = boot_hypervisor_args(cases[i].args, 0, ""),
			      *d = boot_domain0_args(cases[i].args, NULL);

		assert_string_equal(h, cases[i].hypervisor);
		assert_string_equal(d, cases[i].domain0);
	}
	for (size_t i = 0; i < 1; i++) {
		autofree char *h = boot_hypervisor_args("", 90, "loglvl=all"),
			      *d = boot_domain0_args("", "single");

		assert_string_equal(h, "console=com1,vga dom0_watchdog=90 loglvl=all");
		assert_string_equal(d, "console=tty0 console=hvc0 single");
	}
}

static void entries(void **state)
{
	struct grub_linux l;
	autofree char *once = NULL, *always = NULL;

	assert_int_equal(grub_linux_find(both, &l, NULL), 0);
	once = grub_entry(&l, true, "poncho.gz", "console=com1,vga",
			  "root=x a=b;c d=\\\"e\\;f\\\"");
	assert_true(str_starts(
		once,
		"menuentry 'Linux on Poncho, tried once' --id poncho-try {\n\tinsmod gzio\n"));
	assert_non_null(strstr(once, "load_env next_entry\n"));
	assert_non_null(strstr(
		once, "if multiboot2 /boot/poncho.gz console=com1,vga; then if module2 "
		      "/boot/vmlinuz-6.1.0-9-amd64 root=x a=b\\;c d=\\\"e\\;f\\\"; then if module2 "
		      "/boot/initrd.img-6.1.0-9-amd64; then set poncho=1; fi; fi; fi\n"));
	assert_non_null(strstr(once, "\t\tlinux /boot/vmlinuz-6.1.0-9-amd64 root=UUID=0a-1b ro"));
	assert_null(strstr(once, "save_env"));
	always = grub_entry(&l, false, "poncho.gz", "", "");
	assert_non_null(strstr(always, "--id poncho {\n"));
	assert_non_null(
		strstr(always, "set next_entry='gnulinux-simple'\n\tsave_env next_entry\n"));
	grub_linux_free(&l);
}

static void block(void **state)
{
	static const char *const files[] = {"menuentry 'mine' {\n}\n", "set x=1", "\n", ""};

	for (size_t i = 0; i < 4; i++) {
		autofree char *with = grub_block(files[i], "ours\n"),
			      *again = grub_block(with, "new\n"),
			      *without = grub_block(again, NULL);

		assert_true(str_starts(with, files[i]));
		assert_non_null(strstr(with, "\nours\n"));
		assert_null(strstr(again, "ours"));
		assert_non_null(strstr(again, "\nnew\n"));
		if (*files[i])
			assert_string_equal(without, files[i]);
		else
			assert_null(without);
	}
	assert_null(grub_block(NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_chosen), cmocka_unit_test(kernel_refused),
		cmocka_unit_test(arguments),	 cmocka_unit_test(entries),
		cmocka_unit_test(block),
	};

	return cmocka_run_group_tests(tests, machine_make, machine_remove);
}
