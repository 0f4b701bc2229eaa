/* SPDX-License-Identifier: MIT */
/*
 * Requests of several xenstore clients, two of them domains, as bytes of any kind and in any pieces: whatever they say, nothing is read
 * beyond what was sent, the counts of the quotas stay right, and all memory is given back.
 *
 * A chunk is: whose (bits 0-1) and what (bit 7: raw bytes of the stream), a length, and that many bytes; what is not raw is a payload
 * with a type and a transaction before it.
 */
#include "xenstored/conn.h"
#include "xenstored/control.h"

#include <stdlib.h>
#include <string.h>

#define CLIENTS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

bool control_log_io;

void control_log_request(const struct client *c, const struct message *m)
{
}

int outside_introduce(struct store *store, struct domain *d, bool again)
{
	return 0;
}

bool outside_exists(unsigned int domid)
{
	return domid < 8;
}

void outside_changed(struct client *c, const struct message *m)
{
}

void outside_known(struct domain *d)
{
}

int outside_control(struct store *store, const char **word, unsigned int nr, struct text *answer)
{
	return strlen(word[0]) + nr > 20 ? EINVAL : 0;
}

static void prepare(struct conn *c)
{
}

/* All of it is read at once, and must be whole messages. */
static void finish(struct conn *c)
{
	const char *p = c->out.data + c->out_sent;
	size_t left = conn_waiting(c);

	while (left) {
		int n = wire_size(p, left);

		if (n <= 0 || (size_t)n > left)
			abort();
		p += n;
		left -= (size_t)n;
	}
	conn_sent(c, conn_waiting(c));
}

static const struct conn_kind kind = {prepare, finish};
static struct conn conns[CLIENTS];

void outside_release(struct store *store, struct domain *d)
{
	for (unsigned int i = 0; i < CLIENTS; i++)
		if (d->client && conns[i].client == d->client)
			conn_done(&conns[i]);
}

static void begin(void)
{
	static const unsigned int domids[CLIENTS] = {0, 5, 6, 0};
	struct error e;

	journal_open(NULL, &e);
	store_init(&the_store);
	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct client *c;

		if (domids[i])
			domain_introduce(&the_store, domids[i], 1, 1);
		c = domids[i] ? the_store.domain[domids[i]]->client
			      : client_known(&the_store, CLIENT_SOCKET + i);
		conn_init(&conns[i], &kind, c);
	}
}

static void end(void)
{
	struct text wrong = {0};

	if (!store_sound(&the_store, &wrong))
		abort();
	for (unsigned int i = 0; i < CLIENTS; i++)
		conn_done(&conns[i]);
	store_free(&the_store);
	journal_close();
}

/* A domain may have been released: its connection is gone then. */
static bool there(unsigned int i)
{
	struct client *c;

	TAILQ_FOREACH(c, &the_store.clients, link)
	if (c == conns[i].client)
		return true;
	return false;
}

static int input(struct conn *c, bool raw, const uint8_t *p, size_t n)
{
	char bytes[WIRE_HEADER + 256] = {0};
	struct xsd_sockmsg header = {.type = XS_READ};

	if (raw)
		return conn_input(&the_store, c, (const char *)p, n);
	if (n > 0)
		header.type = p[0] % (XS_TYPE_COUNT + 1);
	if (n > 1)
		header.tx_id = p[1] & 7;
	header.len = (uint32_t)(n > 2 ? n - 2 : 0);
	memcpy(bytes, &header, WIRE_HEADER);
	memcpy(bytes + WIRE_HEADER, p + (n > 2 ? 2 : n), header.len);
	return conn_input(&the_store, c, bytes, WIRE_HEADER + header.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	begin();
	while (size >= 2) {
		unsigned int who = data[0] & 3;
		size_t n = data[1] < size - 2 ? data[1] : size - 2;

		if (!there(who))
			memset(&conns[who], 0, sizeof(conns[who])); /* its owner freed it */
		else if (input(&conns[who], data[0] & 0x80, data + 2, n))
			conn_clear(&conns[who]);
		conn_round_end();
		data += 2 + n;
		size -= 2 + n;
	}
	end();
	return 0;
}
