/* SPDX-License-Identifier: MIT */
/* poncho: the checks, on machines made of files in a temporary folder, with made-up programs and CPUID. */
/* links: poncho/check.c poncho/grub.c poncho/host.c lib/base */
/* libs: -ljansson */
#include "unit.h"

#include "lib/base/file.h"
#include "poncho/check.h"
#include "poncho/host.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static const char *packages, *modprobe_knows;
static bool sum_good, routed;
static uint32_t leaves[2][4];

static void file_make(const char *name, const char *text)
{
	autofree char *path = host_path("%s", name), *parent = xstrdup(path);

	*strrchr(parent, '/') = '\0';
	assert_int_equal(folder_make(parent, 0755, NULL), 0);
	assert_int_equal(file_replace(path, text, strlen(text), false, NULL), 0);
}

static void link_make(const char *name, const char *to)
{
	autofree char *path = host_path("%s", name), *parent = xstrdup(path);

	*strrchr(parent, '/') = '\0';
	assert_int_equal(folder_make(parent, 0755, NULL), 0);
	assert_int_equal(symlink(to, path), 0);
}

static void file_remove(const char *name)
{
	autofree char *path = host_path("%s", name);

	assert_int_equal(unlink(path), 0);
}

static int program_fake(const char *const *argv, struct text *out)
{
	const char *last = argv[0];

	for (int i = 0; argv[i]; i++)
		last = argv[i];
	text_str(out, "");
	if (!strcmp(argv[0], "sha256sum"))
		return !sum_good;
	if (!strcmp(argv[0], "dpkg-query"))
		text_str(out, packages);
	else if (!strcmp(argv[0], "lsinitramfs"))
		text_str(out, "usr/lib/modules/6/virtio_blk.ko\n");
	else if (!strcmp(argv[0], "modprobe"))
		return !strstr(modprobe_knows, last);
	else if (!strcmp(argv[0], "ip") && routed && !strcmp(argv[1], "-4"))
		text_str(out, "8.0.0.1 via 10.0.2.2 dev ens3 src 10.0.2.15 uid 0\n");
	else
		return 2;
	return 0;
}

static void cpuid_fake(uint32_t leaf, uint32_t r[4])
{
	memset(r, 0, 16);
	if (leaf == 1)
		r[2] = 1u << 31;
	for (uint32_t i = 0; i < 2; i++)
		if (leaf == 0x40000000 + i * 0x100)
			memcpy(r, leaves[i], 16);
}

static void leaf_set(int i, const char *signature)
{
	memset(leaves[i], 0, sizeof(leaves[i]));
	memcpy(&leaves[i][1], signature, strlen(signature));
}

#define DEVICES "/sys/devices/pci0000:00"

/* A machine on which all is well. */
static int machine_make(void **state)
{
	strcpy(folder, "/tmp/poncho-check.XXXXXX");
	assert_non_null(mkdtemp(folder));
	host_root = folder;
	host_program = program_fake;
	host_cpuid = cpuid_fake;
	packages = "ii xen-doc\nun xen-utils-4.17\n";
	modprobe_knows = "virtio:d2 pci:v1af4 virtio:d1";
	sum_good = routed = true;
	leaf_set(0, "KVMKVMKVM");
	leaf_set(1, "");
	file_make("/sys/class/dmi/id/sys_vendor", "Hetzner\n");
	file_make("/proc/sys/kernel/osrelease", "6.1.0-9-amd64\n");
	file_make("/boot/config-6.1.0-9-amd64", "CONFIG_XEN=y\nCONFIG_XEN_DOM0=y\n");
	file_make("/boot/vmlinuz-6.1.0-9-amd64", "");
	file_make("/boot/initrd.img-6.1.0-9-amd64", "");
	file_make("/boot/poncho.gz", "");
	file_make("/usr/lib/poncho/poncho.gz.sha256", "");
	file_make("/boot/grub/i386-pc/multiboot2.mod", "");
	file_make("/boot/grub/grub.cfg", "next_entry custom.cfg\nmenuentry 'x' --id 'gnulinux' {\n"
					 "linux /boot/vmlinuz-6.1.0-9-amd64 ro\ninitrd "
					 "/boot/initrd.img-6.1.0-9-amd64\n}\n");
	file_make("/proc/self/mountinfo", "1 0 254:1 / / rw - ext4 /dev/vda1 rw\n"
					  "2 1 0:5 / /proc rw shared:1 - proc proc rw\n");
	file_make("/proc/cmdline", "ro console=tty0 console=ttyS0,115200\n");
	file_make("/proc/meminfo", "MemTotal:        4000000 kB\n");
	file_make(DEVICES "/0000:00:04.0/modalias", "pci:v1af4\n");
	link_make(DEVICES "/0000:00:04.0/driver", "../../../bus/pci/drivers/virtio-pci");
	file_make(DEVICES "/0000:00:04.0/virtio1/modalias", "virtio:d2\n");
	link_make(DEVICES "/0000:00:04.0/virtio1/driver", "../../../bus/virtio/drivers/virtio_blk");
	file_make(DEVICES "/0000:00:04.0/virtio1/block/vda/vda1/partition", "1\n");
	link_make("/sys/dev/block/254:1",
		  "../../devices/pci0000:00/0000:00:04.0/virtio1/block/vda/vda1");
	file_make(DEVICES "/0000:00:03.0/virtio0/modalias", "virtio:d1\n");
	link_make(DEVICES "/0000:00:03.0/virtio0/driver", "../../../bus/virtio/drivers/virtio_net");
	file_make("/sys/class/net/ens3/mtu", "1450\n");
	link_make("/sys/class/net/ens3/device", "../../../devices/pci0000:00/0000:00:03.0/virtio0");
	file_make("/etc/x", "");
	file_make("/var/lib/x", "");
	return 0;
}

static int entry_remove(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	return remove(path);
}

static int machine_remove(void **state)
{
	return nftw(folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void expect(const char *id, enum result result, const char *text, const char *remedy)
{
	struct finding f = {0};
	unsigned int n = 0;

	while (n < check_count && strcmp(check_id(n), id))
		n++;
	assert_int_not_equal(n, check_count);
	f = check_find(n);
	if (f.result != result || !strstr(f.text, text) || !strstr(f.remedy, remedy))
		fail_msg("%s: %d '%s' -> '%s'", id, f.result, f.text, f.remedy);
}

static void all_well(void **state)
{
	for (unsigned int n = 0; n < check_count; n++)
		expect(check_id(n), RESULT_OK, "", "");
	expect("disk", RESULT_OK, "virtio_blk, virtio-pci", "");
	expect("nic", RESULT_OK, "ens3: virtio_net", "");
	expect("mtu", RESULT_OK, "1450", "");
	expect("mac", RESULT_OK, "Hetzner", "");
}

static void outer(void **state)
{
	expect("outer", RESULT_OK, "by Hetzner, in KVM", "");
	leaf_set(0, "Microsoft Hv");
	expect("outer", RESULT_OK, "in Hyper-V", "");
	leaf_set(1, "KVMKVMKVM");
	expect("outer", RESULT_OK, "in KVM", "");
	leaf_set(0, "");
	leaf_set(1, "");
	expect("outer", RESULT_WARN, "unknown", "poncho try");
	file_make("/sys/hypervisor/guest_type", "PV\n");
	file_make("/sys/hypervisor/properties/features", "00000705\n");
	expect("outer", RESULT_WARN, "", "");
	file_make("/sys/hypervisor/properties/features", "00000f05\n");
	expect("outer", RESULT_OK, "domain 0 already", "");
}

static void kernel(void **state)
{
	file_make("/boot/config-6.1.0-9-amd64", "CONFIG_XEN=y\n# CONFIG_XEN_DOM0 is not set\n");
	file_make("/proc/sys/kernel/osrelease", "6.1.0-9-cloud-amd64\n");
	expect("kernel", RESULT_FAIL, "cloud kernel", "apt install linux-image-amd64");
	expect("grub", RESULT_FAIL, "no entry", "apt install linux-image-amd64");
	file_make("/boot/config-6.1.0-10-amd64", "\nCONFIG_XEN_DOM0=y\n");
	file_make("/boot/vmlinuz-6.1.0-10-amd64", "");
	expect("kernel", RESULT_FAIL, "", ""); /* its RAM disk is missing */
	file_make("/boot/initrd.img-6.1.0-10-amd64", "");
	expect("kernel", RESULT_OK, "6.1.0-10-amd64", "");
}

static void boot_path(void **state)
{
	file_make("/proc/cmdline", "acpi_rsdp=0x5f77d014 ro"); /* in domain 0 */
	expect("boot", RESULT_FAIL, "UEFI", "grub-efi-amd64-bin");
	file_make("/proc/cmdline", "ro");
	file_make("/sys/firmware/efi/fw_platform_size", "64");
	expect("boot", RESULT_FAIL, "UEFI", "grub-efi-amd64-bin");
	file_make("/boot/grub/x86_64-efi/multiboot2.mod", "");
	expect("boot", RESULT_OK, "UEFI", "");
	file_make("/sys/hypervisor/guest_type", "PVH\n");
	expect("boot", RESULT_WARN, "PVH", "outer Xen load");
	file_make("/sys/hypervisor/guest_type", "PV\n"); /* in domain 0 */
	file_make("/sys/hypervisor/properties/features", "00000f05\n");
	expect("boot", RESULT_OK, "UEFI", "");
	leaf_set(0, "XenVMMXenVMM");
	expect("boot", RESULT_WARN, "PVH", "outer Xen load");
	file_make("/sys/bus/pci/devices/0000:00:00.0/vendor", "0x8086\n");
	expect("boot", RESULT_OK, "UEFI", "");
	file_make("/boot/grub/grub.cfg", "next_entry\n");
	expect("grub", RESULT_FAIL, "one-shot", "update-grub");
	file_remove("/boot/grub/grub.cfg");
	expect("grub", RESULT_FAIL, "no /boot/grub/grub.cfg", "");
}

static void secure_boot(void **state)
{
	autofree char *path = host_path(
		"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c");

	file_make(path + strlen(host_root), "");
	assert_int_equal(file_replace(path, "\6\0\0\0\0", 5, false, NULL), 0);
	expect("secure-boot", RESULT_OK, "off", "");
	assert_int_equal(file_replace(path, "\6\0\0\0\1", 5, false, NULL), 0);
	expect("secure-boot", RESULT_FAIL, "on", "turn it off");
}

static void environment(void **state)
{
	file_make("/proc/self/mountinfo",
		  "1 0 254:1 / / rw - ext4 a rw\n2 1 0:9 / /boot rw - btrfs b rw\n");
	expect("grub-env", RESULT_FAIL, "btrfs", "--kexec");
	file_make("/proc/self/mountinfo",
		  "1 0 254:1 / / rw - btrfs a rw\n2 1 254:1 / /boot/grub rw - ext4 b rw\n");
	expect("grub-env", RESULT_OK, "ext4", "");
	file_make(DEVICES "/0000:00:04.0/virtio1/block/vda/vda1/dm/name", "lv");
	expect("grub-env", RESULT_FAIL, "LVM", "--kexec");
}

static void console(void **state)
{
	file_make("/proc/cmdline", "ro quiet");
	expect("serial", RESULT_WARN, "no console on a serial port", "console=ttyS0");
	file_make("/proc/cmdline", "console=ttyS1");
	expect("serial", RESULT_OK, "com2", "");
	file_make("/proc/cmdline", "console=ttyS3");
	expect("serial", RESULT_WARN, "neither", "com1=");
}

static void memory(void **state)
{
	file_make("/proc/meminfo", "MemTotal: 1000000 kB");
	expect("memory", RESULT_WARN, "976 MiB", "dom0_mem");
	file_make("/proc/meminfo", "MemTotal: 400000 kB");
	expect("memory", RESULT_FAIL, "390 MiB", "1 GiB");
}

static void devices(void **state)
{
	modprobe_knows = "pci:v1af4 virtio:d1";
	expect("disk", RESULT_FAIL, "virtio_blk, and domain 0's kernel has none", "");
	file_make(DEVICES "/0000:00:03.0/virtio0/modalias", "xen:vif\n");
	expect("nic", RESULT_FAIL, "outer Xen", "dkms linux-headers-amd64");
	file_make(DEVICES "/0000:00:03.0/modalias", "");
	modprobe_knows = "pci:v1af4 virtio:d1 poncho-blanket";
	expect("nic", RESULT_OK, "ens3: poncho-blanket", "");
	file_make(DEVICES "/0000:00:04.0/virtio1/modalias", "vmbus:ba\n");
	expect("disk", RESULT_FAIL, "Hyper-V", "");
	routed = false;
	expect("nic", RESULT_WARN, "The way to the world", "");
	file_make(DEVICES "/0000:00:04.0/virtio1/modalias", "virtio:d1\n");
	file_remove(DEVICES "/0000:00:04.0/virtio1/driver");
	link_make(DEVICES "/0000:00:04.0/virtio1/driver", "drivers/nvme");
	expect("initramfs", RESULT_FAIL, "nvme is missing", "update-initramfs -u -k 6.1.0-9-amd64");
	file_make("/lib/modules/6.1.0-9-amd64/modules.builtin", "kernel/drivers/nvme.ko\n");
	expect("initramfs", RESULT_OK, "", "");
}

/* In domain 0, below another Xen. */
static void own_devices(void **state)
{
	file_remove("/sys/dev/block/254:1");
	link_make("/sys/dev/block/254:1", "../../devices/virtual/block/xvdoa/xvdoa1");
	file_make("/sys/devices/virtual/block/xvdoa/xvdoa1/partition", "1\n");
	expect("disk", RESULT_OK, "poncho-blanket", "");
	expect("initramfs", RESULT_FAIL, "poncho-blanket is missing", "update-initramfs -u -k");
	file_remove("/sys/class/net/ens3/device");
	expect("nic", RESULT_WARN, "ens3 is no device", "");
	file_make("/sys/module/poncho_blanket/refcnt", "1\n");
	expect("nic", RESULT_OK, "ens3: poncho-blanket", "");
	file_make("/sys/class/net/ens3/bridge/x", "");
	expect("nic", RESULT_WARN, "ens3 is no device", "");
}

static void others(void **state)
{
	sum_good = false;
	expect("image", RESULT_FAIL, "damaged", "--reinstall");
	file_remove("/boot/poncho.gz");
	expect("image", RESULT_FAIL, "no /boot/poncho.gz", "");
	packages = "ii xen-hypervisor-4.17-amd64\nii xen-utils-4.17\nrc xen-utils-4.14\n";
	expect("packages", RESULT_FAIL, ": xen-hypervisor-4.17-amd64 xen-utils-4.17",
	       "apt remove xen-hypervisor-4.17-amd64 xen-utils-4.17");
	file_make("/usr/sbin/kexec", "");
	expect("kexec", RESULT_OK, "possible", "");
	file_make("/sys/kernel/security/lockdown", "none [integrity] confidentiality");
	expect("kexec", RESULT_OK, "no kexec", "");
}

static void sockets(void **state)
{
	file_make("/proc/net/tcp", "  sl  local_address rem_address   st\n"
				   "   0: 0100007F:0016 0100007F:1234 01 x\n"
				   "   1: 00000000:1600 00000000:0000 0A x\n");
	assert_false(ssh_listens());
	file_make("/proc/net/tcp6", "  sl  local_address rem_address   st\n"
				    "   0: 00000000000000000000000000000000:0016 0:0000 0A x\n");
	assert_true(ssh_listens());
}

static void settings(void **state)
{
	static const char text[] = "# A=0\nAB=1\nA=\"x y\"\nA=late\nE=\nQ='z'";
	autofree char *a = setting_get(text, "A"), *e = setting_get(text, "E"),
		      *q = setting_get(text, "Q");

	assert_string_equal(a, "x y");
	assert_string_equal(e, "");
	assert_string_equal(q, "z");
	assert_null(setting_get(text, "B"));
	assert_null(setting_get("", "B"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, machine_make, machine_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_well),	   TEST(outer),	      TEST(kernel),  TEST(boot_path),
		TEST(secure_boot), TEST(environment), TEST(console), TEST(memory),
		TEST(devices),	   TEST(own_devices), TEST(others),  TEST(sockets),
		TEST(settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
