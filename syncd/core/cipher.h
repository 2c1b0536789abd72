/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam to cryptography: the core says what is sealed, with which nonce and what beside it;
 * syncd/cipher.c does it, by libsodium.
 */
#ifndef HF_SYNC_CIPHER_H
#define HF_SYNC_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_CIPHER_KEY	32
#define HF_CIPHER_NONCE 24
#define HF_CIPHER_TAG	16

/* XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha). `out` has length + HF_CIPHER_TAG bytes. */
void hf_cipher_seal(uint8_t *out, const uint8_t *plain, size_t length, const uint8_t *beside,
		    size_t beside_length, const uint8_t nonce[HF_CIPHER_NONCE],
		    const uint8_t key[HF_CIPHER_KEY]);

/* `length` with the tag; false: not authentic, and `plain` holds nothing of it. */
bool hf_cipher_open(uint8_t *plain, const uint8_t *sealed, size_t length, const uint8_t *beside,
		    size_t beside_length, const uint8_t nonce[HF_CIPHER_NONCE],
		    const uint8_t key[HF_CIPHER_KEY]);

/* A stream of frames in order, of which none can be left out, and whose end can be told
 * (crypto_secretstream). A frame is HF_CIPHER_FRAME bytes longer than what is in it. */
#define HF_CIPHER_STREAM_HEADER 24
#define HF_CIPHER_FRAME		17

struct hf_cipher_stream {
	_Alignas(8) uint8_t state[64];
};

/* The stream's key: from the cluster's, and what both sides know of this stream alone. */
void hf_cipher_stream_key(uint8_t out[HF_CIPHER_KEY], const uint8_t key[HF_CIPHER_KEY],
			  const uint8_t *about, size_t length);

/* Makes a header that is new each time: the one random thing that the core does not ask for. */
void hf_cipher_stream_push_begin(struct hf_cipher_stream *stream,
				 uint8_t header[HF_CIPHER_STREAM_HEADER],
				 const uint8_t key[HF_CIPHER_KEY]);
void hf_cipher_stream_push(struct hf_cipher_stream *stream, uint8_t *out, const uint8_t *plain,
			   size_t length, bool last);

bool hf_cipher_stream_pull_begin(struct hf_cipher_stream *stream,
				 const uint8_t header[HF_CIPHER_STREAM_HEADER],
				 const uint8_t key[HF_CIPHER_KEY]);
/* `length` as sent. False: not the next frame of this stream. */
bool hf_cipher_stream_pull(struct hf_cipher_stream *stream, uint8_t *plain, const uint8_t *frame,
			   size_t length, bool *last);

#endif
