// SPDX-License-Identifier: BSD-2-Clause
/* Who owns what: a function of the set, and little of it changes when the set does. */
#include "syncd/core/owners.h"

#include <stdlib.h>
#include <string.h>

#include "syncd/core/random.h"
#include "tests/unit/unit.h"

static struct hf_owners a, b;

static void build(struct hf_owners *owners, uint32_t replicas, uint32_t members)
{
	hf_owners_init(owners, replicas);
	for (uint32_t i = 1; i <= members; i++)
		hf_owners_add(owners, hf_mix(i));
}

/* Random additions and removals end in the table of the set. */
static void history_does_not_matter(void **state)
{
	struct hf_random random;
	bool in[12] = { false };

	(void)state;
	hf_random_seed(&random, 7);
	hf_owners_init(&a, 2);
	for (int step = 0; step < 60; step++) {
		uint32_t i = hf_random_below(&random, 12);

		in[i] = !in[i];
		if (in[i])
			hf_owners_add(&a, hf_mix(i + 1));
		else
			hf_owners_remove(&a, hf_mix(i + 1));
		hf_owners_init(&b, 2);
		for (uint32_t j = 12; j-- > 0;)
			if (in[j])
				hf_owners_add(&b, hf_mix(j + 1));
		assert_int_equal(a.view, b.view);
		assert_memory_equal(a.owner, b.owner, sizeof(a.owner));
	}
}

static void owners_are_different_members(void **state)
{
	(void)state;
	build(&a, 3, 2);
	for (uint32_t shard = 0; shard < HF_SHARDS; shard++) {
		assert_true(a.owner[shard][0] && a.owner[shard][1]);
		assert_true(a.owner[shard][0] != a.owner[shard][1]);
		assert_true(a.owner[shard][2] == 0);
	}
	build(&a, 1, 0);
	assert_true(a.owner[0][0] == 0 && a.view == 0);
}

/* From N to N + 1 members a first owner changes for about 1 / (N + 1) of the shards, and then to
 * the new one; and nothing else. */
static void few_shards_move(void **state)
{
	(void)state;
	for (uint32_t n = 2; n <= 64; n *= 2) {
		uint64_t new_one = hf_mix(n + 1);
		uint32_t moved = 0;

		build(&a, 2, n);
		b = a;
		hf_owners_add(&b, new_one);
		for (uint32_t shard = 0; shard < HF_SHARDS; shard++) {
			if (hf_owners_owns(&b, shard, new_one)) {
				moved += b.owner[shard][0] == new_one;
				continue;
			}
			assert_memory_equal(a.owner[shard], b.owner[shard], sizeof(a.owner[shard]));
		}
		assert_in_range(moved, HF_SHARDS * 7 / 10 / (n + 1),
				HF_SHARDS * 13 / 10 / (n + 1) + 1);
	}
}

static void loads_are_even(void **state)
{
	uint32_t load[8] = { 0 };

	(void)state;
	build(&a, 2, 8);
	for (uint32_t shard = 0; shard < HF_SHARDS; shard++)
		for (uint32_t i = 0; i < 8; i++)
			load[i] += hf_owners_owns(&a, shard, hf_mix(i + 1));
	for (uint32_t i = 0; i < 8; i++)
		assert_in_range(load[i], HF_SHARDS / 4 * 9 / 10, HF_SHARDS / 4 * 11 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(history_does_not_matter),
		cmocka_unit_test(owners_are_different_members),
		cmocka_unit_test(few_shards_move),
		cmocka_unit_test(loads_are_even),
	};

	return cmocka_run_group_tests_name("owners", tests, NULL, NULL);
}
