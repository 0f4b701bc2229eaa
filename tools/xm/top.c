/* SPDX-License-Identifier: MIT */
/*
 * top: the table again and again, in batch mode as plain text, on a terminal as a full screen with keys. The screen needs nothing but the
 * few control sequences every terminal since the VT100 has, so no terminal library is loaded.
 */
#include "xm/top.h"

#include "xm/terminal.h"
#include "xm/verbs.h"

#include <ctype.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define SCREEN_HOME  "\033[H"
#define LINE_END     "\033[K\r\n"
#define SCREEN_REST  "\033[J"

enum { KEY_ESCAPE = 27, KEY_CTRL_C = 3, KEY_UP = 256, KEY_DOWN };

struct top {
	struct xm *x;
	struct top_view view;
	struct top_sample now;
	long delay, iterations; /* @iterations 0: for ever */
	bool asking;		/* for a delay */
	char answer[8];
};

static int top_take(struct top *t)
{
	struct top_sample before = t->now;
	int rc = sample_take(t->x, t->view.vcpus, &before, &t->now);

	if (rc)
		t->now = (struct top_sample){0};
	sample_free(&before);
	top_sort(&t->now, &t->view);
	return rc;
}

static int top_batch(struct top *t)
{
	for (long i = 1;; i++) {
		if (top_take(t))
			return -1;
		top_render(&t->now, &t->view, &t->x->out);
		if (put(t->x))
			return -1;
		if (i == t->iterations)
			return 0;
		sleep((unsigned int)t->delay);
	}
}

/* --- The screen ------------------------------------------------------------------------------------------------- */

static void bottom_line(const struct top *t, struct text *out)
{
	if (t->asking)
		text_printf(out, "  Delay(sec): %s", t->answer);
	else
		text_printf(
			out,
			"  [D]elay  [N]etworks%s  v[B]ds%s  [V]CPUs%s  [R]epeat header%s  [S]ort order  [Q]uit",
			t->view.networks ? "*" : "", t->view.vbds ? "*" : "",
			t->view.vcpus ? "*" : "", t->view.repeat_header ? "*" : "");
	text_str(out, "\033[K");
}

/* One line cut to the screen's width; control sequences have none. */
static void clip(const char *line, size_t len, int width, struct text *out)
{
	for (const char *p = line; p < line + len; p++) {
		const char *end = *p == '\033' ? memchr(p, 'm', (size_t)(line + len - p)) : NULL;

		if (end) {
			text_add(out, p, (size_t)(end - p) + 1);
			p = end;
		} else if (width-- > 0) {
			text_add(out, p, 1);
		}
	}
	text_str(out, LINE_END);
}

static void screen_draw(const struct top *t)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	struct text body = {0}, out = {0};
	time_t now = time(NULL);
	char clock[16];

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	if (size.ws_row < 3 || size.ws_col < 10)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
	top_summary(&t->now, clock, &body);
	top_render(&t->now, &t->view, &body);
	text_str(&out, SCREEN_HOME);
	for (char *p = body.data, *end; *p && size.ws_row-- > 1; p = end + 1) {
		end = strchrnul(p, '\n');
		clip(p, (size_t)(end - p), size.ws_col, &out);
		if (!*end)
			break;
	}
	text_str(&out, SCREEN_REST);
	bottom_line(t, &out);
	if (write(STDOUT_FILENO, out.data, out.len) < 0)
		t = NULL;
	text_free(&out);
	text_free(&body);
}

/* --- Keys --------------------------------------------------------------------------------------------------------- */

/* One byte of what was typed, however much of it came at once; -1: the end of input. */
static int byte_read(void)
{
	unsigned char b;

	return read(STDIN_FILENO, &b, 1) == 1 ? b : -1;
}

static int key_read(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	int key = byte_read();

	if (key != KEY_ESCAPE || poll(&in, 1, 0) <= 0)
		return key < 0 ? KEY_CTRL_C : key;
	byte_read(); /* [ or O */
	key = byte_read();
	return key == 'A' ? KEY_UP : key == 'B' ? KEY_DOWN : 0;
}

static void key_answer(struct top *t, int key)
{
	size_t n = strlen(t->answer);
	long delay;

	if (isdigit(key) && n + 1 < sizeof(t->answer)) {
		t->answer[n] = (char)key;
		t->answer[n + 1] = '\0';
	} else if ((key == 127 || key == '\b') && n) {
		t->answer[n - 1] = '\0';
	} else if (key == '\r' || key == '\n') {
		if (str_to_long(t->answer, 1, 86400, &delay))
			t->delay = delay;
		t->asking = false;
	} else if (key == KEY_ESCAPE) {
		t->asking = false;
	}
}

static void sort_next(struct top_view *view)
{
	view->sort = view->by_id ? 0 : view->sort + 1;
	view->by_id = view->sort == TOP_FIELDS;
}

/* false: the end. */
static bool key_act(struct top *t, int key)
{
	const struct {
		int key;
		bool *on;
	} switches[] = {{'n', &t->view.networks},
			{'b', &t->view.vbds},
			{'v', &t->view.vcpus},
			{'r', &t->view.repeat_header}};

	if (t->asking && key != KEY_CTRL_C) {
		key_answer(t, key);
		return true;
	}
	key = key < 128 ? tolower(key) : key;
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		if (key == switches[i].key)
			*switches[i].on ^= true;
	if (key == 's') {
		sort_next(&t->view);
		top_sort(&t->now, &t->view);
	} else if (key == 'd') {
		t->asking = true;
		t->answer[0] = '\0';
	} else if (key == KEY_DOWN) {
		t->view.first += t->view.first + 1 < t->now.nr;
	} else if (key == KEY_UP) {
		t->view.first -= t->view.first > 0;
	}
	return key != 'q' && key != KEY_ESCAPE && key != KEY_CTRL_C;
}

static int top_screen(struct top *t)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	bool going = true;
	int rc = 0;

	if (write(STDOUT_FILENO, SCREEN_ENTER, strlen(SCREEN_ENTER)) < 0)
		return error_set(&t->x->error, ERROR_FAILED, "standard output cannot be written");
	terminal_make_raw(SCREEN_LEAVE);
	for (long i = 1; going && !(rc = top_take(t)); i++) {
		screen_draw(t);
		while (going && poll(&in, 1, (int)t->delay * 1000) > 0) {
			going = key_act(t, key_read());
			screen_draw(t);
		}
		going &= i != t->iterations;
	}
	terminal_restore();
	return rc;
}

int xm_top(struct xm *x)
{
	struct top t = {
		.x = x,
		.delay = 3,
		.view = {.by_id = true,
			 .networks = option(x, "networks"),
			 .vbds = option(x, "vbds"),
			 .vcpus = option(x, "vcpus"),
			 .repeat_header = option(x, "repeat-header"),
			 .full_names = option(x, "full-name"),
			 .dom0_first = option(x, "dom0-first")},
	};
	int rc;

	if (option_number(x, "delay", 1, 86400, &t.delay) ||
	    option_number(x, "iterations", 1, 1000000000, &t.iterations))
		return -1;
	t.view.screen = !option(x, "batch") && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	rc = t.view.screen ? top_screen(&t) : top_batch(&t);
	sample_free(&t.now);
	return rc;
}
