/* SPDX-License-Identifier: MIT */
/* Circular doubly linked lists, embedded in their elements. No locking: the list's owner names its lock. */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name) ((struct list){&(name), &(name)})

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_add(struct list *e, struct list *head)
{
	e->prev = head;
	e->next = head->next;
	head->next->prev = e;
	head->next = e;
}

static inline void list_add_tail(struct list *e, struct list *head)
{
	list_add(e, head->prev);
}

/* Leaves @e empty, so that a second removal is harmless. */
static inline void list_del(struct list *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
	list_init(e);
}

#define list_entry(p, type, member) container_of(p, type, member)
#define list_first(head, type, member) \
	(list_empty(head) ? NULL : list_entry((head)->next, type, member))
#define list_for_each(p, head, member)                                                         \
	for ((p) = list_entry((head)->next, __typeof__(*(p)), member); &(p)->member != (head); \
	     (p) = list_entry((p)->member.next, __typeof__(*(p)), member))

#endif
