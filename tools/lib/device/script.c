/* SPDX-License-Identifier: MIT */
/*
 * Hotplug scripts: each in a process group of its own, its end awaited through a pidfd in the loop, its output appended to the log. A
 * script that takes too long gets SIGTERM and a second later SIGKILL, its children with it; nobody waits for it any longer then.
 */
#include "lib/device/internal.h"

#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILL_MS = 1000, ANSWER_FD = 3, SAID = 256 };

struct script {
	struct devices *ds;
	pid_t pid;
	int pidfd, answer, log;
	off_t log_at; /* where its output begins, if nobody else writes */
	struct loop_source *exit, *timer;
	bool over; /* its time is, or it was stopped */
	script_ended *ended;
	void *arg;
};

static void script_free(struct script *s)
{
	loop_remove(s->exit);
	loop_remove(s->timer);
	close(s->pidfd);
	close(s->answer);
	close(s->log);
	free(s);
}

static char *answer_read(const struct script *s)
{
	struct text t = {0};
	ssize_t n;

	while ((n = read(s->answer, text_room(&t, 1024), 1024)) > 0)
		t.len += (size_t)n;
	text_add(&t, "", 0);
	return text_take(&t);
}

static char *said_read(const struct script *s)
{
	char tail[SAID + 1];
	off_t end = lseek(s->log, 0, SEEK_END);
	off_t from = end - SAID > s->log_at ? end - SAID : s->log_at;
	ssize_t n = end > from ? pread(s->log, tail, SAID, from) : 0;
	char *line;

	while (n > 0 && tail[n - 1] == '\n')
		n--;
	tail[n > 0 ? n : 0] = '\0';
	line = strrchr(tail, '\n');
	return xstrdup(line ? line + 1 : tail);
}

static void report(struct script *s, int status)
{
	autofree char *answer = answer_read(s), *said = said_read(s);
	script_ended *ended = s->ended;

	s->ended = NULL;
	if (ended)
		ended(s->arg, status, answer, said);
}

static void exited(void *arg, uint32_t events)
{
	struct script *s = arg;
	int status = 0;

	waitpid(s->pid, &status, 0);
	report(s, status);
	script_free(s);
}

static void expired(void *arg)
{
	struct script *s = arg;

	kill(-s->pid, s->over ? SIGKILL : SIGTERM);
	if (!s->over)
		loop_timer_set(s->timer, KILL_MS);
	s->over = true;
	report(s, -1);
}

void script_stop(struct script *s)
{
	if (!s)
		return;
	s->ended = NULL;
	if (!s->over)
		expired(s);
}

static int spawn(pid_t *pid, char *const *argv, char *const *env, int log, int answer)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, log, 1);
	posix_spawn_file_actions_adddup2(&files, log, 2);
	posix_spawn_file_actions_adddup2(&files, answer, ANSWER_FD);
	rc = posix_spawn(pid, argv[0], &files, &attr, argv, env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return rc;
}

static int log_file(const struct devices *ds)
{
	int fd = open(ds->set.log, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

	return fd >= 0 ? fd : open("/dev/null", O_RDWR | O_CLOEXEC);
}

struct script *script_start(struct devices *ds, char *const *argv, char *const *env,
			    script_ended *ended, void *arg, struct error *e)
{
	struct script *s = xmalloc(sizeof(*s));
	int ends[2] = {-1, -1}, rc;

	*s = (struct script){.ds = ds, .log = log_file(ds), .ended = ended, .arg = arg};
	s->log_at = lseek(s->log, 0, SEEK_END);
	rc = pipe2(ends, O_CLOEXEC | O_NONBLOCK) ? errno
						 : spawn(&s->pid, argv, env, s->log, ends[1]);
	close(ends[1]);
	s->answer = ends[0];
	s->pidfd = rc ? -1 : pidfd_open(s->pid, 0);
	if (rc) {
		error_errno(e, ERROR_FAILED, rc, "script %s cannot be run", argv[0]);
		script_free(s);
		return NULL;
	}
	s->exit = loop_fd(ds->loop, s->pidfd, EPOLLIN, exited, s);
	s->timer = loop_timer(ds->loop, ds->set.script_ms, false, expired, s);
	return s;
}
