// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Receiving, in NAPI's context: empty pages are granted in turn and come back filled in that order, which the protocol implies (its
 * extra slots have no id) and which is checked. A page that the peer still has mapped could change under the stack: it is
 * never passed on, and ends the device.
 */
#include "net.h"

#define MAX_EXTRAS (XEN_NETIF_EXTRA_TYPE_MAX - 1)
#define COPY_BREAK 256

static bool rx_give_page(struct net_queue *q)
{
	struct xen_netif_rx_request *req;
	unsigned int id = q->rx_ring.req_prod_pvt % RX_SIZE;
	struct net_slot *slot = &q->rx[id];
	/* The peer reads what it does not write, too. */
	struct page *page = __dev_alloc_page(GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO);

	if (!page)
		return false;
	if (grant_reserve(&slot->ref, 1)) {
		__free_page(page);
		return false;
	}
	slot->page = page;
	grant_give(slot->ref, q->nic->front->peer, page, false);
	req = RING_GET_REQUEST(&q->rx_ring, q->rx_ring.req_prod_pvt++);
	*req = (struct xen_netif_rx_request){.id = id, .gref = slot->ref};
	return true;
}

void rx_fill(struct net_queue *q)
{
	bool notify;

	while (RING_FREE_REQUESTS(&q->rx_ring) && !q->rx[q->rx_ring.req_prod_pvt % RX_SIZE].page)
		if (!rx_give_page(q)) {
			mod_timer(&q->refill, jiffies + REFILL_TIME);
			break;
		}
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&q->rx_ring, notify);
	if (notify)
		event_send(q->port);
}

/* The page of the next response, ours again; NULL: the peer has it mapped, or it was not the peer's. */
static struct page *rx_take_page(struct net_queue *q, RING_IDX index)
{
	struct net_slot *slot = &q->rx[index % RX_SIZE];
	struct page *page = slot->page;

	slot->page = NULL;
	if (page && grant_end(slot->ref, page))
		return page;
	if (page)
		__free_page(page); /* the deferred grant holds its own count */
	queue_break(q, "keeps a page that it filled", index);
	return NULL;
}

struct rx_packet {
	struct sk_buff *skb;
	u16 flags;
	u16 gso_size;
	u8 gso_type;
	bool bad; /* to be dropped */
};

static void rx_take_extras(struct net_queue *q, struct rx_packet *p, RING_IDX prod)
{
	struct xen_netif_extra_info extra;
	unsigned int n = 0;
	struct page *page;

	do {
		if (q->rx_ring.rsp_cons == prod || n++ == MAX_EXTRAS) {
			queue_break(q, "sends a packet without end", n);
			return;
		}
		extra = *(volatile struct xen_netif_extra_info *)RING_GET_RESPONSE(
			&q->rx_ring, q->rx_ring.rsp_cons);
		page = rx_take_page(q, q->rx_ring.rsp_cons++);
		if (!page)
			return;
		__free_page(page);
		if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO) {
			p->gso_size = extra.u.gso.size;
			p->gso_type = extra.u.gso.type;
			p->bad |= !p->gso_size || (p->gso_type != XEN_NETIF_GSO_TYPE_TCPV4 &&
						   p->gso_type != XEN_NETIF_GSO_TYPE_TCPV6);
		}
	} while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
}

/* The packet's head is copied, so that small packets cost no page; the rest of it stays where it is. */
static void rx_add(struct net_queue *q, struct rx_packet *p, struct page *page, unsigned int offset,
		   unsigned int len)
{
	unsigned int head = 0;

	if (!p->skb && !p->bad) {
		p->skb = napi_alloc_skb(&q->napi, COPY_BREAK);
		if (p->skb) {
			head = min_t(unsigned int, len, COPY_BREAK);
			skb_put_data(p->skb, page_address(page) + offset, head);
		}
	}
	if (!p->skb || p->bad || skb_shinfo(p->skb)->nr_frags >= MAX_SKB_FRAGS) {
		p->bad = true;
		__free_page(page);
	} else if (head < len) {
		skb_add_rx_frag(p->skb, skb_shinfo(p->skb)->nr_frags, page, offset + head,
				len - head, PAGE_SIZE);
	} else {
		__free_page(page);
	}
}

/* One slot; false: the queue is broken. */
static bool rx_take_slot(struct net_queue *q, struct rx_packet *p, RING_IDX prod, bool first)
{
	RING_IDX index = q->rx_ring.rsp_cons++;
	struct xen_netif_rx_response rsp;
	struct page *page;

	RING_COPY_RESPONSE(&q->rx_ring, index, &rsp);
	if (rsp.id != index % RX_SIZE) {
		queue_break(q, "fills a page out of turn", rsp.id);
		return false;
	}
	page = rx_take_page(q, index);
	if (!page)
		return false;
	if (first)
		p->flags = rsp.flags;
	if (first && rsp.flags & XEN_NETRXF_extra_info)
		rx_take_extras(q, p, prod);
	if (rsp.status < 0 || rsp.offset + rsp.status > PAGE_SIZE) {
		p->bad = true;
		__free_page(page);
	} else {
		rx_add(q, p, page, rsp.offset, rsp.status);
	}
	if (!(rsp.flags & XEN_NETRXF_more_data))
		p->flags &= ~XEN_NETRXF_more_data;
	return !q->broken;
}

static bool rx_finish(struct nic *nic, struct rx_packet *p)
{
	struct sk_buff *skb = p->skb;
	bool blank = p->flags & XEN_NETRXF_csum_blank;

	/* The first piece may be shorter than a header. */
	if (p->bad || !skb || !netif_running(nic->dev) || !pskb_may_pull(skb, ETH_HLEN))
		return false;
	if (p->flags & XEN_NETRXF_data_validated)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->protocol = eth_type_trans(skb, nic->dev);
	skb_reset_network_header(skb);
	if (p->gso_size) {
		skb_shinfo(skb)->gso_size = p->gso_size;
		skb_shinfo(skb)->gso_type =
			p->gso_type == XEN_NETIF_GSO_TYPE_TCPV4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
		skb_shinfo(skb)->gso_type |=
			SKB_GSO_DODGY; /* the stack looks at its headers itself */
	}
	if (blank || p->gso_size) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		/* A large packet needs its pseudo header's sum whatever the peer says. */
		if (skb_checksum_setup(skb, p->gso_size && !blank))
			return false;
	}
	return true;
}

/* A whole packet; false: the queue is broken. */
static bool rx_take_packet(struct net_queue *q, RING_IDX prod)
{
	struct net_device *dev = q->nic->dev;
	struct rx_packet p = {.flags = XEN_NETRXF_more_data};
	bool first = true, ok;

	do {
		if (q->rx_ring.rsp_cons == prod) {
			queue_break(q, "sends half a packet", prod);
			break;
		}
		ok = rx_take_slot(q, &p, prod, first);
		first = false;
	} while (ok && p.flags & XEN_NETRXF_more_data);
	if (!q->broken && rx_finish(q->nic, &p)) {
		dev_sw_netstats_rx_add(dev, p.skb->len + ETH_HLEN);
		napi_gro_receive(&q->napi, p.skb);
		return true;
	}
	dev->stats.rx_dropped++;
	if (p.skb)
		kfree_skb(p.skb);
	return !q->broken;
}

int rx_take(struct net_queue *q, int budget)
{
	RING_IDX prod = READ_ONCE(q->rx_ring.sring->rsp_prod);
	int done = 0;

	virt_rmb(); /* the index before the responses */
	if (prod - q->rx_ring.rsp_cons > q->rx_ring.req_prod_pvt - q->rx_ring.rsp_cons) {
		queue_break(q, "sets an impossible index of its receiving ring", prod);
		return 0;
	}
	while (done < budget && q->rx_ring.rsp_cons != prod) {
		done++;
		if (!rx_take_packet(q, prod))
			break;
	}
	return done;
}
