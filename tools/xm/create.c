/* SPDX-License-Identifier: MIT */
/*
 * create, new, start, config-update: configurations are read here, on the side of who calls (relative paths, Python files and messages
 * with line numbers belong there), and go to xend in the one JSON shape. A dry run asks nobody.
 */
#include "xm/verbs.h"

#include "lib/base/file.h"
#include "lib/base/sxp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XM_PATH	     ".:/etc/xen"
#define CONFIG_LIMIT (1 << 20)

/* What the command line says beside the options: files, and key=value for all of them. */
struct sources {
	const char **file;
	size_t nr;
	char **word;
	size_t nr_words;
};

static void sources_read(const struct call *call, int first, struct sources *s)
{
	const char *named = call_option(call, "defconfig");

	s->file = xcalloc((size_t)call->nr + 1, sizeof(*s->file));
	s->word = xcalloc((size_t)call->nr + 1, sizeof(*s->word));
	if (named)
		s->file[s->nr++] = named;
	for (int i = first; i < call->nr; i++)
		if (strchr(call->operand[i], '=') && access(call->operand[i], F_OK))
			s->word[s->nr_words++] = call->operand[i];
		else
			s->file[s->nr++] = call->operand[i];
}

static void sources_free(struct sources *s)
{
	free(s->file);
	free(s->word);
}

/* xm looks for the file along a path; the caller frees. */
static char *config_find(const struct xm *x, const struct call *call, const char *file)
{
	const char *path = call_option(call, "path");
	char *copy, *rest, *folder;

	if (x->dialect == CONFIG_XL || strchr(file, '/') || !strcmp(file, "-"))
		return xstrdup(file);
	rest = copy = xstrdup(path ? path : XM_PATH);
	while ((folder = strsep(&rest, ":"))) {
		char *full = xasprintf("%s/%s", *folder ? folder : ".", file);

		if (!access(full, F_OK)) {
			free(copy);
			return full;
		}
		free(full);
	}
	free(copy);
	return xstrdup(file);
}

/* Warnings, and several errors, as lines; one error is the error. */
static int config_told(const char *file, int rc, struct diagnostics *found, struct error *e)
{
	if (!rc || found->errors > 1)
		diagnostics_print(found, stderr);
	if (rc && found->errors > 1)
		error_set(e, ERROR_CONFIG, "%s has %zu errors", file, found->errors);
	else if (rc)
		diagnostics_to_error(found, e);
	diagnostics_free(found);
	return rc;
}

static int config_read_sxp(const char *file, struct domain_config *c, struct error *e)
{
	struct diagnostics found = {0};
	char *text = file_read(file, CONFIG_LIMIT, NULL, e);
	int rc;

	if (!text)
		return -1;
	rc = config_from_sxp(file, text, c, &found);
	free(text);
	return config_told(file, rc, &found, e);
}

static int config_load(struct xm *x, const struct call *call, const char *file,
		       const struct sources *s, struct domain_config *c, struct error *e)
{
	bool sxp = x->dialect == CONFIG_XM && call_option(call, "config");
	struct diagnostics found = {0};
	int rc;

	if (!call_option(call, "quiet")) {
		if (x->dialect == CONFIG_XL)
			fprintf(stderr, "Parsing config from %s\n", file);
		else
			printf("Using config file \"%s\".\n", file);
	}
	fflush(stdout);
	if (strcmp(file, "-") && access(file, R_OK))
		return error_errno(e, ERROR_NONE, errno, "%s", file);
	if (sxp)
		return config_read_sxp(file, c, e);
	rc = config_read(file, x->dialect, s->word, s->nr_words, c, &found);
	return config_told(file, rc, &found, e);
}

static int config_print(struct xm *x, const struct call *call, const struct domain_config *c,
			struct error *e)
{
	struct text out = {0};

	if (x->dialect == CONFIG_XL || call->json) {
		json_t *json = config_to_json(c);

		config_print_json(json, &out);
		json_decref(json);
	} else {
		struct sxp *sxp = config_to_sxp(c, -1);

		sxp_print(sxp, true, &out);
		text_str(&out, "\n");
		sxp_free(sxp);
	}
	return put(&out, e);
}

/* --- create, new ---------------------------------------------------------------------------------------------- */

/* xl create -F: until the domain is gone, whatever it becomes. */
static int wait_gone(struct xm *x, const char *uuid, struct error *e)
{
	for (;; usleep(500000)) {
		json_t *d = domain_call(x, "GET", uuid, NULL, NULL, e);
		bool gone = !d || !json_is_integer(json_object_get(d, "id"));

		json_decref(d);
		if (gone)
			return d || e->class == ERROR_NOT_FOUND ? 0 : -1;
	}
}

static int created(struct xm *x, const struct call *call, const json_t *domain, bool managed,
		   struct error *e)
{
	long long id = member_number(domain, "id", -1);
	char text[24];

	if (call->json && put_json(domain, e))
		return -1;
	if (x->dialect == CONFIG_XM && !managed && !call->json && !call_option(call, "quiet"))
		printf("Started domain %s (id=%lld)\n", member_text(domain, "name", ""), id);
	fflush(stdout);
	snprintf(text, sizeof(text), "%lld", id);
	if (call_option(call, "console"))
		return console_attach(text, "pv", 0, CONSOLE_ESCAPE, e);
	if (call_option(call, "foreground"))
		return wait_gone(x, member_text(domain, "uuid", ""), e);
	return 0;
}

static int create_one(struct xm *x, const struct call *call, const char *file,
		      const struct sources *s, bool managed, struct error *e)
{
	bool dry = x->dry_run || call_option(call, "dryrun");
	char *path = config_find(x, call, file);
	struct domain_config c = {0};
	json_t *domain = NULL;
	int rc = config_load(x, call, path, s, &c, e);

	if (!rc)
		config_make_uuid(&c);
	if (!rc && dry)
		rc = config_print(x, call, &c, e);
	else if (!rc) {
		domain = client_json(&x->client, "POST", "/v1/domains",
				     json_pack("{sosbsbsb}", "config", config_to_json(&c), "paused",
					       call_option(call, "paused") != NULL, "managed",
					       managed, "start", !managed),
				     e);
		rc = domain ? created(x, call, domain, managed, e) : -1;
	}
	json_decref(domain);
	config_free(&c);
	free(path);
	return rc;
}

static int create(struct xm *x, const struct call *call, bool managed, struct error *e)
{
	const char *sxp = x->dialect == CONFIG_XM ? call_option(call, "config") : NULL;
	struct sources s = {0};
	int rc = 0;

	sources_read(call, 0, &s);
	if (sxp)
		s.file[s.nr++] = sxp;
	if (!s.nr && s.nr_words)
		s.file[s.nr++] = "/dev/null";
	if (!s.nr) {
		rc = error_set(e, ERROR_USAGE, "Config file not specified");
		error_hint(e, "'%s help %s' tells how", x->program, call->command->name);
	}
	for (size_t i = 0; !rc && i < s.nr; i++)
		rc = create_one(x, call, s.file[i], &s, managed, e);
	sources_free(&s);
	return rc;
}

int xm_create(struct xm *x, const struct call *call, struct error *e)
{
	return create(x, call, false, e);
}

int xm_new(struct xm *x, const struct call *call, struct error *e)
{
	return create(x, call, true, e);
}

int xm_start(struct xm *x, const struct call *call, struct error *e)
{
	json_t *domain =
		domain_call(x, "POST", call->operand[0], "start",
			    json_pack("{sb}", "paused", call_option(call, "paused") != NULL), e);
	char id[24];
	int rc = domain ? 0 : -1;

	snprintf(id, sizeof(id), "%lld", member_number(domain, "id", -1));
	if (!rc && call_option(call, "console"))
		rc = console_attach(id, "pv", 0, CONSOLE_ESCAPE, e);
	json_decref(domain);
	return rc;
}

/* --- config-update --------------------------------------------------------------------------------------------- */

int xm_config_update(struct xm *x, const struct call *call, struct error *e)
{
	struct domain_config c = {0};
	struct sources s = {0};
	int rc = -1;

	sources_read(call, 1, &s);
	if (s.nr != 1)
		error_set(e, ERROR_USAGE, "'%s config-update' takes one config file", x->program);
	else
		rc = config_load(x, call, s.file[0], &s, &c, e);
	if (!rc && (x->dry_run || call_option(call, "debug")))
		rc = config_print(x, call, &c, e);
	if (!rc && !x->dry_run)
		rc = domain_do(x, "PUT", call->operand[0], "config", config_to_json(&c), e);
	config_free(&c);
	sources_free(&s);
	return rc;
}
