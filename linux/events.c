// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The outer Xen's event channels, in its 2-level layout. Poncho turns the outer upcall into one virtual interrupt; its handler here
 * scans the shared bits and calls each port's handler, in hard-irq context: block completions are short there and NAPI only needs
 * scheduling. One CPU takes them all, as all outer channels notify outer vCPU 0; the work moves on by blk-mq's completion on the
 * submitter's CPU and by (threaded) NAPI.
 *
 * `ports` is written with the port masked and read by the interrupt handler alone, which never runs twice at once; unbinding waits
 * for it. Ports that are not ours are left alone: the hypervisor's console may have one, and sees to it itself.
 */
#define pr_fmt(fmt) "poncho-blanket: " fmt
#include <linux/interrupt.h>
#include <linux/vmalloc.h>
#include <xen/events.h>
#include <xen/interface/event_channel.h>
#include <asm/sync_bitops.h>
#include "blanket.h"

#define NR_PORTS EVTCHN_2L_NR_CHANNELS
/* So many events without work, and a port rests for so long. */
#define IDLE_EVENTS 1000
#define REST	    (HZ / 50 ?: 1)

struct port {
	event_fn fn;
	void *data;
	unsigned int idle;
};

static struct shared_info *info;
static struct port *ports;
static int virq_irq;
static DECLARE_BITMAP(resting, NR_PORTS);

static void port_unmask(unsigned int port)
{
	struct evtchn_unmask op = {.port = port};

	/* The outer Xen rings again if the port is pending. */
	if (nested_op(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, &op))
		pr_warn_ratelimited("cannot unmask outer event channel %u\n", port);
}

static void ports_wake(struct work_struct *work)
{
	unsigned int port;

	for_each_set_bit (port, resting, NR_PORTS)
		if (test_and_clear_bit(port, resting) && READ_ONCE(ports[port].fn))
			port_unmask(port);
}
static DECLARE_DELAYED_WORK(wake_work, ports_wake);

static void port_handle(unsigned int port)
{
	struct port *p = &ports[port];
	event_fn fn = READ_ONCE(p->fn); /* once: it may just be unbound, and waits for us then */

	if (!fn)
		return;
	sync_clear_bit(port, info->evtchn_pending);
	if (fn(p->data)) {
		p->idle = 0;
	} else if (++p->idle >= IDLE_EVENTS) {
		p->idle = 0;
		sync_set_bit(port, info->evtchn_mask);
		set_bit(port, resting);
		schedule_delayed_work(&wake_work, REST);
	}
}

static irqreturn_t events_upcall(int irq, void *unused)
{
	xen_ulong_t words = xchg(&info->vcpu_info[0].evtchn_pending_sel, 0), bits;

	for (; words; words &= words - 1) {
		unsigned int word = __ffs(words);

		bits = READ_ONCE(info->evtchn_pending[word]) & ~READ_ONCE(info->evtchn_mask[word]);
		for (; bits; bits &= bits - 1)
			port_handle(word * BITS_PER_LONG + __ffs(bits));
	}
	return IRQ_HANDLED;
}

int event_bind(unsigned int port, event_fn fn, void *data)
{
	if (port == 0 || port >= NR_PORTS || ports[port].fn) {
		pr_err("outer event channel %u is out of range or in use\n", port);
		return -EINVAL;
	}
	sync_set_bit(port, info->evtchn_mask);
	ports[port].idle = 0;
	ports[port].data = data;
	smp_store_release(&ports[port].fn, fn);
	port_unmask(port);
	return 0;
}

static void port_close(unsigned int port)
{
	struct evtchn_close op = {.port = port};

	if (nested_op(__HYPERVISOR_event_channel_op, EVTCHNOP_close, &op))
		pr_warn_ratelimited("cannot close outer event channel %u\n", port);
}

int event_alloc(domid_t peer, event_fn fn, void *data)
{
	struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = peer};
	int rc = nested_op(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &op);

	if (rc)
		return rc;
	rc = event_bind(op.port, fn, data);
	if (!rc)
		return op.port;
	port_close(op.port);
	return rc;
}

void event_unbind(unsigned int port)
{
	sync_set_bit(port, info->evtchn_mask);
	WRITE_ONCE(ports[port].fn, NULL);
	synchronize_irq(virq_irq);
	clear_bit(port, resting);
}

void event_free(unsigned int port)
{
	event_unbind(port);
	port_close(port);
}

void event_send(unsigned int port)
{
	struct evtchn_send op = {.port = port};

	if (nested_op(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &op))
		pr_warn_ratelimited("cannot send on outer event channel %u\n", port);
}

int events_init(void)
{
	ports = vzalloc(array_size(NR_PORTS, sizeof(*ports)));
	if (!ports)
		return -ENOMEM;
	info = frames_map(nested.shared_info_mfn, 1);
	virq_irq = info ? bind_virq_to_irqhandler(nested.virq, 0, events_upcall, 0,
						  "poncho-blanket", ports)
			: -ENOMEM;
	if (virq_irq >= 0) {
		/* A word that was told of when nobody listened is not told of again. */
		info->vcpu_info[0].evtchn_pending_sel = 0;
		return 0;
	}
	pr_err("cannot have the outer Xen's events: error %d\n", virq_irq);
	if (info)
		frames_unmap(info, 1);
	vfree(ports);
	return virq_irq;
}

void events_exit(void)
{
	unbind_from_irqhandler(virq_irq, ports);
	cancel_delayed_work_sync(&wake_work);
	frames_unmap(info, 1);
	vfree(ports);
}
