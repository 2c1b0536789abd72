/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which members own which shard: for each shard the R members with the highest scores, a hash of
 * shard and member (rendezvous hashing, Thaler and Ravishankar 1998). A function of the set of
 * members alone: whatever changes led to a set, its table is the same. When one is added, or taken
 * out, no shard moves that it does not own after, or before.
 */
#ifndef HF_SYNC_OWNERS_H
#define HF_SYNC_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "syncd/core/member.h"
#include "lib/record.h"

#define HF_REPLICAS_MAX 3

/* Best first; 0: there are not so many members. */
struct hf_owners {
	uint32_t replicas;
	uint32_t count;
	uint64_t members[HF_MEMBERS_MAX]; /* ids, in no order */
	uint64_t view;			  /* digest of the set; 0: nobody */
	uint64_t owner[HF_SHARDS][HF_REPLICAS_MAX];
};

void hf_owners_init(struct hf_owners *owners, uint32_t replicas);

bool hf_owners_has(const struct hf_owners *owners, uint64_t id);

/* Nothing if it is in, or not. */
void hf_owners_add(struct hf_owners *owners, uint64_t id);
void hf_owners_remove(struct hf_owners *owners, uint64_t id);

/* Whether id is an owner of the shard. */
bool hf_owners_owns(const struct hf_owners *owners, uint32_t shard, uint64_t id);

#endif
