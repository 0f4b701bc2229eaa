/* SPDX-License-Identifier: MIT */
/* The tables of keys: see keys.h. */
#include "lib/config/keys.h"

#include "lib/base/text.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

/* --- Keys that are no plain member ------------------------------------------------------------------ */

static int domain_set_uuid(const struct field *f)
{
	const char *s = f->v->text;
	char hex[33], *p = hex;

	if (!*s)
		return field_text(f, NULL);
	for (; *s && p < hex + 32; s++) {
		size_t n = p - hex;

		if (isxdigit((unsigned char)*s))
			*p++ = tolower((unsigned char)*s);
		else if (*s != '-' || s[-!!n] == '-' || (n != 8 && n != 12 && n != 16 && n != 20))
			break;
	}
	if (*s || p < hex + 32)
		return field_wrong(f, "a uuid of 32 hexadecimal digits");
	return field_text(f, xasprintf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
				       hex + 16, hex + 20));
}

static int domain_set_restart(const struct field *f)
{
	struct domain_config *c = f->r->base;
	const char *s = f->v->text;
	bool always = !strcmp(s, "always"), reboot = !strcmp(s, "onreboot");

	if (!always && !reboot && strcmp(s, "never"))
		return field_wrong(f, "onreboot, always or never");
	c->on_poweroff = c->on_crash = always ? ACTION_RESTART : ACTION_DESTROY;
	c->on_reboot = always || reboot ? ACTION_RESTART : ACTION_DESTROY;
	return 0;
}

static json_t *domain_get_cmdline(const void *base, enum key_form form)
{
	autofree char *cmdline = config_cmdline(base);

	return *cmdline ? json_string(cmdline) : NULL;
}

static json_t *domain_get_placement(const void *base, enum key_form form)
{
	const struct domain_config *c = base;

	return c->cpus_each || c->cpus_soft.nr ? json_string("False") : NULL;
}

/* --- Rows of a domain ------------------------------------------------------------------------------- */

/* clang-format off */
#define AT(member)	   .offset = offsetof(struct domain_config, member)
#define OTHER(member)	   .other = offsetof(struct domain_config, member)
#define DEVICES(name, member, which, ...) \
	{name, #member, TYPE(DEVICES), AT(member), OTHER(nr_##member), .kind = &which, __VA_ARGS__}
#define NO_LABELS	   .note = "the hypervisor has no security labels"
#define NO_DRIVERS	   .note = "it gets no rights in xenstore to serve devices"
#define LIMIT(member, least, most) TYPE(LONG), AT(member), RANGE(least, most), .unset = -1
#define GIVEN(member, most, what) AT(member), RANGE(1, most), .given = offsetof(struct domain_config, what##_given)

/* In the order of the enums. */
static const struct key_name type_names[] = {SAME("pv"), SAME("pvh"), SAME("hvm"), {0}};
/* The kinds of Xen 3 and 4 under their old names. */
static const struct key_name builder_names[] = {
	{"linux"}, {"pvh"}, {"hvm"}, {"generic", NULL, true, DOMAIN_PV}, {"", NULL, true, DOMAIN_PV},
	{"vmx", NULL, true, DOMAIN_HVM}, {0}};
static const struct key_name action_names[] = {
	SAME("destroy"), SAME("restart"), {"rename-restart", "restart_rename"}, SAME("preserve"),
	{"coredump-destroy", "coredump_destroy"}, {"coredump-restart", "coredump_restart"},
	{"soft-reset", "soft_reset"},
	{"rename-restart", "rename_restart", true, ACTION_RENAME_RESTART},
	{"rename-restart", "rename-restart", true, ACTION_RENAME_RESTART}, {0}};
static const struct key_name start_names[] = {SAME("ignore"), SAME("start"), {0}};
static const struct key_name stop_names[] = {
	SAME("ignore"), SAME("shutdown"), SAME("suspend"), {0}};
static const struct key_name tsc_names[] = {SAME("default"), SAME("always_emulate"), SAME("native"),
					    SAME("native_paravirt"), {0}};

/* In the order of libxl's JSON; keys without a place there follow. */
static const struct config_key domain_keys[] = {
	{"type", "c_info/type", TYPE(ENUM), AT(type), NAMES(type), .unset = -1},
	{"init_seclabel", "c_info/ssid_label", TYPE(TEXT), AT(init_seclabel), NO_LABELS},
	{"name", "c_info/name", "name", KEY_TEXT, AT(name)},
	RUNNING("c_info/domid", "4294967295"),
	{"uuid", "c_info/uuid", "uuid", KEY_TEXT, AT(uuid), .set = domain_set_uuid},
	{"pool", "c_info/pool_name", "pool_name", KEY_TEXT, AT(pool)},
	FIXED("c_info/run_hotplug_scripts", "True"),
	{"driver_domain", "c_info/driver_domain", TYPE(SWITCH), AT(driver_domain), NO_DRIVERS},
	{"xend_suspend_evtchn_compat", "c_info/xend_suspend_evtchn_compat", .type = KEY_SWITCH,
	 AT(suspend_evtchn_compat)},
	{"maxvcpus", "b_info/max_vcpus", "vcpus", KEY_LONG, GIVEN(max_vcpus, 512, vcpus)},
	{"vcpus", "b_info/avail_vcpus", "online_vcpus", KEY_ONLINE, GIVEN(vcpus, 512, vcpus)},
	{"cpus", "b_info/vcpu_hard_affinity", "cpus", KEY_CPUS, AT(cpus), OTHER(cpus_each)},
	{"cpus_soft", "b_info/vcpu_soft_affinity", .type = KEY_CPUS, AT(cpus_soft),
	 OTHER(cpus_soft_each)},
	{NULL, "b_info/numa_placement", .type = KEY_OWN, .get = domain_get_placement},
	{"tsc_mode", "b_info/tsc_mode", "image/linux/tsc_mode", KEY_ENUM, AT(tsc_mode), NAMES(tsc),
	 .numbers = true},
	{"maxmem", "b_info/max_memkb", "maxmem", KEY_MB, GIVEN(max_memory_kb, 1 << 24, memory)},
	{"memory", "b_info/target_memkb", "memory", KEY_MB, GIVEN(memory_kb, 1 << 24, memory)},
	RUNNING("b_info/video_memkb", "0"),
	{"rtc_timeoffset", "b_info/rtc_timeoffset", "image/linux/rtc_timeoffset", KEY_LONG,
	 AT(rtc_timeoffset), RANGE(-0x7fffffff, 0x7fffffff)},
	{"seclabel", "b_info/exec_ssid_label", TYPE(TEXT), AT(seclabel), NO_LABELS},
	{"localtime", "b_info/localtime", "image/linux/localtime", KEY_SWITCH, AT(localtime)},
	{"nomigrate", "b_info/disable_migrate", "image/linux/nomigrate", KEY_SWITCH, AT(nomigrate)},
	{"max_grant_frames", "b_info/max_grant_frames", LIMIT(max_grant_frames, 0, 0x7fffffff)},
	{"max_maptrack_frames", "b_info/max_maptrack_frames", LIMIT(max_maptrack_frames, 0, 0x7fffffff)},
	{"max_grant_version", "b_info/max_grant_version", LIMIT(max_grant_version, 1, 2)},
	BRANCH("b_info/sched_params"),
	RUNNING("b_info/sched_params/sched", "credit"),
	{"cpu_weight", "b_info/sched_params/weight", "cpu_weight", KEY_LONG, AT(cpu_weight),
	 RANGE(1, 65535), .running = "256"},
	{"cap", "b_info/sched_params/cap", "cpu_cap", KEY_LONG, AT(cpu_cap), RANGE(0, 51200),
	 .running = "0"},
	{NULL, "b_info/claim_mode", TYPE(SWITCH), AT(claim), .unset = -1},
	{"max_event_channels", "b_info/event_channels", TYPE(LONG), AT(max_event_channels),
	 RANGE(0, 131071)},
	{"kernel", "b_info/kernel", "image/linux/kernel", KEY_TEXT, AT(kernel)},
	{"cmdline", "b_info/cmdline", TYPE(TEXT), AT(cmdline), .get = domain_get_cmdline},
	{"ramdisk", "b_info/ramdisk", "image/linux/ramdisk", KEY_TEXT, AT(ramdisk)},
	{"bootloader", "b_info/bootloader", "bootloader", KEY_TEXT, AT(bootloader)},
	{"bootloader_args", "b_info/bootloader_args", .type = KEY_TEXTS, AT(bootloader_args)},
	BRANCH("b_info/type.pv"),
	{"e820_host", "b_info/type.pv/e820_host", TYPE(SWITCH), AT(e820_host),
	 .note = "there is no PCI pass-through yet, which it is for"},
	BRANCH("b_info/arch_arm"),
	BRANCH("b_info/arch_x86"),
	RUNNING("b_info/arch_x86/msr_relaxed", "False"),
	DEVICES("disk", disks, disk_kind),
	DEVICES("vif", nics, nic_kind),
	DEVICES("vfb", vfbs, vfb_kind),
	DEVICES("channel", channels, channel_kind, .note = "channels are not connected yet"),
	{"on_poweroff", "on_poweroff", "on_poweroff", KEY_ENUM, AT(on_poweroff), NAMES(action)},
	{"on_reboot", "on_reboot", "on_reboot", KEY_ENUM, AT(on_reboot), NAMES(action)},
	{"on_watchdog", "on_watchdog", TYPE(ENUM), AT(on_watchdog), NAMES(action)},
	{"on_crash", "on_crash", "on_crash", KEY_ENUM, AT(on_crash), NAMES(action)},
	{"on_soft_reset", "on_soft_reset", TYPE(ENUM), AT(on_soft_reset), NAMES(action)},
	{"on_xend_start", "on_xend_start", "on_xend_start", KEY_ENUM, AT(on_xend_start), NAMES(start)},
	{"on_xend_stop", "on_xend_stop", "on_xend_stop", KEY_ENUM, AT(on_xend_stop), NAMES(stop)},

	/* The parts of the command line: JSON has the whole. */
	{"ip", NULL, "image/linux/ip", KEY_TEXT, AT(ip)},
	{"root", NULL, "image/linux/root", KEY_TEXT, AT(root)},
	{"extra", NULL, "image/linux/args", KEY_TEXT, AT(extra)},
	{"netmask", TYPE(TEXT), AT(netmask)},
	{"gateway", TYPE(TEXT), AT(gateway)},
	{"hostname", TYPE(TEXT), AT(hostname)},
	{"dhcp", TYPE(TEXT), AT(dhcp)},
	{"interface", TYPE(TEXT), AT(interface)},
	{"nfs_server", TYPE(TEXT), AT(nfs_server)},
	{"nfs_root", TYPE(TEXT), AT(nfs_root)},
	{"features", "b_info/features", "features", KEY_TEXT, AT(features)},
	{"description", "c_info/description", "description", KEY_TEXT, AT(description)},
	{"console", "b_info/console_port", TYPE(LONG), AT(console_port), RANGE(0, 65535)},

	/* Other names. */
	{"builder", TYPE(ENUM), AT(type), NAMES(builder), .wants = "linux, generic or hvm"},
	{"cpu_cap", TYPE(LONG), AT(cpu_cap), RANGE(0, 51200)},
	{"bootargs", NULL, "bootloader_args", KEY_WORDS, AT(bootloader_args)},
	{"cpu", NULL, "cpu", KEY_CPUS, "cpus", AT(cpus), OTHER(cpus_each)},
	{"restart", NULL, "restart", KEY_OWN, "on_poweroff, on_reboot and on_crash", .xm = true,
	 .set = domain_set_restart},
	{"blkif", TYPE(SWITCH), AT(driver_domain), NO_DRIVERS, .xm = true},
	{"netif", TYPE(SWITCH), AT(driver_domain), NO_DRIVERS, .xm = true},
	{0},
};

const struct spec_kind domain_kind = {domain_keys, sizeof(struct domain_config)};

static const struct key_group file_groups[] = {
	{" nics ", "the entries of vif= are counted"},
	{" bootentry ", "bootargs= tells the boot loader what to do"},
	{" vcpu_avail ", "vcpus= and maxvcpus= say it"},
	{" shadow_memory ", "PV guests have none"},
	{" vncviewer vncconsole ", "no viewer is started"},
	{" vpmu ", "the performance counters follow the hypervisor's vpmu= option"},
	{" guest_os_type target ", "nothing depends on it"},
	{" machine_address_size ", "guests of 64 bits have no such limit"},
	{" suppress_spurious_page_faults ", "there are none to suppress"},
	{" cpuid_check ", "the processor's features are not checked at start"},
	{" s3_integrity ", "the host does not suspend"},
	{" monitor_path device_model_args device_model_args_pv device_model_override "
	 "device_model_user dm_restrict ", "there is no device model"},
	{" xenstore_quota ", "the quotas of xenstored count"},
	{" vkb ", "every vfb brings its keyboard"},
	{" device_model_version ", "a PV guest's back ends are in domain 0's kernel"},
	{" pci_msitranslate pci_power_mgmt pci_permissive pci_seize rdm_mem_boundary "
	 "passthrough ", "there is no PCI pass-through yet"},
	{" acpi apic pae cdrom boot device_model nographic stdvga serial parallel monitor "
	 "soundhw full-screen usb usbdevice usbversion xen_platform_pci ne2000 enable-audio hap "
	 "nestedhvm loader hpet timer_mode vpt_align viridian fda fdb isa videoram hdtype oos "
	 "bios bios_path_override firmware_override acpi_s3 acpi_s4 acpi_laptop_slate nx altp2m "
	 "altp2mhvm acpi_firmware smbios_firmware smbios ms_vm_genid mmio_hole vga spice "
	 "spicehost spiceport spicetls_port spicedisable_ticketing spicepasswd spiceagent_mouse "
	 "spicevdagent spice_clipboard_sharing spiceusbredirection spice_image_compression "
	 "spice_streaming_video vkb_device vendor_device stubdomain_kernel stubdomain_cmdline "
	 "stubdomain_ramdisk stubdomain_memory device_model_stubdomain_override "
	 "device_model_stubdomain_seclabel device_model_args_hvm mca_caps msr_relaxed "
	 "xen_platform_pci_bar_uc hvm_pirq ", "it concerns HVM guests only"},
	{" pci rdm ", "PCI pass-through", true},
	{" dtdev ", "device-tree pass-through", true},
	{" device_tree ", "a device tree", true},
	{" gfx_passthru ", "graphics pass-through", true},
	{" ioports ", "access to I/O ports", true},
	{" iomem ", "access to device memory", true},
	{" irqs irq ", "access to interrupts", true},
	{" vtpm ", "a virtual TPM", true},
	{" tpmif ", "a TPM back end", true},
	{" vscsi ", "SCSI pass-through", true},
	{" vusb usbctrl usbdev ", "USB pass-through", true},
	{" p9 ", "sharing folders by 9pfs", true},
	{" pvcalls ", "PV calls", true},
	{" vdispl ", "a PV display", true},
	{" vsnd ", "PV sound", true},
	{" vuart ", "a virtual UART", true},
	{" virtio ", "virtio devices", true},
	{" vif2 ", "a second kind of interface", true},
	{" vnuma ", "virtual NUMA", true},
	{" cpuid ", "changing a guest's CPUID", true},
	{" firmware ", "booting by firmware", true},
	{" pvshim pvshim_path pvshim_cmdline pvshim_extra ", "the PV shim", true},
	{" vmtrace_buf_kb ", "tracing of processors", true},
	{" superpages ", "backing by superpages", true},
	{" memory_sharing ", "memory sharing", true},
	{" snapshot ", "starting from a snapshot", true},
	{" access_control ", "labels of access_control= (use seclabel=)", true},
	{0},
};

static const struct key_group device_groups[] = {
	{" accel ", "there are no accelerated interfaces"},
	{" be_mac ", "the back end has its own address"},
	{" uuid ", "devices have no uuid"},
	{" backend_domid devid transport specification colo_enable ", NULL}, /* JSON */
	{" handle backend-id bootable driver VDI location other_config protocol ", NULL}, /* SXP */
	{0},
};

/* What else libxl writes of a PV domain. */
static const struct key_group json_groups[] = {
	{" c_info/poolid c_info/hap c_info/oos c_info/passthrough b_info/shadow_memkb b_info/nodemap "
	 "b_info/device_model_version b_info/device_model_stubdomain b_info/iommu_memkb b_info/acpi "
	 "b_info/apic b_info/vpmu b_info/tee b_info/nested_hvm b_info/dm_restrict vkbs "
	 "b_info/vmtrace_buf_kb ", NULL},
	{" b_info/ioports ", "access to I/O ports", true},
	{" b_info/irqs ", "access to interrupts", true},
	{" b_info/iomem ", "access to device memory", true},
	{" pcidevs ", "PCI pass-through", true},
	{" vtpms ", "a virtual TPM", true},
	{" p9s ", "sharing folders by 9pfs", true},
	{0},
};

/* Of a running domain, or without effect on a PV one. */
static const struct key_group sxp_groups[] = {
	{" domid state status start_time cpu_time up_time store_mfn console_mfn shadow_memory "
	 "memory_sharing notes videoram oos s3_integrity ssidref superpages hap pae acpi apic "
	 "guest_os_type change_home_server device_model vcpu_avail vcpus_params target security ", NULL},
	{0},
};
/* clang-format on */

static const char *name_in(const struct config_key *k, const struct reader *r)
{
	if (r->form == FORM_FILE)
		return k->xm && !r->xm ? NULL : k->name;
	return r->form == FORM_JSON ? k->json : k->sxp;
}

const struct config_key *key_find(const struct reader *r, const char *name)
{
	for (const struct config_key *k = r->kind->table; !key_is_last(k); k++) {
		const char *known = name_in(k, r);

		if (known && !strcmp(known, name))
			return k;
	}
	return NULL;
}

const char *key_suggest(const struct reader *r, const char *name)
{
	unsigned int least = strlen(name) < 6 ? 2 : 3, n;
	const char *best = NULL;

	for (const struct config_key *k = r->kind->table; !key_is_last(k); k++) {
		if (!k->name || (k->xm && !r->xm))
			continue;
		n = strcasecmp(name, k->name) ? str_distance(name, k->name) : 0;
		if (n < least && n < strlen(name)) {
			least = n;
			best = k->name;
		}
	}
	/* A display's keys count beside the domain's. */
	if (!best && r->kind == &domain_kind)
		return key_suggest(&(struct reader){.kind = &vfb_kind}, name);
	return best;
}

const struct key_group *key_group(const struct reader *r, const char *name)
{
	static const struct key_group *const groups[] = {
		[FORM_FILE] = file_groups, [FORM_JSON] = json_groups, [FORM_SXP] = sxp_groups};
	const struct key_group *g = r->kind == &domain_kind ? groups[r->form] : device_groups;

	while (g->names && !str_has_word(g->names, name))
		g++;
	return g->names ? g : NULL;
}

const char *path_tail(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int key_other(const struct reader *r, const char *name, bool asks)
{
	const struct key_group *g = key_group(r, name);
	const char *near;

	if (!g) {
		near = key_suggest(r, path_tail(name));
		return near ? complain(r, "unknown key '%.60s' (did you mean '%s'?)", name, near)
			    : complain(r, "unknown key '%.60s'", name);
	}
	if (!asks || !g->note)
		return 0;
	if (g->later)
		return complain(r, "'%s' asks for %s, which is not supported", name, g->note);
	diagnostics_warn(r->found, r->at, "'%s' is ignored: %s", name, g->note);
	return 0;
}
