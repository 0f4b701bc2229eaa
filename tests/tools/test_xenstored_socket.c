/* SPDX-License-Identifier: MIT */
/*
 * xenstored's sockets across kill -9: the daemon's part runs below its keeper and kills itself at random before and behind the calls that
 * receive and send, which are this test's; what is sent is often cut short. Clients, which never notice, check that each request is
 * answered once, in order, with the right answer.
 */
/* links: xenstored/wire.c xenstored/path.c xenstored/tree.c xenstored/watch.c xenstored/store.c xenstored/transaction.c xenstored/request.c xenstored/snapshot.c xenstored/journal.c xenstored/conn.c xenstored/socket.c xenstored/keeper.c lib/base/file.c lib/base/text.c lib/base/log.c lib/base/error.c lib/base/loop.c lib/base/socket.c */
#include "unit.h"

#include "xenstored/control.h"
#include "xenstored/keeper.h"
#include "xenstored/socket.h"

#include "lib/base/log.h"
#include "lib/base/socket.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CLIENTS = 3,
	REQUESTS = 12000,
	DEATHS_LEAST = 100,
	ONE_IN = 25,
	VALUE_MOST = 3000,
	AT_ONCE = 12
};

static struct shared {
	uint64_t seed;
	unsigned int deaths;
	bool quit;
} * shared;
static char folder[] = "/tmp/test_xenstored_socket.XXXXXX", path[64], journal[64];

/* --- The daemon ------------------------------------------------------------------------------------------ */

static void perhaps_die(void)
{
	if (shared->quit)
		_exit(0);
	if (unit_random(&shared->seed) % ONE_IN)
		return;
	shared->deaths++;
	syscall(SYS_kill, syscall(SYS_gettid), SIGKILL);
}

int sendmmsg(int fd, struct mmsghdr *v, unsigned int n, int flags)
{
	size_t *len = &v->msg_hdr.msg_iov->iov_len;
	int rc;

	perhaps_die();
	if (*len > 40 && unit_random(&shared->seed) % 5 == 0)
		*len -= 33;
	rc = (int)syscall(SYS_sendmmsg, fd, v, n, flags);
	perhaps_die();
	return rc;
}

int recvmmsg(int fd, struct mmsghdr *v, unsigned int n, int flags, struct timespec *limit)
{
	int rc;

	perhaps_die();
	rc = (int)syscall(SYS_recvmmsg, fd, v, n, flags, limit);
	perhaps_die();
	return rc;
}

void control_log_request(const struct client *c, const struct message *m)
{
}

int outside_control(struct store *store, const char **word, unsigned int nr, struct text *answer)
{
	return ENOSYS;
}

int outside_introduce(struct store *store, struct domain *d, bool again)
{
	return ENOSYS;
}

bool outside_exists(unsigned int domid)
{
	return false;
}

static void round_end(void *arg)
{
	conn_round_end();
	if (journal_grown(1))
		journal_compact(state_dump);
}

static void close_leftover(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len))
		close(fd);
}

static void daemon_run(void)
{
	char name[] = "xenstored of a test", *argv[] = {name, NULL};
	struct loop *loop;
	struct error e;
	bool again;

	log_open("xenstored", "/dev/null", LOG_LEVEL_ERROR);
	if (keeper_start(1, argv, &again))
		_exit(9);
	if (again)
		keeper_descriptors(close_leftover);
	loop = loop_new();
	if (journal_open(journal, &e))
		_exit(9);
	store_init(&the_store);
	journal_replay(state_load, NULL);
	if (sockets_open(loop, path, NULL, round_end, &e))
		_exit(9);
	round_end(NULL);
	keeper_ready();
	loop_run(loop);
	_exit(0);
}

/* --- A client -------------------------------------------------------------------------------------------- */

static struct client_state {
	int fd;
	uint64_t seed;
	uint32_t sent, first; /* requests, and before the last ones */
	unsigned int reads;
	char node[32], value[VALUE_MOST];
	size_t len;
} clients[CLIENTS];

static void put(struct text *out, struct client_state *c, uint32_t type, const void *value,
		size_t n)
{
	const struct xsd_sockmsg h = {type, c->sent++, 0, (uint32_t)(strlen(c->node) + 1 + n)};

	text_add(out, &h, sizeof(h));
	text_add(out, c->node, strlen(c->node) + 1);
	text_add(out, value, n);
}

static void take(struct client_state *c, void *to, size_t n)
{
	for (ssize_t got; n; n -= (size_t)got, to = (char *)to + got) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};

		assert_int_equal(poll(&p, 1, 30000), 1); /* else a request was lost */
		got = read(c->fd, to, n);
		assert_true(got > 0);
	}
}

static void expect(struct client_state *c, uint32_t id, uint32_t type, const void *data, size_t n)
{
	static char got[XENSTORE_PAYLOAD_MAX];
	struct xsd_sockmsg h;

	take(c, &h, sizeof(h));
	assert_int_equal(h.req_id, id);
	assert_int_equal(h.type, type);
	assert_int_equal(h.len, n);
	take(c, got, h.len);
	assert_memory_equal(got, data, n);
}

/* One write, or some reads, in one or two pieces. */
static void ask(struct client_state *c)
{
	uint64_t r = unit_random(&c->seed);
	struct text out = {0};
	size_t half;

	c->first = c->sent;
	c->reads = c->len ? (unsigned int)(r >> 8) % AT_ONCE : 0;
	if (!c->reads) {
		c->len = 1 + (r >> 16) % (VALUE_MOST - 1);
		memset(c->value, 'a' + (int)(r >> 40) % 26, c->len);
		put(&out, c, XS_WRITE, c->value, c->len);
	}
	for (unsigned int i = 0; i < c->reads; i++)
		put(&out, c, XS_READ, NULL, 0);
	half = (r >> 32) % 3 ? out.len : out.len / 2;
	assert_int_equal(write(c->fd, out.data, half), half);
	assert_int_equal(write(c->fd, out.data + half, out.len - half), out.len - half);
	text_free(&out);
}

static void hear(struct client_state *c)
{
	if (!c->reads)
		expect(c, c->first, XS_WRITE, "OK", 3);
	for (unsigned int i = 0; i < c->reads; i++)
		expect(c, c->first + i, XS_READ, c->value, c->len);
}

static void test_killed(void **state)
{
	unsigned int nr = 0;
	int status;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	shared->seed = 20261121;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(journal, sizeof(journal), "%s/journal", folder);
	pid = fork();
	if (!pid)
		daemon_run();
	for (int i = 0; i < CLIENTS; i++) {
		struct client_state *c = &clients[i];

		c->seed = (uint64_t)i + 1;
		snprintf(c->node, sizeof(c->node), "/node/%d", i);
		for (int try = 0; (c->fd = socket_connect("", path, 0)) < 0 && try < 1000; try++)
			usleep(10000);
		assert_true(c->fd >= 0);
	}
	while (nr < REQUESTS) {
		nr = 0;
		for (int i = 0; i < CLIENTS; i++) {
			ask(&clients[i]);
			nr += clients[i].sent;
		}
		for (int i = 0; i < CLIENTS; i++)
			hear(&clients[i]);
	}
	assert_true(shared->deaths >= DEATHS_LEAST);
	shared->quit = true;
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i].fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	unlink(path);
	unlink(journal);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_killed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
