/* SPDX-License-Identifier: MIT */
/* The table of commands. Help and completion are written from it, so a row is all a command needs to be known everywhere. */
#include "xm/verbs.h"

#define OPTIONS(...)                           \
	.options = (const struct option_row[]) \
	{                                      \
		__VA_ARGS__,                   \
		{                              \
			0                      \
		}                              \
	}

#define ALL	  'a', "all", NULL, "All domains but domain 0"
#define WAIT	  'w', "wait", NULL, "Wait until it is done"
#define FORCE	  'f', "force", NULL, "Without the guest's consent"
#define PAUSED	  'p', "paused", NULL, "Leave it paused once it is there"
#define CONSOLE	  'c', "console", NULL, "Become the domain's console"
#define LONG	  'l', "long", NULL, "All details, as SXP", ONLY_XM
#define FILE_OF	  'f', "defconfig", "FILE", "Read the configuration from FILE"
#define QUIET	  'q', "quiet", NULL, "Say nothing while all is well"
#define NO_EFFECT "Accepted, has no effect here"

/* clang-format off */
#define CREATE_OPTIONS								      \
	{QUIET},			      \
	{FILE_OF},		      \
	{'F', "config", "FILE", "Read an SXP configuration", ONLY_XM},		      \
	{0, "path", "PATH", "Folders to look for the file in (.:/etc/xen)", ONLY_XM}, \
	{'n', "dryrun", NULL, "Print what would be created, and create nothing"},     \
	{'x', "xmldryrun", NULL, NO_EFFECT, ONLY_XM},				      \
	{'s', "skipdtd", NULL, NO_EFFECT, ONLY_XM},				      \
	{0, "vncviewer", NULL, NO_EFFECT, ONLY_XM},				      \
	{0, "vncviewer-autopass", NULL, NO_EFFECT, ONLY_XM}
/* clang-format on */

const struct command commands[] = {
	{"block-attach", xm_device_attach, "Give a domain another virtual disk", 0, 2, -1,
	 "<Domain> <disk-spec>...", .dry = true,
	 .operands_xm = "<Domain> <BackDev> <FrontDev> <Mode> [BackDomain]",
	 .alias = {"vbd-create"}},
	{"block-configure", xm_device_configure, "Put another back end behind a virtual disk",
	 ONLY_XM, 4, 5, "<Domain> <BackDev> <FrontDev> <Mode> [BackDomain]"},
	{"block-detach", xm_device_detach, "Take a virtual disk away", 0, 2, 2, "<Domain> <DevId>",
	 .alias = {"vbd-destroy"}, OPTIONS({FORCE})},
	{"block-list", xm_devices_list, "List a domain's virtual disks", 0, 1, -1, "<Domain>...",
	 .alias = {"vbd-list"}, .listing = true, OPTIONS({LONG})},
	{"claims", xm_claims, "List memory that is claimed and not yet given", ONLY_XL},
	{"completion", xm_completion, "Print the completion of a shell", 0, 1, 1, "bash|zsh|fish"},
	{"config-update", xm_config_update,
	 "Replace the configuration that a domain's next start uses", 0, 1, -1,
	 "<Domain> <ConfigFile> [vars]", .dry = true,
	 OPTIONS({FILE_OF}, {'d', "debug", NULL, "Print the configuration"}, {QUIET})},
	{"console", xm_console, "Attach to a domain's console; Ctrl+] leaves", 0, 1, 1, "<Domain>",
	 .common = true,
	 OPTIONS({'t', "type", "TYPE", "pv or serial"}, {'n', "num", "N", "The console's number"},
		 {'e', "escape", "CHAR", "What leaves the console (^])"},
		 {'q', "quiet", NULL, NO_EFFECT, ONLY_XM})},
	{"cpupool-list", xm_cpupool_list, "List the CPU pools", 0, 0, 1, "[CPU-Pool]",
	 .alias = {"pool-list"}, .listing = true,
	 OPTIONS({'c', "cpus", NULL, "List the CPUs of each pool"}, {LONG})},
	{"create", xm_create, "Create a domain from a config file and start it", 0, 0, -1,
	 "<ConfigFile>... [vars]", .common = true, .listing = true, .dry = true,
	 OPTIONS({CONSOLE}, {PAUSED}, CREATE_OPTIONS,
		 {'F', "foreground", NULL, "Wait for the domain's end", ONLY_XL},
		 {'d', "debug", NULL, NO_EFFECT, ONLY_XL},
		 {'e', "no-wait", NULL, NO_EFFECT, ONLY_XL},
		 {'V', "vncviewer", NULL, NO_EFFECT, ONLY_XL},
		 {'A', "vncviewer-autopass", NULL, NO_EFFECT, ONLY_XL},
		 {'i', "ignore-global-affinity-masks", NULL, NO_EFFECT, ONLY_XL})},
	{"debug-keys", xm_debug_keys, "Send debug keys to the hypervisor", 0, 1, 1, "<Keys>"},
	{"delete", xm_delete, "Forget a managed domain that does not run", 0, 1, 1, "<DomainName>"},
	{"destroy", xm_destroy, "End a domain at once", 0, 1, 1, "<Domain>", .common = true,
	 OPTIONS({'f', "force", NULL, "Also domain 0", ONLY_XL})},
	{"dmesg", xm_dmesg, "Print the hypervisor's messages", .common = true,
	 OPTIONS({'c', "clear", NULL, "Clear the messages after printing them"})},
	{"domid", xm_domid, "Tell the id of a domain's name", 0, 1, 1, "<DomainName>"},
	{"domname", xm_domname, "Tell the name of a domain's id", 0, 1, 1, "<DomainId>"},
	{"domstate", xm_domstate, "Tell a domain's state in a word", 0, 1, 1, "<Domain>"},
	{"dump-core", xm_dump_core, "Write a domain's memory to a file", 0, 1, 2,
	 "<Domain> [FileName]",
	 OPTIONS({'L', "live", NULL, "Do not pause the domain", ONLY_XM},
		 {'C', "crash", NULL, "Destroy it afterwards", ONLY_XM},
		 {'R', "reset", NULL, "Start it anew afterwards", ONLY_XM})},
	{"help", xm_help, "Tell what there is and how to use it", 0, 0, 1, "[subcommand]",
	 OPTIONS({'l', "long", NULL, "All commands, those not done yet, exit statuses"})},
	{"info", xm_info, "Tell about the host and its hypervisor", 0, 0, 1, "[name]",
	 .common = true, .listing = true,
	 OPTIONS({'n', "numa", NULL, "With the CPUs' places and NUMA nodes"},
		 {'c', "config", NULL, "xend's settings", ONLY_XM})},
	{"list", xm_list, "List the domains", 0, 0, -1, "[Domain...]", .common = true,
	 .listing = true,
	 OPTIONS({'l', "long", NULL, "All details"},
		 {'v', "verbose", NULL, "With uuids, shutdown reasons and labels"},
		 {'Z', "context", NULL, "With security labels", ONLY_XL},
		 {'c', "cpupool", NULL, "With the CPU pool of each", ONLY_XL},
		 {'n', "numa", NULL, "With the NUMA nodes of each", ONLY_XL},
		 {0, "label", NULL, "With security labels", ONLY_XM},
		 {0, "state", "STATE", "Only those that are running, paused, crashed, halted, ...",
		  ONLY_XM},
		 {0, "pool", "POOL", "Only those of a CPU pool", ONLY_XM})},
	{"log", xm_log, "Print the end of xend's log"},
	{"mem-max", xm_memory, "Set the most memory a domain may have (MiB, or with k, m, g)", 0, 2,
	 2, "<Domain> <Mem>", .alias = {"maxmem"}},
	{"mem-set", xm_memory, "Set how much memory a domain shall use (MiB, or with k, m, g)", 0,
	 2, 2, "<Domain> <Mem>", .alias = {"balloon"}, .common = true},
	{"network-attach", xm_device_attach, "Give a domain another network interface", 0, 1, -1,
	 "<Domain> [mac=M] [bridge=B] [ip=A] [script=S] [backend=D] [vifname=N] [rate=R]",
	 .dry = true},
	{"network-detach", xm_device_detach, "Take a network interface away", 0, 2, 2,
	 "<Domain> <DevId|mac>", OPTIONS({FORCE})},
	{"network-list", xm_devices_list, "List a domain's network interfaces", 0, 1, -1,
	 "<Domain>...", .alias = {"vif-list"}, .listing = true, OPTIONS({LONG})},
	{"new", xm_create, "Put a domain under xend's management without starting it", 0, 0, -1,
	 "<ConfigFile>... [vars]", .listing = true, .dry = true,
	 OPTIONS({'p', "paused", NULL, NO_EFFECT, ONLY_XM},
		 {'c', "console_autoconnect", NULL, NO_EFFECT, ONLY_XM}, CREATE_OPTIONS)},
	{"pause", xm_act, "Stop a domain's vCPUs", 0, 1, 1, "<Domain>", .common = true},
	{"reboot", xm_end, "Ask a domain to reboot", 0, 0, 1, "[Domain]", .common = true,
	 OPTIONS({ALL}, {WAIT},
		 {'F', "fallback", NULL, "Another way where the guest has no PV drivers",
		  ONLY_XL})},
	{"rename", xm_rename, "Give a domain another name", 0, 2, 2, "<Domain> <NewDomainName>"},
	{"reset", xm_act, "Destroy a domain and start it anew", 0, 1, 1, "<Domain>"},
	{"sched-credit", xm_sched, "Tell or set what the credit scheduler goes by",
	 .operands =
		 "[-d <Domain> [-w WEIGHT] [-c CAP]] [-s [-t TSLICE] [-r RATELIMIT] [-m DELAY]] [-p CPUPOOL]",
	 .operands_xm = "[-d <Domain> [-w WEIGHT] [-c CAP]]", .listing = true,
	 OPTIONS({'d', "domain", "DOMAIN", "The domain to tell about or to change"},
		 {'w', "weight", "WEIGHT", "Its weight, 1 to 65535"},
		 {'c', "cap", "CAP", "The most it gets, per cent of one CPU; 0: no limit"},
		 {'s', "schedparam", NULL, "A pool's parameters", ONLY_XL},
		 {'t', "tslice_ms", "TSLICE", "Its time slice", ONLY_XL},
		 {'r', "ratelimit_us", "RATELIMIT", "How long a vCPU runs at least", ONLY_XL},
		 {'m', "migration_delay_us", "DELAY", "How long a vCPU stays where it ran",
		  ONLY_XL},
		 {'p', "cpupool", "CPUPOOL", "Only this pool", ONLY_XL})},
	{"sched-credit2", xm_sched, "Tell or set what the credit2 scheduler goes by",
	 .operands = "[-d <Domain> [-w WEIGHT] [-c CAP]] [-s [-r RATELIMIT]] [-p CPUPOOL]",
	 .operands_xm = "[-d <Domain> [-w WEIGHT]]", .listing = true,
	 OPTIONS({'d', "domain", "DOMAIN", "The domain to tell about or to change"},
		 {'w', "weight", "WEIGHT", "Its weight, 1 to 65535"},
		 {'c', "cap", "CAP", "The most it gets, per cent of one CPU; 0: no limit", ONLY_XL},
		 {'s', "schedparam", NULL, "A pool's parameters", ONLY_XL},
		 {'r', "ratelimit_us", "RATELIMIT", "How long a vCPU runs at least", ONLY_XL},
		 {'p', "cpupool", "CPUPOOL", "Only this pool", ONLY_XL})},
	{"shutdown", xm_end, "Ask a domain to shut down", 0, 0, 1, "[Domain]", .common = true,
	 OPTIONS({ALL}, {WAIT}, {'H', "halt", NULL, "Halt it without power off", ONLY_XM},
		 {'R', "reboot", NULL, "Reboot it instead", ONLY_XM},
		 {'F', "fallback", NULL, "Another way where the guest has no PV drivers",
		  ONLY_XL})},
	{"start", xm_start, "Start a managed domain", 0, 1, 1, "<DomainName>",
	 OPTIONS({PAUSED}, {CONSOLE}, {0, "vncviewer", NULL, NO_EFFECT},
		 {0, "vncviewer-autopass", NULL, NO_EFFECT})},
	{"sysrq", xm_sysrq, "Send a magic SysRq key to a domain", 0, 2, 2, "<Domain> <letter>"},
	{"top", xm_top, "Watch the host and its domains", .common = true,
	 OPTIONS({'d', "delay", "SECONDS", "Between two updates (3)"},
		 {'n', "networks", NULL, "With the traffic of each interface"},
		 {'x', "vbds", NULL, "With the traffic of each disk"},
		 {'r', "repeat-header", NULL, "The heading above each domain"},
		 {'v', "vcpus", NULL, "With each vCPU"},
		 {'f', "full-name", NULL, "Names are not cut"},
		 {'z', "dom0-first", NULL, "Domain 0 first, however sorted"},
		 {'b', "batch", NULL, "Plain text, no keys"},
		 {'i', "iterations", "N", "End after N updates"})},
	{"trigger", xm_trigger, "Send a trigger to a domain", 0, 2, 3,
	 "<Domain> <nmi|reset|init|power|sleep|s3resume> [VCPU]"},
	{"unpause", xm_act, "Let a paused domain run again", 0, 1, 1, "<Domain>", .common = true},
	{"uptime", xm_uptime, "Tell how long domains have been running", 0, 0, -1, "[Domain...]",
	 .common = true, .listing = true,
	 OPTIONS({'s', "short", NULL, "In short, with the time of day"})},
	{"vcpu-list", xm_vcpu_list, "List the domains' vCPUs", 0, 0, -1, "[Domain...]",
	 .listing = true, .common = true},
	{"vcpu-pin", xm_vcpu_pin, "Set which CPUs a vCPU may use", 0, 3, 4,
	 "<Domain> <VCPU|all> <hard CPUs|-|all> [soft CPUs|-|all]", .dry = true,
	 .operands_xm = "<Domain> <VCPU|all> <CPUs|all>",
	 OPTIONS({'f', "force", NULL, "Also over a temporary pin", ONLY_XL},
		 {'i', "ignore-global-affinity-masks", NULL, NO_EFFECT, ONLY_XL})},
	{"vcpu-set", xm_vcpu_set, "Set how many vCPUs a domain has online", 0, 2, 2,
	 "<Domain> <vCPUs>", .alias = {"set-vcpus", "vcpus-set"},
	 OPTIONS({'i', "ignore-host", NULL, "More than the host has CPUs, too", ONLY_XL})},
	{"vm-list", xm_vm_list, "List the uuids, ids and names of the running domains",
	 .listing = true},
	{0},
};

/* In the order of their first names. */
const struct later commands_later[] = {
	{"There is no security policy to speak of",
	 {"getenforce setenforce", "loadpolicy",
	  "addlabel dumppolicy getlabel getpolicy labels resetpolicy resources rmlabel setpolicy"}},
	{"Use shutdown", {NULL, "button-press"}},
	{"Use block-detach", {NULL, "cd-eject", "scsi-detach"}},
	{"Use block-attach", {NULL, "cd-insert", "scsi-attach"}},
	{"Look at xenstore-ls /local/domain/<id>/device", {NULL, "channel-list"}},
	{"Pin vCPUs with vcpu-pin instead",
	 {"cpupool-cpu-add cpupool-cpu-remove cpupool-create cpupool-destroy cpupool-migrate",
	  "cpupool-numa-split cpupool-rename", "cpupool-delete cpupool-new cpupool-start"}},
	{"Back ends run in domain 0, where xend serves them", {NULL, "devd"}},
	{"Use create --dryrun", {NULL, NULL, "dry-run"}},
	{"Read /v1/events of xend's API", {NULL, NULL, "event-monitor"}},
	{"Shut the domain down here and create it there", {"migrate", "migrate-receive remus"}},
	{"Use network-detach", {NULL, NULL, "network-del network2-detach"}},
	{"Use network-attach", {NULL, NULL, "network-new network2-attach"}},
	{"Use network-list", {NULL, NULL, "network-show network2-list"}},
	{"Passing devices through needs a later version; share them by disk and vif",
	 {"pci-attach pci-detach pci-list usb-list",
	  "pci-assignable-add pci-assignable-list pci-assignable-remove usbctrl-attach "
	  "usbctrl-detach usbdev-attach usbdev-detach",
	  "pci-list-assignable-devices usb-attach usb-detach usb-hc-create usb-hc-destroy "
	  "usb-list-assignable-devices"}},
	{"There is no cache or bandwidth control",
	 {NULL, "psr-cat-set psr-cat-show psr-cmt-attach psr-cmt-detach psr-cmt-show psr-hwinfo "
		"psr-mba-set psr-mba-show"}},
	{"PV guests only for now: the console is the way in",
	 {NULL,
	  "qemu-monitor-command vdispl-attach vdispl-detach vdispl-list vkb-attach vkb-detach "
	  "vkb-list vsnd-attach vsnd-detach vsnd-list",
	  "usb-add usb-del"}},
	{"Shut the domain down and create it again", {"restore save"}},
	{"Use unpause for a paused domain, start for one that does not run",
	 {NULL, NULL, "resume"}},
	{"Use sched-credit", {NULL, "sched-rtds", "sched-bvt sched-bvt-ctxallow sched-sedf"}},
	{"Use block-list", {NULL, NULL, "scsi-list"}},
	{"Use xend's API on /run/xend/api.sock", {NULL, NULL, "serve"}},
	{"Set them on the hypervisor's command line", {NULL, "set-parameters"}},
	{"No memory is shared between domains", {NULL, "sharing"}},
	{"Use the shell you are in, with 'xm completion'", {NULL, NULL, "shell"}},
	{"Use pause, or shutdown and start", {NULL, NULL, "suspend"}},
	{"Use mem-set; transcendent memory is gone from Xen itself",
	 {NULL, NULL,
	  "tmem-destroy tmem-flush tmem-freeable tmem-freeze tmem-list tmem-set "
	  "tmem-shared-auth tmem-thaw"}},
	{"Start a viewer yourself; the address is vnclisten and vncdisplay of the vfb",
	 {"vncviewer"}},
	{"Make a bridge and name it in vif", {NULL, NULL, "vnet-create"}},
	{"Remove the bridge", {NULL, NULL, "vnet-delete"}},
	{"Use 'ip link show type bridge'", {NULL, NULL, "vnet-list"}},
	{"There is no virtual TPM yet", {"vtpm-list", "vtpm-attach vtpm-detach"}},
	{0},
};
