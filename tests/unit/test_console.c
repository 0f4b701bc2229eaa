/* SPDX-License-Identifier: MIT */
/* core/console.c and console_io.c: the ring as devices, `xl dmesg` and guests' reads see it; levels; input. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../hypervisor/core/console.c" /* its options are static */

#include "mm/guest_copy.h"
#include "x86/softirq.h"

#define EARLY  16384u /* the ring's size at first */
#define BAD_VA 0x1000UL

__thread unsigned int fake_cpu_id;
struct domain *hardware_domain;
struct time_scale time_scale;
uint64_t wallclock_base_ns;
static struct domain dom0 = {.is_privileged = true, .is_hardware = true};
static s_time_t now;
static unsigned int virqs[NR_VIRQS];
static char keys_seen[16];

/* --- what the sources need of others --- */

s_time_t time_now(void)
{
	return now;
}

void spin_wait(void)
{
	abort();
}

void *pages_alloc(unsigned int order)
{
	return calloc(1, PAGE_SIZE << order);
}

void *kzalloc(size_t bytes)
{
	return calloc(1, bytes);
}

void work_queue(struct work *w)
{
	w->fn(w->data);
}

void send_global_virq(uint32_t virq)
{
	virqs[virq]++;
}

void keyhandler_queue(char key)
{
	keys_seen[strlen(keys_seen)] = key;
}

bool irq_window(void)
{
	return false;
}

unsigned long guest_copy_raw(void *dst, const void *src, unsigned long len)
{
	if (dst == (void *)BAD_VA || src == (void *)BAD_VA)
		return len;
	memcpy(dst, src, len);
	return 0;
}

/* --- a device: all that was ever said --- */

static char said[1u << 20];
static size_t nr_said;

static void tape_write(struct console_dev *dev, const char *s, size_t n)
{
	assert_true(nr_said + n < sizeof(said));
	memcpy(said + nr_said, s, n);
	nr_said += n;
}

static bool said_ends(const char *words)
{
	size_t n = strlen(words);

	return nr_said >= n && !memcmp(said + nr_said - n, words, n);
}

/* --- as xc_readconsolering --- */

static char got_text[1u << 18];

static unsigned int ring_read(uint32_t *index, unsigned int room, bool incremental, bool clear)
{
	struct xen_sysctl_readconsole op = {
		.clear = clear, .incremental = incremental, .index = *index, .count = room};

	set_xen_guest_handle(op.buffer, got_text);
	assert_int_equal(console_read(&op), 0);
	*index = op.index;
	return op.count;
}

/* All of the ring, as `xl dmesg` gets it: in pieces, the first not incremental. Equals the end of what was said. */
static unsigned int dmesg(bool clear)
{
	unsigned int got, total = 0;
	uint32_t index = 0;
	char all[sizeof(got_text)];

	do {
		got = ring_read(&index, 5000, total, clear);
		memcpy(all + total, got_text, got);
		total += got;
	} while (got);
	assert_memory_equal(all, said + nr_said - total, total);
	return total;
}

static void fill(unsigned int bytes)
{
	static unsigned int n;

	for (size_t end = nr_said + bytes; nr_said < end;)
		printk("line %u of many\n", n++);
}

/* --- tests --- */

static void test_device_hears_the_past(void **state)
{
	static struct console_dev tape = {.name = "tape", .write = tape_write};

	printk("before\n");
	assert_int_equal(nr_said, 0);
	console_register(&tape);
	assert_true(said_ends("(XEN) before\n"));
	printk("one ");
	printk("line\ntwo\n");
	assert_true(said_ends("(XEN) one line\n(XEN) two\n"));
	assert_int_equal(dmesg(false), nr_said);
}

static void test_index(void **state)
{
	uint32_t index = 0, then;
	unsigned int n;

	assert_int_equal(ring_read(&index, sizeof(got_text), false, false), nr_said);
	assert_int_equal(index, nr_said);
	assert_int_equal(ring_read(&index, sizeof(got_text), true, false), 0);
	printk("new\n");
	n = ring_read(&index, sizeof(got_text), true, false);
	assert_int_equal(n, 10);
	assert_memory_equal(got_text, "(XEN) new\n", n);
	/* An index that is no longer there, or never was: all from the first. */
	then = index;
	fill(2 * EARLY);
	assert_int_equal(ring_read(&then, sizeof(got_text), true, false), EARLY);
	assert_int_equal(then, nr_said);
	then = index = (uint32_t)nr_said + 1;
	assert_int_equal(ring_read(&then, 10, true, false), 10);
	assert_int_equal(then, nr_said - EARLY + 10);
}

static void test_wrap_and_clear(void **state)
{
	struct xen_sysctl_readconsole op = {.count = 10, .clear = 1};
	uint32_t index = 0;

	for (unsigned int i = 0; i < 20; i++) {
		fill(1000 + 700 * i);
		assert_int_equal(dmesg(false), EARLY);
	}
	/* What could not be delivered is not given up. */
	op.buffer.p = (void *)BAD_VA;
	assert_int_equal(console_read(&op), -EFAULT);
	assert_int_equal(ring_read(&index, 100, false, true), 100);
	assert_int_equal(dmesg(false), EARLY - 100);
	dmesg(true);
	assert_int_equal(dmesg(false), 0);
	assert_int_equal(ring_read(&index, 10, true, false), 0);
	printk("after\n");
	assert_int_equal(dmesg(false), 12);
}

static void test_bigger_ring(void **state)
{
	unsigned int before;

	fill(EARLY + 1234);
	before = dmesg(false);
	assert_int_equal(before, EARLY);
	console_init_ring();
	assert_true(said_ends("Allocated console ring of 64 KiB.\n"));
	assert_true(dmesg(false) > EARLY);
	fill(70000);
	assert_int_equal(dmesg(false), 65536);
}

static void test_levels(void **state)
{
	size_t before = nr_said;

	printk(LOG_DEBUG "not shown\n");
	printk(LOG_G_DEBUG "nor this\n");
	assert_int_equal(nr_said, before);
	console_log_everything(true);
	guest_printk(&dom0, LOG_G_DEBUG "shown\n");
	console_log_everything(false);
	assert_true(said_ends("(d0) shown\n"));
	/* Ten guests' warnings at once; then one in five seconds, which says how many were lost. */
	now = SECONDS(100);
	before = nr_said;
	for (unsigned int i = 0; i < 25; i++)
		guest_printk(&dom0, LOG_G_WARN "x\n");
	assert_int_equal(nr_said - before, 10 * strlen("(d0) x\n"));
	now += SECONDS(5);
	guest_printk(&dom0, LOG_G_WARN "y\n");
	assert_true(said_ends("printk: 15 messages suppressed.\n(d0) y\n"));
}

static void test_timestamps(void **state)
{
	now = SECONDS(61) + 5000;
	time_scale.mul_frac = 1;
	assert_int_equal(console_timestamps_option("boot"), 0);
	printk("b\n");
	assert_true(said_ends("(XEN) [   61.000005] b\n"));
	assert_int_equal(console_timestamps_option("datems"), 0);
	wallclock_base_ns = 951782399UL * 1000000000 - (uint64_t)now + 42000000;
	printk("d\n");
	assert_true(said_ends("(XEN) [2000-02-28 23:59:59.042] d\n"));
	now += SECONDS(1);
	printk("d\n");
	assert_true(said_ends("(XEN) [2000-02-29 00:00:00.042] d\n"));
	assert_int_equal(console_timestamps_option("sundial"), -EINVAL);
	assert_int_equal(console_timestamps_option("no"), 0);
}

static void test_domain0(void **state)
{
	char in[8];

	hardware_domain = &dom0;
	console_endboot();
	assert_true(virqs[VIRQ_CON_RING]);
	assert_int_equal(console_guest_write(&dom0, (unsigned long)"raw\n", 4), 0);
	assert_true(said_ends("raw\n"));
	assert_int_equal(console_guest_write(&dom0, BAD_VA, 4), -EFAULT);
	for (const char *c = "ab\001\001c\001\001\001h"; *c; c++)
		console_rx(*c);
	/* Three switch keys in a row went nowhere; what came after is the hypervisor's. */
	assert_int_equal(console_guest_read((unsigned long)in, sizeof(in)), 5);
	assert_memory_equal(in, "ab\001\001c", 5);
	assert_int_equal(virqs[VIRQ_CONSOLE], 5);
	assert_string_equal(keys_seen, "h");
	assert_int_equal(console_guest_read((unsigned long)in, sizeof(in)), 0);
	hardware_domain = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_hears_the_past),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_wrap_and_clear),
		cmocka_unit_test(test_bigger_ring),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_timestamps),
		cmocka_unit_test(test_domain0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
