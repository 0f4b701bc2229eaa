/* SPDX-License-Identifier: MIT */
/*
 * What a domain shall be: the one typed form every file format is read into and written from. Texts are NULL where nothing was said,
 * numbers carry the value named here as default until a file says otherwise (what is on or off is a number, 1 or 0); config_init() sets
 * those of a dialect. Everything is
 * owned by the struct and ends with config_free(). Nothing here was compared with the host: files need not exist, CPUs need not be there.
 */
#pragma once

#include "lib/config/diagnostics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whose defaults and grammar a file has: Debian's xl 4.17, or xm of Xen 4.1 with the forms of 3.0 accepted, or its -F: (vm (name ..) ...)
 * or (domain ...) as xm list -l prints it.
 */
enum config_dialect { CONFIG_XL, CONFIG_XM, CONFIG_SXP };

enum domain_type { DOMAIN_PV, DOMAIN_PVH, DOMAIN_HVM };

enum domain_action {
	ACTION_DESTROY,
	ACTION_RESTART,
	ACTION_RENAME_RESTART,
	ACTION_PRESERVE,
	ACTION_COREDUMP_DESTROY,
	ACTION_COREDUMP_RESTART,
	ACTION_SOFT_RESET,
};

enum xend_start { XEND_START_IGNORE, XEND_START_START };
enum xend_stop { XEND_STOP_IGNORE, XEND_STOP_SHUTDOWN, XEND_STOP_SUSPEND };

enum disk_format {
	DISK_FORMAT_UNKNOWN, /* not said: raw */
	DISK_FORMAT_RAW,
	DISK_FORMAT_QCOW,
	DISK_FORMAT_QCOW2,
	DISK_FORMAT_VHD,
	DISK_FORMAT_QED,
	DISK_FORMAT_EMPTY, /* a drive without a medium */
};

enum disk_backend {
	DISK_BACKEND_UNKNOWN, /* not said: the device layer looks at the target */
	DISK_BACKEND_PHY,
	DISK_BACKEND_TAP,
	DISK_BACKEND_QDISK,
	DISK_BACKEND_STANDALONE,
};

enum disk_scheme { DISK_SCHEME_NONE, DISK_SCHEME_PHY, DISK_SCHEME_FILE, DISK_SCHEME_TAP };

struct disk_config {
	enum disk_scheme scheme; /* the prefix of the old form: phy: file: tap...: (a hint only) */
	char *target; /* path; a relative phy: target has got its /dev/; "" for an empty drive */
	char *vdev;   /* "xvda1" */
	long devid;   /* what @vdev is as a number, 51713 */
	enum disk_format format;
	enum disk_backend backend;
	char *backend_domain; /* NULL: domain 0 */
	char *script;	      /* NULL: "block" */
	int readwrite;	      /* the default */
	int force;	      /* "w!": even where the target is in use */
	int cdrom, removable, direct_io_safe;
	int discard, trusted; /* -1 not said, 0, 1 */
};

enum nic_type { NIC_VIF, NIC_IOEMU };

struct nic_config {
	long devid; /* the position among the nics unless devid= says it */
	char *mac;  /* lower case "00:16:3e:00:00:01"; NULL: random below 00:16:3e */
	char *bridge, *ip, *script, *ifname, *model, *gatewaydev;
	char *backend_domain;
	enum nic_type type;
	long mtu; /* 0: the bridge's */
	uint64_t rate_bytes_per_interval;
	long rate_interval_us; /* 0: no limit */
	int trusted;	       /* -1 not said, 0, 1 */
};

struct vfb_config {
	int vnc; /* -1 not said: yes, 0, 1 */
	char *vnc_listen, *vnc_passwd;
	long vnc_display; /* -1: not said */
	int vnc_unused;	  /* -1 not said, 0, 1 */
	int sdl, opengl;  /* -1 not said: no, 0, 1 */
	char *sdl_display, *sdl_xauthority, *keymap;
};

enum channel_connection { CHANNEL_PTY, CHANNEL_SOCKET };

struct channel_config {
	char *name, *path; /* @path: the socket's */
	enum channel_connection connection;
	char *backend_domain;
};

/* A growing array of texts. */
struct string_list {
	char **item;
	size_t nr;
};

struct domain_config {
	enum domain_type type; /* only DOMAIN_PV gets past config_read() */
	char *name;
	char *uuid; /* lower case with dashes; NULL: to be made up */
	char *description;

	/* What boots, and its command line: either @cmdline, or what config_cmdline() makes of the parts. */
	char *kernel, *ramdisk, *bootloader;
	struct string_list bootloader_args; /* also xm's bootargs, split at blanks */
	char *cmdline;
	char *root, *extra;
	char *ip, *netmask, *gateway, *hostname;
	char *dhcp;	 /* "dhcp", "off", ...; NULL: off */
	char *interface; /* default eth0 */
	char *nfs_server, *nfs_root;
	char *features; /* of the kernel, "!writable_page_tables|..." */

	uint64_t memory_kb;	/* default 128 MiB */
	uint64_t max_memory_kb; /* default @memory_kb (0 while reading) */
	int claim;		/* claim the memory before building; default true */

	long vcpus;	/* online at start; default 1 */
	long max_vcpus; /* default @vcpus (0 while reading) */
	/* Affinity, texts for cpus_parse(): one for all vCPUs or, with @..._each, one a vCPU (the rest: anywhere). */
	struct string_list cpus, cpus_soft;
	bool cpus_each, cpus_soft_each;
	long cpu_weight; /* 1..65535; 0: the scheduler's default, 256 */
	long cpu_cap;	 /* per cent of one CPU; 0: none */
	char *pool;	 /* NULL: Pool-0 */

	enum domain_action on_poweroff;	  /* destroy */
	enum domain_action on_reboot;	  /* restart */
	enum domain_action on_crash;	  /* xl destroy, xm restart */
	enum domain_action on_watchdog;	  /* destroy */
	enum domain_action on_soft_reset; /* soft-reset */
	enum xend_start on_xend_start;	  /* ignore */
	enum xend_stop on_xend_stop;	  /* ignore */

	struct disk_config *disks;
	size_t nr_disks;
	struct nic_config *nics;
	size_t nr_nics;
	struct vfb_config *vfbs;
	size_t nr_vfbs;
	struct channel_config *channels;
	size_t nr_channels;

	long console_port;   /* 0: none; 9600 + domid is what the manual of 3.0 speaks of */
	long rtc_timeoffset; /* seconds */
	int tsc_mode;	     /* 0 default, 1 always emulate, 2 native, 3 native with rdtscp */
	int localtime, nomigrate, driver_domain, e820_host, suspend_evtchn_compat;
	char *init_seclabel; /* the label at creation ... */
	char *seclabel; /* ... and what it becomes once built; a lone seclabel= is @init_seclabel */
	long max_grant_frames, max_maptrack_frames; /* -1: the hypervisor's */
	long max_grant_version;			    /* -1: the hypervisor's, 1, 2 */
	long max_event_channels;		    /* 0: 1023 */

	/* Whether the file said memory= or maxmem=, vcpus= or maxvcpus=: what was not said is not in its JSON, as with libxl. */
	bool memory_given, vcpus_given;
};

void config_init(struct domain_config *c, enum config_dialect dialect);
void config_free(struct domain_config *c);
void config_copy(struct domain_config *to, const struct domain_config *from);

/* A random uuid where there is none yet. */
void config_make_uuid(struct domain_config *c);

/* The kernel's command line, owned by the caller ("" for none): ip=... root=... nfsroot=... and the extra words. */
char *config_cmdline(const struct domain_config *c);

/* --- Files ------------------------------------------------------------------------------------------ */

/*
 * Reads @text, which messages call @name, in the grammar of @dialect; a file of xm that needs Python gets it. @overrides are the
 * command line's "key=value" words (each possibly "a=1;b=2"): the last word. Returns -1 with at least one error in @found, which
 * begins empty; warnings may be there in either case. @c is to be freed after both.
 */
int config_read_text(const char *name, const char *text, enum config_dialect dialect,
		     char *const *overrides, size_t nr_overrides, struct domain_config *c,
		     struct diagnostics *found);
/* The same for the file @path ("-": standard input; "/dev/null" and NULL: nothing but the overrides). */
int config_read(const char *path, enum config_dialect dialect, char *const *overrides,
		size_t nr_overrides, struct domain_config *c, struct diagnostics *found);

struct sxp;
/* What `xm list -l` prints, (domain (domid N) (name ..) ...); with @domid below 0 what `xm create -n` does, (vm (name ..) ...). */
struct sxp *config_to_sxp(const struct domain_config *c, long domid);
struct json_t;
/* Behind what @list has: {"a": {"b": "c"}} is (a (b c)), an array a list; returns @list. */
struct sxp *sxp_add_json(struct sxp *list, const struct json_t *json);

/*
 * libxl's shape, as `xl list -l` shows it as "config"; json_t of jansson, a new reference. What libxl has no name for is there only when
 * set: description, features, on_xend_start, a disk's "force" ...; affinity that only the host can resolve stands as text ("nodes:0").
 */
struct text;
/* Laid out as Debian's xl does it: indented by four, an empty object over two lines; a newline behind it. */
void config_print_json(const struct json_t *json, struct text *out);
struct json_t *config_to_json(const struct domain_config *c);
int config_from_json(const struct json_t *json, struct domain_config *c, struct diagnostics *found);

/* --- Devices ---------------------------------------------------------------------------------------- */

struct spec_kind;
/* Of struct disk_config, struct nic_config and the whole struct domain_config: @device below. */
extern const struct spec_kind disk_kind, nic_kind, domain_kind;
/*
 * "phy:vg/a,xvda,w", "format=raw, vdev=xvda, target=/x", ... and "mac=..., bridge=...", "", "xenbr0"; @found may carry warnings after 0.
 * The struct is to be freed after both.
 */
int spec_parse(const struct spec_kind *kind, const char *spec, void *device,
	       struct diagnostics *found);
void spec_free(const struct spec_kind *kind, void *device);
/* The JSON shape: a member of "disks" or "nics"; @running: with the defaults libxl has filled in once the domain runs. */
struct json_t *spec_to_json(const struct spec_kind *kind, const void *device, bool running);
int spec_from_json(const struct spec_kind *kind, const struct json_t *json, void *device,
		   struct diagnostics *found);

/* "xvda1" -> 51713, "sda" -> 2048, "d0p1" -> 51713, "51713" and "0x801" -> themselves; -1: no disk's name. */
long vdev_number(const char *vdev);
/* The name a Linux guest gives it, owned by the caller: "xvda1"; the number itself for what is no xvd, sd or hd. */
char *vdev_name(long number);

/* --- CPU sets --------------------------------------------------------------------------------------- */

enum { CPUS_MOST = 4096 };

struct cpu_set {
	uint64_t word[CPUS_MOST / 64];
};

bool cpu_set_has(const struct cpu_set *set, unsigned int cpu);
/*
 * "0-3,5,^1", "all", "any", "nodes:0-1,^node:1" as a set; @node_of[cpu] for @nr_cpus CPUs tells the nodes (NULL: a list that names nodes
 * is an error). "all" is every CPU below @nr_cpus (CPUS_MOST where that is 0).
 */
int cpus_parse(const char *spec, const unsigned int *node_of, unsigned int nr_cpus,
	       struct cpu_set *set, struct error *e);
/* Whether it says all CPUs, whatever those are. */
bool cpus_anywhere(const char *spec);
