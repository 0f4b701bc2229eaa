/* SPDX-License-Identifier: MIT */
/*
 * What is under way: a file an operation, written before its first step that leaves something behind, removed when nothing half made is
 * left. A killed xend finds there what to bring to an end (recovery.c). Knows files only.
 */
#pragma once

#include "lib/base/error.h"

#include <stddef.h>
#include <stdint.h>

/* "/run/xend/ops"; tests put it elsewhere. */
extern const char *journal_folder;

struct json_t;

struct journal_entry {
	uint64_t id;   /* the operation's; also the file's name */
	char kind[16]; /* "create", "destroy", "restart" */
	char uuid[37]; /* of the domain */
	char *name;
	uint32_t domid;	       /* DOMID_INVALID: not made yet */
	struct json_t *config; /* "restart": what is made anew; else NULL */
};

int journal_write(const char *folder, const struct journal_entry *entry, struct error *e);
void journal_remove(const char *folder, uint64_t id);
/* All of them in the order of their ids; files that are none are removed. Freed with journal_free(). */
struct journal_entry *journal_read(const char *folder, size_t *nr);
void journal_free(struct journal_entry *entries, size_t nr);
