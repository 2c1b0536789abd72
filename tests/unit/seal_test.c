// SPDX-License-Identifier: BSD-2-Clause
/* Sealed datagrams and the replay window. */
#include "syncd/core/seal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/keys.h"
#include "syncd/core/replay.h"
#include "tests/unit/unit.h"

static struct hf_seal_keys keys = { .count = 1 };
static const struct hf_party alice = { 0x1111, 0xa1 }, bob = { 0x2222, 0xb1 };
static const uint64_t cluster = 0x0123456789abcdef;
static uint8_t sealed[200], plain[200];
static struct hf_sealed header;
static size_t length;

static int start(void **state)
{
	(void)state;
	keys.count = 1;
	keys.key[0].id = 7;
	for (size_t i = 0; i < HF_CIPHER_KEY; i++)
		keys.key[0].bytes[i] = i;
	return 0;
}

static enum hf_seal_fault open_as(const struct hf_party *self, uint64_t in_cluster, size_t n)
{
	return hf_seal_open(&keys, in_cluster, self, sealed, n, &header, plain, &length);
}

static void opens_for_its_recipient_alone(void **state)
{
	const struct hf_party later = { bob.id, bob.boot + 1 };
	size_t n = hf_seal(&keys, cluster, &alice, 42, &bob, (const uint8_t *)"hello", 5, sealed);

	(void)state;
	assert_int_equal(n, 5 + HF_SEAL_OVERHEAD);
	assert_int_equal(open_as(&bob, cluster, n), HF_SEAL_GOOD);
	assert_int_equal(length, 5);
	assert_memory_equal(plain, "hello", 5);
	assert_int_equal(header.sender.id, alice.id);
	assert_int_equal(header.sender.boot, alice.boot);
	assert_int_equal(header.counter, 42);
	assert_false(header.open);
	/* Another node, its next life, the sender itself. */
	assert_int_equal(open_as(&alice, cluster, n), HF_SEAL_FORGED);
	assert_int_equal(open_as(&later, cluster, n), HF_SEAL_FORGED);
	/* Another cluster under the same key, with another tag, and with the same. */
	assert_int_equal(open_as(&bob, ~cluster, n), HF_SEAL_CLUSTER);
	assert_int_equal(open_as(&bob, cluster ^ 1, n), HF_SEAL_FORGED);
}

static void open_ones_are_for_anyone(void **state)
{
	size_t n = hf_seal(&keys, cluster, &alice, 1, NULL, (const uint8_t *)"hi", 2, sealed);

	(void)state;
	assert_int_equal(open_as(&bob, cluster, n), HF_SEAL_GOOD);
	assert_true(header.open);
	/* The bit can't be taken off, nor put on. */
	sealed[0] ^= 0x10;
	assert_int_equal(open_as(&bob, cluster, n), HF_SEAL_FORGED);
}

static void no_bit_may_change(void **state)
{
	size_t n = hf_seal(&keys, cluster, &alice, 9, &bob, (const uint8_t *)"hello", 5, sealed);

	(void)state;
	for (size_t bit = 0; bit < 8 * n; bit++) {
		sealed[bit / 8] ^= 1 << bit % 8;
		assert_int_not_equal(open_as(&bob, cluster, n), HF_SEAL_GOOD);
		sealed[bit / 8] ^= 1 << bit % 8;
	}
	for (size_t cut = 0; cut < n; cut++)
		assert_int_not_equal(open_as(&bob, cluster, cut), HF_SEAL_GOOD);
	assert_int_equal(open_as(&bob, cluster, n), HF_SEAL_GOOD);
}

static void rings(void **state)
{
	struct hf_seal_keys old = keys;
	size_t n;

	(void)state;
	/* A new key in force, the old one known. Both have the same id: the worst case. */
	keys.count = 2;
	keys.key[1] = keys.key[0];
	memset(keys.key[0].bytes, 0x55, HF_CIPHER_KEY);
	n = hf_seal(&old, cluster, &alice, 1, &bob, (const uint8_t *)"old", 3, sealed);
	assert_int_equal(open_as(&bob, cluster, n), HF_SEAL_GOOD);
	assert_ptr_equal(header.key, &keys.key[1]);
	n = hf_seal(&keys, cluster, &alice, 2, &bob, (const uint8_t *)"new", 3, sealed);
	assert_int_equal(open_as(&bob, cluster, n), HF_SEAL_GOOD);
	/* The old one is retired. */
	keys.count = 1;
	keys.key[0].id = 8;
	n = hf_seal(&old, cluster, &alice, 3, &bob, (const uint8_t *)"old", 3, sealed);
	assert_int_equal(open_as(&bob, cluster, n), HF_SEAL_KEY);
}

/* Against an independent implementation: tests/models/seal.py wrote it. Never change it. */
static void golden(void **state)
{
	static const char expected[] = "01072301"
				       "1111000000000000a1000000000000002a00000000000000"
#include "tests/golden/seal.inc"
		;
	char text[400];
	size_t n = hf_seal(&keys, cluster, &alice, 42, &bob, (const uint8_t *)"hello", 5, sealed);

	(void)state;
	sodium_bin2hex(text, sizeof(text), sealed, n);
	assert_string_equal(text, expected);
}

static void must_be(const uint8_t *derived, size_t size, const char *expected)
{
	char text[80];

	sodium_bin2hex(text, sizeof(text), derived, size);
	assert_string_equal(text, expected);
}

/* Derived as lib/keys.h and snapshot.c say, from the key 00 01 ... 1f; by Python's hashlib.blake2b.
 */
static void derived_keys(void **state)
{
	static const char gossip[] =
#include "tests/golden/gossip_key.inc"
		;
	static const char id[] =
#include "tests/golden/key_id.inc"
		;
	static const char stream[] =
#include "tests/golden/stream_key.inc"
		;
	struct hf_cluster_key key;
	uint8_t derived[32];

	(void)state;
	for (size_t i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = i;
	hf_key_derive(&key, HF_KEY_GOSSIP, derived, 32);
	must_be(derived, 32, gossip);
	hf_key_derive(&key, HF_KEY_ID, derived, 16);
	must_be(derived, 16, id);
	hf_cipher_stream_key(derived, key.bytes, (const uint8_t *)"snapshot", 8);
	must_be(derived, 32, stream);
}

static void replays(void **state)
{
	static struct hf_replay r;

	(void)state;
	memset(&r, 0, sizeof(r));
	assert_false(hf_replay_accept(&r, 0));
	assert_true(hf_replay_accept(&r, 1));
	assert_false(hf_replay_accept(&r, 1));
	assert_true(hf_replay_accept(&r, 3));
	assert_true(hf_replay_accept(&r, 2));
	assert_false(hf_replay_accept(&r, 2));
	assert_true(hf_replay_accept(&r, HF_REPLAY_WINDOW + 3));
	/* 3 is just in the window, and was seen; 4 was not; what is behind it is refused unseen. */
	assert_false(hf_replay_accept(&r, 3));
	assert_true(hf_replay_accept(&r, 4));
	assert_true(hf_replay_accept(&r, 3 * HF_REPLAY_BITS));
	assert_false(hf_replay_accept(&r, 5));
	assert_false(hf_replay_accept(&r, 3 * HF_REPLAY_BITS - HF_REPLAY_WINDOW));
	assert_true(hf_replay_accept(&r, 3 * HF_REPLAY_BITS - HF_REPLAY_WINDOW + 1));
	assert_true(hf_replay_accept(&r, UINT64_MAX));
	assert_false(hf_replay_accept(&r, UINT64_MAX));
	assert_true(hf_replay_accept(&r, UINT64_MAX - 1));
}

/* Against a plain list of all counters seen. */
static void agrees_with_a_model(void **state)
{
	static struct hf_replay r;
	static bool seen[100000];
	uint64_t highest = 0, x = 1;

	(void)state;
	memset(&r, 0, sizeof(r));
	for (uint32_t i = 0; i < 300000; i++) {
		uint64_t counter;
		bool expected;

		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		counter = highest + 1 + (x >> 40) % 40;
		if (x >> 63)
			counter = counter > (x >> 33) % 9000 ? counter - (x >> 33) % 9000 : 1;
		if (counter >= 100000)
			break;
		expected = !seen[counter] && counter + HF_REPLAY_WINDOW > highest;
		assert_int_equal(hf_replay_accept(&r, counter), expected);
		seen[counter] |= expected;
		if (counter > highest)
			highest = counter;
	}
	assert_true(highest > 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(opens_for_its_recipient_alone, start),
		cmocka_unit_test_setup(open_ones_are_for_anyone, start),
		cmocka_unit_test_setup(no_bit_may_change, start),
		cmocka_unit_test_setup(rings, start),
		cmocka_unit_test_setup(golden, start),
		cmocka_unit_test(derived_keys),
		cmocka_unit_test(replays),
		cmocka_unit_test(agrees_with_a_model),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
