/* SPDX-License-Identifier: MIT */
/*
 * What survives kill -9: a file mapped into memory, to which records are appended. A record counts from the moment journal_commit()
 * moves the end behind it, one store of eight bytes; the kernel keeps the pages of a dead process's shared mapping, so that neither
 * write() nor fsync() is needed. A file of an earlier boot of the machine is not taken up. When it has grown, it is replaced by a new one
 * that describes the present state.
 */
#pragma once

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum record_kind {
	RECORD_REQUEST = 1, /* client; the message */
	RECORD_STORE,	    /* the quotas */
	RECORD_DOMAIN,	    /* client (the domain); the beginning of its struct */
	RECORD_GONE = 5,    /* client: the domain or socket is gone */
	RECORD_TRANSACTION, /* client: u32, the id of one that is open and can only fail */
	RECORD_IO	    /* client; struct record_io */
};

struct record {
	uint32_t len; /* of @data; the next record begins at the next multiple of 8 */
	uint32_t kind;
	uint32_t client;
	uint32_t spare;
	char data[];
};

/* Opens or makes the file; NULL @path: there is no journal, and what is appended goes nowhere. */
int journal_open(const char *path, struct error *e);
void journal_close(void);
/* The records of before, in order, as far as they are whole. False if there were none to take up. */
bool journal_replay(void (*each)(const struct record *r, void *arg), void *arg);

/* Room for @len bytes, valid until the next append; they count when committed. */
void *journal_append(enum record_kind kind, uint32_t client, size_t len);
void journal_commit(void);
/* Starts a new file from what @dump appends. Nothing may be waiting for its commit. */
void journal_compact(void (*dump)(void));
/* Has it grown to @times the size at which a new one is worth it? */
bool journal_grown(unsigned int times);
/* Bytes in use. */
size_t journal_size(void);
/* The records of before are being done again: nothing goes out, nothing may be appended. */
extern bool journal_replaying;

/*
 * One transfer over a socket, as the kernel notes it in the mapped file: with sendmmsg() and recvmmsg() the length it moved is written
 * before the call returns, so that a process killed in between leaves it to its successor.
 */
struct transfer {
	struct mmsghdr message; /* msg_len: TRANSFER_NONE until it is done */
	struct iovec bytes;
	uint64_t at; /* the journal's end before; when that has moved, this is over */
	uint32_t client;
};
#define TRANSFER_NONE UINT32_MAX

struct transfers {
	struct transfer in, out;
	char bytes[8192]; /* of @in */
};
struct transfers *journal_transfers(void);
