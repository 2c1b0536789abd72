// SPDX-License-Identifier: BSD-2-Clause
/*
 * The flow table's code, the same as in the data plane, over plain memory: how many flows find a
 * place, and what threads that race on the same buckets can see.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/sweeper.h"
#include "lbnode/bpf/flow_table.h"
#include "tests/unit/unit.h"

static struct hf_bucket *buckets;

static struct hf_bucket *hf_flow_bucket(__u32 index)
{
	return &buckets[index];
}

static void make_table(uint32_t bits)
{
	buckets = aligned_alloc(64, sizeof(*buckets) << bits);
	assert_non_null(buckets);
	memset(buckets, 0, sizeof(*buckets) << bits);
}

/* xorshift64*, seeded: digests are as good as random. */
static uint64_t next_random(uint64_t *x)
{
	*x ^= *x >> 12;
	*x ^= *x << 25;
	*x ^= *x >> 27;
	return *x * 0x2545f4914f6cdd1dULL;
}

static void a_pin_holds_its_digest(void **state)
{
	const uint64_t digest = 0xfedcba9876543210ULL;
	uint64_t pin = hf_pin(digest, 0xabcd, HF_PIN_UDP), tag = hf_pin_tag(pin);
	uint32_t home = hf_home_bucket(digest, 18);

	(void)state;
	assert_int_equal(hf_pin_backend(pin), 0xabcd);
	assert_int_equal(hf_pin_state(pin), HF_PIN_UDP);
	for (uint32_t bits = HF_BUCKETS_MIN_BITS; bits <= HF_BUCKETS_MAX_BITS; bits++)
		assert_int_equal(hf_pin_digest(pin, hf_home_bucket(digest, bits), bits),
				 digest & ~0xffULL);
	assert_int_equal(hf_pin_digest(pin | HF_PIN_AWAY, hf_away_bucket(home, tag), 18),
			 digest & ~0xffULL);
	assert_int_not_equal(hf_away_bucket(home, tag), home);
	assert_int_equal(hf_away_bucket(home, tag) / 64, home / 64);
}

/* The drawing in pin.h, arrow by arrow. */
static void packets_move_a_pin_on(void **state)
{
	const struct {
		enum hf_pin_state from;
		uint8_t flags;
		enum hf_pin_state to;
	} rows[] = {
		{ HF_PIN_EMBRYONIC, HF_TCP_SYN, HF_PIN_EMBRYONIC },
		{ HF_PIN_EMBRYONIC, HF_TCP_ACK, HF_PIN_ESTABLISHED },
		{ HF_PIN_EMBRYONIC, HF_TCP_RST, HF_PIN_RESET },
		{ HF_PIN_ESTABLISHED, HF_TCP_RST | HF_TCP_ACK, HF_PIN_RESET },
		{ HF_PIN_RESET, HF_TCP_ACK, HF_PIN_ESTABLISHED },
		{ HF_PIN_RESET, HF_TCP_SYN, HF_PIN_RESET },
		{ HF_PIN_ADOPTED, HF_TCP_ACK, HF_PIN_ADOPTED },
		{ HF_PIN_ADOPTED, HF_TCP_FIN | HF_TCP_ACK, HF_PIN_CLOSING },
		{ HF_PIN_ESTABLISHED, HF_TCP_ACK, HF_PIN_ESTABLISHED },
		{ HF_PIN_ESTABLISHED, HF_TCP_SYN, HF_PIN_ESTABLISHED },
		{ HF_PIN_ESTABLISHED, HF_TCP_FIN | HF_TCP_ACK, HF_PIN_CLOSING },
		{ HF_PIN_CLOSING, HF_TCP_ACK, HF_PIN_CLOSING },
		{ HF_PIN_UDP_NEW, 0, HF_PIN_UDP_NEW },
		{ HF_PIN_UDP, 0, HF_PIN_UDP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t pin = hf_pin(1, 7, rows[i].from) + 4, after; /* idle for a while */

		after = hf_pin_after(pin, rows[i].flags);
		assert_int_equal(hf_pin_state(after), rows[i].to);
		assert_int_equal(hf_pin_backend(after), 7);
		assert_int_equal(after & HF_PIN_IDLE_MASK, 0);
		/* What is fresh is not written again. */
		assert_int_equal(hf_pin_after(after, rows[i].flags), after);
	}
}

static void make_firm(uint64_t digest, uint32_t bits)
{
	__u64 pin, *cell = hf_flow_find(digest, bits, &pin);

	if (cell)
		*cell = hf_pin_with_state(pin, HF_PIN_ESTABLISHED);
}

/* At half occupancy by random digests, how many flows are without a pin? */
static void half_full_tables_keep_their_flows(void **state)
{
	const uint32_t bits[] = { 16, 18, 22 };

	(void)state;
	for (size_t b = 0; b < sizeof(bits) / sizeof(bits[0]); b++) {
		const uint64_t flows = (uint64_t)HF_BUCKET_PINS / 2 << bits[b];
		uint64_t seed = 42 + b, lost = 0;
		__u64 pin;

		make_table(bits[b]);
		for (uint64_t i = 0; i < flows; i++) {
			uint64_t digest = next_random(&seed);

			hf_flow_insert(digest, bits[b], hf_pin(digest, 1, HF_PIN_EMBRYONIC));
			make_firm(digest, bits[b]);
		}
		seed = 42 + b;
		for (uint64_t i = 0; i < flows; i++)
			lost += !hf_flow_find(next_random(&seed), bits[b], &pin);
		print_message("%lu flows in %lu pins: %lu without a pin, %.4f %%\n",
			      (unsigned long)flows, (unsigned long)flows * 2, (unsigned long)lost,
			      100.0 * lost / flows);
		assert_true(lost < flows / 1000);
		free(buckets);
	}
}

/* However many newcomers there are, no established pin gives way. */
static void floods_displace_no_established_pin(void **state)
{
	const uint32_t bits = 16;
	const uint64_t flows = (uint64_t)HF_BUCKET_PINS / 2 << bits;
	uint64_t seed = 7, found = 0, after = 0;
	__u64 pin;

	(void)state;
	make_table(bits);
	for (uint64_t i = 0; i < flows; i++) {
		uint64_t digest = next_random(&seed);

		hf_flow_insert(digest, bits, hf_pin(digest, 1, HF_PIN_EMBRYONIC));
		make_firm(digest, bits);
	}
	seed = 7;
	for (uint64_t i = 0; i < flows; i++)
		found += hf_flow_find(next_random(&seed), bits, &pin) != NULL;
	for (uint64_t i = 0; i < 10 * flows; i++) {
		uint64_t digest = next_random(&seed);

		hf_flow_insert(digest, bits,
			       hf_pin(digest, 2, i % 2 ? HF_PIN_EMBRYONIC : HF_PIN_ADOPTED));
	}
	seed = 7;
	for (uint64_t i = 0; i < flows; i++)
		after += hf_flow_find(next_random(&seed), bits, &pin) != NULL &&
			 hf_pin_backend(pin) == 1;
	assert_int_equal(after, found);
	free(buckets);
}

static void the_longest_idle_gives_way_first(void **state)
{
	const uint32_t bits = 16;
	uint64_t digest = 0, newcomer = 0x0000123456789a00ULL, tag = newcomer >> 8;
	struct hf_bucket *home, *away;

	(void)state;
	make_table(bits);
	home = hf_flow_bucket(hf_home_bucket(newcomer, bits));
	away = hf_flow_bucket(hf_away_bucket(hf_home_bucket(newcomer, bits), tag));
	for (int i = 0; i < HF_BUCKET_PINS; i++) {
		home->pin[i] = hf_pin(digest + (i << 9), 1, HF_PIN_EMBRYONIC);
		away->pin[i] = hf_pin(digest + (i << 9), 1, HF_PIN_ESTABLISHED);
	}
	home->pin[5] += 8;
	assert_int_equal(hf_flow_insert(newcomer, bits, hf_pin(newcomer, 3, HF_PIN_EMBRYONIC)),
			 HF_INSERTED_DISPLACING);
	assert_int_equal(hf_pin_backend(home->pin[5]), 3);
	/* An empty cell in the away bucket is better than anyone's place at home. */
	away->pin[2] = 0;
	newcomer += 1ULL << 20;
	tag = newcomer >> 8;
	away = hf_flow_bucket(hf_away_bucket(hf_home_bucket(newcomer, bits), tag));
	assert_int_equal(hf_flow_insert(newcomer, bits, hf_pin(newcomer, 4, HF_PIN_EMBRYONIC)),
			 HF_INSERTED);
	assert_true(away->pin[2] & HF_PIN_AWAY);
	free(buckets);
}

/*
 * Two threads play two CPUs: they insert, hit and move on flows of a few buckets, the sweeper ages
 * them and takes them away. Each flow's backend is a function of its digest, so a pin that shows
 * one flow's digest with another's backend is caught at once.
 */
#define RACE_BITS   16
#define RACE_FLOWS  256
#define RACE_ROUNDS 3000000

static uint64_t race_digest[RACE_FLOWS];
static atomic_uint race_mixed, race_running;

static uint16_t backend_of(uint64_t digest)
{
	return (digest >> 8) * 0x9e3779b97f4a7c15ULL >> 48;
}

static void *play_cpu(void *argument)
{
	uint64_t seed = (uintptr_t)argument;
	__u64 pin;

	for (int i = 0; i < RACE_ROUNDS; i++) {
		uint64_t r = next_random(&seed), digest = race_digest[r % RACE_FLOWS];
		__u64 *cell = hf_flow_find(digest, RACE_BITS, &pin);
		uint8_t flags = r >> 32 & 7 ? HF_TCP_ACK : HF_TCP_FIN;

		if (!cell) {
			hf_flow_insert(digest, RACE_BITS,
				       hf_pin(digest, backend_of(digest), HF_PIN_EMBRYONIC));
			continue;
		}
		if (hf_pin_backend(pin) != backend_of(digest))
			race_mixed++;
		hf_pin_swap(cell, pin, hf_pin_after(pin, flags));
	}
	race_running--;
	return NULL;
}

static bool none_is_gone(void *context, uint16_t id)
{
	(void)context;
	(void)id;
	return false;
}

static const struct hf_sweep_view view = { .is_gone = none_is_gone };

static void *play_sweeper(void *argument)
{
	static struct hf_sweeper sweeper;
	int64_t now = 0;

	(void)argument;
	hf_sweeper_init(&sweeper, buckets, 4, 0);
	for (int s = 0; s < HF_PIN_STATES; s++)
		sweeper.timeout_ms[s] = 8000;
	while (race_running)
		hf_sweeper_slice(&sweeper, now += 500, &view);
	return NULL;
}

static void racing_cpus_never_mix_up_flows(void **state)
{
	pthread_t thread[3];
	uint64_t seed = 99;

	(void)state;
	make_table(RACE_BITS);
	/* All of them at home in four buckets: 32 cells for 256 flows, so that cells change hands.
	 */
	for (int i = 0; i < RACE_FLOWS; i++)
		race_digest[i] = (next_random(&seed) >> 18 | (uint64_t)(i % 4) << 48) & ~0xffULL;
	race_running = 2;
	pthread_create(&thread[0], NULL, play_cpu, (void *)1);
	pthread_create(&thread[1], NULL, play_cpu, (void *)2);
	pthread_create(&thread[2], NULL, play_sweeper, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(race_mixed, 0);
	free(buckets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pin_holds_its_digest),
		cmocka_unit_test(packets_move_a_pin_on),
		cmocka_unit_test(half_full_tables_keep_their_flows),
		cmocka_unit_test(floods_displace_no_established_pin),
		cmocka_unit_test(the_longest_idle_gives_way_first),
		cmocka_unit_test(racing_cpus_never_mix_up_flows),
	};

	return cmocka_run_group_tests_name("flow table", tests, NULL, NULL);
}
