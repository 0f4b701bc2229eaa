/* SPDX-License-Identifier: MIT */
/*
 * The transport with real sockets: a server over the fake model in a child process, whose end (leaks included) is part of each test.
 * Malformed, oversized and slow requests, connections at their limit, waiting, hang-ups, events; over TCP tokens, Host and Origin, TLS.
 */
/* links: lib/base lib/config tests/tools/fake_model.c xend/http.c xend/http_guard.c xend/events.c xend/api_request.c xend/api_routes.c xend/api_json.c xend/api_node.c xend/api_domain.c xend/api_action.c xend/api_device.c xend/api_operation.c xend/openapi.c xend/metrics.c xend/xenapi.c xend/settings.c */
/* libs: -ljansson -lmicrohttpd */
#include "unit.h"

#include "fake_model.h"
#include "lib/base/text.h"
#include "xend/api.h"
#include "xend/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOKEN "0123456789abcdef0123456789abcdef"
#define PORT  18231

static char folder[64], path[100], token_file[100];
static pid_t server;
static bool with_tcp;
static struct text reply;

/* --- The child ------------------------------------------------------------------------------------------- */

static void stop(void *arg, int signo)
{
	loop_stop(arg);
}

static void tick(void *arg)
{
	fake_event(arg, "shutdown");
}

static void serve(int ready)
{
	struct loop *loop = loop_new();
	struct node *n = fake_new(loop);
	struct loop_source *signals = loop_signal(loop, SIGTERM, stop, loop);
	struct loop_source *ticks = loop_timer(loop, 100, true, tick, n);
	struct diagnostics found = {0};
	struct xend_settings s;
	struct error e;
	char *text = xasprintf(
		"(xend-api-socket '%s')(xend-token-file '%s')%s", path, token_file,
		with_tcp
			? "(xend-http-server yes)(xend-port 18231)"
			  "(xend-http-hosts 'xen.example')(xen-api-server ((18232 pam '^localhost$')))"
			: "");

	xend_settings_read_text("test", text, &s, &found);
	n->settings = &s;
	fake_delay_ms = 300;
	if (api_start(n, &e)) {
		fprintf(stderr, "%s\n", e.text);
		_exit(3);
	}
	write(ready, "", 1);
	loop_run(loop);
	api_stop();
	if (fake_waiting)
		_exit(4);
	loop_remove(signals);
	loop_remove(ticks);
	fake_free(n);
	xend_settings_free(&s);
	diagnostics_free(&found);
	free(text);
	loop_free(loop);
	exit(0); /* the leak check is run */
}

static int start(void **state)
{
	struct error e;
	int fds[2];
	char byte;
	FILE *f;

	strcpy(folder, "/tmp/xend-http.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/sock", folder);
	snprintf(token_file, sizeof(token_file), "%s/tokens", folder);
	umask(077);
	f = fopen(token_file, "w");
	fprintf(f, "# tokens\n%s\n", TOKEN);
	fclose(f);
	umask(022);
	(void)e;
	assert_int_equal(pipe(fds), 0);
	server = fork();
	if (!server) {
		close(fds[0]);
		serve(fds[1]);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return 0;
}

static int start_tcp(void **state)
{
	with_tcp = true;
	return start(state);
}

static int end(void **state)
{
	int status;

	kill(server, SIGTERM);
	assert_int_equal(waitpid(server, &status, 0), server);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	unlink(path);
	unlink(token_file);
	rmdir(folder);
	text_free(&reply);
	with_tcp = false;
	return 0;
}

/* --- The client ------------------------------------------------------------------------------------------ */

static int dial(int port)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(port ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(
		connect(fd, port ? (void *)&sin : (void *)&sun, port ? sizeof(sin) : sizeof(sun)),
		0);
	return fd;
}

static void say(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t done = send(fd, s, n, MSG_NOSIGNAL);

		if (done <= 0)
			return; /* it may have hung up on us */
		s += done;
		n -= (size_t)done;
	}
}

static void say_text(int fd, const char *s)
{
	say(fd, s, strlen(s));
}

/* Reads until the end, or for @ms; the status. */
static int hear(int fd, int ms, bool whole)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	long length;

	reply.len = 0;
	text_str(&reply, "");
	while (poll(&p, 1, ms) == 1) {
		ssize_t n = read(fd, text_room(&reply, 65536), 65536);
		const char *head;

		if (n <= 0)
			break;
		reply.len += (size_t)n;
		reply.data[reply.len] = '\0';
		head = strstr(reply.data, "\r\n\r\n");
		if (!whole && head && strstr(reply.data, "Content-Length: ")) {
			length = atol(strstr(reply.data, "Content-Length: ") + 16);
			if (strlen(head + 4) >= (size_t)length)
				break;
		}
	}
	return reply.len > 12 ? atoi(reply.data + 9) : -1;
}

static int ask_at(int port, const char *request)
{
	int fd = dial(port), status;

	say(fd, request, strlen(request));
	status = hear(fd, 5000, false);
	close(fd);
	return status;
}

static int ask(const char *method, const char *uri, const char *headers, const char *body)
{
	char *request =
		xasprintf("%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n%s",
			  method, uri, headers, strlen(body), body);
	int status = ask_at(with_tcp ? PORT : 0, request);

	free(request);
	return status;
}

/* --- The Unix socket --------------------------------------------------------------------------------------- */

static void plain(void **state)
{
	int fd = dial(0);

	/* One connection, three requests. */
	for (int i = 0; i < 3; i++) {
		const char get[] = "GET /v1/domains HTTP/1.1\r\nHost: x\r\n\r\n";

		say(fd, get, sizeof(get) - 1);
		assert_int_equal(hear(fd, 5000, false), 200);
		assert_non_null(strstr(reply.data, "application/json"));
		assert_non_null(strstr(reply.data, FAKE_WEB_UUID));
	}
	close(fd);
	assert_int_equal(ask("HEAD", "/v1/domains", "", ""), 200);
	assert_int_equal(ask("GET", "/nothing", "", ""), 404);
	assert_int_equal(ask("DELETE", "/v1/node", "", ""), 405);
	assert_non_null(strstr(reply.data, "Allow: GET"));
	assert_int_equal(ask("POST", "/v1/domains/web/rename", "", "{\"name\":\"b\"}"), 204);
	assert_int_equal(ask("GET", "/v1/domains/b", "", ""), 200);
	assert_int_equal(ask("GET", "/metrics", "", ""), 200);
	assert_non_null(strstr(reply.data, "version=0.0.4"));
}

static void malformed(void **state)
{
	static const char *const requests[] = {
		"\r\n\r\n\r\n",
		"GET\r\n\r\n",
		"GET /\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"\x16\x03\x01\x02",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
		"POST /v1/domains HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"POST /v1/domains HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST /v1/domains HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
		"GET /%00%ff%zz HTTP/1.1\r\nHost: x\r\n\r\n",
		"get /v1/domains HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/domains HTTP/1.1\r\n: x\r\nHost\r\n a\r\n\r\n",
	};
	uint64_t seed = 7;

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		int fd = dial(0), status;

		say(fd, requests[i], strlen(requests[i]));
		shutdown(fd, SHUT_WR);
		status = hear(fd, 2000, true);
		if (status >= 200 && status < 400)
			print_error("%zu: %s", i, reply.data);
		assert_true(status < 200 || status >= 400);
		close(fd);
	}
	for (int i = 0; i < 300; i++) {
		char noise[256];
		int fd = dial(0);

		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (char)unit_random(&seed);
		memcpy(noise, "POST /v1/", i & 1 ? 9 : 0);
		say(fd, noise, sizeof(noise));
		close(fd);
	}
	assert_int_equal(ask("GET", "/healthz", "", ""), 200);
}

static void oversized(void **state)
{
	char *big = xmalloc((2 << 20) + 1);
	char *headers = xmalloc(40001);
	int fd;

	memset(big, ' ', 2 << 20);
	big[2 << 20] = '\0';
	assert_int_equal(ask("POST", "/v1/domains", "", big), 413);
	fd = dial(0);
	/* No length said: chunks. */
	say_text(
		fd,
		"POST /v1/domains HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n");
	say(fd, big, 2 << 20);
	say_text(fd, "\r\n0\r\n\r\n");
	assert_int_equal(hear(fd, 3000, false), 413);
	close(fd);
	big[(1 << 20) - 0] = '\0';
	assert_int_equal(ask("POST", "/v1/domains", "", big),
			 400); /* as large as may be, and no JSON */
	memset(headers, 'x', 40000);
	memcpy(headers, "X: ", 3);
	memcpy(headers + 39998, "\r\n", 3);
	assert_true(ask("GET", "/healthz", headers, "") == 431);
	memcpy(headers + 17998, "\r\n", 3);
	assert_int_equal(ask("GET", "/healthz", headers, ""), 431);
	memcpy(headers + 14998, "\r\n", 3);
	assert_int_equal(ask("GET", "/healthz", headers, ""), 200);
	free(big);
	free(headers);
}

static void slow(void **state)
{
	const char request[] = "GET /healthz HTTP/1.1\r\nHost: slow\r\n";
	int fd = dial(0), idle = dial(0), begun = (int)(loop_now() / 1000), took;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	/* A byte now and then never lets it rest, and does not help. */
	for (size_t i = 0; i < sizeof(request) - 1 && poll(&p, 1, 0) == 0; i++) {
		say(fd, request + i, 1);
		usleep(400000);
	}
	assert_int_equal(ask("GET", "/healthz", "", ""), 200);
	took = (int)(loop_now() / 1000) - begun;
	assert_true(took >= 9 && took < 14);
	assert_true(read(idle, &c, 1) <= 0);
	close(fd);
	close(idle);
}

static void crowd(void **state)
{
	int fds[100];

	for (int i = 0; i < 100; i++)
		fds[i] = dial(0);
	usleep(200000);
	for (int i = 0; i < 100; i++)
		close(fds[i]);
	assert_int_equal(ask("GET", "/healthz", "", ""), 200);
	/* At the limit one waits until another goes. */
	for (int i = 0; i < 64; i++) {
		fds[i] = dial(0);
		say_text(fds[i], "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
		assert_int_equal(hear(fds[i], 2000, false), 200);
	}
	fds[64] = dial(0);
	say_text(fds[64], "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(hear(fds[64], 500, false), -1);
	close(fds[0]);
	assert_int_equal(hear(fds[64], 2000, false), 200);
	for (int i = 1; i < 65; i++)
		close(fds[i]);
}

static void waiting(void **state)
{
	uint64_t begun = loop_now();
	int fds[10];

	assert_int_equal(ask("POST", "/v1/domains/web/destroy", "", ""), 204);
	assert_true(loop_now() - begun >= 250);
	begun = loop_now();
	assert_int_equal(ask("POST", "/v1/domains/web/destroy?async=1", "", ""), 202);
	assert_true(loop_now() - begun < 250);
	assert_non_null(strstr(reply.data, "Location: /v1/operations/2"));
	/* Several wait beside each other, and others are served. */
	for (int i = 0; i < 10; i++) {
		fds[i] = dial(0);
		say_text(
			fds[i],
			"POST /v1/domains/1/shutdown HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	}
	assert_int_equal(ask("GET", "/healthz", "", ""), 200);
	/* Some hang up. */
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	for (int i = 5; i < 10; i++) {
		assert_int_equal(hear(fds[i], 2000, false), 204);
		close(fds[i]);
	}
	assert_int_equal(ask("GET", "/v1/operations", "", ""), 200);
	/* One waits while the daemon ends. */
	fds[0] = dial(0);
	say_text(fds[0],
		 "POST /v1/domains/1/shutdown HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	usleep(50000);
	close(fds[0]);
	fds[0] = dial(0);
	say_text(fds[0],
		 "POST /v1/domains/1/shutdown HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	usleep(50000);
}

static void events(void **state)
{
	int fd = dial(0), other = dial(0);
	char request[100], missed[32], first_id[32], *first, *next;

	say_text(fd, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
	say_text(other, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
	usleep(350000);
	hear(fd, 50, true);
	assert_non_null(strstr(reply.data, "text/event-stream"));
	assert_non_null(strstr(reply.data, ": here"));
	assert_non_null(strstr(reply.data,
			       "event: domain\ndata: {\"id\":1,\"uuid\":\"" FAKE_WEB_UUID
			       "\",\"name\":\"web\",\"what\":\"shutdown\"}\n\n"));
	close(fd);
	usleep(150000);
	hear(other, 50, true);
	first = strstr(reply.data, "\nid: ");
	assert_non_null(first);
	next = strstr(first + 1, "\nid: ");
	assert_non_null(next);
	snprintf(request, sizeof(request),
		 "GET /v1/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: %ld\r\n\r\n",
		 atol(first + 5));
	snprintf(first_id, sizeof(first_id), "id: %ld\n", atol(first + 5));
	snprintf(missed, sizeof(missed), "id: %ld\n", atol(next + 5));
	close(other);
	usleep(100000);
	/* What was missed is told. */
	fd = dial(0);
	say_text(fd, request);
	usleep(200000);
	hear(fd, 50, true);
	assert_non_null(strstr(reply.data, missed));
	assert_null(strstr(reply.data, first_id));
	/* Left open: the daemon ends with it. */
}

/* --- TCP ------------------------------------------------------------------------------------------------------ */

#define BEARER "Authorization: Bearer " TOKEN "\r\n"

static void tokens(void **state)
{
	assert_int_equal(ask("GET", "/v1/domains", "", ""), 401);
	assert_non_null(strstr(reply.data, "WWW-Authenticate: Bearer"));
	assert_int_equal(ask("GET", "/nothing", "", ""), 401);
	assert_int_equal(ask("GET", "/healthz", "", ""), 200);
	assert_int_equal(ask("GET", "/v1/domains", BEARER, ""), 200);
	assert_int_equal(ask("GET", "/v1/domains", "Authorization: Bearer \r\n", ""), 401);
	assert_int_equal(ask("GET", "/v1/domains", "Authorization: Basic " TOKEN "\r\n", ""), 401);
	assert_int_equal(ask("GET", "/v1/domains", "Authorization: Bearer " TOKEN "x\r\n", ""),
			 401);
	assert_int_equal(ask("POST", "/v1/domains", "", "{}"), 401);
	for (int i = 0; i < 12; i++)
		ask("GET", "/v1/domains", "Authorization: Bearer wrong\r\n", "");
	assert_int_equal(ask("GET", "/v1/domains", "Authorization: Bearer wrong\r\n", ""), 429);
	assert_non_null(strstr(reply.data, "Retry-After: "));
	assert_int_equal(ask("GET", "/v1/domains", BEARER, ""), 200);
	/* The file changes: so does who may. */
	assert_int_equal(truncate(token_file, 0), 0);
	assert_int_equal(ask("GET", "/v1/domains", BEARER, ""), 429);
}

static void origins(void **state)
{
	assert_int_equal(ask("GET", "/v1/domains", BEARER "Origin: http://evil.example\r\n", ""),
			 403);
	assert_int_equal(ask("GET", "/v1/domains", BEARER "Origin: null\r\n", ""), 403);
	assert_int_equal(ask("GET", "/healthz", "Origin: http://evil.example\r\n", ""), 403);
	assert_int_equal(ask("GET", "/v1/domains", BEARER "Origin: http://localhost\r\n", ""), 200);
	assert_int_equal(
		ask_at(PORT, "GET /v1/node HTTP/1.1\r\nHost: evil.example\r\n" BEARER "\r\n"), 403);
	assert_int_equal(
		ask_at(PORT, "GET /v1/node HTTP/1.1\r\nHost: xen.example:8000\r\n" BEARER "\r\n"),
		200);
	assert_int_equal(
		ask_at(PORT, "GET /v1/node HTTP/1.1\r\nHost: 127.0.0.1:18231\r\n" BEARER "\r\n"),
		200);
	assert_int_equal(
		ask_at(PORT, "GET /v1/node HTTP/1.1\r\nHost: [::1]:8000\r\n" BEARER "\r\n"), 200);
	assert_int_equal(ask_at(PORT, "GET /v1/node HTTP/1.0\r\n" BEARER "\r\n"), 403);
	assert_int_equal(
		ask_at(PORT,
		       "OPTIONS /v1/node HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n"),
		403);
}

static int xenapi(const char *method, const char *first, const char *second)
{
	char *body =
		xasprintf("<?xml version='1.0'?><methodCall><methodName>%s</methodName><params>"
			  "<param><value><string>%s</string></value></param>"
			  "<param><value>%s</value></param></params></methodCall>",
			  method, first, second);
	char *request =
		xasprintf("POST / HTTP/1.1\r\nHost: localhost:18232\r\nContent-Type: text/xml\r\n"
			  "Content-Length: %zu\r\n\r\n%s",
			  strlen(body), body);
	int status = ask_at(18232, request);

	free(body);
	free(request);
	return status;
}

static void fencing(void **state)
{
	char session[64];
	const char *ref;

	assert_int_equal(
		ask_at(18232, "GET /v1/domains HTTP/1.1\r\nHost: localhost\r\n" BEARER "\r\n"),
		404);
	assert_int_equal(xenapi("VM.get_all", "OpaqueRef:", "x"), 200);
	assert_non_null(strstr(reply.data, "Failure"));
	assert_int_equal(xenapi("session.login_with_password", "root", "wrong"), 200);
	assert_non_null(strstr(reply.data, "SESSION_AUTHENTICATION_FAILED"));
	assert_int_equal(xenapi("session.login_with_password", "root", TOKEN), 200);
	ref = strstr(reply.data, "OpaqueRef:");
	assert_non_null(ref);
	snprintf(session, sizeof(session), "%.42s", ref);
	assert_int_equal(xenapi("VM.get_by_uuid", session, FAKE_WEB_UUID), 200);
	assert_non_null(strstr(reply.data, "OpaqueRef:" FAKE_WEB_UUID));
	assert_int_equal(xenapi("VM.hard_shutdown", session, "OpaqueRef:" FAKE_WEB_UUID), 200);
	assert_non_null(strstr(reply.data, "Success"));
	assert_int_equal(xenapi("session.logout", session, ""), 200);
	xenapi("VM.get_all", session, "");
	assert_non_null(strstr(reply.data, "Failure"));
}

#define ON_UNIX(test) cmocka_unit_test_setup_teardown(test, start, end)
#define ON_TCP(test)  cmocka_unit_test_setup_teardown(test, start_tcp, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_UNIX(plain),	 ON_UNIX(malformed), ON_UNIX(oversized), ON_UNIX(slow),
		ON_UNIX(crowd),	 ON_UNIX(waiting),   ON_UNIX(events),	 ON_TCP(tokens),
		ON_TCP(origins), ON_TCP(fencing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
