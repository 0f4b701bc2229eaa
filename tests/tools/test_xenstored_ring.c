/* SPDX-License-Identifier: MIT */
/*
 * xenstored's rings, with this test as the hypervisor and as the guests. The daemon's part runs in a child that is killed at random
 * moments and started again on the journal and the pages it left; the guests, which never notice, check that each request is answered
 * once, in order, and with the right answer. Some requests and answers are longer than a ring. And what guests must not do.
 */
/* links: xenstored/wire.c xenstored/path.c xenstored/tree.c xenstored/watch.c xenstored/store.c xenstored/transaction.c xenstored/request.c xenstored/snapshot.c xenstored/journal.c xenstored/conn.c xenstored/ring.c lib/base/file.c lib/base/text.c lib/base/log.c lib/base/error.c */
#include "unit.h"

#include "xenstored/conn.h"
#include "xenstored/control.h"
#include "xenstored/journal.h"
#include "xenstored/ring.h"
#include "xenstored/xen.h"

#include "lib/base/log.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUESTS 3 /* domains 1 to 3 */

/* In memory shared with the daemon: the rings' pages. */
static struct xenstore_domain_interface *pages; /* [GUESTS + 1] */
static char path[64];

/* --- The hypervisor ---------------------------------------------------------------------------------- */

void *xen_map(unsigned int domid, uint64_t gfn, bool *by_grant)
{
	*by_grant = false;
	return &pages[domid];
}

void xen_unmap(unsigned int domid, void *page, bool by_grant)
{
}

xenevtchn_handle *xen_events;

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid,
						     evtchn_port_t port)
{
	return (int)domid + 10;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	return 0;
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	return 0;
}

/* --- The daemon ---------------------------------------------------------------------------------------- */

void control_log_request(const struct client *c, const struct message *m)
{
}

int outside_control(struct store *store, const char **word, unsigned int nr, struct text *answer)
{
	return ENOSYS;
}

bool outside_exists(unsigned int domid)
{
	return !journal_replaying && domid <= GUESTS;
}

static void make_home(unsigned int domid)
{
	struct client *tools = client_known(&the_store, CLIENT_TOOLS);
	struct view v = {.store = &the_store, .client = tools};
	char home[32];

	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	path_parse(&the_store.path, home, 0);
	view_write(&v, &the_store.path, NULL, 0);
	view_change(&v, &the_store.path, XS_SET_PERMS,
		    blob_new(&(struct perm){(uint16_t)domid, 0}, sizeof(struct perm)));
}

static void daemon_start(void)
{
	struct error e;
	bool resumed;

	if (journal_open(path, &e))
		_exit(9);
	store_init(&the_store);
	resumed = journal_replay(state_load, NULL);
	if (!resumed)
		for (unsigned int q = 0; q < QUOTA_NR; q++)
			the_store.quota[q] = quota_info[q].value;
	ring_resume(&the_store);
	for (unsigned int domid = 1; domid <= GUESTS; domid++)
		if (!the_store.domain[domid]) {
			domain_introduce(&the_store, domid, 1, 1);
			make_home(domid);
		}
	if (!resumed) /* what was made without requests */
		journal_compact(state_dump);
}

static void daemon_round(void)
{
	for (unsigned int domid = 1; domid <= GUESTS; domid++)
		ring_event(&the_store, (int)domid + 10);
	conn_round_end();
	ring_again(&the_store);
	if (journal_grown(the_store.nr_transactions ? 16 : 1))
		journal_compact(state_dump);
}

/* --- A guest ------------------------------------------------------------------------------------------------ */

#define KEYS   8
#define WINDOW 12 /* requests on their way */

struct expected {
	uint32_t type, req_id;
	char data[1600];
	size_t len;
};

struct guest {
	struct xenstore_domain_interface *page;
	uint64_t seed;
	uint32_t sent, answered, events;
	bool open; /* a transaction */
	char value[KEYS][1600];
	struct expected expected[WINDOW];
	char out[2048] __attribute__((aligned(8))), in[WIRE_MESSAGE_MAX];
	size_t out_len, out_at, in_len;
};

static struct guest guest[GUESTS + 1];

/* Puts what fits; like Linux, header and body on their own. */
static void guest_push(struct guest *g)
{
	struct xenstore_domain_interface *p = g->page;

	while (g->out_at < g->out_len &&
	       p->req_prod - __atomic_load_n(&p->req_cons, __ATOMIC_ACQUIRE) < 1024) {
		p->req[p->req_prod & 1023] = g->out[g->out_at++];
		__atomic_store_n(&p->req_prod, p->req_prod + 1, __ATOMIC_RELEASE);
	}
}

static void compose(struct guest *g, uint32_t type, const char *a, const char *b, size_t nb)
{
	struct xsd_sockmsg h = {.type = type, .req_id = g->sent};

	h.len = (uint32_t)(strlen(a) + 1 + nb);
	memcpy(g->out, &h, sizeof(h));
	memcpy(g->out + sizeof(h), a, strlen(a) + 1);
	memcpy(g->out + sizeof(h) + strlen(a) + 1, b, nb);
	g->out_len = sizeof(h) + h.len;
	g->out_at = 0;
}

static void expect(struct guest *g, uint32_t type, const char *data, size_t len)
{
	struct expected *x = &g->expected[g->sent % WINDOW];

	x->type = type;
	x->req_id = g->sent;
	x->len = len;
	memcpy(x->data, data, len);
}

/* The next random request, whose answer is known beforehand. */
static void guest_ask(struct guest *g)
{
	unsigned int key = (unsigned int)(unit_random(&g->seed) % KEYS);
	size_t len = unit_random(&g->seed) % (unit_random(&g->seed) % 4 ? 40 : 1500);
	char name[16];

	snprintf(name, sizeof(name), "key%u", key);
	switch (unit_random(&g->seed) % 4) {
	case 0:
		memset(g->value[key], 'a' + (int)(unit_random(&g->seed) % 26), len);
		g->value[key][len] = '\0';
		compose(g, XS_WRITE, name, g->value[key], len);
		expect(g, XS_WRITE, "OK", 3);
		break;
	case 1:
		/* One begun twice, or not at all, would show in the number of the next. */
		if (g->open) {
			compose(g, XS_TRANSACTION_END, "T", "", 0);
			((struct xsd_sockmsg *)g->out)->tx_id = 1;
			expect(g, XS_TRANSACTION_END, "OK", 3);
		} else {
			compose(g, XS_TRANSACTION_START, "", "", 0);
			expect(g, XS_TRANSACTION_START, "1", 2);
		}
		g->open = !g->open;
		break;
	default:
		compose(g, XS_READ, name, "", 0);
		expect(g, XS_READ, g->value[key], strlen(g->value[key]));
	}
}

static void check_answer(struct guest *g)
{
	struct expected *x = &g->expected[g->answered % WINDOW];
	struct xsd_sockmsg h;

	memcpy(&h, g->in, sizeof(h));
	if (h.type == XS_WATCH_EVENT) {
		g->events++;
		return;
	}
	if (h.type == XS_ERROR)
		fail_msg("request %u: %s", h.req_id, g->in + sizeof(h));
	assert_int_equal(h.req_id, x->req_id);
	assert_int_equal(h.type, x->type);
	assert_int_equal(h.len, x->len);
	assert_memory_equal(g->in + sizeof(h), x->data, x->len);
	g->answered++;
}

static void guest_pull(struct guest *g)
{
	struct xenstore_domain_interface *p = g->page;
	int size;

	while (p->rsp_cons != __atomic_load_n(&p->rsp_prod, __ATOMIC_ACQUIRE)) {
		g->in[g->in_len++] = p->rsp[p->rsp_cons & 1023];
		__atomic_store_n(&p->rsp_cons, p->rsp_cons + 1, __ATOMIC_RELEASE);
		size = wire_size(g->in, g->in_len);
		assert_true(size >= 0);
		if (size && g->in_len == (size_t)size) {
			check_answer(g);
			g->in_len = 0;
		}
	}
}

static void guest_step(struct guest *g)
{
	if (g->out_at == g->out_len && g->sent - g->answered < WINDOW - 1) {
		guest_ask(g);
		g->sent++;
	}
	guest_push(g);
	if (unit_random(&g->seed) % 8) /* now and then the ring of answers fills up */
		guest_pull(g);
}

/* All keys hold something, and a watch makes events among the answers. */
static void guest_begin(struct guest *g, unsigned int domid)
{
	memset(g, 0, sizeof(*g));
	g->page = &pages[domid];
	g->seed = domid * 7919;
	for (unsigned int key = 0; key < KEYS; key++) {
		char name[16];

		snprintf(name, sizeof(name), "key%u", key);
		compose(g, XS_WRITE, name, "", 0);
		expect(g, XS_WRITE, "OK", 3);
		g->sent++;
		while (g->out_at < g->out_len)
			guest_push(g);
	}
	compose(g, XS_WATCH, "key0", "t", 2);
	expect(g, XS_WATCH, "OK", 3);
	g->sent++;
}

/* --- The tests ------------------------------------------------------------------------------------------ */

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	daemon_start();
	for (;;) {
		daemon_round();
		sched_yield();
	}
}

static void end_child(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); /* and not by itself */
}

static bool all_answered(uint32_t wanted)
{
	for (unsigned int domid = 1; domid <= GUESTS; domid++)
		if (guest[domid].answered < wanted)
			return false;
	return true;
}

static void killed_at_any_time(void **state)
{
	uint64_t seed = 31337;
	uint32_t before = 0;
	pid_t pid = start_child();

	for (unsigned int domid = 1; domid <= GUESTS; domid++) {
		while (!__atomic_load_n(&pages[domid].server_features, __ATOMIC_ACQUIRE))
			sched_yield();
		usleep(20000);
		guest_begin(&guest[domid], domid);
	}
	for (int kills = 0; kills < 300; kills++) {
		uint64_t steps = unit_random(&seed) % 3000;

		/* At least something is answered between two deaths. */
		for (uint64_t n = 0; n < steps || guest[1].answered < before + 3; n++) {
			for (unsigned int domid = 1; domid <= GUESTS; domid++)
				guest_step(&guest[domid]);
			if (n % 64 == 0)
				sched_yield();
		}
		before = guest[1].answered;
		end_child(pid);
		pid = start_child();
	}
	while (!all_answered(before + 100))
		for (unsigned int domid = 1; domid <= GUESTS; domid++)
			guest_step(&guest[domid]);
	end_child(pid);
	print_message("%u %u %u requests, %u events\n", guest[1].answered, guest[2].answered,
		      guest[3].answered, guest[1].events);
}

static void send_bytes(unsigned int domid, const void *bytes, size_t n)
{
	struct xenstore_domain_interface *p = &pages[domid];

	for (size_t i = 0; i < n; i++)
		p->req[p->req_prod++ & 1023] = ((const char *)bytes)[i];
}

static void hostile(void **state)
{
	struct xsd_sockmsg overlong = {.type = XS_READ, .len = 5000};
	struct xenstore_domain_interface *p = pages;
	uint64_t seed = 3;

	daemon_start();
	daemon_round();
	p[1].req_prod = p[1].req_cons + 1025;
	daemon_round();
	assert_int_equal(p[1].error, XENSTORE_ERROR_RINGIDX);
	send_bytes(2, &overlong, sizeof(overlong));
	daemon_round();
	assert_int_equal(p[2].error, XENSTORE_ERROR_PROTO);
	/* It may begin anew. */
	p[2].connection = XENSTORE_RECONNECT;
	daemon_round();
	assert_int_equal(p[2].connection, XENSTORE_CONNECTED);
	assert_int_equal(p[2].error, XENSTORE_ERROR_NONE);
	assert_int_equal(p[2].req_prod, 0);
	send_bytes(2, &(struct xsd_sockmsg){.type = XS_READ, .req_id = 9, .len = 5}, 16);
	send_bytes(2, "none", 5);
	daemon_round();
	assert_int_equal(p[2].rsp_prod, 16 + 7);
	assert_string_equal(p[2].rsp + 16, "ENOENT");
	/* Garbage everywhere in the page, all the time. */
	for (int i = 0; i < 20000; i++) {
		((char *)&p[3])[unit_random(&seed) % sizeof(p[3])] = (char)unit_random(&seed);
		if (unit_random(&seed) % 4 == 0)
			p[3].req_prod = p[3].req_cons + (uint32_t)unit_random(&seed) % 1025;
		if (p[3].error)
			p[3].connection = XENSTORE_RECONNECT;
		daemon_round();
	}
	/* One that does not read is not listened to either, and holds little memory. */
	p[1].connection = XENSTORE_RECONNECT;
	daemon_round();
	for (int i = 0; i < 200; i++) {
		if (p[1].req_prod - p[1].req_cons + 20 > 1024)
			break;
		send_bytes(1, &(struct xsd_sockmsg){.type = XS_DIRECTORY, .len = 2}, 16);
		send_bytes(1, "/", 2);
		daemon_round();
	}
	assert_true(p[1].req_prod - p[1].req_cons > 900);
	assert_true(the_store.domain[1]->used[QUOTA_OUTSTANDING] < 80);
	while (the_store.domain[1])
		domain_forget(&the_store, the_store.domain[1]);
	domain_forget(&the_store, the_store.domain[2]);
	domain_forget(&the_store, the_store.domain[3]);
	store_free(&the_store);
	journal_close();
}

static int fresh(void **state)
{

	unlink(path);
	memset(pages, 0, (GUESTS + 1) * sizeof(*pages));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed_at_any_time, fresh, fresh),
		cmocka_unit_test_setup_teardown(hostile, fresh, fresh),
	};

	snprintf(path, sizeof(path), "/tmp/xenstored-ring-%d", (int)getpid());
	pages = mmap(NULL, (GUESTS + 1) * sizeof(*pages), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(pages != MAP_FAILED);
	log_open("test", NULL, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
