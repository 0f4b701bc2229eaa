/* SPDX-License-Identifier: MIT */
/*
 * What a source of text (a guest, the hypervisor) has put out: all of it to a log, the last RECORD_SIZE bytes in memory for viewers, as
 * a stream whose bytes are numbered from 0. That memory is a file's: the process that comes after a killed one finds it as it was, and
 * by it, where the source and the log stand, so that each byte is logged once whatever the moment of the end.
 */
#pragma once

#include "xenconsoled/logfile.h"

#define RECORD_SIZE (64u << 10)

struct record_page {
	uint64_t end;		    /* bytes put out since the beginning */
	uint32_t taken;		    /* the source's own index behind them */
	struct logfile_place place; /* where the log ended when it held them all */
	char data[RECORD_SIZE];
};

struct record {
	struct record_page *page;
	struct logfile log;
};

/* @keep: goes on with what the file at @path holds. Never fails: without a file the memory is the process's own. */
void record_open(struct record *r, const char *path, bool keep);
void record_close(struct record *r);
/* To the log and to memory; @taken is the source's index behind these bytes. */
void record_add(struct record *r, const char *bytes, size_t n, uint32_t taken);
/* To memory only: words of our own. */
void record_say(struct record *r, const char *bytes, size_t n);
/* A run of bytes from number @at (which must be there) on: 0 at the end, short where the buffer wraps. */
size_t record_run(const struct record *r, uint64_t at, const char **bytes);
