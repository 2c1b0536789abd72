/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records that this node holds, by shard. Invariant: of each digest the newest record that was
 * ever merged is kept (record.h), until it is older than a record's life.
 *
 * Each shard is a hash table of its own, open addressing with linear probing, so that handing a
 * shard on, comparing it and dropping it touch nothing else. 16 bytes a record, at most three
 * quarters full: some 30 bytes each after doubling. No shard may have more than 32,768, a hundred
 * times its share of a million: digests that are chosen to meet can't make work unbounded.
 */
#ifndef HF_SYNC_STORE_H
#define HF_SYNC_STORE_H

#include "lib/record.h"

struct hf_store;

enum hf_merge {
	HF_MERGE_NEW,	  /* the digest was not known */
	HF_MERGE_CHANGED, /* it belonged to another backend */
	HF_MERGE_REFRESHED,
	HF_MERGE_KNOWN, /* what is held is as new, or newer */
	HF_MERGE_FULL,	/* no room, or no memory: not kept */
};

/* `most`: how many records there may be. NULL: no memory. */
struct hf_store *hf_store_new(uint64_t most);
void hf_store_delete(struct hf_store *store);

enum hf_merge hf_store_merge(struct hf_store *store, const struct hf_record *record);

/* NULL: not held. Valid until the store is changed. */
const struct hf_record *hf_store_find(const struct hf_store *store, uint64_t digest);

uint64_t hf_store_count(const struct hf_store *store);
bool hf_store_is_full(const struct hf_store *store);
uint32_t hf_store_shard_count(const struct hf_store *store, uint32_t shard);

/* The same for all who hold the same backends for the same digests, refreshed within the same 51 s;
 * 0 of none. */
uint32_t hf_store_shard_digest(const struct hf_store *store, uint32_t shard);

/* Copies at most `most` records of the shard, going on at *cursor (0 to begin), and moves it. 0: no
 * more. A shard that changes meanwhile may show a record twice, or not at all. */
uint32_t hf_store_read(const struct hf_store *store, uint32_t shard, uint32_t *cursor,
		       struct hf_record *records, uint32_t most);

/* Forgets the shard's records with stamps before `oldest`; returns how many. */
uint32_t hf_store_expire(struct hf_store *store, uint32_t shard, uint32_t oldest);

void hf_store_drop(struct hf_store *store, uint32_t shard);

#endif
