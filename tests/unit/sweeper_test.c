// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "lbnode/sweeper.h"
#include "tests/unit/unit.h"

#define BUCKETS 1000

static struct hf_bucket *buckets;
static struct hf_sweeper sweeper;
static int64_t now;

static int begin(void **state)
{
	(void)state;
	buckets = aligned_alloc(64, BUCKETS * sizeof(*buckets));
	memset(buckets, 0, BUCKETS * sizeof(*buckets));
	memset(&sweeper, 0, sizeof(sweeper));
	now = 1000000;
	hf_sweeper_init(&sweeper, buckets, BUCKETS, now);
	for (int s = 0; s < HF_PIN_STATES; s++)
		sweeper.timeout_ms[s] = 60000;
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(buckets);
	return 0;
}

static bool id_66_is_gone(void *context, uint16_t id)
{
	(void)context;
	return id == 66;
}

static const struct hf_sweep_view view = { .is_gone = id_66_is_gone };

/* Sweeps whole passes, in their real slices, for `ms` milliseconds. */
static void sweep_for(int64_t ms)
{
	const int64_t slice = HF_SWEEP_PASS_MS / HF_SWEEP_SLICES, until = now + ms;
	bool ended = true;

	while (now < until || !ended) {
		now += slice;
		ended = hf_sweeper_slice(&sweeper, now, &view);
	}
}

static __u64 *put(int bucket, enum hf_pin_state state, uint16_t backend)
{
	buckets[bucket].pin[3] = hf_pin((uint64_t)bucket << 30, backend, state);
	return &buckets[bucket].pin[3];
}

/* What the data plane does with a packet of the flow. */
static void packet(__u64 *pin)
{
	*pin = hf_pin_after(*pin, HF_TCP_ACK);
}

static void idle_pins_live_as_long_as_their_timeout(void **state)
{
	__u64 *pin = put(5, HF_PIN_ESTABLISHED, 1);

	(void)state;
	sweep_for(58000);
	assert_int_not_equal(*pin, 0);
	/* Up to two steps in twelve later, and the time of a pass. */
	sweep_for(60000 * 2 / 12 + 3 * HF_SWEEP_PASS_MS);
	assert_int_equal(*pin, 0);
}

static void long_and_short_timeouts(void **state)
{
	__u64 *established = put(1, HF_PIN_ESTABLISHED, 1), *closing = put(2, HF_PIN_CLOSING, 1);

	(void)state;
	sweeper.timeout_ms[HF_PIN_ESTABLISHED] = 7200000;
	sweeper.timeout_ms[HF_PIN_CLOSING] = 1000;
	sweep_for(6000);
	assert_int_equal(*closing, 0);
	sweep_for(7190000);
	assert_int_not_equal(*established, 0);
	sweep_for(7200000 * 2 / 12 + 20000);
	assert_int_equal(*established, 0);
}

static void packets_keep_a_pin(void **state)
{
	__u64 *pin = put(5, HF_PIN_ESTABLISHED, 1);

	(void)state;
	for (int i = 0; i < 100; i++) {
		sweep_for(30000);
		packet(pin);
		assert_int_equal(hf_pin_state(*pin), HF_PIN_ESTABLISHED);
	}
}

static void only_what_lives_is_confirmed(void **state)
{
	__u64 *adopted = put(5, HF_PIN_ADOPTED, 1), *flood = put(6, HF_PIN_ADOPTED, 1);
	__u64 *udp = put(7, HF_PIN_UDP_NEW, 1);

	(void)state;
	/* Packets at once prove nothing: a flood sends two as easily as one. */
	packet(flood);
	packet(flood);
	sweep_for(20000);
	assert_int_equal(hf_pin_state(*flood), HF_PIN_ADOPTED);
	packet(adopted);
	packet(udp);
	sweep_for(4000);
	assert_int_equal(hf_pin_state(*adopted), HF_PIN_ESTABLISHED);
	assert_int_equal(hf_pin_state(*udp), HF_PIN_UDP);
}

/* However rarely a flow speaks, and long its timeout: keepalives come every two hours. */
static void rare_speakers_are_confirmed(void **state)
{
	__u64 *pin = put(5, HF_PIN_ADOPTED, 1);

	(void)state;
	sweeper.timeout_ms[HF_PIN_ADOPTED] = 14400000;
	sweep_for(2000);
	packet(pin);
	sweep_for(4000);
	assert_int_equal(hf_pin_state(*pin), HF_PIN_ESTABLISHED);
}

/* An agent that was stopped, or a clock that jumped, ages nothing by more than two passes. */
static void a_pause_takes_no_pin(void **state)
{
	__u64 *pin = put(5, HF_PIN_ESTABLISHED, 1);

	(void)state;
	sweep_for(2000);
	now += 86400000;
	sweep_for(2000);
	assert_int_not_equal(*pin, 0);
}

static void pins_of_a_backend_that_is_gone_go(void **state)
{
	__u64 *gone = put(5, HF_PIN_ESTABLISHED, 66), *stays = put(6, HF_PIN_ESTABLISHED, 65);

	(void)state;
	sweep_for(2000);
	assert_int_equal(*gone, 0);
	assert_int_not_equal(*stays, 0);
}

static void pins_are_counted(void **state)
{
	(void)state;
	for (int i = 0; i < BUCKETS; i++)
		put(i, i % 2 ? HF_PIN_ESTABLISHED : HF_PIN_UDP, i % 10);
	sweep_for(2000);
	assert_int_equal(sweeper.last.state[HF_PIN_ESTABLISHED], BUCKETS / 2);
	assert_int_equal(sweeper.last.state[HF_PIN_UDP], BUCKETS / 2);
	assert_int_equal(sweeper.last.backend[7], BUCKETS / 10);
}

static void a_sweep_reaches_every_pin(void **state)
{
	(void)state;
	for (int i = 0; i < BUCKETS; i++)
		for (int j = 0; j < HF_BUCKET_PINS; j++)
			buckets[i].pin[j] = hf_pin(i, 66, HF_PIN_ESTABLISHED);
	sweep_for(2000);
	for (int i = 0; i < BUCKETS; i++)
		for (int j = 0; j < HF_BUCKET_PINS; j++)
			assert_int_equal(buckets[i].pin[j], 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(idle_pins_live_as_long_as_their_timeout),
		T(long_and_short_timeouts),
		T(packets_keep_a_pin),
		T(only_what_lives_is_confirmed),
		T(rare_speakers_are_confirmed),
		T(a_pause_takes_no_pin),
		T(pins_of_a_backend_that_is_gone_go),
		T(pins_are_counted),
		T(a_sweep_reaches_every_pin),
	};

	return cmocka_run_group_tests_name("sweeper", tests, NULL, NULL);
}
