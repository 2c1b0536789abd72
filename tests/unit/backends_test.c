// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/backends.h"
#include "lbnode/tables.h"
#include "tests/unit/unit.h"

static struct hf_backends *backends;
static uint32_t pins[HF_MAX_BACKENDS];
static uint32_t gone_count;

static int begin(void **state)
{
	(void)state;
	backends = hf_backends_new();
	memset(pins, 0, sizeof(pins));
	gone_count = 0;
	return backends ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	hf_backends_delete(backends);
	return 0;
}

static struct hf_config_backend one[] = {
	{ .name = "be1", .address = { { 1 }, 4 }, .weight = 1 },
	{ .name = "be2", .address = { { 2 }, 4 }, .weight = 1 },
};

/* A configuration of the first `count` of these. */
static int apply(uint32_t count, int64_t now)
{
	struct hf_config_pool pool = { .name = "web", .backends = one, .backend_count = count };
	struct hf_config config = { .pools = &pool, .pool_count = 1, .timeouts = { .drain = 1 } };

	return hf_backends_apply(backends, &config, now);
}

static uint16_t id_of(int i)
{
	struct hf_config_pool pool = { .name = "web" };

	return hf_backends_id(backends, hf_backend_identity(&pool, &one[i]));
}

static enum hf_backend_state state_of(uint16_t id)
{
	return hf_backends_record(backends, id)->state;
}

static void note_gone(void *context, uint16_t id)
{
	(void)context;
	(void)id;
	gone_count++;
}

/* A sweep of 2 ms. */
static void sweep(int64_t now)
{
	hf_backends_swept(backends, pins, now - 2, now, note_gone, NULL);
}

static void ids_last_over_reloads(void **state)
{
	uint16_t first, second;

	(void)state;
	assert_int_equal(apply(2, 0), 0);
	first = id_of(0);
	second = id_of(1);
	assert_int_not_equal(first, HF_NO_BACKEND);
	assert_int_not_equal(second, first);
	assert_int_equal(apply(2, 0), 0);
	assert_int_equal(id_of(0), first);
	assert_int_equal(id_of(1), second);
}

static void a_backend_drains_until_its_last_pin(void **state)
{
	uint16_t id;

	(void)state;
	apply(2, 0);
	id = id_of(1);
	pins[id] = 5;
	apply(1, 0);
	assert_int_equal(state_of(id), HF_BACKEND_DRAINING);
	sweep(10);
	assert_int_equal(state_of(id), HF_BACKEND_DRAINING);
	pins[id] = 0;
	sweep(20);
	assert_int_equal(state_of(id), HF_BACKEND_GONE);
	assert_int_equal(gone_count, 1);
	sweep(30);
	assert_int_equal(state_of(id), HF_BACKEND_FREE);
	assert_int_equal(gone_count, 1);
}

/* A sweep that was under way may have passed by before the last pins came. */
static void a_sweep_of_before_ends_no_drain(void **state)
{
	uint16_t id;

	(void)state;
	apply(2, 0);
	id = id_of(1);
	apply(1, 100);
	sweep(101);
	assert_int_equal(state_of(id), HF_BACKEND_DRAINING);
	sweep(103);
	assert_int_equal(state_of(id), HF_BACKEND_GONE);
}

/* Its id is not given again while a pin may still hold it. */
static void a_drain_ends_at_its_time(void **state)
{
	uint16_t id;

	(void)state;
	apply(2, 0);
	id = id_of(1);
	pins[id] = 5;
	apply(1, 0);
	sweep(1000);
	assert_int_equal(state_of(id), HF_BACKEND_GONE);
	assert_int_equal(id_of(1), HF_NO_BACKEND);
	sweep(1001);
	assert_int_equal(state_of(id), HF_BACKEND_GONE);
	apply(2, 0);
	assert_int_not_equal(id_of(1), id);
	pins[id] = 0;
	sweep(1002);
	assert_int_equal(state_of(id), HF_BACKEND_FREE);
}

static void who_comes_back_is_the_same(void **state)
{
	uint16_t id;

	(void)state;
	apply(2, 0);
	id = id_of(1);
	pins[id] = 5;
	apply(1, 0);
	apply(2, 0);
	assert_int_equal(id_of(1), id);
	assert_int_equal(state_of(id), HF_BACKEND_SERVING);
	sweep(2000);
	assert_int_equal(state_of(id), HF_BACKEND_SERVING);
}

static void the_tunnels_end_is_the_backend(void **state)
{
	struct hf_config_pool ipip = { .name = "web", .gue_port = 6080 }, other = ipip;
	struct hf_config_backend moved = one[0];
	uint64_t identity = hf_backend_identity(&ipip, &one[0]);

	(void)state;
	moved.address.word[0] ^= 1;
	assert_int_not_equal(hf_backend_identity(&ipip, &moved), identity);
	other.encapsulation = HF_CONFIG_GUE;
	assert_int_not_equal(hf_backend_identity(&other, &one[0]), identity);
	moved = one[0];
	moved.weight = 77;
	moved.name = "renamed";
	other = ipip;
	other.name = "renamed";
	other.gue_port = 1;
	assert_int_equal(hf_backend_identity(&other, &moved), identity);
}

/* What a former agent left in the maps keeps its ids. */
static void a_new_agent_takes_over(void **state)
{
	struct hf_config_pool pool = { .name = "web" };
	struct hf_backend entry = {
		.address = { 1 },
		.encapsulation = HF_ENCAP_IPIP_OVER_IPV4,
		.identity = hf_backend_identity(&pool, &one[0]),
	};

	(void)state;
	hf_backends_adopt(backends, 4711, &entry, 0, 1000);
	entry.identity = 12345;
	hf_backends_adopt(backends, 4712, &entry, 0, 1000);
	apply(2, 0);
	assert_int_equal(id_of(0), 4711);
	assert_int_equal(state_of(4711), HF_BACKEND_SERVING);
	assert_int_equal(state_of(4712), HF_BACKEND_DRAINING);
	assert_int_equal(hf_backends_record(backends, 4712)->address.family, 4);
}

static void too_many_change_nothing(void **state)
{
	struct hf_backend entry = { .encapsulation = HF_ENCAP_IPIP_OVER_IPV4 };

	(void)state;
	for (uint32_t id = 1; id < HF_MAX_BACKENDS - 1; id++) {
		entry.identity = id;
		hf_backends_adopt(backends, id, &entry, 0, 1000);
	}
	assert_int_equal(apply(2, 0), -ENOSPC);
	assert_int_equal(id_of(0), HF_NO_BACKEND);
	assert_int_equal(apply(1, 0), 0);
	assert_int_equal(id_of(0), HF_MAX_BACKENDS - 1);
}

static void entries_say_how_to_reach_a_backend(void **state)
{
	struct hf_backend_record record = { .identity = 99, .gue_port = 6080 };
	struct hf_prefix source;
	struct hf_backend entry;

	(void)state;
	hf_address_parse("192.0.2.1", &record.address);
	hf_prefix_parse("198.51.100.16/28", &source);
	entry = hf_backend_entry(&record, &source, 5);
	assert_int_equal(entry.encapsulation, HF_ENCAP_IPIP_OVER_IPV4);
	assert_int_equal(entry.entropy, htonl(15));
	assert_int_equal(entry.source[0], htonl(0xc6336410));
	assert_int_equal(entry.nexthop, 5);
	hf_prefix_parse("198.51.100.16", &source);
	assert_int_equal(hf_backend_entry(&record, &source, 5).entropy, 0);
	hf_address_parse("2001:db8::1", &record.address);
	record.encapsulation = HF_CONFIG_GUE;
	hf_prefix_parse("2001:db8:1::/64", &source);
	entry = hf_backend_entry(&record, &source, 5);
	assert_int_equal(entry.encapsulation, HF_ENCAP_GUE_OVER_IPV6);
	assert_int_equal(entry.entropy, UINT32_MAX);
	assert_int_equal(entry.gue_port, htons(6080));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ids_last_over_reloads, begin, end),
		cmocka_unit_test_setup_teardown(a_backend_drains_until_its_last_pin, begin, end),
		cmocka_unit_test_setup_teardown(a_sweep_of_before_ends_no_drain, begin, end),
		cmocka_unit_test_setup_teardown(a_drain_ends_at_its_time, begin, end),
		cmocka_unit_test_setup_teardown(who_comes_back_is_the_same, begin, end),
		cmocka_unit_test(the_tunnels_end_is_the_backend),
		cmocka_unit_test_setup_teardown(a_new_agent_takes_over, begin, end),
		cmocka_unit_test_setup_teardown(too_many_change_nothing, begin, end),
		cmocka_unit_test(entries_say_how_to_reach_a_backend),
	};

	return cmocka_run_group_tests_name("backends", tests, NULL, NULL);
}
