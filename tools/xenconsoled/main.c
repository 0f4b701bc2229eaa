/* SPDX-License-Identifier: MIT */
/*
 * xenconsoled: serves the guests' consoles. Options as those of the xenconsoled it takes the place of, and a few more. Everything it
 * needs to go on after being killed lies elsewhere: positions in the rings, output in the logs, which domains there are in the
 * hypervisor.
 */
#include "lib/base/daemon.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/options.h"
#include "xenconsoled/domains.h"
#include "xenconsoled/door.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN_FOLDER "/run/xenconsoled"
#define FDS_MOST   (3 * 32752 + 1000) /* a pty's two ends and a log for each domain, and some */

static struct settings {
	struct domains_options domains;
	const char *pid_file, *socket;
	bool interactive, verbose;
} s = {
	.domains = {.console = {.log = true,
				.folder = "/var/log/xen/console",
				.run_folder = RUN_FOLDER,
				.file = {.most = 4u << 20, .keep = 4}},
		    .hypervisor_log = true},
	.socket = RUN_FOLDER "/socket",
};

static const char head[] =
	"Usage: xenconsoled [OPTION]...\n"
	"Serves the consoles of guests: a pty and a log for each, and a socket for "
	"viewers.\n\n";

static const struct option_info options[] = {
	{'h', "help", NULL, "this text"},
	{'V', "version", NULL, "the version"},
	{'v', "verbose", NULL, "tell more"},
	{'i', "interactive", NULL, "stay in the foreground"},
	{OPTION_LONG('l'), "log", "WHAT", "which ones to log: none, guest, hv or all (all)"},
	{OPTION_LONG('r'), "log-dir", "FOLDER", "where (/var/log/xen/console)"},
	{OPTION_LONG('s'), "log-size", "BYTES", "rotate a log of this size; 0: never (4194304)"},
	{OPTION_LONG('k'), "log-keep", "NUMBER", "how many old logs to keep of each (4)"},
	{'t', "timestamp", "WHAT", "which logs get time stamps: none, guest, hv or all (none)"},
	{'o', "overflow-data", "WHAT",
	 "output nobody reads from the pty: discard the oldest, or keep all and let the guest "
	 "wait (discard)"},
	{OPTION_LONG('e'), "replace-escape", NULL, "write ESC as a dot to the logs"},
	{OPTION_LONG('p'), "pid-file", "FILE", "/run/xenconsoled.pid, and none with -i"},
	{OPTION_LONG('S'), "socket", "FILE", "the viewers' socket (" RUN_FOLDER "/socket)"},
};

/* "none", "guest", "hv", "all" into its two halves. */
static bool read_which(const char *what, bool *guest, bool *hypervisor)
{
	*guest = !strcmp(what, "guest") || !strcmp(what, "all");
	*hypervisor = !strcmp(what, "hv") || !strcmp(what, "all");
	return *guest || *hypervisor || !strcmp(what, "none");
}

static bool take_option(int letter, char *value)
{
	struct console_options *console = &s.domains.console;
	struct logfile_options *file = &console->file;

	switch (letter) {
	case 'V':
		puts("Poncho Console Daemon 4.17");
		exit(0);
	case 'v':
		return s.verbose = true;
	case 'i':
		return s.interactive = true;
	case OPTION_LONG('l'):
		return read_which(value, &console->log, &s.domains.hypervisor_log);
	case 't':
		return read_which(value, &file->stamps, &s.domains.hypervisor_stamps);
	case OPTION_LONG('r'):
		return (console->folder = value);
	case OPTION_LONG('p'):
		return (s.pid_file = value);
	case OPTION_LONG('S'):
		return (s.socket = value);
	case 'o':
		console->keep = !strcmp(value, "keep");
		return console->keep || !strcmp(value, "discard");
	case OPTION_LONG('e'):
		return file->replace_escape = true;
	case OPTION_LONG('s'):
		return str_to_long(value, 0, LONG_MAX, &file->most);
	default:
		return str_to_long(value, 0, 1000, &file->keep);
	}
}

static void own_log(void)
{
	log_open("xenconsoled", s.interactive ? NULL : "/var/log/xen/xenconsoled.log",
		 s.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
}

static void hang_up(void *arg, int signo)
{
	own_log();
	domains_reopen_logs();
}

static int serve(struct error *e)
{
	struct loop *loop;

	if (geteuid() != 0)
		return error_set(e, ERROR_PERMISSION, "xenconsoled must be started by root");
	umask(027);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){FDS_MOST, FDS_MOST});
	if (folder_make(s.domains.console.folder, 0755, e) || folder_make(RUN_FOLDER, 0755, e) ||
	    (!s.interactive && daemon_begin(e)))
		return -1;
	own_log();
	if (s.pid_file && daemon_pid_file(s.pid_file, e))
		return -1;
	signal(SIGPIPE, SIG_IGN);
	loop = loop_new();
	loop_signal(loop, SIGHUP, hang_up, NULL);
	loop_signal(loop, SIGTERM, NULL, NULL);
	loop_signal(loop, SIGINT, NULL, NULL);
	if (domains_start(loop, &s.domains, e) || door_open(loop, s.socket, e))
		return -1;
	daemon_ready();
	loop_run(loop);
	unlink(s.socket);
	if (s.pid_file)
		unlink(s.pid_file);
	return 0;
}

int main(int argc, char **argv)
{
	struct error e;

	options_read(argc, argv, head, options, sizeof(options) / sizeof(options[0]), take_option);
	if (!s.pid_file && !s.interactive)
		s.pid_file = "/run/xenconsoled.pid";
	if (serve(&e)) {
		log_error("%s", e.text);
		return (int)e.class;
	}
	return 0;
}
