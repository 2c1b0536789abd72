// SPDX-License-Identifier: BSD-2-Clause
/*
 * Snapshots: how a joiner gets the shards that it will own, over TCP, before it is ready.
 *
 *      joiner -> member    length (2) | a sealed datagram: Fetch, with a nonce and a set of shards
 *      member -> joiner    header (24) | length (2), frame | length (2), frame | ... last frame
 *
 * The request is sealed for the member's present life and its counter accepted once, like any
 * datagram, so a recorded one gets no answer. The answer is a crypto_secretstream under a key
 * derived from the cluster's, the nonce and both lives: no recorded answer will do, no frame can be
 * changed, left out or cut off unseen. Frames are packed records (record.h). The member makes one
 * when the stream has room for it: TCP's flow control is the only one.
 *
 * The joiner asks one member after the other for all that it can give. When a stream fails, or says
 * nothing for 3 s, the shard's next owner is asked. What comes in meanwhile at the owners, the
 * exchange brings when this node is ready.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "syncd/core/core.h"

#define SERVED_MOST   16
#define FRAME_RECORDS 1024
#define FRAME_PLAIN   HF_PACKED_SIZE(FRAME_RECORDS)
#define FRAME_MOST    (FRAME_PLAIN + HF_CIPHER_FRAME)
#define SILENCE	      HF_SECONDS(3)
#define RETRY	      HF_MS(200)
#define NONCE	      32

_Static_assert(2 + FRAME_MOST + HF_CIPHER_STREAM_HEADER <= HF_SNAPSHOT_CHUNK, "a frame is a chunk");

static void derive(uint8_t out[HF_CIPHER_KEY], const struct hf_seal_key *key,
		   const uint8_t nonce[NONCE], const struct hf_party *joiner,
		   const struct hf_party *member)
{
	uint8_t about[8 + NONCE + 2 * sizeof(struct hf_party)] = "snapshot";

	memcpy(about + 8, nonce, NONCE);
	memcpy(about + 8 + NONCE, joiner, sizeof(*joiner));
	memcpy(about + 8 + NONCE + sizeof(*joiner), member, sizeof(*member));
	hf_cipher_stream_key(out, key->bytes, about, sizeof(about));
}

/* The member's side. */

struct hf_snapshot {
	struct hf_sync *sync;
	struct hf_cipher_stream stream;
	uint8_t header[HF_CIPHER_STREAM_HEADER];
	struct hf_shard_set shards;
	uint32_t shard, cursor;
	bool begun, ended;
};

size_t hf_snapshot_request_length(const uint8_t *bytes)
{
	size_t length = bytes[0] | bytes[1] << 8;

	return length > HF_SEAL_OVERHEAD && length <= HF_SYNC_DATAGRAM_MAX ? length : 0;
}

static const Holdfast__Fetch *open_request(struct hf_sync *s, const uint8_t *request, size_t length,
					   struct hf_sealed *sealed)
{
	const Holdfast__Datagram *d = NULL;
	struct hf_member *m;
	size_t plain;

	if (length > sizeof(s->plain) ||
	    hf_seal_open(&s->keys, s->settings.cluster, &s->self->party, request, length, sealed,
			 s->plain, &plain) != HF_SEAL_GOOD ||
	    sealed->open)
		return NULL;
	m = hf_members_find(&s->members, sealed->sender.id);
	if (!m || m == s->self || m->party.boot != sealed->sender.boot ||
	    !hf_member_accept(m, sealed->counter))
		return NULL;
	d = hf_decode(s, s->plain, plain);
	if (!d || d->body_case != HOLDFAST__DATAGRAM__BODY_FETCH || d->fetch->nonce.len != NONCE ||
	    d->fetch->shards.len != sizeof(struct hf_shard_set))
		return NULL;
	return d->fetch;
}

struct hf_snapshot *hf_snapshot_new(struct hf_sync *s, const uint8_t *request, size_t length,
				    hf_time now)
{
	struct hf_snapshot *snapshot = NULL;
	const Holdfast__Fetch *fetch;
	struct hf_sealed sealed;
	uint8_t key[HF_CIPHER_KEY];

	s->now = now;
	fetch = s->snapshots < SERVED_MOST ? open_request(s, request, length, &sealed) : NULL;
	if (fetch)
		snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot) {
		s->counters.snapshots_refused++;
		return NULL;
	}
	snapshot->sync = s;
	memcpy(&snapshot->shards, fetch->shards.data, sizeof(snapshot->shards));
	derive(key, sealed.key, fetch->nonce.data, &sealed.sender, &s->self->party);
	hf_cipher_stream_push_begin(&snapshot->stream, snapshot->header, key);
	snapshot->shard = hf_shard_next(&snapshot->shards, 0);
	s->snapshots++;
	s->counters.snapshots_served++;
	return snapshot;
}

void hf_snapshot_delete(struct hf_snapshot *snapshot)
{
	if (!snapshot)
		return;
	snapshot->sync->snapshots--;
	free(snapshot);
}

static uint32_t gather(struct hf_snapshot *snapshot, struct hf_record *records)
{
	const struct hf_store *store = snapshot->sync->store;
	uint32_t count = 0;

	while (snapshot->shard < HF_SHARDS) {
		count += hf_store_read(store, snapshot->shard, &snapshot->cursor, records + count,
				       FRAME_RECORDS - count);
		if (count == FRAME_RECORDS)
			break;
		snapshot->shard = hf_shard_next(&snapshot->shards, snapshot->shard + 1);
		snapshot->cursor = 0;
	}
	return count;
}

size_t hf_snapshot_next(struct hf_snapshot *snapshot, uint8_t *out)
{
	struct hf_record records[FRAME_RECORDS];
	uint8_t plain[FRAME_PLAIN];
	size_t used = 0, length;

	if (snapshot->ended)
		return 0;
	if (!snapshot->begun) {
		snapshot->begun = true;
		memcpy(out, snapshot->header, HF_CIPHER_STREAM_HEADER);
		used = HF_CIPHER_STREAM_HEADER;
	}
	length = hf_records_pack(records, gather(snapshot, records), hf_stamp_now(snapshot->sync),
				 plain);
	snapshot->ended = snapshot->shard == HF_SHARDS;
	hf_cipher_stream_push(&snapshot->stream, out + used + 2, plain, length, snapshot->ended);
	length += HF_CIPHER_FRAME;
	out[used] = length;
	out[used + 1] = length >> 8;
	return used + 2 + length;
}

/* The joiner's side. */

struct hf_fetch {
	struct hf_shard_set wanted;
	struct hf_shard_set asked; /* of the present source */
	uint32_t failures;
	bool open; /* a stream is */
	hf_time until, heard, retry;
	uint8_t key[HF_CIPHER_KEY];
	bool begun;
	struct hf_cipher_stream stream;
	uint8_t buffer[2 + FRAME_MOST];
	size_t filled;
};

static struct hf_member *source_for(struct hf_sync *s, uint32_t shard)
{
	const struct hf_owners *owners = &s->view.now;

	for (uint32_t i = 0; i < owners->replicas; i++) {
		uint64_t id = owners->owner[shard][(s->fetch->failures + i) % owners->replicas];
		struct hf_member *m = id ? hf_members_find(&s->members, id) : NULL;

		if (m && m != s->self && hf_member_lives(m))
			return m;
	}
	return NULL;
}

static void request(struct hf_sync *s, struct hf_member *source)
{
	struct hf_fetch *f = s->fetch;
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Fetch message = HOLDFAST__FETCH__INIT;
	uint8_t bytes[2 + HF_SYNC_DATAGRAM_MIN];
	uint64_t nonce[NONCE / 8];
	size_t length;

	for (int i = 0; i < NONCE / 8; i++)
		nonce[i] = hf_random_next(&s->random);
	message.nonce.data = (uint8_t *)nonce;
	message.nonce.len = NONCE;
	message.shards.data = (uint8_t *)&f->asked;
	message.shards.len = sizeof(f->asked);
	d.body_case = HOLDFAST__DATAGRAM__BODY_FETCH;
	d.fetch = &message;
	length = hf_seal_message(s, &source->party, &d);
	bytes[0] = length;
	bytes[1] = length >> 8;
	memcpy(bytes + 2, s->sealed, length);
	derive(f->key, &s->keys.key[0], (uint8_t *)nonce, &s->self->party, &source->party);
	f->open = true;
	f->begun = false;
	f->filled = 0;
	f->heard = s->now;
	s->output.fetch(s->context, &source->facts.endpoint, bytes, 2 + length);
}

static void end_fetch(struct hf_sync *s, enum hf_readiness readiness)
{
	hf_fetch_delete(s);
	hf_join_set_readiness(s, readiness);
}

/* All that the first wanted shard's owner can give. */
static void ask_next(struct hf_sync *s)
{
	struct hf_fetch *f = s->fetch;
	uint32_t first = hf_shard_next(&f->wanted, 0);
	struct hf_member *source;

	if (first == HF_SHARDS) {
		end_fetch(s, HF_READY_SNAPSHOT);
		return;
	}
	source = source_for(s, first);
	if (!source && !s->view.now.count) {
		end_fetch(s, HF_READY_FIRST); /* all who had them are gone */
		return;
	}
	if (!source) {
		f->retry = s->now + RETRY;
		return;
	}
	memset(&f->asked, 0, sizeof(f->asked));
	for (uint32_t shard = first; shard < HF_SHARDS; shard++)
		if (hf_shard_in(&f->wanted, shard) &&
		    hf_owners_owns(&s->view.now, shard, source->party.id))
			hf_shard_add(&f->asked, shard);
	request(s, source);
}

int hf_fetch_start(struct hf_sync *s)
{
	struct hf_owners *future;

	/* What is still to be taken up of who is ready counts already. */
	s->view.dirty = s->now;
	hf_view_turn(s);
	if (!s->view.now.count)
		return -ENOENT;
	future = malloc(sizeof(*future));
	s->fetch = calloc(1, sizeof(*s->fetch));
	if (!future || !s->fetch) {
		free(future);
		hf_fetch_delete(s);
		return -ENOMEM;
	}
	*future = s->view.now;
	hf_owners_add(future, s->self->party.id);
	for (uint32_t shard = 0; shard < HF_SHARDS; shard++)
		if (hf_owners_owns(future, shard, s->self->party.id))
			hf_shard_add(&s->fetch->wanted, shard);
	free(future);
	s->fetch->until = s->now + s->settings.snapshot_timeout;
	s->fetch->retry = s->now;
	hf_wake(s, s->now);
	return 0;
}

void hf_fetch_delete(struct hf_sync *s)
{
	free(s->fetch);
	s->fetch = NULL;
}

static void fail(struct hf_sync *s, const char *why)
{
	struct hf_fetch *f = s->fetch;

	f->open = false;
	f->failures++;
	f->retry = s->now + RETRY;
	hf_wake(s, f->retry);
	hf_tell(s, HF_EVENT_FETCH, NULL, HF_MEMBER_ALIVE, 0, why);
}

void hf_fetch_turn(struct hf_sync *s)
{
	struct hf_fetch *f = s->fetch;

	if (!f)
		return;
	if (s->now >= f->until) {
		end_fetch(s, HF_READY_TIMEOUT);
		return;
	}
	if (f->open && s->now - f->heard >= SILENCE)
		fail(s, "the stream was silent for 3 s");
	if (!f->open && s->now >= f->retry)
		ask_next(s);
	f = s->fetch;
	if (f)
		hf_wake(s, f->open ? f->heard + SILENCE : f->retry);
	if (f)
		hf_wake(s, f->until);
}

static void source_done(struct hf_sync *s)
{
	struct hf_fetch *f = s->fetch;

	for (uint32_t i = 0; i < HF_SHARDS / 64; i++)
		f->wanted.word[i] &= ~f->asked.word[i];
	f->open = false;
	f->failures = 0;
	f->retry = s->now;
	hf_wake(s, s->now);
}

/* One whole frame is in the buffer. False: the stream is over, well or not. */
static bool take_frame(struct hf_sync *s, size_t length)
{
	struct hf_record records[FRAME_RECORDS];
	struct hf_fetch *f = s->fetch;
	uint8_t plain[FRAME_PLAIN];
	bool last = false;
	int count;

	if (!hf_cipher_stream_pull(&f->stream, plain, f->buffer + 2, length, &last)) {
		fail(s, "a frame was not authentic");
		return false;
	}
	count = hf_records_unpack(plain, length - HF_CIPHER_FRAME, records, FRAME_RECORDS);
	if (count < 0) {
		fail(s, "a frame held no records");
		return false;
	}
	s->counters.snapshot_records += count;
	hf_records_apply(s, records, count);
	if (last)
		source_done(s);
	return !last;
}

/* How many bytes the buffer needs before something can be done with it; 0: never. */
static size_t needed(const struct hf_fetch *f)
{
	size_t length;

	if (!f->begun)
		return HF_CIPHER_STREAM_HEADER;
	if (f->filled < 2)
		return 2;
	length = f->buffer[0] | f->buffer[1] << 8;
	return length >= HF_CIPHER_FRAME && length <= FRAME_MOST ? 2 + length : 0;
}

/* The buffer holds what was needed. False: close the stream. */
static bool take_part(struct hf_sync *s)
{
	struct hf_fetch *f = s->fetch;
	size_t filled = f->filled;

	if (!f->begun) {
		f->begun = true;
		f->filled = 0;
		if (hf_cipher_stream_pull_begin(&f->stream, f->buffer, f->key))
			return true;
		fail(s, "its header is none");
		return false;
	}
	if (filled == 2)
		return true;
	f->filled = 0;
	return take_frame(s, filled - 2);
}

bool hf_sync_fetched(struct hf_sync *s, const uint8_t *bytes, size_t length, hf_time now)
{
	struct hf_fetch *f = s->fetch;

	s->now = now;
	if (!f || !f->open)
		return false;
	if (!bytes) {
		fail(s, "the stream broke off");
		return false;
	}
	f->heard = now;
	while (length) {
		size_t need = needed(f), part;

		if (!need) {
			fail(s, "a frame's length is none");
			return false;
		}
		part = need - f->filled < length ? need - f->filled : length;
		memcpy(f->buffer + f->filled, bytes, part);
		f->filled += part;
		bytes += part;
		length -= part;
		if (f->filled == need && !take_part(s))
			return false;
	}
	return true;
}
