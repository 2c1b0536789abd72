// SPDX-License-Identifier: BSD-2-Clause
#include <argp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

struct options {
	unsigned long first, last;
	uint32_t nodes;
	double minutes;
	const char *schedule;
	const char *trace;
};

static const struct argp_option option_table[] = {
	{ "seeds", 's', "A-B", 0, "Seeds to run, one or a range (default: 1-10)", 0 },
	{ "nodes", 'n', "N", 0, "Nodes of the cluster, 1 to 1000 (default: 5)", 0 },
	{ "minutes", 'm', "VIRTUAL", 0, "Virtual minutes a seed (default: 5)", 0 },
	{ "schedule", 'f', "FILE", 0, "Faults from FILE in place of random ones", 0 },
	{ "trace", 't', "FILE", 0, "Write what happens to FILE, or - for standard output", 0 },
	{ 0 },
};

static error_t take_option(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;
	char *end;

	switch (key) {
	case 's':
		o->first = o->last = strtoul(argument, &end, 10);
		if (*end == '-')
			o->last = strtoul(end + 1, &end, 10);
		if (*end || end == argument || o->last < o->first)
			argp_error(state, "--seeds takes a number or A-B, not \"%s\"", argument);
		return 0;
	case 'n':
		o->nodes = strtoul(argument, &end, 10);
		if (*end || o->nodes < 1 || o->nodes > 1000)
			argp_error(state, "--nodes takes 1 to 1000, not \"%s\"", argument);
		return 0;
	case 'm':
		o->minutes = strtod(argument, &end);
		if (*end || o->minutes <= 0)
			argp_error(state, "--minutes takes a number, not \"%s\"", argument);
		return 0;
	case 'f':
		o->schedule = argument;
		return 0;
	case 't':
		o->trace = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* 0 good, 1 broken, 2 a wrong schedule. */
static int run(const struct options *o, unsigned long seed, FILE *trace)
{
	struct sim *sim = sim_new(seed, o->nodes);
	hf_time until = (hf_time)(o->minutes * 60e6);
	int result = 0;

	sim->trace = trace;
	if (!o->schedule)
		sim_random_faults(sim, until);
	else if (sim_scheduled_faults(sim, o->schedule, until) < 0)
		result = 2;
	if (sim->broken[0])
		result = 1;
	if (!trace)
		printf("seed %lu: %u nodes, %.0f s, %lu events, %lu forged or replayed, %lu "
		       "accepted: %s%s\n",
		       seed, o->nodes, sim->now / 1e6, (unsigned long)sim->event_sequence,
		       (unsigned long)sim->replays_sent, (unsigned long)sim->accepted_wrongly,
		       result == 1 ? "BROKEN: " : "good", sim->broken);
	fflush(stdout);
	sim_delete(sim);
	return result;
}

/* A failing seed again, with all that led there: the last 60 lines, or all in --trace's file. */
static void replay(const struct options *o, unsigned long seed)
{
	char *text = NULL, *at;
	size_t size = 0;
	FILE *trace = open_memstream(&text, &size);
	int lines = 0;

	run(o, seed, trace);
	fclose(trace);
	for (at = text + size; at > text && lines <= 60; at--)
		lines += at[-1] == '\n';
	printf("--- the end of seed %lu's trace; the whole: --seeds %lu --nodes %u --minutes %g "
	       "--trace FILE\n%s---\n",
	       seed, seed, o->nodes, o->minutes, at);
	free(text);
}

int main(int argc, char **argv)
{
	static const struct argp parser = {
		option_table,
		take_option,
		NULL,
		"Runs syncd's core on simulated nodes with faults, and checks that its promises "
		"hold. A seed does the same each time.\v"
		"A schedule has a line a fault: seconds since the start, a verb, and what it is "
		"about; nodes are numbers from 0, as in 1,3-5.\n\n"
		"  crash NODES | crash-machine NODES (its flows, too) | start NODES\n"
		"  pause NODES | resume NODES | leave NODES\n"
		"  isolate NODES (from all others, not from each other) | heal\n"
		"  cut FROM TO | mend FROM TO (one direction)\n"
		"  loss P | duplicate P | corrupt P | replay P (0 to 1)\n"
		"  delay LEAST MOST (ms) | bandwidth BYTES-A-SECOND (0: any)\n"
		"  new-key | load-keys NODES | drop-key\n"
		"  calm (from here on all must come to agree)\n\n"
		"Exit status: 0 all held, 1 an invariant broke, 2 wrong options or schedule.",
		NULL,
		NULL,
		NULL,
	};
	struct options o = { .first = 1, .last = 10, .nodes = 5, .minutes = 5 };
	FILE *trace = NULL;
	int result = 0;

	argp_err_exit_status = 2;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	if (sodium_init() < 0)
		return 2;
	if (o.trace) {
		trace = strcmp(o.trace, "-") == 0 ? stdout : fopen(o.trace, "we");
		if (!trace) {
			perror(o.trace);
			return 2;
		}
	}
	for (unsigned long seed = o.first; seed <= o.last && result != 2; seed++) {
		int one = run(&o, seed, trace);

		if (one == 1 && !trace)
			replay(&o, seed);
		if (one > result)
			result = one;
	}
	if (trace && trace != stdout)
		fclose(trace);
	return result;
}
