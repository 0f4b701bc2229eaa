/* SPDX-License-Identifier: MIT */
/*
 * Event channels in the FIFO form: control block and event array given over, order within a queue,
 * priorities, masks, the linked bit, and ports beyond what two levels can number.
 */
#include "guest.h"

TEST("fifo");

static struct evtchn_fifo_control_block *control;
static volatile event_word_t *array;

static uint32_t queue_head[EVTCHN_FIFO_MAX_QUEUES];

static void array_expand(unsigned int pages)
{
	struct evtchn_expand_array x;

	for (unsigned int i = 0; i < pages; i++) {
		void *page = page_alloc();

		if (!i)
			array = page;
		x.array_gfn = virt_to_mfn(page);
		CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_expand_array, &x), 0);
	}
}

static void init_control(void)
{
	struct evtchn_init_control c = {.vcpu = 0, .offset = 0};
	struct evtchn_set_priority pri = {.port = 1, .priority = 3};

	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_set_priority, &pri), -XEN_ENOSYS);
	control = page_alloc();
	c.control_gfn = virt_to_mfn(control);
	c.offset = 4090;
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_init_control, &c), -XEN_EINVAL);
	c.offset = 4;
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_init_control, &c), -XEN_EINVAL);
	c.offset = 0;
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_init_control, &c), 0);
	CHECK_EQ(c.link_bits, EVTCHN_FIFO_LINK_BITS);
}

static bool bit(evtchn_port_t p, unsigned int b)
{
	return (array[p] >> b) & 1;
}

/* Take the first port off one queue as a guest does; 0 when it is empty. */
static evtchn_port_t queue_pop(unsigned int q)
{
	uint32_t head = queue_head[q], link;

	if (!head)
		head = control->head[q];
	if (!head)
		return 0;
	link = array[head] & ((1u << EVTCHN_FIFO_LINK_BITS) - 1);
	array[head] &= ~(1u << EVTCHN_FIFO_LINKED | ((1u << EVTCHN_FIFO_LINK_BITS) - 1));
	queue_head[q] = link;
	if (!link)
		asm volatile("lock btr %1, %0" : "+m"(control->ready) : "r"(q) : "memory");
	return head;
}

static void pending_clear(evtchn_port_t p)
{
	asm volatile("lock btr %1, %0" : "+m"(array[p]) : "r"(EVTCHN_FIFO_PENDING) : "memory");
}

static void fifo_unmask(evtchn_port_t p)
{
	asm volatile("lock btr %1, %0" : "+m"(array[p]) : "r"(EVTCHN_FIFO_MASKED) : "memory");
}

static evtchn_port_t bind_ipi(void)
{
	struct evtchn_bind_ipi b = {.vcpu = 0};

	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_ipi, &b), 0);
	return b.port;
}

static void send(evtchn_port_t p)
{
	struct evtchn_send s = {.port = p};

	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_send, &s), 0);
}

static void test_order(void)
{
	evtchn_port_t p[3];

	for (unsigned int i = 0; i < 3; i++) {
		p[i] = bind_ipi();
		fifo_unmask(p[i]);
	}
	vcpu_info0()->evtchn_upcall_pending = 0;
	send(p[1]);
	CHECK(vcpu_info0()->evtchn_upcall_pending);
	CHECK_EQ(control->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
	CHECK_EQ(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], p[1]);
	CHECK(bit(p[1], EVTCHN_FIFO_PENDING) && bit(p[1], EVTCHN_FIFO_LINKED));
	send(p[0]);
	send(p[1]);
	send(p[2]);
	CHECK_EQ(queue_pop(EVTCHN_FIFO_PRIORITY_DEFAULT), p[1]);
	CHECK_EQ(queue_pop(EVTCHN_FIFO_PRIORITY_DEFAULT), p[0]);
	CHECK_EQ(queue_pop(EVTCHN_FIFO_PRIORITY_DEFAULT), p[2]);
	CHECK_EQ(queue_head[EVTCHN_FIFO_PRIORITY_DEFAULT], 0);
	for (unsigned int i = 0; i < 3; i++)
		pending_clear(p[i]);
}

static void test_priority(void)
{
	evtchn_port_t p = bind_ipi();
	struct evtchn_set_priority pri = {.port = p, .priority = EVTCHN_FIFO_PRIORITY_MAX};

	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_set_priority, &pri), 0);
	fifo_unmask(p);
	send(p);
	CHECK(control->ready & 1);
	CHECK_EQ(queue_pop(0), p);
	pending_clear(p);
	pri.priority = EVTCHN_FIFO_PRIORITY_MIN + 1;
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_set_priority, &pri), -XEN_EINVAL);
}

/* A masked port is pending but not linked until the unmask call finds it. */
static void test_mask(void)
{
	struct evtchn_unmask u = {.port = bind_ipi()};

	asm volatile("lock bts %1, %0" : "+m"(array[u.port]) : "r"(EVTCHN_FIFO_MASKED) : "memory");
	send(u.port);
	CHECK(bit(u.port, EVTCHN_FIFO_PENDING));
	CHECK(!bit(u.port, EVTCHN_FIFO_LINKED));
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_unmask, &u), 0);
	CHECK(bit(u.port, EVTCHN_FIFO_LINKED));
	CHECK(!bit(u.port, EVTCHN_FIFO_MASKED));
	CHECK_EQ(queue_pop(EVTCHN_FIFO_PRIORITY_DEFAULT), u.port);
	pending_clear(u.port);
}

/* Each page of the array holds 1024 ports; without a page an allocation makes no progress. */
static void test_many(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	evtchn_port_t last = 0;

	while (!hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &a) && last < 6000)
		last = a.port;
	CHECK(last > (is_dom0() ? 4096 : 900));
}

void test_main(void)
{
	events_disable();
	init_control();
	array_expand(5);
	test_order();
	test_priority();
	test_mask();
	test_many();
}
