/* SPDX-License-Identifier: MIT */
/* One console with a guest played by the test: viewers, the pty, the log, the scrollback, floods, garbage, a new process; and the door. */
/* links: xenconsoled/ring.c xenconsoled/record.c xenconsoled/logfile.c xenconsoled/console.c xenconsoled/door.c lib/base */
#include "unit.h"

#include "lib/base/file.h"
#include "xenconsoled/console.h"
#include "xenconsoled/door.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct loop *loop;
static struct console *console;
static struct xencons_interface *ring;
static struct console_options options;
static char folder[] = "/tmp/test-console.XXXXXX", tty[128];
static unsigned int notified, unmasked;

void wire_notify(void *arg)
{
	notified++;
}

void wire_unmask(void *arg)
{
	unmasked++;
}

void wire_tty(void *arg, const char *path)
{
	snprintf(tty, sizeof(tty), "%s", path);
}

static void stop(void *arg)
{
	loop_stop(loop);
}

static void run(unsigned int ms)
{
	struct loop_source *timer = loop_timer(loop, ms, false, stop, NULL);

	loop_run(loop);
	loop_remove(timer);
}

static void start(bool served)
{
	console = console_new(loop, &options, 5, "x/y", served, NULL);
	console_ring(console, ring);
}

static int set_up(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	options = (struct console_options){.log = true, .folder = folder, .run_folder = folder};
	loop = loop_new();
	ring = calloc(1, sizeof(*ring));
	notified = unmasked = 0;
	start(false);
	return 0;
}

static int tear_down(void **state)
{
	char *command = xasprintf("rm -rf %s", folder);
	int rc = system(command);

	free(command);
	if (console)
		console_free(console);
	console = NULL;
	free(ring);
	loop_free(loop);
	return rc;
}

static void guest_says(const char *bytes, size_t n)
{
	while (n) {
		for (; n && ring->out_prod - ring->out_cons < RING_OUT; n--)
			ring->out[ring->out_prod++ % RING_OUT] = *bytes++;
		console_event(console);
	}
}

static void guest_prints(const char *s)
{
	guest_says(s, strlen(s));
}

static void guest_hears(const char *wanted)
{
	for (const char *p = wanted; *p; p++) {
		assert_true(ring->in_cons != ring->in_prod);
		assert_int_equal(ring->in[ring->in_cons++ % RING_IN], *p);
	}
	assert_int_equal(ring->in_cons, ring->in_prod);
}

static int attach(int buffer)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	if (buffer)
		setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	console_view(console, fds[0]);
	return fds[1];
}

/* All there is to read now. */
static struct text drain(int fd)
{
	struct text t = {0};
	ssize_t n;

	while ((n = read(fd, text_room(&t, 4096), 4096)) > 0)
		t.len += (size_t)n;
	t.data[t.len] = '\0';
	return t;
}

static void sees(int fd, const char *wanted)
{
	struct text t = drain(fd);

	assert_string_equal(t.data, wanted);
	text_free(&t);
}

static bool at_end(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 0;
}

static void both_ways(void **state)
{
	int a, b;
	char *log;

	guest_prints("boot\r\n");
	a = attach(0);
	sees(a, "boot\r\n");
	guest_prints("more");
	b = attach(0);
	sees(a, "more");
	sees(b, "boot\r\nmore");
	assert_int_equal(write(a, "ls\n", 3), 3);
	run(20);
	guest_hears("ls\n");
	assert_int_equal(write(b, "rm\n", 3), 3);
	run(20);
	guest_hears("rm\n");
	close(a);
	run(20);
	guest_prints("!");
	sees(b, "!");
	log = xasprintf("%s/guest-x_y.log", folder);
	char *text = file_read(log, 4096, NULL, NULL);
	assert_string_equal(text, "boot\r\nmore!");
	free(text);
	free(log);
	assert_int_equal(notified, 3 + 2);
	/* The last words of a guest, then the end of file. */
	memcpy(ring->out + ring->out_prod % RING_OUT, "bye", 3);
	ring->out_prod += 3;
	console_free(console);
	console = NULL;
	sees(b, "bye");
	assert_true(at_end(b));
	close(b);
}

static void pty(void **state)
{
	int fd = open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK);
	char bytes[64];

	assert_true(fd >= 0);
	guest_prints("to the pty\r\n");
	run(20);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 12);
	assert_memory_equal(bytes, "to the pty\r\n", 12);
	assert_int_equal(write(fd, "typed\n", 6), 6);
	run(20);
	guest_hears("typed\n");
	close(fd);
	fd = open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK);
	guest_prints("again");
	run(20);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 5);
	close(fd);
}

static void scrollback(void **state)
{
	static char sent[300000];
	uint64_t seed = 5;
	struct text got;
	int fd;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)('a' + unit_random(&seed) % 26);
	for (size_t i = 0; i < sizeof(sent); i += 1000)
		guest_says(sent + i, 1000);
	fd = attach(0);
	run(20);
	got = drain(fd);
	assert_int_equal(got.len, RECORD_SIZE);
	assert_memory_equal(got.data, sent + sizeof(sent) - RECORD_SIZE, got.len);
	text_free(&got);
	close(fd);
}

/* One who does not read misses the middle; one who reads misses nothing. */
static void slow_viewer(void **state)
{
	int slow = attach(4096), quick = attach(0);
	struct text all = {0}, part;
	char line[64];

	for (int i = 0; i < 20000; i++) {
		guest_says(line, (size_t)sprintf(line, "line %d\r\n", i));
		if (i % 1000 == 0) {
			part = drain(quick);
			text_add(&all, part.data, part.len);
			text_free(&part);
		}
	}
	for (int i = 0; i < 100; i++) {
		run(2);
		part = drain(quick);
		text_add(&all, part.data, part.len);
		text_free(&part);
	}
	for (int i = 0, at = 0; i < 20000; i++) {
		int n = sprintf(line, "line %d\r\n", i);

		assert_memory_equal(all.data + at, line, n);
		at += n;
	}
	text_free(&all);
	for (int i = 0; i < 100; i++) {
		part = drain(slow);
		text_add(&all, part.data, part.len);
		text_free(&part);
		run(2);
	}
	assert_in_range(all.len, RECORD_SIZE, RECORD_SIZE + 20000);
	assert_memory_equal(all.data, "line 0\r\nline 1\r\n", 16);
	assert_string_equal(all.data + all.len - 12, "line 19999\r\n");
	text_free(&all);
	close(slow);
	close(quick);
	run(20);
}

/* What the guest has no room for stays with the viewer. */
static void full_input(void **state)
{
	int fd = attach(0);
	char typed[5000], got[5000];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(typed); i++)
		typed[i] = (char)('a' + i % 26);
	assert_int_equal(write(fd, typed, sizeof(typed)), sizeof(typed));
	for (int i = 0; i < 10; i++) {
		run(10);
		assert_true(ring->in_prod - ring->in_cons <= RING_IN);
		while (ring->in_cons != ring->in_prod)
			got[n++] = ring->in[ring->in_cons++ % RING_IN];
		console_event(console);
	}
	assert_int_equal(n, sizeof(typed));
	assert_memory_equal(got, typed, n);
	/* Who shuts one direction still sees. */
	shutdown(fd, SHUT_WR);
	run(10);
	guest_prints("heard");
	sees(fd, "heard");
	close(fd);
	run(10);
}

static void flood(void **state)
{
	unsigned int before = unmasked;

	for (int i = 0; i < CONSOLE_EVENTS_MOST * 3; i++)
		guest_prints("y\n");
	assert_true(unmasked - before <= CONSOLE_EVENTS_MOST);
	before = unmasked;
	run(CONSOLE_PERIOD + 50);
	assert_int_equal(unmasked, before + 1);
	guest_prints("y\n");
	assert_int_equal(unmasked, before + 2);
}

static void garbage(void **state)
{
	int fd = attach(0);
	unsigned int before;

	guest_prints("sane ");
	for (int i = 0; i < 3; i++) {
		ring->out_prod = ring->out_cons + RING_OUT + 1 + (uint32_t)i;
		before = unmasked;
		console_event(console);
		assert_int_equal(unmasked, before + 1);
	}
	sees(fd, "sane \r\n[this console's ring holds garbage and is not served]\r\n");
	ring->in_cons = ring->in_prod - RING_IN - 1;
	console_event(console);
	/* No use typing, and no harm. */
	assert_int_equal(write(fd, "x", 1), 1);
	run(20);
	console_event(console);
	assert_int_equal(ring->in_prod, 0);
	/* The guest may heal it, or get a new one. */
	ring->in_cons = ring->in_prod;
	ring->out_prod = ring->out_cons;
	guest_prints("healed");
	sees(fd, "healed");
	run(20);
	guest_hears("x");
	console_ring(console, NULL);
	memset(ring, 0, sizeof(*ring));
	console_ring(console, ring);
	guest_prints("new");
	sees(fd, "new");
	close(fd);
	run(20);
}

/* --overflow-data=keep: the guest waits for whoever reads the pty. */
static void keeps(void **state)
{
	int fd = open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK);
	char page[1000];
	uint64_t got = 0, put = 0;

	options.keep = true;
	console_limit(console, 8192);
	memset(page, 'k', sizeof(page));
	for (int i = 0; i < 500; i++) {
		for (size_t j = 0; j < sizeof(page) && ring->out_prod - ring->out_cons < RING_OUT;
		     j++)
			ring->out[ring->out_prod++ % RING_OUT] = page[j], put++;
		console_event(console);
	}
	assert_true(ring->out_prod != ring->out_cons);
	for (int i = 0; i < 100; i++) {
		ssize_t n;

		run(5);
		while ((n = read(fd, page, sizeof(page))) > 0)
			got += (uint64_t)n;
	}
	assert_int_equal(got, put);
	assert_int_equal(ring->out_prod, ring->out_cons);
	close(fd);
}

/* As if the process were killed now and another one begun. */
static void kill_and_start(void)
{
	char *record = xasprintf("%s/record-5", folder), *kept = xasprintf("%s.kept", record);
	struct xencons_interface now = *ring;

	assert_int_equal(link(record, kept), 0);
	ring->out_cons = ring->out_prod;
	console_ring(console, NULL);
	*ring = now;
	console_free(console);
	assert_int_equal(access(record, F_OK), -1);
	assert_int_equal(rename(kept, record), 0);
	start(true);
	free(record);
	free(kept);
}

static void ring_holds(const char *s)
{
	for (; *s; s++)
		ring->out[ring->out_prod++ % RING_OUT] = *s;
}

static void log_append(const char *path, const char *s)
{
	FILE *f = fopen(path, "a");

	fputs(s, f);
	fclose(f);
}

/* Wherever the end came, each byte is seen once, and logged once. */
static void new_process(void **state)
{
	char *path = xasprintf("%s/guest-x_y.log", folder), *log;
	uint32_t cons;
	int fd;

	guest_prints("first life\r\n");
	kill_and_start();
	ring_holds("second\r\n");
	/* Dead after the log was written. */
	log_append(path, "second\r\n");
	kill_and_start();
	/* Dead after the record was complete, before the guest was told. */
	cons = ring->out_cons;
	guest_prints("third\r\n");
	ring->out_cons = cons;
	kill_and_start();
	ring_holds("fourth\r\n");
	console_event(console);
	fd = attach(0);
	sees(fd, "first life\r\nsecond\r\nthird\r\nfourth\r\n");
	log = file_read(path, 4096, NULL, NULL);
	assert_string_equal(log, "first life\r\nsecond\r\nthird\r\nfourth\r\n");
	free(log);
	close(fd);
	run(10);
	/* Another one has served the guest in between: what it logged stays. */
	log_append(path, "another\r\n");
	ring_holds("another\r\n");
	ring->out_cons = ring->out_prod;
	kill_and_start();
	log = file_read(path, 4096, NULL, NULL);
	assert_non_null(strstr(log, "fourth\r\nanother\r\n"));
	free(log);
	free(path);
}

/* --- The door ------------------------------------------------------------------------------------ */

struct console *wire_console(unsigned int domid, struct error *e)
{
	if (domid == 5)
		return console;
	error_set(e, ERROR_NOT_FOUND, "there is no domain %u", domid);
	return NULL;
}

static int call(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void asked(const char *path, const char *line, const char *answer)
{
	int fd = call(path);
	struct text t;

	/* In two pieces. */
	assert_int_equal(write(fd, line, 3), 3);
	run(5);
	assert_int_equal(write(fd, line + 3, strlen(line) - 3), strlen(line) - 3);
	run(5);
	t = drain(fd);
	assert_string_equal(t.data, answer);
	text_free(&t);
	close(fd);
	run(5);
}

static void door(void **state)
{
	char *path = xasprintf("%s/run/socket", folder), longest[201];
	struct error e;

	memset(longest, 'a', 200);
	longest[200] = '\0';
	assert_int_equal(door_open(loop, path, &e), 0);
	guest_prints("hello");
	asked(path, "attach 5\n", "ok x_y\nhello");
	asked(path, "attach 5 pv 0\r\nls\n", "ok x_y\nhello");
	guest_hears("ls\n");
	asked(path, "attach 6\n", "error there is no domain 6\n");
	asked(path, "attach 5 serial\n", "error console serial 0 of domain 5 is not served here\n");
	asked(path, "attach 5 pv 1\n", "error console pv 1 of domain 5 is not served here\n");
	asked(path, "attach -1\n", "error this is not: attach DOMID [pv|serial] [NUM]\n");
	asked(path, "attach 5 pv 0 0\n", "error this is not: attach DOMID [pv|serial] [NUM]\n");
	asked(path, "   \n", "error this is not: attach DOMID [pv|serial] [NUM]\n");
	asked(path, longest, "");
	free(path);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(both_ways),   CASE(pty),	CASE(scrollback), CASE(slow_viewer),
		CASE(full_input),  CASE(flood), CASE(garbage),	  CASE(keeps),
		CASE(new_process), CASE(door),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
