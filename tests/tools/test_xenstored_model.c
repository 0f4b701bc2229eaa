/* SPDX-License-Identifier: MIT */
/*
 * The model of xenstored: nodes, permissions, watches, quotas, transactions and their conflicts; and random requests beside an oracle
 * that keeps the whole tree as a list and copies all of it for each transaction.
 */
/* links: xenstored/wire.c xenstored/path.c xenstored/tree.c xenstored/watch.c xenstored/store.c xenstored/transaction.c xenstored/request.c lib/base/text.c lib/base/log.c */
#include "xenstored_client.h"

bool outside_exists(unsigned int domid)
{
	return domid < 100;
}

void outside_changed(struct client *c, const struct message *m)
{
}

void outside_known(struct domain *d)
{
}

static struct client *tools, *guest, *other;

static int setup(void **state)
{
	store_init(&store);
	default_quotas();
	tools = client_new(&store, CLIENT_SOCKET, 0);
	assert_int_equal(domain_introduce(&store, 5, 1, 1), 0);
	assert_int_equal(domain_introduce(&store, 6, 1, 1), 0);
	guest = store.domain[5]->client;
	other = store.domain[6]->client;
	ask(tools, XS_MKDIR, 0, "/local/domain/5");
	ask(tools, XS_MKDIR, 0, "/tool");
	ask2(tools, XS_SET_PERMS, 0, "/local/domain/5", "n5");
	return 0;
}

static int teardown(void **state)
{
	struct text wrong = {0};

	if (!store_sound(&store, &wrong))
		fail_msg("%s", wrong.data);
	store_free(&store);
	forget_heard();
	return 0;
}

#define said(wanted, got) assert_string_equal(got, wanted)

static void nodes(void **state)
{
	said("!ENOENT", ask(tools, XS_READ, 0, "/a"));
	said("OK", ask2(tools, XS_WRITE, 0, "/a/b/c", "hello"));
	said("hello", ask(tools, XS_READ, 0, "/a/b/c"));
	said("", ask(tools, XS_READ, 0, "/a/b"));
	said("b", ask(tools, XS_DIRECTORY, 0, "/a"));
	said("OK", ask(tools, XS_MKDIR, 0, "/a/b/c"));
	said("hello", ask(tools, XS_READ, 0, "/a/b/c"));
	said("OK", ask(tools, XS_RM, 0, "/a/none"));
	said("!ENOENT", ask(tools, XS_RM, 0, "/a/none/deeper"));
	said("OK", ask(tools, XS_RM, 0, "/a"));
	said("!ENOENT", ask(tools, XS_READ, 0, "/a/b/c"));
	said("!EINVAL", ask(tools, XS_RM, 0, "/"));
	said("!ENOSYS", ask(tools, XS_WATCH_EVENT, 0, "/"));
	said("!ENOSYS", ask(tools, 999, 0, "/"));
	said("!ENOENT", ask(tools, XS_READ, 77, "/"));
}

static void paths(void **state)
{
	static const char *const bad[] = {"",	   "//",   "/a//b", "/a/",  "a/",   "/a b",
					  "/\xff", "/a,b", "/a.b",  "@foo", "/a//", "/a/%"};
	char longest[4096] = "/";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		said("!EINVAL", ask(tools, XS_MKDIR, 0, bad[i]));
	said("!EINVAL", ask_raw(tools, XS_READ, 0, "/a", 2)); /* no NUL */
	said("!EINVAL", ask_raw(tools, XS_READ, 0, "/\0/", 4));
	said("!EINVAL", ask_raw(tools, XS_READ, 0, "", 0));
	said("!EINVAL", ask_raw(tools, XS_WRITE, 0, "/abc", 4));
	memset(longest + 1, 'x', 3071);
	said("OK", ask(tools, XS_MKDIR, 0, longest));
	memset(longest + 1, 'x', 3072);
	said("!EINVAL", ask(tools, XS_MKDIR, 0, longest));
	for (size_t i = 0; i < 3072; i++)
		longest[i] = i % 2 ? 'y' : '/';
	longest[3072] = '\0';
	said("OK", ask(tools, XS_MKDIR, 0, longest));
	said("OK", ask2(guest, XS_WRITE, 0, "rel", "1"));
	said("1", ask(tools, XS_READ, 0, "/local/domain/5/rel"));
	said("OK", ask2(tools, XS_WRITE, 0, "rel", "0"));
	said("0", ask(tools, XS_READ, 0, "/local/domain/0/rel"));
}

static void listing_in_parts(void **state)
{
	struct text all = {0};
	size_t nr = 0;
	char path[64], offset[16];

	for (int i = 0; i < 900; i++) {
		snprintf(path, sizeof(path), "/many/child-number-%d", i);
		said("OK", ask(tools, XS_MKDIR, 0, path));
	}
	said("!E2BIG", ask(tools, XS_DIRECTORY, 0, "/many"));
	for (;;) {
		const struct heard *h = heard_by(tools);
		size_t skip;

		snprintf(offset, sizeof(offset), "%zu", all.len);
		ask2(tools, XS_DIRECTORY_PART, 0, "/many", offset);
		assert_int_equal(h->type, XS_DIRECTORY_PART);
		skip = strlen(h->data.data) + 1;
		text_add(&all, h->data.data + skip, h->data.len - skip);
		if (all.len >= 2 && !all.data[all.len - 2])
			break;
	}
	for (size_t i = 0; i + 1 < all.len; i++)
		nr += !all.data[i];
	assert_int_equal(nr, 900);
	text_free(&all);
}

/* Who may do what: each letter against each right, for the owner, one who is named, anybody, and the target's friend. */
static void permission_matrix(void **state)
{
	static const char letters[] = "nrwb";

	for (int named = 0; named < 4; named++)
		for (int all = 0; all < 4; all++) {
			char perms[16];
			size_t n = (size_t)snprintf(perms, sizeof(perms), "/m%c%c5%c%c6", 0,
						    letters[all], 0, letters[named]);
			int mine = named, anyone = all;

			assert_int_equal(n, 8);
			ask2(tools, XS_WRITE, 0, "/m", "v");
			said("OK", ask_raw(tools, XS_SET_PERMS, 0, perms, n + 1));
			said("v", ask(guest, XS_READ, 0, "/m"));
			said("OK", ask2(guest, XS_WRITE, 0, "/m", "v"));
			said(mine & 1 ? "v" : "!EACCES", ask(other, XS_READ, 0, "/m"));
			said(mine & 2 ? "OK" : "!EACCES", ask2(other, XS_WRITE, 0, "/m", "v"));
			said("!EACCES", ask2(other, XS_SET_PERMS, 0, "/m", "b6"));
			domain_introduce(&store, 7, 1, 1);
			said(anyone & 1 ? "v" : "!EACCES",
			     ask(store.domain[7]->client, XS_READ, 0, "/m"));
			said(anyone & 2 ? "OK" : "!EACCES",
			     ask2(store.domain[7]->client, XS_WRITE, 0, "/m", "v"));
			said("OK", ask2(tools, XS_SET_TARGET, 0, "7", "5"));
			said("v", ask(store.domain[7]->client, XS_READ, 0, "/m"));
			domain_forget(&store, store.domain[7]);
		}
}

static void permissions(void **state)
{
	said("!EACCES", ask(guest, XS_READ, 0, "/tool/none"));
	said("!EACCES", ask2(guest, XS_WRITE, 0, "/mine", "x"));
	said("!ENOENT", ask(guest, XS_READ, 0, "none"));
	said("OK", ask2(guest, XS_WRITE, 0, "data/x", "1"));
	said("n5", ask(tools, XS_GET_PERMS, 0, "/local/domain/5/data/x"));
	said("!EPERM", ask2(guest, XS_SET_PERMS, 0, "data", "b6"));
	said("!EINVAL", ask2(guest, XS_SET_PERMS, 0, "data", "q5"));
	said("!EINVAL", ask2(guest, XS_SET_PERMS, 0, "data", "r5x"));
	said("!EINVAL", ask2(guest, XS_SET_PERMS, 0, "data", "r65536"));
	said("!ENOENT", ask2(tools, XS_SET_PERMS, 0, "/tool", "r200"));
	said("!EACCES", ask2(guest, XS_INTRODUCE, 0, "7", "1"));
	said("!EACCES", ask(guest, XS_RELEASE, 0, "6"));
	said("!EACCES", ask(guest, XS_CONTROL, 0, "check"));
	said("!EACCES", ask(guest, XS_GET_PERMS, 0, "@releaseDomain"));
	said("n0", ask(tools, XS_GET_PERMS, 0, "@releaseDomain"));
	/* What a domain owns goes with it, and so do the rights others gave it. */
	ask2(tools, XS_WRITE, 0, "/back", "");
	ask_strings(tools, XS_SET_PERMS, 0, "/back\0n0\0r5");
	said("OK", ask(tools, XS_RELEASE, 0, "5"));
	said("!ENOENT", ask(tools, XS_READ, 0, "/local/domain/5"));
	assert_memory_equal(ask(tools, XS_GET_PERMS, 0, "/back"), "n0", 3);
	assert_int_equal(heard_by(tools)->data.len, 3);
	said("F", ask(tools, XS_IS_DOMAIN_INTRODUCED, 0, "5"));
	said("T", ask(tools, XS_IS_DOMAIN_INTRODUCED, 0, "6"));
	said("/local/domain/5", ask(tools, XS_GET_DOMAIN_PATH, 0, "5"));
}

static void watches(void **state)
{
	said("OK", ask2(tools, XS_WATCH, 0, "/w", "t"));
	said("/w t;", events(tools));
	said("!EEXIST", ask2(tools, XS_WATCH, 0, "/w", "t"));
	ask2(tools, XS_WRITE, 0, "/w/a/b", "1");
	said("/w/a/b t;", events(tools));
	ask2(tools, XS_WRITE, 0, "/wx", "1");
	said("", events(tools));
	ask2(tools, XS_WATCH, 0, "/w/a/b", "deep");
	events(tools);
	ask(tools, XS_RM, 0, "/w");
	said("/w/a/b deep;/w t;", events(tools));
	said("OK", ask2(tools, XS_UNWATCH, 0, "/w", "t"));
	said("!ENOENT", ask2(tools, XS_UNWATCH, 0, "/w", "t"));
	/* A guest's relative watch is told relative paths, and nothing it may not read. */
	ask2(guest, XS_WATCH, 0, "data", "g");
	said("data g;", events(guest));
	ask2(tools, XS_WRITE, 0, "/local/domain/5/data/k", "v");
	said("data/k g;", events(guest));
	ask2(guest, XS_WATCH, 0, "/tool", "spy");
	events(guest);
	ask2(tools, XS_WRITE, 0, "/tool/secret", "v");
	said("", events(guest));
	said("OK", ask(guest, XS_RESET_WATCHES, 0, ""));
	ask2(tools, XS_WRITE, 0, "/local/domain/5/data/k", "v");
	said("", events(guest));
}

static void watch_depth(void **state)
{
	ask_strings(tools, XS_WATCH, 0, "/d\0t0\0000");
	ask_strings(tools, XS_WATCH, 0, "/d\0t1\0001");
	ask_strings(tools, XS_WATCH, 0, "/d\0t2\0002");
	said("!EINVAL", ask_strings(tools, XS_WATCH, 0, "/d\0tx\0-1"));
	events(tools);
	ask2(tools, XS_WRITE, 0, "/d/1/2/3", "");
	said("", events(tools));
	ask2(tools, XS_WRITE, 0, "/d/1/2", "");
	said("/d/1/2 t2;", events(tools));
	ask2(tools, XS_WRITE, 0, "/d/1", "");
	said("/d/1 t2;/d/1 t1;", events(tools));
	ask2(tools, XS_WRITE, 0, "/d", "");
	said("/d t2;/d t1;/d t0;", events(tools));
}

static void special_watches(void **state)
{
	ask2(tools, XS_WATCH, 0, "@introduceDomain", "i");
	ask2(tools, XS_WATCH, 0, "@releaseDomain", "r");
	ask_strings(tools, XS_WATCH, 0, "@releaseDomain\0r1\0001");
	ask2(tools, XS_WATCH, 0, "@releaseDomain/8", "r8");
	ask2(guest, XS_WATCH, 0, "@releaseDomain", "g");
	events(tools);
	events(guest);
	ask_strings(tools, XS_INTRODUCE, 0, "8\0001\00022");
	said("@introduceDomain i;", events(tools));
	domain_shut_down(&store, store.domain[8]);
	said("@releaseDomain/8 r1;@releaseDomain r;@releaseDomain/8 r8;", events(tools));
	said("OK", ask(tools, XS_RESUME, 0, "8"));
	assert_false(store.domain[8]->shutdown);
	said("OK", ask(tools, XS_RELEASE, 0, "8"));
	said("@releaseDomain/8 r1;@releaseDomain r;@releaseDomain/8 r8;", events(tools));
	said("", events(guest));
	ask_strings(tools, XS_SET_PERMS, 0, "@releaseDomain\0n0\0r5");
	said("@releaseDomain g;", events(guest)); /* its permissions changed */
	domain_forget(&store, store.domain[6]);
	said("@releaseDomain g;", events(guest));
}

static void quotas(void **state)
{
	char path[4096], value[2100];
	const char *last = "";
	int nr = 0;

	for (nr = 0; nr < 1100; nr++) {
		snprintf(path, sizeof(path), "n%d/x%d", nr / 50, nr % 50);
		last = ask2(guest, XS_WRITE, 0, path, "v");
		if (*last == '!')
			break;
	}
	said("!ENOSPC", last);
	assert_int_equal(store.domain[5]->used[QUOTA_NODES], 1000);
	ask(guest, XS_RM, 0, "n1");
	said("OK", ask2(guest, XS_WRITE, 0, "n1/x", "v"));
	memset(value, 'v', sizeof(value));
	value[2050] = '\0';
	said("!ENOSPC", ask2(guest, XS_WRITE, 0, "n2", value));
	said("OK", ask2(tools, XS_WRITE, 0, "/local/domain/5/n2", value));
	/* Names of children count in their parent's size. */
	for (nr = 0; nr < 20; nr++) {
		snprintf(path, sizeof(path), "long/%0200d", nr);
		last = ask2(guest, XS_WRITE, 0, path, "");
		if (*last == '!')
			break;
	}
	said("!ENOSPC", last);
	assert_int_equal(nr, 10);
	memset(path, 'p', sizeof(path));
	path[2049] = '\0';
	said("!EINVAL", ask2(guest, XS_READ, 0, path, ""));
	said("!ENOSPC", ask_strings(guest, XS_SET_PERMS, 0, "n2\0n5\0r1\0r2\0r3\0r4\0r6"));
	for (nr = 0; nr < 200; nr++) {
		snprintf(path, sizeof(path), "%d", nr);
		last = ask2(guest, XS_WATCH, 0, "x", path);
		if (*last == '!')
			break;
	}
	said("!E2BIG", last);
	assert_int_equal(nr, 128);
	for (nr = 0; nr < 20 && atoi(last = ask(guest, XS_TRANSACTION_START, 0, "")); nr++)
		;
	said("!ENOSPC", last);
	assert_int_equal(nr, 10);
	ask(guest, XS_RESET_WATCHES, 0, "");
	assert_int_equal(store.domain[5]->used[QUOTA_WATCHES], 0);
	assert_int_equal(store.domain[5]->used[QUOTA_TRANSACTIONS], 0);
}

static void transaction_quota(void **state)
{
	const char *last = "";
	uint32_t t = begin(guest);
	char path[32];
	int nr;

	for (nr = 0; nr < 2000; nr++) {
		snprintf(path, sizeof(path), "q%d", nr);
		last = ask(guest, XS_READ, t, path);
		if (strcmp(last, "!ENOENT"))
			break;
	}
	said("!ENOSPC", last);
	assert_true(nr <= 1024);
	said("!ENOMEM", ask(guest, XS_TRANSACTION_END, t, "T"));
	t = begin(guest);
	for (nr = 0; nr < 1010; nr++) {
		snprintf(path, sizeof(path), "q%d", nr);
		last = ask2(guest, XS_WRITE, t, path, "v");
		if (*last == '!')
			break;
	}
	said("!ENOSPC", last);
	said("OK", ask(guest, XS_TRANSACTION_END, t, "F"));
	assert_int_equal(store.domain[5]->used[QUOTA_NODES], 1);
}

/* --- Conflicts ------------------------------------------------------------------------------------- */

static void conflicts(void **state)
{
	uint32_t a, b;

	ask2(tools, XS_WRITE, 0, "/x", "0");
	ask2(tools, XS_WRITE, 0, "/y", "0");
	/* What was read has changed: no end. What is seen stays as first seen. */
	a = begin(tools);
	said("0", ask(tools, XS_READ, a, "/x"));
	ask2(tools, XS_WRITE, 0, "/x", "1");
	said("0", ask(tools, XS_READ, a, "/x"));
	ask2(tools, XS_WRITE, a, "/y", "2");
	said("0", ask(tools, XS_READ, 0, "/y"));
	said("!EAGAIN", ask(tools, XS_TRANSACTION_END, a, "T"));
	said("0", ask(tools, XS_READ, 0, "/y"));
	said("!ENOENT", ask(tools, XS_TRANSACTION_END, a, "T"));
	/* Two that read what the other writes: one of them. */
	a = begin(tools);
	b = begin(tools);
	ask(tools, XS_READ, a, "/x");
	ask(tools, XS_READ, b, "/y");
	ask2(tools, XS_WRITE, a, "/y", "a");
	ask2(tools, XS_WRITE, b, "/x", "b");
	said("OK", ask(tools, XS_TRANSACTION_END, a, "T"));
	said("!EAGAIN", ask(tools, XS_TRANSACTION_END, b, "T"));
	/* Something was made, or removed, where nothing, or something, was seen. */
	a = begin(tools);
	said("!ENOENT", ask(tools, XS_READ, a, "/z"));
	ask2(tools, XS_WRITE, 0, "/z", "");
	said("!EAGAIN", ask(tools, XS_TRANSACTION_END, a, "T"));
	a = begin(tools);
	ask(tools, XS_READ, a, "/z");
	ask(tools, XS_RM, 0, "/z");
	ask2(tools, XS_WRITE, 0, "/z", "!");
	said("!EAGAIN", ask(tools, XS_TRANSACTION_END, a, "T"));
	/* Listing a node conflicts with new children, making others there does not. */
	a = begin(tools);
	b = begin(tools);
	ask(tools, XS_DIRECTORY, b, "/z");
	ask2(tools, XS_WRITE, a, "/z/1", "");
	said("OK", ask(tools, XS_TRANSACTION_END, a, "T"));
	said("!EAGAIN", ask(tools, XS_TRANSACTION_END, b, "T"));
	a = begin(tools);
	b = begin(tools);
	ask2(tools, XS_WRITE, a, "/z/2", "");
	ask2(tools, XS_WRITE, b, "/z/3", "");
	said("OK", ask(tools, XS_TRANSACTION_END, a, "T"));
	said("OK", ask(tools, XS_TRANSACTION_END, b, "T"));
	/* The parent of what was made is gone. */
	a = begin(tools);
	ask2(tools, XS_WRITE, a, "/z/1/1", "");
	ask(tools, XS_RM, 0, "/z");
	said("!EAGAIN", ask(tools, XS_TRANSACTION_END, a, "T"));
	a = begin(tools);
	said("!EBUSY", ask(tools, XS_TRANSACTION_START, a, ""));
	said("!EINVAL", ask(tools, XS_TRANSACTION_END, a, "X"));
	said("OK", ask(tools, XS_TRANSACTION_END, a, "F"));
}

static void removal_within(void **state)
{
	uint32_t t;

	ask2(tools, XS_WRITE, 0, "/r/a/b", "old");
	ask2(tools, XS_WATCH, 0, "/r", "w");
	events(tools);
	t = begin(tools);
	ask(tools, XS_RM, t, "/r/a");
	said("!ENOENT", ask(tools, XS_READ, t, "/r/a/b"));
	said("", ask(tools, XS_DIRECTORY, t, "/r"));
	ask2(tools, XS_WRITE, t, "/r/a/c", "new");
	said("c", ask(tools, XS_DIRECTORY, t, "/r/a"));
	said("!ENOENT", ask(tools, XS_READ, t, "/r/a/b"));
	said("old", ask(tools, XS_READ, 0, "/r/a/b"));
	said("", events(tools));
	said("OK", ask(tools, XS_TRANSACTION_END, t, "T"));
	said("!ENOENT", ask(tools, XS_READ, 0, "/r/a/b"));
	said("new", ask(tools, XS_READ, 0, "/r/a/c"));
	said("/r/a w;/r/a/c w;", events(tools));
}

/* --- The oracle ------------------------------------------------------------------------------------- */

/* Paths over a small alphabet; the tree is which of them are there, and their values. */
#define NR_PATHS 85 /* the root and three levels of four names below it */

struct tree {
	bool there[NR_PATHS];
	int value[NR_PATHS];
};

struct shadow {
	struct tree tree;
	uint32_t id;
	bool touched[NR_PATHS], wrote;
};

static int parent_of(int p)
{
	return (p - 1) / 4;
}

static const char *path_text(int p)
{
	static char text[4][32];
	static int turn;
	char *s = text[turn = (turn + 1) % 4], *end = s + 31;
	char *at = end;

	*at = '\0';
	for (; p; p = parent_of(p)) {
		*--at = (char)('a' + (p - 1) % 4);
		*--at = '/';
	}
	return memmove(s, *at ? at : "/", strlen(*at ? at : "/") + 1);
}

static void oracle_remove(struct tree *t, int p)
{
	for (int q = p; q < NR_PATHS; q++)
		for (int up = q; up >= p; up = up ? parent_of(up) : -1)
			if (up == p)
				t->there[q] = false;
}

static void oracle_make(struct tree *t, int p)
{
	for (int up = p; !t->there[up]; up = parent_of(up)) {
		t->there[up] = true;
		t->value[up] = 0;
	}
}

static void check_one(struct client *c, const struct tree *t, uint32_t tx, int p)
{
	char wanted[16] = "";

	if (t->there[p] && t->value[p])
		snprintf(wanted, sizeof(wanted), "%d", t->value[p]);
	said(t->there[p] ? wanted : "!ENOENT", ask(c, XS_READ, tx, path_text(p)));
}

static void check_listing(struct client *c, const struct tree *t, uint32_t tx, int p)
{
	const struct heard *h = heard_by(c);
	int there = 0;

	ask(c, XS_DIRECTORY, tx, path_text(p));
	if (!t->there[p]) {
		assert_int_equal(h->type, XS_ERROR);
		return;
	}
	assert_int_equal(h->type, XS_DIRECTORY);
	for (int q = p * 4 + 1; q <= p * 4 + 4 && q < NR_PATHS; q++)
		if (t->there[q]) {
			char name[2] = {(char)('a' + (q - 1) % 4)};

			there++;
			assert_non_null(memmem(h->data.data, h->data.len, name, 2));
		}
	if (p)
		assert_int_equal(h->data.len, there * 2);
}

/* One random request on @t, by transaction @tx or without; @only_reads for what may not change anything. */
static void random_request(struct client *c, struct tree *t, uint32_t tx, uint64_t *seed)
{
	int p = 1 + (int)(unit_random(seed) % (NR_PATHS - 1));
	int value = 1 + (int)(unit_random(seed) % 1000);
	char text[16];

	switch (unit_random(seed) % 6) {
	case 0:
	case 1:
		check_one(c, t, tx, p);
		break;
	case 2:
		check_listing(c, t, tx, (int)(unit_random(seed) % 21));
		break;
	case 3:
		snprintf(text, sizeof(text), "%d", value);
		said("OK", ask2(c, XS_WRITE, tx, path_text(p), text));
		oracle_make(t, p);
		t->value[p] = value;
		break;
	case 4:
		said("OK", ask(c, XS_MKDIR, tx, path_text(p)));
		oracle_make(t, p);
		break;
	case 5:
		said(t->there[parent_of(p)] ? "OK" : "!ENOENT", ask(c, XS_RM, tx, path_text(p)));
		oracle_remove(t, p);
		break;
	}
}

static void check_all(const struct tree *t)
{
	for (int p = 1; p < NR_PATHS; p++)
		check_one(tools, t, 0, p);
	for (int p = 0; p < 21; p++)
		check_listing(tools, t, 0, p);
}

static void random_alone(void **state)
{
	static struct tree t;
	uint64_t seed = 4711;

	t.there[0] = true;
	for (int i = 0; i < 20000; i++)
		random_request(tools, &t, 0, &seed);
	check_all(&t);
}

/* A transaction nobody disturbs sees itself and ends; one ended with F leaves no trace. */
static void random_transactions(void **state)
{
	static struct tree t, copy;
	uint64_t seed = 815;

	t.there[0] = true;
	for (int i = 0; i < 1500; i++) {
		bool keep = unit_random(&seed) % 2;
		uint32_t tx = begin(tools);

		copy = t;
		for (int n = (int)(unit_random(&seed) % 20); n > 0; n--)
			random_request(tools, &copy, tx, &seed);
		said("OK", ask(tools, XS_TRANSACTION_END, tx, keep ? "T" : "F"));
		if (keep)
			t = copy;
		random_request(tools, &t, 0, &seed);
		if (i % 50 == 0)
			check_all(&t);
	}
	check_all(&t);
}

/*
 * Increments of counters by several transactions at once, the ends in any order: if one ends well, what it did is as if it had been
 * alone at that moment, so that no increment is ever lost.
 */
static void random_serializable(void **state)
{
	enum { SLOTS = 6, COUNTERS = 4 };
	struct {
		uint32_t tx;
		int from, seen;
	} slot[SLOTS] = {0};
	int total[COUNTERS] = {0}, ended = 0, refused = 0;
	uint64_t seed = 99;
	char path[32], value[16];

	for (int i = 0; i < 20000; i++) {
		int s = (int)(unit_random(&seed) % SLOTS);

		if (!slot[s].tx) {
			slot[s].tx = begin(tools);
			slot[s].from = (int)(unit_random(&seed) % COUNTERS);
			snprintf(path, sizeof(path), "/count%d", slot[s].from);
			slot[s].seen = atoi(ask(tools, XS_READ, slot[s].tx, path) +
					    (heard_by(tools)->type == XS_ERROR));
			continue;
		}
		snprintf(path, sizeof(path), "/count%d", slot[s].from);
		snprintf(value, sizeof(value), "%d", slot[s].seen + 1);
		said("OK", ask2(tools, XS_WRITE, slot[s].tx, path, value));
		if (*ask(tools, XS_TRANSACTION_END, slot[s].tx, "T") != '!') {
			total[slot[s].from]++;
			ended++;
		} else {
			refused++;
		}
		slot[s].tx = 0;
	}
	for (int n = 0; n < COUNTERS; n++) {
		snprintf(path, sizeof(path), "/count%d", n);
		assert_int_equal(atoi(ask(tools, XS_READ, 0, path)), total[n]);
	}
	assert_true(ended > 1000 && refused > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(nodes),
		T(paths),
		T(listing_in_parts),
		T(permission_matrix),
		T(permissions),
		T(watches),
		T(watch_depth),
		T(special_watches),
		T(quotas),
		T(transaction_quota),
		T(conflicts),
		T(removal_within),
		T(random_alone),
		T(random_transactions),
		T(random_serializable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
