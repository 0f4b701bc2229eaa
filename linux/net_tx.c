// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Sending. A slot of the ring has a page that the peer may read as long as the device is connected, and packets are copied into
 * these; but whole pages of a large packet's fragments are granted where they are, and keep the packet until they are answered.
 * So the peer reads nothing that is not sent to it: what lies beside a packet's pieces is the kernel's, or another's.
 */
#include <linux/nospec.h>
#include "net.h"

/*
 * How many pages of a packet are lent: those that are all its own. None of one in so many pieces that only a copy of it, which
 * fills its slots, is sure to fit.
 */
static unsigned int tx_lendable(struct sk_buff *skb)
{
	unsigned int i, slots = DIV_ROUND_UP(skb_headlen(skb), PAGE_SIZE), lent = 0;

	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		skb_frag_t *frag = &skb_shinfo(skb)->frags[i];
		unsigned int start = offset_in_page(skb_frag_off(frag));
		unsigned int end = start + skb_frag_size(frag);

		slots += DIV_ROUND_UP(end, PAGE_SIZE);
		lent += max_t(int, end / PAGE_SIZE - DIV_ROUND_UP(start, PAGE_SIZE), 0);
	}
	return slots <= MAX_SLOTS ? lent : 0;
}

/* A packet on its way into the ring. */
struct tx_cursor {
	struct net_queue *q;
	struct sk_buff *skb;
	struct xen_netif_tx_request *last;
	void *to;	   /* in the last slot's own page, */
	unsigned int room; /* which has so much left */
	grant_ref_t *ref;  /* the next for a page that is lent; NULL: none is */
};

/* The next slot, with its own page. */
static struct tx_slot *tx_next(struct tx_cursor *c)
{
	struct net_queue *q = c->q;
	u16 id = q->tx_free[--q->nr_tx_free];
	struct tx_slot *slot = &q->tx[id];

	if (c->last)
		c->last->flags |= XEN_NETTXF_more_data;
	c->last = RING_GET_REQUEST(&q->tx_ring, q->tx_ring.req_prod_pvt++);
	*c->last = (struct xen_netif_tx_request){.gref = slot->own.ref[0], .id = id};
	c->to = slot->own.va;
	c->room = PAGE_SIZE;
	slot->busy = true;
	return slot;
}

static void tx_lend(struct tx_cursor *c, struct page *page)
{
	struct tx_slot *slot = tx_next(c);

	slot->lent = page;
	slot->lent_ref = *c->ref++;
	slot->skb = skb_get(c->skb);
	grant_give(slot->lent_ref, c->q->nic->front->peer, page, true);
	c->last->gref = slot->lent_ref;
	c->last->size = PAGE_SIZE;
	c->room = 0;
}

static void tx_copy(struct tx_cursor *c, const void *from, unsigned int len)
{
	while (len) {
		unsigned int n;

		if (!c->room)
			tx_next(c);
		n = min(len, c->room);
		memcpy(c->to, from, n);
		c->to += n;
		c->room -= n;
		c->last->size = PAGE_SIZE - c->room;
		from += n;
		len -= n;
	}
}

static void tx_put_frag(struct tx_cursor *c, skb_frag_t *frag)
{
	struct page *page = skb_frag_page(frag) + (skb_frag_off(frag) >> PAGE_SHIFT);
	unsigned int offset = offset_in_page(skb_frag_off(frag)), len = skb_frag_size(frag);

	while (len) {
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - offset);

		if (n == PAGE_SIZE && c->ref)
			tx_lend(c, page);
		else
			tx_copy(c, page_address(page) + offset, n);
		page++;
		offset = 0;
		len -= n;
	}
}

static void tx_put_gso(struct net_queue *q, struct sk_buff *skb)
{
	struct xen_netif_extra_info *extra =
		(void *)RING_GET_REQUEST(&q->tx_ring, q->tx_ring.req_prod_pvt++);

	*extra = (struct xen_netif_extra_info){
		.type = XEN_NETIF_EXTRA_TYPE_GSO,
		.u.gso.size = skb_shinfo(skb)->gso_size,
		.u.gso.type = skb_shinfo(skb)->gso_type & SKB_GSO_TCPV6 ? XEN_NETIF_GSO_TYPE_TCPV6
									: XEN_NETIF_GSO_TYPE_TCPV4,
	};
}

static void tx_put_packet(struct net_queue *q, struct sk_buff *skb, grant_ref_t *ref)
{
	struct tx_cursor c = {.q = q, .skb = skb, .ref = ref};
	struct xen_netif_tx_request *first;
	unsigned int i;

	tx_next(&c);
	first = c.last;
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		first->flags = XEN_NETTXF_csum_blank | XEN_NETTXF_data_validated;
	if (skb_is_gso(skb)) {
		first->flags |= XEN_NETTXF_extra_info;
		tx_put_gso(q, skb);
	}
	tx_copy(&c, skb->data, skb_headlen(skb));
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++)
		tx_put_frag(&c, &skb_shinfo(skb)->frags[i]);
	first->size = skb->len; /* the first slot tells the whole length */
}

static void tx_push(struct net_queue *q)
{
	bool notify;

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&q->tx_ring, notify);
	if (notify)
		event_send(q->port);
}

static bool tx_has_room(struct net_queue *q)
{
	return q->nr_tx_free >= TX_RESERVE && RING_FREE_REQUESTS(&q->tx_ring) >= TX_RESERVE;
}

static netdev_tx_t net_drop(struct net_device *dev, struct sk_buff *skb)
{
	dev->stats.tx_dropped++;
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

netdev_tx_t net_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct nic *nic = dev_nic(dev);
	unsigned int index = skb_get_queue_mapping(skb), lent = tx_lendable(skb);
	grant_ref_t refs[MAX_SLOTS];
	struct netdev_queue *txq;
	struct net_queue *q;
	unsigned long flags;

	if (!READ_ONCE(nic->live) || index >= nic->nr_queues || skb->len > XEN_NETIF_MAX_TX_SIZE ||
	    (lent && grant_reserve(refs, lent)))
		return net_drop(dev, skb);
	q = &nic->queues[index];
	txq = netdev_get_tx_queue(dev, index);
	spin_lock_irqsave(&q->tx_lock, flags);
	if (q->broken || !tx_has_room(q)) { /* the queue is stopped before that happens */
		spin_unlock_irqrestore(&q->tx_lock, flags);
		while (lent--)
			grant_end(refs[lent], NULL);
		return net_drop(dev, skb);
	}
	tx_put_packet(q, skb, lent ? refs : NULL);
	if (!tx_has_room(q))
		netif_tx_stop_queue(txq);
	if (!netdev_xmit_more() || netif_xmit_stopped(txq))
		tx_push(q);
	dev_sw_netstats_tx_add(dev, 1, skb->len);
	spin_unlock_irqrestore(&q->tx_lock, flags);
	dev_consume_skb_any(skb); /* what is lent of it holds it */
	return NETDEV_TX_OK;
}

/* A page kept mapped read-only is kept from other use: no harm. */
static void tx_slot_reclaim(struct tx_slot *slot)
{
	if (!slot->skb)
		return;
	grant_end(slot->lent_ref, slot->lent);
	dev_consume_skb_any(slot->skb);
	slot->skb = NULL;
}

static void tx_slot_end(struct net_queue *q, unsigned int id)
{
	struct tx_slot *slot = &q->tx[id];

	tx_slot_reclaim(slot);
	slot->busy = false;
	q->tx_free[q->nr_tx_free++] = id;
}

/* With tx_lock. One round over what has been answered. */
static void tx_take_responses(struct net_queue *q)
{
	RING_IDX prod = READ_ONCE(q->tx_ring.sring->rsp_prod);

	virt_rmb(); /* the index before the responses */
	if (prod - q->tx_ring.rsp_cons > q->tx_ring.req_prod_pvt - q->tx_ring.rsp_cons) {
		queue_break(q, "sets an impossible index of its sending ring", prod);
		return;
	}
	while (q->tx_ring.rsp_cons != prod) {
		struct xen_netif_tx_response rsp;

		RING_COPY_RESPONSE(&q->tx_ring, q->tx_ring.rsp_cons, &rsp);
		q->tx_ring.rsp_cons++;
		if (rsp.status == XEN_NETIF_RSP_NULL)
			continue;
		if (rsp.id >= TX_SIZE || !q->tx[array_index_nospec(rsp.id, TX_SIZE)].busy) {
			queue_break(q, "answers what was not sent", rsp.id);
			return;
		}
		tx_slot_end(q, array_index_nospec(rsp.id, TX_SIZE));
	}
}

void tx_reap(struct net_queue *q)
{
	struct netdev_queue *txq = netdev_get_tx_queue(q->nic->dev, q - q->nic->queues);
	RING_IDX waiting;

	spin_lock_irq(&q->tx_lock);
	do {
		if (!q->broken)
			tx_take_responses(q);
		/* The next event when half of what is under way is done. */
		waiting = q->tx_ring.req_prod_pvt - q->tx_ring.rsp_cons;
		q->tx_ring.sring->rsp_event = q->tx_ring.rsp_cons + (waiting >> 1) + 1;
		virt_mb();
	} while (!q->broken && READ_ONCE(q->tx_ring.sring->rsp_prod) != q->tx_ring.rsp_cons);
	if (!q->broken && netif_tx_queue_stopped(txq) && tx_has_room(q) &&
	    netif_running(q->nic->dev) && q->nic->live)
		netif_tx_wake_queue(txq);
	spin_unlock_irq(&q->tx_lock);
}

void tx_close(struct net_queue *q)
{
	unsigned int i;

	for (i = 0; i < TX_SIZE; i++) {
		tx_slot_reclaim(&q->tx[i]);
		shared_free(&q->tx[i].own);
	}
}
