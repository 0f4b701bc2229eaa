/* SPDX-License-Identifier: MIT */
/*
 * The virtual address map, shared by C, assembly and the linker script. Slots are entries of the top-level table,
 * 512 GiB each. A PV guest owns every address outside HYPERVISOR_VIRT_START..END; slots 256-271 are ours in every
 * guest's table (the ABI's __HYPERVISOR_VIRT_START/END).
 *
 *  slot 256  machine-to-physical table as guests read it (user, read-only); the ABI fixes its address
 *  slot 257  per-domain: each vCPU's GDT and LDT windows (the only slot that differs between domains)
 *  slot 258  vmap: MMIO mappings, alias mappings
 *  slot 259  frame table: struct page_info per machine frame
 *  slot 260  machine-to-physical table, writable
 *  slot 261  hypervisor image
 *  slot 262  direct map of all RAM (262-271: up to 5 TiB)
 */
#ifndef X86_LAYOUT_H
#define X86_LAYOUT_H

#ifdef __ASSEMBLER__
#define UL_(x) x
#else
#define UL_(x) x##UL
#endif

#define HYPERVISOR_SLOT_FIRST 256
#define HYPERVISOR_SLOT_LAST  271
#define PERDOMAIN_SLOT	      257

#define HYP_VIRT_START	  UL_(0xffff800000000000)
#define HYP_VIRT_END	  UL_(0xffff880000000000)
#define RO_MPT_VIRT_START UL_(0xffff800000000000)
#define PERDOMAIN_START	  UL_(0xffff808000000000)
#define VMAP_START	  UL_(0xffff810000000000)
#define VMAP_END	  UL_(0xffff814000000000)
#define FRAME_TABLE_START UL_(0xffff818000000000)
#define RW_MPT_VIRT_START UL_(0xffff820000000000)
#define IMAGE_VIRT_START \
	UL_(0xffff82d080000000) /* virtual home of physical address 0 of the image mapping */
#define DIRECTMAP_START UL_(0xffff830000000000)

#define STACK_ORDER 3
#define STACK_SIZE  (UL_(4096) << STACK_ORDER)

#define NR_CPUS 128

/*
 * Segment selectors, by the ABI (FLAT_RING3_*): GDT pages 14 and 15 are ours in every guest's table; the rest is the guest's.
 * One pair of GDT pages serves all CPUs: each CPU has its own TSS and LDT descriptors there.
 */
#define GDT_RESERVED_PAGE 14
#define GDT_RESERVED_BASE 0xe000
#define SEL_HYP_CS	  0xe008
#define SEL_HYP_DS	  0xe010
#define SEL_RING1_CS32	  0xe019
#define SEL_RING3_CS32	  0xe023
#define SEL_RING3_DS	  0xe02b /* also FLAT_RING3_SS64 */
#define SEL_RING3_CS64	  0xe033
#define SEL_TSS(cpu)	  (0xe080 + (cpu)*32)
#define SEL_LDT(cpu)	  (0xe090 + (cpu)*32)

/* Inside the per-domain slot each vCPU has 64 pages: 32 of GDT, 32 of LDT. */
#define VCPU_WINDOW_SHIFT	18
#define GDT_VIRT_START(vcpu_id) (PERDOMAIN_START + ((unsigned long)(vcpu_id) << VCPU_WINDOW_SHIFT))
#define LDT_VIRT_START(vcpu_id) (GDT_VIRT_START(vcpu_id) + 0x20000)

/* Interrupt stack table slots (IST); each has a page at the bottom of the CPU's stack. */
#define IST_MCE 1
#define IST_NMI 2
#define IST_DF	3
#define IST_DB	4

#endif
