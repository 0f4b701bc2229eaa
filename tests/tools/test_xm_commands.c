/* SPDX-License-Identifier: MIT */
/*
 * xm against a made-up xend on a socket of its own: the client's HTTP (lengths, lost connections, problems, nonsense),
 * what each command asks for, and the command line itself (names, prefixes, aliases, options, completion).
 */
/* links: xm/call.c xm/commands.c xm/completion.c xm/console.c xm/create.c xm/devices.c xm/help.c xm/life.c xm/list.c xm/list_long.c xm/node.c xm/render.c xm/sched.c xm/terminal.c xm/top.c xm/top_sample.c xm/top_table.c xm/uptime.c xm/vcpu.c xm/xend.c lib/base lib/config */
/* libs: -ljansson -lpthread */
#include "lib/base/file.h"
#include "xm/verbs.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* --- The made-up xend ------------------------------------------------------------------------------------- */

#define DOM0                                                                                      \
	"{\"id\":0,\"uuid\":\"0\",\"name\":\"Domain-0\",\"memory_kb\":819200,\"vcpus_online\":2," \
	"\"state\":\"r-----\",\"cpu_ns\":64600000000}"
#define GUEST                                                                                   \
	"{\"id\":1,\"uuid\":\"u1\",\"name\":\"guest\",\"memory_kb\":196608,\"vcpus_online\":1," \
	"\"state\":\"-b----\",\"cpu_ns\":12800000000,\"started_at\":5}"
#define MANAGED                                                                                  \
	"{\"id\":null,\"uuid\":\"u9\",\"name\":\"idle\",\"memory_kb\":65536,\"vcpus_online\":1," \
	"\"state\":\"------\",\"cpu_ns\":0,\"managed\":true}"

static const struct rule {
	const char *begins; /* method and path */
	const char *body;   /* JSON; NULL: 204 */
	const char *raw;    /* instead: all of the answer */
} rules[] = {
	{"GET /v1/domains/guest/vcpus", "{\"vcpus\":[]}"},
	{"GET /v1/domains/1/vcpus",
	 "{\"vcpus\":[{\"vcpu\":0,\"cpu\":0,\"online\":true,\"blocked\":true,\"running\":false,"
	 "\"cpu_ns\":12900000000,\"hard\":[0,1],\"soft\":[0,1]}]}"},
	{"GET /v1/domains/guest/scheduler",
	 "{\"id\":1,\"name\":\"guest\",\"cpupool\":\"Pool-0\",\"scheduler\":\"credit\","
	 "\"weight\":256,\"cap\":0}"},
	{"GET /v1/domains/guest/devices/disk", "{\"devices\":[]}"},
	{"GET /v1/domains/guest", GUEST},
	{"GET /v1/domains/1", GUEST},
	{"GET /v1/domains/idle", MANAGED},
	{"GET /v1/domains/lost", NULL, ""},
	{"POST /v1/domains/lost", NULL, ""},
	{"GET /v1/domains/nonsense", NULL, "SIP/2.0 hello\r\n\r\n"},
	{"GET /v1/domains/short", NULL, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"},
	{"GET /v1/domains/text", NULL, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
	{"GET /v1/domains/html", NULL, "HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>"},
	{"GET /v1/domains/long", NULL, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}"},
	{"GET /v1/domains/toend", NULL, "HTTP/1.0 200 OK\r\n\r\n{\"id\":78}"},
	{"GET /v1/domains?", "{\"domains\":[" DOM0 "," GUEST "," MANAGED "]}"},
	{"GET /v1/domains ", "{\"domains\":[" DOM0 "," GUEST "," MANAGED "]}"},
	{"GET /v1/domains/", NULL,
	 "HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\nContent-Length: 121\r\n\r\n"
	 "{\"type\":\"about:blank\",\"title\":\"Domain 'x' does not exist\",\"status\":404,\"class\":\"not-found\","
	 "\"hint\":\"'xm list' lists them\"}"},
	{"GET /v1/node",
	 "{\"nr_cpus\":4,\"max_cpu_id\":3,\"nr_nodes\":2,\"topology\":[{\"cpu\":0,\"node\":0},"
	 "{\"cpu\":1,\"node\":0},{\"cpu\":2,\"node\":1},{\"cpu\":3,\"node\":1}]}"},
	{"GET /v1/pools",
	 "{\"pools\":[{\"id\":0,\"name\":\"Pool-0\",\"scheduler\":\"credit\",\"cpus\":[0,1],\"domains\":2}]}"},
	{"GET /v1/schedulers", "{\"schedulers\":[]}"},
	{"POST /v1/domains/1/shutdown", "{\"operation\":{\"id\":7,\"state\":\"running\"}}"},
	{"POST /v1/domains/idle/start", GUEST},
	{"POST /v1/domains/", NULL},
	{"POST /v1/domains", GUEST},
};

static char socket_path[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct text received; /* "METHOD path body\n" of every request */
static int connections, listener;

static const struct rule *rule_for(const char *request)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!strncmp(request, rules[i].begins, strlen(rules[i].begins)))
			return &rules[i];
	return NULL;
}

static void answer(int fd, const char *request)
{
	const struct rule *rule = rule_for(request);
	struct text out = {0};

	if (rule && rule->raw)
		text_str(&out, rule->raw);
	else if (rule && rule->body)
		text_printf(&out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
			    strlen(rule->body), rule->body);
	else
		text_str(&out, "HTTP/1.1 204 No Content\r\n\r\n");
	send(fd, out.data ? out.data : "", out.len, MSG_NOSIGNAL);
	text_free(&out);
}

/* One request, one answer: as HTTP/1.0 has it. */
static void serve(int fd)
{
	char *head = NULL, *length;
	size_t body = 0, whole = 1;
	struct text in = {0};
	ssize_t n;

	while (in.len < whole && (n = read(fd, text_room(&in, 4096), 4096)) > 0) {
		in.len += (size_t)n;
		in.data[in.len] = '\0';
		head = strstr(in.data, "\r\n\r\n");
		length = strstr(in.data, "Content-Length: ");
		body = head && length && length < head ? strtoul(length + 16, NULL, 10) : 0;
		whole = head ? (size_t)(head - in.data) + 4 + body : in.len + 1;
	}
	if (in.len >= whole) {
		pthread_mutex_lock(&lock);
		text_printf(&received, "%.*s%s%.*s\n",
			    (int)(strstr(in.data, " HTTP/1.0\r\n") - in.data), in.data,
			    body ? " " : "", (int)body, head + 4);
		pthread_mutex_unlock(&lock);
		answer(fd, in.data);
	}
	text_free(&in);
}

static void *connection(void *arg)
{
	serve((int)(intptr_t)arg);
	close((int)(intptr_t)arg);
	return NULL;
}

static void *xend(void *arg)
{
	pthread_t thread;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		connections++;
		if (!pthread_create(&thread, NULL, connection, (void *)(intptr_t)fd))
			pthread_detach(thread);
	}
	return NULL;
}

static int start_xend(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	pthread_t thread;

	snprintf(socket_path, sizeof(socket_path), "/tmp/test_xm.%d", (int)getpid());
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	setenv("XEND_API_SOCKET", socket_path, 1);
	return bind(listener, (struct sockaddr *)&a, sizeof(a)) || listen(listener, 8) ||
	       pthread_create(&thread, NULL, xend, NULL) || pthread_detach(thread);
}

static int stop_xend(void **state)
{
	unlink(socket_path);
	text_free(&received);
	return 0;
}

/* --- One command ---------------------------------------------------------------------------------------------- */

struct done {
	int rc;
	struct error e;
	char *out;   /* standard output */
	char *asked; /* requests */
};

/* The words of @line, split at single blanks. */
static void run(struct done *d, enum config_dialect dialect, const char *line)
{
	struct xm x = {.dialect = dialect, .program = dialect == CONFIG_XL ? "xl" : "xm"};
	char *copy = strdup(line), *rest = copy, *argv[32], file[] = "/tmp/test_xm_out.XXXXXX";
	const struct command *command;
	int argc = 0, fd = mkstemp(file), saved;

	while ((argv[argc] = strsep(&rest, " ")))
		argc++;
	*d = (struct done){.rc = -1};
	pthread_mutex_lock(&lock);
	text_free(&received);
	pthread_mutex_unlock(&lock);
	fflush(stdout);
	saved = dup(1);
	dup2(fd, 1);
	command = command_find(&x, argv[0]);
	if (command && !call_parse(&x, command, argc, argv))
		d->rc = (x.help ? 0 : command->run(&x)) || put(&x) ? -1 : 0;
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	close(fd);
	d->e = x.error;
	d->out = file_read(file, 1 << 20, NULL, NULL);
	unlink(file);
	pthread_mutex_lock(&lock);
	d->asked = text_take(&received);
	pthread_mutex_unlock(&lock);
	text_free(&x.out);
	json_decref(x.answer);
	free(copy);
}

static void done_free(struct done *d)
{
	free(d->out);
	free(d->asked);
}

/* The command succeeds and asks exactly @asked. */
static void asks(enum config_dialect dialect, const char *line, const char *asked)
{
	struct done d;

	run(&d, dialect, line);
	if (d.rc)
		print_error("%s: %s\n", line, d.e.text);
	assert_int_equal(d.rc, 0);
	assert_string_equal(d.asked, asked);
	done_free(&d);
}

static void fails(enum config_dialect dialect, const char *line, enum error_class class,
		  const char *text)
{
	struct done d;

	run(&d, dialect, line);
	assert_int_equal(d.rc, -1);
	if (!strstr(d.e.text, text))
		print_error("%s: %s\n", line, d.e.text);
	assert_non_null(strstr(d.e.text, text));
	assert_int_equal(d.e.class, class);
	done_free(&d);
}

static void test_requests(void **state)
{
	asks(CONFIG_XL, "list",
	     "GET /v1/domains?fields=id,name,memory_kb,vcpus_online,state,cpu_ns\n");
	asks(CONFIG_XM, "pause guest", "POST /v1/domains/guest/pause\n");
	asks(CONFIG_XM, "destroy guest", "POST /v1/domains/guest/destroy\n");
	asks(CONFIG_XM, "delete idle", "DELETE /v1/domains/idle\n");
	asks(CONFIG_XM, "reset guest", "POST /v1/domains/guest/reset\n");
	asks(CONFIG_XL, "mem-set guest 64", "PUT /v1/domains/guest/memory {\"target_kb\":65536}\n");
	asks(CONFIG_XL, "mem-max guest 1g", "PUT /v1/domains/guest/memory {\"max_kb\":1048576}\n");
	asks(CONFIG_XL, "vcpu-set -i guest 3",
	     "PUT /v1/domains/guest/vcpus {\"online\":3,\"ignore_host\":true}\n");
	asks(CONFIG_XM, "vcpu-set guest 0", "");
	asks(CONFIG_XL, "vcpu-pin guest 0 0-2,^1 nodes:1",
	     "GET /v1/node\nPUT /v1/domains/guest/vcpus {\"vcpu\":0,\"hard\":[0,2],\"soft\":[2,3],\"force\":false}\n");
	asks(CONFIG_XL, "vcpu-pin guest all all",
	     "GET /v1/node\nPUT /v1/domains/guest/vcpus {\"vcpu\":\"all\",\"hard\":[0,1,2,3],\"soft\":null,\"force\":false}\n");
	asks(CONFIG_XL, "vcpu-pin guest 1 - 3",
	     "GET /v1/node\nPUT /v1/domains/guest/vcpus {\"vcpu\":1,\"hard\":null,\"soft\":[3],\"force\":false}\n");
	asks(CONFIG_XL, "sched-credit -d guest -w 512 -c 50",
	     "PUT /v1/domains/guest/scheduler {\"weight\":512,\"cap\":50,\"scheduler\":\"credit\"}\n");
	asks(CONFIG_XM, "sched-credit -d guest -w=300",
	     "PUT /v1/domains/guest/scheduler {\"weight\":300,\"scheduler\":\"credit\"}\n");
	asks(CONFIG_XL, "sched-credit -s -t 20",
	     "GET /v1/pools\nPUT /v1/pools/0 {\"tslice_ms\":20}\n");
	asks(CONFIG_XL, "sched-credit2", "GET /v1/pools\nGET /v1/schedulers\n");
	asks(CONFIG_XL, "trigger guest nmi 1",
	     "POST /v1/domains/guest/trigger {\"trigger\":\"nmi\",\"vcpu\":1}\n");
	asks(CONFIG_XL, "sysrq guest h", "POST /v1/domains/guest/sysrq {\"key\":\"h\"}\n");
	asks(CONFIG_XL, "rename guest two", "POST /v1/domains/guest/rename {\"name\":\"two\"}\n");
	asks(CONFIG_XL, "debug R", "POST /v1/node/debug-keys {\"keys\":\"R\"}\n");
	asks(CONFIG_XL, "dmesg -c", "POST /v1/node/dmesg?clear=1\n");
	asks(CONFIG_XL, "block-detach guest xvdb -f",
	     "DELETE /v1/domains/guest/devices/disk/xvdb?force=1\n");
	asks(CONFIG_XL, "network-detach guest 00:16:3e:00:00:02",
	     "DELETE /v1/domains/guest/devices/network/00:16:3e:00:00:02\n");
	asks(CONFIG_XM, "start idle -p", "POST /v1/domains/idle/start {\"paused\":true}\n");
	asks(CONFIG_XL, "shutdown guest",
	     "GET /v1/domains/guest\nPOST /v1/domains/1/shutdown?async=1 {\"fallback\":false,\"reason\":\"poweroff\"}\n");
	asks(CONFIG_XM, "shutdown -H guest",
	     "GET /v1/domains/guest\nPOST /v1/domains/1/shutdown?async=1 {\"fallback\":false,\"reason\":\"halt\"}\n");
	asks(CONFIG_XL, "reboot guest -F",
	     "GET /v1/domains/guest\nPOST /v1/domains/1/reboot?async=1 {\"fallback\":true}\n");
	asks(CONFIG_XL, "dump-core guest /tmp/c",
	     "POST /v1/domains/guest/dump-core {\"live\":false,\"file\":\"/tmp/c\"}\n");
}

static void test_attach(void **state)
{
	struct done d;

	run(&d, CONFIG_XM, "block-attach guest phy:/dev/loop0 xvdb r");
	assert_int_equal(d.rc, 0);
	assert_non_null(strstr(
		d.asked,
		"POST /v1/domains/guest/devices/disk {\"pdev_path\":\"/dev/loop0\",\"vdev\":\"xvdb\""));
	done_free(&d);
	run(&d, CONFIG_XL, "block-attach guest format=raw vdev=xvdc target=/x");
	assert_int_equal(d.rc, 0);
	assert_non_null(strstr(d.asked, "\"pdev_path\":\"/x\""));
	done_free(&d);
	run(&d, CONFIG_XL, "network-attach guest mac=00:16:3e:00:00:77 bridge=b0");
	assert_int_equal(d.rc, 0);
	assert_non_null(strstr(d.asked, "devices/network {"));
	assert_non_null(strstr(d.asked, "\"mac\":\"00:16:3e:00:00:77\",\"bridge\":\"b0\""));
	done_free(&d);
	run(&d, CONFIG_XM, "block-configure guest phy:/dev/loop1 xvdb w");
	assert_int_equal(d.rc, 0);
	assert_true(str_starts(d.asked, "DELETE /v1/domains/guest/devices/disk/xvdb\nPOST "));
	done_free(&d);
}

static void write_config(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

static void test_create(void **state)
{
	char path[] = "/tmp/test_xm_cfg.XXXXXX", line[200];
	struct done d;

	close(mkstemp(path));
	write_config(path, "name = \"guest\"\nkernel = \"/boot/vmlinuz\"\nmemory = 64\n");
	snprintf(line, sizeof(line), "create -q -p %s memory=128", path);
	run(&d, CONFIG_XL, line);
	assert_int_equal(d.rc, 0);
	assert_true(str_starts(d.asked, "POST /v1/domains {\"config\":{\"c_info\":{"));
	assert_non_null(strstr(d.asked, "\"max_memkb\":131072"));
	assert_non_null(strstr(d.asked, "\"paused\":true,\"managed\":false,\"start\":true}"));
	assert_string_equal(d.out, "");
	done_free(&d);

	snprintf(line, sizeof(line), "create %s", path);
	run(&d, CONFIG_XM, line);
	assert_int_equal(d.rc, 0);
	assert_non_null(strstr(d.out, "Started domain guest (id=1)\n"));
	done_free(&d);

	snprintf(line, sizeof(line), "new -q -f %s", path);
	run(&d, CONFIG_XM, line);
	assert_int_equal(d.rc, 0);
	assert_non_null(strstr(d.asked, "\"managed\":true,\"start\":false}"));
	done_free(&d);

	snprintf(line, sizeof(line), "create --quiet --dryrun --defconfig %s", path);
	run(&d, CONFIG_XL, line);
	assert_int_equal(d.rc, 0);
	assert_string_equal(d.asked, "");
	assert_non_null(strstr(d.out, "        \"name\": \"guest\",\n"));
	done_free(&d);

	snprintf(line, sizeof(line), "create -n %s", path);
	run(&d, CONFIG_XM, line);
	assert_true(str_starts(d.out, "(vm"));
	done_free(&d);
	snprintf(line, sizeof(line), "create --dryrun --json %s", path);
	run(&d, CONFIG_XM, line);
	assert_true(str_starts(d.out, "{"));
	done_free(&d);

	write_config(path, "name = \"guest\"\nkernel = \"/boot/vmlinuz\"\nmemmory = 64\n");
	snprintf(line, sizeof(line), "create -q -n %s", path);
	fails(CONFIG_XL, line, ERROR_CONFIG, ":3:1: unknown key 'memmory'");
	unlink(path);
	fails(CONFIG_XL, line, ERROR_NOT_FOUND, path);
	fails(CONFIG_XL, "create", ERROR_USAGE, "Config file not specified");
}

static void test_output(void **state)
{
	struct done d;

	run(&d, CONFIG_XL, "list");
	assert_null(strstr(d.out, "idle"));
	assert_non_null(strstr(
		d.out,
		"guest                                        1   192     1     -b----      12.8\n"));
	done_free(&d);
	run(&d, CONFIG_XM, "list");
	assert_non_null(strstr(d.out, "idle  "));
	done_free(&d);
	run(&d, CONFIG_XM, "list --state=running");
	assert_null(strstr(d.out, "idle  "));
	done_free(&d);
	run(&d, CONFIG_XM, "list --json guest");
	assert_true(str_starts(d.out, "[\n  {\n    \"id\": 1,"));
	done_free(&d);
	run(&d, CONFIG_XM, "domid guest");
	assert_string_equal(d.out, "1\n");
	done_free(&d);
	run(&d, CONFIG_XL, "domname 1");
	assert_string_equal(d.out, "guest\n");
	done_free(&d);
	run(&d, CONFIG_XM, "domstate idle");
	assert_string_equal(d.out, "shutoff\n");
	done_free(&d);
	run(&d, CONFIG_XL, "vcpu-list guest");
	assert_non_null(strstr(
		d.out,
		"guest                                1     0    0   -b-      12.9  0-1 / 0-1\n"));
	done_free(&d);
	run(&d, CONFIG_XM, "block-list guest");
	assert_string_equal(d.out, "");
	done_free(&d);
}

static void test_http(void **state)
{
	struct xm x = {.dialect = CONFIG_XM, .program = "xm"};
	json_t *j;

	j = domain_call(&x, "GET", "guest", NULL, NULL);
	assert_int_equal(member_number(j, "id", 0), 1);
	json_decref(j);
	j = domain_call(&x, "GET", "toend", NULL, NULL);
	assert_int_equal(member_number(j, "id", 0), 78);
	json_decref(j);
	j = domain_call(&x, "PUT", "guest", "empty", NULL);
	assert_true(json_is_null(j));
	json_decref(j);
	connections = 0;
	fails(CONFIG_XM, "list lost", ERROR_ABSENT, "went away");
	assert_int_equal(connections, 2); /* what only reads is asked again */
	fails(CONFIG_XM, "pause lost", ERROR_ABSENT, "went away");
	assert_int_equal(connections, 3);
	fails(CONFIG_XM, "list short", ERROR_ABSENT, "went away");
	fails(CONFIG_XM, "list nonsense", ERROR_ABSENT, "went away");
	fails(CONFIG_XM, "list long", ERROR_ABSENT, "went away");
	fails(CONFIG_XM, "list text", ERROR_FAILED, "no JSON");
	fails(CONFIG_XM, "list html", ERROR_FAILED, "refused");
	fails(CONFIG_XM, "list x", ERROR_NOT_FOUND, "Domain 'x' does not exist");
	fails(CONFIG_XL, "list idle", ERROR_NOT_FOUND, "does not run");
	setenv("XEND_API_SOCKET", "/nonexistent", 1);
	fails(CONFIG_XM, "list", ERROR_ABSENT,
	      "Unable to connect to xend: No such file or directory. Is xend running?");
	setenv("XEND_API_SOCKET", socket_path, 1);
}

/* No command is in both tables, or twice in one. */
static void known_once(void *arg, const char *name, const char *hint)
{
	struct text *before = arg;

	for (const struct command *c = commands; c->name; c++)
		assert_string_not_equal(c->name, name);
	assert_false(before->len && str_has_word(before->data, name));
	text_printf(before, " %s", name);
}

static void test_command_line(void **state)
{
	struct text later[2] = {0};
	struct done d;

	fails(CONFIG_XM, "lsit", ERROR_USAGE, "Subcommand lsit not found!");
	fails(CONFIG_XM, "re guest", ERROR_USAGE, "ambiguous");
	fails(CONFIG_XM, "migrate a b", ERROR_UNSUPPORTED, "migrate");
	fails(CONFIG_XL, "block-configure a b c d", ERROR_USAGE, "not found");
	fails(CONFIG_XM, "destroy", ERROR_USAGE, "'xm destroy' requires 1 argument");
	fails(CONFIG_XL, "destroy a b", ERROR_USAGE, "at most 1 argument, not 'b'");
	fails(CONFIG_XL, "destroy 0", ERROR_CONFLICT, "Not destroying domain 0");
	fails(CONFIG_XL, "list -x", ERROR_USAGE, "no option '-x'");
	fails(CONFIG_XL, "sched-credit -w 5", ERROR_USAGE, "Must specify a domain");
	fails(CONFIG_XL, "sched-credit -d guest -w x", ERROR_USAGE, "'x'");
	fails(CONFIG_XL, "mem-set guest 1x", ERROR_USAGE, "invalid memory size: 1x");
	fails(CONFIG_XL, "sysrq guest hh", ERROR_USAGE, "hh");
	fails(CONFIG_XL, "cpupool-list nosuch", ERROR_NOT_FOUND, "Pool 'nosuch' does not exist");
	fails(CONFIG_XL, "shutdown", ERROR_USAGE, "either -a or a domain");
	asks(CONFIG_XM, "vif-list guest", "GET /v1/domains/guest/devices/network\n");
	for (const struct command *c = commands; c->name; c++) {
		assert_non_null(c->run);
		assert_non_null(c->summary);
		assert_true(c == commands || strcmp(c[-1].name, c->name) < 0);
	}
	for (int i = 0; i < 2; i++) {
		later_each(i ? CONFIG_XM : CONFIG_XL, known_once, &later[i]);
		assert_true(str_has_word(later[i].data, "migrate"));
		assert_int_equal(str_has_word(later[i].data, "serve"), i);
		assert_int_equal(str_has_word(later[i].data, "devd"), !i);
		text_free(&later[i]);
	}
	run(&d, CONFIG_XL, "help");
	assert_true(str_starts(
		d.out,
		"Usage xl [-vfNtT] <subcommand> [args]\n\nxl full list of subcommands:\n\n block-attach  "));
	assert_null(strstr(d.out, "toolstack"));
	done_free(&d);
	run(&d, CONFIG_XM, "help --long");
	assert_non_null(strstr(d.out, "\n  migrate  "));
	done_free(&d);
}

/* --- The console ------------------------------------------------------------------------------------------------- */

static struct text typed, attached;
static int keyboard;

/* A xenconsoled that is restarted after its first words, and whose guest hears what is typed. */
static void *xenconsoled(void *arg)
{
	static const char first[] = "ok guest\nbefore ", second[] = "ok guest\nafter";
	int server = *(int *)arg, fd = accept(server, NULL, NULL);
	ssize_t n;

	attached.len += (size_t)read(fd, text_room(&attached, 64), 64);
	n = write(fd, first, sizeof(first) - 1);
	close(fd);
	fd = accept(server, NULL, NULL);
	attached.len += (size_t)read(fd, text_room(&attached, 64), 64);
	n += write(fd, second, sizeof(second) - 1);
	usleep(100000);
	n += write(keyboard, "abc\x1dxyz", 7);
	while ((n = read(fd, text_room(&typed, 64), 64)) > 0)
		typed.len += (size_t)n;
	close(fd);
	return NULL;
}

static void test_console(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = 20}; /* for a viewer that never comes */
	int server = socket(AF_UNIX, SOCK_STREAM, 0), saved = dup(0), ends[2];
	pthread_t thread;
	struct done d;

	setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/test_xm_console.%d", (int)getpid());
	setenv("XENCONSOLED_SOCKET", a.sun_path, 1);
	assert_int_equal(bind(server, (struct sockaddr *)&a, sizeof(a)) || listen(server, 4), 0);
	assert_int_equal(pipe(ends), 0);
	keyboard = ends[1];
	dup2(ends[0], 0);
	assert_int_equal(pthread_create(&thread, NULL, xenconsoled, &server), 0);
	run(&d, CONFIG_XM, "console guest -n 2");
	pthread_join(thread, NULL);
	dup2(saved, 0);
	assert_int_equal(d.rc, 0);
	assert_string_equal(d.out, "before after");
	assert_int_equal(typed.len, 3);
	assert_memory_equal(typed.data, "abc", 3);
	assert_int_equal(attached.len, 28);
	assert_memory_equal(attached.data, "attach 1 pv 2\nattach 1 pv 2\n", 28);
	done_free(&d);
	text_free(&typed);
	text_free(&attached);
	unlink(a.sun_path);
	close(server);
	close(saved);
	close(ends[0]);
	close(ends[1]);
	fails(CONFIG_XM, "console -e xx guest", ERROR_USAGE, "one character");
	fails(CONFIG_XM, "console idle", ERROR_CONFLICT, "does not run");
	fails(CONFIG_XM, "console guest", ERROR_ABSENT, "Unable to connect to xenconsoled");
}

static void test_completion(void **state)
{
	static const char *const shells[] = {"bash", "zsh", "fish"};
	static const char *const files[] = {"install/completion/xm.bash", "install/completion/_xm",
					    "install/completion/xm.fish"};
	char *installed;
	char file[] = "/tmp/test_xm_comp.XXXXXX", line[128];
	struct done d;

	for (size_t i = 0; i < 3; i++) {
		snprintf(line, sizeof(line), "completion %s", shells[i]);
		run(&d, CONFIG_XM, line);
		assert_non_null(strstr(d.out, "vcpu-pin"));
		installed = file_read(files[i], 1 << 20, NULL, NULL);
		assert_non_null(installed);
		assert_string_equal(d.out, installed);
		free(installed);
		if (!i) {
			close(mkstemp(file));
			write_config(file, d.out);
			snprintf(line, sizeof(line), "bash -n %s", file);
			assert_int_equal(system(line), 0);
			unlink(file);
		}
		done_free(&d);
	}
	fails(CONFIG_XM, "completion ksh", ERROR_USAGE, "ksh");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),   cmocka_unit_test(test_attach),
		cmocka_unit_test(test_create),	   cmocka_unit_test(test_output),
		cmocka_unit_test(test_http),	   cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_completion), cmocka_unit_test(test_console),
	};

	return cmocka_run_group_tests(tests, start_xend, stop_xend);
}
