/* SPDX-License-Identifier: MIT */
/*
 * Dying well: panic, failed assertions, unexpected traps. Stops the other CPUs, prints registers and a backtrace with
 * symbols synchronously, then reboots, or halts with `noreboot`.
 */
#include "core/console.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "x86/asm.h"
#include "x86/outer.h"
#include "x86/shutdown.h"
#include "x86/smp.h"
#include "x86/traps.h"
#include <xen/sched.h>

extern const uint64_t symbol_count, symbol_addresses[];
extern const uint32_t symbol_offsets[];
extern const char symbol_names[], _start[], _etext[];

bool opt_noreboot;
static unsigned int crashes;

/* Name of the function that holds @addr, and how far into it; NULL if it is not in the image's code. */
static const char *symbol_find(unsigned long addr, unsigned long *offset)
{
	unsigned long lo = 0, hi = symbol_count;

	if (addr < (unsigned long)_start || addr >= (unsigned long)_etext || !hi)
		return NULL;
	while (hi - lo > 1) {
		unsigned long mid = (lo + hi) / 2;

		if (symbol_addresses[mid] <= addr)
			lo = mid;
		else
			hi = mid;
	}
	*offset = addr - symbol_addresses[lo];
	return symbol_names + symbol_offsets[lo];
}

static void print_address(unsigned long addr)
{
	unsigned long off;
	const char *name = symbol_find(addr, &off);

	if (name)
		printk("   [<%016lx>] %s+%#lx\n", addr, name, off);
}

/* Frame pointers link the frames of this CPU's stack; an interrupted guest ends the chain. */
static void show_backtrace(unsigned long ip, unsigned long bp)
{
	unsigned long stack = (unsigned long)cpu_info() & ~(STACK_SIZE - 1);

	printk("Call trace:\n");
	print_address(ip);
	for (int i = 0; i < 32 && bp > stack && bp < stack + STACK_SIZE - 16 && !(bp & 7); i++) {
		const unsigned long *frame = (const unsigned long *)bp;

		print_address(frame[1]);
		if (frame[0] <= bp)
			break;
		bp = frame[0];
	}
}

void show_regs(const struct cpu_user_regs *r)
{
	printk("rip %04x:%016lx  rflags %08lx\n", r->cs, r->rip, r->rflags);
	printk("rax %016lx  rbx %016lx  rcx %016lx\n", r->rax, r->rbx, r->rcx);
	printk("rdx %016lx  rsi %016lx  rdi %016lx\n", r->rdx, r->rsi, r->rdi);
	printk("rbp %016lx  rsp %04x:%016lx\n", r->rbp, r->ss, r->rsp);
	printk("r8  %016lx  r9  %016lx  r10 %016lx\n", r->r8, r->r9, r->r10);
	printk("r11 %016lx  r12 %016lx  r13 %016lx\n", r->r11, r->r12, r->r13);
	printk("r14 %016lx  r15 %016lx\n", r->r14, r->r15);
}

void show_control_regs(void)
{
	printk("CPU %u  cr0 %08lx  cr2 %016lx  cr3 %016lx  cr4 %08lx\n", this_cpu_id(), read_cr0(),
	       read_cr2(), read_cr3(), read_cr4());
}

/* The report has failed: without a word to the end that was asked for; when that fails too, stop. */
static void __noreturn crash_again(void)
{
	if (!opt_noreboot && crashes == 2)
		machine_restart(0);
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

static void __noreturn crash_end(void)
{
	printk("\n");
	if (opt_noreboot) {
		printk("Manual reset required ('noreboot' specified)\n");
		/* A hypervisor below us may keep what is left of us, for whoever looks at it. */
		if (outer.shutdown)
			outer.shutdown(SHUTDOWN_crash);
		machine_halt();
	}
	printk("Reboot in five seconds...\n");
	machine_restart(5000);
}

/* The first CPU to crash speaks; any other stays in smp_stop_others(). @ip and @bp: where the trace starts. */
static void __noreturn crash(const struct cpu_user_regs *regs, unsigned long ip, unsigned long bp,
			     const char *fmt, va_list ap)
{
	static char text[256];

	__asm__ __volatile__("cli");
	smp_stop_others();
	if (crashes++)
		crash_again();
	console_start_sync();
	vsnprintf(text, sizeof(text), fmt, ap);
	printk("\n****************************************\n");
	printk("Panic on CPU %u:\n%s\n", this_cpu_id(), text);
	printk("****************************************\n");
	if (regs) {
		printk("error code %04x\n", regs->error_code);
		show_regs(regs);
		show_control_regs();
	}
	show_backtrace(ip, bp);
	crash_end();
}

void crash_with_regs(const struct cpu_user_regs *regs, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	crash(regs, regs->rip, regs->rbp, fmt, ap);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	crash(NULL, (unsigned long)__builtin_return_address(0),
	      *(unsigned long *)__builtin_frame_address(0), fmt, ap);
}

void assert_failed(const char *expr, const char *file, int line)
{
	panic("Assertion '%s' failed at %s:%d", expr, file, line);
}
