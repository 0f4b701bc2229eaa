/* SPDX-License-Identifier: MIT */
/* Requests about operations: work that takes longer than a turn of the loop. */
#include "xend/api_request.h"

const struct json_member api_operation_members[] = {
	{"state", JSON_OTHER},
	{"step", JSON_OTHER},
	{"ended_at", JSON_OTHER},
	{"error", JSON_OTHER},
	JSON_MEMBERS(struct operation, id, kind, domain, uuid, progress, started_at),
};

void api_put_operation(struct json_writer *w, const char *key, const struct operation *op)
{
	json_begin(w, key, '{');
	json_put_members(w, op, api_operation_members, JSON_ALL);
	json_put_text(w, "state", operation_state_name(op->state));
	json_put_text(w, "step", op->text ? op->text : "");
	if (op->ended_at)
		json_put_number(w, "ended_at", op->ended_at);
	else
		json_put_text(w, "ended_at", NULL);
	if (op->state == OPERATION_FAILED || op->state == OPERATION_CANCELLED)
		api_put_error(w, "error", &op->error, 0);
	else
		json_put_text(w, "error", NULL);
	json_end(w);
}

int api_operations_get(struct api_request *r, struct error *e)
{
	api_list(r, "operations");
	for (struct operation *op = operation_next(r->node, NULL); op;
	     op = operation_next(r->node, op))
		api_put_operation(&r->out, NULL, op);
	return 0;
}

static struct operation *find(const struct api_request *r, struct error *e)
{
	struct operation *op = NULL;
	long id;

	if (str_to_long(r->segment[2], 0, INT64_MAX, &id))
		op = operation_find(r->node, (uint64_t)id);
	if (!op)
		error_set(e, ERROR_NOT_FOUND, "there is no operation %.40s (any more)",
			  r->segment[2]);
	return op;
}

int api_operation_get(struct api_request *r, struct error *e)
{
	struct operation *op = find(r, e);

	if (op)
		api_put_operation(&r->out, NULL, op);
	return op ? 0 : -1;
}

int api_operation_delete(struct api_request *r, struct error *e)
{
	struct operation *op = find(r, e);

	return op ? operation_cancel(op, e) : -1;
}
