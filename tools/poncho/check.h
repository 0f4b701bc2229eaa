/* SPDX-License-Identifier: MIT */
/*
 * The checks of `poncho doctor`: a table of stable names. Each looks at the machine by host.h, changes nothing, and finds that all is
 * well, that something is to be known, or that Poncho cannot be booted here; failures and warnings say what to do.
 */
#pragma once

#include <stdbool.h>

/* Also the exit status. */
enum result { RESULT_OK, RESULT_WARN, RESULT_FAIL };

struct finding {
	enum result result;
	char text[512], remedy[256];
};

/* How many there are, and the n-th one's name and what it finds now. */
extern const unsigned int check_count;
const char *check_id(unsigned int n);
struct finding check_find(unsigned int n);

/* Prints all; the worst. */
enum result checks_print(bool json);
/* Prints to standard error those that fail, but for the ones in @except; whether there were any. */
bool checks_fail(const char *except);
