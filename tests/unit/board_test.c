// SPDX-License-Identifier: BSD-2-Clause
/* The notice board: the rule by which notices merge, and that boards of the same notices are equal.
 */
#include "lib/board.h"

#include <stdio.h>
#include <string.h>

#include "syncd/core/random.h"
#include "tests/unit/unit.h"

static struct hf_notice notice(const char *key, const char *body, uint64_t version, uint64_t author,
			       uint32_t expires)
{
	return (struct hf_notice){
		.key = (const uint8_t *)key,
		.key_length = strlen(key),
		.body = (const uint8_t *)body,
		.body_length = strlen(body),
		.version = version,
		.author = author,
		.expires = expires,
	};
}

static const char *body_of(struct hf_board *board, const char *key)
{
	static char text[HF_NOTICE_BODY_MAX + 1];
	const struct hf_notice *n = hf_board_find(board, (const uint8_t *)key, strlen(key));

	if (!n)
		return NULL;
	memcpy(text, n->body, n->body_length);
	text[n->body_length] = '\0';
	return text;
}

/* All of few values in each field, so that each case of the rule is there. */
static uint32_t all_notices(struct hf_notice *out)
{
	static const char *const bodies[] = { "", "a", "ab", "b" };
	uint32_t count = 0;

	for (uint64_t version = 1; version <= 2; version++)
		for (uint64_t author = 1; author <= 2; author++)
			for (uint32_t expires = 0; expires <= 1; expires++)
				for (size_t body = 0; body < 4; body++)
					out[count++] =
						notice("k", bodies[body], version, author, expires);
	return count;
}

static void newest_wins_in_any_order(void **state)
{
	struct hf_notice all[32];
	uint32_t count = all_notices(all);

	(void)state;
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t j = 0; j < count; j++) {
			struct hf_board *a = hf_board_new(), *b = hf_board_new();
			const struct hf_notice *kept;

			hf_board_post(a, &all[i]);
			hf_board_post(a, &all[j]);
			hf_board_post(b, &all[j]);
			hf_board_post(b, &all[i]);
			assert_true(hf_board_digest(a) == hf_board_digest(b));
			assert_int_equal(hf_board_count(a), 1);
			assert_int_equal(hf_board_post(a, &all[i]), HF_POSTED_KNOWN);
			assert_int_equal(hf_board_post(a, &all[j]), HF_POSTED_KNOWN);
			/* They stand in the rule's order. */
			kept = hf_board_find(a, (const uint8_t *)"k", 1);
			assert_memory_equal(kept->body, all[i > j ? i : j].body,
					    all[i > j ? i : j].body_length);
			assert_true(kept->version == all[i > j ? i : j].version);
			hf_board_delete(a);
			hf_board_delete(b);
		}
	}
}

static void digests_tell_boards_apart(void **state)
{
	struct hf_board *a = hf_board_new(), *b = hf_board_new();
	char keys[1000][8];
	uint32_t different = 0;

	(void)state;
	assert_true(hf_board_digest(a) == 0);
	for (int i = 0; i < 1000; i++) {
		struct hf_notice n;

		snprintf(keys[i], sizeof(keys[i]), "%d", i);
		n = notice(keys[i], "body", 1, 1, 0);
		assert_int_equal(hf_board_post(a, &n), HF_POSTED);
	}
	for (int i = 999; i >= 0; i--) {
		struct hf_notice n = notice(keys[i], "body", 1, 1, 0);

		hf_board_post(b, &n);
	}
	assert_true(hf_board_digest(a) == hf_board_digest(b));
	for (uint32_t g = 0; g < HF_BOARD_GROUPS; g++)
		assert_true(hf_board_group_digest(a, g) == hf_board_group_digest(b, g));
	hf_board_post(b, &(struct hf_notice){
				 .key = (const uint8_t *)"7", .key_length = 1, .version = 2 });
	for (uint32_t g = 0; g < HF_BOARD_GROUPS; g++)
		different += hf_board_group_digest(a, g) != hf_board_group_digest(b, g);
	assert_int_equal(different, 1);
	hf_board_delete(a);
	hf_board_delete(b);
}

static void each_is_read_once(void **state)
{
	struct hf_board *board = hf_board_new();
	const struct hf_notice *n;
	bool seen[500] = { false };
	uint32_t count = 0;
	uint64_t cursor = 0;
	char key[8];

	(void)state;
	for (int i = 0; i < 500; i++) {
		struct hf_notice one;

		snprintf(key, sizeof(key), "%03d", i);
		one = notice(key, "", 1, 1, 0);
		hf_board_post(board, &one);
	}
	while ((n = hf_board_next(board, &cursor))) {
		int i = (n->key[0] - '0') * 100 + (n->key[1] - '0') * 10 + n->key[2] - '0';

		assert_false(seen[i]);
		seen[i] = true;
		count++;
	}
	assert_int_equal(count, 500);
	count = 0;
	for (uint32_t g = 0; g < HF_BOARD_GROUPS; g++) {
		cursor = 0;
		while (hf_board_next_of(board, g, &cursor))
			count++;
	}
	assert_int_equal(count, 500);
	hf_board_delete(board);
}

static void expired_ones_go(void **state)
{
	struct hf_board *board = hf_board_new();
	struct hf_notice soon = notice("soon", "1", 1, 1, 100),
			 late = notice("late", "2", 1, 1, 200);
	struct hf_notice never = notice("never", "3", 1, 1, 0);
	uint64_t digest;

	(void)state;
	hf_board_post(board, &never);
	digest = hf_board_digest(board);
	hf_board_post(board, &soon);
	hf_board_post(board, &late);
	assert_int_equal(hf_board_expire(board, 99), 0);
	assert_int_equal(hf_board_expire(board, 100), 1);
	assert_null(body_of(board, "soon"));
	assert_string_equal(body_of(board, "late"), "2");
	assert_int_equal(hf_board_expire(board, UINT32_MAX), 1);
	assert_string_equal(body_of(board, "never"), "3");
	assert_true(hf_board_digest(board) == digest);
	hf_board_delete(board);
}

static void limits_hold(void **state)
{
	static const uint8_t long_text[HF_NOTICE_BODY_MAX + 1];
	struct hf_board *board = hf_board_new();
	struct hf_notice n = { .key = long_text, .body = long_text };

	(void)state;
	assert_int_equal(hf_board_post(board, &n), HF_POSTED_FULL);
	n.key_length = HF_NOTICE_KEY_MAX + 1;
	assert_int_equal(hf_board_post(board, &n), HF_POSTED_FULL);
	n.key_length = HF_NOTICE_KEY_MAX;
	n.body_length = HF_NOTICE_BODY_MAX + 1;
	assert_int_equal(hf_board_post(board, &n), HF_POSTED_FULL);
	n.body_length = HF_NOTICE_BODY_MAX;
	assert_int_equal(hf_board_post(board, &n), HF_POSTED);
	for (uint32_t i = 1; i < HF_BOARD_MAX; i++) {
		n = (struct hf_notice){ .key = (uint8_t *)&i, .key_length = 4 };
		assert_int_equal(hf_board_post(board, &n), HF_POSTED);
	}
	n = notice("another", "", 1, 1, 0);
	assert_int_equal(hf_board_post(board, &n), HF_POSTED_FULL);
	assert_int_equal(hf_board_count(board), HF_BOARD_MAX);
	hf_board_delete(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_wins_in_any_order),
		cmocka_unit_test(digests_tell_boards_apart),
		cmocka_unit_test(each_is_read_once),
		cmocka_unit_test(expired_ones_go),
		cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
