/* SPDX-License-Identifier: MIT */
/* The options of a daemon's command line, and its --help, from one table. What is wrong there ends the process with ERROR_USAGE. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The short form is the letter. Without one: a number from here on. */
#define OPTION_LONG(letter) (256 + (letter))

struct option_info {
	int letter;
	const char *name, *argument; /* NULL: a switch */
	const char *help;
};

/* Calls for each option in turn; false: its value is none. The first of the @nr is --help, which prints @head before them all. */
void options_read(int argc, char **argv, const char *head, const struct option_info *info,
		  size_t nr, bool (*take)(int letter, char *value));
