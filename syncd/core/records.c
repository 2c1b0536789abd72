// SPDX-License-Identifier: BSD-2-Clause
/* Records that this node's data plane exports, and those that others send: to owners, and into the
 * store. */
#include "syncd/core/core.h"

/* A sixteenth of all shards each second: a record outlives its life by 16 s at most. */
#define EXPIRY_GROUPS 16

/* Of a stamp that is ahead of the cluster's clock by more than this somebody made a mistake. */
#define STAMP_AHEAD (2 * HF_STAMPS_SECOND)

static bool is_alive(const struct hf_sync *s, const struct hf_record *r)
{
	uint32_t now = hf_stamp_now(s);

	return r->stamp <= now + STAMP_AHEAD && r->stamp + HF_RECORD_LIFE >= now;
}

static void apply(struct hf_sync *s, const struct hf_record *r)
{
	enum hf_merge merged = is_alive(s, r) ? hf_store_merge(s->store, r) : HF_MERGE_FULL;

	if (merged == HF_MERGE_FULL) {
		s->counters.records_refused++;
		return;
	}
	s->counters.records_applied++;
	if (merged != HF_MERGE_KNOWN && s->output.record)
		s->output.record(s->context, r);
}

/* From one who does not know yet that this node is no owner: it is kept, and handed on. */
static void take_foreign(struct hf_sync *s, uint32_t shard)
{
	const struct hf_owners *owners = &s->view.now;

	s->view.foreign = true;
	for (uint32_t rank = 0; rank < owners->replicas && owners->owner[shard][rank]; rank++)
		hf_exchange_soon(s, hf_members_find(&s->members, owners->owner[shard][rank]));
}

void hf_records_apply(struct hf_sync *s, const struct hf_record *records, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t shard = hf_shard(records[i].key);

		apply(s, &records[i]);
		/* What is fetched is what will be this node's. */
		if (!s->fetch && !hf_owners_owns(&s->view.now, shard, s->self->party.id))
			take_foreign(s, shard);
	}
}

static void send_to_owner(struct hf_sync *s, uint64_t owner, const struct hf_record *r)
{
	struct hf_member *m = hf_members_find(&s->members, owner);
	struct hf_channel *channel = m ? hf_channel_of(s, m) : NULL;

	if (!channel || !hf_channel_put(channel, r))
		s->counters.records_overflowed++;
}

void hf_sync_export(struct hf_sync *s, const struct hf_record *records, uint32_t count, hf_time now)
{
	const struct hf_owners *owners = &s->view.now;

	s->now = now;
	s->counters.records_exported += count;
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t *owner = owners->owner[hf_shard(records[i].key)];

		for (uint32_t rank = 0; rank < owners->replicas && owner[rank]; rank++) {
			if (owner[rank] == s->self->party.id)
				apply(s, &records[i]);
			else
				send_to_owner(s, owner[rank], &records[i]);
		}
	}
	for (uint32_t i = 0; i < s->members.live_count; i++)
		if (s->members.live[i]->channel)
			hf_channel_flush(s, s->members.live[i]);
}

uint32_t hf_sync_room(const struct hf_sync *s)
{
	uint32_t room = HF_CHANNEL_QUEUE;

	for (uint32_t i = 0; i < s->members.live_count; i++) {
		const struct hf_channel *channel = s->members.live[i]->channel;

		if (channel && hf_channel_room(channel) < room)
			room = hf_channel_room(channel);
	}
	return room;
}

void hf_records_take(struct hf_sync *s, struct hf_member *from, const Holdfast__Records *message)
{
	struct hf_record records[HF_CHANNEL_BATCH_MAX];
	int count = hf_records_unpack(message->packed.data, message->packed.len, records,
				      HF_CHANNEL_BATCH_MAX);

	if (count < 0) {
		s->counters.drop_undecodable++;
		return;
	}
	s->counters.records_received += count;
	hf_records_apply(s, records, count);
	hf_channel_acknowledge(s, from, message->sequence);
}

/* By the cluster's clock, so that replicas forget a record in the same second, and don't take each
 * other's for news in between. */
static void expire(struct hf_sync *s)
{
	uint32_t second = hf_stamp_now(s) / HF_STAMPS_SECOND;
	uint32_t late = second - s->expired;

	if (late > EXPIRY_GROUPS)
		late = EXPIRY_GROUPS;
	for (s->expired = second - late; s->expired != second;) {
		uint32_t first = ++s->expired % EXPIRY_GROUPS * (HF_SHARDS / EXPIRY_GROUPS);
		uint32_t oldest = s->expired * HF_STAMPS_SECOND;

		if (oldest <= HF_RECORD_LIFE)
			continue;
		for (uint32_t i = 0; i < HF_SHARDS / EXPIRY_GROUPS; i++)
			s->counters.records_expired +=
				hf_store_expire(s->store, first + i, oldest - HF_RECORD_LIFE);
	}
}

void hf_records_turn(struct hf_sync *s)
{
	uint32_t now = hf_stamp_now(s);

	expire(s);
	hf_wake(s, s->now + (HF_STAMPS_SECOND - now % HF_STAMPS_SECOND) *
				    (HF_SECONDS(1) / HF_STAMPS_SECOND));
	for (uint32_t i = 0; i < s->members.live_count; i++)
		if (s->members.live[i]->channel)
			hf_channel_turn(s, s->members.live[i]);
}
