/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records on their way to one member: two bounded queues, exceptions first, from which full batches
 * are cut; each batch is sent until it is acknowledged, or the member is dead. Merging is
 * idempotent (record.h), so the receiver keeps no state for it but what it has yet to acknowledge.
 *
 * How many batches may be on the way at once grows by slow start and then by one a round trip, and
 * shrinks when more than one in eight gets lost (RFC 5681 takes one; a datagram's loss is no sign
 * of congestion on links that lose 5 % by themselves).
 */
#ifndef HF_SYNC_CHANNEL_H
#define HF_SYNC_CHANNEL_H

#include "proto/gossip.pb-c.h"
#include "syncd/core/clock.h"
#include "lib/record.h"

#define HF_CHANNEL_QUEUE     (1U << 16) /* records of each class: 1 MB */
#define HF_CHANNEL_WINDOW    512	/* batches */
#define HF_CHANNEL_BATCH_MAX 688	/* records: a jumbo frame's */
#define HF_CHANNEL_ACKS	     32

struct hf_sync;
struct hf_member;

struct hf_queue {
	struct hf_record *records; /* a ring of `size`, a power of two; NULL: never used */
	uint32_t size;
	uint64_t in, out; /* put, taken since the beginning */
};

struct hf_batch {
	uint32_t sequence;
	uint32_t count;
	uint32_t tries;
	hf_time first_sent, sent;
	struct hf_record records[];
};

struct hf_channel {
	struct hf_queue exceptions, others;
	hf_time flush; /* when a batch that is not full goes; HF_NEVER: nothing waits */
	struct hf_batch *flight[HF_CHANNEL_WINDOW]; /* by sequence */
	uint32_t oldest, next;			    /* sequences: not acknowledged, not used */
	uint32_t in_flight;
	double window, threshold; /* up to which it grows fast */
	hf_time round_trip, variation;
	bool measured;
	hf_time next_resend;
	hf_time round_ends; /* in which losses are counted */
	uint32_t round_sent, round_lost;
	uint32_t acks[HF_CHANNEL_ACKS];
	uint32_t ack_count;
	hf_time ack_at;
};

/* The member's channel, made if need be; NULL: no memory. */
struct hf_channel *hf_channel_of(struct hf_sync *s, struct hf_member *member);
void hf_channel_delete(struct hf_channel *channel);

/* Queues a record. False: no room, it is lost. */
bool hf_channel_put(struct hf_channel *channel, const struct hf_record *record);
uint32_t hf_channel_room(const struct hf_channel *channel);    /* for others than exceptions */
uint32_t hf_channel_waiting(const struct hf_channel *channel); /* in queues and on the way */

/* Adds the shards of all that waits; whether there were any. */
bool hf_channel_shards(const struct hf_channel *channel, struct hf_shard_set *shards);

/* Something was put, or acknowledged: sends what may be sent now. */
void hf_channel_flush(struct hf_sync *s, struct hf_member *member);
void hf_channel_turn(struct hf_sync *s, struct hf_member *member);

void hf_channel_take_acks(struct hf_sync *s, struct hf_member *member,
			  const Holdfast__RecordsAck *acks);
/* A batch came from the member: acknowledge it, soon. */
void hf_channel_acknowledge(struct hf_sync *s, struct hf_member *member, uint32_t sequence);

#endif
