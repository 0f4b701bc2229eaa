/* SPDX-License-Identifier: MIT */
/*
 * Interrupts from vector to handler. Vectors are allocated from one space for all CPUs. A vector
 * belongs to the hypervisor (a registered handler) or to a guest's physical IRQ (x86/pirq.c).
 *
 * Order of vectors: 0x20-0x2f legacy PIC (masked, spurious only), 0x30-0xef devices, 0xf0-0xff the
 * hypervisor's own.
 *
 * An "irq" is the hypervisor's number of an interrupt source: below nr_gsis an IO-APIC line, above
 * it a message-signalled interrupt. Lock order: d->event_lock, irq_desc.lock, then the controllers'
 * own locks.
 */
#ifndef X86_IRQ_H
#define X86_IRQ_H

#include "lib/spinlock.h"
#include "x86/cpu.h"

struct domain;

#define VECTOR_DEVICE_FIRST 0x30
#define VECTOR_DEVICE_LAST  0xef
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
/*
 * One-shot deadline of this CPU's timer in hypervisor time, TIME_NEVER to stop. Costly below an
 * outer hypervisor: core/timer.c is lazy about it.
 */
void lapic_timer_set(s_time_t deadline);

/* Claim an ISA IRQ (a serial port's) for the hypervisor. Returns 0 or -errno. */
int irq_request_isa(unsigned int isa_irq, void (*handler)(struct cpu_user_regs *regs)) __must_check;

void irq_init(void); /* IDT vectors, PIC off, IO-APICs found and masked */

/* --- lapic.c, for time.c, smp.c and msi.c --- */
extern uint32_t cpu_apic_id[NR_CPUS];
uint32_t lapic_id(void);
void lapic_send_nmi(unsigned int cpu);
void lapic_send_init(uint32_t apic_id);
void lapic_send_startup(uint32_t apic_id, unsigned int page);
void lapic_timer_count_start(void); /* free-running, for calibration */
void lapic_timer_count_stop(void);
uint32_t lapic_timer_count(void);	  /* counts down; 0 before lapic_init_bsp() */
void lapic_timer_init(uint64_t lapic_hz); /* 0: measured here against the TSC if it is needed */
void lapic_shutdown(void);		  /* this CPU takes no more interrupts: before a reboot */

/* --- irq.c --- */
enum irq_kind { IRQ_UNUSED, IRQ_GSI, IRQ_MSI };
#define IRQ_MAX_GUESTS 7 /* domains that share one line */

struct irq_guest {
	struct domain *d;
	unsigned int pirq;
	bool pending; /* level: delivered, its EOI is awaited */
};

struct irq_desc {
	spinlock_t lock;
	uint8_t kind;	/* enum irq_kind */
	uint8_t vector; /* 0: none yet */
	bool level, active_low;
	bool shared; /* the guests agreed to share */
	uint8_t nr_guests;
	uint8_t in_flight; /* guests[] with pending set: the line is masked until it is 0 */
	unsigned int irq, cpu;
	void (*handler)(
		struct cpu_user_regs *regs); /* the hypervisor's own; then there are no guests */
	struct msi_desc *msi;
	struct irq_guest guests[IRQ_MAX_GUESTS];
};

extern unsigned int nr_gsis;			/* IO-APIC lines; at least 16 */
extern unsigned int nr_irqs;			/* all sources there can be */
struct irq_desc *irq_to_desc(unsigned int irq); /* NULL beyond nr_irqs */
/*
 * A free message-signalled irq, or @nr consecutive ones with consecutive vectors, the first a
 * multiple of @nr (a power of two).
 */
int irq_alloc_msi(unsigned int nr) __must_check;
void irq_free_msi(unsigned int irq);
/*
 * Give a GSI its vector and write its IO-APIC entry, masked. Called with desc->lock held. 0 or
 * -ENOSPC.
 */
int irq_startup_gsi(struct irq_desc *desc) __must_check;
/* With desc->lock held: */
void irq_mask(struct irq_desc *desc);
void irq_unmask(struct irq_desc *desc);
void irq_set_cpu(struct irq_desc *desc, unsigned int cpu);
/* How a GSI is wired; -EBUSY if it is in use another way. */
int irq_setup_gsi(unsigned int gsi, bool level, bool active_low) __must_check;
/* x86/pirq.c: a guest's interrupt came in; it is acknowledged here. */
void pirq_interrupt(struct irq_desc *desc);

/* --- ioapic.c: lines, by global number. The caller holds the line's desc->lock. --- */
unsigned int ioapic_init(void); /* maps all, masks every line; returns the number of lines */
void ioapic_write_route(unsigned int gsi, uint8_t vector, bool level, bool active_low,
			uint32_t apic_id, bool masked);
void ioapic_mask(unsigned int gsi);
void ioapic_unmask(unsigned int gsi);
bool ioapic_has_gsi(unsigned int gsi);
/* PHYSDEVOP_apic_read/write: 0 or -EINVAL. */
int ioapic_guest_read(paddr_t base, uint32_t reg, uint32_t *value);
int ioapic_guest_write(paddr_t base, uint32_t reg, uint32_t value);

/* --- i8259.c --- */
void i8259_disable(void);

#endif
