/* SPDX-License-Identifier: MIT */
/* See http_guard.h. */
#include "xend/http_guard.h"

#include "lib/base/file.h"
#include "lib/base/loop.h"
#include "lib/base/text.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
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

static unsigned int failures; /* in the minute that began at @since */
static uint64_t since;

bool bytes_equal(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= x[i] ^ y[i];
	return !differ;
}

/* --- Tokens ------------------------------------------------------------------------------------------------- */

/* One a line; what begins with # is none. 0 and whether @token is one of them. */
static int look_up(const char *token_file, char *text, const char *token, bool *good,
		   struct error *e)
{
	unsigned int nr = 0;

	for (char *line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n")) {
		char mine[TOKEN_MOST + 1] = "", theirs[TOKEN_MOST + 1] = "";
		size_t n = strlen(line);

		while (n && strchr(" \t", line[n - 1]))
			n--;
		if (!n || *line == '#')
			continue;
		nr++;
		if (n < TOKEN_LEAST || n > TOKEN_MOST)
			return error_set(e, ERROR_CONFIG,
					 "%s: token %u has %zu characters, not %d to %d",
					 token_file, nr, n, TOKEN_LEAST, TOKEN_MOST);
		memcpy(mine, line, n);
		memcpy(theirs, token, strnlen(token, sizeof(theirs)));
		/* No token is left out, however early one fits. */
		*good |= bytes_equal(mine, theirs, sizeof(theirs));
	}
	return nr ? 0 : error_set(e, ERROR_CONFIG, "%s holds no token", token_file);
}

int guard_read(const char *token_file, const char *token, bool *good, struct error *e)
{
	autofree char *text = NULL;
	struct stat st;
	size_t len = 0;
	int rc = -1;

	*good = false;
	if (stat(token_file, &st))
		error_set(e, ERROR_CONFIG, "there is no file of tokens %s", token_file);
	else if (st.st_mode & 077 || st.st_uid != geteuid())
		error_set(e, ERROR_CONFIG, "%s must be its owner's alone, mode 0600", token_file);
	else if ((text = file_read(token_file, TOKENS_BYTES_MOST, &len, e)))
		rc = look_up(token_file, text, token, good, e);
	if (text)
		explicit_bzero(text, len);
	return rc ? error_hint(e, "make one: (umask 077; openssl rand -hex 32 >%s)", token_file)
		  : 0;
}

bool guard_asks(const char *token_file, const char *token, unsigned int *wait)
{
	uint64_t now = loop_now();
	bool good;

	if (!guard_read(token_file, token, &good, NULL) && good)
		return true;
	if (now - since > FAILURES_MS) {
		since = now;
		failures = 0;
	}
	if (++failures > FAILURES_MOST)
		*wait = (unsigned int)((since + FAILURES_MS - now) / 1000 + 1);
	return false;
}

/* --- Host and Origin ---------------------------------------------------------------------------------------- */

/* Numbers cannot be rebound by a name server; names must be ours. */
bool guard_host_good(const char *host, const char *hosts)
{
	char name[256], own[65] = "";
	struct in6_addr ip;
	int n;

	if (!host)
		return false;
	n = (int)(*host == '[' ? strcspn(++host, "]") : strcspn(host, ":"));
	if (!n || snprintf(name, sizeof(name), "%.*s", n, host) >= (int)sizeof(name))
		return false;
	gethostname(own, sizeof(own) - 1);
	return inet_pton(AF_INET, name, &ip) == 1 || inet_pton(AF_INET6, name, &ip) == 1 ||
	       !strcasecmp(name, "localhost") || !strcasecmp(name, own) ||
	       str_has_word(hosts, name);
}

bool guard_origin_good(const char *origin, const char *host, bool tls)
{
	const char *scheme = tls ? "https://" : "http://";

	if (!origin)
		return true;
	return host && str_starts(origin, scheme) && !strcasecmp(origin + strlen(scheme), host);
}
