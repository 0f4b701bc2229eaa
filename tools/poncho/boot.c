/* SPDX-License-Identifier: MIT */
/*
 * The ways into Poncho. A try writes one marked block into GRUB's custom.cfg and names it for the next boot only; grub.cfg stays as it
 * is. To enable links two files into GRUB's folders, from which update-grub makes a default entry; to disable takes the links away. What
 * fails half-way is taken back.
 */
#include "lib/base/file.h"
#include "poncho/check.h"
#include "poncho/grub.h"
#include "poncho/host.h"
#include "poncho/poncho.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GRUB_CONFIG "/boot/grub/grub.cfg"
#define GRUB_CUSTOM "/boot/grub/custom.cfg"
#define GRUB_ENV    "/boot/grub/grubenv"

#define PONCHO_UNPACKED "/run/poncho.image"

static const struct {
	const char *link, *to;
} grub_links[] = {
	{"/etc/grub.d/45_poncho", "/usr/lib/poncho/grub-entry"},
	{"/etc/default/grub.d/zz-poncho.cfg", "/usr/lib/poncho/grub-default.cfg"},
};

/* --- the entry's parts --- */

struct boot_args {
	struct grub_linux plain;
	char *hypervisor, *domain0;
};

static void args_free(struct boot_args *a)
{
	grub_linux_free(&a->plain);
	free(a->hypervisor);
	free(a->domain0);
}

/* From settings first, the command line behind them. */
static char *both(const char *settings, const char *name, const char *more)
{
	autofree char *value = settings ? setting_get(settings, name) : NULL;

	return xasprintf("%s%s%s", value ? value : "", value && *value && more ? " " : "",
			 more ? more : "");
}

static long seconds_of(const struct options *o, const char *settings)
{
	autofree char *value = settings ? setting_get(settings, "HEALTHY_SECONDS") : NULL;
	long seconds = PONCHO_SECONDS;

	if (o->seconds)
		return o->seconds;
	if (value)
		str_to_long(value, 10, 86400, &seconds);
	return seconds;
}

static int args_make(struct boot_args *a, const char *config, const struct options *o,
		     struct error *e)
{
	autofree char *settings = host_read(PONCHO_SETTINGS);
	autofree char *hypervisor = both(settings, "HYPERVISOR_ARGS", o->hypervisor_args);
	autofree char *domain0 = both(settings, "DOM0_ARGS", o->domain0_args);

	if (grub_linux_find(config, &a->plain, e))
		return -1;
	a->hypervisor = boot_hypervisor_args(a->plain.args, (unsigned int)seconds_of(o, settings),
					     hypervisor);
	a->domain0 = boot_domain0_args(a->plain.args, domain0);
	return 0;
}

/* --- try --- */

static char *custom_read(void)
{
	autofree char *path = host_path(GRUB_CUSTOM);

	return file_read(path, 1 << 20, NULL, NULL);
}

int poncho_try_clear(struct error *e)
{
	autofree char *old = custom_read(), *new = grub_block(old, NULL);
	autofree char *env = host_output("grub-editenv", GRUB_ENV, "list", NULL);
	autofree char *next = env ? setting_get(env, "next_entry") : NULL;

	/* GRUB leaves the name with nothing behind it, when it has taken the entry. */
	if (next && (!*next || !strcmp(next, GRUB_TRY_ID)) &&
	    host_run(e, "grub-editenv", GRUB_ENV, "unset", "next_entry", NULL))
		return -1;
	return old ? host_write(GRUB_CUSTOM, new, 0600, e) : 0;
}

static int try_by_grub(const struct boot_args *a, struct error *e)
{
	autofree char *old = custom_read();
	autofree char *entry = grub_entry(&a->plain, true, strrchr(PONCHO_IMAGE, '/') + 1,
					  a->hypervisor, a->domain0);
	autofree char *new = grub_block(old, entry);

	if (host_write(GRUB_CUSTOM, new, 0600, e))
		return -1;
	if (!host_run(e, "grub-editenv", GRUB_ENV, "set", "next_entry=" GRUB_TRY_ID, NULL))
		return 0;
	(void)poncho_try_clear(NULL);
	return -1;
}

/* kexec passes nothing of UEFI's on: where ACPI's root pointer is has to be said. */
static char *kexec_firmware_args(void)
{
	autofree char *tables = host_read("/sys/firmware/efi/systab");
	autofree char *newer = tables ? setting_get(tables, "ACPI20") : NULL;
	autofree char *older = tables ? setting_get(tables, "ACPI") : NULL;

	return newer || older ? xasprintf(" acpi_rsdp=%s", newer ? newer : older) : xstrdup("");
}

static int try_by_kexec(const struct boot_args *a, struct error *e)
{
	autofree char *firmware = kexec_firmware_args();
	autofree char *line = xasprintf("--command-line=%s%s", a->hypervisor, firmware);
	autofree char *module1 =
		xasprintf("--module=/boot/vmlinuz-%s %s", a->plain.version, a->domain0);
	autofree char *module2 = xasprintf("--module=/boot/initrd.img-%s", a->plain.version);
	int rc;

	/* Debian's kexec unpacks nothing. */
	if (host_run(e, "sh", "-c", "gzip -dc " PONCHO_IMAGE " >" PONCHO_UNPACKED, NULL))
		return -1;
	rc = host_run(e, "kexec", "--load", "--type=multiboot2-x86", PONCHO_UNPACKED, line, module1,
		      module2, NULL);
	(void)host_write(PONCHO_UNPACKED, NULL, 0, NULL);
	return rc;
}

int poncho_try(const struct options *o, struct error *e)
{
	autofree char *config = host_read(GRUB_CONFIG), *settings = host_read(PONCHO_SETTINGS);
	struct boot_args a = {0};
	long seconds = seconds_of(o, settings);
	int rc;

	if (host_is_domain0())
		return error_set(e, ERROR_CONFLICT, "this is domain 0 already");
	if (!o->force && checks_fail(o->kexec ? "boot grub-env" : ""))
		return error_set(
			e, ERROR_UNSUPPORTED,
			"Poncho cannot be tried on this machine as it is; nothing was changed");
	if (!config || args_make(&a, config, o, e)) {
		args_free(&a);
		return config ? -1 : error_set(e, ERROR_NOT_FOUND, "there is no " GRUB_CONFIG);
	}
	rc = poncho_state_begin(o->kexec ? "kexec" : "grub", e);
	if (!rc)
		rc = o->kexec ? try_by_kexec(&a, e) : try_by_grub(&a, e);
	if (rc)
		(void)host_write(PONCHO_STATE, NULL, 0, NULL);
	args_free(&a);
	if (rc)
		return -1;
	printf("The next boot is Poncho's, with Linux as domain 0. If it is not healthy within %ld s of its start, the machine reboots into plain Linux.\n",
	       seconds);
	if (o->no_reboot)
		return 0;
	return host_run(e, "systemctl", o->kexec ? "kexec" : "reboot", NULL);
}

/* --- enable, disable --- */

bool poncho_is_enabled(void)
{
	autofree char *entry = host_link("%s", grub_links[0].link),
		      *standard = host_link("%s", grub_links[1].link);

	return entry || standard;
}

/* That we have made GRUB's folder is noted, so that it goes with us. */
#define MADE_FOLDER PONCHO_FOLDER "/made-grub.d"

static int links_remove(struct error *e)
{
	autofree char *folder = host_path("/etc/default/grub.d");

	for (size_t i = 0; i < sizeof(grub_links) / sizeof(grub_links[0]); i++)
		if (host_write(grub_links[i].link, NULL, 0, e))
			return -1;
	if (host_has(MADE_FOLDER) && !rmdir(folder))
		return host_write(MADE_FOLDER, NULL, 0, e);
	return 0;
}

static int links_make(struct error *e)
{
	autofree char *folder = host_path("/etc/default/grub.d"), *ours = host_path(PONCHO_FOLDER);

	if (!mkdir(folder, 0755) &&
	    (folder_make(ours, 0755, e) || host_write(MADE_FOLDER, "\n", 0644, e)))
		return -1;
	for (size_t i = 0; i < sizeof(grub_links) / sizeof(grub_links[0]); i++) {
		autofree char *link = host_path("%s", grub_links[i].link);

		if (symlink(grub_links[i].to, link) && errno != EEXIST)
			return error_errno(e, ERROR_NONE, errno, "%s", link);
	}
	return 0;
}

static int grub_update(struct error *e)
{
	return host_run(e, "grub-mkconfig", "-o", GRUB_CONFIG, NULL);
}

/* The new configuration must have the entry, or the default would point nowhere. */
static int enable_grub(struct error *e)
{
	autofree char *config = NULL;

	if (links_make(e) || grub_update(e))
		return -1;
	config = host_read(GRUB_CONFIG);
	if (!config || !strstr(config, "--id " GRUB_ENABLED_ID " {"))
		return error_set(e, ERROR_FAILED, "update-grub has made no entry for Poncho");
	return 0;
}

int poncho_enable(const struct options *o, struct error *e)
{
	autofree char *config = host_path(GRUB_CONFIG), *old = NULL;

	if (!o->force && !poncho_tried_well()) {
		error_set(e, ERROR_CONFLICT, "Poncho has not yet booted well on this machine");
		return error_hint(e, "`poncho try` first; --force does without");
	}
	if (!o->force && !host_is_domain0() && checks_fail(""))
		return error_set(
			e, ERROR_UNSUPPORTED,
			"Poncho cannot be enabled on this machine as it is; nothing was changed");
	old = file_read(config, 4 << 20, NULL, e);
	if (!old)
		return -1;
	if (enable_grub(e)) {
		(void)links_remove(NULL);
		(void)host_write(GRUB_CONFIG, old, 0600, NULL);
		(void)host_write(GRUB_CONFIG ".new", NULL, 0, NULL);
		return -1;
	}
	printf("Poncho is the default from the next boot on. A boot that does not get healthy is followed by one of plain Linux.\n");
	return 0;
}

int poncho_disable(const struct options *o, struct error *e)
{
	autofree char *env = host_output("grub-editenv", GRUB_ENV, "list", NULL);

	if (host_write(PONCHO_STATE, NULL, 0, e) || poncho_try_clear(e))
		return -1;
	if (!poncho_is_enabled())
		return 0;
	if (links_remove(e) || grub_update(e))
		return -1;
	/* Set by our entry, for the case that this boot fails. */
	if (env && host_is_domain0() && strstr(env, "next_entry=gnulinux"))
		(void)host_run(NULL, "grub-editenv", GRUB_ENV, "unset", "next_entry", NULL);
	printf("The next boot is plain Linux.\n");
	return 0;
}

/* Reads what 10_linux has printed, from standard input. */
int poncho_grub_entry(const struct options *o, struct error *e)
{
	autofree char *config = file_read("/dev/stdin", 4 << 20, NULL, e), *entry = NULL;
	struct boot_args a = {0};

	if (config && !args_make(&a, config, o, e)) {
		entry = grub_entry(&a.plain, false, strrchr(PONCHO_IMAGE, '/') + 1, a.hypervisor,
				   a.domain0);
		fputs(entry, stdout);
	}
	args_free(&a);
	return entry ? 0 : -1;
}
