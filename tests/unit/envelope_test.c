// SPDX-License-Identifier: BSD-2-Clause
/* The envelope, from the cluster's key on, as tests/models/envelope.py makes it from its
 * description. */
#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/keys.h"
#include "lib/packet/envelope.h"
#include "tests/unit/unit.h"

#define VECTORS 32

static struct hf_key hop_key(const char *hex)
{
	struct hf_cluster_key cluster;
	struct hf_key key;
	uint8_t bytes[16];

	assert_int_equal(sodium_hex2bin(cluster.bytes, sizeof(cluster.bytes), hex, strlen(hex),
					NULL, NULL, NULL),
			 0);
	hf_key_derive(&cluster, HF_KEY_HOP, bytes, sizeof(bytes));
	memcpy(&key, bytes, sizeof(key)); /* SipHash's order is this machine's */
	return key;
}

static void golden_vectors(void **state)
{
	FILE *file = fopen(HF_SOURCE_DIR "/tests/golden/envelopes.txt", "re");
	char line[256], key[65], expected[41], made[41];
	unsigned int hops, flags, origin, epoch, lines = 0;
	unsigned long digest;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		struct hf_envelope e = { .version = HF_ENVELOPE_VERSION,
					 .kind = HF_ENVELOPE_SECOND_CHANCE };
		uint64_t tag;

		if (sscanf(line, "%64s %u %u %x %x %lx %40s", key, &hops, &flags, &origin, &epoch,
			   &digest, expected) != 7)
			continue;
		e.hops = hops;
		e.flags = flags;
		e.origin = htonl(origin);
		e.epoch = htonl(epoch);
		tag = hf_envelope_tag(&e, digest, hop_key(key));
		memcpy(e.tag, &tag, sizeof(tag));
		sodium_bin2hex(made, sizeof(made), (const uint8_t *)&e, sizeof(e));
		assert_string_equal(made, expected);
		lines++;
	}
	fclose(file);
	assert_int_equal(lines, VECTORS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_vectors),
	};

	return sodium_init() < 0 || cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
