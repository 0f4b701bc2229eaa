/* SPDX-License-Identifier: MIT */
/*
 * Access to PCI configuration space (see drivers/pci.h). Owns the port pair 0xcf8/0xcfc and the
 * mappings of MMCONFIG space, which are made a bus at a time, on first use.
 *
 * Lock: pci_lock, innermost, for the port pair and the table of mappings.
 */
#include "drivers/pci.h"
#include "acpi/acpi.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "x86/asm.h"
#include "x86/page.h"

#define CONF_ADDRESS 0xcf8
#define CONF_DATA    0xcfc
#define CONF_ENABLE  0x80000000u
#define BUS_SIZE     MB(1) /* of MMCONFIG space: 256 functions of 4 KiB */
#define NR_BUS_MAPS  64

struct bus_map {
	uint16_t segment;
	uint8_t bus;
	volatile uint8_t *va;
};

static spinlock_t pci_lock;
static struct bus_map bus_maps[NR_BUS_MAPS];
static unsigned int nr_bus_maps;
static uint32_t guest_address;	      /* domain 0's 0xcf8 */
static bool mmcfg_off[ACPI_MAX_MCFG]; /* domain 0 found that the range is not reserved for it */

static const struct acpi_mcfg *mcfg_of(struct pci_addr a)
{
	for (unsigned int i = 0; i < acpi_info.nr_mcfg; i++) {
		const struct acpi_mcfg *m = &acpi_info.mcfg[i];

		if (m->segment == a.segment && a.bus >= m->bus_first && a.bus <= m->bus_last &&
		    !mmcfg_off[i])
			return m;
	}
	return NULL;
}

/* The register in memory, or NULL; pci_lock held. */
static volatile void *mmcfg_reg(struct pci_addr a, unsigned int reg)
{
	unsigned int i = 0;

	while (i < nr_bus_maps && (bus_maps[i].bus != a.bus || bus_maps[i].segment != a.segment))
		i++;
	if (i == nr_bus_maps) {
		const struct acpi_mcfg *m = mcfg_of(a);
		struct bus_map map = {.segment = a.segment, .bus = a.bus};

		if (m && i < NR_BUS_MAPS)
			map.va = ioremap(m->base + a.bus * BUS_SIZE, BUS_SIZE);
		if (!map.va)
			return NULL;
		bus_maps[nr_bus_maps++] = map;
	}
	return bus_maps[i].va + ((unsigned int)a.devfn << 12) + reg;
}

/* The data port of the register, selected. Nobody else uses the address port: domain 0's is a variable. */
static uint16_t select(struct pci_addr a, unsigned int reg)
{
	outl(CONF_ADDRESS,
	     CONF_ENABLE | (uint32_t)a.bus << 16 | (uint32_t)a.devfn << 8 | (reg & 0xfc));
	return (uint16_t)(CONF_DATA + (reg & 3));
}

uint32_t pci_read(struct pci_addr a, unsigned int reg, unsigned int bytes)
{
	volatile void *p;
	uint32_t v = ~0u;

	spin_lock(&pci_lock);
	if (!a.segment && reg < 256)
		v = port_in(select(a, reg), bytes);
	else if (reg < 4096 && (p = mmcfg_reg(a, reg)))
		v = bytes == 1	 ? *(volatile uint8_t *)p
		    : bytes == 2 ? *(volatile uint16_t *)p
				 : mmio_read32(p);
	spin_unlock(&pci_lock);
	return v;
}

void pci_write(struct pci_addr a, unsigned int reg, unsigned int bytes, uint32_t v)
{
	volatile void *p;

	spin_lock(&pci_lock);
	if (!a.segment && reg < 256) {
		port_out(select(a, reg), bytes, v);
	} else if (reg < 4096 && (p = mmcfg_reg(a, reg))) {
		if (bytes == 1)
			*(volatile uint8_t *)p = (uint8_t)v;
		else if (bytes == 2)
			*(volatile uint16_t *)p = (uint16_t)v;
		else
			mmio_write32(p, v);
	}
	spin_unlock(&pci_lock);
}

bool pci_device_present(struct pci_addr a)
{
	return (uint16_t)pci_read(a, PCI_VENDOR, 2) != 0xffff;
}

unsigned int pci_find_capability(struct pci_addr a, uint8_t id)
{
	unsigned int pos;

	if (!pci_device_present(a) || !(pci_read(a, PCI_STATUS, 2) & PCI_STATUS_CAPS))
		return 0;
	pos = pci_read(a, PCI_CAP_POINTER, 1) & 0xfc;
	/* At most 48 fit; a chain that is longer is a loop. */
	for (unsigned int i = 0; i < 48 && pos >= 0x40; i++) {
		if (pci_read(a, pos, 1) == id)
			return pos;
		pos = pci_read(a, pos + 1, 1) & 0xfc;
	}
	return 0;
}

int pci_mmcfg_reported(uint64_t base, uint16_t segment, uint8_t first, uint8_t last, bool reserved)
{
	for (unsigned int i = 0; i < acpi_info.nr_mcfg; i++) {
		const struct acpi_mcfg *m = &acpi_info.mcfg[i];

		if (m->base != base || m->segment != segment || m->bus_first != first ||
		    m->bus_last != last)
			continue;
		spin_lock(&pci_lock);
		mmcfg_off[i] = !reserved;
		spin_unlock(&pci_lock);
		return 0;
	}
	return -ENODEV;
}

/* Is there a register behind the port? Data ports get it selected. pci_lock held. */
static bool guest_select(uint16_t port)
{
	if (port < CONF_DATA) /* 0xcf9: the reset control register, among them */
		return true;
	if (!(guest_address & CONF_ENABLE))
		return false;
	outl(CONF_ADDRESS, guest_address);
	return true;
}

uint32_t pci_guest_in(uint16_t port, unsigned int bytes)
{
	uint32_t v = ~0u;

	spin_lock(&pci_lock);
	if (port == CONF_ADDRESS && bytes == 4)
		v = guest_address;
	else if (guest_select(port))
		v = port_in(port, bytes);
	spin_unlock(&pci_lock);
	return v;
}

void pci_guest_out(uint16_t port, unsigned int bytes, uint32_t v)
{
	spin_lock(&pci_lock);
	if (port == CONF_ADDRESS && bytes == 4)
		guest_address = v;
	else if (guest_select(port))
		port_out(port, bytes, v);
	spin_unlock(&pci_lock);
}

void __init pci_init(void)
{
	for (unsigned int i = 0; i < acpi_info.nr_mcfg; i++)
		printk(LOG_INFO "PCI: segment %u, buses %u-%u at %#lx\n", acpi_info.mcfg[i].segment,
		       acpi_info.mcfg[i].bus_first, acpi_info.mcfg[i].bus_last,
		       acpi_info.mcfg[i].base);
}
