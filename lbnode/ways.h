/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data plane's next hops: which entry stands for which way, who uses it, and what is written
 * there. An entry is a route's device, neighbour and MTU; backends behind one router share it.
 *
 * They change in rounds: every backend claims the way it goes by, claimed ways are written, then
 * the backends that name them, then ways that nobody claimed are released. So no backend ever names
 * an entry that is not filled.
 */
#ifndef HF_LBNODE_WAYS_H
#define HF_LBNODE_WAYS_H

#include <stdint.h>

#include "lbnode/dataplane.h"
#include "lbnode/netlink.h"
#include "lbnode/network.h"

#define HF_NO_WAY 0 /* its entry is always empty */

struct hf_ways;

/* Borrows all three for its life. NULL: no memory. */
struct hf_ways *hf_ways_new(struct hf_dataplane *dataplane, struct hf_netlink *netlink,
			    const struct hf_network *network);
void hf_ways_delete(struct hf_ways *ways);

/* The entry of the way that a route takes; HF_NO_WAY: the route leads nowhere, or there are no more
 * entries. */
uint32_t hf_ways_claim(struct hf_ways *ways, const struct hf_route *route);

/* Writes what has changed of the claimed ways, and has the kernel keep their neighbours resolved.
 * 0 or a negative errno, logged. */
int hf_ways_write(struct hf_ways *ways);

/* Ends the round: empties entries that nobody claimed. 0 or a negative errno, logged. */
int hf_ways_release(struct hf_ways *ways);

/* The most that goes by an entry; 0 if it is not resolved. */
uint32_t hf_ways_mtu(const struct hf_ways *ways, uint32_t id);

/* How many ways are in use, but not resolved. */
uint32_t hf_ways_unresolved(const struct hf_ways *ways);

#endif
