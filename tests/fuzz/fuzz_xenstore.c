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

int outside_control(struct store *store, const char **word, unsigned int nr, struct text *answer)
{
	return strlen(word[0]) + nr > 20 ? EINVAL : 0;
}

static void nothing(struct conn *c)
{
}

/* All of it is read at once, and must be whole messages. */
static void finish(struct conn *c)
{
	const char *p = queue_first(&c->out);
	size_t left = queue_len(&c->out);

	while (left) {
		int n = wire_size(p, left);

		if (n <= 0 || (size_t)n > left)
			abort();
		p += n;
		left -= (size_t)n;
	}
	conn_sent(c, queue_len(&c->out));
}

static const struct conn_kind kind = {nothing, finish, nothing};

static const uint32_t ids[CLIENTS] = {CLIENT_SOCKET, 5, 6, CLIENT_SOCKET + 3};

static void begin(void)
{
	struct error e;

	journal_open(NULL, &e);
	store_init(&the_store);
	for (unsigned int q = 0; q < QUOTA_NR; q++)
		the_store.quota[q] = quota_info[q].value;
	for (unsigned int i = 0; i < CLIENTS; i++) {
		if (ids[i] < CLIENT_TOOLS)
			domain_introduce(&the_store, ids[i], 1, 1);
		conn_of(client_known(&the_store, ids[i]))->kind = &kind;
	}
}

static void end(void)
{
	struct text wrong = {0};

	if (!store_sound(&the_store, &wrong))
		abort();
	store_free(&the_store);
	journal_close();
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
		struct client *client = client_known(&the_store, ids[data[0] & 3]);
		size_t n = data[1] < size - 2 ? data[1] : size - 2;

		/* A domain may have been released, or introduced again: it has no connection then. */
		if (client && client->connection &&
		    input(client->connection, data[0] & 0x80, data + 2, n))
			conn_clear(client->connection);
		conn_round_end();
		data += 2 + n;
		size -= 2 + n;
	}
	end();
	return 0;
}
