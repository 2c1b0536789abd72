// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/node_keep.h"

void hf_node_keep_all(struct hf_node_keep *k)
{
	k->count = k->shard = k->cursor = 0;
	k->due = hf_all_shards;
}

void hf_node_keep_add(struct hf_node_keep *k, const struct hf_record *record)
{
	uint32_t shard = hf_shard(record->key);

	/* It will be read, whatever it says by then. */
	if (hf_shard_in(&k->due, shard) && !(shard == k->shard && k->cursor))
		return;
	if (k->count < HF_NODE_KEEP_MOST) {
		k->record[k->count++] = *record;
		return;
	}
	hf_shard_add(&k->due, shard);
	if (shard == k->shard)
		k->cursor = 0;
}

uint32_t hf_node_keep_next(struct hf_node_keep *k, const struct hf_sync *sync)
{
	while (k->count < HF_NODE_KEEP_MOST) {
		uint32_t next = hf_shard_next(&k->due, k->shard), got;

		if (next == HF_SHARDS)
			next = hf_shard_next(&k->due, 0);
		if (next == HF_SHARDS)
			break;
		if (next != k->shard)
			k->cursor = 0;
		k->shard = next;
		got = hf_sync_read(sync, next, &k->cursor, k->record + k->count,
				   HF_NODE_KEEP_MOST - k->count);
		k->count += got;
		if (!got) {
			hf_shard_remove(&k->due, next);
			k->cursor = 0;
		}
	}
	return k->count;
}
