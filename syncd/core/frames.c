// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/core/frames.h"

#include <string.h>

void hf_frames_key(uint8_t out[HF_CIPHER_KEY], const char what[8], const struct hf_seal_key *key,
		   const uint8_t nonce[HF_FRAME_NONCE], const struct hf_party *asker,
		   const struct hf_party *answerer)
{
	uint8_t about[8 + HF_FRAME_NONCE + 2 * sizeof(struct hf_party)];

	memcpy(about, what, 8);
	memcpy(about + 8, nonce, HF_FRAME_NONCE);
	memcpy(about + 8 + HF_FRAME_NONCE, asker, sizeof(*asker));
	memcpy(about + 8 + HF_FRAME_NONCE + sizeof(*asker), answerer, sizeof(*answerer));
	hf_cipher_stream_key(out, key->bytes, about, sizeof(about));
}

void hf_frames_begin(struct hf_frame_writer *w, const uint8_t key[HF_CIPHER_KEY])
{
	w->begun = false;
	hf_cipher_stream_push_begin(&w->stream, w->header, key);
}

size_t hf_frames_write(struct hf_frame_writer *w, const uint8_t *plain, size_t length, bool last,
		       uint8_t *out)
{
	size_t used = 0;

	if (!w->begun) {
		w->begun = true;
		memcpy(out, w->header, HF_CIPHER_STREAM_HEADER);
		used = HF_CIPHER_STREAM_HEADER;
	}
	hf_cipher_stream_push(&w->stream, out + used + 2, plain, length, last);
	length += HF_CIPHER_FRAME;
	out[used] = length;
	out[used + 1] = length >> 8;
	return used + 2 + length;
}

/* How many bytes the buffer needs before something can be done with it; 0: never. */
static size_t needed(const struct hf_frame_reader *r)
{
	size_t length;

	if (!r->begun)
		return HF_CIPHER_STREAM_HEADER;
	if (r->filled < 2)
		return 2;
	length = r->buffer[0] | r->buffer[1] << 8;
	return length >= HF_CIPHER_FRAME && length <= HF_FRAME_MOST ? 2 + length : 0;
}

/* The buffer holds what was needed. */
static enum hf_frame take_part(struct hf_frame_reader *r, uint8_t *plain, size_t *plain_length,
			       const char **why)
{
	size_t filled = r->filled;
	bool last = false;

	if (!r->begun) {
		r->begun = true;
		r->filled = 0;
		*why = "its header is none";
		return hf_cipher_stream_pull_begin(&r->stream, r->buffer, r->key) ? HF_FRAME_MORE
										  : HF_FRAME_FAULT;
	}
	if (filled == 2)
		return HF_FRAME_MORE;
	r->filled = 0;
	*why = "a frame was not authentic";
	if (!hf_cipher_stream_pull(&r->stream, plain, r->buffer + 2, filled - 2, &last))
		return HF_FRAME_FAULT;
	*plain_length = filled - 2 - HF_CIPHER_FRAME;
	return last ? HF_FRAME_LAST : HF_FRAME_NEXT;
}

enum hf_frame hf_frames_read(struct hf_frame_reader *r, const uint8_t **bytes, size_t *length,
			     uint8_t *plain, size_t *plain_length, const char **why)
{
	while (*length) {
		size_t need = needed(r), part;
		enum hf_frame frame;

		if (!need) {
			*why = "a frame's length is none";
			return HF_FRAME_FAULT;
		}
		part = need - r->filled < *length ? need - r->filled : *length;
		memcpy(r->buffer + r->filled, *bytes, part);
		r->filled += part;
		*bytes += part;
		*length -= part;
		if (r->filled < need)
			continue;
		frame = take_part(r, plain, plain_length, why);
		if (frame != HF_FRAME_MORE)
			return frame;
	}
	return HF_FRAME_MORE;
}
