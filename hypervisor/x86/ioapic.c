/* SPDX-License-Identifier: MIT */
/*
 * IO-APICs (Intel 82093AA data sheet): the routing entry of each interrupt line. What was last
 * written to an entry is remembered, so that a change costs one write.
 *
 * Lock: ioapic_lock guards the index/data register pair of all of them. The entry itself belongs to
 * whoever holds the line's irq_desc.lock.
 */
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/page.h"
#include "acpi/acpi.h"
#include "lib/errno.h"
#include "lib/log.h"

#define REG_VERSION 1
#define REG_ARB	    2
#define REG_ROUTE   0x10 /* two registers a line */

#define ROUTE_MODE   0x00700u
#define ROUTE_NMI    0x00400u
#define ROUTE_LOW    0x02000u
#define ROUTE_LEVEL  0x08000u
#define ROUTE_MASKED 0x10000u

struct ioapic {
	volatile uint8_t *regs;
	paddr_t base;
	unsigned int gsi_base, nr_lines;
};

static struct ioapic ioapics[ACPI_MAX_IOAPICS] __ro_after_init;
static unsigned int nr_ioapics __ro_after_init;
static uint64_t routes[MAX_GSIS]; /* by line: its entry */
static spinlock_t ioapic_lock;

static uint32_t reg_read(const struct ioapic *io, unsigned int reg)
{
	mmio_write32(io->regs, reg);
	return mmio_read32(io->regs + 0x10);
}

static void reg_write(const struct ioapic *io, unsigned int reg, uint32_t v)
{
	mmio_write32(io->regs, reg);
	mmio_write32(io->regs + 0x10, v);
}

static const struct ioapic *ioapic_of(unsigned int gsi)
{
	for (unsigned int i = 0; i < nr_ioapics; i++)
		if (gsi - ioapics[i].gsi_base < ioapics[i].nr_lines)
			return &ioapics[i];
	return NULL;
}

bool ioapic_has_gsi(unsigned int gsi)
{
	return ioapic_of(gsi) != NULL;
}

/*
 * The low half is written last: it is what lets interrupts through. A new destination alone needs
 * it not; the line stays open, as an edge that comes while it is masked is lost.
 */
void ioapic_write_route(const struct irq_desc *desc)
{
	const struct ioapic *io = ioapic_of(desc->irq);
	unsigned int reg = REG_ROUTE + 2 * (desc->irq - io->gsi_base);
	uint64_t route = (uint64_t)cpu_apic_id[desc->cpu] << 56 | desc->vector |
			 (desc->active_low ? ROUTE_LOW : 0) | (desc->level ? ROUTE_LEVEL : 0) |
			 (desc->masked ? ROUTE_MASKED : 0);
	uint64_t change = route ^ routes[desc->irq];

	spin_lock(&ioapic_lock);
	if (change >> 32)
		reg_write(io, reg + 1, (uint32_t)(route >> 32));
	if ((uint32_t)change)
		reg_write(io, reg, (uint32_t)route);
	routes[desc->irq] = route;
	spin_unlock(&ioapic_lock);
}

bool ioapic_route_nmi(unsigned int gsi, bool on)
{
	const struct ioapic *io = ioapic_of(gsi);
	unsigned int reg = io ? REG_ROUTE + 2 * (gsi - io->gsi_base) : 0;

	if (!io)
		return false;
	spin_lock(&ioapic_lock);
	if (on)
		reg_write(io, reg + 1, (uint32_t)cpu_apic_id[0] << 24);
	if (on || (reg_read(io, reg) & ROUTE_MODE) == ROUTE_NMI)
		reg_write(io, reg, on ? ROUTE_NMI : ROUTE_MASKED);
	spin_unlock(&ioapic_lock);
	return true;
}

/* The others have been stopped, perhaps with the lock held. */
void ioapic_shutdown(void)
{
	for (unsigned int i = 0; i < nr_ioapics; i++)
		for (unsigned int line = 0; line < ioapics[i].nr_lines; line++)
			reg_write(&ioapics[i], REG_ROUTE + 2 * line, ROUTE_MASKED);
}

static const struct ioapic *ioapic_at(paddr_t base)
{
	for (unsigned int i = 0; i < nr_ioapics; i++)
		if (ioapics[i].base == base)
			return &ioapics[i];
	return NULL;
}

int ioapic_guest_read(paddr_t base, uint32_t reg, uint32_t *value)
{
	const struct ioapic *io = ioapic_at(base);

	if (!io || reg >= REG_ROUTE + 2 * io->nr_lines || (reg > REG_ARB && reg < REG_ROUTE))
		return -EINVAL;
	spin_lock(&ioapic_lock);
	*value = reg_read(io, reg);
	spin_unlock(&ioapic_lock);
	return 0;
}

/*
 * Old domain 0 kernels write whole entries. Vector and destination are ours; what they tell us is
 * how the line is wired, as PHYSDEVOP_setup_gsi does. The mask bit follows the event channel's
 * life.
 */
int ioapic_guest_write(paddr_t base, uint32_t reg, uint32_t value)
{
	const struct ioapic *io = ioapic_at(base);

	if (!io || reg >= REG_ROUTE + 2 * io->nr_lines)
		return -EINVAL;
	if (reg < REG_ROUTE || (reg & 1) || (value & ROUTE_MASKED))
		return 0;
	return irq_setup_gsi(io->gsi_base + (reg - REG_ROUTE) / 2, value & ROUTE_LEVEL,
			     value & ROUTE_LOW);
}

/*
 * Firmware may leave lines open, even as NMI or SMI; those are not touched unless they are plain
 * interrupts.
 */
static void __init mask_all(struct ioapic *io)
{
	for (unsigned int i = 0; i < io->nr_lines; i++) {
		unsigned int reg = REG_ROUTE + 2 * i;

		routes[io->gsi_base + i] = ROUTE_MASKED;
		if ((reg_read(io, reg) >> 8 & 7) == 2) /* SMI */
			continue;
		reg_write(io, reg, ROUTE_MASKED);
		reg_write(io, reg + 1, 0);
	}
}

/* The number after its last line's, or 0. */
static unsigned int __init ioapic_add(const struct acpi_ioapic *entry)
{
	struct ioapic *io = &ioapics[nr_ioapics];
	uint32_t version;

	io->base = entry->base;
	io->gsi_base = entry->gsi_base;
	io->regs = ioremap(entry->base, PAGE_SIZE);
	if (!io->regs)
		return 0;
	version = reg_read(io, REG_VERSION);
	io->nr_lines = (version >> 16 & 0xff) + 1;
	if (version == ~0u || io->nr_lines > 240 || io->gsi_base > MAX_GSIS - io->nr_lines) {
		printk(LOG_WARN "IO-APIC at %#lx does not answer: ignored\n", entry->base);
		return 0;
	}
	mask_all(io);
	nr_ioapics++;
	printk(LOG_INFO "IO-APIC %u at %#lx: lines %u-%u\n", entry->id, entry->base, io->gsi_base,
	       io->gsi_base + io->nr_lines - 1);
	return io->gsi_base + io->nr_lines;
}

unsigned int __init ioapic_init(void)
{
	unsigned int lines = 0;

	for (unsigned int i = 0; i < acpi_info.nr_ioapics; i++)
		lines = max(lines, ioapic_add(&acpi_info.ioapics[i]));
	return lines;
}
