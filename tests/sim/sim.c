// SPDX-License-Identifier: BSD-2-Clause
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define PORT	     7000
#define DATAGRAM     1400
#define STREAM_BREAK HF_SECONDS(1) /* until TCP gives up in here */
#define STREAM_RATE  200	   /* bytes a microsecond at most: 1.6 Gbit/s */

enum event_kind { TIMER, LETTER, REQUEST, CHUNK, STREAM_END };

/* A datagram on its way, or part of a stream. */
struct sim_letter {
	struct sim_letter *next;
	uint32_t from, to;
	uint32_t life, served_life; /* of a stream's two ends when it was opened */
	uint32_t stream;
	bool genuine;		      /* the first copy of what a node sent, unchanged */
	struct hf_snapshot *snapshot; /* of a stream: whose next chunk this asks for */
	size_t length;
	uint8_t bytes[];
};

struct sim_event {
	hf_time at;
	uint64_t sequence;
	enum event_kind kind;
	uint32_t node;
	struct sim_letter *letter;
};

static bool comes_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at < b->at || (a->at == b->at && a->sequence < b->sequence);
}

static void push_event(struct sim *sim, hf_time at, enum event_kind kind, uint32_t node,
		       struct sim_letter *letter)
{
	size_t i = sim->event_count++;

	if (i == sim->event_room) {
		sim->event_room = sim->event_room ? 2 * sim->event_room : 1024;
		sim->events = realloc(sim->events, sim->event_room * sizeof(*sim->events));
		if (!sim->events)
			abort();
	}
	sim->events[i] = (struct sim_event){ at, sim->event_sequence++, kind, node, letter };
	while (i && comes_before(&sim->events[i], &sim->events[(i - 1) / 2])) {
		struct sim_event parent = sim->events[(i - 1) / 2];

		sim->events[(i - 1) / 2] = sim->events[i];
		sim->events[i] = parent;
		i = (i - 1) / 2;
	}
}

static struct sim_event pop_event(struct sim *sim)
{
	struct sim_event first = sim->events[0], last = sim->events[--sim->event_count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < sim->event_count) {
		if (child + 1 < sim->event_count &&
		    comes_before(&sim->events[child + 1], &sim->events[child]))
			child++;
		if (!comes_before(&sim->events[child], &last))
			break;
		sim->events[i] = sim->events[child];
		i = child;
	}
	sim->events[i] = last;
	return first;
}

double sim_chance(struct sim *sim)
{
	return (hf_random_next(&sim->random) >> 11) / (double)(1ULL << 53);
}

hf_time sim_between(struct sim *sim, hf_time least, hf_time most)
{
	return least + (hf_time)(sim_chance(sim) * (most - least));
}

void sim_note(struct sim *sim, const char *format, ...)
{
	va_list arguments;

	if (!sim->trace)
		return;
	fprintf(sim->trace, "%10.6f ", sim->now / 1e6);
	va_start(arguments, format);
	vfprintf(sim->trace, format, arguments);
	va_end(arguments);
	fputc('\n', sim->trace);
}

void sim_break(struct sim *sim, const char *format, ...)
{
	va_list arguments;

	if (sim->broken[0])
		return;
	va_start(arguments, format);
	vsnprintf(sim->broken, sizeof(sim->broken), format, arguments);
	va_end(arguments);
	sim_note(sim, "BROKEN: %s", sim->broken);
}

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
	push_event(sim, at, TIMER, node->index, NULL);
}

bool sim_reaches(const struct sim *sim, uint32_t from, uint32_t to)
{
	return sim->nodes[from].group == sim->nodes[to].group && !sim->cut[from * sim->count + to];
}

static struct sim_letter *new_letter(uint32_t from, uint32_t to, const uint8_t *bytes,
				     size_t length)
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

static hf_time travel(struct sim *sim)
{
	return sim_between(sim, sim->network.delay_least, sim->network.delay_most);
}

/* What the attacker has recorded comes again, to whom it was sent or to another. */
static void attack(struct sim *sim, const struct sim_letter *seen)
{
	uint32_t slot = hf_random_below(&sim->random, 256);
	struct sim_letter *again;

	free(sim->recorded[slot]);
	sim->recorded[slot] = new_letter(seen->from, seen->to, seen->bytes, seen->length);
	again = sim->recorded[hf_random_below(&sim->random, 256)];
	if (!again)
		return;
	again = new_letter(again->from, again->to, again->bytes, again->length);
	again->genuine = false;
	if (sim_chance(sim) < 0.3)
		again->to = hf_random_below(&sim->random, sim->count);
	sim->replays_sent++;
	push_event(sim, sim->now + sim_between(sim, HF_MS(200), HF_SECONDS(20)), LETTER, again->to,
		   again);
}

/* After the first copy, so that it is known which is which. */
static void repeat(struct sim *sim, const struct sim_letter *letter, hf_time queued)
{
	struct sim_letter *twin =
		new_letter(letter->from, letter->to, letter->bytes, letter->length);

	twin->genuine = false;
	push_event(sim, sim->now + queued + sim->network.delay_most + travel(sim), LETTER, twin->to,
		   twin);
}

static uint32_t node_at(const struct sim *sim, const struct hf_endpoint *endpoint)
{
	uint32_t index = ((const uint8_t *)endpoint->address.word)[2] << 8 |
			 ((const uint8_t *)endpoint->address.word)[3];

	return endpoint->address.family == 4 && index < sim->count ? index : sim->count;
}

static void send_letter(void *context, const struct hf_endpoint *to, const uint8_t *bytes,
			size_t length)
{
	struct sim_node *node = context;
	struct sim *sim = node->sim;
	uint32_t target = node_at(sim, to);
	hf_time queued = line_delay(node, length);
	struct sim_letter *letter;

	node->bytes_sent += length + 28;
	node->datagrams_sent++;
	if (length > DATAGRAM)
		sim_break(sim, "%s sent %zu bytes", node->name, length);
	if (target == sim->count || queued < 0 || !sim_reaches(sim, node->index, target) ||
	    sim_chance(sim) < sim->network.loss)
		return;
	letter = new_letter(node->index, target, bytes, length);
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
	push_event(sim, sim->now + queued + travel(sim), LETTER, target, letter);
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
		      uint32_t count)
{
	struct sim_node *node = context;

	if (node->sim->on_told)
		node->sim->on_told(node, ticket, records, count);
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

static void take_fetch(void *context, const struct hf_endpoint *from, const uint8_t *request,
		       size_t length)
{
	struct sim_node *node = context;
	struct sim_letter *letter =
		new_letter(node->index, node_at(node->sim, from), request, length);

	letter->stream = ++node->stream;
	letter->life = node->life;
	push_event(node->sim, node->sim->now + 3 * travel(node->sim), REQUEST, letter->to, letter);
}

static const struct hf_sync_output output = {
	.datagram = send_letter,
	.event = take_event,
	.told = take_told,
	.owners = take_owners,
	.export_again = take_again,
	.fetch = take_fetch,
};

/* After each step of a node. */
static void stepped(struct sim_node *node)
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

static void deliver(struct sim_node *node, struct sim_letter *letter)
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
	stepped(node);
}

static void on_letter(struct sim *sim, struct sim_letter *letter)
{
	struct sim_node *node = &sim->nodes[letter->to];

	if (node->condition == SIM_PAUSED) {
		*node->waiting_end = letter;
		node->waiting_end = &letter->next;
		letter->next = NULL;
	} else if (node->condition == SIM_UP) {
		deliver(node, letter);
	} else {
		free(letter);
	}
}

static void end_stream(struct sim *sim, struct sim_letter *letter)
{
	hf_snapshot_delete(letter->snapshot);
	letter->snapshot = NULL;
	letter->length = 0;
	push_event(sim, sim->now + STREAM_BREAK, STREAM_END, letter->from, letter);
}

/* The member's side: the request has come, or the line is free for the next chunk. */
static void on_chunk(struct sim *sim, struct sim_letter *letter, bool first)
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
		push_event(sim, sim->now + travel(sim), STREAM_END, letter->from, letter);
		return;
	}
	if (node->condition == SIM_PAUSED || !sim_reaches(sim, letter->to, letter->from) ||
	    !sim_reaches(sim, letter->from, letter->to)) {
		end_stream(sim, letter);
		return;
	}
	if (first) {
		letter->served_life = node->life;
		letter->snapshot = hf_snapshot_new(node->sync, letter->bytes + 2,
						   hf_snapshot_request_length(letter->bytes),
						   sim_local(node, sim->now));
	}
	length = letter->snapshot ? hf_snapshot_next(letter->snapshot, bytes) : 0;
	if (!length) {
		end_stream(sim, letter);
		return;
	}
	part = new_letter(letter->to, letter->from, bytes, length);
	part->stream = letter->stream;
	part->life = letter->life;
	took = length / STREAM_RATE + 1;
	push_event(sim, sim->now + sim->network.delay_most + took, CHUNK, part->to, part);
	push_event(sim, sim->now + took, REQUEST, letter->to, letter);
}

/* The joiner's side. */
static void on_part(struct sim *sim, struct sim_letter *part, bool ended)
{
	struct sim_node *node = &sim->nodes[ended ? part->from : part->to];

	if (node->condition == SIM_UP && node->life == part->life && node->stream == part->stream) {
		hf_sync_fetched(node->sync, ended ? NULL : part->bytes, part->length,
				sim_local(node, sim->now));
		stepped(node);
	}
	free(part);
}

static void on_timer(struct sim *sim, struct sim_node *node)
{
	if (node->condition != SIM_UP || node->scheduled > sim->now)
		return;
	node->scheduled = HF_NEVER;
	if (sim_local(node, sim->now) >= hf_sync_deadline(node->sync)) {
		hf_sync_turn(node->sync, sim_local(node, sim->now));
		stepped(node);
	} else {
		sim_schedule(node);
	}
}

static void step(struct sim *sim)
{
	struct sim_event event = pop_event(sim);

	sim->now = event.at;
	switch (event.kind) {
	case TIMER:
		on_timer(sim, &sim->nodes[event.node]);
		return;
	case LETTER:
		on_letter(sim, event.letter);
		return;
	case REQUEST:
		on_chunk(sim, event.letter, !event.letter->snapshot);
		return;
	case CHUNK:
		on_part(sim, event.letter, false);
		return;
	case STREAM_END:
		on_part(sim, event.letter, true);
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
		n->endpoint.port = PORT;
		memcpy(n->endpoint.address.word,
		       ((uint8_t[]){ 198, 18, (uint8_t)(i >> 8), (uint8_t)i }), 4);
		n->clock_offset = sim_between(sim, 0, HF_SECONDS(86400));
		n->clock_rate = 1 + (sim_chance(sim) - 0.5) * 100e-6;
		n->wall_error = (int32_t)sim_between(sim, -600, 600);
	}
	return sim;
}

static void stop(struct sim_node *node)
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
			stop(&sim->nodes[i]);
	for (uint32_t i = 0; i < 256; i++)
		free(sim->recorded[i]);
	free(sim->events);
	free(sim->nodes);
	free(sim->cut);
	free(sim->flows);
	free(sim);
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
		.datagram = DATAGRAM,
		.records = 4000000,
		.stamp = 1000000 + sim->now / (HF_SECONDS(1) / HF_STAMPS_SECOND) + node->wall_error,
		.join_timeout = HF_SECONDS(5),
		.snapshot_timeout = HF_SECONDS(30),
	};

	if (node->condition != SIM_OFF)
		return;
	fill_keys(sim, &keys, false);
	node->sync = hf_sync_new(&settings, &keys, &output, node, sim_local(node, sim->now));
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
	stop(node);
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
		stepped(node);
	}
	for (uint32_t i = 0; letter; letter = next, i++) {
		next = letter->next;
		if (i < 2000) /* a socket's buffer is finite */
			deliver(node, letter);
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
