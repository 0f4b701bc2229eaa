/* SPDX-License-Identifier: MIT */
/*
 * MSI and MSI-X (PCI Local Bus 3.0, 6.8; message format: SDM vol. 3, 11.11). Each device that uses
 * one of them has a struct msi_device, with a struct msi_desc for each of its interrupts.
 *
 * Invariant: what stands in a device's message registers is what its descriptors say: a vector that
 * belongs to the descriptor's irq, on the CPU the irq is at. Locks: msi_lock for the list and the
 * descriptors' life; irq_desc.lock for the registers of one interrupt. Order: event_lock, msi_lock,
 * irq_desc.lock, pci_lock.
 *
 * The MSI-X table stays mapped in domain 0, which could write it. It owns the device and, without
 * an IOMMU, all of memory through it anyway; a guest that is given a device by it is another
 * matter, and must not get the table's page.
 */
#include "x86/msi.h"
#include "acpi/acpi.h"
#include "drivers/pci.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "lib/log.h"
#include "mm/heap.h"
#include "x86/asm.h"

#define MSI_CONTROL	   2
#define MSI_ADDRESS	   4
#define MSI_ENABLE	   0x0001
#define MSI_CAPABLE(c)	   (1u << ((c) >> 1 & 7))
#define MSI_MULTIPLE	   0x0070
#define MSI_MULTIPLE_SHIFT 4
#define MSI_64BIT	   0x0080
#define MSI_MASKABLE	   0x0100
#define MSIX_TABLE	   4
#define MSIX_ENABLE	   0x8000
#define MSIX_MASK_ALL	   0x4000
#define MSIX_SIZE(c)	   (((c)&0x7ff) + 1)
#define MSIX_ENTRY_SIZE	   16
#define MSIX_ENTRY_MASK	   12
#define MSI_ADDRESS_BASE   0xfee00000u

struct msi_device {
	struct list link; /* (L: msi_lock) */
	struct pci_addr addr;
	bool msix, maskable, addr64, gone;
	unsigned int cap;
	unsigned int nr_used, nr_entries; /* MSI-X: of the table; MSI: messages in use */
	volatile uint8_t *table;	  /* MSI-X: mapped whole */
	uint32_t mask_bits;		  /* MSI: what the mask register holds */
};

static struct list devices = LIST_INIT(devices);
static spinlock_t msi_lock;

static struct msi_device *device_find(struct pci_addr a, bool msix)
{
	struct msi_device *dev;

	list_for_each (dev, &devices, link)
		if (dev->addr.segment == a.segment && dev->addr.bus == a.bus &&
		    dev->addr.devfn == a.devfn && dev->msix == msix && !dev->gone)
			return dev;
	return NULL;
}

/* --- registers of one interrupt --- */

static unsigned int msi_data_reg(const struct msi_device *dev)
{
	return dev->cap + (dev->addr64 ? 12 : 8);
}

void msi_mask(struct msi_desc *msi, bool masked)
{
	struct msi_device *dev = msi->dev;
	uint32_t bits;

	if (dev->gone)
		return;
	if (dev->msix) {
		mmio_write32(msi->table + MSIX_ENTRY_MASK, masked);
		mmio_read32(msi->table +
			    MSIX_ENTRY_MASK); /* it is at the device when this returns */
		return;
	}
	if (!dev->maskable)
		return;
	bits = masked ? dev->mask_bits | 1u << msi->entry : dev->mask_bits & ~(1u << msi->entry);
	dev->mask_bits = bits;
	pci_write(dev->addr, msi_data_reg(dev) + 4, 4, bits);
}

/*
 * Vectors are the same on all CPUs: a move changes the address's low half only, one write that no
 * message can split.
 */
void msi_write_message(struct msi_desc *msi)
{
	const struct irq_desc *desc = irq_to_desc(msi->irq);
	uint32_t address = MSI_ADDRESS_BASE | (cpu_apic_id[desc->cpu] & 0xff) << 12;
	struct msi_device *dev = msi->dev;

	if (dev->gone)
		return;
	if (dev->msix) {
		mmio_write32(msi->table + 0, address);
		mmio_write32(msi->table + 4, 0);
		mmio_write32(msi->table + 8, desc->vector);
	} else if (!msi->entry) { /* the device counts the others up from the first */
		pci_write(dev->addr, dev->cap + MSI_ADDRESS, 4, address);
		if (dev->addr64)
			pci_write(dev->addr, dev->cap + MSI_ADDRESS + 4, 4, 0);
		pci_write(dev->addr, msi_data_reg(dev), 2, desc->vector);
	}
}

static void control_set(const struct msi_device *dev, uint32_t clear, uint32_t set)
{
	uint32_t control = pci_read(dev->addr, dev->cap + MSI_CONTROL, 2);

	pci_write(dev->addr, dev->cap + MSI_CONTROL, 2, (control & ~clear) | set);
}

static void device_enable(const struct msi_device *dev)
{
	if (dev->msix)
		control_set(dev, 0, MSIX_ENABLE);
	else
		control_set(dev, MSI_MULTIPLE,
			    MSI_ENABLE | fls64(dev->nr_entries) << MSI_MULTIPLE_SHIFT);
}

/* --- devices --- */

static void device_put(struct msi_device *dev)
{
	if (dev->nr_used)
		return;
	list_del(&dev->link);
	if (dev->table)
		iounmap((void *)dev->table, (size_t)dev->nr_entries * MSIX_ENTRY_SIZE);
	kfree(dev);
}

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

static int msix_probe(struct msi_device *dev, uint32_t control, paddr_t claimed)
{
	size_t size = MSIX_SIZE(control) * MSIX_ENTRY_SIZE;
	paddr_t pa;

	if (!(pci_read(dev->addr, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return -ENXIO;
	pa = table_address(dev, claimed);
	if (!pa || mfn_valid(pa >> PAGE_SHIFT) || mfn_valid((pa + size - 1) >> PAGE_SHIFT))
		return -EINVAL;
	dev->table = ioremap(pa, size);
	if (!dev->table)
		return -ENOMEM;
	dev->nr_entries = MSIX_SIZE(control);
	dev->maskable = true;
	return 0;
}

static int msi_probe(struct msi_device *dev, uint32_t control, unsigned int nr)
{
	if (nr > MSI_CAPABLE(control))
		return -EINVAL;
	dev->nr_entries = nr;
	dev->addr64 = control & MSI_64BIT;
	dev->maskable = control & MSI_MASKABLE;
	dev->mask_bits = ~0u;
	return 0;
}

static int device_create(const struct msi_request *rq, struct msi_device **out)
{
	struct pci_addr a = {rq->segment, rq->bus, rq->devfn};
	unsigned int cap = pci_find_capability(a, rq->msix ? PCI_CAP_MSIX : PCI_CAP_MSI);
	struct msi_device *dev;
	uint32_t control;
	int rc;

	if (!cap)
		return -ENODEV;
	dev = knew(struct msi_device);
	if (!dev)
		return -ENOMEM;
	dev->addr = a;
	dev->cap = cap;
	dev->msix = rq->msix;
	list_init(&dev->link);
	control = pci_read(a, cap + MSI_CONTROL, 2);
	rc = rq->msix ? msix_probe(dev, control, rq->table_base) : msi_probe(dev, control, rq->nr);
	if (rc) {
		kfree(dev);
		return rc;
	}
	list_add_tail(&dev->link, &devices);
	*out = dev;
	return 0;
}

static bool msix_entry_used(const struct msi_device *dev, unsigned int entry)
{
	for (unsigned int irq = nr_gsis; irq < nr_irqs; irq++) {
		const struct msi_desc *msi = irq_to_desc(irq)->msi;

		if (msi && msi->dev == dev && msi->entry == entry)
			return true;
	}
	return false;
}

/* The device is known and takes the request; msi_lock held. */
static int device_get(const struct msi_request *rq, struct msi_device **out)
{
	struct pci_addr a = {rq->segment, rq->bus, rq->devfn};
	int rc = 0;

	if (device_find(a, !rq->msix)) /* a device uses one of the two at a time */
		return -EBUSY;
	*out = device_find(a, rq->msix);
	if (!*out)
		rc = device_create(rq, out);
	else if (!rq->msix || msix_entry_used(*out, rq->entry))
		return -EEXIST;
	if (!rc && rq->msix && rq->entry >= (*out)->nr_entries) {
		device_put(*out);
		return -EINVAL;
	}
	return rc;
}

static void desc_attach(struct msi_device *dev, struct msi_desc *msi, unsigned int irq,
			unsigned int entry)
{
	struct irq_desc *desc = irq_to_desc(irq);

	msi->dev = dev;
	msi->irq = irq;
	msi->entry = entry;
	msi->table = dev->msix ? dev->table + entry * MSIX_ENTRY_SIZE : NULL;
	dev->nr_used++;
	spin_lock(&desc->lock);
	desc->msi = msi;
	msi_mask(msi, true);
	msi_write_message(msi);
	spin_unlock(&desc->lock);
}

static int descs_alloc(struct msi_desc **descs, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		descs[i] = knew(struct msi_desc);
		if (!descs[i]) {
			while (i--)
				kfree(descs[i]);
			return -ENOMEM;
		}
	}
	return irq_alloc_msi(nr);
}

int msi_setup(const struct msi_request *rq)
{
	unsigned int nr = rq->msix ? 1 : rq->nr;
	struct msi_desc *descs[32];
	struct msi_device *dev;
	int irq, rc;

	if (acpi_info.no_msi)
		return -ENODEV;
	if (!nr || nr > ARRAY_SIZE(descs) || (nr & (nr - 1)))
		return -EINVAL;
	spin_lock(&msi_lock);
	rc = device_get(rq, &dev);
	irq = rc ? rc : descs_alloc(descs, nr);
	if (!rc && irq < 0) {
		if (irq != -ENOMEM)
			for (unsigned int i = 0; i < nr; i++)
				kfree(descs[i]);
		device_put(dev);
	}
	for (unsigned int i = 0; irq >= 0 && i < nr; i++)
		desc_attach(dev, descs[i], (unsigned int)irq + i, rq->msix ? rq->entry : i);
	if (irq >= 0)
		device_enable(dev);
	spin_unlock(&msi_lock);
	return irq;
}

void msi_teardown(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);
	struct msi_device *dev;
	struct msi_desc *msi;

	spin_lock(&msi_lock);
	spin_lock(&desc->lock);
	msi = desc->msi;
	dev = msi->dev;
	msi_mask(msi, true);
	desc->msi = NULL;
	spin_unlock(&desc->lock);
	irq_free_msi(irq);
	kfree(msi);
	dev->nr_used--;
	if (!dev->nr_used && !dev->gone && !dev->msix)
		control_set(dev, MSI_ENABLE, 0);
	device_put(dev);
	spin_unlock(&msi_lock);
}

static void device_restore(struct msi_device *dev)
{
	for (unsigned int irq = nr_gsis; irq < nr_irqs; irq++) {
		struct irq_desc *desc = irq_to_desc(irq);

		spin_lock(&desc->lock);
		if (desc->msi && desc->msi->dev == dev) {
			msi_write_message(desc->msi);
			msi_mask(desc->msi, !desc->nr_guests);
		}
		spin_unlock(&desc->lock);
	}
	device_enable(dev);
}

int msi_restore(uint16_t segment, uint8_t bus, uint8_t devfn)
{
	struct pci_addr a = {segment, bus, devfn};
	struct msi_device *dev;

	if (!pci_device_present(a))
		return -ENODEV;
	spin_lock(&msi_lock);
	for (int msix = 0; msix < 2; msix++) {
		dev = device_find(a, msix);
		if (dev)
			device_restore(dev);
	}
	spin_unlock(&msi_lock);
	return 0;
}

/*
 * Its interrupts stay mapped until their domain unmaps them; the registers are not touched any
 * more.
 */
void msi_device_removed(uint16_t segment, uint8_t bus, uint8_t devfn)
{
	struct pci_addr a = {segment, bus, devfn};
	struct msi_device *dev;

	spin_lock(&msi_lock);
	for (int msix = 0; msix < 2; msix++) {
		dev = device_find(a, msix);
		if (dev)
			dev->gone = true;
	}
	spin_unlock(&msi_lock);
}
