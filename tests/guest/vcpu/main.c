/* SPDX-License-Identifier: MIT */
/*
 * vcpu_op: timers, runstate, moving the vcpu_info, and a second vCPU from its context to running, down
 * and up again.  Needs two vCPUs for the last part.
 */
#include "guest.h"

TEST("vcpu");

static volatile unsigned int ticks;

static void tick(evtchn_port_t port)
{
	(void)port;
	ticks++;
}

static void block_until_tick(void)
{
	for (unsigned int i = 0; i < 1000 && !ticks; i++) {
		hypercall_sched_op(SCHEDOP_block, NULL);
		event_upcall_poll();
	}
}

static void test_singleshot(void)
{
	struct vcpu_set_singleshot_timer s = {0};
	uint64_t t0 = clock_ns();

	/* A vCPU starts with one of 10 ms. */
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
	event_bind_virq(VIRQ_TIMER, tick);
	ticks = 0;
	s.timeout_abs_ns = t0 + 3000000;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &s), 0);
	block_until_tick();
	CHECK_EQ(ticks, 1);
	CHECK(clock_ns() - t0 >= 3000000);
	CHECK(clock_ns() - t0 < 2000000000);
	s.timeout_abs_ns = t0; /* the past: at once */
	ticks = 0;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &s), 0);
	block_until_tick();
	CHECK_EQ(ticks, 1);
	s.timeout_abs_ns = clock_ns() + 1000000000000;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &s), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
}

static void test_set_timer_op(void)
{
	ticks = 0;
	CHECK_EQ(hypercall_set_timer_op(clock_ns() + 1000000), 0);
	block_until_tick();
	CHECK_EQ(ticks, 1);
	CHECK_EQ(hypercall_set_timer_op(0), 0);
}

/* The periodic timer serves a running vCPU; it need not wake one that blocks. */
static void spin_until_tick(void)
{
	uint64_t end = clock_ns() + 2000000000;

	while (!ticks && clock_ns() < end) {
		hypercall_sched_op(SCHEDOP_yield, NULL);
		event_upcall_poll();
	}
}

static void test_periodic(void)
{
	struct vcpu_set_periodic_timer p = {.period_ns = 999999};

	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &p), -XEN_EINVAL);
	p.period_ns = 2000000;
	ticks = 0;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &p), 0);
	spin_until_tick();
	CHECK(ticks >= 1);
	ticks = 0;
	spin_until_tick();
	CHECK(ticks >= 1);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
	event_upcall_poll(); /* one that came meanwhile */
}

static void test_runstate(void)
{
	static struct vcpu_runstate_info live, got;
	struct vcpu_register_runstate_memory_area area;
	uint64_t before;

	CHECK_EQ(hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, &got), 0);
	CHECK_EQ(got.state, RUNSTATE_running);
	CHECK(got.time[RUNSTATE_running] > 0);
	set_xen_guest_handle(area.addr.h, &live);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
	CHECK_EQ(live.state, RUNSTATE_running);
	before = got.time[RUNSTATE_blocked];
	ticks = 0;
	/* Far enough ahead that a busy host does not let it pass before the vCPU blocks. */
	hypercall_set_timer_op(clock_ns() + 100000000);
	block_until_tick();
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, &got), 0);
	CHECK(got.time[RUNSTATE_blocked] >= before + 1000000);
	CHECK(((volatile struct vcpu_runstate_info *)&live)->time[RUNSTATE_blocked] >=
	      before + 1000000);
	set_xen_guest_handle(area.addr.h, (struct vcpu_runstate_info *)NULL);
	hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
}

static unsigned char second_stack[8192] PAGE_ALIGNED;
static volatile unsigned int second_runs;
static struct vcpu_guest_context context;
static union {
	struct vcpu_info vi;
	unsigned char page[PAGE_SIZE];
} moved PAGE_ALIGNED;

static void second_main(void)
{
	for (;;) {
		second_runs++;
		hypercall_vcpu_op(VCPUOP_down, 1, NULL);
	}
}

static void context_fill(void)
{
	struct vcpu_guest_context *c = &context;

	c->flags = VGCF_in_kernel;
	c->user_regs.rip = (unsigned long)vcpu_entry;
	c->user_regs.rdi = (unsigned long)second_main;
	c->user_regs.rsp = (unsigned long)second_stack + sizeof(second_stack);
	c->user_regs.cs = FLAT_KERNEL_CS;
	c->user_regs.ss = FLAT_KERNEL_SS;
	c->user_regs.rflags = 0x202;
	c->kernel_ss = FLAT_KERNEL_SS;
	c->kernel_sp = c->user_regs.rsp;
	c->ctrlreg[3] = pte_of(virt_to_mfn(root_table), 0);
	c->event_callback_eip = (unsigned long)event_entry;
	c->failsafe_callback_eip = (unsigned long)failsafe_entry;
	c->syscall_callback_eip = (unsigned long)syscall_entry;
}

static bool wait_runs(unsigned int want)
{
	uint64_t end = clock_ns() + 3000000000;

	while (second_runs < want && clock_ns() < end)
		hypercall_sched_op(SCHEDOP_yield, NULL);
	return second_runs >= want;
}

static bool wait_down(void)
{
	uint64_t end = clock_ns() + 3000000000;

	while (hypercall_vcpu_op(VCPUOP_is_up, 1, NULL) && clock_ns() < end)
		hypercall_sched_op(SCHEDOP_yield, NULL);
	return hypercall_vcpu_op(VCPUOP_is_up, 1, NULL) == 0;
}

static void test_second(void)
{
	struct vcpu_register_vcpu_info info = {.mfn = virt_to_mfn(&moved)};

	if (hypercall_vcpu_op(VCPUOP_is_up, 1, NULL) < 0) {
		print("one vCPU only: second vCPU not tried\n");
		return;
	}
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, 1, NULL), -XEN_EINVAL);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 1, &info), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 1, &info), -XEN_EINVAL);
	CHECK(moved.vi.evtchn_upcall_pending); /* lest an event be lost by moving */
	moved.vi.evtchn_upcall_mask = 1;
	context_fill();
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_initialise, 1, &context), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_initialise, 1, &context), -XEN_EEXIST);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, 1, NULL), 0);
	CHECK(wait_runs(1));
	CHECK(wait_down());
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, 1, NULL), 0);
	CHECK(wait_runs(2));
	CHECK(wait_down());
}

static void test_bad_context(void)
{
	static struct vcpu_guest_context bad;

	if (hypercall_vcpu_op(VCPUOP_is_up, 1, NULL) < 0)
		return;
	context_fill();
	bad = context;
	bad.ctrlreg[3] = pte_of(0xfffffff, 0);
	CHECK(hypercall_vcpu_op(VCPUOP_initialise, 1, &bad) < 0);
	bad = context;
	bad.gdt_ents = 512;
	bad.gdt_frames[0] = virt_to_mfn(root_table);
	CHECK(hypercall_vcpu_op(VCPUOP_initialise, 1, &bad) < 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
}

/* The vcpu_info of this vCPU moves with its contents; last, because the helpers use the old place. */
static void test_move_info(void)
{
	static unsigned char page[PAGE_SIZE] PAGE_ALIGNED;
	struct vcpu_register_vcpu_info info = {.mfn = virt_to_mfn(page), .offset = 128};
	volatile struct vcpu_info *vi = (volatile struct vcpu_info *)(page + 128);

	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &info), 0);
	CHECK_EQ(vi->evtchn_upcall_mask, 1);
	CHECK(vi->time.version && !(vi->time.version & 1));
	CHECK(vi->time.tsc_to_system_mul != 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &info), -XEN_EINVAL);
}

void test_main(void)
{
	events_disable();
	test_singleshot();
	test_set_timer_op();
	test_periodic();
	test_runstate();
	test_bad_context();
	test_second();
	test_move_info();
}
