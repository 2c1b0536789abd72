// SPDX-License-Identifier: BSD-2-Clause
#include "tests/sim/internal.h"

#include <stdlib.h>
#include <string.h>
hf_time sim_local(const struct sim_node *node, hf_time when)
{
	return node->clock_offset + (hf_time)(when * node->clock_rate);
}

static hf_time to_global(const struct sim_node *node, hf_time local)
{
	return local == HF_NEVER ? HF_NEVER
				 : (hf_time)((local - node->clock_offset) / node->clock_rate) + 1;
}

void sim_schedule(struct sim_node *node)
{
	struct sim *sim = node->sim;
	hf_time at = to_global(node, hf_sync_deadline(node->sync));

	if (at < sim->now)
		at = sim->now;
	if (at == HF_NEVER || at >= node->scheduled)
		return;
	node->scheduled = at;
	sim_push(sim, at, SIM_TIMER, node->index, NULL);
}

hf_time sim_travel(struct sim *sim)
{
	return sim_between(sim, sim->network.delay_least, sim->network.delay_most);
}

uint32_t sim_node_at(const struct sim *sim, const struct hf_endpoint *endpoint)
{
	uint32_t index = ((const uint8_t *)endpoint->address.word)[2] << 8 |
			 ((const uint8_t *)endpoint->address.word)[3];

	return endpoint->address.family == 4 && index < sim->count ? index : sim->count;
}

static void take_event(void *context, const struct hf_event *event)
{
	struct sim_node *node = context;
	const char *who = event->member ? event->member->facts.name : node->name;

	switch (event->kind) {
	case HF_EVENT_MEMBER:
		sim_note(node->sim, "%s: %s %s -> %s%s%s", node->name, who,
			 hf_member_state_name(event->before),
			 hf_member_state_name(event->member->state), event->why ? ": " : "",
			 event->why ? event->why : "");
		break;
	case HF_EVENT_READINESS:
		sim_note(node->sim, "%s: %s", node->name,
			 hf_readiness_name(hf_sync_readiness(node->sync)));
		break;
	case HF_EVENT_VIEW:
		sim_note(node->sim, "%s: epoch %u, %u owners", node->name,
			 hf_sync_epoch(node->sync), hf_sync_owners(node->sync)->count);
		break;
	case HF_EVENT_SETTLED:
		sim_note(node->sim, "%s: handed over%s%s", node->name, event->why ? ", " : "",
			 event->why ? event->why : "");
		break;
	default:
		sim_note(node->sim, "%s: event %d about %s %s", node->name, event->kind, who,
			 event->why ? event->why : "");
	}
	if (node->sim->on_event)
		node->sim->on_event(node, event);
}

static void take_told(void *context, uint32_t ticket, const struct hf_record *records,
		      uint32_t count, bool all)
{
	struct sim_node *node = context;

	(void)all;

	if (node->sim->on_told)
		node->sim->on_told(node, ticket, records, count);
}

static void take_notice(void *context, const struct hf_notice *notice)
{
	struct sim_node *node = context;

	if (node->sim->on_notice)
		node->sim->on_notice(node, notice);
}

static void take_owners(void *context)
{
	((struct sim_node *)context)->owners_changed = true;
}

/* Exports may not be made from within: they are when the node's step is over. */
static void take_again(void *context, const struct hf_shard_set *shards)
{
	struct sim_node *node = context;

	for (uint32_t i = 0; i < HF_SHARDS / 64; i++)
		node->again.word[i] |= shards->word[i];
	node->any_again = true;
}

const struct hf_sync_output sim_output = {
	.datagram = sim_send,
	.event = take_event,
	.told = take_told,
	.notice = take_notice,
	.owners = take_owners,
	.export_again = take_again,
	.fetch = sim_fetch,
};

/* After each step of a node. */
void sim_stepped(struct sim_node *node)
{
	while (node->any_again && node->condition == SIM_UP) {
		struct hf_shard_set shards = node->again;

		memset(&node->again, 0, sizeof(node->again));
		node->any_again = false;
		sim_export(node->sim, node->index, &shards);
	}
	sim_check_node(node);
	sim_schedule(node);
}

static void on_timer(struct sim *sim, struct sim_node *node)
{
	if (node->condition != SIM_UP || node->scheduled > sim->now)
		return;
	node->scheduled = HF_NEVER;
	if (sim_local(node, sim->now) >= hf_sync_deadline(node->sync)) {
		hf_sync_turn(node->sync, sim_local(node, sim->now));
		sim_stepped(node);
	} else {
		sim_schedule(node);
	}
}

static void step(struct sim *sim)
{
	struct sim_event event = sim_pop(sim);

	sim->now = event.at;
	switch (event.kind) {
	case SIM_TIMER:
		on_timer(sim, &sim->nodes[event.node]);
		return;
	case SIM_LETTER:
		sim_on_letter(sim, event.letter);
		return;
	case SIM_REQUEST:
		sim_on_chunk(sim, event.letter, !event.letter->snapshot);
		return;
	case SIM_CHUNK:
		sim_on_part(sim, event.letter, false);
		return;
	case SIM_STREAM_END:
		sim_on_part(sim, event.letter, true);
		return;
	}
}

void sim_run(struct sim *sim, hf_time until)
{
	while (!sim->broken[0] && sim->event_count && sim->events[0].at <= until)
		step(sim);
	if (!sim->broken[0])
		sim->now = until;
}

bool sim_wait(struct sim *sim, hf_time most, bool (*condition)(struct sim *sim, void *context),
	      void *context)
{
	hf_time until = sim->now + most;

	while (!condition(sim, context)) {
		if (sim->now >= until || sim->broken[0])
			return false;
		sim_run(sim, sim->now + HF_MS(1));
	}
	return true;
}

struct sim *sim_new(uint64_t seed, uint32_t nodes)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		abort();
	sim->seed = seed;
	sim->count = nodes;
	sim->nodes = calloc(nodes, sizeof(*sim->nodes));
	sim->cut = calloc((size_t)nodes * nodes, sizeof(*sim->cut));
	sim->network = (struct sim_network){ .delay_least = 100, .delay_most = 500 };
	hf_random_seed(&sim->random, seed);
	for (uint32_t i = 0; i < nodes; i++) {
		struct sim_node *n = &sim->nodes[i];

		n->sim = sim;
		n->index = i;
		n->scheduled = HF_NEVER;
		n->waiting_end = &n->waiting;
		snprintf(n->name, sizeof(n->name), "n%u", i);
		n->endpoint.address.family = 4;
		n->endpoint.port = SIM_PORT;
		memcpy(n->endpoint.address.word,
		       ((uint8_t[]){ 198, 18, (uint8_t)(i >> 8), (uint8_t)i }), 4);
		n->clock_offset = sim_between(sim, 0, HF_SECONDS(86400));
		n->clock_rate = 1 + (sim_chance(sim) - 0.5) * 100e-6;
		n->wall_error = (int32_t)sim_between(sim, -600, 600);
	}
	return sim;
}

void sim_delete(struct sim *sim)
{
	for (size_t i = 0; i < sim->event_count; i++) {
		struct sim_letter *letter = sim->events[i].letter;

		if (letter && letter->snapshot)
			free(letter->snapshot);
		free(letter);
	}
	for (uint32_t i = 0; i < sim->count; i++)
		if (sim->nodes[i].sync)
			sim_stop(&sim->nodes[i]);
	for (uint32_t i = 0; i < 256; i++)
		free(sim->recorded[i]);
	free(sim->events);
	free(sim->nodes);
	free(sim->cut);
	free(sim->flows);
	free(sim);
}
