/* SPDX-License-Identifier: MIT */
/*
 * Bad values in registers: hypercall numbers that do not exist, the calls that take no pointer, foreign
 * domain numbers, and counts that overflow.
 */
#include "refusals.h"

static char page[PAGE_SIZE] PAGE_ALIGNED;

static const unsigned long bad_addresses[] = {
	0, 0x0008000000000000, 0xffff82d040200000, 0x00007ffffffff000, 0xffff880000000000,
};

static const domid_t foreign[] = {NOBODY, 0x7fef, 0x7ff1, 0x7ff2, 0x7ff3, 0x7ff4, 0x7fff, 0xffff};

static void unknown_numbers(void)
{
	static const unsigned int some[] = {11, 38, 42,	 43,  44,    45,       46, 47,
					    49, 50, 51,	 52,  53,    54,       55, 56,
					    63, 64, 255, 256, 65535, 1u << 31, ~0u};
	char key[40];

	for (unsigned int i = 0; i < ARRAY_LEN(some); i++) {
		guest_snprintf(key, sizeof(key), "hypercall %u", some[i]);
		answer(key, hypercall_any(some[i], 0, 0, 0, 0, 0));
	}
}

static void assist_values(void)
{
	long rc[4];
	char key[40];

	for (unsigned int type = 0; type < 36; type++) {
		rc[0] = hypercall_vm_assist(VMASST_CMD_enable, type);
		rc[1] = hypercall_vm_assist(VMASST_CMD_disable, type);
		rc[2] = hypercall_vm_assist(2, type);
		rc[3] = hypercall_vm_assist(~0u, type);
		guest_snprintf(key, sizeof(key), "vm_assist type %u", type);
		answers(key, rc, 4);
	}
	answer("vm_assist type 64", hypercall_vm_assist(VMASST_CMD_enable, 64));
	answer("vm_assist type -1", hypercall_vm_assist(VMASST_CMD_enable, ~0u));
}

static void register_values(void)
{
	long rc[ARRAY_LEN(bad_addresses)];
	char key[40];

	for (unsigned int which = 0; which < 6; which++) {
		for (unsigned int i = 0; i < ARRAY_LEN(rc); i++)
			rc[i] = hypercall_set_segment_base(which, bad_addresses[i]);
		guest_snprintf(key, sizeof(key), "set_segment_base %u", which);
		answers(key, rc, ARRAY_LEN(rc));
		hypercall_set_segment_base(which, 0);
	}
	for (unsigned int reg = 0; reg < 10; reg++) {
		for (unsigned int i = 0; i < ARRAY_LEN(rc); i++)
			rc[i] = hypercall_set_debugreg(reg, bad_addresses[i]);
		guest_snprintf(key, sizeof(key), "set_debugreg %u", reg);
		answers(key, rc, ARRAY_LEN(rc));
		hypercall_set_debugreg(reg, 0);
	}
	answer("get_debugreg 8", hypercall_get_debugreg(8));
	answer("get_debugreg -1", hypercall_get_debugreg(-1));
	answer("fpu_taskswitch 1", hypercall_fpu_taskswitch(1));
	answer("fpu_taskswitch 0", hypercall_fpu_taskswitch(0));
}

static void va_values(void)
{
	long rc[ARRAY_LEN(bad_addresses)];
	uint64_t pte = pte_of(virt_to_mfn(page), PTE_RW);
	char key[60];

	for (unsigned int i = 0; i < ARRAY_LEN(rc); i++)
		rc[i] = hypercall_update_va_mapping(bad_addresses[i], pte, 0);
	answers("update_va_mapping address", rc, ARRAY_LEN(rc));
	for (unsigned int i = 0; i < 4; i++)
		rc[i] = hypercall_update_va_mapping((unsigned long)page, pte, i);
	answers("update_va_mapping flags", rc, 4);
	answer("update_va_mapping flush all",
	       hypercall_update_va_mapping((unsigned long)page, pte, UVMF_INVLPG | UVMF_ALL));
	answer("update_va_mapping bitmap",
	       hypercall_update_va_mapping((unsigned long)page, pte, UVMF_INVLPG | 0x8000000000ul));
	for (unsigned int i = 0; i < ARRAY_LEN(foreign); i++) {
		guest_snprintf(key, sizeof(key), "update_va_mapping_otherdomain %#x", foreign[i]);
		answer(key, HYPERCALL4(update_va_mapping_otherdomain, page, pte, 0, foreign[i]));
	}
}

/* The page-table calls name two domains in one word; frames of none of these are ours to use. */
static void foreign_values(void)
{
	mmu_update_t u = {.ptr = pte_maddr(pte_find((unsigned long)page, 1)),
			  .val = pte_of(virt_to_mfn(page), PTE_RW)};
	struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
	long rc[4];
	char key[60];

	for (unsigned int i = 0; i < ARRAY_LEN(foreign); i++) {
		rc[0] = hypercall_mmu_update(&u, 0, NULL, foreign[i]);
		rc[1] = hypercall_mmu_update(&u, 1, NULL, foreign[i]);
		rc[2] = HYPERCALL4(mmu_update, &u, 1, NULL,
				   ((foreign[i] + 1ul) << 16) | DOMID_SELF);
		rc[3] = hypercall_mmuext_op(&op, 1, NULL, foreign[i]);
		guest_snprintf(key, sizeof(key), "foreign %#x", foreign[i]);
		answers(key, rc, 4);
	}
}

static void descriptor_values(void)
{
	uint64_t maddr = pte_of(virt_to_mfn(page), 0);
	long rc[6];

	rc[0] = hypercall_update_descriptor(0, 0);
	rc[1] = hypercall_update_descriptor(maddr + 4, 0);
	rc[2] = hypercall_update_descriptor(maddr, 0);
	rc[3] = hypercall_update_descriptor(maddr, 0x00cffb000000ffff);
	rc[4] = hypercall_update_descriptor(~0ul & ~7ul, 0);
	rc[5] = hypercall_update_descriptor(1ul << 51, 0);
	answers("update_descriptor", rc, 6);
}

void value_rows(void)
{
	unknown_numbers();
	assist_values();
	register_values();
	va_values();
	foreign_values();
	descriptor_values();
}
