// SPDX-License-Identifier: BSD-2-Clause
/*
 * Requests, each of which begins a stream over TCP between two nodes:
 *
 *      asker -> answerer    length (2) | a sealed datagram: Fetch or Call, with a nonce
 *      answerer -> asker    frames.h
 *
 * The request is sealed for the answerer's present life and its counter accepted once, like any
 * datagram, so a recorded one gets no answer, and has nothing done again.
 */
#include <string.h>

#include "syncd/core/core.h"
#include "syncd/core/frames.h"

size_t hf_request_length(const uint8_t *bytes)
{
	size_t length = bytes[0] | bytes[1] << 8;

	return length > HF_SEAL_OVERHEAD && length <= HF_SYNC_DATAGRAM_MAX ? length : 0;
}

static const Holdfast__Datagram *open_request(struct hf_sync *s, const uint8_t *bytes,
					      size_t length, struct hf_sealed *sealed)
{
	struct hf_member *m;
	size_t plain;

	if (length > sizeof(s->plain) ||
	    hf_seal_open(&s->keys, s->settings.cluster, &s->self->party, bytes, length, sealed,
			 s->plain, &plain) != HF_SEAL_GOOD ||
	    sealed->open)
		return NULL;
	m = hf_members_find(&s->members, sealed->sender.id);
	if (!m || m == s->self || m->party.boot != sealed->sender.boot ||
	    !hf_member_accept(m, sealed->counter))
		return NULL;
	return hf_decode(s, s->plain, plain);
}

static bool take_fetch(const Holdfast__Fetch *fetch, struct hf_request *r)
{
	if (fetch->shards.len != sizeof(r->shards))
		return false;
	memcpy(&r->shards, fetch->shards.data, sizeof(r->shards));
	r->kind = HF_REQUEST_SNAPSHOT;
	return true;
}

static bool take_call(const Holdfast__Call *call, struct hf_request *r)
{
	r->program = call->program;
	r->message = call->message.data;
	r->length = call->message.len;
	r->kind = HF_REQUEST_CALL;
	return r->length > 0;
}

bool hf_request_open(struct hf_sync *s, const uint8_t *bytes, size_t length, hf_time now,
		     struct hf_request *r)
{
	const Holdfast__Datagram *d;
	const ProtobufCBinaryData *nonce;
	struct hf_sealed sealed;
	bool good = false;

	s->now = now;
	d = open_request(s, bytes, length, &sealed);
	if (d && d->body_case == HOLDFAST__DATAGRAM__BODY_FETCH) {
		nonce = &d->fetch->nonce;
		good = take_fetch(d->fetch, r);
	} else if (d && d->body_case == HOLDFAST__DATAGRAM__BODY_CALL) {
		nonce = &d->call->nonce;
		good = take_call(d->call, r);
	}
	if (!good || nonce->len != HF_FRAME_NONCE) {
		s->counters.requests_refused++;
		return false;
	}
	hf_frames_key(r->key, r->kind == HF_REQUEST_CALL ? HF_FRAMES_CALL : HF_FRAMES_SNAPSHOT,
		      sealed.key, nonce->data, &sealed.sender, &s->self->party);
	return true;
}

void hf_request_nonce(struct hf_sync *s, uint64_t nonce[HF_FRAME_NONCE / 8])
{
	for (int i = 0; i < HF_FRAME_NONCE / 8; i++)
		nonce[i] = hf_random_next(&s->random);
}

size_t hf_request_seal(struct hf_sync *s, const struct hf_member *to, Holdfast__Datagram *datagram)
{
	size_t length = hf_seal_message(s, &to->party, datagram);

	memmove(s->sealed + 2, s->sealed, length);
	s->sealed[0] = length;
	s->sealed[1] = length >> 8;
	return 2 + length;
}
