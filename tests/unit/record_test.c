// SPDX-License-Identifier: BSD-2-Clause
/* Records: the rule by which they merge, and their packed form. */
#include "lib/record.h"

#include <errno.h>
#include <string.h>

#include "syncd/core/random.h"
#include "tests/unit/unit.h"

static struct hf_record merge(struct hf_record a, struct hf_record b)
{
	return hf_record_is_newer(&b, &a) ? b : a;
}

/* All combinations of few values in each field: every case of the rule is among them. */
static uint32_t all_records(struct hf_record *out)
{
	static const uint32_t stamps[] = { 0, 1, 2, UINT32_MAX };
	static const uint32_t backends[] = { 1, 2, UINT32_MAX };
	uint32_t count = 0;

	for (size_t s = 0; s < 4; s++)
		for (uint64_t state = 0; state < 16; state += 5)
			for (size_t b = 0; b < 3; b++)
				out[count++] = (struct hf_record){ 0xabcdef00 | state, backends[b],
								   stamps[s] };
	return count;
}

static bool same(struct hf_record a, struct hf_record b)
{
	return a.key == b.key && a.backend == b.backend && a.stamp == b.stamp;
}

static void merging_is_idempotent_commutative_associative(void **state)
{
	struct hf_record r[64];
	uint32_t n = all_records(r);

	(void)state;
	for (uint32_t i = 0; i < n; i++) {
		assert_false(hf_record_is_newer(&r[i], &r[i]));
		assert_true(same(merge(r[i], r[i]), r[i]));
		for (uint32_t j = 0; j < n; j++) {
			/* A total order: of two different ones exactly one is newer. */
			if (i != j)
				assert_true(hf_record_is_newer(&r[i], &r[j]) !=
					    hf_record_is_newer(&r[j], &r[i]));
			assert_true(same(merge(r[i], r[j]), merge(r[j], r[i])));
			for (uint32_t k = 0; k < n; k++)
				assert_true(same(merge(merge(r[i], r[j]), r[k]),
						 merge(r[i], merge(r[j], r[k]))));
		}
	}
}

static void later_stamps_win(void **state)
{
	struct hf_record old = { 0xff00 | 0xf, 7, 100 }, new = { 0xff00, 1, 101 };

	(void)state;
	assert_true(hf_record_is_newer(&new, &old));
	assert_false(hf_record_is_newer(&old, &new));
}

/* What is on the wire: never change it. */
static void golden(void **state)
{
	const struct hf_record records[] = {
		{ 0x0123456789abcd00 | 0x09, 0xdeadbeef, 1000 },
		{ 0xfedcba9876543200 | 0x02, 1, 990 },
	};
	const uint8_t expected[] = {
		1,    0xe8, 0x03, 0,	0, /* version, stamp */
		0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0xef, 0xbe, 0xad, 0xde, 0x09, 0x00,
		0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe, 0x01, 0x00, 0x00, 0x00, 0xa2, 0x00,
	};
	struct hf_record back[2];
	uint8_t packed[HF_PACKED_SIZE(2)];

	(void)state;
	assert_int_equal(hf_records_pack(records, 2, 1000, packed), sizeof(expected));
	assert_memory_equal(packed, expected, sizeof(expected));
	assert_int_equal(hf_records_unpack(packed, sizeof(packed), back, 2), 2);
	assert_memory_equal(back, records, sizeof(records));
}

static void ages_are_kept_and_limited(void **state)
{
	const struct hf_record records[] = {
		{ 0x1100, 1, 10000 - HF_RECORD_AGE_MAX },
		{ 0x2200, 1, 10000 - HF_RECORD_AGE_MAX - 1 },
		{ 0x3300, 1, 10001 },
	};
	struct hf_record back[3];
	uint8_t packed[HF_PACKED_SIZE(3)];

	(void)state;
	/* One is too old to be told; one is ahead of the clock, and told as of now. */
	assert_int_equal(hf_records_pack(records, 3, 10000, packed), HF_PACKED_SIZE(2));
	assert_int_equal(hf_records_unpack(packed, HF_PACKED_SIZE(2), back, 3), 2);
	assert_int_equal(back[0].stamp, 10000 - HF_RECORD_AGE_MAX);
	assert_int_equal(back[1].stamp, 10000);
}

static void bad_batches(void **state)
{
	struct hf_record r = { 0x1100, 1, 5 }, back[2];
	uint8_t packed[HF_PACKED_SIZE(2)] = { 0 };

	(void)state;
	hf_records_pack(&r, 1, 5, packed);
	for (size_t length = 0; length < HF_PACKED_SIZE(2); length++)
		if (length != HF_PACKED_SIZE(1) && length != HF_PACKED_SIZE(0))
			assert_int_equal(hf_records_unpack(packed, length, back, 2), -EBADMSG);
	assert_int_equal(hf_records_unpack(packed, HF_PACKED_SIZE(1), back, 0), -EBADMSG);
	/* The second is all zero: no digest. */
	assert_int_equal(hf_records_unpack(packed, HF_PACKED_SIZE(2), back, 2), -EBADMSG);
	packed[0] = 2;
	assert_int_equal(hf_records_unpack(packed, HF_PACKED_SIZE(1), back, 1), -EBADMSG);
}

static void digests(void **state)
{
	const uint64_t d[] = { 0x1122334455667700, 0xff00000000000100 };
	uint64_t back[2];
	uint8_t packed[2 * HF_PACKED_DIGEST];

	(void)state;
	assert_int_equal(hf_digests_pack(d, 2, packed), sizeof(packed));
	assert_int_equal(hf_digests_unpack(packed, sizeof(packed), back, 2), 2);
	assert_memory_equal(back, d, sizeof(d));
	assert_int_equal(hf_digests_unpack(packed, sizeof(packed) - 1, back, 2), -EBADMSG);
	assert_int_equal(hf_digests_unpack(packed, sizeof(packed), back, 1), -EBADMSG);
}

static void shard_sets(void **state)
{
	struct hf_shard_set set = { { 0 } };

	(void)state;
	assert_int_equal(hf_shard_next(&set, 0), HF_SHARDS);
	hf_shard_add(&set, 63);
	hf_shard_add(&set, 64);
	hf_shard_add(&set, HF_SHARDS - 1);
	assert_int_equal(hf_shard_next(&set, 0), 63);
	assert_int_equal(hf_shard_next(&set, 64), 64);
	assert_int_equal(hf_shard_next(&set, 65), HF_SHARDS - 1);
	hf_shard_remove(&set, HF_SHARDS - 1);
	assert_int_equal(hf_shard_next(&set, 65), HF_SHARDS);
	assert_int_equal(hf_shard(UINT64_MAX), HF_SHARDS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merging_is_idempotent_commutative_associative),
		cmocka_unit_test(later_stamps_win),
		cmocka_unit_test(golden),
		cmocka_unit_test(ages_are_kept_and_limited),
		cmocka_unit_test(bad_batches),
		cmocka_unit_test(digests),
		cmocka_unit_test(shard_sets),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
