/* SPDX-License-Identifier: MIT */
/*
 * A model of domains without a hypervisor, for tests of the API: Domain-0, web (running, pv), old (managed, halted), and what requests
 * make of them. Operations take fake_delay_ms of the loop; 0: they are over when they are returned.
 */
#pragma once

#include "xend/domain.h"
#include "xend/node.h"
#include "xend/operation.h"

#define FAKE_WEB_UUID "11111111-2222-3333-4444-555555555555"
#define FAKE_OLD_UUID "99999999-2222-3333-4444-555555555555"

extern unsigned int fake_delay_ms;
extern bool fake_fail;		  /* the next operation fails */
extern char fake_last[256];	  /* what was asked for last, in words */
extern unsigned int fake_waiting; /* requests that wait for operations */

/* @loop may be NULL where nothing takes time. */
struct node *fake_new(struct loop *loop);
void fake_free(struct node *n);
struct domain *fake_add(struct node *n, const char *name, const char *uuid, bool present);
void fake_event(struct node *n, const char *what);
