/* SPDX-License-Identifier: MIT */
/*
 * The legacy pair of interrupt controllers (Intel 8259A data sheet): moved out of the way of the
 * exceptions and masked for good. Their only trace afterwards can be a spurious interrupt at
 * vectors 0x27 and 0x2f.
 */
#include "x86/asm.h"
#include "x86/irq.h"

#define PIC1 0x20
#define PIC2 0xa0

void i8259_disable(void)
{
	outb(PIC1 + 1, 0xff);
	outb(PIC2 + 1, 0xff);
	outb(PIC1, 0x11); /* ICW1: edge, cascade, ICW4 follows */
	outb(PIC1 + 1, 0x20);
	outb(PIC1 + 1, 0x04); /* the second is on line 2 */
	outb(PIC1 + 1, 0x01);
	outb(PIC2, 0x11);
	outb(PIC2 + 1, 0x28);
	outb(PIC2 + 1, 0x02);
	outb(PIC2 + 1, 0x01);
	outb(PIC1 + 1, 0xff);
	outb(PIC2 + 1, 0xff);
}
