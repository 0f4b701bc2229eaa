/* SPDX-License-Identifier: MIT */
/*
 * The log: printk's ring, levels, the consoles behind it (serial, VGA), the input that the serial line shares between the hypervisor and
 * domain 0 (three Ctrl-A switch), key handlers (`xl debug-keys`).
 *
 * core/console.c prints and owns the lock of all output; core/console_io.c is what guests and tools read and write;
 * core/keyhandler.c are the keys.
 */
#ifndef CORE_CONSOLE_H
#define CORE_CONSOLE_H

#include "core/domain.h"

/* An output (and maybe input) device; drivers register theirs. */
struct console_dev {
	const char *name;
	/* Console lock held; may drop nothing. */
	void (*write)(struct console_dev *dev, const char *s, size_t n);
	void (*sync)(struct console_dev *dev); /* from now on output synchronously */
	struct console_dev *next;
};
/* The device is given all that the ring holds. */
void console_register(struct console_dev *dev);
void console_init_early(void); /* command line known: levels, devices */
void console_init_ring(void);  /* heap is there: ring of conring_size */
void console_endboot(
	void); /* domain 0 is about to run: levels are said, input goes to it (conswitch=) */
void console_start_sync(void); /* crash: unlock, synchronous from here on */
void console_rx(char c);       /* from a driver's interrupt */
/* Does `console=` (default "vga,com1") name this device? For drivers, before they register. */
bool console_wanted(const char *name);

/* XEN_SYSCTL_readconsole */
int console_read(struct xen_sysctl_readconsole *op);
/*
 * CONSOLEIO_write / read of the current domain. Write returns 0 or -errno; a long one stops between chunks when the CPU
 * is wanted and returns how many bytes it has taken (> 0): continue with the rest.
 */
long console_guest_write(struct domain *d, unsigned long buf_va, unsigned int count);
long console_guest_read(unsigned long buf_va, unsigned int count);

/* A line on a guest's behalf: prefix "(d1) " in place of "(XEN) ". Start @fmt with a LOG_G_* level. */
void guest_printk(const struct domain *d, const char *fmt, ...) __printf_like(2, 3);
/* While on (counted), every level is printed and nothing is rate-limited: key handlers. */
void console_log_everything(bool on);
/* Bytes as they are, to the devices and (@ring) the ring. */
void console_write_raw(const char *s, size_t n, bool ring);
/* At most @n of the ring's bytes from index *@at on, or from the first that is still there; moves *@at on. 0: no more. */
size_t console_ring_read(char *dst, size_t n, uint32_t *at);
uint32_t console_ring_first(void);
void console_ring_consume(uint32_t upto); /* gives up what is before */

/* Log levels shown and changed at run time: lower/upper of the hypervisor's (0) or the guests' (1) messages. */
struct log_thresholds {
	int lower, upper;
};
extern struct log_thresholds log_thresholds[2];
const char *log_level_name(int level);

/* What an operator can ask by a key: from XEN_SYSCTL_debug_keys, with no lock held; or, from an interrupt, soon. */
void keyhandler_run(char key);
void keyhandler_queue(char key);

#endif
