// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The emulated devices and the wishes of the outer toolstack.
 *
 * An HVM guest's disks and interfaces are there twice: emulated and PV. Both at once is ruin for a disk, so a PV disk that an
 * emulated controller may offer too is left alone unless the emulated ones were unplugged. They are unplugged (by the protocol at
 * I/O port 0x10, hvm-emulated-unplug) only where the module's parameter asks for it and while the root is still the initramfs:
 * later they may carry file systems. Their drivers are unbound first.
 *
 * control/shutdown of the outer store asks for an orderly end or a reboot of the machine.
 */
#define pr_fmt(fmt) "poncho-blanket: " fmt
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/magic.h>
#include <linux/path.h>
#include <linux/pci.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <xen/platform_pci.h>
#include <xen/interface/io/blkif.h>
#include "blanket.h"

static char *unplug = "";
module_param(unplug, charp, 0444);
MODULE_PARM_DESC(unplug,
		 "emulated devices to unplug, in the initramfs only: disks, nics, all (none)");
static bool twins;
module_param(twins, bool, 0444);
MODULE_PARM_DESC(twins,
		 "use PV disks whose emulated twins are still there and, so you say, unused (off)");

static bool disks_unplugged;

static bool root_is_initramfs(void)
{
	struct path root;
	unsigned long magic;

	get_fs_root(current->fs, &root);
	magic = root.dentry->d_sb->s_magic;
	path_put(&root);
	return magic == RAMFS_MAGIC || magic == TMPFS_MAGIC;
}

/* May we unplug? The device model can refuse drivers by product number; ours is none it knows. */
static bool unplug_offered(void)
{
	if (inw(XEN_IOPORT_MAGIC) != XEN_IOPORT_MAGIC_VAL)
		return false;
	if (inb(XEN_IOPORT_PROTOVER) >= 1) {
		outw(XEN_IOPORT_LINUX_PRODNUM, XEN_IOPORT_PRODNUM);
		outl(XEN_IOPORT_LINUX_DRVVER, XEN_IOPORT_DRVVER);
	}
	return inw(XEN_IOPORT_MAGIC) == XEN_IOPORT_MAGIC_VAL;
}

static struct pci_dev *pci_next_of_class(unsigned int class, struct pci_dev *from)
{
	while ((from = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, from)))
		if (from->class >> 8 == class)
			break;
	return from;
}

static void disks_unplug(void)
{
	struct pci_dev *dev = NULL;

	while ((dev = pci_next_of_class(PCI_CLASS_STORAGE_IDE, dev))) {
		device_release_driver(&dev->dev);
		pci_save_state(dev);
	}
	outw(XEN_UNPLUG_ALL_IDE_DISKS, XEN_IOPORT_UNPLUG);
	disks_unplugged = true;
	/* A CD-ROM on it is still there, but the controller was reset: it has forgotten the ports of its DMA engine. */
	while ((dev = pci_next_of_class(PCI_CLASS_STORAGE_IDE, dev))) {
		pci_restore_state(dev);
		if (device_attach(&dev->dev) < 0)
			pr_warn("%s: its driver does not come back\n", pci_name(dev));
	}
}

static void nics_unplug(void)
{
	struct pci_dev *dev = NULL;

	while ((dev = pci_next_of_class(PCI_CLASS_NETWORK_ETHERNET, dev)))
		device_release_driver(&dev->dev);
	outw(XEN_UNPLUG_ALL_NICS, XEN_IOPORT_UNPLUG);
	while ((dev = pci_next_of_class(PCI_CLASS_NETWORK_ETHERNET, dev))) {
		if (pci_device_is_present(dev))
			continue; /* one passed through: its driver below */
		pci_stop_and_remove_bus_device_locked(dev);
		pci_dev_put(dev);
		dev = NULL;
	}
	while ((dev = pci_next_of_class(PCI_CLASS_NETWORK_ETHERNET, dev)))
		if (device_attach(&dev->dev) < 0)
			pr_warn("%s: its driver does not come back\n", pci_name(dev));
}

int unplug_init(void)
{
	bool disks = sysfs_streq(unplug, "disks") || sysfs_streq(unplug, "all");
	bool nics = sysfs_streq(unplug, "nics") || sysfs_streq(unplug, "all");

	if (!disks && !nics)
		return 0;
	if (!root_is_initramfs())
		pr_warn("nothing is unplugged: the root is no initramfs, emulated devices may be in use\n");
	else if (!unplug_offered())
		pr_warn("nothing is unplugged: the device model does not offer it\n");
	else {
		if (disks)
			disks_unplug();
		if (nics)
			nics_unplug();
	}
	return 0;
}

/* libxl and xend emulate the first four disks, whatever they are called, and up to sixteen that are called SCSI. */
static bool vdev_is_emulated(unsigned int vdev)
{
	unsigned int major = vdev >> 8;

	return major == XEN_IDE0_MAJOR || major == XEN_IDE1_MAJOR ||
	       major == XEN_SCSI_DISK0_MAJOR || (major == 202 && (vdev & 0xff) >> 4 < 4);
}

bool unplug_disk_has_twin(unsigned int vdev)
{
	static const unsigned int classes[] = {PCI_CLASS_STORAGE_IDE, PCI_CLASS_STORAGE_SATA,
					       PCI_CLASS_STORAGE_SCSI};
	struct pci_dev *dev = NULL;
	unsigned int i;

	if (twins || disks_unplugged || !vdev_is_emulated(vdev))
		return false;
	for (i = 0; i < ARRAY_SIZE(classes) && !dev; i++)
		dev = pci_next_of_class(classes[i], NULL);
	pci_dev_put(dev);
	return dev;
}

static void shutdown_asked(struct work_struct *work);
static struct store_watch shutdown_watch;

static void shutdown_asked(struct work_struct *work)
{
	char *how = store_read("control", "shutdown");

	if (IS_ERR(how))
		return;
	if (!strcmp(how, "poweroff") || !strcmp(how, "halt") || !strcmp(how, "reboot")) {
		pr_info("the outer toolstack asks for %s\n", how);
		store_write(0, "control", "shutdown", "%s", ""); /* heard */
		if (strcmp(how, "reboot"))
			orderly_poweroff(false);
		else
			orderly_reboot();
	} else if (*how) {
		pr_warn_ratelimited(
			"the outer toolstack asks for something else than poweroff and reboot: not done\n");
	}
	kfree(how);
}

int shutdown_init(void)
{
	int rc = store_watch(&shutdown_watch, "control/shutdown", shutdown_asked);

	if (rc) {
		pr_warn("no shutdown requests from outside: error %d\n", rc);
		return 0;
	}
	store_write(0, "control", "feature-poweroff", "1");
	store_write(0, "control", "feature-reboot", "1");
	return 0;
}

void shutdown_exit(void)
{
	store_unwatch(&shutdown_watch);
	store_rm(0, "control", "feature-poweroff");
	store_rm(0, "control", "feature-reboot");
	flush_workqueue(blanket_wq);
}
