// SPDX-License-Identifier: BSD-2-Clause
/*
 * Snapshots: how a joiner gets the shards that it will own, over TCP, before it is ready: a request
 * (request.c) with a set of shards, whose answer's frames (frames.h) are packed records (record.h).
 * The member makes one when the stream has room for it: TCP's flow control is the only one.
 *
 * The joiner asks one member after the other for all that it can give. When a stream fails, or says
 * nothing for 3 s, the shard's next owner is asked. What comes in meanwhile at the owners, the
 * exchange brings when this node is ready.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "syncd/core/core.h"
#include "syncd/core/frames.h"

#define SERVED_MOST   16
#define FRAME_RECORDS 1024
#define SILENCE	      HF_SECONDS(3)
#define RETRY	      HF_MS(200)

_Static_assert(HF_PACKED_SIZE(FRAME_RECORDS) <= HF_FRAME_PLAIN, "they fit a frame");

/* The member's side. */

struct hf_snapshot {
	struct hf_sync *sync;
	struct hf_frame_writer writer;
	struct hf_shard_set shards;
	uint32_t shard, cursor;
	bool ended;
};

struct hf_snapshot *hf_snapshot_new(struct hf_sync *s, const struct hf_request *request)
{
	struct hf_snapshot *snapshot = NULL;

	if (s->snapshots < SERVED_MOST && request->kind == HF_REQUEST_SNAPSHOT)
		snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot) {
		s->counters.snapshots_refused++;
		return NULL;
	}
	snapshot->sync = s;
	snapshot->shards = request->shards;
	hf_frames_begin(&snapshot->writer, request->key);
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
	uint8_t plain[HF_FRAME_PLAIN];
	size_t length;

	if (snapshot->ended)
		return 0;
	length = hf_records_pack(records, gather(snapshot, records), hf_stamp_now(snapshot->sync),
				 plain);
	snapshot->ended = snapshot->shard == HF_SHARDS;
	return hf_frames_write(&snapshot->writer, plain, length, snapshot->ended, out);
}

/* The joiner's side. */

struct hf_fetch {
	struct hf_shard_set wanted;
	struct hf_shard_set asked; /* of the present source */
	uint32_t failures;
	bool open; /* a stream is */
	hf_time until, heard, retry;
	struct hf_frame_reader reader;
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
	uint64_t nonce[HF_FRAME_NONCE / 8];
	size_t length;

	hf_request_nonce(s, nonce);
	message.nonce.data = (uint8_t *)nonce;
	message.nonce.len = sizeof(nonce);
	message.shards.data = (uint8_t *)&f->asked;
	message.shards.len = sizeof(f->asked);
	d.body_case = HOLDFAST__DATAGRAM__BODY_FETCH;
	d.fetch = &message;
	length = hf_request_seal(s, source, &d);
	memset(&f->reader, 0, sizeof(f->reader));
	hf_frames_key(f->reader.key, HF_FRAMES_SNAPSHOT, &s->keys.key[0], (uint8_t *)nonce,
		      &s->self->party, &source->party);
	f->open = true;
	f->heard = s->now;
	s->output.fetch(s->context, &source->facts.endpoint, s->sealed, length);
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

/* False: the stream is over, well or not. */
static bool take_frame(struct hf_sync *s, const uint8_t *plain, size_t length, bool last)
{
	struct hf_record records[FRAME_RECORDS];
	int count = hf_records_unpack(plain, length, records, FRAME_RECORDS);

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

bool hf_sync_fetched(struct hf_sync *s, const uint8_t *bytes, size_t length, hf_time now)
{
	struct hf_fetch *f = s->fetch;
	uint8_t plain[HF_FRAME_PLAIN];
	enum hf_frame frame;
	const char *why;
	size_t part;

	s->now = now;
	if (!f || !f->open)
		return false;
	if (!bytes) {
		fail(s, "the stream broke off");
		return false;
	}
	f->heard = now;
	while ((frame = hf_frames_read(&f->reader, &bytes, &length, plain, &part, &why)) !=
	       HF_FRAME_MORE) {
		if (frame == HF_FRAME_FAULT) {
			fail(s, why);
			return false;
		}
		if (!take_frame(s, plain, part, frame == HF_FRAME_LAST))
			return false;
	}
	return true;
}
