/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a stream between two nodes carries back, when one has asked the other by a sealed request:
 *
 *      header (24) | length (2), frame | length (2), frame | ... last frame
 *
 * a crypto_secretstream under a key derived from the cluster's, the request's nonce and both lives:
 * no recorded answer will do, no frame can be changed, left out or cut off unseen.
 */
#ifndef HF_SYNC_FRAMES_H
#define HF_SYNC_FRAMES_H

#include "syncd/core/cipher.h"
#include "syncd/core/seal.h"
#include "syncd/core/sync.h"

#define HF_FRAME_MOST  (HF_SNAPSHOT_CHUNK - 2 - HF_CIPHER_STREAM_HEADER)
#define HF_FRAME_PLAIN (HF_FRAME_MOST - HF_CIPHER_FRAME)
#define HF_FRAME_NONCE 32

/* The key of an answer to who asked by this nonce. `what` has 8 bytes, and tells uses apart. */
void hf_frames_key(uint8_t out[HF_CIPHER_KEY], const char what[8], const struct hf_seal_key *key,
		   const uint8_t nonce[HF_FRAME_NONCE], const struct hf_party *asker,
		   const struct hf_party *answerer);

struct hf_frame_writer {
	struct hf_cipher_stream stream;
	uint8_t header[HF_CIPHER_STREAM_HEADER];
	bool begun;
};

void hf_frames_begin(struct hf_frame_writer *writer, const uint8_t key[HF_CIPHER_KEY]);
/* Writes the next frame, and the header before the first, to `out` of HF_SNAPSHOT_CHUNK bytes; how
 * many. `length` up to HF_FRAME_PLAIN. */
size_t hf_frames_write(struct hf_frame_writer *writer, const uint8_t *plain, size_t length,
		       bool last, uint8_t *out);

struct hf_frame_reader {
	uint8_t key[HF_CIPHER_KEY];
	struct hf_cipher_stream stream;
	bool begun;
	uint8_t buffer[2 + HF_FRAME_MOST];
	size_t filled;
};

enum hf_frame {
	HF_FRAME_MORE, /* bytes are needed */
	HF_FRAME_NEXT, /* one is there */
	HF_FRAME_LAST,
	HF_FRAME_FAULT,
};

/* Reads on up to the end of a frame. `plain` has HF_FRAME_PLAIN bytes; *why: of HF_FRAME_FAULT. */
enum hf_frame hf_frames_read(struct hf_frame_reader *reader, const uint8_t **bytes, size_t *length,
			     uint8_t *plain, size_t *plain_length, const char **why);

#endif
