/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * An outer block device: blk.c makes and connects it, blk_io.c moves requests through its rings.
 *
 * A request's id is its blk-mq tag, below the ring's size. `lock` of a ring guards the ring, rq[] and `live`; a request in rq[] is
 * the back end's and no one else completes it.
 */
#ifndef BLANKET_BLK_H
#define BLANKET_BLK_H

#include <linux/blk-mq.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <xen/page.h>
#include <xen/interface/io/blkif.h>
#include "blanket.h"

#define DIRECT_SEGMENTS BLKIF_MAX_SEGMENTS_PER_REQUEST
#define MAX_RINGS	16

struct blk_ring {
	struct blk *blk;
	unsigned int index;
	spinlock_t lock;
	bool live; /* may requests be put into it? */
	struct blkif_front_ring front;
	struct shared shared;
	int port;
	struct request **rq;	 /* by id, NULL: not the back end's */
	struct shared *indirect; /* by id, one page each */
	struct scatterlist *sg;	 /* of the request that is being put in, */
	grant_ref_t *refs;	 /* and its grants */
};

struct blk {
	struct front *front;
	struct gendisk *disk;
	struct blk_mq_tag_set tags;
	struct blk_ring rings[MAX_RINGS];
	unsigned int nr_rings, ring_pages, depth, max_segments;
	unsigned int vdev, letter;
	u8 flush_op; /* 0: the back end has none */
	bool discard, secure_discard;
	bool quiesced;
	bool dead; /* there will be no connection again */
	struct work_struct add_work;
};

struct blk_pdu {
	blk_status_t status;
	unsigned int nr;
	struct blk_segment {
		struct page *page; /* what the back end is given */
		grant_ref_t ref;
		bool bounced; /* it stands for a part of another one */
	} segment[];
};

extern const struct blk_mq_ops blk_mq_ops;
bool ring_event(void *ring);
void ring_drop_requests(struct blk_ring *ring, bool for_good);

#endif
