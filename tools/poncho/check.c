/* SPDX-License-Identifier: MIT */
/*
 * What a machine must have, and what is good to know, before Poncho is booted on it. A check is a row of the table at the end: its name,
 * a function that looks, and the outcomes between which the function chooses by number. An outcome's text and remedy are about the two
 * words that the function has filled in: the text takes both in this order, the remedy the second.
 */
#include "poncho/check.h"
#include "poncho/grub.h"
#include "poncho/host.h"
#include "poncho/poncho.h"

#include <ctype.h>
#include <glob.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct words {
	char a[256], b[160];
};

#define SET(to, ...) ((void)snprintf(to, sizeof(to), __VA_ARGS__))

/* --- where we are --- */

static const struct outer {
	const char signature[13], *name;
} outers[] = {
	{"KVMKVMKVM", "KVM"},	     {"XenVMMXenVMM", "Xen"},	   {"VMwareVMware", "VMware"},
	{"Microsoft Hv", "Hyper-V"}, {"TCGTCGTCGTCG", "QEMU TCG"}, {"VBoxVBoxVBox", "VirtualBox"},
	{"bhyve bhyve ", "bhyve"},
};

/* Several may answer, a hundred leaves apart: KVM with Hyper-V's face shows both. */
static const char *outer_name(void)
{
	const char *found = NULL;

	for (uint32_t leaf = 0x40000000; leaf < 0x40001000; leaf += 0x100) {
		uint32_t r[4];

		host_cpuid(leaf, r);
		for (size_t i = 0; i < COUNT(outers); i++)
			if (!strncmp((const char *)&r[1], outers[i].signature, 12) &&
			    (!found || strcmp(outers[i].name, "Hyper-V")))
				found = outers[i].name;
	}
	return found;
}

static int look_outer(struct words *w)
{
	autofree char *vendor = host_read("/sys/class/dmi/id/sys_vendor");
	const char *outer = outer_name();
	uint32_t r[4];

	host_cpuid(1, r);
	SET(w->a, "%s", vendor ? vendor : "an unnamed vendor");
	SET(w->b, "%s", outer ? outer : "");
	if (host_is_domain0())
		return 0;
	return outer ? 1 : r[2] & 1u << 31 ? 2 : 3;
}

static int look_kernel(struct words *w)
{
	autofree char *version = kernel_newest(),
		      *running = host_read("/proc/sys/kernel/osrelease");
	bool cloud = running && strstr(running, "-cloud-");

	SET(w->a, "%s", version ? version : cloud ? ": Debian's cloud kernel is not" : "");
	return !version;
}

/* A guest of an outer Xen without firmware. Domain 0 sees of that only that there is no PCI. */
static bool booted_pvh(void)
{
	autofree char *type = host_read("/sys/hypervisor/guest_type");
	autofree char *devices = host_path("/sys/bus/pci/devices/*");
	const char *outer = outer_name();
	glob_t g = {0};
	bool pci;

	if (!host_is_domain0())
		return type && !strcmp(type, "PVH");
	pci = !glob(devices, 0, NULL, &g);
	globfree(&g);
	return outer && !strcmp(outer, "Xen") && !pci;
}

static int look_boot(struct words *w)
{
	autofree char *args = host_read("/proc/cmdline");
	/* Domain 0 sees nothing of EFI, but for this word of Poncho's. */
	bool efi = host_has("/sys/firmware/efi") || (args && strstr(args, "acpi_rsdp="));

	if (booted_pvh())
		return 2;
	SET(w->a, efi ? "UEFI" : "BIOS");
	SET(w->b, efi ? "grub-efi-amd64-bin" : "grub-pc-bin");
	return !host_has("/boot/grub/%s/multiboot2.mod", efi ? "x86_64-efi" : "i386-pc");
}

static int look_secure_boot(struct words *w)
{
	/* Four bytes of attributes, then the value (UEFI 2.10, 3.3); zeroes among them, so that it is no text. */
	autofree char *path = host_path(
		"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c");
	char bytes[5] = {0};
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

	if (file)
		fclose(file);
	return n == sizeof(bytes) && bytes[4] == 1;
}

static int look_grub(struct words *w)
{
	autofree char *config = host_read("/boot/grub/grub.cfg");
	struct grub_linux l = {0};
	int which = 3;

	if (!config)
		which = 1;
	else if (!strstr(config, "next_entry") || !strstr(config, "custom.cfg"))
		which = 2;
	else if (!grub_linux_find(config, &l, NULL))
		which = 0;
	SET(w->a, "%s", l.version ? l.version : "");
	grub_linux_free(&l);
	return which;
}

/* --- where GRUB keeps what is to be booted once --- */

/* The mount that @path is on: "8:1" and "ext4". */
static bool mount_of(const char *path, char dev[32], char type[32])
{
	autofree char *info = host_read("/proc/self/mountinfo");
	char where[PATH_MAX], d[32], *save = NULL,
				     *line = info ? strtok_r(info, "\n", &save) : NULL;
	size_t best = 0;

	for (; line; line = strtok_r(NULL, "\n", &save)) {
		char *dash = strstr(line, " - ");
		size_t n;

		if (!dash || sscanf(line, "%*d %*d %31s %*s %4095s", d, where) != 2)
			continue;
		n = strlen(where);
		if (n < best || strncmp(path, where, n) || (n > 1 && path[n] && path[n] != '/'))
			continue;
		best = n;
		strcpy(dev, d);
		sscanf(dash + 3, "%31s", type);
	}
	return best > 0;
}

static int look_grubenv(struct words *w)
{
	char dev[32] = "", type[32] = "";

	if (!mount_of("/boot/grub", dev, type))
		return 1;
	SET(w->a, "%s", type);
	if (!str_has_word("ext2 ext3 ext4 xfs vfat", type))
		return 2;
	if (!host_has("/sys/dev/block/%s/dm", dev) && !host_has("/sys/dev/block/%s/md", dev))
		return 0;
	SET(w->a, "LVM, RAID or an encrypted disk");
	return 2;
}

/* --- what it runs on --- */

static int look_serial(struct words *w)
{
	autofree char *args = host_read("/proc/cmdline");
	const char *tty = args ? strstr(args, "console=ttyS") : NULL;
	char digit = tty ? tty[strlen("console=ttyS")] : '\0';

	SET(w->a, "ttyS%c", digit);
	SET(w->b, "com%c", digit + 1);
	return !tty ? 2 : digit != '0' && digit != '1';
}

static int look_memory(struct words *w)
{
	autofree char *info = host_read("/proc/meminfo");
	unsigned long kib = 0;

	if (info)
		sscanf(info, "MemTotal: %lu", &kib);
	SET(w->a, "%lu", kib >> 10);
	return kib < 440 << 10 ? 2 : kib < 1800 << 10;
}

static int look_space(struct words *w)
{
	static const struct {
		const char *path;
		unsigned long mib;
	} needs[] = {{"/boot", 4}, {"/etc", 4}, {"/var/lib", 16}};

	for (size_t i = 0; i < COUNT(needs); i++) {
		autofree char *path = host_path("%s", needs[i].path);
		struct statvfs s;

		SET(w->a, "%s", needs[i].path);
		SET(w->b, "%lu", needs[i].mib);
		if (statvfs(path, &s))
			continue;
		if (s.f_flag & ST_RDONLY)
			return 1;
		if (s.f_bavail * s.f_frsize >> 20 < needs[i].mib || (s.f_files && !s.f_favail))
			return 2;
	}
	return 0;
}

static int look_image(struct words *w)
{
	autofree char *sums = host_path(PONCHO_IMAGE_SUM);
	autofree char *said = host_output("sha256sum", "--status", "-c", sums, NULL);

	return !host_has(PONCHO_IMAGE) || !host_has(PONCHO_IMAGE_SUM) ? 1 : said ? 0 : 2;
}

/* --- devices that domain 0 must drive --- */

enum { DEVICE_OK, DEVICE_UNKNOWN, DEVICE_NO_DRIVER, DEVICE_OF_XEN, DEVICE_OF_HYPERV };

/* Ours for the devices of a Xen below. */
#define BLANKET "poncho-blanket"

/* One step on the way from a device to the bus's root; its name for modprobe tells whether the kernel has a driver for it. */
static int device_step(struct words *w, const char *path, const char *version)
{
	autofree char *alias = host_read("%s/modalias", path),
		      *driver = host_link("%s/driver", path);
	autofree char *modules = NULL;
	size_t n = strlen(w->b);
	bool xen;

	if (!alias || !*alias || !driver)
		return DEVICE_OK;
	if (str_starts(alias, "vmbus:"))
		return DEVICE_OF_HYPERV;
	xen = str_starts(alias, "xen:");
	modules = host_output("modprobe", "-q", "-S", version, "-R", xen ? BLANKET : alias, NULL);
	snprintf(w->b + (modules ? n : 0), sizeof(w->b) - (modules ? n : 0), "%s%s",
		 modules && n ? ", " : "", xen ? BLANKET : driver);
	return modules ? DEVICE_OK : xen ? DEVICE_OF_XEN : DEVICE_NO_DRIVER;
}

/* @what is at @path below /sys/devices; the drivers go to w->b. */
static int look_device(struct words *w, const char *what, const char *link)
{
	autofree char *version = kernel_newest(), *full = host_path("%s", link),
		      *path = realpath(full, NULL);
	size_t root = strlen(host_root);
	char *slash;

	SET(w->a, "%s", what);
	while (version && path && (slash = strrchr(path, '/')) && slash[1] &&
	       strcmp(slash, "/devices")) {
		int which = device_step(w, path + root, version);

		if (which)
			return which;
		*slash = '\0';
	}
	return *w->b ? DEVICE_OK : DEVICE_UNKNOWN;
}

static int look_disk(struct words *w)
{
	char dev[32] = "none", type[32];
	autofree char *link = NULL, *name = NULL;

	(void)mount_of("/", dev, type);
	link = xasprintf("/sys/dev/block/%s", dev);
	name = host_link("%s", link);
	/* Those of our module have no device above them. */
	if (name && str_starts(name, "xvdo") && islower(name[4]))
		SET(w->b, BLANKET);
	return look_device(w, "The root disk", link);
}

static int look_nic(struct words *w)
{
	autofree char *link = NULL;
	struct network n;

	if (!network_find(&n, false) && !network_find(&n, true))
		SET(n.dev, "The way to the world");
	link = xasprintf("/sys/class/net/%s/device", n.dev);
	if (!host_has("%s", link) && !host_has("/sys/class/net/%s/bridge", n.dev) &&
	    host_has("/sys/module/poncho_blanket"))
		SET(w->b, BLANKET);
	return look_device(w, n.dev, link);
}

static int look_initramfs(struct words *w)
{
	autofree char *version = kernel_newest(), *image = NULL, *list = NULL, *builtin = NULL;
	struct words disk = {0};
	char *driver = disk.b;

	if (!version || look_disk(&disk))
		return 1;
	driver[strcspn(driver, ",")] = '\0';
	SET(w->a, "%s", driver);
	SET(w->b, "%s", version);
	image = host_path("/boot/initrd.img-%s", version);
	list = host_output("lsinitramfs", image, NULL);
	builtin = host_read("/lib/modules/%s/modules.builtin", version);
	if (list && (strstr(list, driver) || (builtin && strstr(builtin, driver))))
		return 0;
	return 2;
}

/* Who lets only the machine's own hardware address through. */
static const char *const filters[] = {"Amazon",	   "Google", "Microsoft", "DigitalOcean", "Hetzner",
				      "OpenStack", "Vultr",  "Linode",	  "Scaleway",	  "Alibaba",
				      "Oracle",	   "OVH",    "VMware"};

static int look_mac(struct words *w)
{
	autofree char *vendor = host_read("/sys/class/dmi/id/sys_vendor");

	SET(w->a, "%s", vendor ? vendor : "");
	for (size_t i = 0; i < COUNT(filters); i++)
		if (strstr(w->a, filters[i]))
			return 1;
	return 0;
}

static int look_mtu(struct words *w)
{
	struct network n;
	bool found = network_find(&n, false) || network_find(&n, true);

	SET(w->a, "%s", n.dev);
	SET(w->b, "%ld", found ? host_number(1500, "/sys/class/net/%s/mtu", n.dev) : 1500);
	return !found;
}

/* Of others' packages, "ii NAME" each: those that boot another Xen or bring its daemons. */
static int look_packages(struct words *w)
{
	static const char *const theirs[] = {"xen-hypervisor", "xen-utils", "xen-system"};
	autofree char *list = host_output("dpkg-query", "-W", "-f",
					  "${db:Status-Abbrev}${Package}\n", "xen-*", NULL);
	char *save = NULL, *line = list ? strtok_r(list, "\n", &save) : NULL;

	for (; line; line = strtok_r(NULL, "\n", &save))
		for (size_t i = 0; i < COUNT(theirs) && str_starts(line, "ii "); i++) {
			size_t n = strlen(w->b);

			if (str_starts(line + 3, theirs[i]))
				snprintf(w->b + n, sizeof(w->b) - n, " %s", line + 3);
		}
	SET(w->a, "%s", w->b);
	return *w->b != '\0';
}

static int look_kexec(struct words *w)
{
	autofree char *lockdown = host_read("/sys/kernel/security/lockdown");

	if (host_number(0, "/proc/sys/kernel/kexec_load_disabled") ||
	    (lockdown && !strstr(lockdown, "[none]")))
		return 1;
	return host_has("/usr/sbin/kexec") || host_has("/sbin/kexec") ? 0 : 2;
}

/* --- the table --- */

#define OK   RESULT_OK
#define WARN RESULT_WARN
#define FAIL RESULT_FAIL

#define DEVICE_OUTCOMES                                                                                                          \
	{                                                                                                                        \
		{OK, "%s: %s, and domain 0's kernel has it"},                                                                    \
			{WARN,                                                                                                   \
			 "%s is no device of the machine, or there is no kernel for domain 0: its drivers were not looked for"}, \
			{FAIL, "%s needs the driver %s, and domain 0's kernel has none for it",                                  \
			 "apt install linux-image-amd64"},                                                                       \
			{FAIL,                                                                                                   \
			 "%s is a device of the outer Xen itself, and domain 0's kernel has no module " BLANKET                  \
			 " for it",                                                                                              \
			 "apt install dkms linux-headers-amd64, then dpkg-reconfigure poncho; or boot with "                     \
			 "xen_emul_unplug=never, to use the emulated devices"},                                                  \
		{                                                                                                                \
			FAIL, "%s is a device of Hyper-V itself, which domain 0 does not reach",                                 \
				"there is none yet"                                                                              \
		}                                                                                                                \
	}

/* clang-format off */
static const struct check {
	const char *id;
	int (*look)(struct words *w);
	struct {
		enum result result;
		const char *text, *remedy;
	} outcomes[5];
} checks[] = {
	{"outer", look_outer, {
		{OK, "This is domain 0 already, on a machine by %s"},
		{OK, "A virtual machine by %s, in %s"},
		{WARN, "A virtual machine by %s, in something unknown", "`poncho try` shows whether plain hardware interfaces do"},
		{OK, "A machine of its own, by %s"}}},
	{"kernel", look_kernel, {
		{OK, "Linux %s can be domain 0"},
		{FAIL, "No kernel in /boot was built with CONFIG_XEN_DOM0%s", "apt install linux-image-amd64"}}},
	{"boot", look_boot, {
		{OK, "Booted by %s, and GRUB can load Poncho"},
		{FAIL, "Booted by %s, and GRUB has no module multiboot2 for it in /boot/grub", "apt install %s, then grub-install"},
		{WARN, "A PVH guest, which no firmware has booted: whether by GRUB, is unknown",
		 "have the outer Xen load " PONCHO_IMAGE ", if it loads the kernel"}}},
	{"secure-boot", look_secure_boot, {
		{OK, "Secure Boot is off"},
		{FAIL, "Secure Boot is on: nothing is loaded that no known key has signed", "turn it off in the machine's settings at the provider"}}},
	{"grub", look_grub, {
		{OK, "GRUB boots Linux %s, which can be domain 0"},
		{FAIL, "There is no /boot/grub/grub.cfg", "apt install grub-pc or grub-efi-amd64"},
		{FAIL, "/boot/grub/grub.cfg was not made by Debian's scripts: it knows no one-shot entry or no custom.cfg", "update-grub"},
		{FAIL, "GRUB has no entry whose kernel can be domain 0", "apt install linux-image-amd64, then update-grub"}}},
	{"grub-env", look_grubenv, {
		{OK, "GRUB can write its environment on %s"},
		{WARN, "What /boot/grub is on cannot be told", "`poncho try --kexec` falls back without it"},
		{FAIL, "GRUB cannot write to %s, so that it cannot boot an entry once only", "`poncho try --kexec` falls back without it"}}},
	{"image", look_image, {
		{OK, PONCHO_IMAGE " is what the package brought"},
		{FAIL, "There is no " PONCHO_IMAGE, "apt install --reinstall poncho"},
		{FAIL, PONCHO_IMAGE " is damaged: its sum is not what the package says", "apt install --reinstall poncho"}}},
	{"serial", look_serial, {
		{OK, "The console on %s stays alive: as %s the hypervisor's, as hvc0 domain 0's"},
		{WARN, "The console is on %s, neither ttyS0 nor ttyS1", "put com1= with its port into HYPERVISOR_ARGS in " PONCHO_SETTINGS},
		{WARN, "The kernel has no console on a serial port: a boot that fails is seen on the screen only",
		 "if the provider shows ttyS0, add console=tty0 console=ttyS0,115200 to GRUB_CMDLINE_LINUX"}}},
	{"memory", look_memory, {
		{OK, "%s MiB of memory"},
		{WARN, "%s MiB of memory: little is left for guests", "dom0_mem=512M,max:512M in HYPERVISOR_ARGS of " PONCHO_SETTINGS},
		{FAIL, "%s MiB of memory: the hypervisor takes 64 MiB and leaves domain 0 too little", "a machine with 1 GiB or more"}}},
	{"space", look_space, {
		{OK, "There is room on the disk"},
		{FAIL, "The file system of %s is mounted read-only", "look into the kernel's log for the reason"},
		{FAIL, "The file system of %s has less than %s MiB free", "apt clean; apt autoremove; journalctl --vacuum-size=50M"}}},
	{"disk", look_disk, DEVICE_OUTCOMES},
	{"initramfs", look_initramfs, {
		{OK, "%s is in the initial RAM disk of Linux %s"},
		{WARN, "Not looked at: the root disk's driver or domain 0's kernel is unknown"},
		{FAIL, "%s is missing in the initial RAM disk of Linux %s", "update-initramfs -u -k %s"}}},
	{"nic", look_nic, DEVICE_OUTCOMES},
	{"mac", look_mac, {
		{OK, "Whether other MAC addresses are let through is unknown: guests get addresses behind xenbr0"},
		{OK, "%s lets only the machine's own MAC address through: guests get addresses behind xenbr0"}}},
	{"mtu", look_mtu, {
		{OK, "%s has an MTU of %s; guests get the same"},
		{OK, "No interface to take an MTU from"}}},
	{"packages", look_packages, {
		{OK, "No other Xen is installed"},
		{FAIL, "Debian's Xen is installed:%s", "apt remove%s"}}},
	{"kexec", look_kexec, {
		{OK, "`poncho try --kexec` is possible too"},
		{OK, "The kernel allows no kexec: `poncho try` goes by GRUB"},
		{OK, "kexec-tools are not installed: `poncho try` goes by GRUB"}}},
};
/* clang-format on */

/* --- telling --- */

const unsigned int check_count = COUNT(checks);

const char *check_id(unsigned int n)
{
	return checks[n].id;
}

struct finding check_find(unsigned int n)
{
	struct words w = {0};
	struct finding f = {0};
	int which = checks[n].look(&w);
	const char *remedy = checks[n].outcomes[which].remedy;

	f.result = checks[n].outcomes[which].result;
	SET(f.text, checks[n].outcomes[which].text, w.a, w.b);
	if (remedy)
		SET(f.remedy, remedy, w.b);
	return f;
}

static const char *const result_names[] = {"ok", "warn", "fail"};

static void finding_print(FILE *to, const char *id, const struct finding *f)
{
	size_t n = strlen(f->text);

	fprintf(to, "%-4s  %-12s %s%s\n", result_names[f->result], id, f->text,
		n && f->text[n - 1] == '.' ? "" : ".");
	if (*f->remedy)
		fprintf(to, "%18s -> %s.\n", "", f->remedy);
}

enum result checks_print(bool json)
{
	enum result worst = RESULT_OK;
	json_t *all = json_array(), *top;

	for (unsigned int n = 0; n < check_count; n++) {
		struct finding f = check_find(n);

		worst = f.result > worst ? f.result : worst;
		if (!json)
			finding_print(stdout, checks[n].id, &f);
		json_array_append_new(all, json_pack("{ss,ss,ss,ss*}", "id", checks[n].id, "result",
						     result_names[f.result], "text", f.text,
						     "remedy", *f.remedy ? f.remedy : NULL));
	}
	top = json_pack("{si,ss,so}", "version", 1, "result", result_names[worst], "checks", all);
	if (json) {
		json_dumpf(top, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(top);
	return worst;
}

bool checks_fail(const char *except)
{
	bool bad = false;

	for (unsigned int n = 0; n < check_count; n++) {
		struct finding f = {0};

		if (str_has_word(except, checks[n].id))
			continue;
		f = check_find(n);
		if (f.result == RESULT_FAIL)
			finding_print(stderr, checks[n].id, &f);
		bad |= f.result == RESULT_FAIL;
	}
	return bad;
}
