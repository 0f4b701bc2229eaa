/* SPDX-License-Identifier: MIT */
/*
 * A hostile back end, run as root in the outer domain 0: hostile-back KIND DOMID DEVID MODE SECONDS. Makes a device of the guest's
 * in the store by hand, with the back end's folder where no driver of domain 0's looks, connects with what comes, maps its rings,
 * and breaks the protocol in the way MODE says.
 */
#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>
#include <xen/xen.h>
#define mb()	  __sync_synchronize()
#define rmb()	  mb()
#define wmb()	  mb()
#define xen_mb()  mb()
#define xen_rmb() mb()
#define xen_wmb() mb()
#include <xen/io/ring.h>
#include <xen/io/blkif.h>
#include <xen/io/netif.h>

static struct xs_handle *xs;
static xengnttab_handle *gnt;
static xenevtchn_handle *ev;
static int domid, devid, port;
static const char *kind, *mode;
static char front[128], back[128];

static char *get(const char *dir, const char *node)
{
	char path[256];
	unsigned int len;

	snprintf(path, sizeof(path), "%s/%s", dir, node);
	return xs_read(xs, 0, path, &len);
}

static void put(const char *dir, const char *node, const char *fmt, ...)
{
	char path[256], text[256];
	va_list a;

	va_start(a, fmt);
	vsnprintf(text, sizeof(text), fmt, a);
	va_end(a);
	snprintf(path, sizeof(path), "%s/%s", dir, node);
	if (!xs_write(xs, 0, path, text, strlen(text)))
		perror(path);
}

static void folder(const char *path, int owner, int reader)
{
	struct xs_permissions p[2] = {{owner, XS_PERM_NONE}, {reader, XS_PERM_READ}};

	xs_mkdir(xs, 0, path);
	xs_set_permissions(xs, 0, path, p, 2);
}

static int front_state(void)
{
	char *s = get(front, "state");
	int n = s ? atoi(s) : 0;

	free(s);
	return n;
}

static int is(const char *m)
{
	return !strcmp(mode, m);
}

static int wait_front(int a, int b, int ms)
{
	int s = 0;

	for (; ms > 0; ms -= 20) {
		s = front_state();
		if (s == a || s == b)
			return s;
		usleep(20000);
	}
	printf("hostile: front end in state %d, not %d or %d\n", s, a, b);
	return 0;
}

static unsigned int num(const char *node)
{
	char *s = get(front, node);
	unsigned int n = s ? strtoul(s, 0, 10) : 0;

	free(s);
	return n;
}

static void *map_as(uint32_t ref, int prot)
{
	void *p = xengnttab_map_grant_ref(gnt, domid, ref, prot);

	if (!p)
		printf("hostile: cannot map %u\n", ref);
	return p;
}

static void *map(uint32_t ref)
{
	return map_as(ref, PROT_READ | PROT_WRITE);
}

static void bind_port(void)
{
	port = xenevtchn_bind_interdomain(ev, domid, num("event-channel"));
	if (port < 0)
		printf("hostile: cannot bind\n");
}

/* Waits for an event, ms at most. */
static int event(int ms)
{
	struct pollfd p = {xenevtchn_fd(ev), POLLIN, 0};

	if (poll(&p, 1, ms) <= 0)
		return 0;
	xenevtchn_unmask(ev, xenevtchn_pending(ev));
	return 1;
}

static void storm(int n)
{
	while (n--)
		xenevtchn_notify(ev, port);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- block --- */

static char *disk; /* of 4 MB */
#define DISK (4 << 20)
static blkif_back_ring_t ring;
static unsigned long served;

static void answer(uint64_t id, int op, int status)
{
	blkif_response_t *r = RING_GET_RESPONSE(&ring, ring.rsp_prod_pvt);

	r->id = id;
	r->operation = op;
	r->status = status;
	ring.rsp_prod_pvt++;
}

static void push(void)
{
	int n;

	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&ring, n);
	(void)n;
	xenevtchn_notify(ev, port);
}

static int blk_rw(const blkif_request_t *q)
{
	const struct blkif_request_segment *seg = q->seg;
	int op = q->operation, n = q->nr_segments, i, rc = 0;
	uint64_t at = q->sector_number * 512;
	void *ind = NULL;

	if (op == BLKIF_OP_INDIRECT) {
		const blkif_request_indirect_t *d = (const void *)q;

		op = d->indirect_op;
		n = d->nr_segments;
		at = d->sector_number * 512;
		ind = map(d->indirect_grefs[0]);
		seg = ind;
	}
	for (i = 0; i < n; i++) {
		char *p = map_as(seg[i].gref, PROT_READ | (op == BLKIF_OP_READ ? PROT_WRITE : 0));
		unsigned int off = seg[i].first_sect * 512,
			     len = (seg[i].last_sect + 1) * 512 - off;

		if (p && at + len <= DISK) {
			if (op == BLKIF_OP_READ)
				memcpy(p + off, disk + at, len);
			else
				memcpy(disk + at, p + off, len);
			if (is("around") && op == BLKIF_OP_READ) { /* what was not asked for */
				memset(p, 0xee, off);
				memset(p + off + len, 0xee, 4096 - off - len);
			}
			if (is("around") && op == BLKIF_OP_WRITE) {
				unsigned int k, dirt = 0;

				for (k = 0; k < 4096; k++)
					dirt += (k < off || k >= off + len) && p[k];
				if (dirt)
					printf("hostile: sees %u bytes that are not its own\n",
					       dirt);
			}
		} else {
			rc = -1;
		}
		at += len;
		if (p && !is("keep"))
			xengnttab_unmap(gnt, p, 1);
	}
	if (ind)
		xengnttab_unmap(gnt, ind, 1);
	return rc;
}

static void blk_serve(double until)
{
	unsigned int n = 0;

	while (now() < until) {
		int more;

		event(100);
		if (is("storm"))
			storm(2000);
		for (;;) {
			RING_IDX prod = ring.sring->req_prod;

			__sync_synchronize();
			while (ring.req_cons != prod) {
				blkif_request_t q = *(volatile blkif_request_t *)RING_GET_REQUEST(
					&ring, ring.req_cons);
				uint64_t id = q.operation == BLKIF_OP_INDIRECT
						      ? ((blkif_request_indirect_t *)&q)->id
						      : q.id;
				int rc;

				ring.req_cons++;
				if (is("silent"))
					continue;
				rc = q.operation == BLKIF_OP_DISCARD ||
						     q.operation == BLKIF_OP_FLUSH_DISKCACHE
					     ? 0
					     : blk_rw(&q);
				n++;
				served++;
				if (is("wildid") && n > 3)
					id = n & 1 ? 0xffffffffffffffffull : id + 32;
				if (is("status"))
					rc = (short)rand();
				if (is("eopnotsupp") && n > 8)
					rc = -2;
				answer(id, is("status") ? rand() : q.operation, rc);
				if (is("twice") && n > 3)
					answer(id, q.operation, rc);
				if (is("prod") && n > 3)
					ring.rsp_prod_pvt += 1000;
				push();
				if (is("back") && n > 3) {
					int k;

					for (k = 0; k < 100000; k++) {
						ring.sring->rsp_prod = ring.rsp_prod_pvt + (k & 1);
						if (!(k % 1000))
							xenevtchn_notify(ev, port);
					}
				}
			}
			RING_FINAL_CHECK_FOR_REQUESTS(&ring, more);
			if (!more)
				break;
		}
	}
}

static int blk_connect(void)
{
	if (!wait_front(3, 4, 8000))
		return 0;
	void *s = map(num("ring-ref"));

	if (!s)
		return 0;
	BACK_RING_INIT(&ring, (blkif_sring_t *)s, 4096);
	bind_port();
	put(back, "sectors", "%d", DISK / 512);
	put(back, "sector-size", is("sector4k") ? "4096" : "512");
	put(back, "info", "0");
	put(back, "state", "4");
	return 1;
}

static void blk_disconnect(void)
{
	xenevtchn_unbind(ev, port);
	xengnttab_unmap(gnt, ring.sring, 1);
}

/* --- net --- */

static netif_tx_back_ring_t tx;
static netif_rx_back_ring_t rx;
static unsigned long sent;

static void rx_put(unsigned int id, unsigned int off, unsigned int flags, int status)
{
	struct netif_rx_response *r = RING_GET_RESPONSE(&rx, rx.rsp_prod_pvt);

	r->id = id;
	r->offset = off;
	r->flags = flags;
	r->status = status;
	rx.rsp_prod_pvt++;
	sent++;
}

static void rx_extra(unsigned int type, unsigned int flags, unsigned int size, unsigned int gso)
{
	struct netif_extra_info *e = (void *)RING_GET_RESPONSE(&rx, rx.rsp_prod_pvt);

	memset(e, 0, sizeof(*e));
	e->type = type;
	e->flags = flags;
	e->u.gso.size = size;
	e->u.gso.type = gso;
	rx.rsp_prod_pvt++;
	rx.req_cons++;
}

/* A page of the guest's with an IPv4 or random frame in it; its id, or -1. */
static int rx_page(unsigned int len)
{
	struct netif_rx_request q;
	unsigned char *p;
	unsigned int i;

	__sync_synchronize();
	if (rx.req_cons == rx.sring->req_prod)
		return -1;
	q = *(volatile struct netif_rx_request *)RING_GET_REQUEST(&rx, rx.req_cons);
	p = map(q.gref);
	if (!p)
		return -1;
	if (is("stale"))
		for (i = 0; i < 4096; i++)
			if (p[i]) {
				printf("hostile: sees stale bytes in a page to be filled\n");
				break;
			}
	for (i = 0; i < len && i < 4096 && !is("stale"); i++) /* it would find its own */
		p[i] = rand();
	if (!is("stale") && (rand() & 1)) {
		memset(p, 0xff, 6);
		p[12] = rand() & 1 ? 8 : 0x86;
		p[13] = p[12] == 8 ? 0 : 0xdd;
		p[14] = p[12] == 8 ? 0x40 | (rand() & 15) : 0x60;
		p[16] = 0;
		p[17] = len;
		p[23] = rand() & 1 ? 6 : 17;
	}
	if (!is("keep"))
		xengnttab_unmap(gnt, p, 1);
	rx.req_cons++;
	return q.id;
}

static void rx_push(void)
{
	int n;

	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&rx, n);
	(void)n;
	xenevtchn_notify(ev, port);
}

static void net_attack(unsigned int n)
{
	int id = rx_page(is("tiny") ? 100 : rand() % 2000);

	if (id < 0)
		return;
	if (is("tiny")) { /* the first piece shorter than a header */
		rx_put(id, 0, NETRXF_more_data, n % 14);
		id = rx_page(100);
		if (id < 0)
			id = 0;
		rx_put(id, 0, 0, 100);
	} else if (is("wildid")) {
		rx_put(n > 5 ? 0xffff : id, 0, 0, 60);
	} else if (is("offset")) {
		rx_put(id, 4095, 0, n % 7);
	} else if (is("status")) {
		rx_put(id, rand(), 0, (short)rand());
	} else if (is("endless")) {
		rx_put(id, 0, NETRXF_more_data, 60);
	} else if (is("extras")) {
		int k = rand() % 5;

		rx_put(id, 0, NETRXF_extra_info, 60);
		while (k--)
			rx_extra(rand() % 6, k ? 1 : rand() & 1, rand(), rand() % 4);
	} else if (is("prod")) {
		rx_put(id, 0, 0, 60);
		if (n > 5)
			rx.rsp_prod_pvt += 500;
	} else if (is("fuzz") || is("keep")) {
		unsigned int flags = rand() & (NETRXF_csum_blank | NETRXF_data_validated);
		int slots = 1 + rand() % 4, gso = rand() % 3 == 0;

		rx_put(id, rand() % 64,
		       flags | (slots > 1 ? NETRXF_more_data : 0) | (gso ? NETRXF_extra_info : 0),
		       rand() % 1600);
		if (gso)
			rx_extra(1, 0, rand() % 3 ? rand() % 1500 : rand(), 1 + rand() % 2);
		while (--slots) {
			id = rx_page(1000);
			if (id < 0)
				id = 0;
			rx_put(id, rand() % 64, slots > 1 ? NETRXF_more_data : 0, rand() % 4000);
		}
	} else {
		rx_put(id, 0, 0, 60);
	}
	rx_push();
}

static void net_serve(double until)
{
	unsigned int n = 0;

	while (now() < until) {
		RING_IDX prod;

		event(20);
		if (is("storm"))
			storm(3000);
		prod = tx.sring->req_prod;
		__sync_synchronize();
		while (tx.req_cons != prod) {
			struct netif_tx_request q =
				*(volatile struct netif_tx_request *)RING_GET_REQUEST(&tx,
										      tx.req_cons);
			struct netif_tx_response *r = RING_GET_RESPONSE(&tx, tx.rsp_prod_pvt);

			tx.req_cons++;
			r->id = is("txid") ? rand() : is("txnull") ? 0 : q.id;
			r->status = is("txnull") ? NETIF_RSP_NULL : is("status") ? rand() : 0;
			tx.rsp_prod_pvt++;
			if (is("txprod"))
				tx.rsp_prod_pvt += 700;
			__sync_synchronize();
			tx.sring->rsp_prod = tx.rsp_prod_pvt;
		}
		tx.sring->req_event = tx.req_cons + 1;
		n++;
		net_attack(n);
		xenevtchn_notify(ev, port);
	}
}

static int net_connect(void)
{
	void *t, *r;

	if (!wait_front(3, 4, 8000))
		return 0;
	t = map(num("tx-ring-ref"));
	r = map(num("rx-ring-ref"));
	if (!t || !r)
		return 0;
	BACK_RING_INIT(&tx, (netif_tx_sring_t *)t, 4096);
	BACK_RING_INIT(&rx, (netif_rx_sring_t *)r, 4096);
	bind_port();
	put(back, "state", "4");
	usleep(500000);
	return 1;
}

/* --- the store --- */

static const char *const garbage[] = {"-1",
				      "0",
				      "1",
				      "3",
				      "7",
				      "255",
				      "4095",
				      "4096",
				      "65535",
				      "2147483647",
				      "4294967295",
				      "4294967296",
				      "9223372036854775807",
				      "18446744073709551615",
				      "18446744073709551616",
				      "x",
				      "",
				      " 1",
				      "1 ",
				      "0x10",
				      "1e9",
				      "\xff\xfe"};
static const char *const blk_keys[] = {"sectors",
				       "sector-size",
				       "physical-sector-size",
				       "info",
				       "feature-discard",
				       "discard-granularity",
				       "discard-alignment",
				       "discard-secure",
				       "feature-flush-cache",
				       "feature-barrier",
				       "feature-max-indirect-segments",
				       "max-ring-page-order",
				       "multi-queue-max-queues",
				       "online"};
static const char *const net_keys[] = {"feature-rx-copy",	    "feature-sg",
				       "feature-gso-tcpv4",	    "feature-gso-tcpv6",
				       "multi-queue-max-queues",    "feature-no-csum-offload",
				       "feature-ipv6-csum-offload", "online"};

static const char *any_garbage(void)
{
	return garbage[rand() % (sizeof(garbage) / sizeof(*garbage))];
}

static void store_garbage(double until)
{
	int blk = !strcmp(kind, "vbd");
	unsigned int keys = blk ? sizeof(blk_keys) / sizeof(*blk_keys)
				: sizeof(net_keys) / sizeof(*net_keys),
		     i;

	while (now() < until) {
		for (i = 0; i < keys; i++) {
			char path[256];

			snprintf(path, sizeof(path), "%s/%s", back,
				 blk ? blk_keys[i] : net_keys[i]);
			if (rand() % 4 == 0)
				xs_rm(xs, 0, path);
			else
				put(back, blk ? blk_keys[i] : net_keys[i], "%s", any_garbage());
		}
		if (rand() % 3 == 0)
			put(back, "state", "%s", any_garbage());
		else
			put(back, "state", "%d", rand() % 9);
		usleep(20000 + rand() % 200000);
		if (rand() % 20 == 0) {
			char path[256];

			snprintf(path, sizeof(path), "%s/state", back);
			xs_rm(xs, 0, path);
		}
	}
}

static void make(void)
{
	put(back, "frontend", "%s", front);
	put(back, "frontend-id", "%d", domid);
	put(back, "online", "1");
	put(back, "feature-rx-copy", "1");
	put(back, "feature-sg", "1");
	put(back, "feature-gso-tcpv4", "1");
	put(back, "feature-gso-tcpv6", "1");
	put(back, "feature-flush-cache", "1");
	put(back, "feature-discard", "1");
	if (is("granularity"))
		put(back, "discard-granularity", "4294967295");
	if (is("indirect"))
		put(back, "feature-max-indirect-segments", "256");
	put(back, "state", "2");
	put(front, "backend-id", "0");
	put(front, "mac", "00:16:3e:00:01:%02x", devid & 0xff);
	put(front, "device-type", "disk");
	put(front, "state", "1");
	put(front, "backend", "%s", back);
}

/* Closes in good order and connects again, with what was in flight. */
static void again(double until)
{
	while (now() < until) {
		blk_serve(now() + 0.3 + (rand() % 100) / 100.);
		put(back, "state", "5");
		wait_front(6, 5, 5000);
		wait_front(6, 6, 5000);
		blk_disconnect();
		put(back, "state", "6");
		wait_front(1, 1, 5000);
		put(back, "state", "2");
		if (!blk_connect())
			return;
	}
}

int main(int argc, char **argv)
{
	int blk, ok;
	double until;

	if (argc < 6)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	kind = argv[1];
	domid = atoi(argv[2]);
	devid = atoi(argv[3]);
	mode = argv[4];
	until = now() + atof(argv[5]);
	srand(devid);
	blk = !strcmp(kind, "vbd");
	xs = xs_open(0);
	gnt = xengnttab_open(NULL, 0);
	ev = xenevtchn_open(NULL, 0);
	if (!xs || !gnt || !ev)
		return perror("hostile-back"), 1;
	disk = calloc(1, DISK);
	snprintf(front, sizeof(front), "/local/domain/%d/device/%s/%d", domid, kind, devid);
	snprintf(back, sizeof(back), "/local/domain/0/backend/hostile/%d/%d", domid, devid);
	folder(back, 0, domid);
	folder(front, domid, 0);
	make();
	if (is("store")) {
		store_garbage(until);
	} else {
		ok = blk ? blk_connect() : net_connect();
		if (ok && is("again"))
			again(until);
		else if (ok && is("vanish")) {
			blk_serve(now() + 1);
			xs_rm(xs, 0, back);
			usleep(1000000);
		} else if (ok)
			blk ? blk_serve(until) : net_serve(until);
	}
	printf("hostile: %s %s front end ends in state %d, served %lu sent %lu\n", kind, mode,
	       front_state(), served, sent);
	if (!is("leave")) {
		put(back, "online", "0");
		put(back, "state", "6");
		xs_rm(xs, 0, front);
		usleep(300000);
		xs_rm(xs, 0, back);
	}
	return 0;
}
