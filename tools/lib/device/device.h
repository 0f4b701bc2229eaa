/* SPDX-License-Identifier: MIT */
/*
 * Paravirtual devices of domains: their nodes in xenstore (front end, back end in domain 0, /libxl, as libxl 4.17 writes them), the wait
 * for the back end's driver, and the hotplug scripts. Everything that takes time is an operation driven by the loop, and several run
 * beside each other; its completion callback is called exactly once, from the loop, never from the call that started it.
 *
 * Nothing is kept but the running operations: after a crash, device_destroy_all() and device_detach() on whatever nodes were left, also
 * half-made ones, end in nothing left. They, and the functions that write nodes, may be called again on what is done already.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/loop.h"
#include "lib/config/domain_config.h"
#include "lib/store/store.h"

enum device_kind { DEVICE_VBD, DEVICE_VIF, DEVICE_CONSOLE, DEVICE_VFB, DEVICE_VKBD, DEVICE_KINDS };

/* "vbd", "vif", "console", "vfb", "vkbd": the name in xenstore paths. */
const char *device_kind_name(enum device_kind kind);

/* What the operations need; zero or NULL means the default. */
struct device_settings {
	const char *script_folder; /* /etc/xen/scripts; a script named without a slash is there */
	const char *vif_script;	   /* "vif-bridge": xend-config.sxp's vif-script */
	const char *bridge;	   /* "xenbr0" */
	const char *log;	   /* /var/log/xen/xen-hotplug.log */
	const char *sys;	   /* "/sys" */
	const char *dev;	   /* "/dev" */
	unsigned int script_ms;	   /* 10,000: how long a script may run */
	unsigned int state_ms;	   /* 10,000: how long a back end may take to a state */
};

struct devices;
/* @settings' texts must outlive it. One a process; scripts' processes are awaited by pidfd, SIGCHLD is left alone. */
struct devices *devices_new(struct loop *loop, struct store *store,
			    const struct device_settings *settings);
/* Running operations are dropped without their callbacks, their scripts ended. */
void devices_free(struct devices *ds);

/* --- Operations ------------------------------------------------------------------------------------------------ */

struct device_op;
/* @e is NULL when all went well. The operation is gone afterwards. */
typedef void device_done(void *arg, const struct error *e);

/* Devices to attach; read during the call only. */
struct device_set {
	const struct disk_config *disks;
	const struct nic_config *nics;
	size_t nr_disks, nr_nics;
};

/*
 * Writes the nodes of all of @set in one transaction and runs the handshakes beside each other: back end to state 2, script, its answer.
 * The front ends connect in their own time. Refused at once (NULL, @e set, nothing written): what this system cannot serve (qcow2, a
 * back end in another domain), a target that is not there (disks without script=), a device that is there already, a disk
 * for domain 0 whose name is taken there. When one fails, the
 * others of this call are ended and removed too before the callback. The domain's folder /local/domain/N/device must exist or is made
 * with the domain's permissions. @name is for messages. Nics have their devid and mac (device_next_id(), device_random_mac()).
 */
struct device_op *device_attach(struct devices *ds, uint32_t domid, const char *name,
				const struct device_set *set, device_done *done, void *arg,
				struct error *e);

/*
 * Polite: asks the back end to close (state 5, online 0), waits for 6, runs the script's remove, removes the nodes; where the guest does
 * not let go in time it fails, says so, and the device stays. @force: takes the front end away first and removes the rest whatever
 * happens. NULL with ERROR_NOT_FOUND when there is no trace of such a device. Nothing else may be at it.
 */
struct device_op *device_detach(struct devices *ds, uint32_t domid, const char *name,
				enum device_kind kind, long devid, bool force, device_done *done,
				void *arg, struct error *e);

/*
 * For a domain that is dead, or whose making failed, with no other operation on its devices: forces every device found below /libxl/N, /local/domain/N/device and domain 0's back ends, runs the remove scripts, removes all these nodes.
 * The folders of all its devices are the caller's to remove. Only an unreachable xenstored is an error; scripts that fail are logged.
 */
struct device_op *device_destroy_all(struct devices *ds, uint32_t domid, const char *name,
				     device_done *done, void *arg);

/* Ends it as if it had failed with "cancelled": what it attached is removed, then the callback comes. Detaching is not interrupted. */
void device_cancel(struct device_op *op);

/* --- Nodes without a handshake ------------------------------------------------------------------------------ */

/* Queues the primary console's nodes (/local/domain/N/console and both others); to be called in the caller's transaction. */
void device_put_console(struct store *s, uint32_t domid, uint32_t port, unsigned long gfn);
/*
 * The same of a vfb and its vkbd. No program here serves them: their back ends say "closed" from the beginning, so that the guest's drivers
 * do not hold up its start by waiting for them.
 */
void device_put_vfb(struct store *s, uint32_t domid, long devid, const struct vfb_config *vfb);

/* --- Looking -------------------------------------------------------------------------------------------------- */

/* Texts are NULL and numbers -1 where the store has nothing. */
struct device_info {
	enum device_kind kind;
	long devid, backend_id;
	long handle; /* vif: its handle; others: 0 */
	long state;  /* of the front end, XenbusState 1..6: the "state" of xl's and xm's lists */
	long backend_state;
	long event_channel; /* as the lists print it: front end's event-channel (-1 for vifs that have two) */
	long ring_ref, tx_ring_ref, rx_ring_ref;
	char *frontend, *backend; /* paths */
	char *script, *type;
	char *error; /* hotplug-error, or xenbus' error node of back or front end */
	/* vbd */
	char *vdev, *target, *mode, *device_type;
	/* vif */
	char *mac, *bridge, *ip, *vifname, *rate, *mtu;
};

/* The devices of a kind of one domain in the order of their numbers; freed with device_list_free(). */
int device_list(struct store *s, uint32_t domid, enum device_kind kind, struct device_info **out,
		size_t *nr, struct error *e);
void device_list_free(struct device_info *list, size_t nr);
/* Why @d does not serve its guest, in words, owned by the caller; NULL when both ends are connected. */
char *device_trouble(const struct device_info *d);

/* The first number no device of the kind has. */
long device_next_id(struct store *s, uint32_t domid, enum device_kind kind);
/* "00:16:3e:xx:xx:xx" below xx = 80; the caller's. */
char *device_random_mac(void);
