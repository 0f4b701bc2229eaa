/* SPDX-License-Identifier: MIT */
/*
 * Files of xm that are Python programs: a process of its own runs them and hands the variables back as JSON. It has no privileges (nobody,
 * where the caller is root), no network, no environment, may write no file and start no process, and ends after five seconds.
 */
#include "lib/config/value.h"

#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <linux/landlock.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS	    5  /* of a CPU */
#define PATIENCE    60 /* seconds of the clock: the machine may be busy */
#define ANSWER_MOST (1 << 20)
#define NOBODY	    65534

const char *python_program = "/usr/bin/python3";

/* The program that runs the file: xm_file.py beside this file. */
__asm__(".section .rodata\n"
	"xm_file: .incbin \"tools/lib/config/xm_file.py\"\n"
	".byte 0\n"
	".previous\n");
extern const char xm_file[] __attribute__((visibility("hidden")));

/* --- The process ------------------------------------------------------------------------------------ */

/* Nothing can be written or made anywhere; kernels without Landlock leave that to the other limits. */
static void forbid_writing(void)
{
	const uint64_t reading = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
				 LANDLOCK_ACCESS_FS_READ_DIR;
	struct landlock_ruleset_attr rules = {LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1 - reading};
	int fd = syscall(__NR_landlock_create_ruleset, &rules, sizeof(rules), 0);

	if (fd >= 0)
		syscall(__NR_landlock_restrict_self, fd, 0);
	close(fd);
}

/* It dies of the soft limit on its time, whose signal tells of it. */
static void limit_resources(void)
{
	static const struct {
		int what;
		rlim_t most;
	} limits[] = {{RLIMIT_CPU, SECONDS}, {RLIMIT_AS, 512 << 20}, {RLIMIT_FSIZE, ANSWER_MOST},
		      {RLIMIT_NOFILE, 32},   {RLIMIT_CORE, 0},	     {RLIMIT_NPROC, 0}};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (setrlimit(limits[i].what,
			      &(struct rlimit){limits[i].most,
					       limits[i].most + (limits[i].what == RLIMIT_CPU)}))
			_exit(126);
}

/* What the system refuses of namespaces is done without; that root's rights are gone is not. */
static void confine(void)
{
	bool root = !geteuid();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare((root ? 0 : CLONE_NEWUSER) | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS) && root)
		unshare(CLONE_NEWNET);
	if (root && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		     setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(126);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || chdir("/"))
		_exit(126);
	forbid_writing();
	limit_resources();
}

static void __attribute__((noreturn)) become_python(int in, int out)
{
	static const char *const argv[] = {"python3", "-I", "-S", "-B", "-c", xm_file, NULL};
	int null = open("/dev/null", O_WRONLY);

	setsid();
	if (null < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0)
		_exit(126);
	close_range(3, ~0U, 0);
	confine();
	execve(python_program, (char *const *)argv, (char *const[]){NULL});
	_exit(127);
}

static int memory_file(const char *data)
{
	ssize_t len = strlen(data);
	int fd = memfd_create("job", MFD_CLOEXEC);

	if (fd < 0 || (write(fd, data, len) == len && !lseek(fd, 0, SEEK_SET)))
		return fd;
	close(fd);
	return -1;
}

/* Whether it ended in time; it has ended afterwards in any case. */
static bool await(pid_t pid, int *status)
{
	struct pollfd p = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	int rc;

	do
		rc = poll(&p, 1, PATIENCE * 1000);
	while (rc < 0 && errno == EINTR);
	close(p.fd);
	kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return rc > 0;
}

/* The answer to @job, or NULL: it took too long, died, or there was no process to be had (@why). */
static json_t *ask(const char *job, const char **why)
{
	int in = memory_file(job), out = memory_file(""), status;
	pid_t pid = in < 0 || out < 0 ? -1 : fork();
	json_t *json = NULL;

	if (!pid)
		become_python(in, out);
	*why = "Python cannot be started for it";
	if (pid > 0 &&
	    (!await(pid, &status) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))) {
		*why = "its Python took more than 5 seconds";
	} else if (pid > 0 && (!WIFEXITED(status) || WEXITSTATUS(status) < 126)) {
		*why = "its Python ended without an answer";
		if (!lseek(out, 0, SEEK_SET))
			json = json_loadfd(out, 0, NULL);
	}
	close(in);
	close(out);
	return json;
}

/* --- Question and answer ---------------------------------------------------------------------------- */

static json_t *json_of_value(const struct value *v)
{
	json_t *list;

	if (!v->list)
		return json_string(v->text);
	list = json_array();
	for (size_t i = 0; i < v->nr; i++)
		json_array_append_new(list, json_of_value(&v->item[i]));
	return list;
}

static char *make_job(const char *name, const char *text, const struct value *by_hand)
{
	json_t *vars = json_object();
	json_auto_t *job = NULL;

	for (size_t i = 0; i < by_hand->nr; i++)
		json_object_set_new(vars, by_hand->item[i].key, json_of_value(&by_hand->item[i]));
	job = json_pack("{s:s, s:s, s:o}", "name", name, "text", text, "vars", vars);
	return json_dumps(job, JSON_ENSURE_ASCII);
}

static void take_variables(const char *name, const json_t *vars, struct value *s,
			   struct diagnostics *found)
{
	json_t *one, *value;
	const char *key;
	size_t i;
	int used;

	json_array_foreach(vars, i, one)
	{
		struct place at = {.file = name};
		autovalue struct value v = {0};

		if (!json_unpack(one, "[s o i i b]", &key, &value, &at.line, &at.column, &used) &&
		    value_of_json(value, at, &v))
			settings_store(s, key, at, &v, false, found)->quiet = used;
	}
}

static int tell(const char *name, const json_t *error, struct diagnostics *found)
{
	const char *sentence = "its Python failed";
	struct place at = {.file = name};

	json_unpack((json_t *)error, "[i i s]", &at.line, &at.column, &sentence);
	return diagnostics_error(found, at, "%s", sentence);
}

int python_read(const char *name, const char *text, const struct value *by_hand, struct value *s,
		struct diagnostics *plain, struct diagnostics *found)
{
	struct place at = {.file = name};
	const char *why = "it is no UTF-8 text, which Python needs";
	json_auto_t *answer = NULL;
	json_t *part;
	autofree char *job = NULL;

	if (access(python_program, X_OK)) {
		diagnostics_error(plain, at,
				  "if this is a Python file, it needs %s, which is missing",
				  python_program);
		return 1;
	}
	job = make_job(name ? name : "file", text, by_hand);
	if (job)
		answer = ask(job, &why);
	if ((part = json_object_get(answer, "vars"))) {
		take_variables(name, part, s, found);
		return 0;
	}
	if ((part = json_object_get(answer, "error")))
		return tell(name, part, found);
	if (!(part = json_object_get(answer, "syntax")))
		return diagnostics_error(found, at, "%s", why);
	return json_integer_value(json_array_get(part, 0)) > plain->line ? tell(name, part, found)
									 : 1;
}
