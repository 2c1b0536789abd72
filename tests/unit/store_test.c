// SPDX-License-Identifier: BSD-2-Clause
/* The store against a plain array of everything that was merged. */
#include "syncd/core/store.h"

#include <stdlib.h>
#include <string.h>

#include "syncd/core/random.h"
#include "tests/unit/unit.h"

static struct hf_record record(uint64_t digest, uint32_t backend, uint32_t stamp)
{
	return (struct hf_record){ digest & HF_DIGEST_MASK, backend, stamp };
}

static void merges(void **state)
{
	struct hf_store *s = hf_store_new(2);
	struct hf_record a = record(0x1100, 1, 10), b = record(0x1100, 2, 20);
	struct hf_record c = record(0x2200, 1, 10), d = record(0x3300, 1, 10);

	(void)state;
	assert_null(hf_store_find(s, 0x1100));
	assert_int_equal(hf_store_merge(s, &a), HF_MERGE_NEW);
	assert_int_equal(hf_store_merge(s, &a), HF_MERGE_KNOWN);
	assert_int_equal(hf_store_merge(s, &b), HF_MERGE_CHANGED);
	assert_int_equal(hf_store_merge(s, &a), HF_MERGE_KNOWN);
	b.stamp = 21;
	assert_int_equal(hf_store_merge(s, &b), HF_MERGE_REFRESHED);
	assert_int_equal(hf_store_merge(s, &c), HF_MERGE_NEW);
	assert_int_equal(hf_store_merge(s, &d), HF_MERGE_FULL);
	assert_int_equal(hf_store_find(s, 0x11ab)->backend, 2);
	assert_int_equal(hf_store_count(s), 2);
	hf_store_drop(s, 0);
	assert_int_equal(hf_store_count(s), 0);
	assert_int_equal(hf_store_merge(s, &d), HF_MERGE_NEW);
	hf_store_delete(s);
}

/* Whatever the order, the same records make the same digest; a missing or other one another. */
static void digests_tell_differences(void **state)
{
	struct hf_store *a = hf_store_new(1000), *b = hf_store_new(1000);
	struct hf_record r;

	(void)state;
	assert_int_equal(hf_store_shard_digest(a, 0), 0);
	for (uint32_t i = 1; i <= 100; i++) {
		r = record((uint64_t)i << 16, i, 5);
		hf_store_merge(a, &r);
		r = record((uint64_t)(101 - i) << 16, 101 - i, 5);
		hf_store_merge(b, &r);
	}
	assert_int_equal(hf_store_shard_digest(a, 0), hf_store_shard_digest(b, 0));
	r = record(7 << 16, 8, 6);
	hf_store_merge(a, &r);
	assert_int_not_equal(hf_store_shard_digest(a, 0), hf_store_shard_digest(b, 0));
	hf_store_merge(b, &r);
	assert_int_equal(hf_store_shard_digest(a, 0), hf_store_shard_digest(b, 0));
	/* A refresh shows, but not each tenth of a second of it. */
	r.stamp = 7;
	hf_store_merge(a, &r);
	assert_int_equal(hf_store_shard_digest(a, 0), hf_store_shard_digest(b, 0));
	r.stamp = 600;
	hf_store_merge(a, &r);
	assert_int_not_equal(hf_store_shard_digest(a, 0), hf_store_shard_digest(b, 0));
	hf_store_delete(a);
	hf_store_delete(b);
}

#define MODEL 4000

/* Few shards and homes, so that probing and the moves of erasing are put to the test. */
static uint64_t crowded(struct hf_random *random)
{
	return (uint64_t)hf_random_below(random, 2) << 52 |
	       (uint64_t)hf_random_below(random, 500) << 24 |
	       (uint64_t)hf_random_below(random, 4) << 16;
}

static void agrees_with_a_model(void **state)
{
	struct hf_store *s = hf_store_new(MODEL);
	static struct hf_record model[MODEL];
	struct hf_random random;
	uint32_t count = 0, seen = 0, cursor = 0, got;
	struct hf_record page[7];

	(void)state;
	hf_random_seed(&random, 1);
	for (uint32_t step = 0; step < 200000; step++) {
		struct hf_record r = record(crowded(&random) | 1 << 8, 1 + step % 9, step / 10);
		uint32_t i = 0;

		while (i < count && hf_record_digest(&model[i]) != hf_record_digest(&r))
			i++;
		if (i == count)
			model[count++] = r;
		else if (hf_record_is_newer(&r, &model[i]))
			model[i] = r;
		hf_store_merge(s, &r);
		if (step % 5000)
			continue;
		for (uint32_t shard = 0; shard < HF_SHARDS; shard += HF_SHARDS - 1)
			hf_store_expire(s, shard, step / 20);
		hf_store_expire(s, 1, step / 20);
		for (i = 0; i < count;) {
			if (model[i].stamp < step / 20)
				model[i] = model[--count];
			else
				i++;
		}
		assert_int_equal(hf_store_count(s), count);
		for (i = 0; i < count; i++)
			assert_memory_equal(hf_store_find(s, model[i].key), &model[i],
					    sizeof(model[i]));
	}
	while ((got = hf_store_read(s, 0, &cursor, page, 7)))
		seen += got;
	assert_int_equal(seen, hf_store_shard_count(s, 0));
	hf_store_delete(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges),
		cmocka_unit_test(digests_tell_differences),
		cmocka_unit_test(agrees_with_a_model),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
