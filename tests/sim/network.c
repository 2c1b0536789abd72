// SPDX-License-Identifier: BSD-2-Clause
/* Datagrams: lost, late, twice, changed, recorded; and whether a node took one that was not
 * genuine. */
#include "tests/sim/internal.h"

#include <stdlib.h>
#include <string.h>
bool sim_reaches(const struct sim *sim, uint32_t from, uint32_t to)
{
	return sim->nodes[from].group == sim->nodes[to].group && !sim->cut[from * sim->count + to];
}

struct sim_letter *sim_new_letter(uint32_t from, uint32_t to, const uint8_t *bytes, size_t length)
{
	struct sim_letter *letter = malloc(sizeof(*letter) + length);

	if (!letter)
		abort();
	*letter = (struct sim_letter){ .from = from, .to = to, .genuine = true, .length = length };
	if (length)
		memcpy(letter->bytes, bytes, length);
	return letter;
}

static hf_time line_delay(struct sim_node *node, size_t length)
{
	struct sim *sim = node->sim;

	if (!sim->network.bandwidth)
		return 0;
	if (node->line_free < sim->now)
		node->line_free = sim->now;
	/* A queue of 50 ms, as switches have. */
	if (node->line_free - sim->now > HF_MS(50))
		return -1;
	node->line_free += (hf_time)(length + 28) * 1000000 / (hf_time)sim->network.bandwidth;
	return node->line_free - sim->now;
}

/* What the attacker has recorded comes again, to whom it was sent or to another. */
static void attack(struct sim *sim, const struct sim_letter *seen)
{
	uint32_t slot = hf_random_below(&sim->random, 256);
	struct sim_letter *again;

	free(sim->recorded[slot]);
	sim->recorded[slot] = sim_new_letter(seen->from, seen->to, seen->bytes, seen->length);
	again = sim->recorded[hf_random_below(&sim->random, 256)];
	if (!again)
		return;
	again = sim_new_letter(again->from, again->to, again->bytes, again->length);
	again->genuine = false;
	if (sim_chance(sim) < 0.3)
		again->to = hf_random_below(&sim->random, sim->count);
	sim->replays_sent++;
	sim_push(sim, sim->now + sim_between(sim, HF_MS(200), HF_SECONDS(20)), SIM_LETTER,
		 again->to, again);
}

/* After the first copy, so that it is known which is which. */
static void repeat(struct sim *sim, const struct sim_letter *letter, hf_time queued)
{
	struct sim_letter *twin =
		sim_new_letter(letter->from, letter->to, letter->bytes, letter->length);

	twin->genuine = false;
	sim_push(sim, sim->now + queued + sim->network.delay_most + sim_travel(sim), SIM_LETTER,
		 twin->to, twin);
}

void sim_send(void *context, const struct hf_endpoint *to, const uint8_t *bytes, size_t length)
{
	struct sim_node *node = context;
	struct sim *sim = node->sim;
	uint32_t target = sim_node_at(sim, to);
	hf_time queued = line_delay(node, length);
	struct sim_letter *letter;

	node->bytes_sent += length + 28;
	node->datagrams_sent++;
	if (length > SIM_DATAGRAM)
		sim_break(sim, "%s sent %zu bytes", node->name, length);
	if (target == sim->count || queued < 0 || !sim_reaches(sim, node->index, target) ||
	    sim_chance(sim) < sim->network.loss)
		return;
	letter = sim_new_letter(node->index, target, bytes, length);
	/* One that is changed has no good copy: that one would be taken, and rightly. */
	if (sim_chance(sim) < sim->network.corrupt) {
		letter->bytes[hf_random_below(&sim->random, length)] ^=
			1 << hf_random_below(&sim->random, 8);
		letter->genuine = false;
	} else if (sim_chance(sim) < sim->network.duplicates) {
		repeat(sim, letter, queued);
	} else if (sim_chance(sim) < sim->network.replay) {
		attack(sim, letter);
	}
	sim_push(sim, sim->now + queued + sim_travel(sim), SIM_LETTER, target, letter);
}

static uint64_t drops(const struct hf_sync *sync)
{
	const struct hf_sync_counters *c = hf_sync_counters(sync);

	return c->drop_malformed + c->drop_cluster + c->drop_key + c->drop_forged +
	       c->drop_replayed + c->drop_unknown_boot + c->drop_undecodable + c->drop_limited;
}

/* What no copy, forgery or recording may change. */
static uint64_t state_of(const struct hf_sync *sync)
{
	return hf_sync_members(sync)->digest ^ hf_mix(hf_sync_record_count(sync)) ^
	       hf_mix(hf_sync_owners(sync)->view) ^
	       hf_mix(hf_sync_counters(sync)->records_received << 1 ^
		      hf_sync_counters(sync)->lookups_answered);
}

/* A datagram whose first copy was dropped, because its sender was not known yet, may be taken when
 * it comes again: once. By sender, its life and counter. */
static uint64_t *untaken(struct sim *sim, const struct sim_letter *letter)
{
	uint64_t word[3], key;

	memcpy(word, letter->bytes + 4, sizeof(word));
	key = hf_mix(word[0] ^ hf_mix(word[1] ^ hf_mix(word[2] ^ letter->to)));
	sim->untaken_key = key ? key : 1;
	return &sim->untaken[key % SIM_UNTAKEN];
}

static void note_untaken(struct sim *sim, const struct sim_letter *letter)
{
	uint64_t *slot = untaken(sim, letter);

	*slot = sim->untaken_key;
}

static bool was_untaken(struct sim *sim, const struct sim_letter *letter)
{
	uint64_t *slot = untaken(sim, letter);
	bool was = *slot == sim->untaken_key;

	*slot = was ? 0 : *slot;
	return was;
}

void sim_deliver(struct sim_node *node, struct sim_letter *letter)
{
	struct sim *sim = node->sim;
	uint64_t dropped = drops(node->sync), state = state_of(node->sync);

	hf_sync_receive(node->sync, &sim->nodes[letter->from].endpoint, letter->bytes,
			letter->length, sim_local(node, sim->now));
	if (letter->genuine && drops(node->sync) != dropped)
		note_untaken(sim, letter);
	if (!letter->genuine && drops(node->sync) == dropped && state_of(node->sync) != state &&
	    !was_untaken(sim, letter)) {
		sim->accepted_wrongly++;
		sim_break(sim, "%s took what was no genuine datagram of n%u, %s, %zu bytes",
			  node->name, letter->from, letter->bytes[0] & 0x10 ? "open" : "sealed",
			  letter->length);
	}
	free(letter);
	sim_stepped(node);
}

void sim_on_letter(struct sim *sim, struct sim_letter *letter)
{
	struct sim_node *node = &sim->nodes[letter->to];

	if (node->condition == SIM_PAUSED) {
		*node->waiting_end = letter;
		node->waiting_end = &letter->next;
		letter->next = NULL;
	} else if (node->condition == SIM_UP) {
		sim_deliver(node, letter);
	} else {
		free(letter);
	}
}
