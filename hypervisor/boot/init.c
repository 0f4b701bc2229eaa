/* SPDX-License-Identifier: MIT */
/*
 * The boot CPU's way from the loader to domain 0: one list of calls, each of which needs what stands above it.
 */
#include "acpi/acpi.h"
#include "boot/boot.h"
#include "boot/boot_info.h"
#include "boot/cmdline.h"
#include "core/console.h"
#include "core/domain.h"
#include "core/event.h"
#include "drivers/pci.h"
#include "drivers/serial.h"
#include "drivers/vga.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "mm/heap.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/desc.h"
#include "x86/irq.h"
#include "x86/outer.h"
#include "x86/smp.h"
#include "x86/softirq.h"
#include "x86/time.h"
#include "x86/watch.h"

void boot_main(int kind, paddr_t info) __noreturn;

extern const char _start[], _end[];

static void __init keep_sort(struct mem_range *keep, unsigned int nr)
{
	for (unsigned int i = 1; i < nr; i++) {
		struct mem_range r = keep[i];
		unsigned int to = i;

		for (; to > 0 && keep[to - 1].start > r.start; to--)
			keep[to] = keep[to - 1];
		keep[to] = r;
	}
}

/* Frames that may not go to the heap: the image, the modules, the first MiB. In ascending order. */
static unsigned int __init keep_list(struct mem_range *keep)
{
	unsigned int n = 0;

	keep[n++] = (struct mem_range){0, MB(1)};
	keep[n++] =
		(struct mem_range){virt_to_maddr(_start), ROUND_UP(virt_to_maddr(_end), PAGE_SIZE)};
	for (unsigned int i = 0; i < boot_info.nr_modules; i++)
		keep[n++] = (struct mem_range){
			.start = ROUND_DOWN(boot_info.modules[i].start, PAGE_SIZE),
			.end = ROUND_UP(boot_info.modules[i].end, PAGE_SIZE),
		};
	keep_sort(keep, n);
	return n;
}

/* Usable RAM, whole pages, cut at `mem=`. */
static unsigned int __init ram_list(struct mem_range *ram, paddr_t limit)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < boot_info.nr_e820; i++) {
		const struct e820_range *r = &boot_info.e820[i];
		paddr_t start = ROUND_UP(r->start, PAGE_SIZE),
			end = ROUND_DOWN(min(r->end, limit), PAGE_SIZE);

		if (r->type != E820_RAM || end <= start)
			continue;
		if (n && ram[n - 1].end == start)
			ram[n - 1].end = end;
		else
			ram[n++] = (struct mem_range){start, end};
	}
	return n;
}

static void __init memory_init(void)
{
	static struct mem_range ram[MAX_E820] __initdata, keep[MAX_MODULES + 2] __initdata;
	unsigned int nr_ram = ram_list(ram, opt_mem_limit), nr_keep = keep_list(keep);
	uint64_t total = 0;

	for (unsigned int i = 0; i < boot_info.nr_e820; i++)
		printk(LOG_INFO "  %016lx - %016lx type %u\n", boot_info.e820[i].start,
		       boot_info.e820[i].end, boot_info.e820[i].type);
	for (unsigned int i = 0; i < nr_ram; i++)
		total += ram[i].end - ram[i].start;
	if (total < MB(64))
		panic("Too little memory: %lu MiB usable, 64 MiB are needed for the hypervisor alone",
		      total >> 20);
	mm_init(ram, nr_ram, keep, nr_keep);
	printk("System RAM: %luMB (%lukB)\n", total >> 20, total >> 10);
}

static void __init banner(void)
{
	printk("Poncho %s (Xen %s ABI)\n", PONCHO_VERSION, "4.17");
	printk("Loader: %s by %s\n", boot_info.loader[0] ? boot_info.loader : "unknown",
	       boot_info.protocol);
	cmdline_report();
}

void boot_main(int kind, paddr_t info)
{
	/* This CPU's struct cpu_info, at the top of its stack, is zeroed memory of the image: CPU 0, no vCPU. */
	const char *why = loader_info_read(kind, info);

	cmdline_parse();
	console_init_early();
	serial_init_early();
	vga_init_early();
	banner();
	if (why)
		panic("Cannot boot: %s", why);
	desc_probe_features();
	cpu_setup(0);
	memory_init();
	console_init_ring();
	efi_init(&boot_info);
	acpi_init(boot_info.rsdp);
	pci_init();
	outer_init();
	irq_init();
	lapic_init_bsp();
	watch_init(opt_dom0_watchdog);
	time_init();
	timer_subsys_init();
	pv_fpu_cpu_init();
	domain_subsys_init();
	sched_init();
	pv_mmu_init();
	smp_init();
	serial_init_irq();
	dom0_build();
	console_endboot();
	vga_release();
	mm_drop_identity();
	domain_unpause_by_tools(hardware_domain);
	stack_reset_and_jump(guest_regs(), idle_loop);
}
