/* SPDX-License-Identifier: MIT */
/* Included before everything: no symbol leaves the image, so all are reached relative to RIP, without a GOT. */
#ifndef __ASSEMBLER__
#pragma GCC visibility push(hidden)
#endif
