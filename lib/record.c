// SPDX-License-Identifier: BSD-2-Clause
#include "lib/record.h"

#include <errno.h>
#include <string.h>

#define VERSION 1

const struct hf_shard_set hf_all_shards = { .word = { [0 ... HF_SHARDS / 64 - 1] = UINT64_MAX } };

bool hf_record_is_newer(const struct hf_record *a, const struct hf_record *b)
{
	if (a->stamp != b->stamp)
		return a->stamp > b->stamp;
	if (a->key != b->key)
		return a->key > b->key;
	return a->backend > b->backend;
}

/* Digests and words are little-endian on the wire as in memory (lib/packet/digest.h insists). */
static void put(uint8_t *out, uint64_t value, size_t bytes)
{
	memcpy(out, &value, bytes);
}

static uint64_t get(const uint8_t *bytes, size_t length)
{
	uint64_t value = 0;

	memcpy(&value, bytes, length);
	return value;
}

size_t hf_records_pack(const struct hf_record *records, uint32_t count, uint32_t now, uint8_t *out)
{
	uint8_t *p = out + HF_PACKED_HEADER;

	out[0] = VERSION;
	put(out + 1, now, 4);
	for (uint32_t i = 0; i < count; i++) {
		const struct hf_record *r = &records[i];
		uint32_t age = now > r->stamp ? now - r->stamp : 0;

		if (age > HF_RECORD_AGE_MAX)
			continue;
		put(p, r->key >> 8, 7);
		put(p + 7, r->backend, 4);
		put(p + 11, age << 4 | (r->key & 0xf), 2);
		p += HF_PACKED_RECORD;
	}
	return p - out;
}

int hf_records_unpack(const uint8_t *bytes, size_t length, struct hf_record *records, uint32_t most)
{
	size_t count =
		length < HF_PACKED_HEADER ? 0 : (length - HF_PACKED_HEADER) / HF_PACKED_RECORD;
	uint32_t now;

	if (length != HF_PACKED_SIZE(count) || count > most || bytes[0] != VERSION)
		return -EBADMSG;
	now = get(bytes + 1, 4);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *p = bytes + HF_PACKED_SIZE(i);
		uint32_t last = get(p + 11, 2);

		records[i] = (struct hf_record){
			.key = get(p, 7) << 8 | (last & 0xf),
			.backend = get(p + 7, 4),
			.stamp = now > last >> 4 ? now - (last >> 4) : 0,
		};
		if (!records[i].backend || !hf_record_digest(&records[i]))
			return -EBADMSG;
	}
	return count;
}

size_t hf_digests_pack(const uint64_t *digests, uint32_t count, uint8_t *out)
{
	for (uint32_t i = 0; i < count; i++)
		put(out + i * HF_PACKED_DIGEST, digests[i] >> 8, HF_PACKED_DIGEST);
	return (size_t)count * HF_PACKED_DIGEST;
}

int hf_digests_unpack(const uint8_t *bytes, size_t length, uint64_t *digests, uint32_t most)
{
	size_t count = length / HF_PACKED_DIGEST;

	if (length != count * HF_PACKED_DIGEST || count > most)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		digests[i] = get(bytes + i * HF_PACKED_DIGEST, HF_PACKED_DIGEST) << 8;
		if (!digests[i])
			return -EBADMSG;
	}
	return count;
}

uint32_t hf_shard_next(const struct hf_shard_set *set, uint32_t from)
{
	while (from < HF_SHARDS) {
		uint64_t rest = set->word[from / 64] >> (from % 64);

		if (rest)
			return from + __builtin_ctzll(rest);
		from = (from / 64 + 1) * 64;
	}
	return HF_SHARDS;
}
