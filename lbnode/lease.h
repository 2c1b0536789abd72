/* SPDX-License-Identifier: BSD-2-Clause */
/* What this node can serve, VIP by VIP: what lbbgp announces by (proto/bgp.proto). No I/O. */
#ifndef HF_LBNODE_LEASE_H
#define HF_LBNODE_LEASE_H

#include <stdbool.h>

#include "lbnode/plan.h"

/* Of that service of a VIP that lacks most. */
struct hf_lease_vip {
	struct hf_address address;
	uint32_t usable;    /* backends that are up and may serve, as all nodes agree */
	uint32_t reachable; /* those of them that this node reaches */
	uint32_t needed;
	uint32_t open; /* that are not disabled */
	uint32_t ways; /* of those, to how many the way is known */
	int64_t spare; /* what it has more than that */
	char service[24];
};

/* Whether this node knows the way to a backend, and whether its own checks of it succeed. */
typedef void (*hf_lease_look)(void *context, const struct hf_config_pool *pool,
			      const struct hf_config_backend *backend, bool *way, bool *good);

/* Fills vips[0..service_count-1], in the order of their addresses: how many there are, or
 * -ENOMEM. */
int hf_lease_fill(const struct hf_plan *plan, hf_lease_look look, void *context,
		  struct hf_lease_vip *vips);

#endif
