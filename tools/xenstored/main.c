/* SPDX-License-Identifier: MIT */
/*
 * xenstored: options, start, the event loop, and the end of domains. At the start the journal of a predecessor that was killed gives back
 * the store and what waited on rings and sockets.
 */
#include "lib/base/daemon.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "xenstored/control.h"
#include "xenstored/journal.h"
#include "xenstored/keeper.h"
#include "xenstored/ring.h"
#include "xenstored/snapshot.h"
#include "xenstored/socket.h"
#include "xenstored/xen.h"

#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <unistd.h>

static const char *run; /* the folder of the sockets and the journal */
static int lock;	/* held as long as there is a keeper */
static struct loop *loop;
static struct loop_source *again;

/* --- Options ------------------------------------------------------------------------------------- */

static const struct choice {
	char letter;
	const char *name, *argument; /* NULL: a switch */
	const char *help;	     /* NULL: accepted for compatibility, does nothing */
	enum quota quota;	     /* QUOTA_NODES if it sets none */
} choices[] = {
	{'D', "no-domain-init", NULL, "serve no domains, only sockets; needs no Xen"},
	{'F', "pid-file", "FILE", "write the process id there"},
	{'H', "help", NULL, "print this"},
	{'N', "no-fork", NULL, "stay in the foreground"},
	{'P', "output-pid", NULL, "print the process id"},
	{'T', "trace-file", "FILE", "log requests there"},
	{'E', "entry-nb", "N", "nodes a domain may own", QUOTA_NODES},
	{'S', "entry-size", "N", "bytes of a node", QUOTA_NODE_SIZE},
	{'W', "watch-nb", "N", "watches a domain may have", QUOTA_WATCHES},
	{'t', "transaction", "N", "transactions a domain may have open", QUOTA_TRANSACTIONS},
	{'A', "perm-nb", "N", "permissions of a node", QUOTA_PERMS},
	{'M', "path-max", "N", "bytes of a path", QUOTA_PATH},
	{'Q', "quota", "WHAT=N", "any quota, by its name in xenstore-control quota"},
	{'q', "quota-soft", "memory=N", "the level at which the log warns"},
	{'R', "no-recovery", NULL, "begin with an empty store; kill -9 loses it"},
	{'I', "internal-db", NULL, "the same"},
	{'K', "keep-orphans", NULL, "leave the nodes of domains that are gone"},
	{'V', "verbose", NULL, "log more"},
	{'w', "timeout", "WHAT", NULL},
	{'e', "event", "DOMID", NULL},
	{'m', "master-domid", "DOMID", NULL},
	{'p', "priv-domid", "DOMID", NULL},
};

#define NR_CHOICES (sizeof(choices) / sizeof(choices[0]))

static const char *given[128]; /* by letter: the argument, or "" */
static uint32_t given_quota[QUOTA_NR], given_soft;

static void usage(void)
{
	printf("Usage: xenstored [OPTION]...\n");
	for (size_t i = 0; i < NR_CHOICES; i++)
		printf("  -%c, --%-16s %-10s%s\n", choices[i].letter, choices[i].name,
		       choices[i].argument ? choices[i].argument : "",
		       choices[i].help ? choices[i].help : "accepted for compatibility");
	printf("Environment: XENSTORED_RUNDIR (/run/xenstored) has the sockets and the journal;\n"
	       "XENSTORED_PATH names the socket itself.\n");
	exit(0);
}

static __attribute__((noreturn)) void misuse(const char *what, const char *arg)
{
	fprintf(stderr, "xenstored: %s '%s'; xenstored --help lists the options\n", what, arg);
	exit(ERROR_USAGE);
}

static uint32_t number(const char *arg)
{
	long value;

	if (!str_to_long(arg, 1, INT32_MAX, &value))
		misuse("invalid number", arg);
	return (uint32_t)value;
}

static void take_quota(char *arg, bool soft)
{
	char *value = strchr(arg, '=');
	enum quota q;

	if (!value)
		misuse("a quota is given as WHAT=N, not", arg);
	*value++ = '\0';
	q = quota_named(arg);
	if (q == QUOTA_NR || (soft && q != QUOTA_MEMORY))
		misuse("unknown quota", arg);
	*(soft ? &given_soft : &given_quota[q]) = number(value);
}

static void take_option(const struct choice *choice, char *arg)
{
	given[(int)choice->letter] = arg ? arg : "";
	if (choice->letter == 'H')
		usage();
	if (choice->letter == 'Q' || choice->letter == 'q')
		take_quota(arg, choice->letter == 'q');
	else if (choice->quota || choice->letter == 'E')
		given_quota[choice->quota] = number(arg);
}

static void parse_options(int argc, char **argv)
{
	struct option options[NR_CHOICES + 1] = {{0}};
	char letters[2 * NR_CHOICES + 1], *p = letters;
	int c, index;

	for (size_t i = 0; i < NR_CHOICES; i++) {
		options[i] = (struct option){choices[i].name, !!choices[i].argument, NULL,
					     choices[i].letter};
		*p++ = choices[i].letter;
		if (choices[i].argument)
			*p++ = ':';
	}
	*p = '\0';
	while ((c = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		for (index = 0; index < (int)NR_CHOICES && choices[index].letter != c; index++)
			;
		if (index == NR_CHOICES)
			exit(ERROR_USAGE);
		take_option(&choices[index], optarg);
	}
	if (optind < argc)
		misuse("unexpected argument", argv[optind]);
}

/* --- Rounds ------------------------------------------------------------------------------------------- */

static void dump(void)
{
	const struct client *c;

	snapshot_dump(&the_store);
	TAILQ_FOREACH(c, &the_store.clients, link)
	{
		if (!c->connection)
			continue;
		if (c->id < CLIENT_TOOLS)
			ring_dump(c->connection);
		conn_dump(c->connection);
	}
}

static void round_end(void)
{
	conn_round_end();
	if (ring_again(&the_store))
		loop_timer_set(again, 1);
	/* A new journal makes open transactions fail: not before it must be. */
	if (journal_grown(the_store.nr_transactions ? 16 : 1))
		journal_compact(dump);
}

static void go_on(void *arg)
{
	round_end();
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
			journal_append(RECORD_SHUTDOWN, d->domid, 0);
			domain_shut_down(&the_store, d);
		}
	}
}

static void xen_ready(void *arg, uint32_t events)
{
	uint32_t ports[64];
	size_t nr = xen_events(ports, 64);

	for (size_t i = 0; i < nr; i++) {
		if (ports[i] == xen_domain_event())
			check_domains();
		else
			ring_event(&the_store, ports[i]);
	}
	/* Before the work is answered: an event that comes meanwhile must not be lost. */
	xen_events_done(ports, nr);
	round_end();
}

/* --- Start ---------------------------------------------------------------------------------------------- */

static void replay_one(const struct record *r, void *arg)
{
	struct domain *d = r->client < CLIENT_TOOLS ? the_store.domain[r->client] : NULL;

	if (snapshot_load(&the_store, r) || ring_load(&the_store, r) || socket_load(&the_store, r))
		return;
	if (r->kind == RECORD_IO && d && d->client)
		conn_load(ring_conn(d), r);
}

static void begin_store(void)
{
	static const char tool[] = "/tool/xenstored";
	struct client *c = client_new(&the_store, CLIENT_TOOLS, 0);
	struct message m = {{.type = XS_MKDIR, .len = sizeof(tool)}, tool};

	for (unsigned int q = 0; q < QUOTA_NR; q++)
		the_store.quota[q] = quota_info[q].value;
	store_request(&the_store, c, &m);
	client_free(&the_store, c);
}

static void set_quotas(void)
{
	for (unsigned int q = 0; q < QUOTA_NR; q++)
		if (given_quota[q])
			the_store.quota[q] = given_quota[q];
	if (given_soft)
		the_store.quota_soft_memory = given_soft;
	snapshot_settings(&the_store);
}

static int start_store(struct error *e)
{
	char *path = given['R'] || given['I'] ? NULL : xasprintf("%s/journal", run);
	int rc = journal_open(path, e);

	free(path);
	if (rc)
		return -1;
	store_init(&the_store);
	the_store.keep_orphans = given['K'];
	/* A snapshot knows what was allowed when; its end sets the quotas. */
	memset(the_store.quota, 0, sizeof(the_store.quota));
	if (journal_replay(replay_one, NULL)) {
		log_info("resumed from %zu bytes of journal", journal_size());
		return 0;
	}
	begin_store();
	set_quotas();
	journal_compact(dump);
	return 0;
}

static int start_domains(struct error *e)
{
	int rc;

	if (given['D'])
		return 0;
	if (xen_open(e))
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
	again = loop_timer(loop, 0, false, go_on, NULL);
	loop_fd(loop, xen_event_fd(), EPOLLIN, xen_ready, NULL);
	return 0;
}

static void ended(void *arg, int signo)
{
	loop_stop(loop);
}

static void reopen(void *arg, int signo)
{
	control_log_reopen();
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
	loop_signal(loop, SIGTERM, ended, NULL);
	loop_signal(loop, SIGINT, ended, NULL);
	loop_signal(loop, SIGHUP, reopen, NULL);
	signal(SIGPIPE, SIG_IGN);
	round_end();
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

int main(int argc, char **argv)
{
	struct error e;
	bool is_again;
	int rc;

	keeper_unnamed(argv);
	parse_options(argc, argv);
	absolute('F');
	absolute('T');
	log_open("xenstored", NULL, given['V'] ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	if (!given['N'] && daemon_begin(&e)) {
		log_error("%s", e.text);
		return (int)e.class;
	}
	run = getenv("XENSTORED_RUNDIR") ?: "/run/xenstored";
	rc = take_lock(&e);
	if (rc < 0) {
		log_error("%s", e.text);
		return (int)e.class;
	}
	if (rc) {
		log_warning("xenstored runs already");
		daemon_ready();
		return 0;
	}
	if (keeper_start(argc, argv, &is_again)) {
		log_error("no process for the work: %s", strerror(errno));
		return ERROR_FAILED;
	}
	if (is_again)
		keeper_descriptors(close_leftover);
	if (!given['N'])
		log_open("xenstored", "/var/log/xen/xenstored.log",
			 given['V'] ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	if (given['T'])
		control_log_file(given['T']);
	if (start(&e)) {
		log_error("%s", e.text);
		return (int)e.class;
	}
	if (given['P'] && !is_again) {
		printf("%d\n", (int)getpid());
		fflush(stdout);
	}
	if (!is_again)
		daemon_ready();
	keeper_ready();
	/* What wakes us often writes a request in pieces: let it write them all, and be woken once. */
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
	loop_run(loop);
	if (given['F'])
		unlink(given['F']);
	return 0;
}
