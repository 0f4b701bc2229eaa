/* SPDX-License-Identifier: MIT */
/*
 * A new domain's nodes in xenstore: the same as libxl 4.17 writes, so that guests and Debian's tools find what they look for. Folders
 * are the toolstack's and the guest may read them; a few nodes in them are the guest's own.
 */
#include "lib/base/text.h"
#include "lib/builder/builder.h"
#include "lib/device/device.h"
#include "lib/store/store.h"
#include "xend/node_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

struct writing {
	const struct domain *d;
	const struct builder_result *built;
	char *dom, *vm, *libxl; /* paths */
};

/* What the guest may write, empty at first. */
static const char *const guests_own[] = {
	"device/suspend/event-channel",
	"control/shutdown",
	"control/feature-poweroff",
	"control/feature-reboot",
	"control/feature-suspend",
	"control/sysrq",
	"data",
	"drivers",
	"feature",
	"attr",
	"error",
};

static void put_owned(struct store *s, const char *folder, const char *name, const char *perms)
{
	char *path = name ? xasprintf("%s/%s", folder, name) : xstrdup(folder);

	store_put_folder(s, path);
	store_put_permissions(s, path, perms);
	free(path);
}

static void put_folders(struct store *s, const struct writing *w)
{
	char readable[32], owned[16];

	snprintf(readable, sizeof(readable), "n0,r%u", w->d->id);
	snprintf(owned, sizeof(owned), "n%u", w->d->id);
	store_put_removed(s, w->dom);
	store_put_removed(s, w->libxl);
	put_owned(s, w->dom, NULL, readable);
	put_owned(s, w->vm, NULL, readable);
	put_owned(s, w->libxl, NULL, "n0");
	put_owned(s, w->libxl, "device", "n0");
	for (size_t i = 0; i < sizeof(guests_own) / sizeof(guests_own[0]); i++)
		put_owned(s, w->dom, guests_own[i], owned);
}

static void put_domain(struct store *s, const struct writing *w)
{
	const struct domain_config *c = w->d->config;

	store_put(s, w->dom, "vm", "%s", w->vm);
	store_put(s, w->dom, "name", "%s", w->d->name);
	store_put(s, w->dom, "domid", "%u", w->d->id);
	store_put(s, w->dom, "control/platform-feature-multiprocessor-suspend", "1");
	store_put(s, w->dom, "control/platform-feature-xs_reset_watches", "1");
	store_put(s, w->dom, "memory/static-max", "%llu", (unsigned long long)c->max_memory_kb);
	store_put(s, w->dom, "memory/target", "%llu", (unsigned long long)c->memory_kb);
	store_put(s, w->dom, "memory/videoram", "0");
	store_put(s, w->dom, "store/port", "%u", w->built->store_port);
	store_put(s, w->dom, "store/ring-ref", "%lu", (unsigned long)w->built->store_mfn);
	for (long i = 0; i < c->max_vcpus; i++) {
		char name[48];

		snprintf(name, sizeof(name), "cpu/%ld/availability", i);
		store_put(s, w->dom, name, i < c->vcpus ? "online" : "offline");
	}
}

static void put_machine(struct store *s, const struct writing *w)
{
	const struct domain_config *c = w->d->config;
	char *cmdline = config_cmdline(c);
	struct timeval now;

	gettimeofday(&now, NULL);
	store_put(s, w->vm, "uuid", "%s", w->d->uuid);
	store_put(s, w->vm, "name", "%s", w->d->name);
	store_put(s, w->vm, "image/ostype", "linux");
	store_put(s, w->vm, "image/kernel", "%s", c->kernel);
	if (c->ramdisk)
		store_put(s, w->vm, "image/ramdisk", "%s", c->ramdisk);
	store_put(s, w->vm, "image/cmdline", "%s", cmdline);
	store_put(s, w->vm, "start_time", "%lld.%02d", (long long)now.tv_sec,
		  (int)(now.tv_usec / 10000));
	store_put(s, w->libxl, "type", "pv");
	free(cmdline);
}

static int put_all(struct store *s, void *arg, struct error *e)
{
	const struct writing *w = arg;

	put_folders(s, w);
	put_domain(s, w);
	put_machine(s, w);
	device_put_console(s, w->d->id, w->built->console_port, w->built->console_mfn);
	return 0;
}

int create_write_nodes(struct node *n, const struct domain *d, const struct builder_result *built,
		       struct error *e)
{
	struct writing w = {.d = d, .built = built};
	int rc;

	w.dom = domain_path(d->id, "");
	w.vm = xasprintf("/vm/%s", d->uuid);
	w.libxl = xasprintf("/libxl/%u", d->id);
	rc = store_transaction(n->store, put_all, &w, e);
	if (!rc)
		rc = store_introduce(n->store, d->id, built->store_mfn, built->store_port, e);
	free(w.dom);
	free(w.vm);
	free(w.libxl);
	return rc;
}
