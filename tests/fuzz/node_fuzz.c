// SPDX-License-Identifier: BSD-2-Clause
/* Any bytes as packets at syncd's Unix socket: length (2), and so many bytes, over and over. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "syncd/node_take.h"
#include "tests/sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void must(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct sim *sim = sim_new(1, 2);
	struct sim_node *node = &sim->nodes[0];
	bool is_lbnode = false;

	must(sodium_init() >= 0);
	sim_start(sim, 0);
	sim_start(sim, 1);
	sim_run(sim, HF_MS(500));
	while (length > 2) {
		size_t part = bytes[0] | bytes[1] << 8;
		struct hf_node_news news;
		enum hf_node_taken taken;

		if (part > length - 2)
			part = length - 2;
		taken = hf_node_take(node->sync, bytes + 2, part, is_lbnode, &news,
				     sim_local(node, sim->now));
		must(taken <= HF_NODE_OTHER && memchr(news.hello.program, 0, 64));
		must(is_lbnode || !news.exported);
		is_lbnode |= taken == HF_NODE_GREETED;
		if (taken == HF_NODE_ASKS)
			hf_sync_lookup(node->sync, news.digests, news.digest_count, news.ticket,
				       sim_local(node, sim->now));
		sim_schedule(node);
		bytes += 2 + part;
		length -= 2 + part;
	}
	sim_run(sim, sim->now + HF_MS(200));
	must(!sim->broken[0]);
	sim_delete(sim);
	return 0;
}
