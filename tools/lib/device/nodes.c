/* SPDX-License-Identifier: MIT */
/*
 * The nodes of each kind of device, with the names, values and permissions libxl 4.17 gives them, so that its programs find them: the
 * front end belongs to the domain, the back end to domain 0 and is read by the domain, /libxl repeats the back end for the tools.
 * Nodes inherit the permissions of the folder they are made in. Nothing here waits.
 */
#include "lib/device/internal.h"

#include "lib/base/file.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kinds[DEVICE_KINDS] = {
	[DEVICE_VBD] = "vbd", [DEVICE_VIF] = "vif",   [DEVICE_CONSOLE] = "console",
	[DEVICE_VFB] = "vfb", [DEVICE_VKBD] = "vkbd",
};

const char *device_kind_name(enum device_kind kind)
{
	return kinds[kind];
}

void nodes_init(struct nodes *p, uint32_t domid, enum device_kind kind, long devid)
{
	const char *name = kinds[kind];
	autofree char *device = xasprintf("device/%s/%ld", name, devid);
	autofree char *back = xasprintf("backend/%s/%u/%ld", name, domid, devid);

	*p = (struct nodes){.domid = domid, .kind = kind, .devid = devid};
	p->path[AT_FRONT] = xasprintf("/local/domain/%u/%s", domid,
				      kind == DEVICE_CONSOLE && !devid ? name : device);
	p->path[AT_BACK] = xasprintf("/local/domain/0/%s", back);
	p->path[AT_LIBXL] = xasprintf("/libxl/%u/%s", domid, device);
	p->path[AT_ERROR] = xasprintf("/local/domain/0/error/%s", back);
	p->path[AT_FRONT_ERROR] = xasprintf("/local/domain/%u/error/%s", domid, device);
	p->path[AT_STATE] = xasprintf("/local/domain/0/%s/state", back);
}

void nodes_free(struct nodes *p)
{
	store_values_free(p->path, AT_PATHS);
}

/* The same node of the back end and of /libxl; a value of NULL is none. */
static void put_back(struct store *s, const struct nodes *p, const char *name, const char *value)
{
	if (!value)
		return;
	store_put(s, p->path[AT_BACK], name, "%s", value);
	store_put(s, p->path[AT_LIBXL], name, "%s", value);
}

/* What every device begins with. @front_perms: of the front end's folder. */
static void put_common(struct store *s, const struct nodes *p, const char *front_perms)
{
	autofree char *domid = xasprintf("%u", p->domid);
	autofree char *back_perms = xasprintf("n0,r%u", p->domid);

	store_put_removed(s, p->path[AT_LIBXL]);
	store_put_removed(s, p->path[AT_ERROR]);
	store_put(s, p->path[AT_LIBXL], "frontend", "%s", p->path[AT_FRONT]);
	store_put(s, p->path[AT_LIBXL], "backend", "%s", p->path[AT_BACK]);
	store_put_folder(s, p->path[AT_FRONT]);
	store_put_permissions(s, p->path[AT_FRONT], front_perms);
	store_put(s, p->path[AT_FRONT], "backend", "%s", p->path[AT_BACK]);
	store_put(s, p->path[AT_FRONT], "backend-id", "0");
	store_put_folder(s, p->path[AT_BACK]);
	store_put_permissions(s, p->path[AT_BACK], back_perms);
	store_put(s, p->path[AT_BACK], "frontend", "%s", p->path[AT_FRONT]);
	put_back(s, p, "frontend-id", domid);
	put_back(s, p, "online", "1");
	put_back(s, p, "state", "1");
}

/* A device whose front end is the domain's. What an earlier one of the same number left goes first. */
static void put_device(struct store *s, const struct nodes *p)
{
	autofree char *perms = xasprintf("n%u,r0", p->domid);

	store_put_removed(s, p->path[AT_FRONT]);
	store_put_removed(s, p->path[AT_BACK]);
	put_common(s, p, perms);
	store_put(s, p->path[AT_FRONT], "state", "1");
}

static void put_script(const struct devices *ds, const struct nodes *p, const char *script)
{
	autofree char *path = xasprintf("%s/%s", ds->set.script_folder, script);

	put_back(ds->store, p, "script", strchr(script, '/') ? script : path);
}

void put_disk(const struct devices *ds, const struct nodes *p, const struct disk_config *disk)
{
	struct store *s = ds->store;
	const char *type = disk->cdrom ? "cdrom" : "disk";
	bool discard = disk->discard < 0 ? disk->readwrite : disk->discard;

	put_device(s, p);
	put_script(ds, p, disk->script ? disk->script : "block");
	put_back(s, p, "params", disk->target ? disk->target : "");
	put_back(s, p, "removable", disk->removable ? "1" : "0");
	put_back(s, p, "bootable", "1");
	put_back(s, p, "dev", disk->vdev);
	put_back(s, p, "type", "phy");
	/* the script understands the mark; readers of /libxl know but "w" and "r" */
	store_put(s, p->path[AT_BACK], "mode", "%s%s", disk->readwrite ? "w" : "r",
		  disk->force ? "!" : "");
	store_put(s, p->path[AT_LIBXL], "mode", "%s", disk->readwrite ? "w" : "r");
	put_back(s, p, "device-type", type);
	put_back(s, p, "direct-io-safe", disk->direct_io_safe ? "1" : NULL);
	put_back(s, p, "discard-enable", discard ? "1" : "0");
	put_back(s, p, "specification", "xen");
	store_put(s, p->path[AT_FRONT], "virtual-device", "%ld", p->devid);
	store_put(s, p->path[AT_FRONT], "device-type", "%s", type);
	store_put(s, p->path[AT_FRONT], "trusted", "%s", disk->trusted ? "1" : "0");
	store_put(s, p->path[AT_FRONT], "protocol", "x86_64-abi");
}

/* The MTU the guest is told: as configured, or its bridge's. */
static char *mtu_of(const struct devices *ds, const struct nic_config *nic, const char *bridge)
{
	autofree char *path = xasprintf("%s/class/net/%s/mtu", ds->set.sys, bridge);
	char *mtu = nic->mtu ? xasprintf("%ld", nic->mtu) : file_read(path, 16, NULL, NULL);

	if (!mtu)
		return xstrdup("1500");
	mtu[strcspn(mtu, "\n")] = '\0';
	return mtu;
}

void put_nic(const struct devices *ds, const struct nodes *p, const struct nic_config *nic)
{
	struct store *s = ds->store;
	const char *bridge = nic->bridge ? nic->bridge : ds->set.bridge;
	autofree char *mtu = mtu_of(ds, nic, bridge), *handle = xasprintf("%ld", p->devid);
	autofree char *mtu_node = xasprintf("%s/mtu", p->path[AT_FRONT]);
	autofree char *perms = xasprintf("n0,r%u", p->domid), *rate = NULL;

	if (nic->rate_interval_us)
		rate = xasprintf("%lu,%ld", (unsigned long)nic->rate_bytes_per_interval,
				 nic->rate_interval_us);
	put_device(s, p);
	put_script(ds, p, nic->script ? nic->script : ds->set.vif_script);
	put_back(s, p, "vifname", nic->ifname);
	put_back(s, p, "mac", nic->mac);
	put_back(s, p, "ip", nic->ip);
	put_back(s, p, "gatewaydev", nic->gatewaydev);
	put_back(s, p, "rate", rate);
	put_back(s, p, "mtu", nic->mtu ? mtu : NULL);
	put_back(s, p, "bridge", bridge);
	put_back(s, p, "handle", handle);
	put_back(s, p, "type", "vif");
	put_back(s, p, "hotplug-status", ""); /* the back end waits for the script's "connected" */
	store_put(s, p->path[AT_FRONT], "handle", "%s", handle);
	store_put(s, p->path[AT_FRONT], "mac", "%s", nic->mac);
	store_put(s, p->path[AT_FRONT], "trusted", "%s", nic->trusted ? "1" : "0");
	store_put(s, mtu_node, NULL, "%s", mtu);
	store_put_permissions(s, mtu_node, perms);
}

static void put_unserved(struct store *s, struct nodes *p, uint32_t domid, enum device_kind kind,
			 long devid)
{
	nodes_init(p, domid, kind, devid);
	put_device(s, p);
	store_put(s, p->path[AT_STATE], NULL, "%d", XenbusStateClosed);
}

void device_put_vfb(struct store *s, uint32_t domid, long devid, const struct vfb_config *vfb)
{
	autofree char *display = xasprintf("%ld", vfb->vnc_display > 0 ? vfb->vnc_display : 0);
	struct nodes p;

	put_unserved(s, &p, domid, DEVICE_VKBD, devid);
	nodes_free(&p);
	put_unserved(s, &p, domid, DEVICE_VFB, devid);
	put_back(s, &p, "vnc", vfb->vnc ? "1" : "0");
	put_back(s, &p, "vnclisten", vfb->vnc_listen ? vfb->vnc_listen : "127.0.0.1");
	put_back(s, &p, "vncpasswd", vfb->vnc_passwd);
	put_back(s, &p, "vncdisplay", display);
	put_back(s, &p, "vncunused", vfb->vnc && vfb->vnc_unused ? "1" : "0");
	put_back(s, &p, "sdl", vfb->sdl > 0 ? "1" : "0");
	put_back(s, &p, "opengl", vfb->opengl > 0 ? "1" : "0");
	put_back(s, &p, "xauthority", vfb->sdl_xauthority);
	put_back(s, &p, "display", vfb->sdl_display);
	nodes_free(&p);
}

void device_put_console(struct store *s, uint32_t domid, uint32_t port, unsigned long gfn)
{
	autofree char *own = xasprintf("n%u,r0", domid), *ours = xasprintf("n0,r%u", domid);
	autofree char *id = NULL;
	struct nodes p;

	nodes_init(&p, domid, DEVICE_CONSOLE, 0);
	id = xasprintf("%s/backend-id", p.path[AT_FRONT]);
	put_common(s, &p, ours);
	store_put_permissions(s, id, own);
	put_back(s, &p, "protocol", "vt100");
	store_put(s, p.path[AT_FRONT], "limit", "1048576");
	store_put(s, p.path[AT_FRONT], "type", "xenconsoled");
	store_put(s, p.path[AT_FRONT], "output", "pty");
	store_put(s, p.path[AT_FRONT], "tty", "%s", "");
	store_put(s, p.path[AT_FRONT], "port", "%u", port);
	store_put(s, p.path[AT_FRONT], "ring-ref", "%lu", gfn);
	nodes_free(&p);
}

/* --- What can be served --------------------------------------------------------------------------------- */

static int backend_check(const struct devices *ds, enum device_kind kind, const char *domain,
			 struct error *e)
{
	autofree char *bus = xasprintf("%s/bus/xen-backend", ds->set.sys);
	autofree char *driver = xasprintf("%s/drivers/%s", bus, kinds[kind]);

	if (domain && strcmp(domain, "0") && strcmp(domain, "Domain-0"))
		return error_set(e, ERROR_UNSUPPORTED,
				 "its back end cannot be in domain %s, only in domain 0", domain);
	if (access(bus, F_OK) || !access(driver, F_OK))
		return 0;
	error_set(e, ERROR_UNSUPPORTED, "domain 0's kernel has no driver for back ends of kind %s",
		  kinds[kind]);
	return error_hint(e, "modprobe %s", kind == DEVICE_VBD ? "xen-blkback" : "xen-netback");
}

static int target_check(const char *target, struct error *e)
{
	struct stat st;

	if (stat(target, &st))
		return error_errno(e, ERROR_NONE, errno, "%s", target);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return error_set(e, ERROR_CONFIG, "%s is neither a block device nor a file",
				 target);
	return 0;
}

int disk_servable(const struct devices *ds, const struct disk_config *disk, struct error *e)
{
	static const char *const formats[] = {
		[DISK_FORMAT_QCOW] = "qcow", [DISK_FORMAT_QCOW2] = "qcow2",
		[DISK_FORMAT_VHD] = "vhd",   [DISK_FORMAT_QED] = "qed",
		[DISK_FORMAT_EMPTY] = NULL,
	};
	const char *format = formats[disk->format];

	if (format) {
		error_set(e, ERROR_UNSUPPORTED,
			  "format %s needs a back end in user space, and there is none here yet",
			  format);
		return error_hint(e, "qemu-img convert -O raw makes a raw image of it");
	}
	if (disk->backend == DISK_BACKEND_STANDALONE)
		return error_set(e, ERROR_UNSUPPORTED,
				 "a standalone back end is of no use to PV guests");
	if (backend_check(ds, DEVICE_VBD, disk->backend_domain, e))
		return -1;
	if (disk->format == DISK_FORMAT_EMPTY || disk->script)
		return 0;
	return target_check(disk->target ? disk->target : "", e);
}

int nic_servable(const struct devices *ds, const struct nic_config *nic, struct error *e)
{
	return backend_check(ds, DEVICE_VIF, nic->backend_domain, e);
}

char *device_random_mac(void)
{
	unsigned char r[3];

	if (getrandom(r, sizeof(r), 0) < 0)
		abort();
	return xasprintf("00:16:3e:%02x:%02x:%02x", r[0] & 0x7f, r[1], r[2]);
}
