/* SPDX-License-Identifier: MIT */
/*
 * xend: the node's daemon. The words of old: start, stop, restart, status, reload, trace_start. Nothing it knows is only in its memory
 * (recovery.c), so it may be killed at any time.
 */
#include "lib/base/daemon.h"
#include "lib/base/log.h"
#include "lib/base/options.h"
#include "lib/base/text.h"
#include "xend/api.h"
#include "xend/node_private.h"
#include "xend/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PID_FILE "/run/xend.pid"
#define STARS	 "**********************************************************************"

enum {
	NOT_RUNNING = 3,    /* `xend status`: the LSB's status for that */
	STOP_TENTHS = 1500, /* how long `xend stop` waits */
	FDS_MOST = 4096,
};

static const char *config = XEND_CONFIG_PATH;
static struct xend_settings settings;
static struct node *node;
static bool trace, foreground;

static const char usage[] =
	"Usage: xend [OPTION]... start | stop | restart | status | reload | trace_start\n"
	"The daemon that manages this node's domains.\n\n"
	"  start          start it, unless it runs\n"
	"  stop           stop it; domains go on, but for those with on_xend_stop=\"shutdown\"\n"
	"  restart        stop and start\n"
	"  status         exit status 0 if it runs, 3 if not\n"
	"  reload         read " XEND_CONFIG_PATH " again, reopen the log\n"
	"  trace_start    start, and log everything\n\n";

static const struct option_info options[] = {
	{'h', "help", NULL, "this text"},
	{'f', "foreground", NULL, "do not leave the terminal (for systemd)"},
	{'c', "config", "FILE", "another configuration"},
	{'V', "version", NULL, "the version"},
};

/* --- Settings --------------------------------------------------------------------------------------------------- */

/* What there was stays where it cannot be read. */
static int read_settings(void)
{
	struct xend_settings s, before = settings;
	struct diagnostics found = {0};
	int rc = xend_settings_read(config, &s, &found);

	for (size_t i = 0; i < found.nr; i++)
		log_line(found.item[i].warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "%s",
			 found.item[i].text);
	diagnostics_free(&found);
	if (!rc) {
		log_open("xend", s.logfile, trace ? LOG_LEVEL_DEBUG : (enum log_level)s.loglevel);
		if (before.logfile)
			xend_settings_keep(&before, &s);
		settings = s;
	}
	xend_settings_free(rc ? &s : &before);
	return rc;
}

static void reload(void *arg, int signo)
{
	if (read_settings())
		log_error("%s is not used: the settings stay as they were", config);
	else
		log_info("%s was read again", config);
}

/* --- Serving ---------------------------------------------------------------------------------------------------- */

static void stop(void *arg, int signo)
{
	if (node->stopping) {
		loop_stop(node->loop); /* asked twice: at once */
		return;
	}
	log_info("stopping");
	daemon_notify("STOPPING=1");
	recovery_stop(node);
}

static void feed_watchdog(void *arg)
{
	daemon_notify("WATCHDOG=1");
}

static int start(void)
{
	const struct rlimit files = {FDS_MOST, FDS_MOST};
	const char *interval = getenv("WATCHDOG_USEC");
	struct error e = {0};
	struct loop *loop;
	long us;

	umask(0077);
	setrlimit(RLIMIT_NOFILE, &files);
	if (read_settings())
		return ERROR_CONFIG;
	if ((!foreground && daemon_begin(&e)) || daemon_pid_file(PID_FILE, &e))
		goto failed;
	loop = loop_new();
	loop_signal(loop, SIGTERM, stop, NULL);
	loop_signal(loop, SIGINT, stop, NULL);
	loop_signal(loop, SIGHUP, reload, NULL);
	signal(SIGPIPE, SIG_IGN);
	node = node_open(loop, &settings, &e);
	if (!node || api_start(node, &e) || recovery_run(node, &e))
		goto failed;
	if (interval && str_to_long(interval, 2000, 1L << 40, &us))
		loop_timer(loop, (uint64_t)us / 2000, true, feed_watchdog, NULL);
	log_info("serving, pid %d", (int)getpid());
	daemon_ready();
	loop_run(loop);
	log_info("stopped");
	api_stop();
	unlink(PID_FILE);
	return 0;
failed:
	log_error("xend cannot start: %s", e.text);
	fprintf(stderr, "xend: %s\n%s%s", e.text, e.hint, *e.hint ? "\n" : "");
	return 1;
}

/* --- The one that runs -------------------------------------------------------------------------------------------- */

/* Its process id, 0 for none: whoever holds the lock. */
static pid_t running(void)
{
	int fd = open(PID_FILE, O_RDWR | O_CLOEXEC);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t pid = 0;

	if (fd >= 0 && !fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK)
		pid = lock.l_pid;
	if (fd >= 0)
		close(fd);
	return pid;
}

static int stop_other(pid_t pid)
{
	if (pid && kill(pid, SIGTERM)) {
		fprintf(stderr, "xend: process %d cannot be stopped: %s\n", (int)pid,
			strerror(errno));
		return 1;
	}
	for (int i = 0; pid && running() == pid; i++) {
		if (i == STOP_TENTHS) {
			fprintf(stderr,
				"xend: process %d does not stop: domains or operations keep it\n",
				(int)pid);
			return 1;
		}
		usleep(100000);
	}
	return 0;
}

static int do_word(const char *word)
{
	pid_t pid = running();

	if (!strcmp(word, "status")) {
		printf(pid ? "xend runs, pid %d\n" : "xend does not run\n", (int)pid);
		return pid ? 0 : NOT_RUNNING;
	}
	if (!strcmp(word, "stop"))
		return stop_other(pid);
	if (!strcmp(word, "reload"))
		return pid && !kill(pid, SIGHUP) ? 0 : NOT_RUNNING;
	if (!strcmp(word, "restart"))
		return stop_other(pid) ? 1 : start();
	trace = !strcmp(word, "trace_start");
	if (!strcmp(word, "start") || trace)
		return pid ? 0 : start();
	fprintf(stderr, "xend: there is no command '%s'\n%s", word, usage);
	return ERROR_USAGE;
}

static bool take_option(int letter, char *value)
{
	if (letter == 'V')
		exit(puts("Poncho xend 4.17") < 0);
	if (letter == 'c')
		config = value;
	foreground = foreground || letter == 'f';
	return true;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 && *argv[argc - 1] != '-' ? argv[--argc] : "";

	log_open("xend", NULL, LOG_LEVEL_INFO);
	options_read(argc, argv, usage, options, sizeof(options) / sizeof(options[0]), take_option);
	if (!geteuid())
		return do_word(word);
	fputs(STARS "\n*** Xend must be run as root.\n" STARS "\n", stderr);
	return 1;
}
