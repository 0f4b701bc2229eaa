/* SPDX-License-Identifier: MIT */
/*
 * xenstored: options, start, the event loop, and the end of domains. At the start the journal of a predecessor that was killed gives back
 * the store and what waited on rings and sockets.
 */
#include "lib/base/daemon.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/options.h"
#include "xenstored/control.h"
#include "xenstored/keeper.h"
#include "xenstored/ring.h"
#include "xenstored/socket.h"
#include "xenstored/xen.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <unistd.h>

static const char *run; /* the folder of the sockets and the journal */
static int lock;	/* held as long as there is a keeper */
static struct loop *loop;
static struct loop_source *again;
static uint32_t domain_event; /* the event channel */

/* --- Options ------------------------------------------------------------------------------------- */

static const char head[] =
	"Usage: xenstored [OPTION]...\n"
	"Environment: XENSTORED_RUNDIR (/run/xenstored) has the sockets and the journal;\n"
	"XENSTORED_PATH names the socket itself.\n\n";
static const char compatible[] = "accepted for compatibility";

static const struct option_info options[] = {
	{'H', "help", NULL, "print this"},
	{'D', "no-domain-init", NULL, "serve no domains, only sockets; needs no Xen"},
	{'F', "pid-file", "FILE", "write the process id there"},
	{'N', "no-fork", NULL, "stay in the foreground"},
	{'P', "output-pid", NULL, "print the process id"},
	{'T', "trace-file", "FILE", "log requests there"},
	{'E', "entry-nb", "N", "nodes a domain may own"},
	{'S', "entry-size", "N", "bytes of a node"},
	{'W', "watch-nb", "N", "watches a domain may have"},
	{'t', "transaction", "N", "transactions a domain may have open"},
	{'A', "perm-nb", "N", "permissions of a node"},
	{'M', "path-max", "N", "bytes of a path"},
	{'Q', "quota", "WHAT=N", "any quota, by its name in xenstore-control quota"},
	{'q', "quota-soft", "memory=N", "the level at which the log warns"},
	{'R', "no-recovery", NULL, "begin with an empty store; kill -9 loses it"},
	{'I', "internal-db", NULL, "the same"},
	{'K', "keep-orphans", NULL, "leave the nodes of domains that are gone"},
	{'V', "verbose", NULL, "log more"},
	{'w', "timeout", "WHAT", compatible},
	{'e', "event", "DOMID", compatible},
	{'m', "master-domid", "DOMID", compatible},
	{'p', "priv-domid", "DOMID", compatible},
};

/* Of the options that set one. */
static const char *const quota_of[128] = {
	['E'] = "nodes",	['S'] = "size",	       ['W'] = "watches",
	['t'] = "transactions", ['A'] = "permissions", ['M'] = "path-max",
};

static const char *given[128]; /* by letter: the argument, or "" */
static uint32_t given_quota[QUOTA_NR];

static bool take_option(int letter, char *arg)
{
	const char *name = quota_of[letter];
	enum quota q;
	long value;

	if (letter == 'Q' || letter == 'q')
		name = strsep(&arg, "=");
	given[letter] = arg ? arg : "";
	if (!name)
		return true;
	q = quota_named(letter == 'q' ? QUOTA_HARD : QUOTA_NODES, name);
	if (q == QUOTA_NR || !arg || !str_to_long(arg, 1, INT32_MAX, &value))
		return false;
	given_quota[q] = (uint32_t)value;
	return true;
}

/* --- Rounds ------------------------------------------------------------------------------------------- */

static void round_end(void *arg)
{
	conn_round_end();
	if (ring_again(&the_store))
		loop_timer_set(again, 1);
	/* A new journal makes open transactions fail: not before it must be. */
	if (journal_grown(the_store.nr_transactions ? 16 : 1))
		journal_compact(state_dump);
}

static void check_domains(void)
{
	struct domain *d, *next;

	for (d = TAILQ_FIRST(&the_store.domains); d; d = next) {
		enum xen_state state = d->domid ? xen_domain_state(d->domid) : XEN_ALIVE;

		next = TAILQ_NEXT(d, link);
		if (state == XEN_ABSENT) {
			journal_append(RECORD_GONE, d->domid, 0);
			domain_forget(&the_store, d);
		} else if (state == XEN_SHUT_DOWN && d->introduced && !d->shutdown) {
			domain_shut_down(&the_store, d);
		}
	}
}

static void xen_ready(void *arg, uint32_t events)
{
	uint32_t ports[64];
	size_t nr = xen_pending(ports, 64);

	for (size_t i = 0; i < nr; i++) {
		if (ports[i] == domain_event)
			check_domains();
		else
			ring_event(&the_store, (int)ports[i]);
	}
	/* Before the work is answered: an event that comes meanwhile must not be lost. */
	xen_unmask(ports, nr);
	round_end(NULL);
}

/* --- Start ---------------------------------------------------------------------------------------------- */

static void begin_store(void)
{
	static const char tool[] = "/tool/xenstored";
	struct client *c = client_new(&the_store, CLIENT_TOOLS, 0);
	struct message m = {{.type = XS_MKDIR, .len = sizeof(tool)}, tool};

	for (unsigned int q = 0; q < QUOTA_NR; q++)
		the_store.quota[q] = given_quota[q] ?: quota_info[q].value;
	store_request(&the_store, c, &m);
	client_free(&the_store, c);
}

/* A snapshot knows what was allowed when: while it is read no quotas are in force, its end sets them. */
static int start_store(struct error *e)
{
	char *path = given['R'] || given['I'] ? NULL : xasprintf("%s/journal", run);
	int rc = journal_open(path, e);

	free(path);
	if (rc)
		return -1;
	store_init(&the_store);
	the_store.keep_orphans = given['K'];
	if (journal_replay(state_load, NULL)) {
		log_info("resumed from %zu bytes of journal", journal_size());
	} else {
		begin_store();
		journal_compact(state_dump);
	}
	return 0;
}

static int start_domains(struct error *e)
{
	int rc, fd;

	if (given['D'])
		return 0;
	if (xen_open(&fd, &domain_event, e))
		return -1;
	ring_resume(&the_store);
	if (!the_store.domain[0] || !the_store.domain[0]->introduced) {
		rc = domain_introduce(&the_store, 0, 0, xen_own_port());
		if (rc)
			return error_errno(e, ERROR_FAILED, rc,
					   "domain 0's own connection cannot be taken up");
		outside_known(the_store.domain[0]);
	}
	check_domains();
	again = loop_timer(loop, 0, false, round_end, NULL);
	loop_fd(loop, fd, EPOLLIN, xen_ready, NULL);
	return 0;
}

static int start(struct error *e)
{
	const char *named = getenv("XENSTORED_PATH");
	char *path = xasprintf("%s/socket", run), *path_ro = xasprintf("%s/socket_ro", run);

	loop = loop_new();
	if (start_store(e) ||
	    sockets_open(loop, named ? named : path, named ? NULL : path_ro, round_end, e) ||
	    start_domains(e))
		return -1;
	loop_signal(loop, SIGTERM, NULL, NULL);
	loop_signal(loop, SIGINT, NULL, NULL);
	loop_signal(loop, SIGHUP, control_log_reopen, NULL);
	signal(SIGPIPE, SIG_IGN);
	round_end(NULL);
	return given['F'] ? daemon_pid_file(given['F'], e) : 0;
}

/* What an earlier worker had open besides its sockets. */
static void close_leftover(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	if (fd != lock && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len))
		close(fd);
}

/* 1: another xenstored runs there. */
static int take_lock(struct error *e)
{
	char *path = xasprintf("%s/lock", run);

	if (folder_make(run, 0755, e))
		return -1;
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	if (lock < 0)
		return error_errno(e, ERROR_NONE, errno, "no lock in %s", run);
	return flock(lock, LOCK_EX | LOCK_NB) ? 1 : 0;
}

static void absolute(char letter)
{
	const char *path = given[(int)letter];

	if (path && *path != '/')
		given[(int)letter] = xasprintf("%s/%s", getcwd(NULL, 0), path);
}

/* Becomes the worker, which serves: 0, and 1 where another xenstored does. */
static int begin(int argc, char **argv, struct error *e)
{
	enum log_level most = given['V'] ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	bool is_again;
	int rc;

	log_open("xenstored", NULL, most);
	if (!given['N'] && daemon_begin(e))
		return -1;
	rc = take_lock(e);
	if (rc)
		return rc;
	if (keeper_start(argc, argv, &is_again))
		return error_errno(e, ERROR_FAILED, errno, "no process for the work");
	if (is_again)
		keeper_descriptors(close_leftover);
	if (!given['N'])
		log_open("xenstored", "/var/log/xen/xenstored.log", most);
	if (given['T'])
		control_log_file(given['T']);
	if (start(e))
		return -1;
	if (given['P'] && !is_again) {
		printf("%d\n", (int)getpid());
		fflush(stdout);
	}
	if (!is_again)
		daemon_ready();
	keeper_ready();
	return 0;
}

int main(int argc, char **argv)
{
	struct error e;
	int rc;

	keeper_unnamed(argv);
	options_read(argc, argv, head, options, sizeof(options) / sizeof(options[0]), take_option);
	absolute('F');
	absolute('T');
	run = getenv("XENSTORED_RUNDIR") ?: "/run/xenstored";
	rc = begin(argc, argv, &e);
	if (rc < 0) {
		log_error("%s", e.text);
		return (int)e.class;
	}
	if (rc) {
		log_warning("xenstored runs already");
		daemon_ready();
		return 0;
	}
	/* What wakes us often writes a request in pieces: let it write them all, and be woken once. */
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
	loop_run(loop);
	if (given['F'])
		unlink(given['F']);
	return 0;
}
