/* SPDX-License-Identifier: MIT */
/*
 * Looking at the machine: files, programs, CPUID; and the few things about it that both the checks and the ways to boot ask for.
 * Nothing is cached; everything read is small.
 */
#include "poncho/host.h"
#include "lib/base/file.h"

#include <cpuid.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 15

static int program_run(const char *const *argv, struct text *out);
static void cpuid_real(uint32_t leaf, uint32_t regs[4])
{
	__cpuid(leaf, regs[0], regs[1], regs[2], regs[3]);
}

const char *host_root = "";
int (*host_program)(const char *const *argv, struct text *out) = program_run;
void (*host_cpuid)(uint32_t leaf, uint32_t regs[4]) = cpuid_real;

/* --- files --- */

static char *path_of(const char *fmt, va_list ap)
{
	struct text t = {0};

	text_str(&t, host_root);
	text_vprintf(&t, fmt, ap);
	return text_take(&t);
}

/* The caller's path, out of its format and what stands behind it. */
#define PATH_OF(fmt)                       \
	({                                 \
		va_list ap_;               \
		char *path_;               \
		va_start(ap_, fmt);        \
		path_ = path_of(fmt, ap_); \
		va_end(ap_);               \
		path_;                     \
	})

char *host_path(const char *fmt, ...)
{
	return PATH_OF(fmt);
}

static char *read_trimmed(const char *path)
{
	size_t len;
	char *s = file_read(path, 16 << 20, &len, NULL);

	while (s && len && isspace((unsigned char)s[len - 1]))
		s[--len] = '\0';
	return s;
}

char *host_read(const char *fmt, ...)
{
	autofree char *path = PATH_OF(fmt);

	return read_trimmed(path);
}

bool host_has(const char *fmt, ...)
{
	autofree char *path = PATH_OF(fmt);

	return !access(path, F_OK);
}

long host_number(long otherwise, const char *fmt, ...)
{
	autofree char *path = PATH_OF(fmt), *s = read_trimmed(path);
	long n;

	return s && str_to_long(s, LONG_MIN, LONG_MAX, &n) ? n : otherwise;
}

char *host_link(const char *fmt, ...)
{
	autofree char *path = PATH_OF(fmt);
	char to[PATH_MAX], *slash;
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	if (n < 0)
		return NULL;
	to[n] = '\0';
	slash = strrchr(to, '/');
	return xstrdup(slash ? slash + 1 : to);
}

int host_write(const char *name, const char *text, unsigned int mode, struct error *e)
{
	autofree char *path = host_path("%s", name), *old = file_read(path, 16 << 20, NULL, NULL);
	struct stat st = {.st_mode = mode};

	if (old && text && !strcmp(old, text))
		return 0;
	if (!text)
		return unlink(path) && errno != ENOENT
			       ? error_errno(e, ERROR_NONE, errno, "%s cannot be removed", path)
			       : 0;
	(void)stat(path, &st);
	if (file_replace(path, text, strlen(text), true, e))
		return -1;
	return chmod(path, st.st_mode & 0777) ? error_errno(e, ERROR_NONE, errno, "%s", path) : 0;
}

/* --- programs --- */

static void child(const char *const *argv, int out)
{
	int null = open("/dev/null", O_RDONLY);

	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	setenv("LC_ALL", "C", 1);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static int program_run(const char *const *argv, struct text *out)
{
	int pipes[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return 127;
	fflush(NULL);
	pid = fork();
	if (!pid)
		child(argv, pipes[1]);
	close(pipes[1]);
	while (pid > 0 && (n = read(pipes[0], text_room(out, 4096), 4096)) > 0)
		out->len += (size_t)n;
	text_str(out, "");
	close(pipes[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return 127;
	return WEXITSTATUS(status);
}

static int run_words(const char *program, va_list ap, struct text *out)
{
	const char *argv[WORDS_MAX + 1] = {program};

	for (int i = 1; i < WORDS_MAX && (argv[i] = va_arg(ap, const char *)); i++)
		;
	return host_program(argv, out);
}

/* The same for the caller's words. */
#define RUN_WORDS(program, out)                         \
	({                                              \
		va_list ap_;                            \
		int status_;                            \
		va_start(ap_, program);                 \
		status_ = run_words(program, ap_, out); \
		va_end(ap_);                            \
		status_;                                \
	})

int host_run(struct error *e, const char *program, ...)
{
	struct text out = {0};
	int status = RUN_WORDS(program, &out);

	if (status == 127)
		error_set(e, ERROR_ABSENT, "%s cannot be run", program);
	else if (status)
		error_set(e, ERROR_FAILED, "%s failed (%d): %s", program, status,
			  out.data ? out.data : "");
	text_free(&out);
	return status ? -1 : 0;
}

char *host_output(const char *program, ...)
{
	struct text out = {0};

	if (!RUN_WORDS(program, &out))
		return text_take(&out);
	text_free(&out);
	return NULL;
}

/* --- what several ask for --- */

char *setting_get(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line && *line; line = strchr(line, '\n'), line += !!line) {
		const char *v = line + len + 1;
		size_t n;

		if (strncmp(line, name, len) || line[len] != '=')
			continue;
		n = strcspn(v, "\n");
		if (n > 1 && (*v == '"' || *v == '\'') && v[n - 1] == *v)
			v++, n -= 2;
		return xasprintf("%.*s", (int)n, v);
	}
	return NULL;
}

bool kernel_usable(const char *version)
{
	autofree char *config = host_read("/boot/config-%s", version);

	return config && strstr(config, "\nCONFIG_XEN_DOM0=y");
}

char *kernel_newest(void)
{
	autofree char *pattern = host_path("/boot/vmlinuz-*");
	const char *best = NULL;
	char *found = NULL;
	glob_t g = {0};

	if (!glob(pattern, 0, NULL, &g))
		for (size_t i = 0; i < g.gl_pathc; i++) {
			const char *v = g.gl_pathv[i] + strlen(pattern) - 1;

			if (kernel_usable(v) && host_has("/boot/initrd.img-%s", v) &&
			    (!best || strverscmp(v, best) > 0))
				best = v;
		}
	if (best)
		found = xstrdup(best);
	globfree(&g);
	return found;
}

static void word_after(const char *line, const char *key, char *out, size_t size)
{
	const char *p = strstr(line, key);

	*out = '\0';
	if (p) {
		p += strlen(key);
		snprintf(out, size, "%.*s", (int)strcspn(p, " \n"), p);
	}
}

bool network_find(struct network *n, bool six)
{
	/* Addresses that nobody need answer at: only the route is asked for. */
	autofree char *s = host_output("ip", six ? "-6" : "-4", "route", "get",
				       six ? "2001:4860::1" : "8.0.0.1", NULL);

	memset(n, 0, sizeof(*n));
	if (s && !strstr(s, "unreachable")) {
		word_after(s, " dev ", n->dev, sizeof(n->dev));
		word_after(s, " src ", n->address, sizeof(n->address));
	}
	return n->dev[0] && strcmp(n->dev, "lo");
}

bool ssh_listens(void)
{
	autofree char *four = host_read("/proc/net/tcp"), *six = host_read("/proc/net/tcp6");

	/* local address:port, remote, state 0A: listening */
	for (int i = 0; i < 2; i++) {
		const char *line = i ? six : four;

		for (; line && (line = strchr(line, '\n')); line++) {
			char port[8], state[8];

			if (sscanf(line + 1, " %*d: %*[^:]:%7s %*s %7s", port, state) == 2 &&
			    !strcmp(port, "0016") && !strcmp(state, "0A"))
				return true;
		}
	}
	return false;
}

bool host_is_domain0(void)
{
	autofree char *type = host_read("/sys/hypervisor/guest_type");
	autofree char *features = host_read("/sys/hypervisor/properties/features");

	/* XENFEAT_dom0: what a guest in an outer Xen lacks */
	return type && features && !strcmp(type, "PV") && strtoul(features, NULL, 16) & 1u << 11;
}
