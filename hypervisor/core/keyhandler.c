/* SPDX-License-Identifier: MIT */
/*
 * Keys: what an operator can ask of the hypervisor by the serial line (when its input is switched there) or by
 * `xl debug-keys`.
 *
 * Invariant: handlers run one at a time, from SOFTIRQ_WORK or the tools' hypercall, with no lock held; the table changes during boot
 * only. Keys typed faster than handlers run are lost, except the last.
 */
#include "core/console.h"

#include "core/work.h"
#include "lib/log.h"
#include "mm/heap.h"
#include "x86/shutdown.h"

struct keyhandler {
	void (*fn)(char key);
	const char *help;
	bool diagnostic; /* part of '*' */
};

static void key_help(char key);
static void key_all(char key);
static void key_reboot(char key);
static void key_crashdump(char key);
static void key_ring(char key);
static void key_level(char key);
static void key_level_toggle(char key);

static struct keyhandler keys[128] = {
	['?'] = {dump_system, "show system information", false},
	['*'] = {key_all, "print all diagnostics", false},
	['+'] = {key_level, "increase log level threshold", false},
	['-'] = {key_level, "decrease log level threshold", false},
	['0'] = {dump_hardware_domain, "dump Dom0 registers", true},
	['C'] = {key_crashdump, "trigger a crashdump", false},
	['G'] = {key_level_toggle, "toggle host/guest log level adjustment", false},
	['R'] = {key_reboot, "reboot machine", false},
	['a'] = {dump_timers, "dump timer queues", true},
	['d'] = {dump_registers, "dump registers", true},
	['e'] = {dump_event_channels, "dump evtchn info", true},
	['g'] = {dump_grants, "print grant table usage", true},
	['h'] = {key_help, "show this message", false},
	['m'] = {dump_memory, "memory info", true},
	['q'] = {dump_domains, "dump domain (and guest debug) info", true},
	['r'] = {dump_runqueues, "dump run queues", true},
	['t'] = {dump_clocks, "display multi-cpu clock info", true},
	['w'] = {key_ring, "synchronously dump console ring buffer (dmesg)", false},
};

static spinlock_t run_lock;
static struct work key_work;
static char key_queued;
static unsigned int level_which; /* 0 hypervisor's, 1 guests' */

void keyhandler_register(char key, void (*fn)(char key), const char *help)
{
	unsigned int i = (unsigned char)key;

	ASSERT(i < ARRAY_SIZE(keys) && !keys[i].fn);
	keys[i] = (struct keyhandler){fn, help, true};
}

bool keyhandler_run(char key)
{
	unsigned int i = (unsigned char)key;

	if (i >= ARRAY_SIZE(keys))
		return false;
	i = (unsigned int)array_index_nospec(i, ARRAY_SIZE(keys));
	/* Two at once would mix their lines. */
	if (!keys[i].fn || !spin_trylock(&run_lock))
		return false;
	console_log_everything(true);
	keys[i].fn(key);
	console_log_everything(false);
	spin_unlock(&run_lock);
	return true;
}

static void key_run_queued(void *unused)
{
	keyhandler_run(READ_ONCE(key_queued));
}

void keyhandler_queue(char key)
{
	if (!key_work.fn)
		work_init(&key_work, key_run_queued, NULL);
	WRITE_ONCE(key_queued, key);
	work_queue(&key_work);
}

static void key_help(char key)
{
	printk("'%c' pressed -> showing installed handlers\n", key);
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].fn)
			printk(" key '%c' (ascii '%02x') => %s\n", i > ' ' ? (char)i : ' ', i,
			       keys[i].help);
}

static void key_all(char key)
{
	printk("'%c' pressed -> firing all diagnostic keyhandlers\n", key);
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!keys[i].fn || !keys[i].diagnostic)
			continue;
		printk("[%c: %s]\n", (char)i, keys[i].help);
		keys[i].fn((char)i);
	}
}

static void key_reboot(char key)
{
	printk("'%c' pressed -> rebooting machine\n", key);
	machine_restart(0);
}

static void key_crashdump(char key)
{
	printk("'%c' pressed -> triggering crashdump\n", key);
	printk("No crash kernel is loaded.\n");
}

/* To the devices only: the ring has it already. */
static void key_ring(char key)
{
	uint32_t at, end;
	char chunk[128];
	size_t n;

	printk("'%c' pressed -> dumping console ring buffer (dmesg)\n", key);
	console_ring_bounds(&at, &end);
	while (at != end && (n = console_ring_copy(chunk, sizeof(chunk), &at)) > 0) {
		n = min(n, (size_t)(end - at));
		console_write_raw(chunk, n, false);
		at += (uint32_t)n;
	}
}

static const char *level_target(void)
{
	return level_which ? "guest" : "standard";
}

static void key_level(char key)
{
	struct log_thresholds *t = &log_thresholds[level_which];

	if (key == '+' && t->lower < 4)
		t->lower++;
	else if (key == '-' && t->lower > 0)
		t->lower--;
	t->upper = max(t->upper, t->lower);
	printk("'%c' pressed -> %s log level: %s (rate limited %s)\n", key, level_target(),
	       log_level_name(t->lower), log_level_name(t->upper));
}

static void key_level_toggle(char key)
{
	level_which = !level_which;
	printk("'%c' pressed -> %s log level adjustments enabled\n", key, level_target());
}
