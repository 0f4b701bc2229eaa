/* SPDX-License-Identifier: MIT */
/*
 * A new domain's nodes in xenstore: the same as libxl 4.17 writes, so that guests and Debian's tools find what they look for. Folders
 * are the toolstack's and the guest may read them; a few nodes in them are the guest's own.
 */
#include "lib/builder/builder.h"
#include "xend/node_private.h"

#include <sys/time.h>

struct writing {
	const struct domain *d;
	const struct builder_result *built;
	const char *dom, *vm, *libxl; /* paths */
};

/* What the guest may write, empty at first. */
static const char *const guests_own[] = {
	"/device/suspend/event-channel",
	"/control/shutdown",
	"/control/feature-poweroff",
	"/control/feature-reboot",
	"/control/feature-suspend",
	"/control/sysrq",
	"/data",
	"/drivers",
	"/feature",
	"/attr",
	"/error",
};

/* The folder @folder/@name, and whose it is. */
static void put_owned(struct store *s, const char *folder, const char *name, const char *perms)
{
	autofree char *path = xasprintf("%s%s", folder, name);

	store_put_folder(s, path);
	store_put_permissions(s, path, perms);
}

static void put_folders(struct store *s, const struct writing *w)
{
	autofree char *readable = xasprintf("n0,r%u", w->d->id);
	autofree char *owned = xasprintf("n%u", w->d->id);

	store_put_removed(s, w->dom);
	store_put_removed(s, w->libxl);
	put_owned(s, w->dom, "", readable);
	put_owned(s, w->vm, "", readable);
	put_owned(s, w->libxl, "", "n0");
	put_owned(s, w->libxl, "/device", "n0");
	for (size_t i = 0; i < sizeof(guests_own) / sizeof(guests_own[0]); i++)
		put_owned(s, w->dom, guests_own[i], owned);
}

void store_put_cpus(struct store *s, const char *dom, unsigned int online, unsigned int all)
{
	for (unsigned int i = 0; i < all; i++) {
		autofree char *name = xasprintf("cpu/%u/availability", i);

		store_put(s, dom, name, i < online ? "online" : "offline");
	}
}

static int put_all(struct store *s, void *arg, struct error *e)
{
	const struct writing *w = arg;
	const struct domain_config *c = w->d->config;
	autofree char *cmdline = config_cmdline(c);
	struct timeval now;

	put_folders(s, w);
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
	store_put_cpus(s, w->dom, (unsigned int)c->vcpus, (unsigned int)c->max_vcpus);

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
	device_put_console(s, w->d->id, w->built->console_port, w->built->console_mfn);
	for (size_t i = 0; i < c->nr_vfbs; i++)
		device_put_vfb(s, w->d->id, (long)i, &c->vfbs[i]);
	return 0;
}

int create_write_nodes(struct node *n, const struct domain *d, const struct builder_result *built,
		       struct error *e)
{
	autofree char *dom = domain_path(d->id, ""), *vm = xasprintf("/vm/%s", d->uuid);
	autofree char *libxl = xasprintf("/libxl/%u", d->id);
	struct writing w = {d, built, dom, vm, libxl};

	if (store_transaction(n->store, put_all, &w, e))
		return -1;
	return store_introduce(n->store, d->id, built->store_mfn, built->store_port, e);
}
