// SPDX-License-Identifier: BSD-2-Clause
/* What may be done to nodes. */
#include "tests/sim/internal.h"

#include <stdlib.h>
#include <string.h>
static void add_key(struct hf_seal_keys *keys, uint32_t generation)
{
	struct hf_seal_key *key = &keys->key[keys->count++];

	memset(key->bytes, (int)generation + 1, sizeof(key->bytes));
	key->id = generation * 37;
}

/* All that are in use; the newest seals, unless it is only to be known yet. */
static void fill_keys(const struct sim *sim, struct hf_seal_keys *keys, bool prepare)
{
	uint32_t first = prepare && sim->key_newest ? sim->key_newest - 1 : sim->key_newest;

	keys->count = 0;
	add_key(keys, first);
	for (uint32_t g = sim->key_oldest; g <= sim->key_newest; g++)
		if (g != first)
			add_key(keys, g);
}

void sim_load_keys(struct sim *sim, uint32_t index)
{
	sim_load_ring(sim, index, false);
}

void sim_load_ring(struct sim *sim, uint32_t index, bool prepare)
{
	struct hf_seal_keys keys;

	fill_keys(sim, &keys, prepare);
	sim_note(sim, "%s: keys %u to %u", sim->nodes[index].name, sim->key_oldest,
		 sim->key_newest);
	if (sim->nodes[index].condition != SIM_OFF)
		hf_sync_set_keys(sim->nodes[index].sync, &keys);
}

void sim_stop(struct sim_node *node)
{
	while (node->waiting) {
		struct sim_letter *next = node->waiting->next;

		free(node->waiting);
		node->waiting = next;
	}
	node->waiting_end = &node->waiting;
	hf_sync_delete(node->sync);
	node->sync = NULL;
	node->condition = SIM_OFF;
	node->scheduled = HF_NEVER;
}

void sim_start(struct sim *sim, uint32_t index)
{
	struct sim_node *node = &sim->nodes[index];
	struct hf_endpoint seeds[3];
	struct hf_seal_keys keys;
	struct hf_sync_settings settings = {
		.name = node->name,
		.version = "sim",
		.endpoint = node->endpoint,
		.cluster = hf_sync_cluster_id("sim"),
		.boot = hf_random_next(&sim->random) | 1,
		.seed = hf_random_next(&sim->random),
		.token_key = { hf_random_next(&sim->random), 1 },
		.replicas = 2,
		.weight = 100,
		.datagram = SIM_DATAGRAM,
		.records = 4000000,
		.stamp = 1000000 + sim->now / (HF_SECONDS(1) / HF_STAMPS_SECOND) + node->wall_error,
		.join_timeout = HF_SECONDS(5),
		.snapshot_timeout = HF_SECONDS(30),
	};

	if (node->condition != SIM_OFF)
		return;
	fill_keys(sim, &keys, false);
	node->sync = hf_sync_new(&settings, &keys, &sim_output, node, sim_local(node, sim->now));
	if (!node->sync)
		abort();
	node->life++;
	node->epoch = 0;
	node->condition = SIM_UP;
	node->up_since = sim->now;
	for (int i = 0; i < 3; i++)
		seeds[i] = sim->nodes[(uint32_t)i % sim->count].endpoint;
	hf_sync_set_seeds(node->sync, seeds, 3);
	hf_sync_set_self(node->sync, 1, 1, 100, true, sim_local(node, sim->now));
	sim_note(sim, "%s: start %u", node->name, node->life);
	sim_schedule(node);
}

void sim_crash(struct sim *sim, uint32_t index, bool machine)
{
	struct sim_node *node = &sim->nodes[index];

	if (node->condition == SIM_OFF)
		return;
	sim_note(sim, "%s: crash%s", node->name, machine ? " of the machine" : "");
	sim_stop(node);
	for (uint32_t i = 0; machine && i < sim->flow_count; i++)
		if (sim->flows[i].holder == index)
			sim->flows[i].holder = SIM_NODES_MAX;
}

void sim_leave(struct sim *sim, uint32_t index)
{
	struct sim_node *node = &sim->nodes[index];

	if (node->condition != SIM_UP)
		return;
	sim_note(sim, "%s: leave", node->name);
	hf_sync_leave(node->sync, sim_local(node, sim->now));
	sim_schedule(node);
}

void sim_pause(struct sim *sim, uint32_t index)
{
	if (sim->nodes[index].condition != SIM_UP)
		return;
	sim_note(sim, "%s: pause", sim->nodes[index].name);
	sim->nodes[index].condition = SIM_PAUSED;
}

/* Its timers are late, and run before it reads what came meanwhile: so libuv has it, too. */
void sim_resume(struct sim *sim, uint32_t index)
{
	struct sim_node *node = &sim->nodes[index];
	struct sim_letter *letter = node->waiting, *next;

	if (node->condition != SIM_PAUSED)
		return;
	sim_note(sim, "%s: resume", node->name);
	node->condition = SIM_UP;
	node->waiting = NULL;
	node->waiting_end = &node->waiting;
	if (sim_local(node, sim->now) >= hf_sync_deadline(node->sync)) {
		hf_sync_turn(node->sync, sim_local(node, sim->now));
		sim_stepped(node);
	}
	for (uint32_t i = 0; letter; letter = next, i++) {
		next = letter->next;
		if (i < 2000) /* a socket's buffer is finite */
			sim_deliver(node, letter);
		else
			free(letter);
	}
	node->scheduled = HF_NEVER;
	sim_schedule(node);
}

void sim_cut(struct sim *sim, uint32_t from, uint32_t to, bool cut)
{
	sim_note(sim, "n%u -> n%u: %s", from, to, cut ? "cut" : "whole");
	sim->cut[from * sim->count + to] = cut;
}

void sim_heal(struct sim *sim)
{
	sim_note(sim, "all cuts heal");
	memset(sim->cut, 0, (size_t)sim->count * sim->count * sizeof(*sim->cut));
	for (uint32_t i = 0; i < sim->count; i++)
		sim->nodes[i].group = 0;
}
