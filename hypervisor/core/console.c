/* SPDX-License-Identifier: MIT */
/*
 * printk: text becomes lines with a prefix, a level and a time stamp, and goes to the ring and to every device.
 *
 * Invariant: ring_end counts all bytes ever written, ring_first those that have been given up; what lies between is at
 * ring[index % ring_size], so ring_end - ring_first <= ring_size, a power of two. Each CPU's unfinished line keeps the
 * decision (printed or not) that its start has got.
 *
 * Lock: console_lock guards the ring, the devices and the line state. It is a leaf: nothing is locked below it. A CPU that comes
 * in again while it holds the lock (a fault inside a driver) passes through: its words matter more than their order.
 *
 * Does not: input, guests' buffers (console_io.c), keys (keyhandler.c).
 */
#include "core/console.h"

#include "boot/cmdline.h"
#include "core/event.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/asm.h"
#include "x86/time.h"

#define RING_EARLY_SIZE	  16384u
#define RING_DEFAULT_SIZE 65536u
#define RING_MAX_SIZE	  (4u << 20)
#define PREFIX_HYPERVISOR "(XEN) "

/* A message of level L: below lower always printed, below upper rate-limited, else not at all. */
#ifdef DEBUG
struct log_thresholds log_thresholds[2] = {{4, 4}, {4, 4}};
#else
struct log_thresholds log_thresholds[2] = {{3, 3}, {0, 2}};
#endif
#define LEVEL_DEFAULT	    2 /* of a line that names none */
#define LEVEL_GUEST_DEFAULT 1

enum timestamp_mode { STAMP_NONE, STAMP_DATE, STAMP_DATEMS, STAMP_BOOT, STAMP_RAW };
static const char *const stamp_names[] = {"none", "date", "datems", "boot", "raw"};

static spinlock_t console_lock;
static unsigned int lock_owner; /* CPU number + 1; 0 = nobody */
static struct console_dev *devices;
static char ring_early[RING_EARLY_SIZE];
static char *ring = ring_early;
static uint32_t ring_size = RING_EARLY_SIZE, ring_first, ring_end;
static char text[1024];
static unsigned int log_everything;
static bool crashed;

static enum timestamp_mode stamp_mode;
static bool opt_sync_console;
static uint32_t opt_conring_size;
static char opt_console[64] = "vga,com1";

struct line_state {
	bool continued; /* the last text had no newline */
	bool print;	/* ... and this was its line's fate */
};
static DEFINE_PER_CPU(struct line_state, line_state);

static bool console_enter(void)
{
	unsigned int me = this_cpu_id() + 1;

	if (READ_ONCE(lock_owner) == me)
		return false;
	spin_lock(&console_lock);
	WRITE_ONCE(lock_owner, me);
	return true;
}

static void console_leave(bool entered)
{
	if (!entered)
		return;
	WRITE_ONCE(lock_owner, 0);
	spin_unlock(&console_lock);
}

/* --- the ring --- */

static void ring_write(const char *s, size_t n)
{
	for (; n; n--)
		ring[ring_end++ & (ring_size - 1)] = *s++;
	if (ring_end - ring_first > ring_size)
		ring_first = ring_end - ring_size;
}

/* What is there from @from on, as far as it is in one piece. */
static size_t ring_piece(uint32_t from, const char **s)
{
	uint32_t at = from & (ring_size - 1);

	*s = ring + at;
	return min(ring_end - from, ring_size - at);
}

static bool ring_holds(uint32_t index)
{
	return index - ring_first <= ring_end - ring_first;
}

size_t console_ring_read(char *dst, size_t n, uint32_t *at)
{
	bool entered = console_enter();
	const char *s;

	if (!ring_holds(*at))
		*at = ring_first;
	n = min(n, ring_piece(*at, &s));
	memcpy(dst, s, n);
	*at += (uint32_t)n;
	console_leave(entered);
	return n;
}

uint32_t console_ring_first(void)
{
	return READ_ONCE(ring_first);
}

void console_ring_consume(uint32_t upto)
{
	bool entered = console_enter();

	if (ring_holds(upto))
		ring_first = upto;
	console_leave(entered);
}

static void ring_notify(void *unused)
{
	send_global_virq(VIRQ_CON_RING);
}

/* --- output --- */

static void emit(const char *s, size_t n, bool to_ring)
{
	for (struct console_dev *dev = devices; dev; dev = dev->next)
		dev->write(dev, s, n);
	if (to_ring)
		ring_write(s, n);
}

void console_write_raw(const char *s, size_t n, bool to_ring)
{
	bool entered = console_enter();

	emit(s, n, to_ring);
	console_leave(entered);
}

/* A new device hears everything that was said before it came. */
void console_register(struct console_dev *dev)
{
	bool entered = console_enter();
	uint32_t from = ring_first;
	const char *s;
	size_t n;

	for (; (n = ring_piece(from, &s)) > 0; from += (uint32_t)n)
		dev->write(dev, s, n);
	dev->next = devices;
	devices = dev;
	if (opt_sync_console && dev->sync)
		dev->sync(dev);
	console_leave(entered);
}

/* Days since 1970 to a date of the Gregorian calendar; eras of 400 years from 1 March 0000. */
static void civil_from_days(int64_t days, unsigned int *year, unsigned int *month,
			    unsigned int *day)
{
	uint64_t z = (uint64_t)(days + 719468);
	uint64_t era = z / 146097, doe = z % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t mp = (5 * doy + 2) / 153;

	*day = (unsigned int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (unsigned int)(yoe + era * 400 + (*month <= 2));
}

static size_t stamp_date(char *buf, size_t size, bool ms)
{
	uint64_t now = wallclock_base_ns + (uint64_t)time_now();
	uint64_t sec = now / 1000000000;
	unsigned int year, month, day, in_day = (unsigned int)(sec % 86400);
	size_t n;

	civil_from_days((int64_t)(sec / 86400), &year, &month, &day);
	n = scnprintf(buf, size, "[%04u-%02u-%02u %02u:%02u:%02u", year, month, day, in_day / 3600,
		      in_day / 60 % 60, in_day % 60);
	if (ms)
		n += scnprintf(buf + n, size - n, ".%03u",
			       (unsigned int)(now % 1000000000 / 1000000));
	return n + scnprintf(buf + n, size - n, "] ");
}

static size_t stamp(char *buf, size_t size)
{
	enum timestamp_mode mode = READ_ONCE(stamp_mode);
	uint64_t now;

	if (mode == STAMP_NONE)
		return 0;
	if ((mode == STAMP_DATE || mode == STAMP_DATEMS) && wallclock_base_ns)
		return stamp_date(buf, size, mode == STAMP_DATEMS);
	if (mode != STAMP_RAW && time_scale.mul_frac) {
		now = (uint64_t)time_now();
		return scnprintf(buf, size, "[%5lu.%06lu] ", now / 1000000000,
				 now % 1000000000 / 1000);
	}
	return scnprintf(buf, size, "[%016lx] ", rdtsc());
}

static void emit_line_start(const char *prefix)
{
	char buf[40];

	emit(prefix, strlen(prefix), true);
	emit(buf, stamp(buf, sizeof(buf)), true);
}

/* Ten messages at once, then one every five seconds; tells how many were lost. */
static bool rate_limit_ok(void)
{
	static const s_time_t cost = SECONDS(5);
	static s_time_t tokens = 10 * SECONDS(5), last;
	static unsigned int missed;
	s_time_t now = time_now();
	char note[48];
	size_t n;

	tokens = min(tokens + now - last, 10 * cost);
	last = now;
	if (tokens < cost) {
		missed++;
		return false;
	}
	tokens -= cost;
	if (missed) {
		emit_line_start(PREFIX_HYPERVISOR);
		n = scnprintf(note, sizeof(note), "printk: %u messages suppressed.\n", missed);
		emit(note, n, true);
		missed = 0;
	}
	return true;
}

/* Reads the level marks at the start of a line, and decides. */
static bool line_wanted(const char **p)
{
	const struct log_thresholds *t = &log_thresholds[0];
	int level = -1;

	for (; (*p)[0] == '\001' && (*p)[1]; *p += 2) {
		if ((*p)[1] == 'G')
			t = &log_thresholds[1];
		else
			level = (*p)[1] - '0';
	}
	if (level < 0)
		level = t == &log_thresholds[1] ? LEVEL_GUEST_DEFAULT : LEVEL_DEFAULT;
	return log_everything || level < t->lower || (level < t->upper && rate_limit_ok());
}

static void print_text(const char *p, const char *prefix)
{
	struct line_state *state = &this_cpu(line_state);

	while (*p) {
		const char *end = strchr(p, '\n');

		if (!state->continued) {
			state->print = line_wanted(&p);
			if (state->print)
				emit_line_start(prefix);
		}
		if (state->print)
			emit(p, end ? (size_t)(end - p + 1) : strlen(p), true);
		state->continued = !end;
		if (!end)
			break;
		p = end + 1;
	}
}

static void __attribute__((format(printf, 1, 0)))
vprintk_prefix(const char *fmt, va_list ap, const char *prefix)
{
	static struct work ring_work = {.fn = ring_notify};
	bool entered = console_enter();
	uint32_t before = ring_end;

	vsnprintf(text, sizeof(text), fmt, ap);
	print_text(text, prefix);
	if (ring_end != before && !crashed && entered && hardware_domain)
		work_queue(&ring_work);
	console_leave(entered);
}

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk_prefix(fmt, ap, PREFIX_HYPERVISOR);
	va_end(ap);
}

void guest_printk(const struct domain *d, const char *fmt, ...)
{
	char prefix[16];
	va_list ap;

	scnprintf(prefix, sizeof(prefix), "(d%u) ", d->domain_id);
	va_start(ap, fmt);
	vprintk_prefix(fmt, ap, prefix);
	va_end(ap);
}

void console_log_everything(bool on)
{
	atomic_add(&log_everything, on ? 1u : -1u);
}

static void devices_sync(void)
{
	for (struct console_dev *dev = devices; dev; dev = dev->next)
		if (dev->sync)
			dev->sync(dev);
}

void console_start_sync(void)
{
	spin_lock_init(&console_lock);
	WRITE_ONCE(lock_owner, 0);
	crashed = true;
	console_log_everything(true);
	devices_sync();
}

/* --- start --- */

void console_init_early(void)
{
	if (!opt_sync_console)
		return;
	printk("Console output is synchronous.\n");
	printk(LOG_WARN "WARNING: CONSOLE OUTPUT IS SYNCHRONOUS\n");
	printk(LOG_WARN "It helps to debug; it slows everything else and disturbs time.\n");
}

void console_init_ring(void)
{
	uint32_t want = opt_conring_size ? opt_conring_size : RING_DEFAULT_SIZE, size = ring_size;
	unsigned int order;
	char *bigger;
	bool entered;

	while (size < want && size < RING_MAX_SIZE)
		size *= 2;
	if (size == ring_size)
		return;
	order = fls64(size >> PAGE_SHIFT);
	bigger = pages_alloc(order);
	if (!bigger) {
		printk(LOG_WARN "No memory for a console ring of %u KiB\n", size >> 10);
		return;
	}
	entered = console_enter();
	for (uint32_t i = ring_first; i != ring_end; i++)
		bigger[i & (size - 1)] = ring[i & (ring_size - 1)];
	ring = bigger;
	ring_size = size;
	console_leave(entered);
	printk("Allocated console ring of %u KiB.\n", size >> 10);
}

/* --- options --- */

const char *log_level_name(int level)
{
	static const char *const names[] = {"Nothing", "Errors", "Errors and warnings",
					    "Errors, warnings and info", "All"};

	return level >= 0 && level < (int)ARRAY_SIZE(names) ? names[level] : "All";
}

static int level_parse(const char **s)
{
	static const char *const names[] = {"none", "error", "warning", "info", "debug", "all"};

	for (int i = 0; i < (int)ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);

		if (!strncmp(*s, names[i], n)) {
			*s += n;
			return min(i, 4);
		}
	}
	return -EINVAL;
}

static int thresholds_parse(const char *s, struct log_thresholds *t)
{
	int lower = level_parse(&s), upper = lower;

	if (lower >= 0 && *s == '/') {
		s++;
		upper = level_parse(&s);
	}
	if (lower < 0 || upper < 0 || *s)
		return -EINVAL;
	t->lower = lower;
	t->upper = max(lower, upper);
	return 0;
}

static int loglvl_option(const char *value)
{
	return thresholds_parse(value, &log_thresholds[0]);
}
CMDLINE(loglvl, loglvl_option,
	"<lower>[/<upper>] of none, error, warning, info, debug, all: what is logged");

static int guest_loglvl_option(const char *value)
{
	return thresholds_parse(value, &log_thresholds[1]);
}
CMDLINE(guest_loglvl, guest_loglvl_option, "the same for messages about guests");

static int console_option(const char *value)
{
	return strlcpy(opt_console, value, sizeof(opt_console)) < sizeof(opt_console) ? 0 : -EINVAL;
}
CMDLINE(console, console_option, "list of vga, com1, com2, xen: where the log goes");

bool console_wanted(const char *name)
{
	size_t n = strlen(name);

	for (const char *p = opt_console; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (!strncmp(p, name, n) && (!p[n] || p[n] == ','))
			return true;
	}
	return false;
}

static int console_timestamps_option(const char *value)
{
	int yes = parse_bool(value, NULL);

	if (yes >= 0 || !*value) {
		stamp_mode = yes ? STAMP_DATE : STAMP_NONE;
		return 0;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(stamp_names); i++) {
		if (!strcmp(value, stamp_names[i])) {
			stamp_mode = i;
			return 0;
		}
	}
	return -EINVAL;
}
CMDLINE(console_timestamps, console_timestamps_option, "none, date, datems, boot, raw");
CMDLINE_FLAG(sync_console, opt_sync_console, "wait for each line to be out");

static int conring_size_option(const char *value)
{
	uint64_t bytes;
	int rc = parse_size(value, NULL, 'k', &bytes);

	if (rc)
		return rc;
	opt_conring_size = (uint32_t)min(bytes, (uint64_t)RING_MAX_SIZE);
	return 0;
}
CMDLINE(conring_size, conring_size_option, "size of the log ring");
