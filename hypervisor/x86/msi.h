/* SPDX-License-Identifier: MIT */
/*
 * Message-signalled interrupts of PCI devices (PCI 3.0, 6.8). The hypervisor alone writes messages
 * and mask bits; domain 0 turns a device's MSI on and off as a whole. x86/msi.c owns the
 * descriptors.
 *
 * Lock: msi_lock guards the list of devices; the registers of one interrupt are written under its
 * irq_desc.lock.
 */
#ifndef X86_MSI_H
#define X86_MSI_H

#include "drivers/pci.h"
#include "x86/irq.h"

/* Which interrupt of which device is wanted. */
struct msi_request {
	struct pci_addr addr;
	bool msix;
	unsigned int entry; /* MSI-X only */
	unsigned int nr;    /* how many consecutive ones (a power of two); MSI-X: 1 */
	paddr_t table_base; /* what domain 0 holds for the BAR with the table */
};

/* Allocates irqs and vectors and programs the device, masked. Returns the first irq or -errno. */
int msi_setup(const struct msi_request *rq) __must_check;
/* Undo for one irq: masks it, forgets the message, gives vector and irq back. */
void msi_teardown(struct irq_desc *desc);
/* What @desc says goes into the device's registers: desc->masked; desc->vector and desc->cpu. */
void msi_write_mask(struct irq_desc *desc);
void msi_write_message(struct irq_desc *desc);
/*
 * The device came out of a reset or a sleep: write all it had again. -ENODEV if there is none such.
 */
int msi_restore(struct pci_addr addr);
/* The device is gone, or its MSI-X is handed to another driver domain. */
void msi_device_removed(struct pci_addr addr);

#endif
