// SPDX-License-Identifier: BSD-2-Clause
/* Fragments that wait: let go when their datagram is known, or their time is up; never too many. */
#include "lbnode/held.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct hf_hold hold;
static uint64_t known;
static uint64_t ran[HF_HOLD_MAX + 1];
static int runs;

static bool is_known(void *context, uint64_t datagram)
{
	(void)context;
	return datagram == known;
}

static void run(void *context, const struct hf_held *fragment)
{
	(void)context;
	assert_int_equal(fragment->frame[0], (uint8_t)fragment->datagram);
	assert_int_equal(fragment->frame[fragment->length - 1], (uint8_t)fragment->datagram);
	ran[runs++] = fragment->datagram;
}

static bool add(uint64_t datagram, int64_t now)
{
	struct hf_held f = { .datagram = datagram, .length = 20 + datagram % 1500 };

	memset(f.frame, (int)datagram, f.length);
	return hf_hold_add(&hold, &f, now);
}

static int begin(void **state)
{
	(void)state;
	memset(&hold, 0, sizeof(hold));
	known = 0;
	runs = 0;
	return 0;
}

static void turn(int64_t now)
{
	runs = 0;
	hf_hold_turn(&hold, now, is_known, run, NULL);
}

static void go_when_their_first_has_come(void **state)
{
	(void)state;
	for (int i = 1; i <= 9; i++)
		add(1000 + i % 3, 100);
	turn(101);
	assert_int_equal(runs, 0);
	known = 1001;
	turn(102);
	assert_int_equal(runs, 3);
	assert_int_equal(hold.count, 6);
	known = 1002;
	turn(103);
	assert_int_equal(runs, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ran[i], 1002);
}

static void go_when_their_time_is_up(void **state)
{
	(void)state;
	add(1, 100);
	add(2, 200);
	turn(100 + HF_HOLD_MS - 1);
	assert_int_equal(runs, 0);
	turn(100 + HF_HOLD_MS);
	assert_int_equal(runs, 1);
	assert_int_equal(ran[0], 1);
	turn(10000);
	assert_int_equal(ran[0], 2);
	assert_int_equal(hold.count, 0);
}

static void are_never_too_many(void **state)
{
	struct hf_held bad = { .length = HF_HELD_BYTES_MAX + 1 };

	(void)state;
	assert_false(hf_hold_add(&hold, &bad, 0));
	for (uint64_t i = 0; i < HF_HOLD_MAX; i++)
		assert_true(add(i + 1, 0));
	assert_false(add(7, 0));
	turn(HF_HOLD_MS);
	assert_int_equal(runs, HF_HOLD_MAX);
	assert_true(add(7, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(go_when_their_first_has_come, begin),
		cmocka_unit_test_setup(go_when_their_time_is_up, begin),
		cmocka_unit_test_setup(are_never_too_many, begin),
	};

	return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
