// SPDX-License-Identifier: BSD-2-Clause
/* The data planes' part: flows that are pinned, exported, refreshed each minute, and end. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define REFRESH HF_SECONDS(60)

static void export_one(struct sim *sim, struct sim_flow *flow)
{
	struct sim_node *node = &sim->nodes[flow->holder];
	hf_time local = sim_local(node, sim->now);

	/* Who has left gets no packets any more, and so has no news of its flows. */
	if (hf_sync_readiness(node->sync) == HF_GONE)
		return;
	flow->record.stamp = hf_sync_stamp(node->sync, local);
	flow->exported = sim->now;
	hf_sync_export(node->sync, &flow->record, 1, local);
}

void sim_add_flows(struct sim *sim, uint32_t node, uint32_t count, hf_time life)
{
	for (uint32_t i = 0; i < count; i++) {
		struct sim_flow *flow;

		if (sim->flow_count == sim->flow_room) {
			sim->flow_room = sim->flow_room ? 2 * sim->flow_room : 1024;
			sim->flows = realloc(sim->flows, sim->flow_room * sizeof(*sim->flows));
			if (!sim->flows)
				abort();
		}
		flow = &sim->flows[sim->flow_count++];
		memset(flow, 0, sizeof(*flow));
		flow->record.key = (hf_random_next(&sim->random) & HF_DIGEST_MASK) | 1 |
				   (sim_chance(sim) < 0.05 ? HF_RECORD_EXCEPTION : 0);
		flow->record.backend = 1 + hf_random_below(&sim->random, 1000);
		flow->holder = node;
		flow->ends = sim->now + life;
		flow->seen_at = SIM_NODES_MAX;
		if (sim->nodes[node].condition == SIM_UP)
			export_one(sim, flow);
	}
	if (sim->nodes[node].condition == SIM_UP)
		sim_schedule(&sim->nodes[node]);
}

void sim_export(struct sim *sim, uint32_t node, const struct hf_shard_set *shards)
{
	for (uint32_t i = 0; i < sim->flow_count; i++) {
		struct sim_flow *flow = &sim->flows[i];

		if (flow->holder == node &&
		    (!shards || hf_shard_in(shards, hf_shard(flow->record.key))))
			export_one(sim, flow);
	}
}

void sim_refresh(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->flow_count; i++) {
		struct sim_flow *flow = &sim->flows[i];

		if (sim->now >= flow->ends) {
			*flow = sim->flows[--sim->flow_count];
			i--;
			continue;
		}
		if (flow->holder < sim->count && sim->nodes[flow->holder].condition == SIM_UP &&
		    sim->now - flow->exported >= REFRESH)
			export_one(sim, flow);
	}
	for (uint32_t i = 0; i < sim->count; i++)
		if (sim->nodes[i].condition == SIM_UP)
			sim_schedule(&sim->nodes[i]);
}

void sim_move_flow(struct sim *sim, uint32_t index, uint32_t node)
{
	struct sim_flow *flow = &sim->flows[index];

	/* Ports are not used again at once: not within what a stamp can tell apart. */
	if (sim->nodes[node].condition != SIM_UP || sim->now - flow->exported < HF_SECONDS(1) ||
	    hf_sync_readiness(sim->nodes[node].sync) == HF_GONE)
		return;
	flow->holder = node;
	flow->record.backend = 1 + hf_random_below(&sim->random, 1000);
	flow->seen_at = SIM_NODES_MAX;
	export_one(sim, flow);
	sim_schedule(&sim->nodes[node]);
}
