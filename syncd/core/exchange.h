/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How what two members hold of the same shards becomes equal: hand-over when ownership moves,
 * repair of what was lost, and healing after a partition are all this one thing.
 *
 *        view changed, or 5 s have passed
 *   IDLE ---------------------------------> COMPARING
 *    ^                                       |     | all pages answered, some shards differ
 *    |     all pages answered, all equal     |     v
 *    +---------------------------------------+   PUSHING
 *    +---------------------------------------------+  all their records sent and acknowledged
 *
 * COMPARING sends the digests of all shards that the peer owns and this node holds some of, in
 * pages of
 *
 *      | shard (2) | digest (4) | ...
 *
 * until each is answered by the list of those that differ. Where both own the shard, the peer on
 * its part pushes what it has: merging makes both equal.
 */
#ifndef HF_SYNC_EXCHANGE_H
#define HF_SYNC_EXCHANGE_H

#include "proto/gossip.pb-c.h"
#include "syncd/core/clock.h"
#include "lib/record.h"

#define HF_EXCHANGE_PAGE  176 /* entries: 1,056 bytes, which fit the smallest datagram */
#define HF_EXCHANGE_PAGES ((HF_SHARDS + HF_EXCHANGE_PAGE - 1) / HF_EXCHANGE_PAGE)

_Static_assert(HF_EXCHANGE_PAGES < 32, "unanswered has a bit for each");

struct hf_sync;
struct hf_member;

enum hf_exchange_state { HF_EXCHANGE_IDLE, HF_EXCHANGE_COMPARING, HF_EXCHANGE_PUSHING };

struct hf_exchange {
	enum hf_exchange_state state;
	bool confirmed; /* since the view last changed */
	bool again;	/* something came since this round began */
	hf_time next;	/* to begin, or to send again what is not answered */
	uint32_t round;
	uint32_t pages;	     /* in this round */
	uint32_t unanswered; /* a bit for each page */
	uint32_t tries;
	uint16_t shards[HF_SHARDS]; /* of this round, in order of pages */
	uint32_t shard_count;
	struct hf_shard_set push;
	uint64_t mark;		/* the channel's last record that must be taken from its queue */
	uint32_t mark_sequence; /* and then the first batch that need not be acknowledged */
	bool marked, sequenced;
};

/* Begins anew with every peer there is something to compare with. */
void hf_exchanges_restart(struct hf_sync *s);

/* This node holds something that the member, an owner, may lack. NULL is fine. */
void hf_exchange_soon(struct hf_sync *s, struct hf_member *member);

/* True when nothing is left to be handed on in this view. */
bool hf_exchanges_are_confirmed(const struct hf_sync *s);

void hf_exchange_take_compare(struct hf_sync *s, struct hf_member *from,
			      const Holdfast__Compare *compare);
void hf_exchange_take_differ(struct hf_sync *s, struct hf_member *from,
			     const Holdfast__Differ *differ);
void hf_exchanges_turn(struct hf_sync *s);

#endif
