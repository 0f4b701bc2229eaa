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
	for (unsigned int i = 0; hc->d->pirq && i < hc->d->pirq->nr; i++)
		if (pirq_port(hc->d, i))
			pirq_eoi(hc->d, i);
	return 0;
}

/*
 * A guest that looks only here must always say EOI; one that gave a page for it (pirq_eoi_gmfn)
 * learns it exactly there.
 */
static int op_irq_status_query(struct hc *hc, void *arg)
{
	struct physdev_irq_status_query *q = arg;

	if (!pirq_entry(hc->d, q->irq))
		return -EINVAL;
	q->flags = XENIRQSTAT_needs_eoi;
	if (pirq_is_shared(hc->d, q->irq))
		q->flags |= XENIRQSTAT_shared;
	return 0;
}

static int op_set_iopl(struct hc *hc, void *arg)
{
	const struct physdev_set_iopl *op = arg;

	if (op->iopl > 3)
		return -EINVAL;
	current->pv.iopl = (uint8_t)op->iopl;
	return 0;
}

static int op_set_iobitmap(struct hc *hc, void *arg)
{
	const struct physdev_set_iobitmap *op = arg;

	if (op->nr_ports > 65536 || !guest_handle_okay(op->bitmap, IOBITMAP_BYTES))
		return -EINVAL;
	current->pv.iobmp_guest = (unsigned long)op->bitmap.p;
	current->pv.iobmp_limit = op->nr_ports;
	return 0;
}

static int op_apic_read(struct hc *hc, void *arg)
{
	struct physdev_apic *op = arg;

	return ioapic_guest_read(op->apic_physbase, op->reg, &op->value);
}

static int op_apic_write(struct hc *hc, void *arg)
{
	const struct physdev_apic *op = arg;

	return ioapic_guest_write(op->apic_physbase, op->reg, op->value);
}

/*
 * Vectors are the hypervisor's own matter: any number will do for the guest, which writes it into
 * an entry we do not take it from.
 */
static int op_alloc_irq_vector(struct hc *hc, void *arg)
{
	struct physdev_irq *op = arg;

	op->vector = op->irq;
	return 0;
}

static int op_eoi(struct hc *hc, void *arg)
{
	const struct physdev_eoi *op = arg;

	return pirq_eoi(hc->d, op->irq);
}

/* --- mapping --- */

static int map_msi(struct hc *hc, struct physdev_map_pirq *op)
{
	bool multi = op->type == MAP_PIRQ_TYPE_MULTI_MSI;
	struct msi_request rq = {
		.bus = (uint8_t)op->bus,
		.devfn = (uint8_t)op->devfn,
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
		rq.segment = (uint16_t)(op->bus >> 16);
	return pirq_map_msi(hc->target, &rq, &op->pirq);
}

static int op_map_pirq(struct hc *hc, void *arg)
{
	struct physdev_map_pirq *op = arg;

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

static int op_unmap_pirq(struct hc *hc, void *arg)
{
	const struct physdev_unmap_pirq *op = arg;

	return pirq_unmap(hc->target, op->pirq);
}

static int op_get_free_pirq(struct hc *hc, void *arg)
{
	struct physdev_get_free_pirq *op = arg;
	int pirq = pirq_get_free(hc->d, op->type == MAP_PIRQ_TYPE_GSI);

	if (pirq < 0)
		return pirq;
	op->pirq = (uint32_t)pirq;
	return 0;
}

static int op_setup_gsi(struct hc *hc, void *arg)
{
	const struct physdev_setup_gsi *op = arg;

	if (op->gsi < 0 || (unsigned int)op->gsi >= nr_gsis)
		return -EINVAL;
	if (!hc->d->is_privileged)
		return -EPERM;
	return irq_setup_gsi((unsigned int)op->gsi, op->triggering, op->polarity);
}

static int op_eoi_gmfn_v1(struct hc *hc, void *arg)
{
	const struct physdev_pirq_eoi_gmfn *op = arg;

	return pirq_set_eoi_map(hc->d, op->gmfn, true);
}

static int op_eoi_gmfn_v2(struct hc *hc, void *arg)
{
	const struct physdev_pirq_eoi_gmfn *op = arg;

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

static int op_manage_pci_add(struct hc *hc, void *arg)
{
	const struct physdev_manage_pci *op = arg;

	return device_added(0, op->bus, op->devfn, false);
}

static int op_manage_pci_remove(struct hc *hc, void *arg)
{
	const struct physdev_manage_pci *op = arg;

	msi_device_removed(0, op->bus, op->devfn);
	return 0;
}

static int op_manage_pci_add_ext(struct hc *hc, void *arg)
{
	const struct physdev_manage_pci_ext *op = arg;

	if (op->is_extfn > 1 || op->is_virtfn > 1)
		return -EINVAL;
	return device_added(0, op->bus, op->devfn, op->is_virtfn);
}

static int op_pci_device_add(struct hc *hc, void *arg)
{
	const struct physdev_pci_device_add *op = arg;

	return device_added(op->seg, op->bus, op->devfn, op->flags & XEN_PCI_DEV_VIRTFN);
}

static int op_pci_device_remove(struct hc *hc, void *arg)
{
	const struct physdev_pci_device *op = arg;

	msi_device_removed(op->seg, op->bus, op->devfn);
	return 0;
}

static int op_restore_msi(struct hc *hc, void *arg)
{
	const struct physdev_restore_msi *op = arg;

	return msi_restore(0, op->bus, op->devfn);
}

static int op_restore_msi_ext(struct hc *hc, void *arg)
{
	const struct physdev_pci_device *op = arg;

	return msi_restore(op->seg, op->bus, op->devfn);
}

/*
 * Before and after a device with MSI-X is lent to another domain: there is nothing to keep ready
 * here.
 */
static int op_msix_owner(struct hc *hc, void *arg)
{
	const struct physdev_pci_device *op = arg;
	struct pci_addr a = {op->seg, op->bus, op->devfn};

	return pci_find_capability(a, PCI_CAP_MSIX) ? 0 : -ENODEV;
}

static int op_pci_mmcfg_reserved(struct hc *hc, void *arg)
{
	const struct physdev_pci_mmcfg_reserved *op = arg;

	return pci_mmcfg_reported(op->address, op->segment, op->start_bus, op->end_bus,
				  op->flags & XEN_PCI_MMCFG_RESERVED);
}

/* We use no USB debug port, so there is none to get out of the way. */
static int op_dbgp(struct hc *hc, void *arg)
{
	return 0;
}

static const struct subop physdev_ops[] = {
	SUBOP_0(PHYSDEVOP_IRQ_UNMASK_NOTIFY, WHO_ANY, op_unmask_notify),
	SUBOP(PHYSDEVOP_irq_status_query, struct physdev_irq_status_query, DIR_INOUT, WHO_ANY,
	      op_irq_status_query),
	SUBOP(PHYSDEVOP_set_iopl, struct physdev_set_iopl, DIR_IN, WHO_ANY, op_set_iopl),
	SUBOP(PHYSDEVOP_set_iobitmap, struct physdev_set_iobitmap, DIR_IN, WHO_ANY,
	      op_set_iobitmap),
	SUBOP(PHYSDEVOP_apic_read, struct physdev_apic, DIR_INOUT, WHO_PRIV, op_apic_read),
	SUBOP(PHYSDEVOP_apic_write, struct physdev_apic, DIR_IN, WHO_PRIV, op_apic_write),
	SUBOP(PHYSDEVOP_alloc_irq_vector, struct physdev_irq, DIR_INOUT, WHO_PRIV,
	      op_alloc_irq_vector),
	SUBOP_REFUSED(PHYSDEVOP_free_irq_vector, "vectors are the hypervisor's own"),
	SUBOP(PHYSDEVOP_eoi, struct physdev_eoi, DIR_IN, WHO_ANY, op_eoi),
	SUBOP_T(PHYSDEVOP_map_pirq, struct physdev_map_pirq, DIR_INOUT, domid, WHO_CONTROL,
		op_map_pirq),
	SUBOP_T(PHYSDEVOP_unmap_pirq, struct physdev_unmap_pirq, DIR_IN, domid, WHO_CONTROL,
		op_unmap_pirq),
	SUBOP(PHYSDEVOP_manage_pci_add, struct physdev_manage_pci, DIR_IN, WHO_PRIV,
	      op_manage_pci_add),
	SUBOP(PHYSDEVOP_manage_pci_remove, struct physdev_manage_pci, DIR_IN, WHO_PRIV,
	      op_manage_pci_remove),
	SUBOP(PHYSDEVOP_pirq_eoi_gmfn_v1, struct physdev_pirq_eoi_gmfn, DIR_IN, WHO_ANY,
	      op_eoi_gmfn_v1),
	SUBOP(PHYSDEVOP_restore_msi, struct physdev_restore_msi, DIR_IN, WHO_PRIV, op_restore_msi),
	SUBOP(PHYSDEVOP_manage_pci_add_ext, struct physdev_manage_pci_ext, DIR_IN, WHO_PRIV,
	      op_manage_pci_add_ext),
	SUBOP(PHYSDEVOP_setup_gsi, struct physdev_setup_gsi, DIR_IN, WHO_ANY, op_setup_gsi),
	SUBOP(PHYSDEVOP_get_free_pirq, struct physdev_get_free_pirq, DIR_INOUT, WHO_ANY,
	      op_get_free_pirq),
	SUBOP(PHYSDEVOP_pci_mmcfg_reserved, struct physdev_pci_mmcfg_reserved, DIR_IN,
	      WHO_PRIV_FIRST, op_pci_mmcfg_reserved),
	SUBOP(PHYSDEVOP_pci_device_add, struct physdev_pci_device_add, DIR_IN, WHO_PRIV,
	      op_pci_device_add),
	SUBOP(PHYSDEVOP_pci_device_remove, struct physdev_pci_device, DIR_IN, WHO_PRIV,
	      op_pci_device_remove),
	SUBOP(PHYSDEVOP_restore_msi_ext, struct physdev_pci_device, DIR_IN, WHO_PRIV,
	      op_restore_msi_ext),
	SUBOP(PHYSDEVOP_pirq_eoi_gmfn_v2, struct physdev_pirq_eoi_gmfn, DIR_IN, WHO_ANY,
	      op_eoi_gmfn_v2),
	SUBOP(PHYSDEVOP_dbgp_op, struct physdev_dbgp_op, DIR_IN, WHO_HARDWARE, op_dbgp),
	SUBOP(PHYSDEVOP_prepare_msix, struct physdev_pci_device, DIR_IN, WHO_PRIV, op_msix_owner),
	SUBOP(PHYSDEVOP_release_msix, struct physdev_pci_device, DIR_IN, WHO_PRIV, op_msix_owner),
};

static const struct subop_family physdev_family = {
	.name = "physdev_op",
	.ops = physdev_ops,
	.nr_ops = ARRAY_SIZE(physdev_ops),
	.unknown = -ENOSYS,
};

HYPERCALL_FN(physdev_op)
{
	return sub_call(&physdev_family, (uint32_t)a1, a2);
}

/* The form of Xen 3.0.2 and before: number and argument in one structure. */
HYPERCALL_FN(physdev_op_compat)
{
	uint32_t cmd;

	if (!get_guest_u32(&cmd, a1))
		return -EFAULT;
	switch (cmd) {
	case PHYSDEVOP_IRQ_UNMASK_NOTIFY:
	case PHYSDEVOP_irq_status_query:
	case PHYSDEVOP_set_iopl:
	case PHYSDEVOP_set_iobitmap:
	case PHYSDEVOP_apic_read:
	case PHYSDEVOP_apic_write:
	case PHYSDEVOP_alloc_irq_vector:
		return sub_call(&physdev_family, cmd, a1 + offsetof(struct physdev_op, u));
	default:
		return -ENOSYS;
	}
}
