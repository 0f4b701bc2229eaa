/* SPDX-License-Identifier: MIT */
/* mem-set, mem-max. */
#include "xm/verbs.h"

static int memory_put(struct xm *x, const struct call *call, const char *what, struct error *e)
{
	long kb;

	if (memory_parse(call->operand[1], &kb, e))
		return -1;
	return domain_do(x, "PUT", call->operand[0], "memory",
			 json_pack("{sI}", what, (json_int_t)kb), e);
}

int xm_mem_set(struct xm *x, const struct call *call, struct error *e)
{
	return memory_put(x, call, "target_kb", e);
}

int xm_mem_max(struct xm *x, const struct call *call, struct error *e)
{
	return memory_put(x, call, "max_kb", e);
}
