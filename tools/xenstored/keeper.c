/* SPDX-License-Identifier: MIT */
/* See keeper.h. */
#include "xenstored/keeper.h"

#include "lib/base/log.h"
#include "lib/base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 20 /* workers in a row that crash before they serve */

static volatile bool *ready; /* shared */

/* What ps shows. */
static void rename_process(char *arguments, size_t len, const char *name, const void *content)
{
	prctl(PR_SET_NAME, name);
	memcpy(arguments, content, len);
}

/* Hands on signals to the worker until it ends; returns its wait status. */
static int attend(pid_t worker, const sigset_t *set)
{
	int status, signo;

	for (;;) {
		if (sigwait(set, &signo))
			continue;
		if (signo != SIGCHLD)
			kill(worker, signo);
		else if (waitpid(worker, &status, WNOHANG) == worker)
			return status;
	}
}

void keeper_unnamed(char **argv)
{
	static const char done[] = "XENSTORED_UNNAMED";
	int self, copy;

	if (getenv(done)) {
		unsetenv(done);
		return;
	}
	self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	copy = memfd_create("xs-keeper", MFD_CLOEXEC);
	while (sendfile(copy, self, NULL, 1 << 20) > 0)
		;
	setenv(done, "1", 1);
	fexecve(copy, argv, environ);
	unsetenv(done);
}

int keeper_start(int argc, char **argv, bool *again)
{
	static const char name[] = "xs-keeper";
	size_t len = (size_t)(argv[argc - 1] - argv[0]) + strlen(argv[argc - 1]) + 1;
	char *before = xmalloc(len), *after = xcalloc(1, len);
	sigset_t set, old;
	int tries = 0;

	memcpy(before, argv[0], len);
	memcpy(after, name, len < sizeof(name) ? len - 1 : sizeof(name));
	ready = mmap(NULL, sizeof(*ready), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (ready == MAP_FAILED)
		return -1;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &old);
	for (*again = false;; *again = true) {
		pid_t worker = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
		int status;

		if (worker < 0)
			return -1;
		if (!worker) {
			sigprocmask(SIG_SETMASK, &old, NULL);
			rename_process(argv[0], len, "xenstored", before);
			return 0;
		}
		rename_process(argv[0], len, name, after);
		status = attend(worker, &set);
		tries = *ready ? 0 : tries + 1;
		if (!WIFSIGNALED(status) || (tries && !*again) ||
		    (tries > TRIES && WTERMSIG(status) != SIGKILL)) {
			if (WIFSIGNALED(status))
				log_error("the worker was ended by signal %d", WTERMSIG(status));
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
		}
		*ready = false;
		if (tries)
			usleep(50000);
	}
}

void keeper_ready(void)
{
	*ready = true;
}

void keeper_descriptors(void (*each)(int fd))
{
	DIR *all = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (all && (entry = readdir(all)))
		if (atoi(entry->d_name) > 2 && atoi(entry->d_name) != dirfd(all))
			each(atoi(entry->d_name));
	if (all)
		closedir(all);
}
