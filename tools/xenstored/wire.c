/* SPDX-License-Identifier: MIT */
/* See wire.h. */
#include "xenstored/wire.h"

#include "lib/base/text.h"

#include <string.h>

int wire_size(const char *bytes, size_t n)
{
	uint32_t len;

	if (n < WIRE_HEADER)
		return 0;
	memcpy(&len, bytes + offsetof(struct xsd_sockmsg, len), sizeof(len));
	return len > XENSTORE_PAYLOAD_MAX ? -1 : (int)(WIRE_HEADER + len);
}

unsigned int wire_strings(const struct message *m, const char **string, unsigned int most)
{
	const char *p = m->data, *end = p + m->header.len, *nul;
	unsigned int nr = 0;

	while (p < end && (nul = memchr(p, '\0', (size_t)(end - p)))) {
		if (nr < most)
			string[nr] = p;
		nr++;
		p = nul + 1;
	}
	return nr;
}

bool wire_domid(const char *s, unsigned int *domid)
{
	long value;

	if (*s < '0' || *s > '9' || !str_to_long(s, 0, 65535, &value))
		return false;
	*domid = (unsigned int)value;
	return true;
}

const char *wire_error_name(int errnum)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (xsd_errors[i].errnum == errnum)
			return xsd_errors[i].errstring;
	return "EINVAL";
}

size_t wire_perm_text(struct perm perm, char text[WIRE_PERM_TEXT])
{
	return (size_t)snprintf(text, WIRE_PERM_TEXT, "%c%u", "nrwb"[perm.bits & 3], perm.domid) +
	       1;
}

bool wire_perm_parse(const char *s, struct perm *perm)
{
	static const char letters[] = "nrwb";
	const char *letter = *s ? strchr(letters, *s) : NULL;
	unsigned int domid;

	if (!letter || !wire_domid(s + 1, &domid))
		return false;
	*perm = (struct perm){(uint16_t)domid, (uint16_t)(letter - letters)};
	return true;
}
