// SPDX-License-Identifier: BSD-2-Clause
/* From syncd's view of the cluster to the data plane's. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lbnode/bpf/cluster.h"
#include "lbnode/cluster.h"
#include "lbnode/tables.h"
#include "tests/unit/unit.h"

static struct hf_cluster c;
static struct hf_cluster_news news;
static uint16_t now[HF_SHARDS * 2], previous[HF_SHARDS * 2];

/* Members 0 to 3, this node being the first; each shard's owners the same. */
static void begin(uint16_t first, uint16_t second)
{
	memset(&news, 0, sizeof(news));
	news.self = 1000;
	news.epoch = 5;
	news.member_count = 4;
	news.replicas = 2;
	for (uint32_t i = 0; i < 4; i++) {
		news.member[i] = (struct hf_cluster_member){ .id = 1000 + i, .ready = true };
		news.member[i].address.family = 4;
		news.member[i].address.word[0] = htonl(0xc0000201 + i);
	}
	for (uint32_t i = 0; i < HF_SHARDS; i++) {
		now[2 * i] = first;
		now[2 * i + 1] = second;
	}
	news.now = now;
}

static void previously(uint16_t first, uint16_t second)
{
	for (uint32_t i = 0; i < HF_SHARDS; i++) {
		previous[2 * i] = first;
		previous[2 * i + 1] = second;
	}
	news.previous = previous;
}

/* Candidates are peers, whose indices are the members' and one more. */
static void candidates_are(int a, int b, int d)
{
	assert_int_equal(hf_cluster_build(&c, &news), 0);
	assert_int_equal(c.shard[17].candidate[0], a + 1);
	assert_int_equal(c.shard[17].candidate[1], b + 1);
	assert_int_equal(c.shard[17].candidate[2], d + 1);
}

static void who_does_not_own_asks_the_owners(void **state)
{
	(void)state;
	begin(2, 1);
	candidates_are(2, 1, -1);
	previously(3, 1);
	candidates_are(2, 1, 3);
}

static void an_owner_asks_the_previous_ones_first(void **state)
{
	(void)state;
	begin(0, 1);
	candidates_are(1, -1, -1);
	previously(3, 2);
	candidates_are(3, 2, 1);
}

static void suspects_come_last(void **state)
{
	(void)state;
	begin(2, 1);
	news.member[2].ready = false;
	candidates_are(1, 2, -1);
	previously(3, 1);
	candidates_are(1, 3, 2);
}

/* Nobody asks them, but their data planes may ask. */
static void the_gone_are_known(void **state)
{
	(void)state;
	begin(2, 1);
	previously(3, 2);
	news.member[3].gone = true;
	news.member[2].gone = true;
	candidates_are(1, -1, -1);
	assert_true(hf_is_peer(&c, news.member[3].address.word));
}

static void members_are_found_by_their_addresses(void **state)
{
	uint32_t address[4] = { htonl(0xc0000202) };

	(void)state;
	begin(1, 2);
	assert_int_equal(hf_cluster_build(&c, &news), 0);
	assert_true(hf_is_peer(&c, address));
	address[0] = htonl(0xc0000201); /* this node */
	assert_false(hf_is_peer(&c, address));
	address[0] = htonl(0xc0000209);
	assert_false(hf_is_peer(&c, address));
	assert_int_equal(c.self, 1000);
	assert_int_equal(c.peer[2].identity, 1001);
}

static void so_many_that_there_is_room_for(void **state)
{
	(void)state;
	begin(1, 2);
	news.member_count = HF_MAX_PEERS;
	for (uint32_t i = 0; i < HF_MAX_PEERS; i++) {
		news.member[i] = (struct hf_cluster_member){ .id = 1000 + i, .ready = true };
		news.member[i].address.family = 4;
		news.member[i].address.word[0] = htonl(0x0a000001 + i * 7);
	}
	assert_int_equal(hf_cluster_build(&c, &news), 0);
	for (uint32_t i = 1; i < HF_MAX_PEERS - 1; i++)
		assert_true(hf_is_peer(&c, news.member[i].address.word));
}

static void a_view_without_this_node_is_refused(void **state)
{
	(void)state;
	begin(1, 2);
	news.self = 4711;
	assert_int_equal(hf_cluster_build(&c, &news), -ENOENT);
	/* Owners that are no members are nobody. */
	begin(77, 0xffff);
	candidates_are(-1, -1, -1);
}

/* Of one shard is enough; and until it is handed over. */
static void a_node_owns(void **state)
{
	(void)state;
	begin(2, 1);
	assert_false(hf_cluster_owns(&news));
	now[2 * (HF_SHARDS - 1) + 1] = 0;
	assert_true(hf_cluster_owns(&news));
	begin(2, 1);
	previously(3, 0);
	assert_true(hf_cluster_owns(&news));
	previously(3, 1);
	assert_false(hf_cluster_owns(&news));
	assert_true(hf_cluster_has_others(&news));
	news.self = 1;
	assert_false(hf_cluster_owns(&news));
	begin(0, 99); /* 99: nobody */
	assert_false(hf_cluster_has_others(&news));
}

static void slots_remember(void **state)
{
	const uint16_t first[4] = { 1, 2, 3, 1 }, second[4] = { 1, 4, 3, 2 };
	struct hf_slot before[4], after[4];

	(void)state;
	hf_slots_remember(before, first, NULL, 4);
	for (int i = 0; i < 4; i++)
		assert_true(before[i].backend == first[i] && !before[i].previous &&
			    !before[i].is_fresh);
	hf_slots_remember(after, second, before, 4);
	assert_true(after[0].previous == 0 && !after[0].is_fresh);
	assert_true(after[1].backend == 4 && after[1].previous == 2 && after[1].is_fresh);
	/* What did not change now keeps what it was before. */
	after[1].is_fresh = 0;
	hf_slots_remember(before, second, after, 4);
	assert_true(before[1].previous == 2 && !before[1].is_fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_does_not_own_asks_the_owners),
		cmocka_unit_test(an_owner_asks_the_previous_ones_first),
		cmocka_unit_test(suspects_come_last),
		cmocka_unit_test(the_gone_are_known),
		cmocka_unit_test(members_are_found_by_their_addresses),
		cmocka_unit_test(so_many_that_there_is_room_for),
		cmocka_unit_test(a_view_without_this_node_is_refused),
		cmocka_unit_test(a_node_owns),
		cmocka_unit_test(slots_remember),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
