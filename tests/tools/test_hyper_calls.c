/* SPDX-License-Identifier: MIT */
/* links: lib/hyper/ lib/base/error.c lib/base/text.c */
/*
 * The hypercall library above a hypervisor that is played here: what is batched, repeated, passed and copied back, and how failures are
 * worded. The buffer is an ordinary allocation, so AddressSanitizer sees what leaves it.
 */
#include "lib/hyper/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdlib.h>
#include <xen/sched.h>

static struct hyper h;
static struct error e;

/* --- The hypervisor --- */

static unsigned int calls, fail_times;
static int fail_errno;
static uint32_t nr_domains, max_vcpu_id;
static unsigned long extents_left;
static uint64_t ring_bytes;

static int refuse(int why)
{
	errno = why;
	return -1;
}

static void info_fill(xen_domctl_getdomaininfo_t *info, uint32_t domid)
{
	memset(info, 0, sizeof(*info));
	info->domain = (domid_t)domid;
	info->max_vcpu_id = max_vcpu_id;
}

/* Domain ids are even. */
static int domctl(struct xen_domctl *op)
{
	if (op->domain % 2 || op->domain >= 2 * nr_domains)
		return refuse(ESRCH);
	if (op->cmd == XEN_DOMCTL_getdomaininfo) {
		info_fill(&op->u.getdomaininfo, op->domain);
		return 0;
	}
	if (fail_times) {
		fail_times--;
		return refuse(fail_errno);
	}
	if (op->cmd == XEN_DOMCTL_setvcpuaffinity) {
		struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;

		assert_int_equal(a->flags, XEN_VCPUAFFINITY_SOFT | XEN_VCPUAFFINITY_FORCE);
		assert_int_equal(a->cpumap_soft.nr_bits, 64);
		assert_int_equal(a->cpumap_soft.bitmap.p[7], 0x80);
		a->cpumap_soft.bitmap.p[0] = 0x0f;
	}
	return 0;
}

static int sysctl(struct xen_sysctl *op)
{
	if (op->cmd == XEN_SYSCTL_getdomaininfolist) {
		struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
		uint32_t domid = (l->first_domain + 1u) & ~1u;

		assert_true(l->max_domains <= 128);
		for (l->num_domains = 0; l->num_domains < l->max_domains && domid < 2 * nr_domains;
		     domid += 2)
			info_fill(&l->buffer.p[l->num_domains++], domid);
	} else if (op->cmd == XEN_SYSCTL_physinfo) {
		op->u.physinfo.free_pages = 81 << 8;
		op->u.physinfo.outstanding_pages = 1 << 8;
	} else if (op->cmd == XEN_SYSCTL_readconsole) {
		struct xen_sysctl_readconsole *r = &op->u.readconsole;
		uint64_t at = r->incremental ? r->index : 0, left = ring_bytes - at;

		r->count = r->count < left ? r->count : (uint32_t)left;
		memset(r->buffer.p, 'x', r->count);
		r->index = (uint32_t)at + r->count;
	} else if (op->cmd == XEN_SYSCTL_numainfo) {
		op->u.numainfo.num_nodes = 2;
		for (uint32_t i = 0; i < 4; i++)
			op->u.numainfo.distance.p[i] = 10 + i;
	}
	return 0;
}

int xencall1(xencall_handle *x, unsigned int op, uint64_t arg)
{
	calls++;
	assert_ptr_equal((void *)arg, h.buffer);
	return op == __HYPERVISOR_domctl ? domctl((void *)arg) : sysctl((void *)arg);
}

int xencall2(xencall_handle *x, unsigned int op, uint64_t cmd, uint64_t arg)
{
	calls++;
	return refuse(ESRCH);
}

long xencall2L(xencall_handle *x, unsigned int op, uint64_t cmd, uint64_t arg)
{
	struct xen_memory_reservation *r = (void *)arg;
	unsigned long n = r->nr_extents < extents_left ? r->nr_extents : extents_left;

	calls++;
	if (cmd == XENMEM_claim_pages)
		return refuse(ENOMEM);
	extents_left -= n;
	for (unsigned long i = 0; i < n; i++)
		r->extent_start.p[i] += 1000000;
	return (long)n;
}

int xencall4(xencall_handle *x, unsigned int op, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return 0;
}

xencall_handle *xencall_open(struct xentoollog_logger *l, unsigned int flags)
{
	return NULL;
}

int xencall_close(xencall_handle *x)
{
	return 0;
}

void *xencall_alloc_buffer_pages(xencall_handle *x, size_t nr)
{
	return NULL;
}

void xencall_free_buffer_pages(xencall_handle *x, void *p, size_t nr)
{
}

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *l, unsigned int flags)
{
	return NULL;
}

int xenforeignmemory_close(xenforeignmemory_handle *f)
{
	return 0;
}

void *xenforeignmemory_map(xenforeignmemory_handle *f, uint32_t dom, int prot, size_t pages,
			   const xen_pfn_t *arr, int *err)
{
	errno = EINVAL;
	return NULL;
}

int xenforeignmemory_unmap(xenforeignmemory_handle *f, void *p, size_t pages)
{
	return 0;
}

xenforeignmemory_resource_handle *xenforeignmemory_map_resource(
	xenforeignmemory_handle *f, domid_t domid, unsigned int type, unsigned int id,
	unsigned long frame, unsigned long nr, void **p, int prot, int flags)
{
	return NULL;
}

int xenforeignmemory_unmap_resource(xenforeignmemory_handle *f, xenforeignmemory_resource_handle *r)
{
	return 0;
}

static int begin(void **state)
{
	h.buffer = malloc((HYPER_OP_PAGES + HYPER_DATA_PAGES) * PAGE_BYTES);
	calls = fail_times = 0;
	nr_domains = 8;
	max_vcpu_id = 1;
	return 0;
}

static int end(void **state)
{
	free(h.buffer);
	return 0;
}

/* --- The tests --- */

static void test_list(void **state)
{
	xen_domctl_getdomaininfo_t *info = malloc(HYPER_LIST * sizeof(*info));

	nr_domains = 300;
	assert_int_equal(hyper_domain_list(&h, 0, info, &e), 128);
	assert_int_equal(calls, 1);
	for (uint32_t i = 0; i < 128; i++)
		assert_int_equal(info[i].domain, 2 * i);
	assert_int_equal(hyper_domain_list(&h, 590, info, &e), 5);
	assert_int_equal(info[0].domain, 590);
	assert_int_equal(hyper_domain_list(&h, 599, info, &e), 0);
	free(info);
}

static void test_errors(void **state)
{
	struct xen_domctl_getvcpuinfo v;

	assert_int_equal(hyper_domain_do(&h, XEN_DOMCTL_pausedomain, 7, 0, &e), -1);
	assert_string_equal(e.text, "domain 7 does not exist");
	assert_int_equal(e.class, ERROR_NOT_FOUND);
	fail_times = 1;
	fail_errno = EPERM;
	assert_int_equal(hyper_domain_do(&h, XEN_DOMCTL_unpausedomain, 6, 0, &e), -1);
	assert_string_equal(e.text, "domain 6 cannot be unpaused: Operation not permitted");
	assert_int_equal(e.class, ERROR_PERMISSION);
	fail_times = 1;
	fail_errno = ESRCH;
	assert_int_equal(hyper_vcpu_info(&h, 6, 5, &v, &e), -1);
	assert_string_equal(e.text, "domain 6 has no vCPU 5");
	fail_times = 1;
	assert_int_equal(hyper_vcpu_info(&h, 5, 0, &v, &e), -1);
	assert_string_equal(e.text, "domain 5 does not exist");
	assert_int_equal(hyper_memory_claim(&h, 6, 120 << 8, &e), -1);
	assert_string_equal(e.text, "not enough free memory: 120 MiB wanted, 80 MiB free");
	assert_int_equal(e.class, ERROR_RETRY);
	assert_null(hyper_map(&h, 6, NULL, 1, false, NULL, &e));
	assert_string_equal(e.text, "domain 6's memory cannot be mapped: Invalid argument");
}

static void test_destroy(void **state)
{
	fail_times = 5;
	fail_errno = EAGAIN;
	assert_int_equal(hyper_domain_destroy(&h, 4, &e), 0);
	assert_int_equal(calls, 6);
	fail_times = 2;
	fail_errno = ERESTART;
	assert_int_equal(hyper_domain_destroy(&h, 4, &e), 0);
	fail_times = 1;
	fail_errno = EBUSY;
	assert_int_equal(hyper_domain_destroy(&h, 4, &e), -1);
}

static void test_populate(void **state)
{
	unsigned long nr = 20000;
	xen_pfn_t *frames = malloc(nr * sizeof(*frames));

	for (unsigned long i = 0; i < nr; i++)
		frames[i] = i;
	extents_left = 10000;
	assert_int_equal(hyper_memory_populate(&h, 4, 0, frames, nr, &e), 10000);
	for (unsigned long i = 0; i < nr; i++)
		assert_int_equal(frames[i], i < 10000 ? i + 1000000 : i);
	extents_left = nr;
	calls = 0;
	assert_int_equal(hyper_memory_populate(&h, 4, 0, frames, nr, &e), nr);
	assert_int_equal(calls, 3);
	free(frames);
}

static void test_affinity(void **state)
{
	uint8_t soft[8] = {[7] = 0x80};

	assert_int_equal(
		hyper_vcpu_affinity(&h, 4, 0, NULL, soft, sizeof(soft), HYPER_AFFINITY_FORCE, &e),
		0);
	assert_int_equal(soft[0], 0x0f);
	assert_int_equal(soft[7], 0x80);
}

static void test_console(void **state)
{
	size_t size = 300000;
	char *text = malloc(size);
	uint32_t at = 0;

	ring_bytes = 100000;
	assert_int_equal(hyper_console_read(&h, text, size, &at, false, &e), 65536);
	assert_int_equal(hyper_console_read(&h, text, size, &at, false, &e), 100000 - 65536);
	assert_int_equal(at, 100000);
	assert_int_equal(hyper_console_read(&h, text, size, &at, false, &e), 0);
	ring_bytes = 100010;
	assert_int_equal(hyper_console_read(&h, text, size, &at, false, &e), 10);
	assert_int_equal(hyper_console_read(&h, text, size, NULL, true, &e), 65536);
	assert_int_equal(hyper_console_read(&h, text, 7, NULL, false, &e), 7);
	free(text);
}

static void test_numa(void **state)
{
	xen_sysctl_meminfo_t nodes[3];
	uint32_t distance[9];

	assert_int_equal(hyper_numa(&h, nodes, distance, 3, &e), 2);
	assert_int_equal(distance[1], 11);
	assert_int_equal(distance[2], XEN_INVALID_NODE_DIST);
	assert_int_equal(distance[3], 12);
	assert_int_equal(distance[8], XEN_INVALID_NODE_DIST);
}

static void test_letters(void **state)
{
	static const struct {
		uint32_t flags;
		const char *letters;
		int reason;
	} sample[] = {
		{XEN_DOMINF_running, "r-----", -1},
		{XEN_DOMINF_blocked, "-b----", -1},
		{XEN_DOMINF_paused, "--p---", -1},
		{XEN_DOMINF_shutdown, "---s--", SHUTDOWN_poweroff},
		{XEN_DOMINF_shutdown | SHUTDOWN_crash << XEN_DOMINF_shutdownshift, "---sc-",
		 SHUTDOWN_crash},
		{XEN_DOMINF_dying | XEN_DOMINF_paused, "--p--d", -1},
		{XEN_DOMINF_hvm_guest, "------", -1},
	};
	xen_domctl_getdomaininfo_t info;
	char letters[7];

	for (size_t i = 0; i < sizeof(sample) / sizeof(sample[0]); i++) {
		info.flags = sample[i].flags;
		hyper_state_letters(&info, letters);
		assert_string_equal(letters, sample[i].letters);
		assert_int_equal(hyper_shutdown_reason(&info), sample[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list, begin, end),
		cmocka_unit_test_setup_teardown(test_errors, begin, end),
		cmocka_unit_test_setup_teardown(test_destroy, begin, end),
		cmocka_unit_test_setup_teardown(test_populate, begin, end),
		cmocka_unit_test_setup_teardown(test_affinity, begin, end),
		cmocka_unit_test_setup_teardown(test_console, begin, end),
		cmocka_unit_test_setup_teardown(test_numa, begin, end),
		cmocka_unit_test_setup_teardown(test_letters, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
