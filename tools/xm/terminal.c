/* SPDX-License-Identifier: MIT */
/* See terminal.h. Only async-signal-safe calls on the way back. */
#include "xm/terminal.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct termios terminal_before;
static const char *terminal_leave;
static volatile sig_atomic_t terminal_raw;

void terminal_restore(void)
{
	if (!terminal_raw)
		return;
	terminal_raw = 0;
	if (write(STDOUT_FILENO, terminal_leave, strlen(terminal_leave)) < 0)
		terminal_leave = "";
	tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_before);
}

static void terminal_signal(int signo)
{
	terminal_restore();
	signal(signo, SIG_DFL);
	raise(signo);
}

void terminal_make_raw(const char *leave)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS};
	struct sigaction sa = {.sa_handler = terminal_signal};
	struct termios raw;

	terminal_leave = leave;
	if (tcgetattr(STDIN_FILENO, &terminal_before))
		return;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	raw = terminal_before;
	cfmakeraw(&raw);
	terminal_raw = 1;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}
