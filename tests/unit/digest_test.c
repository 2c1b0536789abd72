// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/packet/digest.h"
#include "tests/unit/unit.h"

static struct hf_key key_of(const char *hex)
{
	struct hf_key key;
	unsigned char bytes[16];

	for (int i = 0; i < 16; i++)
		assert_int_equal(sscanf(hex + 2 * i, "%2hhx", &bytes[i]), 1);
	memcpy(&key, bytes, sizeof(key));
	return key;
}

static struct hf_packet packet_of(const char *source, const char *destination, unsigned int sport,
				  unsigned int dport, unsigned int protocol)
{
	struct hf_packet p = {
		.family = strchr(source, ':') ? 6 : 4,
		.source_port = htons(sport),
		.destination_port = htons(dport),
		.protocol = protocol,
	};
	int af = p.family == 4 ? AF_INET : AF_INET6;

	assert_int_equal(inet_pton(af, source, p.source), 1);
	assert_int_equal(inet_pton(af, destination, p.destination), 1);
	return p;
}

/* The vectors come from a model that shares no line with the code (tests/models/digest.py). */
static void golden_vectors(void **state)
{
	FILE *file = fopen(HF_SOURCE_DIR "/tests/golden/digests.txt", "r");
	char line[256], key[40], source[64], destination[64];
	unsigned int sport, dport, protocol, slot, vectors = 0;
	unsigned long digest;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		struct hf_packet p;

		if (line[0] == '#')
			continue;
		assert_int_equal(sscanf(line, "%39s %63s %63s %u %u %u %lx %u", key, source,
					destination, &sport, &dport, &protocol, &digest, &slot),
				 8);
		p = packet_of(source, destination, sport, dport, protocol);
		assert_int_equal(hf_digest(&p, key_of(key)), digest);
		assert_int_equal(hf_slot(digest, 65537), slot);
		vectors++;
	}
	fclose(file);
	assert_int_equal(vectors, 64);
}

static void every_field_counts(void **state)
{
	const struct hf_key key = { 1, 2 };
	struct hf_packet p = packet_of("192.0.2.1", "203.0.113.10", 1000, 80, IPPROTO_TCP);
	const uint64_t digest = hf_digest(&p, key);
	struct hf_packet q;

	(void)state;
	q = p, q.source[0] ^= 1;
	assert_int_not_equal(hf_digest(&q, key), digest);
	q = p, q.destination[0] ^= 1;
	assert_int_not_equal(hf_digest(&q, key), digest);
	q = p, q.source_port ^= 1;
	assert_int_not_equal(hf_digest(&q, key), digest);
	q = p, q.destination_port ^= 1;
	assert_int_not_equal(hf_digest(&q, key), digest);
	q = p, q.protocol = IPPROTO_UDP;
	assert_int_not_equal(hf_digest(&q, key), digest);
	assert_int_not_equal(hf_digest(&p, (struct hf_key){ 1, 3 }), digest);
}

static void slots_stay_in_the_table(void **state)
{
	(void)state;
	assert_int_equal(hf_slot(0, 65537), 0);
	assert_int_equal(hf_slot(UINT64_MAX, 65537), 65536);
	assert_int_equal(hf_slot(UINT64_MAX, 3), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_vectors),
		cmocka_unit_test(every_field_counts),
		cmocka_unit_test(slots_stay_in_the_table),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
