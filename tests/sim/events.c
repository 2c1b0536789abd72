// SPDX-License-Identifier: BSD-2-Clause
/* Time goes from event to event; and chance, and the trace. */
#include "tests/sim/internal.h"

#include <stdarg.h>
#include <stdlib.h>
static bool comes_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at < b->at || (a->at == b->at && a->sequence < b->sequence);
}

void sim_push(struct sim *sim, hf_time at, enum sim_event_kind kind, uint32_t node,
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

struct sim_event sim_pop(struct sim *sim)
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
