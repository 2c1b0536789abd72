/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ageing: passes over the whole flow table, a slice at a time, through the agent's own mapping of
 * it. Raises each pin's idle count, takes away what has timed out or lost its backend,
 * confirms what has been seen again (bpf/pin.h draws the states), and counts.
 *
 * The sweeper has a clock of its own that only moves while it sweeps, at most two passes' time a
 * pass: an agent that was stopped, or a machine that slept, takes no living flow's pin away.
 */
#ifndef HF_LBNODE_SWEEPER_H
#define HF_LBNODE_SWEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "lbnode/bpf/pin.h"
#include "lbnode/bpf/types.h"

#define HF_SWEEP_PASS_MS 1000 /* a pin's age is right within this */
#define HF_SWEEP_SLICES	 20   /* of 50 ms: 1 M flows, 16 MB, cost some 0.2 ms each */

/* Pins age by their states, but those that are kept for others. */
#define HF_SWEEP_KEPT HF_PIN_STATES
#define HF_SWEEP_AGES (HF_PIN_STATES + 1)

/* What the sweeper can't tell by itself. */
struct hf_sweep_view {
	/* The backend's pins are to go. */
	bool (*is_gone)(void *context, uint16_t backend);
	/* An adopted flow may be another backend's than its choice: it stays adopted. NULL: none.
	 */
	bool (*is_doubtful)(void *context, uint64_t digest, uint16_t backend);
	/* The pin is kept for other nodes. NULL: none is. */
	bool (*is_kept)(void *context, uint32_t bucket, uint32_t place, uint64_t pin);
	/* Called for each pin that stays. NULL: not. */
	void (*visit)(void *context, uint32_t bucket, uint32_t place);
	void *context;
};

struct hf_sweep_counts {
	uint64_t state[HF_PIN_STATES];
	uint64_t expired;
	uint32_t backend[HF_MAX_BACKENDS];
};

struct hf_sweeper {
	struct hf_bucket *buckets;
	uint32_t count;
	uint32_t next; /* where the next slice starts */
	uint64_t timeout_ms[HF_SWEEP_AGES];
	uint32_t steps[HF_SWEEP_AGES]; /* what this pass adds to each state's idle counts */
	uint64_t clock_ms;
	int64_t pass_began;
	struct hf_sweep_counts running; /* of this pass */
	struct hf_sweep_counts last;	/* of the last whole one */
};

/* `buckets` stay the caller's. All zero before. timeouts: per state, in milliseconds. */
void hf_sweeper_init(struct hf_sweeper *sweeper, struct hf_bucket *buckets, uint32_t count,
		     int64_t now);

/*
 * Sweeps the next slice. True when it ended a pass: then sweeper->last is of that pass.
 */
bool hf_sweeper_slice(struct hf_sweeper *sweeper, int64_t now, const struct hf_sweep_view *view);

#endif
