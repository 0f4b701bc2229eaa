/* SPDX-License-Identifier: MIT */
/*
 * Connections to domains: a page with two rings of bytes and an event channel. The page is the domain's to scribble on: indices are read
 * once and checked, bytes are copied before they are looked at.
 *
 * Exactly once, whatever kills this process: bytes of an answer are put where the domain does not look yet; the journal then says in one
 * record how far both rings are; only after that the indices move. A new process sets them as the last record says, if they are still as
 * they were before it.
 */
#pragma once

#include "xenstored/conn.h"

/* Behind the replay: takes up the connection of every domain that was introduced. */
void ring_resume(struct store *store);
/* The event channel @port is pending. */
void ring_event(struct store *store, int port);
/* Serves rings that had more than one round takes; true while there are such. */
bool ring_again(struct store *store);
