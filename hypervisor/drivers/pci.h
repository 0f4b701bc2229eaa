/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space: by ports 0xcf8/0xcfc (PCI 3.0, 3.2.2.3.2) and, for extended registers
 * and further segments, by memory (MMCONFIG, from ACPI's MCFG). Domain 0 owns the devices; the
 * hypervisor looks at MSI capabilities only.
 */
#ifndef DRIVERS_PCI_H
#define DRIVERS_PCI_H

#include "lib/types.h"

struct pci_addr {
	uint16_t segment;
	uint8_t bus, devfn;
};

#define PCI_VENDOR	   0x00
#define PCI_COMMAND	   0x04
#define PCI_COMMAND_MEMORY 0x2
#define PCI_STATUS	   0x06
#define PCI_STATUS_CAPS	   0x10
#define PCI_BAR0	   0x10
#define PCI_CAP_POINTER	   0x34
#define PCI_CAP_MSI	   0x05
#define PCI_CAP_MSIX	   0x11

void pci_init(void);
/*
 * @bytes 1, 2 or 4; @reg aligned to it. A register that cannot be reached reads as all ones, a
 * write to it is lost.
 */
uint32_t pci_read(struct pci_addr a, unsigned int reg, unsigned int bytes);
void pci_write(struct pci_addr a, unsigned int reg, unsigned int bytes, uint32_t v);
bool pci_device_present(struct pci_addr a);
/* Offset of the first capability with this id, 0 if there is none. */
unsigned int pci_find_capability(struct pci_addr a, uint8_t id);
/*
 * Is this (segment, base, buses) one of MCFG's ranges? Domain 0 reports what its AML says is
 * reserved for it.
 */
int pci_mmcfg_reported(uint64_t base, uint16_t segment, uint8_t first, uint8_t last, bool reserved);

/*
 * Domain 0's IN and OUT on ports 0xcf8-0xcff. The address port is a variable of its own, so that
 * its two-step accesses and ours do not mix. Called by the emulation of I/O instructions for the
 * hardware domain.
 */
uint32_t pci_guest_in(uint16_t port, unsigned int bytes);
void pci_guest_out(uint16_t port, unsigned int bytes, uint32_t v);

#endif
