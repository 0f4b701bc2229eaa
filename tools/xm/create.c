/* SPDX-License-Identifier: MIT */
/*
 * create, new, start, config-update: configurations are read here, on the side of who calls (relative paths, Python files and messages
 * with line numbers belong there), and go to xend in the one JSON shape. A dry run asks nobody.
 */
#include "xm/verbs.h"

#include "lib/base/file.h"
#include "lib/base/sxp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define XM_PATH ".:/etc/xen"

/* What the command line says beside the options: files, and key=value for all of them. */
struct sources {
	const char **file;
	size_t nr;
	char **word;
	size_t nr_words;
};

/* From the operand @first on. */
static void sources_read(const struct xm *x, int first, struct sources *s)
{
	const char *named[] = {option(x, "defconfig"), option(x, "config")};

	s->file = xcalloc((size_t)x->nr + 2, sizeof(*s->file));
	s->word = xcalloc((size_t)x->nr + 1, sizeof(*s->word));
	if (named[0])
		s->file[s->nr++] = named[0];
	for (int i = first; i < x->nr; i++)
		if (strchr(x->operand[i], '=') && access(x->operand[i], F_OK))
			s->word[s->nr_words++] = x->operand[i];
		else
			s->file[s->nr++] = x->operand[i];
	if (named[1])
		s->file[s->nr++] = named[1];
}

static void sources_free(struct sources *s)
{
	free(s->file);
	free(s->word);
}

/* xm looks for the file along a path; the caller frees. */
static char *config_find(const struct xm *x, const char *file)
{
	const char *path = option(x, "path");
	autofree char *copy = xstrdup(path ? path : XM_PATH);
	char *rest = copy, *folder;

	if (x->dialect == CONFIG_XL || strchr(file, '/') || !strcmp(file, "-"))
		return xstrdup(file);
	while ((folder = strsep(&rest, ":"))) {
		char *full = xasprintf("%s/%s", *folder ? folder : ".", file);

		if (!access(full, F_OK))
			return full;
		free(full);
	}
	return xstrdup(file);
}

/* As xm and xl have ever told it, on standard output only where that is not for a program to read. */
static void config_announce(const struct xm *x, const char *file, bool prints)
{
	if (option(x, "quiet"))
		return;
	if (x->dialect == CONFIG_XL)
		fprintf(stderr, "Parsing config from %s\n", file);
	else
		fprintf(prints ? stderr : stdout, "Using config file \"%s\".\n", file);
	fflush(stdout);
}

static int config_load(struct xm *x, const char *file, const struct sources *s, bool prints,
		       struct domain_config *c)
{
	struct diagnostics found = {0};
	bool sxp = x->dialect == CONFIG_XM && option(x, "config");
	int rc;

	config_announce(x, file, prints);
	if (strcmp(file, "-") && access(file, R_OK)) {
		error_errno(&x->error, ERROR_NONE, errno, "%s", file);
		if (str_starts(file, "\u2013")) /* copied from a manual */
			error_hint(&x->error, "an option begins with a plain '-'");
		return -1;
	}
	rc = config_read(file, sxp ? CONFIG_SXP : x->dialect, s->word, sxp ? 0 : s->nr_words, c,
			 &found);
	/* Warnings, and several errors, as lines; one error is the error. */
	if (!rc || found.errors > 1)
		diagnostics_print(&found, stderr);
	if (rc && found.errors > 1)
		error_set(&x->error, ERROR_CONFIG, "%s has %zu errors", file, found.errors);
	else if (rc)
		diagnostics_to_error(&found, &x->error);
	diagnostics_free(&found);
	return rc;
}

static int config_print(struct xm *x, const struct domain_config *c)
{
	if (x->dialect == CONFIG_XL || option(x, "json")) {
		json_auto_t *json = config_to_json(c);

		config_print_json(json, &x->out);
	} else {
		struct sxp *sxp = config_to_sxp(c, -1);

		sxp_print(sxp, true, &x->out);
		text_str(&x->out, "\n");
		sxp_free(sxp);
	}
	return put(x);
}

/* --- create, new, start --------------------------------------------------------------------------------------- */

/* xl create -F: until the domain is gone, whatever it becomes. */
static int wait_gone(struct xm *x, const char *uuid)
{
	for (;; usleep(500000)) {
		json_auto_t *d = domain_call(x, "GET", uuid, NULL, NULL);

		if (!json_is_integer(json_object_get(d, "id")))
			return d || x->error.class == ERROR_NOT_FOUND ? 0 : -1;
	}
}

/* The domain is there; NULL: it is not. */
static int started(struct xm *x, const json_t *domain)
{
	if (!domain || put(x))
		return -1;
	if (option(x, "console"))
		return console_attach(x, member_number(domain, "id", -1), "pv", 0, CONSOLE_ESCAPE);
	if (option(x, "foreground"))
		return wait_gone(x, member_text(domain, "uuid", ""));
	return 0;
}

static int create_one(struct xm *x, const char *file, const struct sources *s)
{
	bool dry = x->dry_run || option(x, "dryrun"), managed = !strcmp(x->command->name, "new");
	bool json = option(x, "json");
	autofree char *path = config_find(x, file);
	struct domain_config c = {0};
	json_auto_t *domain = NULL;
	int rc = config_load(x, path, s, dry || json, &c);

	if (!rc)
		config_make_uuid(&c);
	if (!rc && dry)
		rc = config_print(x, &c);
	else if (!rc) {
		domain = xend_json(x, "POST", "/v1/domains",
				   json_pack("{sosbsbsb}", "config", config_to_json(&c), "paused",
					     option(x, "paused") != NULL, "managed", managed,
					     "start", !managed));
		if (domain && json)
			put_json(x, domain);
		else if (domain && x->dialect == CONFIG_XM && !managed && !option(x, "quiet"))
			row_render(domain, "Started domain {name:s} (id={id=-1:d})\n", &x->out);
		rc = started(x, domain);
	}
	config_free(&c);
	return rc;
}

int xm_create(struct xm *x)
{
	struct sources s = {0};
	int rc = 0;

	sources_read(x, 0, &s);
	if (!s.nr && s.nr_words)
		s.file[s.nr++] = "/dev/null";
	if (!s.nr) {
		rc = error_set(&x->error, ERROR_USAGE, "Config file not specified");
		error_hint(&x->error, "'%s help %s' tells how", x->program, x->command->name);
	}
	for (size_t i = 0; !rc && i < s.nr; i++)
		rc = create_one(x, s.file[i], &s);
	sources_free(&s);
	return rc;
}

int xm_start(struct xm *x)
{
	json_auto_t *domain = domain_call(x, "POST", x->operand[0], "start",
					  json_pack("{sb}", "paused", option(x, "paused") != NULL));

	return started(x, domain);
}

/* --- config-update --------------------------------------------------------------------------------------------- */

int xm_config_update(struct xm *x)
{
	bool prints = x->dry_run || option(x, "debug");
	struct domain_config c = {0};
	struct sources s = {0};
	int rc = -1;

	sources_read(x, 1, &s);
	if (s.nr != 1)
		error_set(&x->error, ERROR_USAGE, "'%s config-update' takes one config file",
			  x->program);
	else
		rc = config_load(x, s.file[0], &s, prints, &c);
	if (!rc && prints)
		rc = config_print(x, &c);
	if (!rc && !x->dry_run)
		rc = domain_do(x, "PUT", "config", config_to_json(&c));
	config_free(&c);
	sources_free(&s);
	return rc;
}
