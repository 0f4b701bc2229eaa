/* SPDX-License-Identifier: MIT */
/*
 * xend: the node's daemon. The words of old: start, stop, restart, status, reload, trace_start. Nothing it knows is only in its memory
 * (recovery.c), so it may be killed at any time.
 */
#include "lib/base/daemon.h"
#include "lib/base/log.h"
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

enum {
	NOT_RUNNING = 3,    /* `xend status`: the LSB's status for that */
	STOP_TENTHS = 1500, /* how long `xend stop` waits */
	FDS_MOST = 4096,
};

struct xend {
	struct loop *loop;
	struct node *node;
	struct api *api;
	struct xend_settings *settings;
	const char *config;
	bool trace, foreground;
};

static const char usage[] =
	"Usage: xend [OPTION]... start | stop | restart | status | reload | trace_start\n"
	"The daemon that manages this node's domains.\n\n"
	"  start          start it, unless it runs\n"
	"  stop           stop it; domains go on, but for those with on_xend_stop=\"shutdown\"\n"
	"  restart        stop and start\n"
	"  status         exit status 0 if it runs, 3 if not\n"
	"  reload         read " XEND_CONFIG_PATH " again, reopen the log\n"
	"  trace_start    start, and log everything\n\n"
	"  -f, --foreground     do not leave the terminal (for systemd)\n"
	"  -c, --config FILE    another configuration\n"
	"  -h, --help           this text\n"
	"  -V, --version        the version\n";

/* --- Settings --------------------------------------------------------------------------------------------------- */

static struct xend_settings *read_settings(const char *path)
{
	struct xend_settings *s = xcalloc(1, sizeof(*s));
	struct diagnostics found = {0};
	int rc = xend_settings_read(path, s, &found);

	for (size_t i = 0; i < found.nr; i++)
		log_line(found.item[i].warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "%s",
			 found.item[i].text);
	diagnostics_free(&found);
	if (!rc)
		return s;
	xend_settings_free(s);
	free(s);
	return NULL;
}

static void open_log(const struct xend *x)
{
	enum log_level most = (enum log_level)x->settings->loglevel;

	log_open("xend", x->settings->logfile, x->trace ? LOG_LEVEL_DEBUG : most);
}

static void reload(void *arg, int signo)
{
	struct xend *x = arg;
	struct xend_settings *settings = read_settings(x->config);

	if (!settings) {
		log_error("%s is not used: the settings stay as they were", x->config);
		return;
	}
	xend_settings_free(x->settings);
	free(x->settings);
	x->settings = settings;
	x->node->settings = settings;
	open_log(x);
	log_info("%s was read again", x->config);
}

/* --- Serving ---------------------------------------------------------------------------------------------------- */

static void stopped(void *arg)
{
	loop_stop(((struct xend *)arg)->loop);
}

static void stop(void *arg, int signo)
{
	struct xend *x = arg;

	if (x->node->stopping) {
		stopped(x); /* asked twice: at once */
		return;
	}
	log_info("stopping");
	daemon_notify("STOPPING=1");
	recovery_stop(x->node, stopped, x);
}

static void feed_watchdog(void *arg)
{
	daemon_notify("WATCHDOG=1");
}

static void start_watchdog(struct loop *loop)
{
	const char *interval = getenv("WATCHDOG_USEC");
	long us;

	if (interval && str_to_long(interval, 2000, 1L << 40, &us))
		loop_timer(loop, (uint64_t)us / 2000, true, feed_watchdog, NULL);
}

static int open_all(struct xend *x, struct error *e)
{
	x->loop = loop_new();
	loop_signal(x->loop, SIGTERM, stop, x);
	loop_signal(x->loop, SIGINT, stop, x);
	loop_signal(x->loop, SIGHUP, reload, x);
	signal(SIGPIPE, SIG_IGN);
	x->node = node_open(x->loop, x->settings, e);
	if (!x->node)
		return -1;
	x->api = api_start(x->loop, x->node, x->settings, e);
	return x->api ? recovery_run(x->node, e) : -1;
}

static int serve(struct xend *x)
{
	struct error e = {0};

	if ((!x->foreground && daemon_begin(&e)) || daemon_pid_file(PID_FILE, &e))
		goto failed;
	if (open_all(x, &e))
		goto failed;
	start_watchdog(x->loop);
	log_info("serving, pid %d", (int)getpid());
	daemon_ready();
	loop_run(x->loop);
	log_info("stopped");
	api_stop(x->api);
	watch_stop(x->node);
	unlink(PID_FILE);
	return 0;
failed:
	log_error("xend cannot start: %s", e.text);
	fprintf(stderr, "xend: %s\n%s%s", e.text, e.hint, *e.hint ? "\n" : "");
	return 1;
}

static int start(struct xend *x)
{
	const struct rlimit files = {FDS_MOST, FDS_MOST};

	umask(0077);
	setrlimit(RLIMIT_NOFILE, &files);
	x->settings = read_settings(x->config);
	if (!x->settings)
		return ERROR_CONFIG;
	open_log(x);
	return serve(x);
}

/* --- The one that runs -------------------------------------------------------------------------------------------- */

/* Its process id, 0 for none: whoever holds the lock. */
static pid_t running(void)
{
	int fd = open(PID_FILE, O_RDWR | O_CLOEXEC);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t pid = 0;

	if (fd < 0)
		return 0;
	if (!fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK)
		pid = lock.l_pid;
	close(fd);
	return pid;
}

static int stop_other(void)
{
	pid_t pid = running();

	if (!pid)
		return 0;
	if (kill(pid, SIGTERM)) {
		fprintf(stderr, "xend: process %d cannot be stopped: %s\n", (int)pid,
			strerror(errno));
		return 1;
	}
	for (int i = 0; i < STOP_TENTHS; i++) {
		if (running() != pid)
			return 0;
		usleep(100000);
	}
	fprintf(stderr, "xend: process %d does not stop: domains or operations keep it\n",
		(int)pid);
	return 1;
}

static int do_word(struct xend *x, const char *word)
{
	pid_t pid = running();

	if (!strcmp(word, "status")) {
		printf(pid ? "xend runs, pid %d\n" : "xend does not run\n", (int)pid);
		return pid ? 0 : NOT_RUNNING;
	}
	if (!strcmp(word, "stop"))
		return stop_other();
	if (!strcmp(word, "reload"))
		return pid && !kill(pid, SIGHUP) ? 0 : NOT_RUNNING;
	x->trace = !strcmp(word, "trace_start");
	if (!strcmp(word, "restart")) {
		if (stop_other())
			return 1;
		return start(x);
	}
	if (!strcmp(word, "start") || x->trace)
		return pid ? 0 : start(x);
	fprintf(stderr, "xend: there is no command %s\n%s", word, usage);
	return ERROR_USAGE;
}

static int must_be_root(void)
{
	static const char line[] =
		"**********************************************************************";

	fprintf(stderr, "%s\n*** Xend must be run as root.\n%s\n", line, line);
	return 1;
}

int main(int argc, char **argv)
{
	struct xend x = {.config = XEND_CONFIG_PATH};
	const char *word = NULL;

	log_open("xend", NULL, LOG_LEVEL_INFO);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
			return fputs(usage, stdout) < 0;
		if (!strcmp(argv[i], "-V") || !strcmp(argv[i], "--version"))
			return puts("Poncho xend 4.17") < 0;
		if (!strcmp(argv[i], "-f") || !strcmp(argv[i], "--foreground"))
			x.foreground = true;
		else if ((!strcmp(argv[i], "-c") || !strcmp(argv[i], "--config")) && i + 1 < argc)
			x.config = argv[++i];
		else if (argv[i][0] != '-' && !word)
			word = argv[i];
		else
			word = "";
	}
	if (!word || !*word) {
		fputs(usage, stderr);
		return ERROR_USAGE;
	}
	if (geteuid())
		return must_be_root();
	return do_word(&x, word);
}
