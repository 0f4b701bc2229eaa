/* SPDX-License-Identifier: MIT */
/*
 * physdev_op and platform_op: rights of domain 0, refusals for everybody else, and bad contents from
 * both.
 */
#include "guest.h"
#include <xen/platform.h>

TEST("physdev");

static long dom0_or(long rc)
{
	return is_dom0() ? rc : -XEN_EPERM;
}

static void test_iopl(void)
{
	struct physdev_set_iopl i = {.iopl = 1};
	struct physdev_set_iobitmap b = {.nr_ports = 0};

	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_set_iopl, &i), 0);
	i.iopl = 4;
	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_set_iopl, &i), -XEN_EINVAL);
	i.iopl = 0;
	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_set_iopl, &i), 0);
	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_set_iobitmap, &b), 0);
	b.nr_ports = 65537;
	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_set_iobitmap, &b), -XEN_EINVAL);
}

static void test_irq(void)
{
	struct physdev_irq_status_query q = {.irq = 100000};
	struct physdev_eoi eoi = {.irq = 100000};
	struct physdev_get_free_pirq f = {.type = MAP_PIRQ_TYPE_GSI};
	struct physdev_unmap_pirq un = {.domid = DOMID_SELF, .pirq = 9999};
	struct physdev_map_pirq map = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 5000, .pirq = 5000};

	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_irq_status_query, &q), -XEN_EINVAL);
	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_eoi, &eoi), -XEN_EINVAL);
	CHECK(hypercall_physdev_op(PHYSDEVOP_get_free_pirq, &f) <= 0);
	CHECK(hypercall_physdev_op(PHYSDEVOP_unmap_pirq, &un) < 0);
	CHECK(hypercall_physdev_op(PHYSDEVOP_map_pirq, &map) < 0);
}

/* The serial port's, which the hypervisor listens on: domain 0's drivers find it, and cannot take it. */
static void test_irq_of_hypervisor(void)
{
	struct physdev_map_pirq map = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 4, .pirq = 4};
	struct evtchn_bind_pirq bind = {.pirq = 4};

	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_map_pirq, &map), dom0_or(0));
	if (!is_dom0())
		return;
	CHECK_EQ(map.pirq, 4);
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_bind_pirq, &bind), -XEN_EBUSY);
}

static void test_eoi_gmfn(void)
{
	static unsigned char page[PAGE_SIZE] PAGE_ALIGNED;
	struct physdev_pirq_eoi_gmfn g = {.gmfn = virt_to_mfn(root_table)};

	CHECK(hypercall_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &g) < 0);
	g.gmfn = virt_to_mfn(page);
	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &g), 0);
	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &g), -XEN_EBUSY);
}

static void test_apic(void)
{
	struct physdev_apic a = {.apic_physbase = 0xfec00000, .reg = 1};

	CHECK_EQ(hypercall_physdev_op(PHYSDEVOP_apic_read, &a), dom0_or(0));
	a.apic_physbase = 0xdead0000;
	CHECK(hypercall_physdev_op(PHYSDEVOP_apic_read, &a) < 0);
	CHECK_EQ(hypercall_physdev_op(99, &a), -XEN_ENOSYS);
}

static void test_platform(void)
{
	static xen_platform_op_t op;

	op = (xen_platform_op_t){.cmd = XENPF_get_cpuinfo, .interface_version = 1};
	CHECK_EQ(hypercall_platform_op(&op), -XEN_EACCES);
	op = (xen_platform_op_t){.cmd = XENPF_get_cpuinfo,
				 .interface_version = XENPF_INTERFACE_VERSION};
	CHECK_EQ(hypercall_platform_op(&op), dom0_or(0));
	CHECK(!is_dom0() || op.u.pcpu_info.flags & XEN_PCPU_FLAGS_ONLINE);
	op = (xen_platform_op_t){.cmd = XENPF_get_cpu_version,
				 .interface_version = XENPF_INTERFACE_VERSION};
	CHECK_EQ(hypercall_platform_op(&op), dom0_or(0));
	op = (xen_platform_op_t){.cmd = 9999, .interface_version = XENPF_INTERFACE_VERSION};
	CHECK_EQ(hypercall_platform_op(&op), dom0_or(-XEN_ENOSYS));
	op = (xen_platform_op_t){.cmd = XENPF_microcode_update,
				 .interface_version = XENPF_INTERFACE_VERSION};
	CHECK(hypercall_platform_op(&op) < 0);
}

void test_main(void)
{
	events_disable();
	test_iopl();
	test_irq();
	test_irq_of_hypervisor();
	test_eoi_gmfn();
	test_apic();
	test_platform();
}
