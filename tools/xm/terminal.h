/* SPDX-License-Identifier: MIT */
/* The terminal in raw mode, given back as it was whatever ends the program: return, signal or fault. */
#pragma once

/* @leave is written when it is given back. Nothing happens where standard input is no terminal. */
void terminal_make_raw(const char *leave);
void terminal_restore(void);
