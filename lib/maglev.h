/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maglev hashing (Eisenbud et al., "Maglev: a fast and reliable software network load balancer",
 * NSDI 2016, section 3.4), with weights.
 *
 * The table depends on names and weights alone, not on their order or history: members take turns
 * in the order of their names. In each round a member gains credit in proportion to its
 * weight, the heaviest one turn a round, and takes a turn when a whole one has come together. So
 * equal weights differ by one slot at most, and others by about one from their share.
 */
#ifndef HF_MAGLEV_H
#define HF_MAGLEV_H

#include <stdbool.h>
#include <stdint.h>

#define HF_MAGLEV_SIZE_DEFAULT 65537
#define HF_MAGLEV_SIZE_MAX     1048573 /* the largest prime below 2^20 */
#define HF_MAGLEV_WEIGHT_MAX   65535

struct hf_maglev_member {
	const char *name; /* unique in its table */
	uint32_t weight;  /* 1 to HF_MAGLEV_WEIGHT_MAX */
	uint16_t value;	  /* what its slots are filled with */
};

/* A member's own order of the slots: offset, offset + skip, offset + 2 skip, ... modulo size. */
struct hf_maglev_permutation {
	uint32_t offset; /* 0 to size - 1 */
	uint32_t skip;	 /* 1 to size - 1 */
};

/* Only a prime size lets every skip visit every slot. */
bool hf_maglev_size_is_valid(uint32_t size);

struct hf_maglev_permutation hf_maglev_permutation(const char *name, uint32_t size);

/* Fills table[0..size-1] with the members' values; sorts `members` by name.
 * 0, -EINVAL (no member, a weight of 0, more members than slots, size not prime) or -ENOMEM. */
int hf_maglev_fill(struct hf_maglev_member *members, uint32_t count, uint16_t *table,
		   uint32_t size);

/* The core of it, for permutations that the caller chose: members take turns as they stand. */
int hf_maglev_fill_permuted(const struct hf_maglev_member *members,
			    const struct hf_maglev_permutation *permutations, uint32_t count,
			    uint16_t *table, uint32_t size);

#endif
