/* SPDX-License-Identifier: MIT */
/*
 * The legacy pair of interrupt controllers (Intel 8259A data sheet): moved out of the way of the
 * exceptions and masked for good. Their only trace afterwards can be a spurious interrupt at
 * vectors 0x27 and 0x2f.
 */
#include "x86/asm.h"
#include "x86/irq.h"

void __init i8259_disable(void)
{
	for (unsigned int second = 0; second < 2; second++) {
		uint16_t port = second ? 0xa0 : 0x20;

		outb(port, 0x11); /* ICW1: edge, cascade, ICW4 follows */
		outb(port + 1, second ? 0x28 : 0x20);
		outb(port + 1, second ? 0x02 : 0x04); /* the second is on line 2 */
		outb(port + 1, 0x01);
		outb(port + 1, 0xff);
	}
}
