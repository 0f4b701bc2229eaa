/* SPDX-License-Identifier: MIT */
/*
 * Bad pointers: for every sub-operation of every hypercall that takes one, NULL, a non-canonical
 * address, two addresses of the hypervisor, an unmapped page and a range that runs out of the lower
 * half.  Sub-operations are tried beyond the last one that exists.  Left out are the few that ignore
 * the pointer and would stop this domain.
 */
#include "refusals.h"

static const unsigned long bad_pointers[] = {
	0,
	0x0008000000000000,
	0xffff82d040200000,
	0xffff830000001000,
	0x0000123456789000,
	0x00007ffffffffffc,
};

/* args: P is replaced by the pointer and C by the sub-operation. */
#define P 0x5050505050505050ul
#define C 0x4343434343434343ul

struct pointer_row {
	const char *name;
	unsigned int nr;
	unsigned long args[5];
	unsigned int cmds; /* sub-operations 0..cmds-1 */
	uint64_t skip;	   /* bit mask of those left out */
};

static const struct pointer_row rows[] = {
	{"mmu_update", __HYPERVISOR_mmu_update, {P, 1, 0, DOMID_SELF}, 1, 0},
	{"mmu_update 0", __HYPERVISOR_mmu_update, {P, 0, 0, DOMID_SELF}, 1, 0},
	{"mmu_update huge", __HYPERVISOR_mmu_update, {P, 0x7fffffff, 0, DOMID_SELF}, 1, 0},
	{"mmu_update done", __HYPERVISOR_mmu_update, {0, 0, P, DOMID_SELF}, 1, 0},
	{"mmuext_op", __HYPERVISOR_mmuext_op, {P, 1, 0, DOMID_SELF}, 1, 0},
	{"mmuext_op 0", __HYPERVISOR_mmuext_op, {P, 0, 0, DOMID_SELF}, 1, 0},
	{"mmuext_op huge", __HYPERVISOR_mmuext_op, {P, 0x7fffffff, 0, DOMID_SELF}, 1, 0},
	{"set_gdt", __HYPERVISOR_set_gdt, {P, 512}, 1, 0},
	{"set_gdt huge", __HYPERVISOR_set_gdt, {P, 0x10000}, 1, 0},
	{"sched_op_compat", __HYPERVISOR_sched_op_compat, {C, 0}, 6, 6},
	{"platform_op", __HYPERVISOR_platform_op, {P}, 1, 0},
	{"memory_op", __HYPERVISOR_memory_op, {C, P}, 34, 0},
	{"multicall", __HYPERVISOR_multicall, {P, 1}, 1, 0},
	{"multicall 0", __HYPERVISOR_multicall, {P, 0}, 1, 0},
	{"multicall huge", __HYPERVISOR_multicall, {P, 0x7fffffffffffffff}, 1, 0},
	{"event_channel_op_compat", __HYPERVISOR_event_channel_op_compat, {P}, 1, 0},
	{"xen_version", __HYPERVISOR_xen_version, {C, P}, 14, 0},
	{"console_io", __HYPERVISOR_console_io, {C, 16, P}, 4, 0},
	{"console_io huge", __HYPERVISOR_console_io, {C, 0x7fffffff, P}, 2, 0},
	{"physdev_op_compat", __HYPERVISOR_physdev_op_compat, {P}, 1, 0},
	{"grant_table_op", __HYPERVISOR_grant_table_op, {C, P, 1}, 16, 0},
	{"grant_table_op 0", __HYPERVISOR_grant_table_op, {C, P, 0}, 16, 0},
	{"grant_table_op huge", __HYPERVISOR_grant_table_op, {C, P, 0x7fffffff}, 16, 0},
	{"grant_table_op -1", __HYPERVISOR_grant_table_op, {C, P, 0xffffffff}, 16, 0},
	{"vcpu_op", __HYPERVISOR_vcpu_op, {C, 0, P}, 18, 1ul << 2 | 1ul << 11},
	{"vcpu_op 1", __HYPERVISOR_vcpu_op, {C, 1, P}, 18, 0},
	{"vcpu_op 8191", __HYPERVISOR_vcpu_op, {C, 8191, P}, 18, 0},
	{"vcpu_op -1", __HYPERVISOR_vcpu_op, {C, 0xffffffff, P}, 18, 0},
	{"xsm_op", __HYPERVISOR_xsm_op, {P}, 1, 0},
	{"nmi_op", __HYPERVISOR_nmi_op, {C, P}, 4, 0},
	{"sched_op", __HYPERVISOR_sched_op, {C, P}, 10, 1ul << 1},
	{"callback_op", __HYPERVISOR_callback_op, {C, P}, 4, 0},
	{"xenoprof_op", __HYPERVISOR_xenoprof_op, {C, P}, 4, 0},
	{"event_channel_op", __HYPERVISOR_event_channel_op, {C, P}, 18, 0},
	{"physdev_op", __HYPERVISOR_physdev_op, {C, P}, 36, 0},
	{"hvm_op", __HYPERVISOR_hvm_op, {C, P}, 28, 0},
	{"sysctl", __HYPERVISOR_sysctl, {P}, 1, 0},
	{"domctl", __HYPERVISOR_domctl, {P}, 1, 0},
	{"kexec_op", __HYPERVISOR_kexec_op, {C, P}, 8, 0},
	{"argo_op", __HYPERVISOR_argo_op, {C, P, P, 0, 0}, 6, 0},
	{"xenpmu_op", __HYPERVISOR_xenpmu_op, {C, P}, 8, 0},
	{"dm_op", __HYPERVISOR_dm_op, {DOMID_SELF, 1, P}, 1, 0},
	{"dm_op nobody", __HYPERVISOR_dm_op, {NOBODY, 1, P}, 1, 0},
	{"hypfs_op", __HYPERVISOR_hypfs_op, {C, P, 8, P, 8}, 5, 0},
	{"mca", __HYPERVISOR_arch_0, {P}, 1, 0},
};

static unsigned long arg_of(unsigned long a, unsigned int cmd, unsigned long ptr)
{
	return a == P ? ptr : a == C ? cmd : a;
}

static void row_run(const struct pointer_row *r, unsigned int cmd)
{
	long rc[ARRAY_LEN(bad_pointers)];
	unsigned long a[5];
	char key[64];

	for (unsigned int k = 0; k < ARRAY_LEN(bad_pointers); k++) {
		for (unsigned int i = 0; i < 5; i++)
			a[i] = arg_of(r->args[i], cmd, bad_pointers[k]);
		rc[k] = hypercall_any(r->nr, a[0], a[1], a[2], a[3], a[4]);
	}
	guest_snprintf(key, sizeof(key), "%s/%u", r->name, cmd);
	answers(key, rc, ARRAY_LEN(rc));
}

/* A NULL table means "forget the handlers", so this one is put right afterwards. */
static void trap_table_row(void)
{
	long rc[ARRAY_LEN(bad_pointers)];

	for (unsigned int k = 0; k < ARRAY_LEN(bad_pointers); k++)
		rc[k] = HYPERCALL1(set_trap_table, bad_pointers[k]);
	trap_init();
	answers("set_trap_table", rc, ARRAY_LEN(rc));
}

void pointer_rows(void)
{
	trap_table_row();
	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++)
		for (unsigned int cmd = 0; cmd < rows[i].cmds; cmd++)
			if (!((rows[i].skip >> cmd) & 1))
				row_run(&rows[i], cmd);
}
