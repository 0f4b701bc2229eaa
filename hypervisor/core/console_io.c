/* SPDX-License-Identifier: MIT */
/*
 * The console as others use it: tools read the ring, guests write lines, and the serial line's input goes to domain 0 or
 * to the key handlers; three times the switch key (Ctrl-A) changes between them.
 *
 * Invariant: input_end - input_start <= INPUT_SIZE; characters beyond are lost. An unprivileged guest's text appears by whole lines,
 * printable characters only, at debug level of the guests' log, and at most LINE_BUDGET bytes a second.
 *
 * Lock: input_lock for the input ring (a leaf); d->console_line_lock for a guest's unfinished line, above the console's.
 */
#include "core/console.h"

#include "boot/cmdline.h"
#include "core/event.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/guest_copy.h"
#include "mm/heap.h"
#include "x86/softirq.h"
#include "x86/time.h"

#define INPUT_SIZE  256u
#define CHUNK	    256u
#define LINE_SIZE   256u
#define LINE_BUDGET 65536u

static spinlock_t input_lock;
static char input[INPUT_SIZE];
static uint32_t input_start, input_end;
static bool input_to_guest;   /* else to the key handlers */
static char switch_key = 'a'; /* with Ctrl; 0: no switching */
static bool start_with_keys;
static bool opt_console_to_ring;

/* --- the ring, for tools --- */

int console_read(struct xen_sysctl_readconsole *op)
{
	unsigned long va = (unsigned long)op->buffer.p;
	uint32_t at = op->incremental ? op->index : console_ring_first(), done = 0;
	char chunk[CHUNK];
	size_t n;

	while ((n = console_ring_read(chunk, min(op->count - done, CHUNK), &at)) > 0) {
		if (copy_to_guest_va(va + done, chunk, n))
			return -EFAULT;
		done += (uint32_t)n;
	}
	if (op->clear)
		console_ring_consume(at);
	op->count = done;
	op->index = at;
	return 0;
}

/* --- guests' output --- */

static bool budget_ok(struct domain *d, unsigned int n)
{
	s_time_t now = time_now();

	if (now - d->console_window >= SECONDS(1) || !d->console_window) {
		d->console_window = now;
		d->console_budget = LINE_BUDGET;
	}
	if (d->console_budget < n) {
		if (d->console_budget)
			guest_printk(d, LOG_G_WARN "console output suppressed\n");
		d->console_budget = 0;
		return false;
	}
	d->console_budget -= n;
	return true;
}

static void line_end(struct domain *d)
{
	d->console_line[d->console_len] = '\0';
	if (budget_ok(d, d->console_len + 1))
		guest_printk(d, LOG_G_DEBUG "%s\n", d->console_line);
	d->console_len = 0;
}

static int lines_add(struct domain *d, const char *s, size_t n)
{
	spin_lock(&d->console_line_lock);
	if (!d->console_line)
		d->console_line = kzalloc(LINE_SIZE);
	if (!d->console_line) {
		spin_unlock(&d->console_line_lock);
		return -ENOMEM;
	}
	for (; n; n--, s++) {
		if (*s == '\n' || d->console_len == LINE_SIZE - 1)
			line_end(d);
		if ((*s >= ' ' && *s < 0x7f) || *s == '\t')
			d->console_line[d->console_len++] = *s;
	}
	spin_unlock(&d->console_line_lock);
	return 0;
}

long console_guest_write(struct domain *d, unsigned long buf_va, unsigned int count)
{
	unsigned int done = 0;
	char chunk[CHUNK];

	while (done < count) {
		unsigned int n = min(count - done, CHUNK);

		if (done && irq_window())
			return done > INT32_MAX ? INT32_MAX : done;
		if (copy_from_guest_va(chunk, buf_va + done, n))
			return -EFAULT;
		if (d->is_hardware)
			/* As it stands: it may be interactive. */
			console_write_raw(chunk, n, opt_console_to_ring);
		else if (lines_add(d, chunk, n))
			return -ENOMEM;
		done += n;
	}
	return 0;
}

/* --- input --- */

long console_guest_read(unsigned long buf_va, unsigned int count)
{
	char chunk[INPUT_SIZE];
	unsigned int n = 0;

	spin_lock(&input_lock);
	while (n < min(count, INPUT_SIZE) && input_start != input_end)
		chunk[n++] = input[input_start++ % INPUT_SIZE];
	spin_unlock(&input_lock);
	return copy_to_guest_va(buf_va, chunk, n) ? -EFAULT : (long)n;
}

static void input_notify(void *unused)
{
	send_global_virq(VIRQ_CONSOLE);
}

static void input_char(char c)
{
	static struct work input_work = {.fn = input_notify};

	if (!input_to_guest) {
		keyhandler_queue(c);
		return;
	}
	spin_lock(&input_lock);
	if (input_end - input_start < INPUT_SIZE)
		input[input_end++ % INPUT_SIZE] = c;
	spin_unlock(&input_lock);
	/* Also when it was full, so that a reader that missed one is told again. */
	work_queue(&input_work);
}

static void input_switch(void)
{
	input_to_guest = !input_to_guest && hardware_domain;
	if (switch_key)
		printk("*** Serial input to %s (type 'CTRL-%c' three times to switch input)\n",
		       input_to_guest ? "DOM0" : "hypervisor", switch_key);
	else
		printk("*** Serial input to %s\n", input_to_guest ? "DOM0" : "hypervisor");
}

void console_rx(char c)
{
	static unsigned int
		pressed; /* how often the switch key in a row; input comes from one line only */
	char key = (char)(switch_key - 'a' + 1);

	if (switch_key && c == key) {
		if (++pressed == 3) {
			pressed = 0;
			input_switch();
		}
		return;
	}
	for (; pressed; pressed--)
		input_char(key);
	input_char(c);
}

static void thresholds_say(const char *who, const struct log_thresholds *t)
{
	printk("%s Loglevel: %s", who, log_level_name(t->lower));
	if (t->upper != t->lower)
		printk(" (Rate-limited: %s)", log_level_name(t->upper));
	printk("\n");
}

void console_endboot(void)
{
	thresholds_say("Std.", &log_thresholds[0]);
	thresholds_say("Guest", &log_thresholds[1]);
	input_to_guest = start_with_keys;
	input_switch();
}

/* --- options --- */

static int conswitch_option(const char *value)
{
	if (value[0] && (value[0] < 'a' || value[0] > 'z'))
		return -EINVAL;
	switch_key = value[0];
	start_with_keys = value[0] && value[1] == 'x';
	return 0;
}
CMDLINE(conswitch, conswitch_option,
	"<switch char>[x]: key that gives serial input to the hypervisor or domain 0");
CMDLINE_FLAG(console_to_ring, opt_console_to_ring,
	     "keep domain 0's console output in the log ring, too");
