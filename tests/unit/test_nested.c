/* SPDX-License-Identifier: MIT */
/* outer/xen.c on a pretended Xen, and hypercall/hc_nested.c: what of it domain 0 may use, and what is refused before it is asked. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "fake_xen.h"

#include "hypercall/dispatch.h"
#include "lib/log.h"
#include "outer/internal.h"
#include "outer/nested_abi.h"
#include "outer/xen.h"
#include "x86/irq.h"
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/version.h>

struct outer outer;
static struct domain domain = {.is_hardware = true};
static struct vcpu vcpu = {.domain = &domain};
__thread struct vcpu *current = &vcpu;
__thread unsigned int fake_cpu_id;
unsigned int nr_cpus_online = 2;

bool outer_cpu_is_amd(void)
{
	return true;
}

uint32_t outer_cpuid(uint32_t base, unsigned int n, unsigned int reg)
{
	return n == 1 ? 4 << 16 | 17 : n == 3 ? 2600000 : 0;
}

/* Guest memory is read once: what is read changes right afterwards. */
static unsigned int reads;
static bool changing;

unsigned long guest_copy_raw(void *dst, const void *src, unsigned long len)
{
	if (!src || !dst)
		return len;
	memcpy(dst, src, len);
	reads++;
	if (changing && reads == 1)
		memset((void *)(unsigned long)src, 0xff, len);
	return 0;
}

void printk(const char *fmt, ...)
{
}

static long nested(unsigned long call, unsigned long op, void *arg)
{
	fake_xen.calls = reads = 0;
	return hc_nested_op(call, op, (unsigned long)arg, 0, 0);
}

static void xen_start(void)
{
	fake_xen_reset();
	memset(&outer, 0, sizeof(outer));
	xen_outer_version = xen_outer_port = 0;
	assert_true(xen_outer_init(0x40000000));
}

/* --- outer/xen.c --- */

static void test_start(void **state)
{
	xen_start();
	assert_int_equal(xen_outer_version, 4 << 16 | 17);
	assert_int_equal(fake_xen.vector, VECTOR_OUTER);
	assert_int_equal(fake_xen.via, 0);
	assert_int_equal(outer.tsc_hz(), 2600000000);
	assert_int_equal(outer.wallclock_ns(), 0);
	/* A port that nobody has bound interrupts nobody. */
	assert_int_equal(fake_xen.shared.evtchn_mask[63], ~0UL);
}

static void test_old_xen(void **state)
{
	fake_xen_reset();
	fake_xen.rc_vector = -ENOSYS;
	assert_true(xen_outer_init(0x40000000));
	assert_int_equal(fake_xen.via, 2UL << 56 | VECTOR_OUTER);
}

static void test_no_hypercalls(void **state)
{
	fake_xen_reset();
	memset(&outer, 0, sizeof(outer));
	xen_outer_version = 0;
	fake_xen.rc = -ENOSYS;
	assert_true(xen_outer_init(0x40000000));
	assert_non_null(outer.tsc_hz);
	assert_null(outer.shutdown);
	assert_null(outer.tlb_flush);
	assert_int_equal(nested(0, 0, NULL), -ENOSYS);
	assert_false(xen_outer_init(0));
}

static void test_wallclock(void **state)
{
	xen_start();
	fake_xen.shared.wc_sec = 7;
	fake_xen.shared.wc_sec_hi = 1;
	fake_xen.shared.wc_nsec = 5;
	fake_xen.shared.vcpu_info[0].time.system_time = 1000;
	assert_in_range(outer.wallclock_ns(), ((1UL << 32) + 7) * 1000000000 + 1005, ~0UL);
}

static void test_flush(void **state)
{
	cpumask_t one = {{4}}, two = {{6}};

	xen_start();
	fake_xen.calls = 0;
	outer.tlb_flush(&one);
	assert_int_equal(one.bits[0], 4);
	assert_int_equal(fake_xen.calls, 0);
	outer.tlb_flush(&two);
	assert_int_equal(two.bits[0], 0);
	assert_int_equal(fake_xen.op, HVMOP_flush_tlbs);
	/* Refused: the CPUs must be told. */
	two.bits[0] = 6;
	fake_xen.rc = -EINVAL;
	outer.tlb_flush(&two);
	assert_int_equal(two.bits[0], 6);
}

static void test_upcall(void **state)
{
	xen_start();
	fake_xen.shared.vcpu_info[0].evtchn_upcall_pending = 1;
	fake_xen.shared.vcpu_info[0].evtchn_pending_sel = 5;
	fake_xen.shared.evtchn_pending[0] = 0x28;
	fake_xen.shared.evtchn_pending[2] = 0x100; /* masked */
	fake_xen.shared.evtchn_mask[0] = 7;
	xen_outer_port = 3;
	fake_xen.upcall(NULL);
	assert_int_equal(fake_xen.shared.vcpu_info[0].evtchn_upcall_pending, 0);
	/* Domain 0's are left to it. */
	assert_int_equal(fake_xen.shared.vcpu_info[0].evtchn_pending_sel, 1);
	assert_int_equal(fake_xen.shared.evtchn_pending[0], 0x20);
	assert_int_equal(fake_xen.virqs, 1);
	/* Only our own: nothing for domain 0, and the next event of that word calls again. */
	fake_xen.shared.evtchn_pending[0] = 8;
	fake_xen.upcall(NULL);
	assert_int_equal(fake_xen.shared.vcpu_info[0].evtchn_pending_sel, 0);
	assert_int_equal(fake_xen.virqs, 1);
}

/* --- nested_op --- */

static void test_callers(void **state)
{
	struct nested_info info;

	xen_start();
	domain.is_hardware = false;
	assert_int_equal(nested(0, 0, &info), -EPERM);
	assert_int_equal(nested(__HYPERVISOR_xen_version, XENVER_version, NULL), -EPERM);
	domain.is_hardware = true;
	xen_outer_version = 0;
	assert_int_equal(nested(0, 0, &info), -ENOSYS);
	assert_int_equal(fake_xen.calls, 0);
}

static void test_info(void **state)
{
	struct nested_info info;

	xen_start();
	assert_int_equal(nested(0, 0, NULL), -EFAULT);
	assert_int_equal(nested(0, 0, &info), 0);
	assert_int_equal(info.abi, NESTED_ABI);
	assert_int_equal(info.virq, VIRQ_ARCH_4);
	assert_int_equal(info.outer_version, 4 << 16 | 17);
	assert_int_equal(info.shared_info_mfn, XEN_SHARED_INFO_PFN);
	assert_int_equal(info.nr_vcpus, 2);
	assert_in_range(info.grant_mfn, 0xfe701, 0xfe7ff);
	assert_in_range(info.grant_mfn + info.nr_grant_mfns, 0xfe701, 0xfe800);
}

/* Every number that is no row, with structures that would be fine elsewhere. */
static void test_not_allowed(void **state)
{
	static const uint8_t allowed[][2] = {{17, 0}, {17, 6}, {12, 7}, {12, 15}, {34, 1},
					     {20, 6}, {32, 0}, {32, 3}, {32, 4},  {32, 5},
					     {32, 6}, {32, 8}, {32, 9}, {29, 2},  {0, 0}};
	uint64_t arg[32] = {DOMID_SELF};

	xen_start();
	for (unsigned int call = 0; call < 64; call++)
		for (unsigned int op = 0; op < 64; op++) {
			bool ok = false;

			for (unsigned int i = 0; i < ARRAY_SIZE(allowed); i++)
				ok |= allowed[i][0] == call && allowed[i][1] == op;
			if (ok)
				continue;
			assert_int_equal(nested(call, op, arg), -EOPNOTSUPP);
			assert_int_equal(fake_xen.calls, 0);
		}
	assert_int_equal(nested(0x100 + 17, 0, NULL), -EOPNOTSUPP);
}

/* Passed on: number, operation, structure. */
static void passes(unsigned int call, unsigned int op, void *arg)
{
	uint64_t before = *(uint64_t *)arg;

	assert_int_equal(nested(call, op, NULL), -EFAULT);
	assert_int_equal(fake_xen.calls, 0);
	fake_xen.rc = 5;
	assert_int_equal(nested(call, op, arg), 5);
	fake_xen.rc = 0;
	assert_int_equal(fake_xen.calls, 1);
	assert_int_equal(fake_xen.nr, call);
	assert_int_equal(fake_xen.op, op);
	assert_memory_equal(fake_xen.arg, &before, 4);
}

static void refused(long rc, unsigned int call, unsigned int op, void *arg)
{
	assert_int_equal(nested(call, op, arg), rc);
	assert_int_equal(fake_xen.calls, 0);
}

static void test_memory(void **state)
{
	struct xen_add_to_physmap add = {.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table};
	struct xen_remove_from_physmap remove = {.domid = DOMID_SELF};
	static const uint64_t bad[] = {0,
				       XEN_SHARED_INFO_PFN,
				       XEN_GRANT_PFN - 1,
				       0x1000,
				       XEN_GRANT_PFN + XEN_GRANT_FRAMES,
				       0xfee00,
				       ~0UL};

	xen_start();
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		add.gpfn = remove.gpfn = bad[i];
		refused(-EPERM, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add);
		refused(-EPERM, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &remove);
	}
	add.gpfn = remove.gpfn = XEN_GRANT_PFN + XEN_GRANT_FRAMES - 1;
	passes(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add);
	passes(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &remove);
	add.domid = remove.domid = 0;
	refused(-EPERM, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add);
	refused(-EPERM, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &remove);
	add.domid = DOMID_SELF;
	for (add.space = 0; add.space < 8; add.space++)
		if (add.space != XENMAPSPACE_grant_table)
			refused(-EPERM, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add);
}

static void test_param(void **state)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF};

	xen_start();
	for (p.index = 0; p.index < 64; p.index++) {
		fake_xen.param = 77;
		if (p.index != 1 && p.index != 2 && p.index != 17 && p.index != 18) {
			refused(-EPERM, __HYPERVISOR_hvm_op, HVMOP_get_param, &p);
			continue;
		}
		passes(__HYPERVISOR_hvm_op, HVMOP_get_param, &p);
		assert_int_equal(p.value, 77);
	}
	p = (struct xen_hvm_param){.domid = 1, .index = HVM_PARAM_STORE_PFN};
	refused(-EPERM, __HYPERVISOR_hvm_op, HVMOP_get_param, &p);
	/* Our own console is not for domain 0. */
	xen_outer_port = 3;
	p = (struct xen_hvm_param){.domid = DOMID_SELF, .index = HVM_PARAM_CONSOLE_PFN};
	refused(-EBUSY, __HYPERVISOR_hvm_op, HVMOP_get_param, &p);
	p.index = HVM_PARAM_STORE_EVTCHN;
	passes(__HYPERVISOR_hvm_op, HVMOP_get_param, &p);
}

static void test_ports(void **state)
{
	static const unsigned int one_port[] = {EVTCHNOP_close, EVTCHNOP_send, EVTCHNOP_unmask};
	struct evtchn_bind_interdomain bind = {.remote_dom = 5, .remote_port = 6};
	struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF, .remote_dom = 5};
	struct evtchn_bind_vcpu vcpu_op = {.port = 4};
	struct evtchn_status status = {.dom = DOMID_SELF, .port = 3};
	uint64_t port;

	xen_start();
	xen_outer_port = 3;
	for (unsigned int i = 0; i < ARRAY_SIZE(one_port); i++) {
		port = 4;
		passes(__HYPERVISOR_event_channel_op, one_port[i], &port);
		port = 3;
		refused(-EPERM, __HYPERVISOR_event_channel_op, one_port[i], &port);
	}
	passes(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind);
	passes(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &alloc);
	alloc.dom = 1;
	refused(-EPERM, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &alloc);
	passes(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu, &vcpu_op);
	vcpu_op.vcpu = 1;
	refused(-EPERM, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu, &vcpu_op);
	vcpu_op = (struct evtchn_bind_vcpu){.port = 3};
	refused(-EPERM, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu, &vcpu_op);
	passes(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &status);
	status.dom = 0;
	refused(-EPERM, __HYPERVISOR_event_channel_op, EVTCHNOP_status, &status);
}

static void test_grants_version_end(void **state)
{
	struct gnttab_query_size query = {.dom = DOMID_SELF};
	struct xen_feature_info features = {.submap_idx = 0};
	struct sched_shutdown end;

	xen_start();
	passes(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, &query);
	assert_int_equal(fake_xen.count, 1);
	query.dom = 0;
	refused(-EPERM, __HYPERVISOR_grant_table_op, GNTTABOP_query_size, &query);
	passes(__HYPERVISOR_xen_version, XENVER_get_features, &features);
	assert_int_equal(nested(__HYPERVISOR_xen_version, XENVER_version, NULL), 4 << 16 | 17);
	for (end.reason = 0; end.reason < 8; end.reason++)
		if (end.reason == SHUTDOWN_poweroff || end.reason == SHUTDOWN_reboot ||
		    end.reason == SHUTDOWN_crash)
			passes(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &(uint64_t){end.reason});
		else
			refused(-EPERM, __HYPERVISOR_sched_op, SCHEDOP_shutdown, &end);
}

/* What was checked is what is passed on, whatever another vCPU writes meanwhile. */
static void test_read_once(void **state)
{
	struct xen_add_to_physmap add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = XEN_GRANT_PFN};
	struct xen_add_to_physmap before = add;

	xen_start();
	changing = true;
	assert_int_equal(nested(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add), 0);
	changing = false;
	assert_int_equal(reads, 1);
	assert_memory_equal(fake_xen.arg, &before, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_old_xen),
		cmocka_unit_test(test_no_hypercalls),
		cmocka_unit_test(test_wallclock),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_upcall),
		cmocka_unit_test(test_callers),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_not_allowed),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_param),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_grants_version_end),
		cmocka_unit_test(test_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
