/* SPDX-License-Identifier: MIT */
/*
 * Interrupts from vector to handler. Vectors are allocated from one space for all CPUs. A vector
 * belongs to the hypervisor (a registered handler) or to a guest's physical IRQ (x86/pirq.c).
 *
 * Order of vectors: 0x20-0x2f legacy PIC (masked, spurious only), 0x30-0xef devices, 0xf0-0xff the
 * hypervisor's own.
 *
 * An "irq" is the hypervisor's number of an interrupt source: below MAX_GSIS an IO-APIC line, from
 * there on a message-signalled interrupt, numbered by its vector. Lock order: d->event_lock,
 * irq_desc.lock, then the controllers' own locks.
 */
#ifndef X86_IRQ_H
#define X86_IRQ_H

#include "lib/spinlock.h"
#include "x86/cpu.h"

struct domain;

#define VECTOR_DEVICE_FIRST 0x30
#define VECTOR_DEVICE_LAST  0xef
#define VECTOR_OUTER	    0xf9 /* events of an outer hypervisor (outer/xen.c) */
#define VECTOR_IPI_CALL	    0xfb /* "look at your request mailbox" (x86/smp.c) */
#define VECTOR_IPI_EVENT    0xfc /* softirq raised: taking the interrupt is enough */
#define VECTOR_TIMER	    0xfa
#define VECTOR_ERROR	    0xfe
#define VECTOR_SPURIOUS	    0xff

/* Entry point from the assembly stub for every vector from 0x20 up; acknowledges and dispatches. */
void irq_dispatch(struct cpu_user_regs *regs);

/* The hypervisor's own handler for a fixed vector (timer, IPIs) or an allocated one. */
void irq_set_handler(unsigned int vector, void (*handler)(struct cpu_user_regs *regs));

/* Local APIC (x2APIC where there is one). */
void lapic_init_bsp(void);
void lapic_init_ap(void);
void lapic_eoi(void);
void lapic_send_ipi(unsigned int cpu, unsigned int vector);
void lapic_send_mask(const cpumask_t *mask, unsigned int vector);
/*
 * One-shot deadline of this CPU's timer in hypervisor time, TIME_NEVER to stop. Costly below an
 * outer hypervisor: core/timer.c is lazy about it.
 */
void lapic_timer_set(s_time_t deadline);

/* Claim an ISA IRQ (a serial port's) for the hypervisor. Returns 0 or -errno. */
int irq_request_isa(unsigned int isa_irq, void (*handler)(struct cpu_user_regs *regs)) __must_check;

void irq_init(void);	 /* IDT vectors, PIC off, IO-APICs found and masked */
void irq_dump(char key); /* 'i' */

/* --- lapic.c, for time.c, smp.c and msi.c --- */
extern uint32_t cpu_apic_id[NR_CPUS];
/* Any message to a CPU that lapic_send_ipi() is not for. */
#define ICR_NMI	    0x400
#define ICR_INIT    0x500
#define ICR_STARTUP 0x600 /* with the page where it is to start */
void lapic_send(uint32_t apic_id, uint32_t icr);
void lapic_timer_init(void); /* after the TSC's frequency is known */
void lapic_shutdown(void);   /* this CPU takes no more interrupts: before a reboot */

/* --- irq.c --- */
#define MAX_GSIS       1024
#define NR_IRQS	       (MAX_GSIS + VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1)
#define IRQ_MAX_GUESTS 7 /* domains that share one line */

struct irq_guest {
	struct domain *d;
	unsigned int pirq;
	bool pending; /* level: delivered, its EOI is awaited */
};

struct irq_desc {
	spinlock_t lock;
	uint8_t vector; /* 0: none yet */
	bool level, active_low;
	bool masked;
	bool shared; /* the guests agreed to share */
	uint8_t nr_guests;
	uint8_t in_flight; /* guests[] with pending set: the line is masked until it is 0 */
	unsigned int irq, cpu;
	/* The hypervisor's own; then there are no guests. */
	void (*handler)(struct cpu_user_regs *regs);
	struct msi_device *msi; /* NULL: a line, or a message that nobody uses */
	unsigned int msi_entry; /* MSI-X: index in the table; MSI: of the consecutive messages */
	struct irq_guest guests[IRQ_MAX_GUESTS];
};

extern unsigned int nr_gsis; /* IO-APIC lines; at least 16 */
extern struct irq_desc irq_descs[NR_IRQS];
/*
 * A free message-signalled irq, or @nr consecutive ones with consecutive vectors, the first a
 * multiple of @nr (a power of two). The first irq or -ENOSPC.
 */
int irq_alloc_msi(unsigned int nr) __must_check;
void irq_free_msi(struct irq_desc *desc);
/* Give a line that has none yet a vector. Called with desc->lock held. 0 or -ENOSPC. */
int irq_startup(struct irq_desc *desc) __must_check;
/* With desc->lock held: */
void irq_set_masked(struct irq_desc *desc, bool masked);
void irq_set_cpu(struct irq_desc *desc, unsigned int cpu);
/* How a GSI is wired; -EBUSY if it is in use another way. */
int irq_setup_gsi(unsigned int gsi, bool level, bool active_low) __must_check;
/* x86/pirq.c: a guest's interrupt came in; it is acknowledged here. */
void pirq_interrupt(struct irq_desc *desc);

/* --- ioapic.c: lines, by global number --- */
unsigned int ioapic_init(void); /* maps all, masks every line; returns the number of lines */
/* The line's entry becomes what @desc says; its lock is held. */
void ioapic_write_route(const struct irq_desc *desc);
bool ioapic_has_gsi(unsigned int gsi);
/* Past the irq_desc: an edge on a line that nobody has set up is an NMI on the boot CPU, or nothing again. False: no such line. */
bool ioapic_route_nmi(unsigned int gsi, bool on);
void ioapic_shutdown(void); /* masks every line, at the machine's end: takes no lock */
/* PHYSDEVOP_apic_read/write: 0 or -EINVAL. */
int ioapic_guest_read(paddr_t base, uint32_t reg, uint32_t *value);
int ioapic_guest_write(paddr_t base, uint32_t reg, uint32_t value);

/* --- i8259.c --- */
void i8259_disable(void);

#endif
