/* SPDX-License-Identifier: MIT */
/* See error.h. */
#include "lib/base/error.h"

#include "lib/base/text.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {
	[ERROR_FAILED] = "failed",	   [ERROR_USAGE] = "usage",
	[ERROR_CONFIG] = "config",	   [ERROR_NOT_FOUND] = "not-found",
	[ERROR_CONFLICT] = "conflict",	   [ERROR_ABSENT] = "absent",
	[ERROR_RETRY] = "retry",	   [ERROR_UNSUPPORTED] = "unsupported",
	[ERROR_PERMISSION] = "permission",
};
#define NAMES (sizeof(names) / sizeof(names[0]))

int error_set(struct error *e, enum error_class class, const char *fmt, ...)
{
	if (!e)
		return -1;
	e->class = class;
	e->hint[0] = '\0';
	text_format(e->text, fmt);
	return -1;
}

static enum error_class class_of_errno(int errnum)
{
	static const unsigned char classes[] = {
		[ENOENT] = ERROR_NOT_FOUND,	 [ESRCH] = ERROR_NOT_FOUND,
		[EEXIST] = ERROR_CONFLICT,	 [EBUSY] = ERROR_CONFLICT,
		[EAGAIN] = ERROR_RETRY,		 [ENOMEM] = ERROR_RETRY,
		[ENOSPC] = ERROR_RETRY,		 [EPERM] = ERROR_PERMISSION,
		[EACCES] = ERROR_PERMISSION,	 [ENOSYS] = ERROR_UNSUPPORTED,
		[EOPNOTSUPP] = ERROR_UNSUPPORTED};

	return (size_t)errnum < sizeof(classes) && classes[errnum] ? classes[errnum] : ERROR_FAILED;
}

int error_errno(struct error *e, enum error_class class, int errnum, const char *fmt, ...)
{
	char text[sizeof(e->text)];

	text_format(text, fmt);
	return error_set(e, class ? class : class_of_errno(errnum), "%s: %s", text,
			 strerror(errnum));
}

int error_hint(struct error *e, const char *fmt, ...)
{
	if (e)
		text_format(e->hint, fmt);
	return -1;
}

int error_prefix(struct error *e, const char *fmt, ...)
{
	char was[sizeof(e->text)];
	size_t len;

	if (!e)
		return -1;
	memcpy(was, e->text, sizeof(was));
	text_format(e->text, fmt);
	len = strlen(e->text);
	snprintf(e->text + len, sizeof(e->text) - len, ": %s", was);
	return -1;
}

const char *error_class_name(enum error_class class)
{
	return class < NAMES && names[class] ? names[class] : "failed";
}

enum error_class error_class_named(const char *name)
{
	for (enum error_class class = 0; class < NAMES; class ++)
		if (names[class] && !strcmp(names[class], name))
			return class;
	return ERROR_FAILED;
}
