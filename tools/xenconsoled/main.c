/* SPDX-License-Identifier: MIT */
/*
 * xenconsoled: serves the guests' consoles. Options as those of the xenconsoled it takes the place of, and a few more. Everything it
 * needs to go on after being killed lies elsewhere: positions in the rings, output in the logs, which domains there are in the
 * hypervisor.
 */
#include "lib/base/daemon.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "xenconsoled/domains.h"
#include "xenconsoled/door.h"

#include <getopt.h>
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

struct settings {
	struct domains_options domains;
	const char *pid_file, *socket;
	bool interactive, verbose;
};

static const char usage[] =
	"Usage: xenconsoled [OPTION]...\n"
	"Serves the consoles of guests: a pty and a log for each, and a socket for viewers.\n\n"
	"  -h, --help                 this text\n"
	"  -V, --version              the version\n"
	"  -v, --verbose              tell more\n"
	"  -i, --interactive          stay in the foreground\n"
	"      --log=WHAT             which consoles to log: none, guest, hv or all (default: all)\n"
	"      --log-dir=FOLDER       where (default: /var/log/xen/console)\n"
	"      --log-size=BYTES       rotate a log of this size; 0: never (4194304)\n"
	"      --log-keep=NUMBER      how many old logs to keep of each (4)\n"
	"  -t, --timestamp=WHAT       which logs get time stamps: none, guest, hv or all (none)\n"
	"  -o, --overflow-data=WHAT   output nobody reads from the pty: discard the oldest, or\n"
	"                             keep all and let the guest wait (discard)\n"
	"      --replace-escape       write ESC as a dot to the logs\n"
	"      --pid-file=FILE        (default: /run/xenconsoled.pid; none with -i)\n"
	"      --socket=FILE          the viewers' socket (default: " RUN_FOLDER "/socket)\n";

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"verbose", no_argument, NULL, 'v'},
	{"interactive", no_argument, NULL, 'i'},
	{"log", required_argument, NULL, 'l'},
	{"log-dir", required_argument, NULL, 'r'},
	{"log-size", required_argument, NULL, 's'},
	{"log-keep", required_argument, NULL, 'k'},
	{"timestamp", required_argument, NULL, 't'},
	{"overflow-data", required_argument, NULL, 'o'},
	{"replace-escape", no_argument, NULL, 'e'},
	{"pid-file", required_argument, NULL, 'p'},
	{"socket", required_argument, NULL, 'S'},
	{0},
};

/* "none", "guest", "hv", "all" into its two halves. */
static bool read_which(const char *s, bool *guest, bool *hypervisor)
{
	*guest = !strcmp(s, "guest") || !strcmp(s, "all");
	*hypervisor = !strcmp(s, "hv") || !strcmp(s, "all");
	return *guest || *hypervisor || !strcmp(s, "none");
}

static bool read_option(struct settings *s, int letter, const char *value)
{
	struct console_options *console = &s->domains.console;
	struct logfile_options *file = &console->file;

	switch (letter) {
	case 'v':
		return s->verbose = true;
	case 'i':
		return s->interactive = true;
	case 'l':
		return read_which(value, &console->log, &s->domains.hypervisor_log);
	case 't':
		return read_which(value, &file->stamps, &s->domains.hypervisor_stamps);
	case 'r':
		return (console->folder = value);
	case 'p':
		return (s->pid_file = value);
	case 'S':
		return (s->socket = value);
	case 'o':
		console->keep = !strcmp(value, "keep");
		return console->keep || !strcmp(value, "discard");
	case 'e':
		return file->replace_escape = true;
	case 's':
		return str_to_long(value, 0, LONG_MAX, &file->most);
	case 'k':
		return str_to_long(value, 0, 1000, &file->keep);
	default:
		return false;
	}
}

static void read_options(struct settings *s, int argc, char **argv)
{
	int letter;

	while ((letter = getopt_long(argc, argv, "hVvit:o:", long_options, NULL)) != -1) {
		if (letter == 'h' || letter == 'V') {
			fputs(letter == 'h' ? usage : "Poncho Console Daemon 4.17\n", stdout);
			exit(0);
		}
		if (letter == '?' || !read_option(s, letter, optarg)) {
			if (letter != '?')
				fprintf(stderr, "xenconsoled: '%s' is no value for this option\n",
					optarg);
			fputs("Try `xenconsoled --help' for more information\n", stderr);
			exit(ERROR_USAGE);
		}
	}
	if (!s->pid_file && !s->interactive)
		s->pid_file = "/run/xenconsoled.pid";
}

static void own_log(const struct settings *s)
{
	log_open("xenconsoled", s->interactive ? NULL : "/var/log/xen/xenconsoled.log",
		 s->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
}

static void hang_up(void *arg, int signo)
{
	own_log(arg);
	domains_reopen_logs();
}

static void stop(void *arg, int signo)
{
	loop_stop(arg);
}

static int prepare(const struct settings *s, struct error *e)
{
	if (geteuid() != 0)
		return error_set(e, ERROR_PERMISSION, "xenconsoled must be started by root");
	umask(027);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){FDS_MOST, FDS_MOST});
	if (folder_make(s->domains.console.folder, 0755, e) || folder_make(RUN_FOLDER, 0755, e))
		return -1;
	if (!s->interactive && daemon_begin(e))
		return -1;
	own_log(s);
	return s->pid_file ? daemon_pid_file(s->pid_file, e) : 0;
}

static int serve(struct settings *s, struct error *e)
{
	struct loop *loop = loop_new();

	signal(SIGPIPE, SIG_IGN);
	loop_signal(loop, SIGHUP, hang_up, s);
	loop_signal(loop, SIGTERM, stop, loop);
	loop_signal(loop, SIGINT, stop, loop);
	if (domains_start(loop, &s->domains, e) || door_open(loop, s->socket, domains_console, e))
		return -1;
	daemon_ready();
	loop_run(loop);
	unlink(s->socket);
	if (s->pid_file)
		unlink(s->pid_file);
	return 0;
}

int main(int argc, char **argv)
{
	static struct settings s = {
		.domains = {.console = {.log = true,
					.folder = "/var/log/xen/console",
					.run_folder = RUN_FOLDER,
					.file = {.most = 4u << 20, .keep = 4}},
			    .hypervisor_log = true},
		.socket = RUN_FOLDER "/socket",
	};
	struct error e;

	read_options(&s, argc, argv);
	if (prepare(&s, &e) || serve(&s, &e)) {
		log_error("%s", e.text);
		return (int)e.class;
	}
	return 0;
}
