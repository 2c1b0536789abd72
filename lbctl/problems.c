// SPDX-License-Identifier: BSD-2-Clause
#include "lbctl/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lbctl/cluster.h"
#include "lbctl/problems_internal.h"
#include "lbctl/rates.h"
#include "lib/text.h"

#define FULL_PERCENT	80 /* of the flow table */
#define DROPPED_PERCENT 1  /* of a node's packets */
#define DROPPED_LEAST	10 /* a second */
#define NAMES_MOST	400

static const char *const severity_names[] = { "outage", "fault" };

/* What was told in the same words of other nodes; NULL: nothing. */
static json_t *find_alike(const json_t *problems, const char *text)
{
	json_t *p;
	size_t i;

	json_array_foreach (problems, i, p)
		if (strcmp(hf_text(p, "text"), text) == 0)
			return json_object_get(p, "nodes");
	return NULL;
}

void hf_problem_add(json_t *problems, enum hf_severity severity, const json_t *node,
		    const char *remedy, const char *format, ...)
{
	json_t *clean, *nodes;
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	clean = hf_json_clean(text);
	nodes = find_alike(problems, json_string_value(clean));
	if (!nodes) {
		nodes = json_array();
		json_array_append_new(problems,
				      json_pack("{s:s, s:o, s:O, s:o}", "severity",
						severity_names[severity], "nodes", nodes, "text",
						clean, "remedy", hf_json_clean(remedy)));
	}
	if (node)
		json_array_append(nodes, json_object_get(node, "name"));
	json_decref(clean);
}

const char *hf_problem_nodes(const json_t *problem, char *out, size_t size)
{
	size_t i, used = 0;
	json_t *name;

	out[0] = '\0';
	json_array_foreach (json_object_get(problem, "nodes"), i, name)
		if (used < size)
			used += snprintf(out + used, size - used, "%s%s", i ? ", " : "",
					 json_string_value(name));
	return out;
}

const char *hf_problem_on_node(const json_t *node, const char *command, char out[160])
{
	if (hf_flag(node, "local"))
		snprintf(out, 160, "%s", command);
	else
		snprintf(out, 160, "on %s: %s", hf_text(node, "name"), command);
	return out;
}

static void find_dead(json_t *problems, const json_t *node)
{
	char since[HF_DURATION_TEXT], remedy[160];

	hf_duration_text((uint32_t)(hf_number(node, "since_ms") / 1000), since);
	if (hf_json_is(node, "state", "dead"))
		hf_problem_add(problems, HF_FAULT, node,
			       hf_problem_on_node(node, "systemctl status syncd lbnode", remedy),
			       "the node is dead, as far as the others can tell, for %s", since);
	else if (hf_json_is(node, "state", "left"))
		hf_problem_add(problems, HF_FAULT, node,
			       hf_problem_on_node(node, "systemctl start syncd lbnode", remedy),
			       "its syncd was stopped %s ago, so nothing can be told of the node, "
			       "which may "
			       "forward on; if it was taken away for good, this ends by itself "
			       "within a day",
			       since);
	else if (hf_json_is(node, "state", "suspect"))
		hf_problem_add(problems, HF_FAULT, node, "lbctl events -f",
			       "the node has not answered for a moment");
}

/* The node should run lbbgp: so says its lbnode, or, if that is silent, what others do. */
static bool has_bgp(const json_t *cluster, const json_t *facts)
{
	json_t *node;
	size_t i;

	if (facts)
		return hf_flag(facts, "bgp");
	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		if (json_object_get(node, "lbbgp"))
			return true;
	return false;
}

static void find_silent(json_t *problems, const json_t *cluster, const json_t *node)
{
	const json_t *facts = json_object_get(node, "lbnode");
	char command[64], remedy[160];
	const char *program, *silent = hf_text(json_object_get(node, "errors"), "syncd");
	json_t *why;

	/* Others are asked by their syncd. */
	if (silent[0] && !hf_flag(node, "local")) {
		/* If it lives, gossip comes through. */
		snprintf(command, sizeof(command), "is TCP port %ld open? lbctl doctor",
			 (long)hf_number(node, "port"));
		hf_problem_add(problems, HF_FAULT, node,
			       hf_json_is(node, "state", "alive")
				       ? command
				       : hf_problem_on_node(node, "systemctl status syncd", remedy),
			       "its syncd can't be asked, so nothing can be told of the node: %s",
			       silent);
		return;
	}
	json_object_foreach (json_object_get(node, "errors"), program, why) {
		if (strcmp(program, "lbbgp") == 0 && !has_bgp(cluster, facts))
			continue;
		snprintf(command, sizeof(command), "systemctl status %s", program);
		hf_problem_add(problems, HF_FAULT, node, hf_problem_on_node(node, command, remedy),
			       "%s says nothing: %s", program, json_string_value(why));
	}
}

static void find_interfaces(json_t *problems, const json_t *node)
{
	json_t *interface;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(node, "lbnode"), "interfaces"), i,
			    interface) {
		char command[80], remedy[160];

		if (hf_text(interface, "mode")[0])
			continue;
		snprintf(command, sizeof(command), "ip link show %s", hf_text(interface, "name"));
		hf_problem_add(problems, HF_FAULT, node, hf_problem_on_node(node, command, remedy),
			       "the interface %s is not there, or has no XDP program",
			       hf_text(interface, "name"));
	}
}

static void find_of_lbnode(json_t *problems, const json_t *node)
{
	const json_t *facts = json_object_get(node, "lbnode");
	int64_t pins = hf_number(facts, "pins"), room = hf_number(facts, "pins_room");
	char remedy[160];

	if (!facts)
		return;
	if (!hf_flag(facts, "ready"))
		hf_problem_add(problems, HF_FAULT, node,
			       hf_problem_on_node(node, "journalctl -u lbnode", remedy),
			       "the node is not ready to serve: %s", hf_text(facts, "why_not"));
	snprintf(remedy, sizeof(remedy), "lbctl undrain node %s", hf_text(node, "name"));
	if (hf_flag(facts, "draining"))
		hf_problem_add(problems, HF_FAULT, node, remedy,
			       "the node is drained, by an operator's word");
	if (hf_text(facts, "reload_error")[0])
		hf_problem_add(problems, HF_FAULT, node,
			       hf_problem_on_node(node, "lbctl check", remedy),
			       "the last reload was refused: %s", hf_text(facts, "reload_error"));
	if (!hf_flag(facts, "sharing") && json_object_get(node, "syncd"))
		hf_problem_add(
			problems, HF_FAULT, node,
			hf_problem_on_node(node, "journalctl -u lbnode", remedy),
			"lbnode is not connected to syncd: its flows are known to no other node");
	if (hf_number(facts, "unresolved"))
		hf_problem_add(problems, HF_FAULT, node,
			       hf_problem_on_node(node, "ip neighbour", remedy),
			       "%ld next hops to backends do not answer",
			       (long)hf_number(facts, "unresolved"));
	if (room && pins * 100 > room * FULL_PERCENT)
		hf_problem_add(
			problems, HF_FAULT, node,
			hf_problem_on_node(node, "raise tables.flows, and restart lbnode", remedy),
			"the flow table is full by %ld %%", (long)(pins * 100 / room));
	find_interfaces(problems, node);
}

/* Of members' names, which others take, too. */
static void find_conflicts(json_t *problems, const json_t *node)
{
	json_t *m;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(node, "syncd"), "members"), i, m)
		if (hf_text(m, "conflict")[0])
			hf_problem_add(problems, HF_FAULT, NULL,
				       "give one of the two another node.name",
				       "the name %s is claimed from %s, too", hf_text(m, "name"),
				       hf_text(m, "conflict"));
}

/* Two that don't hear each other are alive by the words of others, but share nothing. */
static void find_deaf(json_t *problems, const json_t *node)
{
	const json_t *status = json_object_get(node, "syncd");
	char remedy[160];
	json_t *m;
	size_t i;

	json_array_foreach (json_object_get(status, "members"), i, m)
		if (hf_json_is(m, "state", "alive") && !hf_cluster_is_heard(status, m))
			hf_problem_add(
				problems, HF_FAULT, node,
				hf_problem_on_node(node, "lbctl doctor", remedy),
				"it has not heard %s by UDP for long: is the port open, both "
				"ways?",
				hf_text(m, "name"));
}

static void find_of_syncd(json_t *problems, const json_t *node)
{
	const json_t *status = json_object_get(node, "syncd");
	int64_t own = hf_number(status, "own_problems");
	json_t *text;
	size_t i;

	json_array_foreach (json_object_get(status, "problems"), i, text)
		if ((int64_t)i < own && strncmp(json_string_value(text), "lbnode is not", 13) != 0)
			hf_problem_add(problems, HF_FAULT, node, "lbctl sync", "%s",
				       json_string_value(text));
}

/* The nodes of each answer, by what they say. */
static void find_disagreement(json_t *problems, const json_t *cluster, const char *program,
			      const char *key, const char *what, const char *remedy)
{
	json_t *camps = json_object(), *node, *names;
	char text[NAMES_MOST] = "";
	const char *value;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		const json_t *part = json_object_get(node, program);
		json_t *said = json_object_get(part, key);
		char of_said[64];

		if (!said || hf_flag(part, "draining"))
			continue;
		if (json_is_integer(said))
			snprintf(of_said, sizeof(of_said), "%lld",
				 (long long)json_integer_value(said));
		else
			snprintf(of_said, sizeof(of_said), "%s", json_string_value(said));
		if (!json_object_get(camps, of_said))
			json_object_set_new(camps, of_said, json_array());
		json_array_append(json_object_get(camps, of_said), json_object_get(node, "name"));
	}
	json_object_foreach (camps, value, names) {
		json_t *name;

		if (text[0])
			snprintf(text + strlen(text), sizeof(text) - strlen(text), " against");
		json_array_foreach (names, i, name)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 i	   ? ", "
				 : text[0] ? " "
					   : "",
				 json_string_value(name));
	}
	if (json_object_size(camps) > 1)
		hf_problem_add(problems, HF_FAULT, NULL, remedy, "%s: %s", what, text);
	json_decref(camps);
}

static bool all_say_the_same(const json_t *cluster, const char *program, const char *key)
{
	json_t *none = json_array();
	bool same;

	find_disagreement(none, cluster, program, key, "", "");
	same = json_array_size(none) == 0;
	json_decref(none);
	return same;
}

static void find_disagreements(json_t *problems, const json_t *cluster)
{
	find_disagreement(problems, cluster, "lbnode", "config",
			  "nodes have different configurations (of services, pools or backends)",
			  "lbctl nodes; compare the files, and lbctl reload");
	if (all_say_the_same(cluster, "lbnode", "config"))
		find_disagreement(problems, cluster, "lbnode", "tables",
				  "nodes send new flows to different backends, though their "
				  "configurations are equal",
				  "lbctl backends; lbctl sync: do they hear each other?");
	find_disagreement(problems, cluster, "syncd", "view",
			  "nodes do not agree on who owns which flows", "lbctl sync");
	find_disagreement(
		problems, cluster, "syncd", "key_ids",
		"nodes have different keys in force; fine in the midst of a change of keys",
		"lbctl doctor; copy the key file, and lbctl reload");
	find_disagreement(problems, cluster, "lbnode", "version",
			  "nodes run different versions; fine during an upgrade", "lbctl nodes");
}

static void find_empty_pools(json_t *problems, const json_t *node)
{
	json_t *has_room = json_object(), *b, *s, *known;
	const char *pool;
	size_t i;

	/* A pool without backends is known by its services alone. */
	json_array_foreach (json_object_get(node, "services"), i, s)
		json_object_set_new(has_room, hf_text(s, "pool"), json_false());
	json_array_foreach (json_object_get(node, "backends"), i, b)
		if (hf_number(b, "weight"))
			json_object_set_new(has_room, hf_text(b, "pool"), json_true());
	json_object_foreach (has_room, pool, known)
		if (!json_is_true(known) && json_object_get(node, "backends"))
			hf_problem_add(problems, HF_OUTAGE, NULL, "lbctl backends; lbctl overrides",
				       "pool %s: no backend takes new flows, for there are none, "
				       "or operators "
				       "took them out",
				       pool);
	json_decref(has_room);
}

/* Of all nodes' words on a backend the first one's: verdicts are the same on all. */
static void find_of_backends(json_t *problems, const json_t *node)
{
	json_t *b;
	size_t i;

	json_array_foreach (json_object_get(node, "backends"), i, b) {
		if (!hf_json_is(b, "pool_state", "normal"))
			hf_problem_add(
				problems, HF_OUTAGE, NULL, "lbctl backends",
				"pool %s: all backends look dead, or too many at once (%s), so all "
				"are used: are the checks wrong?",
				hf_text(b, "pool"), hf_text(b, "pool_state"));
		if (hf_json_is(b, "state", "down"))
			hf_problem_add(problems, HF_FAULT, NULL, "lbctl backends",
				       "pool %s: backend %s is down: %s", hf_text(b, "pool"),
				       hf_text(b, "name"), hf_text(b, "cause"));
	}
}

static void find_dissent(json_t *problems, const json_t *node)
{
	uint32_t count = 0;
	const json_t *last = NULL;
	json_t *b;
	size_t i;

	json_array_foreach (json_object_get(node, "backends"), i, b) {
		if (!hf_flag(b, "dissents"))
			continue;
		last = b;
		count++;
	}
	if (count)
		hf_problem_add(problems, HF_FAULT, node, "lbctl backends",
			       "this node's checks of %u backends say otherwise than all nodes' "
			       "verdict, for "
			       "instance of %s/%s%s%s: is its way there all right?",
			       count, hf_text(last, "pool"), hf_text(last, "name"),
			       hf_text(last, "check_cause")[0] ? ": " : "",
			       hf_text(last, "check_cause"));
}

/* That a healthy node does not have at all; of the others clients and strangers are the cause. */
static const char *const own_faults[] = {
	"drop_no_backend", "drop_no_nexthop",	"drop_too_big",
	"drop_internal",   "drop_envelope_tag", "flows_unpinned"
};

static void find_drops(json_t *problems, const json_t *node, const json_t *later)
{
	struct hf_node_rates rates;

	if (!hf_node_rates(node, later, &rates))
		return;
	for (size_t i = 0; i < sizeof(own_faults) / sizeof(own_faults[0]); i++) {
		double rate = hf_counter_rate(node, later, own_faults[i]);

		if (rate >= 1)
			hf_problem_add(problems, HF_FAULT, node, "lbctl counters", "%s grows: %s",
				       own_faults[i], hf_counter_text(later, own_faults[i]));
	}
	if (rates.dropped < DROPPED_LEAST ||
	    rates.dropped * 100 < (rates.dropped + rates.forwarded) * DROPPED_PERCENT)
		return;
	hf_problem_add(problems, HF_FAULT, node, "lbctl counters",
		       "%.0f packets a second are dropped, most as %s: %s", rates.dropped,
		       rates.worst, rates.worst_text);
}

static const json_t *first_with_backends(const json_t *cluster)
{
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		if (json_object_get(node, "backends"))
			return node;
	return NULL;
}

static json_t *worst_first(json_t *problems)
{
	json_t *sorted = json_array(), *p;
	size_t i;

	for (int severity = HF_OUTAGE; severity <= HF_FAULT; severity++)
		json_array_foreach (problems, i, p)
			if (hf_json_is(p, "severity", severity_names[severity]))
				json_array_append(sorted, p);
	json_decref(problems);
	return sorted;
}

static void find_of_node(json_t *problems, const json_t *node)
{
	find_of_lbnode(problems, node);
	hf_problems_of_bgp(problems, node);
	find_conflicts(problems, node);
	find_of_syncd(problems, node);
	find_deaf(problems, node);
	find_dissent(problems, node);
}

json_t *hf_problems_find(const json_t *cluster, const json_t *later)
{
	json_t *problems = json_array(), *node;
	const char *blind = hf_text(cluster, "blind");
	size_t i;

	if (blind[0])
		hf_problem_add(
			problems, HF_OUTAGE, NULL, "systemctl status syncd",
			"nothing can be told of other nodes: this node's syncd can't be asked: %s",
			blind);
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		find_dead(problems, node);
		find_silent(problems, cluster, node);
	}
	hf_problems_of_lost_vips(problems, cluster);
	find_empty_pools(problems, first_with_backends(cluster));
	find_of_backends(problems, first_with_backends(cluster));
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		find_of_node(problems, node);
		if (later)
			find_drops(problems, node, hf_cluster_node(later, hf_text(node, "name")));
	}
	find_disagreements(problems, cluster);
	return worst_first(problems);
}
