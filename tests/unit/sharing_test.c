// SPDX-License-Identifier: BSD-2-Clause
/* Which pins become records and when, and what records make of pins. */
#include <stdlib.h>
#include <string.h>

#include "lbnode/sharing.h"
#include "lbnode/sweeper.h"
#include "tests/unit/unit.h"

#define BITS	16
#define BACKEND 7
#define OTHER	8
#define NAME(b) (0xbe0000u + (b))

static struct hf_bucket *buckets;
static struct hf_marks *marks;
static uint64_t counters[HF_SHARING_COUNTER_END];
static struct hf_sharing sharing;
static struct hf_sweeper sweeper;
static struct hf_record exported[1000];
static uint32_t exported_count, room;
static bool exceptions[1000];
static uint16_t choice; /* of every slot */
static int64_t now;

static bool is_exception(void *context, uint64_t digest, uint16_t backend)
{
	(void)context;
	(void)digest;
	return backend != choice;
}

static uint32_t name(void *context, uint16_t backend)
{
	(void)context;
	return NAME(backend);
}

static uint16_t backend(void *context, uint32_t which)
{
	(void)context;
	return which == NAME(BACKEND) || which == NAME(OTHER) ? which - NAME(0) : 0;
}

static bool export(void *context, const struct hf_record *record, bool exception)
{
	(void)context;
	if (exported_count >= room && !exception)
		return false;
	exceptions[exported_count] = exception;
	exported[exported_count++] = *record;
	return true;
}

static bool none_is_gone(void *context, uint16_t id)
{
	(void)context;
	(void)id;
	return false;
}

static bool is_kept(void *context, uint32_t bucket, uint32_t place, uint64_t pin)
{
	(void)context;
	return hf_sharing_keeps(&sharing, bucket, place, pin);
}

static void visit(void *context, uint32_t bucket, uint32_t place)
{
	(void)context;
	hf_sharing_visit(&sharing, bucket, place, now);
}

static int begin(void **state)
{
	static const struct hf_sharing_output output = { is_exception, name, backend, export };

	(void)state;
	buckets = aligned_alloc(64, sizeof(*buckets) << BITS);
	marks = calloc(1U << BITS, sizeof(*marks));
	assert_true(buckets && marks);
	memset(buckets, 0, sizeof(*buckets) << BITS);
	memset(counters, 0, sizeof(counters));
	hf_sharing_init(&sharing, buckets, marks, BITS, counters, &output, NULL);
	sharing.open = true;
	memset(&sweeper, 0, sizeof(sweeper));
	now = 1000000;
	hf_sweeper_init(&sweeper, buckets, 1U << BITS, now);
	for (int i = 0; i < HF_PIN_STATES; i++)
		sweeper.timeout_ms[i] = 7200000;
	sweeper.timeout_ms[HF_SWEEP_KEPT] = HF_KEPT_MS;
	exported_count = 0;
	room = 1000;
	choice = BACKEND;
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(buckets);
	free(marks);
	return 0;
}

static void sweep_for(int64_t ms)
{
	const struct hf_sweep_view view = { none_is_gone, NULL, is_kept, visit, NULL };

	for (int64_t until = now + ms; now < until;) {
		now += HF_SWEEP_PASS_MS / HF_SWEEP_SLICES;
		hf_sweeper_slice(&sweeper, now, &view);
	}
}

static uint64_t digest_of(uint64_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ULL & HF_DIGEST_MASK;
}

/* The pin's cell; NULL: there is none. */
static __u64 *find(uint64_t digest)
{
	uint64_t tag = hf_pin_tag(hf_pin(digest, 0, HF_PIN_NONE));
	struct hf_bucket *home = &buckets[hf_home_bucket(digest, BITS)];

	for (int i = 0; i < HF_BUCKET_PINS; i++)
		if (home->pin[i] && hf_pin_tag(home->pin[i]) == tag)
			return &home->pin[i];
	return NULL;
}

static __u64 *put(uint64_t digest, enum hf_pin_state state, uint16_t to)
{
	__u64 *cell = &buckets[hf_home_bucket(digest, BITS)].pin[0];

	*cell = hf_pin(digest, to, state);
	return cell;
}

static void packet(uint64_t digest)
{
	*find(digest) = hf_pin_after(*find(digest), HF_TCP_ACK);
}

static struct hf_record record(uint64_t digest, uint16_t to, uint32_t age)
{
	return (struct hf_record){ digest | HF_PIN_ESTABLISHED, NAME(to), age };
}

static void a_flow_is_shared_when_it_is_older_than_a_second(void **state)
{
	(void)state;
	put(digest_of(1), HF_PIN_ESTABLISHED, BACKEND);
	sweep_for(1000);
	assert_int_equal(exported_count, 0);
	sweep_for(1000);
	assert_int_equal(exported_count, 1);
	assert_int_equal(hf_record_digest(&exported[0]), digest_of(1));
	assert_int_equal(exported[0].key & 15, HF_PIN_ESTABLISHED);
	assert_int_equal(exported[0].backend, NAME(BACKEND));
	assert_int_equal(exported[0].stamp, 0);
	sweep_for(10000);
	assert_int_equal(exported_count, 1);
}

static void what_is_not_established_is_not_shared(void **state)
{
	(void)state;
	put(digest_of(1), HF_PIN_EMBRYONIC, BACKEND);
	put(digest_of(2), HF_PIN_ADOPTED, BACKEND);
	put(digest_of(3), HF_PIN_UDP_NEW, BACKEND);
	put(digest_of(4), HF_PIN_CLOSING, BACKEND);
	sweep_for(5000);
	assert_int_equal(exported_count, 0);
}

static void exceptions_are_shared_at_once(void **state)
{
	(void)state;
	put(digest_of(1), HF_PIN_ESTABLISHED, OTHER);
	put(digest_of(2), HF_PIN_ESTABLISHED, BACKEND);
	hf_sharing_tables_changed(&sharing);
	assert_true(hf_sharing_find_exceptions(&sharing, now));
	assert_int_equal(exported_count, 1);
	assert_true(exceptions[0] && exported[0].backend == NAME(OTHER));
	assert_true(exported[0].key & HF_RECORD_EXCEPTION);
	/* Also without credit; and not again. */
	choice = OTHER;
	room = 0;
	hf_sharing_tables_changed(&sharing);
	assert_true(hf_sharing_find_exceptions(&sharing, now));
	assert_int_equal(exported_count, 2);
	hf_sharing_tables_changed(&sharing);
	hf_sharing_find_exceptions(&sharing, now);
	assert_int_equal(exported_count, 2);
	/* A new one that the sweeper meets. */
	put(digest_of(3), HF_PIN_ESTABLISHED, BACKEND);
	sweep_for(1050);
	assert_int_equal(exported_count, 3);
}

static void what_found_no_room_is_shared_later(void **state)
{
	(void)state;
	room = 0;
	put(digest_of(1), HF_PIN_ESTABLISHED, BACKEND);
	sweep_for(4000);
	assert_int_equal(exported_count, 0);
	room = 1;
	sweep_for(1050);
	assert_int_equal(exported_count, 1);
}

static void flows_are_refreshed_while_they_live(void **state)
{
	(void)state;
	put(digest_of(1), HF_PIN_ESTABLISHED, BACKEND);
	sweep_for(2050);
	packet(digest_of(1));
	sweep_for(HF_REFRESH_MS + 1000);
	assert_int_equal(exported_count, 2);
	assert_int_equal(exported[1].stamp, 0);
	/* Silent, or gone to another node. */
	sweep_for(HF_REFRESH_MS + 1000);
	assert_int_equal(exported_count, 3);
	assert_int_equal(exported[2].stamp, HF_CLAIM_AGE);
}

static void records_become_pins_and_go_with_them(void **state)
{
	struct hf_record r = record(digest_of(1), BACKEND, 0);

	(void)state;
	hf_sharing_keep(&sharing, &r);
	assert_non_null(find(digest_of(1)));
	assert_int_equal(hf_pin_backend(*find(digest_of(1))), BACKEND);
	assert_int_equal(hf_pin_state(*find(digest_of(1))), HF_PIN_ESTABLISHED);
	/* Kept for others: not theirs to export, and gone when nobody refreshes them. */
	sweep_for(100000);
	hf_sharing_keep(&sharing, &r);
	sweep_for(150000);
	assert_non_null(find(digest_of(1)));
	sweep_for(HF_KEPT_MS);
	assert_null(find(digest_of(1)));
	assert_int_equal(exported_count, 0);
}

static void a_kept_flow_that_comes_here_becomes_this_nodes(void **state)
{
	struct hf_record r = record(digest_of(1), BACKEND, 0);

	(void)state;
	hf_sharing_keep(&sharing, &r);
	sweep_for(3000);
	packet(digest_of(1));
	sweep_for(3000);
	assert_int_equal(exported_count, 1);
	sweep_for(HF_KEPT_MS * 2);
	assert_non_null(find(digest_of(1)));
}

static void records_say_nothing_about_flows_that_are_here(void **state)
{
	struct hf_record r = record(digest_of(1), OTHER, 0);

	(void)state;
	put(digest_of(1), HF_PIN_ESTABLISHED, BACKEND);
	hf_sharing_keep(&sharing, &r);
	assert_int_equal(hf_pin_backend(*find(digest_of(1))), BACKEND);
	/* But about those that have been silent here, they do. */
	sweep_for(3000);
	hf_sharing_keep(&sharing, &r);
	assert_int_equal(hf_pin_backend(*find(digest_of(1))), OTHER);
	r = record(digest_of(2), BACKEND + 100, 0);
	hf_sharing_keep(&sharing, &r);
	assert_null(find(digest_of(2)));
	assert_int_equal(counters[HF_SHARING_RECORDS_STRANGE], 1);
}

static void what_is_asked_for_is_pinned(void **state)
{
	struct hf_record r = record(digest_of(1), OTHER, 0);

	(void)state;
	hf_sharing_told(&sharing, &r);
	assert_int_equal(hf_pin_backend(*find(digest_of(1))), OTHER);
	sweep_for(2050);
	assert_int_equal(exported_count, 1);
	/* Nobody knows it: a guess, which what is heard later corrects. */
	hf_sharing_guess(&sharing, digest_of(2), BACKEND, HF_PIN_ADOPTED);
	assert_int_equal(hf_pin_state(*find(digest_of(2))), HF_PIN_ADOPTED);
	hf_sharing_guess(&sharing, digest_of(1), BACKEND, HF_PIN_ADOPTED);
	assert_int_equal(hf_pin_backend(*find(digest_of(1))), OTHER);
	r = record(digest_of(2), OTHER, 0);
	hf_sharing_told(&sharing, &r);
	assert_int_equal(hf_pin_backend(*find(digest_of(2))), OTHER);
	assert_int_equal(hf_pin_state(*find(digest_of(2))), HF_PIN_ESTABLISHED);
}

static void shards_are_exported_again(void **state)
{
	struct hf_shard_set shards = { { 0 } };
	struct hf_record r = record(digest_of(2), BACKEND, 0);

	(void)state;
	put(digest_of(1), HF_PIN_ESTABLISHED, BACKEND);
	hf_sharing_keep(&sharing, &r);
	sweep_for(2050);
	assert_int_equal(exported_count, 1);
	packet(digest_of(1));
	hf_shard_add(&shards, hf_shard(digest_of(1)));
	hf_shard_add(&shards, hf_shard(digest_of(2)));
	hf_sharing_again(&sharing, &shards);
	sweep_for(2050);
	assert_int_equal(exported_count, 3);
	/* What is kept for others is told as old news, once. */
	for (uint32_t i = 1; i < 3; i++)
		assert_int_equal(exported[i].stamp,
				 hf_record_digest(&exported[i]) == digest_of(2) ? HF_CLAIM_AGE : 0);
	sweep_for(10000);
	assert_int_equal(exported_count, 3);
}

static void without_syncd_nothing_is_marked(void **state)
{
	(void)state;
	sharing.open = false;
	put(digest_of(1), HF_PIN_ESTABLISHED, BACKEND);
	sweep_for(5000);
	assert_int_equal(exported_count, 0);
	sharing.open = true;
	sweep_for(2050);
	assert_int_equal(exported_count, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_flow_is_shared_when_it_is_older_than_a_second),
		T(what_is_not_established_is_not_shared),
		T(exceptions_are_shared_at_once),
		T(what_found_no_room_is_shared_later),
		T(flows_are_refreshed_while_they_live),
		T(records_become_pins_and_go_with_them),
		T(a_kept_flow_that_comes_here_becomes_this_nodes),
		T(records_say_nothing_about_flows_that_are_here),
		T(what_is_asked_for_is_pinned),
		T(shards_are_exported_again),
		T(without_syncd_nothing_is_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
