// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/core/cipher.h"

#include <sodium.h>

_Static_assert(HF_CIPHER_KEY == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(HF_CIPHER_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(HF_CIPHER_TAG == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");
_Static_assert(HF_CIPHER_KEY == crypto_secretstream_xchacha20poly1305_KEYBYTES, "stream key");
_Static_assert(HF_CIPHER_STREAM_HEADER == crypto_secretstream_xchacha20poly1305_HEADERBYTES,
	       "stream header");
_Static_assert(HF_CIPHER_FRAME == crypto_secretstream_xchacha20poly1305_ABYTES, "frame");
_Static_assert(sizeof(struct hf_cipher_stream) >=
		       sizeof(crypto_secretstream_xchacha20poly1305_state),
	       "stream");

void hf_cipher_seal(uint8_t *out, const uint8_t *plain, size_t length, const uint8_t *beside,
		    size_t beside_length, const uint8_t nonce[HF_CIPHER_NONCE],
		    const uint8_t key[HF_CIPHER_KEY])
{
	crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plain, length, beside, beside_length,
						   NULL, nonce, key);
}

bool hf_cipher_open(uint8_t *plain, const uint8_t *sealed, size_t length, const uint8_t *beside,
		    size_t beside_length, const uint8_t nonce[HF_CIPHER_NONCE],
		    const uint8_t key[HF_CIPHER_KEY])
{
	return crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed, length, beside,
							  beside_length, nonce, key) == 0;
}

void hf_cipher_stream_key(uint8_t out[HF_CIPHER_KEY], const uint8_t key[HF_CIPHER_KEY],
			  const uint8_t *about, size_t length)
{
	crypto_generichash(out, HF_CIPHER_KEY, about, length, key, HF_CIPHER_KEY);
}

static crypto_secretstream_xchacha20poly1305_state *state_of(struct hf_cipher_stream *stream)
{
	return (crypto_secretstream_xchacha20poly1305_state *)stream->state;
}

void hf_cipher_stream_push_begin(struct hf_cipher_stream *stream,
				 uint8_t header[HF_CIPHER_STREAM_HEADER],
				 const uint8_t key[HF_CIPHER_KEY])
{
	crypto_secretstream_xchacha20poly1305_init_push(state_of(stream), header, key);
}

void hf_cipher_stream_push(struct hf_cipher_stream *stream, uint8_t *out, const uint8_t *plain,
			   size_t length, bool last)
{
	crypto_secretstream_xchacha20poly1305_push(
		state_of(stream), out, NULL, plain, length, NULL, 0,
		last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
}

bool hf_cipher_stream_pull_begin(struct hf_cipher_stream *stream,
				 const uint8_t header[HF_CIPHER_STREAM_HEADER],
				 const uint8_t key[HF_CIPHER_KEY])
{
	return crypto_secretstream_xchacha20poly1305_init_pull(state_of(stream), header, key) == 0;
}

bool hf_cipher_stream_pull(struct hf_cipher_stream *stream, uint8_t *plain, const uint8_t *frame,
			   size_t length, bool *last)
{
	unsigned char tag;

	if (length < HF_CIPHER_FRAME ||
	    crypto_secretstream_xchacha20poly1305_pull(state_of(stream), plain, NULL, &tag, frame,
						       length, NULL, 0) != 0)
		return false;
	*last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	return true;
}
