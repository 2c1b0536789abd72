// SPDX-License-Identifier: BSD-2-Clause
/* What the daemons of all nodes have said, in the order of time. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lbctl/cluster.h"
#include "lbctl/command.h"
#include "lbctl/message_json.h"
#include "lbctl/table.h"
#include "lib/log.h"

#define LOOK_MS	      500
#define COUNT_DEFAULT 30
#define SOURCES_MOST  1024
#define REFIND	      10 /* looks, until it is asked who else is there */

struct source {
	json_t *node;
	Holdfast__Program program;
	uint64_t after;	  /* what was taken last */
	uint64_t started; /* when the program was: one that is started anew counts anew */
	bool more;	  /* there is */
	bool silent;	  /* which has been said */
};

static void ask_log(struct hf_question_to *q, const struct source *s)
{
	Holdfast__LogAsk body = HOLDFAST__LOG_ASK__INIT;
	Holdfast__ToSync to_syncd = HOLDFAST__TO_SYNC__INIT;
	Holdfast__ToNode to_lbnode = HOLDFAST__TO_NODE__INIT;
	Holdfast__ToBgp to_lbbgp = HOLDFAST__TO_BGP__INIT;

	body.after = s->after;
	to_syncd.body_case = HOLDFAST__TO_SYNC__BODY_LOG;
	to_lbnode.body_case = HOLDFAST__TO_NODE__BODY_LOG;
	to_lbbgp.body_case = HOLDFAST__TO_BGP__BODY_LOG;
	to_syncd.log = to_lbnode.log = to_lbbgp.log = &body;
	hf_cluster_address(s->node, q);
	if (s->program == HOLDFAST__PROGRAM__PROGRAM_SYNCD)
		hf_ask_syncd(q, &to_syncd);
	else if (s->program == HOLDFAST__PROGRAM__PROGRAM_LBNODE)
		hf_ask_lbnode(q, &to_lbnode);
	else
		hf_ask_lbbgp(q, &to_lbbgp);
}

static void say_silent(struct source *s, const char *why)
{
	/* lbbgp need not be there. */
	if (why[0] && !s->silent && s->program != HOLDFAST__PROGRAM__PROGRAM_LBBGP)
		hf_warning("%s: %s: %s", hf_text(s->node, "name"), hf_program_name(s->program),
			   why);
	s->silent = why[0];
}

static void take_log(struct source *s, const json_t *log, json_t *events)
{
	uint64_t last = (uint64_t)hf_number(log, "last");
	json_t *entry;
	size_t i;

	if (!log)
		return;
	json_array_foreach (json_object_get(log, "entries"), i, entry) {
		json_object_set(entry, "node", json_object_get(s->node, "name"));
		json_object_set_new(entry, "program", json_string(hf_program_name(s->program)));
		json_array_append(events, entry);
		s->after = (uint64_t)hf_number(entry, "number");
	}
	s->more = s->after < last;
	/* What it has said since is asked for from the beginning. */
	if (s->started && (uint64_t)hf_number(log, "started_ms") != s->started) {
		s->after = 0;
		s->more = true;
	}
	s->started = (uint64_t)hf_number(log, "started_ms");
}

/* What is news, of all sources. */
static json_t *hear(const char *instance, struct source *sources, uint32_t count)
{
	struct hf_question_to *questions = calloc(count ? count : 1, sizeof(*questions));
	struct source **asked = calloc(count ? count : 1, sizeof(struct source *));
	json_t *events = json_array();
	uint32_t open = count;

	for (uint32_t i = 0; i < count; i++)
		sources[i].more = true;
	while (questions && asked && open) {
		open = 0;
		for (uint32_t i = 0; i < count; i++) {
			if (!sources[i].more)
				continue;
			ask_log(&questions[open], &sources[i]);
			asked[open++] = &sources[i];
		}
		hf_ask(instance, questions, open, HF_PATIENCE_MS);
		for (uint32_t i = 0; i < open; i++) {
			json_t *answer = questions[i].answer
						 ? hf_json_of_message(questions[i].answer)
						 : NULL;

			asked[i]->more = false;
			say_silent(asked[i], questions[i].why);
			take_log(asked[i], json_object_get(answer, "log"), events);
			json_decref(answer);
		}
		hf_ask_free(questions, open);
	}
	free(asked);
	free(questions);
	return events;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = hf_number(*(json_t *const *)a, "at_ms"),
		y = hf_number(*(json_t *const *)b, "at_ms");

	return x < y ? -1 : x > y;
}

static void show_event(const struct hf_context *c, const json_t *event)
{
	int64_t at = hf_number(event, "at_ms"), level = hf_number(event, "level");
	time_t seconds = at / 1000;
	char when[32];
	struct tm tm;

	if (c->json) {
		json_dumpf(event, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
		putchar('\n');
		return;
	}
	localtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%s%s.%03d%s %s %s: %s%s%s\n", hf_colour(HF_FAINT), when, (int)(at % 1000),
	       hf_colour(HF_PLAIN), hf_text(event, "node"), hf_text(event, "program"),
	       hf_colour(level <= HF_LOG_ERROR	   ? HF_BAD
			 : level <= HF_LOG_WARNING ? HF_DOUBTFUL
						   : HF_PLAIN),
	       hf_text(event, "text"), hf_colour(HF_PLAIN));
}

/* The last `most` of them, in the order of time. */
static void show_events(const struct hf_context *c, const json_t *events, size_t most)
{
	size_t count = json_array_size(events);
	json_t **sorted = calloc(count ? count : 1, sizeof(json_t *));

	for (size_t i = 0; sorted && i < count; i++)
		sorted[i] = json_array_get(events, i);
	if (sorted)
		qsort(sorted, count, sizeof(json_t *), by_time);
	for (size_t i = count > most ? count - most : 0; sorted && i < count; i++)
		show_event(c, sorted[i]);
	fflush(stdout);
	free(sorted);
}

/* Adds those that are not among them yet: nodes come, and come back. */
static uint32_t find_sources(const struct hf_context *c, json_t *known, struct source *sources,
			     uint32_t count, uint32_t most)
{
	json_t *cluster = hf_cluster_gather(c->instance, 0, c->node), *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		bool first = !json_object_get(known, hf_text(node, "id"));

		if (!hf_cluster_can_ask(node) || !first)
			continue;
		json_object_set(known, hf_text(node, "id"), node);
		for (int p = HOLDFAST__PROGRAM__PROGRAM_SYNCD;
		     p <= HOLDFAST__PROGRAM__PROGRAM_LBBGP && count < most; p++)
			sources[count++] =
				(struct source){ .node = node, .program = (Holdfast__Program)p };
	}
	json_decref(cluster);
	return count;
}

static void follow(const struct hf_context *c, json_t *known, struct source *sources,
		   uint32_t count)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };

	for (uint32_t look = 1;; look++) {
		json_t *events;

		nanosleep(&pause, NULL);
		if (look % REFIND == 0)
			count = find_sources(c, known, sources, count, SOURCES_MOST);
		events = hear(c->instance, sources, count);
		show_events(c, events, SIZE_MAX);
		json_decref(events);
	}
}

static bool is_any_silent(const struct source *sources, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (sources[i].silent && sources[i].program != HOLDFAST__PROGRAM__PROGRAM_LBBGP)
			return true;
	return false;
}

int hf_command_events(const struct hf_context *c)
{
	static struct source sources[SOURCES_MOST];
	json_t *known = json_object(), *events;
	uint32_t count = find_sources(c, known, sources, 0, SOURCES_MOST);
	bool any;

	if (c->node && !count) {
		hf_error("there is no node %s that could be asked", c->node);
		json_decref(known);
		return HF_EXIT_UNKNOWN;
	}
	events = hear(c->instance, sources, count);
	any = json_array_size(events) > 0;
	show_events(c, events, c->count ? c->count : COUNT_DEFAULT);
	json_decref(events);
	if (c->follow && any)
		follow(c, known, sources, count);
	if (!any)
		hf_error("no daemon has answered; do they run, and are you root?");
	json_decref(known);
	return !any			       ? HF_EXIT_UNKNOWN
	       : is_any_silent(sources, count) ? HF_EXIT_DEGRADED
					       : HF_EXIT_FINE;
}
