/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what syncd says of the other nodes to the data plane's table of them (struct hf_cluster):
 * whose envelopes are taken, and whom to ask for which flow. No I/O.
 *
 * A node that does not own a shard asks its owners, then its previous owners. One that owns it, and
 * so would know, asks the previous owners first, which may have more, then the other owners. Nodes
 * that are suspected to be dead come last.
 */
#ifndef HF_LBNODE_CLUSTER_H
#define HF_LBNODE_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lbnode/bpf/types.h"
#include "lib/address.h"

struct hf_cluster_member {
	uint64_t id;
	struct hf_address address;
	bool ready; /* not suspected to be dead */
	bool gone;  /* nobody to ask; but envelopes come from it */
};

/* Owners are indices into members; more than there are: none. */
struct hf_cluster_news {
	uint64_t self;
	uint32_t epoch;
	struct hf_cluster_member member[HF_MAX_PEERS];
	uint32_t member_count;
	uint32_t replicas;		/* of `now` and `previous`, for each shard */
	const uint16_t *now, *previous; /* previous NULL: handed over */
};

/* Fills the table but for keys and next hops. -ENOENT when this node is not among the members,
 * -ENOSPC when so many addresses can't be told apart. */
int hf_cluster_build(struct hf_cluster *cluster, const struct hf_cluster_news *news);

/* Whether this node owns a shard, or did before the last change, which is not handed over yet. */
bool hf_cluster_owns(const struct hf_cluster_news *news);

/* Whether another node owns a shard. */
bool hf_cluster_has_others(const struct hf_cluster_news *news);

#endif
