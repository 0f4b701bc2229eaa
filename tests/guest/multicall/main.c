/* SPDX-License-Identifier: MIT */
/*
 * Multicall: results in their slots, errors of one call that do not stop the others, nesting refused,
 * large batches that are interrupted and taken up again.
 */
#include "guest.h"

TEST("multicall");

static multicall_entry_t calls[1000];

static void call_set(unsigned int i, unsigned int op, unsigned long a, unsigned long b,
		     unsigned long c)
{
	calls[i] = (multicall_entry_t){.op = op, .args = {a, b, c}, .result = 0x5555};
}

static void test_mixed(void)
{
	call_set(0, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	call_set(1, __HYPERVISOR_xen_version, 99, 0, 0);
	call_set(2, 63, 0, 0, 0);
	call_set(3, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	call_set(4, 1000000, 0, 0, 0);
	call_set(5, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	CHECK_EQ(hypercall_multicall(calls, 6), 0);
	CHECK_EQ(calls[0].result, (4 << 16) | 17);
	CHECK_EQ(calls[1].result, -XEN_ENOSYS);
	CHECK_EQ(calls[2].result, -XEN_ENOSYS);
	CHECK_EQ(calls[3].result, 0);
	CHECK_EQ(calls[4].result, -XEN_ENOSYS);
	CHECK_EQ(calls[5].result, (4 << 16) | 17);
	CHECK_EQ(hypercall_multicall(calls, 0), 0);
}

static void test_nested(void)
{
	call_set(0, __HYPERVISOR_multicall, (unsigned long)&calls[1], 1, 0);
	call_set(1, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	CHECK(hypercall_multicall(calls, 1) <= 0);
	CHECK((long)calls[0].result < 0);
	CHECK_EQ(calls[1].result, 0x5555);
}

static void test_many(void)
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < ARRAY_LEN(calls); i++)
		call_set(i, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	CHECK_EQ(hypercall_multicall(calls, ARRAY_LEN(calls)), 0);
	for (unsigned int i = 0; i < ARRAY_LEN(calls); i++)
		wrong += calls[i].result != ((4 << 16) | 17);
	CHECK_EQ(wrong, 0);
}

static void test_paging(void)
{
	unsigned char *page = page_alloc();

	call_set(0, __HYPERVISOR_update_va_mapping, (unsigned long)page,
		 pte_of(virt_to_mfn(page), PTE_RO), UVMF_INVLPG);
	call_set(1, __HYPERVISOR_update_va_mapping, (unsigned long)page,
		 pte_of(virt_to_mfn(root_table), PTE_RW), UVMF_INVLPG);
	call_set(2, __HYPERVISOR_fpu_taskswitch, 1, 0, 0);
	call_set(3, __HYPERVISOR_stack_switch, FLAT_KERNEL_SS, (unsigned long)page, 0);
	CHECK_EQ(hypercall_multicall(calls, 3), 0);
	CHECK_EQ(calls[0].result, 0);
	CHECK((long)calls[1].result < 0);
	CHECK_EQ(calls[2].result, 0);
	hypercall_fpu_taskswitch(0);
	CHECK_EQ(fault_write(page, 1), TRAP_PF);
}

/* The list ends in a page that is not there: the calls before it are done. */
static void test_torn(void)
{
	multicall_entry_t *edge = page_alloc();
	unsigned char *gone = page_alloc();
	unsigned int n = PAGE_SIZE / sizeof(*edge);

	CHECK_EQ((unsigned long)edge + PAGE_SIZE, (unsigned long)gone);
	CHECK_EQ(hypercall_update_va_mapping((unsigned long)gone, 0, UVMF_INVLPG), 0);
	for (unsigned int i = 0; i < n; i++)
		edge[i] = (multicall_entry_t){.op = __HYPERVISOR_xen_version};
	CHECK_EQ(hypercall_multicall(edge, n + 5), -XEN_EFAULT);
	CHECK_EQ(edge[n - 1].result, (4 << 16) | 17);
}

void test_main(void)
{
	events_disable();
	test_mixed();
	test_nested();
	test_many();
	test_paging();
	test_torn();
}
