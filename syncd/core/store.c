// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/core/store.h"

#include <stdlib.h>
#include <string.h>

#include "syncd/core/random.h"

#define SLOTS_LEAST 8
#define SHARD_MOST  32768

struct shard {
	struct hf_record *slots; /* backend 0: free */
	uint32_t size;		 /* power of two, or 0 */
	uint32_t count;
	uint64_t digest; /* sum over records: it can be taken off again */
};

struct hf_store {
	struct shard shards[HF_SHARDS];
	uint64_t count, most;
};

struct hf_store *hf_store_new(uint64_t most)
{
	struct hf_store *store = calloc(1, sizeof(*store));

	if (store)
		store->most = most;
	return store;
}

void hf_store_delete(struct hf_store *store)
{
	if (!store)
		return;
	for (uint32_t i = 0; i < HF_SHARDS; i++)
		free(store->shards[i].slots);
	free(store);
}

/* Digests are SipHashes under a secret key: any of their bits will do, but not the shard's. */
static uint32_t home_of(const struct shard *shard, uint64_t digest)
{
	return (digest >> 16) & (shard->size - 1);
}

/* Stamps count by 51 s: a refresh that one replica missed shows, before the record expires there.
 */
static uint64_t share_of(const struct hf_record *record)
{
	return hf_mix(hf_record_digest(record) ^
		      hf_mix(record->backend ^ (uint64_t)(record->stamp >> 9) << 32));
}

/* The digest's slot, or the free one where it would be. The table is never full. */
static uint32_t slot_of(const struct shard *shard, uint64_t digest)
{
	uint32_t i = home_of(shard, digest);

	while (shard->slots[i].backend && hf_record_digest(&shard->slots[i]) != digest)
		i = (i + 1) & (shard->size - 1);
	return i;
}

static bool grow(struct shard *shard)
{
	struct shard larger = { .size = shard->size ? 2 * shard->size : SLOTS_LEAST };

	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (uint32_t i = 0; i < shard->size; i++)
		if (shard->slots[i].backend)
			larger.slots[slot_of(&larger, hf_record_digest(&shard->slots[i]))] =
				shard->slots[i];
	free(shard->slots);
	shard->slots = larger.slots;
	shard->size = larger.size;
	return true;
}

static enum hf_merge replace(struct shard *shard, struct hf_record *held,
			     const struct hf_record *record)
{
	bool same = held->backend == record->backend;

	if (!hf_record_is_newer(record, held))
		return HF_MERGE_KNOWN;
	shard->digest += share_of(record) - share_of(held);
	*held = *record;
	return same ? HF_MERGE_REFRESHED : HF_MERGE_CHANGED;
}

enum hf_merge hf_store_merge(struct hf_store *store, const struct hf_record *record)
{
	struct shard *shard = &store->shards[hf_shard(record->key)];
	struct hf_record *slot;

	if ((shard->count + 1) * 4 > shard->size * 3 && !grow(shard))
		return HF_MERGE_FULL;
	slot = &shard->slots[slot_of(shard, hf_record_digest(record))];
	if (slot->backend)
		return replace(shard, slot, record);
	if (store->count >= store->most || shard->count >= SHARD_MOST)
		return HF_MERGE_FULL;
	*slot = *record;
	shard->digest += share_of(record);
	shard->count++;
	store->count++;
	return HF_MERGE_NEW;
}

const struct hf_record *hf_store_find(const struct hf_store *store, uint64_t digest)
{
	const struct shard *shard = &store->shards[hf_shard(digest)];
	const struct hf_record *slot;

	if (!shard->count)
		return NULL;
	slot = &shard->slots[slot_of(shard, digest & HF_DIGEST_MASK)];
	return slot->backend ? slot : NULL;
}

uint64_t hf_store_count(const struct hf_store *store)
{
	return store->count;
}

bool hf_store_is_full(const struct hf_store *store)
{
	return store->count >= store->most;
}

uint32_t hf_store_shard_count(const struct hf_store *store, uint32_t shard)
{
	return store->shards[shard].count;
}

uint32_t hf_store_shard_digest(const struct hf_store *store, uint32_t shard)
{
	return store->shards[shard].digest ^ store->shards[shard].digest >> 32;
}

uint32_t hf_store_read(const struct hf_store *store, uint32_t shard, uint32_t *cursor,
		       struct hf_record *records, uint32_t most)
{
	const struct shard *s = &store->shards[shard];
	uint32_t found = 0;

	for (; *cursor < s->size && found < most; ++*cursor)
		if (s->slots[*cursor].backend)
			records[found++] = s->slots[*cursor];
	return found;
}

/* Takes a slot's record away, and moves those behind it up, so that each is still found from its
 * home on (Knuth 6.4, algorithm R). */
static void erase(struct shard *shard, uint32_t hole)
{
	uint32_t mask = shard->size - 1;

	shard->digest -= share_of(&shard->slots[hole]);
	shard->count--;
	for (uint32_t i = (hole + 1) & mask; shard->slots[i].backend; i = (i + 1) & mask) {
		uint32_t home = home_of(shard, hf_record_digest(&shard->slots[i]));

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		shard->slots[hole] = shard->slots[i];
		hole = i;
	}
	shard->slots[hole].backend = 0;
}

uint32_t hf_store_expire(struct hf_store *store, uint32_t shard, uint32_t oldest)
{
	struct shard *s = &store->shards[shard];
	uint32_t before = s->count;

	/* What is moved up into a slot has to be looked at, too. */
	for (uint32_t i = 0; i < s->size; i++)
		while (s->slots[i].backend && s->slots[i].stamp < oldest)
			erase(s, i);
	store->count -= before - s->count;
	if (!s->count && s->size)
		hf_store_drop(store, shard);
	return before - s->count;
}

void hf_store_drop(struct hf_store *store, uint32_t shard)
{
	struct shard *s = &store->shards[shard];

	store->count -= s->count;
	free(s->slots);
	memset(s, 0, sizeof(*s));
}
