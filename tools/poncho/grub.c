/* SPDX-License-Identifier: MIT */
/*
 * The boot entry. How to reach the files (partition modules, search) and what the kernel wants on its command line is copied from the
 * Linux entry that GRUB's own scripts have made, so that whatever boots the plain kernel also finds ours.
 *
 * Once means once: GRUB clears next_entry before it runs the entry, if it can write its environment. The entry reads it again from the
 * disk, and where it still stands, boots the plain kernel.
 */
#include "poncho/grub.h"
#include "poncho/host.h"

#include <stdio.h>
#include <string.h>

#define BLOCK_END "### END poncho ###\n"
/* The first is for files whose last line has no end: the one that it gets goes with our block again. */
static const char *const block_begins[] = {"\n### BEGIN poncho, joined ###\n",
					   "### BEGIN poncho ###\n"};

/* --- reading --- */

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* The words behind the first of @line, if that is @word, @word"efi" or @word"16". */
static const char *command_words(const char *line, const char *word)
{
	size_t len = strlen(word);
	const char *rest;

	if (strncmp(line, word, len))
		return NULL;
	rest = line + len;
	if (str_starts(rest, "efi"))
		rest += 3;
	else if (str_starts(rest, "16"))
		rest += 2;
	return *rest == ' ' || *rest == '\t' ? skip_blanks(rest) : NULL;
}

/* What prepares the loading: taken over as it is. */
static bool prepares(const char *line)
{
	static const char *const words[] = {"insmod", "search", "set", "if", "else", "elif", "fi"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (!strncmp(line, words[i], len) && strchr(" \t;", line[len]))
			return !strstr(line, "gfxpayload");
	}
	return false;
}

static void take_linux(struct grub_linux *l, const char *words)
{
	size_t n = strcspn(words, " \t");
	const char *version = NULL;

	free(l->kernel);
	free(l->args);
	free(l->version);
	l->kernel = xasprintf("%.*s", (int)n, words);
	l->args = xstrdup(skip_blanks(words + n));
	version = strstr(l->kernel, "vmlinuz-");
	l->version = xstrdup(version ? version + strlen("vmlinuz-") : "");
}

/* Of several, the last: those before it are processor microcode, which is not domain 0's business. */
static void take_initrd(struct grub_linux *l, const char *words)
{
	const char *last = strrchr(words, ' ');

	free(l->initrd);
	l->initrd = xstrdup(last ? last + 1 : words);
}

static void take_line(struct grub_linux *l, struct text *preparation, const char *line)
{
	const char *words;

	if ((words = command_words(line, "linux")))
		take_linux(l, words);
	else if ((words = command_words(line, "initrd")))
		take_initrd(l, words);
	else if (prepares(line))
		text_printf(preparation, "\t%s\n", line);
}

void grub_linux_free(struct grub_linux *l)
{
	free(l->preparation);
	free(l->kernel);
	free(l->version);
	free(l->args);
	free(l->initrd);
	free(l->plain_id);
	memset(l, 0, sizeof(*l));
}

/* The words in quotes behind $menuentry_id_option or --id. */
static char *entry_id(const char *line)
{
	const char *p = strstr(line, "menuentry_id_option"), *end;

	p = p ? p : strstr(line, "--id");
	p = p ? strchr(p, '\'') : NULL;
	end = p ? strchr(p + 1, '\'') : NULL;
	return end ? xasprintf("%.*s", (int)(end - p - 1), p + 1) : NULL;
}

/* Whether the entry read so far will do; if not, it is forgotten, but for the first one's name. */
static bool entry_closed(struct grub_linux *l, struct text *preparation)
{
	char *plain_id = l->plain_id;

	if (l->kernel && l->initrd && kernel_usable(l->version) &&
	    !str_has_word(l->args, "single")) {
		l->preparation = text_take(preparation);
		return true;
	}
	text_free(preparation);
	l->plain_id = NULL;
	grub_linux_free(l);
	l->plain_id = plain_id;
	return false;
}

int grub_linux_find(const char *config, struct grub_linux *l, struct error *e)
{
	autofree char *copy = xstrdup(config);
	struct text preparation = {0};
	bool inside = false;
	char *save = NULL;

	memset(l, 0, sizeof(*l));
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *s = skip_blanks(line);

		if (str_starts(s, "menuentry ")) {
			inside = true;
			if (!l->plain_id && strstr(s, "gnulinux"))
				l->plain_id = entry_id(s);
		} else if (inside && !strcmp(s, "}")) {
			inside = false;
			if (entry_closed(l, &preparation))
				return 0;
		} else if (inside) {
			take_line(l, &preparation, s);
		}
	}
	grub_linux_free(l);
	text_free(&preparation);
	error_set(e, ERROR_UNSUPPORTED, "GRUB has no entry whose kernel can be domain 0");
	return error_hint(e, "apt install linux-image-amd64; then update-grub");
}

/* --- arguments --- */

static bool word_next(const char **p, char *word, size_t size)
{
	size_t n;

	*p = skip_blanks(*p);
	n = strcspn(*p, " \t");
	snprintf(word, size, "%.*s", (int)n, *p);
	*p += n;
	return n > 0;
}

char *boot_hypervisor_args(const char *linux_args, unsigned int seconds, const char *more)
{
	unsigned int port = 0;
	char speed[32] = "";
	char word[512];
	struct text t = {0};

	for (const char *p = linux_args; word_next(&p, word, sizeof(word));) {
		const char *comma = strchr(word, ',');

		if (!str_starts(word, "console=ttyS"))
			continue;
		port = word[strlen("console=ttyS")] == '1';
		snprintf(speed, sizeof(speed), "%.*s",
			 comma ? (int)strspn(comma + 1, "0123456789") : 0, comma ? comma + 1 : "");
	}
	text_printf(&t, "console=com%u,vga", port + 1);
	if (*speed)
		text_printf(&t, " com%u=%s,8n1", port + 1, speed);
	if (seconds)
		text_printf(&t, " dom0_watchdog=%u", seconds);
	if (more && *more)
		text_printf(&t, " %s", more);
	return text_take(&t);
}

static void word_add(struct text *t, const char *word)
{
	if (word && *word)
		text_printf(t, "%s%s", t->len ? " " : "", word);
}

/* The serial port is the hypervisor's: what the kernel wrote there goes by the hypervisor's console. */
char *boot_domain0_args(const char *linux_args, const char *more)
{
	bool hvc = false, any = false;
	struct text t = {0};
	char word[512];

	for (const char *p = linux_args; word_next(&p, word, sizeof(word));) {
		bool serial = str_starts(word, "console=ttyS");

		/* A variable of GRUB's is about its own video mode. */
		if (str_starts(word, "earlyprintk=") || str_starts(word, "earlycon") ||
		    *word == '$')
			continue;
		any |= str_starts(word, "console=");
		if (!serial || !hvc)
			word_add(&t, serial ? "console=hvc0" : word);
		hvc |= serial;
	}
	if (!hvc)
		word_add(&t, any ? "console=hvc0" : "console=tty0 console=hvc0");
	word_add(&t, more);
	return text_take(&t);
}

/* --- writing --- */

/* Words as GRUB's shell wants them; what is quoted in its own configuration stays as it is. */
static void add_quoted(struct text *t, const char *s)
{
	char word[512];

	while (word_next(&s, word, sizeof(word))) {
		text_str(t, " ");
		for (const char *c = word; *c; c++) {
			if (strchr("$;&|<>{}", *c) && (c == word || c[-1] != '\\'))
				text_str(t, "\\");
			text_add(t, c, 1);
		}
	}
}

/* GRUB's one-shot default is what falls back: gone before the entry runs, or set to the plain kernel by it. */
static void add_guard(struct text *t, const struct grub_linux *l, bool once)
{
	if (once) {
		text_str(t, "\tset poncho=1\n\tload_env next_entry\n"
			    "\tif [ -n \"${next_entry}\" ]; then set poncho=0; fi\n");
	} else {
		text_str(t, "\tset poncho=1\n");
		text_printf(t, "\tset next_entry='%s'\n\tsave_env next_entry\n",
			    l->plain_id ? l->plain_id : "0");
	}
}

char *grub_entry(const struct grub_linux *l, bool once, const char *image,
		 const char *hypervisor_args, const char *domain0_args)
{
	struct text t = {0};
	/* The kernel's folder is /boot, by whatever name GRUB reaches it. */
	int folder = (int)(strrchr(l->kernel, '/') ? strrchr(l->kernel, '/') - l->kernel : 0);

	text_printf(&t, "menuentry '%s' --id %s {\n",
		    once ? "Linux on Poncho, tried once" : "Linux on Poncho",
		    once ? GRUB_TRY_ID : GRUB_ENABLED_ID);
	text_str(&t, l->preparation);
	add_guard(&t, l, once);
	text_str(&t, "\tinsmod multiboot2\n\tif [ \"${poncho}\" = 1 ]; then\n\t\tset poncho=0\n");
	text_printf(&t, "\t\tif multiboot2 %.*s/%s", folder, l->kernel, image);
	add_quoted(&t, hypervisor_args);
	text_printf(&t, "; then if module2 %s", l->kernel);
	add_quoted(&t, domain0_args);
	text_printf(&t, "; then if module2 %s; then set poncho=1; fi; fi; fi\n\tfi\n", l->initrd);
	text_printf(&t,
		    "\tif [ \"${poncho}\" != 1 ]; then\n\t\tlinux %s %s\n\t\tinitrd %s\n\tfi\n}\n",
		    l->kernel, l->args, l->initrd);
	return text_take(&t);
}

char *grub_block(const char *file, const char *block)
{
	struct text t = {0};

	text_str(&t, file ? file : "");
	for (size_t i = 0; i < 2; i++) {
		char *begin = strstr(t.data, block_begins[i]);
		char *end = begin ? strstr(begin, BLOCK_END) : NULL;

		if (!end)
			continue;
		end += strlen(BLOCK_END);
		memmove(begin, end, strlen(end) + 1);
		t.len = strlen(t.data);
	}
	if (block)
		text_printf(&t, "%s%s" BLOCK_END, block_begins[!t.len || t.data[t.len - 1] == '\n'],
			    block);
	if (t.len)
		return text_take(&t);
	text_free(&t);
	return NULL;
}
