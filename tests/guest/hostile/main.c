/* SPDX-License-Identifier: MIT */
/*
 * A guest that means harm: random hypercalls with random arguments and random page-table writes, for
 * as long as "seconds=" on its command line says (10), from "seed=".  It may well destroy itself; what
 * counts is that everybody else lives, so its configuration should restart it.  Unprivileged only:
 * domain 0 could power the machine off.
 */
#include "guest.h"

TEST("hostile");

static unsigned char scratch[16 * PAGE_SIZE] PAGE_ALIGNED;

/* Values that have hurt hypervisors: edges of ranges, own frames, frame numbers, small numbers. */
static unsigned long random_value(void)
{
	static const unsigned long edges[] = {
		0,
		1,
		~0ul,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		0x8000000000000000,
		0x00007fffffffffff,
		0xffff800000000000,
		0xffff82d040200000,
		0xffff830000000000,
		0xffff880000000000,
		DOMID_SELF,
		DOMID_IO,
		DOMID_XEN,
	};

	switch (random_below(7)) {
	case 0:
		return edges[random_below(ARRAY_LEN(edges))];
	case 1:
		return (unsigned long)scratch + random_below(sizeof(scratch));
	case 2:
		return virt_to_mfn(scratch + random_below(16) * PAGE_SIZE);
	case 3:
		return random_below(0x40000);
	case 4:
		return pte_of(random_below(0x40000), random64() & 0xfff);
	case 5:
		return random_below(40);
	}
	return random64();
}

static void scratch_fill(void)
{
	unsigned long *p = (unsigned long *)scratch;
	unsigned int at = random_below(sizeof(scratch) / 8 - 64);

	/* A page of it may be a table or gone by now. */
	for (unsigned int i = 0; i < 64; i++)
		if (fault_write(&p[at + i], random_value()) != TRAP_NONE)
			break;
}

/* What would only stop this guest quietly is left out: it should go on being a nuisance. */
static bool suicidal(unsigned int nr, unsigned long cmd)
{
	switch (nr) {
	case __HYPERVISOR_iret:
	case __HYPERVISOR_set_callbacks:
	case __HYPERVISOR_stack_switch:
	case __HYPERVISOR_set_trap_table:
	case __HYPERVISOR_callback_op:
		return true;
	case __HYPERVISOR_multicall: /* may hold any of these; random_multicall() does its own */
		return true;
	case __HYPERVISOR_sched_op:
	case __HYPERVISOR_sched_op_compat:
		return cmd != 0;
	case __HYPERVISOR_vcpu_op:
		return cmd <= VCPUOP_down || cmd == VCPUOP_register_vcpu_info;
	case __HYPERVISOR_event_channel_op:
		return cmd == EVTCHNOP_close || cmd == EVTCHNOP_reset;
	}
	return false;
}

/* A call and arguments; with some likelihood of the shape that the call wants. */
static multicall_entry_t random_call(void)
{
	multicall_entry_t c = {.op = random_below(random_below(4) ? 42 : 64)};
	unsigned long p = (unsigned long)scratch + random_below(sizeof(scratch) - 512) / 8 * 8;

	for (unsigned int i = 0; i < 5; i++)
		c.args[i] = random_value();
	if (random_below(4)) {
		c.args[0] = random_below(36);
		c.args[1] = p;
	}
	if (random_below(3) == 0) {
		c.args[0] = p;
		c.args[1] = random_below(8);
		c.args[2] = 0;
		c.args[3] = DOMID_SELF;
	}
	if (suicidal(c.op, c.args[0]))
		c.op = __HYPERVISOR_xen_version;
	return c;
}

static void random_hypercall(void)
{
	multicall_entry_t c = random_call();

	hypercall_any(c.op, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4]);
}

static void random_multicall(void)
{
	multicall_entry_t list[8];

	for (unsigned int i = 0; i < 8; i++)
		list[i] = random_call();
	hypercall_multicall(list, random_below(9));
}

/* Entries of scratch's own tables, written by each of the ways there are. */
static void random_page_table(void)
{
	unsigned long va = (unsigned long)scratch + random_below(16) * PAGE_SIZE;
	uint64_t *pte = pte_find(va, 1 + random_below(2));
	unsigned int cmd = random_below(20);
	uint64_t val = random_below(2) ? random_value() : pte_of(random_below(0x40000), PTE_RW);

	if (!pte || (unsigned long)pte < GUEST_BASE)
		return;
	switch (random_below(4)) {
	case 0:
		hypercall_update_va_mapping(va, val, random64() & 7);
		break;
	case 1:
		if (pte == pte_find(va, 1))
			pte_write(pte, val);
		break;
	case 2:
		if (pte == pte_find(va, 1))
			fault_write(pte, val);
		break;
	case 3:
		if (cmd != MMUEXT_NEW_BASEPTR)
			mmuext(cmd, virt_to_mfn(scratch + random_below(16) * PAGE_SIZE));
		break;
	}
	if (random_below(8) == 0)
		page_protect((void *)va, random_below(2) ? PTE_RW : PTE_RO);
}

static bool survive(struct regs *r)
{
	return r->vector == TRAP_NMI || r->vector == TRAP_NM || r->vector == TRAP_DB;
}

void test_main(void)
{
	unsigned long rounds = 0;
	uint64_t seed, end;

	events_disable();
	if (is_dom0())
		verdict_skip("only as an unprivileged guest");
	seed = cmdline_number("seed", rdtsc());
	random_seed(seed);
	end = clock_ns() + cmdline_number("seconds", 10) * 1000000000;
	print("seed %lu\n", seed);
	hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
	trap_hook = survive;
	while (clock_ns() < end) {
		for (unsigned int i = 0; i < 100; i++) {
			random_hypercall();
			random_page_table();
			if (!(i & 15))
				random_multicall();
			if (!(i & 7))
				scratch_fill();
		}
		rounds += 100;
	}
	print("rounds %lu\n", rounds);
	CHECK(rounds > 0);
}
