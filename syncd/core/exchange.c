// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/core/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "syncd/core/core.h"

#define EVERY	     HF_SECONDS(5)
#define ASK_AGAIN    HF_MS(100)
#define TRIES	     50 /* and then from the beginning, in the next round */
#define ENTRY	     6
#define SPREAD	     HF_MS(20) /* so that not all begin at once */
#define PUSH_AT_ONCE 64
#define SOON	     HF_MS(50)

/* Whether there is anything of the shard to be compared with its owner `peer`. */
static bool concerns(const struct hf_sync *s, uint32_t shard, uint64_t peer)
{
	return hf_store_shard_count(s->store, shard) && hf_owners_owns(&s->view.now, shard, peer);
}

static struct hf_exchange *exchange_of(struct hf_sync *s, struct hf_member *m)
{
	if (m->exchange)
		return m->exchange;
	m->exchange = calloc(1, sizeof(*m->exchange));
	/* At random: what was said of a former life's rounds is not of these. */
	if (m->exchange)
		m->exchange->round = (uint32_t)hf_random_next(&s->random);
	return m->exchange;
}

static void begin(struct hf_sync *s, struct hf_member *m)
{
	struct hf_exchange *x = m->exchange;

	x->round++;
	x->again = false;
	x->shard_count = 0;
	x->tries = 0;
	for (uint32_t shard = 0; shard < HF_SHARDS; shard++)
		if (concerns(s, shard, m->party.id))
			x->shards[x->shard_count++] = shard;
	x->pages = (x->shard_count + HF_EXCHANGE_PAGE - 1) / HF_EXCHANGE_PAGE;
	x->unanswered = (1U << x->pages) - 1;
	x->state = HF_EXCHANGE_COMPARING;
	x->next = s->now;
	x->marked = x->sequenced = false;
	s->counters.exchanges++;
}

void hf_exchanges_restart(struct hf_sync *s)
{
	for (uint32_t i = 0; i < s->members.live_count; i++) {
		struct hf_exchange *x = s->members.live[i]->exchange;

		if (!x)
			continue;
		x->confirmed = false;
		x->state = HF_EXCHANGE_IDLE;
		x->next = s->now + hf_random_below(&s->random, SPREAD);
		hf_wake(s, x->next);
	}
}

void hf_exchange_soon(struct hf_sync *s, struct hf_member *member)
{
	struct hf_exchange *x = member ? exchange_of(s, member) : NULL;

	if (!x)
		return;
	x->confirmed = false;
	/* The round that is on has not seen it. */
	x->again = true;
	if (x->state == HF_EXCHANGE_IDLE && x->next > s->now + SOON)
		x->next = s->now + SOON;
	hf_wake(s, x->next);
}

bool hf_exchanges_are_confirmed(const struct hf_sync *s)
{
	if (!hf_store_count(s->store))
		return true;
	if (s->view.dirty != HF_NEVER)
		return false;
	for (uint32_t i = 0; i < s->members.live_count; i++) {
		const struct hf_member *m = s->members.live[i];

		if (m->facts.ready && (!m->exchange || !m->exchange->confirmed))
			return false;
	}
	return true;
}

static void send_page(struct hf_sync *s, struct hf_member *m, uint32_t page)
{
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Compare compare = HOLDFAST__COMPARE__INIT;
	struct hf_exchange *x = m->exchange;
	uint8_t entries[HF_EXCHANGE_PAGE * ENTRY], *p = entries;

	for (uint32_t i = page * HF_EXCHANGE_PAGE;
	     i < x->shard_count && i < (page + 1) * HF_EXCHANGE_PAGE; i++, p += ENTRY) {
		uint32_t digest = hf_store_shard_digest(s->store, x->shards[i]);

		memcpy(p, &x->shards[i], 2);
		memcpy(p + 2, &digest, 4);
	}
	compare.round = x->round;
	compare.page = page;
	compare.shards.data = entries;
	compare.shards.len = p - entries;
	d.body_case = HOLDFAST__DATAGRAM__BODY_COMPARE;
	d.compare = &compare;
	hf_send(s, m, &d);
}

static void confirm(struct hf_sync *s, struct hf_exchange *x)
{
	x->state = HF_EXCHANGE_IDLE;
	x->confirmed = !x->again;
	x->next = s->now + (x->again ? SOON : EVERY / 2 + hf_random_below(&s->random, EVERY));
	hf_wake(s, s->now);
}

/* All pages are answered. */
static void compared(struct hf_sync *s, struct hf_exchange *x)
{
	if (hf_shard_next(&x->push, 0) == HF_SHARDS) {
		confirm(s, x);
		return;
	}
	s->counters.exchanges_differing++;
	x->state = HF_EXCHANGE_PUSHING;
	hf_wake(s, s->now);
}

static void comparing_turn(struct hf_sync *s, struct hf_member *m)
{
	struct hf_exchange *x = m->exchange;

	if (!x->unanswered) {
		compared(s, x);
		return;
	}
	if (s->now < x->next)
		return;
	if (x->tries++ == TRIES) {
		x->state = HF_EXCHANGE_IDLE;
		return;
	}
	for (uint32_t page = 0; page < x->pages; page++)
		if (x->unanswered >> page & 1)
			send_page(s, m, page);
	x->next = s->now + ASK_AGAIN;
}

/* All of it in one go: read in parts, a table that grows meanwhile might hide some. False: it did
 * not fit, and has to come again. */
static bool push_shard(struct hf_sync *s, uint32_t shard, struct hf_channel *channel)
{
	struct hf_record records[PUSH_AT_ONCE];
	uint32_t cursor = 0, count;

	while ((count = hf_store_read(s->store, shard, &cursor, records, PUSH_AT_ONCE))) {
		for (uint32_t i = 0; i < count; i++)
			if (!hf_channel_put(channel, &records[i]))
				return false;
		s->counters.records_handed_on += count;
	}
	return true;
}

/* As much as leaves half of the queues to new records. */
static bool has_room(const struct hf_channel *channel)
{
	return hf_channel_room(channel) > HF_CHANNEL_QUEUE / 2 &&
	       channel->exceptions.in - channel->exceptions.out < HF_CHANNEL_QUEUE / 2;
}

/* Puts the mark when all is in the queue. */
static void push(struct hf_sync *s, struct hf_member *m)
{
	struct hf_channel *channel = hf_channel_of(s, m);
	struct hf_exchange *x = m->exchange;

	while (channel && has_room(channel)) {
		uint32_t shard = hf_shard_next(&x->push, 0);

		if (shard == HF_SHARDS) {
			x->marked = true;
			x->mark = channel->others.in;
			break;
		}
		if (!push_shard(s, shard, channel))
			break;
		hf_shard_remove(&x->push, shard);
	}
	if (channel)
		hf_channel_flush(s, m);
}

static void pushing_turn(struct hf_sync *s, struct hf_member *m)
{
	struct hf_exchange *x = m->exchange;
	struct hf_channel *channel;

	if (!x->marked)
		push(s, m);
	channel = m->channel;
	if (!x->marked || !channel)
		return;
	if (!x->sequenced && channel->others.out >= x->mark &&
	    channel->exceptions.out == channel->exceptions.in) {
		x->sequenced = true;
		x->mark_sequence = channel->next;
	}
	if (x->sequenced && (int32_t)(channel->oldest - x->mark_sequence) >= 0)
		confirm(s, x);
}

static void exchange_turn(struct hf_sync *s, struct hf_member *m)
{
	struct hf_exchange *x = exchange_of(s, m);

	if (!x)
		return;
	if (x->state == HF_EXCHANGE_IDLE && s->now >= x->next)
		begin(s, m);
	if (x->state == HF_EXCHANGE_COMPARING)
		comparing_turn(s, m);
	if (x->state == HF_EXCHANGE_PUSHING)
		pushing_turn(s, m);
	if (x->state != HF_EXCHANGE_PUSHING)
		hf_wake(s, x->next);
}

void hf_exchanges_turn(struct hf_sync *s)
{
	/* A joiner has nothing that others lack. */
	if (!hf_store_count(s->store) || s->joiner.readiness < HF_READY_FIRST)
		return;
	for (uint32_t i = 0; i < s->members.live_count; i++)
		if (s->members.live[i]->facts.ready)
			exchange_turn(s, s->members.live[i]);
}

void hf_exchange_take_compare(struct hf_sync *s, struct hf_member *from,
			      const Holdfast__Compare *compare)
{
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Differ differ = HOLDFAST__DIFFER__INIT;
	uint8_t shards[HF_EXCHANGE_PAGE * 2];
	struct hf_exchange *x = exchange_of(s, from);
	size_t count = compare->shards.len / ENTRY, differing = 0;

	if (!x || compare->shards.len != count * ENTRY || count > HF_EXCHANGE_PAGE) {
		s->counters.drop_undecodable++;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		uint16_t shard;
		uint32_t digest;

		memcpy(&shard, compare->shards.data + i * ENTRY, 2);
		memcpy(&digest, compare->shards.data + i * ENTRY + 2, 4);
		if (shard >= HF_SHARDS || hf_store_shard_digest(s->store, shard) == digest)
			continue;
		memcpy(shards + 2 * differing++, &shard, 2);
		/* The other way round it is this node that has to tell. */
		if (concerns(s, shard, from->party.id) && x->state != HF_EXCHANGE_PUSHING)
			hf_shard_add(&x->push, shard);
	}
	differ.round = compare->round;
	differ.page = compare->page;
	differ.full = hf_store_is_full(s->store);
	differ.shards.data = shards;
	differ.shards.len = 2 * differing;
	d.body_case = HOLDFAST__DATAGRAM__BODY_DIFFER;
	d.differ = &differ;
	hf_send(s, from, &d);
	if (x->state == HF_EXCHANGE_IDLE && hf_shard_next(&x->push, 0) < HF_SHARDS) {
		x->next = s->now;
		hf_wake(s, s->now);
	}
}

void hf_exchange_take_differ(struct hf_sync *s, struct hf_member *from,
			     const Holdfast__Differ *differ)
{
	struct hf_exchange *x = from->exchange;
	size_t count = differ->shards.len / 2;

	if (!x || x->state != HF_EXCHANGE_COMPARING || differ->round != x->round ||
	    differ->page >= x->pages || !(x->unanswered >> differ->page & 1))
		return;
	if (differ->shards.len != 2 * count || count > HF_EXCHANGE_PAGE) {
		s->counters.drop_undecodable++;
		return;
	}
	/* It could not keep what is pushed: perhaps later. */
	if (differ->full && count) {
		x->state = HF_EXCHANGE_IDLE;
		x->next = s->now + EVERY;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		uint16_t shard;

		memcpy(&shard, differ->shards.data + 2 * i, 2);
		if (shard < HF_SHARDS && concerns(s, shard, from->party.id))
			hf_shard_add(&x->push, shard);
	}
	x->unanswered &= ~(1U << differ->page);
	if (!x->unanswered)
		hf_wake(s, s->now);
}
