// SPDX-License-Identifier: BSD-2-Clause
#include "lib/maglev.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

bool hf_maglev_size_is_valid(uint32_t size)
{
	if (size < 3 || size > HF_MAGLEV_SIZE_MAX || size % 2 == 0)
		return false;
	for (uint32_t divisor = 3; divisor * divisor <= size; divisor += 2)
		if (size % divisor == 0)
			return false;
	return true;
}

/* Any two independent hashes do, if every node has the same: SipHash-2-4 under public keys. */
static uint64_t name_hash(const char *name, unsigned char purpose)
{
	unsigned char key[crypto_shorthash_KEYBYTES] = "holdfast maglev";
	uint64_t hash;

	key[sizeof(key) - 1] = purpose;
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)name, strlen(name), key);
	return hash;
}

struct hf_maglev_permutation hf_maglev_permutation(const char *name, uint32_t size)
{
	return (struct hf_maglev_permutation){
		.offset = name_hash(name, 'o') % size,
		.skip = name_hash(name, 's') % (size - 1) + 1,
	};
}

static int by_name(const void *a, const void *b)
{
	const struct hf_maglev_member *left = a, *right = b;

	return strcmp(left->name, right->name);
}

/* Where a member stands in its permutation, and the part of a turn it has saved up. */
struct turn {
	uint32_t next;
	uint32_t credit;
};

static uint32_t heaviest(const struct hf_maglev_member *members, uint32_t count)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (members[i].weight == 0)
			return 0;
		if (members[i].weight > most)
			most = members[i].weight;
	}
	return most;
}

static uint32_t take_slot(struct turn *turn, uint32_t skip, const bool *taken, uint32_t size)
{
	uint32_t slot = turn->next;

	while (taken[slot])
		slot = (slot + skip) % size;
	turn->next = (slot + skip) % size;
	return slot;
}

static void take_turns(const struct hf_maglev_member *members,
		       const struct hf_maglev_permutation *permutations, uint32_t count,
		       struct turn *turns, bool *taken, uint16_t *table, uint32_t size)
{
	uint32_t whole = heaviest(members, count), filled = 0;

	for (;;) {
		for (uint32_t i = 0; i < count; i++) {
			uint32_t slot;

			turns[i].credit += members[i].weight;
			if (turns[i].credit < whole)
				continue;
			turns[i].credit -= whole;
			slot = take_slot(&turns[i], permutations[i].skip, taken, size);
			taken[slot] = true;
			table[slot] = members[i].value;
			if (++filled == size)
				return;
		}
	}
}

int hf_maglev_fill_permuted(const struct hf_maglev_member *members,
			    const struct hf_maglev_permutation *permutations, uint32_t count,
			    uint16_t *table, uint32_t size)
{
	struct turn *turns;
	bool *taken;
	int err = -ENOMEM;

	if (!count || count > size || !hf_maglev_size_is_valid(size) || !heaviest(members, count))
		return -EINVAL;
	turns = calloc(count, sizeof(*turns));
	taken = calloc(size, sizeof(*taken));
	if (!turns || !taken)
		goto out;
	for (uint32_t i = 0; i < count; i++)
		turns[i].next = permutations[i].offset;
	take_turns(members, permutations, count, turns, taken, table, size);
	err = 0;
out:
	free(taken);
	free(turns);
	return err;
}

int hf_maglev_fill(struct hf_maglev_member *members, uint32_t count, uint16_t *table, uint32_t size)
{
	struct hf_maglev_permutation *permutations =
		calloc(count ? count : 1, sizeof(*permutations));
	int err;

	if (!permutations)
		return -ENOMEM;
	if (!hf_maglev_size_is_valid(size)) {
		free(permutations);
		return -EINVAL;
	}
	qsort(members, count, sizeof(*members), by_name);
	for (uint32_t i = 0; i < count; i++)
		permutations[i] = hf_maglev_permutation(members[i].name, size);
	err = hf_maglev_fill_permuted(members, permutations, count, table, size);
	free(permutations);
	return err;
}
