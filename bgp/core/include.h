/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of the file that BIRD's configuration includes: two protocols of ours, HF_BIRD_STATIC
 * and the family, with a route for each VIP that is announced. No I/O.
 *
 * The routes lead to a network device that goes when nobody holds it any more (bgp/device.h), and
 * carry the attributes of their announcement themselves, so that nothing else of BIRD's
 * configuration ever has to change (what an export filter added would not be sent again to peers
 * that have the route already).
 *
 *  - While drained: the community GRACEFUL_SHUTDOWN (RFC 8326), and what else is asked for.
 *  - The node's weight, for unequal-cost multipath: as a link-bandwidth extended community (RFC
 *    10005), of the transitive type, for BIRD strips the other on its way to another AS; and, for
 *    routers that don't know that, as the large community LOCAL_AS:1:WEIGHT. The bandwidth is
 *    HF_BANDWIDTH_UNIT bytes a second for each unit of weight. Routers compare bandwidths, so any
 *    unit will do; with this one the largest weight stays below 2^32, where FRR 8.4 wraps.
 */
#ifndef HF_BGP_INCLUDE_H
#define HF_BGP_INCLUDE_H

#include <stddef.h>

#include "bgp/core/announce.h"

#define HF_BIRD_STATIC	  "holdfast" /* and 4 or 6 */
#define HF_BANDWIDTH_UNIT 10000

struct hf_include_style {
	const char *node;   /* for who reads the file */
	const char *device; /* that routes lead to */
	uint32_t local_as;
	uint32_t weight; /* 0: say nothing of it */
	uint32_t drain_prepend;
	int64_t drain_med; /* -1: none */
};

/* The whole text, to be freed by free(); NULL: no memory. *count: how many VIPs it announces. */
char *hf_include_write(const struct hf_include_style *style, const struct hf_announcer *announcer,
		       uint32_t *count);

/* Calls `take` for each VIP that a text of ours announces; what is not ours is passed over. */
void hf_include_read(const char *text,
		     void (*take)(void *context, const struct hf_address *vip, bool draining),
		     void *context);

#endif
