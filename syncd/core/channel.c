// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/core/channel.h"

#include <stdlib.h>
#include <string.h>

#include "syncd/core/core.h"

#define QUEUE_FIRST	 256 /* records; doubles up to HF_CHANNEL_QUEUE */
#define WINDOW_FIRST	 32.0
#define WINDOW_LEAST	 4.0
#define FLUSH_AFTER	 HF_MS(5) /* how long a batch waits to get full */
#define ACK_AFTER	 HF_MS(2)
#define RESEND_LEAST	 HF_MS(20)
#define RESEND_MOST	 HF_SECONDS(1)
#define WAY_MOST	 HF_MS(250)
#define LOSS_TOLERATED	 8 /* one in so many */
#define MESSAGE_OVERHEAD 16

struct hf_channel *hf_channel_of(struct hf_sync *s, struct hf_member *member)
{
	struct hf_channel *c = member->channel;

	if (c || !hf_member_lives(member))
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	/* At random, or what was said of a former channel's batches would be taken for these. */
	c->oldest = c->next = (uint32_t)hf_random_next(&s->random);
	c->threshold = HF_CHANNEL_WINDOW;
	c->window = WINDOW_FIRST;
	c->variation = RESEND_LEAST / 4;
	c->flush = c->next_resend = c->ack_at = HF_NEVER;
	member->channel = c;
	return c;
}

void hf_channel_delete(struct hf_channel *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < HF_CHANNEL_WINDOW; i++)
		free(c->flight[i]);
	free(c->exceptions.records);
	free(c->others.records);
	free(c);
}

static uint32_t waiting(const struct hf_queue *q)
{
	return q->in - q->out;
}

static bool grow(struct hf_queue *q)
{
	uint32_t size = q->size ? 2 * q->size : QUEUE_FIRST;
	struct hf_record *records =
		size > HF_CHANNEL_QUEUE ? NULL : malloc(size * sizeof(*records));

	if (!records)
		return false;
	for (uint64_t i = q->out; q->size && i < q->in; i++)
		records[i % size] = q->records[i % q->size];
	free(q->records);
	q->records = records;
	q->size = size;
	return true;
}

bool hf_channel_put(struct hf_channel *c, const struct hf_record *record)
{
	struct hf_queue *q = record->key & HF_RECORD_EXCEPTION ? &c->exceptions : &c->others;

	if (waiting(q) == q->size && !grow(q))
		return false;
	q->records[q->in++ % q->size] = *record;
	return true;
}

uint32_t hf_channel_room(const struct hf_channel *c)
{
	return HF_CHANNEL_QUEUE - waiting(&c->others);
}

uint32_t hf_channel_waiting(const struct hf_channel *c)
{
	uint32_t count = waiting(&c->exceptions) + waiting(&c->others);

	for (uint32_t i = c->oldest; i != c->next; i++)
		if (c->flight[i % HF_CHANNEL_WINDOW])
			count += c->flight[i % HF_CHANNEL_WINDOW]->count;
	return count;
}

static void add_shards(const struct hf_queue *q, struct hf_shard_set *shards)
{
	for (uint64_t i = q->out; i < q->in; i++)
		hf_shard_add(shards, hf_shard(q->records[i % q->size].key));
}

bool hf_channel_shards(const struct hf_channel *c, struct hf_shard_set *shards)
{
	add_shards(&c->exceptions, shards);
	add_shards(&c->others, shards);
	for (uint32_t i = c->oldest; i != c->next; i++) {
		const struct hf_batch *batch = c->flight[i % HF_CHANNEL_WINDOW];

		for (uint32_t j = 0; batch && j < batch->count; j++)
			hf_shard_add(shards, hf_shard(batch->records[j].key));
	}
	return hf_shard_next(shards, 0) < HF_SHARDS;
}

static uint32_t batch_size(const struct hf_sync *s)
{
	uint32_t size = (hf_body_room(s) - MESSAGE_OVERHEAD - HF_PACKED_HEADER) / HF_PACKED_RECORD;

	return size < HF_CHANNEL_BATCH_MAX ? size : HF_CHANNEL_BATCH_MAX;
}

static void take(struct hf_queue *q, struct hf_batch *batch, uint32_t most)
{
	while (batch->count < most && waiting(q))
		batch->records[batch->count++] = q->records[q->out++ % q->size];
}

static hf_time resend_after(const struct hf_channel *c, const struct hf_batch *batch)
{
	hf_time wait = c->round_trip + 4 * c->variation;

	if (wait < RESEND_LEAST)
		wait = RESEND_LEAST;
	for (uint32_t i = 1; i < batch->tries && wait < RESEND_MOST; i++)
		wait *= 2;
	return wait < RESEND_MOST ? wait : RESEND_MOST;
}

static void send_batch(struct hf_sync *s, struct hf_member *member, struct hf_batch *batch)
{
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Records message = HOLDFAST__RECORDS__INIT;
	uint8_t packed[HF_PACKED_SIZE(HF_CHANNEL_BATCH_MAX)];
	struct hf_channel *c = member->channel;

	if (batch->tries++ == 0)
		batch->first_sent = s->now;
	batch->sent = s->now;
	c->round_sent++;
	message.sequence = batch->sequence;
	message.packed.data = packed;
	message.packed.len = hf_records_pack(batch->records, batch->count, hf_stamp_now(s), packed);
	d.body_case = HOLDFAST__DATAGRAM__BODY_RECORDS;
	d.records = &message;
	hf_send(s, member, &d);
	if (s->now + resend_after(c, batch) < c->next_resend)
		c->next_resend = s->now + resend_after(c, batch);
	hf_wake(s, c->next_resend);
}

static bool has_window(const struct hf_channel *c)
{
	return c->in_flight < c->window && c->next - c->oldest < HF_CHANNEL_WINDOW;
}

static bool cut_batch(struct hf_sync *s, struct hf_member *member, uint32_t size)
{
	struct hf_channel *c = member->channel;
	struct hf_batch *batch = malloc(sizeof(*batch) + size * sizeof(batch->records[0]));

	if (!batch)
		return false;
	*batch = (struct hf_batch){ .sequence = c->next };
	take(&c->exceptions, batch, size);
	take(&c->others, batch, size);
	c->flight[c->next++ % HF_CHANNEL_WINDOW] = batch;
	c->in_flight++;
	s->counters.records_sent += batch->count;
	send_batch(s, member, batch);
	return true;
}

void hf_channel_flush(struct hf_sync *s, struct hf_member *member)
{
	struct hf_channel *c = member->channel;
	uint32_t size = batch_size(s), left;

	while ((left = waiting(&c->exceptions) + waiting(&c->others)) && has_window(c)) {
		/* What is no exception may wait for company. */
		if (left < size && !waiting(&c->exceptions) && s->now < c->flush) {
			if (c->flush == HF_NEVER)
				c->flush = s->now + FLUSH_AFTER;
			hf_wake(s, c->flush);
			return;
		}
		if (!cut_batch(s, member, size))
			return;
	}
	c->flush = HF_NEVER;
}

/* RFC 6298, with the first sample's rule. */
static void measure(struct hf_channel *c, hf_time took)
{
	hf_time off = took - c->round_trip;

	if (!c->measured) {
		c->measured = true;
		c->round_trip = took;
		c->variation = took / 2;
		return;
	}
	c->round_trip += off / 8;
	c->variation += ((off < 0 ? -off : off) - c->variation) / 4;
}

/* Which sending was acknowledged can't be told (Karn's rule). But where all is sent twice because
 * the way is longer than was thought, nothing would ever be measured: so it is thought longer. What
 * took very long was no way's doing, but a member that stood still. */
static void measure_resent(struct hf_channel *c, hf_time took)
{
	if (took > c->round_trip && took < WAY_MOST)
		c->round_trip += (took - c->round_trip) / 8;
}

static void count_losses(struct hf_sync *s, struct hf_channel *c)
{
	if (s->now < c->round_ends)
		return;
	if (c->round_lost * LOSS_TOLERATED > c->round_sent && c->round_lost > 1)
		c->threshold = c->window =
			c->window / 2 < WINDOW_LEAST ? WINDOW_LEAST : c->window / 2;
	c->round_sent = c->round_lost = 0;
	c->round_ends = s->now + (c->round_trip > HF_MS(5) ? c->round_trip : HF_MS(5));
}

static void acknowledged(struct hf_sync *s, struct hf_channel *c, uint32_t sequence)
{
	struct hf_batch **slot = &c->flight[sequence % HF_CHANNEL_WINDOW];

	if (!*slot || (*slot)->sequence != sequence)
		return;
	if ((*slot)->tries == 1)
		measure(c, s->now - (*slot)->sent);
	else
		measure_resent(c, s->now - (*slot)->first_sent);
	free(*slot);
	*slot = NULL;
	c->in_flight--;
	if (c->window < HF_CHANNEL_WINDOW)
		c->window += c->window < c->threshold ? 1 : 1 / c->window;
	while (c->oldest != c->next && !c->flight[c->oldest % HF_CHANNEL_WINDOW])
		c->oldest++;
}

void hf_channel_take_acks(struct hf_sync *s, struct hf_member *member,
			  const Holdfast__RecordsAck *acks)
{
	struct hf_channel *c = member->channel;

	if (!c || acks->n_sequence > HF_CHANNEL_ACKS)
		return;
	for (size_t i = 0; i < acks->n_sequence; i++)
		acknowledged(s, c, acks->sequence[i]);
	count_losses(s, c);
	hf_channel_flush(s, member);
	hf_wake(s, s->now); /* an exchange may wait for room, or for the last of them */
}

static void send_acks(struct hf_sync *s, struct hf_member *member)
{
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__RecordsAck acks = HOLDFAST__RECORDS_ACK__INIT;
	struct hf_channel *c = member->channel;

	acks.sequence = c->acks;
	acks.n_sequence = c->ack_count;
	d.body_case = HOLDFAST__DATAGRAM__BODY_RECORDS_ACK;
	d.records_ack = &acks;
	hf_send(s, member, &d);
	c->ack_count = 0;
	c->ack_at = HF_NEVER;
}

void hf_channel_acknowledge(struct hf_sync *s, struct hf_member *member, uint32_t sequence)
{
	struct hf_channel *c = hf_channel_of(s, member);

	if (!c)
		return;
	c->acks[c->ack_count++] = sequence;
	if (c->ack_count == HF_CHANNEL_ACKS) {
		send_acks(s, member);
		return;
	}
	if (c->ack_at == HF_NEVER)
		c->ack_at = s->now + ACK_AFTER;
	hf_wake(s, c->ack_at);
}

static void resend(struct hf_sync *s, struct hf_member *member)
{
	struct hf_channel *c = member->channel;

	c->next_resend = HF_NEVER;
	for (uint32_t i = c->oldest; i != c->next; i++) {
		struct hf_batch *batch = c->flight[i % HF_CHANNEL_WINDOW];
		hf_time due;

		if (!batch)
			continue;
		due = batch->sent + resend_after(c, batch);
		if (s->now >= due) {
			c->round_lost++;
			s->counters.records_resent += batch->count;
			send_batch(s, member, batch);
		} else if (due < c->next_resend) {
			c->next_resend = due;
		}
	}
	count_losses(s, c);
}

void hf_channel_turn(struct hf_sync *s, struct hf_member *member)
{
	struct hf_channel *c = member->channel;

	if (s->now >= c->ack_at)
		send_acks(s, member);
	if (s->now >= c->next_resend)
		resend(s, member);
	hf_channel_flush(s, member);
	hf_wake(s, c->ack_at);
	hf_wake(s, c->next_resend);
}
