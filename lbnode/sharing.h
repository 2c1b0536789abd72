/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the flow table and syncd: which pins become records, and when; and records become pins.
 * No I/O; times are milliseconds of a monotonic clock.
 *
 *	pin seen at one pass of the sweeper, and still there at the next ----> exported: it is older
 *	                                                           than HF_SWEEP_PASS_MS
 *	pin whose slot's choice is another backend (an exception) ---------> exported at once
 *	every HF_REFRESH_MS -----------------------------------------------> exported again
 *	record of another node's flow -------------------------------------> pin, marked as kept for
 *others
 *
 * A pin that is kept for others is not exported, lest holders refreshed each other's for ever; it
 *goes HF_KEPT_MS after the last record. When a packet of its flow comes it becomes this node's own.
 *
 * The pin of a flow that is silent, or has moved to another node, is refreshed as HF_CLAIM_AGE old:
 * enough to keep a silent flow's record alive, and always older than what the node says through
 * which the flow's packets go.
 */
#ifndef HF_LBNODE_SHARING_H
#define HF_LBNODE_SHARING_H

#include <stdbool.h>
#include <stdint.h>

#include "lbnode/bpf/counters.h"
#include "lbnode/bpf/pin.h"
#include "lib/record.h"

#define HF_REFRESH_MS 60000
#define HF_KEPT_MS    200000 /* a record's life */
#define HF_CLAIM_AGE  1000   /* in stamps, 100 s: more than HF_REFRESH_MS and all delays */

struct hf_sharing_output {
	/* Whether the choice of the digest's slot is another backend than this. */
	bool (*is_exception)(void *context, uint64_t digest, uint16_t backend);
	/* A backend's name in records, the same on all nodes; 0: it has none. And back. */
	uint32_t (*name)(void *context, uint16_t backend);
	uint16_t (*backend)(void *context, uint32_t name);
	/* Gives a record on, its stamp being its age. False: not now. */
	bool (*export)(void *context, const struct hf_record *record, bool is_exception);
};

struct hf_sharing {
	struct hf_bucket *buckets;
	struct hf_marks *marks;
	uint64_t *counters; /* HF_SHARING_COUNTER_END of them */
	uint32_t bits;
	const struct hf_sharing_output *output;
	void *context;
	int64_t now;
	bool open; /* there is somebody to export to */
	bool urgent;
	uint32_t urgent_next; /* bucket, while exceptions are looked for */
};

/* buckets and marks: 2^bits of each, the caller's, as are the counters. */
void hf_sharing_init(struct hf_sharing *sharing, struct hf_bucket *buckets, struct hf_marks *marks,
		     uint32_t bits, uint64_t *counters, const struct hf_sharing_output *output,
		     void *context);

/* The sweeper has seen the pin in the cell: exports it if that is due. */
void hf_sharing_visit(struct hf_sharing *sharing, uint32_t bucket, uint32_t place, int64_t now);

/* Whether the cell's pin is kept for others. */
bool hf_sharing_keeps(const struct hf_sharing *sharing, uint32_t bucket, uint32_t place,
		      uint64_t pin);

/* Tables have changed: looks for pins that are exceptions now, and have not been exported. Goes on
 * where there was no room, until it returns true. */
void hf_sharing_tables_changed(struct hf_sharing *sharing);
bool hf_sharing_find_exceptions(struct hf_sharing *sharing, int64_t now);

/* The shards' pins are to be exported again, those that are kept for others, too. */
void hf_sharing_again(struct hf_sharing *sharing, const struct hf_shard_set *shards);

/* A record of another node's flow; its stamp is its age. */
void hf_sharing_keep(struct hf_sharing *sharing, const struct hf_record *record);

/* What an owner said of a flow that packets come of here. */
void hf_sharing_told(struct hf_sharing *sharing, const struct hf_record *record);

/* Nobody knows the flow: it is its choice's, as far as can be told. */
void hf_sharing_guess(struct hf_sharing *sharing, uint64_t digest, uint16_t backend,
		      enum hf_pin_state state);

#endif
