// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as what a member says that holds the key: sealed as they should be, or as they are. The
 * node must neither crash nor hang, keep to its limits, and go on agreeing with the others.
 *
 * The input is a sequence of datagrams: length (1), of which the highest bit says that they are not
 * to be sealed, and so many bytes.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "syncd/core/seal.h"
#include "tests/sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static const struct hf_party *party(struct sim *sim, uint32_t node)
{
	return &hf_sync_self(sim->nodes[node].sync)->party;
}

static void send(struct sim *sim, const uint8_t *bytes, size_t length, bool seal, uint64_t counter)
{
	struct hf_seal_keys keys = { .count = 1 };
	uint8_t sealed[256 + HF_SEAL_OVERHEAD];

	/* As sim.c has them. */
	memset(keys.key[0].bytes, 1, sizeof(keys.key[0].bytes));
	if (seal)
		length = hf_seal(&keys, hf_sync_cluster_id("sim"), party(sim, 1), counter,
				 party(sim, 0), bytes, length, sealed);
	else
		memcpy(sealed, bytes, length);
	hf_sync_receive(sim->nodes[0].sync, &sim->nodes[1].endpoint, sealed, length,
			sim_local(&sim->nodes[0], sim->now));
	sim_schedule(&sim->nodes[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct sim *sim = sim_new(1, 2);
	uint64_t counter = 1 << 20;

	must(sodium_init() >= 0);
	sim_start(sim, 0);
	sim_start(sim, 1);
	sim_run(sim, HF_MS(500));
	while (length > 1) {
		bool seal = !(bytes[0] & 0x80);
		size_t part = bytes[0] & 0x7f;

		if (part > length - 1)
			part = length - 1;
		send(sim, bytes + 1, part, seal, counter++);
		bytes += 1 + part;
		length -= 1 + part;
	}
	sim_run(sim, sim->now + HF_MS(200));
	must(!sim->broken[0]);
	must(hf_sync_members(sim->nodes[0].sync)->count <= HF_MEMBERS_MAX);
	sim_delete(sim);
	return 0;
}
