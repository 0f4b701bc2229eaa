/* SPDX-License-Identifier: MIT */
/*
 * What all commands of xm share: how the program was called, one command line taken apart, and the connection to xend. A command is a
 * row of the table in commands.c and a function `int xm_<verb>(struct xm *, const struct call *, struct error *)` that returns 0 or -1
 * with the error filled; main.c prints it and makes its class the exit status. Data goes to standard output, everything else to
 * standard error.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/config/domain_config.h"
#include "xm/client.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_MOST = 24 };

struct xm {
	enum config_dialect dialect;
	const char *program; /* "xm" or "xl" */
	bool dry_run;	     /* xl -N */
	bool verbose;	     /* xl -v */
	struct client client;
};

/* In which dialects a command or option is known; 0: both. */
enum { ONLY_XL = 1 << CONFIG_XL, ONLY_XM = 1 << CONFIG_XM };

static inline bool in_dialect(unsigned char mask, enum config_dialect dialect)
{
	return !mask || (mask & (1 << dialect));
}

struct option_row {
	char letter;	   /* 0: none */
	const char *name;  /* never NULL, also what call_option() is asked for */
	const char *value; /* what help calls its value; NULL: a switch */
	const char *help;
	unsigned char dialects;
};

struct call;

struct command {
	const char *name;
	int (*run)(struct xm *x, const struct call *call, struct error *e);
	short least, most;	 /* operands; @most -1: any number */
	const char *operands;	 /* "<Domain> [DevId]"; NULL: none */
	const char *summary;	 /* one line, without the full stop */
	const char *operands_xm; /* where xm's differ */
	const char *alias[2];	 /* names of old that work and are told as deprecated */
	unsigned char dialects;
	bool listing;			  /* takes --json */
	bool common;			  /* among those `xm help` shows */
	bool dry;			  /* knows -N */
	const struct option_row *options; /* ended by one without a name */
};

/* Known to xm or xl and not done by this system yet. */
struct later {
	const char *name;
	unsigned char dialects;
	const char *meanwhile; /* what to do until then: a sentence, without the full stop */
};

extern const struct command
	commands[]; /* both in alphabetical order, ended by a row without a name */
extern const struct later commands_later[];

/* One command line, taken apart. */
struct call {
	const struct command *command;
	const char *value
		[OPTIONS_MOST]; /* in the order of @command->options; "" for a switch that is set */
	bool json, help;
	char **operand;
	int nr;
};

/* By its full name, an alias, or a prefix that only one command has; NULL with an error that suggests one. */
const struct command *command_find(const struct xm *x, const char *name, struct error *e);
/* @argv[0] is the command's name. Usage errors name the command. */
int call_parse(const struct xm *x, const struct command *command, int argc, char **argv,
	       struct call *call, struct error *e);
/* The option's value, "" for a switch; NULL where it was not given. */
const char *call_option(const struct call *call, const char *name);
/* Its value as a number: 0 and *out untouched where it was not given. */
int call_number(const struct call *call, const char *name, long min, long max, long *out,
		struct error *e);

/* --- help.c, completion.c ---------------------------------------------------------------------------- */

void help_all(const struct xm *x, bool all, struct text *out);
void help_command(const struct xm *x, const struct command *command, struct text *out);
/* "bash", "zsh", "fish"; false for others. */
bool completion_write(const char *shell, struct text *out);

/* To standard output, then freed; -1 where that cannot be written. */
int put(struct text *out, struct error *e);
/* JSON for --json, indented. */
int put_json(const json_t *json, struct error *e);

/* --- Answers ----------------------------------------------------------------------------------------- */

/* Members of a JSON object; defaults where they are missing or null. */
long long member_number(const json_t *object, const char *name, long long otherwise);
const char *member_text(const json_t *object, const char *name, const char *otherwise);

/* "/v1/domains/NAME/TAIL", the name escaped, owned by the caller; @tail may be NULL. */
char *domain_path(const char *domain, const char *tail);
/* GET/PUT/POST/DELETE there; the answer's body (null where it has none) or NULL. @body is taken over. */
json_t *domain_call(struct xm *x, const char *method, const char *domain, const char *tail,
		    json_t *body, struct error *e);
/* The same where nobody looks at the answer. */
int domain_do(struct xm *x, const char *method, const char *domain, const char *tail, json_t *body,
	      struct error *e);
/*
 * All domains, or the @nr named: a new array. Of all @fields are asked for ("id,name"; NULL: what costs little). xl knows nothing of
 * those that do not run. A name that is not there is an error.
 */
json_t *domains_get(struct xm *x, char *const *names, int nr, const char *fields, struct error *e);
/* The array called @member of what GET @path answers; a new reference. */
json_t *array_get(struct xm *x, const char *path, const char *member, struct error *e);
/* Its id; where it does not run an error. */
int domain_id(struct xm *x, const char *domain, long *id, struct error *e);

/* A set of CPUs [0,1,2,5] as "0-2,5", "all" of the @nr_cpus there are (@any: xm's words), "none". */
void cpus_render(const json_t *cpus, long nr_cpus, bool xm, struct text *out);
/* "0-3,^1", "all", "nodes:1" as JSON's [0,2,3] for the host that @node describes; NULL with the error set. */
json_t *cpus_to_json(const json_t *node, const char *spec, struct error *e);
/* "512", "1g", "4096k" in KiB; a bare number is MiB. */
int memory_parse(const char *text, long *kb, struct error *e);
