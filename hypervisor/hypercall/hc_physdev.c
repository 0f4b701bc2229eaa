/* SPDX-License-Identifier: MIT */
/*
 * physdev_op: interrupts and devices for the domains that drive hardware: mapping, binding's EOI,
 * MSI, the IO-APIC's wiring, I/O privilege. The work is done by x86/pirq*.c, x86/msi.c,
 * x86/ioapic.c and drivers/pci.c; here arguments become calls.
 *
 * Takes no lock of its own.
 */
#include "drivers/pci.h"
#include "hypercall/dispatch.h"
#include "x86/irq.h"
#include "x86/pirq.h"
#include <xen/physdev.h>

#define IOBITMAP_BYTES 8192

static int op_unmask_notify(struct hc *hc, void *arg)
{
	for (unsigned int i = 0; i < hc->d->pirq->nr; i++)
		if (pirq_port(hc->d, i))
			pirq_eoi(hc->d, i);
	return 0;
}

/*
 * A guest that looks only here must always say EOI; one that gave a page for it (pirq_eoi_gmfn)
 * learns it exactly there.
 */
static SUBOP_HANDLER(op_irq_status_query, struct physdev_irq_status_query *q)
{
	if (!pirq_entry(hc->d, q->irq))
		return -EINVAL;
	q->flags = XENIRQSTAT_needs_eoi;
	if (pirq_is_shared(hc->d, q->irq))
		q->flags |= XENIRQSTAT_shared;
	return 0;
}

static SUBOP_HANDLER(op_set_iopl, const struct physdev_set_iopl *op)
{
	if (op->iopl > 3)
		return -EINVAL;
	current->pv.iopl = (uint8_t)op->iopl;
	return 0;
}

static SUBOP_HANDLER(op_set_iobitmap, const struct physdev_set_iobitmap *op)
{
	if (op->nr_ports > 65536 || !guest_handle_okay(op->bitmap, IOBITMAP_BYTES))
		return -EINVAL;
	current->pv.iobmp_guest = (unsigned long)op->bitmap.p;
	current->pv.iobmp_limit = op->nr_ports;
	return 0;
}

static SUBOP_HANDLER(op_apic_read, struct physdev_apic *op)
{
	return ioapic_guest_read(op->apic_physbase, op->reg, &op->value);
}

static SUBOP_HANDLER(op_apic_write, const struct physdev_apic *op)
{
	return ioapic_guest_write(op->apic_physbase, op->reg, op->value);
}

/*
 * Vectors are the hypervisor's own matter: any number will do for the guest, which writes it into
 * an entry we do not take it from.
 */
static SUBOP_HANDLER(op_alloc_irq_vector, struct physdev_irq *op)
{
	op->vector = op->irq;
	return 0;
}

static SUBOP_HANDLER(op_eoi, const struct physdev_eoi *op)
{
	return pirq_eoi(hc->d, op->irq);
}

/* --- mapping --- */

static int map_msi(struct hc *hc, struct physdev_map_pirq *op)
{
	bool multi = op->type == MAP_PIRQ_TYPE_MULTI_MSI;
	struct msi_request rq = {
		.addr = {0, (uint8_t)op->bus, (uint8_t)op->devfn},
		.msix = op->table_base != 0,
		.entry = (unsigned int)op->entry_nr,
		.nr = multi ? (unsigned int)op->entry_nr : 1,
		.table_base = op->table_base,
	};

	/* No list says which device is whose: only who owns them all may name one. */
	if (!hc->d->is_privileged)
		return -EPERM;
	if (multi && op->table_base)
		return -EINVAL;
	if (multi && (op->entry_nr < 1 || op->entry_nr > 32))
		return -EDOM;
	if (op->type != MAP_PIRQ_TYPE_MSI)
		rq.addr.segment = (uint16_t)(op->bus >> 16);
	return pirq_map_msi(hc->target, &rq, &op->pirq);
}

static SUBOP_HANDLER(op_map_pirq, struct physdev_map_pirq *op)
{
	hc->copy_out = true;
	switch (op->type) {
	case MAP_PIRQ_TYPE_GSI:
		return pirq_map_gsi(hc->target, op->index, &op->pirq);
	case MAP_PIRQ_TYPE_MSI:
	case MAP_PIRQ_TYPE_MSI_SEG:
	case MAP_PIRQ_TYPE_MULTI_MSI:
		return map_msi(hc, op);
	default:
		return -EINVAL;
	}
}

static SUBOP_HANDLER(op_unmap_pirq, const struct physdev_unmap_pirq *op)
{
	return pirq_unmap(hc->target, op->pirq);
}

static SUBOP_HANDLER(op_get_free_pirq, struct physdev_get_free_pirq *op)
{
	int pirq = pirq_get_free(hc->d, op->type == MAP_PIRQ_TYPE_GSI);

	if (pirq < 0)
		return pirq;
	op->pirq = (uint32_t)pirq;
	return 0;
}

static SUBOP_HANDLER(op_setup_gsi, const struct physdev_setup_gsi *op)
{
	if (op->gsi < 0 || (unsigned int)op->gsi >= nr_gsis)
		return -EINVAL;
	if (!hc->d->is_privileged)
		return -EPERM;
	return irq_setup_gsi((unsigned int)op->gsi, op->triggering, op->polarity);
}

static SUBOP_HANDLER(op_pirq_eoi_gmfn_v1, const struct physdev_pirq_eoi_gmfn *op)
{
	return pirq_set_eoi_map(hc->d, op->gmfn, true);
}

static SUBOP_HANDLER(op_pirq_eoi_gmfn_v2, const struct physdev_pirq_eoi_gmfn *op)
{
	return pirq_set_eoi_map(hc->d, op->gmfn, false);
}

/*
 * --- devices: no list is kept, as nothing but their MSI capabilities concerns the hypervisor ---
 */

static int device_added(uint16_t segment, uint8_t bus, uint8_t devfn, bool virtfn)
{
	struct pci_addr a = {segment, bus, devfn};

	/* Virtual functions have no vendor id of their own. */
	return virtfn || pci_device_present(a) ? 0 : -ENODEV;
}

static SUBOP_HANDLER(op_manage_pci_add, const struct physdev_manage_pci *op)
{
	return device_added(0, op->bus, op->devfn, false);
}

static SUBOP_HANDLER(op_manage_pci_remove, const struct physdev_manage_pci *op)
{
	msi_device_removed((struct pci_addr){0, op->bus, op->devfn});
	return 0;
}

static SUBOP_HANDLER(op_manage_pci_add_ext, const struct physdev_manage_pci_ext *op)
{
	if (op->is_extfn > 1 || op->is_virtfn > 1)
		return -EINVAL;
	return device_added(0, op->bus, op->devfn, op->is_virtfn);
}

static SUBOP_HANDLER(op_pci_device_add, const struct physdev_pci_device_add *op)
{
	return device_added(op->seg, op->bus, op->devfn, op->flags & XEN_PCI_DEV_VIRTFN);
}

static SUBOP_HANDLER(op_pci_device_remove, const struct physdev_pci_device *op)
{
	msi_device_removed((struct pci_addr){op->seg, op->bus, op->devfn});
	return 0;
}

static SUBOP_HANDLER(op_restore_msi, const struct physdev_restore_msi *op)
{
	return msi_restore((struct pci_addr){0, op->bus, op->devfn});
}

static SUBOP_HANDLER(op_restore_msi_ext, const struct physdev_pci_device *op)
{
	return msi_restore((struct pci_addr){op->seg, op->bus, op->devfn});
}

/*
 * Before and after a device with MSI-X is lent to another domain: there is nothing to keep ready
 * here.
 */
static SUBOP_HANDLER(op_msix_owner, const struct physdev_pci_device *op)
{
	struct pci_addr a = {op->seg, op->bus, op->devfn};

	return pci_find_capability(a, PCI_CAP_MSIX) ? 0 : -ENODEV;
}

static SUBOP_HANDLER(op_pci_mmcfg_reserved, const struct physdev_pci_mmcfg_reserved *op)
{
	return pci_mmcfg_reported(op->address, op->segment, op->start_bus, op->end_bus,
				  op->flags & XEN_PCI_MMCFG_RESERVED);
}

#define PHYSDEV(c, type, d, w) SUBOP(PHYSDEVOP_##c, type, d, w, op_##c)
static const struct subop physdev_ops[] = {
	SUBOP_0(PHYSDEVOP_IRQ_UNMASK_NOTIFY, WHO_ANY, op_unmask_notify),
	PHYSDEV(irq_status_query, struct physdev_irq_status_query, DIR_INOUT, WHO_ANY),
	PHYSDEV(set_iopl, struct physdev_set_iopl, DIR_IN, WHO_ANY),
	PHYSDEV(set_iobitmap, struct physdev_set_iobitmap, DIR_IN, WHO_ANY),
	PHYSDEV(apic_read, struct physdev_apic, DIR_INOUT, WHO_PRIV),
	PHYSDEV(apic_write, struct physdev_apic, DIR_IN, WHO_PRIV),
	PHYSDEV(alloc_irq_vector, struct physdev_irq, DIR_INOUT, WHO_PRIV),
	SUBOP_REFUSED(PHYSDEVOP_free_irq_vector, "vectors are the hypervisor's own"),
	PHYSDEV(eoi, struct physdev_eoi, DIR_IN, WHO_ANY),
	SUBOP_T(PHYSDEVOP_map_pirq, struct physdev_map_pirq, DIR_INOUT, domid, WHO_CONTROL,
		op_map_pirq),
	SUBOP_T(PHYSDEVOP_unmap_pirq, struct physdev_unmap_pirq, DIR_IN, domid, WHO_CONTROL,
		op_unmap_pirq),
	PHYSDEV(manage_pci_add, struct physdev_manage_pci, DIR_IN, WHO_PRIV),
	PHYSDEV(manage_pci_remove, struct physdev_manage_pci, DIR_IN, WHO_PRIV),
	PHYSDEV(pirq_eoi_gmfn_v1, struct physdev_pirq_eoi_gmfn, DIR_IN, WHO_ANY),
	PHYSDEV(restore_msi, struct physdev_restore_msi, DIR_IN, WHO_PRIV),
	PHYSDEV(manage_pci_add_ext, struct physdev_manage_pci_ext, DIR_IN, WHO_PRIV),
	PHYSDEV(setup_gsi, struct physdev_setup_gsi, DIR_IN, WHO_ANY),
	PHYSDEV(get_free_pirq, struct physdev_get_free_pirq, DIR_INOUT, WHO_ANY),
	PHYSDEV(pci_mmcfg_reserved, struct physdev_pci_mmcfg_reserved, DIR_IN, WHO_PRIV_FIRST),
	PHYSDEV(pci_device_add, struct physdev_pci_device_add, DIR_IN, WHO_PRIV),
	PHYSDEV(pci_device_remove, struct physdev_pci_device, DIR_IN, WHO_PRIV),
	PHYSDEV(restore_msi_ext, struct physdev_pci_device, DIR_IN, WHO_PRIV),
	PHYSDEV(pirq_eoi_gmfn_v2, struct physdev_pirq_eoi_gmfn, DIR_IN, WHO_ANY),
	/* We use no USB debug port, so there is none to get out of the way. */
	SUBOP(PHYSDEVOP_dbgp_op, struct physdev_dbgp_op, DIR_IN, WHO_HARDWARE, answer_zero),
	SUBOP(PHYSDEVOP_prepare_msix, struct physdev_pci_device, DIR_IN, WHO_PRIV, op_msix_owner),
	SUBOP(PHYSDEVOP_release_msix, struct physdev_pci_device, DIR_IN, WHO_PRIV, op_msix_owner),
};

HYPERCALL_FN(physdev_op)
{
	return sub_call(physdev_ops, (uint32_t)a1, a2);
}

/* The form of Xen 3.0.2 and before: number and argument in one structure, and only the first operations. */
HYPERCALL_FN(physdev_op_compat)
{
	uint32_t cmd;

	if (!get_guest_u32(&cmd, a1))
		return -EFAULT;
	if (cmd > PHYSDEVOP_alloc_irq_vector)
		return -ENOSYS;
	return sub_call(physdev_ops, cmd, a1 + offsetof(struct physdev_op, u));
}
