// SPDX-License-Identifier: BSD-2-Clause
/* Notices: any node posts one now and then, of few keys, so that they often meet. */
#include "tests/sim/sim.h"

void sim_post(struct sim *sim, uint32_t node)
{
	struct sim_node *n = &sim->nodes[node];
	uint8_t key = hf_random_below(&sim->random, SIM_NOTICES);
	struct sim_notice *last = &sim->notices[key];
	struct hf_notice notice = {
		.key = &key,
		.key_length = 1,
		.body = (const uint8_t *)n->name,
		.body_length = sizeof(n->name),
		/* Now and then at odds with a newer one that its node has not heard of. */
		.version = last->version + hf_random_below(&sim->random, 3),
		.author = hf_member_id(n->name),
	};

	if (n->condition != SIM_UP || hf_sync_readiness(n->sync) == HF_GONE)
		return;
	if (notice.version >= last->version)
		*last = (struct sim_notice){ notice.version, node, n->life };
	hf_sync_post(n->sync, &notice, 1, sim_local(n, sim->now));
	sim_schedule(n);
}

static uint64_t version_at(const struct sim_node *node, uint8_t key)
{
	const struct hf_notice *n = hf_board_find(hf_sync_board(node->sync), &key, 1);

	return n ? n->version : 0;
}

void sim_check_notices(struct sim *sim, bool (*is_in)(const struct sim_node *node))
{
	const struct sim_node *first = NULL;

	for (uint32_t i = 0; i < sim->count; i++) {
		const struct sim_node *n = &sim->nodes[i];

		if (!is_in(n))
			continue;
		if (!first)
			first = n;
		if (hf_board_digest(hf_sync_board(n->sync)) !=
		    hf_board_digest(hf_sync_board(first->sync)))
			sim_break(sim, "%s and %s have different notices", first->name, n->name);
	}
	for (uint32_t key = 0; first && key < SIM_NOTICES; key++) {
		const struct sim_notice *last = &sim->notices[key];
		const struct sim_node *poster = &sim->nodes[last->poster];

		if (last->version && is_in(poster) && poster->life == last->life &&
		    version_at(first, key) < last->version)
			sim_break(sim, "notice %u of %s is lost", key, poster->name);
	}
}
