// SPDX-License-Identifier: BSD-2-Clause
/* Health's cores: one check's states and times, how verdicts come about, overrides, and what
 * weights follow. */
#include <stdio.h>
#include <string.h>

#include "lbnode/health/agreement.h"
#include "lbnode/health/check.h"
#include "lbnode/health/override.h"
#include "lbnode/health/usable.h"
#include "syncd/core/random.h"
#include "tests/unit/unit.h"

static const struct hf_check_rules rules = { 2000, 1000, 3, 2 };

/* A probe for each letter, 'x' failing. The states that it goes through, a letter each. */
static const char *states_of(const char *answers, bool up)
{
	static const char letters[] = "ufdr";
	static char seen[32];
	struct hf_check check;

	hf_check_begin(&check, &rules, up, 0, 0);
	for (size_t i = 0; i < strlen(answers); i++) {
		bool was = hf_check_is_up(&check), told;

		hf_check_started(&check, check.next);
		told = hf_check_ended(&check, &rules, answers[i] != 'x', check.next + 10, 0);
		assert_int_equal(told, was != hf_check_is_up(&check));
		seen[i] = letters[check.state];
	}
	seen[strlen(answers)] = '\0';
	return seen;
}

static void checks_count_in_a_row(void **state)
{
	(void)state;
	assert_string_equal(states_of("...", true), "uuu");
	assert_string_equal(states_of("xx.xx.xxx", true), "ffuffuffd");
	assert_string_equal(states_of("xxxx", true), "ffdd");
	assert_string_equal(states_of(".x.x..", false), "rdrdru");
	assert_string_equal(states_of("..xxx..", false), "ruffdru");
}

/* From the last success on, whatever chance and however late each failure is known. */
static void down_within_fall_intervals(void **state)
{
	struct hf_random random;

	(void)state;
	hf_random_seed(&random, 1);
	for (int i = 0; i < 100000; i++) {
		struct hf_check_rules r = { 100 + hf_random_below(&random, 5000), 0,
					    2 + hf_random_below(&random, 5), 2 };
		struct hf_check check;
		int64_t died;

		/* Longer ones can't be told from each other in time. */
		r.timeout = 1 + hf_random_below(&random, r.interval * (r.fall - 1) / r.fall);
		hf_check_begin(&check, &r, true, 0, hf_random_next(&random) >> 33);
		hf_check_started(&check, check.next);
		died = check.next + 1;
		hf_check_ended(&check, &r, true, died, hf_random_next(&random) >> 33);
		for (uint32_t f = 0; f < r.fall; f++) {
			int64_t start = check.next;

			assert_true(hf_check_is_up(&check));
			hf_check_started(&check, start);
			hf_check_ended(&check, &r, false, start + r.timeout,
				       hf_random_next(&random) >> 33);
			if (f == r.fall - 1 &&
			    start + r.timeout - died > (int64_t)r.fall * r.interval)
				fail_msg("interval %u, timeout %u, fall %u: %ld ms", r.interval,
					 r.timeout, r.fall, (long)(start + r.timeout - died));
		}
		assert_false(hf_check_is_up(&check));
		/* And it goes on, not more often than its interval less a tenth. */
		assert_in_range(check.next - check.started, r.interval - r.interval / 10,
				r.interval);
	}
}

static void checkers_are_spread(void **state)
{
	uint64_t nodes[7], less[6], before[3], after[3];
	uint32_t share[7] = { 0 }, moved = 0;
	struct hf_random random;

	(void)state;
	hf_random_seed(&random, 3);
	for (int i = 0; i < 7; i++)
		nodes[i] = hf_random_next(&random);
	memcpy(less, nodes, sizeof(less));
	for (uint64_t key = 1; key <= 7000; key++) {
		assert_int_equal(hf_checkers(nodes, 7, key, before), 3);
		assert_int_equal(hf_checkers(less, 6, key, after), 3);
		for (int i = 0; i < 3; i++)
			for (int n = 0; n < 7; n++)
				share[n] += before[i] == nodes[n];
		/* Only those of the node that is gone have others. */
		for (int i = 0; i < 3; i++)
			moved += before[i] != nodes[6] && before[i] != after[0] &&
				 before[i] != after[1] && before[i] != after[2];
		assert_true(before[0] != before[1] && before[1] != before[2]);
	}
	assert_int_equal(moved, 0);
	for (int n = 0; n < 7; n++)
		assert_in_range(share[n], 2700, 3300);
	assert_int_equal(hf_checkers(nodes, 2, 5, before), 2);
	assert_int_equal(hf_checkers(nodes, 0, 5, before), 0);
}

/* What nodes 1 to 3 say, one board for all. */
static struct hf_board *board;
static const uint64_t three[] = { 1, 2, 3 };

static bool say(uint64_t node, bool up, uint32_t stamp)
{
	struct hf_health_notice n;

	if (!hf_opinion_write(&n, board, 77, node, up, "connection refused", stamp, stamp * 100ULL))
		return false;
	assert_int_equal(hf_board_post(board, &n.notice), HF_POSTED);
	return true;
}

static bool settle(uint32_t nodes, uint32_t stamp)
{
	struct hf_health_notice n;

	if (!hf_verdict_write(&n, board, 77, three, nodes, stamp))
		return false;
	assert_int_equal(hf_board_post(board, &n.notice), HF_POSTED);
	return true;
}

static void a_majority_decides(void **state)
{
	struct hf_verdict v;

	(void)state;
	board = hf_board_new();
	/* All is well: not a word. */
	assert_false(say(1, true, 100));
	assert_false(settle(3, 100));
	assert_int_equal(hf_board_count(board), 0);
	/* One alone changes nothing, however often it says so. */
	assert_true(say(1, false, 100));
	assert_false(say(1, false, 101));
	assert_true(say(1, false, 100 + HF_OPINION_AGAIN));
	assert_false(settle(3, 201));
	assert_true(say(2, false, 210));
	assert_true(settle(3, 210));
	v = hf_verdict_read(board, 77);
	assert_false(hf_verdict_is_up(&v));
	assert_int_equal(v.since, 210);
	assert_string_equal(v.cause, "connection refused");
	/* The third goes along without a word. */
	assert_false(say(3, false, 220));
	assert_false(settle(3, 220));
	/* It comes back. */
	assert_true(say(3, true, 300));
	assert_false(settle(3, 300));
	assert_true(say(1, true, 301));
	assert_true(settle(3, 301));
	v = hf_verdict_read(board, 77);
	assert_int_equal(v.incarnation, 2);
	assert_true(hf_verdict_is_up(&v));
	hf_board_delete(board);
}

static void of_two_both_must_agree_and_one_is_enough_alone(void **state)
{
	(void)state;
	board = hf_board_new();
	say(1, false, 100);
	assert_false(settle(2, 100));
	assert_true(settle(1, 100));
	/* The other one joins, and thinks otherwise: a tie. */
	say(2, true, 110);
	assert_false(settle(2, 110));
	say(1, true, 120);
	assert_true(settle(2, 120));
	hf_board_delete(board);
}

/* Who stops checking takes what it said back, or it expires. */
static void old_opinions_do_not_count(void **state)
{
	struct hf_verdict v;

	(void)state;
	board = hf_board_new();
	say(1, false, 100);
	assert_true(say(1, true, 150));
	say(2, false, 150);
	assert_false(settle(3, 150));
	hf_board_expire(board, 150 + HF_OPINION_LIFE);
	say(3, false, 500);
	assert_false(settle(3, 500));
	v = hf_verdict_read(board, 77);
	assert_int_equal(v.incarnation, 0);
	hf_board_delete(board);
}

/* Two that decide at the same time decide the same; partitions' numbers merge into the greater. */
static void verdicts_merge(void **state)
{
	struct hf_board *other = hf_board_new();
	struct hf_health_notice a, b;
	struct hf_verdict v;

	(void)state;
	board = hf_board_new();
	say(1, false, 100);
	say(2, false, 100);
	assert_true(hf_verdict_write(&a, board, 77, three, 3, 100));
	assert_true(hf_verdict_write(&b, board, 77, three, 3, 103));
	hf_board_post(board, &a.notice);
	hf_board_post(board, &b.notice);
	hf_board_post(other, &b.notice);
	hf_board_post(other, &a.notice);
	v = hf_verdict_read(board, 77);
	assert_int_equal(v.incarnation, 1);
	assert_int_equal(hf_verdict_read(other, 77).since, v.since);
	/* It lives on as long as somebody checks. */
	assert_false(settle(3, 100 + HF_VERDICT_AGAIN));
	assert_true(settle(3, 104 + HF_VERDICT_AGAIN));
	v = hf_verdict_read(board, 77);
	assert_int_equal(v.incarnation, 1);
	assert_int_equal(v.since, 103);
	hf_board_delete(board);
	hf_board_delete(other);
}

static void override(const char *target, enum hf_override_action action, uint32_t weight,
		     uint64_t version)
{
	struct hf_override o = { .action = action, .weight = weight, .version = version };
	struct hf_override_notice n;

	snprintf(o.target, sizeof(o.target), "%s", target);
	snprintf(o.author, sizeof(o.author), "ann");
	snprintf(o.reason, sizeof(o.reason), "new disk");
	assert_true(hf_override_write(&n, board, &o, 9));
	assert_int_equal(hf_board_post(board, &n.notice), HF_POSTED);
}

static void newest_override_wins(void **state)
{
	struct hf_override o;

	(void)state;
	board = hf_board_new();
	assert_int_equal(hf_override_find(board, "web", "be1").action, HF_OVERRIDE_NONE);
	override("web/be1", HF_OVERRIDE_WEIGHT, 7, 1000);
	o = hf_override_find(board, "web", "be1");
	assert_int_equal(o.action, HF_OVERRIDE_WEIGHT);
	assert_int_equal(o.weight, 7);
	assert_string_equal(o.author, "ann");
	assert_string_equal(o.reason, "new disk");
	override("+/be1", HF_OVERRIDE_DRAIN, 0, 2000);
	assert_int_equal(hf_override_find(board, "web", "be1").action, HF_OVERRIDE_DRAIN);
	assert_int_equal(hf_override_find(board, "dns", "be1").action, HF_OVERRIDE_DRAIN);
	assert_int_equal(hf_override_find(board, "dns", "be2").action, HF_OVERRIDE_NONE);
	/* By a node whose clock is behind, but who has seen the former. */
	override("+/be1", HF_OVERRIDE_NONE, 0, 500);
	assert_int_equal(hf_override_find(board, "dns", "be1").action, HF_OVERRIDE_NONE);
	/* What was said of one pool alone was not taken back. */
	assert_int_equal(hf_override_find(board, "web", "be1").weight, 7);
	hf_board_delete(board);
}

static void bad_overrides_are_refused(void **state)
{
	static const char *const targets[] = { "",	   "web",	"web/",	 "/be1",
					       "we b/be1", "web/be1/x", "*/be1", "web/b\"e" };
	struct hf_override o = { .action = HF_OVERRIDE_DRAIN }, read;
	struct hf_override_notice n;
	struct hf_notice garbage = { .key = (const uint8_t *)"wweb/be1",
				     .key_length = 8,
				     .body = (const uint8_t *)"\x08\xff",
				     .body_length = 2 };

	(void)state;
	board = hf_board_new();
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		snprintf(o.target, sizeof(o.target), "%s", targets[i]);
		if (hf_override_write(&n, board, &o, 9))
			fail_msg("%s was taken", targets[i]);
	}
	snprintf(o.target, sizeof(o.target), "web/be1");
	o.action = HF_OVERRIDE_WEIGHT;
	assert_false(hf_override_write(&n, board, &o, 9));
	assert_false(hf_override_read(&garbage, &read));
	garbage.body_length = 0;
	assert_true(hf_override_read(&garbage, &read));
	hf_board_delete(board);
}

static struct hf_config_backend ten[10];
static struct hf_config_pool pool = { .backends = ten, .backend_count = 10, .panic_threshold = 50 };
static struct hf_usable usable[10];

static void all_up(void)
{
	memset(usable, 0, sizeof(usable));
	for (int i = 0; i < 10; i++)
		ten[i].weight = 100;
	pool.slow_start = 0;
}

static void down(int i, uint32_t since)
{
	usable[i].verdict = (struct hf_verdict){ .incarnation = 1, .since = since };
}

static uint32_t serving(void)
{
	uint32_t count = 0;

	for (int i = 0; i < 10; i++)
		count += usable[i].weight > 0;
	return count;
}

static enum hf_pool_state weigh(uint32_t stamp)
{
	uint32_t again = UINT32_MAX;

	return hf_usable_weigh(usable, &pool, stamp, &again);
}

static void the_dead_do_not_serve(void **state)
{
	(void)state;
	all_up();
	assert_int_equal(weigh(1000), HF_POOL_NORMAL);
	assert_int_equal(serving(), 10);
	down(3, 1000);
	down(4, 1001);
	assert_int_equal(weigh(2000), HF_POOL_NORMAL);
	assert_int_equal(serving(), 8);
	assert_int_equal(usable[3].state, HF_USABLE_DOWN);
}

static void all_dead_fail_open(void **state)
{
	(void)state;
	all_up();
	for (int i = 0; i < 10; i++)
		down(i, 1000 + 500 * i);
	assert_int_equal(weigh(9000), HF_POOL_FAIL_OPEN);
	assert_int_equal(serving(), 10);
	/* Those that an operator has taken out stay out. */
	usable[0].override.action = HF_OVERRIDE_DRAIN;
	usable[1].override.action = HF_OVERRIDE_DISABLE;
	assert_int_equal(weigh(9000), HF_POOL_FAIL_OPEN);
	assert_int_equal(serving(), 8);
	/* One that lives is enough. */
	usable[2].verdict.incarnation = 2;
	assert_int_equal(weigh(9000), HF_POOL_NORMAL);
	assert_int_equal(serving(), 1);
}

static void many_at_once_panic(void **state)
{
	(void)state;
	all_up();
	for (int i = 0; i < 5; i++)
		down(i, 1000 + i);
	assert_int_equal(weigh(2000), HF_POOL_NORMAL);
	down(5, 1000 + HF_PANIC_WINDOW);
	assert_int_equal(weigh(2000), HF_POOL_PANIC);
	assert_int_equal(serving(), 10);
	/* As many, but one after the other. */
	for (int i = 0; i < 6; i++)
		down(i, 1000 + i * HF_PANIC_WINDOW);
	assert_int_equal(weigh(2000), HF_POOL_NORMAL);
	assert_int_equal(serving(), 4);
	pool.panic_threshold = 100;
	for (int i = 0; i < 9; i++)
		down(i, 1000);
	assert_int_equal(weigh(2000), HF_POOL_NORMAL);
	pool.panic_threshold = 50;
}

static void slow_starts(void **state)
{
	uint32_t again = UINT32_MAX;

	(void)state;
	all_up();
	pool.slow_start = 30;
	usable[0].verdict = (struct hf_verdict){ .incarnation = 2, .since = 1000 };
	hf_usable_weigh(usable, &pool, 1000, &again);
	assert_int_equal(usable[0].weight, 10);
	assert_int_equal(usable[0].state, HF_USABLE_STARTING);
	assert_int_equal(usable[1].weight, 100);
	assert_int_equal(again, 1030);
	hf_usable_weigh(usable, &pool, 1151, &again);
	assert_int_equal(usable[0].weight, 60);
	again = UINT32_MAX;
	hf_usable_weigh(usable, &pool, 1300, &again);
	assert_int_equal(usable[0].weight, 100);
	assert_int_equal(usable[0].state, HF_USABLE_UP);
	assert_int_equal(again, UINT32_MAX);
	/* A clock that was set back, or another's that is ahead. */
	hf_usable_weigh(usable, &pool, 900, &again);
	assert_int_equal(usable[0].weight, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_count_in_a_row),
		cmocka_unit_test(down_within_fall_intervals),
		cmocka_unit_test(checkers_are_spread),
		cmocka_unit_test(a_majority_decides),
		cmocka_unit_test(of_two_both_must_agree_and_one_is_enough_alone),
		cmocka_unit_test(old_opinions_do_not_count),
		cmocka_unit_test(verdicts_merge),
		cmocka_unit_test(newest_override_wins),
		cmocka_unit_test(bad_overrides_are_refused),
		cmocka_unit_test(the_dead_do_not_serve),
		cmocka_unit_test(all_dead_fail_open),
		cmocka_unit_test(many_at_once_panic),
		cmocka_unit_test(slow_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
