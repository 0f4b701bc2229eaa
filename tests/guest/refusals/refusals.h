/* SPDX-License-Identifier: MIT */
/*
 * Between the parts of the refusal test: each call is answered under a key, and the keys' expected
 * errno values are in expect.h.
 */
#ifndef REFUSALS_H
#define REFUSALS_H

#include "guest.h"

#define ANSWERS_MAX 8

/* A domain that does not exist. */
#define NOBODY 999

void answers(const char *key, const long *rc, unsigned int n);
void answer(const char *key, long rc);

void pointer_rows(void);
void value_rows(void);
void struct_rows(void);
void memory_rows(void);
void control_rows(void);
void neighbour_rows(void);

#endif
