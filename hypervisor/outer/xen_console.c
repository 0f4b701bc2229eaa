/* SPDX-License-Identifier: MIT */
/*
 * The console that an outer Xen gives its guests (<xen/io/console.h>): a ring either way in a page, and a channel. It is used where
 * `console=` names "xen", and always where we were entered as a PVH guest, which has no other.
 *
 * Output is written under the console's lock; a ring that stays full loses it. Input is read by the interrupt. The other side can
 * change all of the page at any time: its indices are only ever used modulo the rings' sizes.
 */
#include "boot/boot_info.h"
#include "core/console.h"
#include "lib/bitops.h"
#include "lib/string.h"
#include "outer/xen.h"
#include "x86/asm.h"
#include "x86/page.h"
#include <xen/event_channel.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/sched.h>

#define SPINS 2000 /* yields until a full ring is taken for dead */

static struct xencons_interface *ring __ro_after_init;
static bool dead;

static void notify(void)
{
	struct evtchn_send op = {.port = xen_outer_port};

	smp_mb();
	xen_outer_call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&op, 0);
}

static bool full(void)
{
	return ring->out_prod - READ_ONCE(ring->out_cons) >= sizeof(ring->out);
}

static bool wait_for_room(void)
{
	if (full())
		notify();
	for (unsigned int i = 0; full(); i++) {
		if (dead || i == SPINS) {
			dead = true;
			return false;
		}
		xen_outer_call(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	}
	dead = false;
	return true;
}

static void put_char(char c)
{
	if (!wait_for_room())
		return;
	ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = c;
	smp_wmb();
	WRITE_ONCE(ring->out_prod, ring->out_prod + 1);
}

static void ring_write(struct console_dev *dev, const char *s, size_t n)
{
	for (; n; n--, s++) {
		if (*s == '\n')
			put_char('\r');
		put_char(*s);
	}
	notify();
}

/* At most a ring's worth at a time. */
void xen_console_interrupt(void)
{
	uint32_t at = ring->in_cons, n = READ_ONCE(ring->in_prod) - at;

	if (!n)
		return;
	smp_rmb();
	for (n = min(n, (uint32_t)sizeof(ring->in)); n; n--, at++)
		console_rx(ring->in[MASK_XENCONS_IDX(at, ring->in)]);
	smp_mb();
	WRITE_ONCE(ring->in_cons, at);
	notify();
}

static struct console_dev xen_dev = {.name = "xen", .write = ring_write};

void __init xen_console_init(void)
{
	uint64_t pfn, port;

	if (!console_wanted("xen") && strcmp(boot_info.protocol, "PVH"))
		return;
	pfn = xen_outer_param(HVM_PARAM_CONSOLE_PFN);
	port = xen_outer_param(HVM_PARAM_CONSOLE_EVTCHN);
	if (!pfn || !port || port >= 64)
		return;
	ring = ioremap_flags(pfn << PAGE_SHIFT, PAGE_SIZE, 0);
	if (!ring)
		return;
	xen_outer_port = (uint32_t)port;
	xen_outer_unmask(xen_outer_port);
	console_register(&xen_dev);
}
