// SPDX-License-Identifier: BSD-2-Clause
/* The core's outside: its life, what comes in and where it goes, and the turn of the timers. */
#include "syncd/core/sync.h"

#include <stdlib.h>
#include <string.h>

#include "syncd/core/core.h"

/* A timer that ran so late tells of this node, not of others. */
#define LATE HF_MS(100)

uint64_t hf_sync_cluster_id(const char *name)
{
	return hf_mix(hf_member_id(name));
}

void hf_tell(struct hf_sync *s, enum hf_event_kind kind, const struct hf_member *member,
	     enum hf_member_state before, uint64_t accuser, const char *why)
{
	const struct hf_event event = { kind, member, before, accuser, why };

	s->output.event(s->context, &event);
}

static int make_self(struct hf_sync *s, const struct hf_sync_settings *settings)
{
	struct hf_member *self = hf_members_add(&s->members, hf_member_id(settings->name));
	struct hf_member_facts *f;

	if (!self)
		return -1;
	f = &self->facts;
	strncpy(f->name, settings->name, sizeof(f->name) - 1);
	strncpy(f->version, settings->version, sizeof(f->version) - 1);
	f->endpoint = settings->endpoint;
	f->protocol_least = f->protocol_most = HF_SYNC_PROTOCOL;
	f->weight = settings->weight;
	self->party.boot = settings->boot;
	self->since = self->heard = s->now;
	s->members.digest = hf_member_digest(self);
	s->self = self;
	return 0;
}

static void start_timers(struct hf_sync *s)
{
	s->rumours.at_once = s->view.dirty = s->joiner.contact = HF_NEVER;
	s->joiner.began = s->joiner.next_hello = s->joiner.next_revival = s->now;
	s->joiner.changed_at = s->joiner.in_step_at = s->now;
	s->joiner.answers_since = s->now - HF_SECONDS(1);
	s->joiner.protocol_told = HF_NEVER;
	s->expired = hf_stamp_now(s) / HF_STAMPS_SECOND;
	s->prober.next = s->now;
	s->next_forget = s->board_expiry = s->now;
	s->view.since = s->now;
	s->deadline = s->now;
}

struct hf_sync *hf_sync_new(const struct hf_sync_settings *settings,
			    const struct hf_seal_keys *keys, const struct hf_sync_output *output,
			    void *context, hf_time now)
{
	struct hf_sync *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->settings = *settings;
	s->keys = *keys;
	s->output = *output;
	s->context = context;
	s->now = now;
	s->stamp_base = settings->stamp;
	s->stamp_at = now;
	s->token_key = (struct hf_key){ settings->token_key[0], settings->token_key[1] };
	hf_random_seed(&s->random, settings->seed);
	hf_health_init(&s->health);
	hf_owners_init(&s->view.now, settings->replicas);
	s->view.settled = true;
	s->store = hf_store_new(settings->records);
	s->board = hf_board_new();
	if (!s->store || !s->board || hf_members_init(&s->members) < 0 ||
	    make_self(s, settings) < 0) {
		hf_sync_delete(s);
		return NULL;
	}
	start_timers(s);
	return s;
}

void hf_sync_delete(struct hf_sync *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->members.count; i++) {
		hf_channel_delete(s->members.all[i]->channel);
		free(s->members.all[i]->exchange);
	}
	if (s->members.by_id)
		hf_members_clear(&s->members);
	hf_fetch_delete(s);
	hf_store_delete(s->store);
	hf_board_delete(s->board);
	free(s->view.previous);
	free(s);
}

static void dispatch(struct hf_sync *s, struct hf_member *m, const Holdfast__Datagram *d)
{
	switch (d->body_case) {
	case HOLDFAST__DATAGRAM__BODY_PING:
		hf_probe_take_ping(s, m, d->ping);
		return;
	case HOLDFAST__DATAGRAM__BODY_ACK:
		hf_probe_take_ack(s, m, d->ack);
		return;
	case HOLDFAST__DATAGRAM__BODY_RELAY:
		hf_probe_take_relay(s, m, d->relay);
		return;
	case HOLDFAST__DATAGRAM__BODY_NACK:
		hf_probe_take_nack(s, d->nack);
		return;
	case HOLDFAST__DATAGRAM__BODY_STATE_PULL:
		hf_join_take_pull(s, m);
		return;
	case HOLDFAST__DATAGRAM__BODY_RECORDS:
		hf_records_take(s, m, d->records);
		return;
	case HOLDFAST__DATAGRAM__BODY_RECORDS_ACK:
		hf_channel_take_acks(s, m, d->records_ack);
		return;
	case HOLDFAST__DATAGRAM__BODY_LOOKUP:
		hf_lookup_take(s, m, d->lookup);
		return;
	case HOLDFAST__DATAGRAM__BODY_ANSWER:
		hf_lookup_take_answer(s, d->answer);
		return;
	case HOLDFAST__DATAGRAM__BODY_COMPARE:
		hf_exchange_take_compare(s, m, d->compare);
		return;
	case HOLDFAST__DATAGRAM__BODY_DIFFER:
		hf_exchange_take_differ(s, m, d->differ);
		return;
	case HOLDFAST__DATAGRAM__BODY_NOTICES:
		hf_notices_take(s, d->notices);
		return;
	case HOLDFAST__DATAGRAM__BODY_NOTICES_PULL:
		hf_notices_take_pull(s, m, d->notices_pull);
		return;
	case HOLDFAST__DATAGRAM__BODY_HELLO: /* join.c has had it */
	case HOLDFAST__DATAGRAM__BODY_FETCH: /* comes by a stream */
	default:			     /* of a later version */
		return;
	}
}

static void take_rumours(struct hf_sync *s, const struct hf_member *m, const Holdfast__Datagram *d)
{
	struct hf_claim claim;

	for (size_t i = 0; i < d->n_rumours; i++) {
		if (hf_claim_read(d->rumours[i], &claim))
			hf_claim_apply(s, &claim, m->party.id);
		else
			s->counters.drop_undecodable++;
	}
}

/* From a member whose present life this is. A datagram is all taken, or not at all. */
static void take(struct hf_sync *s, struct hf_member *m, const struct hf_sealed *sealed,
		 const Holdfast__Datagram *d)
{
	uint64_t boot = m->party.boot;

	if (!hf_member_accept(m, sealed->counter)) {
		s->counters.drop_replayed++;
		return;
	}
	m->heard = s->now;
	take_rumours(s, m, d);
	/* It may just have told of its own restart. */
	if (m->party.boot != boot)
		return;
	if (d->about)
		hf_about_apply(s, m, d->about);
	dispatch(s, m, d);
}

static void count_fault(struct hf_sync *s, enum hf_seal_fault fault)
{
	uint64_t *const counters[] = {
		[HF_SEAL_MALFORMED] = &s->counters.drop_malformed,
		[HF_SEAL_CLUSTER] = &s->counters.drop_cluster,
		[HF_SEAL_KEY] = &s->counters.drop_key,
		[HF_SEAL_FORGED] = &s->counters.drop_forged,
	};

	++*counters[fault];
	if (fault == HF_SEAL_KEY)
		s->key_refused_at = s->now;
}

/* From a life that is known it comes once, as all else; from another it may be what makes it known.
 */
static void take_hello(struct hf_sync *s, const struct hf_endpoint *from,
		       const struct hf_sealed *sealed, const Holdfast__Datagram *d)
{
	struct hf_member *m = hf_members_find(&s->members, sealed->sender.id);
	bool known = m && m != s->self && m->party.boot == sealed->sender.boot;

	if (known && !hf_member_accept(m, sealed->counter)) {
		s->counters.drop_replayed++;
		return;
	}
	if (!hf_join_take_hello(s, from, sealed, d->hello))
		return;
	m = hf_members_find(&s->members, sealed->sender.id);
	if ((known || hf_member_accept(m, sealed->counter)) && d->about)
		hf_about_apply(s, m, d->about);
}

static void take_sealed(struct hf_sync *s, const struct hf_endpoint *from,
			const struct hf_sealed *sealed, size_t length)
{
	struct hf_member *m = hf_members_find(&s->members, sealed->sender.id);
	const Holdfast__Datagram *d = hf_decode(s, s->plain, length);

	if (!d) {
		s->counters.drop_undecodable++;
		return;
	}
	if (sealed->sender.boot == s->self->party.boot) {
		s->counters.drop_replayed++; /* our own, come back */
		return;
	}
	if (d->body_case == HOLDFAST__DATAGRAM__BODY_HELLO) {
		take_hello(s, from, sealed, d);
		return;
	}
	if (sealed->open) {
		s->counters.drop_undecodable++;
		return;
	}
	if (!m || m == s->self || m->party.boot != sealed->sender.boot) {
		s->counters.drop_unknown_boot++;
		hf_join_challenge(s, from, &sealed->sender);
		return;
	}
	take(s, m, sealed, d);
}

void hf_sync_receive(struct hf_sync *s, const struct hf_endpoint *from, const uint8_t *bytes,
		     size_t length, hf_time now)
{
	struct hf_sealed sealed;
	enum hf_seal_fault fault = HF_SEAL_MALFORMED;
	size_t plain = 0;

	s->now = now;
	s->counters.datagrams_received++;
	s->counters.bytes_received += length;
	if (s->joiner.readiness == HF_GONE)
		return;
	if (length <= sizeof(s->plain))
		fault = hf_seal_open(&s->keys, s->settings.cluster, &s->self->party, bytes, length,
				     &sealed, s->plain, &plain);
	if (fault == HF_SEAL_GOOD)
		take_sealed(s, from, &sealed, plain);
	else
		count_fault(s, fault);
}

void hf_sync_turn(struct hf_sync *s, hf_time now)
{
	bool late = s->deadline != HF_NEVER && now - s->deadline > LATE;

	s->now = now;
	s->deadline = HF_NEVER;
	if (s->joiner.readiness == HF_GONE)
		return;
	if (late)
		hf_prober_forgive(s);
	hf_join_turn(s);
	hf_prober_turn(s);
	hf_membership_turn(s);
	hf_fetch_turn(s);
	hf_view_turn(s);
	hf_exchanges_turn(s);
	hf_records_turn(s);
	hf_lookups_turn(s);
	hf_notices_turn(s);
	hf_rumours_turn(s);
}

hf_time hf_sync_deadline(const struct hf_sync *s)
{
	return s->deadline;
}

void hf_sync_set_keys(struct hf_sync *s, const struct hf_seal_keys *keys)
{
	s->keys = *keys;
}

void hf_sync_set_self(struct hf_sync *s, uint64_t config, uint64_t tables, uint32_t weight,
		      bool serving, hf_time now)
{
	struct hf_member_facts *f = &s->self->facts;

	s->now = now;
	s->serving = serving;
	if (f->config != config || f->tables != tables || f->weight != weight) {
		f->config = config;
		f->tables = tables;
		f->weight = weight;
		hf_self_changed(s);
	}
	hf_join_set_readiness(s, s->joiner.readiness);
}

uint32_t hf_sync_read(const struct hf_sync *s, uint32_t shard, uint32_t *cursor,
		      struct hf_record *records, uint32_t most)
{
	return hf_store_read(s->store, shard, cursor, records, most);
}

const struct hf_record *hf_sync_find(const struct hf_sync *s, uint64_t digest)
{
	return hf_store_find(s->store, digest);
}

const struct hf_member *hf_sync_self(const struct hf_sync *s)
{
	return s->self;
}

const struct hf_members *hf_sync_members(const struct hf_sync *s)
{
	return &s->members;
}

const struct hf_owners *hf_sync_owners(const struct hf_sync *s)
{
	return &s->view.now;
}

bool hf_sync_gave_up(const struct hf_sync *s)
{
	return s->view.gave_up;
}

const struct hf_owners *hf_sync_previous_owners(const struct hf_sync *s)
{
	return s->view.previous;
}

enum hf_readiness hf_sync_readiness(const struct hf_sync *s)
{
	return s->joiner.readiness;
}

hf_time hf_sync_readiness_since(const struct hf_sync *s)
{
	return s->joiner.readiness_since;
}

hf_time hf_sync_key_refused_at(const struct hf_sync *s)
{
	return s->key_refused_at;
}

const char *hf_readiness_name(enum hf_readiness readiness)
{
	static const char *const names[] = {
		[HF_JOINING] = "joining: no seed has answered yet",
		[HF_FETCHING] = "fetching the records that it will own",
		[HF_READY_FIRST] = "ready: there was nobody to fetch records from",
		[HF_READY_SNAPSHOT] = "ready: has fetched the records that it owns",
		[HF_READY_TIMEOUT] =
			"ready, but some records are missing: fetching them took too long",
		[HF_LEAVING] = "leaving: handing records on",
		[HF_GONE] = "has left",
	};

	return names[readiness];
}

uint32_t hf_sync_epoch(const struct hf_sync *s)
{
	return s->view.epoch;
}

uint32_t hf_sync_stamp(const struct hf_sync *s, hf_time now)
{
	return s->stamp_base + (now - s->stamp_at) / (HF_SECONDS(1) / HF_STAMPS_SECOND);
}

uint64_t hf_sync_record_count(const struct hf_sync *s)
{
	return hf_store_count(s->store);
}

const struct hf_sync_counters *hf_sync_counters(const struct hf_sync *s)
{
	return &s->counters;
}

uint32_t hf_sync_queue(const struct hf_member *member)
{
	return member->channel ? hf_channel_waiting(member->channel) : 0;
}
