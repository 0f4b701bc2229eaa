/* SPDX-License-Identifier: MIT */
/*
 * The wire protocol of xen/io/xs_wire.h: bytes to messages and back. No state. Everything that comes in is untrusted: a function here
 * never looks beyond the length it was given.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <xen/io/xs_wire.h>

#define WIRE_HEADER	 sizeof(struct xsd_sockmsg)
#define WIRE_MESSAGE_MAX (WIRE_HEADER + XENSTORE_PAYLOAD_MAX)

/* One message; @data holds header.len bytes and is not terminated. */
struct message {
	struct xsd_sockmsg header;
	const char *data;
};

/* The whole size of the message that begins in these @n bytes; 0: more bytes are needed to tell; -1: it is longer than allowed. */
int wire_size(const char *bytes, size_t n);

/* The strings of the payload that end with a NUL: their number, and the first @most of them in @string. */
unsigned int wire_strings(const struct message *m, const char **string, unsigned int most);
/* A domain id in decimal and nothing else. */
bool wire_domid(const char *s, unsigned int *domid);

/* "ENOENT" for ENOENT; what has no name in the protocol is "EINVAL". */
const char *wire_error_name(int errnum);

enum { PERM_READ = 1, PERM_WRITE = 2, PERM_OWNER = 4 };

/* One permission, written as "r12". */
struct perm {
	uint16_t domid, bits; /* PERM_READ, PERM_WRITE */
};

#define WIRE_PERM_TEXT 8

/* With the NUL; returns the length with it. */
size_t wire_perm_text(struct perm perm, char text[WIRE_PERM_TEXT]);
bool wire_perm_parse(const char *s, struct perm *perm);
