/* SPDX-License-Identifier: BSD-2-Clause */
/* The messages of proto/node.proto that syncd sends, made from the core's state; no I/O. */
#ifndef HF_SYNCD_NODE_MESSAGE_H
#define HF_SYNCD_NODE_MESSAGE_H

#include "proto/node.pb-c.h"
#include "syncd/core/sync.h"

/* Of what the core does not know. */
struct hf_node_facts {
	const char *cluster;
	bool insecure;
	bool served; /* lbnode is connected */
	const uint8_t *key_ids;
	uint32_t key_count;
	uint64_t up_ms; /* since it started */
};

/* Each packs one FromSync into `out` of `size` bytes; its length, 0 when it does not fit. */
size_t hf_node_pack(const Holdfast__FromSync *message, uint8_t *out, size_t size);
size_t hf_node_pack_owners(const struct hf_sync *sync, hf_time now, uint8_t *out, size_t size);
size_t hf_node_pack_status(const struct hf_sync *sync, const struct hf_node_facts *facts,
			   hf_time now, uint8_t *out, size_t size);
#define HF_NODE_KEEP_MOST 2048
size_t hf_node_pack_keep(const struct hf_sync *sync, const struct hf_record *records,
			 uint32_t count, hf_time now, uint8_t *out, size_t size);
#define HF_NODE_BOARD_MOST 64
size_t hf_node_pack_board(const struct hf_sync *sync, const struct hf_notice *const *notices,
			  uint32_t count, hf_time now, uint8_t *out, size_t size);
size_t hf_node_pack_told(const struct hf_sync *sync, uint32_t ticket,
			 const struct hf_record *records, uint32_t count, bool all, hf_time now,
			 uint8_t *out, size_t size);

#endif
