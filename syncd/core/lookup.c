// SPDX-License-Identifier: BSD-2-Clause
/*
 * Look-ups: which of these flows does anyone know? What this node holds is answered at once; the
 * rest is asked of each shard's first owner, and what has no answer then, or none in time, of the
 * second, and of those before the last change.
 */
#include <errno.h>
#include <string.h>

#include "syncd/core/core.h"

#define TIMEOUT	    HF_MS(50)
#define TICKET_MASK (UINT32_MAX / (HF_LOOKUPS * 8))
#define ATTEMPTS    8 /* more than there can be: owners and previous owners */

/* The member to ask about a digest at an attempt; NULL: none at this one. */
static struct hf_member *candidate(struct hf_sync *s, uint64_t digest, uint32_t attempt)
{
	const struct hf_owners *owners = &s->view.now;
	struct hf_member *m;
	uint64_t id;

	if (attempt >= owners->replicas) {
		attempt -= owners->replicas;
		owners = s->view.previous;
	}
	id = owners ? owners->owner[hf_shard(digest)][attempt] : 0;
	m = id && id != s->self->party.id ? hf_members_find(&s->members, id) : NULL;
	return m && hf_member_lives(m) ? m : NULL;
}

static void found(struct hf_lookup *l, uint32_t i, const struct hf_record *record)
{
	l->records[l->found++] = *record;
	l->digests[i] = 0;
	l->left--;
}

static void finish(struct hf_sync *s, struct hf_lookup *l)
{
	s->counters.lookups_found += l->found;
	l->left = 0;
	l->count = 0;
	s->output.told(s->context, l->ticket, l->records, l->found, !l->silence);
}

/* Which look-up, which attempt, and where it stands: of the ticket the low bits are enough. */
static uint32_t wire_ticket(const struct hf_sync *s, const struct hf_lookup *l)
{
	return ((l->ticket & TICKET_MASK) * ATTEMPTS + l->attempt) * HF_LOOKUPS + (l - s->lookups);
}

static void ask(struct hf_sync *s, struct hf_lookup *l, struct hf_member *m,
		const uint64_t *digests, uint32_t count)
{
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Lookup message = HOLDFAST__LOOKUP__INIT;
	uint8_t packed[HF_SYNC_LOOKUP_MAX * HF_PACKED_DIGEST];

	message.ticket = wire_ticket(s, l);
	message.digests.data = packed;
	message.digests.len = hf_digests_pack(digests, count, packed);
	d.body_case = HOLDFAST__DATAGRAM__BODY_LOOKUP;
	d.lookup = &message;
	hf_send(s, m, &d);
}

/* One message to each member that has to be asked at this attempt; their number. */
static uint32_t ask_all(struct hf_sync *s, struct hf_lookup *l)
{
	struct hf_member *whom[HF_SYNC_LOOKUP_MAX] = { NULL };
	uint64_t digests[HF_SYNC_LOOKUP_MAX];
	uint32_t asked = 0;

	for (uint32_t i = 0; i < l->count; i++)
		whom[i] = l->digests[i] ? candidate(s, l->digests[i], l->attempt) : NULL;
	for (uint32_t i = 0; i < l->count; i++) {
		struct hf_member *m = whom[i];
		uint32_t count = 0;

		for (uint32_t j = i; m && j < l->count; j++) {
			if (whom[j] != m)
				continue;
			digests[count++] = l->digests[j];
			whom[j] = NULL;
		}
		if (count)
			ask(s, l, m, digests, count);
		asked += count > 0;
	}
	return asked;
}

/* Goes on with the next owners that there are, or ends. */
static void advance(struct hf_sync *s, struct hf_lookup *l)
{
	uint32_t attempts = 2 * s->view.now.replicas;

	while (l->attempt < attempts && !(l->awaited = ask_all(s, l)))
		l->attempt++;
	if (l->attempt == attempts) {
		finish(s, l);
		return;
	}
	l->until = s->now + TIMEOUT;
	hf_wake(s, l->until);
}

int hf_sync_lookup(struct hf_sync *s, const uint64_t *digests, uint32_t count, uint32_t ticket,
		   hf_time now)
{
	struct hf_lookup *l = s->lookups;

	s->now = now;
	while (l < s->lookups + HF_LOOKUPS && l->count)
		l++;
	if (l == s->lookups + HF_LOOKUPS || !count || count > HF_SYNC_LOOKUP_MAX)
		return -EAGAIN;
	s->counters.lookups += count;
	*l = (struct hf_lookup){ .ticket = ticket, .count = count, .left = count };
	memcpy(l->digests, digests, count * sizeof(*digests));
	for (uint32_t i = 0; i < count; i++) {
		const struct hf_record *record = hf_store_find(s->store, digests[i]);

		l->digests[i] &= HF_DIGEST_MASK;
		if (record)
			found(l, i, record);
	}
	if (l->left)
		advance(s, l);
	else
		finish(s, l);
	return 0;
}

void hf_lookup_take(struct hf_sync *s, struct hf_member *from, const Holdfast__Lookup *lookup)
{
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Answer answer = HOLDFAST__ANSWER__INIT;
	uint64_t digests[HF_SYNC_LOOKUP_MAX];
	struct hf_record known[HF_SYNC_LOOKUP_MAX];
	uint8_t packed[HF_PACKED_SIZE(HF_SYNC_LOOKUP_MAX)];
	uint32_t count = 0, fits = (hf_body_room(s) - 16) / HF_PACKED_RECORD;
	int asked = hf_digests_unpack(lookup->digests.data, lookup->digests.len, digests,
				      HF_SYNC_LOOKUP_MAX);

	if (asked < 0) {
		s->counters.drop_undecodable++;
		return;
	}
	for (int i = 0; i < asked && count < fits; i++) {
		const struct hf_record *record = hf_store_find(s->store, digests[i]);

		if (record)
			known[count++] = *record;
	}
	s->counters.lookups_answered += asked;
	answer.ticket = lookup->ticket;
	answer.packed.data = packed;
	answer.packed.len = hf_records_pack(known, count, hf_stamp_now(s), packed);
	d.body_case = HOLDFAST__DATAGRAM__BODY_ANSWER;
	d.answer = &answer;
	hf_send(s, from, &d);
}

static void take_record(struct hf_lookup *l, const struct hf_record *record)
{
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->digests[i] == hf_record_digest(record)) {
			found(l, i, record);
			return;
		}
	}
}

void hf_lookup_take_answer(struct hf_sync *s, const Holdfast__Answer *answer)
{
	struct hf_lookup *l = &s->lookups[answer->ticket % HF_LOOKUPS];
	uint32_t attempt = answer->ticket / HF_LOOKUPS - (l->ticket & TICKET_MASK) * ATTEMPTS;
	struct hf_record records[HF_SYNC_LOOKUP_MAX];
	int count = hf_records_unpack(answer->packed.data, answer->packed.len, records,
				      HF_SYNC_LOOKUP_MAX);

	if (count < 0) {
		s->counters.drop_undecodable++;
		return;
	}
	if (!l->count || attempt > l->attempt)
		return;
	for (int i = 0; i < count && l->count; i++)
		take_record(l, &records[i]);
	if (!l->left) {
		finish(s, l);
	} else if (attempt == l->attempt && --l->awaited == 0) {
		l->attempt++;
		advance(s, l);
	}
}

void hf_lookups_turn(struct hf_sync *s)
{
	for (struct hf_lookup *l = s->lookups; l < s->lookups + HF_LOOKUPS; l++) {
		if (!l->count)
			continue;
		if (s->now < l->until) {
			hf_wake(s, l->until);
			continue;
		}
		s->counters.lookups_timed_out++;
		l->silence = true;
		l->attempt++;
		advance(s, l);
	}
}
