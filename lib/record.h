/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record: which backend a flow belongs to. What a node's flow table knows as a pin, on its way
 * between nodes.
 *
 * **Newest wins.** Of two records of one digest the greater one stays, by stamp, then state, then
 * backend, compared as numbers. That is a total order, and so merging - keeping the greater - is
 * commutative, associative and idempotent: whatever way, order and number of times records come in,
 * all who got the same ones hold the same. (tests/unit/record_test.c proves it over the whole
 * rule.)
 *
 * **Stamps** are the cluster's clock when the flow's node last said so, in tenths of a second since
 * the beginning of 2026. The clock starts as the node's own and never falls behind what another
 * member's says (Lamport's rule, 1978), so a flow's later record has a later stamp even where the
 * nodes' clocks differ. It lasts until 2039.
 *
 * A packed record is 13 bytes, little-endian:
 *
 *      0                           7               11              13
 *      | digest >> 8 (7 bytes)     | backend       | age:12 state:4|
 *
 * after a header of 5 bytes, version 1 and the batch's stamp, from which a record's age is counted
 * in tenths of a second: 409 s, more than twice a record's life. Of the digest's 64 bits a record
 * carries the 56 that a pin can keep (lbnode/bpf/pin.h).
 */
#ifndef HF_RECORD_H
#define HF_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/packet/shard.h"

#define HF_STAMP_EPOCH	 1767225600 /* 2026-01-01 00:00 UTC, in seconds since 1970 */
#define HF_STAMPS_SECOND 10
/* Unless refreshed an owner forgets a record after this long: in stamps. Nodes refresh each minute,
 * so three refreshes may get lost. */
#define HF_RECORD_LIFE	  (200 * HF_STAMPS_SECOND)
#define HF_RECORD_AGE_MAX 4095

#define HF_PACKED_HEADER  5
#define HF_PACKED_RECORD  13
#define HF_PACKED_SIZE(n) (HF_PACKED_HEADER + (size_t)(n)*HF_PACKED_RECORD)
#define HF_PACKED_DIGEST  7

/* What the low four bits of a record say. */
#define HF_RECORD_STATE	    0x07 /* of the pin (enum hf_pin_state) */
#define HF_RECORD_EXCEPTION 0x08 /* the backend differs from the slot's choice */

struct hf_record {
	uint64_t key;	  /* bits 8 to 63: the digest's; 0 to 3: state and exception */
	uint32_t backend; /* hash of the backend's identity, the same on every node; never 0 */
	uint32_t stamp;
};

#define HF_DIGEST_MASK (~(uint64_t)0xff)

static inline uint64_t hf_record_digest(const struct hf_record *record)
{
	return record->key & HF_DIGEST_MASK;
}

/* Whether a takes b's place, both being of the same digest. False of equal ones. */
bool hf_record_is_newer(const struct hf_record *a, const struct hf_record *b);

/* Writes header and records to `out`, of HF_PACKED_SIZE(count) bytes. `now`: the batch's stamp;
 * what is older than HF_RECORD_AGE_MAX is left out. Returns the number of bytes. */
size_t hf_records_pack(const struct hf_record *records, uint32_t count, uint32_t now, uint8_t *out);

/* Reads at most `most` records. Their number, or -EBADMSG for what is no batch: another version, a
 * length that does not fit, no digest, no backend. */
int hf_records_unpack(const uint8_t *bytes, size_t length, struct hf_record *records,
		      uint32_t most);

/* Digests alone, 7 bytes each. As above. */
size_t hf_digests_pack(const uint64_t *digests, uint32_t count, uint8_t *out);
int hf_digests_unpack(const uint8_t *bytes, size_t length, uint64_t *digests, uint32_t most);

/* A set of shards: a bit for each. */
struct hf_shard_set {
	uint64_t word[HF_SHARDS / 64];
};

extern const struct hf_shard_set hf_all_shards;

static inline bool hf_shard_in(const struct hf_shard_set *set, uint32_t shard)
{
	return set->word[shard / 64] >> (shard % 64) & 1;
}

static inline void hf_shard_add(struct hf_shard_set *set, uint32_t shard)
{
	set->word[shard / 64] |= 1ULL << (shard % 64);
}

static inline void hf_shard_remove(struct hf_shard_set *set, uint32_t shard)
{
	set->word[shard / 64] &= ~(1ULL << (shard % 64));
}

/* The first shard of the set at or after `from`; HF_SHARDS: none. */
uint32_t hf_shard_next(const struct hf_shard_set *set, uint32_t from);

#endif
