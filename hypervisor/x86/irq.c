/* SPDX-License-Identifier: MIT */
/*
 * Interrupt sources and vectors. Owns the table of struct irq_desc and the map from vectors to it;
 * acknowledges what comes in and hands it to the hypervisor's own handler or to x86/pirq.c.
 *
 * Invariant: a vector belongs to at most one source, and to it on all CPUs, so that a source moves
 * between CPUs by a new destination alone. vector_irq[] changes under vector_lock and is read
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
#include "mm/heap.h"

#define NR_MSI_IRQS	(VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1)
#define VECTOR_FREE	(-1)
#define VECTOR_RESERVED (-2)
#define VECTOR_SYSCALL	0x80 /* guests' INT 80h has its gate there */

unsigned int nr_gsis, nr_irqs;
static struct irq_desc *irq_descs;

static spinlock_t vector_lock;
static int16_t vector_irq[256];
static void (*fixed_handlers[256])(struct cpu_user_regs *regs);

struct irq_desc *irq_to_desc(unsigned int irq)
{
	return irq < nr_irqs ? &irq_descs[array_index_nospec(irq, nr_irqs)] : NULL;
}

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

		while (i < nr && vector_irq[v + i] == VECTOR_FREE)
			i++;
		if (i == nr)
			return v;
	}
	return 0;
}

/*
 * The first of @nr unused message-signalled irqs in a row; vector_lock held. 0 if there are none.
 */
static unsigned int msi_irq_find(unsigned int nr)
{
	unsigned int run = 0;

	for (unsigned int irq = nr_gsis; irq < nr_irqs; irq++) {
		run = irq_descs[irq].kind == IRQ_UNUSED ? run + 1 : 0;
		if (run == nr)
			return irq + 1 - nr;
	}
	return 0;
}

int irq_alloc_msi(unsigned int nr)
{
	unsigned int vector, irq;

	spin_lock(&vector_lock);
	vector = vector_find(nr);
	irq = vector ? msi_irq_find(nr) : 0;
	for (unsigned int i = 0; irq && i < nr; i++) {
		struct irq_desc *desc = &irq_descs[irq + i];

		vector_irq[vector + i] = (int16_t)(irq + i);
		desc->vector = (uint8_t)(vector + i);
		desc->kind = IRQ_MSI;
		desc->level = desc->active_low = false;
		desc->cpu = 0;
	}
	spin_unlock(&vector_lock);
	return irq ? (int)irq : -ENOSPC;
}

void irq_free_msi(unsigned int irq)
{
	struct irq_desc *desc = &irq_descs[irq];

	ASSERT(desc->kind == IRQ_MSI && !desc->nr_guests);
	spin_lock(&vector_lock);
	vector_irq[desc->vector] = VECTOR_FREE;
	desc->vector = 0;
	desc->msi = NULL;
	desc->kind = IRQ_UNUSED;
	spin_unlock(&vector_lock);
}

int irq_startup_gsi(struct irq_desc *desc)
{
	unsigned int vector = desc->vector;

	if (!ioapic_has_gsi(desc->irq))
		return -EINVAL;
	if (!vector) {
		spin_lock(&vector_lock);
		vector = vector_find(1);
		if (vector)
			vector_irq[vector] = (int16_t)desc->irq;
		spin_unlock(&vector_lock);
		if (!vector)
			return -ENOSPC;
		desc->vector = (uint8_t)vector;
	}
	ioapic_write_route(desc->irq, desc->vector, desc->level, desc->active_low,
			   cpu_apic_id[desc->cpu], true);
	return 0;
}

/* --- the controllers behind a source; desc->lock held --- */

void irq_mask(struct irq_desc *desc)
{
	if (desc->kind == IRQ_GSI)
		ioapic_mask(desc->irq);
	else if (desc->msi)
		msi_mask(desc->msi, true);
}

void irq_unmask(struct irq_desc *desc)
{
	if (desc->kind == IRQ_GSI)
		ioapic_unmask(desc->irq);
	else if (desc->msi)
		msi_mask(desc->msi, false);
}

void irq_set_cpu(struct irq_desc *desc, unsigned int cpu)
{
	/* Without interrupt remapping a destination has 8 bits. */
	if (desc->cpu == cpu || !cpumask_test(cpu, &cpu_online_map) || cpu_apic_id[cpu] >= 0xff)
		return;
	desc->cpu = cpu;
	if (!desc->vector)
		return;
	if (desc->kind == IRQ_GSI)
		ioapic_write_route(desc->irq, desc->vector, desc->level, desc->active_low,
				   cpu_apic_id[cpu], !desc->nr_guests || desc->in_flight);
	else if (desc->msi)
		msi_write_message(desc->msi);
}

int irq_setup_gsi(unsigned int gsi, bool level, bool active_low)
{
	struct irq_desc *desc = irq_to_desc(gsi);
	int rc = 0;

	if (!desc || desc->kind != IRQ_GSI)
		return -EINVAL;
	spin_lock(&desc->lock);
	if (desc->level == level && desc->active_low == active_low) {
		rc = 0;
	} else if (desc->nr_guests || desc->handler) {
		rc = -EBUSY;
	} else {
		desc->level = level;
		desc->active_low = active_low;
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
	desc = irq_to_desc(acpi_info.isa[isa_irq].gsi);
	if (!desc || desc->kind != IRQ_GSI)
		return -ENODEV;
	spin_lock(&desc->lock);
	rc = desc->handler || desc->nr_guests ? -EBUSY : irq_startup_gsi(desc);
	if (!rc) {
		desc->handler = handler;
		irq_unmask(desc);
	}
	spin_unlock(&desc->lock);
	return rc;
}

/* --- dispatch --- */

/*
 * The hypervisor's own device. Level-triggered ones are quiet once the handler has served them: EOI
 * afterwards.
 */
static void own_interrupt(struct irq_desc *desc, struct cpu_user_regs *regs)
{
	if (!desc->level)
		lapic_eoi();
	desc->handler(regs);
	if (desc->level)
		lapic_eoi();
}

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
	int irq;

	if (fixed) {
		if (vector != VECTOR_SPURIOUS)
			lapic_eoi();
		fixed(regs);
		return;
	}
	irq = READ_ONCE(vector_irq[vector]);
	if (irq < 0) {
		stray_interrupt(vector);
		return;
	}
	desc = &irq_descs[irq];
	if (desc->handler)
		own_interrupt(desc, regs);
	else
		pirq_interrupt(desc);
}

/* --- debug key --- */

static void desc_dump(struct irq_desc *desc)
{
	printk("   irq %3u vector %02x cpu %u %s%s", desc->irq, desc->vector, desc->cpu,
	       desc->kind == IRQ_MSI ? "msi"
	       : desc->level	     ? "line, level"
				     : "line, edge",
	       desc->handler ? ", ours" : "");
	for (unsigned int i = 0; i < desc->nr_guests; i++)
		printk(" d%d:pirq %u%s", desc->guests[i].d->domain_id, desc->guests[i].pirq,
		       desc->guests[i].pending ? " un-EOId" : "");
	printk("\n");
}

static void irq_dump(char key)
{
	printk("Interrupt bindings:\n");
	for (unsigned int i = 0; i < nr_irqs; i++) {
		struct irq_desc *desc = &irq_descs[i];

		if (!desc->vector)
			continue;
		spin_lock(&desc->lock);
		desc_dump(desc);
		spin_unlock(&desc->lock);
	}
}

static void __init descs_init(void)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		irq_descs[i].irq = i;
		irq_descs[i].kind = i < nr_gsis && ioapic_has_gsi(i) ? IRQ_GSI : IRQ_UNUSED;
		/* PCI lines are level-triggered and active low; ISA lines follow below. */
		irq_descs[i].level = irq_descs[i].active_low = i >= 16 && i < nr_gsis;
	}
	for (unsigned int i = 0; i < 16; i++) {
		const struct acpi_isa_irq *isa = &acpi_info.isa[i];

		if (isa->gsi >= nr_gsis)
			continue;
		irq_descs[isa->gsi].level = isa->level;
		irq_descs[isa->gsi].active_low = isa->active_low;
	}
}

void __init irq_init(void)
{
	for (unsigned int v = 0; v < 256; v++)
		vector_irq[v] =
			v >= VECTOR_DEVICE_FIRST && v <= VECTOR_DEVICE_LAST && v != VECTOR_SYSCALL
				? VECTOR_FREE
				: VECTOR_RESERVED;
	if (acpi_info.has_8259)
		i8259_disable();
	nr_gsis = max(ioapic_init(), 16u);
	nr_irqs = nr_gsis + NR_MSI_IRQS;
	irq_descs = kzalloc(nr_irqs * sizeof(*irq_descs));
	if (!irq_descs)
		panic("No memory for %u interrupt descriptors", nr_irqs);
	descs_init();
	keyhandler_register('i', irq_dump, "dump interrupt bindings");
}
