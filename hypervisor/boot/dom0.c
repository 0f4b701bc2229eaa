/* SPDX-License-Identifier: MIT */
/*
 * Building domain 0: its kernel from the first module, its initial RAM disk from the second, its rights, its first vCPU. What
 * cannot go on panics with the reason. Memory and page tables are laid out by boot/dom0_memory.c.
 */
#include "boot/dom0.h"
#include "acpi/acpi.h"
#include "boot/boot.h"
#include "boot/boot_info.h"
#include "core/grant.h"
#include "drivers/serial.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/pirq.h"
#include "x86/time.h"
#include "x86/watch.h"

/* Where a compressed kernel is unpacked, until it has been copied to its place. */
static struct page_info *buffer __initdata;
static unsigned int buffer_order __initdata;

static void *__init buffer_alloc(size_t bytes)
{
	buffer_order = order_of(PFN_UP(bytes));
	buffer = heap_alloc(buffer_order, MEMF_no_scrub);
	return buffer ? page_to_virt(buffer) : NULL;
}

static void __init kernel_open(struct kernel_image *img, const struct boot_module *m)
{
	if (!kernel_image_open(img, maddr_to_virt(m->start), m->end - m->start, buffer_alloc))
		panic("Domain 0's kernel cannot be used: %s", img->why);
	if (!strcmp(img->guest_os, "linux") && !kernel_image_has_note(img, XEN_ELFNOTE_ENTRY))
		panic("Domain 0's kernel has no Xen entry point");
	/* Debian's cloud flavour carries the feature bit although it was built without CONFIG_XEN_DOM0: its name tells. */
	if (strstr(img->linux_release, "-cloud-") ||
	    (kernel_image_has_note(img, XEN_ELFNOTE_SUPPORTED_FEATURES) &&
	     !(img->supported_features & BIT(XENFEAT_dom0))))
		panic("This kernel cannot be domain 0: %s was built without CONFIG_XEN_DOM0 (use Debian's linux-image-amd64)",
		      img->linux_release[0] ? img->linux_release : "it");
	printk("Domain 0 kernel: %s %s, %s%s, virtual %#lx-%#lx, entry %#lx\n", img->guest_os,
	       img->guest_version, img->bzimage ? "bzImage " : "ELF ",
	       img->compression ? img->compression : "", img->virt_start, img->virt_end,
	       img->entry);
}

/* Ports that belong to the hypervisor or that it answers for (SDM and PC convention). */
static void __init ioports_grant(struct domain *d)
{
	static const uint16_t denied[][2] = {
		{0x20, 0x21},	{0xa0, 0xa1}, /* interrupt controllers */
		{0x40, 0x43},	{0x61, 0x61}, /* timer, speaker gate */
		{0xcf8, 0xcff},		      /* PCI configuration: emulated */
	};

	if (rangeset_add(&d->ioport_caps, 0, 0xffff))
		panic("Out of memory for domain 0's rights");
	for (unsigned int i = 0; i < ARRAY_SIZE(denied); i++)
		(void)rangeset_remove(&d->ioport_caps, denied[i][0], denied[i][1]);
	for (unsigned int i = 0; i < 2; i++)
		if (serial_io_base(i))
			(void)rangeset_remove(&d->ioport_caps, serial_io_base(i),
					      serial_io_base(i) + 7UL);
}

static void __init iomem_grant(struct domain *d)
{
	if (rangeset_add(&d->iomem_caps, 0, (1UL << (paddr_bits - PAGE_SHIFT)) - 1))
		panic("Out of memory for domain 0's rights");
	(void)rangeset_remove(&d->iomem_caps, 0xfee00, 0xfee00); /* local APIC */
	for (unsigned int i = 0; i < acpi_info.nr_ioapics; i++)
		(void)rangeset_remove(&d->iomem_caps, acpi_info.ioapics[i].base >> PAGE_SHIFT,
				      acpi_info.ioapics[i].base >> PAGE_SHIFT);
}

static struct domain *__init domain0_create(unsigned int vcpus)
{
	static const xen_domain_handle_t no_handle;
	struct domain_config cfg = {
		.privileged = true,
		.handle = &no_handle,
		.max_vcpus = vcpus,
		.max_evtchn_port = INT32_MAX,
		.max_grant_frames = grant_opt_max_frames,
		.max_maptrack_frames = grant_opt_max_maptrack,
		.max_grant_version = grant_opt_max_version,
	};
	struct domain *d;
	int rc = domain_create(0, &cfg, &d);

	if (rc)
		panic("Cannot create domain 0: error %d", rc);
	hardware_domain = d;
	for (unsigned int i = 0; i < vcpus; i++) {
		cpumask_t pin;

		rc = domain_vcpu_create(d, i);
		if (rc)
			panic("Cannot create domain 0's vCPU %u: error %d", i, rc);
		cpumask_clear(&pin);
		cpumask_set(i % nr_cpus_online, &pin);
		if (opt_dom0_vcpus_pin && vcpu_set_hard_affinity(d->vcpu[i], &pin))
			panic("Cannot pin domain 0's vCPU %u", i);
	}
	ioports_grant(d);
	iomem_grant(d);
	if (pirq_domain_init_hardware(d))
		panic("Out of memory for domain 0's interrupts");
	return d;
}

static void __init vcpu0_start(struct domain *d, const struct dom0_layout *l)
{
	struct vcpu *v = d->vcpu[0];
	struct cpu_user_regs *r = &v->regs;
	int rc;

	r->cs = FLAT_KERNEL_CS;
	r->ss = FLAT_KERNEL_SS;
	r->rip = l->img.entry;
	r->rsp = dom0_va(l, l->stack_pfn + 1);
	r->rsi = dom0_va(l, l->start_info_pfn);
	r->rflags = RFLAGS_IF | RFLAGS_MBS;
	v->pv.kernel_ss = FLAT_KERNEL_SS;
	v->pv.kernel_sp = r->rsp;
	d->shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
	/* What interrupts the check (the timer of a serial port that is polled) has to wait until domain 0 runs. */
	do
		rc = pv_set_guest_table(v, l->l4_mfn, 0);
	while (rc == -ERESTART);
	if (rc)
		panic("Domain 0's first page tables were refused: error %d", rc);
	if (pv_pin_table(d, l->l4_mfn, PGT_l4_page_table))
		panic("Domain 0's first page table cannot be pinned");
	v->is_initialised = true;
	atomic_and(&v->pause_flags, ~VPF_down);
}

void __init dom0_build(void)
{
	static struct dom0_layout l __initdata;
	const struct boot_module *m = boot_info.modules;
	struct domain *d;

	if (!boot_info.nr_modules)
		panic("No domain 0 kernel: the loader passed no module. In GRUB: 'multiboot2 poncho.gz', then "
		      "'module2 vmlinuz ...' and 'module2 initrd.img'");
	kernel_open(&l.img, m);
	l.kernel = m;
	l.initrd = boot_info.nr_modules > 1 ? m + 1 : NULL;
	d = domain0_create(dom0_vcpus(nr_cpus_online));
	dom0_memory_build(d, &l);
	if (buffer)
		heap_free(buffer, buffer_order, true);
	for (unsigned int i = 0; i < boot_info.nr_modules; i++)
		mm_release(m[i].start, m[i].end);
	vtime_update_wallclock(d);
	vcpu0_start(d, &l);
	d->creation_finished = true;
	if (opt_dom0_watchdog) {
		(void)domain_watchdog(d, 0, opt_dom0_watchdog);
		watch_set(opt_dom0_watchdog);
		printk("Domain 0 has %u s to stop watchdog 1, or the machine reboots\n",
		       opt_dom0_watchdog);
	}
	printk("Domain 0: %u MiB, %u vCPU(s), pages %u of at most %u\n", d->tot_pages >> 8,
	       d->max_vcpus, d->tot_pages, d->max_pages);
}
