/* SPDX-License-Identifier: MIT */
/*
 * MSI and MSI-X (PCI Local Bus 3.0, 6.8; message format: SDM vol. 3, 11.11). Each device that has
 * used one of them has a struct msi_device, which lasts, as does the mapping of its MSI-X table; the
 * irq_desc of each of its interrupts points there.
 *
 * Invariant: what stands in a device's message registers is what the irq_descs say: their vectors,
 * on the CPUs they are at. Locks: msi_lock for the list and for who uses what; irq_desc.lock for the
 * registers of one interrupt. Order: event_lock, msi_lock, irq_desc.lock, pci_lock.
 *
 * The MSI-X table stays mapped in domain 0, which could write it. It owns the device and, without
 * an IOMMU, all of memory through it anyway; a guest that is given a device by it is another
 * matter, and must not get the table's page.
 */
#include "x86/msi.h"
#include "acpi/acpi.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/asm.h"

#define MSI_CONTROL	2
#define MSI_ADDRESS	4
#define MSI_ENABLE	0x0001
#define MSI_CAPABLE(c)	(1u << ((c) >> 1 & 7))
#define MSI_MULTIPLE	0x0070
#define MSI_64BIT	0x0080
#define MSI_MASKABLE	0x0100
#define MSIX_TABLE	4
#define MSIX_ENABLE	0x8000
#define MSIX_SIZE(c)	(((c)&0x7ff) + 1)
#define MSIX_ENTRY_SIZE 16
#define MSIX_ENTRY_MASK 12

struct msi_device {
	struct list link; /* (L: msi_lock) */
	struct pci_addr addr;
	bool msix, maskable, addr64, gone;
	unsigned int cap;
	unsigned int nr_used, nr_entries; /* MSI-X: of the table; MSI: messages in use */
	volatile uint8_t *table;	  /* MSI-X: mapped whole */
	paddr_t table_pa;
	size_t table_size;
	uint32_t mask_bits; /* MSI: what the mask register holds */
};

static struct list devices = LIST_INIT(devices);
static spinlock_t msi_lock;

static struct msi_device *device_find(struct pci_addr a)
{
	struct msi_device *dev;

	list_for_each (dev, &devices, link)
		if (!memcmp(&dev->addr, &a, sizeof(a)) && !dev->gone)
			return dev;
	return NULL;
}

/* --- registers of one interrupt --- */

static unsigned int msi_data_reg(const struct msi_device *dev)
{
	return dev->cap + (dev->addr64 ? 12 : 8);
}

static volatile uint8_t *msix_entry(const struct irq_desc *desc)
{
	return desc->msi->table + desc->msi_entry * MSIX_ENTRY_SIZE;
}

void msi_write_mask(struct irq_desc *desc)
{
	struct msi_device *dev = desc->msi;
	uint32_t bit = 1u << (desc->msi_entry & 31);

	if (dev->gone || !dev->maskable)
		return;
	if (dev->msix) {
		mmio_write32(msix_entry(desc) + MSIX_ENTRY_MASK, desc->masked);
		/* It is at the device when this returns. */
		mmio_read32(msix_entry(desc) + MSIX_ENTRY_MASK);
		return;
	}
	dev->mask_bits = desc->masked ? dev->mask_bits | bit : dev->mask_bits & ~bit;
	pci_write(dev->addr, msi_data_reg(dev) + 4, 4, dev->mask_bits);
}

/*
 * Vectors are the same on all CPUs: a move changes the address's low half only, one write that no
 * message can split.
 */
void msi_write_message(struct irq_desc *desc)
{
	uint32_t address = 0xfee00000 | (cpu_apic_id[desc->cpu] & 0xff) << 12;
	struct msi_device *dev = desc->msi;

	if (dev->gone)
		return;
	if (dev->msix) {
		mmio_write32(msix_entry(desc) + 0, address);
		mmio_write32(msix_entry(desc) + 4, 0);
		mmio_write32(msix_entry(desc) + 8, desc->vector);
	} else if (!desc->msi_entry) { /* the device counts the others up from the first */
		pci_write(dev->addr, dev->cap + MSI_ADDRESS, 4, address);
		if (dev->addr64)
			pci_write(dev->addr, dev->cap + MSI_ADDRESS + 4, 4, 0);
		pci_write(dev->addr, msi_data_reg(dev), 2, desc->vector);
	}
}

/* As many messages as are in use; MSI-X stays on. */
static void device_enable(const struct msi_device *dev, bool on)
{
	uint32_t control = pci_read(dev->addr, dev->cap + MSI_CONTROL, 2);

	if (dev->msix)
		control |= MSIX_ENABLE;
	else
		control &= ~(MSI_ENABLE | MSI_MULTIPLE);
	if (!dev->msix && on)
		control |= MSI_ENABLE | fls64(dev->nr_entries) << 4;
	pci_write(dev->addr, dev->cap + MSI_CONTROL, 2, control);
}

/* --- devices --- */

/*
 * Where the table is: by the device's own register, or as domain 0 says where that is empty
 * (virtual functions).
 */
static paddr_t table_address(const struct msi_device *dev, paddr_t claimed)
{
	uint32_t table = pci_read(dev->addr, dev->cap + MSIX_TABLE, 4);
	unsigned int reg = PCI_BAR0 + 4 * (table & 7);
	uint32_t bar;
	paddr_t base;

	if ((table & 7) > 5)
		return 0;
	bar = pci_read(dev->addr, reg, 4);
	base = bar & 0xfffffff0;
	if ((bar & 6) == 4 && (table & 7) < 5)
		base |= (paddr_t)pci_read(dev->addr, reg + 4, 4) << 32;
	if (!base || (bar & 1))
		base = claimed;
	return base ? base + (table & ~7u) : 0;
}

/* A table that has moved is mapped anew: address space for it is not short. */
static int msix_probe(struct msi_device *dev, uint32_t control, paddr_t claimed)
{
	size_t size = MSIX_SIZE(control) * MSIX_ENTRY_SIZE;
	paddr_t pa;

	if (!(pci_read(dev->addr, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return -ENXIO;
	pa = table_address(dev, claimed);
	if (!pa || mfn_valid(pa >> PAGE_SHIFT) || mfn_valid((pa + size - 1) >> PAGE_SHIFT))
		return -EINVAL;
	if (pa != dev->table_pa || size != dev->table_size) {
		dev->table = ioremap(pa, size);
		dev->table_pa = dev->table ? pa : 0;
		dev->table_size = size;
	}
	dev->nr_entries = MSIX_SIZE(control);
	dev->maskable = true;
	return dev->table ? 0 : -ENOMEM;
}

/* Nothing of the device is in use: what it is asked for says what it is to be. */
static int device_probe(struct msi_device *dev, const struct msi_request *rq, unsigned int cap)
{
	uint32_t control = pci_read(dev->addr, cap + MSI_CONTROL, 2);

	dev->cap = cap;
	dev->msix = rq->msix;
	if (rq->msix)
		return msix_probe(dev, control, rq->table_base);
	if (rq->nr > MSI_CAPABLE(control))
		return -EINVAL;
	dev->nr_entries = rq->nr;
	dev->addr64 = control & MSI_64BIT;
	dev->maskable = control & MSI_MASKABLE;
	dev->mask_bits = ~0u;
	return 0;
}

static int device_create(const struct msi_request *rq, struct msi_device **out)
{
	unsigned int cap = pci_find_capability(rq->addr, rq->msix ? PCI_CAP_MSIX : PCI_CAP_MSI);

	if (!cap)
		return -ENODEV;
	if (!*out) {
		*out = knew(struct msi_device);
		if (!*out)
			return -ENOMEM;
		(*out)->addr = rq->addr;
		list_add_tail(&(*out)->link, &devices);
	}
	return device_probe(*out, rq, cap);
}

static bool msix_entry_used(const struct msi_device *dev, unsigned int entry)
{
	for (unsigned int irq = MAX_GSIS; irq < NR_IRQS; irq++)
		if (irq_descs[irq].msi == dev && irq_descs[irq].msi_entry == entry)
			return true;
	return false;
}

/* The device is known and takes the request; msi_lock held. */
static int device_get(const struct msi_request *rq, struct msi_device **out)
{
	int rc = 0;

	*out = device_find(rq->addr);
	if (!*out || !(*out)->nr_used)
		rc = device_create(rq, out);
	else if ((*out)->msix != rq->msix) /* a device uses one of the two at a time */
		rc = -EBUSY;
	else if (!rq->msix || msix_entry_used(*out, rq->entry))
		rc = -EEXIST;
	return !rc && rq->msix && rq->entry >= (*out)->nr_entries ? -EINVAL : rc;
}

static void desc_attach(struct msi_device *dev, struct irq_desc *desc, unsigned int entry)
{
	spin_lock(&desc->lock);
	desc->msi_entry = entry;
	desc->msi = dev;
	desc->masked = true;
	msi_write_mask(desc);
	msi_write_message(desc);
	spin_unlock(&desc->lock);
	dev->nr_used++;
}

int msi_setup(const struct msi_request *rq)
{
	struct msi_device *dev;
	int irq;

	if (acpi_info.no_msi)
		return -ENODEV;
	if (!rq->nr || rq->nr > 32 || (rq->nr & (rq->nr - 1)))
		return -EINVAL;
	spin_lock(&msi_lock);
	irq = device_get(rq, &dev);
	if (!irq)
		irq = irq_alloc_msi(rq->nr);
	for (unsigned int i = 0; irq > 0 && i < rq->nr; i++)
		desc_attach(dev, &irq_descs[irq + i], rq->msix ? rq->entry : i);
	if (irq > 0)
		device_enable(dev, true);
	spin_unlock(&msi_lock);
	return irq;
}

void msi_teardown(struct irq_desc *desc)
{
	struct msi_device *dev = desc->msi;

	spin_lock(&msi_lock);
	spin_lock(&desc->lock);
	irq_set_masked(desc, true);
	desc->msi = NULL;
	spin_unlock(&desc->lock);
	irq_free_msi(desc);
	dev->nr_used--;
	if (!dev->nr_used && dev->gone) {
		list_del(&dev->link);
		kfree(dev);
	} else if (!dev->nr_used) {
		device_enable(dev, false);
	}
	spin_unlock(&msi_lock);
}

int msi_restore(struct pci_addr addr)
{
	struct msi_device *dev;

	if (!pci_device_present(addr))
		return -ENODEV;
	spin_lock(&msi_lock);
	dev = device_find(addr);
	for (struct irq_desc *desc = irq_descs + MAX_GSIS; dev && desc < irq_descs + NR_IRQS;
	     desc++) {
		spin_lock(&desc->lock);
		if (desc->msi == dev) {
			msi_write_message(desc);
			msi_write_mask(desc);
		}
		spin_unlock(&desc->lock);
	}
	if (dev && dev->nr_used)
		device_enable(dev, true);
	spin_unlock(&msi_lock);
	return 0;
}

/*
 * Its interrupts stay mapped until their domain unmaps them; the registers are not touched any
 * more.
 */
void msi_device_removed(struct pci_addr addr)
{
	struct msi_device *dev;

	spin_lock(&msi_lock);
	dev = device_find(addr);
	if (dev && dev->nr_used)
		dev->gone = true;
	spin_unlock(&msi_lock);
}
