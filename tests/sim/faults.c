// SPDX-License-Identifier: BSD-2-Clause
/* What goes wrong: by chance, or by a schedule. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define CHAOS	       HF_SECONDS(20)
#define CALM	       HF_SECONDS(20)
#define LOOK	       HF_MS(200)
#define FLOWS_A_SECOND 20
#define POSTS_AFTER    HF_SECONDS(3)

static const struct sim_network quiet = { .delay_least = 100, .delay_most = 500 };

static uint32_t pick(struct sim *sim)
{
	return hf_random_below(&sim->random, sim->count);
}

static uint32_t up_count(const struct sim *sim)
{
	uint32_t up = 0;

	for (uint32_t i = 0; i < sim->count; i++)
		up += sim->nodes[i].condition == SIM_UP;
	return up;
}

static void partition(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->count; i++)
		sim->nodes[i].group = hf_random_below(&sim->random, 2);
	sim_note(sim, "partition");
}

static void worsen(struct sim *sim)
{
	struct sim_network *n = &sim->network;

	switch (hf_random_below(&sim->random, 5)) {
	case 0:
		n->loss = 0.3 * sim_chance(sim);
		break;
	case 1:
		n->duplicates = 0.3 * sim_chance(sim);
		break;
	case 2:
		n->corrupt = 0.1 * sim_chance(sim);
		break;
	case 3:
		n->delay_most = sim_between(sim, HF_MS(1), HF_MS(30));
		break;
	default:
		n->bandwidth = 100000 + hf_random_below(&sim->random, 1000000);
	}
	sim_note(sim, "network: loss %.2f duplicates %.2f corrupt %.2f delay %ld us bandwidth %lu",
		 n->loss, n->duplicates, n->corrupt, (long)n->delay_most,
		 (unsigned long)n->bandwidth);
}

static void one_fault(struct sim *sim)
{
	uint32_t node = pick(sim);

	switch (hf_random_below(&sim->random, 10)) {
	case 0:
	case 1:
		if (up_count(sim) > 1)
			sim_crash(sim, node, sim_chance(sim) < 0.5);
		return;
	case 2:
		if (up_count(sim) > 1)
			sim_pause(sim, node);
		return;
	case 3:
		partition(sim);
		return;
	case 4:
		sim_cut(sim, node, pick(sim), true);
		return;
	case 5:
		sim_heal(sim);
		return;
	case 6:
		if (up_count(sim) > 1)
			sim_leave(sim, node);
		return;
	case 7:
		sim_resume(sim, node);
		sim_start(sim, node);
		sim_export(sim, node, NULL);
		return;
	default:
		worsen(sim);
	}
}

static void start_all(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->count; i++) {
		struct sim_node *n = &sim->nodes[i];

		sim_resume(sim, i);
		if (n->condition == SIM_UP && hf_sync_readiness(n->sync) >= HF_LEAVING)
			sim_crash(sim, i, false);
		if (n->condition != SIM_OFF)
			continue;
		sim_start(sim, i);
		/* What its data plane has outlived it. */
		sim_export(sim, i, NULL);
		sim_schedule(n);
	}
}

static void live_flows(struct sim *sim)
{
	for (int i = 0; i < FLOWS_A_SECOND / 5; i++) {
		uint32_t node = pick(sim);

		if (sim->nodes[node].condition == SIM_UP)
			sim_add_flows(sim, node, 1,
				      sim_between(sim, HF_SECONDS(10), HF_SECONDS(300)));
	}
	if (sim->flow_count && sim_chance(sim) < 0.1)
		sim_move_flow(sim, hf_random_below(&sim->random, sim->flow_count), pick(sim));
	/* Not when all should agree again: what has just been posted is on its way. */
	if ((sim->disturbed == HF_NEVER || sim->now - sim->disturbed < POSTS_AFTER) &&
	    sim_chance(sim) < 0.3)
		sim_post(sim, pick(sim));
	sim_refresh(sim);
}

/* Runs with flows coming and going, and looks at the invariants. */
static void live(struct sim *sim, hf_time until)
{
	while (sim->now < until && !sim->broken[0]) {
		sim_run(sim, sim->now + LOOK < until ? sim->now + LOOK : until);
		if (sim->broken[0])
			return;
		live_flows(sim);
		sim_check_all(sim);
	}
}

void sim_random_faults(struct sim *sim, hf_time until)
{
	start_all(sim);
	sim->disturbed = sim->now;
	live(sim, sim->now + CALM);
	while (sim->now < until && !sim->broken[0]) {
		hf_time end = sim->now + CHAOS;

		sim->disturbed = HF_NEVER;
		sim->network.replay = 0.01;
		while (sim->now < end && !sim->broken[0]) {
			one_fault(sim);
			live(sim, sim->now + sim_between(sim, HF_MS(10), HF_SECONDS(4)));
		}
		sim->network = quiet;
		sim->network.replay = 0.01;
		sim->network.loss = 0.05 * (hf_random_below(&sim->random, 2));
		sim_heal(sim);
		start_all(sim);
		sim->disturbed = sim->now;
		sim_note(sim, "calm, loss %.2f", sim->network.loss);
		live(sim, sim->now + CALM);
	}
}

/* Schedules. */

struct line {
	double at;
	char verb[16];
	char words[200];
};

static bool node_of(struct sim *sim, const char *text, uint32_t *node)
{
	char *end;

	*node = strtoul(text, &end, 10);
	return end != text && *node < sim->count;
}

/* "1,2,5-7" */
static bool each_node(struct sim *sim, char *list, void (*verb)(struct sim *sim, uint32_t node))
{
	for (char *save = NULL, *part = strtok_r(list, ", ", &save); part;
	     part = strtok_r(NULL, ", ", &save)) {
		char *dash = strchr(part, '-');
		uint32_t from, to;

		if (!node_of(sim, part, &from) || !node_of(sim, dash ? dash + 1 : part, &to))
			return false;
		for (uint32_t i = from; i <= to; i++)
			verb(sim, i);
	}
	return true;
}

static void crash(struct sim *sim, uint32_t node)
{
	sim_crash(sim, node, false);
}

static void crash_machine(struct sim *sim, uint32_t node)
{
	sim_crash(sim, node, true);
}

static void start(struct sim *sim, uint32_t node)
{
	sim_start(sim, node);
	sim_export(sim, node, NULL);
	sim_schedule(&sim->nodes[node]);
}

static void isolate(struct sim *sim, uint32_t node)
{
	sim->nodes[node].group = 1;
}

static bool set_network(struct sim *sim, const char *verb, const char *words)
{
	struct sim_network *n = &sim->network;
	double value = strtod(words, NULL);
	double least, most;

	if (strcmp(verb, "loss") == 0)
		n->loss = value;
	else if (strcmp(verb, "duplicate") == 0)
		n->duplicates = value;
	else if (strcmp(verb, "corrupt") == 0)
		n->corrupt = value;
	else if (strcmp(verb, "replay") == 0)
		n->replay = value;
	else if (strcmp(verb, "bandwidth") == 0)
		n->bandwidth = (uint64_t)value;
	else if (strcmp(verb, "delay") == 0 && sscanf(words, "%lf %lf", &least, &most) == 2) {
		n->delay_least = (hf_time)(least * 1000);
		n->delay_most = (hf_time)(most * 1000);
	} else
		return false;
	return true;
}

static bool set_cut(struct sim *sim, const char *words, bool cut)
{
	uint32_t from, to;

	if (sscanf(words, "%u %u", &from, &to) != 2 || from >= sim->count || to >= sim->count)
		return false;
	sim_cut(sim, from, to, cut);
	return true;
}

static bool obey(struct sim *sim, struct line *line)
{
	static const struct {
		const char *name;
		void (*verb)(struct sim *sim, uint32_t node);
	} verbs[] = {
		{ "crash", crash },	{ "crash-machine", crash_machine }, { "start", start },
		{ "pause", sim_pause }, { "resume", sim_resume },	    { "leave", sim_leave },
		{ "isolate", isolate }, { "load-keys", sim_load_keys },
	};

	sim_note(sim, "schedule: %s %s", line->verb, line->words);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(line->verb, verbs[i].name) == 0)
			return each_node(sim, line->words, verbs[i].verb);
	if (strcmp(line->verb, "cut") == 0 || strcmp(line->verb, "mend") == 0)
		return set_cut(sim, line->words, line->verb[0] == 'c');
	if (strcmp(line->verb, "heal") == 0)
		sim_heal(sim);
	else if (strcmp(line->verb, "new-key") == 0)
		sim->key_newest++;
	else if (strcmp(line->verb, "drop-key") == 0)
		sim->key_oldest = sim->key_newest;
	else if (strcmp(line->verb, "calm") == 0)
		sim->disturbed = sim->now;
	else
		return set_network(sim, line->verb, line->words);
	return true;
}

int sim_scheduled_faults(struct sim *sim, const char *path, hf_time until)
{
	FILE *file = fopen(path, "re");
	char text[256];
	int number = 0, err = 0;

	if (!file) {
		fprintf(stderr, "soak: can't read the schedule %s: %s\n", path, strerror(errno));
		return -EINVAL;
	}
	start_all(sim);
	sim->disturbed = sim->now;
	while (!err && !sim->broken[0] && fgets(text, sizeof(text), file)) {
		struct line line = { 0 };

		number++;
		if (text[strspn(text, " \t")] == '#' || text[strspn(text, " \t")] == '\n')
			continue;
		if (sscanf(text, "%lf %15s %199[^\n]", &line.at, line.verb, line.words) < 2) {
			err = -EINVAL;
			break;
		}
		live(sim, (hf_time)(line.at * 1e6));
		sim->disturbed = HF_NEVER;
		if (!sim->broken[0] && !obey(sim, &line))
			err = -EINVAL;
	}
	fclose(file);
	if (err)
		fprintf(stderr, "soak: %s:%d: not a fault: %ssoak --help lists them\n", path,
			number, text);
	else
		live(sim, until);
	return err;
}
