/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments that came before their datagram's first one (bpf/fragment.h): kept until it has left
 * a note of where they go, or for HF_HOLD_MS. A fixed number; what finds no room is let go at
 * once. No I/O: times are milliseconds of a monotonic clock.
 */
#ifndef HF_LBNODE_HELD_H
#define HF_LBNODE_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "lbnode/bpf/types.h"

#define HF_HOLD_MS  500 /* far more than paths differ by, far less than a sender waits */
#define HF_HOLD_MAX 512 /* 1 MB */

struct hf_hold {
	struct {
		struct hf_held fragment;
		int64_t until;
	} waiting[HF_HOLD_MAX];
	uint32_t count;
};

/* False: there is no room. The fragment is copied. */
bool hf_hold_add(struct hf_hold *hold, const struct hf_held *fragment, int64_t now);

/* Calls run() for each fragment whose datagram is_known(), or whose time is up: it waits no more.
 */
void hf_hold_turn(struct hf_hold *hold, int64_t now,
		  bool (*is_known)(void *context, uint64_t datagram),
		  void (*run)(void *context, const struct hf_held *fragment), void *context);

#endif
