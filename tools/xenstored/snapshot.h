/* SPDX-License-Identifier: MIT */
/*
 * The model to and from the journal's records. A snapshot is mostly requests which, served again in order, make the same store; so it is
 * read back by the code that served the first ones.
 */
#pragma once

#include "xenstored/journal.h"
#include "xenstored/store.h"

/* Appends records that describe the whole model. Transactions that are open can only fail from here on. */
void snapshot_dump(struct store *store);
/* Does what one record says, if it is the model's. */
void snapshot_load(struct store *store, const struct record *r);
/* Appends the quotas and what else belongs to no domain or node. */
void snapshot_settings(const struct store *store);
