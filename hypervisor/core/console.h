/* SPDX-License-Identifier: MIT */
/*
 * The log: printk's ring, levels, the consoles behind it (serial, VGA), the input that the serial line shares between the hypervisor and
 * domain 0 (three Ctrl-A switch), key handlers (`xl debug-keys`).
 *
 * core/console.c prints and owns the lock of all output; core/console_io.c is what guests and tools read and write;
 * core/keyhandler.c and core/keydumps.c are the keys.
 */
#ifndef CORE_CONSOLE_H
#define CORE_CONSOLE_H

#include "core/domain.h"
#include <stdarg.h>

/* An output (and maybe input) device; drivers register theirs. */
struct console_dev {
	const char *name;
	void (*write)(const char *s, size_t n); /* console lock held; may drop nothing */
	void (*sync)(bool on);			/* from now on output synchronously, or not */
	struct console_dev *next;
};
/* The device is given all that the ring holds. */
void console_register(struct console_dev *dev);
void console_init_early(void); /* command line known: levels, devices */
void console_init_ring(void);  /* heap is there: ring of conring_size */
void console_endboot(
	void); /* domain 0 is about to run: levels are said, input goes to it (conswitch=) */
void console_start_sync(void); /* crash: unlock, synchronous from here on */
void console_end_sync(void);
void console_rx(char c); /* from a driver's interrupt */
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

void vprintk(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
/* A line on a guest's behalf: prefix "(d1) " in place of "(XEN) ". Start @fmt with a LOG_G_* level. */
void guest_printk(const struct domain *d, const char *fmt, ...) __printf_like(2, 3);
/* While on (counted), every level is printed and nothing is rate-limited: key handlers. */
void console_log_everything(bool on);
/* Bytes as they are, to the devices and (@ring) the ring. */
void console_write_raw(const char *s, size_t n, bool ring);
/* A copy of the ring's bytes from index @from on, at most @n; tells how many and the first index really there. */
size_t console_ring_copy(char *dst, size_t n, uint32_t *from);
void console_ring_bounds(uint32_t *first, uint32_t *end);
void console_ring_consume(uint32_t upto);

/* Log levels shown and changed at run time: lower/upper of the hypervisor's (0) or the guests' (1) messages. */
struct log_thresholds {
	int lower, upper;
};
extern struct log_thresholds log_thresholds[2];
const char *log_level_name(int level);

/* Command line options; boot/cmdline.h registers them. Each returns 0 or -EINVAL. */
int loglvl_option(const char *value);
int guest_loglvl_option(const char *value);
int console_option(const char *value);
int console_timestamps_option(const char *value);
int sync_console_option(const char *value);
int conring_size_option(const char *value);
int conswitch_option(const char *value);
int console_to_ring_option(const char *value);

/* A handler runs from SOFTIRQ_WORK or from XEN_SYSCTL_debug_keys, with no lock held. */
void keyhandler_register(char key, void (*fn)(char), const char *help);
bool keyhandler_run(char key);
void keyhandler_queue(char key); /* from an interrupt: run soon */
void printk_dump_domains(void);

/* core/keydumps.c: what the keys print; called by core/keyhandler.c only. */
void dump_domains(char key);
void dump_registers(char key);
void dump_hardware_domain(char key);
void dump_runqueues(char key);
void dump_event_channels(char key);
void dump_grants(char key);
void dump_memory(char key);
void dump_clocks(char key);
void dump_timers(char key);
void dump_system(char key);

#endif
