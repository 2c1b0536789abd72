// SPDX-License-Identifier: BSD-2-Clause
/* What lbctl makes of what programs say, without any that runs. */
#include "tests/unit/unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbctl/json.h"
#include "lbctl/message_json.h"
#include "lbctl/problems.h"
#include "lbctl/rates.h"
#include "lbctl/table.h"
#include "proto/control.pb-c.h"
#include "proto/node.pb-c.h"

static void messages_are_json_as_they_describe_themselves(void **state)
{
	Holdfast__FromNode message = HOLDFAST__FROM_NODE__INIT;
	Holdfast__Backends body = HOLDFAST__BACKENDS__INIT;
	Holdfast__BackendState first = HOLDFAST__BACKEND_STATE__INIT,
			       second = HOLDFAST__BACKEND_STATE__INIT;
	Holdfast__BackendState *list[] = { &first, &second };
	Holdfast__OverrideState override = HOLDFAST__OVERRIDE_STATE__INIT;
	json_t *json, *backends;

	(void)state;
	first.name = "a\"b";
	first.weight = 4000000000U;
	first.checked = true;
	second.override = &override;
	override.set_at = 1795700000000ULL;
	body.backends = list;
	body.n_backends = 2;
	message.body_case = HOLDFAST__FROM_NODE__BODY_BACKENDS;
	message.backends = &body;
	json = hf_json_of_message((const ProtobufCMessage *)&message);
	assert_int_equal(json_object_size(json), 1); /* of the oneof only what is set */
	backends = json_object_get(json_object_get(json, "backends"), "backends");
	assert_int_equal(json_array_size(backends), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(backends, 0), "name")),
			    "a\"b");
	assert_true(json_integer_value(json_object_get(json_array_get(backends, 0), "weight")) ==
		    4000000000LL);
	assert_true(json_is_true(json_object_get(json_array_get(backends, 0), "checked")));
	assert_null(json_object_get(json_array_get(backends, 0), "override"));
	assert_true(json_integer_value(json_object_get(
			    json_object_get(json_array_get(backends, 1), "override"), "set_at")) ==
		    1795700000000LL);
	json_decref(json);
}

static void ids_and_addresses_are_texts(void **state)
{
	Holdfast__NodeMember m = HOLDFAST__NODE_MEMBER__INIT;
	uint8_t address[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	json_t *json;

	(void)state;
	m.id = 0xfedcba9876543210ULL;
	m.heard_ms = -1;
	m.address.data = address;
	m.address.len = 16;
	json = hf_json_of_message((const ProtobufCMessage *)&m);
	assert_string_equal(json_string_value(json_object_get(json, "id")), "0xfedcba9876543210");
	assert_string_equal(json_string_value(json_object_get(json, "address")), "2001:db8::1");
	assert_true(json_integer_value(json_object_get(json, "heard_ms")) == -1);
	json_decref(json);
}

/* Two nodes that are all right, as JSON, to be spoilt. */
static json_t *good_cluster(void)
{
	json_t *cluster =
		json_loads("{\"cluster\":\"c\",\"asked\":\"a\",\"blind\":null,\"nodes\":["
			   "{\"name\":\"a\",\"local\":true,\"state\":\"alive\",\"errors\":{},"
			   " \"syncd\":{\"problems\":[],\"own_problems\":0,\"view\":\"0x1\"},"
			   " \"lbnode\":{\"ready\":true,\"sharing\":true,\"config\":\"0x1\","
			   "\"tables\":\"0x1\","
			   "  \"version\":\"1\",\"bgp\":true,\"up_ms\":1000,\"counters\":["
			   "   {\"name\":\"forwarded\",\"text\":\"\",\"count\":0},"
			   "   {\"name\":\"drop_tunnel\",\"text\":\"why\",\"count\":0}]},"
			   " \"lbbgp\":{\"problems\":[],\"vips\":[]},"
			   " \"backends\":[{\"pool\":\"p\",\"name\":\"x\",\"state\":\"up\",\"pool_"
			   "state\":\"normal\",\"weight\":1}],"
			   "\"services\":[{\"pool\":\"p\"}]},"
			   "{\"name\":\"b\",\"local\":false,\"state\":\"alive\",\"errors\":{},"
			   " \"syncd\":{\"problems\":[],\"own_problems\":0,\"view\":\"0x1\"},"
			   " \"lbnode\":{\"ready\":true,\"sharing\":true,\"config\":\"0x1\","
			   "\"tables\":\"0x1\","
			   "  \"version\":\"1\",\"bgp\":true},"
			   " \"lbbgp\":{\"problems\":[],\"vips\":[]},"
			   " \"backends\":[{\"pool\":\"p\",\"name\":\"x\",\"state\":\"up\",\"pool_"
			   "state\":\"normal\",\"weight\":1}],"
			   "\"services\":[{\"pool\":\"p\"}]}"
			   "]}",
			   0, NULL);

	assert_non_null(cluster);
	return cluster;
}

static json_t *node(const json_t *cluster, int i)
{
	return json_array_get(json_object_get(cluster, "nodes"), i);
}

static json_t *part(const json_t *cluster, int i, const char *program)
{
	return json_object_get(node(cluster, i), program);
}

/* One problem, of that node, with that in its words; takes the cluster. */
static void must_tell(json_t *cluster, const char *name, const char *words)
{
	json_t *problems = hf_problems_find(cluster, NULL);
	const json_t *first = json_array_get(problems, 0);
	char nodes[64];

	if (json_array_size(problems) != 1 ||
	    !strstr(json_string_value(json_object_get(first, "text")), words)) {
		json_dumpf(problems, stderr, JSON_INDENT(1));
		fail_msg("not just \"%s\"", words);
	}
	assert_string_equal(hf_problem_nodes(first, nodes, sizeof(nodes)), name);
	assert_true(json_string_length(json_object_get(first, "remedy")) > 0);
	json_decref(problems);
	json_decref(cluster);
}

static void a_good_cluster_has_no_problems(void **state)
{
	json_t *cluster = good_cluster(), *problems = hf_problems_find(cluster, NULL);

	(void)state;
	assert_int_equal(json_array_size(problems), 0);
	json_decref(problems);
	json_decref(cluster);
}

static void a_nodes_fault_is_told_of_that_node(void **state)
{
	json_t *c;

	(void)state;
	c = good_cluster();
	json_object_set_new(node(c, 1), "state", json_string("dead"));
	must_tell(c, "b", "dead, as far as the others can tell");

	/* Without its syncd nothing of the node is heard: that is one fault, not three. */
	c = good_cluster();
	for (int i = 0; i < 3; i++) {
		static const char *const programs[] = { "syncd", "lbnode", "lbbgp" };

		json_object_del(node(c, 1), programs[i]);
		json_object_set_new(json_object_get(node(c, 1), "errors"), programs[i],
				    json_string("silent"));
	}
	must_tell(c, "b", "its syncd can't be asked");

	/* As others say it is alive; one that is new is given time. */
	c = good_cluster();
	json_object_set_new(part(c, 1, "syncd"), "members",
			    json_pack("[{s:s, s:s, s:i, s:i}, {s:s, s:s, s:i, s:i}]", "name", "c",
				      "state", "alive", "heard_ms", 20000, "since_ms", 90000,
				      "name", "d", "state", "alive", "heard_ms", -1, "since_ms",
				      500));
	must_tell(c, "b", "it has not heard c by UDP");

	c = good_cluster();
	json_object_set_new(node(c, 1), "state", json_string("left"));
	must_tell(c, "b", "its syncd was stopped");

	c = good_cluster();
	for (int i = 0; i < 2; i++)
		json_array_append_new(json_object_get(part(c, i, "lbbgp"), "problems"),
				      json_string("BIRD is ill"));
	must_tell(c, "a, b", "BIRD is ill");

	c = good_cluster();
	json_object_set_new(part(c, 1, "lbnode"), "ready", json_false());
	json_object_set_new(part(c, 1, "lbnode"), "why_not", json_string("because"));
	must_tell(c, "b", "not ready to serve: because");

	c = good_cluster();
	json_object_set_new(part(c, 0, "lbnode"), "reload_error", json_string("f:1: no"));
	must_tell(c, "a", "the last reload was refused: f:1: no");

	c = good_cluster();
	json_array_append_new(json_object_get(part(c, 1, "lbbgp"), "problems"),
			      json_string("BIRD is ill"));
	must_tell(c, "b", "BIRD is ill");

	c = good_cluster();
	json_object_set_new(part(c, 0, "lbnode"), "pins", json_integer(90));
	json_object_set_new(part(c, 0, "lbnode"), "pins_room", json_integer(100));
	must_tell(c, "a", "full by 90 %");

	c = good_cluster();
	json_object_set_new(json_array_get(part(c, 1, "backends"), 0), "dissents", json_true());
	must_tell(c, "b", "say otherwise");
}

/* Not of a node that was asked for alone, and not as long as somebody has it. */
static void vips_that_are_announced_are_no_outage(void **state)
{
	json_t *c = good_cluster(), *withdrawn, *problems;

	(void)state;
	withdrawn = json_pack("{s:s, s:s}", "address", "192.0.2.1", "state", "withdrawn");
	json_array_append(json_object_get(part(c, 0, "lbbgp"), "vips"), withdrawn);
	json_object_set_new(c, "only", json_string("a"));
	problems = hf_problems_find(c, NULL);
	assert_int_equal(json_array_size(problems), 0);
	json_decref(problems);
	json_decref(c);

	c = good_cluster();
	json_array_append_new(json_object_get(part(c, 0, "lbbgp"), "vips"), withdrawn);
	json_object_update_new(part(c, 1, "lbbgp"),
			       json_pack("{s:s, s:b, s:[{s:s, s:[i]}], s:[{s:s, s:s}]}", "bird",
					 "2.0.12", "settled", 1, "sessions", "state", "Established",
					 "exported", 1, "vips", "address", "192.0.2.1", "state",
					 "announced"));
	problems = hf_problems_find(c, NULL);
	assert_int_equal(json_array_size(problems), 0);
	json_decref(problems);
	json_decref(c);
}

static void what_is_no_nodes_own_is_told_once(void **state)
{
	json_t *c;

	(void)state;
	c = good_cluster();
	json_object_set_new(c, "blind", json_string("it does not run"));
	must_tell(c, "", "nothing can be told of other nodes");

	c = good_cluster();
	json_array_append_new(
		json_object_get(part(c, 0, "lbbgp"), "vips"),
		json_pack("{s:s, s:s}", "address", "192.0.2.1", "state", "withdrawn"));
	must_tell(c, "", "192.0.2.1 is announced by no node");

	/* Wanted, by lbbgp's word, but no BIRD tells anybody. */
	c = good_cluster();
	json_array_append_new(
		json_object_get(part(c, 0, "lbbgp"), "vips"),
		json_pack("{s:s, s:s}", "address", "192.0.2.1", "state", "announced"));
	must_tell(c, "", "192.0.2.1 is announced by no node");

	c = good_cluster();
	for (int i = 0; i < 2; i++)
		json_object_set_new(json_array_get(part(c, i, "backends"), 0), "weight",
				    json_integer(0));
	must_tell(c, "", "no backend takes new flows");

	c = good_cluster();
	json_object_set_new(part(c, 1, "lbnode"), "config", json_string("0x2"));
	json_object_set_new(part(c, 1, "lbnode"), "tables", json_string("0x2"));
	must_tell(c, "", "different configurations (of services, pools or backends): a against b");

	c = good_cluster();
	json_object_set_new(part(c, 1, "lbnode"), "tables", json_string("0x2"));
	must_tell(c, "", "though their configurations are equal");

	c = good_cluster();
	json_object_set_new(part(c, 1, "syncd"), "view", json_string("0x2"));
	must_tell(c, "", "who owns which flows");

	/* Verdicts are all nodes': told once. */
	c = good_cluster();
	for (int i = 0; i < 2; i++) {
		json_t *b = json_array_get(part(c, i, "backends"), 0);

		json_object_set_new(b, "state", json_string("down"));
		json_object_set_new(b, "cause", json_string("refused"));
	}
	must_tell(c, "", "backend x is down: refused");
}

static void drops_are_told_by_their_rate(void **state)
{
	json_t *before = good_cluster(), *after = good_cluster(), *problems, *counters;
	struct hf_node_rates rates;

	(void)state;
	json_object_set_new(part(after, 0, "lbnode"), "up_ms", json_integer(1500));
	counters = json_object_get(part(after, 0, "lbnode"), "counters");
	json_object_set_new(json_array_get(counters, 0), "count", json_integer(1000));
	json_object_set_new(json_array_get(counters, 1), "count", json_integer(50));
	assert_true(hf_node_rates(node(before, 0), node(after, 0), &rates));
	assert_true(rates.forwarded == 2000 && rates.dropped == 100);
	assert_string_equal(rates.worst, "drop_tunnel");
	problems = hf_problems_find(before, after);
	assert_int_equal(json_array_size(problems), 1);
	json_decref(problems);
	/* Of a node that was started anew in between nothing is known. */
	json_object_set_new(part(after, 0, "lbnode"), "up_ms", json_integer(10));
	assert_false(hf_node_rates(node(before, 0), node(after, 0), &rates));
	json_decref(before);
	json_decref(after);
}

static void must_read(double number, const char *text)
{
	char out[HF_NUMBER_TEXT];

	assert_string_equal(hf_number_text(number, out), text);
}

static void texts_are_fit_for_terminals(void **state)
{
	json_t *json = hf_json_clean("a\033[2J\xff\xc3\xa4\n");

	(void)state;
	assert_string_equal(json_string_value(json), "a?[2J????");
	json_decref(json);
	json = hf_json_clean("\xc3\xa4");
	assert_string_equal(json_string_value(json), "\xc3\xa4");
	json_decref(json);
}

static void numbers_are_short(void **state)
{
	(void)state;
	must_read(0, "0");
	must_read(9999, "9999");
	must_read(12345, "12.3k");
	must_read(1234567, "1235k");
	must_read(12345678, "12.3M");
	must_read(99999999999.0, "100G");
}

static void tables_are_aligned(void **state)
{
	struct hf_table *t = hf_table_new("name", ">count", "why", NULL);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	hf_table_cell(t, HF_BOLD, "%s", "a");
	hf_table_cell(t, HF_PLAIN, "%d", 7);
	hf_table_cell(t, HF_PLAIN, "%s", "");
	hf_table_cell(t, HF_BAD, "%s", "longer");
	hf_table_cell(t, HF_PLAIN, "%d", 1234567);
	hf_table_cell(t, HF_PLAIN, "%s", "for that");
	hf_table_print(t, out);
	fclose(out);
	assert_string_equal(text, "name      count  why\n"
				  "a             7  \n"
				  "longer  1234567  for that\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_json_as_they_describe_themselves),
		cmocka_unit_test(ids_and_addresses_are_texts),
		cmocka_unit_test(a_good_cluster_has_no_problems),
		cmocka_unit_test(a_nodes_fault_is_told_of_that_node),
		cmocka_unit_test(what_is_no_nodes_own_is_told_once),
		cmocka_unit_test(vips_that_are_announced_are_no_outage),
		cmocka_unit_test(drops_are_told_by_their_rate),
		cmocka_unit_test(texts_are_fit_for_terminals),
		cmocka_unit_test(numbers_are_short),
		cmocka_unit_test(tables_are_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
