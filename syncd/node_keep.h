/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lbnode has yet to be told of the records that this node keeps: the newest ones by
 * themselves, and whole shards, where it is too far behind for that. So the room it takes is
 * bounded, however slow lbnode may be. No I/O.
 */
#ifndef HF_SYNCD_NODE_KEEP_H
#define HF_SYNCD_NODE_KEEP_H

#include "syncd/core/sync.h"
#include "syncd/node_message.h"

struct hf_node_keep {
	struct hf_record record[HF_NODE_KEEP_MOST]; /* the next packet */
	uint32_t count;
	struct hf_shard_set due;
	uint32_t shard, cursor; /* of those that are due: where to go on */
};

/* Everything is due. */
void hf_node_keep_all(struct hf_node_keep *keep);

void hf_node_keep_add(struct hf_node_keep *keep, const struct hf_record *record);

/* How many records are to be sent now, from keep->record on; 0: none. When they are sent, the
 * caller sets keep->count to 0. */
uint32_t hf_node_keep_next(struct hf_node_keep *keep, const struct hf_sync *sync);

#endif
