/* SPDX-License-Identifier: BSD-2-Clause */
/* What the messages of the node's other programs do (proto/node.proto, ToSync); no I/O. */
#ifndef HF_SYNCD_NODE_TAKE_H
#define HF_SYNCD_NODE_TAKE_H

#include "syncd/core/sync.h"

enum hf_node_taken {
	HF_NODE_TAKEN,
	HF_NODE_GREETED, /* lbnode has said hello: from now on the sender is it */
	HF_NODE_STATE,	 /* what lbnode said in its hello has changed */
	HF_NODE_ASKED,	 /* for status */
	HF_NODE_REFUSED, /* not understood, or not allowed: the connection is to be closed */
	HF_NODE_VERSION, /* the same, since it speaks another protocol */
	HF_NODE_ASKS,	 /* about flows: `ticket` and `digests` */
	HF_NODE_OTHER,	 /* what an operator's command says: hf_node_command() */
};

/* What lbnode says of itself. */
struct hf_node_hello {
	char program[64];
	uint32_t protocol;
	uint64_t config, tables;
	bool serving;
};

struct hf_node_news {
	struct hf_node_hello hello; /* of HF_NODE_GREETED, HF_NODE_STATE and HF_NODE_VERSION */
	/* Of HF_NODE_ASKS. */
	uint32_t ticket;
	uint32_t digest_count;
	uint64_t digests[HF_SYNC_LOOKUP_MAX];
	uint32_t exported; /* records: so much credit is used up */
};

/* Takes one packet. Exports are lbnode's alone; they are made at once. */
enum hf_node_taken hf_node_take(struct hf_sync *sync, const uint8_t *packet, size_t length,
				bool is_lbnode, struct hf_node_news *news, hf_time now);

#endif
