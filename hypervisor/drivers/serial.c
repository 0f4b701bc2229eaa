/* SPDX-License-Identifier: MIT */
/*
 * 16550 serial ports (National Semiconductor PC16550D data sheet). Polled until serial_init_irq(),
 * then output goes to a ring that the transmitter's interrupt empties, and input arrives by
 * interrupt. A full ring makes room by polling: nothing is dropped.
 *
 * Invariant: while a port is not synchronous and its ring is not empty, the transmit interrupt is
 * on (tx_irq). Lock: port->lock, taken with or without the console's lock; console_rx() is called without
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
#define IIR_ID	      0x0e /* 0: the modem's lines, which reading them ends */
#define FCR_ENABLE    0x07 /* and clear both */
#define FCR_TRIGGER_8 0x80
#define LCR_8N1	      0x03
#define LCR_DLAB      0x80
#define MCR_ON	      0x0b /* DTR, RTS, OUT2: the gate of the interrupt line */
#define LSR_DATA      0x01
#define LSR_THRE      0x20
#define LSR_IDLE      0x40

#define TX_RING	 16384 /* a power of two */
#define TX_FIFO	 16
#define RX_BATCH 64
#define SPINS	 1000000 /* a port whose transmitter is stuck must not stop the machine */

struct serial_config {
	uint16_t io;
	uint8_t irq, lcr;
	uint16_t divisor; /* 0: leave the speed as it is */
};

struct serial_port {
	struct console_dev dev;
	spinlock_t lock;
	bool wanted, present, by_irq, sync, dead;
	bool tx_irq; /* the transmitter's interrupt is on */
	struct serial_config config;
	unsigned int fifo;
	uint32_t head, tail; /* ring: free-running, head is where to put */
	struct timer poll;   /* where there is no interrupt */
	char ring[TX_RING];
};

static void port_write(struct console_dev *dev, const char *s, size_t n);
static void port_sync(struct console_dev *dev);

static struct serial_port ports[2] = {
	{.dev = {"com1", port_write, port_sync}, .config = {0x3f8, 4, LCR_8N1, 0}},
	{.dev = {"com2", port_write, port_sync}, .config = {0x2f8, 3, LCR_8N1, 0}},
};

/* --- output --- */

static bool tx_empty(struct serial_port *p)
{
	for (unsigned int i = 0; !(inb(p->config.io + LSR) & LSR_THRE); i++) {
		if (p->dead || i == SPINS) {
			p->dead = true;
			return false;
		}
		cpu_pause();
	}
	p->dead = false;
	return true;
}

/* The transmitter is empty: as much as its FIFO takes, by one instruction, which below a hypervisor is one exit. */
static void tx_fill(struct serial_port *p)
{
	uint32_t at = p->tail % TX_RING, n = min(p->head - p->tail, TX_RING - at);
	const char *from = &p->ring[at];
	unsigned long count;

	count = n = min(n, p->fifo);
	__asm__ __volatile__("rep outsb"
			     : "+S"(from), "+c"(count)
			     : "d"((uint16_t)(p->config.io + THR))
			     : "memory");
	p->tail += n;
}

/* What a transmitter that is stuck does not take is lost. */
static void tx_drain(struct serial_port *p)
{
	while (p->tail != p->head)
		if (tx_empty(p))
			tx_fill(p);
		else
			p->tail++;
}

static void tx_irq_set(struct serial_port *p, bool on)
{
	if (p->tx_irq == on)
		return;
	p->tx_irq = on;
	outb(p->config.io + IER, on ? IER_RX | IER_TX : IER_RX);
}

static void put_char(struct serial_port *p, char c)
{
	if (p->head - p->tail == TX_RING) {
		if (tx_empty(p))
			tx_fill(p);
		else
			p->tail++;
	}
	p->ring[p->head++ % TX_RING] = c;
}

static void port_write(struct console_dev *dev, const char *s, size_t n)
{
	struct serial_port *p = container_of(dev, struct serial_port, dev);

	spin_lock(&p->lock);
	while (n--) {
		if (*s == '\n')
			put_char(p, '\r');
		put_char(p, *s++);
	}
	if (!p->by_irq || p->sync) {
		tx_drain(p);
	} else if (!p->tx_irq) {
		if (inb(p->config.io + LSR) & LSR_THRE)
			tx_fill(p);
		tx_irq_set(p, p->tail != p->head);
	}
	spin_unlock(&p->lock);
}

/* In a crash the lock may be held by a CPU that is stopped: it is not waited for long. */
static void port_sync(struct console_dev *dev)
{
	struct serial_port *p = container_of(dev, struct serial_port, dev);

	for (unsigned int i = 0; i < 10000 && spin_is_locked(&p->lock); i++)
		cpu_pause();
	spin_lock_init(&p->lock);
	tx_drain(p);
	p->sync = true;
}

/* --- interrupts --- */

static void port_service(struct serial_port *p)
{
	char buf[RX_BATCH];
	unsigned int n = 0;
	uint8_t lsr;

	spin_lock(&p->lock);
	lsr = inb(p->config.io + LSR);
	for (; n < RX_BATCH && (lsr & LSR_DATA); lsr = inb(p->config.io + LSR))
		buf[n++] = (char)inb(p->config.io + RBR);
	if (lsr & LSR_THRE)
		tx_fill(p);
	if (p->by_irq)
		tx_irq_set(p, p->tail != p->head);
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
		uint8_t iir = inb(p->config.io + IIR); /* ends a transmitter's request */

		if (iir & IIR_NONE)
			return;
		if (!(iir & IIR_ID))
			inb(p->config.io + MSR);
		port_service(p);
	}
}

static void serial_interrupt(struct cpu_user_regs *regs)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++)
		if (ports[i].by_irq)
			port_interrupt(&ports[i]);
}

static void port_poll(void *data)
{
	struct serial_port *p = data;

	port_service(p);
	timer_set(&p->poll, time_now() + MILLISECS(20));
}

void __init serial_init_irq(void)
{
	for (struct serial_port *p = ports; p < ports + ARRAY_SIZE(ports); p++) {
		if (!p->present)
			continue;
		if (p->config.irq && !irq_request_isa(p->config.irq, serial_interrupt)) {
			p->by_irq = true;
			outb(p->config.io + MCR, MCR_ON);
			outb(p->config.io + IER, IER_RX);
			/* What waits already has made its edge before the line was open. */
			port_interrupt(p);
		} else {
			timer_init(&p->poll, port_poll, p, 0);
			port_poll(p);
		}
	}
}

/* --- set-up --- */

/*
 * "8n1": data bits, parity, stop bits, into the line control register's bits; 0xff if it is
 * something else.
 */
static uint8_t __init dps_parse(const char *s)
{
	static const uint8_t codes[] = {0, 1, 3, 5, 7}; /* none, odd, even, mark, space */
	const char *names = "noems", *parity;

	if (strlen(s) != 3 || s[0] < '5' || s[0] > '8' || s[2] < '1' || s[2] > '2')
		return 0xff;
	parity = strchr(names, s[1]);
	return parity ? (uint8_t)((s[0] - '5') | (s[2] - '1') << 2 | codes[parity - names] << 3)
		      : 0xff;
}

static int __init baud_parse(const char *s, uint16_t *divisor)
{
	uint64_t baud, clock = 1843200;

	if (parse_u64(s, &s, 0, &baud) || !baud)
		return -EINVAL;
	if (*s && (*s != '/' || parse_u64(s + 1, NULL, 0, &clock)))
		return -EINVAL;
	*divisor = (uint16_t)(clock / 16 / baud);
	return *divisor && *divisor == clock / 16 / baud ? 0 : -EINVAL;
}

/* The comma-separated fields; one that is missing or empty leaves things as they are. */
static int __init config_parse(const char *s, struct serial_config *c)
{
	char field[4][24];
	uint64_t io = c->io, irq = c->irq;
	size_t len;

	for (unsigned int i = 0; i < ARRAY_SIZE(field); i++) {
		const char *comma = strchr(s, ',');

		len = comma ? (size_t)(comma - s) : strlen(s);
		strlcpy(field[i], s, min(len + 1, sizeof(field[i])));
		s += len + (comma != NULL);
	}
	if (*s)
		return -EINVAL;
	if (*field[0] && strcmp(field[0], "auto") && baud_parse(field[0], &c->divisor))
		return -EINVAL;
	if (*field[1])
		c->lcr = dps_parse(field[1]);
	if (*field[2] && parse_u64(field[2], NULL, 0, &io))
		return -EINVAL;
	if (*field[3] && parse_u64(field[3], NULL, 0, &irq))
		return -EINVAL;
	c->io = (uint16_t)io;
	c->irq = (uint8_t)irq;
	return c->lcr == 0xff || !io || io > 0xfff8 || irq > 15 ? -EINVAL : 0;
}

static int __init port_option(struct serial_port *p, const char *v)
{
	struct serial_config c = p->config;
	int rc = config_parse(v, &c);

	if (!rc) {
		p->config = c;
		p->wanted = true;
	}
	return rc;
}

static int __init com1_option(const char *v)
{
	return port_option(&ports[0], v);
}
CMDLINE(com1, com1_option, "<baud>|auto[,<DPS>[,<io-base>[,<irq>]]]: the first serial port");

static int __init com2_option(const char *v)
{
	return port_option(&ports[1], v);
}
CMDLINE(com2, com2_option, "<baud>|auto[,<DPS>[,<io-base>[,<irq>]]]: the second serial port");

static void __init port_program(struct serial_port *p)
{
	outb(p->config.io + LCR, p->config.lcr);
	if (p->config.divisor) {
		outb(p->config.io + LCR, p->config.lcr | LCR_DLAB);
		outb(p->config.io + THR, (uint8_t)p->config.divisor);
		outb(p->config.io + IER, (uint8_t)(p->config.divisor >> 8));
		outb(p->config.io + LCR, p->config.lcr);
	}
	outb(p->config.io + FCR, FCR_ENABLE | FCR_TRIGGER_8);
	p->fifo = (inb(p->config.io + IIR) & 0xc0) == 0xc0 ? TX_FIFO : 1;
	outb(p->config.io + MCR, MCR_ON & ~8);
}

/* Without an option: as the firmware left it. */
void __init serial_init_early(void)
{
	for (struct serial_port *p = ports; p < ports + ARRAY_SIZE(ports); p++) {
		if (!p->wanted && !console_wanted(p->dev.name))
			continue;
		outb(p->config.io + IER, 0);
		if (inb(p->config.io + IER) || inb(p->config.io + LSR) == 0xff) {
			printk(LOG_ERR "%s: there is no port at %#x\n", p->dev.name, p->config.io);
			continue;
		}
		port_program(p);
		p->present = true;
		console_register(&p->dev);
	}
}

uint16_t serial_io_base(unsigned int port)
{
	return ports[port].present ? ports[port].config.io : 0;
}
