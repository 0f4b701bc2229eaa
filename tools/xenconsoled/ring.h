/* SPDX-License-Identifier: MIT */
/*
 * The console ring that a guest shares with us: bytes out of the guest and into it. The guest may write anything into the page at any
 * time, so each index is read exactly once and masked where it is used; indices that cannot be are told apart and nothing is touched.
 * Both sides' positions lie in the page: whoever maps it next goes on where the last one stopped. Knows neither events nor files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/io/console.h>

#define RING_OUT sizeof(((struct xencons_interface *)0)->out)
#define RING_IN	 sizeof(((struct xencons_interface *)0)->in)

/* Copies all that the guest has put out: its size, or -1 when the indices are garbage. It stays in the ring until ring_took(*@upto). */
int ring_look(const struct xencons_interface *ring, char out[RING_OUT], uint32_t *upto);
void ring_took(struct xencons_interface *ring, uint32_t upto);
/* Goes on at @upto if that is among what the guest has put out. False: nothing had been taken since. */
bool ring_resume(struct xencons_interface *ring, uint32_t upto);
/* How many bytes the guest can be given now, or -1. */
int ring_room(const struct xencons_interface *ring);
/* Gives as many of the @n bytes as there is room for: how many, or -1. */
int ring_put(struct xencons_interface *ring, const char *bytes, size_t n);
