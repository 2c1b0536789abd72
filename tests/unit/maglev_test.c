// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/maglev.h"
#include "tests/unit/unit.h"

#define SLOTS 65537

static uint16_t table[SLOTS], other[SLOTS];
static uint32_t count[1024];

static struct hf_maglev_member *make_members(uint32_t n)
{
	struct hf_maglev_member *m = calloc(n, sizeof(*m));

	assert_non_null(m);
	for (uint32_t i = 0; i < n; i++) {
		char *name;

		assert_true(asprintf(&name, "backend-%u", i) > 0);
		m[i] = (struct hf_maglev_member){ .name = name, .weight = 100, .value = i };
	}
	return m;
}

static void free_members(struct hf_maglev_member *m, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free((char *)m[i].name);
	free(m);
}

static void count_slots(const uint16_t *slots, uint32_t size)
{
	memset(count, 0, sizeof(count));
	for (uint32_t i = 0; i < size; i++)
		count[slots[i]]++;
}

/* The paper's table 1, before and after the loss of B1. */
static void the_papers_table(void **state)
{
	const struct hf_maglev_permutation p[] = { { 3, 4 }, { 0, 2 }, { 3, 1 } };
	const struct hf_maglev_permutation without[] = { { 3, 4 }, { 3, 1 } };
	const struct hf_maglev_member m[] = { { "0", 1, 0 }, { "1", 1, 1 }, { "2", 1, 2 } };
	const struct hf_maglev_member left[] = { { "0", 1, 0 }, { "2", 1, 2 } };
	const uint16_t expected[] = { 1, 0, 1, 0, 2, 2, 0 };
	const uint16_t after[] = { 0, 0, 0, 0, 2, 2, 2 };
	uint16_t slots[7];

	(void)state;
	assert_int_equal(hf_maglev_fill_permuted(m, p, 3, slots, 7), 0);
	assert_memory_equal(slots, expected, sizeof(expected));
	assert_int_equal(hf_maglev_fill_permuted(left, without, 2, slots, 7), 0);
	assert_memory_equal(slots, after, sizeof(after));
}

static void order_does_not_matter(void **state)
{
	struct hf_maglev_member *m = make_members(10);

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		m[i].weight = 10 + i;
	assert_int_equal(hf_maglev_fill(m, 10, table, SLOTS), 0);
	for (uint32_t i = 0; i < 5; i++) {
		struct hf_maglev_member swap = m[i];

		m[i] = m[9 - i];
		m[9 - i] = swap;
	}
	assert_int_equal(hf_maglev_fill(m, 10, other, SLOTS), 0);
	assert_memory_equal(table, other, sizeof(table));
	free_members(m, 10);
}

static void equal_weights_are_balanced(void **state)
{
	const uint32_t sizes[] = { 1, 2, 7, 100, 1000 };

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct hf_maglev_member *m = make_members(sizes[s]);
		uint32_t least = UINT32_MAX, most = 0;

		assert_int_equal(hf_maglev_fill(m, sizes[s], table, SLOTS), 0);
		count_slots(table, SLOTS);
		for (uint32_t i = 0; i < sizes[s]; i++) {
			least = count[i] < least ? count[i] : least;
			most = count[i] > most ? count[i] : most;
		}
		assert_true(most - least <= 1);
		free_members(m, sizes[s]);
	}
}

static void weights_share_the_slots(void **state)
{
	const uint32_t weights[] = { 1, 2, 50, 100, 347, 1000 };
	struct hf_maglev_member *m = make_members(6);
	uint32_t sum = 0;

	(void)state;
	for (int i = 0; i < 6; i++)
		sum += m[i].weight = weights[i];
	assert_int_equal(hf_maglev_fill(m, 6, table, SLOTS), 0);
	count_slots(table, SLOTS);
	for (int i = 0; i < 6; i++) {
		double share = (double)SLOTS * weights[i] / sum;

		assert_true(count[i] > share - 2 && count[i] < share + 2);
	}
	free_members(m, 6);
}

static uint32_t differing(uint16_t gone)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		n += table[i] != other[i] && table[i] != gone && other[i] != gone;
	return n;
}

/* Of the slots that need not move, few do (section 5.3 of the paper finds under 1 % with a table a
 * hundred times the backends). */
static void little_moves_when_members_change(void **state)
{
	struct hf_maglev_member *m = make_members(101);

	(void)state;
	assert_int_equal(hf_maglev_fill(m, 100, table, SLOTS), 0);
	assert_int_equal(hf_maglev_fill(m, 101, other, SLOTS), 0);
	assert_true(differing(100) < SLOTS / 100);
	count_slots(other, SLOTS);
	assert_in_range(count[100], SLOTS / 101, SLOTS / 101 + 1);
	free_members(m, 101);
}

static void re_weighting_moves_little_else(void **state)
{
	struct hf_maglev_member *m = make_members(100);

	(void)state;
	assert_int_equal(hf_maglev_fill(m, 100, table, SLOTS), 0);
	m[50].weight = 50;
	assert_int_equal(hf_maglev_fill(m, 100, other, SLOTS), 0);
	assert_true(differing(m[50].value) < SLOTS / 50);
	free_members(m, 100);
}

static void bad_tables_are_refused(void **state)
{
	struct hf_maglev_member m[] = { { "a", 1, 1 }, { "b", 0, 2 } };

	(void)state;
	assert_int_equal(hf_maglev_fill(m, 0, table, 7), -EINVAL);
	assert_int_equal(hf_maglev_fill(m, 2, table, 7), -EINVAL);
	assert_int_equal(hf_maglev_fill(m, 1, table, 8), -EINVAL);
	assert_int_equal(hf_maglev_fill(m, 1, table, 0), -EINVAL);
	assert_true(hf_maglev_size_is_valid(65537) && hf_maglev_size_is_valid(1048573));
	assert_false(hf_maglev_size_is_valid(65535) || hf_maglev_size_is_valid(1048583) ||
		     hf_maglev_size_is_valid(2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_papers_table),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(equal_weights_are_balanced),
		cmocka_unit_test(weights_share_the_slots),
		cmocka_unit_test(little_moves_when_members_change),
		cmocka_unit_test(re_weighting_moves_little_else),
		cmocka_unit_test(bad_tables_are_refused),
	};

	return cmocka_run_group_tests_name("maglev", tests, NULL, NULL);
}
