/* SPDX-License-Identifier: MIT */
/*
 * xen_version, all of it, and vm_assist: what tools and kernels read to know what they run on.
 */
#include "guest.h"

TEST("version");

static char text[4096];

static long ask(unsigned int cmd)
{
	memset(text, 0xaa, sizeof(text));
	return hypercall_xen_version(cmd, text);
}

static void test_strings(void)
{
	struct xen_compile_info *ci = (struct xen_compile_info *)text;

	CHECK_EQ(hypercall_xen_version(XENVER_version, NULL), (4 << 16) | 17);
	CHECK_EQ(ask(XENVER_extraversion), 0);
	CHECK(text[0] == '.' || text[0] == '-');
	print("extraversion %s\n", text);
	CHECK_EQ(ask(XENVER_compile_info), 0);
	CHECK(ci->compiler[0] && ci->compile_date[0]);
	CHECK_EQ(ask(XENVER_capabilities), 0);
	CHECK(!strncmp(text, "xen-3.0-x86_64", 14));
	CHECK_EQ(ask(XENVER_changeset), 0);
	CHECK(ask(XENVER_commandline) == 0);
}

static void test_numbers(void)
{
	struct xen_platform_parameters *pp = (struct xen_platform_parameters *)text;
	uint32_t *debug = (uint32_t *)text;

	CHECK_EQ(ask(XENVER_platform_parameters), 0);
	CHECK_EQ(pp->virt_start, HYPERVISOR_VIRT_START);
	CHECK_EQ(hypercall_xen_version(XENVER_pagesize, NULL), 4096);
	CHECK(hypercall_xen_version(XENVER_pagesize, text) == -XEN_EINVAL);
	(void)debug;
	CHECK_EQ(ask(XENVER_guest_handle), 0);
	CHECK_EQ(ask(14), -XEN_ENOSYS);
}

static void test_features(void)
{
	xen_feature_info_t f = {.submap_idx = 0};

	CHECK_EQ(hypercall_xen_version(XENVER_get_features, &f), 0);
	print("features %#x\n", f.submap);
	CHECK(!is_dom0() || f.submap & (1u << XENFEAT_pae_pgdir_above_4gb));
	CHECK(f.submap & (1u << XENFEAT_mmu_pt_update_preserve_ad));
	CHECK(!(f.submap & (1u << XENFEAT_auto_translated_physmap)));
	CHECK(!(f.submap & (1u << XENFEAT_writable_page_tables)));
	CHECK_EQ(!!(f.submap & (1u << XENFEAT_dom0)), is_dom0());
	CHECK(f.submap & (1u << XENFEAT_gnttab_map_avail_bits));
	f.submap_idx = XENFEAT_NR_SUBMAPS;
	CHECK_EQ(hypercall_xen_version(XENVER_get_features, &f), -XEN_EINVAL);
}

static void test_build_id(void)
{
	xen_build_id_t *id = (xen_build_id_t *)text;
	long rc = hypercall_xen_version(XENVER_build_id, NULL);

	if (rc < 0) {
		CHECK_EQ(rc, is_dom0() ? -XEN_ENODATA : -XEN_EPERM);
		return;
	}
	id->len = 4000;
	CHECK_EQ(hypercall_xen_version(XENVER_build_id, id), rc);
	id->len = 1;
	CHECK_EQ(hypercall_xen_version(XENVER_build_id, id), -XEN_ENOBUFS);
	id->len = 0;
	CHECK_EQ(hypercall_xen_version(XENVER_build_id, id), -XEN_EINVAL);
}

static void test_assist(void)
{
	CHECK_EQ(hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0);
	CHECK_EQ(hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables), 0);
	CHECK_EQ(hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
	CHECK_EQ(hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag), 0);
	CHECK_EQ(hypercall_vm_assist(VMASST_CMD_enable, 20), -XEN_EINVAL);
	CHECK_EQ(hypercall_vm_assist(7, VMASST_TYPE_writable_pagetables), -XEN_ENOSYS);
}

void test_main(void)
{
	events_disable();
	test_strings();
	test_numbers();
	test_features();
	test_build_id();
	test_assist();
}
