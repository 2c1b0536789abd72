// SPDX-License-Identifier: BSD-2-Clause
/* Snapshots' streams: in order and whole, until they break. */
#include "tests/sim/internal.h"

#include <stdlib.h>
#define STREAM_BREAK HF_SECONDS(1) /* until TCP gives up in here */
#define STREAM_RATE  200	   /* bytes a microsecond at most: 1.6 Gbit/s */

void sim_fetch(void *context, const struct hf_endpoint *from, const uint8_t *request, size_t length)
{
	struct sim_node *node = context;
	struct sim_letter *letter =
		sim_new_letter(node->index, sim_node_at(node->sim, from), request, length);

	letter->stream = ++node->stream;
	letter->life = node->life;
	sim_push(node->sim, node->sim->now + 3 * sim_travel(node->sim), SIM_REQUEST, letter->to,
		 letter);
}

static void end_stream(struct sim *sim, struct sim_letter *letter)
{
	hf_snapshot_delete(letter->snapshot);
	letter->snapshot = NULL;
	letter->length = 0;
	sim_push(sim, sim->now + STREAM_BREAK, SIM_STREAM_END, letter->from, letter);
}

static struct hf_snapshot *open_snapshot(const struct sim_node *node,
					 const struct sim_letter *letter)
{
	struct hf_request request;

	return hf_request_open(node->sync, letter->bytes + 2, hf_request_length(letter->bytes),
			       sim_local(node, node->sim->now), &request)
		       ? hf_snapshot_new(node->sync, &request)
		       : NULL;
}

/* The member's side: the request has come, or the line is free for the next chunk. */
void sim_on_chunk(struct sim *sim, struct sim_letter *letter, bool first)
{
	struct sim_node *node = &sim->nodes[letter->to];
	uint8_t bytes[HF_SNAPSHOT_CHUNK];
	struct sim_letter *part;
	size_t length;
	hf_time took;

	if (letter->to >= sim->count || node->condition == SIM_OFF ||
	    (!first && node->life != letter->served_life)) {
		free(letter->snapshot); /* its node is gone */
		letter->snapshot = NULL;
		letter->length = 0;
		sim_push(sim, sim->now + sim_travel(sim), SIM_STREAM_END, letter->from, letter);
		return;
	}
	if (node->condition == SIM_PAUSED || !sim_reaches(sim, letter->to, letter->from) ||
	    !sim_reaches(sim, letter->from, letter->to)) {
		end_stream(sim, letter);
		return;
	}
	if (first) {
		letter->served_life = node->life;
		letter->snapshot = open_snapshot(node, letter);
	}
	length = letter->snapshot ? hf_snapshot_next(letter->snapshot, bytes) : 0;
	if (!length) {
		end_stream(sim, letter);
		return;
	}
	part = sim_new_letter(letter->to, letter->from, bytes, length);
	part->stream = letter->stream;
	part->life = letter->life;
	took = length / STREAM_RATE + 1;
	sim_push(sim, sim->now + sim->network.delay_most + took, SIM_CHUNK, part->to, part);
	sim_push(sim, sim->now + took, SIM_REQUEST, letter->to, letter);
}

/* The joiner's side. */
void sim_on_part(struct sim *sim, struct sim_letter *part, bool ended)
{
	struct sim_node *node = &sim->nodes[ended ? part->from : part->to];

	if (node->condition == SIM_UP && node->life == part->life && node->stream == part->stream) {
		hf_sync_fetched(node->sync, ended ? NULL : part->bytes, part->length,
				sim_local(node, sim->now));
		sim_stepped(node);
	}
	free(part);
}
