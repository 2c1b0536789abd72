// SPDX-License-Identifier: BSD-2-Clause
/* Is everything all right, and if not, what? */
#include <string.h>
#include <time.h>

#include "lbctl/cluster.h"
#include "lbctl/command.h"
#include "lbctl/problems.h"
#include "lbctl/rates.h"
#include "lbctl/show.h"
#include "lbctl/status.h"
#include "lbctl/table.h"
#include "lib/log.h"

#define SAMPLE_MS 200

/* Of the rates, which nothing depends on but what is shown. */
static json_t *sample(const struct hf_context *c, const json_t *before)
{
	const struct timespec pause = { .tv_nsec = SAMPLE_MS * 1000000L };

	nanosleep(&pause, NULL);
	return hf_cluster_again(c->instance, before, HF_PART_FACTS | HF_PART_BACKENDS);
}

static json_t *rate_or_null(double rate)
{
	return rate < 0 ? json_null() : json_real(rate);
}

int64_t hf_status_waiting(const json_t *status)
{
	int64_t sum = 0;
	json_t *m;
	size_t i;

	json_array_foreach (json_object_get(status, "members"), i, m)
		sum += hf_number(m, "queue");
	return sum;
}

static json_t *node_summary(const json_t *node, const json_t *later)
{
	const json_t *facts = json_object_get(node, "lbnode"),
		     *bgp = json_object_get(node, "lbbgp");
	struct hf_node_rates rates;
	bool known = later && hf_node_rates(node, later, &rates);
	json_t *s = json_pack("{s:s, s:s, s:b, s:O*}", "name", hf_text(node, "name"), "state",
			      hf_text(node, "state"), "local", hf_flag(node, "local"), "errors",
			      json_object_get(node, "errors"));
	int64_t established = 0;
	json_t *session;
	size_t i;

	if (facts)
		json_object_update_new(
			s, json_pack("{s:s, s:b, s:b, s:I, s:I, s:s, s:s}", "version",
				     hf_text(facts, "version"), "ready", hf_flag(facts, "ready"),
				     "draining", hf_flag(facts, "draining"), "pins",
				     (json_int_t)hf_number(facts, "pins"), "pins_room",
				     (json_int_t)hf_number(facts, "pins_room"), "config",
				     hf_text(facts, "config"), "tables", hf_text(facts, "tables")));
	if (json_object_get(node, "syncd")) {
		const json_t *status = json_object_get(node, "syncd");

		json_object_set(s, "epoch", json_object_get(status, "epoch"));
		json_object_set(s, "settled", json_object_get(status, "settled"));
		json_object_set(s, "records", json_object_get(status, "records"));
		json_object_set_new(s, "records_waiting", json_integer(hf_status_waiting(status)));
	}
	if (bgp)
		json_object_set(s, "vips", json_object_get(bgp, "vip_count"));
	if (bgp && hf_bgp_is_known(bgp)) {
		json_array_foreach (json_object_get(bgp, "sessions"), i, session)
			established += strcmp(hf_text(session, "state"), "Established") == 0;
		json_object_update_new(
			s, json_pack("{s:I, s:I, s:I}", "sessions",
				     (json_int_t)json_array_size(json_object_get(bgp, "sessions")),
				     "sessions_established", (json_int_t)established,
				     "vips_announced", (json_int_t)hf_number(bgp, "out_count")));
	}
	json_object_set_new(s, "packets_per_second", rate_or_null(known ? rates.forwarded : -1));
	json_object_set_new(s, "drops_per_second", rate_or_null(known ? rates.dropped : -1));
	return s;
}

static json_t *pool_of(json_t *pools, const json_t *backend)
{
	json_t *pool = NULL, *p;
	size_t i;

	json_array_foreach (pools, i, p)
		if (strcmp(hf_text(p, "name"), hf_text(backend, "pool")) == 0)
			pool = p;
	if (pool)
		return pool;
	pool = json_pack("{s:s, s:s, s:i, s:i, s:I}", "name", hf_text(backend, "pool"), "state",
			 hf_text(backend, "pool_state"), "usable", 0, "total", 0, "flows",
			 (json_int_t)0);
	json_array_append_new(pools, pool);
	return pool;
}

static void add_to(json_t *object, const char *key, int64_t more)
{
	json_object_set_new(object, key, json_integer(hf_number(object, key) + more));
}

/* Who is usable is the same on all nodes: it is told by the first. Flows are all nodes'. */
static json_t *pool_summaries(const json_t *cluster, const json_t *later)
{
	json_t *pools = json_array(), *node, *backend, *pool;
	bool first = true;
	size_t i, k;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		json_array_foreach (json_object_get(node, "backends"), k, backend) {
			pool = pool_of(pools, backend);
			add_to(pool, "flows", hf_number(backend, "pins"));
			if (!first)
				continue;
			add_to(pool, "total", 1);
			add_to(pool, "usable", hf_number(backend, "weight") > 0);
		}
		first &= !json_object_get(node, "backends");
	}
	json_array_foreach (pools, i, pool) {
		json_object_set_new(pool, "whole",
				    json_boolean(hf_cluster_is_whole(cluster, "backends") &&
						 hf_cluster_is_whole(later, "backends")));
		json_object_set_new(
			pool, "packets_per_second",
			rate_or_null(hf_cluster_rate(cluster, later, "backends", "pool",
						     hf_text(pool, "name"), "packets")));
	}
	return pools;
}

json_t *hf_status_make(const struct hf_context *c)
{
	json_t *cluster = hf_cluster_gather(c->instance, HF_PROBLEMS_PARTS, c->node);
	json_t *later = sample(c, cluster), *problems = hf_problems_find(cluster, later), *node;
	json_t *summaries = json_array(), *status;
	bool blind =
		hf_text(cluster, "blind")[0] || !json_array_size(json_object_get(cluster, "nodes"));
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		json_array_append_new(
			summaries,
			node_summary(node, hf_cluster_node(later, hf_text(node, "name"))));
	status = json_pack(
		"{s:O, s:O, s:O, s:s, s:o, s:o, s:o}", "cluster",
		json_object_get(cluster, "cluster"), "asked", json_object_get(cluster, "asked"),
		"blind", json_object_get(cluster, "blind"), "state",
		blind			    ? "unknown"
		: json_array_size(problems) ? "degraded"
					    : "fine",
		"problems", problems, "nodes", summaries, "pools", pool_summaries(cluster, later));
	json_decref(cluster);
	json_decref(later);
	return status;
}

/* In lines that fit the screen. */
static void show_line(FILE *out, const char *first, const char *text, enum hf_colour colour)
{
	uint32_t screen = hf_screen_width(), room = screen > 20 ? screen - 4 : UINT32_MAX;

	fprintf(out, "%s%s%s", hf_colour(colour), first, hf_colour(HF_PLAIN));
	while (strlen(text) > room) {
		size_t part = room;

		while (part && text[part] != ' ')
			part--;
		part = part ? part : room;
		fprintf(out, "%.*s\n    ", (int)part, text);
		text += part;
		text += *text == ' ';
	}
	fprintf(out, "%s\n", text);
}

static void show_problems(FILE *out, const json_t *problems)
{
	char nodes[200], text[1400];
	json_t *p;
	size_t i;

	json_array_foreach (problems, i, p) {
		bool outage = strcmp(hf_text(p, "severity"), "outage") == 0;

		hf_problem_nodes(p, nodes, sizeof(nodes));
		snprintf(text, sizeof(text), "%s%s%s", nodes, nodes[0] ? ": " : "",
			 hf_text(p, "text"));
		show_line(out, outage ? "!! " : "! ", text, outage ? HF_BAD : HF_DOUBTFUL);
		show_line(out, "    try: ", hf_text(p, "remedy"), HF_FAINT);
	}
}

static void cell_of(struct hf_table *t, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	char text[HF_NUMBER_TEXT];

	if (!value || json_is_null(value))
		hf_table_cell(t, HF_DOUBTFUL, "?");
	else
		hf_table_cell(t, HF_PLAIN, "%s", hf_number_text(json_number_value(value), text));
}

static void sum_cell(struct hf_table *t, const json_t *pool, const char *key)
{
	if (json_is_number(json_object_get(pool, key)))
		hf_show_sum_cell(t, json_number_value(json_object_get(pool, key)),
				 hf_flag(pool, "whole"));
	else
		cell_of(t, pool, key);
}

static void cell_of_two(struct hf_table *t, const json_t *object, const char *part,
			const char *whole)
{
	int64_t have = hf_number(object, part), all = hf_number(object, whole);

	if (!json_object_get(object, part) || !json_object_get(object, whole))
		hf_table_cell(t, HF_DOUBTFUL, "?");
	else
		hf_table_cell(t, have < all ? HF_BAD : HF_PLAIN, "%ld/%ld", (long)have, (long)all);
}

static void node_row(struct hf_table *t, const json_t *n)
{
	bool alive = strcmp(hf_text(n, "state"), "alive") == 0;

	hf_table_cell(t, HF_BOLD, "%s%s", hf_text(n, "name"), hf_flag(n, "local") ? " *" : "");
	hf_table_cell(t, alive ? HF_GOOD : HF_BAD, "%s", hf_text(n, "state"));
	if (!json_object_get(n, "ready"))
		hf_table_cell(t, HF_DOUBTFUL, "?");
	else if (hf_flag(n, "draining"))
		hf_table_cell(t, HF_DOUBTFUL, "drained");
	else
		hf_table_cell(t, hf_flag(n, "ready") ? HF_GOOD : HF_BAD, "%s",
			      hf_flag(n, "ready") ? "ready" : "not ready");
	hf_table_cell(t, HF_PLAIN, "%s",
		      json_object_get(n, "version") ? hf_text(n, "version") : "?");
	cell_of_two(t, n, "sessions_established", "sessions");
	cell_of_two(t, n, "vips_announced", "vips");
	cell_of(t, n, "epoch");
	cell_of(t, n, "records");
	cell_of(t, n, "records_waiting");
	cell_of(t, n, "pins");
	cell_of(t, n, "packets_per_second");
	cell_of(t, n, "drops_per_second");
}

void hf_status_show(FILE *out, const json_t *status)
{
	struct hf_table *nodes =
		hf_table_new("node", "state", "", "?version", "?>bgp", ">vips", "?>epoch",
			     "?>records", "?>waiting", ">flows", ">packets/s", ">drops/s", NULL);
	struct hf_table *pools =
		hf_table_new("pool", "state", ">usable", ">flows", ">packets/s", NULL);
	const char *state = hf_text(status, "state");
	json_t *x;
	size_t i;

	fprintf(out, "%s%s%s: %s%s%s\n", hf_colour(HF_BOLD),
		hf_text(status, "cluster")[0] ? hf_text(status, "cluster") : "this node",
		hf_colour(HF_PLAIN), hf_colour(strcmp(state, "fine") == 0 ? HF_GOOD : HF_BAD),
		state, hf_colour(HF_PLAIN));
	show_problems(out, json_object_get(status, "problems"));
	fputc('\n', out);
	json_array_foreach (json_object_get(status, "nodes"), i, x)
		node_row(nodes, x);
	hf_table_print(nodes, out);
	fputc('\n', out);
	json_array_foreach (json_object_get(status, "pools"), i, x) {
		bool normal = strcmp(hf_text(x, "state"), "normal") == 0;

		hf_table_cell(pools, HF_BOLD, "%s", hf_text(x, "name"));
		hf_table_cell(pools, normal ? HF_GOOD : HF_BAD, "%s", hf_text(x, "state"));
		cell_of_two(pools, x, "usable", "total");
		sum_cell(pools, x, "flows");
		sum_cell(pools, x, "packets_per_second");
	}
	hf_table_print(pools, out);
}

int hf_command_status(const struct hf_context *c)
{
	json_t *status = hf_status_make(c);
	const char *state = hf_text(status, "state");
	int code = HF_EXIT_UNKNOWN;

	if (strcmp(state, "fine") == 0)
		code = HF_EXIT_FINE;
	else if (strcmp(state, "degraded") == 0)
		code = HF_EXIT_DEGRADED;
	if (c->node && !json_array_size(json_object_get(status, "nodes")))
		hf_error("there is no node %s; `lbctl nodes` tells those that there are", c->node);
	if (!hf_print_json(c, status))
		hf_status_show(stdout, status);
	json_decref(status);
	return code;
}
