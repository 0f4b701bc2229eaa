/* SPDX-License-Identifier: MIT */
/*
 * Splitting the command line and finding each option's handler in the linker's table. Complaints are kept until
 * consoles exist, since the options choose the consoles.
 */
#include "boot/cmdline.h"
#include "boot/boot_info.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "lib/printf.h"
#include "lib/string.h"

extern const struct cmdline_option __cmdline_start[], __cmdline_end[];

static char words[MAX_CMDLINE] __initdata;
static char complaints[512] __initdata;

/* Registered names are C identifiers; in words, '-' and '_' are the same. */
static const struct cmdline_option *__init option_find(const char *word)
{
	for (const struct cmdline_option *o = __cmdline_start; o < __cmdline_end; o++) {
		const char *name = o->name, *w = word;

		while (*name && *name == (*w == '-' ? '_' : *w))
			name++, w++;
		if (!*name && !*w)
			return o;
	}
	return NULL;
}

static int __init option_set(const struct cmdline_option *o, const char *value)
{
	int on;

	if (!o->flag)
		return o->handler(value);
	on = *value ? parse_bool(value, NULL) : 1;
	if (on >= 0)
		*o->flag = on;
	return min(on, 0);
}

static void __init option_apply(char *word)
{
	char *equals = strchr(word, '=');
	const char *value = equals ? equals + 1 : "";
	const struct cmdline_option *o;
	size_t n = strlen(complaints);

	if (equals)
		*equals = '\0';
	o = option_find(word);
	if (!o && !equals && !strncmp(word, "no", 2)) {
		o = option_find(word + (word[2] == '-' ? 3 : 2));
		value = "no";
	}
	/* GRUB's scripts put "placeholder" where older loaders had the file's name. */
	if (o ? option_set(o, value) : strcmp(word, "placeholder"))
		scnprintf(complaints + n, sizeof(complaints) - n, "%s%s %s%s%s", n ? ", " : "",
			  o ? "bad value in" : "unknown option", word, equals ? "=" : "",
			  equals ? value : "");
}

void __init cmdline_parse(void)
{
	char *p = words, *word;

	strlcpy(words, boot_info.cmdline, sizeof(words));
	while (*p) {
		word = p;
		while (*p && *p != ' ' && *p != '\t')
			p++;
		if (*p)
			*p++ = '\0';
		/* "--" ends our options, as GRUB's scripts use it. */
		if (!strcmp(word, "--"))
			break;
		if (*word)
			option_apply(word);
	}
}

void __init cmdline_report(void)
{
	printk("Command line: %s\n", boot_info.cmdline);
	if (complaints[0])
		printk(LOG_WARN "Command line problems, ignored: %s\n", complaints);
}
