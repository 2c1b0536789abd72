// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls: how a command on one node asks a program of another one (request.c, frames.h). Only the
 * asking node's syncd and the answering one's know what goes by; what a message means is the
 * programs' own affair.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "syncd/core/core.h"
#include "syncd/core/frames.h"

struct hf_call {
	struct hf_frame_reader reader;
	uint8_t answer[HF_CALL_ANSWER];
	size_t length;
};

int hf_call_new(struct hf_sync *s, uint64_t id, uint32_t program, const uint8_t *message,
		size_t length, hf_time now, struct hf_call **call, struct hf_call_request *request)
{
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Call body = HOLDFAST__CALL__INIT;
	const struct hf_member *m = hf_members_find(&s->members, id);
	uint64_t nonce[HF_FRAME_NONCE / 8];

	s->now = now;
	if (!m || m == s->self || !hf_member_lives(m))
		return -ENOENT;
	if (!length || length > HF_CALL_MESSAGE)
		return -EMSGSIZE;
	*call = calloc(1, sizeof(**call));
	if (!*call)
		return -ENOMEM;
	hf_request_nonce(s, nonce);
	body.nonce.data = (uint8_t *)nonce;
	body.nonce.len = sizeof(nonce);
	body.program = program;
	body.message.data = (uint8_t *)message;
	body.message.len = length;
	d.body_case = HOLDFAST__DATAGRAM__BODY_CALL;
	d.call = &body;
	request->length = hf_request_seal(s, m, &d);
	memcpy(request->bytes, s->sealed, request->length);
	request->to = m->facts.endpoint;
	hf_frames_key((*call)->reader.key, HF_FRAMES_CALL, &s->keys.key[0], (uint8_t *)nonce,
		      &s->self->party, &m->party);
	return 0;
}

void hf_call_delete(struct hf_call *call)
{
	free(call);
}

int hf_call_take(struct hf_call *c, const uint8_t *bytes, size_t length)
{
	uint8_t plain[HF_FRAME_PLAIN];
	enum hf_frame frame;
	const char *why;
	size_t part;

	while ((frame = hf_frames_read(&c->reader, &bytes, &length, plain, &part, &why)) !=
	       HF_FRAME_MORE) {
		if (frame == HF_FRAME_FAULT || c->length + part > sizeof(c->answer))
			return -EBADMSG;
		memcpy(c->answer + c->length, plain, part);
		c->length += part;
		if (frame == HF_FRAME_LAST)
			return 1;
	}
	return 0;
}

const uint8_t *hf_call_answer(const struct hf_call *c, size_t *length)
{
	*length = c->length;
	return c->answer;
}

size_t hf_call_reply(const struct hf_request *r, const uint8_t *answer, size_t length, uint8_t *out)
{
	struct hf_frame_writer writer;
	size_t used = 0;

	hf_frames_begin(&writer, r->key);
	do {
		size_t part = length < HF_FRAME_PLAIN ? length : HF_FRAME_PLAIN;

		used += hf_frames_write(&writer, answer, part, part == length, out + used);
		answer += part;
		length -= part;
	} while (length);
	return used;
}
