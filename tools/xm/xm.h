/* SPDX-License-Identifier: MIT */
/*
 * What all commands of xm share: one run of the program, its command line taken apart, and what xend says. A command is a row of the
 * table in commands.c and a function that returns 0, or -1 with x->error filled, which main.c prints and makes the exit status. What
 * it prints gathers in x->out and goes to standard output when it is done; everything else goes to standard error.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/config/domain_config.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_MOST = 24 };

struct option_row {
	char letter;	   /* 0: none */
	const char *name;  /* never NULL, also what option() is asked for */
	const char *value; /* what help calls its value; NULL: a switch */
	const char *help;
	unsigned char dialects;
};

/* One run of the program. */
struct xm {
	enum config_dialect dialect;
	const char *program; /* "xm" or "xl" */
	bool dry_run;	     /* xl -N */
	const struct command *command;
	const struct option_row *option[OPTIONS_MOST]; /* those the command has in this dialect */
	const char *value[OPTIONS_MOST]; /* of each; "" for a switch that is set, NULL: not given */
	int nr_options;
	bool help;
	char **operand;
	int nr;
	struct text out;
	json_t *answer; /* a long list, left to the end of the process: freeing each member costs */
	struct error error;
};

typedef int verb(struct xm *x);

/* In which dialects a command or option is known; 0: both. */
enum { ONLY_XL = 1 << CONFIG_XL, ONLY_XM = 1 << CONFIG_XM };

static inline bool in_dialect(unsigned char mask, enum config_dialect dialect)
{
	return !mask || (mask & (1 << dialect));
}

struct command {
	const char *name;
	verb *run;
	const char *summary;		  /* one line, without the full stop */
	unsigned char dialects;		  /* or 0 */
	short least, most;		  /* operands; @most -1: any number */
	const char *operands;		  /* "<Domain> [DevId]"; NULL: none */
	const char *operands_xm;	  /* where xm's differ */
	const char *alias[2];		  /* names of old that work and are told as deprecated */
	bool listing;			  /* takes --json */
	bool common;			  /* among those `xm help` shows */
	bool dry;			  /* knows -N */
	const struct option_row *options; /* ended by one without a name */
};

/* In alphabetical order; ended by a row without a name. */
extern const struct command commands[];

/* Commands of xm or xl that are not done by this system yet. */
struct later {
	const char *hint;     /* what to do until then; NULL ends the table */
	const char *names[3]; /* between blanks: in both dialects, ONLY_XL, ONLY_XM; NULL: none */
};

extern const struct later commands_later[];

/* --- call.c: the command line ----------------------------------------------------------------------- */

/* By its full name, an alias, or a prefix that only one command has; NULL with an error that suggests one. */
const struct command *command_find(struct xm *x, const char *name);
/* Calls for each command of a dialect that is not done yet. */
void later_each(enum config_dialect dialect,
		void (*each)(void *arg, const char *name, const char *hint), void *arg);
/* The options of a command in a dialect, --json with them, into @rows; how many. */
int command_options(const struct command *command, enum config_dialect dialect,
		    const struct option_row *rows[OPTIONS_MOST]);
/* @argv[0] is the command's name. Usage errors name the command. */
int call_parse(struct xm *x, const struct command *command, int argc, char **argv);
/* The option's value, "" for a switch; NULL where it was not given. */
const char *option(const struct xm *x, const char *name);
/* Its value as a number: 0 and *out untouched where it was not given. */
int option_number(struct xm *x, const char *name, long min, long max, long *out);

/* --- help.c, completion.c ---------------------------------------------------------------------------- */

void help_all(struct xm *x, bool all);
void help_command(struct xm *x, const struct command *command);

/* --- xend.c: its API, HTTP over a Unix socket ------------------------------------------------------------ */

/* The body of a 2xx answer in @out; a problem becomes the error. @body: JSON text or NULL. */
int xend_request(struct xm *x, const char *method, const char *path, const char *body,
		 struct text *out);
/* The same with JSON on both sides: @body is taken over; an answer without a body is null. A new reference or NULL. */
json_t *xend_json(struct xm *x, const char *method, const char *path, json_t *body);
/* The array called @member of what GET @path answers; a new reference. */
json_t *array_get(struct xm *x, const char *path, const char *member);

/* "/v1/domains/NAME/TAIL", the name escaped, owned by the caller; @tail may be NULL. */
char *domain_path(const char *domain, const char *tail);
/* GET/PUT/POST/DELETE there. */
json_t *domain_call(struct xm *x, const char *method, const char *domain, const char *tail,
		    json_t *body);
json_t *domain_call_id(struct xm *x, const char *method, long long id, const char *tail,
		       json_t *body);
/* For the domain that is the first operand, where nobody looks at the answer. */
int domain_do(struct xm *x, const char *method, const char *tail, json_t *body);
/*
 * All domains, or those the operands name: a new array. Of all @fields are asked for ("id,name"; NULL: what costs little). xl knows
 * nothing of those that do not run. A name that is not there is an error.
 */
json_t *domains_get(struct xm *x, const char *fields);
/* The id of the domain that is the first operand; -1: it does not run, an error. */
long domain_id(struct xm *x);

/* --- render.c: answers as text ----------------------------------------------------------------------------- */

/* Members of a JSON object; defaults where they are missing or null. */
long long member_number(const json_t *object, const char *name, long long otherwise);
const char *member_text(const json_t *object, const char *name, const char *otherwise);
bool member_is(const json_t *object, const char *name, const char *value);

/*
 * A row by its template: text with fields {member[.index][=otherwise]:format} in it. The format is printf()'s flags, width and
 * precision with a letter: s text, d a number (or how many members an array has), x in hexadecimal, M a number of KiB in MiB, k in
 * thousands, K the same with a fraction, t nanoseconds in seconds (as a float rounds them), T exactly.
 */
void row_render(const json_t *row, const char *template, struct text *out);
void rows_render(const json_t *rows, const char *template, struct text *out);
/* With --json the JSON, else by @template below @head. */
int rows_put(struct xm *x, const json_t *rows, const char *head, const char *template);
/* x->out to standard output. */
int put(struct xm *x);
/* Indented. */
int put_json(struct xm *x, const json_t *json);
/* Numbers with commas between. */
void numbers_render(const json_t *numbers, struct text *out);
/* A set of CPUs [0,1,2,5] as "0-2,5", "all" of the @nr_cpus there are (@xm: xm's words), "none". */
void cpus_render(const json_t *cpus, long nr_cpus, bool xm, struct text *out);
/* "r-----" as xl has it: as xm had it, a crashed one "----c-". */
void state_for_xm(const char *state, char out[7]);
