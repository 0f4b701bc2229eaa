/* SPDX-License-Identifier: MIT */
/* See error.h. */
#include "lib/base/error.h"

#include "lib/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	enum error_class class;
	const char *name;
} names[] = {
	{ERROR_FAILED, "failed"},	  {ERROR_USAGE, "usage"},
	{ERROR_CONFIG, "config"},	  {ERROR_NOT_FOUND, "not-found"},
	{ERROR_CONFLICT, "conflict"},	  {ERROR_ABSENT, "absent"},
	{ERROR_RETRY, "retry"},		  {ERROR_UNSUPPORTED, "unsupported"},
	{ERROR_PERMISSION, "permission"},
};

int error_set(struct error *e, enum error_class class, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	e->class = class;
	e->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

static enum error_class class_of_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ESRCH:
		return ERROR_NOT_FOUND;
	case EEXIST:
	case EBUSY:
		return ERROR_CONFLICT;
	case EAGAIN:
	case ENOMEM:
	case ENOSPC:
		return ERROR_RETRY;
	case EPERM:
	case EACCES:
		return ERROR_PERMISSION;
	case ENOSYS:
	case EOPNOTSUPP:
		return ERROR_UNSUPPORTED;
	default:
		return ERROR_FAILED;
	}
}

int error_errno(struct error *e, enum error_class class, int errnum, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(e, class ? class : class_of_errno(errnum), "%s: %s", text,
			 strerror(errnum));
}

int error_hint(struct error *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
	return -1;
}

int error_prefix(struct error *e, const char *fmt, ...)
{
	struct text t = {0};
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	text_vprintf(&t, fmt, ap);
	va_end(ap);
	text_printf(&t, ": %s", e->text);
	snprintf(e->text, sizeof(e->text), "%s", t.data);
	text_free(&t);
	return -1;
}

const char *error_class_name(enum error_class class)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].class == class)
			return names[i].name;
	return "failed";
}

enum error_class error_class_named(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, name))
			return names[i].class;
	return ERROR_FAILED;
}
