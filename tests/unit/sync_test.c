// SPDX-License-Identifier: BSD-2-Clause
/* The protocol as a whole, in small clusters of the simulator: each test one sentence about it. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "syncd/core/sync.h"
#include "tests/sim/sim.h"
#include "tests/unit/unit.h"

static struct sim *sim;

static struct {
	uint32_t restarts, conflicts, refuted, told, found;
	bool self_conflict;
	hf_time told_at;
} seen;

static void note_event(struct sim_node *node, const struct hf_event *event)
{
	(void)node;
	seen.restarts += event->kind == HF_EVENT_RESTART;
	seen.refuted += event->kind == HF_EVENT_REFUTED;
	seen.conflicts += event->kind == HF_EVENT_CONFLICT;
	seen.self_conflict |= event->kind == HF_EVENT_CONFLICT && !event->member;
}

static void note_told(struct sim_node *node, uint32_t ticket, const struct hf_record *records,
		      uint32_t count)
{
	(void)records;
	assert_int_equal(ticket, 77);
	seen.told++;
	seen.found += count;
	seen.told_at = node->sim->now;
}

static void begin(uint32_t nodes)
{
	memset(&seen, 0, sizeof(seen));
	sim = sim_new(11, nodes);
	for (uint32_t i = 0; i < nodes; i++)
		sim_start(sim, i);
	assert_true(sim_wait(sim, HF_SECONDS(5), sim_members_agree, NULL));
	sim_run(sim, sim->now + HF_SECONDS(1));
	sim->on_event = note_event;
	sim->on_told = note_told;
}

static int end(void **state)
{
	(void)state;
	if (sim && sim->broken[0])
		print_error("%s\n", sim->broken);
	assert_true(!sim || !sim->broken[0]);
	sim_delete(sim);
	sim = NULL;
	return 0;
}

static struct hf_sync *core(uint32_t node)
{
	return sim->nodes[node].sync;
}

static const struct hf_member *member(uint32_t of, uint32_t node)
{
	return hf_members_find(hf_sync_members(core(of)), hf_member_id(sim->nodes[node].name));
}

static bool is_ready(struct sim *s, void *node)
{
	return hf_sync_readiness(s->nodes[*(uint32_t *)node].sync) >= HF_READY_FIRST;
}

static void a_node_alone_is_ready_and_keeps_its_own_records(void **state)
{
	(void)state;
	sim = sim_new(1, 1);
	sim_start(sim, 0);
	sim_run(sim, HF_SECONDS(1));
	assert_int_equal(hf_sync_readiness(core(0)), HF_READY_FIRST);
	sim_add_flows(sim, 0, 100, HF_SECONDS(100));
	assert_int_equal(hf_sync_record_count(core(0)), 100);
}

static void a_node_without_its_seeds_goes_on_after_a_while(void **state)
{
	uint32_t who = 4;

	(void)state;
	sim = sim_new(1, 5);
	sim_start(sim, who);
	sim_run(sim, HF_SECONDS(4));
	assert_int_equal(hf_sync_readiness(core(who)), HF_JOINING);
	assert_true(sim_wait(sim, HF_SECONDS(2), is_ready, &who));
}

static void a_joiner_is_ready_with_its_snapshot(void **state)
{
	uint32_t who = 3, held = 0;
	const struct hf_owners *owners;

	(void)state;
	begin(4);
	sim_leave(sim, who);
	sim_run(sim, sim->now + HF_SECONDS(2));
	sim_crash(sim, who, true);
	for (uint32_t i = 0; i < 3; i++)
		sim_add_flows(sim, i, 4000, HF_SECONDS(300));
	sim_run(sim, sim->now + HF_SECONDS(3));
	sim_start(sim, who);
	assert_true(sim_wait(sim, HF_SECONDS(2), is_ready, &who));
	assert_int_equal(hf_sync_readiness(core(who)), HF_READY_SNAPSHOT);
	/* All that it will own is there before it owns it. */
	sim_run(sim, sim->now + HF_MS(300));
	owners = hf_sync_owners(core(0));
	for (uint32_t i = 0; i < sim->flow_count; i++) {
		uint64_t digest = hf_record_digest(&sim->flows[i].record);

		if (!hf_owners_owns(owners, hf_shard(digest), member(0, who)->party.id))
			continue;
		assert_non_null(hf_sync_find(core(who), digest));
		held++;
	}
	assert_in_range(held, 5000, 7000);
	assert_int_equal(hf_sync_counters(core(who))->snapshot_records, held);
}

static void a_joiner_that_cant_fetch_says_so(void **state)
{
	uint32_t who = 2;

	(void)state;
	begin(3);
	sim_crash(sim, who, true);
	sim_run(sim, sim->now + HF_SECONDS(2));
	sim_start(sim, who);
	while (hf_sync_readiness(core(who)) == HF_JOINING)
		sim_run(sim, sim->now + 20);
	assert_int_equal(hf_sync_readiness(core(who)), HF_FETCHING);
	sim_pause(sim, 0);
	sim_pause(sim, 1);
	sim_run(sim, sim->now + HF_MS(200));
	assert_int_equal(hf_sync_readiness(core(who)), HF_FETCHING);
	/* They are found dead, and there is nobody left to ask. */
	assert_true(sim_wait(sim, HF_SECONDS(5), is_ready, &who));
	assert_int_equal(hf_sync_readiness(core(who)), HF_READY_FIRST);
}

static void a_restart_is_told_from_a_resurrection(void **state)
{
	uint64_t boot;

	(void)state;
	begin(3);
	boot = member(0, 1)->party.boot;
	sim_pause(sim, 1);
	sim_run(sim, sim->now + HF_SECONDS(3));
	assert_int_equal(member(0, 1)->state, HF_MEMBER_DEAD);
	sim_resume(sim, 1);
	assert_true(sim_wait(sim, HF_SECONDS(3), sim_members_agree, NULL));
	assert_true(member(0, 1)->party.boot == boot);
	assert_int_equal(seen.restarts, 0);
	assert_true(seen.refuted > 0);
	sim_crash(sim, 1, false);
	sim_start(sim, 1);
	assert_true(sim_wait(sim, HF_SECONDS(3), sim_members_agree, NULL));
	sim_run(sim, sim->now + HF_SECONDS(1));
	assert_true(member(0, 1)->party.boot != boot);
	assert_int_equal(seen.restarts, 2);
}

static void a_second_node_of_a_name_is_refused_and_both_show_it(void **state)
{
	(void)state;
	begin(3);
	/* A machine set up by copying the third one. */
	sim_delete(sim);
	sim = sim_new(12, 4);
	snprintf(sim->nodes[3].name, sizeof(sim->nodes[3].name), "n2");
	for (uint32_t i = 0; i < 3; i++)
		sim_start(sim, i);
	sim_run(sim, HF_SECONDS(2));
	sim->on_event = note_event;
	sim_start(sim, 3);
	sim_run(sim, sim->now + HF_SECONDS(3));
	assert_true(seen.self_conflict);
	assert_true(hf_sync_self(core(3))->rival.address.family == 4);
	assert_true(hf_sync_self(core(2))->rival.address.family == 4 ||
		    member(0, 2)->rival.address.family == 4);
	assert_int_equal(hf_sync_readiness(core(3)), HF_JOINING);
	assert_int_equal(hf_sync_owners(core(0))->count, 3);
	/* Where the first one dies the second may have the name. */
	sim_crash(sim, 2, true);
	sim_run(sim, sim->now + HF_SECONDS(8));
	assert_true(hf_sync_readiness(core(3)) >= HF_READY_FIRST);
	assert_int_equal(hf_sync_owners(core(0))->count, 3);
}

static void a_leaver_hands_all_on(void **state)
{
	(void)state;
	begin(3);
	sim_add_flows(sim, 0, 3000, HF_SECONDS(300));
	sim_run(sim, sim->now + HF_SECONDS(1));
	sim_leave(sim, 0);
	sim_run(sim, sim->now + HF_SECONDS(2));
	assert_int_equal(hf_sync_readiness(core(0)), HF_GONE);
	assert_int_equal(member(1, 0)->state, HF_MEMBER_LEFT);
	assert_int_equal(hf_sync_record_count(core(1)), 3000);
	assert_int_equal(hf_sync_record_count(core(2)), 3000);
}

/* One that was about to hand its records on, and could not: all who exported them do so again. */
static void a_leaver_that_dies_loses_nothing(void **state)
{
	(void)state;
	begin(3);
	sim_add_flows(sim, 2, 3000, HF_SECONDS(300));
	sim_run(sim, sim->now + HF_SECONDS(1));
	sim_pause(sim, 2);
	sim->network.bandwidth = 20000;
	sim_leave(sim, 0);
	sim_leave(sim, 1);
	sim_run(sim, sim->now + HF_MS(300));
	sim_crash(sim, 0, false);
	sim_crash(sim, 1, false);
	sim->network.bandwidth = 0;
	sim_start(sim, 0);
	sim_start(sim, 1);
	sim_resume(sim, 2);
	sim_run(sim, sim->now + HF_SECONDS(5));
	assert_true(sim_members_agree(sim, NULL));
	assert_int_equal(sim_missing_records(sim, sim->now), 0);
}

/* Of two owners the first answers within a round trip; when it is silent, the second. */
static void look_ups_go_to_the_second_owner(void **state)
{
	const struct hf_owners *owners;
	uint64_t digest;
	hf_time began;
	uint32_t first = 0;

	(void)state;
	begin(4);
	sim_add_flows(sim, 0, 50, HF_SECONDS(300));
	sim_run(sim, sim->now + HF_SECONDS(1));
	owners = hf_sync_owners(core(0));
	for (uint32_t i = 0; i < sim->flow_count; i++) {
		digest = hf_record_digest(&sim->flows[i].record);
		if (!hf_owners_owns(owners, hf_shard(digest), hf_sync_self(core(3))->party.id))
			break;
	}
	while (member(0, first)->party.id != owners->owner[hf_shard(digest)][0])
		first++;
	began = sim->now;
	assert_int_equal(hf_sync_lookup(core(3), &digest, 1, 77, sim_local(&sim->nodes[3], began)),
			 0);
	sim_schedule(&sim->nodes[3]);
	sim_run(sim, sim->now + HF_MS(100));
	assert_int_equal(seen.found, 1);
	assert_true(seen.told_at - began <= 2 * sim->network.delay_most);
	sim_pause(sim, first);
	began = sim->now;
	hf_sync_lookup(core(3), &digest, 1, 77, sim_local(&sim->nodes[3], began));
	sim_schedule(&sim->nodes[3]);
	sim_run(sim, sim->now + HF_MS(100));
	assert_int_equal(seen.found, 2);
	assert_int_equal(seen.told, 2);
	/* Nobody knows this one, and that, too, is an answer. */
	digest ^= 1 << 20;
	hf_sync_lookup(core(3), &digest, 1, 77, sim_local(&sim->nodes[3], sim->now));
	sim_schedule(&sim->nodes[3]);
	sim_run(sim, sim->now + HF_SECONDS(1));
	assert_int_equal(seen.told, 3);
	assert_int_equal(seen.found, 2);
}

static void too_many_look_ups_are_refused(void **state)
{
	uint64_t digest = 0x100;
	int accepted = 0;

	(void)state;
	begin(3);
	sim_pause(sim, 1);
	sim_pause(sim, 2);
	for (int i = 0; i < 1000; i++) {
		digest += 0x100;
		accepted += hf_sync_lookup(core(0), &digest, 1, 77,
					   sim_local(&sim->nodes[0], sim->now)) == 0;
	}
	assert_in_range(accepted, 1, 999);
	sim_schedule(&sim->nodes[0]);
	sim_run(sim, sim->now + HF_SECONDS(1));
	assert_int_equal(seen.told, accepted);
}

static void a_key_that_is_retired_is_refused(void **state)
{
	uint64_t before;

	(void)state;
	begin(3);
	sim->key_newest++;
	for (uint32_t i = 0; i < 2; i++)
		sim_load_ring(sim, i, true);
	for (uint32_t i = 0; i < 2; i++)
		sim_load_keys(sim, i);
	sim->key_oldest++;
	for (uint32_t i = 0; i < 2; i++)
		sim_load_keys(sim, i);
	/* n2 was forgotten, and is out until it gets the new key. */
	before = hf_sync_counters(core(0))->drop_key;
	sim_run(sim, sim->now + HF_SECONDS(3));
	assert_true(hf_sync_counters(core(0))->drop_key > before);
	assert_int_equal(member(0, 2)->state, HF_MEMBER_DEAD);
	assert_int_equal(member(0, 1)->state, HF_MEMBER_ALIVE);
	sim_load_keys(sim, 2);
	assert_true(sim_wait(sim, HF_SECONDS(3), sim_members_agree, NULL));
}

/* What was recorded is worth nothing, to nobody, neither now nor after a restart. */
static void recordings_change_nothing(void **state)
{
	(void)state;
	begin(4);
	sim->network.replay = 0.2;
	for (int round = 0; round < 10; round++) {
		sim_add_flows(sim, round % 4, 50, HF_SECONDS(100));
		sim_run(sim, sim->now + HF_SECONDS(5));
		sim_crash(sim, round % 4, false);
		sim_start(sim, round % 4);
		sim_run(sim, sim->now + HF_SECONDS(5));
	}
	assert_true(sim->replays_sent > 1000);
	assert_int_equal(sim->accepted_wrongly, 0);
	assert_true(sim_members_agree(sim, NULL));
}

static void noise_gets_no_answer(void **state)
{
	struct hf_endpoint stranger;
	uint8_t bytes[600];
	uint64_t sent;

	(void)state;
	begin(2);
	stranger = sim->nodes[1].endpoint;
	sent = hf_sync_counters(core(0))->datagrams_sent;
	for (int i = 0; i < 20000; i++) {
		size_t length = hf_random_below(&sim->random, sizeof(bytes));

		for (size_t j = 0; j < length; j++)
			bytes[j] = hf_random_next(&sim->random);
		if (length > 4 && i % 2) {
			bytes[0] = 1 | (i % 4 == 1 ? 0x10 : 0);
			bytes[1] = 0;
			bytes[2] = hf_sync_cluster_id("sim") >> 48;
			bytes[3] = hf_sync_cluster_id("sim") >> 56;
		}
		hf_sync_receive(core(0), &stranger, bytes, length,
				sim_local(&sim->nodes[0], sim->now));
	}
	assert_true(hf_sync_counters(core(0))->datagrams_sent == sent);
	assert_true(hf_sync_counters(core(0))->drop_forged > 5000);
	sim_schedule(&sim->nodes[0]);
}

static void what_overflows_a_queue_comes_by_exchange(void **state)
{
	(void)state;
	begin(2);
	sim_add_flows(sim, 0, 70000, HF_SECONDS(300));
	sim_run(sim, sim->now + HF_SECONDS(2));
	/* 65,536 wait at most, and none of those is lost; the rest is counted. */
	assert_true(hf_sync_counters(core(0))->records_overflowed > 0);
	assert_true(hf_sync_record_count(core(0)) == 70000);
	/* And the exchange brings them after all. */
	sim_run(sim, sim->now + HF_SECONDS(10));
	assert_int_equal(hf_sync_record_count(core(1)), 70000);
}

static void exceptions_come_first(void **state)
{
	struct hf_record r = { .backend = 1 };
	uint64_t digest;

	(void)state;
	begin(2);
	sim->network.bandwidth = 100000;
	/* A queue of some seconds, and then one exception. */
	for (uint32_t i = 0; i < 20000; i++) {
		r.key = hf_mix(i) & HF_DIGEST_MASK;
		r.stamp = hf_sync_stamp(core(0), sim_local(&sim->nodes[0], sim->now));
		hf_sync_export(core(0), &r, 1, sim_local(&sim->nodes[0], sim->now));
	}
	digest = r.key = hf_mix(999999) & HF_DIGEST_MASK;
	r.key |= HF_RECORD_EXCEPTION;
	hf_sync_export(core(0), &r, 1, sim_local(&sim->nodes[0], sim->now));
	sim_schedule(&sim->nodes[0]);
	while (!hf_sync_find(core(1), digest) && sim->now < HF_SECONDS(30))
		sim_run(sim, sim->now + HF_MS(1));
	assert_non_null(hf_sync_find(core(1), digest));
	assert_in_range(hf_sync_record_count(core(1)), 1, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_node_alone_is_ready_and_keeps_its_own_records, end),
		cmocka_unit_test_teardown(a_node_without_its_seeds_goes_on_after_a_while, end),
		cmocka_unit_test_teardown(a_joiner_is_ready_with_its_snapshot, end),
		cmocka_unit_test_teardown(a_joiner_that_cant_fetch_says_so, end),
		cmocka_unit_test_teardown(a_restart_is_told_from_a_resurrection, end),
		cmocka_unit_test_teardown(a_second_node_of_a_name_is_refused_and_both_show_it, end),
		cmocka_unit_test_teardown(a_leaver_hands_all_on, end),
		cmocka_unit_test_teardown(a_leaver_that_dies_loses_nothing, end),
		cmocka_unit_test_teardown(look_ups_go_to_the_second_owner, end),
		cmocka_unit_test_teardown(too_many_look_ups_are_refused, end),
		cmocka_unit_test_teardown(a_key_that_is_retired_is_refused, end),
		cmocka_unit_test_teardown(recordings_change_nothing, end),
		cmocka_unit_test_teardown(noise_gets_no_answer, end),
		cmocka_unit_test_teardown(what_overflows_a_queue_comes_by_exchange, end),
		cmocka_unit_test_teardown(exceptions_come_first, end),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
