/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the data plane's maps true to the configuration and to the network: which backends there
 * are, which way each of them is reached, and which pool's table serves which service.
 *
 * Functions return 0 or a negative errno, and have then logged why. Times are milliseconds of
 * a monotonic clock.
 */
#ifndef HF_LBNODE_FORWARDING_H
#define HF_LBNODE_FORWARDING_H

#include <stdbool.h>
#include <stdint.h>

#include "lbnode/backends.h"
#include "lbnode/cluster.h"
#include "lbnode/dataplane.h"
#include "lbnode/netlink.h"
#include "lbnode/path_mtu.h"
#include "lbnode/pools.h"
#include "lbnode/sweeper.h"
#include "lib/keys.h"

struct hf_forwarding;

/* Borrows all three for its life. NULL: no memory. */
struct hf_forwarding *hf_forwarding_new(struct hf_dataplane *dataplane, struct hf_netlink *netlink,
					struct hf_backends *backends);
void hf_forwarding_delete(struct hf_forwarding *forwarding);

/*
 * Puts a configuration in force; `former` is the one until now, or NULL. When this fails,
 * the former one stays. Both stay the caller's; `config` must live as long as it is in force.
 */
int hf_forwarding_apply(struct hf_forwarding *forwarding, const struct hf_config *config,
			const struct hf_config *former, int64_t now);

/* Reads the kernel's news and follows them. */
int hf_forwarding_follow(struct hf_forwarding *forwarding);

/* Takes a router's word that the way to a tunnel's end is narrower than it seemed. */
void hf_forwarding_learn(struct hf_forwarding *forwarding, const struct hf_path_news *news,
			 int64_t now);

/* Puts in force what was learnt since the last time: often, for it costs nothing when there is
 * none. */
int hf_forwarding_refresh(struct hf_forwarding *forwarding);

/* Whether the way to a backend is known, so that it can be forwarded to. */
bool hf_forwarding_reaches(const struct hf_forwarding *forwarding, uint16_t backend);

/* How many next hops are in use, but not resolved. */
uint32_t hf_forwarding_unresolved(const struct hf_forwarding *forwarding);

/* After a whole sweep: drained backends go, and path MTUs that have been believed for long enough.
 */
void hf_forwarding_swept(struct hf_forwarding *forwarding, const struct hf_sweeper *sweeper,
			 int64_t now);

const struct hf_pools *hf_forwarding_pools(const struct hf_forwarding *forwarding);
const struct hf_cluster *hf_forwarding_cluster(const struct hf_forwarding *forwarding);

/* A former agent's table of a pool; see hf_pools_adopt(). */
void hf_forwarding_adopt_pool(struct hf_forwarding *forwarding, const struct hf_config_pool *pool,
			      struct hf_slot *slots);

/* What a former agent knew of the other nodes, until syncd speaks. */
void hf_forwarding_adopt_cluster(struct hf_forwarding *forwarding, const struct hf_cluster *former);

/* What syncd says of the other nodes, and the keys to talk to them. */
int hf_forwarding_set_cluster(struct hf_forwarding *forwarding, const struct hf_cluster_news *news);
void hf_forwarding_set_keys(struct hf_forwarding *forwarding, const struct hf_key_ring *keys);

#endif
