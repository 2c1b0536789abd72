// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/core/seal.h"

#include <string.h>

#define OPEN	   0x10
#define NONCE_AT   4
#define BESIDE	   (4 + 3 * 8)
#define LENGTH_MAX 65535

static uint16_t tag_of(uint64_t cluster)
{
	return cluster >> 48;
}

static void fill_beside(uint8_t beside[BESIDE], const uint8_t *header, uint64_t cluster,
			const struct hf_party *recipient)
{
	memcpy(beside, header, 4);
	memcpy(beside + 4, &cluster, 8);
	memcpy(beside + 12, &recipient->id, 8);
	memcpy(beside + 20, &recipient->boot, 8);
}

size_t hf_seal(const struct hf_seal_keys *keys, uint64_t cluster, const struct hf_party *sender,
	       uint64_t counter, const struct hf_party *recipient, const uint8_t *plain,
	       size_t length, uint8_t *out)
{
	static const struct hf_party anyone;
	const struct hf_seal_key *key = &keys->key[0];
	uint16_t tag = tag_of(cluster);
	uint8_t beside[BESIDE];

	out[0] = HF_SEAL_VERSION | (recipient ? 0 : OPEN);
	out[1] = key->id;
	memcpy(out + 2, &tag, 2);
	memcpy(out + 4, &sender->id, 8);
	memcpy(out + 12, &sender->boot, 8);
	memcpy(out + 20, &counter, 8);
	fill_beside(beside, out, cluster, recipient ? recipient : &anyone);
	hf_cipher_seal(out + HF_SEAL_HEADER, plain, length, beside, sizeof(beside), out + NONCE_AT,
		       key->bytes);
	return length + HF_SEAL_OVERHEAD;
}

/* Two keys of a ring may share an id: one in 256 rings of two. */
static enum hf_seal_fault open_with_any(const struct hf_seal_keys *keys, const uint8_t *bytes,
					size_t length, const uint8_t *beside, uint8_t *plain,
					struct hf_sealed *sealed)
{
	enum hf_seal_fault fault = HF_SEAL_KEY;

	for (uint32_t i = 0; i < keys->count; i++) {
		sealed->key = &keys->key[i];
		if (sealed->key->id != bytes[1])
			continue;
		fault = HF_SEAL_FORGED;
		if (hf_cipher_open(plain, bytes + HF_SEAL_HEADER, length - HF_SEAL_HEADER, beside,
				   BESIDE, bytes + NONCE_AT, sealed->key->bytes))
			return HF_SEAL_GOOD;
	}
	return fault;
}

enum hf_seal_fault hf_seal_open(const struct hf_seal_keys *keys, uint64_t cluster,
				const struct hf_party *self, const uint8_t *bytes, size_t length,
				struct hf_sealed *sealed, uint8_t *plain, size_t *plain_length)
{
	static const struct hf_party anyone;
	uint8_t beside[BESIDE];
	uint16_t tag;

	if (length < HF_SEAL_OVERHEAD || length > LENGTH_MAX ||
	    (bytes[0] & ~OPEN) != HF_SEAL_VERSION)
		return HF_SEAL_MALFORMED;
	memcpy(&tag, bytes + 2, 2);
	if (tag != tag_of(cluster))
		return HF_SEAL_CLUSTER;
	sealed->open = bytes[0] & OPEN;
	memcpy(&sealed->sender.id, bytes + 4, 8);
	memcpy(&sealed->sender.boot, bytes + 12, 8);
	memcpy(&sealed->counter, bytes + 20, 8);
	fill_beside(beside, bytes, cluster, sealed->open ? &anyone : self);
	*plain_length = length - HF_SEAL_OVERHEAD;
	return open_with_any(keys, bytes, length, beside, plain, sealed);
}
