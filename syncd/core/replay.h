/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each counter is accepted once, and none that is too far behind the highest one (RFC 6479; the
 * size is WireGuard's). Asked only about datagrams that have proved to be authentic.
 */
#ifndef HF_SYNC_REPLAY_H
#define HF_SYNC_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define HF_REPLAY_BITS	 8192
#define HF_REPLAY_WINDOW (HF_REPLAY_BITS - 64)

/* All zero: nothing seen. */
struct hf_replay {
	uint64_t highest;
	uint64_t seen[HF_REPLAY_BITS / 64];
};

/* True, and from now on false, for a counter from 1 on that is new. */
bool hf_replay_accept(struct hf_replay *replay, uint64_t counter);

#endif
