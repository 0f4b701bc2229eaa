/* SPDX-License-Identifier: MIT */
/*
 * The journal of xenstored: random requests of several clients, with transactions and watches, are remembered; then every beginning of
 * the file, cut at any byte, must give the store as it was when the last whole record had been written. The same across compaction.
 */
/* links: xenstored/wire.c xenstored/path.c xenstored/tree.c xenstored/watch.c xenstored/store.c xenstored/transaction.c xenstored/request.c xenstored/snapshot.c xenstored/journal.c lib/base/file.c lib/base/text.c lib/base/log.c lib/base/error.c */
#include "xenstored_client.h"

#include "xenstored/journal.h"
#include "xenstored/snapshot.h"

#include <sys/stat.h>
#include <unistd.h>

static char path[64];

bool outside_exists(unsigned int domid)
{
	return !journal_replaying && domid < 100;
}

/* --- The store as text ------------------------------------------------------------------------------ */

static void put_node(void *arg, const char *at, const struct node *n, const struct node *parent)
{
	struct text *t = arg;

	text_str(t, at);
	for (uint32_t i = 0; i < perms_nr(n->perms); i++)
		text_printf(t, " %u:%u", n->perms->perm[i].domid, n->perms->perm[i].bits);
	text_printf(t, " '%.*s'\n", (int)blob_len(n->value), n->value ? n->value->data : "");
}

static void put_tree(struct text *t, const struct node *top)
{
	struct text at = {0};

	node_walk(top, &at, put_node, t);
	text_free(&at);
}

static void put_client(struct text *t, struct client *c)
{
	struct transaction *tx;
	struct named *a;
	struct watch *w;

	if (TAILQ_EMPTY(&c->transactions) && TAILQ_EMPTY(&c->watches) && c->id >= CLIENT_TOOLS)
		return; /* need not be known */
	text_printf(t, "client %u target %d\n", c->id, c->privileged ? -1 : c->domain->target);
	TAILQ_FOREACH(tx, &c->transactions, link)
	{
		text_printf(t, "tx %u failed %d\n", tx->id, tx->failed);
		if (tx->failed)
			continue;
		put_tree(t, tx->top);
		LIST_FOREACH(a, &tx->accesses.all, link)
		text_printf(t, "seen %s %u\n", a->name, ((struct access *)a)->seen);
	}
	TAILQ_FOREACH(w, &c->watches, of_client)
	text_printf(t, "watch %s %s %d %u\n", w->watched->named.name, w->token, w->depth,
		    w->relative);
}

static int by_id(const void *a, const void *b)
{
	const struct client *const *x = a, *const *y = b;

	return (int)((*x)->id - (*y)->id);
}

static char *describe(void)
{
	struct client *all[64], *c;
	struct text t = {0};
	struct domain *d;
	size_t nr = 0;

	put_tree(&t, store.top);
	TAILQ_FOREACH(d, &store.domains, link)
	text_printf(&t, "domain %u %d %d nodes %lld memory %lld watches %lld tx %lld\n", d->domid,
		    d->introduced, d->shutdown, (long long)d->used[QUOTA_NODES],
		    (long long)d->used[QUOTA_MEMORY], (long long)d->used[QUOTA_WATCHES],
		    (long long)d->used[QUOTA_TRANSACTIONS]);
	TAILQ_FOREACH(c, &store.clients, link)
	all[nr++] = c;
	qsort(all, nr, sizeof(all[0]), by_id);
	for (size_t i = 0; i < nr; i++)
		put_client(&t, all[i]);
	return text_take(&t);
}

/* --- Requests -------------------------------------------------------------------------------------------- */

#define CLIENTS 4

static struct client *client(unsigned int i)
{
	static const uint32_t ids[CLIENTS] = {CLIENT_SOCKET + 1, 5, 6, CLIENT_SOCKET + 2};

	return client_known(&store, ids[i]);
}

static uint32_t some_transaction(struct client *c, uint64_t *seed)
{
	struct transaction *tx;
	uint32_t id = 0;

	TAILQ_FOREACH(tx, &c->transactions, link)
	if (unit_random(seed) % 3)
		id = tx->id;
	return id;
}

static void random_change(uint64_t *seed)
{
	struct client *c = client((unsigned int)(unit_random(seed) % CLIENTS));
	uint32_t tx;
	char at[64], value[32];

	if (!c)
		return;
	tx = some_transaction(c, seed);
	snprintf(at, sizeof(at), "%s%c/%c", c->privileged ? "/local/domain/5/" : "",
		 (char)('a' + unit_random(seed) % 4), (char)('a' + unit_random(seed) % 4));
	if (unit_random(seed) % 3 == 0)
		at[strlen(at) - 2] = '\0';
	snprintf(value, sizeof(value), "%.*s", (int)(unit_random(seed) % 20),
		 "abcdefghijklmnopqrstuvwxyz");
	switch (unit_random(seed) % 12) {
	case 0:
	case 1:
	case 2:
		ask2(c, XS_WRITE, tx, at, value);
		break;
	case 3:
		ask(c, XS_MKDIR, tx, at);
		break;
	case 4:
		ask(c, XS_RM, tx, at);
		break;
	case 5:
		ask2(c, XS_SET_PERMS, tx, at, unit_random(seed) % 2 ? "b5" : "n6");
		break;
	case 6:
		ask2(c, XS_WATCH, 0, at, unit_random(seed) % 2 ? "t" : "u");
		break;
	case 7:
		ask2(c, XS_UNWATCH, 0, at, unit_random(seed) % 2 ? "t" : "u");
		break;
	case 8:
		ask(c, XS_TRANSACTION_START, 0, "");
		break;
	case 9:
		ask(c, XS_TRANSACTION_END, tx, unit_random(seed) % 4 ? "T" : "F");
		break;
	case 10:
		ask(c, XS_DIRECTORY, tx, at);
		break;
	case 11:
		ask(c, XS_READ, tx, at);
		break;
	}
}

static void rare_change(uint64_t *seed)
{
	struct client *tools = client(0);

	switch (unit_random(seed) % 8) {
	case 0:
		ask(tools, XS_RELEASE, 0, "6");
		break;
	case 1:
		ask_strings(tools, XS_INTRODUCE, 0, "6\0001\0009");
		break;
	case 2:
		ask_strings(tools, XS_SET_TARGET, 0, "6\0005");
		break;
	case 3:
		ask(tools, XS_RESUME, 0, "5");
		break;
	case 4:
		ask(client(1), XS_RESET_WATCHES, 0, "");
		break;
	case 5:
		domain_shut_down(&store, store.domain[5]);
		break;
	}
}

static void begin_store(void)
{
	struct error e;

	assert_int_equal(journal_open(path, &e), 0);
	store_init(&store);
	default_quotas();
	assert_int_equal(domain_introduce(&store, 5, 3, 4), 0);
	assert_int_equal(domain_introduce(&store, 6, 3, 4), 0);
	client(0);
	ask(client(0), XS_MKDIR, 0, "/local/domain/5");
	ask2(client(0), XS_SET_PERMS, 0, "/local/domain/5", "n5");
	ask(client(0), XS_MKDIR, 0, "/local/domain/6");
	ask2(client(0), XS_SET_PERMS, 0, "/local/domain/6", "n6");
}

static void dump(void)
{
	snapshot_dump(&store);
}

static void load(const struct record *r, void *arg)
{
	snapshot_load(&store, r);
}

/* The file cut behind @end bytes gives this store. */
static void expect(size_t end, const char *wanted)
{
	struct error e;
	char *got;

	assert_int_equal(journal_open(path, &e), 0);
	store_init(&store);
	journal_replay(load, NULL);
	got = describe();
	if (strcmp(got, wanted)) {
		const char *a = got, *b = wanted;

		for (; *a == *b; a++, b++)
			if (*a == '\n')
				got = (char *)a, wanted = b;
		fail_msg("cut at %zu: %.200s\n--- wanted: %.200s", end, got, wanted);
	}
	free(got);
	store_free(&store);
	journal_close();
}

/* Sets how far the file counts. */
static void cut(uint64_t end)
{
	FILE *f = fopen(path, "r+");

	assert_non_null(f);
	assert_int_equal(fseek(f, 8, SEEK_SET), 0);
	assert_int_equal(fwrite(&end, sizeof(end), 1, f), 1);
	fclose(f);
}

/* One more: it has a record of its own, beside the request's. */
static size_t nr_domains(void)
{
	struct domain *d;
	size_t nr = 0;

	TAILQ_FOREACH(d, &store.domains, link)
	nr++;
	return nr;
}

#define STEPS 1500

static void every_prefix(void **state)
{
	static char *as_text[STEPS];
	static size_t at[STEPS];
	static bool two[STEPS];
	bool last_two = false;
	uint64_t seed = 20260101;
	size_t last = 0, domains;

	begin_store();
	journal_compact(dump);
	for (int i = 0; i < STEPS; i++) {
		domains = nr_domains();
		if (i % 40 == 39)
			rare_change(&seed);
		else
			random_change(&seed);
		journal_commit();
		two[i] = nr_domains() > domains;
		at[i] = journal_size();
		as_text[i] = describe();
	}
	store_free(&store);
	journal_close();
	for (int i = STEPS - 1; i >= 0; i--) {
		if (at[i] == last) {
			last_two |= two[i];
			continue;
		}
		if (last && i % 3 == 0 && !last_two) { /* within a record: what was before it */
			cut(at[i] + unit_random(&seed) % (last - at[i]));
			expect(at[i], as_text[i]);
		}
		last = at[i];
		last_two = two[i];
		cut(at[i]);
		expect(at[i], as_text[i]);
	}
	for (int i = 0; i < STEPS; i++)
		free(as_text[i]);
}

/* Compaction in the middle of everything, again and again, and going on from what was loaded. */
static void compaction(void **state)
{
	uint64_t seed = 5;
	char *before, *after;
	struct error e;

	begin_store();
	for (int i = 0; i < 300; i++) {
		for (int n = 0; n < 30; n++)
			random_change(&seed);
		if (i % 10 == 9)
			rare_change(&seed);
		journal_commit();
		if (i % 3 == 0)
			journal_compact(dump);
		before = describe();
		store_free(&store);
		journal_close();
		assert_int_equal(journal_open(path, &e), 0);
		store_init(&store);
		assert_true(journal_replay(load, NULL));
		after = describe();
		assert_string_equal(after, before);
		free(before);
		free(after);
	}
	store_free(&store);
	journal_close();
}

/* Nonsense in the file may lose what it says, nothing more. */
static void garbage(void **state)
{
	uint64_t seed = 77;
	struct error e;

	begin_store();
	for (int i = 0; i < 200; i++)
		random_change(&seed);
	journal_commit();
	journal_compact(dump);
	store_free(&store);
	journal_close();
	for (int i = 0; i < 300; i++) {
		FILE *f = fopen(path, "r+");

		for (int n = 0; n < 8; n++) {
			fseek(f, 64 + (long)(unit_random(&seed) % 20000), SEEK_SET);
			fputc((int)unit_random(&seed) & 255, f);
		}
		fclose(f);
		assert_int_equal(journal_open(path, &e), 0);
		store_init(&store);
		journal_replay(load, NULL);
		store_free(&store);
		journal_close();
	}
}

static int fresh(void **state)
{

	unlink(path);
	forget_heard();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_prefix, fresh, fresh),
		cmocka_unit_test_setup_teardown(compaction, fresh, fresh),
		cmocka_unit_test_setup_teardown(garbage, fresh, fresh),
	};

	snprintf(path, sizeof(path), "/tmp/xenstored-journal-%d", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
