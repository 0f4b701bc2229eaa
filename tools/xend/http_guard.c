/* SPDX-License-Identifier: MIT */
/* See http_guard.h. */
#include "xend/http_guard.h"

#include "lib/base/file.h"
#include "lib/base/loop.h"
#include "lib/base/text.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKENS_BYTES_MOST 65536
#define TOKEN_LEAST	  20
#define TOKEN_MOST	  256
#define FAILURES_MOST	  10 /* within */
#define FAILURES_MS	  60000

struct guard {
	char *token_file, *hosts;
	char *tokens; /* the file's content, or NULL */
	struct timespec changed;
	unsigned int failures; /* in the minute that began at @since */
	uint64_t since;
};

struct guard *guard_new(const char *token_file, const char *hosts)
{
	struct guard *g = xcalloc(1, sizeof(*g));

	g->token_file = xstrdup(token_file);
	g->hosts = xstrdup(hosts);
	return g;
}

static void forget_tokens(struct guard *g)
{
	if (g->tokens)
		explicit_bzero(g->tokens, strlen(g->tokens));
	free(g->tokens);
	g->tokens = NULL;
	g->changed = (struct timespec){0};
}

void guard_free(struct guard *g)
{
	if (!g)
		return;
	forget_tokens(g);
	free(g->token_file);
	free(g->hosts);
	free(g);
}

bool bytes_equal(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= x[i] ^ y[i];
	return !differ;
}

/* --- Tokens ------------------------------------------------------------------------------------------------- */

/* The next line that is a token, from *@p on; its length in @n. */
static const char *next_token(const char **p, size_t *n)
{
	while (**p) {
		const char *line = *p;
		size_t len = strcspn(line, "\n");

		*p += len + (line[len] == '\n');
		while (len && strchr(" \t\r", line[len - 1]))
			len--;
		*n = len;
		if (len && *line != '#')
			return line;
	}
	return NULL;
}

static int check_tokens(const struct guard *g, struct error *e)
{
	const char *p = g->tokens;
	unsigned int nr = 0;
	size_t n;

	while (next_token(&p, &n)) {
		nr++;
		if (n >= TOKEN_LEAST && n <= TOKEN_MOST)
			continue;
		return error_set(e, ERROR_CONFIG, "%s: token %u has %zu characters, not %d to %d",
				 g->token_file, nr, n, TOKEN_LEAST, TOKEN_MOST);
	}
	return nr ? 0 : error_set(e, ERROR_CONFIG, "%s holds no token", g->token_file);
}

int guard_load(struct guard *g, struct error *e)
{
	struct stat st;

	forget_tokens(g);
	if (stat(g->token_file, &st))
		error_set(e, ERROR_CONFIG, "there is no file of tokens %s", g->token_file);
	else if (st.st_mode & 077 || st.st_uid != geteuid())
		error_set(e, ERROR_CONFIG, "%s must be its owner's alone, mode 0600",
			  g->token_file);
	else
		g->tokens = file_read(g->token_file, TOKENS_BYTES_MOST, NULL, e);
	if (g->tokens && !check_tokens(g, e)) {
		g->changed = st.st_mtim;
		return 0;
	}
	forget_tokens(g);
	return error_hint(e, "make one: (umask 077; openssl rand -hex 32 >%s)", g->token_file);
}

static void load_if_changed(struct guard *g)
{
	struct stat st;

	if (stat(g->token_file, &st) || st.st_mtim.tv_sec != g->changed.tv_sec ||
	    st.st_mtim.tv_nsec != g->changed.tv_nsec)
		guard_load(g, NULL);
}

bool guard_token_good(struct guard *g, const char *token)
{
	char mine[TOKEN_MOST] = "", theirs[TOKEN_MOST] = "";
	size_t len = strlen(token), n;
	const char *p, *line;
	bool good = false;

	load_if_changed(g);
	if (!g->tokens || len > TOKEN_MOST)
		return false;
	memcpy(theirs, token, len);
	for (p = g->tokens; (line = next_token(&p, &n));) {
		memset(mine, 0, sizeof(mine));
		memcpy(mine, line, n);
		/* No token is left out, however early one fits. */
		good |= bytes_equal(mine, theirs, sizeof(mine)) & (n == len);
	}
	explicit_bzero(mine, sizeof(mine));
	return good;
}

/* --- Host and Origin ---------------------------------------------------------------------------------------- */

static bool is_number(const char *host)
{
	struct in6_addr ip;

	return inet_pton(AF_INET, host, &ip) == 1 || inet_pton(AF_INET6, host, &ip) == 1;
}

/* Numbers cannot be rebound by a name server; names must be ours. */
bool guard_host_good(const struct guard *g, const char *host)
{
	char name[256], own[65] = "";
	size_t n;

	if (!host)
		return false;
	n = *host == '[' ? strcspn(++host, "]") : strcspn(host, ":");
	if (!n || n >= sizeof(name))
		return false;
	memcpy(name, host, n);
	name[n] = '\0';
	gethostname(own, sizeof(own) - 1);
	return is_number(name) || !strcasecmp(name, "localhost") || !strcasecmp(name, own) ||
	       str_has_word(g->hosts, name);
}

bool guard_origin_good(const char *origin, const char *host, bool tls)
{
	const char *scheme = tls ? "https://" : "http://";

	if (!origin)
		return true;
	return host && str_starts(origin, scheme) && !strcasecmp(origin + strlen(scheme), host);
}

unsigned int guard_failed(struct guard *g)
{
	uint64_t now = loop_now();

	if (now - g->since > FAILURES_MS) {
		g->since = now;
		g->failures = 0;
	}
	if (++g->failures <= FAILURES_MOST)
		return 0;
	return (unsigned int)((g->since + FAILURES_MS - now) / 1000 + 1);
}
