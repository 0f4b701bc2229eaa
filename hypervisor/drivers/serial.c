/* SPDX-License-Identifier: MIT */
/*
 * 16550 serial ports (National Semiconductor PC16550D data sheet). Polled until serial_init_irq(),
 * then output goes to a ring that the transmitter's interrupt empties, and input arrives by
 * interrupt. A full ring makes room by polling: nothing is dropped.
 *
 * Invariant: while a port is not synchronous and its ring is not empty, the transmit interrupt is
 * on. Lock: port->lock, taken with or without the console's lock; console_rx() is called without
 * it.
 */
#include "drivers/serial.h"
#include "boot/cmdline.h"
#include "core/console.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/time.h"

#define RBR 0 /* receive; with DLAB the divisor's low byte */
#define THR 0
#define IER 1 /* with DLAB the divisor's high byte */
#define IIR 2
#define FCR 2
#define LCR 3
#define MCR 4
#define LSR 5
#define MSR 6

#define IER_RX	      0x01
#define IER_TX	      0x02
#define IIR_NONE      0x01
#define FCR_ENABLE    0x07 /* and clear both */
#define FCR_TRIGGER_8 0x80
#define LCR_DLAB      0x80
#define MCR_ON	      0x0b /* DTR, RTS, OUT2: the gate of the interrupt line */
#define LSR_DATA      0x01
#define LSR_THRE      0x20
#define LSR_IDLE      0x40

#define TX_RING	 16384 /* a power of two */
#define TX_FIFO	 16
#define RX_BATCH 64
#define SPINS	 1000000 /* a port whose transmitter is stuck must not stop the machine */

struct serial_port {
	struct console_dev dev;
	spinlock_t lock;
	bool present, by_irq, sync, dead;
	uint16_t io;
	unsigned int irq, fifo;
	uint8_t lcr;
	uint32_t divisor;    /* 0: leave the speed as it is */
	uint32_t head, tail; /* ring: free-running, head is where to put */
	struct timer poll;   /* where there is no interrupt */
	char ring[TX_RING];
};

static void com1_write(const char *s, size_t n);
static void com2_write(const char *s, size_t n);
static void com1_sync(bool on);
static void com2_sync(bool on);

static struct serial_port ports[2] = {
	{.dev = {"com1", com1_write, com1_sync}, .io = 0x3f8, .irq = 4},
	{.dev = {"com2", com2_write, com2_sync}, .io = 0x2f8, .irq = 3},
};

/* --- output --- */

static void put_polled(struct serial_port *p, char c)
{
	for (unsigned int i = 0; !(inb(p->io + LSR) & LSR_THRE); i++) {
		if (p->dead || i == SPINS) {
			p->dead = true;
			return;
		}
		cpu_pause();
	}
	p->dead = false;
	outb(p->io + THR, (uint8_t)c);
}

static void drain_polled(struct serial_port *p)
{
	while (p->tail != p->head)
		put_polled(p, p->ring[p->tail++ % TX_RING]);
}

/*
 * As much as the FIFO takes when the transmitter is empty; the interrupt comes when it is so again.
 */
static void tx_fill(struct serial_port *p)
{
	if (!(inb(p->io + LSR) & LSR_THRE))
		return;
	for (unsigned int i = 0; i < p->fifo && p->tail != p->head; i++)
		outb(p->io + THR, (uint8_t)p->ring[p->tail++ % TX_RING]);
}

static void put_char(struct serial_port *p, char c)
{
	if (!p->by_irq || p->sync) {
		put_polled(p, c);
		return;
	}
	if (p->head - p->tail == TX_RING)
		put_polled(p, p->ring[p->tail++ % TX_RING]);
	p->ring[p->head++ % TX_RING] = c;
}

static void port_write(struct serial_port *p, const char *s, size_t n)
{
	spin_lock(&p->lock);
	while (n--) {
		if (*s == '\n')
			put_char(p, '\r');
		put_char(p, *s++);
	}
	if (p->tail != p->head) {
		tx_fill(p);
		outb(p->io + IER, IER_RX | IER_TX);
	}
	spin_unlock(&p->lock);
}

/* In a crash the lock may be held by a CPU that is stopped: it is not waited for long. */
static void port_sync(struct serial_port *p, bool on)
{
	if (on) {
		for (unsigned int i = 0; i < 10000 && spin_is_locked(&p->lock); i++)
			cpu_pause();
		spin_lock_init(&p->lock);
		drain_polled(p);
	}
	p->sync = on;
}

static void com1_write(const char *s, size_t n)
{
	port_write(&ports[0], s, n);
}

static void com2_write(const char *s, size_t n)
{
	port_write(&ports[1], s, n);
}

static void com1_sync(bool on)
{
	port_sync(&ports[0], on);
}

static void com2_sync(bool on)
{
	port_sync(&ports[1], on);
}

/* --- interrupts --- */

static unsigned int rx_take(struct serial_port *p, char *buf)
{
	unsigned int n = 0;

	while (n < RX_BATCH && (inb(p->io + LSR) & LSR_DATA))
		buf[n++] = (char)inb(p->io + RBR);
	return n;
}

static void port_service(struct serial_port *p)
{
	char buf[RX_BATCH];
	unsigned int n;

	spin_lock(&p->lock);
	inb(p->io + IIR); /* reading it ends a transmitter's request */
	n = rx_take(p, buf);
	if (p->tail != p->head)
		tx_fill(p);
	else if (p->by_irq)
		outb(p->io + IER, IER_RX);
	spin_unlock(&p->lock);
	for (unsigned int i = 0; i < n; i++)
		console_rx(buf[i]);
}

/*
 * The line is edge-triggered: it must have gone quiet before we return, or no further edge comes.
 * Bounded, for a line that a broken device holds.
 */
static void port_interrupt(struct serial_port *p)
{
	for (unsigned int i = 0; i < 256; i++) {
		if (inb(p->io + IIR) & IIR_NONE)
			return;
		inb(p->io + MSR);
		port_service(p);
	}
}

static void com1_interrupt(struct cpu_user_regs *regs)
{
	port_interrupt(&ports[0]);
}

static void com2_interrupt(struct cpu_user_regs *regs)
{
	port_interrupt(&ports[1]);
}

static void port_poll(void *data)
{
	struct serial_port *p = data;

	port_service(p);
	timer_set(&p->poll, time_now() + MILLISECS(20));
}

static void __init port_init_irq(struct serial_port *p, void (*handler)(struct cpu_user_regs *))
{
	if (!p->present)
		return;
	if (p->irq && !irq_request_isa(p->irq, handler)) {
		spin_lock(&p->lock);
		p->by_irq = true;
		outb(p->io + MCR, MCR_ON);
		outb(p->io + IER, IER_RX);
		spin_unlock(&p->lock);
		/* What waits already has made its edge before the line was open. */
		port_interrupt(p);
		return;
	}
	timer_init(&p->poll, port_poll, p, 0);
	timer_set(&p->poll, time_now() + MILLISECS(20));
}

void __init serial_init_irq(void)
{
	port_init_irq(&ports[0], com1_interrupt);
	port_init_irq(&ports[1], com2_interrupt);
}

/* --- set-up --- */

/*
 * "8n1": data bits, parity, stop bits, into the line control register's bits; 0 (5 bits, no use) if
 * it is something else.
 */
static uint8_t __init parse_dps(const char *s)
{
	static const char parities[] __initdata = "noems";
	const char *parity = s[0] && s[1] ? strchr(parities, s[1]) : NULL;

	if (s[0] < '5' || s[0] > '8' || !parity || s[2] < '1' || s[2] > '2')
		return 0xff;
	/* Parity codes: none 0, odd 1, even 3, mark 5, space 7. */
	return (uint8_t)((s[0] - '5') | (s[2] - '1') << 2 |
			 (parity == parities ? 0 : (2 * (parity - parities) - 1) << 3));
}

/* One number up to a comma or the end; advances past the comma. */
static int __init parse_field(const char **s, uint64_t max, uint64_t *v)
{
	if (parse_u64(*s, s, 0, v) || *v > max || (**s && **s != ','))
		return -EINVAL;
	if (**s)
		(*s)++;
	return 0;
}

static int __init parse_baud(const char **s, struct serial_port *cfg)
{
	uint64_t baud, clock = 1843200;

	if (!strncmp(*s, "auto", 4)) {
		*s += 4;
		cfg->divisor = 0;
		return **s == ',' ? (*s)++, 0 : **s ? -EINVAL : 0;
	}
	if (parse_u64(*s, s, 0, &baud) || !baud)
		return -EINVAL;
	if (**s == '/') {
		(*s)++;
		if (parse_u64(*s, s, 0, &clock))
			return -EINVAL;
	}
	if (**s && **s != ',')
		return -EINVAL;
	if (**s)
		(*s)++;
	cfg->divisor = (uint32_t)(clock / (16 * baud));
	return cfg->divisor && cfg->divisor <= 0xffff ? 0 : -EINVAL;
}

static int __init parse_spec(const char *s, struct serial_port *cfg)
{
	uint64_t v;

	if (*s && parse_baud(&s, cfg))
		return -EINVAL;
	if (*s) {
		cfg->lcr = parse_dps(s);
		if (cfg->lcr == 0xff || (s[3] && s[3] != ','))
			return -EINVAL;
		s += s[3] ? 4 : 3;
	}
	if (*s) {
		if (parse_field(&s, 0xfff8, &v) || !v)
			return -EINVAL;
		cfg->io = (uint16_t)v;
	}
	if (*s) {
		if (parse_field(&s, 15, &v) || *s)
			return -EINVAL;
		cfg->irq = (unsigned int)v;
	}
	return 0;
}

static void __init port_program(struct serial_port *p)
{
	outb(p->io + IER, 0);
	outb(p->io + LCR, p->lcr);
	if (p->divisor) {
		outb(p->io + LCR, p->lcr | LCR_DLAB);
		outb(p->io + THR, (uint8_t)p->divisor);
		outb(p->io + IER, (uint8_t)(p->divisor >> 8));
		outb(p->io + LCR, p->lcr);
	}
	outb(p->io + FCR, FCR_ENABLE | FCR_TRIGGER_8);
	p->fifo = (inb(p->io + IIR) & 0xc0) == 0xc0 ? TX_FIFO : 1;
	outb(p->io + MCR, MCR_ON & ~8);
}

static const char *specs[2];

static int com1_option(const char *v)
{
	specs[0] = v;
	return 0;
}
CMDLINE(com1, com1_option, "<baud>|auto[,<DPS>[,<io-base>[,<irq>]]]: the first serial port");

static int com2_option(const char *v)
{
	specs[1] = v;
	return 0;
}
CMDLINE(com2, com2_option, "<baud>|auto[,<DPS>[,<io-base>[,<irq>]]]: the second serial port");

static void __init port_setup(struct serial_port *p, const char *spec)
{
	struct serial_port *cfg = p; /* nothing of it is used before it is present */

	cfg->lcr = 0x03; /* 8n1 */
	if (parse_spec(spec, cfg)) {
		printk(LOG_ERR "%s: '%s' is not understood\n", p->dev.name, spec);
		return;
	}
	outb(p->io + IER, 0);
	if (inb(p->io + IER) || inb(p->io + LSR) == 0xff) {
		printk(LOG_ERR "%s: there is no port at %#x\n", p->dev.name, p->io);
		return;
	}
	port_program(p);
	p->present = true;
	console_register(&p->dev);
}

void __init serial_init_early(void)
{
	for (unsigned int i = 0; i < 2; i++)
		if (specs[i] ||
		    console_wanted(ports[i].dev.name)) /* unset: as the firmware left it */
			port_setup(&ports[i], specs[i] ? specs[i] : "");
}

uint16_t serial_io_base(unsigned int port)
{
	return ports[port].present ? ports[port].io : 0;
}
