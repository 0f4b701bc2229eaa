/* SPDX-License-Identifier: MIT */
/*
 * Two processes with one table of descriptors: the worker is xenstored, the keeper only waits for it. If the worker is killed, the sockets
 * of its clients and the files it held stay open in the keeper, which starts the next worker at once; nothing has to be handed over. A
 * worker that ends by itself ends the keeper. The keeper has another name, so that what ends "xenstored" does not end it too.
 */
#pragma once

#include <stdbool.h>

/*
 * First of all: goes on from a copy of the program that has no name in the file system, because what looks for processes by their
 * program's file would find the keeper too.
 */
void keeper_unnamed(char **argv);
/* Returns in the worker, @argv as it was; @*again: it is not the first. The keeper never returns. -1: there can be no worker. */
int keeper_start(int argc, char **argv, bool *again);
/* All that are open, but for standard input, output and error. */
void keeper_descriptors(void (*each)(int fd));
/* The worker serves: from here on another one follows it. */
void keeper_ready(void);
