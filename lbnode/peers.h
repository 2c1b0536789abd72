/* SPDX-License-Identifier: BSD-2-Clause */
/* The other nodes, in the data plane: their table, kept right as the ways to them change. */
#ifndef HF_LBNODE_PEERS_H
#define HF_LBNODE_PEERS_H

#include "lbnode/cluster.h"
#include "lbnode/dataplane.h"
#include "lbnode/netlink.h"
#include "lbnode/ways.h"
#include "lib/keys.h"

struct hf_peers;

/* NULL: no memory. */
struct hf_peers *hf_peers_new(struct hf_dataplane *dataplane, struct hf_netlink *netlink);
void hf_peers_delete(struct hf_peers *peers);

/* The keys that envelopes are tagged with, and understood by. */
void hf_peers_set_keys(struct hf_peers *peers, const struct hf_key_ring *keys);

/* What the agent before this one was told by its syncd: it holds until syncd says something else,
 * so that a restart makes no node believe that it is alone. */
void hf_peers_adopt(struct hf_peers *peers, const struct hf_cluster *former);

/* What syncd says; then the caller has the ways claimed and the table written. */
int hf_peers_set(struct hf_peers *peers, const struct hf_cluster_news *news);

/* Asks the kernel for the ways to the peers. 0 or a negative errno. */
int hf_peers_query(struct hf_peers *peers);

/* As a backend's: claims each peer's way; then, when ways are written, writes the table if it has
 * changed. */
void hf_peers_claim(struct hf_peers *peers, struct hf_ways *ways);
int hf_peers_write(struct hf_peers *peers);

/* The table as it was written last. */
const struct hf_cluster *hf_peers_cluster(const struct hf_peers *peers);

#endif
