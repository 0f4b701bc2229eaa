/* SPDX-License-Identifier: MIT */
/* Serial ports (16550 and its like) as consoles "com1" and "com2". */
#ifndef DRIVERS_SERIAL_H
#define DRIVERS_SERIAL_H

#include "lib/types.h"

/*
 * Sets up what the options com1= and com2= describe, and registers it as consoles: polled from now
 * on. "<baud>[/<clock>]|auto[,<DPS>[,<io-base>[,<irq>]]]": what is left out stands as the PC has
 * it.
 */
void serial_init_early(void);
/* After irq_init() and core/timer.c: interrupts for input and output. */
void serial_init_irq(void);
/* The first of the 8 I/O ports of com1 (0) or com2 (1) if the hypervisor uses it, else 0. */
uint16_t serial_io_base(unsigned int port);

#endif
