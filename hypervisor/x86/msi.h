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

#include "x86/irq.h"

struct msi_device;

/* One vector of a device. */
struct msi_desc {
	struct msi_device *dev;
	unsigned int irq;
	unsigned int entry;	 /* MSI-X: index in the table; MSI: of the consecutive messages */
	volatile uint8_t *table; /* MSI-X: this entry, mapped; NULL for MSI */
};

/* Which interrupt of which device is wanted. */
struct msi_request {
	uint16_t segment;
	uint8_t bus, devfn;
	bool msix;
	unsigned int entry; /* MSI-X only */
	unsigned int nr;    /* MSI only: how many consecutive ones (a power of two) */
	paddr_t table_base; /* what domain 0 holds for the BAR with the table */
};

/* Allocates irqs and vectors and programs the device, masked. Returns the first irq or -errno. */
int msi_setup(const struct msi_request *rq) __must_check;
/* Undo for one irq: masks it, forgets the message, gives vector and irq back. */
void msi_teardown(unsigned int irq);
void msi_mask(struct msi_desc *msi, bool masked);
void msi_write_message(struct msi_desc *msi); /* after its irq moved to another CPU */
/*
 * The device came out of a reset or a sleep: write all it had again. -ENODEV if there is none such.
 */
int msi_restore(uint16_t segment, uint8_t bus, uint8_t devfn);
/* The device is gone, or its MSI-X is handed to another driver domain. */
void msi_device_removed(uint16_t segment, uint8_t bus, uint8_t devfn);

#endif
