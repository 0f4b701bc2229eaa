/* SPDX-License-Identifier: MIT */
/*
 * Splitting the command line and finding each option's handler in the linker's table. Complaints are kept until
 * consoles exist, since the options choose the consoles.
 */
#include "boot/cmdline.h"
#include "boot/boot_info.h"
#include "lib/log.h"
#include "lib/string.h"

extern const struct cmdline_option __cmdline_start[], __cmdline_end[];

char saved_cmdline[1024];
static char words[MAX_CMDLINE] __initdata;
static char complaints[512] __initdata;

static char fold(char c)
{
	return c == '-' ? '_' : c;
}

/* Does @name (as registered) equal the first @len characters of @word? */
static bool __init name_matches(const char *name, const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (fold(name[i]) != fold(word[i]) || !name[i])
			return false;
	return !name[len];
}

static const struct cmdline_option *__init option_find(const char *word, size_t len)
{
	for (const struct cmdline_option *o = __cmdline_start; o < __cmdline_end; o++)
		if (name_matches(o->name, word, len))
			return o;
	return NULL;
}

static void __init complain(const char *what, const char *word)
{
	size_t n = strlen(complaints);

	if (n)
		strlcpy(complaints + n, ", ", sizeof(complaints) - n);
	n = strlen(complaints);
	strlcpy(complaints + n, what, sizeof(complaints) - n);
	n = strlen(complaints);
	strlcpy(complaints + n, word, sizeof(complaints) - n);
}

static void __init option_apply(char *word)
{
	char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word);
	const struct cmdline_option *o = option_find(word, len);
	const char *value = eq ? eq + 1 : "";

	if (!o && !eq && len > 2 && word[0] == 'n' && word[1] == 'o') {
		size_t skip = word[2] == '-' ? 3 : 2;

		o = option_find(word + skip, len - skip);
		value = "no";
	}
	/* GRUB's scripts put "placeholder" where older loaders had the file's name. */
	if (!o && !strcmp(word, "placeholder"))
		return;
	if (!o)
		complain("unknown option ", word);
	else if (o->handler(value))
		complain("bad value in ", word);
}

void __init cmdline_parse(const char *cmdline)
{
	char *p = words;

	strlcpy(saved_cmdline, cmdline, sizeof(saved_cmdline));
	strlcpy(words, cmdline, sizeof(words));
	while (*p) {
		char *word;

		while (*p == ' ' || *p == '\t')
			p++;
		if (!*p)
			break;
		/* "--" ends our options, as GRUB's scripts use it. */
		word = p;
		while (*p && *p != ' ' && *p != '\t')
			p++;
		if (*p)
			*p++ = 0;
		if (!strcmp(word, "--"))
			break;
		option_apply(word);
	}
}

void __init cmdline_report(void)
{
	printk("Command line: %s\n", saved_cmdline);
	if (complaints[0])
		printk(LOG_WARN "Command line problems, ignored: %s\n", complaints);
}
