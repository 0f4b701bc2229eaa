/* SPDX-License-Identifier: MIT */
/*
 * Interrupt sources and vectors. Owns the table of struct irq_desc and the map from vectors to it;
 * acknowledges what comes in and hands it to the hypervisor's own handler or to x86/pirq.c.
 *
 * Invariant: a vector belongs to at most one source, and to it on all CPUs, so that a source moves
 * between CPUs by a new destination alone. vector_desc[] changes under vector_lock and is read
 * without: an entry goes away only while its source is masked.
 */
#include "x86/irq.h"
#include "x86/pirq.h"
#include "x86/smp.h"
#include "x86/time.h"
#include "x86/msi.h"
#include "acpi/acpi.h"
#include "core/console.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/bitops.h"

#define VECTOR_SYSCALL 0x80 /* guests' INT 80h has its gate there */

unsigned int nr_gsis;
struct irq_desc irq_descs[NR_IRQS];

static spinlock_t vector_lock;
static struct irq_desc *vector_desc[256];
static void (*fixed_handlers[256])(struct cpu_user_regs *regs);

void irq_set_handler(unsigned int vector, void (*handler)(struct cpu_user_regs *regs))
{
	fixed_handlers[vector] = handler;
}

/* --- vectors --- */

/* @nr consecutive free ones, the first a multiple of @nr; vector_lock held. 0 if there are none. */
static unsigned int vector_find(unsigned int nr)
{
	for (unsigned int v = ROUND_UP(VECTOR_DEVICE_FIRST, nr); v + nr - 1 <= VECTOR_DEVICE_LAST;
	     v += nr) {
		unsigned int i = 0;

		while (i < nr && !vector_desc[v + i])
			i++;
		if (i == nr && v != VECTOR_SYSCALL)
			return v;
	}
	return 0;
}

/* The first of @nr vectors, 0 if there are none: for @gsi, or each for the message that has its number. */
static unsigned int vector_alloc(struct irq_desc *gsi, unsigned int nr)
{
	unsigned int first;

	spin_lock(&vector_lock);
	first = vector_find(nr);
	for (unsigned int v = first; first && v < first + nr; v++) {
		struct irq_desc *desc = gsi ? gsi : &irq_descs[MAX_GSIS + v - VECTOR_DEVICE_FIRST];

		desc->vector = (uint8_t)v;
		vector_desc[v] = desc;
	}
	spin_unlock(&vector_lock);
	return first;
}

int irq_alloc_msi(unsigned int nr)
{
	unsigned int vector = vector_alloc(NULL, nr);

	return vector ? (int)(MAX_GSIS + vector - VECTOR_DEVICE_FIRST) : -ENOSPC;
}

void irq_free_msi(struct irq_desc *desc)
{
	ASSERT(!desc->nr_guests);
	spin_lock(&vector_lock);
	vector_desc[desc->vector] = NULL;
	desc->vector = 0;
	spin_unlock(&vector_lock);
}

int irq_startup(struct irq_desc *desc)
{
	return desc->vector || vector_alloc(desc, 1) ? 0 : -ENOSPC;
}

/* --- the controllers behind a source; desc->lock held --- */

void irq_set_masked(struct irq_desc *desc, bool masked)
{
	if (desc->masked == masked)
		return;
	desc->masked = masked;
	if (desc->msi)
		msi_write_mask(desc);
	else if (desc->irq < MAX_GSIS)
		ioapic_write_route(desc);
}

void irq_set_cpu(struct irq_desc *desc, unsigned int cpu)
{
	/* Without interrupt remapping a destination has 8 bits. */
	if (desc->cpu == cpu || !cpumask_test(cpu, &cpu_online_map) || cpu_apic_id[cpu] >= 0xff)
		return;
	desc->cpu = cpu;
	if (desc->msi)
		msi_write_message(desc);
	else if (desc->vector)
		ioapic_write_route(desc);
}

int irq_setup_gsi(unsigned int gsi, bool level, bool active_low)
{
	struct irq_desc *desc = &irq_descs[gsi];
	int rc = 0;

	if (!ioapic_has_gsi(gsi))
		return -EINVAL;
	spin_lock(&desc->lock);
	if (desc->level != level || desc->active_low != active_low) {
		if (desc->nr_guests || desc->handler) {
			rc = -EBUSY;
		} else {
			desc->level = level;
			desc->active_low = active_low;
		}
	}
	spin_unlock(&desc->lock);
	return rc;
}

int irq_request_isa(unsigned int isa_irq, void (*handler)(struct cpu_user_regs *regs))
{
	struct irq_desc *desc;
	int rc;

	if (isa_irq >= ARRAY_SIZE(acpi_info.isa))
		return -EINVAL;
	if (!ioapic_has_gsi(acpi_info.isa[isa_irq].gsi))
		return -ENODEV;
	desc = &irq_descs[acpi_info.isa[isa_irq].gsi];
	spin_lock(&desc->lock);
	rc = desc->handler || desc->nr_guests ? -EBUSY : irq_startup(desc);
	if (!rc) {
		desc->handler = handler;
		irq_set_masked(desc, false);
	}
	spin_unlock(&desc->lock);
	return rc;
}

/* --- dispatch --- */

static noinline void stray_interrupt(unsigned int vector)
{
	static unsigned int seen;

	if (vector >= VECTOR_DEVICE_FIRST)
		lapic_eoi();
	if (seen++ < 10)
		printk(LOG_WARN "CPU %u: interrupt at vector %#x, which nobody uses\n",
		       this_cpu_id(), vector);
}

void irq_dispatch(struct cpu_user_regs *regs)
{
	unsigned int vector = regs->entry_vector & 0xff;
	void (*fixed)(struct cpu_user_regs *) = fixed_handlers[vector];
	struct irq_desc *desc;

	if (fixed) {
		if (vector != VECTOR_SPURIOUS)
			lapic_eoi();
		fixed(regs);
		return;
	}
	desc = READ_ONCE(vector_desc[vector]);
	if (!desc) {
		stray_interrupt(vector);
	} else if (!desc->handler) {
		pirq_interrupt(desc);
	} else {
		/* The hypervisor's own device: quiet once the handler has served it. */
		desc->handler(regs);
		lapic_eoi();
	}
}

/* --- debug key --- */

void irq_dump(char key)
{
	printk("Interrupt bindings:\n");
	for (struct irq_desc *desc = irq_descs; desc < irq_descs + NR_IRQS; desc++) {
		if (!desc->vector)
			continue;
		spin_lock(&desc->lock);
		printk("   irq %3u vector %02x cpu %u %s%s", desc->irq, desc->vector, desc->cpu,
		       desc->irq >= MAX_GSIS ? "msi"
		       : desc->level	     ? "line, level"
					     : "line, edge",
		       desc->handler ? ", ours" : "");
		for (const struct irq_guest *g = desc->guests; g < desc->guests + desc->nr_guests;
		     g++)
			printk(" d%d:pirq %u%s", g->d->domain_id, g->pirq,
			       g->pending ? " un-EOId" : "");
		printk("\n");
		spin_unlock(&desc->lock);
	}
}

void __init irq_init(void)
{
	if (acpi_info.has_8259)
		i8259_disable();
	nr_gsis = max(ioapic_init(), 16u);
	for (unsigned int i = 0; i < NR_IRQS; i++) {
		irq_descs[i].irq = i;
		irq_descs[i].masked = true;
		/* PCI lines are level-triggered and active low; ISA lines follow below. */
		irq_descs[i].level = irq_descs[i].active_low = i >= 16 && i < MAX_GSIS;
	}
	for (unsigned int i = 0; i < 16; i++) {
		const struct acpi_isa_irq *isa = &acpi_info.isa[i];

		if (isa->gsi >= nr_gsis)
			continue;
		irq_descs[isa->gsi].level = isa->level;
		irq_descs[isa->gsi].active_low = isa->active_low;
	}
}
