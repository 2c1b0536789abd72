// SPDX-License-Identifier: BSD-2-Clause
/* Any bytes as a stream: as a snapshot, in parts of any size, as the answer to a call, as a
 * request. Nothing of it can be authentic, so nothing of it may be kept. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void as_answer(struct sim *sim, const uint8_t *bytes, size_t length)
{
	struct sim_node *joiner = &sim->nodes[1];

	while (length) {
		/* Parts of odd sizes, cut by the input itself. */
		size_t part = bytes[0] % 64 + 1;

		if (part > length)
			part = length;
		if (!hf_sync_fetched(joiner->sync, bytes, part, sim_local(joiner, sim->now)))
			break;
		bytes += part;
		length -= part;
	}
	must(hf_sync_record_count(joiner->sync) == 0);
}

static void as_request(struct sim *sim, const uint8_t *bytes, size_t length)
{
	struct hf_request request;

	if (length < 2 || hf_request_length(bytes) > length - 2)
		return;
	must(!hf_request_open(sim->nodes[0].sync, bytes + 2, hf_request_length(bytes),
			      sim_local(&sim->nodes[0], sim->now), &request));
}

/* What comes back of a call: nothing of it either. */
static void as_reply(struct sim *sim, const uint8_t *bytes, size_t length)
{
	static struct hf_call_request request;
	const struct sim_node *node = &sim->nodes[1];
	struct hf_call *call;

	must(hf_call_new(node->sync, hf_sync_self(sim->nodes[0].sync)->party.id, 1,
			 (const uint8_t *)"?", 1, sim_local(node, sim->now), &call, &request) == 0);
	must(hf_call_take(call, bytes, length) <= 0);
	hf_call_delete(call);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct sim *sim = sim_new(1, 2);

	must(sodium_init() >= 0);
	sim_start(sim, 0);
	sim_run(sim, HF_SECONDS(6));
	sim_start(sim, 1);
	while (hf_sync_readiness(sim->nodes[1].sync) != HF_FETCHING)
		sim_run(sim, sim->now + 10);
	as_request(sim, bytes, length);
	as_reply(sim, bytes, length);
	as_answer(sim, bytes, length);
	sim_run(sim, sim->now + HF_MS(500));
	must(!sim->broken[0]);
	sim_delete(sim);
	return 0;
}
