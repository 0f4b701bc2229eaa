// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Requests into the rings of an outer block device and responses out of them.
 *
 * Grants are given for each request and ended at its response: that costs us two memory writes a page. Persistent grants would
 * spare the back end a mapping and cost us a copy of every byte, on the machine that has less to spare: they are not used.
 *
 * A grant is of a whole page, and what else lies in that is none of the back end's business, which in a read could also change it:
 * of a page of which only a part is read or written, it gets a page that has nothing else.
 */
#include <linux/nospec.h>
#include "blk.h"

/* --- Requests ----------------------------------------------------------------------------------------- */

static u8 request_op(struct blk *blk, struct request *rq)
{
	switch (req_op(rq)) {
	case REQ_OP_READ:
		return BLKIF_OP_READ;
	case REQ_OP_WRITE:
		return BLKIF_OP_WRITE;
	case REQ_OP_FLUSH:
		return blk->flush_op;
	default:
		return BLKIF_OP_DISCARD;
	}
}

static void segment_copy(struct page *to, struct page *from, struct scatterlist *sg)
{
	memcpy(page_address(to) + sg->offset, page_address(from) + sg->offset, sg->length);
}

static void request_fill_segments(struct blk_ring *ring, struct request *rq,
				  struct blkif_request_segment *seg)
{
	struct blk_pdu *pdu = blk_mq_rq_to_pdu(rq);
	bool to_device = rq_data_dir(rq) == WRITE;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg (ring->sg, sg, pdu->nr, i) {
		struct blk_segment *s = &pdu->segment[i];

		if (s->bounced && to_device)
			segment_copy(s->page, sg_page(sg), sg);
		grant_give(s->ref, ring->blk->front->peer, s->page, to_device);
		seg[i] = (struct blkif_request_segment){
			.gref = s->ref,
			.first_sect = sg->offset >> SECTOR_SHIFT,
			.last_sect = ((sg->offset + sg->length) >> SECTOR_SHIFT) - 1,
		};
	}
}

static void request_put_rw(struct blk_ring *ring, struct request *rq, struct blkif_request *req)
{
	struct blk_pdu *pdu = blk_mq_rq_to_pdu(rq);
	struct shared *page;

	if (pdu->nr <= DIRECT_SEGMENTS) {
		req->operation = request_op(ring->blk, rq);
		req->u.rw.nr_segments = pdu->nr;
		req->u.rw.handle = ring->blk->vdev;
		req->u.rw.id = rq->tag;
		req->u.rw.sector_number = pdu->nr ? blk_rq_pos(rq) : 0;
		request_fill_segments(ring, rq, req->u.rw.seg);
		return;
	}
	page = &ring->indirect[rq->tag];
	req->operation = BLKIF_OP_INDIRECT;
	req->u.indirect.indirect_op = request_op(ring->blk, rq);
	req->u.indirect.nr_segments = pdu->nr;
	req->u.indirect.id = rq->tag;
	req->u.indirect.sector_number = blk_rq_pos(rq);
	req->u.indirect.handle = ring->blk->vdev;
	req->u.indirect.indirect_grefs[0] = page->ref[0];
	request_fill_segments(ring, rq, page->va);
}

static void request_put_discard(struct blk *blk, struct request *rq, struct blkif_request *req)
{
	req->operation = BLKIF_OP_DISCARD;
	req->u.discard.flag = req_op(rq) == REQ_OP_SECURE_ERASE ? BLKIF_DISCARD_SECURE : 0;
	req->u.discard.id = rq->tag;
	req->u.discard.sector_number = blk_rq_pos(rq);
	req->u.discard.nr_sectors = blk_rq_sectors(rq);
}

static void request_free_bounced(struct blk_pdu *pdu)
{
	unsigned int i;

	for (i = 0; i < pdu->nr; i++)
		if (pdu->segment[i].bounced)
			__free_page(pdu->segment[i].page);
	pdu->nr = 0;
}

/* The pages, and grants for them, not yet given. */
static int request_take_pages(struct blk_ring *ring, struct blk_pdu *pdu, unsigned int nr)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg (ring->sg, sg, nr, i) {
		struct blk_segment *s = &pdu->segment[i];

		s->bounced = sg->length != PAGE_SIZE;
		s->page = s->bounced ? alloc_page(GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO)
				     : sg_page(sg);
		if (!s->page)
			break;
		pdu->nr++;
	}
	if (i < nr || grant_reserve(ring->refs, nr)) {
		request_free_bounced(pdu);
		return -ENOSPC;
	}
	for (i = 0; i < nr; i++)
		pdu->segment[i].ref = ring->refs[i];
	return 0;
}

static int request_reserve(struct blk_ring *ring, struct request *rq)
{
	struct blk_pdu *pdu = blk_mq_rq_to_pdu(rq);

	pdu->nr = 0;
	if (!blk_rq_nr_phys_segments(rq) ||
	    (req_op(rq) != REQ_OP_READ && req_op(rq) != REQ_OP_WRITE))
		return 0;
	if (blk_rq_nr_phys_segments(rq) > ring->blk->max_segments)
		return -EINVAL;
	sg_init_table(ring->sg, ring->blk->max_segments);
	return request_take_pages(ring, pdu, blk_rq_map_sg(rq->q, rq, ring->sg));
}

static void ring_notify(struct blk_ring *ring)
{
	bool notify;

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&ring->front, notify);
	if (notify)
		event_send(ring->port);
}

static blk_status_t ring_put(struct blk_ring *ring, struct request *rq)
{
	struct blkif_request *req;
	int rc;

	if (!ring->live)
		return ring->blk->dead ? BLK_STS_IOERR : BLK_STS_RESOURCE;
	if (req_op(rq) == REQ_OP_FLUSH && !ring->blk->flush_op)
		return BLK_STS_NOTSUPP;
	rc = request_reserve(ring, rq);
	if (rc)
		return rc == -ENOSPC ? BLK_STS_RESOURCE : BLK_STS_IOERR;
	blk_mq_start_request(rq);
	/* There is room: there are no more tags than places. */
	req = RING_GET_REQUEST(&ring->front, ring->front.req_prod_pvt);
	if (req_op(rq) == REQ_OP_DISCARD || req_op(rq) == REQ_OP_SECURE_ERASE)
		request_put_discard(ring->blk, rq, req);
	else
		request_put_rw(ring, rq, req);
	ring->rq[rq->tag] = rq;
	ring->front.req_prod_pvt++;
	return BLK_STS_OK;
}

static blk_status_t blk_queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *bd)
{
	struct blk_ring *ring = hctx->driver_data;
	unsigned long flags;
	blk_status_t status;

	spin_lock_irqsave(&ring->lock, flags);
	status = ring_put(ring, bd->rq);
	if (ring->live && bd->last)
		ring_notify(ring);
	spin_unlock_irqrestore(&ring->lock, flags);
	return status;
}

static void blk_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	struct blk_ring *ring = hctx->driver_data;
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	if (ring->live)
		ring_notify(ring);
	spin_unlock_irqrestore(&ring->lock, flags);
}

static void blk_complete(struct request *rq)
{
	struct blk_pdu *pdu = blk_mq_rq_to_pdu(rq);

	blk_mq_end_request(rq, pdu->status);
}

static int blk_init_hctx(struct blk_mq_hw_ctx *hctx, void *data, unsigned int index)
{
	struct blk *blk = data;

	hctx->driver_data = &blk->rings[index];
	return 0;
}

const struct blk_mq_ops blk_mq_ops = {
	.queue_rq = blk_queue_rq,
	.commit_rqs = blk_commit_rqs,
	.complete = blk_complete,
	.init_hctx = blk_init_hctx,
};

/* --- Responses ---------------------------------------------------------------------------------------- */

/* False: the peer still has a page of it mapped. */
static bool request_end_grants(struct blk_pdu *pdu)
{
	bool ended = true;
	unsigned int i;

	for (i = 0; i < pdu->nr; i++)
		ended &= grant_end(pdu->segment[i].ref, pdu->segment[i].page);
	return ended;
}

/* With the ring's lock: what was read in place of the request's own pages goes there. */
static void request_copy_back(struct blk_ring *ring, struct request *rq)
{
	struct blk_pdu *pdu = blk_mq_rq_to_pdu(rq);
	struct scatterlist *sg;
	unsigned int i;

	for (i = 0; i < pdu->nr && !pdu->segment[i].bounced; i++)
		;
	if (i == pdu->nr || req_op(rq) != REQ_OP_READ)
		return;
	sg_init_table(ring->sg, ring->blk->max_segments);
	blk_rq_map_sg(rq->q, rq, ring->sg);
	for_each_sg (ring->sg, sg, pdu->nr, i)
		if (pdu->segment[i].bounced)
			segment_copy(sg_page(sg), pdu->segment[i].page, sg);
}

static blk_status_t response_status(struct blk *blk, struct request *rq, s16 status)
{
	if (status == BLKIF_RSP_OKAY)
		return BLK_STS_OK;
	if (status != BLKIF_RSP_EOPNOTSUPP)
		return BLK_STS_IOERR;
	if (req_op(rq) == REQ_OP_FLUSH) {
		blk->flush_op = 0;
		blk_queue_write_cache(rq->q, false, false);
	} else if (req_op(rq) == REQ_OP_DISCARD) {
		blk_queue_max_discard_sectors(rq->q, 0);
	} else if (req_op(rq) == REQ_OP_SECURE_ERASE) {
		blk_queue_max_secure_erase_sectors(rq->q, 0);
	}
	return BLK_STS_NOTSUPP;
}

/* With the ring's lock. False: not a response to anything we asked. */
static bool ring_take(struct blk_ring *ring, const struct blkif_response *rsp)
{
	u64 id = rsp->id;
	struct blk_pdu *pdu;
	struct request *rq;

	if (id >= ring->blk->depth)
		return false;
	id = array_index_nospec(id, ring->blk->depth);
	rq = ring->rq[id];
	if (!rq)
		return false;
	ring->rq[id] = NULL;
	pdu = blk_mq_rq_to_pdu(rq);
	pdu->status = response_status(ring->blk, rq, rsp->status);
	if (!request_end_grants(pdu)) {
		pdu->status = BLK_STS_IOERR;
		front_fault(ring->blk->front, "answered a request and keeps its pages");
	} else if (pdu->status == BLK_STS_OK) {
		request_copy_back(ring, rq);
	}
	request_free_bounced(pdu);
	blk_mq_complete_request(rq);
	return true;
}

/* How many responses there were; negative: the device is at fault. */
static int ring_reap(struct blk_ring *ring)
{
	RING_IDX prod = READ_ONCE(ring->front.sring->rsp_prod), start = ring->front.rsp_cons;

	virt_rmb(); /* the index before the responses */
	if (prod - start > RING_SIZE(&ring->front)) {
		front_fault(ring->blk->front, "sets an impossible ring index");
		return -EIO;
	}
	while (ring->front.rsp_cons != prod) {
		struct blkif_response rsp;

		RING_COPY_RESPONSE(&ring->front, ring->front.rsp_cons, &rsp);
		if (!ring_take(ring, &rsp)) {
			front_fault(ring->blk->front, "answers what was not asked (id %llu)",
				    rsp.id);
			return -EIO;
		}
		ring->front.rsp_cons++;
	}
	return prod - start;
}

/*
 * All that there is. Ends: each round after the first takes a request that is the back end's, or the index went back, and no new
 * requests come in meanwhile.
 */
static int ring_reap_all(struct blk_ring *ring)
{
	int n = ring_reap(ring), taken = n, more = 0;

	while (n >= 0) {
		RING_FINAL_CHECK_FOR_RESPONSES(&ring->front, more);
		if (!more)
			return taken;
		n = ring_reap(ring);
		taken += n;
		if (!n) {
			front_fault(ring->blk->front, "takes a ring index back");
			n = -EIO;
		}
	}
	return n;
}

bool ring_event(void *data)
{
	struct blk_ring *ring = data;
	int rc = 0;

	spin_lock(&ring->lock);
	if (ring->live)
		rc = ring_reap_all(ring);
	if (rc < 0)
		ring->live = false;
	spin_unlock(&ring->lock);
	return rc > 0;
}

/* What the back end had and will not answer. */
void ring_drop_requests(struct blk_ring *ring, bool for_good)
{
	unsigned int id;

	for (id = 0; ring->rq && id < ring->blk->depth; id++) {
		struct request *rq = ring->rq[id];
		struct blk_pdu *pdu;

		if (!rq)
			continue;
		ring->rq[id] = NULL;
		pdu = blk_mq_rq_to_pdu(rq);
		request_end_grants(pdu);
		request_free_bounced(pdu);
		pdu->status = BLK_STS_IOERR;
		if (for_good)
			blk_mq_complete_request(rq);
		else
			blk_mq_requeue_request(rq, false);
	}
}
